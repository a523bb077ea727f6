"""Adjoints of the linear algebra, by hand.

Each function takes its kernel's arguments and returns the kernel's gradient. The last line of a
kernel, mostly a sum, stands for whatever uses the result: only its cotangent is special, nothing
else makes use of what that line is. Where a solution or a factorisation has an adjoint in closed
form, that is what is written.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np


def triangular_solve(lower: np.ndarray, b: np.ndarray) -> tuple[Any, ...]:
    # L x = b: L' s = 2 x, then b receives s, and L receives -s x' in its triangle.
    n = len(b)
    x = np.empty(n)
    for i in range(n):
        x[i] = (b[i] - np.dot(lower[i, :i], x[:i])) / lower[i, i]
    s = 2.0 * x
    of_lower = np.empty((n, n))
    for i in range(n - 1, -1, -1):
        s[i] /= lower[i, i]
        for j in range(i):
            s[j] -= s[i] * lower[i, j]
        for j in range(i + 1):
            of_lower[i, j] = -s[i] * x[j]
        for j in range(i + 1, n):
            of_lower[i, j] = 0.0
    return of_lower, s


def cholesky(a: np.ndarray) -> tuple[Any, ...]:
    # Row by row and back; the factor is all that the way back needs.
    n = len(a)
    f = np.zeros((n, n))
    for i in range(n):
        for j in range(i):
            s = a[i, j]
            for k in range(j):
                s -= f[i, k] * f[j, k]
            f[i, j] = s / f[j, j]
        s = a[i, i]
        for k in range(i):
            s -= f[i, k] * f[i, k]
        f[i, i] = math.sqrt(s)
    g = np.zeros((n, n))
    for i in range(n):
        g[i, i] = 1.0 / f[i, i]
    for i in range(n - 1, -1, -1):
        g[i, i] /= 2.0 * f[i, i]
        for k in range(i):
            g[i, k] -= 2.0 * g[i, i] * f[i, k]
        for j in range(i - 1, -1, -1):
            g[i, j] /= f[j, j]
            g[j, j] -= g[i, j] * f[i, j]
            for k in range(j):
                g[i, k] -= g[i, j] * f[j, k]
                g[j, k] -= g[i, j] * f[i, k]
    return (g,)


def lu(a: np.ndarray) -> tuple[Any, ...]:
    # Row by row; ``across`` is the transpose, so that all inner loops run along rows. Both factors
    # are all that the way back needs.
    n = len(a)
    f = a.copy()
    for i in range(n):
        for k in range(i):
            f[i, k] /= f[k, k]
            for j in range(k + 1, n):
                f[i, j] -= f[i, k] * f[k, j]
    across = f.T.copy()
    g = 2.0 * f
    for i in range(n - 1, -1, -1):
        for j in range(n - 1, -1, -1):
            if j < i:
                g[i, j] /= f[j, j]
                g[j, j] -= g[i, j] * f[i, j]
            for k in range(min(i, j)):
                g[i, k] -= g[i, j] * across[j, k]
        for k in range(i):
            for j in range(k + 1, n):
                g[k, j] -= f[i, k] * g[i, j]
    return (g,)


def gram_schmidt(a: np.ndarray) -> tuple[Any, ...]:
    # A = Q R. With C the lower triangle of R G', reflected, where R receives G, A receives
    # Q C R^-T. Everything is kept transposed, to run along rows.
    m, n = a.shape
    across = a.T.copy()
    q = np.empty((n, m))
    r = np.zeros((n, n))
    for k in range(n):
        r[k, k] = math.sqrt(np.dot(across[k], across[k]))
        q[k] = across[k] / r[k, k]
        for j in range(k + 1, n):
            r[k, j] = np.dot(q[k], across[j])
            for i in range(m):
                across[j, i] -= q[k, i] * r[k, j]
    c = np.dot(r, np.sign(r).T)
    for i in range(n):
        for j in range(i):
            c[j, i] = c[i, j]
    g = np.dot(c, q)
    for k in range(n - 1, -1, -1):
        for j in range(k + 1, n):
            for i in range(m):
                g[k, i] -= r[k, j] * g[j, i]
        for i in range(m):
            g[k, i] /= r[k, k]
    return (g.T.copy(),)


def floyd_warshall(path: np.ndarray) -> tuple[Any, ...]:
    # Few pairs gain from each vertex: the tape is a list of those, with where each vertex's begin.
    n = len(path)
    now = path.copy()
    tape = np.empty(n * n, dtype=np.int64)
    starts = np.zeros(n + 1, dtype=np.int64)
    used = 0
    column, row = np.empty(n), np.empty(n)
    for k in range(n):
        column[:] = now[:, k]
        row[:] = now[k]
        for i in range(n):
            if used + n > len(tape):
                more = np.empty(2 * len(tape), dtype=np.int64)
                more[:used] = tape[:used]
                tape = more
            for j in range(n):
                by_way = column[i] + row[j]
                if by_way < now[i, j]:
                    now[i, j] = by_way
                    tape[used] = i * n + j
                    used += 1
        starts[k + 1] = used
    g = 0.5 / np.sqrt(now)
    taken = np.empty(n * n)
    for k in range(n - 1, -1, -1):
        first, last = starts[k], starts[k + 1]
        for at in range(first, last):
            i, j = tape[at] // n, tape[at] % n
            taken[at - first] = g[i, j]
            g[i, j] = 0.0
        for at in range(first, last):
            i, j = tape[at] // n, tape[at] % n
            g[i, k] += taken[at - first]
            g[k, j] += taken[at - first]
    return (g,)


def sparse_product(
    values: np.ndarray, x: np.ndarray, starts: np.ndarray, columns: np.ndarray
) -> tuple[Any, ...]:
    of_values = np.empty(len(values))
    of_x = np.zeros(len(x))
    for i in range(len(starts) - 1):
        y = 0.0
        for k in range(starts[i], starts[i + 1]):
            y += values[k] * x[columns[k]]
        for k in range(starts[i], starts[i + 1]):
            of_values[k] = 2.0 * y * x[columns[k]]
            of_x[columns[k]] += 2.0 * y * values[k]
    return of_values, of_x


def durbin(r: np.ndarray) -> tuple[Any, ...]:
    # Row k of the tape is y[:k] before step k, and of ``back`` that in reverse.
    n = len(r)
    reverse = r[::-1].copy()
    y = np.zeros(n)
    tape, back = np.empty((n, n)), np.empty((n, n))
    alpha, beta = np.empty(n), np.empty(n)
    y[0] = alpha[0] = -r[0]
    beta[0] = 1.0
    for k in range(1, n):
        beta[k] = beta[k - 1] * (1.0 - alpha[k - 1] * alpha[k - 1])
        alpha[k] = -(r[k] + np.dot(reverse[n - k :], y[:k])) / beta[k]
        for i in range(k):
            tape[k, i] = y[i]
            back[k, i] = y[k - 1 - i]
        for i in range(k):
            y[i] += alpha[k] * back[k, i]
        y[k] = alpha[k]
    of_r = np.zeros(n)
    g, h = 2.0 * y, np.empty(n)
    of_alpha = of_beta = 0.0
    for k in range(n - 1, 0, -1):
        of_alpha += g[k] + np.dot(g[:k], back[k, :k])
        of_sum = -of_alpha / beta[k]
        of_beta += of_sum * alpha[k]
        of_r[k] += of_sum
        for i in range(k):
            h[i] = g[i] + alpha[k] * g[k - 1 - i] + of_sum * r[k - 1 - i]
            of_r[i] += of_sum * back[k, i]
        g, h = h, g
        of_alpha = -2.0 * of_beta * beta[k - 1] * alpha[k - 1]
        of_beta *= 1.0 - alpha[k - 1] * alpha[k - 1]
    of_r[0] -= g[0] + of_alpha
    return (of_r,)


def triangular_product(a: np.ndarray, b: np.ndarray) -> tuple[Any, ...]:
    # Rows further down are still as they were: B := (1 + S') B with the strict triangle S.
    s = np.tril(a, -1)
    g = 2.0 * (b + np.dot(s.T, b))
    return np.tril(np.dot(b, g.T), -1), g + np.dot(s, g)


def conjugate_gradients(a: np.ndarray, b: np.ndarray, steps: int) -> tuple[Any, ...]:
    # A receives one outer product per step: all of them together are one matrix product.
    n = len(b)
    r = np.empty((steps + 1, n))
    p, ap, of_ap = np.empty((steps, n)), np.empty((steps, n)), np.empty((steps, n))
    square, curve = np.empty(steps + 1), np.empty(steps)
    r[0] = b
    square[0] = np.dot(b, b)
    direction = b.copy()
    for t in range(steps):
        p[t] = direction
        ap[t] = np.dot(a, direction)
        curve[t] = np.dot(direction, ap[t])
        r[t + 1] = r[t] - square[t] / curve[t] * ap[t]
        square[t + 1] = np.dot(r[t + 1], r[t + 1])
        direction = r[t + 1] + square[t + 1] / square[t] * direction
    of_r, of_p, of_square = np.zeros(n), np.zeros(n), 0.0
    for t in range(steps - 1, -1, -1):
        rate, ratio = square[t] / curve[t], square[t + 1] / square[t]
        of_ratio = np.dot(of_p, p[t])
        of_r += of_p + 2.0 * (of_square + of_ratio / square[t]) * r[t + 1]
        of_rate = np.sum(p[t]) - np.dot(of_r, ap[t])
        of_square = of_rate / curve[t] - of_ratio * ratio / square[t]
        of_curve = -of_rate * rate / curve[t]
        of_ap[t] = of_curve * p[t] - rate * of_r
        of_p = ratio * of_p + rate + of_curve * ap[t] + np.dot(of_ap[t], a)
    of_b = of_r + of_p + 2.0 * of_square * b
    return np.dot(of_ap.T, p), of_b


def matrix_products(a: np.ndarray, b: np.ndarray, c: np.ndarray) -> tuple[Any, ...]:
    g = np.ones((len(a), c.shape[1]))
    of_ab = g @ c.T
    return of_ab @ b.T, a.T @ of_ab, (a @ b).T @ g
