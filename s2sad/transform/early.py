"""What the reverse of a loop asks of forward values, asked in the forward sweep.

In: the body of a loop, and its reverse. Out: the comparisons and the shapes of arrays that could
as well be found where the arrays are computed, and the reverse without them. Where the arrays
serve nothing else in the reverse, the tape holds what was found: a byte an element in the place of
eight, or a few numbers.

    for k: tape.append((x, y)); z = np.minimum(x, y)     for k: tape.append(x < y); z = …
    for x, y in tape[::-1]: c = x < y; …             ->  for c in tape[::-1]: …

Where the reverse asks for all of ``x < y``, ``x == y`` and ``x > y``, compiled code keeps the two
bools ``x <= y`` and ``x >= y``, of which these follow, also where x or y is nan: the first, both,
and the second alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeAlias

from ..ir.kinds import Array
from ..ir.nodes import Atom, Node, Op, Region, Value
from ..ir.rewrite import substitute_region
from ..rules.registry import primitive
from .dead_code import needed
from .reverse import Reverse
from .saves import Plan, room
from .survey import Scope
from .target import is_for_compiler

__all__ = ["asked_early", "with_early"]

#: What a comparison does, and with what.
_Key: TypeAlias = tuple[object, ...]


def asked_early(
    rev: Reverse, body: Region, reverse: Region, plan: Plan, planned: Callable[[Region], Plan]
) -> tuple[Region, Plan]:
    """The reverse and its plan with what can be asked in ``body`` moved there, if it saves room.

    ``planned`` plans the saves of a reverse; the plan's ``early`` are the ops moved.
    """
    scope = rev.region_scope[body]
    moved: dict[_Key, Op] = {}
    same: dict[Value, Atom] = {}
    rest: list[Node] = []
    for node in reverse.ops:
        if isinstance(node, Op) and _is_small(node) and _is_forward(rev, node, body):
            (result,) = node.results
            found = _known(rev, moved, node, scope)
            if found is not result:
                same[result] = found
        else:
            rest.append(node)
    if moved:
        if is_for_compiler():
            rest = [*_in_two(rev, moved, scope), *rest]
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


def _known(rev: Reverse, moved: dict[_Key, Op], op: Op, scope: Scope) -> Value:
    """The result of an op that is moved to the forward sweep, or of one like it."""
    (result,) = op.results
    key = (op.fn, *op.args, *sorted(map(repr, op.attrs.items())))
    if key in moved:
        return moved[key].results[0]
    rev.scope[result] = scope
    rev.definition[result] = op
    rev.position[result] = len(rev.position)
    moved[key] = op
    return result


def _in_two(rev: Reverse, moved: dict[_Key, Op], scope: Scope) -> list[Op]:
    """Puts two comparisons in the place of three of the same, and says how these follow."""
    found: list[Op] = []
    for key in [k for k in moved if k[0] == "lt"]:
        keys = [(fn, *key[1:]) for fn in ("lt", "eq", "gt")]
        if not all(k in moved for k in keys):
            continue
        less, equal, greater = (moved.pop(k) for k in keys)
        most, least = (
            _known(rev, moved, replace(less, results=(Value(less.results[0].kind),), fn=fn), scope)
            for fn in ("le", "ge")
        )
        for known in (rev.scope, rev.definition, rev.position):
            for op in (less, equal, greater):
                del known[op.results[0]]
        found += [
            replace(less, fn="gt", args=(most, least)),
            replace(equal, fn="bitand", args=(most, least)),
            replace(greater, fn="gt", args=(least, most)),
        ]
    return found


def with_early(ops: Sequence[Node], early: Sequence[Op]) -> tuple[Node, ...]:
    """The nodes of a body, and each of ``early`` as soon as its operands are known."""
    done = list(ops)
    for op in early:
        wanted = {a for a in op.args if isinstance(a, Value)}
        known = [n for n, node in enumerate(done) if not wanted.isdisjoint(node.results)]
        done.insert(known[-1] + 1 if known else 0, op)
    return tuple(done)


def _forward(node: Node) -> Op:
    """The op as a statement of the forward sweep."""
    assert isinstance(node, Op)
    return replace(node, span=node.span and replace(node.span, reverse=False))


def _is_small(op: Op) -> bool:
    """Whether the result takes less room than what it is of: bools, or a shape."""
    if op.fn == "shape":
        return True
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
