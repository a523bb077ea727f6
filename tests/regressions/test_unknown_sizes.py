"""Arrays whose sizes are known only at run time, changed in place."""

from __future__ import annotations

import numpy as np

import s2sad
from tests.checker import check


def test_slices_added_to_a_sum() -> None:
    def f(x: np.ndarray, w: np.ndarray) -> float:
        y = np.zeros(len(x) - len(w) + 1)
        for k in range(len(w)):
            y += w[k] * x[k : k + len(y)]
        return np.sum(y * y)

    x, w = np.array([0.3, 1.2, 0.4, 0.9, 0.1]), np.array([0.7, 0.2, 1.1])
    check(f, x, w)
    check(f, x[:3], w)  # a sum of one element
    assert ".copy()" not in s2sad.grad(f, (0, 1)).source(x, w)


def test_one_element_added_to_all() -> None:
    def f(x: np.ndarray, n: int) -> float:
        y = x[:n] * 2.0
        y += x[n:]
        y *= x[:n] + x[n:]
        return np.sum(y * y)

    check(f, np.array([0.3, 1.2, 0.4, 0.9]), 2)
    check(f, np.array([0.3, 1.2, 0.4, 0.9]), 3)
    check(f, np.array([0.3, 1.2]), 1)


def test_written_over_a_part_and_over_the_whole() -> None:
    def f(x: np.ndarray, n: int) -> float:
        y = x[:n] * 2.0
        y[1:] += x[-1:] * y[:-1]
        y[...] = y * x[n:]
        y[:] = x[:1] + y
        return np.sum(y * y * x[:n])

    check(f, np.array([0.3, 1.2, 0.4, 0.9]), 2)
    check(f, np.array([0.3, 1.2, 0.4, 0.9]), 3)


def test_rows_added_to_a_matrix() -> None:
    def f(x: np.ndarray, n: int) -> float:
        y = x[:n] * 1.5
        y += x[n:]
        z = x[:n] * 1.0
        z -= y[0]
        return np.sum(y * z)

    check(f, np.array([[0.3, 1.2], [0.4, 0.9], [0.1, 0.7]]), 2)
    check(f, np.array([[0.3], [0.4], [0.1]]), 2)
