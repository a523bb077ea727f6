"""Functions that join, repeat and turn arrays, for Numba.

In: nothing; `install` is called once. Out: Numba knows ``np.stack`` of a list, ``np.tile``,
``np.squeeze``, ``np.flip``, and the helpers of derivatives that undo joining::

    np.stack([a, b])   ->   out[0] = a; out[1] = b
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numba import types

from ...rules import helpers
from .lanes import axis_of
from .written import axes_of, declare, dtype_text, is_list, is_none, written

__all__ = ["install"]


def _whole(rank: int) -> str:
    return ", ".join(":" * rank)


# -- lists of arrays ------------------------------------------------------------------------------


def _stack(arrays: Any, axis: Any = 0) -> Any:
    """``np.stack`` of a list of arrays or numbers."""
    if not is_list(arrays):
        return None
    item = arrays.dtype
    if isinstance(item, types.Number):
        return lambda arrays, axis=0: np.array(arrays)
    if not isinstance(item, types.Array):
        return None
    along = axis_of(axis, item.ndim + 1)
    if along is None:
        return None
    sizes = [f"arrays[0].shape[{n}]" for n in range(item.ndim)]
    sizes.insert(along, "len(arrays)")
    place = [":"] * item.ndim
    place.insert(along, "n")
    return written(
        "def impl(arrays, axis=0):\n"
        '    if len(arrays) == 0:\n        raise ValueError("need at least one array to stack")\n'
        f"    out = np.empty(({', '.join(sizes)},), {dtype_text(item.dtype)})\n"
        "    for n in range(len(arrays)):\n"
        "        if arrays[n].shape != arrays[0].shape:\n"
        '            raise ValueError("all input arrays must have the same shape")\n'
        f"        out[{', '.join(place)}] = arrays[n]\n"
        "    return out"
    )


def _concatenate(arrays: Any, axis: Any = 0) -> Any:
    """``np.concatenate`` of a list of arrays."""
    if not is_list(arrays) or not isinstance(arrays.dtype, types.Array):
        return None
    item = arrays.dtype
    along = axis_of(axis, item.ndim)
    if along is None:
        return None
    sizes = [f"arrays[0].shape[{n}]" for n in range(item.ndim)]
    others = " or ".join(f"a.shape[{n}] != {s}" for n, s in enumerate(sizes) if n != along)
    sizes[along] = "total"
    place = [":"] * item.ndim
    place[along] = f"at:at + a.shape[{along}]"
    check = (
        f"        if {others}:\n"
        '            raise ValueError("all dimensions but one must agree")\n'
        if others
        else ""
    )
    return written(
        "def impl(arrays, axis=0):\n"
        '    if len(arrays) == 0:\n        raise ValueError("need at least one array")\n'
        "    total = 0\n"
        "    for a in arrays:\n"
        f"{check}"
        f"        total += a.shape[{along}]\n"
        f"    out = np.empty(({', '.join(sizes)},), {dtype_text(item.dtype)})\n"
        "    at = 0\n"
        "    for a in arrays:\n"
        f"        out[{', '.join(place)}] = a\n"
        f"        at += a.shape[{along}]\n"
        "    return out"
    )


def _vstack(tup: Any) -> Any:
    if not is_list(tup) or not isinstance(tup.dtype, types.Array):
        return None
    if tup.dtype.ndim == 1:
        return written("def impl(tup): return np.stack(tup)")
    return written("def impl(tup): return np.concatenate(tup)")


def _hstack(tup: Any) -> Any:
    if not is_list(tup) or not isinstance(tup.dtype, types.Array):
        return None
    if tup.dtype.ndim == 1:
        return written("def impl(tup): return np.concatenate(tup)")
    return lambda tup: np.concatenate(tup, 1)


def _column_stack(tup: Any) -> Any:
    if not is_list(tup) or not isinstance(tup.dtype, types.Array):
        return None
    if tup.dtype.ndim == 1:
        return lambda tup: np.stack(tup, 1)
    return lambda tup: np.concatenate(tup, 1)


def _expand_dims(a: Any, axis: Any) -> Any:
    if not isinstance(a, types.Array) or not isinstance(axis, types.BaseTuple):
        return None
    rank = a.ndim + len(axis.types)
    axes = axes_of(axis, rank)
    if axes is None:
        return None
    sizes = iter(f"a.shape[{n}]" for n in range(a.ndim))
    shape = ", ".join("1" if n in axes else next(sizes) for n in range(rank))
    return written(f"def impl(a, axis): return np.ascontiguousarray(a).reshape(({shape},))")


def _array(object: Any) -> Any:
    """``np.array`` of a list of arrays of one shape."""
    if not is_list(object) or not isinstance(object.dtype, types.Array):
        return None
    return written("def impl(object): return np.stack(object)")


def _unstack(g: Any, x: Any) -> Any:
    unstack = helpers.unstack
    if not isinstance(g, types.Array):
        return lambda g, x: g
    if is_list(x):
        if isinstance(x.dtype, types.Array | types.List | types.ListType | types.BaseTuple):
            return lambda g, x: [unstack(g[n], x[n]) for n in range(len(x))]
        return lambda g, x: [g[n] for n in range(len(x))]
    if isinstance(x, types.BaseTuple):
        parts = "".join(f"unstack(g[{n}], x[{n}]), " for n in range(len(x)))
        return written(f"def impl(g, x): return ({parts})", unstack=unstack)
    return lambda g, x: g


def _unconcatenate(g: Any, arrays: Any, axis: Any = 0) -> Any:
    if not isinstance(g, types.Array):
        return None
    items = arrays.types if isinstance(arrays, types.BaseTuple) else None
    if items is None and not is_list(arrays):
        return None
    whole = is_none(axis) or (isinstance(axis, types.Omitted) and axis.value is None)
    along = 0 if whole else axis_of(0 if isinstance(axis, types.Omitted) else axis, g.ndim)
    if along is None:
        return None
    place = [":"] * g.ndim
    if items is None:
        place[along] = f"at:at + a.shape[{along}]"
        return written(
            "def impl(g, arrays, axis=0):\n"
            "    at = 0\n"
            "    parts = [g.copy() for a in arrays[:0]]\n"
            "    for a in arrays:\n"
            f"        parts.append(g[{', '.join(place)}].copy())\n"
            f"        at += a.shape[{along}]\n"
            "    return parts"
        )
    text = "def impl(g, arrays, axis=0):\n    at0 = 0\n"
    for n, item in enumerate(items):
        size = f"arrays[{n}].size" if whole else f"arrays[{n}].shape[{along}]"
        if not isinstance(item, types.Array):
            return None
        place[along] = f"at{n}:at{n + 1}"
        text += f"    at{n + 1} = at{n} + {size}\n"
        text += f"    p{n} = g[{', '.join(place)}]\n"
        if whole and item.ndim != 1:
            text += f"    q{n} = np.ascontiguousarray(p{n}).reshape(arrays[{n}].shape)\n"
        else:
            text += f"    q{n} = p{n}\n"
    parts = "".join(f"q{n}, " for n in range(len(items)))
    return written(f"{text}    return ({parts})")


# -- repeating ------------------------------------------------------------------------------------


def _broadcast_like(x: Any, like: Any) -> Any:
    if isinstance(like, types.Array):
        return lambda x, like: np.broadcast_to(x, like.shape)
    return lambda x, like: x


def _tile(A: Any, reps: Any) -> Any:
    if isinstance(A, types.Number):
        return lambda A, reps: np.full(reps, A)
    if not isinstance(A, types.Array):
        return None
    count = len(reps.types) if isinstance(reps, types.BaseTuple) else 1
    if not isinstance(reps, types.BaseTuple | types.Integer):
        return None
    rank = max(count, A.ndim)
    times = [
        "1"
        if n < rank - count
        else f"reps[{n - (rank - count)}]"
        if isinstance(reps, types.BaseTuple)
        else "reps"
        for n in range(rank)
    ]
    have = ["1" if n < rank - A.ndim else f"A.shape[{n - (rank - A.ndim)}]" for n in range(rank)]
    shape = ", ".join(f"{t} * {h}" for t, h in zip(times, have, strict=True))
    index = ", ".join(f"at[{n + rank - A.ndim}] % A.shape[{n}]" for n in range(A.ndim))
    return written(
        "def impl(A, reps):\n"
        f"    out = np.empty(({shape},), {dtype_text(A.dtype)})\n"
        "    for at in np.ndindex(out.shape):\n"
        f"        out[at] = A[{index or '()'}]\n"
        "    return out"
    )


def _untile(g: Any, x: Any) -> Any:
    if not isinstance(g, types.Array):
        return None
    if not isinstance(x, types.Array):
        return lambda g, x: np.sum(g)
    lead = g.ndim - x.ndim
    if lead < 0:
        return None
    index = ", ".join(f"at[{n + lead}] % x.shape[{n}]" for n in range(x.ndim))
    return written(
        "def impl(g, x):\n"
        "    out = np.zeros(x.shape, g.dtype)\n"
        "    for at in np.ndindex(g.shape):\n"
        f"        out[{index or '()'}] += g[at]\n"
        "    return out"
    )


def _squeeze(a: Any, axis: Any = None) -> Any:
    axes = None if is_none(axis) or not isinstance(a, types.Array) else axes_of(axis, a.ndim)
    if axes is None:
        return None
    rest = "".join(f"a.shape[{n}], " for n in range(a.ndim) if n not in axes)
    bad = " or ".join(f"a.shape[{n}] != 1" for n in axes) or "False"
    return written(
        "def impl(a, axis=None):\n"
        f"    if {bad}:\n"
        '        raise ValueError("cannot select an axis to squeeze out of size not one")\n'
        f"    return np.ascontiguousarray(a).reshape(({rest}))"
    )


def _may_share_memory(a: Any, b: Any, max_work: Any = None) -> Any:
    """Whether the bytes of two arrays overlap, as NumPy tells by their bounds."""
    if not isinstance(a, types.Array) or not isinstance(b, types.Array):
        return None
    lines = ["def impl(a, b, max_work=None):", "    if a.size == 0 or b.size == 0:"]
    lines.append("        return False")
    for name, t in (("a", a), ("b", b)):
        lines.append(f"    low_{name} = high_{name} = {name}.ctypes.data")
        for n in range(t.ndim):
            step = f"{name}.strides[{n}] * ({name}.shape[{n}] - 1)"
            lines.append(f"    low_{name} += min(0, {step})")
            lines.append(f"    high_{name} += max(0, {step})")
    lines.append("    return low_a < high_b + b.itemsize and low_b < high_a + a.itemsize")
    return written("\n".join(lines))


# -- turning --------------------------------------------------------------------------------------


def _flip(m: Any, axis: Any = None) -> Any:
    if not isinstance(m, types.Array) or isinstance(axis, types.Omitted):
        return None
    axes = axes_of(axis, m.ndim)
    if axes is None:
        return None
    parts = ", ".join("::-1" if n in axes else ":" for n in range(m.ndim))
    return written(f"def impl(m, axis=None): return m[{parts}]")


def _repeat(a: Any, repeats: Any, axis: Any = None) -> Any:
    """``np.repeat`` along an axis; without one, Numba has it."""
    if not isinstance(a, types.Array) or not isinstance(repeats, types.Array | types.Integer):
        return None
    along = None if is_none(axis) else axis_of(axis, a.ndim)
    if along is None:
        return None
    sizes = [f"a.shape[{n}]" for n in range(a.ndim)]
    sizes[along] = "len(places)"
    to, source = ([":"] * a.ndim for _ in range(2))
    to[along], source[along] = "n", "places[n]"
    return written(
        "def impl(a, repeats, axis=None):\n"
        f"    places = np.repeat(np.arange(a.shape[{along}]), repeats)\n"
        f"    out = np.empty(({', '.join(sizes)},), {dtype_text(a.dtype)})\n"
        "    for n in range(len(places)):\n"
        f"        out[{', '.join(to)}] = a[{', '.join(source)}]\n"
        "    return out"
    )


def _asarray(a: Any) -> Any:
    """``np.asarray`` of a tuple of arrays of one shape."""
    if not isinstance(a, types.UniTuple) or not isinstance(a.dtype, types.Array):
        return None
    return written("def impl(a): return np.stack(a)")


def _asanyarray(a: Any) -> Any:
    return written("def impl(a): return np.asarray(a)")


_TABLE: dict[Any, Callable[..., Any]] = {
    np.stack: _stack,
    np.concatenate: _concatenate,
    np.array: _array,
    np.vstack: _vstack,
    np.hstack: _hstack,
    np.column_stack: _column_stack,
    np.expand_dims: _expand_dims,
    np.tile: _tile,
    np.repeat: _repeat,
    np.squeeze: _squeeze,
    np.flip: _flip,
    np.asarray: _asarray,
    np.asanyarray: _asanyarray,
    np.may_share_memory: _may_share_memory,
    helpers.unstack: _unstack,
    helpers.unconcatenate: _unconcatenate,
    helpers.broadcast_like: _broadcast_like,
    helpers.untile: _untile,
}


def install() -> None:
    """Tell Numba about them."""
    declare(_TABLE, prefer_literal=True)
