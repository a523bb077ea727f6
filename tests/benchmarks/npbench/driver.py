"""Measures a program: its gradient by s2sad under Numba and by JAX, each checked before it is timed.

s2sad's gradient under NumPy is checked against differences, the two others against it (`case`);
the clocks are those of `tests.benchmarks.kernels`.
"""

from __future__ import annotations

import tempfile
import time
import warnings
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

import s2sad

from ..kernels.driver import Row, brief, in_turns
from .case import Case, stacked
from .checkout import Program, programs
from .losses import Output, chosen, jax_outputs, loss, outputs, shared, term, text, under_jax

COLUMNS = ("s2sad", "JAX")


@dataclass(frozen=True)
class Nothing:
    """Why a program has no derivative to speak of."""

    name: str
    reason: str


def measure(
    checkout: Path, name: str, size: str, budget: float, columns: Sequence[str], squares: bool
) -> Row | Nothing:
    """Run, check and time one program; for use in a process of its own."""
    (program,) = (p for p in programs(checkout) if p.name == name)
    args = program.make(size)
    argnums = tuple(n for n, arg in enumerate(args) if floating(arg))
    if not argnums:
        arrays = any(isinstance(arg, np.ndarray) for arg in args)
        return Nothing(name, "its arrays are of integers" if arrays else "no array goes in")
    quiet()
    found, written = outputs(program, args)
    if not found:
        return Nothing(name, "nothing that comes out is a float")
    row = Row(name)
    ours, theirs = chosen(program, found), list[int]()
    if "JAX" in columns:
        try:
            ours, theirs = compared(checkout, program, size, found)
        except ImportError:
            row.reasons["JAX"] = "not installed"
        except Exception as problem:  # noqa: BLE001 - whatever it is, it goes into the table
            row.reasons["JAX"] = brief(problem)
    with tempfile.TemporaryDirectory() as folder:
        source = text(program, written, [term(o, squares) for o in ours])
        f = loss(source, Path(folder))
        makers: dict[str, Callable[[], Callable[[], Any]]] = {
            "s2sad": lambda: under_numba(f, argnums, args),
            "JAX": lambda: under_jax(program, args, argnums, theirs, squares),
        }
        fill(row, {c: makers[c] for c in columns}, Case(program, f, args, argnums), budget)
    return row


def quiet() -> None:
    warnings.simplefilter("ignore")
    np.seterr(all="ignore")


def floating(arg: Any) -> bool:
    return isinstance(arg, np.ndarray) and arg.dtype.kind in "fc"


def compared(
    checkout: Path, program: Program, size: str, found: list[Output]
) -> tuple[list[Output], list[int]]:
    """The outputs that JAX's version has, too. It runs in another process, so that the first call
    that is measured here is a first one."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        results = pool.submit(elsewhere, checkout, program.name, size).result()
    ours, theirs = shared(found, results)
    if not ours:
        raise NotImplementedError("NPBench's version does not return what is differentiated here")
    return [found[n] for n in ours], theirs


def elsewhere(checkout: Path, name: str, size: str) -> list[Any]:
    (program,) = (p for p in programs(checkout) if p.name == name)
    return jax_outputs(program, program.make(size))


def under_numba(
    f: Callable[..., Any], argnums: tuple[int, ...], args: tuple[Any, ...]
) -> Callable[[], Any]:
    df = s2sad.grad(f, argnums, backend=s2sad.Numba(boundscheck=False))
    return lambda: df(*args)


def fill(
    row: Row, makers: dict[str, Callable[[], Callable[[], Any]]], case: Case, budget: float
) -> None:
    """The columns of a row: first calls, checks, then all in turns."""
    warm(list(makers))
    runs: dict[str, Callable[[], Any]] = {"primal": lambda: case.loss(*case.args)}
    gradients: dict[str, np.ndarray] = {}
    for column, make in makers.items():
        if column in row.reasons:
            continue
        try:
            run = make()
            wall, own = time.perf_counter(), time.process_time()
            out = run()
            row.first[column] = min(time.perf_counter() - wall, time.process_time() - own)
        except Exception as problem:  # noqa: BLE001 - whatever it is, it goes into the table
            row.reasons[column] = brief(problem)
            continue
        gradients[column] = stacked(out)
        runs[column] = run
    check(row, runs, gradients, case)
    row.seconds = in_turns(runs, budget)


def check(
    row: Row, runs: dict[str, Callable[[], Any]], gradients: dict[str, np.ndarray], case: Case
) -> None:
    """What is wrong is not timed."""
    try:
        expected = case.reference()
    except Exception as problem:  # noqa: BLE001 - the same
        row.reasons["check"] = f"NumPy: {brief(problem)}"
        wrong = {column: case.objection(g) for column, g in gradients.items()}
    else:
        if doubt := case.objection(expected):
            row.reasons["check"] = f"s2sad's under NumPy is {doubt}"
        wrong = {column: case.deviation(g, expected) for column, g in gradients.items()}
    for column, how in wrong.items():
        if how:
            row.reasons[column] = f"WRONG: {how}"
            del runs[column]


def warm(columns: Sequence[str]) -> None:
    """Imports and first compilations are no program's."""
    x = np.ones(3)
    if "s2sad" in columns:
        s2sad.grad(squared, backend=s2sad.Numba(boundscheck=False))(x)
    if "JAX" in columns:
        try:
            import jax
        except ImportError:
            return
        jax.config.update("jax_enable_x64", True)
        jax.block_until_ready(jax.jit(jax.grad(jax_squared))(x))


def squared(x: np.ndarray) -> float:
    return np.sum(x * x)


def jax_squared(x: Any) -> Any:
    return (x * x).sum()
