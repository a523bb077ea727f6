"""Products of all linear factors but one, which the derivative of ``np.poly`` needs; NumPy only.

In: roots. Out: a matrix whose row k holds the coefficients of the product without root k.

    poly_others(np.array([1.0, 2.0]))   ->   [[1, -2], [1, -1]]
"""

from __future__ import annotations

from typing import Any

import numpy as np


def poly_others(x: Any) -> Any:
    """Row k: the coefficients of the polynomial with all roots but the k-th.

    >>> poly_others(np.array([1.0, 2.0]))
    array([[ 1., -2.],
           [ 1., -1.]])
    """
    n = len(x)
    return np.array([np.poly(np.delete(x, k)) for k in range(n)]).reshape(n, n)


def _without_two(x: Any, k: int, j: int) -> Any:
    """The derivative of row k of ``poly_others`` with respect to another root j."""
    return -np.concatenate([[0.0], np.atleast_1d(np.poly(np.delete(x, [k, j])))])


def poly_others_bar(v: Any, x: Any) -> Any:
    """The cotangent of the roots from that of ``poly_others``."""
    out = np.zeros(len(x), np.result_type(v, x))
    for k in range(len(x)):
        for j in range(len(x)):
            if j != k:
                out[j] += v[k] @ _without_two(x, k, j)
    return out


def poly_others_dot(t: Any, x: Any) -> Any:
    """The tangent of ``poly_others``."""
    out = np.zeros((len(x), len(x)), np.result_type(t, x))
    for k in range(len(x)):
        for j in range(len(x)):
            if j != k:
                out[k] += t[j] * _without_two(x, k, j)
    return out
