"""Helpers that say where elements came from; emitted derivatives may call them; NumPy only.

In: arrays. Out: places, or an array in nested lists.

    unblock(np.arange(4.0), [np.ones(1), np.ones(3)])   ->   [array([0.]), array([1., 2., 3.])]
"""

from __future__ import annotations

from typing import Any

import numpy as np


def true_places(mask: Any, a: Any) -> Any:
    """Where a mask is true, as one array of indices for each of its axes.

    Raises IndexError if it does not fit the array that it chooses from.

    >>> true_places(np.array([[True, False], [False, True]]), np.zeros((2, 2)))
    (array([0, 1]), array([0, 1]))
    """
    if mask.shape != a.shape[: mask.ndim]:
        raise IndexError("boolean index did not match indexed array")
    return np.nonzero(mask)


def matching_places(out_: Any, a: Any, axis: int = -1) -> Any:
    """Where the elements of ``out_`` stand in ``a``, of which it is a rearrangement.

    >>> matching_places(np.array([1.0, 3.0, 2.0]), np.array([3.0, 2.0, 1.0]))
    array([2, 0, 1])
    """
    places = np.empty(np.shape(out_), int)
    order = np.argsort(out_, axis=axis, kind="stable")
    source = np.argsort(a, axis=axis, kind="stable")
    np.put_along_axis(places, order, source, axis=axis)
    return places


def open_grid(a: Any, axis: int = 0) -> Any:
    """The index along one axis, in a shape that broadcasts against ``a``."""
    shape = [1] * np.ndim(a)
    shape[axis] = -1
    return np.arange(np.shape(a)[axis]).reshape(shape)


def chosen(a: Any, choices: Any) -> Any:
    """What ``np.choose`` gives for any valid choice: its shape and type."""
    return np.choose(np.zeros(np.shape(a), int), choices)


def unblock(v: Any, arrays: Any) -> Any:
    """The array ``v`` in the nested lists that ``np.block`` put together."""
    return _parts(v, arrays, _depth(arrays), np.ndim(v))[0]


def _depth(arrays: Any) -> int:
    return 1 + _depth(arrays[0]) if isinstance(arrays, list) else 0


def _parts(v: Any, arrays: Any, depth: int, rank: int) -> tuple[Any, tuple[int, ...]]:
    """The part of ``v`` that begins at its corner, and the shape it takes up."""
    if not isinstance(arrays, list):
        shape = (1,) * (rank - np.ndim(arrays)) + np.shape(arrays)
        part = v[tuple(slice(n) for n in shape)].reshape(np.shape(arrays))
        if type(arrays) in (int, float, complex):
            return part.item(), shape
        return (part if np.ndim(arrays) else part[()]), shape
    parts = []
    start, axis = 0, rank - depth
    for x in arrays:
        rest = v[(slice(None),) * axis + (slice(start, None),)]
        part, shape = _parts(rest, x, depth - 1, rank)
        parts.append(part)
        start += shape[axis]
    return parts, (*shape[:axis], start, *shape[axis + 1 :])
