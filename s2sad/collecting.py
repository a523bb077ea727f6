"""Compiling without looking for garbage.

In: what builds many objects that all stay until it is done. Out: the same, without the collector,
which would go through all of them, and all that NumPy and Numba have, for a tenth of a second and
more::

    with without_collecting():
        ...
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["without_collecting"]


@contextmanager
def without_collecting() -> Iterator[None]:
    """No garbage is looked for within, and then again if it was before."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
