"""Programs to differentiate: plain functions, and a table that says what is to come of each.

Every entry declares ``exact`` (the derivative is exact) or ``refused`` (with the reason), so that
a compiler that refuses everything fails.  Nothing here imports s2sad.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Program:
    """One program with its arguments and what is expected.

    ``number`` counts the trap it belongs to (0: none).  ``reason`` says why it is refused, None
    where it must be exact; ``match`` is what the message must say.  ``no_tape`` says why the tape
    leaves it out.  ``options`` go to the checker.
    """

    f: Callable[..., Any]
    args: tuple[Any, ...]
    number: int = 0
    reason: str | None = None
    match: str = ""
    no_tape: str | None = None
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The function's name, in words where it is a lambda."""
        return self.f.__name__.replace("<lambda>", "a_lambda")

    def __str__(self) -> str:
        return f"{self.number:02d}-{self.name}" if self.number else self.name


class Table(list[Program]):
    """The programs of one file, in order."""

    def exact(
        self,
        number: int,
        f: Callable[..., Any],
        *args: Any,
        no_tape: str | None = None,
        **options: Any,
    ) -> None:
        """The derivative is exact."""
        self.append(Program(f, args, number, no_tape=no_tape, options=options))

    def refused(
        self, number: int, f: Callable[..., Any], *args: Any, reason: str, match: str = ""
    ) -> None:
        """It is refused, since the exact answer would be unreasonable to ask for."""
        self.append(Program(f, args, number, reason, match))
