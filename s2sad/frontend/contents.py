"""Contents: what a root can hold.

In: nothing. Out: small immutable records, one per kind of container, kept in the heap of
`state.State`. A write gives the root a new one.

    a[0] = 5.0        Data(a0) -> Data(a1)          p.append(x)      Items(r) -> Items(r, x)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..errors import Span
from ..ir.nodes import Atom
from .refs import HeapRef, Ref


class Content:
    """Base of what a root can hold."""

    __slots__ = ()


@dataclass(frozen=True, slots=True, eq=False)
class Data(Content):
    """A version of an array, or of a list whose length is not known now: an IR value."""

    atom: Atom


@dataclass(frozen=True, slots=True, eq=False)
class Items(Content):
    """A list (or set) of known length."""

    items: tuple[Ref, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Entries(Content):
    """A dict with known keys."""

    items: Mapping[Any, Ref]


@dataclass(frozen=True, slots=True, eq=False)
class Table(Content):
    """A dict whose keys only the run knows: positions by key, keys and values in their order.

    ``default`` makes the value of a missing key, as that of a defaultdict does.
    """

    at: HeapRef
    keys: HeapRef
    values: HeapRef
    default: Ref | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Fields(Content):
    """An object of the user's: its attributes."""

    cls: type
    items: Mapping[str, Ref]


@dataclass(frozen=True, slots=True, eq=False)
class Consumed(Content):
    """State of an iterator."""

    done: bool


@dataclass(frozen=True, slots=True, eq=False)
class Stale(Content):
    """Memory that may or may not have been written: reading it is refused."""

    span: Span | None
    why: str


class _Nothing(Content):
    __slots__ = ()


#: The content of a root on a path that never gets here.
NOTHING = _Nothing()


def children(content: Content) -> tuple[Ref, ...]:
    """The references that a container holds."""
    match content:
        case Items():
            return content.items
        case Entries() | Fields():
            return tuple(content.items.values())
        case Table(at, keys, values):
            return (at, keys, values)
        case _:
            return ()
