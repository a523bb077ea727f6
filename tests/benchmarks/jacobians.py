"""Jacobians of functions of 100 inputs, beside one tangent sweep, autograd and JAX.

    python -m pip install autograd jax && python -m tests.benchmarks.jacobians

Median times of one call on one thread; the Jacobians are compared before they are timed. JAX is
timed compiled (``jax.jit``), in double precision; autograd has reverse mode only, row by row.
"""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # 100 x 64 is too small to share

import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np

import s2sad

RNG = np.random.default_rng(0)
W1 = RNG.normal(size=(100, 64)) / 10.0
W2 = RNG.normal(size=(64, 100)) / 8.0
X = RNG.normal(size=100)


def network(x: Any) -> Any:
    return np.tanh(np.tanh(x @ W1) @ W2) * x


def heat(x: Any) -> Any:
    u = x.copy()
    for _ in range(50):
        u[1:-1] += 0.1 * (u[2:] - 2.0 * u[1:-1] + u[:-2]) + 0.01 * np.sin(u[1:-1])
    return u


def recurrence(x: Any) -> Any:
    y = np.zeros(len(x))
    s = 0.0
    for i in range(len(x)):
        s = 0.9 * s + x[i] * x[i]
        y[i] = s
    return y


def network_in(xp: Any) -> Callable[[Any], Any]:
    return lambda x: xp.tanh(xp.tanh(x @ W1) @ W2) * x


def heat_in(xp: Any) -> Callable[[Any], Any]:
    def f(u: Any) -> Any:
        for _ in range(50):
            inner = u[1:-1] + 0.1 * (u[2:] - 2.0 * u[1:-1] + u[:-2]) + 0.01 * xp.sin(u[1:-1])
            u = xp.concatenate((u[:1], inner, u[-1:]))
        return u

    return f


def heat_in_jax(u: Any) -> Any:
    import jax

    def step(_: int, u: Any) -> Any:
        change = 0.1 * (u[2:] - 2.0 * u[1:-1] + u[:-2]) + 0.01 * jax.numpy.sin(u[1:-1])
        return u.at[1:-1].add(change)

    return jax.lax.fori_loop(0, 50, step, u)


def recurrence_in(xp: Any) -> Callable[[Any], Any]:
    def f(x: Any) -> Any:
        s, out = 0.0, []
        for i in range(100):
            s = 0.9 * s + x[i] * x[i]
            out.append(s)
        return xp.array(out)

    return f


def median(run: Callable[[], Any], repeats: int = 9) -> float:
    """The median time of one call, in microseconds."""
    run()
    count, spent = 1, 0.0
    while spent < 0.02:
        start = time.perf_counter()
        for _ in range(count):
            run()
        spent = time.perf_counter() - start
        count *= 2
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        for _ in range(count // 2):
            run()
        times.append((time.perf_counter() - start) / (count // 2))
    return 1e6 * statistics.median(times)


def main() -> None:
    """Print the table of docs/performance.md."""
    import autograd
    import autograd.numpy as anp
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)
    print(
        "| function | primal µs | tangent µs | jacfwd µs | jacfwd / tangent | jacrev µs |", end=""
    )
    print(" autograd µs | JAX jacfwd µs |")
    print("|---" * 8 + "|")
    for f, theirs_of, jaxs in (
        (network, network_in(anp), network_in(jnp)),
        (heat, heat_in(anp), heat_in_jax),
        (recurrence, recurrence_in(anp), recurrence_in(jnp)),
    ):
        forward, reverse = s2sad.jacfwd(f), s2sad.jacrev(f)
        tangent = s2sad.jvp(f)
        theirs = autograd.jacobian(theirs_of)
        compiled = jax.jit(jax.jacfwd(jaxs))
        given = jnp.asarray(X)
        for found in (reverse(X), theirs(X), np.asarray(compiled(given))):
            np.testing.assert_allclose(forward(X), found, rtol=1e-8, atol=1e-10)
        v = np.ones(100)
        primal = median(lambda f=f: f(X))
        sweep = median(lambda t=tangent: t((X,), (v,)))
        ours = median(lambda j=forward: j(X))
        back = median(lambda j=reverse: j(X))
        other = median(lambda j=theirs: j(X), 3)
        jitted = median(lambda j=compiled: j(given).block_until_ready())
        print(
            f"| {f.__name__} | {primal:.0f} | {sweep:.0f} | {ours:.0f} | {ours / sweep:.1f} |"
            f" {back:.0f} | {other:.0f} | {jitted:.0f} |"
        )


if __name__ == "__main__":
    main()
