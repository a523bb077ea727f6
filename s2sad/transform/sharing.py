"""Sharing: ops that compute the same, done once.

In: what tells whether two ops compute the same (`Sharing.key`). Out: a walk that keeps the first
of equal ops, in its own region and those inside it, and reads its result for the others::

    w = item t 0; …; w2 = item t 0; f(w2)   ->   w = item t 0; …; f(w)
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Hashable, Sequence

from ..ir.mapping import Mapper
from ..ir.nodes import Node, Op, Region, Value

__all__ = ["Sharing"]


class Sharing(Mapper):
    """Copies regions with such ops shared, those of inner regions with the outer ones."""

    def __init__(self) -> None:
        super().__init__()
        self._seen: ChainMap[Hashable, Value] = ChainMap()

    def key(self, op: Op) -> Hashable:
        """Equal for ops that compute the same; None for those that are not shared."""
        raise NotImplementedError

    def is_free(self, op: Op) -> bool:
        """Whether another value may stand in the place of the op's result."""
        return True

    def region(self, region: Region) -> Region:
        outer = self._seen
        self._seen = outer.new_child()
        new = super().region(region)
        self._seen = outer
        return new

    def op(self, op: Op) -> Sequence[Node]:
        (new,) = nodes = super().op(op)
        assert isinstance(new, Op)
        key = self.key(new)
        if key is None:
            return nodes
        first = self._seen.setdefault(key, new.results[0])
        if first is new.results[0] or not self.is_free(new):
            return nodes
        self.known[new.results[0]] = first
        return ()
