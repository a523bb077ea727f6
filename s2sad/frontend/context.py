"""The lowerer: what all parts of the frontend share while they walk a function.

In: references. Out: IR atoms, and nodes appended to the builder. Reading an array reads its
root's present version through its views; writing one makes a new version of the root.

    t = a[1:]; a[1] = 5.0; t[0]      t0 = item a0 1:      a1 = setitem a0 1 5.0
                                     t1 = item a1 1:      item t1 0
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NoReturn

from ..errors import Problem, Span
from ..ir.builder import Builder
from ..ir.kinds import (
    Array,
    Dict,
    FixedList,
    Kind,
    ListOf,
    Mixed,
    Num,
    Opaque,
    Record,
    Tuple,
    Unknown,
    kind_of,
)
from ..ir.nodes import Atom, Const, If, Value
from ..rules.registry import KindError, primitive
from . import join_values, joins, ref_kinds
from .captures import Captures
from .refs import (
    NOTHING,
    UNASSIGNED,
    ArrayRef,
    Content,
    Data,
    Entries,
    Fields,
    Frame,
    HeapRef,
    Home,
    Items,
    Lost,
    Perhaps,
    Ref,
    Root,
    Stale,
    Static,
    TupleRef,
    Val,
    View,
    same_content,
    same_ref,
)
from .source import span_of
from .state import State


class Refuse(Exception):
    """One problem, raised where it is found and noted at the end of the statement."""

    def __init__(self, problem: Problem | None) -> None:
        super().__init__(problem)
        self.problem = problem


_UNKNOWN_HELP = (
    "it must be a number or an array on every path (None is neither); "
    "a function that s2sad does not know needs a rule"
)
#: Functions whose results are contiguous, in C order.
_C_ORDER = {"np.zeros", "np.ones", "np.empty", "np.full", "np.arange", "np.linspace", "np.eye",
            "np.identity", "np.outer", "np.array", "copy"}  # fmt: skip
_ELEMENTWISE = {"add", "sub", "mul", "div", "pow", "floordiv", "mod", "neg", "pos"}


class Unreachable(Exception):
    """What is being lowered is never reached: it stands after something that always raises."""


class NeedsUnrolling(Exception):
    """A loop's index chooses among unlike things: the loop must be unrolled, or is refused."""

    def __init__(self, refuse: Refuse) -> None:
        super().__init__()
        self.refuse = refuse


class Lowerer:
    """State, builder and position of one lowering."""

    def __init__(self, captures: Captures) -> None:
        self.b = Builder(tidy=False)
        self.captures = captures
        self.state = State(captures.ground)
        self.problems: list[Problem] = []
        #: roots of parameters that are written, by parameter
        self.mutated: set[int] = set()
        self.frame: Frame = None  # type: ignore[assignment]
        #: functions being inlined, outermost first
        self.stack: list[Any] = []
        self.loops: list[int] = []
        self.node: ast.AST | None = None
        self.counter = 0
        self.unrollable = 0
        #: inside a constructor, where fields of frozen dataclasses may be set
        self.building = False
        #: names declared nonlocal, by frame
        self.outer_names: dict[Frame, set[str]] = {}
        #: arrays known to be contiguous, in C order
        self.contiguous: set[Value] = set()
        #: arrays among the arguments
        self.given: set[Atom] = set()
        #: functions that call themselves, and what has been made of them
        self.recursive: set[Any] = set()
        self.specs: list[Any] = []

    # -- refusing -----------------------------------------------------------------------------

    def span(self, node: ast.AST | None = None) -> Span | None:
        node = node if node is not None else self.node
        if node is None or self.frame is None:
            return self.b.span
        return span_of(node, self.frame.source)

    def refuse(self, message: str, help: str = "", node: ast.AST | None = None) -> Refuse:
        return Refuse(Problem(message, self.span(node), help))

    def fail(self, message: str, help: str = "", node: ast.AST | None = None) -> NoReturn:
        raise self.refuse(message, help, node)

    @contextmanager
    def at(self, node: ast.AST) -> Iterator[None]:
        """Problems found inside are placed at ``node``."""
        outer, self.node = self.node, node
        try:
            yield
        finally:
            self.node = outer

    def fresh_id(self) -> int:
        self.counter += 1
        return self.counter

    # -- values -------------------------------------------------------------------------------

    def op(self, fn: str, *args: Atom, name: str | None = None, **attrs: Any) -> Atom:
        """Append a node with one result."""
        results = self.ops(fn, *args, names=(name,), **attrs)
        return results[0]

    def ops(
        self, fn: str, *args: Atom, names: Sequence[str | None] = (), **attrs: Any
    ) -> tuple[Value, ...]:
        """Append a node with any number of results."""
        try:
            return self.b.ops(fn, *args, names=names, **attrs)
        except KindError as error:
            unknown = any(isinstance(a.kind, Unknown) for a in args)
            message = str(error) or f"'{fn}' does not take these operands"
            raise self.refuse(message, _UNKNOWN_HELP if unknown else "") from None
        except (TypeError, ValueError, IndexError) as error:
            raise self.refuse(f"{error}") from None

    def ref(self, atom: Atom, name: str | None = None) -> Ref:
        """The reference to a value that nothing else refers to; structure becomes references."""
        kind = atom.kind
        match kind:
            case Array() | Mixed():
                root = Root(name or getattr(atom, "name", None), contiguous=self.in_c_order(atom))
                self.state.heap[root] = Data(atom)
                return ArrayRef(root)
            case ListOf():
                root = Root(name or getattr(atom, "name", None))
                self.state.heap[root] = Data(atom)
                return HeapRef(root)
            case Tuple() | FixedList() | Dict() | Record():
                if isinstance(atom, Const):
                    return self.constant(atom.value)
                return self.unpack(atom, name)
            case _:
                return Val(atom)

    def in_c_order(self, atom: Atom) -> bool:
        """Whether an array that was just made is known to be contiguous, in C order."""
        node = self.b.definition.get(atom) if isinstance(atom, Value) else None
        if node is None or not isinstance(atom.kind, Array):
            return False
        record = primitive(node.fn)
        if record.view_of is not None or record.writes is not None:
            return False
        if node.fn == "np.array" and isinstance(node.args[0].kind, Array):
            order = node.attrs.get("order", "K")  # that of the operand
            known = bool(order == "C") or order == "K" and node.args[0] in self.contiguous
        elif node.fn in _C_ORDER or atom.kind.rank == 1:
            known = bool(node.attrs.get("order", "C") == "C")
        elif node.fn in _ELEMENTWISE or record.partials is not None:
            known = all(
                a in self.contiguous or not isinstance(a.kind, Array) or a.kind.rank == 1
                for a in node.args
                if isinstance(a, Value)
            )
        else:
            known = False
        if known and isinstance(atom, Value):
            self.contiguous.add(atom)
        return known

    def unpack(self, atom: Atom, name: str | None = None) -> Ref:
        """References to the parts of a value of known structure."""
        match atom.kind:
            case Tuple(items, cls):
                parts = [self.ref(self.op("item", atom, Const.of(n))) for n in range(len(items))]
                return TupleRef(tuple(parts), cls)
            case FixedList(items):
                parts = [self.ref(self.op("item", atom, Const.of(n))) for n in range(len(items))]
                return self.new(Items(tuple(parts)), name)
            case Dict(entries):
                found = {k: self.ref(self.op("item", atom, Const.of(k))) for k, _ in entries}
                return self.new(Entries(found), name)
            case Record(cls, fields):
                attrs = {n: self.ref(self.attr(atom, n)) for n, _ in fields}
                return self.new(Fields(cls, attrs), name)
        raise TypeError(atom.kind)

    def attr(self, atom: Atom, name: str) -> Atom:
        """``attr(atom, name=...)``: its attribute is called as the hint for results is."""
        from ..ir.nodes import Op

        attrs = {"name": name}
        kind = primitive("attr").kind((atom,), attrs)
        assert isinstance(kind, Kind)
        result = Value(kind, name)
        self.b.append(Op((result,), "attr", (atom,), attrs, self.b.span))
        return result

    def new(self, content: Any, label: str | None = None) -> HeapRef:
        root = Root(label)
        self.state.heap[root] = content
        return HeapRef(root)

    def constant(self, value: Any) -> Ref:
        """The reference to a constant of the program's text."""
        if type(value) is tuple:
            return TupleRef(tuple(map(self.constant, value)))
        return Val(Const.of(value))

    def known(self, ref: Ref) -> bool:
        """Whether the value is known now."""
        match ref:
            case Val():
                return isinstance(ref.atom, Const)
            case Static():
                return True
            case TupleRef():
                return all(map(self.known, ref.items))
            case HeapRef():
                content = self.state.content(ref.root)
                match content:
                    case Items():
                        return all(map(self.known, content.items))
                    case Entries():
                        return all(map(self.known, content.items.values()))
            case ArrayRef():
                content = self.state.content(ref.root)
                return (
                    not ref.path and isinstance(content, Data) and isinstance(content.atom, Const)
                )
        return False

    def value(self, ref: Ref) -> Any:
        """The Python object of a reference that is `known`."""
        match ref:
            case Val(atom) if isinstance(atom, Const):
                return atom.value
            case Static():
                return ref.obj
            case TupleRef():
                parts = tuple(map(self.value, ref.items))
                return parts if ref.cls is None else ref.cls(*parts)
            case HeapRef():
                content = self.state.content(ref.root)
                match content:
                    case Items():
                        return list(map(self.value, content.items))
                    case Entries():
                        return {k: self.value(v) for k, v in content.items.items()}
            case ArrayRef():
                content = self.state.content(ref.root)
                if isinstance(content, Data) and isinstance(content.atom, Const):
                    return content.atom.value
        raise TypeError(ref)

    def static(self, ref: Ref, what: str, node: ast.AST | None = None) -> Any:
        """The value, which must be known when the derivative is built.

        Raises `captures.Respecialise` where it is a parameter that can be made part of the key.
        """
        if self.known(ref):
            return self.value(ref)
        todo, seen = self.leaves(ref), set()
        while todo:  # what it is computed from may be made part of the key
            leaf = todo.pop()
            if isinstance(leaf, Value) and leaf not in seen:
                seen.add(leaf)
                self.captures.respecialise(leaf)
                made = self.b.definition.get(leaf)
                if made is not None and isinstance(leaf.kind, Num):
                    todo.extend(made.args)
        if self.unrollable:
            raise NeedsUnrolling(self.refuse(f"{what} must be known now", "", node))
        self.fail(
            f"{what} must be known when the derivative is built",
            "write it as a constant, or pass it as an int, a string or a tuple of ints",
            node,
        )

    def leaves(self, ref: Ref) -> list[Atom]:
        match ref:
            case Val():
                return [ref.atom]
            case TupleRef():
                return [a for r in ref.items for a in self.leaves(r)]
            case HeapRef():
                content = self.state.content(ref.root)
                if isinstance(content, Data):
                    return [content.atom]
                return [a for r in ref_kinds.children(content) for a in self.leaves(r)]
            case ArrayRef():
                content = self.state.content(ref.root)
                return [content.atom] if isinstance(content, Data) else []
        return []

    def atom(self, ref: Ref, node: ast.AST | None = None) -> Atom:
        """The IR value of a reference, as it is now."""
        match ref:
            case Val():
                return ref.atom
            case ArrayRef():
                return self.read(ref)
            case TupleRef():
                if self.known(ref) and ref.cls is None:
                    value = self.value(ref)
                    return Const(value, kind_of(value))
                parts = [self.atom(r, node) for r in ref.items]
                if ref.cls is not None:
                    return self.op("record", *parts, cls=ref.cls)
                return self.op("tuple", *parts)
            case HeapRef():
                return self.materialise(self.content(ref), node)
            case Static():
                return Const(ref.obj, kind_of(ref.obj))
            case Lost():
                raise self.lost(ref, node)
            case _ if ref is UNASSIGNED:
                self.fail("this is read before it is assigned", node=node)
            case _:
                from .describe import describe_ref

                refusal = self.refuse(
                    f"{describe_ref(ref)} cannot be used as a value here", node=node
                )
                if self.unrollable:
                    raise NeedsUnrolling(refusal)
                raise refusal

    def materialise(self, content: Any, node: ast.AST | None = None) -> Atom:
        match content:
            case Data():
                return content.atom
            case Items():
                return self.op("list", *[self.atom(r, node) for r in content.items])
            case Entries():
                parts = [self.atom(r, node) for r in content.items.values()]
                return self.op("dict", *parts, keys=tuple(content.items))
            case Fields():
                parts = [self.atom(r, node) for r in content.items.values()]
                return self.op("record", *parts, cls=content.cls, fields=tuple(content.items))
        self.fail("this cannot be used as a value here", node=node)

    def lost(self, ref: Lost, node: ast.AST | None = None) -> Refuse:
        return Refuse(None) if ref.quiet else self.refuse(ref.reason, ref.help, node)

    def kind(self, ref: Ref) -> Kind:
        """The kind of a reference, without reading it."""
        return ref_kinds.ref_kind(self.state, ref)

    # -- memory -------------------------------------------------------------------------------

    def content(self, ref: HeapRef | ArrayRef) -> Any:
        """The content of a root; refused where it cannot be told."""
        content = self.state.content(ref.root)
        if isinstance(content, Stale):
            self.fail(ref_kinds.stale_text(ref.root.label, content), ref_kinds.STALE_HELP)
        return content

    def read(self, ref: ArrayRef, name: str | None = None) -> Atom:
        """The array's present value."""
        content = self.content(ref)
        assert isinstance(content, Data)
        atom = content.atom
        for n, step in enumerate(ref.path):
            last = n == len(ref.path) - 1
            atom = self.view(atom, step, name if last else None)
        return atom

    def view(self, atom: Atom, step: View, name: str | None = None) -> Atom:
        key = (atom, step)
        known = self.state.views.get(key)
        if known is None:
            known = self.op(step.fn, atom, *step.args, name=name, **dict(step.attrs))
            self.state.views[key] = known
        return known

    def write(self, ref: ArrayRef, new: Atom) -> None:
        """Give the array that ``ref`` leads to new content, through all its views."""
        self.check_writable(ref)
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

    def store(self, root: Root, content: Content, *, deep: bool = False) -> None:
        """Write a root; if it is an element of a list that has not changed, the list as well.

        ``deep``: what a container holds may have been written, not just exchanged.
        """
        home = self.state.homes.get(root)
        held = None if home is None else self.state.heap.get(home.root)
        self.state.heap[root] = content
        parts = self._roots_in(content)
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

    def _roots_in(self, content: Content) -> list[Root]:
        """The roots that a container leads to."""
        found: list[Root] = []

        def visit(ref: Ref) -> None:
            if isinstance(ref, TupleRef):
                for r in ref.items:
                    visit(r)
            elif isinstance(ref, ArrayRef | HeapRef) and ref.root not in found:
                found.append(ref.root)
                visit_content(self.state.content(ref.root))

        def visit_content(content: Content) -> None:
            if isinstance(content, Items):
                for r in content.items:
                    visit(r)
            elif isinstance(content, Entries | Fields):
                for r in content.items.values():
                    visit(r)

        visit_content(content)
        return found

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
        for side in (then, orelse):
            self.state = base.copy()
            with self.b.region() as nodes:
                try:
                    ref = side()
                except Unreachable:
                    ref, self.frame = None, frame
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
        yields, results = self.join(base, s0, s1, then_nodes, else_nodes)
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
        self, base: State, s0: State, s1: State, nodes0: list[Any], nodes1: list[Any]
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
        return yields, results

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
