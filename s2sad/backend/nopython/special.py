"""Special functions and the parts of numbers, for Numba, which lacks some of ``math``.

In: nothing; `install` is called once. Out: Numba knows them, and the helpers of the derivatives of
the gamma and Bessel functions::

    math.cbrt(x)   ->   np.cbrt(x)
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numba import types

from ...rules import helpers
from .written import compiled, declare, dtype_text, is_list, written

__all__ = ["install"]

_BERNOULLI = helpers._BERNOULLI
_TERMS = len(_BERNOULLI)


@compiled
def _factorial(n: int) -> float:
    out = 1.0
    for k in range(2, n + 1):
        out *= k
    return out


@compiled
def _polygamma(n: int, x: float) -> Any:
    """As `helpers.polygamma`."""
    if x <= 0 and x == math.floor(x):
        return math.nan
    sign = -1.0 if n % 2 == 0 else 1.0
    total = 0.0
    factor = sign * _factorial(n)
    while x < 15 + n:
        total += factor / x ** (n + 1)
        x += 1.0
    if n == 0:
        tail = math.log(x) - 0.5 / x
        for k in range(1, _TERMS + 1):
            tail -= _BERNOULLI[k - 1] / (2 * k * x ** (2 * k))
        return total + tail
    tail = _factorial(n - 1) / x**n + _factorial(n) / (2 * x ** (n + 1))
    for k in range(1, _TERMS + 1):
        top = _BERNOULLI[k - 1] * _factorial(2 * k + n - 1)
        tail += top / (_factorial(2 * k) * x ** (2 * k + n))
    return total + sign * tail


@compiled
def _bessel(x: float, order: int) -> Any:
    """``(1 / pi) * integral of exp(x cos t) cos(order t)`` by the midpoint rule, as the helper."""
    n = 16 + 8 * int(math.sqrt(min(abs(x), 700.0)))
    total = 0.0
    for k in range(n):
        c = math.cos((k + 0.5) * (math.pi / (2 * n)))
        total += math.sinh(x * c) * c if order else math.cosh(x * c)
    return total / n


@compiled
def _parts(x: float) -> tuple[float, float]:
    whole = np.trunc(x)
    rest = 0.0 if np.isinf(x) else x - whole
    return math.copysign(rest, x), whole


@compiled
def _remainder(x: float, y: float) -> Any:
    """The difference from the nearest multiple, an even one at a tie (IEEE 754, 5.3.1)."""
    if np.isinf(y) and np.isfinite(x):
        return x
    size, step = abs(x), abs(y)
    low = np.fmod(size, step)
    high = step - low
    if low < high:
        rest = low
    elif low > high:
        rest = -high
    else:
        rest = low - 2.0 * np.fmod(0.5 * (size - low), step)
    return math.copysign(1.0, x) * rest


def _is_real(*given: Any) -> bool:
    return all(isinstance(t, types.Float | types.Integer | types.Boolean) for t in given)


def _polygamma_of(n: Any, x: Any) -> Any:
    polygamma = _polygamma
    return (lambda n, x: polygamma(n, x * 1.0)) if _is_real(n, x) else None


def _bessel_of(order: int) -> Callable[..., Any]:
    def by_types(x: Any) -> Any:
        if _is_real(x):
            return written(f"def impl(x): return bessel(x * 1.0, {order})", bessel=_bessel)
        if not isinstance(x, types.Array):
            return None
        dtype = dtype_text(x.dtype) if isinstance(x.dtype, types.Float) else "np.float64"
        return written(
            f"def impl(x):\n    out = np.empty(x.shape, {dtype})\n"
            "    for at in np.ndindex(x.shape):\n"
            f"        out[at] = bessel(np.float64(x[at]), {order})\n"
            "    return out",
            bessel=_bessel,
        )

    return by_types


def _cbrt(x: Any) -> Any:
    return (lambda x: np.cbrt(x * 1.0)) if _is_real(x) else None


def _math_modf(x: Any) -> Any:
    parts = _parts
    return (lambda x: parts(x * 1.0)) if _is_real(x) else None


def _math_remainder(x: Any, y: Any) -> Any:
    remainder = _remainder
    return (lambda x, y: remainder(x * 1.0, y * 1.0)) if _is_real(x, y) else None


def _dist(p: Any, q: Any) -> Any:
    known = (types.UniTuple, types.Array)
    if not all(is_list(t) or isinstance(t, known) for t in (p, q)):
        return None

    def impl(p: Any, q: Any) -> Any:
        if len(p) != len(q):
            raise ValueError("both points must have the same number of dimensions")
        largest = 0.0
        for n in range(len(p)):
            largest = max(largest, abs(p[n] - q[n]))
        if largest == 0.0 or np.isinf(largest):
            return largest
        total = 0.0
        for n in range(len(p)):
            part = (p[n] - q[n]) / largest
            total += part * part
        return largest * math.sqrt(total)

    return impl


def _split(one: Any, second: str) -> Callable[..., Any]:
    """``np.modf`` and ``np.frexp``: two results for each element."""

    def by_types(x: Any) -> Any:
        if isinstance(x, types.Float):
            return written("def impl(x): return one(x)", one=one)
        if not isinstance(x, types.Array) or not isinstance(x.dtype, types.Float):
            return None
        kind = second or dtype_text(x.dtype)
        return written(
            "def impl(x):\n"
            f"    first, last = np.empty_like(x), np.empty(x.shape, {kind})\n"
            "    for at in np.ndindex(x.shape):\n"
            "        first[at], last[at] = one(x[at])\n"
            "    return first, last",
            one=one,
        )

    return by_types


@compiled
def _frexp(x: float) -> tuple[float, int]:
    return math.frexp(x)


_TABLE: dict[Any, Callable[..., Any]] = {
    math.cbrt: _cbrt,
    math.modf: _math_modf,
    math.remainder: _math_remainder,
    math.dist: _dist,
    np.modf: _split(_parts, ""),
    np.frexp: _split(_frexp, "np.int32"),
    np.i0: _bessel_of(0),
    helpers.bessel_i1: _bessel_of(1),
    helpers.polygamma: _polygamma_of,
}


def install() -> None:
    """Tell Numba about them."""
    declare(_TABLE, prefer_literal=False)
