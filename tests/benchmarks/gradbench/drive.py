"""Checks every eval by differences, times it, and prints a table with JAX and PyTorch beside it.

    python -m tests.benchmarks.gradbench.drive [--evals llsq gmm …] [--size small]

Inputs are drawn from a seed. Times are milliseconds of the best of several warm calls in one
thread. The columns marked * are no measurements of this run: they are those of upstream's own
tools, taken with upstream's inputs of the same sizes on a machine of the same kind.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

# One thread: JAX and BLAS take as many as there are processors they may run on.
if hasattr(os, "sched_setaffinity"):
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
for _name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ.setdefault(_name, "1")
os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false")

import numpy as np  # noqa: E402

from .check import check, functions  # noqa: E402
from .inputs import SMALL, TABLE, draw  # noqa: E402
from .peers import peer  # noqa: E402
from .tool import keep_memory  # noqa: E402

#: C++ primal, hand-written C++ derivative, Enzyme: milliseconds.
QUOTED: dict[str, tuple[float | None, float | None, float | None]] = {
    "llsq 16392×128": (1.64, 3.28, 3.36),
    "lse 160k": (1.13, 0.916, 1.94),
    "ode 1e4, s 100": (1.98, None, None),
    "det 8": (0.329, 2.64, 6.51),
    "gmm 10_5_1000": (0.436, 0.760, 5.42),
    "gmm 32_25_1000": (6.47, 17.7, 197.0),
    "kmeans 100, 1e4, 8": (2.79, 3.03, 11.2),
    "lstm l 4, c 1024": (2.73, 31.1, 12.3),
    "ba1 (p 31843)": (0.838, 5.65, 7.84),
    "ht simple, 100": (0.104, 0.486, 6.18),
}
LIBRARIES = ("JAX", "PyTorch")


def best_time(run: Callable[[], Any], budget: float) -> float:
    """Seconds of one call, of as many as fit into the budget, three at least.

    The best by the clock or, on a busy machine where that is no measure, the median of the
    processor's time; its best would miss what other threads have not reported yet.
    """
    walls: list[float] = []
    owns: list[float] = []
    while len(walls) < 3 or (sum(owns) < budget and len(walls) < 2000):
        wall, own = time.perf_counter(), time.process_time()
        run()
        owns.append(time.process_time() - own)
        walls.append(time.perf_counter() - wall)
    return min(min(walls), statistics.median(owns))


def leaves(out: Any) -> np.ndarray:
    parts = out if isinstance(out, (tuple, list)) else (out,)
    return np.concatenate([np.ravel(np.asarray(part, dtype=float)) for part in parts])


def shown(seconds: float | None) -> str:
    return "–" if seconds is None else f"{1e3 * seconds:.3g}"


def row(label: str, name: str, size: dict[str, Any], budget: float) -> list[str]:
    """The cells of one row; raises AssertionError if a derivative is wrong."""
    given = draw(name, **size)
    found = functions(name)
    pairs = {"particle": ("rr",), "saddle": ("rr",)}
    names = pairs.get(name, tuple(found))
    if not (name == "ode" and size["n"] > 100):  # whose derivative is too small for differences
        check(name, given)
    if len(names) == 1:
        fastest = min(
            best_time(lambda f=f: f.run(*f.prepare(given)), budget) for f in found.values()
        )
        return [label, "", shown(fastest), "", *("–" for _ in LIBRARIES), *quoted(label)]
    primal, derivative = (found[n] for n in names)
    args = primal.prepare(given)
    first = best_time(lambda: primal.run(*args), budget)
    args = derivative.prepare(given)
    second = best_time(lambda: derivative.run(*args), budget)
    cells = [label, shown(first), shown(second), f"{second / first:.1f}"]
    for library in LIBRARIES:
        try:
            made = peer(library, name, args)
        except ImportError:
            cells.append("not installed")
            continue
        if made is None:
            cells.append("–")
            continue
        mine, theirs = leaves(derivative.run(*args)), leaves(made[1]())
        scale = float(np.max(np.abs(mine)))
        agrees = np.allclose(mine, theirs, rtol=1e-6, atol=1e-6 * scale)
        cells.append(shown(best_time(made[1], budget)) + ("" if agrees else " (differs)"))
    return [*cells, *quoted(label)]


def quoted(label: str) -> list[str]:
    return ["–" if v is None else f"{v:.3g}" for v in QUOTED.get(label, (None, None, None))]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.gradbench.drive")
    parser.add_argument("--evals", nargs="*", help="names of evals; all without")
    parser.add_argument("--size", choices=("small", "table"), default="table")
    parser.add_argument("--seconds", type=float, default=1.0, help="to time each function")
    options = parser.parse_args()
    keep_memory()
    for label, (name, size) in SMALL.items():
        if options.evals is None or name in options.evals:
            wrong = check(name, draw(name, **size))
            print(f"{label}: off by {wrong:.1e}", file=sys.stderr, flush=True)
    heads = ["eval", "primal", "derivative", "ratio", *LIBRARIES]
    heads += ["C++ primal*", "C++ by hand*", "Enzyme*"]
    print("| " + " | ".join(heads) + " |")
    print("| --- |" + " ---: |" * (len(heads) - 1))
    for label, (name, size) in (SMALL if options.size == "small" else TABLE).items():
        if options.evals is None or name in options.evals:
            print("| " + " | ".join(row(label, name, size, options.seconds)) + " |", flush=True)


if __name__ == "__main__":
    main()
