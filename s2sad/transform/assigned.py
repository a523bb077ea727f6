"""Values that a function of its own returns: assigned on every path.

In: a region that becomes the body of a function, some of whose yields need not be assigned on all
paths. Out: the same, where they are None on these; nobody reads them then.

    z = if c: yield z1 else: yield undef   ->   z = if c: yield z1 else: yield None
"""

from __future__ import annotations

from dataclasses import replace

from ..ir.kinds import Kind
from ..ir.nodes import UNDEFINED, Atom, Const, For, If, Node, Region, Value, While

__all__ = ["absent", "assigned"]


def absent(kind: Kind) -> Const:
    """Stands for a value of that kind that is not there."""
    return Const(None, kind)


def assigned(region: Region) -> Region:
    """The region with every yield assigned on every path."""
    return _region(region, {y for y in region.yields if isinstance(y, Value)})


def _region(region: Region, wanted: set[Value]) -> Region:
    """``wanted`` are the values of the region that must be assigned; it grows."""
    ops: list[Node] = []
    for node in reversed(region.ops):
        places = [k for k, r in enumerate(node.results) if r in wanted]
        if places:
            match node:
                case If():
                    node = replace(
                        node,
                        then=_arm(node.then, node, places, wanted),
                        orelse=_arm(node.orelse, node, places, wanted),
                    )
                case For() | While():
                    node = _loop(node, places, wanted)
        ops.append(node)
    return Region(region.params, tuple(reversed(ops)), region.yields)


def _arm(arm: Region, node: If, places: list[int], wanted: set[Value]) -> Region:
    yields = list(arm.yields)
    for k in places:
        yields[k] = _there(yields[k], node.results[k].kind, wanted)
    return _region(Region((), arm.ops, tuple(yields)), wanted)


def _loop(node: For | While, places: list[int], wanted: set[Value]) -> For | While:
    init, yields = list(node.init), list(node.body.yields)
    for k in places:
        kind = node.results[k].kind
        init[k] = _there(init[k], kind, wanted)
        yields[k + 1] = _there(yields[k + 1], kind, wanted)
    body = _region(Region(node.body.params, node.body.ops, tuple(yields)), wanted)
    return replace(node, init=tuple(init), body=body)


def _there(atom: Atom, kind: Kind, wanted: set[Value]) -> Atom:
    if atom is UNDEFINED:
        return absent(kind)
    if isinstance(atom, Value):
        wanted.add(atom)
    return atom
