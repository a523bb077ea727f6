"""Helpers of order statistics that emitted derivatives may call; NumPy only.

In: arrays, and the data whose order decides. Out: new arrays.

    quantile_dot(t, a, 0.5)   ->   the element of t that stands where the median of a is
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .helpers import _on_last

#: How fast the virtual index of each continuous method moves with the fraction, less the count.
_SPEED = {
    "linear": -1.0,
    "hazen": 0.0,
    "interpolated_inverted_cdf": 0.0,
    "weibull": 1.0,
    "median_unbiased": 1.0 / 3.0,
    "normal_unbiased": 0.25,
}


def quantile_dot(
    t: Any,
    a: Any,
    q: Any,
    axis: Any = None,
    keepdims: bool = False,
    method: str = "linear",
    order: int = 0,
    scale: float = 1.0,
    nan: bool = False,
) -> Any:
    """The quantile of ``a`` as the weighted sum that it is, of the elements of ``t``.

    Equal elements share their weight evenly. ``order=1`` differentiates by the fraction.

    >>> float(quantile_dot(np.array([10.0, 20.0, 30.0]), np.array([3.0, 1.0, 2.0]), 0.5))
    30.0
    """
    flat, _ = _on_last(t, axis)
    rows = [
        np.sum(w * flat, axis=-1)
        for w in _weights(a, np.ravel(q) / scale, axis, method, order, scale, nan)
    ]
    out = np.array(rows).reshape(np.shape(q) + np.shape(rows[0]) if rows else np.shape(q))
    if keepdims:
        out = out.reshape(np.shape(q) + _kept_shape(np.shape(a), axis))
    return out.astype(np.result_type(t), copy=False)[()]


def quantile_bar(
    v: Any,
    a: Any,
    q: Any,
    axis: Any = None,
    keepdims: bool = False,
    method: str = "linear",
    order: int = 0,
    scale: float = 1.0,
    nan: bool = False,
) -> Any:
    """The cotangent ``v`` of a quantile of ``a``, given to the elements by their weights.

    >>> quantile_bar(1.0, np.array([3.0, 1.0, 2.0, 4.0]), 0.5)
    array([0.5, 0. , 0.5, 0. ])
    """
    flat, undo = _on_last(a, axis)
    weights = _weights(a, np.ravel(q) / scale, axis, method, order, scale, nan)
    seeds: Any = np.reshape(v, (len(weights), *flat.shape[:-1], 1)) if weights else []
    out = np.zeros_like(flat, dtype=np.result_type(v, flat))
    for w, seed in zip(weights, seeds, strict=True):
        out += w * seed
    return undo(out).astype(np.result_type(a), copy=False)


def _kept_shape(shape: tuple[int, ...], axis: Any) -> tuple[int, ...]:
    if axis is None:
        return (1,) * len(shape)
    axes = {k % len(shape) for k in (axis if isinstance(axis, tuple) else (axis,))}
    return tuple(1 if k in axes else n for k, n in enumerate(shape))


def _weights(
    a: Any, fractions: Any, axis: Any, method: str, order: int, scale: float, nan: bool
) -> list[Any]:
    """For each fraction, how much each element weighs; the reduced axes are flattened."""
    flat, _ = _on_last(a, axis)
    if order > 1:
        return [np.zeros_like(flat) for _ in fractions]
    ordered = np.sort(flat, axis=-1)
    missing = np.isnan(flat)
    count = flat.shape[-1] - np.sum(missing, axis=-1, keepdims=True) if nan else None
    found = []
    for q in fractions:
        low, part, speed = _position(flat, count, float(q), method)
        high = np.minimum(low + 1, (flat.shape[-1] if count is None else count) - 1)
        ends = (-speed / scale, speed / scale) if order else (1.0 - part, part)
        out = np.zeros_like(flat)
        for k, weight in zip((low, high), ends, strict=True):
            same = flat == np.take_along_axis(ordered, np.maximum(k, 0), axis=-1)
            out += same * (weight / np.maximum(np.sum(same, axis=-1, keepdims=True), 1))
        if not nan and missing.any():
            out = np.where(missing.any(axis=-1, keepdims=True), np.nan, out)
        found.append(out)
    return found


def _position(flat: Any, count: Any, q: float, method: str) -> tuple[Any, Any, Any]:
    """Where the quantile lies: the element below, the part of the way to the next, the speed."""
    shape = (*flat.shape[:-1], 1)
    if count is None:
        place, speed = _virtual(flat.shape[-1], q, method)
        places, speeds = np.full(shape, place), np.full(shape, speed)
    else:
        places, speeds = np.zeros(shape), np.zeros(shape)
        for n in np.unique(count):
            if n:
                places[count == n], speeds[count == n] = _virtual(int(n), q, method)
    low = np.floor(places).astype(int)
    return low, places - low, speeds


def _virtual(n: int, q: float, method: str) -> tuple[float, float]:
    """The quantile of 0, 1, ..., n - 1 is the place where that of anything sorted is."""
    place = float(np.quantile(np.arange(float(n)), q, method=method))  # type: ignore[call-overload]
    inside = 0.0 < place < n - 1.0 or method == "linear"
    return place, n + _SPEED[method] if method in _SPEED and inside else 0.0


def running_extreme(x: Any, axis: int = 0, largest: bool = True) -> Any:
    """``np.maximum.accumulate``, or that of ``np.minimum``, as a function.

    >>> running_extreme(np.array([1.0, 3.0, 2.0]))
    array([1., 3., 3.])
    """
    return (np.maximum if largest else np.minimum).accumulate(x, axis=axis)


def running_bar(v: Any, x: Any, out_: Any, axis: int = 0) -> Any:
    """The cotangent of ``x`` under a running extreme ``out_``, as binary extremes in turn have it.

    >>> running_bar(np.ones(3), np.array([1.0, 3.0, 2.0]), np.array([1.0, 3.0, 3.0]))
    array([1., 2., 0.])
    """
    v, kept = np.moveaxis(v, axis, 0), _kept(x, out_, axis)
    bar = np.zeros(v.shape, np.result_type(v))
    later = np.zeros(v.shape[1:], v.dtype)
    for i in range(len(v) - 1, -1, -1):
        later = v[i] + later
        bar[i] = later * (1.0 - kept[i])
        later = later * kept[i]
    return np.moveaxis(bar, 0, axis)


def running_dot(v: Any, x: Any, out_: Any, axis: int = 0) -> Any:
    """The tangent of a running extreme ``out_`` of ``x``.

    >>> running_dot(np.array([7.0, 8.0]), np.array([3.0, 2.0]), np.array([3.0, 3.0]))
    array([7., 7.])
    """
    v, kept = np.moveaxis(v, axis, 0), _kept(x, out_, axis)
    dot = np.zeros(v.shape, np.result_type(v))
    before = np.zeros(v.shape[1:], v.dtype)
    for i in range(len(v)):
        before = before * kept[i] + v[i] * (1.0 - kept[i])
        dot[i] = before
    return np.moveaxis(dot, 0, axis)


def _kept(x: Any, out_: Any, axis: int) -> Any:
    """How much of each running extreme is the one before: all, none, or half at a tie."""
    x, out = np.moveaxis(np.asarray(x), axis, 0), np.moveaxis(np.asarray(out_), axis, 0)
    kept = np.zeros(x.shape, x.dtype if x.dtype.kind == "f" else float)
    kept[1:] = np.where(x[1:] != out[1:], 1.0, np.where(out[1:] == out[:-1], 0.5, 0.0))
    return kept
