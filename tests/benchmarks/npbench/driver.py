"""Measures a program: its gradient by s2sad under Numba and by JAX, each checked before it is timed.

s2sad's gradient under NumPy is checked against differences, the two others against it; clocks,
checks and the table are those of `tests.benchmarks.kernels`.
"""

from __future__ import annotations

import inspect
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

from ..kernels.driver import Row, brief, differences, in_turns
from ..kernels.kernel import Kernel
from .checkout import Program, programs
from .losses import Output, chosen, jax_outputs, loss, outputs, shared, term, text, under_jax

COLUMNS = ("s2sad", "JAX")
EXACT, SINGLE = 1e-8, 1e-4


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


@dataclass(frozen=True)
class Case:
    """A loss with its arguments."""

    program: Program
    loss: Callable[..., Any]
    args: tuple[Any, ...]
    argnums: tuple[int, ...]

    def tolerance(self) -> float:
        """Programs that keep results in single precision have its rounding."""
        return SINGLE if "float32" in inspect.getsource(self.program.numpy()) else EXACT

    def rounding(self) -> float:
        """What an entry of a gradient may be off if it cancels to nothing, as that of the sum of
        a softmax does."""
        value = abs(float(self.loss(*self.args)))
        return 1e-13 * value if np.isfinite(value) else 0.0

    def reference(self) -> tuple[np.ndarray, str]:
        """The gradient under NumPy, and what differences say against it."""
        gradient = stacked(s2sad.grad(self.loss, self.argnums)(*self.args))
        return gradient, self.objection(gradient)

    def objection(self, gradient: np.ndarray) -> str:
        """How far a gradient is from central differences, or nothing if it is near."""
        kernel = Kernel("", self.of_reals, lambda r, s: (), self.argnums)
        error = differences(kernel, tuple(map(apart, self.args)), gradient)
        slack = 1e3 * self.rounding() / max(float(np.linalg.norm(gradient)), 1e-300)
        bound = 0.05 if self.tolerance() == SINGLE else 1e-4 + slack
        return "" if error < bound else f"{error:.1e} from central differences"

    def of_reals(self, *args: Any) -> float:
        """The loss, with real and imaginary parts beside each other."""
        joined = (
            new[0] + 1j * new[1] if np.iscomplexobj(old) and isinstance(old, np.ndarray) else new
            for old, new in zip(self.args, args, strict=True)
        )
        return float(self.loss(*joined))

    def deviation(self, gradient: np.ndarray, expected: np.ndarray) -> str:
        """How far a gradient is from the reference, or nothing if it is near."""
        if gradient.shape != expected.shape:
            return f"{gradient.size} numbers, not {expected.size}"
        scale = float(np.max(np.abs(expected)))
        error = float(np.max(np.abs(gradient - expected)))
        if error <= self.tolerance() * scale + self.rounding():
            return ""
        return f"{error / max(scale, 1e-300):.1e} from s2sad's under NumPy"


def apart(arg: Any) -> Any:
    """Complex arrays as real ones."""
    if isinstance(arg, np.ndarray) and np.iscomplexobj(arg):
        return np.stack([arg.real, arg.imag])
    return arg


def stacked(gradients: Sequence[Any]) -> np.ndarray:
    """All of a gradient as real numbers; that of z = x + iy is dL/dx - i dL/dy."""
    parts = (apart(np.conj(np.asarray(g))) for g in gradients)
    return np.concatenate([np.ravel(p) for p in parts])


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
        expected, doubt = case.reference()
    except Exception as problem:  # noqa: BLE001 - the same
        row.reasons["check"] = f"NumPy: {brief(problem)}"
        wrong = {column: case.objection(g) for column, g in gradients.items()}
    else:
        if doubt:
            row.reasons["check"] = doubt
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
