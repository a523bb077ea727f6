"""Copies: ``copy.copy`` and ``copy.deepcopy``.

In: a reference. Out: a reference of the same structure whose arrays and containers are new ones:
all of them, or just the outermost.

    copy.deepcopy([v, v])      a new list that holds one new array twice
"""

from __future__ import annotations

import copy

from . import indexing
from .contents import Data, Entries, Fields, Items, Table
from .context import Lowerer
from .handlers import handles
from .refs import ArrayRef, HeapRef, Ref, Root, TupleRef


@handles(copy.copy)
def _shallow(cx: Lowerer, args: list[Ref], kwargs: dict[str, Ref]) -> Ref:
    (ref,) = args
    if isinstance(ref, TupleRef):
        return ref
    content = _content(cx, ref)
    if isinstance(ref, HeapRef) and isinstance(content, Table):
        from .tables import method

        return method(cx, ref, "copy", [], {})
    if isinstance(ref, HeapRef) and isinstance(content, Data):
        new = cx.new(content, fresh=True)
        if indexing.holds_memory(content.atom.kind):
            cx.state.share(new.root, ref.root)
            new.root.twice = ref.root.twice
        return new
    if isinstance(ref, HeapRef):
        return cx.new(content, fresh=True)
    return _deep(cx, ref, {})


@handles(copy.deepcopy)
def _deepcopy(cx: Lowerer, args: list[Ref], kwargs: dict[str, Ref]) -> Ref:
    return _deep(cx, args[0], {})


def _content(cx: Lowerer, ref: Ref) -> Items | Entries | Fields | Table | Data | None:
    content = cx.content(ref) if isinstance(ref, HeapRef) else None
    if isinstance(content, Fields):
        for name in ("__copy__", "__deepcopy__", "__reduce__", "__getstate__"):
            if name in content.cls.__dict__:
                cx.fail(f"a {content.cls.__name__} says itself how it is copied: '{name}'")
    return content


def _deep(cx: Lowerer, ref: Ref, known: dict[Root, Ref]) -> Ref:
    match ref:
        case TupleRef():
            return TupleRef(tuple(_deep(cx, r, known) for r in ref.items), ref.cls)
        case ArrayRef() if ref.path:
            return cx.ref(cx.op("copy", cx.read(ref)))
        case ArrayRef():
            if ref.root not in known:
                known[ref.root] = cx.ref(cx.op("copy", cx.read(ref)))
            return known[ref.root]
        case HeapRef():
            if ref.root not in known:
                known[ref.root] = _deep_heap(cx, ref, known)
            return known[ref.root]
    return ref


def _deep_heap(cx: Lowerer, ref: HeapRef, known: dict[Root, Ref]) -> HeapRef:
    content = _content(cx, ref)
    match content:
        case Items(items):
            return cx.new(Items(tuple(_deep(cx, r, known) for r in items)), fresh=True)
        case Entries(entries):
            return cx.new(
                Entries({k: _deep(cx, r, known) for k, r in entries.items()}), fresh=True
            )
        case Fields(cls, fields):
            return cx.new(Fields(cls, {k: _deep(cx, r, known) for k, r in fields.items()}))
        case Data(atom) if not indexing.holds_memory(atom.kind):
            return cx.new(Data(atom), fresh=True)
    cx.fail(
        "a deep copy of a list of arrays whose length is not known is not supported",
        "copy its elements: [a.copy() for a in xs]",
    )
