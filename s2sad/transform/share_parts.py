"""Parts of one result, read once.

In: a region. Out: the region in which the same item of the same tuple, and the shape of the same
array, are one value: reverse sweeps ask for what the forward sweep has taken apart already.

    w = item t 0; …; w2 = item t 0; f(w2)   ->   w = item t 0; …; f(w)
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Hashable
from dataclasses import replace

from ..ir.kinds import Array, Tuple
from ..ir.nodes import Atom, Const, For, If, Node, Op, Region, Value, While
from ..ir.rewrite import resolve, substitute


def share_parts(region: Region) -> Region:
    """The region with such values shared, those of inner regions with the outer ones."""
    return _region(region, ChainMap(), {})


def _region(region: Region, seen: ChainMap[Hashable, Value], known: dict[Value, Atom]) -> Region:
    nodes: list[Node] = []
    for original in region.ops:
        (node,) = substitute([original], known)
        match node:
            case Op():
                key = _key(node)
                if key is not None and key in seen:
                    known[node.results[0]] = seen[key]
                    continue
                if key is not None:
                    seen[key] = node.results[0]
            case If():
                then = _region(node.then, seen.new_child(), known)
                node = replace(
                    node, then=then, orelse=_region(node.orelse, seen.new_child(), known)
                )
            case For():
                node = replace(node, body=_region(node.body, seen.new_child(), known))
            case While():
                test = _region(node.test, seen.new_child(), known)
                node = replace(node, test=test, body=_region(node.body, seen.new_child(), known))
        nodes.append(node)
    return Region(region.params, tuple(nodes), resolve(region.yields, known))


def _key(op: Op) -> Hashable:
    """Equal for reads of the same part; None for anything else."""
    x = op.args[0] if op.args else None
    if not isinstance(x, Value) or op.attrs:
        return None
    if op.fn == "shape" and isinstance(x.kind, Array):
        return ("shape", x)
    if op.fn == "item" and isinstance(x.kind, Tuple):
        i = op.args[1]
        return ("item", x, i.value) if isinstance(i, Const) and type(i.value) is int else None
    return None
