"""The ways of running a program, behind one signature: the only file that knows s2sad's names.

``engine.build(f, argnums)`` gives ``call(args) -> (value, gradients or None)``; ``gradients`` has
one entry per argnum.  ``available()`` lists the engines that can be imported.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

Call = Callable[[tuple[Any, ...]], tuple[Any, tuple[Any, ...] | None]]


@dataclass(frozen=True, slots=True)
class Engine:
    """One way of running a program; ``exact`` asks for a value equal to plain Python's bit for bit."""

    name: str
    needs: tuple[str, str]
    build: Callable[[Callable[..., Any], tuple[int, ...]], Call]
    exact: bool = True


def _interpreter(f: Callable[..., Any], argnums: tuple[int, ...]) -> Call:
    run = importlib.import_module("s2sad.ir.interp").run

    def call(args: tuple[Any, ...]) -> tuple[Any, None]:
        return run(f, args), None

    return call


def _generated(f: Callable[..., Any], argnums: tuple[int, ...]) -> Call:
    derivative = importlib.import_module("s2sad").value_and_grad(f, argnums)
    return lambda args: derivative(*args)


def _tape(f: Callable[..., Any], argnums: tuple[int, ...]) -> Call:
    derivative = importlib.import_module("s2sad.tape").value_and_grad(f, argnums)
    return lambda args: derivative(*args)


ENGINES = (
    Engine("interpreter", ("s2sad.frontend", "lower"), _interpreter),
    Engine("generated", ("s2sad", "value_and_grad"), _generated),
    Engine("tape", ("s2sad.tape", "value_and_grad"), _tape, exact=False),
)


def available(names: Sequence[str] = ()) -> list[Engine]:
    """The engines with these names (all, if none are given) that exist."""
    found = []
    for engine in ENGINES:
        if names and engine.name not in names:
            continue
        try:
            module = importlib.import_module(engine.needs[0])
        except ImportError:
            continue
        if hasattr(module, engine.needs[1]):
            found.append(engine)
    return found


def refusals() -> tuple[type[BaseException], ...]:
    """The exception classes that count as a refusal rather than a failure."""
    try:
        return (importlib.import_module("s2sad").UnsupportedError,)
    except (ImportError, AttributeError):
        return ()
