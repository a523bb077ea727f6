"""Comments: which source line a reverse statement comes from, and what that line says.

In: a span. Out: ``line 3: y = y * x``, numbered from the function's ``def``.
"""

from __future__ import annotations

import linecache
import re
from collections.abc import Sequence

from ..errors import Span
from ..ir.nodes import For, walk

LONGEST = 80


def quote(span: Span, entry: str, room: int = LONGEST) -> str:
    """The comment for a statement that reverses what is at ``span``, in ``room`` columns."""
    lines = span.lines if span.lines is not None else linecache.getlines(span.filename)
    number = span.line - definition_line(span, lines) + 1
    text = span.text.strip()
    if span.end_line == span.line and span.text.isascii():
        # one of several statements on a line, or the body of a lambda
        text = span.text[span.col : span.end_col].strip() or text
    helper = f"{span.function}, " if span.function and span.function != entry else ""
    room = min(LONGEST, room - len(f"{helper}line {number}: "))
    if len(text) > room:
        text = text[: room - 3].rstrip() + "..."
    return f"{helper}line {number}: {text}" if text else f"{helper}line {number}"


def definition_line(span: Span, lines: Sequence[str]) -> int:
    """The line of the ``def`` around a span; line 1 where it cannot be seen."""
    name = span.function.rpartition(".")[2]
    if name == "<lambda>" or not name:
        return span.line if lines else 1
    pattern = re.compile(rf"\s*(async\s+)?def\s+{re.escape(name)}\b")
    for n in range(min(span.line, len(lines)), 0, -1):
        if pattern.match(lines[n - 1]):
            return n
    return 1


def is_one_statement(node: For) -> bool:
    """Whether a loop stands for one statement of the user's: only the loop itself has a place."""
    return not any(inner.span is not None and inner.span.line for inner in walk(node.body))
