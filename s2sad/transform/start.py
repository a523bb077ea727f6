"""Start: a sum of parts begins with the whole that is added last.

In: a region of a derivative. Out: the region in which an array of zeros to which parts are added,
and then an array that was there before, is that array from the start.

    a = zeros_like(u); a1 = accumulate(a, i, g); a2 = add_to(a1, h)   ->   a1 = accumulate(h, i, g)
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from ..ir.kinds import Array
from ..ir.mapping import map_regions, with_nodes
from ..ir.nodes import Atom, Node, Op, Region, Value
from ..ir.rewrite import resolve, substitute
from .adjoints import shape_key
from .delay import count_reads


def start_from_the_whole(region: Region) -> Region:
    """The region, and those inside it, with such sums rewritten."""
    return _region(region, count_reads(region))


def _region(region: Region, count: Counter[Atom]) -> Region:
    ops = [map_regions(node, lambda inner: _region(inner, count)) for node in region.ops]
    made = {r: n for n, node in enumerate(ops) for r in node.results}
    dropped: set[int] = set()
    known: dict[Value, Atom] = {}
    for at, node in enumerate(ops):
        if not isinstance(node, Op) or node.fn != "add_to" or node.span is None:
            continue
        sum_of_parts, whole = node.args
        zeros = _zeros_below(sum_of_parts, ops, made, count) if node.span.reverse else None
        if zeros is None or zeros in dropped or not _fits(whole, ops[zeros]):
            continue
        if isinstance(whole, Value) and made.get(whole, -1) < zeros:
            dropped |= {zeros, at}
            known[ops[zeros].results[0]] = whole
            known[node.results[0]] = sum_of_parts
    if dropped:
        kept = [node for n, node in enumerate(ops) if n not in dropped]
        return Region(region.params, tuple(substitute(kept, known)), resolve(region.yields, known))
    return with_nodes(region, ops)


def _zeros_below(
    total: Atom, ops: Sequence[Node], made: dict[Value, int], count: Counter[Atom]
) -> int | None:
    """Where the zeros are made that ``total`` is a sum on top of, if nobody else reads the sum."""
    while isinstance(total, Value) and count[total] == 1 and total in made:
        at = made[total]
        node = ops[at]
        if not isinstance(node, Op):
            return None
        if node.fn == "zeros_like":
            return at
        if node.fn not in ("accumulate", "add_to"):
            return None
        total = node.args[0]
    return None


def _fits(whole: Atom, zeros: Node) -> bool:
    kind = zeros.results[0].kind
    key = shape_key(whole.kind)
    return isinstance(kind, Array) and key is not None and key == shape_key(kind)
