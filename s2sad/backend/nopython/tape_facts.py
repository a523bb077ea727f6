"""Which lists are tapes, who reads them, and how.

In: a function in SSA. Out: a `Tape` for every list that a loop makes, one entry an iteration, and
that one other loop reads once, from the last entry to the first. The reverse transform makes such
lists; a user's program may have some too.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ...ir.kinds import length_of, same_dim
from ...ir.nodes import (
    Atom,
    Const,
    For,
    Function,
    If,
    Node,
    Op,
    Value,
    While,
    is_unit,
    never_leaves,
)
from ...rules.registry import primitive
from .uses import Uses

__all__ = ["Tape", "find_tapes", "follow_branches", "recognise"]


@dataclass(slots=True, eq=False)
class Tape:
    """One loop's tape: the loop, where it appends, what it saves, and who reads it."""

    made: Op
    loop: For | While
    #: which of the loop's carried values it is
    position: int
    append: Op
    #: the tuple of what is saved, where it is more than one value
    packed: Op | None
    fields: tuple[Atom, ...]
    #: values that are this tape, in the forward and the reverse sweep
    aliases: set[Value]
    #: branch results on the way from the append to the end of the body
    joins: set[Value]
    lengths: list[Op] = field(default_factory=list)
    reads: list[Op] = field(default_factory=list)
    reader: For | None = None
    #: the appends by which outer tapes keep it
    kept_by: list[Node] = field(default_factory=list)
    #: addressed by the number of the iteration, which both loops know
    counted: bool = False
    number: int = 0

    @property
    def read(self) -> Op:
        return self.reads[0]

    def names(self) -> set[Value]:
        """All that the list is called: its aliases, and its names in the loop and branches."""
        carried = {self.loop.body.params[self.position + isinstance(self.loop, For)]}
        if isinstance(self.loop, While):
            carried.add(self.loop.test.params[self.position])
        return self.aliases | self.joins | carried

    def entry_values(self, uses: Uses) -> list[tuple[Atom, Value]]:
        """What was saved, and as what the reverse sweep finds it again."""
        (whole,) = self.read.results
        if self.packed is None:
            return [(self.fields[0], whole)]
        items = [n for n, _ in uses.args.get(whole, ())]
        return [(self.fields[n.args[1].value], n.results[0]) for n in items]  # type: ignore[union-attr]


def find_tapes(f: Function) -> tuple[list[Tape], Uses]:
    """The tapes of a function, those of outer loops first, and the uses of its values."""
    uses = Uses(f.body)
    found: list[Tape] = []
    for node in list(uses.region):
        if isinstance(node, Op) and node.fn == "list" and not node.args:
            tape = recognise(uses, node)
            if tape is not None and _find_readers(uses, tape, set(tape.aliases)):
                found.append(tape)
    found.sort(key=lambda tape: uses.depth(tape.loop))
    good: list[Tape] = []
    mirror = _Mirror(uses)
    for tape in found:
        if not {t.append for t in good}.issuperset(tape.kept_by):
            continue  # a list that stays a list cannot hold an array for all runs
        if _is_walked_back(uses, tape) or mirror.is_counted(tape):
            tape.number = len(good)
            good.append(tape)
            mirror.add(tape)
    return good, uses


def recognise(uses: Uses, made: Op) -> Tape | None:
    """A list that is empty before a loop and gets one tuple of numbers an iteration."""
    (empty,) = made.results
    inits = uses.inits.get(empty, [])
    if len(inits) != 1 or uses.count(empty) != 1:
        return None
    loop, k = inits[0]
    param = loop.body.params[k + isinstance(loop, For)]
    appends = [n for n, at in uses.args.get(param, ()) if _is_append(n) and at == 0]
    if len(appends) != 1 or len(uses.args[param]) != 1 or param in uses.inits:
        return None
    (append,) = appends
    assert isinstance(append, Op)
    joins: set[Value] = set()
    end = loop.body.yields[k + 1]
    if not _only_flows(uses, append.results[0], end, param, joins):
        return None
    entry = append.args[1]
    packed = uses.definition.get(entry) if isinstance(entry, Value) else None
    fields: tuple[Atom, ...] = (entry,)
    if isinstance(packed, Op) and packed.fn == "tuple" and uses.count(entry) == 1:  # type: ignore[arg-type]
        fields = packed.args
    else:
        packed = None
    return Tape(made, loop, k, append, packed, fields, {loop.results[k]}, joins)


def _is_append(node: Node) -> bool:
    return isinstance(node, Op) and node.fn == "append"


def _only_flows(uses: Uses, after: Value, end: Atom, param: Value, joins: set[Value]) -> bool:
    """Whether the longer tape reaches the end of the body, past branches that leave it alone."""
    value = after
    while value is not end:
        places = uses.yields.get(value, [])
        if len(places) != 1 or uses.count(value) != 1:
            return False
        region, n = places[0]
        branch = uses.parent.get(region)
        if not isinstance(branch, If):
            return False
        other = branch.orelse if region is branch.then else branch.then
        if other.yields[n] is not param:
            return False
        value = branch.results[n]
        joins.add(value)
    kept = [r for r, _ in uses.yields.get(param, ())]
    return uses.count(value) == 1 and len(kept) == len(joins)


def follow_branches(uses: Uses, tape: Tape) -> bool:
    """Add what the tape is called after branches; False where another list may be there."""
    ahead = set(tape.aliases)
    while ahead:
        if not _leaves_branches(uses, tape, ahead.pop(), ahead):
            return False
    return True


def _leaves_branches(uses: Uses, tape: Tape, alias: Value, ahead: set[Value]) -> bool:
    """Add what ``alias`` is called after the branches that yield it, to ``ahead`` as well.

    False where a loop or the function yields it, or another list may be there after the branch.
    """
    for region, n in uses.yields.get(alias, ()):
        branch = uses.parent.get(region)
        if not isinstance(branch, If):
            return False
        result = branch.results[n]
        other = branch.orelse if region is branch.then else branch.then
        if isinstance(other.yields[n], Value) and other.yields[n] is not alias:
            return False
        if result not in tape.aliases:
            ahead.add(result)
            tape.aliases.add(result)
    return True


def _find_readers(uses: Uses, tape: Tape, ahead: set[Value]) -> bool:
    """Follow the tape to whoever reads it; False where it goes somewhere else."""
    while ahead:
        alias = ahead.pop()
        if alias in uses.inits:
            return False
        for node, at in uses.args.get(alias, ()):
            match node:
                case Op(fn="len"):
                    tape.lengths.append(node)
                case Op(fn="item") if at == 0 and not isinstance(node.args[1], Const):
                    tape.reads.append(node)
                case Op(fn="tuple" | "append"):
                    found = _saved_in(uses, node, at)
                    if found is None:
                        return False
                    ahead |= found - tape.aliases
                    tape.aliases |= found
                    is_packed = node.fn == "tuple"
                    tape.kept_by.append(uses.args[node.results[0]][0][0] if is_packed else node)
                case _:
                    return False
        if not _leaves_branches(uses, tape, alias, ahead):
            return False
    return len(tape.reads) == 1


def _saved_in(uses: Uses, node: Op, at: int) -> set[Value] | None:
    """The values as which an outer loop's reverse finds an inner tape that it saved."""
    outer: Node = node
    if node.fn == "tuple":
        (packed,) = node.results
        places = uses.args.get(packed, [])
        if len(places) != 1 or uses.count(packed) != 1 or not _is_append(places[0][0]):
            return None
        outer = places[0][0]
    elif at == 0:
        return None
    assert isinstance(outer, Op)
    root = outer.args[0]
    loop, k = _owner(uses, root)
    if loop is None:
        return None
    found: set[Value] = set()
    entries: list[Op] = []
    ahead, seen = {loop.results[k]}, {loop.results[k]}
    probe = Tape(outer, loop, k, outer, None, (), seen, set())
    if not _find_readers(uses, probe, ahead):
        return None
    entries = probe.reads
    for entry in entries:
        if node.fn == "append":
            found.add(entry.results[0])
            continue
        for reader, place in uses.args.get(entry.results[0], ()):
            if not (isinstance(reader, Op) and reader.fn == "item" and place == 0):
                return None
            number = reader.args[1]
            if not isinstance(number, Const):
                return None
            if number.value == at:
                found.add(reader.results[0])
    return found


def _owner(uses: Uses, root: Atom) -> tuple[Any, int]:
    """The loop whose carried value ``root`` is, and which."""
    for region, node in uses.parent.items():
        if isinstance(node, For | While) and region is node.body and root in region.params:
            return node, region.params.index(root) - isinstance(node, For)
    return None, -1


def _reader(uses: Uses, tape: Tape) -> For | None:
    """The loop whose body takes an entry each time round, and takes it apart."""
    region = uses.region[tape.read]
    loop = uses.parent.get(region)
    if not isinstance(loop, For) or region is not loop.body or not never_leaves(loop):
        return None
    (whole,) = tape.read.results
    taken = uses.args.get(whole, [])
    if tape.packed is not None and (
        uses.count(whole) != len(taken)
        or not all(
            isinstance(n, Op) and n.fn == "item" and isinstance(n.args[1], Const) for n, _ in taken
        )
    ):
        return None
    return loop


def _is_walked_back(uses: Uses, tape: Tape) -> bool:
    """Whether the reader goes from the last entry to the first, by the tape's length."""
    loop = _reader(uses, tape)
    if loop is None or tape.read.args[1] is not loop.body.params[0]:
        return False
    if not all(isinstance(a, Const) and a.value == -1 for a in (loop.stop, loop.step)):
        return False
    start = uses.definition.get(loop.start) if isinstance(loop.start, Value) else None
    lengths = {r for n in tape.lengths for r in n.results}
    if not (isinstance(start, Op) and start.fn == "sub" and start.args[0] in lengths):
        return False
    index = loop.body.params[0]
    if uses.count(index) != 1:
        return False
    tape.reader = loop
    return True


class _Mirror:
    """Knows which values of the reverse sweep are equal to which of the forward sweep."""

    def __init__(self, uses: Uses) -> None:
        self.uses = uses
        self.equal: set[tuple[Atom, Atom]] = set()

    def add(self, tape: Tape) -> None:
        """In the iteration that reads an entry, values are what they were when it was made."""
        self.equal.update(tape.entry_values(self.uses))
        if tape.counted:
            assert tape.reader is not None
            self.equal.add((tape.loop.body.params[0], tape.reader.body.params[0]))

    def is_counted(self, tape: Tape) -> bool:
        """Whether the reader has the range of the tape's loop, backwards, and goes by it."""
        loop, reader = tape.loop, _reader(self.uses, tape)
        if not isinstance(loop, For) or reader is None or tape.joins or tape.lengths:
            return False
        if not never_leaves(loop) or not (is_unit(loop) and is_unit(reader)):
            return False
        by = loop.step.value  # type: ignore[union-attr]
        if reader.step.value != -by:  # type: ignore[union-attr]
            return False
        if not self._same(loop.stop, -by, reader.start):
            return False
        if not self._same(loop.start, -by, reader.stop):
            return False
        index, place = reader.body.params[0], tape.read.args[1]
        if place is not index:
            op = self.uses.definition.get(place) if isinstance(place, Value) else None
            pair = (index, loop.start) if by == 1 else (loop.start, index)
            if not (isinstance(op, Op) and op.fn == "sub" and len(op.args) == 2):
                return False
            first, last = op.args
            kept, other = (first, last) if by == 1 else (last, first)
            if kept is not index or not self._same(pair[1 if by == 1 else 0], 0, other):
                return False
        elif not (by == 1 and isinstance(loop.start, Const) and loop.start.value == 0):
            return False
        tape.reader, tape.counted = reader, True
        return True

    def _same(self, forward: Atom, by: int, reverse: Atom) -> bool:
        """Whether ``forward + by`` then is ``reverse`` now."""
        a, n = self._linear(forward)
        b, m = self._linear(reverse)
        return n + by == m and (a is b is None or (a is not None and self._equal(a, b)))

    def _linear(self, x: Atom) -> tuple[Value | None, int]:
        if isinstance(x, Const):
            return None, x.value
        op = self.uses.definition.get(x)
        if isinstance(op, Op) and op.fn in ("add", "sub") and isinstance(op.args[1], Const):
            if type(op.args[1].value) is int:
                base, n = self._linear(op.args[0])
                return base, n + (op.args[1].value if op.fn == "add" else -op.args[1].value)
        return x, 0

    def _equal(self, a: Atom, b: Atom | None) -> bool:
        if a is b or (a, b) in self.equal:
            return True
        if isinstance(a, Const) and isinstance(b, Const):
            return type(a.value) is type(b.value) and bool(a.value == b.value)
        if not isinstance(a, Value) or not isinstance(b, Value):
            return False
        size, other = length_of(a.kind), length_of(b.kind)
        if size is not None and other is not None and same_dim(size, other):
            return True
        x, y = self.uses.definition.get(a), self.uses.definition.get(b)
        return (
            isinstance(x, Op)
            and isinstance(y, Op)
            and x.fn == y.fn
            and x.attrs == y.attrs
            and primitive(x.fn).effect == "pure"
            and len(x.args) == len(y.args)
            and all(map(self._equal, x.args, y.args))
        )
