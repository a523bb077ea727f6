"""Tapes as arrays of numbers.

In: a module whose loops append a tuple an iteration to a list of their own, which the reverse
sweep walks backwards. Out: the same module with arrays, one for each number saved, shared by all
runs of the loop. Where both loops count, the number of the iteration is the place; otherwise a
counter is, and an outer loop saves how far the inner one came::

    tape = append(tape, (y, z))        tape_put(i, y, z)
    …                             ->   …
    y, z = tape[i]                     y, z = tape_get(i)

The reverse sweep takes back what the forward sweep put down, last first, in all nested loops; so
one array serves where a tree of lists would do, and nothing is made inside a loop. Room for all of
it is made at once where the trip counts are known before the outermost loop.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ...analysis.storage import Overwritten
from ...ir.kinds import INT, Num, Tuple
from ...ir.mapping import carrying, yielding
from ...ir.nodes import (
    Atom,
    Const,
    For,
    Function,
    If,
    Module,
    Node,
    Op,
    Value,
    While,
    defined_in,
    is_one,
    regions_of,
)
from .counting import Counting, text_only
from .tape_facts import Tape, find_tapes
from .uses import Uses

__all__ = ["ENTRIES", "GETS", "PUTS", "stack_tapes"]


def stack_tapes(module: Module) -> Module:
    """The module with its tapes as arrays where that is possible."""
    return Module({name: _function(f) for name, f in module.functions.items()})


#: tape_new(room): empty arrays; tape_room(n): room for n more; tape_put, tape_get: an entry by the
#: number of the iteration; tape_skip, tape_back: past the n entries of a whole run of the loop;
#: tape_push, tape_pop: an entry at the end.
for _name in ("new", "room", "put", "get", "skip", "back", "push", "pop"):
    text_only(f"tape_{_name}")

#: What puts an entry on a tape, what takes one off, and all that names the fields of entries.
PUTS, GETS = ("tape_put", "tape_push"), ("tape_get", "tape_pop")
ENTRIES = frozenset({"tape_new", *PUTS, *GETS})


@dataclass(slots=True)
class _Place:
    """Where the arrays of a tape are made, and how long they have to be.

    ``loops`` are the loops around it that run both ways, outermost first, and ``readers`` the same
    loops in the reverse sweep: there is one axis for each. None where their trip counts are not
    known when the arrays are made: then there is one axis, and a counter.
    """

    before: Node
    loops: tuple[For, ...] | None
    readers: tuple[For, ...] = ()


@dataclass(slots=True)
class _Plan:
    before: dict[Node, list[Tape]] = field(default_factory=dict)
    places: dict[Tape, _Place] = field(default_factory=dict)


def _function(f: Function) -> Function:
    tapes, uses = find_tapes(f)
    if not tapes:
        return f
    plan = _Plan()
    counted = {(t.loop, t.reader) for t in tapes if t.counted and t.reader is not None}
    for tape in tapes:
        place = plan.places[tape] = _place(uses, tape, counted)  # type: ignore[arg-type]
        plan.before.setdefault(place.before, []).append(tape)
    overwritten = Overwritten(f.body)
    return replace(f, body=_Rewrite(uses, tapes, plan, overwritten).region(f.body))


def _place(uses: Uses, tape: Tape, counted: set[tuple[Node, Node]]) -> _Place:
    assert tape.reader is not None
    down = [tape.loop, *uses.around(tape.loop)]
    up = [tape.reader, *uses.around(tape.reader)]
    own = [n for n in down if n not in up]
    outside = [n for n in down if n in up]
    loops = tuple(n for n in own if isinstance(n, For | While))[::-1]
    readers = tuple(n for n in up if n not in down and isinstance(n, For | While))[::-1]
    before = own[-1]
    known: tuple[For, ...] | None = None
    if len(loops) == len(readers) and all(p in counted for p in zip(loops, readers, strict=True)):
        if _can_lift(uses, _bounds(loops), _defined_by(before)):
            known = loops  # type: ignore[assignment]
    while outside:
        # What is empty again each time round can be made once.
        if known is not None and not _can_lift(uses, _bounds(known), _defined_by(outside[0])):
            break
        before = outside.pop(0)
    return _Place(before, known, readers)  # type: ignore[arg-type]


def _bounds(loops: Sequence[Node]) -> set[Atom]:
    return {a for n in loops if isinstance(n, For) for a in (n.start, n.stop, n.step)}


#: What a size may be computed by, and computed again before the loops.
_OF_SIZES = frozenset({"len", "shape", "item", "add", "sub", "mul", "floordiv", "max", "min"})


def _can_lift(uses: Uses, atoms: Iterable[Atom], inside: set[Atom]) -> bool:
    """Whether sizes are known outside, or can be computed there."""
    for a in atoms:
        if a not in inside:
            continue
        op = uses.definition.get(a) if isinstance(a, Value) else None
        if not isinstance(op, Op) or op.fn not in _OF_SIZES or op.attrs:
            return False
        if op.fn == "item" and not isinstance(op.args[0].kind, Tuple):
            return False
        if not _can_lift(uses, op.args, inside):
            return False
    return True


def _defined_by(node: Node) -> set[Atom]:
    return set[Atom](node.results).union(*map(defined_in, regions_of(node)))


class _Rewrite(Counting):
    """Puts arrays in the place of tapes."""

    def __init__(
        self, uses: Uses, tapes: Sequence[Tape], plan: _Plan, overwritten: Overwritten
    ) -> None:
        super().__init__({v for t in tapes if not t.counted for v in t.names()})
        self.uses = uses
        self.plan = plan
        self.overwritten = overwritten
        self.made = {t.made: t for t in tapes}
        self.appends = {t.append: t for t in tapes}
        self.packed = {t.packed for t in tapes if t.packed is not None}
        self.lengths = {n: t for t in tapes for n in t.lengths}
        self.reads = {t.read: t for t in tapes}
        self.tapes = tapes
        #: carried lists that nothing is left of, not even a counter
        self.gone = {v for t in tapes if t.counted for v in t.names()}
        self.entry: dict[Atom, dict[int, Value]] = {}
        #: sizes computed again before the loops, and by what
        self.sizes: dict[Atom, str] = {}

    # -- values -------------------------------------------------------------------------------

    def value(self, value: Value) -> Value:
        if value not in self.counts:
            return value
        new = self.known[value] = Value(INT, "count")
        return new

    def fields(self, tape: Tape) -> list[tuple[int, Atom]]:
        """What is saved besides inner tapes that need no counter."""
        return [(n, a) for n, a in enumerate(tape.fields) if a not in self.gone]

    # -- nodes --------------------------------------------------------------------------------

    def node(self, node: Node) -> Sequence[Node]:
        made = [n for tape in self.plan.before.get(node, ()) for n in self.new(tape)]
        return [*made, *super().node(node)]

    def branch(self, node: If) -> Sequence[Node]:
        return super().branch(yielding(node, self.kept(node)))

    def loop(self, node: For | While) -> Sequence[Node]:
        made = super().loop(carrying(node, self.kept(node)))
        if isinstance(node, While):
            return made
        before, after = self.counters(node, self.atoms((node.start, node.stop, node.step)))
        return [*before, *made, *after]

    def kept(self, node: Node) -> list[int]:
        """Which results are not tapes that nothing is left of."""
        return [n for n, r in enumerate(node.results) if r not in self.gone]

    def counters(self, node: For, bounds: tuple[Atom, ...]) -> tuple[list[Node], list[Node]]:
        """What moves the counters of tapes past a whole run of their loop.

        A loop makes several where derivatives are taken of values on a tape, too.
        """
        before: list[Node] = []
        after: list[Node] = []
        alone = [t for t in self.tapes if t.counted and self.plan.places[t].loops is None]
        down = [t for t in alone if t.loop is node]
        up = [t for t in alone if t.reader is node]
        if down or up:
            trips = self.trips(bounds, before)
        for tape in down:
            attrs = {"tape": tape.number}
            before.append(Op((), "tape_room", (trips,), attrs))
            after.append(Op((), "tape_skip", (trips,), attrs))
        before += [Op((), "tape_back", (trips,), {"tape": tape.number}) for tape in up]
        return before, after

    def trips(self, bounds: tuple[Atom, ...], nodes: list[Node]) -> Atom:
        start, stop, step = bounds
        if all(isinstance(a, Const) for a in bounds):
            return Const.of(len(range(start.value, stop.value, step.value)))  # type: ignore[union-attr]
        if isinstance(start, Const) and start.value == 0 and is_one(step):
            if self.is_size(stop):
                return stop
            trips = Value(INT, getattr(stop, "name", None))
            nodes.append(Op((trips,), "max", (stop, start)))
            return trips
        trips = Value(INT, "trips")
        nodes.append(Op((trips,), "trip_count", (start, stop, step)))
        return trips

    def lifted(self, a: Atom, before: Node, nodes: list[Node]) -> Atom:
        """A size as it is known before the loops, computed there if need be."""
        if not isinstance(a, Value) or a not in _defined_by(before):
            return self.atom(a)
        op = self.uses.definition[a]
        assert isinstance(op, Op)
        args = tuple(self.lifted(x, before, nodes) for x in op.args)
        new = Value(a.kind, a.name)
        nodes.append(Op((new,), op.fn, args))
        self.sizes[new] = op.fn
        return new

    def is_size(self, n: Atom) -> bool:
        """Whether it is the size of something, which is never negative."""
        if n in self.sizes:
            return self.sizes[n] in ("len", "item")
        op = self.uses.definition.get(n) if isinstance(n, Value) else None
        if isinstance(op, Op) and op.fn == "item" and isinstance(op.args[0], Value):
            op = self.uses.definition.get(op.args[0])
        return isinstance(op, Op) and op.fn in ("len", "shape", "np.size")

    def new(self, tape: Tape) -> list[Node]:
        """The arrays of a tape, long enough where that is known."""
        fields = self.fields(tape)
        place = self.plan.places[tape]
        if not fields and place.loops is not None:
            return []
        dtypes = tuple(
            (
                "count" if a in self.counts else getattr(a, "name", None),
                "int64"
                if a in self.counts
                else getattr(a.kind, "dtype", None)
                if isinstance(a.kind, Num)
                else None,
            )
            for _, a in fields
        )
        attrs = {"tape": tape.number, "fields": dtypes, "counter": place.loops is None}
        nodes: list[Node] = []
        room: tuple[Atom, ...] = (Const.of(1024),)
        if place.loops is not None:
            room = tuple(
                self.trips(
                    tuple(self.lifted(a, place.before, nodes) for a in (n.start, n.stop, n.step)),
                    nodes,
                )
                for n in place.loops
            )
        return [*nodes, Op((), "tape_new", room, attrs)]

    def op(self, op: Op) -> Sequence[Node]:
        if op in self.made:
            self.known[op.results[0]] = Const.of(0)
            return []
        if op in self.packed:
            return []
        if (tape := self.appends.get(op)) is not None:
            return self.put(op, tape)
        if op in self.lengths:
            self.known[op.results[0]] = self.atom(op.args[0])
            return []
        if (tape := self.reads.get(op)) is not None:
            return self.get(op, tape)
        if op.fn == "item" and op.args[0] in self.entry:
            assert isinstance(op.args[1], Const)
            found = self.entry[op.args[0]].get(op.args[1].value)
            if found is not None:
                self.known[op.results[0]] = found
            return []
        return [replace(op, args=self.atoms(op.args))]

    def put(self, op: Op, tape: Tape) -> list[Node]:
        values = self.atoms([a for _, a in self.fields(tape)])
        attrs = {"tape": tape.number}
        if not tape.counted:
            count = self.known[op.args[0]]  # type: ignore[index]
            more = Value(INT, "count")
            self.known[op.results[0]] = more
            push = Op((), "tape_push", values, attrs, op.span)
            return [push, Op((more,), "add", (count, Const.of(1)), {}, op.span)]
        if not values:
            return []
        nodes: list[Node] = []
        loops = self.plan.places[tape].loops
        places = self.places(loops or (tape.loop,), loops or (tape.loop,), nodes)
        held = []
        for (_, a), v in zip(self.fields(tape), values, strict=True):
            if isinstance(a, Value) and a in self.overwritten and not isinstance(a.kind, Num):
                copy = Value(v.kind)
                nodes.append(Op((copy,), "copied", (v,), {}, op.span))
                v = copy
            held.append(v)
        attrs["axes"] = len(places)
        return [*nodes, Op((), "tape_put", (*places, *held), attrs, op.span)]

    def get(self, op: Op, tape: Tape) -> list[Node]:
        fields = self.fields(tape)
        new = tuple(Value(self.atom(a).kind, getattr(a, "name", None)) for _, a in fields)
        if tape.packed is not None:
            self.entry[op.results[0]] = {n: v for (n, _), v in zip(fields, new, strict=True)}
        elif new:
            self.known[op.results[0]] = new[0]
        if not new:
            return []
        attrs: dict[str, Any] = {"tape": tape.number}
        if not tape.counted:
            return [Op(new, "tape_pop", (), attrs, op.span)]
        nodes: list[Node] = []
        place = self.plan.places[tape]
        assert tape.reader is not None
        readers = place.readers if place.loops is not None else (tape.reader,)
        places = self.places(place.loops or (tape.loop,), readers, nodes)
        attrs["axes"] = len(places)
        return [*nodes, Op(new, "tape_get", places, attrs, op.span)]

    def places(
        self, loops: Sequence[Node], running: Sequence[Node], nodes: list[Node]
    ) -> tuple[Atom, ...]:
        """The numbers of the iterations, counted from 0, of the loops that are running."""
        found: list[Atom] = []
        for loop, here in zip(loops, running, strict=True):
            assert isinstance(loop, For)
            assert isinstance(here, For)
            index: Atom = here.body.params[0]
            ahead = is_one(loop.step)
            start = self.first(loop, here, nodes)
            if not (ahead and isinstance(start, Const) and start.value == 0):
                first, last = (index, start) if ahead else (start, index)
                place = Value(INT)
                nodes.append(Op((place,), "sub", (first, last)))
                index = place
            found.append(index)
        return tuple(found)

    def first(self, loop: For, running: For, nodes: list[Node]) -> Atom:
        """Where the forward loop started: in the reverse, one before where that stops."""
        if running is loop:
            return self.atom(loop.start)
        stop = self.atom(running.stop)
        by = 1 if is_one(loop.step) else -1
        if isinstance(stop, Const):
            return Const.of(stop.value + by)
        start = Value(INT)
        nodes.append(Op((start,), "add" if by == 1 else "sub", (stop, Const.of(1))))
        return start
