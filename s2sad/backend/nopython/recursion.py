"""What recursion saves: on stacks that the caller passes.

In: a module with forward/reverse pairs, where a forward function returns a tuple of what it saved
and the tuples of its own inner calls are among that. Out: the same module in which every pair has
a stack: the forward function pushes what it saves when it ends, the reverse function pops it when
it begins. Nested tuples of any depth have no type that Numba could infer; a list of flat ones
has::

    return out, (a, saved)   ->   stack.append(a); return out

Calls are reversed in reverse order, so the last pushed is the first wanted. A loop in such a
function appends to a stack, too, and what the call saves of it is how long it was.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from ...analysis.storage import Overwritten
from ...ir.kinds import INT, SAVED, Array, Kind, ListOf, Opaque, Tuple
from ...ir.nodes import Atom, Call, Const, Function, Module, Node, Op, Region, Value, walk
from .counting import Counting, text_only
from .tape_facts import Tape, follow_branches, recognise
from .uses import Uses

__all__ = ["stack_saves"]


for _name in ("new", "push", "pop"):
    text_only(f"stack_{_name}")

#: A stack is handed on, never looked into: for the backend it holds no memory.
_HANDLE = Opaque(type(Ellipsis))


@dataclass(frozen=True, slots=True, eq=False)
class _Stack:
    """A stack, by what is pushed: which of the values that were packed, of which kinds."""

    kinds: tuple[Kind, ...]
    places: tuple[int, ...]


@dataclass(frozen=True, slots=True, eq=False)
class _Pair:
    """The forward function that packs, the reverse function that unpacks, and their stacks.

    ``tapes`` are the loops in it that have a tape, and which value that was packed the tape is.
    """

    forward: str
    reverse: str
    own: _Stack
    tapes: tuple[tuple[Tape, int, _Stack], ...]

    @property
    def stacks(self) -> list[_Stack]:
        return [self.own, *(stack for *_, stack in self.tapes)]


def stack_saves(module: Module) -> Module:
    """The module with a stack for every pair; itself where it has none."""
    pairs = _pairs(module)
    if not pairs:
        return module
    return Module({name: _function(module, f, pairs) for name, f in module.functions.items()})


def _pairs(module: Module) -> list[_Pair]:
    """Forward functions that pack what they save, each with the reverse function it goes to."""
    packers: dict[str, Op] = {}
    for name, f in module.functions.items():
        last = f.body.yields[-1] if f.body.yields else None
        for node in f.body.ops:
            if isinstance(node, Op) and node.fn == "tuple" and last in node.results:
                if node.results[0].kind == SAVED:
                    packers[name] = node
    readers = [
        name for name, f in module.functions.items() if f.params and f.params[0].kind == SAVED
    ]
    pairs = []
    for forward, op in packers.items():
        reverse = forward.replace("_forward", "_reverse")
        if reverse in readers:
            tapes = _tapes(module.functions[forward], op)
            places = tuple(n for n, a in enumerate(op.args) if a.kind != SAVED)
            lists = {n for _, n, _ in tapes}
            kinds = tuple(INT if n in lists else op.args[n].kind for n in places)
            pairs.append(_Pair(forward, reverse, _Stack(kinds, places), tapes))
    return pairs if len(pairs) == len(packers) == len(readers) else []


def _tapes(f: Function, packed: Op) -> tuple[tuple[Tape, int, _Stack], ...]:
    """The loops of a forward function whose tapes go with what it saves."""
    uses = Uses(f.body)
    found = []
    for node in list(uses.region):
        if not (isinstance(node, Op) and node.fn == "list" and not node.args):
            continue
        tape = recognise(uses, node)
        if tape is None or not follow_branches(uses, tape):
            continue
        at = [n for n, a in enumerate(packed.args) if a in tape.aliases]
        used = [n for a in tape.aliases for n, _ in uses.args.get(a, ())]
        if len(at) == 1 and used == [packed]:
            places = tuple(n for n, a in enumerate(tape.fields) if a.kind != SAVED)
            kinds = tuple(tape.fields[n].kind for n in places)
            found.append((tape, at[0], _Stack(kinds, places)))
    return tuple(found)


def _function(module: Module, f: Function, pairs: Sequence[_Pair]) -> Function:
    change = _Change(f, pairs)
    paired = {name for p in pairs for name in (p.forward, p.reverse)}
    params = change.values(f.params)
    if f.name in paired:
        body = change.region(f.body)
        # What a buffer's new version is called moves with the results; the stacks come last.
        return replace(f, params=(*params, *change.stacks), body=body)
    body = change.region(f.body)
    if f is not module.entry and not any(isinstance(n, Call) for n in walk(f.body)):
        return replace(f, params=params, body=body)
    made = tuple(
        Op((handle,), "stack_new", (), {"kinds": stack.kinds})
        for stack, handle in change.handles.items()
        if stack.kinds
    )
    return replace(f, params=params, body=Region(body.params, (*made, *body.ops), body.yields))


class _Change(Counting):
    """Writes one function with its stacks; what was a saved tuple is the number 0."""

    def __init__(self, f: Function, pairs: Sequence[_Pair]) -> None:
        self.forward = next((p for p in pairs if p.forward == f.name), None)
        tapes = () if self.forward is None else self.forward.tapes
        super().__init__({v for t, *_ in tapes for v in t.names()})
        self.paired = {name for p in pairs for name in (p.forward, p.reverse)}
        self.reverse = next((p for p in pairs if p.reverse == f.name), None)
        self.handles = {
            stack: Value(_HANDLE, "stack" if stack is pair.own else "tape")
            for pair in pairs
            for stack in pair.stacks
            if stack.kinds
        }
        self.stacks = tuple(self.handles.values())
        self.overwritten = Overwritten(f.body)
        self.saved = f.params[0] if self.reverse is not None else None
        self.fields: dict[int, Value] = {}
        #: entries of tapes: what they are of, or what they were taken apart into
        self.lists: dict[Value, _Stack] = {}
        self.entries: dict[Value, dict[int, Value]] = {}
        self.made = {t.made for t, *_ in tapes}
        self.appends = {t.append: (t, stack) for t, _, stack in tapes}
        self.packed = {t.packed for t, *_ in tapes if t.packed is not None}

    def value(self, value: Value) -> Value:
        kind = INT if value in self.counts else _plain(value.kind)
        if kind == value.kind:
            return value
        new = self.known[value] = Value(kind, value.name, value.hint)
        return new

    def atoms(self, atoms: Iterable[Atom]) -> tuple[Atom, ...]:
        return tuple(
            Const.of(0) if isinstance(a, Const) and a.kind == SAVED else a
            for a in super().atoms(atoms)
        )

    def nodes(self, nodes: Iterable[Node]) -> tuple[Node, ...]:
        first: Sequence[Node] = ()
        if self.saved is not None and not self.fields and self.reverse is not None:
            first = self.popped(self.reverse)
        return (*first, *super().nodes(nodes))

    def popped(self, pair: _Pair) -> list[Node]:
        """What the forward function of this call saved."""
        fields = tuple(Value(kind) for kind in pair.own.kinds)
        self.fields = dict(zip(pair.own.places, fields, strict=True))
        self.lists = {self.fields[n]: stack for _, n, stack in pair.tapes}
        self.saved = None
        if not fields:
            return []
        return [Op(fields, "stack_pop", (self.handles[pair.own],))]

    def call(self, call: Call) -> Sequence[Node]:
        (new,) = super().call(call)
        assert isinstance(new, Call)
        if call.callee not in self.paired:
            return (new,)
        return (replace(new, args=(*new.args, *self.stacks)),)

    def op(self, op: Op) -> Sequence[Node]:
        if op in self.made:
            self.known[op.results[0]] = Const.of(0)
            return []
        if op in self.packed:
            return []
        if op in self.appends:
            return self.recorded(op)
        if op.fn == "tuple" and op.results[0].kind == SAVED:
            return self.pushed(op)
        base = op.args[0] if op.args else None
        if op.fn == "item" and isinstance(base, Value):
            if base.kind == SAVED and isinstance(op.args[1], Const):
                field = self.fields.get(op.args[1].value)
                self.known[op.results[0]] = Const.of(0) if field is None else field
                if field is not None and field.name is None and field not in self.lists:
                    object.__setattr__(field, "name", op.results[0].name)
                return []
            stack = self.lists.get(self.atom(base))  # type: ignore[arg-type]
            if stack is not None:
                return self.taken(op, stack)
            if base in self.entries and isinstance(op.args[1], Const):
                found = self.entries[base].get(op.args[1].value)
                self.known[op.results[0]] = Const.of(0) if found is None else found
                return []
        if op.fn == "len" and isinstance(base, Value):
            count = self.atom(base)
            if isinstance(count, Value) and count in self.lists:
                self.known[op.results[0]] = count
                return []
        return [replace(op, args=self.atoms(op.args), results=self.values(op.results))]

    def recorded(self, op: Op) -> list[Node]:
        """An entry of a tape, pushed."""
        tape, stack = self.appends[op]
        more = Value(INT, "count")
        self.known[op.results[0]] = more
        count = self.atom(op.args[0])
        nodes = self.push(stack, tape.fields)
        return [*nodes, Op((more,), "add", (count, Const.of(1)), {}, op.span)]

    def taken(self, op: Op, stack: _Stack) -> list[Node]:
        """The same entry, popped."""
        fields = tuple(Value(kind) for kind in stack.kinds)
        if isinstance(op.results[0].kind, Tuple):
            self.entries[op.results[0]] = dict(zip(stack.places, fields, strict=True))
        else:
            self.known[op.results[0]] = fields[0] if fields else Const.of(0)
        return [Op(fields, "stack_pop", (self.handles[stack],))] if fields else []

    def pushed(self, op: Op) -> list[Node]:
        """What this call saved, pushed."""
        assert self.forward is not None
        self.known[op.results[0]] = Const.of(0)
        return self.push(self.forward.own, op.args)

    def push(self, stack: _Stack, values: Sequence[Atom]) -> list[Node]:
        nodes: list[Node] = []
        fields = []
        for n in stack.places:
            a = self.atom(values[n])
            if values[n] in self.overwritten and _is_buffer(a.kind):  # type: ignore[operator]
                copy = Value(a.kind)
                nodes.append(Op((copy,), "copied", (a,)))
                a = copy
            fields.append(a)
        if not fields:
            return nodes
        return [*nodes, Op((), "stack_push", (self.handles[stack], *fields))]


def _is_buffer(kind: Kind) -> bool:
    return isinstance(kind, Array | ListOf)


def _plain(kind: Kind) -> Kind:
    match kind:
        case ListOf(elem) if elem is not None:
            return ListOf(_plain(elem))
        case Tuple(items):
            return Tuple(tuple(map(_plain, items)), kind.cls)
        case _:
            return INT if kind == SAVED else kind
