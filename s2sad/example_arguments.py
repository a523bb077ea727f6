"""Arguments to compile a function for when nobody gives any.

In: the parameters of a function, with their annotations and defaults. Out: positional arguments
and keyword arguments that fit them; a float for whatever is not annotated::

    def f(x: np.ndarray, n: int, scale, k=2): ...   ->   (array([1., 1.]), 1, 1.0), {}
"""

from __future__ import annotations

import typing
from typing import Any

import numpy as np

from .binding import MISSING, Layout

__all__ = ["example_arguments"]


def example_arguments(layout: Layout) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Arguments as the annotations suggest; those with defaults are left out."""
    try:
        hints = typing.get_type_hints(layout.function)
    except Exception:  # annotations may name anything
        hints = {}
    args = []
    for name in layout.free:
        if layout.default(name) is not MISSING:
            break
        args.append(_example(hints.get(name)))
    named = {
        name: _example(hints.get(name))
        for name in layout.keyword_only
        if layout.default(name) is MISSING
    }
    return tuple(args), named


def _example(hint: Any) -> Any:
    origin, parts = typing.get_origin(hint), typing.get_args(hint)
    if hint is np.ndarray or origin is np.ndarray:
        return np.ones(2)
    if hint in (int, bool, complex, str):
        return hint(1)
    if origin is list:
        return [_example(part) for part in parts] * 2
    if origin is tuple and Ellipsis not in parts:
        return tuple(_example(part) for part in parts)
    if hint in (list, tuple):
        return hint((1.0, 1.0))
    return 1.0
