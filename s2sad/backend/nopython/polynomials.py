"""Polynomials and sliding products, for Numba.

In: nothing; `install` is called once. Out: Numba knows the functions of polynomials by their
coefficients, highest first, and the cotangents of ``np.convolve`` and ``np.correlate``::

    np.polyval(p, x)   ->   for each coefficient: y = y * x + p[k]
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numba import types

from ...rules import matrices, polynomial_helpers
from .lanes import common
from .written import compiled, declare, is_list, written

__all__ = ["install"]


@compiled
def _slid(g: Any, v: Any, n: int, start: int) -> Any:
    """The cotangent of x, of length n, where g is that of a part of ``np.convolve(v, x)``."""
    out = np.zeros(n, (g[:1] * v[:1]).dtype)
    for i in range(n):
        for j in range(len(v)):
            if 0 <= i + j - start < len(g):
                out[i] += g[i + j - start] * v[j]
    return out


@compiled
def _product(a: Any, b: Any) -> Any:
    out = np.zeros(len(a) + len(b) - 1, (a[:1] * b[:1]).dtype)
    for i in range(len(a)):
        for j in range(len(b)):
            out[i + j] += a[i] * b[j]
    return out


@compiled
def _trimmed(p: Any) -> Any:
    """Without leading zeros; one element at least."""
    first = 0
    while first < len(p) - 1 and p[first] == 0:
        first += 1
    return p[first:].copy()


@compiled
def _of_roots(x: Any, one: int, other: int) -> Any:
    """The coefficients of the product of ``z - x[k]``, but for two of the roots."""
    out = np.zeros(len(x) + 1, (x[:1] * 1.0).dtype)
    out[0] = 1.0
    have = 0
    for k in range(len(x)):
        if k in (one, other):
            continue
        have += 1
        for i in range(have, 0, -1):
            out[i] -= x[k] * out[i - 1]
    return out[: have + 1]


def _starts(mode: Any) -> str | None:
    value = getattr(mode, "literal_value", mode.value if isinstance(mode, types.Omitted) else mode)
    return value if value in ("full", "same", "valid") else None


def _are_vectors(*given: Any) -> bool:
    return all(isinstance(t, types.Array) and t.ndim == 1 for t in given)


def _convolve_bar(g: Any, v: Any, like: Any, mode: Any = "full") -> Any:
    chosen = _starts(mode)
    if chosen is None or not _are_vectors(g, v, like):
        return None
    start = {"full": "0", "same": "(short - 1) // 2", "valid": "short - 1"}[chosen]
    return written(
        "def impl(g, v, like, mode='full'):\n"
        "    short = min(len(like), len(v))\n"
        f"    return slid(g, v, len(like), {start})",
        slid=_slid,
    )


def _correlate_bar(g: Any, other: Any, like: Any, mode: Any = "valid", first: Any = True) -> Any:
    chosen = _starts(mode)
    if chosen is None or not _are_vectors(g, other, like):
        return None
    start = {"full": "0", "same": "middle", "valid": "short - 1"}[chosen]
    return written(
        "def impl(g, other, like, mode='valid', first=True):\n"
        "    n, m = len(like), len(other)\n"
        "    if not first:\n        n, m = m, n\n"
        "    short = min(n, m)\n"
        "    middle = (short - 1) // 2 if n >= m else short // 2\n"
        "    if first:\n"
        f"        return slid(g, np.conj(other)[::-1], n, {start})\n"
        f"    return np.conj(slid(g, other, m, {start}))[::-1].copy()",
        slid=_slid,
    )


# -- coefficients ---------------------------------------------------------------------------------


def _coefficients(t: Any, name: str) -> str | None:
    """The coefficients of an operand as a vector."""
    if isinstance(t, types.Array) and t.ndim == 1:
        return name
    if isinstance(t, types.Number) or is_list(t):
        return f"np.array([{name}])" if isinstance(t, types.Number) else f"np.array({name})"
    return None


def _polyval(p: Any, x: Any) -> Any:
    if not _are_vectors(p) and not (is_list(p) and isinstance(p.dtype, types.Number)):
        return None
    if isinstance(x, types.Array):
        zero = f"np.zeros(x.shape, {common(p, x)})"
    elif isinstance(x, types.Number):
        zero = "0 * x * p[0]"
    else:
        return None
    return written(
        "def impl(p, x):\n"
        f"    y = {zero}\n"
        "    for k in range(len(p)):\n        y = y * x + p[k]\n"
        "    return y"
    )


def _sum_of(sign: str) -> Callable[..., Any]:
    def by_types(a1: Any, a2: Any) -> Any:
        one, two = _coefficients(a1, "a1"), _coefficients(a2, "a2")
        if one is None or two is None:
            return None
        return written(
            "def impl(a1, a2):\n"
            f"    p, q = {one}, {two}\n"
            "    n = max(len(p), len(q))\n"
            f"    out = np.zeros(n, {common(a1, a2)})\n"
            "    out[n - len(p):] += p\n"
            f"    out[n - len(q):] {sign}= q\n"
            "    return out"
        )

    return by_types


def _polymul(a1: Any, a2: Any) -> Any:
    one, two = _coefficients(a1, "a1"), _coefficients(a2, "a2")
    if one is None or two is None:
        return None
    return written(
        f"def impl(a1, a2): return product(trimmed({one}), trimmed({two}))",
        product=_product,
        trimmed=_trimmed,
    )


def _polyder(p: Any, m: Any = 1) -> Any:
    if not _are_vectors(p):
        return None

    def impl(p: Any, m: Any = 1) -> Any:
        out = p * 1
        for _ in range(m):
            n = max(len(out) - 1, 0)
            out = out[:n] * np.arange(n, 0, -1)
        return out

    return impl


def _polyint(p: Any, m: Any = 1, k: Any = None) -> Any:
    if not _are_vectors(p):
        return None
    if isinstance(k, types.NoneType | types.Omitted) or k is None:
        constant = "0.0"
    elif isinstance(k, types.Number):
        constant = "k"
    elif _are_vectors(k) or is_list(k):
        constant = "k[n] if len(k) > 1 else k[0]"
    else:
        return None
    return written(
        "def impl(p, m=1, k=None):\n"
        "    out = p * 1.0\n"
        "    for n in range(m):\n"
        "        longer = np.empty(len(out) + 1, out.dtype)\n"
        "        longer[:-1] = out / np.arange(len(out), 0, -1)\n"
        f"        longer[-1] = {constant}\n"
        "        out = longer\n"
        "    return out"
    )


def _poly(seq_of_zeros: Any) -> Any:
    if not _are_vectors(seq_of_zeros):
        return None
    of_roots = _of_roots
    return lambda seq_of_zeros: of_roots(seq_of_zeros, -1, -1)


def _poly_others(x: Any) -> Any:
    if not _are_vectors(x):
        return None
    of_roots = _of_roots

    def impl(x: Any) -> Any:
        out = np.empty((len(x), len(x)), (x[:1] * 1.0).dtype)
        for k in range(len(x)):
            out[k] = of_roots(x, k, -1)
        return out

    return impl


def _poly_others_bar(v: Any, x: Any) -> Any:
    of_roots = _of_roots

    def impl(v: Any, x: Any) -> Any:
        out = np.zeros(len(x), (v[0, :1] * x[:1]).dtype)
        for k in range(len(x)):
            for j in range(len(x)):
                if j != k:
                    rest = of_roots(x, k, j)
                    for n in range(len(rest)):
                        out[j] -= v[k, n + 1] * rest[n]
        return out

    return impl


def _poly_others_dot(t: Any, x: Any) -> Any:
    of_roots = _of_roots

    def impl(t: Any, x: Any) -> Any:
        out = np.zeros((len(x), len(x)), (t[:1] * x[:1]).dtype)
        for k in range(len(x)):
            for j in range(len(x)):
                if j != k:
                    rest = of_roots(x, k, j)
                    for n in range(len(rest)):
                        out[k, n + 1] -= t[j] * rest[n]
        return out

    return impl


_TABLE: dict[Any, Callable[..., Any]] = {
    np.polyval: _polyval,
    np.polyadd: _sum_of("+"),
    np.polysub: _sum_of("-"),
    np.polymul: _polymul,
    np.polyder: _polyder,
    np.polyint: _polyint,
    np.poly: _poly,
    matrices.convolve_bar: _convolve_bar,
    matrices.correlate_bar: _correlate_bar,
    polynomial_helpers.poly_others: _poly_others,
    polynomial_helpers.poly_others_bar: _poly_others_bar,
    polynomial_helpers.poly_others_dot: _poly_others_dot,
}


def install() -> None:
    """Tell Numba about them."""
    declare(_TABLE, prefer_literal=True)
