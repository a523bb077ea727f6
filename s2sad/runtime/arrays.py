"""Cotangents of arrays that were broadcast, indexed or looked at through a view.

In: arrays. Out: arrays; only `accumulate` changes its first argument::

    unbroadcast(np.ones((2, 3)), np.zeros(3))   ->   array([2., 2., 2.])
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .structures import add


def unbroadcast(g: Any, x: Any) -> Any:
    """``g`` summed over the axes along which ``x`` was broadcast, repeated where it is smaller.

    What is repeated is a new array: a broadcast view could not be written.

    >>> unbroadcast(np.ones((2, 3)), np.zeros((2, 1)))
    array([[3.],
           [3.]])
    """
    shape = np.shape(x)
    have = np.shape(g)
    if have == shape:
        return g
    if len(have) < len(shape) or any(
        n != m and n == 1 for n, m in zip(have[::-1], shape[::-1], strict=False)
    ):
        g = np.broadcast_to(g, np.broadcast_shapes(have, shape))
        return g.copy() if g.shape == shape else unbroadcast(g, x)
    extra = len(have) - len(shape)
    if extra:
        g = np.sum(g, axis=tuple(range(extra)))
    axes = tuple(
        i for i, (n, m) in enumerate(zip(np.shape(g), shape, strict=True)) if m == 1 and n != 1
    )
    return np.sum(g, axis=axes, keepdims=True) if axes else g


def accumulate(buf: Any, i: Any, g: Any) -> Any:
    """Add ``g`` to ``buf[i]`` in place, where repeated indices add up; returns ``buf``.

    >>> accumulate(np.zeros(3), [0, 0, 2], np.ones(3))
    array([2., 0., 1.])
    """
    if isinstance(buf, np.ndarray):
        np.add.at(buf, i, g)
    else:
        buf[i] = add(buf[i], g)
    return buf


def gather_written(g: Any, i: Any) -> Any:
    """``g[i]``, with 0 where a later repetition of an index in ``i`` overwrote the element.

    >>> gather_written(np.array([1.0, 2.0]), [0, 0, 1])
    array([0., 1., 2.])
    """
    picked = g[i]
    number = np.arange(np.size(picked)).reshape(np.shape(picked))
    last = np.zeros(np.shape(g), dtype=np.intp)
    last[i] = number
    return np.where(last[i] == number, picked, np.zeros((), picked.dtype))


def same_shape(g: Any, x: Any) -> Any:
    """``g``, which a rule of the user's has returned as the cotangent of ``x``."""
    if np.shape(g) != np.shape(x):
        raise ValueError(
            f"a rule returned a cotangent of shape {np.shape(g)} for an argument of shape "
            f"{np.shape(x)}"
        )
    return g


def is_view(x: Any, y: Any) -> bool:
    """Whether ``y``, which was made from the elements of ``x``, shares memory with it.

    >>> a = np.zeros((2, 3))
    >>> is_view(a, a.reshape(-1)), is_view(a.T, a.T.reshape(-1))
    (True, False)
    """
    return np.may_share_memory(x, y)


def copy_with_strides(x: Any) -> Any:
    """A copy of an array with the same strides: what is a view of it is a view of the copy.

    An array whose elements share memory, as after broadcasting, gets elements of their own.

    >>> copy_with_strides(np.zeros((4, 4))[::2, 1:3]).strides
    (64, 8)
    """
    if not x.size or x.flags.forc:
        return x.copy(order="K")
    first, room = 0, x.itemsize
    axes = sorted((abs(s), s, n) for s, n in zip(x.strides, x.shape, strict=True) if n > 1)
    for step, stride, n in axes:
        if step < room:
            return x.copy(order="K")
        room += step * (n - 1)
        first -= min(0, stride * (n - 1))
    out: Any = np.ndarray(x.shape, x.dtype, np.empty(room, dtype=np.uint8), first, x.strides)
    out[...] = x
    return out
