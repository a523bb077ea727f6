"""Shapes: how a reference is made of flat leaves.

In: a reference. Out: its `Shape` and its leaves; from a shape and leaves, a reference again.

    (x, {"a": y})      a tuple of a leaf and a dict of a leaf; leaves [x, y]
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..ir.kinds import NONE, UNKNOWN, Kind, Num, forget_sizes, join
from ..ir.nodes import Atom, Const, Struct
from . import indexing, recursion
from .contents import Data, Entries, Fields, Items, Table, children
from .context import Lowerer
from .refs import ArrayRef, FuncRef, HeapRef, Maybe, Ref, Static, TupleRef, Val
from .sameness import same_ref


@dataclass(frozen=True, slots=True, eq=False)
class Shape:
    """How a reference is made of flat leaves: ``kind`` for a leaf, ``ref`` for a constant."""

    form: str
    children: tuple[Shape, ...] = ()
    keys: tuple[Any, ...] = ()
    cls: Any = None
    kind: Kind | None = None
    ref: Ref | None = None


def flatten(cx: Lowerer, ref: Ref, leaves: list[Ref]) -> Shape:
    """The shape of a reference; its leaves are added to ``leaves``."""
    match ref:
        case Val():
            if isinstance(ref.atom, Const) and not isinstance(ref.kind, Num):
                return Shape("const", ref=ref)
            if ref.kind == NONE:
                return Shape("const", ref=Val(Const.of(None)))
            leaves.append(ref)
            return Shape("leaf", kind=forget_sizes(ref.kind))
        case ArrayRef():
            leaves.append(ref)
            return Shape("leaf", kind=forget_sizes(cx.kind(ref)))
        case Maybe():
            there = (flatten(cx, Val(ref.here), leaves), flatten(cx, ref.ref, leaves))
            return Shape("maybe", there, cls=ref.name)
        case TupleRef():
            parts = tuple(flatten(cx, r, leaves) for r in ref.items)
            return Shape("tuple", parts, cls=ref.cls)
        case HeapRef():
            content = cx.content(ref)
            match content:
                case Data():
                    leaves.append(ref)
                    return Shape("leaf", kind=forget_sizes(content.atom.kind))
                case Items():
                    parts = tuple(flatten(cx, r, leaves) for r in content.items)
                    return Shape("list", parts)
                case Entries():
                    parts = tuple(flatten(cx, r, leaves) for r in content.items.values())
                    return Shape("dict", parts, tuple(content.items), ref.root.site)
                case Table(_, keys, values):
                    for held in (keys, values):  # they may grow in there
                        indexing.loosen(cx, held)
                    parts = tuple(flatten(cx, r, leaves) for r in children(content))
                    return Shape("table", parts, cls=ref.root.site, ref=content.default)
                case Fields():
                    parts = tuple(flatten(cx, r, leaves) for r in content.items.values())
                    return Shape("record", parts, tuple(content.items), content.cls)
    return Shape("const", ref=ref)


def kinds_of(shape: Shape) -> list[Kind]:
    if shape.form == "leaf":
        assert shape.kind is not None
        return [shape.kind]
    return [k for c in shape.children for k in kinds_of(c)]


def with_kinds(shape: Shape, kinds: list[Kind]) -> Shape:
    """The same shape with other kinds of leaves (consumed from the front)."""
    if shape.form == "leaf":
        return Shape("leaf", kind=kinds.pop(0))
    children = tuple(with_kinds(c, kinds) for c in shape.children)
    return Shape(shape.form, children, shape.keys, shape.cls, None, shape.ref)


def same_form(a: Shape, b: Shape) -> bool:
    if a.form != b.form or a.keys != b.keys or a.cls is not b.cls and a.form != "maybe":
        return False
    if a.form == "leaf":
        assert a.kind is not None
        assert b.kind is not None
        return a.kind == b.kind or join(a.kind, b.kind) != UNKNOWN
    if a.form == "const":
        return a.ref is not None and b.ref is not None and _same_static(a.ref, b.ref)
    return len(a.children) == len(b.children) and all(map(same_form, a.children, b.children))


def _same_static(a: Ref, b: Ref) -> bool:
    if isinstance(a, FuncRef) and isinstance(b, FuncRef):
        return a.node is b.node and recursion.origin(a.frame) is recursion.origin(b.frame)
    return same_ref(a, b)


def is_none(shape: Shape) -> bool:
    """Whether it is None."""
    known = shape.ref
    return shape.form == "const" and isinstance(known, Val) and known.kind == NONE


def build(cx: Lowerer, shape: Shape, values: list[Atom]) -> Ref:
    """A reference of this shape on these leaves (consumed from the front)."""
    match shape.form:
        case "leaf":
            return cx.ref(values.pop(0))
        case "tuple":
            return TupleRef(tuple(build(cx, c, values) for c in shape.children), shape.cls)
        case "maybe":
            here = values.pop(0)
            return Maybe(here, build(cx, shape.children[1], values), shape.cls)
        case "list":
            return cx.new(Items(tuple(build(cx, c, values) for c in shape.children)))
        case "dict":
            parts = [build(cx, c, values) for c in shape.children]
            made = cx.new(Entries(dict(zip(shape.keys, parts, strict=True))))
            made.root.site = shape.cls
            return made
        case "table":
            at = cx.new(Data(values.pop(0)))
            keys, held = (build(cx, c, values) for c in shape.children[1:])
            assert isinstance(keys, HeapRef)
            assert isinstance(held, HeapRef)
            made = cx.new(Table(at, keys, held, shape.ref))
            made.root.site = shape.cls
            return made
        case "record":
            parts = [build(cx, c, values) for c in shape.children]
            return cx.new(Fields(shape.cls, dict(zip(shape.keys, parts, strict=True))))
    assert shape.ref is not None
    return shape.ref


def struct_of(shape: Shape, count: list[int]) -> Struct:
    """The ``Struct`` of a shape; ``count`` holds the number of leaves so far."""
    if shape.form == "leaf":
        count[0] += 1
        return Struct("leaf", index=count[0] - 1)
    if shape.form == "const":
        known = shape.ref
        value = (
            known.atom.value if isinstance(known, Val) and isinstance(known.atom, Const) else None
        )
        return Struct("const", cls=known.obj if isinstance(known, Static) else value)
    children = tuple(struct_of(c, count) for c in shape.children)
    return Struct(shape.form, children, shape.keys, None if shape.form == "dict" else shape.cls)
