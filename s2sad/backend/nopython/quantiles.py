"""Medians and quantiles along axes, for Numba, and the helpers of their derivatives.

In: nothing; `install` is called once. Out: Numba knows them by the continuous methods, with and
without what is no number::

    np.median(x, axis=1)   ->   for each row: out[k] = quantile(x[k], 0.5)
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numba import types

from ...rules import order_helpers
from .lanes import from_rows, has_order, known_axes, rows
from .written import compiled, declare, dtype_text, is_list, is_none, is_true, written

__all__ = ["install"]

# -- vectors --------------------------------------------------------------------------------------


@compiled
def _place(n: int, q: float, alpha: float, beta: float, rounding: int) -> Any:
    """Where the quantile of ``n`` sorted elements is, and how fast that moves with ``q``."""
    if not 0.0 <= q <= 1.0:
        raise ValueError("Quantiles must be in the range [0, 1]")
    if rounding:
        exact = (n - 1) * q
        low, high = math.floor(exact), math.ceil(exact)
        place = low if rounding == 1 else high if rounding == 2 else 0.5 * (low + high)
        return float(place), 0.0
    place = n * q + (alpha + q * (1.0 - alpha - beta)) - 1.0
    speed = n + 1.0 - alpha - beta
    is_linear = alpha == 1.0 and beta == 1.0
    if is_linear:
        place = (n - 1) * q
    if place <= 0.0 or place >= n - 1.0:
        return min(max(place, 0.0), n - 1.0), speed if is_linear else 0.0
    return place, speed


@compiled
def _valid(x: Any, skip: bool) -> Any:
    """How many elements are numbers; -1 where the others are not to be skipped."""
    count = 0
    for v in x:
        count += v == v
    return count if skip or count == len(x) else -1


@compiled
def _quantile(x: Any, q: float, alpha: float, beta: float, rounding: int, skip: bool) -> Any:
    count = _valid(x, skip)
    if count <= 0:
        return np.nan
    ordered = np.sort(x)
    place, _ = _place(count, q, alpha, beta, rounding)
    low = math.floor(place)
    part = place - low
    first, last = ordered[low], ordered[min(low + 1, count - 1)]
    step = last - first
    if part == 0.0 or step == 0.0:
        return first
    return last - step * (1.0 - part) if part >= 0.5 else first + step * part


@compiled
def _weights(
    x: Any,
    q: float,
    alpha: float,
    beta: float,
    rounding: int,
    skip: bool,
    order: int,
    scale: float,
) -> Any:
    """How much each element weighs in the quantile, as `order_helpers` has it."""
    out = np.zeros(len(x))
    count = _valid(x, skip)
    if order > 1 or count == 0:
        return out
    if count < 0:
        out[:] = np.nan
        return out
    ordered = np.sort(x)
    place, speed = _place(count, q, alpha, beta, rounding)
    low = math.floor(place)
    part = place - low
    ends = (-speed / scale, speed / scale) if order else (1.0 - part, part)
    for n in range(2):
        value = ordered[min(low + n, count - 1)]
        same = 0
        for v in x:
            same += v == value
        for k in range(len(x)):
            if x[k] == value:
                out[k] += ends[n] / max(same, 1)
    return out


# -- along axes -----------------------------------------------------------------------------------

#: alpha, beta and the way of rounding of each continuous method (Hyndman and Fan 1996).
_METHODS = {
    "linear": (1.0, 1.0, 0),
    "lower": (1.0, 1.0, 1),
    "higher": (1.0, 1.0, 2),
    "midpoint": (1.0, 1.0, 3),
    "interpolated_inverted_cdf": (0.0, 1.0, 0),
    "hazen": (0.5, 0.5, 0),
    "weibull": (0.0, 0.0, 0),
    "median_unbiased": (1.0 / 3.0, 1.0 / 3.0, 0),
    "normal_unbiased": (0.375, 0.375, 0),
}


def _constant(t: Any, default: Any = None) -> Any:
    if isinstance(t, types.Omitted):
        return t.value
    return getattr(t, "literal_value", default if isinstance(t, types.Type) else t)


def _fractions(q: Any) -> tuple[str, bool] | None:
    """The fractions as something to go through, and whether there is only one."""
    if isinstance(q, types.Float | types.Integer) or (isinstance(q, types.Array) and not q.ndim):
        return "(q,)", True
    if isinstance(q, types.Array) and q.ndim == 1:
        return "q", False
    if is_list(q) or isinstance(q, types.UniTuple):
        return "q", False
    return None


def _over(a: Any, axis: Any, keepdims: Any) -> tuple[Any, list[str], str, str] | None:
    """The axes, the sizes that stay, how many rows there are, and how long they are."""
    if not has_order(a) or is_true(keepdims) is None:
        return None
    is_known, axes = known_axes(axis, a.ndim)
    if not is_known:
        return None
    chosen = tuple(range(a.ndim)) if axes is None else axes
    kept = is_true(keepdims)
    sizes = [f"a.shape[{n}]" if n not in chosen else "1" for n in range(a.ndim)]
    stay = [s for n, s in enumerate(sizes) if kept or n not in chosen]
    outer = " * ".join(s for n, s in enumerate(sizes) if n not in chosen) or "1"
    return chosen, stay, outer, " * ".join(f"a.shape[{n}]" for n in chosen)


def _quantile_like(
    parameters: str,
    a: Any,
    q: Any,
    axis: Any,
    keepdims: Any,
    method: Any,
    each: str,
    scope: dict[str, Any],
    scale: str = "1.0",
) -> Any:
    """A value for each row and fraction; ``each`` computes one."""
    over = _over(a, axis, keepdims)
    known = _fractions(q)
    how = _METHODS.get(_constant(method))
    if over is None or known is None or how is None:
        return None
    axes, stay, outer, _ = over
    through, is_one = known
    stay = stay if is_one else ["len(fractions)", *stay]
    result = f"made.reshape(({', '.join(stay)},))" if stay else "made[0, 0]"
    dtype = dtype_text(a.dtype) if isinstance(a.dtype, types.Float) else "np.float64"
    axes = None if is_none(axis) else axes
    more = f"    r_t = {rows('t', a.ndim, axes)}\n" if "r_t" in each else ""
    return written(
        f"def impl({parameters}):\n"
        f"    r_a = {rows('a', a.ndim, axes)}\n{more}"
        f"    fractions = {through}\n"
        f"    made = np.empty((len(fractions), {outer}), {dtype})\n"
        "    for m in range(len(fractions)):\n"
        f"        for k in range({outer}):\n"
        f"            made[m, k] = {each.format(q=f'fractions[m] / {scale}', how=how)}\n"
        f"    return {result}",
        **scope,
    )


def _quantile_of(scale: str, skip: bool) -> Callable[..., Any]:
    each = f"quantile(r_a[k], {{q}}, *{{how}}, {skip})"
    parameters = "a, q, axis=None, keepdims=False, method='linear'"

    def by_types(
        a: Any, q: Any, axis: Any = None, keepdims: Any = False, method: Any = "linear"
    ) -> Any:
        scope = {"quantile": _quantile}
        return _quantile_like(parameters, a, q, axis, keepdims, method, each, scope, scale)

    return by_types


def _median_of(skip: bool) -> Callable[..., Any]:
    each = f"quantile(r_a[k], {{q}}, *{{how}}, {skip})"

    def by_types(a: Any, axis: Any = None, keepdims: Any = False) -> Any:
        scope = {"quantile": _quantile, "q": 0.5}
        parameters = "a, axis=None, keepdims=False"
        return _quantile_like(parameters, a, types.float64, axis, keepdims, "linear", each, scope)

    return by_types


_OPTIONS = "axis=None, keepdims=False, method='linear', order=0, scale=1.0, nan=False"


@compiled
def _weighed(t: Any, weights: Any) -> Any:
    total = 0.0
    for k in range(len(t)):
        total += t[k] * weights[k]
    return total


def _quantile_dot(
    t: Any,
    a: Any,
    q: Any,
    axis: Any = None,
    keepdims: Any = False,
    method: Any = "linear",
    order: Any = 0,
    scale: Any = 1.0,
    nan: Any = False,
) -> Any:
    if not isinstance(t, types.Array) or not isinstance(a, types.Array) or t.ndim != a.ndim:
        return None
    each = "weighed(r_t[k], weights(r_a[k], {q}, *{how}, nan, order, scale))"
    scope = {"weights": _weights, "weighed": _weighed}
    parameters = f"t, a, q, {_OPTIONS}"
    return _quantile_like(parameters, a, q, axis, keepdims, method, each, scope, "scale")


def _quantile_bar(
    v: Any,
    a: Any,
    q: Any,
    axis: Any = None,
    keepdims: Any = False,
    method: Any = "linear",
    order: Any = 0,
    scale: Any = 1.0,
    nan: Any = False,
) -> Any:
    over = _over(a, axis, False)
    known = _fractions(q)
    how = _METHODS.get(_constant(method))
    if over is None or known is None or how is None:
        return None
    _, _, outer, inner = over
    axes = known_axes(axis, a.ndim)[1]
    through, _ = known
    if isinstance(v, types.Array):
        seeds = f"np.ascontiguousarray(v).reshape((len(fractions), {outer}))"
    else:
        seeds = f"np.full((len(fractions), {outer}), v)"
    return written(
        f"def impl(v, a, q, {_OPTIONS}):\n"
        f"    r_a = {rows('a', a.ndim, axes)}\n"
        f"    fractions = {through}\n"
        f"    seeds = {seeds}\n"
        f"    made = np.zeros(({outer}, {inner}), {dtype_text(a.dtype)})\n"
        "    for m in range(len(fractions)):\n"
        f"        for k in range({outer}):\n"
        f"            w = weights(r_a[k], fractions[m] / scale, *{how}, nan, order, scale)\n"
        "            for n in range(len(w)):\n"
        "                made[k, n] += w[n] * seeds[m, k]\n"
        f"    return {from_rows('made', 'a', a.ndim, axes)}",
        weights=_weights,
    )


_TABLE: dict[Any, Callable[..., Any]] = {
    np.median: _median_of(False),
    np.nanmedian: _median_of(True),
    np.quantile: _quantile_of("1.0", False),
    np.nanquantile: _quantile_of("1.0", True),
    np.percentile: _quantile_of("100.0", False),
    np.nanpercentile: _quantile_of("100.0", True),
    order_helpers.quantile_bar: _quantile_bar,
    order_helpers.quantile_dot: _quantile_dot,
}


def install() -> None:
    """Tell Numba about them."""
    declare(_TABLE, prefer_literal=True)
