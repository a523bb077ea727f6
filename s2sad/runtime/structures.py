"""Values with parts: numbers, arrays, and lists, tuples, dicts and dataclasses of them.

In: values. Out: others of the same structure; nothing is changed in place::

    add([1.0, (2.0,)], [1.0, (3.0,)])   ->   [2.0, (5.0,)]
"""

from __future__ import annotations

from typing import Any

import numpy as np


def zeros_like(x: Any) -> Any:
    """A zero of the structure, shape and dtype of ``x``; an int counts as a float.

    >>> zeros_like([1.0, (2, np.ones(2))])
    [0.0, (0.0, array([0., 0.]))]
    """
    if isinstance(x, np.ndarray):
        return np.zeros_like(x)
    if isinstance(x, np.generic):
        return x.dtype.type(0)
    if isinstance(x, bool | int | float):
        return 0.0
    if isinstance(x, complex):
        return 0j
    if isinstance(x, tuple):
        items = [zeros_like(v) for v in x]
        return type(x)(*items) if hasattr(x, "_fields") else tuple(items)
    if isinstance(x, list):
        return [zeros_like(v) for v in x]
    if isinstance(x, dict):
        return {k: zeros_like(v) for k, v in x.items()}
    if hasattr(x, "__dataclass_fields__"):
        return type(x)(**{n: zeros_like(getattr(x, n)) for n in x.__dataclass_fields__})
    return None


def typed_like(g: Any, x: Any) -> Any:
    """``g`` with Python's numbers where ``x`` has them, and NumPy's of its dtype elsewhere.

    >>> typed_like([np.float64(2.0), 1.0], [0.5, np.float32(0.5)])
    [2.0, np.float32(1.0)]
    """
    if isinstance(x, tuple):
        items = [typed_like(a, b) for a, b in zip(g, x, strict=True)]
        return type(x)(*items) if hasattr(x, "_fields") else tuple(items)
    if isinstance(x, list):
        return [typed_like(a, b) for a, b in zip(g, x, strict=True)]
    if isinstance(x, dict):
        return {k: typed_like(g[k], v) for k, v in x.items()}
    if isinstance(x, np.generic):
        return x.dtype.type(g) if x.dtype.kind in "fc" else g
    if isinstance(x, bool | int | float):
        return float(g)
    return complex(g) if isinstance(x, complex) else g


def add(a: Any, b: Any) -> Any:
    """The sum of two cotangents of one structure; None counts as zero.

    >>> add([1.0, (2.0,)], [1.0, (3.0,)])
    [2.0, (5.0,)]
    """
    if a is None:
        return b
    if b is None:
        return a
    if isinstance(a, list):
        return [add(x, y) for x, y in zip(a, b, strict=True)]
    if isinstance(a, tuple):
        items = [add(x, y) for x, y in zip(a, b, strict=True)]
        return type(a)(*items) if hasattr(a, "_fields") else tuple(items)
    if isinstance(a, dict):
        return {k: add(v, b[k]) for k, v in a.items()}
    if hasattr(a, "__dataclass_fields__"):
        names = a.__dataclass_fields__
        return type(a)(**{n: add(getattr(a, n), getattr(b, n)) for n in names})
    return a + b


def copied(x: Any) -> Any:
    """A copy that shares no array, list or dict with ``x``.

    >>> a = [np.zeros(1)]
    >>> copied(a)[0] is a[0]
    False
    """
    if isinstance(x, np.ndarray):
        return x.copy(order="K")
    if isinstance(x, tuple):
        items = [copied(v) for v in x]
        return type(x)(*items) if hasattr(x, "_fields") else tuple(items)
    if isinstance(x, list):
        return [copied(v) for v in x]
    if isinstance(x, dict):
        return {k: copied(v) for k, v in x.items()}
    if hasattr(x, "__dataclass_fields__") and not isinstance(x, type):
        out = object.__new__(type(x))
        for name, v in vars(x).items():
            object.__setattr__(out, name, copied(v))
        return out
    return x
