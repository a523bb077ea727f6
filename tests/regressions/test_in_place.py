"""Random programs in which an array changed in place: its layout decides how sums round."""

from __future__ import annotations

import numpy as np

from tests.checker import check


def test_product_with_a_strided_argument_that_is_written() -> None:
    def f(x: np.ndarray, y: np.ndarray) -> float:
        y += 0.3 * np.sin(x)
        return x @ y

    def strided(*numbers: float) -> np.ndarray:
        return np.repeat(np.array(numbers), 2)[::2]

    rng = np.random.default_rng(0)
    for _ in range(20):
        check(f, strided(*rng.normal(size=9)), strided(*rng.normal(size=9)))


def test_exponential_of_a_reversed_argument_that_is_written() -> None:
    def f(x: np.ndarray) -> float:
        x[0] = 0.5
        return np.sum(np.exp(x))

    rng = np.random.default_rng(0)
    for _ in range(20):
        check(f, rng.normal(size=9)[::-1])


def test_element_written_over_the_cotangent_of_a_sum() -> None:
    def f(a: np.ndarray, y: np.ndarray) -> float:
        a[1, 0] = 0.5
        y[1:] -= np.sum(a, axis=0)
        return np.sum(y * y)

    rng = np.random.default_rng(0)
    check(f, rng.normal(size=(3, 2)), rng.normal(size=6)[::2])
