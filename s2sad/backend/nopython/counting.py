"""Lists that become counters: what the passes for tapes and for recursion have in common.

In: a region, and which of its values are lists of which only the length is left. Out: the region
in which they are numbers::

    if c: t2 = append(t, y)   ->   if c: n2 = n + 1
    else: t2 = (unassigned)        else: n2 = 0
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ...ir.mapping import Mapper
from ...ir.nodes import Const, If, Node, Region, Value
from ...rules.declare import define
from ...rules.registry import has_primitive

__all__ = ["Counting", "text_only"]


def text_only(name: str) -> None:
    """Declare an op that exists in emitted text only: nothing runs or differentiates it."""

    def no_run(*_: object, **__: object) -> None:
        raise NotImplementedError(f"{name} exists in emitted text only")

    if not has_primitive(name):
        define(name, no_run, "*xs", lambda args, attrs: (), effect="draws", answers_to=())


class Counting(Mapper):
    """Copies regions in which ``counts`` are counters; one is 0 where no list was made."""

    def __init__(self, counts: set[Value]) -> None:
        super().__init__()
        self.counts = counts

    def branch(self, node: If) -> Sequence[Node]:
        (new,) = super().branch(node)
        assert isinstance(new, If)
        counts = [r in self.counts for r in node.results]
        return (replace(new, then=_from_0(new.then, counts), orelse=_from_0(new.orelse, counts)),)


def _from_0(arm: Region, counts: Sequence[bool]) -> Region:
    yields = tuple(
        Const.of(0) if is_count and isinstance(y, Const) else y
        for y, is_count in zip(arm.yields, counts, strict=True)
    )
    return Region((), arm.ops, yields)
