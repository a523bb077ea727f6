"""Quotients, powers and products of derivatives where the formula alone gives nan.

In: numbers or arrays. Out: the same as the formula, but 0 where what it is multiplied by is 0::

    ratio(0.0, 0.0)                ->   0.0
    power_slope(0.0, 0.0, 0.5)     ->   0.0
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np


def ratio(g: Any, d: Any) -> Any:
    """``g / d``, but 0 where ``g`` is 0, and NumPy's inf where only ``d`` is 0; never raises.

    >>> ratio(0.0, 0.0), ratio(1.0, 0.0), ratio(1.0, 4.0)
    (0.0, inf, 0.25)
    """
    if isinstance(d, float | int) and isinstance(g, float | int):  # NumPy's float64 among them
        if g:
            return g / d if d else g * (math.copysign(math.inf, d) + d)
        zero = 0.0 * g + 0.0
        return zero if type(d) in (float, int) else np.float64(zero)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        out = np.divide(g, d)
        if np.isfinite(out).all():
            return out
        zero = np.equal(g, 0)
        if np.ndim(out) == 0:
            return out * 0 if zero and np.isfinite(out) else out.dtype.type(0) if zero else out
        return np.where(zero, out.dtype.type(0), out)


def power_slope(s: Any, x: Any, y: Any) -> Any:
    """``s * y * x ** (y - 1)``, but 0 where ``s`` or ``y`` is 0; never raises.

    >>> power_slope(1.0, 3.0, 2.0), power_slope(0.0, 0.0, 0.5), power_slope(1.0, 0.0, 0)
    (6.0, 0.0, 0.0)
    """
    if type(x) is float and 1e-75 < x < 1e75 and type(y) in (float, int) and -3 < y < 4:
        return s * (y * x ** (y - 1))
    with np.errstate(all="ignore"):
        seed = s * y
        out = seed * np.float_power(x, y - 1) if _python(x, y) else seed * np.power(x, y - 1.0)
        if np.ndim(out) == 0:
            return (seed * 0 if np.isfinite(seed) else 0.0) if seed == 0 else _like(out, s, x, y)
        return out if np.all(np.isfinite(out)) else np.where(np.equal(seed, 0), 0, out)


def log_base(x: Any) -> Any:
    """``log(x)``, but 0 at 0 and nan below; never raises.

    >>> log_base(1.0), log_base(0.0)
    (0.0, 0.0)
    """
    if type(x) is float:
        return math.log(x) if x > 0 else 0.0 if x == 0 else math.nan
    with np.errstate(all="ignore"):
        out = np.log(np.where(np.equal(x, 0), 1, x))
    return _like(out[()], x)


def unless_zero(g: Any, c: Any) -> Any:
    """``c``, but 0 where ``g`` is 0, even if c is nan or inf there.

    >>> unless_zero(np.array([0.0, 2.0]), np.array([np.nan, 3.0]))
    array([0., 3.])
    """
    if isinstance(c, float) and not isinstance(c, np.generic):
        return c if g else 0.0
    out = np.where(np.equal(g, 0), np.zeros((), np.asarray(c).dtype), c)
    return out if out.ndim or isinstance(c, np.ndarray) else out[()]


def _python(*xs: Any) -> bool:
    return all(type(x) in (int, float, bool, complex) for x in xs)


def _like(out: Any, *xs: Any) -> Any:
    """A Python number where all operands are."""
    return out.item() if _python(*xs) and isinstance(out, np.generic) else out
