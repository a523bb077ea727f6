"""The state of lowering: what every name refers to and what every root holds.

In: writes as the program makes them. Out: the present version of everything. A state is copied
where control flow parts and joined by `joins` where it meets again.

    a[0] = 5.0    heap[root of a]: Data(a0) -> Data(a1), with a1 = setitem(a0, 0, 5.0)

``shares`` holds pairs of roots that *may* share memory (one of two arrays chosen by a branch, an
array appended to a list). Writing one of such a pair makes the other stale; reading what is stale
is refused. So an ambiguity costs nothing until a program can observe it.
"""

from __future__ import annotations

from typing import Any

from ..errors import Span
from ..ir.kinds import (
    Array,
    FixedList,
    Kind,
    ListOf,
    Mixed,
    Num,
    Opaque,
    Tuple,
    Unknown,
    loosen,
)
from ..ir.nodes import Atom
from .contents import Content, Data, Stale, children
from .refs import UNASSIGNED, ArrayRef, Chosen, Frame, HeapRef, Home, Perhaps, Ref, Root, TupleRef


class State:
    """Variables of every live frame, contents of roots, and the views read so far."""

    __slots__ = (
        "chosen",
        "frames",
        "ground",
        "heap",
        "held",
        "homes",
        "perhaps",
        "raised",
        "shares",
        "sure",
        "views",
    )

    def __init__(self, ground: dict[Root, Content] | None = None) -> None:
        #: captured data, which is never written; shared by all copies
        self.ground: dict[Root, Content] = {} if ground is None else ground
        self.frames: dict[Frame, dict[str, Ref]] = {}
        self.heap: dict[Root, Content] = {}
        self.shares: dict[Root, frozenset[Root]] = {}
        #: roots that the plans of loops around this point stand for
        self.held: frozenset[Root] = frozenset()
        #: roots that are views or copies, as the layout will have it
        self.perhaps: dict[Root, Perhaps] = {}
        #: roots that are one of two arrays: what is written there is written to one of these
        self.chosen: dict[Root, Chosen] = {}
        #: roots that are elements of a list
        self.homes: dict[Root, Home] = {}
        #: bools that are true wherever this state is reached
        self.sure: frozenset[Atom] = frozenset()
        #: (version of the root, path) -> the value read, valid where it was computed
        self.views: dict[Any, Atom] = {}
        #: left by raising: nothing after this point runs
        self.raised = False

    def copy(self) -> State:
        new = State(self.ground)
        new.frames = {f: dict(v) for f, v in self.frames.items()}
        new.heap = dict(self.heap)
        new.shares = dict(self.shares)
        new.held = self.held
        new.homes = dict(self.homes)
        new.chosen = dict(self.chosen)
        new.perhaps = dict(self.perhaps)
        new.views = dict(self.views)
        new.sure = self.sure
        new.raised = self.raised
        return new

    def get(self, frame: Frame, name: str) -> Ref:
        return self.frames[frame].get(name, UNASSIGNED)

    def set(self, frame: Frame, name: str, ref: Ref) -> None:
        self.frames[frame][name] = ref

    def share(self, a: Root, b: Root) -> None:
        """From now on a may be, or hold, the memory of b and of whatever b may share it with."""
        for y in (b, *self.shares.get(b, ())):
            self.pair(a, y)

    def pair(self, a: Root, b: Root) -> None:
        """Just these two may share memory."""
        if a is not b:
            self.shares[a] = self.shares.get(a, frozenset()) | {b}
            self.shares[b] = self.shares.get(b, frozenset()) | {a}

    def forget_shares(self) -> None:
        """Drop the pairs of roots that nothing leads to: they came and went in a loop's body.

        What the plans of loops around stand for is ``held``: they ask about it when they close.
        """
        known = {*self.held, *self.chosen, *self.perhaps, *self.homes}
        for choice in self.chosen.values():
            known |= {choice.first.root, choice.second.root}
        known |= {p.base.root for p in self.perhaps.values()}
        known |= {h.root for h in self.homes.values()}
        known |= self.heap.keys() | self.ground.keys()
        self.shares = {r: others & known for r, others in self.shares.items() if r in known}

    def may_share(self, a: Root, b: Root) -> bool:
        return a is b or b in self.shares.get(a, ())

    def write(self, root: Root, content: Content, span: Span | None, why: str = "") -> None:
        """Give a root new content; what may share its memory becomes stale."""
        self.heap[root] = content
        for other in self.shares.get(root, ()):
            if other in self.heap:
                self.heap[other] = Stale(span, why)

    def rearrange(self, root: Root, content: Content, span: Span | None) -> None:
        """Give a container other elements: nobody notices but who may be it, or hold it."""
        self.heap[root] = content
        for other in self.shares.get(root, ()):
            held = self.heap.get(other)
            if held is not None and not _only_held(held, content, apart=root.apart(other)):
                self.heap[other] = Stale(span, "")

    def content(self, root: Root) -> Content:
        """What the root holds now."""
        found = self.heap.get(root)
        return self.ground[root] if found is None else found

    def roots_of(self, *refs: Ref) -> list[Root]:
        """The roots that references lead to, each once, those of containers first."""
        found: dict[Root, None] = {}
        ahead = list(reversed(refs))
        while ahead:
            ref = ahead.pop()
            if isinstance(ref, TupleRef):
                ahead.extend(reversed(ref.items))
            elif isinstance(ref, ArrayRef | HeapRef) and ref.root not in found:
                found[ref.root] = None
                if self.has(ref.root):
                    ahead.extend(reversed(children(self.content(ref.root))))
        return list(found)

    def has(self, root: Root) -> bool:
        return root in self.heap or root in self.ground


def _only_held(content: Content, by: Content, *, apart: bool) -> bool:
    """True if something with this content can neither be nor hold a container with that one.

    ``apart``: it is known not to be it.
    """
    if not isinstance(content, Data):
        return False
    if not isinstance(by, Data):
        return isinstance(content.atom.kind, Array | Mixed)
    kind, other = content.atom.kind, by.atom.kind
    if apart and isinstance(kind, ListOf):
        return kind.elem is not None and not _may_hold(kind.elem, other)
    return not _may_hold(kind, other)


def _may_hold(kind: Kind, other: Kind) -> bool:
    """Whether a value of one kind may be, or hold, one of the other kind."""
    match kind:
        case Num() | Array() | Mixed() | Opaque():
            return False
        case ListOf(elem):
            return _may_be(kind, other) or elem is None or _may_hold(elem, other)
        case FixedList(items) | Tuple(items):
            return _may_be(kind, other) or any(_may_hold(k, other) for k in items)
    return True


def _may_be(a: Kind, b: Kind) -> bool:
    lists = (ListOf, FixedList)
    if isinstance(a, lists) and isinstance(b, lists):
        a, b = loosen(a), loosen(b)
        return a.elem is None or b.elem is None or _may_be(a.elem, b.elem)
    if isinstance(a, Num | Array | Mixed) and isinstance(b, Num | Array | Mixed):
        return True
    return type(a) is type(b) or isinstance(a, Unknown) or isinstance(b, Unknown)
