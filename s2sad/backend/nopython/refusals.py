"""Why Numba did not compile something, in one line.

In: an exception of Numba's and the text it was compiling. Out: an `UnsupportedError` that names
the backend, the reason and the line::

    No implementation of function Function(<function convolve …>) found for signature: …
      ->   backend='numba' does not compile convolve(array(float64, 2d, C)), in: y = np.convolve(a)
"""

from __future__ import annotations

import os
import re
import traceback
from types import FrameType

from ...errors import UnsupportedError

__all__ = ["is_of_numba", "translated"]

#: How messages begin that come from arguments.
_TAKING_IN = ("can't unbox", "cannot compute fingerprint", "incompatible shape for array")

_REASONS = (
    (
        r"incompatible shape for array()",
        "does not reshape an array whose elements are not in order{}: copy it first",
    ),
    (
        r"No implementation of function .*? found for signature:\s*>>> ([^\n]+)",
        "does not compile {}",
    ),
    (r"Untyped global name '(\w+)'", "does not know {}"),
    (r"Use of unsupported NumPy function '([\w.]+)'", "does not know {}"),
    (r"Unknown attribute '(\w+)' of type ([^\n]+)", "does not know the attribute {} of {}"),
    (r"Cannot unify ([^\n]+?) and ([^\n]+?) for '", "has no type for what is now {}, now {}"),
    (r"Variable '(\w+)' is not defined", "does not see that {} is always assigned"),
    (
        r"Return type of recursive function does not converge()",
        "finds no type for the recursion{}",
    ),
    (r"can't unbox heterogeneous list: ([^\n]+)", "takes no list of unlike elements: {}"),
    (r"fingerprint of empty list()", "takes no empty list{}"),
    (r"[Cc]annot determine Numba type of ([^\n]+)", "has no type for {}"),
)


def is_of_numba(error: Exception) -> bool:
    """Whether it was raised while something was compiled, or taken in: not by the program."""
    from numba.core.errors import NumbaError

    if isinstance(error, NumbaError) or str(error).startswith(_TAKING_IN):
        return True
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = trace.tb_frame.f_code.co_filename if trace is not None else ""
    return f"{os.sep}numba{os.sep}" in place or f"{os.sep}llvmlite{os.sep}" in place


def translated(error: Exception, text: str) -> UnsupportedError:
    """The refusal that an exception of Numba's means; ``text`` is what was compiled."""
    said = str(error)
    reason = None
    for pattern, words in _REASONS:
        found = re.search(pattern, said, re.DOTALL)
        if found is not None:
            reason = words.format(*(" ".join(g.split()) for g in found.groups()))
            break
    if reason is None:
        lines = [line.strip() for line in said.splitlines() if line.strip()]
        lines = [line for line in lines if not line.startswith("Failed in nopython mode")]
        first = lines[0][:90] if lines else ""
        if first in ("", type(error).__name__, "AssertionError"):
            first = f"Numba itself fails, in {_innermost(error)}"
        reason = f"does not compile this: {first}"
    place = _line(said, text) or _instruction(error, text)
    return UnsupportedError(f"backend='numba' {reason}" + (f", in: {place}" if place else ""))


def _line(said: str, text: str) -> str | None:
    """The line of the text that Numba was at."""
    numbers = re.findall(r's2sad_\w+\.py", line (\d+)', said) or re.findall(
        r"s2sad_\w+\.py \((\d+)\)", said
    )
    if not numbers:
        return None
    lines = text.splitlines()
    at = int(numbers[-1]) - 1
    return lines[at].strip() if 0 <= at < len(lines) else None


def _frames(error: Exception) -> list[FrameType]:
    """The frames of the traceback, the innermost one last; it is that of the first cause."""
    cause: BaseException = error
    while cause.__cause__ is not None:
        cause = cause.__cause__
    return [frame for frame, _ in traceback.walk_tb(cause.__traceback__)]


def _innermost(error: Exception) -> str:
    """The function of Numba's that failed."""
    return next((f.f_code.co_name for f in reversed(_frames(error))), type(error).__name__)


def _instruction(error: Exception, text: str) -> str | None:
    """The line of the text whose instruction was being translated when Numba failed."""
    lines = text.splitlines()
    for frame in reversed(_frames(error)):
        place = getattr(frame.f_locals.get("inst"), "loc", None)
        if place is not None and "s2sad_" in str(place.filename) and place.line <= len(lines):
            found: str = lines[place.line - 1].strip()
            return found
    return None
