"""Forward mode and second order, judged like the gradient.

In: a program, arguments, its gradient by differences.  Out: nothing, or an AssertionError.

``check_forward`` meets the tangent of the result with a cotangent, and the gradient with the
tangents of the arguments: ``<g, J v> == <J'g, v>``.  The right side is differences of plain Python,
so that both modes are judged by the same number.  ``check_second`` compares forward over reverse
with differences of the gradient along a line; where these do not settle (a kink, noise) it says
nothing.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tests.differences import ridders
from tests.trees import children, fresh, is_active, leaves, map_leaves, same


def tangents_like(args: Sequence[Any], nums: Sequence[int], f: Any) -> tuple[Any, ...]:
    """Random tangents for the arguments ``nums``, None for the others."""
    name = getattr(f, "__qualname__", type(f).__name__)
    rng = np.random.default_rng(zlib.crc32(name.encode()) + 1)

    def draw(leaf: Any) -> Any:
        if not is_active(leaf):
            return None
        numbers = rng.uniform(-1.0, 1.0, np.shape(leaf))
        if isinstance(leaf, np.ndarray):
            return np.asarray(numbers, dtype=leaf.dtype)
        return type(leaf)(numbers)

    drawn = {n: map_leaves(draw, args[n]) for n in nums}
    return tuple(drawn.get(n) for n in range(len(args)))


def dot(a: Any, b: Any) -> float:
    """The inner product of two trees over the leaves that both have (real part)."""
    pairs = zip(leaves(a), leaves(b), strict=True)
    return float(
        sum(
            np.real(np.sum(np.asarray(x) * np.asarray(y)))
            for x, y in pairs
            if x is not None and y is not None
        )
    )


def check_forward(
    call: tuple[Any, ...], plain: Any, cotangent: Any, judge: Any, *, singular: bool = False
) -> None:
    """``jvp``: the value, the tangent's structure and numbers, arguments and tangents unchanged.

    At a ``singular`` point the tangent may be infinite on the way, and then nan in the end.
    """
    import s2sad

    f, nums = judge.f, judge.argnums
    tangents = tangents_like(call, nums, f)
    before, kept = fresh(call), fresh(tangents)
    out, out_dot = s2sad.jvp(f, call, tangents)
    judge.unchanged(call, before)
    judge.that(same(tangents, kept), "a tangent was changed")
    judge.value(out, plain)
    structure(judge, out_dot, plain)
    wanted = 0.0
    size = 0.0
    found = [leaf for n in nums for leaf in leaves(tangents[n])]
    for slope, tangent in zip(judge.truth.gradient, found, strict=True):
        if slope is not None:
            wanted += float(np.sum(slope * tangent))
            size += float(np.sum(np.abs(slope * tangent)))
    have = dot(cotangent, out_dot)
    rtol = judge.precision(call)
    close = abs(have - wanted) <= rtol * size + 100.0 * judge.truth.error + 1e-12
    settled = np.isfinite(wanted) and (np.isfinite(have) or not singular)
    judge.that(close or not settled, f"jvp {have}, differences {wanted}")
    again = s2sad.jvp(f, fresh(call), fresh(tangents))
    judge.that(same(again, (out, out_dot)), "the second call of jvp differs from the first")


def structure(judge: Any, tangent: Any, value: Any) -> None:
    """A float for a float, an array of the same dtype for an array, None for the rest."""
    mine, theirs = children(tangent), children(value)
    if theirs is not None:
        judge.that(
            mine is not None and len(mine) == len(theirs) and type(tangent) is type(value),
            f"the tangent is a {type(tangent)} for a {type(value)}",
        )
        for part, like in zip(mine or [], theirs, strict=True):
            structure(judge, part, like)
        return
    if isinstance(value, (float, complex, np.inexact)) or (
        isinstance(value, np.ndarray) and value.dtype.kind in "fc"
    ):
        judge.that(type(tangent) is type(value), f"a tangent {type(tangent)} for {type(value)}")
        if isinstance(value, np.ndarray):
            judge.that(tangent.dtype == value.dtype, f"dtype {tangent.dtype} for {value.dtype}")
            judge.that(tangent.shape == value.shape, f"shape {tangent.shape} for {value.shape}")
    else:
        number = isinstance(value, (int, np.integer))  # a float on another path
        judge.that(tangent is None or (number and tangent == 0), f"a tangent for {value!r:.40}")


def check_second(
    f: Callable[..., Any], call: tuple[Any, ...], nums: tuple[int, ...], judge: Any
) -> None:
    """``hvp`` against differences of the gradient, met with another direction: ``<u, H v>``."""
    import s2sad

    if any(
        isinstance(leaf, (np.ndarray, np.generic)) and leaf.dtype == np.float32
        for leaf in leaves(call)
    ):
        return
    v = tangents_like(call, nums, f)
    u = tangents_like(call, nums, dot)
    before = fresh(call)
    along = tuple(v[n] for n in nums)
    product = s2sad.hvp(f, argnums=nums)(*call, along)
    judge.unchanged(call, before)
    for n, part in zip(nums, product, strict=True):
        judge.structure(part, call[n])
    gradient = s2sad.grad(f, argnums=nums)

    def slope(h: float) -> float:
        moved = list(fresh(call))
        for n in nums:
            moved[n] = _moved(moved[n], v[n], h)
        return dot(gradient(*moved), tuple(u[n] for n in nums))

    wanted, error = ridders(slope, 0.01)
    have = dot(product, tuple(u[n] for n in nums))
    size = abs(wanted) + abs(slope(0.0)) + 1e-9
    if not np.isfinite(wanted) or error > 1e-5 * size:
        return
    judge.that(abs(have - wanted) <= 1e-4 * size, f"hvp {have}, differences {wanted} ± {error}")


def summed(
    f: Callable[..., Any], value: Any, weight: Any, args: Sequence[Any]
) -> Callable[..., Any] | None:
    """The scalar program ``sum(weight * f(*args))``, where the result is one real array."""
    if not isinstance(value, np.ndarray) or not is_active(value) or not 1 <= len(args) <= 3:
        return None
    programs = (
        lambda a: np.sum(weight * f(a)),
        lambda a, b: np.sum(weight * f(a, b)),
        lambda a, b, c: np.sum(weight * f(a, b, c)),
    )
    return programs[len(args) - 1]


def _moved(tree: Any, tangent: Any, h: float) -> Any:
    steps = iter(leaves(tangent))

    def move(leaf: Any) -> Any:
        step = next(steps)
        if step is None:
            return leaf
        new = np.asarray(leaf + h * step)
        return new if isinstance(leaf, np.ndarray) else type(leaf)(new)

    return map_leaves(move, tree)
