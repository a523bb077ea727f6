"""A minus that one term reads alone becomes a subtraction."""

from __future__ import annotations

import numpy as np

import s2sad
from tests.checker import check


def test_minus_in_a_term() -> None:
    def f(x: float, k: float) -> float:
        y = x
        for _ in range(3):
            step = k * y
            y = y - step
        return y

    check(f, 0.7, 0.1)
    text = s2sad.grad(f).source(0.7, 0.1)
    assert "y_bar -= y_bar * k" in text or "y_bar -= k * y_bar" in text
    assert "-y_bar" not in text


def test_minus_of_an_array_that_is_overwritten_in_between() -> None:
    def f(x: np.ndarray, c: float) -> float:
        y = np.sin(x)
        z = x - 0.5 * y
        y[0] = c
        w = z - y * c
        return np.sum(w * w * y)

    check(f, np.array([0.3, 1.2, 0.4]), 0.8)


def test_minus_that_is_read_twice() -> None:
    def f(x: float, y: float) -> float:
        z = x - x * y
        return z * z - y * x * z

    check(f, 0.7, 0.4)
