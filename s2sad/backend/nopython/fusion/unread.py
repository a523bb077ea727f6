"""What merged loops no longer read is not written.

In: the nodes and nests of a region, and what it yields. Out: the same without the arrays and sums
that nobody reads any more, because all that did was merged with the loop that makes them::

    for i in range(n):                         for i in range(n):
        t[i] = x[i] / y[i]            ->           z[i] = sqrt(x[i] / y[i])
        z[i] = sqrt(x[i] / y[i])
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ....ir.nodes import Atom, Node, Op, read_by
from .loops import Nest

__all__ = ["without_unread"]

#: Ops that may go where their results are not read: they make room, or have to do with its size.
_ROOM = frozenset({"np.empty", "np.zeros", "len", "shape", "item", "sub", "max", "min", "tuple"})


def without_unread(out: Sequence[Node | Nest], yields: Sequence[Atom]) -> list[Node | Nest]:
    """The nodes and nests that something is read of."""
    read = set(yields)
    kept: list[Node | Nest] = []
    room = _room_of(out)
    for item in reversed(out):
        if isinstance(item, Nest):
            found = _read_part(item, read)
            if found is None:
                continue
            kept.append(found)
            read |= _read_by_nest(found)
        elif item not in room or read.intersection(item.results):
            kept.append(item)
            read.update(read_by(item))
    return kept[::-1]


def _room_of(out: Sequence[Node | Nest]) -> set[Node]:
    """The ops that make room for what nests write."""
    wanted = {a for n in out if isinstance(n, Nest) for a in _read_by_nest(n)}
    room: set[Node] = set()
    for item in reversed(out):
        if isinstance(item, Op) and item.fn in _ROOM and wanted.intersection(item.results):
            room.add(item)
            wanted.update(item.args)
    return room


def _read_part(nest: Nest, read: set[Atom]) -> Nest | None:
    """The nest without what it writes for nobody; None where nothing is left."""
    carried = [c for c in nest.carried if c.result in read]
    while True:
        needed = {a for c in carried for a in (c.end, *c.spot)}
        nodes: list[Node] = []
        for node in reversed(nest.nodes):
            if not node.results or needed.intersection(node.results):
                nodes.append(node)
                needed.update(read_by(node))
        more = [c for c in nest.carried if c in carried or c.inner in needed]
        if len(more) == len(carried):
            break
        carried = more
    if not carried:
        return None
    if len(carried) == len(nest.carried):
        return nest
    return replace(nest, nodes=nodes[::-1], carried=carried)


def _read_by_nest(nest: Nest) -> set[Atom]:
    found = {*nest.counters.sizes, *(c.init for c in nest.carried)}
    return found.union(*map(read_by, nest.nodes))
