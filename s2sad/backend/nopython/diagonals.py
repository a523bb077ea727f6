"""Diagonals and triangles of matrices, for Numba.

In: nothing; `install` is called once. Out: Numba knows ``np.diagonal`` and the helpers of
derivatives of determinants and triangular inverses::

    np.diagonal(a)   ->   out[k] = a[k, k]
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numba import types

from ...rules import helpers, matrices
from .written import declare, written

__all__ = ["install"]


def _diagonal(a: Any, offset: Any = 0, axis1: Any = 0, axis2: Any = 1) -> Any:
    """``np.diagonal`` of a matrix; a new array, which the program cannot write."""
    if not isinstance(a, types.Array) or a.ndim != 2:
        return None
    axes = _axis_value(axis1, 0) % 2, _axis_value(axis2, 1) % 2
    if axes not in ((0, 1), (1, 0)):
        return None
    up = "-offset" if axes == (0, 1) else "offset"
    return written(
        "def impl(a, offset=0, axis1=0, axis2=1):\n"
        f"    i, j = max({up}, 0), max(-({up}), 0)\n"
        "    n = max(min(a.shape[0] - i, a.shape[1] - j), 0)\n"
        "    out = np.empty(n, a.dtype)\n"
        "    for k in range(n):\n        out[k] = a[i + k, j + k]\n"
        "    return out"
    )


def _axis_value(axis: Any, default: int) -> int:
    value = axis.value if isinstance(axis, types.Omitted) else axis
    value = getattr(value, "literal_value", value)
    return value if isinstance(value, int) else default


def _undiagonal(g: Any, x: Any, offset: Any = 0, axis1: Any = 0, axis2: Any = 1) -> Any:
    if not isinstance(g, types.Array) or not isinstance(x, types.Array) or x.ndim != 2:
        return None
    axes = _axis_value(axis1, 0) % 2, _axis_value(axis2, 1) % 2
    if axes not in ((0, 1), (1, 0)) or g.ndim != 1:
        return None
    up = "-offset" if axes == (0, 1) else "offset"
    return written(
        "def impl(g, x, offset=0, axis1=0, axis2=1):\n"
        f"    i, j = max({up}, 0), max(-({up}), 0)\n"
        "    out = np.zeros(x.shape, g.dtype)\n"
        "    for k in range(min(x.shape[0] - i, x.shape[1] - j)):\n"
        "        out[i + k, j + k] = g[k]\n"
        "    return out"
    )


def _cofactors(a: Any) -> Any:
    """The derivative of the determinant of one matrix, as in `helpers.cofactors`."""
    if not isinstance(a, types.Array) or a.ndim != 2 or not isinstance(a.dtype, types.Float):
        return None
    least = 1e-3 / np.finfo(str(a.dtype)).eps

    def impl(a: Any) -> Any:
        n = a.shape[0]
        u, s, vh = np.linalg.svd(np.ascontiguousarray(a))
        if n > 1 and s[n - 1] > 0 and s[0] / s[n - 1] * n * n < least:
            return np.linalg.det(a) * np.linalg.inv(a).T
        others = np.ones(n, a.dtype)
        for k in range(n):
            for m in range(n):
                if m != k:
                    others[k] *= s[m]
        return np.linalg.det(u) * np.linalg.det(vh) * ((u * others) @ vh)

    return impl


def _inv_lower(low: Any) -> Any:
    if not isinstance(low, types.Array) or low.ndim != 2:
        return None
    return written("def impl(low): return np.linalg.inv(low)")


_TABLE: dict[Any, Callable[..., Any]] = {
    np.diagonal: _diagonal,
    matrices.inv_lower: _inv_lower,
    helpers.undiagonal: _undiagonal,
    helpers.cofactors: _cofactors,
}


def install() -> None:
    """Tell Numba about them."""
    declare(_TABLE, prefer_literal=True)
