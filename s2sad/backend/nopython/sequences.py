"""Functions that look into lists and order them, for Numba.

In: nothing; `install` is called once. Out: Numba knows ``any`` and ``all`` of a list, and the
helpers behind ``sorted``, ``min`` and ``max`` with a key::

    any(flags)   ->   for flag in flags: if flag: return True
"""

from __future__ import annotations

import builtins
from collections.abc import Callable
from typing import Any

import numpy as np
from numba import types

from ... import runtime
from ...rules import helpers
from .written import declare, is_list, written

__all__ = ["install"]


def _any(iterable: Any) -> Any:
    if not is_list(iterable) and not isinstance(iterable, types.UniTuple | types.Array):
        return None

    return written(
        "def impl(iterable):\n    for x in iterable:\n        if x:\n            return True\n"
        "    return False"
    )


def _all(iterable: Any) -> Any:
    if not is_list(iterable) and not isinstance(iterable, types.UniTuple | types.Array):
        return None

    return written(
        "def impl(iterable):\n    for x in iterable:\n        if not x:\n"
        "            return False\n    return True"
    )


def _order_of(keys: Any, reverse: Any = False) -> Any:
    """A merge sort, which keeps equal keys in order; so does its reverse."""

    def impl(keys: Any, reverse: Any = False) -> Any:
        n = len(keys)
        order = np.arange(n)
        spare = np.empty(n, np.int64)
        width = 1
        while width < n:
            for low in range(0, n, 2 * width):
                middle, high = min(low + width, n), min(low + 2 * width, n)
                i, j = low, middle
                for k in range(low, high):
                    if i >= middle:
                        second = True
                    elif j >= high:
                        second = False
                    elif reverse:
                        second = keys[order[i]] < keys[order[j]]
                    else:
                        second = keys[order[j]] < keys[order[i]]
                    if second:
                        spare[k] = order[j]
                        j += 1
                    else:
                        spare[k] = order[i]
                        i += 1
            order[:] = spare
            width *= 2
        return list(order)

    return impl


def _place_of_best(keys: Any, largest: Any = False) -> Any:
    def impl(keys: Any, largest: Any = False) -> Any:
        if len(keys) == 0:
            raise ValueError("no smallest or largest of an empty sequence")
        best = 0
        for n in range(1, len(keys)):
            if largest:
                if keys[n] > keys[best]:
                    best = n
            elif keys[n] < keys[best]:
                best = n
        return best

    return impl


def _gather_ties(g: Any, best: Any, xs: Any) -> Any:
    if not is_list(xs) and not isinstance(xs, types.UniTuple):
        return None

    def impl(g: Any, best: Any, xs: Any) -> Any:
        total, count = 0.0, 0
        for n in range(len(xs)):
            if xs[n] == best:
                total += g[n]
                count += 1
        return total / count if count else np.nan

    return impl


_TABLE: dict[Any, Callable[..., Any]] = {
    builtins.any: _any,
    builtins.all: _all,
    runtime.order_of: _order_of,
    runtime.place_of_best: _place_of_best,
    helpers.gather_ties: _gather_ties,
}


def install() -> None:
    """Tell Numba about them."""
    declare(_TABLE, prefer_literal=True)
