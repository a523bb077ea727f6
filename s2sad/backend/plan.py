"""The plan: which ops become parts of expressions, and which shape each loop is written in.

In: a function in normal form and the storage facts. Out: a ``Plan`` with, above all,
``inline`` (values written where they are used) and ``leaves`` (the names such a use reads).

    t = mul(x, x); y = add(t, b)             ->   t inline:  y = x * x + b
    for k in range(len(tape) - 1, -1, -1)    ->   for a, b in tape[::-1]

An op is written where it is used only if that moves it across no effect and across no write to
storage it reads. Indices (tuples, slices, small integer sums) are written at every use.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from ..ir.kinds import Array, FixedList, ListOf, Num, Tuple, Undef
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
    operands_of,
    regions_of,
    walk,
)
from .ops import effect, has_memory, writes
from .storage import Places, Storage

#: Expressions larger than this many nodes are split.
LARGEST = 28
DEEPEST = 14


Mutates: TypeAlias = Mapping[str, tuple[tuple[int, int], ...]]


@dataclass(frozen=True, slots=True, eq=False)
class Loop:
    """A loop over elements: ``for targets in iterables``; ``gone`` are the ops it stands for."""

    form: str  # "reversed", "elements", "enumerate"
    iterable: Atom
    targets: tuple[Value | None, ...]
    unpack: bool
    gone: frozenset[Node]


@dataclass(slots=True, eq=False)
class Plan:
    """Facts for writing out one function."""

    function: Function
    facts: Storage
    inline: dict[Value, Op | If] = field(default_factory=dict)
    loops: dict[For, Loop] = field(default_factory=dict)
    gone: set[Node] = field(default_factory=set)
    #: ifs at the end of a region whose arms do the moves (or the return) themselves
    tails: set[If] = field(default_factory=set)
    #: ifs written as ``a and b``, ``a or b`` or ``a if c else b``
    conditional: set[If] = field(default_factory=set)
    uses: Counter[Value] = field(default_factory=Counter)
    #: what decides, at the end of a branch that ends a loop's body, whether to leave
    leaving: set[Value] = field(default_factory=set)
    locked: set[Value] = field(default_factory=set)
    #: per callee, the parameters it writes and the yields that are their new versions
    mutates: Mutates = field(default_factory=dict)
    _leaves: dict[Value, tuple[Value, ...]] = field(default_factory=dict)

    def leaves(self, atom: Atom) -> tuple[Value, ...]:
        """The named values that are read where ``atom`` is written."""
        if isinstance(atom, Const):
            return ()
        node = self.inline.get(atom)
        if node is None:
            return (atom,)
        known = self._leaves.get(atom)
        if known is None:
            atoms = branch_atoms(node) if isinstance(node, If) else node.args
            known = tuple(dict.fromkeys(leaf for a in atoms for leaf in self.leaves(a)))
            self._leaves[atom] = known
        return known

    def skipped(self, node: Node) -> bool:
        """True for nodes that are not statements."""
        if node in self.gone:
            return True
        return len(node.results) == 1 and node.results[0] in self.inline

    def header(self, node: For) -> tuple[Atom, ...]:
        """The atoms a loop's first line reads."""
        loop = self.loops.get(node)
        if loop is None:
            return (node.start, node.stop, node.step)
        return (loop.iterable,)

    def head_values(self, node: For) -> tuple[Value, ...]:
        """The values a loop's first line assigns in each iteration."""
        loop = self.loops.get(node)
        if loop is None:
            return (node.body.params[0],)
        return tuple(t for t in loop.targets if t is not None)


def branch_atoms(node: If) -> tuple[Atom, ...]:
    """What an ``if`` written as an expression reads."""
    return (node.cond, node.then.yields[0], node.orelse.yields[0])


def plan(function: Function, facts: Storage, mutates: Mutates) -> Plan:
    """Decide the shapes of loops and what is written inside expressions."""
    made = Plan(function, facts, mutates=mutates)
    _Loops(made).region(function.body)
    _count(made, function.body)
    if made.gone:
        _drop_unread(made, function.body)
    _find_conditionals(made, function.body)
    _find_tails(made, function.body, True)
    _Inline(made).region(function.body, True)
    _split(made, function.body)
    return made


def _count(made: Plan, region: Region) -> None:
    for node in region.ops:
        if node in made.gone:
            continue
        atoms = (*made.header(node), *node.init) if isinstance(node, For) else operands_of(node)
        made.uses.update(a for a in atoms if isinstance(a, Value))
        for inner in regions_of(node):
            _count(made, inner)
    made.uses.update(a for a in region.yields if isinstance(a, Value))


def _drop_unread(made: Plan, region: Region) -> None:
    """Ops that only served a loop over indices, such as the length it went to."""
    for node in reversed(region.ops):
        for inner in regions_of(node):
            _drop_unread(made, inner)
        if isinstance(node, Op) and node not in made.gone and not effect(node):
            if not any(made.uses[r] for r in node.results):
                made.gone.add(node)
                made.uses.subtract(a for a in node.args if isinstance(a, Value))


# -- loops ----------------------------------------------------------------------------------------


class _Loops:
    """Finds loops over elements written as loops over indices."""

    def __init__(self, made: Plan) -> None:
        self.made = made
        self.definitions = made.facts.definitions

    def region(self, region: Region) -> None:
        for node in region.ops:
            if isinstance(node, For):
                loop = self.backward(node) or self.forward(node)
                if loop is not None:
                    self.made.loops[node] = loop
                    self.made.gone |= loop.gone
            for inner in regions_of(node):
                self.region(inner)

    def defined(self, atom: Atom, fn: str) -> Op | None:
        node = self.definitions.get(atom) if isinstance(atom, Value) else None
        return node if isinstance(node, Op) and node.fn == fn else None

    def readers(self, region: Region, value: Value) -> list[Node | None]:
        """The nodes that read a value; None stands for a region's yields."""
        found: list[Node | None] = []
        for node in region.ops:
            found.extend(node for a in operands_of(node) if a is value)
            for inner in regions_of(node):
                found.extend(self.readers(inner, value))
        found.extend(None for a in region.yields if a is value)
        return found

    def backward(self, node: For) -> Loop | None:
        """``for k in range(len(tape) - 1, -1, -1)`` whose k only reads ``tape[k]``."""
        index = node.body.params[0]
        last = self.defined(node.start, "sub")
        if last is None or not (
            _is(node.stop, -1) and _is(node.step, -1) and _is(last.args[1], 1)
        ):
            return None
        length = self.defined(last.args[0], "len")
        if length is None:
            return None
        tape = length.args[0]
        readers = self.readers(node.body, index)
        if len(readers) != 1 or not isinstance(tape.kind, ListOf | FixedList):
            return None
        entry = readers[0]
        if not (isinstance(entry, Op) and entry.fn == "item" and entry.args[0] is tape):
            return None
        if entry not in node.body.ops or entry.args[1] is not index:
            return None
        return self.unpacked(node, "reversed", tape, entry, ())

    def unpacked(
        self, node: For, form: str, iterable: Atom, entry: Op, first: tuple[Value, ...]
    ) -> Loop:
        element = entry.results[0]
        gone: set[Node] = {entry}
        if isinstance(element.kind, Tuple):
            targets: list[Value | None] = [None] * len(element.kind.items)
            for reader in self.readers(node.body, element):
                if not (isinstance(reader, Op) and reader.fn == "item"):
                    break
                place = reader.args[1]
                if not isinstance(place, Const) or type(place.value) is not int:
                    break
                if reader not in node.body.ops or targets[place.value] is not None:
                    break
                targets[place.value] = reader.results[0]
                gone.add(reader)
            else:
                if targets:
                    return Loop(form, iterable, (*first, *targets), True, frozenset(gone))
            gone = {entry}
        return Loop(form, iterable, (*first, element), False, frozenset(gone))

    def forward(self, node: For) -> Loop | None:
        """``for i in range(len(x))`` that stands for the user's ``for a in x``."""
        if not (_is(node.start, 0) and _is(node.step, 1)):
            return None
        length = self.defined(node.stop, "len")
        if length is None:
            return None
        over, index = length.args[0], node.body.params[0]
        if not isinstance(over.kind, ListOf | FixedList | Array) or not isinstance(over, Value):
            return None
        readers = self.readers(node.body, index)
        entry = next((r for r in readers if isinstance(r, Op) and r.fn == "item"), None)
        if entry is None or entry not in node.body.ops or entry.args[0] is not over:
            return None
        if entry.args[1] is not index or not _same_line(entry, node):
            return None
        if len(readers) == 1:
            return self.unpacked(node, "elements", over, entry, ())
        return Loop("enumerate", over, (index, entry.results[0]), False, frozenset({entry}))


def _is(atom: Atom, number: int) -> bool:
    return isinstance(atom, Const) and type(atom.value) is int and atom.value == number


def _same_line(entry: Op, node: For) -> bool:
    """True where the element is taken by the loop's own line, as ``for a in x`` does."""
    if entry.span is None or node.span is None:
        return node.body.params[0].name is None and entry.results[0].name is not None
    return (entry.span.filename, entry.span.line) == (node.span.filename, node.span.line)


# -- branches as expressions ----------------------------------------------------------------------


def _find_conditionals(made: Plan, region: Region) -> None:
    for node in region.ops:
        for inner in regions_of(node):
            _find_conditionals(made, inner)
        if isinstance(node, If) and _is_conditional(made, node):
            made.conditional.add(node)
            for y in (node.then.yields[0], node.orelse.yields[0]):
                if y is node.cond and isinstance(y, Value):
                    made.uses[y] -= 1  # ``a and b`` is written with one a
            for arm in (node.then, node.orelse):
                for op in arm.ops:
                    made.inline[op.results[0]] = op  # type: ignore[assignment]
                    made.locked.add(op.results[0])


def _is_conditional(made: Plan, node: If) -> bool:
    if len(node.results) != 1 or not (_is_logic(node) or _on_one_line(node)):
        return False
    for arm in (node.then, node.orelse):
        if isinstance(arm.yields[0].kind, Undef) or len(arm.ops) > LARGEST // 3:
            return False
        for op in arm.ops:
            if len(op.results) != 1 or op.results[0].name is not None or effect(op):
                return False
            if isinstance(op, Op):
                if writes(op) is not None or op.fn in ("copy", "copied"):
                    return False
            elif op not in made.conditional:
                return False
            cheap = isinstance(op, Op) and op.fn in ("slice", "tuple")
            if made.uses[op.results[0]] != 1 and not cheap:
                return False
    return True


def _is_logic(node: If) -> bool:
    """True for ``a and b`` and ``a or b``."""
    then, orelse = node.then.yields[0], node.orelse.yields[0]
    if node.then.ops and node.orelse.ops:
        return False
    if orelse is node.cond or (_is_truth(orelse, False) and _is_bool(node.cond)):
        return not node.orelse.ops
    if then is node.cond or (_is_truth(then, True) and _is_bool(node.cond)):
        return not node.then.ops
    return False


def _is_truth(atom: Atom, truth: bool) -> bool:
    return isinstance(atom, Const) and atom.value is truth


def _is_bool(atom: Atom) -> bool:
    return isinstance(atom.kind, Num) and atom.kind.dtype == "bool"


def _on_one_line(node: If) -> bool:
    """True where the user wrote ``a if c else b``."""
    if node.span is None:
        return False
    text = node.span.text.strip()
    if text.startswith(("if ", "if(", "elif ", "while ", "for ", "else")):
        return False
    return " if " in text and " else " in text


# -- tails ----------------------------------------------------------------------------------------


def _find_tails(made: Plan, region: Region, function: bool, loop: bool = False) -> None:
    """An ``If`` that ends a loop body and decides whether to leave, or that ends the function."""
    for node in region.ops:
        for inner in regions_of(node):
            in_loop = isinstance(node, For | While) and inner is regions_of(node)[-1]
            _find_tails(made, inner, False, in_loop)
    if loop:
        _mark_tail(made, region, region.yields, 0)
    elif function and region.ops and isinstance(region.ops[-1], If):
        node = region.ops[-1]
        if node in made.conditional:
            return
        used = [r for r in node.results if r in region.yields]
        if all(r.name is None for r in used) or _leaves_early(node):
            made.tails.add(node)
            for arm in (node.then, node.orelse):
                _find_tails(made, arm, True)


def _leaves_early(node: If) -> bool:
    return any(arm.ops and _raises(arm.ops[-1]) for arm in (node.then, node.orelse))


def _raises(node: Node) -> bool:
    return isinstance(node, Op) and node.fn == "raise"


def _mark_tail(made: Plan, region: Region, yields: tuple[Atom, ...], place: int) -> None:
    """``yields[place]`` says whether to leave: follow it into the arms that decide it."""
    if not region.ops or not isinstance(region.ops[-1], If):
        return
    node = region.ops[-1]
    leave = yields[place]
    if leave not in node.results or node in made.conditional:
        return
    at = node.results.index(leave)
    if made.uses[node.results[at]] > 1:
        return
    made.tails.add(node)
    for arm in (node.then, node.orelse):
        _mark_tail(made, arm, arm.yields, at)
        made.leaving.update(y for y in arm.yields[at : at + 1] if isinstance(y, Value))


# -- inlining -------------------------------------------------------------------------------------


class _Inline:
    def __init__(self, made: Plan) -> None:
        self.made = made
        self.facts = made.facts
        self.ops: tuple[Node, ...] = ()

    def region(self, region: Region, function: bool = False) -> None:
        """Decide for the ops of one region, from its end backwards."""
        made, ops = self.made, region.ops
        outer, self.ops = self.ops, ops
        #: statement at which each node is written
        place: dict[Node, int] = {}
        #: per value, the node of this region that reads it in expression position
        reader: dict[Value, int] = {}
        barriers = [(n, *self.barrier(node)) for n, node in enumerate(ops)]
        barriers = [b for b in barriers if b[1] or b[2]]
        if function and not (ops and ops[-1] in made.tails):
            for y in region.yields:
                if isinstance(y, Value):
                    reader[y] = len(ops)
        leave = region.yields[0] if region.yields else None
        if not function and isinstance(leave, Value):
            if region.params and self.leave_is_plain(region):
                reader[leave] = len(ops)
        for y in region.yields:
            if isinstance(y, Value) and y in made.leaving:
                reader[y] = len(ops)
        for n in range(len(ops) - 1, -1, -1):
            node = ops[n]
            if node in made.gone:
                continue
            self.decide(node, n, place, reader, barriers)
            at = place.setdefault(node, n)
            for a in self.expressions(node):
                if isinstance(a, Value):
                    reader[a] = at
            for inner in regions_of(node):
                if node not in made.conditional:
                    is_test = isinstance(node, While) and inner is node.test
                    self.region(inner, is_test)
        self.ops = outer

    def leave_is_plain(self, region: Region) -> bool:
        """True if what decides to leave may be computed after the carried values have moved."""
        carried = region.params[len(region.params) - len(region.yields) + 1 :]
        moved = {
            p
            for p, y in zip(carried, region.yields[1:], strict=True)
            if p is not y
        }

        def reads_moved(atom: Atom) -> bool:
            if isinstance(atom, Const):
                return False
            node = self.facts.definitions.get(atom)
            if atom in moved or not isinstance(node, Op) or node not in region.ops:
                return atom in moved
            return atom.name is None and any(map(reads_moved, node.args))

        return len(region.yields) > 1 and not reads_moved(region.yields[0])

    def decide(
        self,
        node: Node,
        n: int,
        place: dict[Node, int],
        reader: dict[Value, int],
        barriers: list[tuple[int, bool, Places]],
    ) -> None:
        made = self.made
        if len(node.results) != 1:
            return
        value = node.results[0]
        if isinstance(node, Op) and self.is_index(node):
            made.inline[value] = node
            place[node] = reader.get(value, n)
            return
        if value not in reader or made.uses[value] != 1:
            return
        if value.name is not None and not self.is_passing(node, value, reader):
            return
        if isinstance(node, If):
            if node not in made.conditional:
                return
        elif not isinstance(node, Op) or effect(node) or writes(node) is not None:
            return
        at = reader[value]
        read = self.read_by(node)
        for place_of, has_effect, written in barriers:
            if n < place_of < at and (has_effect or written & read):
                return
        made.inline[value] = node
        place[node] = at

    def is_passing(self, node: Node, value: Value, reader: dict[Value, int]) -> bool:
        """True for an adjoint that is used up by the reversal of the very same line."""
        span = node.span
        if span is None or not span.reverse or not (value.name or "").endswith("_bar"):
            return False
        at = reader[value]
        if not isinstance(node, Op) or at >= len(self.ops):
            return False
        user = self.ops[at]
        if not isinstance(user, Op) or user.span is None:
            return False
        return (span.filename, span.line) == (user.span.filename, user.span.line)

    def is_index(self, node: Op) -> bool:
        """Indices are written at every use: they cost nothing and name no storage."""
        if node.fn == "slice":
            return True
        uses = self.made.uses[node.results[0]]
        if node.fn == "tuple":
            return uses != 1 and not has_memory(node.results[0].kind)
        if node.results[0].name is not None or uses == 1:
            return False
        if node.fn == "len":
            return isinstance(node.args[0].kind, Array)
        integer = isinstance(node.results[0].kind, Num) and node.results[0].kind.dtype == "int64"
        return (
            node.fn in ("add", "sub") and integer and any(isinstance(a, Const) for a in node.args)
        )

    def expressions(self, node: Node) -> tuple[Atom, ...]:
        """Atoms in whose place an expression can be written."""
        match node:
            case Op():
                target = writes(node)
                return tuple(a for k, a in enumerate(node.args) if k != target)
            case Call():
                consumed = {i for i, _ in self.made.mutates.get(node.callee, ())}
                return tuple(a for k, a in enumerate(node.args) if k not in consumed)
            case If():
                return operands_of(node)
            case For():
                return self.made.header(node)
            case _:
                return ()

    def read_by(self, node: Node) -> Places:
        """Storage whose content the node reads."""
        match node:
            case If():
                atoms: tuple[Atom, ...] = branch_atoms(node)
            case _:
                atoms = operands_of(node)
        read = 0
        for a in atoms:
            read |= self.facts.memory_of(a)
            inner = self.made.inline.get(a) if isinstance(a, Value) else None
            if inner is not None:
                read |= self.read_by(inner)
        return read

    def barrier(self, node: Node) -> tuple[bool, Places]:
        """Whether a node has an effect, and the places it writes."""
        written = 0
        for inner in (node, *(m for r in regions_of(node) for m in walk(r))):
            if isinstance(inner, Op):
                target = writes(inner)
                if target is not None:
                    written |= self.facts.shell_of(inner.args[target])
        return effect(node), written


def _split(made: Plan, region: Region) -> None:
    """Give names to parts of expressions that would grow too large."""
    size: dict[Value, tuple[int, int]] = {}

    def measure(atom: Atom) -> tuple[int, int]:
        if isinstance(atom, Const) or atom not in made.inline:
            return (1, 0)
        return size.get(atom, (1, 0))

    for node in (n for n in walk(region) if isinstance(n, Op)):
        while True:
            parts = [measure(a) for a in node.args]
            total = 1 + sum(p[0] for p in parts)
            depth = 1 + max((p[1] for p in parts), default=0)
            if total <= LARGEST and depth <= DEEPEST:
                break
            worst = max(
                (
                    a
                    for a in node.args
                    if isinstance(a, Value) and a in made.inline and a not in made.locked
                ),
                key=measure,
                default=None,
            )
            if worst is None or measure(worst)[0] <= 2:
                break
            del made.inline[worst]
        if len(node.results) == 1:
            size[node.results[0]] = (total, depth)
    made._leaves.clear()
