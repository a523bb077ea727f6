"""Tangents: of what kind they are, what they are called, how zeros are made of nothing.

In: kinds and names of primal values. Out: those of their tangents. A tangent is an atom of the
shape and dtype of its value; of a tuple or dict of known structure it is a dict of the tangents
that its parts have. No tangent at all is a zero, which stays symbolic until someone needs it.

    tangent of h (float64[n])   ->   h_dot (float64[n])
"""

from __future__ import annotations

from typing import TypeAlias

from ..ir.builder import Builder
from ..ir.kinds import (
    SAVED,
    Array,
    Dict,
    FixedList,
    Kind,
    ListOf,
    Mixed,
    Num,
    Record,
    Tuple,
)
from ..ir.nodes import UNDEFINED, Atom, Const, Op, Value
from .adjoints import build_like, part_of, parts_of

#: An atom, or for a container of known structure the tangents of its parts by key.
Tangent: TypeAlias = "Atom | dict[object, Tangent]"
Env: TypeAlias = dict[Value, Tangent]

#: Kinds whose parts are known.
STATIC = (Tuple, FixedList, Dict, Record)


def dot(name: str | None) -> str | None:
    """The name of the tangent of a value of that name."""
    return None if name is None else f"{name}_dot"


def tangent_kind(kind: Kind, weak: bool | None = None) -> Kind:
    """The kind of the tangent of a value of that kind; ``weak`` is that of its scalars."""
    match kind:
        case Num():
            return Num(kind.dtype if kind.dtype[0] in "fc" else "float64", weak)
        case ListOf():
            return ListOf(None if kind.elem is None else tangent_kind(kind.elem, weak))
        case Tuple():
            return Tuple(tuple(tangent_kind(k, weak) for k in kind.items), kind.cls)
        case FixedList():
            return FixedList(tuple(tangent_kind(k, weak) for k in kind.items))
        case Dict():
            return Dict(tuple((key, tangent_kind(k, weak)) for key, k in kind.items))
        case Record():
            return Record(kind.cls, tuple((n, tangent_kind(k, weak)) for n, k in kind.fields))
        case _:
            return kind


def whole(b: Builder, value: Atom, t: Tangent | None) -> Atom:
    """The tangent of ``value`` as one atom; zeros are spelled out."""
    if value is UNDEFINED:
        return UNDEFINED
    if isinstance(t, dict):
        return _assembled(b, value.kind, value, t)
    return zero(b, value) if t is None else t


def _assembled(b: Builder, kind: Kind, value: Atom, t: dict[object, Tangent]) -> Atom:
    keys: list[object] = []
    atoms: list[Atom] = []
    for key, k in parts_of(kind):
        part = t.get(key)
        keys.append(key)
        if part is None and not _needs_value(k):
            atoms.append(_plain_zero(k))
        elif part is None or isinstance(part, dict):
            atoms.append(whole(b, part_of(b, value, key), part))
        else:
            atoms.append(part)
    return build_like(b, kind, keys, atoms)


def _needs_value(kind: Kind) -> bool:
    """Whether a zero of this kind can only be made from the value."""
    return isinstance(kind, (Array, Mixed, ListOf, *STATIC)) or kind == SAVED


def _plain_zero(kind: Kind) -> Const:
    if isinstance(kind, Num):
        return Const.of(0j if kind.dtype[0] == "c" else 0.0)
    return Const.of(None)


def zero(b: Builder, value: Atom) -> Atom:
    """A zero tangent of ``value``, typed."""
    kind = value.kind
    if not _needs_value(kind):
        return _plain_zero(kind)
    if isinstance(kind, STATIC):
        return _assembled(b, kind, value, {})
    if (made := b.origin(value)) is not None and isinstance(made, Op):
        if made.fn == "list" and not made.args:
            return b.op("list", name=dot(getattr(value, "name", None)))
        if made.fn == "zeros_like":
            return b.op("zeros_like", made.args[0], name=dot(getattr(value, "name", None)))
    return b.op("zeros_like", value, name=dot(getattr(value, "name", None)))


__all__ = [
    "STATIC",
    "Env",
    "Tangent",
    "dot",
    "tangent_kind",
    "whole",
    "zero",
]
