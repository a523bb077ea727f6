"""Adjoints of differences on a grid, which emitted derivatives may call; NumPy only.

In: a cotangent. Out: the cotangent of what was differenced.

    undiff(np.array([1.0, 4.0]))   ->   array([-1., -3.,  4.])
"""

from __future__ import annotations

from typing import Any

import numpy as np


def undiff(v: Any, axis: int = -1) -> Any:
    """The adjoint of one ``np.diff``: minus the difference of ``v`` padded with zeros.

    >>> undiff(np.array([1.0, 4.0]))
    array([-1., -3.,  4.])
    """
    return -np.diff(v, axis=axis, prepend=0, append=0).astype(np.asarray(v).dtype, copy=False)


def gradient_bar(v: Any, axis: int = 0, edge_order: int = 1) -> Any:
    """The adjoint of ``np.gradient`` along one axis, with spacing 1.

    >>> gradient_bar(np.array([1.0, 0.0, 0.0]))
    array([-1.,  1.,  0.])
    """
    v = np.moveaxis(v, axis, 0)
    half = 0.5 * v[1:-1]
    out = np.zeros_like(v)
    out[2:] += half
    out[:-2] -= half
    weights = (-1.0, 1.0) if edge_order == 1 else (-1.5, 2.0, -0.5)
    for n, w in enumerate(weights):
        out[n] += w * v[0]
        out[-1 - n] -= w * v[-1]
    return np.moveaxis(out, 0, axis)
