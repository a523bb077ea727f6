"""Functions that hand an array back, or a view of it, for some options only."""

from __future__ import annotations

import numpy as np
import pytest

from tests.checker import check, refused

X = np.array([0.6, 1.1, 0.9, 0.4])


def test_no_difference_at_all() -> None:
    def f(x: np.ndarray) -> float:
        y = x * x
        z = np.diff(y, n=0)
        z[0] = 7.0
        return np.sum(y * y)

    check(f, X)


def test_first_power_of_a_matrix() -> None:
    def f(x: np.ndarray) -> float:
        y = x * x
        z = np.linalg.matrix_power(y, 1)
        z[0] = 7.0
        return np.sum(y * y)

    check(f, X.reshape(2, 2))


def test_no_derivative_of_a_polynomial() -> None:
    def f(x: np.ndarray) -> float:
        y = x * x
        z = np.polyder(y, 0)
        z[0] = 7.0
        return np.sum(y * y)

    check(f, X)


def test_axes_added_to_several_arrays() -> None:
    def f(x: np.ndarray, c: float) -> float:
        y = x * x
        a, b, d = np.atleast_2d(y, 2.0 * y, c)
        a[0, 1] = 7.0
        return np.sum(y * y) + np.sum(b * d)

    check(f, X, 0.3)


@pytest.mark.parametrize("same", [np.float64, lambda x: np.einsum("i->i", x)])
def test_view_that_is_written(same: object) -> None:
    def f(x: np.ndarray) -> float:
        y = same(x)  # type: ignore[operator]
        y[0] = 7.0
        return np.sum(x * x)

    refused(f, X, match="may share memory")


def test_transposing_sum_whose_cotangent_is_added_to() -> None:
    def f(x: np.ndarray) -> np.ndarray:
        y = np.einsum("ij->ji", x)
        return np.sum(y * y) + np.sum(x * x * x), y

    check(lambda x: f(x)[0], X.reshape(2, 2))
    check(lambda x: f(x)[1], X.reshape(2, 2))
