"""Delay: what only one arm of a branch reads is computed there.

In: a region of a derivative. Out: the region in which those numbers of the reverse sweep that
nothing but one arm of a later branch reads are computed inside that arm.

    s = neg(g); if c: yield add(g, s) else: yield g   ->   if c: s = neg(g); yield add(g, s) …

The forward sweep stays as the user wrote it.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TypeGuard

from ..ir.kinds import Num
from ..ir.mapping import map_regions, with_nodes
from ..ir.nodes import (
    Atom,
    If,
    Node,
    Op,
    Region,
    Value,
    operands_of,
    regions_of,
)
from ..rules.registry import primitive


def delay(region: Region) -> Region:
    """The region, and those inside it, with such ops moved into the arms that read them."""
    ops: list[Node] = []
    moved: dict[Node, tuple[list[Node], list[Node]]] = {}
    #: the branches seen so far, from the end, with what each arm reads and how often
    branches: list[tuple[If, tuple[Counter[Atom], Counter[Atom]]]] = []
    total = count_reads(region) if any(isinstance(node, If) for node in region.ops) else Counter()
    for node in reversed(region.ops):
        found = _arm_with(branches, node.results[0], total) if _movable(node) else None
        if found is None:
            ops.append(node)
            if isinstance(node, If):
                branches.append((node, (count_reads(node.then), count_reads(node.orelse))))
        else:
            branch, arm, reads = found
            moved.setdefault(branch, ([], []))[arm].append(node)
            reads.update(operands_of(node))
    ops = [
        map_regions(_with(node, *moved[node]) if node in moved else node, delay) for node in ops
    ]
    ops.reverse()
    return with_nodes(region, ops)


def _movable(node: Node) -> TypeGuard[Op]:
    """A pure op on numbers of the reverse sweep."""
    return (
        isinstance(node, Op)
        and node.span is not None
        and node.span.reverse
        and len(node.results) == 1
        and isinstance(node.results[0].kind, Num)
        and all(isinstance(a.kind, Num) for a in node.args)
        and primitive(node.fn).effect == "pure"
    )


def count_reads(region: Region) -> Counter[Atom]:
    """How often each value is read in a region and the regions inside it."""
    count: Counter[Atom] = Counter(region.yields)
    for node in region.ops:
        count.update(operands_of(node))
        for inner in regions_of(node):
            count.update(count_reads(inner))
    return count


def _arm_with(
    branches: list[tuple[If, tuple[Counter[Atom], Counter[Atom]]]],
    value: Value,
    total: Counter[Atom],
) -> tuple[If, int, Counter[Atom]] | None:
    """The branch and its arm that hold all the reads of a value."""
    for branch, arms in branches:
        for k, reads in enumerate(arms):
            if reads[value] and reads[value] == total[value]:
                return branch, k, reads
    return None


def _with(node: Node, then: list[Node], orelse: list[Node]) -> If:
    """The branch with these ops, the last of them first, at the head of its arms."""
    assert isinstance(node, If)
    first = replace(node.then, ops=(*then[::-1], *node.then.ops))
    second = replace(node.orelse, ops=(*orelse[::-1], *node.orelse.ops))
    return If(node.results, node.cond, first, second, node.span)
