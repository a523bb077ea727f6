"""Random programs whose comprehensions were refused."""

from __future__ import annotations

import numpy as np

from tests.checker import check


def test_function_made_in_a_comprehension_in_a_loop() -> None:
    def apply(g, u):
        return g(u) * u

    def f(x: np.ndarray) -> float:
        total = 0.0
        for i in range(3):
            ys = [apply(lambda a, i=i: a * x[i], x[1]) + k * total for k in range(2)]
            total += np.sin(ys[0] * ys[1])
        return total

    check(f, np.array([0.3, 0.5, 0.9]))


def test_functions_kept_from_a_comprehension_see_its_last_values() -> None:
    def f(x: np.ndarray) -> float:
        functions = [lambda a: a * k for k in (2.0, 3.0)]
        return functions[0](x[0]) * functions[1](x[1])

    check(f, np.array([0.3, 0.5]))
