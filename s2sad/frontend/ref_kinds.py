"""Kinds of references: what they would be as IR values, without reading them.

In: a state and a reference, or the content of a root. Out: its kind, and what it leads to.

    (x, [n])      Tuple(float, FixedList(int))
    a[1:].T       Array(float64, 2): the kind of the root, as its views have changed it
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..ir.kinds import UNKNOWN, FixedList, Kind, ListOf, Undef, forget_sizes, join, loosen
from ..ir.nodes import Atom, Value
from .contents import Content, Data, Entries, Fields, Items, Stale
from .refs import ArrayRef, HeapRef, Ref, Static, TupleRef, Val
from .state import State

STALE_HELP = "make the two independent with .copy()"


def stale_text(name: str | None, content: Stale) -> str:
    """What is said where memory is read whose content cannot be told."""
    what = f"'{name}'" if name else "this"
    where = f" (line {content.span.line})" if content.span is not None else ""
    why = content.why or (
        f"it may share memory with an array that was written{where} through another name"
    )
    return f"the content of {what} cannot be told here: {why}"


def array_kind(state: State, ref: Ref) -> Kind:
    """The kind of an array reference as the state has it (its views have been read before)."""
    match ref:
        case Val():
            return ref.kind
        case ArrayRef():
            content = state.content(ref.root) if state.has(ref.root) else None
            if not isinstance(content, Data):
                return UNKNOWN
            kind = content.atom.kind
            for step in ref.path:
                kind = view_kind(kind, step.fn, step.args, dict(step.attrs))
            return kind
        case _:
            return Undef()


def view_kind(kind: Kind, fn: str, args: Sequence[Atom], attrs: dict[str, Any]) -> Kind:
    from ..rules.registry import primitive

    result = primitive(fn).kind((Value(kind), *args), attrs)
    assert isinstance(result, Kind)
    return result


def list_kind(state: State, content: Content) -> Kind:
    """The kind of a list as an IR value."""
    match content:
        case Data():
            kind = content.atom.kind
            return loosen(kind) if isinstance(kind, FixedList | ListOf) else kind
        case Items():
            elem: Kind | None = None
            for item in content.items:
                k = forget_sizes(ref_kind(state, item))
                elem = k if elem is None else join(elem, k)
            return ListOf(elem)
        case _:
            return UNKNOWN


def ref_kind(state: State, ref: Ref) -> Kind:
    """The kind a reference has as an IR value."""
    from ..ir.kinds import Dict, Record, Tuple, kind_of

    match ref:
        case Val():
            return ref.kind
        case ArrayRef():
            return array_kind(state, ref)
        case TupleRef():
            return Tuple(tuple(ref_kind(state, r) for r in ref.items), ref.cls)
        case HeapRef():
            match state.content(ref.root):
                case Data(atom):
                    return atom.kind
                case Items(items):
                    return FixedList(tuple(ref_kind(state, r) for r in items))
                case Entries(items):
                    return Dict(tuple((k, ref_kind(state, r)) for k, r in items.items()))
                case Fields(cls, items):
                    return Record(cls, tuple((k, ref_kind(state, r)) for k, r in items.items()))
            return UNKNOWN
        case Static():
            return kind_of(ref.obj)
        case _:
            return UNKNOWN
