"""Moduli of complex numbers that are compared with a bound.

In: nothing; `install` is called once. Out: Numba knows what `abs_near` means: no root is taken
where the square of the modulus is far from that of the bound, as it nearly always is::

    abs_near(z, 2.0) <= 2.0   ->   re * re + im * im < 3.99…, or math.hypot(re, im) <= 2.0

The square is right to a few units in the last place, and so is the modulus that it is compared
with in NumPy: by how much they have to differ here is many times that.
"""

from __future__ import annotations

import math
from typing import Any

from numba import types

from ...runtime import abs_near
from .written import declare

__all__ = ["install"]

#: Bounds whose squares are neither too large nor too small to have all their digits.
_LEAST, _MOST = 1e-140, 1e140
#: How far apart squares must be, relatively.
_BELOW, _ABOVE = 1.0 - 1e-14, 1.0 + 1e-14


def _abs_near(z: Any, bound: Any) -> Any:
    if not isinstance(z, types.Complex):
        return lambda z, bound: abs(z)

    def impl(z: Any, bound: Any) -> Any:
        square = z.real * z.real + z.imag * z.imag
        if bound > _LEAST and bound < _MOST:
            if square < bound * bound * _BELOW:
                return 0.0
            if square > bound * bound * _ABOVE:
                return math.inf
        return math.hypot(z.real, z.imag)

    return impl


def install() -> None:
    """Tell Numba what `abs_near` means."""
    declare({abs_near: _abs_near}, jit_options={"error_model": "numpy"})
