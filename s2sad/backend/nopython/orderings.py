"""Sorting and taking along an axis, for Numba, and the helpers of their derivatives.

In: nothing; `install` is called once. Out: Numba knows ``np.sort``, ``np.argsort`` and
``np.partition`` along any axis, ``np.take_along_axis``, and ``np.unique`` with what it returns
beside the elements::

    np.sort(x, axis=0)   ->   for each column: out[:, j] = np.sort(x[:, j])
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numba import types

from ...rules import gather_helpers, helpers
from .lanes import axis_of, by_rows, has_order, known_axes
from .written import compiled, declare, dtype_text, is_none, is_true, written

__all__ = ["install"]

# -- vectors --------------------------------------------------------------------------------------


@compiled
def _sorted(x: Any) -> Any:
    return np.sort(x)


@compiled
def _order(x: Any) -> Any:
    return np.argsort(x, kind="mergesort")


@compiled
def _matching(out_: Any, a: Any) -> Any:
    places = np.empty(len(a), np.int64)
    order, source = _order(out_), _order(a)
    for n in range(len(a)):
        places[order[n]] = source[n]
    return places


# -- sorting --------------------------------------------------------------------------------------


def _sort_along(a: Any, axis: Any = -1, kind: Any = None) -> Any:
    is_known, axes = known_axes(axis, a.ndim) if has_order(a) else (False, None)
    if not is_known:
        return None
    dtype = dtype_text(a.dtype)
    return by_rows("a, axis=-1, kind=None", {"a": a}, "a", axes, dtype, _sorted, flat=axes is None)


def _argsort_along(a: Any, axis: Any = -1, kind: Any = None) -> Any:
    is_known, axes = known_axes(axis, a.ndim) if has_order(a) else (False, None)
    if not is_known:
        return None
    return by_rows(
        "a, axis=-1, kind=None", {"a": a}, "a", axes, "np.int64", _order, flat=axes is None
    )


def _partition(a: Any, kth: Any, axis: Any = -1) -> Any:
    """Sorted altogether, which is a partition at any place."""
    is_known, axes = known_axes(axis, a.ndim) if has_order(a) else (False, None)
    if not is_known:
        return None
    dtype = dtype_text(a.dtype)
    return by_rows("a, kth, axis=-1", {"a": a}, "a", axes, dtype, _sorted, flat=axes is None)


def _matching_places(out_: Any, a: Any, axis: Any = -1) -> Any:
    along = axis_of(axis, a.ndim) if has_order(a) and has_order(out_) else None
    if along is None or out_.ndim != a.ndim:
        return None
    arrays = {"out_": out_, "a": a}
    return by_rows("out_, a, axis=-1", arrays, "a", (along,), "np.int64", _matching)


def _take_along(arr: Any, indices: Any, axis: Any = -1) -> Any:
    if not isinstance(arr, types.Array) or not isinstance(indices, types.Array):
        return None
    if is_none(axis):
        return lambda arr, indices, axis=-1: np.ravel(arr)[np.ravel(indices)]
    along = axis_of(axis, arr.ndim)
    if along is None or arr.ndim != indices.ndim:
        return None
    return written(
        "def impl(arr, indices, axis=-1):\n"
        f"    made = np.empty({_met(arr.ndim, along, 'arr')}, {dtype_text(arr.dtype)})\n"
        + _each(arr.ndim, along, "arr", "made[at] = arr[{place}]")
        + "    return made"
    )


def _met(rank: int, along: int, of: str) -> str:
    """The shape of what is taken: broadcast but along the axis."""
    sizes = [
        f"indices.shape[{n}]"
        if n == along
        else f"({of}.shape[{n}] if indices.shape[{n}] == 1 else indices.shape[{n}])"
        for n in range(rank)
    ]
    return f"({', '.join(sizes)},)"


def _each(rank: int, along: int, of: str, statement: str) -> str:
    chosen = ", ".join(f"0 if indices.shape[{n}] == 1 else at[{n}]" for n in range(rank))
    place = ", ".join(
        "i" if n == along else f"0 if {of}.shape[{n}] == 1 else at[{n}]" for n in range(rank)
    )
    return (
        f"    for at in np.ndindex({_met(rank, along, of)}):\n"
        f"        i = indices[{chosen}]\n"
        f"        if i < -{of}.shape[{along}] or i >= {of}.shape[{along}]:\n"
        '            raise IndexError("index is out of bounds")\n'
        f"        {statement.replace('{place}', place)}\n"
    )


def _scatter_along(v: Any, indices: Any, like: Any, axis: Any = -1) -> Any:
    if not all(isinstance(t, types.Array) for t in (v, indices, like)):
        return None
    if is_none(axis):
        return written(
            "def impl(v, indices, like, axis=-1):\n"
            "    made, where, given = np.zeros(like.size, v.dtype), indices.ravel(), v.ravel()\n"
            "    for k in range(len(where)):\n        made[where[k]] += given[k]\n"
            "    return made.reshape(like.shape)"
        )
    along = axis_of(axis, like.ndim)
    if along is None or not v.ndim == indices.ndim == like.ndim:
        return None
    return written(
        "def impl(v, indices, like, axis=-1):\n"
        "    made = np.zeros(like.shape, v.dtype)\n"
        + _each(like.ndim, along, "like", "made[{place}] += v[at]")
        + "    return made"
    )


def _unique(
    ar: Any, return_index: Any = False, return_inverse: Any = False, return_counts: Any = False
) -> Any:
    """``np.unique`` of all elements, with what it returns beside them."""
    flags = [is_true(t) for t in (return_index, return_inverse, return_counts)]
    if not has_order(ar) or None in flags or not any(flags):
        return None
    text = (
        "def impl(ar, return_index=False, return_inverse=False, return_counts=False):\n"
        "    flat = np.ravel(ar)\n"
        "    order = np.argsort(flat, kind='mergesort')\n"
        "    inverse = np.empty(flat.size, np.int64)\n"
        "    first = np.empty(flat.size, np.int64)\n"
        "    counts = np.zeros(flat.size, np.int64)\n"
        "    found = -1\n"
        "    for k in range(flat.size):\n"
        "        v = flat[order[k]]\n"
        "        if k > 0:\n            w = flat[order[k - 1]]\n"
        "        if k == 0 or not (v == w or (v != v and w != w)):\n"
        "            found += 1\n            first[found] = order[k]\n"
        "        inverse[order[k]] = found\n"
        "        counts[found] += 1\n"
        "    n = found + 1\n"
    )
    parts = ["flat[first[:n]]"]
    parts += ["first[:n].copy()"] if flags[0] else []
    parts += ["inverse.reshape(ar.shape)"] if flags[1] else []
    parts += ["counts[:n].copy()"] if flags[2] else []
    return written(f"{text}    return ({', '.join(parts)})")


def _unique_values(x: Any) -> Any:
    return written("def impl(x): return np.unique(x)") if has_order(x) else None


_TABLE: dict[Any, Callable[..., Any]] = {
    np.sort: _sort_along,
    np.argsort: _argsort_along,
    np.partition: _partition,
    np.take_along_axis: _take_along,
    np.unique: _unique,
    gather_helpers.matching_places: _matching_places,
    helpers.scatter_along: _scatter_along,
}


def install() -> None:
    """Tell Numba about them; one is in later versions of NumPy only."""
    later = {np.unique_values: _unique_values} if hasattr(np, "unique_values") else {}
    declare({**_TABLE, **later}, prefer_literal=True)
