"""Unpacking: parts of containers that were put together in the same function are read directly.

In: a region. Out: the same region in which ``item`` and ``attr`` of a tuple, list, dict or record
that the function itself built mean what was put there. Values have one meaning, so this holds
however the container is written to later: that makes another value.

    t = dict(a, b, keys=("w", "b"));  item(t, "w")   ->   a
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ..ir.nodes import Atom, Const, For, If, Node, Op, Region, Value, While
from ..ir.rewrite import resolve, substitute

__all__ = ["unpacked"]


def unpacked(region: Region) -> Region:
    """The region with every read of a known part replaced by the part."""
    return _region(region, {}, {})


def _region(region: Region, built: dict[Value, Op], known: dict[Value, Atom]) -> Region:
    nodes: list[Node] = []
    for node in region.ops:
        (node,) = substitute([node], known)
        match node:
            case Op():
                part = _part(node, built)
                if part is not None:
                    known[node.results[0]] = part
                    continue
                if node.fn in ("tuple", "list", "dict", "record"):
                    built[node.results[0]] = node
            case If():
                node = replace(
                    node,
                    then=_region(node.then, built, known),
                    orelse=_region(node.orelse, built, known),
                )
            case For():
                node = replace(node, body=_region(node.body, built, known))
            case While():
                test, body = _region(node.test, built, known), _region(node.body, built, known)
                node = replace(node, test=test, body=body)
            case _:
                pass
        nodes.append(node)
    return Region(region.params, tuple(nodes), resolve(region.yields, known))


def _part(node: Op, built: dict[Value, Op]) -> Atom | None:
    """What an ``item`` or ``attr`` of a container built here reads."""
    if node.fn not in ("item", "attr") or not isinstance(node.args[0], Value):
        return None
    whole = built.get(node.args[0])
    if whole is None:
        return None
    if node.fn == "attr":
        cls = whole.attrs.get("cls")
        names: Any = whole.attrs.get("fields") or getattr(cls, "_fields", ())
        name = node.attrs["name"]
        return whole.args[names.index(name)] if name in names else None
    index = node.args[1]
    if not isinstance(index, Const):
        return None
    if whole.fn == "dict":
        keys = whole.attrs["keys"]
        return whole.args[keys.index(index.value)] if index.value in keys else None
    if type(index.value) is int and -len(whole.args) <= index.value < len(whole.args):
        return whole.args[index.value]
    return None
