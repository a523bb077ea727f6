"""Where a lowering is: its state, its builder, its place in the program; and how it refuses.

In: ops and nodes of the syntax. Out: nodes in the builder, and problems placed at a line.

    cx.op("mul", x, y)      mul x y is appended; operands it does not take are refused here
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NoReturn

from ..errors import Problem, Span
from ..ir.builder import Builder
from ..ir.kinds import Unknown
from ..ir.nodes import Atom, Function, Value
from ..rules.registry import KindError
from .captures import Captures
from .refs import Frame, Ref
from .source import span_of
from .state import State


class Refuse(Exception):
    """One problem, raised where it is found and noted at the end of the statement."""

    def __init__(self, problem: Problem | None) -> None:
        super().__init__(problem)
        self.problem = problem


_UNKNOWN_HELP = (
    "it must be a number or an array on every path (None is neither); "
    "a function that s2sad does not know needs a rule"
)


class Unreachable(Exception):
    """What is being lowered is never reached: it stands after something that always raises."""


class NeedsUnrolling(Exception):
    """A loop's index chooses among unlike things: the loop must be unrolled, or is refused."""

    def __init__(self, refuse: Refuse) -> None:
        super().__init__()
        self.refuse = refuse


class Position:
    """State, builder and position of one lowering."""

    def __init__(self, captures: Captures) -> None:
        self.b = Builder(tidy=False)
        self.captures = captures
        self.state = State(captures.ground)
        self.problems: list[Problem] = []
        #: roots of parameters that are written, by parameter
        self.mutated: set[int] = set()
        self.frame: Frame = None  # type: ignore[assignment]
        #: functions being inlined, outermost first
        self.stack: list[Any] = []
        self.loops: list[int] = []
        self.node: ast.AST | None = None
        self.counter = 0
        self.unrollable = 0
        #: inside a constructor, where fields of frozen dataclasses may be set
        self.building = False
        #: names declared nonlocal, by frame
        self.outer_names: dict[Frame, set[str]] = {}
        #: arrays known to be contiguous, in C order
        self.contiguous: set[Value] = set()
        #: arrays among the arguments
        self.given: set[Atom] = set()
        #: functions that call themselves, and what has been made of them
        self.recursive: set[Any] = set()
        self.specs: list[Any] = []
        #: counts how often one of them was found to need another lowering
        self.round = 0
        #: other functions of the module, which derivatives called in here have brought along
        self.callees: dict[str, Function] = {}
        #: the list that stands for the generator lowered last
        self.fresh_generator: Any = None
        #: places of the program that make dicts whose keys only the run knows
        self.tables: frozenset[Any] = frozenset()
        #: functions of the program whose derivative is taken, and what stands for them
        self.stand_ins: list[tuple[Ref, Any]] = []
        #: derivative objects made of these
        self.derived: list[tuple[Any, Any]] = []

    # -- refusing -----------------------------------------------------------------------------

    def span(self, node: ast.AST | None = None) -> Span | None:
        node = node if node is not None else self.node
        if node is None or self.frame is None:
            return self.b.span
        return span_of(node, self.frame.source)

    def refuse(self, message: str, help: str = "", node: ast.AST | None = None) -> Refuse:
        return Refuse(Problem(message, self.span(node), help))

    def fail(self, message: str, help: str = "", node: ast.AST | None = None) -> NoReturn:
        raise self.refuse(message, help, node)

    @contextmanager
    def at(self, node: ast.AST) -> Iterator[None]:
        """Problems found inside are placed at ``node``."""
        outer, self.node = self.node, node
        try:
            yield
        finally:
            self.node = outer

    def fresh_id(self) -> int:
        self.counter += 1
        return self.counter

    # -- values -------------------------------------------------------------------------------

    def op(self, fn: str, *args: Atom, name: str | None = None, **attrs: Any) -> Atom:
        """Append a node with one result."""
        results = self.ops(fn, *args, names=(name,), **attrs)
        return results[0]

    def ops(
        self, fn: str, *args: Atom, names: Sequence[str | None] = (), **attrs: Any
    ) -> tuple[Value, ...]:
        """Append a node with any number of results."""
        try:
            return self.b.ops(fn, *args, names=names, **attrs)
        except KindError as error:
            unknown = any(isinstance(a.kind, Unknown) for a in args)
            message = str(error) or f"'{fn}' does not take these operands"
            raise self.refuse(message, _UNKNOWN_HELP if unknown else "") from None
        except (TypeError, ValueError, IndexError) as error:
            raise self.refuse(f"{error}") from None
