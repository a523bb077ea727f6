"""Multiples of one product are added up to one multiple of it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

import s2sad
from tests.checker import check


@pytest.mark.parametrize(
    ("f", "wanted"),
    [
        (lambda x: 3.0 * x * x * x, "9.0 * (x * x)"),
        (lambda x: 0.5 * x**2 * x, "1.5 * (x * x)"),
        (lambda x: (x * x) * (x * x), "4.0 * (x * x * x)"),
        (lambda x: x * (2.0 * x) * (-x), "-6.0 * (x * x)"),
        (lambda x: x * x - 0.5 * (x * x), "return x"),
    ],
)
def test_like_terms(f: Callable[[float], float], wanted: str) -> None:
    check(f, 1.3)
    assert wanted in s2sad.grad(f).source(1.3)


def test_factors_in_any_order() -> None:
    def f(x: float, k: float, m: float) -> float:
        return 0.5 * k * x * m * x

    check(f, 0.7, 1.3, 0.4)
    assert "x_bar = x * m * k" in s2sad.grad(f).source(0.7, 1.3, 0.4)


def test_terms_that_are_not_alike() -> None:
    def f(x: np.ndarray, a: float) -> float:
        return np.sum(x * x * a) + np.sum(a * (x @ x) * x) - np.sum(x * x * a)

    check(f, np.array([0.3, 1.2]), 0.8)


def test_products_of_matrices_do_not_commute() -> None:
    def f(A: np.ndarray, B: np.ndarray) -> float:
        return np.sum((A @ B) * (B @ A)) + np.sum(A @ A @ B)

    rng = np.random.default_rng(0)
    check(f, rng.normal(size=(2, 2)), rng.normal(size=(2, 2)))


def test_like_terms_of_a_running_adjoint() -> None:
    def f(x: float, n: int) -> float:
        term = x
        for k in range(n):
            term = -term * x * x / (k + 1)
        return term * x

    check(f, 0.7, 3)
    assert s2sad.grad(f).source(0.7, 3).count("x_bar -=") == 1


def test_like_terms_of_arrays_and_broadcast_numbers() -> None:
    def f(u: np.ndarray, c: float) -> float:
        flux = 0.5 * u * u
        return np.sum(c * flux * flux) + np.sum(u * c)

    check(f, np.array([0.3, 1.2]), 0.8)
