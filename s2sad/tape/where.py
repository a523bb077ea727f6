"""Where in the user's source the tape is right now, for errors.

In: the running frames. Out: the span of the user's innermost line.
"""

from __future__ import annotations

import itertools
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import CodeType, FrameType, TracebackType

from ..errors import Problem, Span, UnsupportedError

__all__ = [
    "NAMESPACE_MARK",
    "no_refusal_is_swallowed",
    "refuse",
    "span_of_traceback",
    "user_span",
]

#: The name that namespaces of translated functions carry, by which their frames are known.
NAMESPACE_MARK = "__s2sad_tape__"


class _Refused(threading.local):
    """The first refusal of the run that goes on in this thread."""

    error: UnsupportedError | None = None


_refused = _Refused()


def refuse(message: str, help: str = "") -> UnsupportedError:
    """An error about what the user's current line did."""
    error = UnsupportedError(Problem(message, user_span(), help))
    _refused.error = _refused.error or error
    return error


@contextmanager
def no_refusal_is_swallowed() -> Iterator[None]:
    """Raise a refusal again if the user's own ``except`` caught it: the result means nothing."""
    outer, _refused.error = _refused.error, None
    try:
        yield
        if _refused.error is not None:
            raise _refused.error
    finally:
        _refused.error = outer


def user_span() -> Span | None:
    """The innermost line of the user that is running, or None."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        if NAMESPACE_MARK in frame.f_globals:
            return _span(frame.f_code, frame.f_lasti, frame.f_lineno)
        frame = frame.f_back
    return None


def span_of_traceback(traceback: TracebackType | None) -> Span | None:
    """The innermost line of the user that a traceback went through, or None."""
    found = None
    while traceback is not None:
        frame = traceback.tb_frame
        if NAMESPACE_MARK in frame.f_globals:
            found = _span(frame.f_code, traceback.tb_lasti, traceback.tb_lineno)
        traceback = traceback.tb_next
    return found


def _span(code: CodeType, lasti: int, line: int | None) -> Span:
    positions = next(itertools.islice(code.co_positions(), lasti // 2, None), None)
    start, end, col, end_col = positions or (None, None, None, None)
    first = start or line or code.co_firstlineno
    return Span(
        code.co_filename, first, col or 0, end or first, end_col or (col or 0) + 1, code.co_name
    )
