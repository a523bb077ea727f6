"""``python -m tests.benchmarks.kernels.compiling [NAME ...]``: what first calls cost.

In: parts of kernels' names. Out: a table of seconds of the first call, nothing cached: of the
user's own function under ``@njit``, of its gradient by s2sad under Numba, and of JAX's. Each is
taken in a process of its own, since functions of libraries that one has compiled are there for the
next; what it costs to import the tools and to compile a first trivial function is not counted.
"""

from __future__ import annotations

import argparse
import importlib
import math
import os
import subprocess
import sys
import time
import types
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from .columns import Run, compiled, unchecked, under_jax
from .driver import brief, kernels
from .kernel import Kernel


def own(module: types.ModuleType, kernel: Kernel, args: tuple[Any, ...]) -> Run:
    """The function itself, compiled by Numba."""
    f = compiled(kernel.primal)
    return lambda: f(*args)


TOOLS = {"@njit": own, "gradient": unchecked, "JAX": under_jax}


def square(x: float) -> float:
    return x * x


def seconds(name: str, tool: str) -> float:
    """The first call of one kernel by one tool; for use in a process of its own."""
    small = Kernel("square", square, lambda r, s: (2.0,), by_hand=square)
    warnings.simplefilter("ignore")
    TOOLS[tool](importlib.import_module(__name__), small, (2.0,))()
    ((module, kernel),) = [found for found in kernels() if found[1].name == name]
    run = TOOLS[tool](module, kernel, kernel.make(np.random.default_rng(0), 1.0))
    wall, mine = time.perf_counter(), time.process_time()
    run()
    return min(time.perf_counter() - wall, time.process_time() - mine)


def in_its_own_process(name: str, tool: str) -> float | str:
    """`seconds`, or why there are none."""
    done = subprocess.run(
        [sys.executable, "-m", __spec__.name, "--one", name, tool],
        env={**os.environ, "S2SAD_CACHE_DIR": ""},
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
        check=False,
    )
    said = done.stdout.strip().splitlines()
    return float(said[-1]) if done.returncode == 0 and said else "cannot"


def summary(rows: list[dict[str, float | str]], tool: str) -> str:
    """How the gradient's first calls compare with a tool's, where both have one."""
    ratios = []
    for row in rows:
        gradient, other = row["gradient"], row[tool]
        if isinstance(gradient, float) and isinstance(other, float):
            ratios.append(gradient / other)
    if not ratios:
        return ""
    mean = math.exp(sum(map(math.log, ratios)) / len(ratios))
    within = sum(ratio < 1.5 for ratio in ratios)
    return (
        f"- {tool}: {mean:.2g} times its first call in geometric mean, "
        f"under 1.5 times on {within} of {len(ratios)}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.kernels.compiling")
    parser.add_argument("names", nargs="*", help="parts of the kernels' names; all without")
    parser.add_argument("--tools", nargs="+", default=list(TOOLS), choices=list(TOOLS))
    parser.add_argument("--one", nargs=2, metavar=("KERNEL", "TOOL"), help="in this process")
    options = parser.parse_args()
    if options.one:
        try:
            print(seconds(*options.one))
        except Exception as problem:  # noqa: BLE001 - the table says that it cannot
            sys.exit(brief(problem))
        return
    tools = [tool for tool in TOOLS if tool in {"gradient", *options.tools}]
    print("| kernel | " + " | ".join(tools) + " |")
    print("| --- |" + " ---: |" * len(tools))
    rows = []
    for _, kernel in kernels(options.names):
        row = {tool: in_its_own_process(kernel.name, tool) for tool in tools}
        rows.append(row)
        cells = (f"{v:.2f}" if isinstance(v, float) else v for v in row.values())
        print(f"| {kernel.name} | " + " | ".join(cells) + " |", flush=True)
    print()
    print("\n".join(filter(None, (summary(rows, t) for t in tools if t != "gradient"))))


if __name__ == "__main__":
    main()
