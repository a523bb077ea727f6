"""Measures the kernels; every gradient is checked before it is timed.

s2sad's gradient under NumPy is checked against differences, every other column against it. What is
wrong, refused or fails stays in the table, with the reason below it. The columns of a kernel are
timed in turns in one process, so that what else the machine does strikes all of them alike.
"""

from __future__ import annotations

import importlib
import math
import statistics
import time
import types
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

import s2sad

from .columns import COLUMNS, Run
from .kernel import Kernel

GROUPS = ("stencils", "linear", "learning", "processes")
TURNS = 5


@dataclass
class Row:
    """What was measured of a kernel: seconds by name, and why there are none."""

    name: str
    seconds: dict[str, float] = field(default_factory=dict)
    first: dict[str, float] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)


def kernels(
    only: Sequence[str] = (), groups: Sequence[str] = GROUPS
) -> Iterator[tuple[types.ModuleType, Kernel]]:
    """Every kernel with the module of its group, or those with one of ``only`` in their name."""
    for group in groups:
        module = importlib.import_module(f".{group}", __package__)
        for kernel in module.KERNELS:
            if not only or any(part.lower() in kernel.name.lower() for part in only):
                yield module, kernel


def leaves(tree: Any) -> list[Any]:
    """The arrays and numbers of nested tuples."""
    if isinstance(tree, (tuple, list)):
        return [leaf for part in tree for leaf in leaves(part)]
    return [tree]


def flat(tree: Any) -> np.ndarray:
    return np.concatenate([np.ravel(np.asarray(leaf, dtype=float)) for leaf in leaves(tree)])


def moved(tree: Any, steps: Iterator[np.ndarray], by: float) -> Any:
    """``tree`` plus ``by`` times a direction, leaf by leaf."""
    if isinstance(tree, (tuple, list)):
        return tuple(moved(part, steps, by) for part in tree)
    return tree + by * next(steps)


def differences(kernel: Kernel, args: tuple[Any, ...], gradient: np.ndarray) -> float:
    """How far the gradient is from central differences along two directions, at the best of three
    steps: relative to the size of the slopes."""
    rng = np.random.default_rng(5)
    worst = 0.0
    for _ in range(2):
        subject = tuple(args[n] for n in kernel.argnums)
        along = [rng.normal(size=np.shape(leaf)) for leaf in leaves(subject)]
        expected = float(gradient @ flat(along))
        errors = []
        for step in (1e-4, 1e-5, 1e-6, 1e-7):
            values = []
            for sign in (1.0, -1.0):
                new = list(args)
                parts = moved(subject, iter(along), sign * step)
                for n, part in zip(kernel.argnums, parts, strict=True):
                    new[n] = part
                values.append(float(kernel.primal(*new)))
            slope = (values[0] - values[1]) / (2.0 * step)
            scale = max(abs(slope), 1e-3 * float(np.linalg.norm(gradient)), 1e-300)
            errors.append(abs(slope - expected) / scale)
        worst = max(worst, min(errors))
    return worst


@dataclass
class Clock:
    """The times of one column's calls."""

    run: Run
    walls: list[float] = field(default_factory=list)
    owns: list[float] = field(default_factory=list)

    def turn(self, seconds: float) -> None:
        """Calls until the time is over, at least once."""
        began = time.perf_counter()
        while True:
            wall, own = time.perf_counter(), time.process_time()
            self.run()
            self.owns.append(time.process_time() - own)
            self.walls.append(time.perf_counter() - wall)
            if time.perf_counter() - began > seconds:
                return

    def best(self) -> float:
        """The best by the clock or, on a busy machine where that is no measure, the median of the
        processor's time; its best would miss what other threads have not reported yet."""
        return min(min(self.walls), statistics.median(self.owns))


def in_turns(runs: dict[str, Run], budget: float) -> dict[str, float]:
    """Seconds of one call of each, of as many as fit into the budget; slow ones take fewer turns,
    two at least unless one takes long."""
    clocks = {name: Clock(run) for name, run in runs.items()}
    for turn in range(TURNS):
        for clock in clocks.values():
            used = sum(clock.walls)
            if used < budget or (turn == 1 and used < 4 * budget):
                clock.turn(budget / TURNS)
    return {name: clock.best() for name, clock in clocks.items()}


def warm(columns: Sequence[str]) -> None:
    """Imports and first compilations are no kernel's."""
    small = Kernel("square", square, lambda r, s: (np.ones(3),), by_hand=twice)
    for column in columns:
        try:
            COLUMNS[column](importlib.import_module(__name__), small, (np.ones(3),))()
        except ImportError:
            continue


def square(x: np.ndarray) -> float:
    return np.sum(x * x)


def twice(x: np.ndarray) -> tuple[Any, ...]:
    return (2.0 * x,)


def brief(error: BaseException) -> str:
    """The first line of a reason, and the line of the source it points at."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    if isinstance(error, s2sad.S2sadError):
        quoted = [line.split("|", 1)[1].strip() for line in lines if "|" in line]
        code = next((line for line in quoted if line and set(line) != {"^"}), "")
        return f"{lines[0]}: `{code}`" if code else lines[0]
    text = f"{type(error).__name__}: {' '.join(lines)}"
    return text if len(text) <= 160 else text[:157] + "..."


def measure(
    module: types.ModuleType, kernel: Kernel, scale: float, budget: float, columns: Sequence[str]
) -> Row:
    """Run, check and time one kernel in each column."""
    args = kernel.make(np.random.default_rng(0), scale)
    row = Row(kernel.name)
    expected = reference(kernel, args)
    runs: dict[str, Run] = {"primal": lambda: kernel.primal(*args)}
    for column in columns:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                run = COLUMNS[column](module, kernel, args)
                wall, own = time.perf_counter(), time.process_time()
                out = run()
                row.first[column] = min(time.perf_counter() - wall, time.process_time() - own)
        except ImportError:
            row.reasons[column] = "not installed"
            continue
        except Exception as problem:  # noqa: BLE001 - whatever it is, it goes into the table
            row.reasons[column] = brief(problem)
            continue
        gradient = flat(out)
        if wrong := deviation(kernel, args, gradient, expected):
            row.reasons[column] = f"WRONG: {wrong}"
            continue
        runs[column] = run
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        row.seconds = in_turns(runs, budget)
    return row


def reference(kernel: Kernel, args: tuple[Any, ...]) -> np.ndarray | None:
    """The gradient by s2sad under NumPy, unless it is refused or central differences object."""
    try:
        gradient = flat(s2sad.grad(kernel.primal, kernel.argnums)(*args))
    except Exception:  # noqa: BLE001 - s2sad's own column says what it is
        return None
    return gradient if differences(kernel, args, gradient) < 1e-4 else None


def deviation(
    kernel: Kernel, args: tuple[Any, ...], gradient: np.ndarray, expected: np.ndarray | None
) -> str:
    """How far a gradient is from the reference, or from differences if there is none; or nothing
    if it is near."""
    if expected is not None:
        error = distance(gradient, expected)
        return "" if error < 1e-8 else f"{error:.1e} from s2sad's under NumPy"
    error = differences(kernel, args, gradient)
    return "" if error < 1e-4 else f"{error:.1e} from central differences"


def distance(gradient: np.ndarray, expected: np.ndarray) -> float:
    """The largest difference, in parts of the largest entry."""
    if gradient.shape != expected.shape:
        return math.inf
    return float(np.max(np.abs(gradient - expected)) / np.max(np.abs(expected)))


def milliseconds(seconds: float) -> str:
    number = 1e3 * seconds
    return f"{number:.3g}" if number < 1000 else f"{number:.0f}"


def table(rows: list[Row], columns: Sequence[str]) -> str:
    """The rows as Markdown: milliseconds warm, seconds of the first call; reasons below."""
    heads = ["kernel", "primal", *columns, *(f"first: {column}" for column in columns)]
    lines = ["| " + " | ".join(heads) + " |", "| --- |" + " ---: |" * (len(heads) - 1)]
    notes: list[str] = []
    for row in rows:
        cells = [row.name, milliseconds(row.seconds["primal"])]
        for column in columns:
            if column in row.seconds:
                cells.append(milliseconds(row.seconds[column]))
            elif column not in row.reasons:
                cells.append("")
            else:
                reason = row.reasons[column]
                word = "wrong" if reason.startswith("WRONG") else "refused"
                if column in ("JAX", "autograd") and word == "refused":
                    word = "cannot"
                if reason == "not installed":
                    word = reason
                cells.append(word)
                if column not in ("autograd",) and reason != "not installed":
                    notes.append(f"- {row.name}, {column}: {reason}")
        cells += [f"{row.first[column]:.2f}" if column in row.first else "" for column in columns]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join([*lines, "", *notes])


def summary(rows: list[Row], columns: Sequence[str]) -> str:
    """Geometric means over the kernels that both of two columns have."""
    lines = []
    for other in ("JAX", "autograd"):
        for own in ("s2sad", "s2sad, Numba", "unchecked", "the faster of the two"):
            line = against(rows, own, other)
            if line and other in columns:
                lines.append(line)
    for own, called in (("unchecked", "the same, unchecked,"), ("s2sad, Numba", "s2sad, Numba")):
        line = against(rows, own, "by hand")
        if line and "by hand" in columns:
            lines.append(line.replace(f"{own} against", f"{called} against the adjoint"))
    if "JAX" in columns and (line := against(rows, "by hand", "JAX")):
        lines.append(line.replace("- by hand", "- the adjoint by hand"))
        if line := against(rows, "the better of these", "JAX"):
            lines.append(line)
    return "\n".join(lines)


def against(rows: list[Row], own: str, other: str) -> str:
    """How one column compares with another, or nothing if they share no kernel."""
    pairs = []
    for row in rows:
        seconds = dict(row.seconds)
        if both := {"s2sad", "s2sad, Numba"} & seconds.keys():
            seconds["the faster of the two"] = min(seconds[name] for name in both)
        if {"unchecked", "by hand"} <= seconds.keys():
            seconds["the better of these"] = min(seconds["unchecked"], seconds["by hand"])
        if own in seconds and other in seconds:
            pairs.append(seconds[other] / seconds[own])
    if not pairs:
        return ""
    mean = math.exp(sum(map(math.log, pairs)) / len(pairs))
    return (
        f"- {own} against {other}: {mean:.2g} times as fast in geometric mean, "
        f"ahead on {sum(p >= 1.0 for p in pairs)} of {len(pairs)}"
    )
