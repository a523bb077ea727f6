"""The helpers of emitted code, for Numba: the same answers in nopython mode.

In: nothing; `install` is called once, before anything is compiled. Out: Numba knows what
`s2sad.runtime` and `s2sad.rules.helpers` mean. Helpers that work on the structure of a value are
written for each structure; those on numbers are scalar functions, broadcast over arrays::

    ratio(array, array)   ->   one loop over the elements
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
from numba import types, vectorize
from numba.core.compiler_lock import global_compiler_lock

from ... import runtime
from ...rules import matrices
from ...rules.registry import primitive
from . import (
    accumulation,
    diagonals,
    fourier,
    grids,
    indices,
    norms,
    orderings,
    polynomials,
    products,
    quantiles,
    reductions,
    scans,
    sequences,
    shapes,
    special,
    sums,
    ufunc_loops,
)
from .written import compiled, declare, is_list, present, written

__all__ = ["install"]

_PARTS = (
    accumulation,
    reductions,
    products,
    shapes,
    scans,
    orderings,
    quantiles,
    polynomials,
    norms,
    sequences,
    diagonals,
    indices,
    grids,
    fourier,
    special,
    sums,
    ufunc_loops,
)
_OPTIONS: dict[str, Any] = {"error_model": "numpy"}


@functools.cache
def install() -> None:
    """Tell Numba what the helpers mean; further calls do nothing."""
    with global_compiler_lock:  # no other thread infers types, or is here, meanwhile
        _install()


@functools.cache
def _install() -> None:
    for f, scalar in _SCALAR.items():
        _broadcasting(f, scalar)
    declare(_STRUCTURAL, jit_options=_OPTIONS)
    declare(_OF_NONE, jit_options=_OPTIONS, of_none=True)
    for part in _PARTS:
        part.install()
    _keep_memory()


def _keep_memory() -> None:
    """Have the C library keep the pages of tapes from one call to the next.

    glibc hands back what is free at the end of its memory, twice the largest block that has been
    freed so far, and the system clears each page that is asked for again: that can take longer
    than the arithmetic on it. Freeing a block of 32 MB, the largest that counts, settles that;
    nobody touches it, so it takes no memory. Elsewhere this does nothing.
    """
    np.empty(31 << 20, np.uint8)


# -- numbers -------------------------------------------------------------------------------------


def _ratio(g: Any, d: Any) -> Any:
    if d != 0:
        if g == 0:
            return 0.0 * g
        return g / d
    if g == 0:
        return 0.0 * g
    return g / d


def _power_slope(s: Any, x: Any, y: Any) -> Any:
    seed = s * y
    if seed == 0:
        return seed * 0.0
    return seed * np.power(x, y - 1.0)


def _log_base(x: Any) -> Any:
    if x == 0:
        return 0.0 * x
    return np.log(x)


def _unless_zero(g: Any, c: Any) -> Any:
    if g == 0:
        return c - c if np.isfinite(c) else 0.0 * g
    return c


def _fraction(g: Any, d: Any) -> Any:
    if d == 0:
        return 0.0 * d
    return g / d


_SCALAR: dict[Any, Callable[..., Any]] = {
    runtime.ratio: _ratio,
    runtime.power_slope: _power_slope,
    runtime.log_base: _log_base,
    runtime.unless_zero: _unless_zero,
    matrices.fraction: _fraction,
}


def _broadcasting(f: Any, scalar: Callable[..., Any]) -> None:
    """``f`` is ``scalar`` on numbers, and element by element on arrays."""
    one = compiled(scalar)
    many = vectorize(scalar)
    count = scalar.__code__.co_argcount
    names = ", ".join("xyz"[:count])

    def by_types(*given: Any) -> Any:
        if all(isinstance(t, types.Number | types.Boolean) for t in given):
            return written(f"def impl({names}): return one({names})", one=one)
        if all(isinstance(t, types.Number | types.Boolean | types.Array) for t in given):
            return written(f"def impl({names}): return many({names})", many=many)
        return None

    taking = written(f"def impl({names}): return by_types({names})", by_types=by_types)
    declare({f: taking}, jit_options=_OPTIONS)


# -- structures ----------------------------------------------------------------------------------


def _zeros_like(x: Any) -> Any:
    if isinstance(x, types.Array):
        if isinstance(x.dtype, types.Float | types.Complex):
            return written("def impl(x): return np.zeros_like(x)", np=np)
        return lambda x: np.zeros(x.shape)
    if isinstance(x, types.Complex):
        return lambda x: 0j
    if isinstance(x, types.Number | types.Boolean):
        return lambda x: x * 0.0
    if isinstance(x, types.BaseTuple):
        return _per_item("zeros_like(x[{0}])", len(x), "x", zeros_like=runtime.zeros_like)
    if is_list(x):
        zeros_like = runtime.zeros_like
        return lambda x: [zeros_like(v) for v in x]
    if isinstance(x, types.NoneType):
        return lambda x: None
    return None


def _per_item(item: str, count: int, names: str, **scope: Any) -> Any:
    parts = "".join(item.format(n) + ", " for n in range(count))
    return written(f"def impl({names}): return ({parts})", **scope)


def _add(a: Any, b: Any) -> Any:
    if isinstance(a, types.NoneType):
        return lambda a, b: b
    if isinstance(b, types.NoneType):
        return lambda a, b: a
    add = runtime.add
    if isinstance(a, types.Optional):
        return lambda a, b: b if a is None else add(present(a), b)
    if isinstance(b, types.Optional):
        return lambda a, b: a if b is None else add(a, present(b))
    if isinstance(a, types.Array) and isinstance(b, types.Array | types.Number):

        def in_place(a: Any, b: Any) -> Any:
            a += b
            return a

        return in_place
    if isinstance(a, types.BaseTuple):
        return _per_item("add(a[{0}], b[{0}])", len(a), "a, b", add=add)
    if is_list(a):

        def lists(a: Any, b: Any) -> Any:
            for n in range(len(a)):
                a[n] = add(a[n], b[n])
            return a

        return lists
    return lambda a, b: a + b


def _copied(x: Any) -> Any:
    if isinstance(x, types.Optional):
        copied = runtime.copied
        return lambda x: None if x is None else copied(present(x))
    if isinstance(x, types.Array):
        return lambda x: x.copy()
    if isinstance(x, types.BaseTuple):
        return _per_item("copied(x[{0}])", len(x), "x", copied=runtime.copied)
    if is_list(x):
        copied = runtime.copied
        return lambda x: [copied(v) for v in x]
    return lambda x: x


def _typed_like(g: Any, x: Any) -> Any:
    return lambda g, x: g


def _grown(tape: Any, room: Any) -> Any:
    def impl(tape: Any, room: Any) -> Any:
        longer = np.empty(max(2 * len(tape), room), tape.dtype)
        longer[: len(tape)] = tape
        return longer

    return impl


def _trip_count(start: Any, stop: Any, step: Any) -> Any:
    return lambda start, stop, step: len(range(start, stop, step))


def _insertion_point(i: Any, size: Any) -> Any:
    return lambda i, size: max(0, i + size) if i < 0 else min(i, size)


def _copy_with_strides(x: Any) -> Any:
    if isinstance(x, types.Array) and x.layout == "F":
        return lambda x: x.T.copy().T
    if isinstance(x, types.Array) and x.layout == "A":
        return lambda x: x.copy()[::1]  # a type that does not claim that there are no gaps
    return lambda x: x.copy()


def _is_view(x: Any, y: Any) -> Any:
    if not isinstance(x, types.Array) or x.layout != "C":
        return None  # NumPy may copy, and so may have what this array is a copy of
    return written("def impl(x, y): return np.may_share_memory(x, y)", np=np)


_STRUCTURAL: dict[Any, Callable[..., Any]] = {
    runtime.zeros_like: _zeros_like,
    runtime.typed_like: _typed_like,
    runtime.insertion_point: _insertion_point,
    primitive("trip_count").fun: _trip_count,
    runtime.grown: _grown,
    runtime.copy_with_strides: _copy_with_strides,
    runtime.is_view: _is_view,
}
#: Those to whom a value that may be None is not one that is there.
_OF_NONE: dict[Any, Callable[..., Any]] = {
    runtime.add: _add,
    runtime.copied: _copied,
}
