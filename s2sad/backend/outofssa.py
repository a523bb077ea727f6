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

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from ..ir.kinds import Array
from ..ir.nodes import (
    Atom,
    Call,
    Const,
    For,
    Function,
    If,
    Node,
    Op,
    Region,
    Value,
    While,
    regions_of,
)
from ..rules.layout import copy_in_layout
from .liveness import Live, Liveness
from .ops import CONTAINERS, fits_in_place, has_memory, is_container, rank, view_of, writes
from .plan import Mutates, Plan, plan
from .sink import sink
from .storage import Places, Storage, Summary, storage


@dataclass(frozen=True, slots=True, eq=False)
class Result:
    """A plan whose writes are safe; ``functional`` are the ``add_to`` ops that make new arrays."""

    plan: Plan
    functional: frozenset[Op]


@dataclass(frozen=True, slots=True, eq=False)
class _Conflict:
    node: Op | Call
    operand: int
    places: Places
    other: Value | None  # None: someone outside owns the buffer
    loops: tuple[For | While, ...]
    in_branch: bool


@dataclass(slots=True)
class _Edits:
    """Copies to be put in: before an operand is read, after a value is made, at entry."""

    operands: set[tuple[Node, int]] = field(default_factory=set)
    init: set[tuple[Node, int]] = field(default_factory=set)
    values: set[Value] = field(default_factory=set)
    entry: set[Value] = field(default_factory=set)
    yields: set[int] = field(default_factory=set)

    def keys(self) -> set[tuple[object, int]]:
        """What was decided, so that nothing is tried twice."""
        whole = {(v, -1) for v in self.values} | {(p, -2) for p in self.entry}
        loops = {(node, -3 - k) for node, k in self.init}
        return {*self.operands, *whole, *loops}

    def __bool__(self) -> bool:
        return bool(self.operands or self.init or self.values or self.entry or self.yields)


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
        search = _Search(made, functional)
        search.function()
        if not search.conflicts and not search.overlapping:
            complete = _write_back(function, facts)
            if complete is function:
                return Result(made, functional)
            function, facts = complete, None
            continue
        facts = None
        edits = _Edits()
        give_up: set[Op] = set()
        edits.operands.update((op, len(op.args) - 1) for op in search.overlapping)
        troubled = {r for c in search.conflicts for r in c.node.results}
        for conflict in search.conflicts:
            is_sum = isinstance(conflict.node, Op) and conflict.node.fn == "add_to"
            if is_sum and conflict.places and conflict.node.args[0] in troubled:
                continue  # its buffer may be fresh once the op that makes it has been dealt with
            _resolve(conflict, made, edits, give_up, tried)
        functional |= give_up
        tried |= edits.keys()
        if edits:
            function, swapped = _Insert(edits, function).function(function)
            functional = frozenset(swapped.get(op, op) for op in functional)  # type: ignore[misc]
            tried = {(swapped.get(n, n), k) for n, k in tried}  # type: ignore[call-overload]


class _Search(Liveness):
    """Finds the writes that are not safe yet."""

    def __init__(self, made: Plan, functional: frozenset[Op]) -> None:
        super().__init__(made)
        self.facts: Storage = made.facts
        self.functional = functional
        self.conflicts: list[_Conflict] = []
        self.overlapping: list[Op] = []
        self.loops: list[For | While] = []
        self.depth = 0

    def region(self, ops: tuple[Node, ...], live: Live) -> Live:
        self.depth += 1
        live = super().region(ops, live)
        self.depth -= 1
        return live

    def loop_over(self, node: For, live: Live) -> Live:
        self.loops.append(node)
        live = super().loop_over(node, live)
        self.loops.pop()
        return live

    def loop_while(self, node: While, live: Live) -> Live:
        self.loops.append(node)
        live = super().loop_while(node, live)
        self.loops.pop()
        return live

    def at(self, node: Node, live: Live) -> None:
        if isinstance(node, Call):
            for k, _ in self.plan.mutates.get(node.callee, ()):
                others = {v for n, a in enumerate(node.args) if n != k for v in self.leaves([a])}
                self.check(node, k, (live | others).difference(node.results))
        elif isinstance(node, Op) and node not in self.functional:
            k_write = writes(node)
            if k_write is None:
                return
            held: Live = set()
            if node.fn == "store" and node.attrs["how"] == "at":
                held.update(self.leaves(node.args[1:]))  # numpy reads them while it writes
            elif node.fn in ("append", "extend", "insert"):
                held.update(self.leaves(node.args[1:]))
            elif node.fn == "store" and self.overlaps(node):
                self.overlapping.append(node)
            self.check(node, k_write, (live | held).difference(node.results))

    def overlaps(self, node: Op) -> bool:
        """True where NumPy would read a part of the buffer after writing it.

        It takes care of overlapping operands except for one-dimensional ones that advance by
        different steps, as in ``a[::2] = a[:3]``.
        """
        facts, value = self.facts, node.args[-1]
        if node.attrs["how"] != "=" or rank(value.kind) not in (1, None):
            return False
        if not facts.shell_of(value) & facts.shell_of(node.args[0]):
            return False
        maker = facts.definitions.get(value) if isinstance(value, Value) else None
        if isinstance(maker, Op) and maker.fn == "item" and maker.args[0] is node.args[0]:
            return not (self.plain(maker.args[1]) and self.plain(node.args[-2]))
        return True

    def plain(self, index: Atom) -> bool:
        """True for a slice that goes from one element to the next."""
        if isinstance(index, Const):
            return isinstance(index.value, slice) and index.value.step in (None, 1)
        maker = self.facts.definitions.get(index)
        if not isinstance(maker, Op) or maker.fn != "slice":
            return False
        step = maker.args[2]
        return isinstance(step, Const) and step.value in (None, 1)

    def check(self, node: Op | Call, k: int, live: Live) -> None:
        facts = self.facts
        buffer = node.args[k]
        places = facts.shell_of(buffer)
        loops = tuple(self.loops)
        branch = self.depth > 1 + len(loops)

        def conflict(at: Places, other: Value | None) -> None:
            self.conflicts.append(_Conflict(node, k, at, other, loops, branch))

        if isinstance(node, Op) and node.fn == "add_to":
            if not fits_in_place(buffer.kind, node.args[1].kind, node.results[0].kind):
                conflict(0, None)
                return
        if not has_memory(buffer.kind):
            return
        if isinstance(buffer, Const) or places & facts.foreign:
            conflict(places & facts.foreign, None)
            return
        if buffer in live:
            conflict(places, buffer)
            return
        sharing = [v for v in live if places & facts.memory_of(v)]
        if sharing:
            other = min(sharing, key=facts.order.__getitem__)
            conflict(places & facts.memory_of(other), other)


def _resolve(
    conflict: _Conflict,
    made: Plan,
    edits: _Edits,
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
        maker = facts.definitions.get(other)
        if isinstance(other.kind, Array) and isinstance(maker, Op) and view_of(maker) is not None:
            if (other, -1) not in tried:
                edits.values.add(other)
                return
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


def _copy_into_container(
    conflict: _Conflict, made: Plan, edits: _Edits, tried: set[tuple[object, int]]
) -> bool:
    """Copy what goes into the container that shares the buffer, where it goes in."""
    facts = made.facts
    wanted = facts.ageless(conflict.places)
    found = False
    for node in _all_ops(made.function.body):
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
    conflict: _Conflict, made: Plan, edits: _Edits, tried: set[tuple[object, int]]
) -> bool:
    """Copy a loop's initial value once, before the loop, if that is where the sharing enters."""
    facts = made.facts
    for loop in conflict.loops:
        if conflict.other is not None and conflict.other in _defined_in(loop):
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


def _defined_in(loop: For | While) -> set[Value]:
    found: set[Value] = set()

    def visit(region: Region) -> None:
        found.update(region.params)
        for node in region.ops:
            found.update(node.results)
            for inner in regions_of(node):
                visit(inner)

    for region in regions_of(loop):
        visit(region)
    return found


def _all_ops(region: Region) -> Iterable[Op]:
    for node in region.ops:
        if isinstance(node, Op):
            yield node
        for inner in regions_of(node):
            yield from _all_ops(inner)


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
    edits = _Edits()
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
    return _Insert(edits, function).function(function)[0] if edits else function


# -- insertion ------------------------------------------------------------------------------------


class _Insert:
    """Rebuilds a function with copies put in: stride by stride where the layout matters."""

    def __init__(self, edits: _Edits, function: Function) -> None:
        self.edits = edits
        self.asks = any(op.fn == "is_view" for op in _all_ops(function.body))
        self.swapped: dict[Node, Node] = {}
        self.renamed: dict[Value, Value] = {}

    def function(self, function: Function) -> tuple[Function, dict[Node, Node]]:
        ops: list[Node] = []
        for p in function.params:
            if p in self.edits.entry:
                copied = Value(p.kind, p.name)
                ops.append(Op((copied,), copy_in_layout(p.kind, self.asks), (p,)))
                self.renamed[p] = copied
        body = self.region(function.body)
        yields = list(body.yields)
        tail: list[Node] = []
        for k in sorted(self.edits.yields):
            source = yields[k]
            copied = Value(source.kind, None)
            fn = (
                "copied"
                if is_container(source.kind) or not isinstance(source.kind, Array)
                else "copy"
            )
            tail.append(Op((copied,), fn, (source,)))
            yields[k] = copied
        body = Region(body.params, (*ops, *body.ops, *tail), tuple(yields))
        return replace(function, body=body), self.swapped

    def atom(self, a: Atom) -> Atom:
        return self.renamed.get(a, a) if isinstance(a, Value) else a

    def atoms(self, atoms: Iterable[Atom]) -> tuple[Atom, ...]:
        return tuple(map(self.atom, atoms))

    def region(self, region: Region) -> Region:
        ops: list[Node] = []
        for node in region.ops:
            new = self.node(node, ops)
            if new is not node:
                self.swapped[node] = new
            ops.append(new)
            for n, r in enumerate(new.results):
                if r in self.edits.values:
                    # the copy takes the value's place, the view goes into the copy's expression
                    view = Value(r.kind, None)
                    results = (*new.results[:n], view, *new.results[n + 1 :])
                    ops[-1] = replace(new, results=results)
                    self.swapped[node] = ops[-1]
                    ops.append(Op((r,), copy_in_layout(r.kind, self.asks), (view,), {}, new.span))
        return Region(region.params, tuple(ops), self.atoms(region.yields))

    def copied(self, a: Atom, name: str | None, node: Node, ops: list[Node]) -> Atom:
        value = Value(a.kind, name)
        ops.append(Op((value,), copy_in_layout(a.kind, self.asks), (a,), {}, node.span))
        return value

    def node(self, node: Node, ops: list[Node]) -> Node:
        edits = self.edits
        match node:
            case Op() | Call():
                args = list(self.atoms(node.args))
                for k in range(len(args)):
                    if (node, k) in edits.operands:
                        target = writes(node) if isinstance(node, Op) else k
                        name = node.results[0].name if k == target and node.results else None
                        args[k] = self.copied(args[k], name, node, ops)
                if all(a is b for a, b in zip(args, node.args, strict=True)):
                    return node
                return replace(node, args=tuple(args))
            case If():
                then, orelse = self.region(node.then), self.region(node.orelse)
                return If(node.results, self.atom(node.cond), then, orelse, node.span)
            case For() | While():
                init = list(self.atoms(node.init))
                params = node.body.params[1:] if isinstance(node, For) else node.body.params
                for k, p in enumerate(params):
                    if (node, k) in edits.init:
                        init[k] = self.copied(init[k], p.name, node, ops)
                body = self.region(node.body)
                if isinstance(node, For):
                    start, stop, step = self.atoms((node.start, node.stop, node.step))
                    return For(node.results, start, stop, step, tuple(init), body, node.span)
                test = self.region(node.test)
                return While(node.results, tuple(init), test, body, node.span)
