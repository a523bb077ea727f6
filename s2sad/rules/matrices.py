"""Helpers of linear algebra and Fourier transforms that emitted derivatives may call; NumPy only.

In: arrays, stacks of matrices among them. Out: new ones. They are copied into exported modules, as
are those of ``helpers``.

    divided([[0, 6], [6, 0]], [1.0, 3.0], ...)   ->   [[0, 3], [-3, 0]]
"""

from __future__ import annotations

from typing import Any

import numpy as np


def divided(x: Any, w: Any, used: Any) -> Any:
    """``x[i, j] / (w[j] - w[i])``, and 0 on the diagonal.

    Where two of ``w`` are equal to working precision, 0 if neither ``used[i, j]`` nor
    ``used[j, i]`` is anything but 0, for then nobody asked; else inf or nan.

    >>> divided(np.array([[0.0, 6.0], [6.0, 0.0]]), np.array([1.0, 3.0]), np.ones((2, 2)))
    array([[ 0.,  3.],
           [-3.,  0.]])
    """
    gaps = w[..., None, :] - w[..., :, None]
    n = w.shape[-1]
    scale = np.max(np.abs(w), axis=-1, initial=0)[..., None, None]
    gaps[np.abs(gaps) <= n * np.finfo(w.dtype).eps * scale] = 0
    asked = (used != 0) | (np.swapaxes(used, -1, -2) != 0)
    gaps[(gaps == 0) & ~asked] = 1
    off = ~np.eye(n, dtype=bool)
    x = np.where(off & asked, x, np.zeros((), np.asarray(x).dtype))
    gaps[..., ~off] = 1
    with np.errstate(divide="ignore", invalid="ignore"):
        return x / gaps


def outside(u: Any, x: Any) -> Any:
    """``x`` without its part in the span of the orthonormal columns of ``u``.

    >>> outside(np.array([[1.0], [0.0]]), np.array([[3.0], [4.0]]))
    array([[0.],
           [4.]])
    """
    if u.shape[-1] >= u.shape[-2]:
        return np.zeros(x.shape, np.result_type(u, x))
    return x - u @ (np.conj(np.swapaxes(u, -1, -2)) @ x)


def fraction(g: Any, d: Any) -> Any:
    """``g / d``, and 0 where ``d`` is 0; never raises.

    >>> fraction(np.array([1.0, 2.0]), np.array([0.0, 4.0]))
    array([0. , 0.5])
    """
    if np.ndim(d) == 0 and np.ndim(g) == 0:
        return g / d if d else 0.0 * g
    zero = np.equal(d, 0)
    if not np.any(zero):
        return g / d
    return np.where(
        zero, np.zeros((), np.asarray(d).dtype), g / np.where(zero, d.dtype.type(1), d)
    )


def inv_lower(low: Any) -> Any:
    """The inverse of lower triangular matrices, by halves.

    >>> inv_lower(np.array([[2.0, 0.0], [1.0, 4.0]]))
    array([[ 0.5  ,  0.   ],
           [-0.125,  0.25 ]])
    """
    n = low.shape[-1]
    if n <= 48:
        return np.tril(np.linalg.inv(np.tril(low)))
    h = n // 2
    out = np.zeros_like(low)
    first, last = inv_lower(low[..., :h, :h]), inv_lower(low[..., h:, h:])
    out[..., :h, :h], out[..., h:, h:] = first, last
    out[..., h:, :h] = -(last @ (low[..., h:, :h] @ first))
    return out


def real_entries(v: Any) -> Any:
    """For each column, a 1 at the largest entry that is real to the bit; LAPACK turns one so.

    >>> real_entries(np.array([[1.0 + 2.0j, 0.5], [-2.0, 0.1j]]))
    array([[0., 1.],
           [1., 0.]])
    """
    size = np.where(np.imag(v) == 0, np.abs(v), -1)
    k = np.argmax(size, axis=-2)[..., None, :]
    rows = np.arange(v.shape[-2])[:, None]
    return ((rows == k) & (size > 0)).astype(np.real(v).dtype)


def real_row(v: Any, row: int = 0) -> Any:
    """A 1 in that row, where LAPACK leaves entries real; none where it has not or they are 0.

    >>> real_row(np.array([[0.5 + 0.0j, 1.0j, 0.0], [0.5j, 1.0, 1.0]]))
    array([[1., 0., 0.],
           [0., 0., 0.]])
    """
    out = np.zeros(v.shape, np.real(v).dtype)
    least = 10 * np.finfo(out.dtype).eps
    out[..., row, :] = (np.abs(v[..., row, :]) > least) & (np.abs(v[..., row, :].imag) <= least)
    return out


def real_row_of_pair(u: Any, v: Any) -> Any:
    """`real_row` of singular vectors, u above v: in the first row of the shorter ones."""
    both = np.concatenate((u, v), axis=-2)
    return real_row(both, u.shape[-2] if u.shape[-2] >= v.shape[-2] else 0)


def eig(a: Any) -> Any:
    """``np.linalg.eig(a)`` in complex numbers, also where all eigenvalues are real."""
    w, v = np.linalg.eig(a)
    kind = np.result_type(w.dtype, np.complex64)
    return type(np.linalg.eig(np.eye(1)))(w.astype(kind, copy=False), v.astype(kind, copy=False))


def eigvals(a: Any) -> Any:
    """``np.linalg.eigvals(a)`` in complex numbers, also where all eigenvalues are real."""
    w = np.linalg.eigvals(a)
    return w.astype(np.result_type(w.dtype, np.complex64), copy=False)


_SWAPPED: dict[Any, Any] = {
    None: "forward",
    "backward": "forward",
    "ortho": "ortho",
    "forward": "backward",
}


def rfft_bar(g: Any, like: Any, n: Any = None, axis: int = -1, norm: Any = None) -> Any:
    """The cotangent of ``like`` under ``np.fft.rfft(like, n, axis, norm)``.

    >>> rfft_bar(np.array([1.0 + 0j, 0.0]), np.zeros(3))
    array([1., 1., 1.])
    """
    size = np.shape(like)[axis]
    n = size if n is None else int(n)
    y = np.moveaxis(np.conj(g), axis, -1).copy()
    y[..., 1 : (n + 1) // 2] *= 0.5
    x = np.fft.irfft(y, n, norm=_SWAPPED[norm])
    return _fitted(np.moveaxis(x, -1, axis), size, axis)


def irfft_bar(g: Any, like: Any, n: Any = None, axis: int = -1, norm: Any = None) -> Any:
    """The cotangent of ``like`` under ``np.fft.irfft(like, n, axis, norm)``.

    >>> irfft_bar(np.array([1.0, 0.0, 0.0]), np.zeros(2, complex), 3).real
    array([0.33333333, 0.66666667])
    """
    size = np.shape(like)[axis]
    n = 2 * (size - 1) if n is None else int(n)
    y = np.moveaxis(np.conj(np.fft.rfft(g, n, axis, _SWAPPED[norm])), axis, -1)
    y[..., 1 : (n + 1) // 2] *= 2.0
    return _fitted(np.moveaxis(y, -1, axis), size, axis)


def fitted(x: Any, like: Any, axes: Any = None) -> Any:
    """``x`` cut or filled up with zeros to the sizes of ``like`` along ``axes`` (None: all).

    >>> fitted(np.ones(3), np.zeros(4)), fitted(np.ones(3), np.zeros(2))
    (array([1., 1., 1., 0.]), array([1., 1.]))
    """
    for axis in range(-np.ndim(x), 0) if axes is None else axes:
        x = _fitted(x, np.shape(like)[axis], axis)
    return x


def _fitted(x: Any, size: int, axis: int) -> Any:
    have = x.shape[axis]
    if have == size:
        return x
    index = [slice(None)] * x.ndim
    index[axis] = slice(0, min(size, have))
    if size < have:
        return x[tuple(index)]
    shape = [*x.shape]
    shape[axis] = size
    out = np.zeros(shape, x.dtype)
    out[tuple(index)] = x
    return out


def divided_all(x: Any, w: Any) -> Any:
    """``x[i, j] / (w[j] - w[i])``, and 0 on the diagonal and where ``x`` is 0.

    >>> divided_all(np.array([[1.0, 6.0], [6.0, 1.0]]), np.array([1.0, 3.0]))
    array([[ 0.,  3.],
           [-3.,  0.]])
    """
    gaps = w[..., None, :] - w[..., :, None]
    n = w.shape[-1]
    scale = np.max(np.abs(w), axis=-1, initial=0)[..., None, None]
    gaps[np.abs(gaps) <= n * np.finfo(w.dtype).eps * scale] = 0
    diagonal = np.eye(n, dtype=bool)
    gaps[..., diagonal] = 1
    x = np.where(diagonal, np.zeros((), np.asarray(x).dtype), x)
    gaps[(x == 0) & (gaps == 0)] = 1
    with np.errstate(divide="ignore", invalid="ignore"):
        return x / gaps


def cofactors_dot(t: Any, a: Any) -> Any:
    """The derivative of ``cofactors(a)`` along ``t``; right where the matrix is singular too.

    With a = U S V^H that of the diagonal S along U^H t V, whose minors are products of all but
    two singular values.
    """
    u, s, vh = np.linalg.svd(a)
    n = s.shape[-1]
    uh, v = (np.conj(np.swapaxes(m, -1, -2)) for m in (u, vh))
    turned = uh @ t @ v
    ones = np.where(np.eye(n, dtype=bool), 1.0, s[..., None, :])  # row i: all but s[i]
    pairs = np.stack([_others(ones[..., i, :], i) for i in range(n)], axis=-2)
    diagonal = np.diagonal(turned, axis1=-2, axis2=-1)
    inner = -pairs * np.swapaxes(turned, -1, -2)
    inner[..., np.eye(n, dtype=bool)] = (pairs @ diagonal[..., None])[..., 0]
    sign = np.linalg.det(u) * np.linalg.det(vh)
    return sign[..., None, None] * (np.conj(u) @ inner @ np.conj(vh))


def _others(x: Any, i: int) -> Any:
    """For each element the product of the others, but 0 for element ``i``."""
    n = x.shape[-1]
    columns = [np.prod(np.delete(x, k, axis=-1), axis=-1) for k in range(n)]
    out = np.stack(columns, axis=-1)
    out[..., i] = 0
    return out


def pinv(a: Any, rcond: Any = None, hermitian: bool = False, rtol: Any = None) -> Any:
    """``np.linalg.pinv``, with None for a tolerance that is not given."""
    if rtol is not None:
        return np.linalg.pinv(a, hermitian=hermitian, rtol=rtol)
    return np.linalg.pinv(a, rcond, hermitian)


def scaled_residuals(r: Any, w: Any) -> Any:
    """``r`` with its columns weighed; 0 where ``w`` is empty, as there are no residuals then.

    >>> scaled_residuals(np.ones(2), np.array([3.0])), scaled_residuals(np.ones(2), np.ones(0))
    (array([3., 3.]), array([0., 0.]))
    """
    return r * w if w.size else np.zeros_like(r)


def convolve_bar(g: Any, v: Any, like: Any, mode: str = "full") -> Any:
    """The cotangent of ``like`` under ``np.convolve(like, v, mode)`` (in either order)."""
    n, m = len(like), len(v)
    start = {"full": 0, "same": (min(n, m) - 1) // 2, "valid": min(n, m) - 1}[mode]
    return _slid(g, v, n, start)


def correlate_bar(g: Any, other: Any, like: Any, mode: str = "valid", first: bool = True) -> Any:
    """The cotangent of ``like`` under ``np.correlate`` of it and the other one.

    ``first``: it is the operand that is not conjugated.
    """
    n, m = (len(like), len(other)) if first else (len(other), len(like))
    short = min(n, m)
    middle = (short - 1) // 2 if n >= m else short // 2  # NumPy swaps and turns around
    start = {"full": 0, "same": middle, "valid": short - 1}[mode]
    if first:
        return _slid(g, np.conj(other)[::-1], n, start)
    return np.conj(_slid(g, other, m, start))[::-1]


def _slid(g: Any, v: Any, n: int, start: int) -> Any:
    """The cotangent of x, of length n, where g is that of a part of ``np.convolve(v, x)``."""
    size = n + len(v) - 1
    if len(g) < size:
        full = np.zeros(size, g.dtype)
        full[start : start + len(g)] = g
        g = full
    return np.correlate(g, np.conj(v), mode="valid")
