"""The discrete Fourier transform of a vector, in code that Numba compiles.

In: a vector, the number of points, and a plan for it. Out: its transform, not scaled::

    spectrum(x, 4, planned(4, True))   ->   what np.fft.fft(x) gives

A number of points with small factors is split by them: Stockham's method, which leaves the result
in order (Van Loan, Computational Frameworks for the Fast Fourier Transform, 1992, 1.7 and 2.5).
With a large prime factor the transform is a convolution with a chirp (Bluestein 1970), done at a
power of two. Sines are taken of a few angles only: the rest are products of two.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, TypeVar, cast

import numpy as np
from numba import njit

__all__ = ["planned", "spectrum"]

_F = TypeVar("_F", bound=Callable[..., Any])


def _compiled(f: _F) -> _F:
    """``f``, compiled when it is first called or compiled into other code."""
    return cast(_F, njit(error_model="numpy")(f))


#: The largest factor that is worth a sum over all of its terms.
_LARGEST = 50


@_compiled
def _roots(n: int, forward: bool) -> Any:
    """``exp(-+ 2 pi i k / n)`` for all k."""
    turn = (-2.0 if forward else 2.0) * math.pi / n
    step = int(math.sqrt(n)) + 1
    low = np.empty(step, np.complex128)
    for k in range(step):
        low[k] = complex(math.cos(turn * k), math.sin(turn * k))
    out = np.empty(n, np.complex128)
    for first in range(0, n, step):
        high = complex(math.cos(turn * first), math.sin(turn * first))
        for k in range(first, min(first + step, n)):
            out[k] = high * low[k - first]
    return out


@_compiled
def planned(n: int, forward: bool) -> Any:
    """The roots of unity, and the factors of ``n`` in the order in which they are split off.

    Where a factor is large there are none, and the roots are the chirp.
    """
    factors = np.empty(64, np.int64)
    count, rest, p = 0, n, 2
    while rest % 4 == 0:
        factors[count] = 4
        count += 1
        rest //= 4
    while p * p <= rest:
        while rest % p == 0:
            factors[count] = p
            count += 1
            rest //= p
        p += 1
    if rest > 1:
        factors[count] = rest
        count += 1
    if count and factors[count - 1] > _LARGEST:
        double = _roots(2 * n, forward)
        chirp = np.empty(n, np.complex128)
        for k in range(n):
            chirp[k] = double[k * k % (2 * n)]
        return chirp, factors[:0]
    return _roots(n, forward), factors[:count]


@_compiled
def _split(x: Any, roots: Any, factors: Any) -> Any:
    """Stockham's method; ``x`` is overwritten."""
    n = len(x)
    y = np.empty(n, np.complex128)
    size, stride = n, 1
    for r in factors:
        m = size // r
        for p in range(m):
            if r == 4:
                quarter = roots[n // 4]
                w1, w2, w3 = roots[p * stride], roots[2 * p * stride], roots[3 * p * stride]
                for q in range(stride):
                    at = q + stride * p
                    a, b = x[at], x[at + stride * m]
                    c, d = x[at + 2 * stride * m], x[at + 3 * stride * m]
                    even, odd = a + c, b + d
                    low, high = a - c, b - d
                    turned = complex(-high.imag * quarter.imag, high.real * quarter.imag)
                    to = q + stride * 4 * p
                    y[to] = even + odd
                    y[to + stride] = (low + turned) * w1
                    y[to + 2 * stride] = (even - odd) * w2
                    y[to + 3 * stride] = (low - turned) * w3
            elif r == 2:
                w1 = roots[p * stride]
                for q in range(stride):
                    a, b = x[q + stride * p], x[q + stride * (p + m)]
                    to = q + stride * 2 * p
                    y[to] = a + b
                    y[to + stride] = (a - b) * w1
            else:
                for q in range(stride):
                    for k in range(r):
                        total = 0j
                        for i in range(r):
                            total += x[q + stride * (p + m * i)] * roots[i * k % r * (n // r)]
                        y[q + stride * (r * p + k)] = total * roots[p * k * stride]
        x, y = y, x
        size, stride = m, stride * r
    return x


@_compiled
def spectrum(x: Any, n: int, plan: Any) -> Any:
    """The transform of ``x``, cut or filled up with zeros to ``n`` points; not scaled."""
    roots, factors = plan
    have = min(len(x), n)
    if n == 1 or len(factors):
        given = np.zeros(n, np.complex128)
        for k in range(have):
            given[k] = x[k]
        return _split(given, roots, factors)
    wide = 1
    while wide < 2 * n - 1:
        wide *= 2
    to, to_factors = planned(wide, True)
    back, back_factors = planned(wide, False)
    left = np.zeros(wide, np.complex128)
    right = np.zeros(wide, np.complex128)
    for k in range(have):
        left[k] = x[k] * roots[k]
    for k in range(n):
        right[k] = np.conj(roots[k])
        if k:
            right[wide - k] = np.conj(roots[k])
    left = _split(left, to, to_factors) * _split(right, to, to_factors)
    left = _split(left, back, back_factors)
    return left[:n] * roots / wide
