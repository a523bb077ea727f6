"""What the derivative is written for: the interpreter, or a compiler of loops.

The choice between saving and computing again depends on it. An interpreted loop is cheapest when
it walks a list of tuples; a compiled one counts, reads arrays, and would rather do arithmetic
again than go to memory.

    with for_compiler(): …   ->   inside, is_for_compiler() is true
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

__all__ = ["for_compiler", "is_for_compiler"]

_for_compiler: ContextVar[bool] = ContextVar("compiled", default=False)


@contextmanager
def for_compiler(on: bool = True) -> Iterator[None]:
    """Derivatives made inside the block are meant to be compiled."""
    token = _for_compiler.set(on)
    try:
        yield
    finally:
        _for_compiler.reset(token)


def is_for_compiler() -> bool:
    """Whether the derivative being made is meant to be compiled."""
    return _for_compiler.get()
