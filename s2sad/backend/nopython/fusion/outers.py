"""Outer products as products of a column and a row.

In: a function. Out: the same in which ``np.outer`` of vectors is arithmetic on elements, so that
what it is added to takes each product as it is made, and the matrix never is::

    m_bar += np.outer(g, x)   ->   m_bar += g[:, None] * x
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ....ir.kinds import Array
from ....ir.mapping import Mapper
from ....ir.nodes import Function, Node, Op, Value
from ....rules.registry import primitive

__all__ = ["outers_as_products"]


def outers_as_products(f: Function) -> Function:
    """The function without outer products of vectors."""
    return replace(f, body=_Outers().region(f.body))


class _Outers(Mapper):
    def op(self, op: Op) -> Sequence[Node]:
        (new,) = super().op(op)
        assert isinstance(new, Op)
        if new.fn != "np.outer" or new.attrs or len(new.args) != 2:
            return (new,)
        kinds = [a.kind for a in new.args]
        if not all(isinstance(k, Array) and k.rank == 1 and k.dtype == "float64" for k in kinds):
            return (new,)
        x, y = new.args
        kind = primitive("np.expand_dims").kind((x,), {"axis": 1})
        assert isinstance(kind, Array)
        column = Value(kind)
        return (
            Op((column,), "np.expand_dims", (x,), {"axis": 1}, new.span),
            Op(new.results, "mul", (column, y), {}, new.span),
        )
