"""Shares of a cotangent as arithmetic on elements.

In: a function. Out: the same in which the elements that are as large as the largest get their
shares of its cotangent by a count and a choice, which loops can compute::

    g_x = share(g, x == largest, axis=1)   ->   count = np.sum(np.where(x == largest, 1.0, 0.0), 1)
                                                g_x = np.where(x == largest, g / count, 0.0)

Where none is chosen, because the largest is nan, the elements are nan unless g is 0.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from ....ir.kinds import Array, Kind, Num
from ....ir.mapping import Mapper
from ....ir.nodes import Atom, Const, Function, Node, Op, Value
from ....rules.registry import primitive
from .elements import is_plain

__all__ = ["ties_as_choices"]


def ties_as_choices(f: Function) -> Function:
    """The function without ``share`` where sums and choices of numbers do."""
    return replace(f, body=_Ties().region(f.body))


class _Ties(Mapper):
    def op(self, op: Op) -> Sequence[Node]:
        (new,) = super().op(op)
        assert isinstance(new, Op)
        return _as_choice(new) if new.fn == "share" and _is_known(new) else (new,)


def _is_known(op: Op) -> bool:
    """Whether it is a matter of numbers, along axes that are known."""
    (result,), (g, chosen), axis = op.results, op.args, op.attrs.get("axis")
    if not set(op.attrs) <= {"axis"} or not is_plain(result.kind) or not is_plain(g.kind):
        return False
    if not isinstance(chosen.kind, Array) or not chosen.kind.dims or chosen.kind.dtype != "bool":
        return False
    if getattr(result.kind, "dtype", None) != "float64":
        return False
    if isinstance(g.kind, Num):
        return axis is None
    return isinstance(g.kind, Array) and g.kind.rank == chosen.kind.rank


def _as_choice(op: Op) -> list[Node]:
    nodes: list[Node] = []

    def made(fn: str, *args: Atom, hint: str | None = None, **attrs: Any) -> Value:
        kind = primitive(fn).kind(args, attrs)
        assert isinstance(kind, Kind)
        value = Value(kind, None, hint)
        nodes.append(Op((value,), fn, args, attrs, op.span))
        return value

    (g, chosen), zero = op.args, Const.of(0.0)
    over: dict[str, Any] = {}
    if isinstance(g.kind, Array):
        axis = op.attrs.get("axis")
        over = {"axis": tuple(range(g.kind.rank or 0)) if axis is None else axis, "keepdims": True}
    ones = made("np.where", chosen, Const.of(1.0), zero)
    count = made("np.sum", ones, hint="count", **over)
    none = made("eq", count, zero)
    if not (isinstance(g, Const) and g.value != 0):
        none = made("bitand", none, made("ne", g, zero))
    rest = made("np.where", none, Const.of(math.nan), zero)
    shares = made("div", g, count)
    nodes.append(Op(op.results, "np.where", (chosen, shares, rest), {}, op.span))
    return nodes
