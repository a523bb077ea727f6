"""What a call costs, counted without a clock.

>>> lines_executed(lambda: [0 for _ in range(3)]) > 0
True
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any


def lines_executed(run: Callable[[], Any]) -> int:
    """Lines of Python executed: a count of operations."""
    lines = 0

    def trace(frame: Any, event: str, _: Any) -> Any:
        nonlocal lines
        lines += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        run()
    finally:
        sys.settrace(before)
    return lines
