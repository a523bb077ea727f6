"""Lists of one number: what is popped from them is known.

In: a region. Out: the region in which a loop that only pops from a list ``[g] * n`` reads ``g``.

    t = [g] * n; for …: c = t.pop(); x += c * y   ->   for …: x += g * y

Such a list is the adjoint of the list that ``sum`` adds up.
"""

from __future__ import annotations

from dataclasses import replace

from ..ir.kinds import Num
from ..ir.mapping import map_regions, with_nodes
from ..ir.nodes import (
    Atom,
    Const,
    For,
    Node,
    Op,
    Region,
    Value,
    operands_of,
    read_in,
    regions_of,
    walk,
)
from ..ir.rewrite import resolve, substitute, substitute_region


def unfold_uniform(region: Region) -> Region:
    """The region with such loops rewritten, those inside loops and branches included."""
    return _region(region, {}, read_in(region))


def _region(region: Region, made: dict[Value, Op], read: set[Atom]) -> Region:
    ops = tuple(_node(node, made, read) for node in region.ops)
    return with_nodes(region, ops)


def _node(node: Node, made: dict[Value, Op], read: set[Atom]) -> Node:
    if isinstance(node, Op) and node.fn in ("list", "mul"):
        made.update(dict.fromkeys(node.results, node))
    node = map_regions(node, lambda inner: _region(inner, made, read))
    if isinstance(node, For):
        for k, start in enumerate(node.init):
            number = _repeated(start, made)
            if number is not None and node.results[k] not in read:
                node = _popped(node, k, number)
    return node


def _repeated(atom: Atom, made: dict[Value, Op]) -> Atom | None:
    """``g`` where the atom is ``[g] * n``."""
    node = made.get(atom) if isinstance(atom, Value) else None
    if node is None or node.fn != "mul" or not isinstance(node.args[0], Value):
        return None
    display = made.get(node.args[0])
    if display is None or display.fn != "list" or len(display.args) != 1:
        return None
    return display.args[0]


def _popped(node: For, k: int, number: Atom) -> For:
    """The loop with ``number`` for what it pops from its ``k``-th list, if it does just that
    (and nobody wants what is left of the list).

    Its list stays as it was at the start, and goes with the dead code.
    """
    param, end = node.body.params[k + 1], node.body.yields[k + 1]
    readers = [n for n in walk(node.body) if param in operands_of(n)]
    if len(readers) != 1 or readers[0] not in node.body.ops:
        return node
    (pop,) = readers
    if (
        not isinstance(pop, Op)
        or pop.fn != "pop"
        or len(pop.args) != 1
        or pop.results[0] is not end
    ):
        return node
    if _yielded(node.body, param) or _reads(node.body, pop.results[0]) != 1:
        return node
    item = pop.results[1]
    if not (isinstance(item.kind, Num) and isinstance(number.kind, Num)):
        return node
    if item.kind.dtype != number.kind.dtype:
        return node
    ops = tuple(n for n in node.body.ops if n is not pop)
    yields = tuple(param if y is end else y for y in node.body.yields)
    body = substitute_region(Region(node.body.params, ops, yields), {item: number})
    return replace(node, body=_without_ones(body) if _is_one(number) else body)


def _is_one(atom: Atom) -> bool:
    return isinstance(atom, Const) and type(atom.value) is float and atom.value == 1.0


def _without_ones(region: Region) -> Region:
    """The region in which ``1.0 * x`` is ``x``."""
    known: dict[Value, Atom] = {}
    kept: list[Node] = []
    for node in region.ops:
        (node,) = substitute([node], known)
        if isinstance(node, Op) and node.fn == "mul" and any(map(_is_one, node.args)):
            x = node.args[1] if _is_one(node.args[0]) else node.args[0]
            if x.kind == node.results[0].kind:
                known[node.results[0]] = x
                continue
        kept.append(node)
    return Region(region.params, tuple(kept), resolve(region.yields, known))


def _yielded(region: Region, value: Value) -> bool:
    inner = (r for n in walk(region) for r in regions_of(n))
    return value in region.yields or any(value in r.yields for r in inner)


def _reads(region: Region, value: Value) -> int:
    count = sum(a is value for n in walk(region) for a in operands_of(n))
    count += sum(a is value for n in walk(region) for r in regions_of(n) for a in r.yields)
    return count + sum(a is value for a in region.yields)
