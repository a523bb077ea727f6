"""Linear algebra as textbooks write it: loops over rows, columns and elements."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from . import adjoints_linear as adjoints
from .kernel import Kernel


def triangular_solve(lower: np.ndarray, b: np.ndarray) -> float:
    n = len(b)
    x = np.zeros(n)
    for i in range(n):
        x[i] = (b[i] - lower[i, :i] @ x[:i]) / lower[i, i]
    return np.sum(x * x)


def cholesky(a: np.ndarray) -> float:
    """The sum of the logarithms of the factor's diagonal."""
    a = a.copy()
    n = len(a)
    total = 0.0
    for i in range(n):
        for j in range(i):
            for k in range(j):
                a[i, j] -= a[i, k] * a[j, k]
            a[i, j] /= a[j, j]
        for k in range(i):
            a[i, i] -= a[i, k] * a[i, k]
        a[i, i] = math.sqrt(a[i, i])
        total += math.log(a[i, i])
    return total


def lu(a: np.ndarray) -> float:
    a = a.copy()
    n = len(a)
    for i in range(n):
        for j in range(i):
            for k in range(j):
                a[i, j] -= a[i, k] * a[k, j]
            a[i, j] /= a[j, j]
        for j in range(i, n):
            for k in range(i):
                a[i, j] -= a[i, k] * a[k, j]
    return np.sum(a * a)


def gram_schmidt(a: np.ndarray) -> float:
    a = a.copy()
    m, n = a.shape
    q = np.zeros((m, n))
    r = np.zeros((n, n))
    for k in range(n):
        r[k, k] = np.sqrt(np.sum(a[:, k] ** 2))
        q[:, k] = a[:, k] / r[k, k]
        for j in range(k + 1, n):
            r[k, j] = np.sum(q[:, k] * a[:, j])
            a[:, j] -= q[:, k] * r[k, j]
    return np.sum(np.abs(r))


def floyd_warshall(path: np.ndarray) -> float:
    """The lengths of the shortest paths between all pairs."""
    path = path.copy()
    for k in range(len(path)):
        path[:] = np.minimum(path, np.add.outer(path[:, k], path[k, :]))
    return np.sum(np.sqrt(path))


def sparse_product(
    values: np.ndarray, x: np.ndarray, starts: np.ndarray, columns: np.ndarray
) -> float:
    """A matrix in compressed rows times a vector."""
    total = 0.0
    for i in range(len(starts) - 1):
        y = 0.0
        for k in range(starts[i], starts[i + 1]):
            y += values[k] * x[columns[k]]
        total += y * y
    return total


def durbin(r: np.ndarray) -> float:
    """Yule and Walker's equations, solved by recursion."""
    n = len(r)
    y = np.zeros(n)
    alpha = -r[0]
    beta = 1.0
    y[0] = -r[0]
    for k in range(1, n):
        beta *= 1.0 - alpha * alpha
        alpha = -(r[k] + np.dot(np.flip(r[:k]), y[:k])) / beta
        y[:k] += alpha * np.flip(y[:k])
        y[k] = alpha
    return np.sum(y * y)


def triangular_product(a: np.ndarray, b: np.ndarray) -> float:
    """B := A' B in place, with a unit lower triangle in A."""
    b = b.copy()
    m, n = b.shape
    for i in range(m):
        for j in range(n):
            for k in range(i + 1, m):
                b[i, j] += a[k, i] * b[k, j]
    return np.sum(b * b)


def conjugate_gradients(a: np.ndarray, b: np.ndarray, steps: int) -> float:
    x = np.zeros_like(b)
    r = b - a @ x
    p = r.copy()
    square = r @ r
    for _ in range(steps):
        ap = a @ p
        rate = square / (p @ ap)
        x += rate * p
        r -= rate * ap
        new = r @ r
        p = r + (new / square) * p
        square = new
    return np.sum(x)


def matrix_products(a: np.ndarray, b: np.ndarray, c: np.ndarray) -> float:
    return np.sum((a @ b) @ c)


def under_jax() -> dict[str, Any]:
    """Factorisations stay loops: XLA has routines for some of them, as LAPACK has for NumPy."""
    import jax
    import jax.numpy as jnp
    from jax import lax

    def triangular_solve(lower, b):
        n = len(b)

        def row(i, x):
            return x.at[i].set((b[i] - lower[i] @ x) / lower[i, i])

        x = lax.fori_loop(0, n, row, jnp.zeros(n))
        return jnp.sum(x * x)

    def cholesky(a):
        n = len(a)
        at = jnp.arange(n)

        def column(j, l):
            s = a[:, j] - l @ l[j]
            return l.at[:, j].set(jnp.where(at >= j, s / jnp.sqrt(s[j]), 0.0))

        l = lax.fori_loop(0, n, column, jnp.zeros_like(a))
        return jnp.sum(jnp.log(jnp.diag(l)))

    def lu(a):
        n = len(a)
        at = jnp.arange(n)

        def step(k, a):
            factor = jnp.where(at > k, a[:, k] / a[k, k], 0.0)
            right = jnp.where(at > k, a[k], 0.0)
            a = a - jnp.outer(factor, right)
            return a.at[:, k].set(jnp.where(at > k, factor, a[:, k]))

        a = lax.fori_loop(0, n, step, a)
        return jnp.sum(a * a)

    def gram_schmidt(a):
        n = a.shape[1]
        at = jnp.arange(n)

        def step(k, ar):
            a, r = ar
            norm = jnp.sqrt(jnp.sum(a[:, k] ** 2))
            q = a[:, k] / norm
            row = jnp.where(at > k, q @ a, 0.0)
            return a - jnp.outer(q, row), r.at[k].set(row.at[k].set(norm))

        _, r = lax.fori_loop(0, n, step, (a, jnp.zeros((n, n))))
        return jnp.sum(jnp.abs(r))

    def floyd_warshall(path):
        def step(k, path):
            by_way = path[:, k][:, None] + path[k][None, :]
            return jnp.where(by_way < path, by_way, path)  # `minimum` looks for ties

        return jnp.sum(jnp.sqrt(lax.fori_loop(0, len(path), step, path)))

    def sparse_product(values, x, starts, columns):
        n = len(starts) - 1
        row = jnp.repeat(jnp.arange(n), jnp.diff(starts), total_repeat_length=len(values))
        y = jax.ops.segment_sum(values * x[columns], row, n, indices_are_sorted=True)
        return jnp.sum(y * y)

    def durbin(r):
        n = len(r)

        def first_reversed(x, k):
            return lax.dynamic_slice(jnp.concatenate([x[::-1], jnp.zeros(n)]), (n - k,), (n,))

        def step(k, carried):
            y, alpha, beta = carried
            beta = beta * (1.0 - alpha * alpha)
            alpha = -(r[k] + first_reversed(r, k) @ y) / beta
            return (y + alpha * first_reversed(y, k)).at[k].set(alpha), alpha, beta

        y = jnp.zeros(n).at[0].set(-r[0])
        y, _, _ = lax.fori_loop(1, n, step, (y, -r[0], 1.0))
        return jnp.sum(y * y)

    def triangular_product(a, b):
        return jnp.sum((b + jnp.tril(a, -1).T @ b) ** 2)

    def conjugate_gradients(a, b, steps):
        def step(_, carried):
            x, r, p, square = carried
            ap = a @ p
            rate = square / (p @ ap)
            x, r = x + rate * p, r - rate * ap
            new = r @ r
            return x, r, r + (new / square) * p, new

        x, _, _, _ = lax.fori_loop(0, steps, step, (jnp.zeros_like(b), b, b, b @ b))
        return jnp.sum(x)

    return dict(locals())


def spd(r: np.random.Generator, n: int) -> np.ndarray:
    a = r.normal(size=(n, n))
    return a @ a.T / n + 2.0 * np.eye(n)


def lower(r: np.random.Generator, n: int) -> np.ndarray:
    return np.tril(r.normal(size=(n, n)) / n, -1) + np.diag(r.uniform(1, 2, n))


def compressed(r: np.random.Generator, n: int) -> tuple[Any, ...]:
    counts = r.integers(0, 4, n)
    starts = np.concatenate([[0], np.cumsum(counts)])
    columns = r.integers(0, n, starts[-1])
    return r.normal(size=len(columns)), r.normal(size=n), starts, columns


KERNELS = [
    Kernel("triangular solve", triangular_solve,
           lambda r, s: (lower(r, int(2000 * s)), r.normal(size=int(2000 * s))),
           argnums=(0, 1), jax="triangular_solve",
           by_hand=adjoints.triangular_solve),
    Kernel("Cholesky, loops", cholesky, lambda r, s: (spd(r, int(40 * s)),), jax="cholesky",
           by_hand=adjoints.cholesky),
    Kernel("LU, loops", lu, lambda r, s: (spd(r, int(60 * s)),), jax="lu",
           by_hand=adjoints.lu),
    Kernel("Gram–Schmidt", gram_schmidt,
           lambda r, s: (r.normal(size=(int(70 * s), int(60 * s))),), jax="gram_schmidt",
           by_hand=adjoints.gram_schmidt),
    Kernel("Floyd–Warshall", floyd_warshall,
           lambda r, s: (r.uniform(1, 100, (int(200 * s),) * 2),), jax="floyd_warshall",
           by_hand=adjoints.floyd_warshall),
    Kernel("sparse product", sparse_product, lambda r, s: compressed(r, int(4096 * s)),
           argnums=(0, 1), jax="sparse_product",
           by_hand=adjoints.sparse_product),
    Kernel("Durbin", durbin, lambda r, s: (r.uniform(-0.5, 0.5, int(400 * s)) / (400 * s),),
           jax="durbin",
           by_hand=adjoints.durbin),
    Kernel("triangular product", triangular_product,
           lambda r, s: (r.normal(size=(int(60 * s),) * 2) / 10,
                         r.normal(size=(int(60 * s), int(70 * s)))),
           argnums=(0, 1), jax="triangular_product",
           by_hand=adjoints.triangular_product),
    Kernel("conjugate gradients", conjugate_gradients,
           lambda r, s: (spd(r, int(200 * s)), r.normal(size=int(200 * s)), 20),
           argnums=(0, 1), jax="conjugate_gradients", static=(2,),
           by_hand=adjoints.conjugate_gradients),
    Kernel("matrix products", matrix_products,
           lambda r, s: tuple(r.normal(size=(int(300 * s),) * 2) for _ in range(3)),
           argnums=(0, 1, 2),
           by_hand=adjoints.matrix_products, compiled=False),
]  # fmt: skip
