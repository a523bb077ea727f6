"""The ways of running a program, behind one signature: the only file that knows s2sad's names.

``engine.build(f, argnums)`` gives ``call(args) -> (value, gradients or None)``; ``gradients`` has
one entry per argnum.  ``available()`` lists the engines that can be imported.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tests.trees import fresh, is_active, leaves, replace_leaves

Call = Callable[[tuple[Any, ...]], tuple[Any, tuple[Any, ...] | None]]


@dataclass(frozen=True, slots=True)
class Engine:
    """One way of running a program; ``exact`` asks for plain Python's value bit for bit.

    The interpreter writes to copies, which may have another memory layout and so another rounding.
    """

    name: str
    needs: tuple[str, str]
    build: Callable[[Callable[..., Any], tuple[int, ...]], Call]
    exact: bool = True


def _interpreter(f: Callable[..., Any], argnums: tuple[int, ...]) -> Call:
    """The primal's SSA, as the frontend made it, under the reference interpreter."""
    run, count = _names("s2sad.ir.interp", "run", "leaf_count")
    layout_of, lower, kind_of, holds = (
        *_names("s2sad.binding", "layout_of"),
        *_names("s2sad.pipeline", "lower_program"),
        *_names("s2sad.ir.kinds", "kind_of"),
        *_names("s2sad.guards", "holds"),
    )
    known: list[tuple[Any, Any]] = []

    def call(args: tuple[Any, ...]) -> tuple[Any, None]:
        layout = layout_of(f)
        values = layout.bind(args, {})
        kinds = tuple(kind_of(v, n) for v, n in zip(values, layout.names, strict=True))
        for known_kinds, program in known:
            if known_kinds == kinds and all(holds(g, tuple(values)) for g in program.guards):
                break
        else:
            program = lower(f, layout, values, kinds)
            known.append((kinds, program))
        entry = program.module.entry
        out = run(program.module, *values, *(c.get(tuple(values)) for c in program.captures))
        return out[0] if len(entry.body.yields) > count(entry.out) else out, None

    return call


def _names(module: str, *names: str) -> list[Any]:
    return [getattr(importlib.import_module(module), name) for name in names]


def _generated(f: Callable[..., Any], argnums: tuple[int, ...]) -> Call:
    derivative = importlib.import_module("s2sad").value_and_grad(f, argnums)
    return lambda args: derivative(*args)


def _tape(f: Callable[..., Any], argnums: tuple[int, ...]) -> Call:
    derivative = importlib.import_module("s2sad.tape").value_and_grad(f, argnums)
    return lambda args: derivative(*args)


def _forward(f: Callable[..., Any], argnums: tuple[int, ...]) -> Call:
    """Forward mode: one tangent sweep for every element of every argument."""
    jvp = importlib.import_module("s2sad").jvp(f)

    def call(args: tuple[Any, ...]) -> tuple[Any, tuple[Any, ...]]:
        value: Any = None
        gradients = []
        for n in argnums:
            slots = leaves(args[n])
            slopes: list[Any] = [None] * len(slots)
            for k, leaf in enumerate(slots):
                if not is_active(leaf):
                    continue
                slope = np.zeros_like(leaf)
                for index in np.ndindex(np.shape(leaf)):
                    unit = np.zeros_like(leaf)
                    unit[index] = 1.0
                    tangents: list[Any] = [None] * len(args)
                    moved = [unit if j == k else None for j in range(len(slots))]
                    tangents[n] = replace_leaves(args[n], moved)
                    value, slope[index] = jvp(fresh(args), tuple(tangents))
                slopes[k] = slope if isinstance(leaf, np.ndarray) else type(leaf)(slope)
            gradients.append(replace_leaves(args[n], slopes))
        return value, tuple(gradients)

    return call


ENGINES = (
    Engine("interpreter", ("s2sad.frontend.lower", "lower"), _interpreter, exact=False),
    Engine("generated", ("s2sad", "value_and_grad"), _generated),
    Engine("forward", ("s2sad", "jvp"), _forward),
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
