"""Shared products: the same arithmetic on the same arrays, done once.

In: a region of a derivative. Out: the region in which an array that has been computed is read
again, where primal, tangent and adjoint ask for the same.

    h_dot = z_dot * (1 - h * h); …              t = 1 - h * h; h_dot = z_dot * t; …
    z_bar = h_bar * (1 - h * h)         ->      z_bar = h_bar * t

Only whole arrays are worth keeping: arithmetic on numbers is cheaper than it reads. What has a
name is computed where it stands, and what a sum is started with is nobody else's.
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Hashable
from dataclasses import replace

from ..ir.kinds import Array
from ..ir.nodes import Atom, For, If, Node, Op, Region, Value, While, walk
from ..ir.rewrite import resolve, substitute
from ..rules.registry import primitive

_ALIKE_EITHER_WAY = frozenset({"add", "mul", "np.multiply", "np.add"})
_WORTH_SHARING = _ALIKE_EITHER_WAY | frozenset(
    {"sub", "div", "pow", "neg", "ratio", "power_slope", "matmul", "np.outer", "np.where"}
    | {"np.sign", "np.abs", "np.square", "np.arctan", "np.sinh", "np.cosh", "np.sqrt", "np.tanh"}
    | {"np.sin", "np.cos", "np.tan", "np.exp", "np.log", "np.log1p", "np.expm1"}
)


def share_products(region: Region) -> Region:
    """The region with such arrays shared, those of inner regions with the outer ones."""
    known: dict[Value, Atom] = {}
    shared = _region(region, ChainMap(), known, _started_with(region))
    return shared if known else region


def _started_with(region: Region) -> set[Atom]:
    """What is written over, by an op or by a loop that carries it."""
    found: set[Atom] = set()
    for node in walk(region):
        match node:
            case Op():
                target = primitive(node.fn).writes
                if target is not None:
                    found.add(node.args[target])
            case For() | While():
                found.update(node.init)
    return found


def _region(
    region: Region,
    seen: ChainMap[Hashable, Value],
    known: dict[Value, Atom],
    written: set[Atom],
) -> Region:
    nodes: list[Node] = []
    for original in region.ops:
        (node,) = substitute([original], known)
        match node:
            case Op():
                key = _key(node)
                if key is not None and node.results[0] not in written:
                    if key in seen and node.results[0].name is None:
                        known[node.results[0]] = seen[key]
                        continue
                    seen.setdefault(key, node.results[0])
            case If():
                then = _region(node.then, seen.new_child(), known, written)
                orelse = _region(node.orelse, seen.new_child(), known, written)
                node = replace(node, then=then, orelse=orelse)
            case For():
                node = replace(node, body=_region(node.body, seen.new_child(), known, written))
            case While():
                test = _region(node.test, seen.new_child(), known, written)
                node = replace(
                    node, test=test, body=_region(node.body, seen.new_child(), known, written)
                )
        nodes.append(node)
    return Region(region.params, tuple(nodes), resolve(region.yields, known))


def _key(op: Op) -> Hashable:
    """Equal for equal arithmetic; None for anything else."""
    if op.fn not in _WORTH_SHARING or op.attrs or len(op.results) != 1:
        return None
    kind = op.results[0].kind
    if not isinstance(kind, Array) or kind.rank == 0:
        return None
    parts: list[tuple[str, object]] = []
    for a in op.args:
        if isinstance(a, Value):
            parts.append(("", a))
        elif type(a.value) in (int, float, complex):
            parts.append((type(a.value).__name__, repr(a.value)))
        else:
            return None
    if op.fn in _ALIKE_EITHER_WAY:
        return (op.fn, frozenset(parts), len(set(parts)))
    return (op.fn, *parts)


__all__ = ["share_products"]
