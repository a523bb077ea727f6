"""Emitted texts, run as they stand: in the globals of what they were compiled to.

The helpers and constants a text refers to are there, but none of the functions it defines.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def entry_of(text: str, path: str, compiled: Any) -> Callable[..., Any]:
    """The function that ``text`` defines in the place of ``compiled.run``."""
    namespace = {
        name: value
        for name, value in compiled.run.__globals__.items()
        if not getattr(getattr(value, "__code__", None), "co_filename", "").startswith("<s2sad")
    }
    exec(compile(text, path, "exec"), namespace)
    entry: Callable[..., Any] = namespace[compiled.run.__name__]
    return entry
