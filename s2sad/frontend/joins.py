"""Joining states where control flow meets: which names and roots differ, and as what they go on.

In: two states. Out: a `Plan`, one template per name or root that differs. A template says how the
two references are described by one: the same, a value of a joined kind, an array under a fresh
root, a tuple of templates, a container, or lost. What a side yields for a plan, and the fresh
values in their place, are made in `join_values`.

    if c: y = x * x          y: Leaf(float), then yields [mul x x], else yields [x]
    else: y = x
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, TypeAlias

from ..ir.kinds import NONE, Kind, forget_sizes, join
from ..ir.nodes import FALSE, TRUE, Value
from . import ref_kinds
from .contents import (
    NOTHING,
    Consumed,
    Content,
    Data,
    Entries,
    Fields,
    Items,
    Stale,
    Table,
    children,
)
from .refs import (
    UNASSIGNED,
    ArrayRef,
    Frame,
    FuncRef,
    HeapRef,
    Lost,
    Maybe,
    Ref,
    Root,
    Static,
    TupleRef,
    Val,
    atom_key,
)
from .sameness import same_content, same_ref
from .state import State

Place: TypeAlias = "tuple[Frame, str] | Root"


class Template:
    """Base of all templates."""

    __slots__ = ()


@dataclass(frozen=True, slots=True, eq=False)
class Same(Template):
    """The same on both sides (or lost)."""

    ref: Any


@dataclass(frozen=True, slots=True, eq=False)
class Leaf(Template):
    """A value; as content of a root, a version (``data``)."""

    kind: Kind
    data: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class FreshArray(Template):
    """An array that is one of several: a fresh root, ``slot`` in the plan's table."""

    kind: Kind
    slot: int


@dataclass(frozen=True, slots=True, eq=False)
class FreshHeap(Template):
    """A container that is one of several; its content's template is in the plan's table."""

    slot: int


@dataclass(frozen=True, slots=True, eq=False)
class Many(Template):
    """A tuple, list, dict or object: ``like`` rebuilds it from its children."""

    like: Any
    children: tuple[Template, ...]


@dataclass(slots=True)
class Slot:
    """A fresh root: the two references it stands for, and the template of its content."""

    pair: tuple[Ref, Ref]
    content: Template | None
    label: str | None
    root: Root | None = None


class Plan:
    """Templates by place, and the fresh roots they use."""

    def __init__(self) -> None:
        self.places: dict[Place, Template] = {}
        self.slots: list[Slot] = []
        self.memo: dict[Any, int] = {}


# -- making a plan -------------------------------------------------------------------------------


def make_plan(
    a: State, b: State, force: Collection[Place] = (), *, one_sided: bool = False
) -> Plan:
    """What differs between two states, and ``force`` even where it doesn't.

    Frames of only one of them have ended. ``one_sided``: one of them raised, so what is not
    assigned there is what the other says.
    """
    plan = Plan()
    maker = _Maker(plan, a, b, one_sided)
    for frame in a.frames:
        if frame not in b.frames:
            continue
        va, vb = a.frames[frame], b.frames[frame]
        if va is vb:
            continue
        for name in [*va, *(n for n in vb if n not in va)]:
            ra, rb = va.get(name, UNASSIGNED), vb.get(name, UNASSIGNED)
            if not same_ref(ra, rb):
                plan.places[frame, name] = maker.refs(ra, rb, shown(name))
            elif (frame, name) in force:
                if isinstance(ra, Val):
                    plan.places[frame, name] = Leaf(ra.kind)
                elif isinstance(ra, ArrayRef):
                    plan.places[frame, name] = maker.array(ra, rb, name)
    for root in a.heap:
        if root in b.heap and not same_content(a.heap[root], b.heap[root]):
            plan.places[root] = maker.contents(a.heap[root], b.heap[root])
        elif root in force and root in b.heap:
            content = a.heap[root]
            if isinstance(content, Data):
                plan.places[root] = Leaf(content.atom.kind, data=True)
    return plan


class _Maker:
    def __init__(self, plan: Plan, a: State, b: State, one_sided: bool) -> None:
        self.plan, self.a, self.b, self.one_sided = plan, a, b, one_sided

    def refs(self, ra: Ref, rb: Ref, name: str | None = None) -> Template:
        if same_ref(ra, rb) and not self._ended(ra):
            return Same(ra)
        if self.one_sided and UNASSIGNED in (ra, rb):
            other = rb if ra is UNASSIGNED else ra
            if not needs_value(other, self.a):
                return Same(other)
        match ra, rb:
            case (Lost(quiet=True), _) | (_, Lost(quiet=True)):
                # A statement was refused: the other side is as good a guess as any for now.
                other = rb if isinstance(ra, Lost) else ra
                return Leaf(other.kind) if isinstance(other, Val) else Same(other)
            case Lost(), _:
                return Same(ra)
            case _, Lost():
                return Same(rb)
            case _ if _may_be_none(ra, rb):
                return self._optional(ra, rb, name)
            case (Val(), Val()):
                return Leaf(_joined(ra.kind, rb.kind))
            case (Val(), _) if rb is UNASSIGNED:
                return Leaf(ra.kind)
            case (_, Val()) if ra is UNASSIGNED:
                return Leaf(rb.kind)
            case (ArrayRef() | Val(), ArrayRef() | Val()):
                return self.array(ra, rb, name)
            case (ArrayRef(), _) | (_, ArrayRef()) if UNASSIGNED in (ra, rb):
                return self.array(ra, rb, name)
            case TupleRef(), TupleRef() if len(ra.items) == len(rb.items) and ra.cls is rb.cls:
                return Many(ra, tuple(map(self.refs, ra.items, rb.items)))
            case (TupleRef(), _) if rb is UNASSIGNED:
                return Many(ra, tuple(self.refs(r, UNASSIGNED) for r in ra.items))
            case (_, TupleRef()) if ra is UNASSIGNED:
                return Many(rb, tuple(self.refs(UNASSIGNED, r) for r in rb.items))
            case HeapRef(), HeapRef():
                return self._heap(ra, rb, name)
            case (HeapRef(), _) | (_, HeapRef()) if UNASSIGNED in (ra, rb):
                return self._heap(ra, rb, name)
            case _:
                return Same(_lost(ra, rb, name))

    def _optional(self, ra: Ref, rb: Ref, name: str | None) -> Template:
        """Whether something is there, and what."""
        (here_a, there_a), (here_b, there_b) = parts(ra), parts(rb)
        there = self.refs(there_a, there_b, name)
        if isinstance(there, Same):
            return there if isinstance(there.ref, Lost) else Same(_lost(ra, rb, name))
        return Many(Maybe(FALSE, UNASSIGNED, name), (self.refs(here_a, here_b), there))

    def _ended(self, ref: Ref) -> bool:
        """Whether a root of the reference is not in both heaps."""
        return isinstance(ref, ArrayRef | HeapRef) and not (
            self.a.has(ref.root) and self.b.has(ref.root)
        )

    def array(self, ra: Ref, rb: Ref, name: str | None) -> Template:
        for state, ref in ((self.a, ra), (self.b, rb)):
            if isinstance(ref, ArrayRef) and state.has(ref.root):
                content = state.content(ref.root)
                if isinstance(content, Stale):
                    return Same(Lost(ref_kinds.stale_text(name, content), ref_kinds.STALE_HELP))
        ka, kb = ref_kinds.array_kind(self.a, ra), ref_kinds.array_kind(self.b, rb)
        kind = _joined(ka, kb)
        return FreshArray(kind, self._slot(ra, rb, name, Leaf(kind, data=True)))

    def _slot(self, ra: Ref, rb: Ref, name: str | None, content: Template | None) -> int:
        key = (_ref_key(ra), _ref_key(rb))
        known = self.plan.memo.get(key)
        if known is None:
            known = self.plan.memo[key] = len(self.plan.slots)
            self.plan.slots.append(Slot((ra, rb), content, name))
        return known

    def _heap(self, ra: Ref, rb: Ref, name: str | None) -> Template:
        known = len(self.plan.slots)
        slot = self._slot(ra, rb, name, None)
        if slot == known:  # a new one
            ca = self.a.content(ra.root) if isinstance(ra, HeapRef) else None
            cb = self.b.content(rb.root) if isinstance(rb, HeapRef) else None
            self.plan.slots[slot].content = self.contents(ca, cb)
        return FreshHeap(slot)

    def contents(self, ca: Content | None, cb: Content | None) -> Template:
        """The template of a root's content; None where a side has none."""
        ca, cb = (None if c is NOTHING else c for c in (ca, cb))
        match ca, cb:
            case (Stale(), _) | (_, None) if isinstance(ca, Stale):
                return Same(ca)
            case _, Stale():
                return Same(cb)
            case (Data(), Data()):
                return Leaf(_joined(ca.atom.kind, cb.atom.kind), data=True)
            case (Data(), None):
                return Leaf(ca.atom.kind, data=True)
            case (None, Data()):
                return Leaf(cb.atom.kind, data=True)
            case (Items(), Items()) if len(ca.items) == len(cb.items):
                return Many(ca, tuple(map(self.refs, ca.items, cb.items)))
            case (Items() | Data(), Items() | Data()):
                kind = join(ref_kinds.list_kind(self.a, ca), ref_kinds.list_kind(self.b, cb))
                return Leaf(kind, data=True)
            case (Entries(), Entries()) if list(ca.items) == list(cb.items):
                return Many(ca, tuple(map(self.refs, ca.items.values(), cb.items.values())))
            case (Fields(), Fields()) if ca.cls is cb.cls and list(ca.items) == list(cb.items):
                return Many(ca, tuple(map(self.refs, ca.items.values(), cb.items.values())))
            case (Table(), Table()):
                pairs = zip(children(ca), children(cb), strict=True)
                return Many(ca, tuple(self.refs(x, y) for x, y in pairs))
            case (Items() | Entries() | Fields() | Table(), None):
                return Many(ca, tuple(self.refs(r, UNASSIGNED) for r in children(ca)))
            case (None, Items() | Entries() | Fields() | Table()):
                return Many(cb, tuple(self.refs(UNASSIGNED, r) for r in children(cb)))
            case Consumed(), _:
                return Same(Consumed(True))
            case _:
                return Same(Stale(None, OTHER_KEYS))


OTHER_KEYS = "it has different keys on different paths"


def needs_value(ref: Ref, base: State) -> bool:
    """Whether a reference leads to values or roots of one region only."""
    from .inner import inner_of

    match ref:
        case Val():
            return isinstance(ref.atom, Value)
        case Static():
            within = inner_of(ref.obj)
            return within is not None and needs_value(within.func, base)
        case Lost():
            return False
        case FuncRef():
            given = (*ref.defaults, *ref.kwdefaults.values())
            return ref.frame not in base.frames or any(needs_value(r, base) for r in given)
        case TupleRef():
            return any(needs_value(r, base) for r in ref.items)
        case _:
            return True


def is_none(ref: Ref) -> bool:
    """Whether a reference is known to be None."""
    return isinstance(ref, Val) and ref.kind == NONE


def parts(ref: Ref) -> tuple[Ref, Ref]:
    """Whether something is there, and what."""
    if isinstance(ref, Maybe):
        return Val(ref.here), ref.ref
    return (Val(FALSE), UNASSIGNED) if is_none(ref) else (Val(TRUE), ref)


def _may_be_none(ra: Ref, rb: Ref) -> bool:
    """Whether one of the two is or may be None, and the other is or may be something else."""
    if UNASSIGNED in (ra, rb):
        return isinstance(ra, Maybe) or isinstance(rb, Maybe)
    return isinstance(ra, Maybe) or isinstance(rb, Maybe) or is_none(ra) != is_none(rb)


def _joined(a: Kind, b: Kind) -> Kind:
    return join(a, b)


def _ref_key(ref: Ref) -> Any:
    match ref:
        case ArrayRef():
            return (ref.root, ref.path)
        case HeapRef():
            return (ref.root,)
        case Val():
            return atom_key(ref.atom)
        case _:
            return None


def _lost(ra: Ref, rb: Ref, name: str | None) -> Lost:
    what = f"'{name}'" if name else "this"
    if UNASSIGNED in (ra, rb):
        return Lost(f"{what} may not be assigned here", "assign it on every path")
    if isinstance(ra, TupleRef) and isinstance(rb, TupleRef):
        return Lost(
            f"{what} is a tuple of different lengths on different paths",
            "use a list, and append to it",
        )
    return Lost(
        f"{what} is something different on different paths",
        "use two names, or make it the same kind of thing on every path",
    )


# -- covering ------------------------------------------------------------------------------------


def widened(old: Plan, new: Plan, *, forget: bool) -> tuple[Plan, bool]:
    """``new`` with every kind joined with that of ``old``; True if ``old`` covered it all."""
    covered = True
    for place, t_new in list(new.places.items()):
        t_old = old.places.get(place)
        if t_old is None:
            covered = False
            continue
        t, ok = _widen(old, t_old, new, t_new, forget)
        new.places[place] = t
        covered = covered and ok
    return new, covered


def _widen(old: Plan, a: Template, new: Plan, b: Template, forget: bool) -> tuple[Template, bool]:
    match a, b:
        case Same(), Same():
            return b, True
        case Leaf(), Leaf():
            kind = _wide(a.kind, b.kind, forget)
            return Leaf(kind, b.data), kind == a.kind
        case FreshArray(), FreshArray():
            kind = _wide(a.kind, b.kind, forget)
            new.slots[b.slot].content = Leaf(kind, data=True)
            return FreshArray(kind, b.slot), kind == a.kind
        case FreshHeap(), FreshHeap():
            ca, cb = old.slots[a.slot].content, new.slots[b.slot].content
            if ca is None or cb is None:
                return b, True
            content, ok = _widen(old, ca, new, cb, forget)
            new.slots[b.slot].content = content
            return b, ok
        case Many(), Many() if len(a.children) == len(b.children) and type(a.like) is type(b.like):
            pairs = [
                _widen(old, x, new, y, forget) for x, y in zip(a.children, b.children, strict=True)
            ]
            return Many(b.like, tuple(t for t, _ in pairs)), all(ok for _, ok in pairs)
        case _, Leaf():
            return b, False
        case Leaf(), _ if a.data and isinstance(b, Many):
            return a, True  # a list that once grew stays a list of any length
        case _:
            return b, False


def _wide(a: Kind, b: Kind, forget: bool) -> Kind:
    kind = join(a, b)
    return forget_sizes(kind) if forget and kind != a else kind


def shown(name: str) -> str | None:
    """The name for values: flags and temporaries of the frontend have none."""
    return None if name.startswith("$") else name
