"""A sum of parts begins with the whole array that is added last."""

from __future__ import annotations

import numpy as np

import s2sad
from tests.checker import check


def test_stencil_on_a_copy() -> None:
    def f(u: np.ndarray, k: float) -> float:
        for _ in range(3):
            new = u.copy()
            new[1:-1] = u[1:-1] + k * (u[2:] - 2.0 * u[1:-1] + u[:-2])
            u = new
        return np.sum(u * u)

    u = np.array([0.3, 1.2, 0.4, 0.9, 0.1])
    check(f, u, 0.1)
    text = s2sad.grad(f, (0, 1)).source(u, 0.1)
    assert "zeros_like" not in text
    assert text.count(".copy()") == 2  # the user's own, and the view that is overwritten


def test_whole_that_is_read_again() -> None:
    def f(x: np.ndarray) -> float:
        y = np.sin(x)
        z = y + y[0] * x + x[::-1]
        w = z * z
        return np.sum(w) + w[1] * z[2]

    check(f, np.array([0.3, 1.2, 0.4]))


def test_whole_of_the_caller() -> None:
    def f(x: np.ndarray) -> np.ndarray:
        return x + x[0] * 2.0

    x, g = np.array([0.3, 1.2]), np.ones(2)
    check(f, x)
    out, pullback = s2sad.vjp(f, x)
    pullback(g)
    np.testing.assert_equal(g, np.ones(2))


def test_transposed_products() -> None:
    def f(Q: np.ndarray, K: np.ndarray) -> float:
        return np.sum(np.tanh(Q @ K.T))

    rng = np.random.default_rng(0)
    Q, K = rng.normal(size=(3, 2)), rng.normal(size=(4, 2))
    check(f, Q, K)
    text = s2sad.grad(f, (0, 1)).source(Q, K)
    assert "@ K\n" in text
    assert ".T @ Q" in text
