"""What recursion saves: on stacks that the caller passes.

In: a module with forward/reverse pairs, where a forward function returns a tuple of what it saved
and the tuples of its own inner calls are among that. Out: the same module in which every pair has
a stack: the forward function pushes what it saves when it ends, the reverse function pops it when
it begins. Nested tuples of any depth have no type that Numba could infer; a list of flat ones
has::

    return out, (a, saved)   ->   stack.append(a); return out

Calls are reversed in reverse order, so the last pushed is the first wanted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ...analysis.storage import Overwritten
from ...ir.kinds import INT, SAVED, Kind, ListOf, Num, Opaque, Tuple
from ...ir.nodes import (
    Atom,
    Call,
    Const,
    For,
    Function,
    If,
    Module,
    Node,
    Op,
    Region,
    Value,
    While,
    walk,
)
from ...rules.declare import define
from ...rules.registry import has_primitive

__all__ = ["stack_saves"]


def _no_run(*_: object, **__: object) -> None:
    raise NotImplementedError("stacks of recursive functions exist in emitted text only")


for _name in ("new", "push", "pop"):
    if not has_primitive(f"stack_{_name}"):
        define(
            f"stack_{_name}", _no_run, "*xs", lambda args, attrs: (), effect="draws", answers_to=()
        )

#: A stack is handed on, never looked into: for the backend it holds no memory.
_STACK = Opaque(type(Ellipsis))


@dataclass(frozen=True, slots=True)
class _Pair:
    """The forward function that packs, the reverse function that unpacks, and what."""

    forward: str
    reverse: str
    kinds: tuple[Kind, ...]
    places: tuple[int, ...]


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
            places = tuple(n for n, a in enumerate(op.args) if a.kind != SAVED)
            kinds = tuple(op.args[n].kind for n in places)
            pairs.append(_Pair(forward, reverse, kinds, places))
    return pairs if len(pairs) == len(packers) == len(readers) else []


def _function(module: Module, f: Function, pairs: Sequence[_Pair]) -> Function:
    change = _Change(module, f, pairs)
    paired = {name for p in pairs for name in (p.forward, p.reverse)}
    params = tuple(map(change.value, f.params))
    if f.name in paired:
        body = change.region(f.body)
        # What a buffer's new version is called moves with the results; the stacks come last.
        return replace(f, params=(*params, *change.stacks), body=body)
    body = change.region(f.body)
    if f is not module.entry and not any(isinstance(n, Call) for n in walk(f.body)):
        return replace(f, params=params, body=body)
    made = tuple(
        Op((s,), "stack_new", (), {"kinds": p.kinds})
        for s, p in zip(change.stacks, pairs, strict=True)
    )
    return replace(f, params=params, body=Region(body.params, (*made, *body.ops), body.yields))


class _Change:
    """Writes one function with its stacks; what was a saved tuple is the number 0."""

    def __init__(self, module: Module, f: Function, pairs: Sequence[_Pair]) -> None:
        self.paired = {name for p in pairs for name in (p.forward, p.reverse)}
        self.forward = next((p for p in pairs if p.forward == f.name), None)
        self.reverse = next((p for p in pairs if p.reverse == f.name), None)
        self.number = {id(p): n for n, p in enumerate(pairs)}
        self.stacks = tuple(Value(_STACK, "stack") for _ in pairs)
        self.known: dict[Value, Atom] = {}
        self.overwritten = Overwritten(f.body)
        self.saved = f.params[0] if self.reverse is not None else None
        self.fields: dict[int, Value] = {}

    def value(self, v: Value) -> Value:
        kind = _plain(v.kind)
        if kind == v.kind:
            return v
        new = Value(kind, v.name, v.hint)
        self.known[v] = new
        return new

    def values(self, values: Sequence[Value]) -> tuple[Value, ...]:
        return tuple(map(self.value, values))

    def atom(self, a: Atom) -> Atom:
        return self.known.get(a, a) if isinstance(a, Value) else a

    def atoms(self, atoms: Sequence[Atom]) -> tuple[Atom, ...]:
        return tuple(
            Const.of(0) if isinstance(a, Const) and a.kind == SAVED else self.atom(a)
            for a in atoms
        )

    def region(self, r: Region) -> Region:
        params = self.values(r.params)
        ops: list[Node] = []
        if self.saved is not None and not self.fields and self.reverse is not None:
            ops += self.popped(self.reverse)
        for node in r.ops:
            ops += self.node(node)
        return Region(params, tuple(ops), self.atoms(r.yields))

    def popped(self, pair: _Pair) -> list[Node]:
        """What the forward function of this call saved."""
        fields = tuple(Value(kind) for kind in pair.kinds)
        self.fields = dict(zip(pair.places, fields, strict=True))
        self.saved = None
        if not fields:
            return []
        return [Op(fields, "stack_pop", (self.stacks[self.number[id(pair)]],))]

    def node(self, node: Node) -> list[Node]:
        match node:
            case Op():
                return self.op(node)
            case Call():
                args = self.atoms(node.args)
                if node.callee in self.paired:
                    args = (*args, *self.stacks)
                return [replace(node, args=args, results=self.values(node.results))]
            case If():
                then, orelse = self.region(node.then), self.region(node.orelse)
                cond = self.atom(node.cond)
                return [If(self.values(node.results), cond, then, orelse, node.span)]
            case For():
                start, stop, step = self.atoms((node.start, node.stop, node.step))
                init, body = self.atoms(node.init), self.region(node.body)
                results = self.values(node.results)
                return [For(results, start, stop, step, init, body, node.span)]
            case While():
                init = self.atoms(node.init)
                test, body = self.region(node.test), self.region(node.body)
                return [While(self.values(node.results), init, test, body, node.span)]

    def op(self, op: Op) -> list[Node]:
        if op.fn == "tuple" and op.results[0].kind == SAVED:
            return self.pushed(op)
        if op.fn == "item" and op.args[0].kind == SAVED and isinstance(op.args[1], Const):
            field = self.fields.get(op.args[1].value)
            self.known[op.results[0]] = Const.of(0) if field is None else field
            if field is not None and field.name is None:
                object.__setattr__(field, "name", op.results[0].name)
            return []
        return [replace(op, args=self.atoms(op.args), results=self.values(op.results))]

    def pushed(self, op: Op) -> list[Node]:
        pair = self.forward
        assert pair is not None
        self.known[op.results[0]] = Const.of(0)
        nodes: list[Node] = []
        fields = []
        for n in pair.places:
            a = self.atom(op.args[n])
            if op.args[n] in self.overwritten and not isinstance(a.kind, Num):  # type: ignore[operator]
                copy = Value(a.kind)
                nodes.append(Op((copy,), "copied", (a,)))
                a = copy
            fields.append(a)
        if not fields:
            return nodes
        return [*nodes, Op((), "stack_push", (self.stacks[self.number[id(pair)]], *fields))]


def _plain(kind: Kind) -> Kind:
    match kind:
        case ListOf(elem) if elem is not None:
            return ListOf(_plain(elem))
        case Tuple(items):
            return Tuple(tuple(map(_plain, items)), kind.cls)
        case _:
            return INT if kind == SAVED else kind
