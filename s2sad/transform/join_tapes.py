"""Joined tapes: what two tapes of one loop hold goes into one.

In: a region of a derivative. Out: the region in which tapes that one loop fills in step are a
single list of flat tuples, each value in them once.

    tape_dot.append((h_dot, z_dot))                 tape.append((h_dot, z_dot, h, z))
    tape.append((h, z))                             …
    …                                         ->    for h_dot, z_dot, h, z in tape[::-1]:
    for i in range(len(tape) - 1, -1, -1):              …
        h_dot, z_dot = tape_dot[i]
        h, z = tape[i]

The forward mode of a loop with a tape makes a second tape of tangents. A tape is told from a list
of the user's by its place: the statement that appends to it is none of the program.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from ..ir.kinds import Kind, ListOf, Tuple
from ..ir.mapping import Mapper, carrying, yielding
from ..ir.nodes import (
    Atom,
    Const,
    For,
    If,
    Node,
    Op,
    Region,
    Value,
    While,
    operands_of,
    regions_of,
)


def join_tapes(region: Region) -> Region:
    """The whole body of a function with such tapes joined."""
    facts = _Facts()
    facts.visit(region)
    joined = _Joined()
    for loop in facts.loops:
        groups: dict[tuple[object, ...], list[_Tape]] = {}
        for k in range(len(loop.results)):
            if (tape := _tape(loop, k, facts)) is not None:
                groups.setdefault(tape.path, []).append(tape)
        for tapes in groups.values():
            if len(tapes) > 1:
                _join(tapes, facts, joined)
    return _Rewrite(joined).region(region) if joined.gone else region


@dataclass(slots=True)
class _Facts:
    """Who defines and who reads each value, and in which region an op is."""

    loops: list[For | While] = field(default_factory=list)
    made: dict[Value, Node] = field(default_factory=dict)
    readers: dict[Atom, list[Node | Region]] = field(default_factory=dict)
    region_of: dict[Node, Region] = field(default_factory=dict)

    def visit(self, region: Region) -> None:
        for node in region.ops:
            self.region_of[node] = region
            self.made.update(dict.fromkeys(node.results, node))
            for a in operands_of(node):
                self.readers.setdefault(a, []).append(node)
            for inner in regions_of(node):
                self.visit(inner)
            if isinstance(node, For | While):
                self.loops.append(node)
        for a in region.yields:
            self.readers.setdefault(a, []).append(region)


@dataclass(slots=True)
class _Tape:
    """A list that a loop fills: ``path`` says where, ``steps`` are its values on the way there.

    ``parts`` is what is appended, ``entries`` the reads of an entry, each with the reads of its
    parts, and ``sizes`` the reads of the length.
    """

    start: Op
    append: Op
    pack: Op | None
    path: tuple[object, ...]
    steps: list[Value]
    result: Value
    parts: tuple[Atom, ...]
    entries: dict[Op, dict[Op, int]]


def _tape(loop: For | While, k: int, facts: _Facts) -> _Tape | None:
    """What the loop carries at ``k``, if it is a tape."""
    offset = 1 if isinstance(loop, For) else 0
    param, start = loop.body.params[k + offset], loop.init[k]
    result = loop.results[k]
    begin = facts.made.get(start) if isinstance(start, Value) else None
    if not isinstance(begin, Op) or begin.fn != "list" or begin.args:
        return None
    if facts.readers[start] != [loop] or not isinstance(result.kind, ListOf):
        return None
    if isinstance(loop, While) and loop.test.params[k] in facts.readers:
        return None
    path: list[object] = []
    steps: list[Value] = [param]
    append = _append(loop.body, loop.body.yields[k + 1], param, facts, path, steps)
    if append is None or len(facts.readers[param]) != len(path) // 2 + 1:
        return None
    entries = _entries(result, facts)
    if entries is None:
        return None
    packed = append.args[1]
    pack = facts.made.get(packed) if isinstance(packed, Value) else None
    flat = isinstance(packed.kind, Tuple) and packed.kind.cls is None
    if flat:
        if not isinstance(pack, Op) or pack.fn != "tuple" or len(facts.readers[packed]) != 1:
            return None
        if facts.region_of[pack] is not facts.region_of[append]:
            return None
    else:
        if any(entries.values()) and isinstance(packed.kind, Tuple):
            return None
        pack = None
    parts = pack.args if pack is not None else (packed,)
    return _Tape(begin, append, pack, tuple(path), steps, result, parts, entries)


def _append(
    region: Region,
    atom: Atom,
    param: Value,
    facts: _Facts,
    path: list[object],
    steps: list[Value],
) -> Op | None:
    """The one op that appends to ``param`` on the way to ``atom``."""
    node = facts.made.get(atom) if isinstance(atom, Value) else None
    if node is None or not isinstance(atom, Value) or facts.readers[atom] != [region]:
        return None
    steps.append(atom)
    match node:
        case Op(fn="append", span=None) if node.args[0] is param:
            path.append(region)
            return node
        case If():
            at = node.results.index(atom)
            arms = (node.then, node.orelse)
            same = [arm.yields[at] is param for arm in arms]
            if sum(same) != 1 or facts.region_of[node] is not region:
                return None
            path += [node, same[0]]
            arm = arms[1] if same[0] else arms[0]
            return _append(arm, arm.yields[at], param, facts, path, steps)
    return None


def _entries(tape: Value, facts: _Facts) -> dict[Op, dict[Op, int]] | None:
    """The reads of entries, each with those of its parts; None if the tape is read otherwise."""
    assert isinstance(tape.kind, ListOf)
    found: dict[Op, dict[Op, int]] = {}
    for reader in facts.readers.get(tape, ()):
        if not isinstance(reader, Op):
            return None
        if reader.fn == "len":
            continue
        if reader.fn != "item" or not isinstance(reader.args[1], Value):
            return None
        parts = found[reader] = {}
        if not isinstance(tape.kind.elem, Tuple):
            continue
        for user in facts.readers.get(reader.results[0], ()):
            at = user.args[1] if isinstance(user, Op) and user.fn == "item" else None
            if not isinstance(user, Op) or not isinstance(at, Const) or type(at.value) is not int:
                return None
            parts[user] = at.value
    return found


@dataclass(slots=True)
class _Joined:
    """How nodes change: some go, some are replaced, and values stand for others."""

    gone: set[Node] = field(default_factory=set)
    instead: dict[Node, tuple[Node, ...]] = field(default_factory=dict)
    known: dict[Value, Atom] = field(default_factory=dict)
    #: carried values, results and parameters that are no more
    dropped: set[Value] = field(default_factory=set)
    #: values of the tape that stays, by what they were
    kind: dict[Value, Value] = field(default_factory=dict)


def _join(tapes: list[_Tape], facts: _Facts, joined: _Joined) -> None:
    region = facts.region_of[tapes[0].append]
    last = max((t for t in tapes), key=lambda t: region.ops.index(t.append))
    parts = list(dict.fromkeys(a for t in tapes for a in _parts_read(t)))
    if not parts:
        return
    elem = Tuple(tuple(_part_kind(a, tapes) for a in parts))
    name = min((t.result.name or "tape" for t in tapes), key=len)
    kind = ListOf(elem)
    for t in tapes:
        joined.gone.add(t.append)
        if t.pack is not None:
            joined.gone.add(t.pack)
        if t is not last:
            joined.gone.add(t.start)
            joined.dropped.update((*t.steps, t.result))
            joined.known[t.result] = last.result
    for v in (*last.steps, last.result):
        joined.kind[v] = Value(kind, name)
    joined.known.update(joined.kind)
    joined.known.update((t.result, joined.kind[last.result]) for t in tapes)
    start = Value(ListOf(None), name)
    joined.known[last.start.results[0]] = start
    joined.instead[last.start] = (replace(last.start, results=(start,)),)
    packed = Value(elem)
    grown = joined.kind[last.append.results[0]]
    joined.gone.discard(last.append)
    joined.instead[last.append] = (
        Op((packed,), "tuple", tuple(parts)),
        Op((grown,), "append", (joined.kind[last.steps[0]], packed)),
    )
    entries: dict[tuple[Region, Atom], Value] = {}
    for t in tapes:
        for read, users in t.entries.items():
            at = (facts.region_of[read], read.args[1])
            ops: list[Node] = []
            if at not in entries:
                entries[at] = Value(elem)
                args = (joined.kind[last.result], read.args[1])
                ops.append(Op((entries[at],), "item", args, {}, read.span))
            entry = entries[at]
            if t.pack is None:
                n = parts.index(t.parts[0])
                ops.append(Op(read.results, "item", (entry, Const.of(n)), {}, read.span))
            joined.instead[read] = tuple(ops)
            joined.gone.add(read)
            for user, k in users.items():
                n = parts.index(t.parts[range(len(t.parts))[k]])
                joined.instead[user] = (replace(user, args=(entry, Const.of(n))),)


def _parts_read(tape: _Tape) -> list[Atom]:
    """The parts that anyone reads: the tangent of an index is nothing to remember."""
    if tape.pack is None:
        return list(tape.parts)
    read = {range(len(tape.parts))[k] for users in tape.entries.values() for k in users.values()}
    return [a for n, a in enumerate(tape.parts) if n in read]


def _part_kind(a: Atom, tapes: list[_Tape]) -> Kind:
    """The kind of a part on the tape: as the list has it, which was joined over iterations."""
    for t in tapes:
        if a in t.parts:
            assert isinstance(t.result.kind, ListOf)
            elem = t.result.kind.elem
            if t.pack is not None and isinstance(elem, Tuple):
                return elem.items[t.parts.index(a)]
            return elem if elem is not None else a.kind
    return a.kind


class _Rewrite(Mapper):
    """Copies a region with the nodes replaced and the values of dropped tapes gone."""

    def __init__(self, joined: _Joined) -> None:
        super().__init__(joined.known)
        self.joined = joined

    def value(self, value: Value) -> Value:
        return self.joined.kind.get(value, value)

    def node(self, node: Node) -> Sequence[Node]:
        if node in self.joined.instead:
            return [
                replace(n, args=self.atoms(n.args)) if isinstance(n, Op) else n
                for n in self.joined.instead[node]
            ]
        return () if node in self.joined.gone else super().node(node)

    def branch(self, node: If) -> Sequence[Node]:
        return super().branch(yielding(node, self.kept(node)))

    def loop(self, node: For | While) -> Sequence[Node]:
        keep = self.kept(node)
        (new,) = super().loop(carrying(node, keep))
        if isinstance(node, For) or not isinstance(new, While):
            return (new,)
        faces = tuple(
            Value(new.body.params[n].kind, new.body.params[n].name)
            if node.results[k] in self.joined.kind
            else node.test.params[k]
            for n, k in enumerate(keep)
        )
        return (replace(new, test=replace(new.test, params=faces)),)

    def kept(self, node: Node) -> list[int]:
        """Which results are not tapes that another one has joined."""
        return [k for k, r in enumerate(node.results) if r not in self.joined.dropped]


__all__ = ["join_tapes"]
