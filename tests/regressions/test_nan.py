"""Extremes that are nan: differences are nan there, and so are the derivatives."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

import s2sad
import s2sad.tape

NAN = float("nan")
A = np.array([[1.0, NAN, 2.0], [3.0, 0.5, 3.0]])
ALL = np.full((2, 3), NAN)
ROW = np.array([[NAN, NAN, NAN], [0.5, 0.0, 0.5]])
COLUMN = np.array([[0.0, NAN, 0.0], [1.0, NAN, 1.0]])


@pytest.mark.parametrize(
    ("f", "wanted"),
    [
        (lambda a: np.max(a), ALL),
        (lambda a: a.min(), ALL),
        (lambda a: np.ptp(a), ALL),
        (lambda a: np.maximum.reduce(a.ravel()), ALL),
        (lambda a: np.sum(np.max(a, axis=1)), ROW),
        (lambda a: np.sum(a.max(axis=-1, keepdims=True)), ROW),
        (lambda a: np.sum(np.amax(a, axis=0)), COLUMN),
        (lambda a: np.nanmax(a), np.array([[0.0, 0.0, 0.0], [0.5, 0.0, 0.5]])),
    ],
)
def test_derivative_of_an_extreme_that_is_nan(
    f: Callable[[np.ndarray], float], wanted: np.ndarray
) -> None:
    np.testing.assert_equal(s2sad.grad(f)(A), wanted)
    np.testing.assert_equal(s2sad.tape.value_and_grad(f)(A)[1], wanted)


def test_a_nan_that_nobody_looks_at_has_no_derivative() -> None:
    def f(a: np.ndarray) -> float:
        return np.nansum(np.max(a, axis=1))

    wanted = np.array([[0.0, 0.0, 0.0], [0.5, 0.0, 0.5]])
    np.testing.assert_equal(s2sad.grad(f)(A), wanted)


def test_single_precision_stays() -> None:
    def f(a: np.ndarray) -> float:
        return np.sum(np.max(a, axis=0))

    out = s2sad.grad(f)(A.astype(np.float32))
    assert out.dtype == np.float32
    np.testing.assert_equal(out, COLUMN.astype(np.float32))
