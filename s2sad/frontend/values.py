"""Values and references: from one to the other, in the present state.

In: an atom, or a reference. Out: the reference to a value, whose structure becomes references; the
atom of a reference, read through its views; its Python object, where that is known now.

    (a, [b])      TupleRef(Val(a), HeapRef(root)), root holding Items(Val(b))
"""

from __future__ import annotations

import ast
from typing import Any

from ..ir.clone import part_of
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
    kind_of,
)
from ..ir.nodes import Atom, Const, Value
from ..rules.registry import primitive
from . import ref_kinds
from .contents import Data, Entries, Fields, Items, Stale, children
from .position import NeedsUnrolling, Position, Refuse
from .refs import UNASSIGNED, ArrayRef, HeapRef, Lost, Ref, Root, Static, TupleRef, Val, View

#: Functions whose results are contiguous, in C order.
_C_ORDER = {"np.zeros", "np.ones", "np.empty", "np.full", "np.arange", "np.linspace", "np.eye",
            "np.identity", "np.outer", "np.array", "copy"}  # fmt: skip
_ELEMENTWISE = {"add", "sub", "mul", "div", "pow", "floordiv", "mod", "neg", "pos"}


class Values(Position):
    """A lowering that makes references of values, and values of references."""

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
                if self._is_made(atom):
                    root.fresh()
                self.state.heap[root] = Data(atom)
                return HeapRef(root)
            case Tuple() | FixedList() | Dict() | Record():
                if isinstance(atom, Const):
                    return self.constant(atom.value)
                return self.unpack(atom, name)
            case _:
                return Val(atom)

    def _is_made(self, atom: Atom) -> bool:
        """Whether a list is one that the program makes here: a sum, a slice, a sorted list."""
        node = self.b.definition.get(atom) if isinstance(atom, Value) else None
        if node is None or node is not (self.b.nodes[-1] if self.b.nodes else None):
            return False
        if node.fn == "item":
            index = node.args[1].kind
            return isinstance(index, Opaque) and issubclass(index.cls, slice)
        return node.fn in ("add", "mul", "sorted", "list", "order_of")

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
        made = self.b.definition.get(atom) if isinstance(atom, Value) else None

        def part(key: Any) -> Ref:
            built = part_of(made, key)
            return self.ref(self.op("item", atom, Const.of(key)) if built is None else built)

        match atom.kind:
            case Tuple(items, cls):
                return TupleRef(tuple(map(part, range(len(items)))), cls)
            case FixedList(items):
                return self.new(Items(tuple(map(part, range(len(items))))), name)
            case Dict(entries):
                return self.new(Entries({k: part(k) for k, _ in entries}), name)
            case Record(cls, fields):
                attrs = {n: self.ref(part_of(made, n) or self.attr(atom, n)) for n, _ in fields}
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

    def new(self, content: Any, label: str | None = None, *, fresh: bool = False) -> HeapRef:
        """A container; ``fresh``: made by the program here, so that no other root is the same."""
        root = Root(label)
        if fresh:
            root.fresh()
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
                return [a for r in children(content) for a in self.leaves(r)]
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

    # -- reading ------------------------------------------------------------------------------

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
