"""Build time and call time on ten small functions, beside autograd and an adjoint by hand.

    python -m tests.benchmarks.calls [--markdown]

Needs autograd. Times are the best of many short runs in one process, taken in turns; the ratios are
what to quote.
"""

from __future__ import annotations

import argparse
import math
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

import s2sad

from .small_functions import cases


def best(*runs: Callable[[], Any], seconds: float = 0.002, rounds: int = 250) -> list[float]:
    """The best time of one call of each, in seconds.

    They take turns, so that what else the machine does meets all of them.
    """
    counts = []
    for run in runs:
        run()
        count = 1
        while (spent := _time(run, count)) < seconds / 2:
            count *= 2 if spent > seconds / 20 else 10
        counts.append(count)
    times = [math.inf] * len(runs)
    for _ in range(rounds):
        for n, (run, count) in enumerate(zip(runs, counts, strict=True)):
            times[n] = min(times[n], _time(run, count) / count)
    return times


def _time(run: Callable[[], Any], count: int) -> float:
    start = time.perf_counter()
    for _ in range(count):
        run()
    return time.perf_counter() - start


def first_call(number: int) -> float:
    """Milliseconds of processor time of the first call of a derivative, best of nine processes.

    The compiler itself is warm (it has compiled another function), and nothing of this one is.
    """
    code = f"""
import time, s2sad
from tests.benchmarks.small_functions import cases
case, other = cases()[{number}], cases()[{(number + 5) % 10}]
s2sad.grad(other.function, other.argnums)(*other.args())
args = case.args()
df = s2sad.grad(case.function, case.argnums)
start = time.process_time()
df(*args)
print(time.process_time() - start)
"""
    return min(_run(code) for _ in range(9)) * 1e3


def _run(code: str) -> float:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return float(done.stdout)


def same(a: Any, b: Any) -> bool:
    if isinstance(a, dict):
        return all(same(a[k], b[k]) for k in a)
    if isinstance(a, tuple):
        return all(map(same, a, b))
    return bool(np.allclose(a, b, rtol=1e-9, atol=1e-12))


def import_time() -> float:
    """Milliseconds of processor time ``import s2sad`` takes on top of NumPy, best of five processes."""
    code = (
        "import numpy, time; t = time.process_time(); import s2sad; print(time.process_time() - t)"
    )
    return min(_run(code) for _ in range(5)) * 1e3


def dispatch_time() -> float:
    """Microseconds from the call of a derivative to its compiled function, five captures."""
    c0, c1, c2, c3, c4 = 1.0, 2.0, 3.0, 4.0, 5.0

    def f(x, y, z):
        return x * c0 + y * c1 + z * c2 + c3 * c4

    df = s2sad.grad(f)
    args = (1.0, 2.0, 3.0)
    raw = df.specialize(*args)
    full, bare = best(lambda: df(*args), lambda: raw(*args))
    return (full - bare) * 1e6


def main() -> None:
    argparse.ArgumentParser(description=__doc__).parse_args()
    import autograd
    import autograd.numpy as anp

    print(
        "| function | primal µs | by hand µs | s2sad µs | s2sad / by hand | autograd µs | autograd / s2sad | first call ms |"
    )
    print("|---|---|---|---|---|---|---|---|")
    over_hand, over_autograd = [], []
    for number, case in enumerate(cases()):
        args = case.args()
        df = s2sad.grad(case.function, case.argnums)
        hand = case.by_hand
        assert same(df(*args), hand(*args)), case.name
        ag = autograd.grad(case.autograd(anp), case.argnums)
        assert same(df(*args), ag(*args)), case.name
        primal, by_hand, ours = best(*(lambda f=f: f(*args) for f in (case.function, hand, df)))
        (theirs,) = best(lambda: ag(*args), rounds=40)
        over_hand.append(ours / by_hand)
        over_autograd.append(theirs / ours)
        print(
            f"| {case.name} | {primal * 1e6:.2f} | {by_hand * 1e6:.2f} | {ours * 1e6:.2f} | "
            f"{over_hand[-1]:.2f} | {theirs * 1e6:.0f} | {over_autograd[-1]:.0f} | "
            f"{first_call(number):.1f} |"
        )
    mean = lambda xs: math.exp(sum(map(math.log, xs)) / len(xs))  # noqa: E731
    print()
    print(
        f"geometric means: {mean(over_hand):.2f} × by hand, autograd {mean(over_autograd):.1f} × slower"
    )
    print(
        f"import s2sad on top of NumPy: {import_time():.0f} ms; dispatch: {dispatch_time():.2f} µs"
    )


if __name__ == "__main__":
    main()
