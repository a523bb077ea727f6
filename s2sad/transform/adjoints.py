"""Adjoints: what they are, what they are called, of what kind they are.

In: kinds and names of primal values. Out: those of their adjoints, and the parts of adjoints of
containers of known structure.

    adjoint of h (float64[n])   ->   h_bar (float64[n])
"""

from __future__ import annotations

import dataclasses
from collections.abc import Hashable, Iterable, Sequence
from typing import TypeAlias

from ..errors import Span
from ..ir.builder import Builder
from ..ir.kinds import (
    Array,
    Dict,
    FixedList,
    Kind,
    ListOf,
    Num,
    Opaque,
    Record,
    Tuple,
    Undef,
    same_dim,
)
from ..ir.nodes import Atom, Const, Function, Node, Op, Value
from ..ir.rewrite import substitute

#: An atom, or for a container of known structure the adjoints of its parts by key.
Adjoint: TypeAlias = "Atom | dict[object, Adjoint]"
Env: TypeAlias = dict[Value, Adjoint]


def repeat(ops: Iterable[Op], mapping: dict[Value, Atom]) -> tuple[list[Node], dict[Value, Atom]]:
    """Copies of ``ops`` with new results; the mapping extended by them.

    They reverse nothing, so they belong to no line; what is the same is computed once.
    """
    renamed = dict(mapping)
    done: dict[Hashable, Value] = {}
    nodes: list[Node] = []
    for op in ops:
        (copy,) = substitute([op], renamed)
        assert isinstance(copy, Op)
        before = op.results[0]
        key = _key(copy)
        if key is not None and key in done:
            renamed[before] = done[key]
            continue
        result = Value(before.kind, before.name, before.hint)
        nodes.append(Op((result,), copy.fn, copy.args, copy.attrs))
        renamed[before] = result
        if key is not None:
            done[key] = result
    return nodes, renamed


def _key(op: Op) -> Hashable | None:
    """Equal for equal computations; None where that is not plain to see."""
    parts: list[Hashable] = [op.fn]
    for a in op.args:
        if isinstance(a, Value):
            parts.append(a)
        elif type(a.value) in (int, float, bool, str, type(None)):
            parts.append((type(a.value), repr(a.value)))
        else:
            return None
    return None if op.attrs else tuple(parts)


def bar(name: str | None) -> str | None:
    """The name of the adjoint of a value of that name."""
    return None if name is None else f"{name}_bar"


def accumulators(callee: Function, accumulated: Sequence[int], env: Env) -> list[Value]:
    """Parameters for adjoints that a caller hands over to be added to; ``env`` has them."""
    found = []
    for n in accumulated:
        p = callee.params[n]
        buffer = Value(p.kind, bar(p.name))
        found.append(buffer)
        env[p] = buffer
    return found


def reversed_span(span: Span | None) -> Span | None:
    """The same place, marked as belonging to the reverse sweep."""
    return None if span is None or span.reverse else dataclasses.replace(span, reverse=True)


def adjoint_kind(kind: Kind, weak: bool | None = None) -> Kind:
    """The kind of the adjoint of a value of that kind; ``weak`` is its scalars'."""
    match kind:
        case Num():
            return Num(kind.dtype if kind.dtype[0] in "fc" else "float64", weak)
        case ListOf():
            return ListOf(None if kind.elem is None else adjoint_kind(kind.elem, weak))
        case Tuple():
            return Tuple(tuple(adjoint_kind(k, weak) for k in kind.items), kind.cls)
        case FixedList():
            return FixedList(tuple(adjoint_kind(k, weak) for k in kind.items))
        case _:
            return kind


def is_python_only(kind: Kind) -> bool:
    """True for kinds that NumPy has no part in."""
    match kind:
        case Num():
            return kind.weak is True
        case ListOf():
            return kind.elem is None or is_python_only(kind.elem)
        case Tuple() | FixedList():
            return all(map(is_python_only, kind.items))
        case Opaque() | Undef():
            return True
        case _:
            return False


def parts_of(kind: Kind) -> list[tuple[object, Kind]]:
    """Keys and kinds of the parts of a container of known structure."""
    match kind:
        case Tuple() | FixedList():
            return list(enumerate(kind.items))
        case Dict():
            return list(kind.items)
        case Record():
            return [(name, k) for name, k in kind.fields]
        case _:
            raise TypeError(f"{kind} has no parts")


def part_of(b: Builder, value: Atom, key: object) -> Atom:
    """One part of a container, as a value."""
    if isinstance(value.kind, Record):
        return b.ops("attr", value, name=key)[0]
    return b.op("item", value, Const.of(key))


def build_like(b: Builder, kind: Kind, keys: Sequence[object], atoms: Sequence[Atom]) -> Atom:
    """A container of the given kind with the given parts."""
    match kind:
        case Tuple(cls=None):
            return b.op("tuple", *atoms)
        case Tuple():
            return b.op("record", *atoms, cls=kind.cls)
        case FixedList():
            return b.op("list", *atoms)
        case Dict():
            return b.op("dict", *atoms, keys=tuple(keys))
        case Record():
            return b.op("record", *atoms, cls=kind.cls, fields=tuple(keys))
        case _:
            raise TypeError(f"{kind} has no parts")


def shape_key(kind: Kind) -> tuple[object, ...] | None:
    """Equal keys are equal dtypes and shapes; None where the shape is not known that well."""
    if isinstance(kind, Array) and kind.dims is not None:
        if all(same_dim(d, d) for d in kind.dims):
            return (kind.dtype, kind.dims)
    return None
