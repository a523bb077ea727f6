"""Comparisons that the reverse of a loop makes of forward values, made in the forward sweep.

In: the body of a loop, and its reverse. Out: the comparisons of arrays that could as well be made
where their operands are computed, and the reverse without them. Where the operands serve nothing
else in the reverse, the tape holds what they come to: a byte an element in the place of eight.

    for k: tape.append((x, y)); z = np.minimum(x, y)     for k: tape.append(x < y); z = …
    for x, y in tape[::-1]: c = x < y; …             ->  for c in tape[::-1]: …
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from ..ir.kinds import Array
from ..ir.nodes import Atom, Node, Op, Region, Value
from ..ir.rewrite import substitute_region
from ..rules.registry import primitive
from .dead_code import needed
from .reverse import Reverse
from .saves import Plan, room

__all__ = ["compared_early", "with_early"]


def compared_early(
    rev: Reverse, body: Region, reverse: Region, plan: Plan, planned: Callable[[Region], Plan]
) -> tuple[Region, Plan]:
    """The reverse and its plan with comparisons moved to ``body``, if that saves room.

    ``planned`` plans the saves of a reverse; the plan's ``early`` are the comparisons moved.
    """
    scope = rev.region_scope[body]
    moved: dict[tuple[object, ...], Op] = {}
    same: dict[Value, Atom] = {}
    rest: list[Node] = []
    for node in reverse.ops:
        if isinstance(node, Op) and _compares(node) and _is_forward(rev, node, body):
            (result,) = node.results
            key = (node.fn, *node.args, *sorted(map(repr, node.attrs.items())))
            if key in moved:
                same[result] = moved[key].results[0]
                continue
            rev.scope[result] = scope
            rev.definition[result] = node
            rev.position[result] = len(rev.position)
            moved[key] = node
        else:
            rest.append(node)
    if moved:
        without = substitute_region(replace(reverse, ops=tuple(rest)), same)
        without = replace(without, ops=tuple(needed(without.ops, without.yields)))
        better = planned(without)
        if room(better.saved) < room(plan.saved):
            better.early = [_forward(op) for op in needed([*moved.values()], better.saved)]
            return without, better
    for op in moved.values():
        for known in (rev.scope, rev.definition, rev.position):
            del known[op.results[0]]
    return reverse, plan


def with_early(ops: Sequence[Node], early: Sequence[Op]) -> tuple[Node, ...]:
    """The nodes of a body, and each of ``early`` as soon as its operands are known."""
    done = list(ops)
    for op in early:
        wanted = {a for a in op.args if isinstance(a, Value)}
        known = [n for n, node in enumerate(done) if not wanted.isdisjoint(node.results)]
        done.insert(known[-1] + 1 if known else 0, op)
    return tuple(done)


def _forward(node: Node) -> Op:
    """The comparison as a statement of the forward sweep."""
    assert isinstance(node, Op)
    return replace(node, span=node.span and replace(node.span, reverse=False))


def _compares(op: Op) -> bool:
    function = primitive(op.fn)
    return (
        len(op.results) == 1
        and isinstance(kind := op.results[0].kind, Array)
        and kind.dtype == "bool"
        and function.effect == "pure"
        and function.view_of is None
    )


def _is_forward(rev: Reverse, op: Op, body: Region) -> bool:
    """Whether all that an operation reads is known in the body's forward form at its own level."""
    values = [a for a in op.args if isinstance(a, Value)]
    own = rev.region_scope[body]
    return any(rev.scope.get(a) is own for a in values) and all(
        a in rev.scope and not _is_deeper(rev, a, body) for a in values
    )


def _is_deeper(rev: Reverse, value: Value, body: Region) -> bool:
    own = rev.region_scope[body]
    return rev.is_inside(value, own) and rev.scope[value] is not own
