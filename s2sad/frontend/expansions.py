"""Functions of NumPy that call functions, as programs: the compiler walks into them.

In: arrays and functions of the user's. Out: what NumPy's function gives.

    over_one(f, x)   ->   np.vectorize(f)(x)
"""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = [
    "accumulated",
    "along_last",
    "over_one",
    "over_three",
    "over_two",
    "reduced",
    "with_more",
]


def over_one(f: Any, x: Any) -> Any:
    """``f`` of every element."""
    return np.reshape(np.array([f(v) for v in np.ravel(x)]), np.shape(x))


def over_two(f: Any, x: Any, y: Any) -> Any:
    """``f`` of every pair of elements, broadcast."""
    x, y = np.broadcast_arrays(x, y)
    found = np.array([f(v, w) for v, w in zip(np.ravel(x), np.ravel(y), strict=True)])
    return np.reshape(found, np.shape(x))


def over_three(f: Any, x: Any, y: Any, z: Any) -> Any:
    """``f`` of every triple of elements, broadcast."""
    x, y, z = np.broadcast_arrays(x, y, z)
    triples = zip(np.ravel(x), np.ravel(y), np.ravel(z), strict=True)
    return np.reshape(np.array([f(u, v, w) for u, v, w in triples]), np.shape(x))


def along_last(f: Any, a: Any) -> Any:
    """``f`` of every vector along the last axis."""
    rows = np.reshape(a, (-1, a.shape[-1]))
    found = np.array([f(row) for row in rows])
    return np.reshape(found, a.shape[:-1] + found.shape[1:])


def reduced(f: Any, a: Any) -> Any:
    """``f.reduce(a)`` for a ufunc of two operands, along the first axis."""
    total = a[0]
    for i in range(1, len(a)):
        total = f(total, a[i])
    return total


def accumulated(f: Any, a: Any) -> Any:
    """``f.accumulate(a)`` for a ufunc of two operands, along the first axis."""
    total = a[0]
    found = [total]
    for i in range(1, len(a)):
        total = f(total, a[i])
        found.append(total)
    return np.array(found)


def with_more(f: Any, *args: Any) -> Any:
    """``f(row, *more)`` called as ``with_more(f, *more, row)``."""
    *more, row = args
    return f(row, *more)
