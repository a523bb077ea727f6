"""What s2sad says when it will not go on, and the one layout in which it says it.

In: a message, the place in the user's source it is about, and a hint.
Out: an exception whose text points at that place::

    s2sad.UnsupportedError: 'yield' has no derivative
      --> model.py:12:9 in simulate
       12 |         yield x
          |         ^^^^^^^
       help: collect the values in a list and return it

A pass collects everything it finds in a `Problems` and raises once, so that a user sees all of it.
"""

from __future__ import annotations

import dataclasses
import linecache
import os
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

__all__ = [
    "ArgumentError",
    "OutputError",
    "Problem",
    "Problems",
    "S2sadError",
    "SourceError",
    "Span",
    "UnsupportedError",
]

_TAB = 4  # columns a tab advances to in what we print; carets are laid out on the expanded line


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of source text: lines from 1, columns from 0 in UTF-8 bytes, as in `ast`.

    `lines` are the lines of the file as they were when it was read; without them the text is
    looked up in `linecache` when the span is shown. `reverse` marks what reverses that place
    rather than computes it. Line 0 is no line: part of what is quoted elsewhere.

    >>> Span("model.py", 12, 8, 12, 15, "simulate").place
    'model.py:12:9 in simulate'
    """

    filename: str
    line: int
    col: int
    end_line: int
    end_col: int
    function: str = ""
    lines: Sequence[str] | None = dataclasses.field(default=None, repr=False, compare=False)
    reverse: bool = False

    @property
    def text(self) -> str:
        """The first line the span touches, without its newline; empty where it is unknown."""
        if self.lines is None:
            line = linecache.getline(self.filename, self.line)
        elif 0 < self.line <= len(self.lines):
            line = self.lines[self.line - 1]
        else:
            line = ""
        return line.rstrip("\r\n\f")

    @property
    def place(self) -> str:
        """`file:line:column in function`, with the column counted from 1 in characters."""
        column = len(_decode_prefix(self.text, self.col)) + 1 if self.text else self.col + 1
        where = f"{_short_path(self.filename)}:{self.line}:{column}"
        return f"{where} in {self.function}" if self.function else where

    def render(self) -> str:
        """The place, the line, and carets under the span (to the end of its first line)."""
        text = self.text
        if not text.strip():
            return f"  --> {self.place}"
        start = len(_decode_prefix(text, self.col))
        stop = len(text) if self.end_line > self.line else len(_decode_prefix(text, self.end_col))
        left = _display_width(text[:start])
        right = _display_width(text[:stop].rstrip() if stop > start else text[:stop])
        carets = " " * left + "^" * max(right - left, 1)
        return f"  --> {self.place}\n{self.line:>5} | {_expand(text).rstrip()}\n      | {carets}"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong: what, where (if it has a place), and what to do about it."""

    message: str
    span: Span | None = None
    help: str = ""

    def at(self, span: Span) -> Problem:
        """This problem, placed at `span` if it had no place of its own."""
        return self if self.span is not None else dataclasses.replace(self, span=span)

    def render(self) -> str:
        """The message, the source line with carets, and the hint, as one block of text."""
        parts = [self.message]
        if self.span is not None:
            parts.append(self.span.render())
        if self.help:
            first, *rest = self.help.splitlines()
            parts.append(f"   help: {first}")
            parts.extend(f"         {line}" for line in rest)
        return "\n".join(parts)


class S2sadError(Exception):
    """The base of everything s2sad raises on purpose."""


class UnsupportedError(S2sadError):
    """s2sad cannot differentiate this exactly, and says where and why.

    `problems` holds every problem found, once and in the order of the source; a plain string
    stands for one without a place.

    >>> span = Span("model.py", 2, 4, 2, 11, "f", lines=["def f(x):", "    yield x"])
    >>> print(UnsupportedError([Problem("'yield' has no derivative", span, "return a list")]))
    'yield' has no derivative
      --> model.py:2:5 in f
        2 |     yield x
          |     ^^^^^^^
       help: return a list
    """

    def __init__(self, problems: str | Problem | Iterable[Problem]) -> None:
        if isinstance(problems, str):
            problems = (Problem(problems),)
        elif isinstance(problems, Problem):
            problems = (problems,)
        self.problems: tuple[Problem, ...] = _in_order(problems)
        super().__init__(self.problems)

    def __str__(self) -> str:
        return "\nalso: ".join(problem.render() for problem in self.problems)


class SourceError(UnsupportedError):
    """The source of a function cannot be found, or is not what is running."""


class ArgumentError(S2sadError, TypeError):
    """An argument s2sad was given is wrong: an argnum, a missing value, an integer array."""


class OutputError(S2sadError, TypeError):
    """The differentiated function returned something that has no gradient."""


# Tracebacks show the module of a class: these are public as `s2sad.…`.
for _public in (S2sadError, UnsupportedError, SourceError, ArgumentError, OutputError):
    _public.__module__ = "s2sad"


class Problems:
    """Collects problems, so that they are reported together.

    >>> problems = Problems()
    >>> problems.add(None, "'yield' has no derivative")
    >>> problems.raise_if_any()
    Traceback (most recent call last):
        ...
    s2sad.UnsupportedError: 'yield' has no derivative
    """

    __slots__ = ("_found",)

    def __init__(self) -> None:
        self._found: dict[Problem, None] = {}  # ordered, and the same problem only once

    def __len__(self) -> int:
        return len(self._found)

    def add(self, span: Span | None, message: str, help: str = "") -> None:
        """Note one problem and go on."""
        self._found[Problem(message, span, help)] = None

    def extend(self, problems: Iterable[Problem], span: Span | None = None) -> None:
        """Note the problems of another error; those without a place are shown at `span`."""
        for problem in problems:
            self._found[problem if span is None else problem.at(span)] = None

    def raise_if_any(self) -> None:
        """Raise `UnsupportedError` with all that was noted."""
        if self._found:
            raise UnsupportedError(self._found)


def _in_order(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """Each problem once: file by file as they were met, then by line; last those without place."""
    found = dict.fromkeys(problems)
    files = list(dict.fromkeys(p.span.filename for p in found if p.span is not None))

    def place(problem: Problem) -> tuple[int, int, int]:
        span = problem.span
        if span is None:
            return (len(files), 0, 0)
        return (files.index(span.filename), span.line, span.col)

    return tuple(sorted(found, key=place))


def _short_path(filename: str) -> str:
    """The path relative to the working directory where that is below it."""
    if filename.startswith("<"):
        return filename
    try:
        relative = os.path.relpath(filename)
    except (ValueError, OSError):  # another drive; a working directory that is gone
        return filename
    return filename if relative.startswith(os.pardir) else relative


def _decode_prefix(text: str, col: int) -> str:
    """The characters before byte column `col`: `ast` counts columns in UTF-8 bytes."""
    return text[:col] if text.isascii() else text.encode()[:col].decode(errors="ignore")


def _expand(text: str) -> str:
    return text.expandtabs(_TAB)


def _display_width(text: str) -> int:
    """Terminal cells `text` takes when printed by `_expand`: wide characters take two."""
    expanded = _expand(text)
    if expanded.isascii():
        return len(expanded)
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1
        for c in expanded
    )
