"""Out of value semantics: every write in place, or a copy where it would be seen.

In: a function in normal form. Out: an equivalent ``Plan`` in which each writing op may change its
operand's buffer: nobody else owns that buffer and nothing read later shares it. Where that does
not hold, a copy goes to the cheapest place that makes it hold.

    b = setitem(a, 0, v); use(a)          ->   c = copy(a); b = setitem(c, 0, v); use(a)
    for … with u = x: u1 = setitem(u …)   ->   c = copy(x); for … with u = c: u1 = setitem(u …)
    tape1 = append(tape, u); u1 = set…    ->   tape1 = append(tape, copy(u))

``add_to`` has another way out: it makes a new array, ``x_bar = x_bar + g``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from ..ir.kinds import Array
from ..ir.nodes import (
    Atom,
    Const,
    For,
    Function,
    Node,
    Op,
    Region,
    Value,
    While,
    defined_in,
    regions_of,
)
from .conflicts import Conflict, Search
from .copies import Edits, Insert, all_ops
from .ops import CONTAINERS, MAY_PASS, has_memory, is_container, view_of, writes
from .plan import Mutates, Plan
from .planning import plan
from .sink import sink
from .storage import Places, Storage, Summary, storage


@dataclass(frozen=True, slots=True, eq=False)
class Result:
    """A plan whose writes are safe; ``functional`` are the ``add_to`` ops that make new arrays."""

    plan: Plan
    functional: frozenset[Op]


def out_of_ssa(
    function: Function,
    summaries: Mapping[str, Summary],
    mutates: Mutates,
    *,
    fresh_results: bool = False,
    private_from: int | None = None,
) -> Result:
    """Insert copies until every write is safe.

    ``mutates`` pairs the parameters each callee writes with their new versions. With
    ``fresh_results`` no result shares memory with an argument or another result; yields from
    ``private_from`` on are saved for later and share nothing with arguments or with the yields
    before them.
    """
    functional: frozenset[Op] = frozenset()
    facts: Storage | None = storage(function, summaries)
    assert facts is not None
    function = sink(function, facts)
    if fresh_results or private_from is not None:
        before = function
        function = _fresh_yields(function, facts, fresh_results, private_from)
        facts = facts if function is before else None
    tried: set[tuple[object, int]] = set()
    while True:
        facts = facts or storage(function, summaries, functional)
        made = plan(function, facts, mutates)
        search = Search(made, functional)
        search.function()
        if not search.conflicts and not search.overlapping:
            complete = _write_back(function, facts)
            if complete is function:
                return Result(made, functional)
            function, facts = complete, None
            continue
        facts = None
        edits = Edits()
        give_up: set[Op] = set()
        edits.operands.update((op, len(op.args) - 1) for op in search.overlapping)
        troubled = {r for c in search.conflicts for r in c.node.results}
        settled = _copy_views(search.conflicts, made, edits, tried)
        for conflict in reversed(search.conflicts):  # in the program's order
            if conflict.places & settled:
                continue  # a copied view may be all it takes
            buffer = conflict.node.args[conflict.operand]
            if conflict.other is None and conflict.places and buffer in troubled:
                continue  # it may be ours once the op that makes it has been dealt with
            if conflict.places and _will_be_apart(conflict, made, edits):
                continue
            _resolve(conflict, made, edits, give_up, tried)
        if not edits:  # a copy may yet make a sum's buffer its own
            functional |= give_up
        tried |= edits.keys()
        if edits:
            function, swapped = Insert(edits, function).function(function)
            functional = frozenset(swapped.get(op, op) for op in functional)  # type: ignore[misc]
            tried = {(swapped.get(n, n), k) for n, k in tried}  # type: ignore[call-overload]


def _copy_views(
    conflicts: Sequence[Conflict], made: Plan, edits: Edits, tried: set[tuple[object, int]]
) -> Places:
    """Copy the views that stand in the way; the places that are thus dealt with."""
    settled: Places = 0
    for conflict in conflicts:
        other, buffer = conflict.other, conflict.node.args[conflict.operand]
        if other is None or other is buffer or not isinstance(other.kind, Array):
            continue
        view = _view_behind(other, made)
        if view is not None and (view, -1) not in tried:
            edits.values.add(view)
            settled |= conflict.places
    return settled


def _view_behind(value: Value, made: Plan) -> Value | None:
    """The view that a value is, or that it may be once an op has handed it on unchanged."""
    maker = made.facts.definitions.get(value)
    if not isinstance(maker, Op):
        return None
    if view_of(maker) is not None:
        return value
    first = maker.args[0] if maker.fn in MAY_PASS else None
    return _view_behind(first, made) if isinstance(first, Value) else None


def _resolve(
    conflict: Conflict,
    made: Plan,
    edits: Edits,
    give_up: set[Op],
    tried: set[tuple[object, int]],
) -> None:
    """Choose where to copy."""
    facts, node, k = made.facts, conflict.node, conflict.operand
    buffer = node.args[k]
    is_sum = isinstance(node, Op) and node.fn == "add_to"
    if is_sum and not conflict.places and conflict.other is None:
        assert isinstance(node, Op)
        give_up.add(node)
        return
    other = conflict.other
    if other is not None and other is not buffer:
        if is_container(other.kind) and _copy_into_container(conflict, made, edits, tried):
            return
    if _cut_at_loop(conflict, made, edits, tried):
        return
    if is_sum:
        assert isinstance(node, Op)
        give_up.add(node)
        return
    if other is None and isinstance(buffer, Value) and conflict.in_branch:
        params = [p for p in made.function.params if facts.shell_of(p) & conflict.places]
        new = [p for p in params if (p, -2) not in tried]
        if new and len(params) == len(new):
            edits.entry.update(new)
            return
    edits.operands.add((node, k))


def _will_be_apart(conflict: Conflict, made: Plan, edits: Edits) -> bool:
    """Whether the buffer, or who shares it, comes from a copy that has been decided on."""
    return _from_copy(conflict.node.args[conflict.operand], made, edits) or (
        conflict.other is not None and _from_copy(conflict.other, made, edits)
    )


def _from_copy(value: Atom, made: Plan, edits: Edits) -> bool:
    """Whether a value is what became of one that is copied before it is written."""
    while isinstance(value, Value):
        node = made.facts.definitions.get(value)
        if node is None:  # a loop's parameter, perhaps
            carried = made.facts.carried.get(value)
            if carried is None:
                return False
            node, k = carried
        elif isinstance(node, For | While):
            k = node.results.index(value)
        elif isinstance(node, Op) and (target := writes(node)) is not None:
            if (node, target) in edits.operands:
                return True
            value = node.args[target]
            continue
        else:
            return False
        if (node, k) in edits.init:
            return True
        value = node.init[k]
    return False


def _copy_into_container(
    conflict: Conflict, made: Plan, edits: Edits, tried: set[tuple[object, int]]
) -> bool:
    """Copy what goes into the container that shares the buffer, where it goes in."""
    facts = made.facts
    wanted = facts.ageless(conflict.places)
    found = False
    for node in all_ops(made.function.body):
        if node.fn not in CONTAINERS or not node.results:
            continue
        if not is_container(node.results[0].kind) or node is conflict.node:
            continue
        target = writes(node)
        for k, a in enumerate(node.args):
            if k == target or not isinstance(a.kind, Array) or (node, k) in tried:
                continue
            if facts.ageless(facts.shell_of(a)) & wanted:
                edits.operands.add((node, k))
                found = True
    return found


def _cut_at_loop(
    conflict: Conflict, made: Plan, edits: Edits, tried: set[tuple[object, int]]
) -> bool:
    """Copy a loop's initial value once, before the loop, if that is where the sharing enters."""
    facts = made.facts
    for loop in conflict.loops:
        if conflict.other is not None and _is_defined_in(loop, conflict.other):
            continue
        params = loop.body.params[1:] if isinstance(loop, For) else loop.body.params
        for n, (a, p) in enumerate(zip(loop.init, params, strict=True)):
            enters = facts.shell_of(a) & conflict.places & facts.shell_of(p)
            if (enters or (conflict.other is a and a is not p)) and (
                loop,
                -3 - n,
            ) not in tried:
                if not has_memory(a.kind) or is_container(a.kind) != is_container(p.kind):
                    continue
                edits.init.add((loop, n))
                return True
    return False


def _is_defined_in(loop: For | While, v: Value) -> bool:
    return any(v in defined_in(region) for region in regions_of(loop))


# -- results --------------------------------------------------------------------------------------


def _write_back(function: Function, facts: Storage) -> Function:
    """Parameters that are to be consumed hold their new version at the end, wherever it is."""
    yields = list(function.body.yields)
    added: list[Node] = []
    for index, k in function.mutates:
        param, y = function.params[index], yields[k]
        if y is param or facts.shell_of(y) == facts.shell_of(param) != 0:
            continue
        whole = Const.of(Ellipsis if isinstance(param.kind, Array) else slice(None))
        version = Value(param.kind, param.name)
        added.append(Op((version,), "store", (param, whole, y), {"how": "="}))
        yields[k] = version
    if not added:
        return function
    body = Region((), (*function.body.ops, *added), tuple(yields))
    return replace(function, body=body)


def _fresh_yields(
    function: Function, facts: Storage, fresh_results: bool, private_from: int | None
) -> Function:
    """Copy the results that would share memory with arguments or with one another."""
    consumed = {k for _, k in function.mutates}
    edits = Edits()
    seen: Places = 0
    for k, y in enumerate(function.body.yields):
        memory = facts.memory_of(y)
        if k in consumed or not memory:
            seen |= memory
            continue
        private = private_from is not None and k >= private_from
        if (fresh_results or private) and memory & (facts.foreign | facts.params | seen):
            edits.yields.add(k)
        seen |= memory
    return Insert(edits, function).function(function)[0] if edits else function
