"""Counts: how many elements there are, and what a program demands of that.

In: the numbers of elements of several iterables. Out: the smallest; or a check that raises what
Python raises.

    zip(x, y), one length      len x          zip(x, y, strict=True)      if len x != len y: raise
"""

from __future__ import annotations

from ..ir.kinds import Num, same_dim
from ..ir.nodes import Atom, Const
from .context import Lowerer


def demand_same(cx: Lowerer, counts: list[Atom]) -> None:
    """``zip(strict=True)``: raise where lengths differ."""
    for count in counts[1:]:
        if not same_count(count, counts[0]):
            same = cx.op("eq", count, counts[0])
            demand(cx, same, ValueError, "zip() is strict, and its arguments differ in length")


def demand(cx: Lowerer, cond: Atom, error: type[Exception], message: str) -> None:
    """Raise an error of the program's where ``cond`` is false."""

    def fails() -> None:
        cx.ops("raise", Const.of(error), Const.of(message))
        cx.state.raised = True

    cx.branch(cond, lambda: None, fails)


def least(cx: Lowerer, counts: list[Atom]) -> Atom:
    """The smallest of the lengths; one of them where all are proved equal."""
    kept: list[Atom] = []
    for count in counts:
        if not any(same_count(count, k) for k in kept):
            kept.append(count)
    if len(kept) == 1:
        return kept[0]
    if all(isinstance(k, Const) for k in kept):
        return Const.of(min(k.value for k in kept if isinstance(k, Const)))
    return cx.op("min", *kept)


def same_count(a: Atom, b: Atom) -> bool:
    if a is b:
        return True
    if isinstance(a, Const) and isinstance(b, Const):
        return bool(a.value == b.value)
    match a.kind, b.kind:
        case Num(dim=x), Num(dim=y):
            return x is not None and y is not None and same_dim(x, y)
    return False
