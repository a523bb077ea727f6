"""Helpers that derivatives of SciPy's functions may call where SciPy has no single function.

In: numbers or arrays that broadcast. Out: an array, or a NumPy scalar.

    gammainc_slope(1, 2.0, 3.0)     the derivative of gammainc(a, 3.0) at a = 2.0
"""

from __future__ import annotations

from collections.abc import Callable
from math import comb
from typing import Any

import numpy as np
from scipy import special

__all__ = [
    "beta_density",
    "betainc_slope",
    "dawsn_slope",
    "erfcx_slope",
    "exp_moment",
    "gamma_density",
    "gammainc_slope",
    "log1p_moment",
    "wofz_slope",
]


def exp_moment(k: int, u: Any) -> Any:
    """The integral of ``t**k exp(u t)`` over t from 0 to 1; its derivative has k + 1.

    Kummer's function (NIST Digital Library of Mathematical Functions, 13.4.1).

    >>> float(exp_moment(1, 0.0))
    0.5
    """
    return special.hyp1f1(k + 1.0, k + 2.0, u) / (k + 1.0)


def log1p_moment(k: int, v: Any) -> Any:
    """The integral of ``t**k / (1 + t v)**(k + 1)`` over t from 0 to 1.

    ``log1p(v) / v`` for k = 0; its derivative is ``-(k + 1)`` times the next (NIST Digital
    Library of Mathematical Functions, 15.6.1).

    >>> round(float(log1p_moment(0, 1.0)), 12)
    0.69314718056
    """
    return special.hyp2f1(k + 1.0, k + 1.0, k + 2.0, -np.asarray(v)) / (k + 1.0)


def gamma_density(n: int, a: Any, x: Any) -> Any:
    """The n-th derivative in a of the density ``x**(a - 1) exp(-x) / gamma(a)``.

    >>> round(float(gamma_density(0, 1.0, 2.0)), 12) == round(float(np.exp(-2.0)), 12)
    True
    """
    a, x = np.asarray(a, float), np.asarray(x, float)
    p = np.exp(special.xlogy(a - 1, x) - x - special.gammaln(a))
    if n == 0:
        return p[()]
    return (p * _gamma_factor(n, a, np.log(x)))[()]


def gammainc_slope(n: int, a: Any, x: Any) -> Any:
    """The n-th derivative in a of ``gammainc(a, x)``.

    The density's derivative is integrated from 0 to x or, where that is past the mean, from x to
    infinity with the opposite sign, by the exp-sinh rule: Takahasi and Mori, "Double exponential
    formulas for numerical integration", Publ. RIMS 9, 1974.

    >>> x = 0.7
    >>> h = 1e-6
    >>> slope = (special.gammainc(2 + h, x) - special.gammainc(2 - h, x)) / (2 * h)
    >>> bool(abs(gammainc_slope(1, 2.0, x) - slope) < 1e-9)
    True
    """
    a, x = np.broadcast_arrays(np.asarray(a, float), np.asarray(x, float))
    if n == 0:
        return special.gammainc(a, x)

    def below(s: Any, a: Any, x: Any) -> Any:
        """With t = x exp(-s)."""
        log_t = np.log(x) - s
        density = np.exp(a * log_t - x * np.exp(-s) - special.gammaln(a))
        return density * _gamma_factor(n, a, log_t)

    def above(s: Any, a: Any, x: Any) -> Any:
        """With t = x + s."""
        t = x + s
        density = np.exp((a - 1) * np.log(t) - t - special.gammaln(a))
        return -density * _gamma_factor(n, a, np.log(t))

    return _on_halves(x < a, below, above, a, x, (x > 0) & np.isfinite(x))


def beta_density(m: int, n: int, a: Any, b: Any, x: Any) -> Any:
    """The derivative, m times in a and n times in b, of the density of the beta distribution.

    >>> round(float(beta_density(0, 0, 2.0, 1.0, 0.3)), 12)
    0.6
    """
    a, b, x = (np.asarray(v, float) for v in (a, b, x))
    p = np.exp(special.xlogy(a - 1, x) + special.xlog1py(b - 1, -x) - special.betaln(a, b))
    if m == n == 0:
        return p[()]
    return (p * _beta_factor(m, n, a, b, np.log(x), np.log1p(-x)))[()]


def betainc_slope(m: int, n: int, a: Any, b: Any, x: Any) -> Any:
    """The derivative, m times in a and n times in b, of ``betainc(a, b, x)``.

    By integration, as in `gammainc_slope`.
    """
    a, b, x = np.broadcast_arrays(*(np.asarray(v, float) for v in (a, b, x)))
    if m == n == 0:
        return special.betainc(a, b, x)

    def below(s: Any, a: Any, b: Any, x: Any) -> Any:
        """With t = x exp(-s)."""
        log_t = np.log(x) - s
        log_u = np.log1p(-x * np.exp(-s))
        density = np.exp(a * log_t + (b - 1) * log_u - special.betaln(a, b))
        return density * _beta_factor(m, n, a, b, log_t, log_u)

    def above(s: Any, a: Any, b: Any, x: Any) -> Any:
        """With 1 - t = (1 - x) exp(-s)."""
        log_u = np.log1p(-x) - s
        log_t = np.log1p((x - 1) * np.exp(-s))
        density = np.exp((a - 1) * log_t + b * log_u - special.betaln(a, b))
        return -density * _beta_factor(m, n, a, b, log_t, log_u)

    return _on_halves(x * (a + b) < a, below, above, a, b, x, (x > 0) & (x < 1))


def wofz_slope(k: int, z: Any) -> Any:
    """The k-th derivative of Faddeeva's function ``wofz(z)``.

    By ``w' = 2i/sqrt(pi) - 2 z w`` and its derivatives; far out, where that is a small difference
    of large terms, by the asymptotic series (DLMF 7.12.1), reflected below the real axis.

    >>> z = 10.0
    >>> bool(abs(wofz_slope(1, z) - (2j / np.sqrt(np.pi) - 2 * z * special.wofz(z))) < 1e-14)
    True
    """
    z = np.asarray(z, complex)
    lower = z.imag < 0
    upper = np.where(lower, -z, z)
    far = np.abs(upper) > 6.5
    out = _by_recurrence(k, z, special.wofz(z), 2j / np.sqrt(np.pi))
    if not np.any(far):
        return out[()]
    safe = np.where(far, upper, 7.0)
    q, term, series = 0.5 / (safe * safe), 1j / np.sqrt(np.pi) / safe, np.zeros_like(safe)
    for n in range(42):
        rising = np.prod(2.0 * n + 1 + np.arange(k))
        series = series + term * rising
        term = term * q * (2 * n + 1)
    series = series * (-1.0 / safe) ** k
    with np.errstate(all="ignore"):
        gauss = _by_recurrence(k, z, 2 * np.exp(-z * z), 0.0)
    reflected = np.where(lower, gauss - (-1.0) ** k * series, series)
    return np.where(far, reflected, out)[()]


def _by_recurrence(k: int, z: Any, value: Any, constant: Any) -> Any:
    """The k-th derivative of a function with ``y' = constant - 2 z y``."""
    before, now = np.zeros_like(value), value
    for n in range(k):
        before, now = now, (constant if n == 0 else 0.0) - 2 * z * now - 2 * n * before
    return now


def erfcx_slope(k: int, x: Any) -> Any:
    """The k-th derivative of ``erfcx(x)``, which is ``wofz(i x)``."""
    return np.real(1j**k * wofz_slope(k, 1j * np.asarray(x)))


def dawsn_slope(k: int, x: Any) -> Any:
    """The k-th derivative of Dawson's integral, which is a multiple of the imaginary part of w."""
    return 0.5 * np.sqrt(np.pi) * np.imag(wofz_slope(k, x))


def _gamma_factor(n: int, a: Any, log_t: Any) -> Any:
    """The n-th derivative in a of the gamma density, over the density (Leibniz's rule)."""
    slopes = [log_t - special.psi(a), *(-special.polygamma(k, a) for k in range(1, n))]
    found: list[Any] = [np.ones_like(log_t)]
    for k in range(n):
        found.append(sum(comb(k, i) * found[k - i] * slopes[i] for i in range(k + 1)))
    return found[n]


def _beta_factor(m: int, n: int, a: Any, b: Any, log_t: Any, log_u: Any) -> Any:
    """The derivative of the beta density in a and b, over the density (Leibniz's rule)."""

    def slope(i: int, j: int, own: Any, log: Any, pure: bool) -> Any:
        """The derivative, i times in a and j in b, of that of the density's logarithm."""
        total = special.polygamma(i + j, a + b)
        if pure:
            total = total - special.polygamma(i + j, own)
        return total + log if i + j == 0 else total

    found: dict[tuple[int, int], Any] = {(0, 0): np.ones_like(log_t)}
    for i in range(m):
        found[i + 1, 0] = sum(
            comb(i, p) * found[i - p, 0] * slope(p, 0, a, log_t, True) for p in range(i + 1)
        )
    for j in range(n):
        for i in range(m + 1):
            found[i, j + 1] = sum(
                comb(i, p) * comb(j, q) * found[i - p, j - q] * slope(p, q, b, log_u, p == 0)
                for p in range(i + 1)
                for q in range(j + 1)
            )
    return found[m, n]


def _on_halves(
    first: Any, below: Callable[..., Any], above: Callable[..., Any], *given: Any
) -> Any:
    """``below`` or ``above`` integrated from 0 to infinity; 0 where the last array is false."""
    *operands, inside = given
    out = np.zeros(np.shape(first))
    for chosen, f in ((first & inside, below), (~first & inside, above)):
        if np.any(chosen):
            out[chosen] = _exp_sinh(f, *(v[chosen] for v in operands))
    out[np.any([np.isnan(v) for v in operands], axis=0)] = np.nan
    return out[()]


_STEP = 1 / 32
_U = np.arange(-4.5, 4.5 + _STEP, _STEP)
_NODES = np.exp(0.5 * np.pi * np.sinh(_U))
_WEIGHTS = _STEP * 0.5 * np.pi * np.cosh(_U) * _NODES


def _exp_sinh(f: Callable[..., Any], *operands: Any) -> Any:
    """The integral of f from 0 to infinity, for each element of the operands."""
    columns = [v[:, None] for v in operands]
    with np.errstate(all="ignore"):
        values = f(_NODES, *columns) * _WEIGHTS
    return np.where(np.isfinite(values), values, 0.0).sum(axis=1)
