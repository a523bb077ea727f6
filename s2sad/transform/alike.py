"""Alike: values that are computed from the same by the same, of which one is as good as the other.

In: values that the reverse sweep reads, and the ops that define values. Out: those that another
of them stands for, each with the one that does. What is saved of them is saved once::

    a = y[:k]; b = np.flip(y[:k]); c = y[:k]        c is a

They are equal because values never change: ``y`` is one version of the user's array, and what is
written to it afterwards makes another.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from typing import Any

from ..ir.nodes import Atom, Const, Op, Value
from ..rules.registry import primitive

__all__ = ["alike"]

#: How far operands are compared; what is deeper is the same only if it is one value.
_DEPTH = 4


def alike(values: Iterable[Value], definition: Mapping[Value, Op]) -> dict[Value, Value]:
    """Values that need no place of their own, and which of the others has their content.

    One with a name stands for those without.
    """
    groups: dict[Hashable, list[Value]] = {}
    for v in values:
        groups.setdefault(_key(v, definition, _DEPTH), []).append(v)
    found: dict[Value, Value] = {}
    for group in groups.values():
        first = next((v for v in group if v.name is not None), group[0])
        found.update((v, first) for v in group if v is not first and v.kind == first.kind)
    return found


def _key(a: Atom, definition: Mapping[Value, Op], depth: int) -> Hashable:
    if isinstance(a, Const):
        return (type(a.value), repr(a.value)) if _is_plain(a.value) else a
    op = definition.get(a)
    if op is None or not depth or len(op.results) != 1 or primitive(op.fn).effect != "pure":
        return a
    if not all(map(_is_plain, op.attrs.values())):
        return a
    attrs = tuple(sorted((name, repr(v)) for name, v in op.attrs.items()))
    return op.fn, attrs, tuple(_key(x, definition, depth - 1) for x in op.args)


def _is_plain(value: Any) -> bool:
    """Whether it is written in full, so that two that are written alike are equal."""
    if isinstance(value, tuple):
        return all(map(_is_plain, value))
    if isinstance(value, slice):
        return all(map(_is_plain, (value.start, value.stop, value.step)))
    return value is None or value is ... or isinstance(value, bool | int | float | complex | str)
