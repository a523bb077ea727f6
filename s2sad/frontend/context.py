"""The lowerer: what all parts of the frontend share while they walk a function.

In: references. Out: IR atoms, and nodes appended to the builder. Reading an array reads its
root's present version through its views; writing one makes a new version of the root.

    t = a[1:]; a[1] = 5.0; t[0]      t0 = item a0 1:      a1 = setitem a0 1 5.0
                                     t1 = item a1 1:      item t1 0
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..ir.builder import Builder
from ..ir.kinds import Array, Dict, FixedList, Kind, ListOf, Mixed, Num, Opaque, Record, Tuple
from ..ir.nodes import Atom, If, Value
from . import join_values, joins, optional
from .contents import NOTHING, Content, Data, Stale, children
from .position import Unreachable
from .refs import (
    UNASSIGNED,
    ArrayRef,
    Chosen,
    HeapRef,
    Home,
    Perhaps,
    Ref,
    Root,
    Val,
    View,
)
from .sameness import same_content, same_ref
from .state import State
from .values import Values


class Lowerer(Values):
    """A lowering that also writes memory and joins branches: what all parts are given."""

    # -- memory -------------------------------------------------------------------------------

    def write(self, ref: ArrayRef, new: Atom) -> None:
        """Give the array that ``ref`` leads to new content, through all its views."""
        self.check_writable(ref)
        chosen = self.state.chosen.get(ref.root)
        if chosen is not None:
            first, second = chosen.through(ref.path)
            self.to_chosen(ref, lambda: self.write(first, new), lambda: self.write(second, new))
            return
        content = self.content(ref)
        assert isinstance(content, Data)
        versions = [content.atom]
        for step in ref.path[:-1]:
            versions.append(self.view(versions[-1], step))
        atom = new
        for base, step in zip(reversed(versions), reversed(ref.path), strict=False):
            atom = self.put(base, step, atom, ref.root)
        partners = self.partners(ref.root)
        self.store(ref.root, Data(atom))
        for root, before, view in partners:
            self.state.heap[root] = Data(self.perhaps_written(root, before, view, ref.root))

    def to_chosen(
        self, ref: ArrayRef, first: Callable[[], None], second: Callable[[], None]
    ) -> None:
        """Write to one of the two arrays that ``ref`` is chosen from; it is read anew later."""
        self.branch(self.state.chosen[ref.root].cond, first, second)
        self.state.heap[ref.root] = Stale(self.span(), "")

    def content(self, ref: HeapRef | ArrayRef) -> Any:
        """The content of a root; one of two arrays is looked up in these after a write."""
        chosen = self.state.chosen.get(ref.root)
        if chosen is not None and isinstance(self.state.content(ref.root), Stale):
            found = self.branch(
                chosen.cond,
                lambda: Val(self.read(chosen.first)),
                lambda: Val(self.read(chosen.second)),
            )
            assert found is not None
            self.state.heap[ref.root] = Data(self.atom(found))
        return super().content(ref)

    def kind(self, ref: Ref) -> Kind:
        """The kind of a reference."""
        if isinstance(ref, ArrayRef) and ref.root in self.state.chosen:
            self.content(ref)
        return super().kind(ref)

    def store(self, root: Root, content: Content, *, deep: bool = False) -> None:
        """Write a root; if it is an element of a list that has not changed, the list as well.

        ``deep``: what a container holds may have been written, not just exchanged.
        """
        home = self.state.homes.get(root)
        held = None if home is None else self.state.heap.get(home.root)
        self.state.heap[root] = content
        parts = self.state.roots_of(*children(content))
        known = {r: self.state.content(r) for r in (root, *parts)}
        if deep or isinstance(content, Data) and isinstance(content.atom.kind, Array | Mixed):
            self.state.write(root, content, self.span())
        else:
            self.state.rearrange(root, content, self.span())
        if (
            home is not None
            and isinstance(held, Data)
            and held.atom is home.version
            and not home.root.twice
            and not any(isinstance(c, Stale) for c in known.values())
        ):
            self.state.heap.update(known)
            atom = content.atom if isinstance(content, Data) else self.atom(HeapRef(root))
            new = self.op("setitem", held.atom, home.index, atom, name=home.root.label)
            self.store(home.root, Data(new))
            self.state.heap.update(known)
            self.state.homes[root] = Home(home.root, home.index, new)

    def partners(self, root: Root) -> list[tuple[Root, Atom, Perhaps]]:
        """Roots that share memory with this one if the layout makes a view, and with no other."""
        found = []
        for other in self.state.shares.get(root, ()):
            for child, parent in ((root, other), (other, root)):
                view = self.state.perhaps.get(child)
                content = self.state.heap.get(other)
                if (
                    view is not None
                    and view.base.root is parent
                    and set(self.state.shares.get(child, ())) == {parent}
                    and isinstance(content, Data)
                ):
                    found.append((other, content.atom, view))
        return found

    def perhaps_written(self, other: Root, before: Atom, view: Perhaps, written: Root) -> Atom:
        """The content of ``other`` after a write to what it may be a view of, or a view of it."""
        after = self.state.heap[written]
        assert isinstance(after, Data)

        def changed() -> Ref:
            atom: Atom
            if written is view.base.root:
                atom = self.read(view.base)
                return Val(self.op(view.step.fn, atom, *view.step.args, **dict(view.step.attrs)))
            versions = [before]
            for step in view.base.path:
                versions.append(self.view(versions[-1], step))
            atom = after.atom
            for base, step in zip(
                reversed(versions), (view.step, *reversed(view.base.path)), strict=True
            ):
                atom = self.put(base, step, atom, other)
            return Val(atom)

        found = self.branch(view.cond, changed, lambda: Val(before))
        assert found is not None
        return self.atom(found)

    def put(self, base: Atom, step: View, new: Atom, root: Root) -> Atom:
        """``base`` with the part that ``step`` views replaced by ``new``."""
        name = getattr(base, "name", None)
        attrs = dict(step.attrs)
        match step.fn:
            case "item":
                return self.op("setitem", base, step.args[0], new, name=name)
            case "np.transpose":
                axes = attrs.get("axes")
                if axes is not None and step.args == ():
                    inverse = [0] * len(axes)
                    for n, axis in enumerate(axes):
                        inverse[axis % len(axes)] = n
                    return self.op("np.transpose", new, name=name, axes=tuple(inverse))
                if not attrs:
                    return self.op("np.transpose", new, name=name)
            case "np.swapaxes":
                return self.op("np.swapaxes", new, *step.args, name=name, **attrs)
            case "np.flip" | "np.flipud" | "np.fliplr" | "np.matrix_transpose":
                return self.op(step.fn, new, *step.args, name=name, **attrs)
            case (
                "np.reshape"
                | "np.ravel"
                | "np.squeeze"
                | "np.expand_dims"
                | "np.atleast_1d"
                | "np.atleast_2d"
                | "np.atleast_3d"
            ):
                shape = self.op("shape", base)
                return self.op("np.reshape", new, shape, name=name)
        self.fail(
            f"writing through {step.fn.removeprefix('np.')} of an array is not supported",
            "write to the array itself, or make a copy with .copy()",
        )

    def check_writable(self, ref: ArrayRef | HeapRef) -> None:
        if ref.root.frozen:
            self.fail(ref.root.frozen, "make a copy first, and write to the copy")
        for root in (ref.root, *self.state.shares.get(ref.root, ())):
            if root.param is not None:
                self.mutated.add(root.param)
            elif root.frozen:
                self.fail(root.frozen, "make a copy first, and write to the copy")

    def set_content(self, ref: HeapRef, content: Any, *, deep: bool = False) -> None:
        """Give a container new content."""
        self.check_writable(ref)
        self.store(ref.root, content, deep=deep)

    # -- branches -----------------------------------------------------------------------------

    def branch(
        self, cond: Atom, then: Callable[[], Ref | None], orelse: Callable[[], Ref | None]
    ) -> Ref | None:
        """Lower both sides and join them; the reference they leave, if they leave one."""
        base, span, frame = self.state, self.b.span, self.frame
        slot = f"$v{self.fresh_id()}"
        sides: list[tuple[list[Any], State]] = []
        before = self.b.nodes
        for side, value in ((then, True), (orelse, False)):
            self.state = base.copy()
            narrowed = optional.narrow(self.state, before, self.b.definition, cond, value)
            with self.b.region() as nodes:
                try:
                    ref = side()
                except Unreachable:
                    ref, self.frame = None, frame
                optional.widen(self.state, narrowed)
                if ref is not None:
                    self.state.set(frame, slot, ref)
            self.b.span = span
            sides.append((nodes, self.state))
        (then_nodes, s0), (else_nodes, s1) = sides
        if s0.raised and s1.raised:
            self.b.append(
                If((), cond, Builder.close(then_nodes, ()), Builder.close(else_nodes, ()), span)
            )
            self.state = base.copy()
            self.state.raised = True
            return None
        yields, results = self.join(base, s0, s1, then_nodes, else_nodes, cond)
        self.b.append(
            If(
                tuple(results),
                cond,
                Builder.close(then_nodes, yields[0]),
                Builder.close(else_nodes, yields[1]),
                span,
            )
        )
        return self.state.frames[frame].pop(slot, None)

    def join(
        self,
        base: State,
        s0: State,
        s1: State,
        nodes0: list[Any],
        nodes1: list[Any],
        cond: Atom,
    ) -> tuple[list[list[Atom]], list[Value]]:
        """Make the state after a branch; the atoms both regions yield, and the results."""
        one_sided = s0.raised or s1.raised
        if s0.raised:
            s0 = masked(base, s1)
            side0, side1 = -1, 1
        elif s1.raised:
            s1 = masked(base, s0)
            side0, side1 = 0, -1
        else:
            side0, side1 = 0, 1
        plan = joins.make_plan(s0, s1, one_sided=one_sided)
        yields: list[list[Atom]] = []
        for state, nodes, side in ((s0, nodes0, side0), (s1, nodes1, side1)):
            self.state = state
            outer, self.b.nodes = self.b.nodes, nodes
            try:
                yields.append(join_values.extract(plan, state, side, self.read_any))
            finally:
                self.b.nodes = outer
        self.state = base.copy()
        join_values.merge_shares(self.state, s0, s1)
        for root in self.state.heap:
            if root not in plan.places:  # the same on both sides, though perhaps not as before
                self.state.heap[root] = s0.heap[root]
        # what neither side changed differently from the other may still differ from the base
        for f in self.state.frames:
            v0, v1 = s0.frames.get(f, {}), s1.frames.get(f, {})
            self.state.frames[f] = {n: v0[n] for n in v0 if n in v1} | {
                n: r for v in (v0, v1) for n, r in v.items() if (f, n) in plan.places
            }
        results = join_values.instantiate(plan, self.state, Value)
        self.note_choices(plan, cond)
        return yields, results

    def note_choices(self, plan: joins.Plan, cond: Atom) -> None:
        """Remember which arrays a fresh root is chosen from, where these are still there."""
        for slot in plan.slots:
            a, b = slot.pair
            if (
                slot.root is not None
                and isinstance(a, ArrayRef)
                and isinstance(b, ArrayRef)
                and self.state.has(a.root)
                and self.state.has(b.root)
            ):
                self.state.chosen[slot.root] = Chosen(cond, a, b)

    def read_any(self, ref: Any, kind: Kind) -> Atom:
        """The atom of a reference or of a content, as a value that can be ``kind``."""
        if isinstance(ref, Ref):
            return self.atom(ref)
        return self.materialise(ref)


def masked(base: State, other: State) -> State:
    """The state of a side that raised: nothing that the other side changed has a value there."""
    state = base.copy()
    for frame, names in other.frames.items():
        if frame not in base.frames:
            continue
        mine = state.frames[frame]
        for name, ref in names.items():
            if not same_ref(mine.get(name, UNASSIGNED), ref):
                mine[name] = UNASSIGNED
    for root, content in other.heap.items():
        if root in state.heap and not same_content(state.heap[root], content):
            state.heap[root] = NOTHING
    return state


def python_type(kind: Kind) -> type | None:
    """The Python class of values of this kind, where there is just one."""
    match kind:
        case Num(dtype, weak):
            if weak:
                return {"bool": bool, "int64": int, "float64": float, "complex128": complex}[dtype]
            if weak is False:
                import numpy as np

                return np.dtype(dtype).type
        case Array():
            import numpy as np

            return np.ndarray
        case Tuple(_, cls):
            return cls or tuple
        case ListOf() | FixedList():
            return list
        case Dict():
            return dict
        case Record(cls, _) | Opaque(cls):
            return cls
    return None
