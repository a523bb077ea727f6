"""Using a plan: what a side yields for it, and fresh values in its places.

In: a `joins.Plan` and a state. Out: from ``extract`` the atoms that the state has where the plan
has leaves; from ``instantiate`` the state with fresh values, arrays and containers there.

    y: Leaf(float)      extract: [mul x x]      instantiate: y = Val(y1), y1 fresh
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from ..ir.kinds import Array, FixedList, Kind, ListOf, Mixed
from ..ir.nodes import UNDEFINED, Atom, Value
from . import joins
from .contents import NOTHING, Content, Data, Entries, Fields, Items, Stale, Table, children
from .refs import UNASSIGNED, ArrayRef, HeapRef, Lost, Maybe, Ref, Root, TupleRef, Val
from .state import State

ReadRef: TypeAlias = Callable[[Ref], Atom]


def extract(
    plan: joins.Plan, state: State, side: int, read: Callable[[Any, Kind], Atom]
) -> list[Atom]:
    """The atoms that this side (0 or 1) yields: ``read`` makes an atom of a reference.

    ``side`` is -1 for a side that raised: it yields nothing that is defined.
    """
    atoms: list[Atom] = []
    seen: set[int] = set()

    def visit(t: joins.Template, ref: Any) -> None:
        match t:
            case joins.Leaf():
                if (
                    ref is UNASSIGNED
                    or ref is None
                    or ref is NOTHING
                    or isinstance(ref, Lost | Stale)
                ):
                    atoms.append(UNDEFINED)
                else:
                    atoms.append(read(ref, t.kind))
            case joins.FreshArray():
                if t.slot not in seen:
                    seen.add(t.slot)
                    visit(joins.Leaf(t.kind), ref)
            case joins.FreshHeap():
                if t.slot not in seen:
                    seen.add(t.slot)
                    content = state.content(ref.root) if isinstance(ref, HeapRef) else None
                    inner = plan.slots[t.slot].content
                    if inner is not None:
                        visit(inner, content)
            case joins.Many():
                refs: Sequence[Any]
                match ref:
                    case _ if isinstance(t.like, Maybe):
                        absent = ref is UNASSIGNED or ref is None or isinstance(ref, Lost)
                        refs = (UNASSIGNED,) * 2 if absent else joins.parts(ref)
                    case TupleRef():
                        refs = ref.items
                    case Content() if ref is not NOTHING:
                        refs = children(ref)
                    case _:
                        refs = [UNASSIGNED] * len(t.children)
                for child, r in zip(t.children, refs, strict=True):
                    visit(child, r)

    for place, t in plan.places.items():
        if side < 0:
            visit(t, UNASSIGNED)
        elif isinstance(place, Root):
            visit(t, state.heap.get(place))
        else:
            visit(t, state.get(*place))
    return atoms


def instantiate(
    plan: joins.Plan, state: State, fresh: Callable[[Kind, str | None], Value]
) -> list[Value]:
    """Put fresh values for all that the plan names into the state, in the order of `extract`."""
    values: list[Value] = []
    roots: dict[int, Root] = {}

    def value(kind: Kind, name: str | None) -> Value:
        values.append(fresh(kind, name))
        return values[-1]

    def make(t: joins.Template, name: str | None) -> Any:
        match t:
            case joins.Same():
                return t.ref
            case joins.Leaf():
                v = value(t.kind, name)
                return Data(v) if t.data else as_ref(state, v)
            case joins.FreshArray():
                root = roots.get(t.slot)
                if root is None:
                    root = roots[t.slot] = Root(plan.slots[t.slot].label or name)
                    plan.slots[t.slot].root = root
                    state.heap[root] = Data(value(t.kind, plan.slots[t.slot].label or name))
                return ArrayRef(root)
            case joins.FreshHeap():
                root = roots.get(t.slot)
                if root is None:
                    root = roots[t.slot] = Root(plan.slots[t.slot].label or name)
                    root.made = _made(plan.slots[t.slot])
                    inner = plan.slots[t.slot].content
                    assert inner is not None
                    state.heap[root] = make(inner, name)
                return HeapRef(root)
            case joins.Many(like, children):
                keys = list(like.items) if isinstance(like, Entries | Fields) else []
                names = [k if isinstance(k, str) and k.isidentifier() else None for k in keys]
                names = names or [None] * len(children)
                if isinstance(like, Maybe):
                    names = [None if name is None else f"has_{name}", name]
                return rebuild(like, [make(c, n) for c, n in zip(children, names, strict=True)])

    made = [
        (place, make(t, place.label if isinstance(place, Root) else joins.shown(place[1])))
        for place, t in plan.places.items()
    ]
    for place, ref in made:
        if isinstance(place, Root):
            state.heap[place] = ref
        else:
            state.set(*place, ref)
    _share(plan, roots, state)
    return values


def _made(slot: joins.Slot) -> frozenset[Root] | None:
    """The objects that the container is one of, where they are known."""
    found: frozenset[Root] = frozenset()
    for ref in slot.pair:
        if isinstance(ref, HeapRef):
            if ref.root.made is None:
                return None
            found |= ref.root.made
    return found


def _share(plan: joins.Plan, roots: dict[int, Root], state: State) -> None:
    """Fresh roots may share memory with the roots they stand for, and with one another."""
    parts = {
        n: [r.root if isinstance(r, ArrayRef | HeapRef) else None for r in plan.slots[n].pair]
        for n in roots
    }
    shares = dict(state.shares)
    for n, root in roots.items():
        for part in parts[n]:
            if part is not None:
                root.twice = root.twice or part.twice
                for held in (part, *shares.get(part, ())):
                    state.pair(root, held)
        for m, other in roots.items():
            if m < n and any(
                p is not None and q is not None and (p is q or q in shares.get(p, ()))
                for p, q in zip(parts[n], parts[m], strict=True)
            ):
                state.pair(root, other)


def stood_for(plan: joins.Plan) -> frozenset[Root]:
    """The roots that fresh ones stand for."""
    refs = (r for slot in plan.slots for r in slot.pair)
    return frozenset(r.root for r in refs if isinstance(r, ArrayRef | HeapRef))


def rebuild(like: Any, refs: list[Ref]) -> Any:
    """A tuple or a content like this one, of other references."""
    match like:
        case TupleRef():
            return TupleRef(tuple(refs), like.cls)
        case Items():
            return Items(tuple(refs))
        case Entries():
            return Entries(dict(zip(like.items, refs, strict=True)))
        case Maybe():
            here, there = refs
            assert isinstance(here, Val)
            return Maybe(here.atom, there, like.name)
        case Table():
            at, keys, values = refs
            assert isinstance(at, HeapRef)
            assert isinstance(keys, HeapRef)
            assert isinstance(values, HeapRef)
            return Table(at, keys, values, like.default)
        case Fields():
            return Fields(like.cls, dict(zip(like.items, refs, strict=True)))
    raise TypeError(like)


def as_ref(state: State, value: Atom) -> Ref:
    """A reference to a value that nothing else refers to."""
    if isinstance(value.kind, Array | Mixed):
        root = Root(value.name if isinstance(value, Value) else None)
        state.heap[root] = Data(value)
        return ArrayRef(root)
    if isinstance(value.kind, ListOf | FixedList):
        root = Root(value.name if isinstance(value, Value) else None)
        state.heap[root] = Data(value)
        return HeapRef(root)
    return Val(value)


def merge_shares(target: State, *sides: State) -> None:
    """Roots that may share memory on some path may share it afterwards."""
    for side in sides:
        for root, others in side.shares.items():
            target.shares[root] = target.shares.get(root, frozenset()) | others
