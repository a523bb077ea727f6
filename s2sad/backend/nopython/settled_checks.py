"""Checks that cannot fail are not made.

In: a module in loops over elements. Out: the same module without branches that would raise if a
length were not equal to itself, as fusing loops may show::

    if int(n) != int(n): raise ValueError(…)   ->   (nothing)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ...ir.kinds import Num
from ...ir.mapping import Mapper
from ...ir.nodes import Atom, If, Module, Node, Op, Value, raises

__all__ = ["without_settled_checks"]


def without_settled_checks(module: Module) -> Module:
    """The module without checks that two whole numbers are equal that are one."""
    return Module(
        {name: replace(f, body=_Settled().region(f.body)) for name, f in module.functions.items()}
    )


class _Settled(Mapper):
    def __init__(self) -> None:
        super().__init__()
        self.made: dict[Value, Op] = {}

    def op(self, op: Op) -> Sequence[Node]:
        self.made.update(dict.fromkeys(op.results, op))
        return (op,)

    def branch(self, node: If) -> Sequence[Node]:
        cond = self.made.get(node.cond) if isinstance(node.cond, Value) else None
        if cond is not None and cond.fn == "ne" and not node.results and raises(node.then):
            one, other = map(self.number, cond.args)
            if one is other and isinstance(one, Value) and not node.orelse.ops:
                return ()
        return super().branch(node)

    def number(self, a: Atom) -> Atom:
        """The whole number that one is made of."""
        op = self.made.get(a) if isinstance(a, Value) else None
        while op is not None and op.fn == "int" and _is_int(op.args[0]):
            a = op.args[0]
            op = self.made.get(a) if isinstance(a, Value) else None
        return a


def _is_int(a: Atom) -> bool:
    return isinstance(a.kind, Num) and a.kind.dtype == "int64"
