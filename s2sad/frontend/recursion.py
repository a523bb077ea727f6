"""Recursive functions: lowered once, and called.

In: a call to a function that is being inlined already. Out: a ``Call``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .context import Lowerer
from .refs import Ref


def guarded(cx: Lowerer, key: Any, func: Any, run: Callable[[], Ref]) -> Ref:
    """Inline a function, unless it turns out to be recursive."""
    return run()


def call(cx: Lowerer, key: Any, *rest: Any) -> Ref:
    """A call to a function on the stack."""
    cx.fail("recursion is not supported yet")
