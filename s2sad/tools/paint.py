"""Print code and headings: in colour with rich where it is installed, plain otherwise.

In: titles and texts. Out: lines on the terminal, two texts side by side where both fit::

    your function            its derivative
    ----------------------   ---------------------------
    def f(x):                def f_grad(x):
        return x * x             return 2.0 * x
"""

from __future__ import annotations

import os
import shutil
import sys
from itertools import zip_longest
from typing import Any

__all__ = ["beside", "code", "heading", "plain_columns", "width"]


def width() -> int:
    """Columns we may fill; a file or a pipe has no edge."""
    if "COLUMNS" in os.environ or sys.stdout.isatty():
        return shutil.get_terminal_size().columns
    return 200


def heading(text: str) -> None:
    """A line that opens a section."""
    print(f"\n{text}\n{'-' * len(text)}")


def code(text: str, *, python: bool = True) -> None:
    """A text as it is, coloured if the terminal can."""
    lines = text.rstrip("\n").expandtabs(4)
    if not _colour():
        print(lines)
        return
    from rich.console import Console

    Console(width=width()).print(_syntax(lines, "python" if python else "text"))


def beside(left: tuple[str, str], right: tuple[str, str]) -> None:
    """Two titled texts next to each other; below each other where the terminal is too narrow."""
    room = width()
    fits = sum(max(map(len, _lines(text))) for _, text in (left, right)) + 7 <= room
    if not fits:
        for title, text in (left, right):
            heading(title)
            code(text)
        return
    if not _colour():
        print(plain_columns(left, right))
        return
    from rich import box
    from rich.console import Console
    from rich.table import Table

    table = Table(left[0], right[0], box=box.SIMPLE_HEAD, padding=(0, 2, 0, 0))
    table.add_row(*(_syntax("\n".join(_lines(text)), "python") for _, text in (left, right)))
    Console(width=room).print(table)


def plain_columns(left: tuple[str, str], right: tuple[str, str]) -> str:
    """Two titled texts next to each other, as one text.

    >>> print(plain_columns(("a", "x = 1"), ("b", "y = 2\\nz = 3")))
    a       b
    -----   -----
    x = 1   y = 2
            z = 3
    """
    columns = [[title, "", *_lines(text)] for title, text in (left, right)]
    widths = [max(map(len, column)) for column in columns]
    for column, wide in zip(columns, widths, strict=True):
        column[1] = "-" * wide
    rows = zip_longest(*columns, fillvalue="")
    return "\n".join(f"{a:<{widths[0]}}   {b}".rstrip() for a, b in rows)


def _lines(text: str) -> list[str]:
    return text.rstrip("\n").expandtabs(4).splitlines() or [""]


def _colour() -> bool:
    """Whether rich is there, and the output is a terminal that wants colours."""
    if not sys.stdout.isatty() or "NO_COLOR" in os.environ:
        return False
    try:
        import rich  # noqa: F401
    except ImportError:
        return False
    return True


def _syntax(text: str, language: str) -> Any:
    from rich.syntax import Syntax

    return Syntax(text, language, theme="ansi_dark", background_color="default")
