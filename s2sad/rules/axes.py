"""Along one axis: parts of arrays, and vectors that broadcast along it.

In: a builder and atoms whose ranks are known. Out: atoms.

    part(b, a, 1, 0, -1)   ->   a[:, 0:-1]
    column(b, x, a, 0)     ->   x[:, None]     for a matrix a
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..ir.nodes import Atom, Const
from .linear import rank

if TYPE_CHECKING:
    from ..ir.builder import Builder


def along(a: Atom, axis: int, *index: Any) -> Const:
    """An index along one axis: a slice, or slice(*index)."""
    i = slice(*index) if len(index) > 1 else index[0]
    before = (slice(None),) * (axis % rank(a))
    return Const.of((*before, i) if before else i)


def part(b: Builder, a: Atom, axis: int, start: Any, stop: Any) -> Atom:
    """``a[start:stop]`` along an axis."""
    return b.op("item", a, along(a, axis, start, stop))


def column(b: Builder, x: Atom, like: Atom, axis: int) -> Atom:
    """A vector in a shape that broadcasts along one axis of ``like``."""
    after = rank(like) - 1 - axis % rank(like)
    return b.op("item", x, Const.of((slice(None), *[None] * after))) if after else x
