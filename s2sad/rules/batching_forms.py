"""Forms: which parts of a value carry the extra axis of a batch.

In: kinds. Out: a form per value: False (the same for the whole batch), True (a number or array
with one more axis in front), a tuple of forms for the parts of a container of known structure,
or ``Each`` for the elements of a list of any length. A batched list is a list of batched
elements, never a list for every member of the batch.

    x: float, form True             ->   x: float64[batch]
    (n: int, h: float64[3])         ->   form (False, True):  (n: int, h: float64[batch, 3])
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from ..ir.kinds import (
    SAVED,
    Array,
    Dict,
    Dim,
    FixedList,
    Kind,
    ListOf,
    Mixed,
    Num,
    Opaque,
    Record,
    Tuple,
    carries_derivative,
)

__all__ = [
    "Each",
    "Form",
    "any_batched",
    "batched_kind",
    "expand",
    "full_form",
    "join_forms",
    "part_kinds",
]


@dataclass(frozen=True, slots=True)
class Each:
    """The form of every element of a list of any length."""

    form: Form


Form: TypeAlias = "bool | tuple[Form, ...] | Each"


def any_batched(form: Form) -> bool:
    """True where some part carries the extra axis."""
    match form:
        case bool():
            return form
        case Each():
            return any_batched(form.form)
        case _:
            return any(map(any_batched, form))


def join_forms(a: Form, b: Form) -> Form:
    """The least form that both can be brought to.

    >>> join_forms((False, True), False)
    (False, True)
    """
    match a, b:
        case bool(), bool():
            return a or b
        case bool(), _:
            return b
        case _, bool():
            return a
        case Each(), Each():
            return Each(join_forms(a.form, b.form))
        case tuple(), tuple() if len(a) == len(b):
            return tuple(map(join_forms, a, b))
        case _:
            return Each(join_forms(_of_any(a), _of_any(b)))


def _of_any(form: Form) -> Form:
    """The form that every element of a container can be brought to."""
    match form:
        case Each():
            return form.form
        case tuple():
            out: Form = False
            for part in form:
                out = join_forms(out, part)
            return out
        case _:
            return form


def part_kinds(kind: Kind) -> tuple[Kind, ...] | None:
    """Kinds of the parts of a container of known structure; None for anything else."""
    match kind:
        case Tuple() | FixedList():
            return kind.items
        case Dict():
            return tuple(k for _, k in kind.items)
        case Record():
            return tuple(k for _, k in kind.fields)
        case _:
            return None


def expand(form: Form, kind: Kind) -> Form:
    """The form spelled out to the structure of ``kind``; an unbatched leaf stays False."""
    if isinstance(kind, ListOf):
        inner = _of_any(form)
        return Each(inner if kind.elem is None else expand(inner, kind.elem))
    parts = part_kinds(kind)
    if parts is None:
        return form
    match form:
        case tuple() if len(form) == len(parts):
            return tuple(expand(f, k) for f, k in zip(form, parts, strict=True))
        case _:
            inner = _of_any(form)
            return tuple(expand(inner, k) for k in parts)


def full_form(kind: Kind) -> Form:
    """The form in which everything that carries a derivative is batched."""
    match kind:
        case Num() | Array() | Mixed():
            return carries_derivative(kind)
        case Opaque():  # of what one sweep saves for the other, whatever carries a derivative
            return kind == SAVED
        case ListOf():
            return Each(False if kind.elem is None else full_form(kind.elem))
        case _:
            parts = part_kinds(kind)
            return False if parts is None else tuple(map(full_form, parts))


def batched_kind(kind: Kind, form: Form, batch: Dim) -> Kind:
    """The kind of a value of that form, whose logical kind is ``kind``."""
    if not any_batched(form):
        return kind
    form = expand(form, kind)
    match kind:
        case Num():
            return Array(kind.dtype, (batch,))
        case Array():
            return Array(kind.dtype, None if kind.dims is None else (batch, *kind.dims))
        case Mixed():
            return Array(kind.dtype, None)
        case ListOf():
            assert isinstance(form, Each)
            return ListOf(None if kind.elem is None else batched_kind(kind.elem, form.form, batch))
    if kind == SAVED:
        return kind
    assert isinstance(form, tuple)
    match kind:
        case Tuple():
            return Tuple(_parts(kind.items, form, batch), kind.cls)
        case FixedList():
            return FixedList(_parts(kind.items, form, batch))
        case Dict():
            keys = [k for k, _ in kind.items]
            parts = _parts([k for _, k in kind.items], form, batch)
            return Dict(tuple(zip(keys, parts, strict=True)))
        case Record():
            names = [n for n, _ in kind.fields]
            parts = _parts([k for _, k in kind.fields], form, batch)
            return Record(kind.cls, tuple(zip(names, parts, strict=True)))
    raise TypeError(f"{kind} cannot be batched")


def _parts(kinds: Sequence[Kind], forms: tuple[Form, ...], batch: Dim) -> tuple[Kind, ...]:
    return tuple(batched_kind(k, f, batch) for k, f in zip(kinds, forms, strict=True))
