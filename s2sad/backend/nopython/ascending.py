"""Loops that count down, run upwards where their order does not matter.

In: a module for Numba. Out: the same module in which a loop of step -1 counts up if its iterations
may run in any order: each has elements of the arrays it changes to itself, or only adds to them.
So are the reverses of loops whose iterations did not depend on each other::

    for i in range(n - 1, -1, -1):            for i in range(n):
        t = y_bar[i] * h                  ->      t = y_bar[i] * h
        k_bar[i] += t                             k_bar[i] += t

LLVM proves of an index that grows from 0 that it is in bounds and never counts from the end, and
computes several iterations at once; of one that falls it does not (two to six times as slow). The
sums of a loop come out in another order, which is as good as the first.
"""

from __future__ import annotations

from dataclasses import replace

from ...ir.mapping import map_regions, with_nodes
from ...ir.nodes import (
    Atom,
    Const,
    For,
    Function,
    Module,
    Node,
    Op,
    Region,
    Value,
    is_int,
    read_in,
    walk,
)
from .commuting import Facts, histories

__all__ = ["count_upwards"]


def count_upwards(module: Module) -> Module:
    """The module with such loops counting upwards."""
    return Module({name: _function(f) for name, f in module.functions.items()})


def _function(f: Function) -> Function:
    loops = [n for n in walk(f.body) if isinstance(n, For) and is_int(n.step, -1)]
    if not loops:
        return f
    facts = Facts(f.body)
    chosen = {n for n in loops if _any_order(n, facts)}
    if not chosen:
        return f
    body = _turned(f.body, chosen, facts)
    return replace(f, body=_without_unread(body, {n.start for n in chosen}))


def _any_order(loop: For, facts: Facts) -> bool:
    """Whether the iterations of a loop may run in any order, but for how sums are rounded."""
    found = histories(loop, loop.body.params[0], loop, facts)
    return found is not None and all(h.commutes for h in found)


# -- turning them round ---------------------------------------------------------------------------


def _turned(region: Region, chosen: set[For], facts: Facts) -> Region:
    nodes: list[Node] = []
    for node in region.ops:
        new = map_regions(node, lambda inner: _turned(inner, chosen, facts))
        if isinstance(new, For) and node in chosen:
            start = _one_more(new.stop, facts, nodes)
            stop = _one_more(new.start, facts, nodes)
            new = replace(new, start=start, stop=stop, step=Const.of(1))
        nodes.append(new)
    return with_nodes(region, nodes)


def _one_more(a: Atom, facts: Facts, nodes: list[Node]) -> Atom:
    if isinstance(a, Const):
        return Const.of(a.value + 1)
    op = facts.op(a)
    if op is not None and op.fn == "sub" and is_int(op.args[1], 1):
        return op.args[0]
    more = Value(a.kind)
    nodes.append(Op((more,), "add", (a, Const.of(1))))
    return more


def _without_unread(region: Region, bounds: set[Atom]) -> Region:
    """The region without what computed the old bounds and nothing else."""
    read = read_in(region)

    def kept(node: Node) -> bool:
        return not (isinstance(node, Op) and bounds.issuperset(node.results) and node.results) or (
            not read.isdisjoint(node.results)
        )

    def swept(region: Region) -> Region:
        return with_nodes(region, [map_regions(n, swept) for n in region.ops if kept(n)])

    return swept(region)
