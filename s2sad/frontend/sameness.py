"""Sameness: whether two references, or two contents of a root, are the same.

In: two references that one name has on two paths. Out: True only where they stand for the same
thing, so that nothing has to be joined.

    x[1:] and x[1:] of one root     True          x and x.copy()     False
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .contents import Consumed, Content, Data, Entries, Fields, Items, Stale, Table
from .refs import (
    ArrayRef,
    BoundRef,
    FuncRef,
    HeapRef,
    IterRef,
    Lost,
    Maybe,
    PartialRef,
    Ref,
    Static,
    TupleRef,
    Val,
    same_atom,
)


def same_ref(a: Ref, b: Ref) -> bool:
    """Whether two references stand for the same thing."""
    if a is b:
        return True
    match a, b:
        case Val(), Val():
            return same_atom(a.atom, b.atom)
        case Static(), Static():
            return a.obj is b.obj
        case ArrayRef(), ArrayRef():
            return a.root is b.root and a.path == b.path
        case HeapRef(), HeapRef():
            return a.root is b.root
        case TupleRef(), TupleRef():
            return a.cls is b.cls and same_refs(a.items, b.items)
        case FuncRef(), FuncRef():
            return (
                a.node is b.node
                and a.frame is b.frame
                and same_refs(a.defaults, b.defaults)
                and same_maps(a.kwdefaults, b.kwdefaults)
            )
        case BoundRef(), BoundRef():
            return a.name == b.name and same_ref(a.receiver, b.receiver)
        case PartialRef(), PartialRef():
            return (
                same_ref(a.func, b.func)
                and same_refs(a.args, b.args)
                and same_maps(a.kwargs, b.kwargs)
            )
        case IterRef(), IterRef():
            return (
                a.form == b.form
                and same_refs(a.args, b.args)
                and a.extra is b.extra
                and a.root is b.root
            )
        case Maybe(), Maybe():
            return same_atom(a.here, b.here) and same_ref(a.ref, b.ref)
        case Lost(), Lost():
            return a == b
        case _:
            return False


def same_refs(a: tuple[Ref, ...], b: tuple[Ref, ...]) -> bool:
    return len(a) == len(b) and all(map(same_ref, a, b))


def same_maps(a: Mapping[Any, Ref], b: Mapping[Any, Ref]) -> bool:
    return list(a) == list(b) and all(same_ref(a[k], b[k]) for k in a)


def same_content(a: Content, b: Content) -> bool:
    """Whether two contents of one root are the same."""
    if a is b:
        return True
    match a, b:
        case Data(), Data():
            return same_atom(a.atom, b.atom)
        case Items(), Items():
            return same_refs(a.items, b.items)
        case Entries(), Entries():
            return same_maps(a.items, b.items)
        case Table(), Table():
            return (
                same_refs((a.at, a.keys, a.values), (b.at, b.keys, b.values))
                and a.default is b.default
            )
        case Fields(), Fields():
            return a.cls is b.cls and same_maps(a.items, b.items)
        case Consumed(), Consumed():
            return a.done == b.done
        case Stale(), Stale():
            return True
        case _:
            return False
