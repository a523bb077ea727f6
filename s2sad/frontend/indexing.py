"""Subscripts: reading and writing elements, views and copies.

In: references to a container and an index. Out: a reference, or a new version of the container.

    A[i][j] = v     A1 = setitem A0 (i, j) v
"""

from __future__ import annotations

import ast

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
    join,
)
from ..ir.nodes import Atom, Const
from . import attributes, lower_calls, lower_expr, optional, tables
from .contents import Data, Entries, Fields, Items, Stale, Table, children
from .context import Lowerer
from .describe import describe_ref
from .position import NeedsUnrolling
from .refs import ArrayRef, HeapRef, Home, Ref, Static, TupleRef, Val, View
from .sameness import same_ref


def index(cx: Lowerer, node: ast.expr) -> Ref:
    """The reference to what stands between the brackets."""
    match node:
        case ast.Slice():
            parts = [
                Const.of(None) if n is None else lower_expr.value(cx, n)
                for n in (node.lower, node.upper, node.step)
            ]
            if all(isinstance(p, Const) for p in parts):
                return Val(Const.of(slice(*[p.value for p in parts if isinstance(p, Const)])))
            return Val(cx.op("slice", *parts))
        case ast.Tuple():
            found: list[Ref] = []
            for n in node.elts:
                if isinstance(n, ast.Starred):
                    found.extend(lower_expr.spread(cx, lower_expr.expr(cx, n.value), n))
                else:
                    found.append(index(cx, n))
            return TupleRef(tuple(found))
        case _:
            return lower_expr.expr(cx, node)


def is_basic(kind: Kind) -> bool | None:
    """Whether an index of this kind gives a view (None: unknown)."""
    match kind:
        case Num(dtype):
            return dtype[0] in "iu"
        case Tuple(items):
            answers = [is_basic(k) for k in items]
            return False if False in answers else None if None in answers else True
        case Array() | ListOf() | FixedList():
            return False
        case Opaque():
            return True
        case _:
            return None


def item(cx: Lowerer, base: Ref, i: Ref) -> Ref:
    """``base[i]``."""
    base = optional.present(cx, base)
    match base:
        case TupleRef():
            return _of_known(cx, base, base.items, i)
        case HeapRef():
            content = cx.content(base)
            match content:
                case Items():
                    return _of_known(cx, base, content.items, i)
                case Entries():
                    return _of_dict(cx, base, content, i)
                case Table():
                    return tables.lookup(cx, base, i)
                case Fields():
                    method = attributes.attribute(cx, base, "__getitem__")
                    return lower_calls.apply(cx, method, [i], {})
            return element(cx, base, cx.atom(i))
        case ArrayRef():
            chosen = cx.state.chosen.get(base.root)
            if chosen is not None and isinstance(cx.state.content(base.root), Stale):
                first, second = chosen.through(base.path)
                found = cx.branch(
                    chosen.cond, lambda: item(cx, first, i), lambda: item(cx, second, i)
                )
                assert found is not None
                return found
            return _of_array(cx, base, cx.atom(i))
        case Static():
            return _of_static(cx, base, i)
        case Val():
            if (
                isinstance(base.atom, Const)
                and cx.known(i)
                and not isinstance(base.atom.value, float)
            ):
                try:
                    return cx.constant(base.atom.value[cx.value(i)])
                except Exception as error:
                    cx.fail(f"this raises {type(error).__name__}: {error}")
            return cx.ref(cx.op("item", base.atom, cx.atom(i)))
        case _:
            cx.fail(f"{describe_ref(base)} cannot be indexed")


def _of_static(cx: Lowerer, base: Static, i: Ref) -> Ref:
    if lower_calls.is_index_object(base.obj):
        return lower_calls.index_object(cx, base.obj, i)
    key = cx.static(i, "this index")
    try:
        found = base.obj[key]
    except Exception as error:
        cx.fail(f"this raises {type(error).__name__}: {error}")
    if base.fetch is not None:
        return cx.captures.ref(base.fetch.sub(("item", key)), found)
    return Static(found)


def _of_array(cx: Lowerer, base: ArrayRef, i: Atom) -> Ref:
    basic = is_basic(i.kind)
    if basic:
        step = View.of("item", (i,), {})
        atom = cx.view(cx.read(base), step)
        if isinstance(atom.kind, Array | Mixed):
            return ArrayRef(base.root, (*base.path, step))
        return cx.ref(atom)
    found = cx.ref(cx.op("item", cx.read(base), i))
    if basic is None and isinstance(found, ArrayRef):
        cx.state.share(found.root, base.root)
    return found


def element(cx: Lowerer, base: HeapRef, i: Atom) -> Ref:
    """An element (or a slice) of a list whose length is not known now."""
    content = cx.content(base)
    assert isinstance(content, Data)
    found = cx.ref(cx.op("item", content.atom, i))
    share_all(cx, found, base)
    if isinstance(found, ArrayRef | HeapRef) and isinstance(i.kind, Num):
        cx.state.homes[found.root] = Home(base.root, i, content.atom)
    return found


def holds_memory(kind: Kind) -> bool:
    """Whether what a container of this kind holds may be written through another name."""
    match kind:
        case Num() | Opaque():
            return False
        case Tuple(items) | FixedList(items):
            return any(map(_is_memory, items))
        case ListOf(elem):
            return elem is not None and _is_memory(elem)
    return True


def _is_memory(kind: Kind) -> bool:
    return holds_memory(kind) if isinstance(kind, Tuple) else not isinstance(kind, Num | Opaque)


def share_all(cx: Lowerer, ref: Ref, base: HeapRef) -> None:
    """Every root that ``ref`` leads to may be held by the list ``base`` as well."""
    match ref:
        case ArrayRef():
            if isinstance(cx.kind(ref), Array | Mixed | Unknown):
                cx.state.share(ref.root, base.root)
        case TupleRef():
            for r in ref.items:
                share_all(cx, r, base)
        case HeapRef():
            content = cx.state.content(ref.root)
            if isinstance(content, Data) and not holds_memory(content.atom.kind):
                return  # a slice of a list of numbers is a list of its own
            ref.root.twice = base.root.twice
            cx.state.share(ref.root, base.root)
            if isinstance(content, Items):
                for r in content.items:
                    share_all(cx, r, base)
            elif isinstance(content, Entries | Fields):
                for r in content.items.values():
                    share_all(cx, r, base)


def _of_known(cx: Lowerer, base: Ref, items: tuple[Ref, ...], i: Ref) -> Ref:
    """An element of a tuple or list of known length."""
    if cx.known(i):
        key = cx.value(i)
        if isinstance(key, slice):
            part = items[key]
            return TupleRef(part) if isinstance(base, TupleRef) else cx.new(Items(part))
        try:
            found: Ref = items[key]
        except (IndexError, TypeError) as error:
            cx.fail(f"this raises {type(error).__name__}: {error}")
        return found
    if not items:
        cx.fail("this list is empty")
    first = items[0]
    if all(same_ref(first, r) for r in items[1:]):
        return first
    kinds = [cx.kind(r) for r in items]
    together = kinds[0]
    for k in kinds[1:]:
        together = join(together, k)
    numbers = all(isinstance(k, Num) for k in kinds)
    if not numbers:
        refusal = cx.refuse(
            "this index chooses among unlike or mutable things, and is not known "
            "when the derivative is built",
            "loop over the elements, or stack them into an array",
        )
        if cx.unrollable:
            raise NeedsUnrolling(refusal)
        text = isinstance(together, Opaque) and together.cls is str
        if not text and not isinstance(together, Array | ListOf | Tuple):
            raise refusal
    if isinstance(base, HeapRef):
        loosen(cx, base)
        return item(cx, base, i)
    return cx.ref(cx.op("item", cx.op("tuple", *map(cx.atom, items)), cx.atom(i)))


def loosen(cx: Lowerer, base: HeapRef) -> Data:
    """Turn a list of known length into an IR value; from now on its length is not known."""
    content = cx.content(base)
    if isinstance(content, Data):
        return content
    if not isinstance(content, Items):
        cx.fail("this is not a list")
    for ref in content.items:
        hold(cx, base, ref)
    data = Data(cx.op("list", *map(cx.atom, content.items), name=base.root.label))
    cx.state.heap[base.root] = data
    return data


def hold(cx: Lowerer, base: HeapRef, ref: Ref) -> None:
    """Note that a list that is an IR value holds what ``ref`` leads to."""
    match ref:
        case ArrayRef() | HeapRef():
            if cx.state.may_share(base.root, ref.root):
                base.root.twice = True
            cx.state.share(base.root, ref.root)
    match ref:
        case TupleRef():
            for r in ref.items:
                hold(cx, base, r)
        case HeapRef():
            for r in children(cx.state.content(ref.root)):
                hold(cx, base, r)


def _of_dict(cx: Lowerer, base: HeapRef, content: Entries, i: Ref) -> Ref:
    if cx.known(i):
        key = cx.value(i)
        if key not in content.items:
            cx.fail(f"this raises KeyError: {key!r}")
        return content.items[key]
    if base.root.site is None and len(content.items) > 1:
        read = cx.new(tables.of_entries(cx, content))  # an argument: looked up by what it holds
        return tables.lookup(cx, read, i)
    return content.items[tables.known_key(cx, base, i)]


def components(cx: Lowerer, i: Atom) -> tuple[Atom, ...] | None:
    """The parts of an index."""
    if isinstance(i, Const):
        return tuple(map(Const.of, i.value)) if isinstance(i.value, tuple) else (i,)
    made = cx.b.defined_by(i, "tuple")
    if made is not None:
        return made.args
    return None if isinstance(i.kind, Tuple) else (i,)
