"""Helpers of filters and convolutions that derivatives of SciPy's functions may call.

In: arrays. Out: new ones; each is linear in each of its arrays.

    lag_products([1, 2, 3], [1, 1, 1], 2)   ->   [6, 5]
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import signal

__all__ = [
    "convolve1d_bar",
    "convolve1d_weights_bar",
    "filter_bar",
    "lag_products",
]


def filter_bar(g: Any, other: Any, like: Any, mode: str, first: bool, method: str) -> Any:
    """The cotangent of one operand of ``signal.convolve``, given the other.

    ``like`` is the operand, the ``first`` one or not; g is put where it lies in the full
    convolution, whose adjoint is the convolution with the other reversed.
    """
    n, m = np.shape(like), np.shape(other)
    second = m if first else n
    full = np.zeros([i + j - 1 for i, j in zip(n, m, strict=True)], np.result_type(g, other))
    if mode == "full":
        start = [0] * len(n)
    elif mode == "same":
        start = [(j - 1) // 2 for j in second]
    else:
        start = [min(i, j) - 1 for i, j in zip(n, m, strict=True)]
    full[tuple(slice(s, s + k) for s, k in zip(start, g.shape, strict=True))] = g
    return signal.convolve(full, np.flip(other), mode="valid", method=method)


def lag_products(u: Any, x: Any, like: Any, axis: int = -1) -> Any:
    """For each k, the sum of ``u[n] x[n - k]``: the cotangent of a filter's coefficients.

    ``like`` has as many elements as there are lags.
    """
    u, x = np.moveaxis(u, axis, -1), np.moveaxis(x, axis, -1)
    size = u.shape[-1]
    out = np.zeros(np.shape(like), np.result_type(u, x))
    for k in range(min(len(out), size)):
        out[k] = np.sum(u[..., k:] * x[..., : size - k])
    return out


_PAD = {"reflect": "symmetric", "nearest": "edge", "mirror": "reflect", "wrap": "wrap"}


def _reach(n: int, m: int, mode: str, origin: int) -> Any:
    """Which element each of the m weights meets for each of the n results; -1 outside.

    Weight k of a convolution meets the element ``m // 2 + origin - k`` to the right.
    """
    left = right = m
    if mode in ("constant", "grid-constant"):
        where = np.pad(np.arange(n), (left, right), constant_values=-1)
    else:
        where = np.pad(np.arange(n), (left, right), _PAD[mode.replace("grid-", "")])  # type: ignore[call-overload]
    places = np.arange(n)[:, None] + (m // 2 + origin) - np.arange(m)[None, :]
    return where[places + left]


def convolve1d_bar(
    g: Any, weights: Any, axis: int = -1, mode: str = "reflect", origin: int = 0
) -> Any:
    """The cotangent of the input of ``ndimage.convolve1d``."""
    moved = np.moveaxis(g, axis, 0)
    reach = _reach(moved.shape[0], len(weights), mode, origin)
    out = np.zeros(moved.shape, np.result_type(g, weights))
    for k, w in enumerate(weights):
        inside = reach[:, k] >= 0
        np.add.at(out, reach[inside, k], w * moved[inside])
    return np.moveaxis(out, 0, axis)


def convolve1d_weights_bar(
    g: Any,
    x: Any,
    like: Any,
    axis: int = -1,
    mode: str = "reflect",
    cval: float = 0.0,
    origin: int = 0,
) -> Any:
    """The cotangent of the weights of ``ndimage.convolve1d``."""
    g, x = np.moveaxis(g, axis, 0), np.moveaxis(x, axis, 0)
    reach = _reach(x.shape[0], len(like), mode, origin)
    out = np.zeros(len(like), np.result_type(g, x))
    for k in range(len(like)):
        inside = reach[:, k] >= 0
        out[k] = np.sum(g[inside] * x[reach[inside, k]]) + cval * np.sum(g[~inside])
    return out
