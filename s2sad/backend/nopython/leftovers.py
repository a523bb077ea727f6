"""What was computed beside the program, and is read by nobody, is dropped.

In: a region whose tapes are stacked, the ops that may go, and the tapes whose fields may. Out: the
region without those of them that nothing is read of, on a tape or off it::

    t = z[m]                            w = z * z
    w = z * z                           tape_put(i, w)
    tape_put(i, t, w)             ->    …
    …                                   (w1,) = tape_get(i)
    t1, w1 = tape_get(i)                f(w1)
    f(w1)
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from ...ir.mapping import map_nodes
from ...ir.nodes import Node, Op, Region, Value, operands_of, regions_of, walk
from .tapes import ENTRIES, GETS, PUTS

__all__ = ["without_unused"]


def without_unused(body: Region, dropped: Collection[Node], tapes: Collection[int]) -> Region:
    """The region without those of the ops, and of what is on the tapes, that nobody reads."""
    live: dict[int, list[int]] = {}
    while True:
        used, live = _used(body, tapes, live)
        unused = {n for n in dropped if not used.intersection(n.results)}
        fewer = _without(body, unused)
        if fewer is body:
            break
        body = fewer
    puts = {
        n.attrs["tape"]: n.args[n.attrs.get("axes", 0) :]
        for n in walk(body)
        if isinstance(n, Op) and n.fn in PUTS
    }

    def shorter(node: Node) -> Node:
        if not isinstance(node, Op) or node.fn not in ENTRIES or node.attrs["tape"] not in live:
            return node
        kept, held = live[node.attrs["tape"]], puts[node.attrs["tape"]]
        if node.fn in GETS:
            return replace(node, results=tuple(node.results[k] for k in kept))
        if node.fn in PUTS:
            places = node.args[: len(node.args) - len(held)]
            return replace(node, args=(*places, *(held[k] for k in kept)))
        fields = node.attrs["fields"]
        all_ = [*fields, *((getattr(a, "name", None), None) for a in held[len(fields) :])]
        return replace(node, attrs={**node.attrs, "fields": tuple(all_[k] for k in kept)})

    return map_nodes(body, lambda n: (shorter(n),))


def _without(body: Region, nodes: set[Node]) -> Region:
    return map_nodes(body, lambda n: () if n in nodes else (n,))


def _used(
    body: Region, tapes: Collection[int], before: dict[int, list[int]]
) -> tuple[set[Value], dict[int, list[int]]]:
    """The values that are read, and which fields of the tapes are: one of those ``before``."""
    used: set[Value] = {a for a in body.yields if isinstance(a, Value)}
    puts: list[Op] = []
    gets: list[Op] = []
    for node in walk(body):
        for r in regions_of(node):
            used.update(a for a in r.yields if isinstance(a, Value))
        if isinstance(node, Op) and node.fn in PUTS and node.attrs["tape"] in tapes:
            puts.append(node)
            continue
        used.update(a for a in operands_of(node) if isinstance(a, Value))
        if isinstance(node, Op) and node.fn in GETS:
            gets.append(node)
    live = {
        n.attrs["tape"]: [k for k, r in enumerate(n.results) if r in used]
        or before.get(n.attrs["tape"], [0])[:1]
        for n in gets
        if n.attrs["tape"] in tapes
    }
    for put in puts:
        axes = put.attrs.get("axes", 0)
        kept = [*range(axes), *(axes + k for k in live[put.attrs["tape"]])]
        used.update(a for k in kept if isinstance(a := put.args[k], Value))
    return used, live
