"""Helpers that gather cotangents and hand them out, for Numba.

In: nothing; `install` is called once. Out: Numba knows `runtime.accumulate`, `runtime.unbroadcast`
and the helpers that share a cotangent among elements::

    accumulate(buf, i, g)   ->   for k in range(len(i)): buf[i[k]] += g[k]
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numba import types

from ... import runtime
from ...rules import helpers
from . import indices
from .lanes import by_rows, known_axes
from .written import axes_of, compiled, declare, dtype_text, is_list, written

__all__ = ["install"]


def _accumulate(buf: Any, i: Any, g: Any) -> Any:
    if is_list(buf):
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
        return written(
            "def impl(buf, i, g):\n"
            "    for at in np.ndindex(i.shape):\n"
            f"        buf[i[at]] += {take}\n"
            "    return buf",
            np=np,
        )
    return written(
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
    return written(
        "def impl(buf, i, g):\n"
        f"    for k in range(len(i[{arrays[0]}])):\n"
        f"        buf[{where}] += {take}\n"
        "    return buf"
    )


def _is_basic(i: Any) -> bool:
    if isinstance(i, types.BaseTuple):
        return all(map(_is_basic, i.types))
    return isinstance(i, types.Integer | types.SliceType | types.EllipsisType | types.NoneType)


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
        return written(
            "def impl(g, x):\n    return np.zeros_like(x) + g",
            np=np,
        )
    lead = wide - narrow
    if not narrow:
        return lambda g, x: np.full_like(x, g.sum())
    here = [f"x.shape[{n}]" for n in range(narrow)]
    there = [f"g.shape[{n + lead}]" for n in range(narrow)]
    wrong = " or ".join(f"1 != {m} != {k} != 1" for m, k in zip(here, there, strict=True))
    sizes = [f"g.shape[{n}]" for n in range(lead)]
    sizes += [f"({m} if {k} == 1 else {k})" for m, k in zip(here, there, strict=True)]
    to = [f"0 if {m} == 1 else at[{n + lead}]" for n, m in enumerate(here)]
    source = [f"at[{n}]" for n in range(lead)]
    source += [f"0 if {k} == 1 else at[{n + lead}]" for n, k in enumerate(there)]
    return written(
        "def impl(g, x):\n"
        f"    if {wrong}:\n"
        '        raise ValueError("operands could not be broadcast together")\n'
        "    out = np.zeros(x.shape, g.dtype)\n"
        f"    for at in np.ndindex(({', '.join(sizes)},)):\n"
        f"        out[({', '.join(to)},)] += g[({', '.join(source)},)]\n"
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


def _share(g: Any, chosen: Any, axis: Any = None) -> Any:
    if not isinstance(chosen, types.Array):
        return None
    axes = axes_of(axis, chosen.ndim)
    if axes is None:
        return None
    if isinstance(g, types.Array) and not 0 < g.ndim <= chosen.ndim:
        return None
    before = chosen.ndim - g.ndim if isinstance(g, types.Array) else 0
    here = ", ".join("0" if n in axes else f"at[{n}]" for n in range(chosen.ndim))
    mine = ", ".join(
        f"0 if g.shape[{n}] == 1 else at[{n + before}]" for n in range(chosen.ndim - before)
    )
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


def _share_ties(g: Any, best: Any, xs: Any) -> Any:
    if not is_list(xs) and not isinstance(xs, types.UniTuple):
        return None
    if isinstance(xs, types.UniTuple):
        count = len(xs)
        parts = "".join(f"each if xs[{k}] == best else rest, " for k in range(count))
        total = " + ".join(f"(xs[{k}] == best)" for k in range(count))
        return written(
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


@compiled
def _others(x: Any) -> Any:
    """For each element the product of the others, from both sides: nothing is divided."""
    out = np.empty(len(x), x.dtype)
    left = x.dtype.type(1)
    for n in range(len(x)):
        out[n] = left
        left *= x[n]
    right = x.dtype.type(1)
    for n in range(len(x) - 1, -1, -1):
        out[n] *= right
        right *= x[n]
    return out


def _prod_others(x: Any, axis: Any = None) -> Any:
    is_known, axes = known_axes(axis, x.ndim) if isinstance(x, types.Array) else (False, None)
    if not is_known:
        return None
    return by_rows("x, axis=None", {"x": x}, "x", axes, dtype_text(x.dtype), _others)


_TABLE: dict[Any, Callable[..., Any]] = {
    runtime.accumulate: _accumulate,
    runtime.unbroadcast: _unbroadcast,
    runtime.gather_written: _gather_written,
    helpers.share_ties: _share_ties,
}
#: Those for which an axis is a constant.
_BY_AXIS: dict[Any, Callable[..., Any]] = {
    helpers.share: _share,
    helpers.prod_others: _prod_others,
}


def install() -> None:
    """Tell Numba about them."""
    declare(_TABLE, jit_options={"error_model": "numpy"})
    declare(_BY_AXIS, jit_options={"error_model": "numpy"}, prefer_literal=True)
