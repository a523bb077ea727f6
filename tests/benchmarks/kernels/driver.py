"""Measures the kernels; every gradient is checked before it is timed.

What is wrong, refused or fails stays in the table, with the reason below it.
"""

from __future__ import annotations

import importlib
import math
import statistics
import time
import types
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

import s2sad

from .kernel import Kernel

GROUPS = ("stencils", "linear", "learning", "processes")


@dataclass
class Row:
    """What was measured of a kernel: seconds by name, and why there are none."""

    name: str
    seconds: dict[str, float] = field(default_factory=dict)
    first: dict[str, float] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)


def kernels(
    only: str | None = None, groups: Sequence[str] = GROUPS
) -> Iterator[tuple[types.ModuleType, Kernel]]:
    """Every kernel with the module of its group; ``only`` is a part of the name."""
    for group in groups:
        module = importlib.import_module(f".{group}", __package__)
        for kernel in module.KERNELS:
            if only is None or only.lower() in kernel.name.lower():
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


def best_time(run: Callable[[], Any], budget: float) -> float:
    """Seconds of one call, of as many as fit into the budget, three at least.

    The best by the clock or, on a busy machine where that is no measure, the median of the
    processor's time; its best would miss what other threads have not reported yet.
    """
    walls: list[float] = []
    owns: list[float] = []
    while len(walls) < 3 or (sum(owns) < budget and len(walls) < 1000):
        wall, own = time.perf_counter(), time.process_time()
        run()
        owns.append(time.process_time() - own)
        walls.append(time.perf_counter() - wall)
        if owns[-1] > 4 * budget:
            break
    return min(min(walls), statistics.median(owns))


def rebound(module: types.ModuleType, f: Callable[..., Any], library: Any) -> Callable[..., Any]:
    """``f`` and the functions of its module, with ``np`` standing for another library."""
    namespace = dict(vars(module), np=library)
    for name, value in vars(module).items():
        if isinstance(value, types.FunctionType) and value.__module__ == module.__name__:
            copy = types.FunctionType(
                value.__code__, namespace, name, value.__defaults__, value.__closure__
            )
            namespace[name] = copy
    return namespace[f.__name__]


def under_s2sad(backend: str | None) -> Callable[..., Any]:
    def make(module: Any, kernel: Kernel, args: tuple[Any, ...]) -> Callable[[], Any]:
        df = s2sad.grad(kernel.primal, kernel.argnums, backend=backend)
        return lambda: df(*args)

    return make


def under_jax(module: Any, kernel: Kernel, args: tuple[Any, ...]) -> Callable[[], Any]:
    import jax

    jax.config.update("jax_enable_x64", True)
    import jax.numpy as jnp

    if kernel.jax is None:
        raise NotImplementedError(kernel.remark)
    if kernel.jax == "same":
        f = rebound(module, kernel.primal, jnp)
    else:
        f = module.under_jax()[kernel.jax]
    df = jax.jit(jax.grad(f, kernel.argnums), static_argnums=kernel.static)
    given = tuple(
        arg if n in kernel.static else jax.tree_util.tree_map(jnp.asarray, arg)
        for n, arg in enumerate(args)
    )
    return lambda: jax.block_until_ready(df(*given))


def under_autograd(module: Any, kernel: Kernel, args: tuple[Any, ...]) -> Callable[[], Any]:
    import autograd
    import autograd.numpy as anp

    f = rebound(module, kernel.primal, anp)
    df = autograd.grad(f, kernel.argnums)
    return lambda: df(*args)


TOOLS: dict[str, Callable[..., Any]] = {
    "s2sad": under_s2sad(None),
    "s2sad, Numba": under_s2sad("numba"),
    "JAX": under_jax,
    "autograd": under_autograd,
}


def warm(tools: list[str]) -> None:
    """Imports and first compilations are no kernel's."""
    small = Kernel("square", square, lambda r, s: (np.ones(3),))
    for tool in tools:
        try:
            TOOLS[tool](importlib.import_module(__name__), small, (np.ones(3),))()
        except ImportError:
            continue


def square(x: np.ndarray) -> float:
    return np.sum(x * x)


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
    module: types.ModuleType, kernel: Kernel, scale: float, budget: float, tools: list[str]
) -> Row:
    """Run, check and time one kernel under each tool."""
    args = kernel.make(np.random.default_rng(0), scale)
    row = Row(kernel.name)
    row.seconds["primal"] = best_time(lambda: kernel.primal(*args), budget)
    for tool in tools:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                run = TOOLS[tool](module, kernel, args)
                wall, own = time.perf_counter(), time.process_time()
                out = run()
                row.first[tool] = min(time.perf_counter() - wall, time.process_time() - own)
                gradient = flat(out)
                error = differences(kernel, args, gradient)
        except ImportError:
            row.reasons[tool] = "not installed"
            continue
        except Exception as problem:  # noqa: BLE001 - whatever it is, it goes into the table
            row.reasons[tool] = brief(problem)
            continue
        if not error < 1e-4:
            row.reasons[tool] = f"WRONG: {error:.1e} from central differences"
            continue
        row.seconds[tool] = best_time(run, budget)
    return row


def milliseconds(seconds: float) -> str:
    number = 1e3 * seconds
    return f"{number:.3g}" if number < 1000 else f"{number:.0f}"


def table(rows: list[Row], tools: list[str]) -> str:
    """The rows as Markdown: milliseconds warm, seconds of the first call; reasons below."""
    heads = ["kernel", "primal", *tools, *(f"first: {tool}" for tool in tools)]
    lines = ["| " + " | ".join(heads) + " |", "| --- |" + " ---: |" * (len(heads) - 1)]
    notes: list[str] = []
    for row in rows:
        cells = [row.name, milliseconds(row.seconds["primal"])]
        for tool in tools:
            if tool in row.seconds:
                cells.append(milliseconds(row.seconds[tool]))
            else:
                reason = row.reasons[tool]
                word = "wrong" if reason.startswith("WRONG") else "refused"
                if tool in ("JAX", "autograd") and word == "refused":
                    word = "cannot"
                if reason == "not installed":
                    word = reason
                cells.append(word)
                if tool not in ("autograd",) and reason != "not installed":
                    notes.append(f"- {row.name}, {tool}: {reason}")
        cells += [f"{row.first[tool]:.2f}" if tool in row.first else "" for tool in tools]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join([*lines, "", *notes])


def summary(rows: list[Row], tools: list[str]) -> str:
    """Geometric means over the kernels that both of two tools run."""
    lines = []
    for other in ("JAX", "autograd"):
        for own in ("s2sad", "s2sad, Numba"):
            if other not in tools or own not in tools:
                continue
            pairs = [
                (r.seconds[other] / r.seconds[own])
                for r in rows
                if own in r.seconds and other in r.seconds
            ]
            if pairs:
                mean = math.exp(sum(map(math.log, pairs)) / len(pairs))
                ahead = sum(p >= 1.0 for p in pairs)
                lines.append(
                    f"- {own} against {other}: {mean:.2f} times as fast in geometric mean, "
                    f"ahead on {ahead} of {len(pairs)}"
                )
    return "\n".join(lines)
