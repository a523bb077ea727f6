"""What a gradient costs, function by function, beside autograd and JAX.

In: nothing. Out: a Markdown table: for the functions used most, on about 10, 1000 and 1,000,000
numbers, the time of the gradient of ``sum(f(x))``-like programs over the time of the program
itself; compiled derivatives, warm; JAX under jit, in double precision. Run it with

    python -m tests.benchmarks.rules [names]
"""

from __future__ import annotations

import statistics
import sys
import time
import types
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

import s2sad

SIZES = (10, 1_000, 1_000_000)


@dataclass(frozen=True, slots=True)
class Case:
    """A function of one array, how to make it of about ``n`` numbers, and the largest n for it."""

    name: str
    run: Callable[..., Any]
    make: Callable[[int], Any]
    most: int = 1_000_000


_RNG = np.random.default_rng(0)


def vector(n: int) -> Any:
    return _RNG.uniform(0.3, 0.9, n)


def matrix(n: int) -> Any:
    rows = max(2, round(n**0.5))
    return _RNG.uniform(0.3, 0.9, (rows, max(2, n // rows)))


def square(n: int) -> Any:
    m = max(2, round(n**0.5))
    return _RNG.uniform(-0.5, 0.5, (m, m)) / m + np.eye(m)


def symmetric(n: int) -> Any:
    a = square(n)
    return a @ a.T + np.diag(np.arange(len(a)) / len(a))


CASES: list[Case] = []


def case(name: str, make: Callable[[int], Any] = vector, most: int = 1_000_000) -> Any:
    def enter(run: Callable[..., Any]) -> Callable[..., Any]:
        CASES.append(Case(name, run, make, most))
        return run

    return enter


# Written out one by one, because s2sad reads the source of each.


# fmt: off
@case("add")
def _(x): return np.sum(x + x[::-1])
@case("multiply")
def _(x): return np.sum(x * x[::-1])
@case("divide")
def _(x): return np.sum(x / (1.0 + x))
@case("power")
def _(x): return np.sum(x ** 3)
@case("exp")
def _(x): return np.sum(np.exp(x))
@case("log")
def _(x): return np.sum(np.log(x))
@case("sqrt")
def _(x): return np.sum(np.sqrt(x))
@case("sin")
def _(x): return np.sum(np.sin(x))
@case("cos")
def _(x): return np.sum(np.cos(x))
@case("tanh")
def _(x): return np.sum(np.tanh(x))
@case("abs")
def _(x): return np.sum(np.abs(x))
@case("square")
def _(x): return np.sum(np.square(x))
@case("arctan")
def _(x): return np.sum(np.arctan(x))
@case("log1p")
def _(x): return np.sum(np.log1p(x))
@case("logaddexp")
def _(x): return np.sum(np.logaddexp(x, 0.0))
@case("maximum")
def _(x): return np.sum(np.maximum(x, 0.5))
@case("minimum")
def _(x): return np.sum(np.minimum(x, 0.5))
@case("where")
def _(x): return np.sum(np.where(x > 0.5, x, x * x))
@case("clip")
def _(x): return np.sum(np.clip(x, 0.4, 0.7))
@case("sum(axis)", matrix)
def _(x): return np.sum(np.sum(x, axis=1) ** 2)
@case("mean", matrix)
def _(x): return np.sum(np.mean(x, axis=0) ** 2)
@case("var", matrix)
def _(x): return np.sum(np.var(x, axis=0))
@case("std")
def _(x): return np.std(x)
@case("max", matrix)
def _(x): return np.sum(np.max(x, axis=0))
@case("min")
def _(x): return np.min(x)
@case("prod")
def _(x): return np.prod(x * 1.5)
@case("cumsum")
def _(x): return np.sum(np.cumsum(x) ** 2)
@case("cumprod")
def _(x): return np.sum(np.cumprod(x + 0.4))
@case("diff")
def _(x): return np.sum(np.diff(x) ** 2)
@case("reshape", matrix)
def _(x): return np.sum(np.reshape(x, -1) ** 2)
@case("transpose", matrix)
def _(x): return np.sum(np.transpose(x) * x.T)
@case("concatenate")
def _(x): return np.sum(np.concatenate([x, 2.0 * x]) ** 2)
@case("stack")
def _(x): return np.sum(np.stack([x, x * x]) ** 2)
@case("tile")
def _(x): return np.sum(np.tile(x, 3) ** 2)
@case("repeat")
def _(x): return np.sum(np.repeat(x, 3) ** 2)
@case("broadcast", matrix)
def _(x): return np.sum((x - np.mean(x, axis=0)) ** 2)
@case("pad")
def _(x): return np.sum(np.pad(x, 2) ** 2)
@case("roll")
def _(x): return np.sum(x * np.roll(x, 1))
@case("flip")
def _(x): return np.sum(x * np.flip(x))
@case("slice")
def _(x): return np.sum(x[1:-1] * x[2:] * x[:-2])
@case("index")
def _(x): return np.sum(x[np.arange(len(x)) // 2] ** 2)
@case("mask")
def _(x): return np.sum(x[x > 0.5] ** 2)
@case("sort")
def _(x): return np.sum(np.sort(x) * x)
@case("diag", square)
def _(x): return np.sum(np.diag(x) ** 2)
@case("trace", square)
def _(x): return np.trace(x) ** 2
@case("tril", square)
def _(x): return np.sum(np.tril(x) ** 2)
@case("dot")
def _(x): return np.dot(x, x)
@case("matmul", square)
def _(x): return np.sum(x @ x)
@case("matrix @ vector", square)
def _(x): return np.sum((x @ x[0]) ** 2)
@case("inner", square)
def _(x): return np.sum(np.inner(x, x))
@case("outer", vector, 1_000)
def _(x): return np.sum(np.outer(x, x) ** 2)
@case("tensordot", square)
def _(x): return np.sum(np.tensordot(x, x, axes=1) ** 2)
@case("einsum", square, 40_000)
def _(x): return np.sum(np.einsum("ij,jk->ik", x, x) ** 2)
@case("kron", square, 400)
def _(x): return np.sum(np.kron(x, x) ** 2)
@case("convolve")
def _(x): return np.sum(np.convolve(x, x[:5]) ** 2)
@case("linalg.norm")
def _(x): return np.linalg.norm(x)
@case("linalg.inv", square, 250_000)
def _(x): return np.sum(np.linalg.inv(x) ** 2)
@case("linalg.solve", square, 250_000)
def _(x): return np.sum(np.linalg.solve(x, x[0]) ** 2)
@case("linalg.det", square, 250_000)
def _(x): return np.linalg.det(x)
@case("linalg.slogdet", square, 250_000)
def _(x): return np.linalg.slogdet(x)[1]
@case("linalg.cholesky", symmetric, 250_000)
def _(x): return np.sum(np.linalg.cholesky(x) ** 2)
@case("linalg.eigh", symmetric, 40_000)
def _(x):
    w, v = np.linalg.eigh(x)
    return np.sum(w ** 2) + np.sum(v[:, 0] ** 3)
@case("linalg.svd", square, 40_000)
def _(x):
    u, s, vh = np.linalg.svd(x, full_matrices=False)
    return np.sum(s ** 2) + np.sum(u[:, 0] * vh[0])
@case("linalg.qr", square, 40_000)
def _(x):
    q, r = np.linalg.qr(x)
    return np.sum(q ** 3) + np.sum(r ** 2)
@case("linalg.pinv", square, 40_000)
def _(x): return np.sum(np.linalg.pinv(x) ** 2)
@case("fft.fft")
def _(x): return np.sum(np.abs(np.fft.fft(x)) ** 2)
@case("fft.rfft")
def _(x): return np.sum(np.real(np.fft.rfft(x)) ** 2)
@case("fft.irfft")
def _(x): return np.sum(np.fft.irfft(x + 0.5j * x) ** 2)
@case("fft.fft2", square)
def _(x): return np.sum(np.real(np.fft.fft2(x)) ** 2)
# fmt: on


def swapped(f: Callable[..., Any], numpy: Any) -> Callable[..., Any]:
    """The same function where ``np`` means another module."""
    return types.FunctionType(f.__code__, {**f.__globals__, "np": numpy}, f.__name__)


def seconds(f: Callable[[], Any], budget: float = 0.03) -> float:
    """The shortest time of a call, of batches that fill about the budget."""
    f()
    start = time.perf_counter()
    f()
    once = time.perf_counter() - start
    inner = max(1, min(1000, int(budget / 5 / max(once, 1e-7))))
    best = float("inf")
    for _ in range(5):
        start = time.perf_counter()
        for _ in range(inner):
            f()
        best = min(best, (time.perf_counter() - start) / inner)
    return best


@dataclass(frozen=True, slots=True)
class Row:
    """Times in seconds; None where the function is refused or too large for it."""

    name: str
    size: int
    primal: float
    ours: float
    autograd: float | None
    jax: float | None
    jax_primal: float | None


def measured(case: Case) -> Iterator[Row]:
    for n in SIZES:
        x = case.make(min(n, case.most))
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            run = case.run
            derivative = s2sad.grad(run)
            found = derivative(x)
            primal, ours = seconds(lambda: run(x)), seconds(lambda: derivative(x))
            of_jax = _jax(run, x, found)
            yield Row(case.name, n, primal, ours, _autograd(run, x, found), *of_jax)


def _autograd(run: Callable[..., Any], x: Any, found: Any) -> float | None:
    try:
        import autograd

        derivative = autograd.grad(swapped(run, autograd.numpy))
        _agree(derivative(x), found)
        return seconds(lambda: derivative(x))
    except Exception:
        return None


def _jax(run: Callable[..., Any], x: Any, found: Any) -> tuple[float | None, float | None]:
    try:
        import jax

        jax.config.update("jax_enable_x64", True)
        f = swapped(run, jax.numpy)
        derivative, primal = jax.jit(jax.grad(f)), jax.jit(f)
        given = jax.numpy.asarray(x)
        _agree(derivative(given), found)
        return (
            seconds(lambda: derivative(given).block_until_ready()),
            seconds(lambda: primal(given).block_until_ready()),
        )
    except Exception:
        return None, None


def _agree(a: Any, b: Any) -> None:
    """Gradients in a triangle or spread over a symmetric matrix count as the same."""
    a, b = np.asarray(a), np.asarray(b)
    if a.ndim == 2 and a.shape[0] == a.shape[1] and not np.allclose(a, b):
        a, b = a + a.T, b + b.T
    np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6 * max(1.0, float(np.max(np.abs(b)))))


def table(rows: list[Row]) -> str:
    """One line a function: gradient over primal at each size, and autograd and JAX over ours."""
    lines = [
        "| function | " + " | ".join(f"s2sad {n:,} | autograd | JAX" for n in SIZES) + " |",
        "|---|" + "---:|" * (3 * len(SIZES)),
    ]
    by_name: dict[str, list[Row]] = {}
    for row in rows:
        by_name.setdefault(row.name, []).append(row)
    for name, found in by_name.items():
        cells = []
        for row in found:
            cells.append(f"{row.ours / row.primal:.1f}")
            cells.append("-" if row.autograd is None else f"{row.autograd / row.primal:.1f}")
            cells.append("-" if row.jax is None else f"{row.jax / row.primal:.1f}")
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def summary(rows: list[Row]) -> str:
    """Medians, and where autograd was faster."""
    ratios = [r.ours / r.primal for r in rows]
    lines = [f"median gradient / primal: {statistics.median(ratios):.2f}"]
    for n in SIZES:
        some = [r.ours / r.primal for r in rows if r.size == n]
        lines.append(f"at {n:,}: {statistics.median(some):.2f}")
    slower = [r for r in rows if r.autograd is not None and r.ours > 1.05 * r.autograd]
    lines.append(
        "slower than autograd: "
        + (
            ", ".join(f"{r.name} at {r.size:,} ({r.ours / (r.autograd or 1):.2f})" for r in slower)
            or "none"
        )
    )
    return "\n".join(lines)


def main(names: list[str]) -> None:
    rows: list[Row] = []
    for one in CASES:
        if not names or one.name in names:
            rows += measured(one)
            sys.stderr.write(f"{one.name}: {[f'{r.ours / r.primal:.1f}' for r in rows[-3:]]}\n")
    sys.stdout.write(f"{table(rows)}\n\n{summary(rows)}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
