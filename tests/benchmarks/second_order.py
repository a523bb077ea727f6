"""Hessian-vector products: how many times the cost of the function they are.

    python -m tests.benchmarks.second_order

Each program is timed in plain Python and NumPy, and its Hessian-vector product under s2sad, and
under autograd and JAX where these are installed, in one run: the median of five batches, in
multiples of the plain program under the same library (JAX: its own compiled function on the CPU).
"""

from __future__ import annotations

import statistics
import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

BATCHES = 5


def logistic(np: Any) -> Callable[..., Any]:
    def loss(w, X, y):
        z = X @ w
        return np.mean(np.log(1.0 + np.exp(-y * z))) + 0.01 * np.sum(w**2)

    return loss


def network(np: Any) -> Callable[..., Any]:
    def loss(params, X, y):
        W1, b1, W2, b2 = params
        h = np.tanh(X @ W1 + b1)
        r = np.tanh(h @ W2 + b2) - y
        return np.mean(r * r)

    return loss


def chain(np: Any) -> Callable[..., Any]:
    def energy(x, k):
        d = x[1:] - x[:-1]
        return np.sum(0.5 * k * d**2 + 0.1 * d**4) + np.sum(np.cos(x))

    return energy


def recurrent(np: Any) -> Callable[..., Any]:
    def loss(W, inputs):
        h = np.zeros(W.shape[0])
        total = 0.0
        for x in inputs:
            h = np.tanh(W @ h + x)
            total = total + np.sum(h * h)
        return total

    return loss


def heat(u0, steps):
    """In place, as neither autograd nor JAX takes it."""
    u = u0.copy()
    for _ in range(steps):
        u[1:-1] += 0.1 * u[1:-1] * (u[2:] - 2.0 * u[1:-1] + u[:-2])
    return np.sum(u**2)


def programs() -> dict[str, tuple[Any, tuple[Any, ...], Any, bool]]:
    """Name: what makes the function of a NumPy, arguments, a direction, whether others run it."""
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(2000, 100)), np.sign(rng.normal(size=2000))
    w = rng.normal(size=100) * 0.1
    sizes = ((100, 64), (64,), (64, 1), (1,))
    params = tuple(rng.normal(size=s) * 0.1 for s in sizes)
    direction = tuple(rng.normal(size=s) for s in sizes)
    line, k = rng.normal(size=10_000), rng.uniform(1.0, 2.0, size=9_999)
    W, inputs = rng.normal(size=(200, 200)) / 15.0, rng.normal(size=(50, 200))
    u = rng.normal(size=10_000) * 0.1
    return {
        "logistic regression, 2000 x 100": (logistic, (w, X, y), rng.normal(size=100), True),
        "network, 2000 x 100, 64 hidden": (network, (params, X, y[:, None]), direction, True),
        "chain of 10 000 springs": (chain, (line, k), rng.normal(size=10_000), True),
        "recurrent network, 50 steps of 200": (
            recurrent,
            (W, inputs),
            rng.normal(size=(200, 200)),
            True,
        ),
        "heat in place, 20 steps of 10 000": (
            lambda np: heat,
            (u, 20),
            rng.normal(size=10_000),
            False,
        ),
    }


def median_time(run: Callable[[], Any]) -> float:
    """Seconds of one call: the median of five batches, after one call to warm up."""
    run()
    start = time.perf_counter()
    run()
    count = max(1, int(0.05 / (time.perf_counter() - start)))
    times = []
    for _ in range(BATCHES):
        start = time.perf_counter()
        for _ in range(count):
            run()
        times.append((time.perf_counter() - start) / count)
    return statistics.median(times)


def under_s2sad(make: Any, args: tuple[Any, ...], v: Any) -> tuple[float, float, Any]:
    import s2sad

    f = make(np)
    product = s2sad.hvp(f)
    result = product(*args, v)
    return median_time(lambda: f(*args)), median_time(lambda: product(*args, v)), result


def under_autograd(make: Any, args: tuple[Any, ...], v: Any) -> tuple[float, float, Any]:
    import autograd
    import autograd.numpy as anp
    from autograd.differential_operators import hessian_vector_product

    f, plain = make(anp), make(np)
    if isinstance(v, tuple):  # its product is for one array

        def whole(flat: Any, *rest: Any) -> Any:
            parts, start = [], 0
            for p in args[0]:
                parts.append(anp.reshape(flat[start : start + p.size], p.shape))
                start += p.size
            return f(tuple(parts), *rest)

        flat = np.concatenate([p.ravel() for p in args[0]])
        direction = np.concatenate([p.ravel() for p in v])
        product = hessian_vector_product(whole)
        call = (flat, *args[1:])
    else:
        product, call, direction = hessian_vector_product(f), args, v
    assert autograd is not None
    result = product(*call, direction)
    return (
        median_time(lambda: plain(*args)),
        median_time(lambda: product(*call, direction)),
        result,
    )


def under_jax(make: Any, args: tuple[Any, ...], v: Any) -> tuple[float, float, Any]:
    import jax

    jax.config.update("jax_enable_x64", True)
    import jax.numpy as jnp

    f = make(jnp)
    args = jax.tree_util.tree_map(jnp.asarray, args)
    v = jax.tree_util.tree_map(jnp.asarray, v)
    plain = jax.jit(f)

    def product(args: Any, v: Any) -> Any:
        first, *rest = args
        return jax.jvp(lambda x: jax.grad(f)(x, *rest), (first,), (v,))[1]

    compiled = jax.jit(product)
    result = compiled(args, v)

    def wait(x: Any) -> Any:
        return jax.tree_util.tree_map(lambda a: a.block_until_ready(), x)

    return (
        median_time(lambda: wait(plain(*args))),
        median_time(lambda: wait(compiled(args, v))),
        result,
    )


def flat(tree: Any) -> Any:
    parts = tree if isinstance(tree, (tuple, list)) else (tree,)
    return np.concatenate([np.ravel(np.asarray(p)) for p in parts])


def main() -> None:
    """Print the table of docs/performance.md."""
    print("| program | plain, ms | s2sad | autograd | JAX |")
    print("| --- | --- | --- | --- | --- |")
    for name, (make, args, v, everywhere) in programs().items():
        plain, product, result = under_s2sad(make, args, v)
        cells = [f"{product / plain:.1f}x"]
        for other in (under_autograd, under_jax):
            if not everywhere:
                cells.append("cannot")
                continue
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    base, theirs, found = other(make, args, v)
            except ImportError:
                cells.append("not installed")
                continue
            assert np.allclose(flat(found), flat(result), rtol=1e-6, atol=1e-9), name
            cells.append(f"{theirs / base:.1f}x ({1e3 * theirs:.2f} ms)")
        cells[0] += f" ({1e3 * product:.2f} ms)"
        print(f"| {name} | {1e3 * plain:.2f} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
