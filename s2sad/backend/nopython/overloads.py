"""The helpers of emitted code, for Numba: the same answers in nopython mode.

In: nothing; `install` is called once, before anything is compiled. Out: Numba knows what
`s2sad.runtime` and `s2sad.rules.helpers` mean. Helpers that work on the structure of a value are
written for each structure; those on numbers are scalar functions, broadcast over arrays::

    ratio(array, array)   ->   one loop over the elements
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numba import njit, types, vectorize
from numba.extending import overload

from ... import runtime
from ...rules import helpers, matrices
from ...rules.registry import primitive
from . import indices, products, reductions, shapes
from .written import axes_of, written

__all__ = ["install"]

_OPTIONS: dict[str, Any] = {"error_model": "numpy"}


@functools.cache
def install() -> None:
    """Tell Numba what the helpers mean; further calls do nothing."""
    for f, scalar in _SCALAR.items():
        _broadcasting(f, scalar)
    for f, by_types in _STRUCTURAL.items():
        _declare(f, by_types)
    for part in (reductions, products, shapes, indices):
        part.install()


def _declare(f: Callable[..., Any], by_types: Callable[..., Any]) -> None:
    """``by_types`` maps the types of a call of ``f`` to an implementation, or to None."""

    @functools.wraps(by_types)
    def bare(*given: Any, **named: Any) -> Any:
        impl = by_types(*given, **named)
        if impl is not None:
            impl.__annotations__ = {}  # Numba compares signatures to the letter
        return impl

    plain = inspect.signature(by_types)
    empty = inspect.Parameter.empty
    bare.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [p.replace(annotation=empty) for p in plain.parameters.values()]
    )
    bare.__annotations__ = {}
    overload(f, jit_options=_OPTIONS, prefer_literal=f in (helpers.share, helpers.prod_others))(
        bare
    )


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
    one = njit(**_OPTIONS)(scalar)
    many = vectorize(scalar)
    count = scalar.__code__.co_argcount
    names = ", ".join("xyz"[:count])

    def by_types(*given: Any) -> Any:
        if all(isinstance(t, types.Number | types.Boolean) for t in given):
            return _written(f"def impl({names}): return one({names})", one=one)
        if all(isinstance(t, types.Number | types.Boolean | types.Array) for t in given):
            return _written(f"def impl({names}): return many({names})", many=many)
        return None

    _declare(f, _written(f"def impl({names}): return by_types({names})", by_types=by_types))


def _written(text: str, **scope: Any) -> Any:
    """The function ``impl`` of a text written for the types at hand."""
    exec(compile(text, "<s2sad nopython>", "exec"), scope)
    return scope["impl"]


# -- structures ----------------------------------------------------------------------------------


def _is_list(t: Any) -> bool:
    return isinstance(t, types.List | types.ListType)


def _zeros_like(x: Any) -> Any:
    if isinstance(x, types.Array):
        if isinstance(x.dtype, types.Float | types.Complex):
            return _written("def impl(x): return np.zeros_like(x)", np=np)
        return lambda x: np.zeros(x.shape)
    if isinstance(x, types.Complex):
        return lambda x: 0j
    if isinstance(x, types.Number | types.Boolean):
        return lambda x: x * 0.0
    if isinstance(x, types.BaseTuple):
        return _per_item("zeros_like(x[{0}])", len(x), "x", zeros_like=runtime.zeros_like)
    if _is_list(x):
        zeros_like = runtime.zeros_like
        return lambda x: [zeros_like(v) for v in x]
    if isinstance(x, types.NoneType):
        return lambda x: None
    return None


def _per_item(item: str, count: int, names: str, **scope: Any) -> Any:
    parts = "".join(item.format(n) + ", " for n in range(count))
    return _written(f"def impl({names}): return ({parts})", **scope)


def _add(a: Any, b: Any) -> Any:
    if isinstance(a, types.NoneType):
        return lambda a, b: b
    if isinstance(b, types.NoneType):
        return lambda a, b: a
    if isinstance(a, types.Array) and isinstance(b, types.Array | types.Number):

        def in_place(a: Any, b: Any) -> Any:
            a += b
            return a

        return in_place
    if isinstance(a, types.BaseTuple):
        return _per_item("add(a[{0}], b[{0}])", len(a), "a, b", add=runtime.add)
    if _is_list(a):
        add = runtime.add

        def lists(a: Any, b: Any) -> Any:
            for n in range(len(a)):
                a[n] = add(a[n], b[n])
            return a

        return lists
    return lambda a, b: a + b


def _copied(x: Any) -> Any:
    if isinstance(x, types.Array):
        return lambda x: x.copy()
    if isinstance(x, types.BaseTuple):
        return _per_item("copied(x[{0}])", len(x), "x", copied=runtime.copied)
    if _is_list(x):
        copied = runtime.copied
        return lambda x: [copied(v) for v in x]
    return lambda x: x


def _typed_like(g: Any, x: Any) -> Any:
    return lambda g, x: g


def _accumulate(buf: Any, i: Any, g: Any) -> Any:
    if _is_list(buf):
        add = runtime.add

        def lists(buf: Any, i: Any, g: Any) -> Any:
            buf[i] = add(buf[i], g)
            return buf

        return lists
    if not isinstance(buf, types.Array):
        return None
    many = i.types if isinstance(i, types.BaseTuple) else (i,)
    if all(isinstance(t, types.Integer) for t in many) and isinstance(i, types.BaseTuple):

        def element(buf: Any, i: Any, g: Any) -> Any:
            buf[i] += g
            return buf

        return element
    if not isinstance(i, types.BaseTuple) and isinstance(i, types.Integer | types.SliceType):

        def part(buf: Any, i: Any, g: Any) -> Any:
            buf[i] += g
            return buf

        return part
    if isinstance(i, types.Array) and isinstance(i.dtype, types.Boolean) and i.ndim == buf.ndim:
        return _accumulate_mask(g)
    if isinstance(i, types.Array) and isinstance(i.dtype, types.Integer):
        rows = _accumulate_rows(i.ndim, buf.ndim, g)
        return indices.accumulated(buf, i, g) if rows is None else rows
    if len(many) == buf.ndim and all(
        isinstance(t, types.Integer)
        or (isinstance(t, types.Array) and t.ndim == 1 and isinstance(t.dtype, types.Integer))
        for t in many
    ):
        return _accumulate_points(many, g)
    return indices.accumulated(buf, i, g)


def _accumulate_mask(g: Any) -> Any:
    if isinstance(g, types.Array):

        def chosen(buf: Any, i: Any, g: Any) -> Any:
            n = 0
            for at in np.ndindex(buf.shape):
                if i[at]:
                    buf[at] += g[n]
                    n += 1
            return buf

        return chosen

    def same(buf: Any, i: Any, g: Any) -> Any:
        for at in np.ndindex(buf.shape):
            if i[at]:
                buf[at] += g
        return buf

    return same


def _accumulate_rows(index_rank: int, rank: int, g: Any) -> Any:
    """``buf[i] += g`` with one array of integers for the first axis."""
    have = g.ndim if isinstance(g, types.Array) else 0
    if have not in (0, index_rank + rank - 1):
        return None
    take = "g" if not have else "g[at]" if have > 1 else "g[at[0]]"
    if rank == 1:
        return _written(
            "def impl(buf, i, g):\n"
            "    for at in np.ndindex(i.shape):\n"
            f"        buf[i[at]] += {take}\n"
            "    return buf",
            np=np,
        )
    return _written(
        "def impl(buf, i, g):\n"
        "    for at in np.ndindex(i.shape):\n"
        f"        buf[i[at]] += {'g' if not have else 'g[at]'}\n"
        "    return buf",
        np=np,
    )


def _accumulate_points(many: Sequence[Any], g: Any) -> Any:
    """``buf[i, j] += g`` with an integer or an array of integers for each axis."""
    arrays = [n for n, t in enumerate(many) if isinstance(t, types.Array)]
    where = ", ".join(f"i[{n}][k]" if n in arrays else f"i[{n}]" for n in range(len(many)))
    take = "g[k]" if isinstance(g, types.Array) else "g"
    return _written(
        "def impl(buf, i, g):\n"
        f"    for k in range(len(i[{arrays[0]}])):\n"
        f"        buf[{where}] += {take}\n"
        "    return buf"
    )


def _unbroadcast(g: Any, x: Any) -> Any:
    if not isinstance(x, types.Array):
        if isinstance(g, types.Array):
            return lambda g, x: np.sum(g)
        return lambda g, x: g
    if not isinstance(g, types.Array):
        # A scalar stands for as many equal cotangents as the result has elements: of x's shape.
        return lambda g, x: np.full_like(x, g)
    wide, narrow = g.ndim, x.ndim
    if wide < narrow:
        return _written(
            "def impl(g, x):\n    return np.zeros_like(x) + g",
            np=np,
        )
    lead = wide - narrow
    places = ", ".join(f"0 if x.shape[{n}] == 1 else at[{n + lead}]" for n in range(narrow))
    if not narrow:
        return lambda g, x: np.full_like(x, g.sum())
    return _written(
        "def impl(g, x):\n"
        "    out = np.zeros(x.shape, g.dtype)\n"
        "    for at in np.ndindex(g.shape):\n"
        f"        out[{places}{',' if narrow == 1 else ''}] += g[at]\n"
        "    return out",
        np=np,
    )


def _gather_written(g: Any, i: Any) -> Any:
    if not isinstance(g, types.Array):
        return None
    if isinstance(i, types.Array) and isinstance(i.dtype, types.Boolean):
        return (lambda g, i: g[i]) if i.ndim == 1 or i.ndim == g.ndim else None
    if _is_basic(i):
        return lambda g, i: g[i]
    if not isinstance(i, types.Array) or g.ndim != 1 or i.ndim != 1:
        return None

    def impl(g: Any, i: Any) -> Any:
        last = np.zeros(len(g), np.int64)
        for n in range(len(i)):
            last[i[n]] = n
        out = np.zeros(len(i), g.dtype)
        for n in range(len(i)):
            if last[i[n]] == n:
                out[n] = g[i[n]]
        return out

    return impl


def _is_basic(i: Any) -> bool:
    if isinstance(i, types.BaseTuple):
        return all(map(_is_basic, i.types))
    return isinstance(i, types.Integer | types.SliceType | types.EllipsisType | types.NoneType)


def _grown(tape: Any, room: Any) -> Any:
    def impl(tape: Any, room: Any) -> Any:
        longer = np.empty(max(2 * len(tape), room), tape.dtype)
        longer[: len(tape)] = tape
        return longer

    return impl


def _trip_count(start: Any, stop: Any, step: Any) -> Any:
    return lambda start, stop, step: len(range(start, stop, step))


def _share(g: Any, chosen: Any, axis: Any = None) -> Any:
    if not isinstance(chosen, types.Array):
        return None
    axes = axes_of(axis, chosen.ndim)
    if axes is None:
        return None
    if isinstance(g, types.Array) and g.ndim != chosen.ndim:
        return None
    here = ", ".join("0" if n in axes else f"at[{n}]" for n in range(chosen.ndim))
    mine = ", ".join(f"0 if g.shape[{n}] == 1 else at[{n}]" for n in range(chosen.ndim))
    shape = ", ".join("1" if n in axes else f"chosen.shape[{n}]" for n in range(chosen.ndim))
    take = f"g[{mine}]" if isinstance(g, types.Array) else "g"
    return written(
        "def impl(g, chosen, axis=None):\n"
        f"    count = np.zeros(({shape},), np.int64)\n"
        "    for at in np.ndindex(chosen.shape):\n"
        "        if chosen[at]:\n"
        f"            count[{here}] += 1\n"
        "    out = np.zeros(chosen.shape)\n"
        "    for at in np.ndindex(chosen.shape):\n"
        f"        seed, n = {take}, count[{here}]\n"
        "        if chosen[at]:\n"
        "            out[at] = seed / n\n"
        "        elif n == 0 and seed != 0:\n"
        "            out[at] = np.nan\n"
        "    return out"
    )


def _is_none(t: Any) -> bool:
    return t is None or isinstance(t, types.NoneType) or getattr(t, "value", 0) is None


def _insertion_point(i: Any, size: Any) -> Any:
    return lambda i, size: max(0, i + size) if i < 0 else min(i, size)


def _copy_with_strides(x: Any) -> Any:
    return lambda x: x.copy()


def _share_ties(g: Any, best: Any, xs: Any) -> Any:
    if not _is_list(xs) and not isinstance(xs, types.UniTuple):
        return None
    if isinstance(xs, types.UniTuple):
        count = len(xs)
        parts = "".join(f"each if xs[{k}] == best else rest, " for k in range(count))
        total = " + ".join(f"(xs[{k}] == best)" for k in range(count))
        return _written(
            "def impl(g, best, xs):\n"
            f"    n = {total}\n"
            "    each = g / max(n, 1)\n"
            "    rest = np.nan if n == 0 and g != 0 else 0.0\n"
            f"    return ({parts})",
            np=np,
        )

    def impl(g: Any, best: Any, xs: Any) -> Any:
        n = 0
        for x in xs:
            if x == best:
                n += 1
        each = g / max(n, 1)
        rest = np.nan if n == 0 and g != 0 else 0.0  # a nan is equal to none of them
        return [each if x == best else rest for x in xs]

    return impl


def _prod_others(x: Any, axis: Any = None) -> Any:
    if not _is_none(axis):
        axes = axes_of(axis, x.ndim) if isinstance(x, types.Array) else None
        return None if axes is None or len(axes) != 1 else _prod_others_along(axes[0], x.ndim)

    def impl(x: Any, axis: Any = None) -> Any:
        flat = x.ravel()
        out = np.empty(flat.size, flat.dtype)
        left = 1.0
        for n in range(flat.size):
            out[n] = left
            left *= flat[n]
        right = 1.0
        for n in range(flat.size - 1, -1, -1):
            out[n] *= right
            right *= flat[n]
        return out.reshape(x.shape)

    return impl


def _prod_others_along(axis: int, rank: int) -> Any:
    there = ", ".join("k" if n == axis else f"at[{n}]" for n in range(rank))
    return written(
        "def impl(x, axis=None):\n"
        "    out = np.ones(x.shape, x.dtype)\n"
        "    for at in np.ndindex(x.shape):\n"
        f"        for k in range(x.shape[{axis}]):\n"
        f"            if k != at[{axis}]:\n"
        f"                out[at] *= x[{there}]\n"
        "    return out"
    )


_STRUCTURAL: dict[Any, Callable[..., Any]] = {
    runtime.zeros_like: _zeros_like,
    runtime.add: _add,
    runtime.copied: _copied,
    runtime.typed_like: _typed_like,
    runtime.accumulate: _accumulate,
    runtime.unbroadcast: _unbroadcast,
    runtime.gather_written: _gather_written,
    runtime.insertion_point: _insertion_point,
    primitive("trip_count").fun: _trip_count,
    helpers.share: _share,
    runtime.grown: _grown,
    runtime.copy_with_strides: _copy_with_strides,
    helpers.share_ties: _share_ties,
    helpers.prod_others: _prod_others,
}
