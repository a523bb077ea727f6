"""Grids, borders and axes of size one, for Numba.

In: nothing; `install` is called once. Out: Numba knows ``np.meshgrid``, ``np.pad`` in the modes
that copy elements, ``np.rot90``, ``np.rollaxis``, and ``np.atleast_1d`` and its like of numbers::

    np.pad(x, 1, "edge")   ->   out[k] = x[min(max(k - 1, 0), n - 1)]
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numba import types

from .lanes import axis_of, common
from .written import axes_of, compiled, declare, dtype_text, is_list, is_none, is_true, written

__all__ = ["install"]


def _literal(t: Any) -> Any:
    return t.value if isinstance(t, types.Omitted) else getattr(t, "literal_value", t)


# -- borders --------------------------------------------------------------------------------------


@compiled
def _edge(k: int, n: int) -> int:
    return min(max(k, 0), n - 1)


@compiled
def _reflect(k: int, n: int) -> int:
    if n == 1:
        return 0
    k = k % (2 * (n - 1))
    return min(k, 2 * (n - 1) - k)


@compiled
def _symmetric(k: int, n: int) -> int:
    k = k % (2 * n)
    return min(k, 2 * n - 1 - k)


@compiled
def _wrap(k: int, n: int) -> int:
    return k % n


_PLACES = {"edge": _edge, "reflect": _reflect, "symmetric": _symmetric, "wrap": _wrap}


def _widths(width: Any, rank: int) -> list[tuple[str, str]] | None:
    """What is added before and after each axis."""
    if isinstance(width, types.Integer):
        return [("pad_width", "pad_width")] * rank
    if not isinstance(width, types.BaseTuple):
        return None
    parts = width.types
    if all(isinstance(t, types.Integer) for t in parts):
        if len(parts) == 1:
            return [("pad_width[0]", "pad_width[0]")] * rank
        return [("pad_width[0]", "pad_width[1]")] * rank if len(parts) == 2 else None
    if len(parts) not in (1, rank) or not all(isinstance(t, types.BaseTuple) for t in parts):
        return None
    found = []
    for n, pair in enumerate(parts if len(parts) == rank else parts * rank):
        if not all(isinstance(t, types.Integer) for t in pair.types) or len(pair) not in (1, 2):
            return None
        at = n if len(parts) == rank else 0
        found.append((f"pad_width[{at}][0]", f"pad_width[{at}][{len(pair) - 1}]"))
    return found


def _pad(array: Any, pad_width: Any, mode: Any = "constant", constant_values: Any = None) -> Any:
    if not isinstance(array, types.Array) or not array.ndim:
        return None
    how = _literal(mode)
    widths = _widths(pad_width, array.ndim)
    if widths is None or (how != "constant" and how not in _PLACES):
        return None
    if not is_none(constant_values) and not isinstance(constant_values, types.Number):
        return None
    rank = array.ndim
    lines = ["def impl(array, pad_width, mode='constant', constant_values=None):"]
    for n, (before, after) in enumerate(widths):
        lines += [f"    b{n}, a{n} = {before}, {after}"]
        lines += [f"    if b{n} < 0 or a{n} < 0:"]
        lines += ['        raise ValueError("index can\'t contain negative values")']
    shape = ", ".join(f"b{n} + array.shape[{n}] + a{n}" for n in range(rank))
    dtype = dtype_text(array.dtype)
    if how == "constant":
        value = "0" if is_none(constant_values) else "constant_values"
        inner = ", ".join(f"b{n}:b{n} + array.shape[{n}]" for n in range(rank))
        lines += [f"    out = np.full(({shape},), {value}, {dtype})", f"    out[{inner}] = array"]
        return written("\n".join([*lines, "    return out"]))
    lines += [f"    out = np.empty(({shape},), {dtype})"]
    lines += ["    if array.size == 0 and out.size:"]
    lines += ['        raise ValueError("can\'t extend an empty axis")']
    index = ", ".join(f"place(at[{n}] - b{n}, array.shape[{n}])" for n in range(rank))
    lines += ["    for at in np.ndindex(out.shape):", f"        out[at] = array[{index}]"]
    return written("\n".join([*lines, "    return out"]), place=_PLACES[how])


# -- grids ----------------------------------------------------------------------------------------


def _grids(xi: dict[str, Any], indexing: Any, sparse: Any) -> Any:
    """Dense or sparse grids of vectors and numbers."""
    how, thin = _literal(indexing), is_true(sparse)
    if how not in ("xy", "ij") or thin is None:
        return None
    if not all(
        isinstance(t, types.Number) or (isinstance(t, types.Array) and t.ndim == 1)
        for t in xi.values()
    ):
        return None
    names = list(xi)
    order = list(names)
    if how == "xy" and len(names) > 1:
        order[:2] = order[1::-1]
    lines = [f"def impl({', '.join(names)}, indexing='xy', sparse=False, copy=True):"]
    for name, t in xi.items():
        vector = name if isinstance(t, types.Array) else f"np.array([{name}])"
        lines.append(f"    v_{name} = {vector}")
    for name, t in xi.items():
        shape = [f"len(v_{k})" if not thin or k == name else "1" for k in order]
        lines.append(f"    g_{name} = np.empty(({', '.join(shape)},), {common(t)})")
        lines.append(f"    for at in np.ndindex(g_{name}.shape):")
        lines.append(f"        g_{name}[at] = v_{name}[at[{order.index(name)}]]")
    grids = "".join(f"g_{name}, " for name in names)
    return written("\n".join([*lines, f"    return ({grids})"]))


def _grid_of_two(
    x: Any, y: Any, indexing: Any = "xy", sparse: Any = False, copy: Any = True
) -> Any:
    return _grids({"x": x, "y": y}, indexing, sparse)


def _grid_of_three(
    x: Any, y: Any, z: Any, indexing: Any = "xy", sparse: Any = False, copy: Any = True
) -> Any:
    return _grids({"x": x, "y": y, "z": z}, indexing, sparse)


# -- axes -----------------------------------------------------------------------------------------


def _at_least(rank: int) -> Callable[..., Any]:
    shape = {1: "(1,)", 2: "(1, 1)", 3: "(1, 1, 1)"}[rank]

    def by_types(arys: Any) -> Any:
        if isinstance(arys, types.BaseTuple):
            arys = arys.types[0] if len(arys) == 1 else None
        if not isinstance(arys, types.Number):
            return None
        return written(f"def impl(*arys): return np.full({shape}, arys[0])")

    taking: Callable[..., Any] = lambda *arys: by_types(arys[0]) if len(arys) == 1 else None  # noqa: E731
    return taking


def _rot90(m: Any, k: Any = 1, axes: Any = (0, 1)) -> Any:
    turns = _literal(k)
    if not isinstance(m, types.Array) or not isinstance(turns, int):
        return None
    if isinstance(axes, types.Omitted):
        axes = axes.value
    pair = axes if isinstance(axes, tuple) else getattr(axes, "types", ())
    found = [axis_of(t, m.ndim) for t in pair]
    one, two = found if len(found) == 2 else (None, None)
    if one is None or two is None or one == two:
        return None
    index = [":"] * m.ndim
    order = list(range(m.ndim))
    if turns % 2:
        order[one], order[two] = order[two], order[one]
    if turns % 4 in (1, 2):
        index[one] = "::-1"
    if turns % 4 in (2, 3):
        index[two] = "::-1"
    return written(
        "def impl(m, k=1, axes=(0, 1)):\n"
        f"    return m.transpose({tuple(order)})[{', '.join(index)}]"
    )


def _rollaxis(a: Any, axis: Any, start: Any = 0) -> Any:
    if not isinstance(a, types.Array):
        return None
    along, to = axis_of(axis, a.ndim), _literal(start)
    if along is None or not isinstance(to, int) or not -a.ndim <= to <= a.ndim:
        return None
    to = to + a.ndim if to < 0 else to
    order = [n for n in range(a.ndim) if n != along]
    order.insert(to - 1 if along < to else to, along)
    return written(f"def impl(a, axis, start=0): return a.transpose({tuple(order)})")


def _array(object: Any) -> Any:
    """``np.array`` of a list of numbers that is no list of Python's, and of a number."""
    if isinstance(object, types.Number):
        return written("def impl(object): return np.asarray(object)")
    if not is_list(object) or not isinstance(object.dtype, types.Number):
        return None
    return written(
        "def impl(object):\n"
        f"    out = np.empty(len(object), {dtype_text(object.dtype)})\n"
        "    for n in range(len(object)):\n        out[n] = object[n]\n"
        "    return out"
    )


def _compress(condition: Any, a: Any, axis: Any = None) -> Any:
    if not isinstance(a, types.Array):
        return None
    if is_none(axis):
        return lambda condition, a, axis=None: np.ravel(a)[np.flatnonzero(np.asarray(condition))]
    axes = axes_of(axis, a.ndim)
    if axes is None or len(axes) != 1:
        return None
    where = ", ".join("chosen" if n == axes[0] else ":" for n in range(a.ndim))
    return written(
        "def impl(condition, a, axis=None):\n"
        "    chosen = np.flatnonzero(np.asarray(condition))\n"
        f"    return a[{where}]"
    )


_TABLE: dict[Any, Callable[..., Any]] = {
    np.pad: _pad,
    np.meshgrid: _grid_of_two,
    np.rot90: _rot90,
    np.rollaxis: _rollaxis,
    np.array: _array,
    np.compress: _compress,
    np.atleast_1d: _at_least(1),
    np.atleast_2d: _at_least(2),
    np.atleast_3d: _at_least(3),
}


def install() -> None:
    """Tell Numba about them."""
    declare(_TABLE, prefer_literal=True)
    declare({np.meshgrid: _grid_of_three}, prefer_literal=True)
