"""Helpers of linear algebra that derivatives of SciPy's functions may call.

In: arrays. Out: new ones. Each is linear in its first operand, and its adjoint is another of them.

    corner([[1, 2], [3, 4]])   ->   [[2]]
"""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.linalg

__all__ = [
    "after_first",
    "band_of_outer",
    "band_times",
    "both_quarters",
    "corner",
    "diagonal_sums",
    "in_corner",
    "logm",
    "lower_factor",
    "paired",
    "row_order",
    "sqrtm",
    "toeplitz_lower",
    "transpose_band",
    "where_factor_is",
]


def paired(a: Any, e: Any) -> Any:
    """``[[a, e], [0, a]]``, of which functions hold their derivative along e in the corner."""
    a, e = np.asarray(a), np.asarray(e)
    zero = np.zeros(a.shape, np.result_type(a, e))
    return np.block([[a, e], [zero, a]])


def corner(m: Any) -> Any:
    """The upper right quarter of a matrix."""
    n = m.shape[0] // 2
    return m[:n, n:].copy()


def in_corner(g: Any) -> Any:
    """A matrix of zeros but for its upper right quarter."""
    n = g.shape[0]
    out = np.zeros((2 * n, 2 * n), g.dtype)
    out[:n, n:] = g
    return out


def both_quarters(m: Any) -> Any:
    """The sum of the upper left and the lower right quarter of a matrix."""
    n = m.shape[0] // 2
    return m[:n, :n] + m[n:, n:]


def after_first(v: Any) -> Any:
    """The vector with a first element of 0."""
    out = v.copy()
    out[:1] = 0
    return out


def sqrtm(a: Any) -> Any:
    """``scipy.linalg.sqrtm``; ArithmeticError where the root of a real matrix is complex."""
    return _as_real(a, scipy.linalg.sqrtm(a), "square root")


def logm(a: Any) -> Any:
    """``scipy.linalg.logm``, as real as the matrix; ArithmeticError where it is not."""
    return _as_real(a, scipy.linalg.logm(a), "logarithm")


def _as_real(a: Any, found: Any, what: str) -> Any:
    if np.iscomplexobj(found) and not np.iscomplexobj(a):
        if np.any(np.imag(found)):
            raise ArithmeticError(f"the {what} of this real matrix is complex: pass a + 0j")
        found = found.real
    return np.asarray(found, np.result_type(a, np.float32) if np.ndim(a) else None)


def lower_factor(c: Any, lower: Any) -> Any:
    """The lower triangular L of ``cho_factor``'s result, whose other triangle means nothing."""
    return np.tril(c) if lower else np.triu(c).T


def where_factor_is(g: Any, lower: Any) -> Any:
    """The adjoint of ``lower_factor``."""
    return np.tril(g) if lower else np.tril(g).T


def row_order(piv: Any) -> Any:
    """The order of rows that ``lu_factor``'s interchanges make: ``a[order] = L @ U``."""
    order = np.arange(len(piv))
    for i, j in enumerate(piv):
        order[[i, j]] = order[[j, i]]
    return order


def transpose_band(ab: Any, lower: int, upper: int) -> Any:
    """The transpose of a band matrix, in band storage; what is outside of the matrix is 0."""
    n = ab.shape[1]
    out = np.zeros_like(ab)
    for d in range(-lower, upper + 1):  # the diagonal a[i, i + d]
        row, column = ab[upper - d], out[lower + d]
        if d >= 0:
            column[: n - d] = row[d:]
        else:
            column[-d:] = row[: n + d]
    return out


def band_of_outer(y: Any, x: Any, lower: int, upper: int) -> Any:
    """The band of ``y @ x.T``, in band storage (of ``outer(y, x)`` for vectors)."""
    y, x = (v.reshape(len(v), -1) for v in (y, x))
    n = len(x)
    out = np.zeros((lower + upper + 1, n), np.result_type(y, x))
    for d in range(-lower, upper + 1):
        if d >= 0:
            out[upper - d, d:] = np.sum(y[: n - d] * x[d:], axis=1)
        else:
            out[upper - d, : n + d] = np.sum(y[-d:] * x[: n + d], axis=1)
    return out


def band_times(ab: Any, x: Any, lower: int, upper: int) -> Any:
    """The product of a band matrix with a vector or a matrix."""
    n = len(x)
    out = np.zeros(x.shape, np.result_type(ab, x))
    shape = (-1,) + (1,) * (x.ndim - 1)
    for d in range(-lower, upper + 1):
        row = ab[upper - d].reshape(shape)
        if d >= 0:
            out[: n - d] += row[d:] * x[d:]
        else:
            out[-d:] += row[: n + d] * x[: n + d]
    return out


def diagonal_sums(g: Any) -> Any:
    """For each row k, the sum of the diagonal that begins there.

    >>> diagonal_sums(np.array([[1, 2], [3, 4], [5, 6]]))
    array([5, 9, 5])
    """
    return np.array([np.trace(g, -k) for k in range(g.shape[0])], g.dtype)


def toeplitz_lower(v: Any, like: Any) -> Any:
    """The adjoint of ``diagonal_sums``: v along the diagonals, and 0 above."""
    return scipy.linalg.toeplitz(v, np.zeros(np.shape(like)[1], v.dtype))
