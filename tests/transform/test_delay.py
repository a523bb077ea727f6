"""What one arm of a branch reads alone is computed in that arm."""

from __future__ import annotations

import math

import numpy as np

import s2sad
from tests.checker import check


def test_a_number_that_one_arm_reads() -> None:
    def f(x: float) -> float:
        y = x
        for _ in range(3):
            if y < 1.0:
                step = math.sin(y)
            else:
                step = 0.5
            y = y * step
        return y

    check(f, 0.7)
    check(f, 1.7)
    (line,) = (n for n in s2sad.grad(f).source(0.7).splitlines() if "step_bar = " in n)
    assert line.startswith(" " * 12)


def test_a_number_that_both_arms_or_the_condition_read() -> None:
    def f(x: float, y: float) -> float:
        if x < y:
            z = x * y
        else:
            z = x + 2.0 * y
        if z * x > 0.5:
            z = z * z
        return math_free(z) * z

    def math_free(v: float) -> float:
        return 1.0 / (1.0 + v * v)

    check(f, 0.7, 0.4)
    check(f, 0.2, 0.4)
    check(f, 0.9, 1.4)


def test_arms_of_arms() -> None:
    def f(x: np.ndarray, c: float) -> float:
        total = 0.0
        for v in x:
            w = c * v
            if v > 0.5:
                if w > 0.5:
                    total += w * w
                else:
                    total -= w
        return total

    check(f, np.array([0.3, 0.7, 0.9, 1.4]), 0.7)
