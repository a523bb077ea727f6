"""Arrays as memory: bounds, overlaps, and cotangents brought into their shape.

In: plain arrays. Out: facts about where their elements lie, and sums over broadcast axes.

    sum_to(np.ones((4, 3)), (3,), np.dtype(float))   ->   array([4., 4., 4.])
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = ["as_scalar", "byte_bounds", "is_fancy", "overlaps_itself", "real_if", "sum_to"]

NDArrayAny: TypeAlias = NDArray[Any]


def real_if(g: Any, dtype: np.dtype[Any]) -> Any:
    """The real part of ``g`` where ``dtype`` is real."""
    return np.real(g) if dtype.kind == "f" and np.iscomplexobj(g) else g


def as_scalar(g: Any, like: type) -> Any:
    """``g`` summed to one number of that type."""
    if type(g) is like:
        return g
    if isinstance(g, np.ndarray):
        g = g.sum() if g.ndim else g[()]
    if isinstance(g, complex | np.complexfloating) and not issubclass(
        like, complex | np.complexfloating
    ):
        g = g.real
    return like(g)


def sum_to(g: Any, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Any:
    """``g`` summed over the axes along which ``shape`` was broadcast, real where it was real."""
    g = real_if(np.asarray(g), dtype)
    if g.shape == shape or g.ndim == 0:
        return g
    if g.ndim > len(shape):
        g = g.sum(axis=tuple(range(g.ndim - len(shape))))
    axes = tuple(k for k, (m, n) in enumerate(zip(g.shape, shape, strict=False)) if n == 1 != m)
    return g.sum(axis=axes, keepdims=True) if axes and g.ndim == len(shape) else g


def is_fancy(key: Any) -> bool:
    """Whether the key may name an element twice: integer arrays or lists do."""
    parts = key if isinstance(key, tuple) else (key,)
    return any(
        isinstance(p, list) or (isinstance(p, np.ndarray) and p.ndim > 0 and p.dtype.kind in "iu")
        for p in parts
    )


def byte_bounds(array: NDArrayAny) -> tuple[int, int]:
    """The addresses of the first byte of the array and of the one after its last."""
    low = high = array.__array_interface__["data"][0]
    if array.size == 0:
        return low, low
    for length, stride in zip(array.shape, array.strides, strict=True):
        if stride < 0:
            low += (length - 1) * stride
        else:
            high += (length - 1) * stride
    return low, high + array.itemsize


def overlaps_itself(array: NDArrayAny) -> bool:
    """Whether two elements share memory (broadcast or sliding windows)."""
    reach = array.itemsize
    steps = sorted((abs(s), n) for s, n in zip(array.strides, array.shape, strict=True) if n > 1)
    for stride, length in steps:
        if stride < reach:
            return array.size > 0
        reach = stride * (length - 1) + reach
    return False
