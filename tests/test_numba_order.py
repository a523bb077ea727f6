"""Which reversed loops count upwards under Numba, and that they are right either way."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import s2sad

pytest.importorskip("numba")

X = np.array([0.3, -1.2, 0.7, 2.0, 1.1])


def elements(x: np.ndarray) -> float:
    y = np.zeros_like(x)
    for i in range(len(x)):
        y[i] = math.sin(x[i]) * x[i]
    return np.sum(y * y)


def neighbours(x: np.ndarray) -> float:
    y = x.copy()
    for i in range(1, len(x) - 1):
        y[i] = x[i - 1] * x[i] * x[i + 1]
    return np.sum(y * y)


def rows(x: np.ndarray) -> float:
    y = np.outer(x, x)
    for i in range(len(x)):
        for j in range(i):
            y[i, j] = y[i, j] * y[i, j] * x[j]
    return np.sum(y)


def branches(x: np.ndarray, k: float) -> float:
    total = 0.0
    for i in range(len(x)):
        if x[i] > 0.5:
            total += k * x[i]
        else:
            total -= k * k * x[i]
    return total


def recurrence(x: np.ndarray) -> float:
    y = x.copy()
    for i in range(1, len(x)):
        y[i] = y[i] * y[i - 1]
    return np.sum(y)


def from_the_end(x: np.ndarray) -> float:
    y = x.copy()
    for i in range(len(x)):
        y[i - 1] = y[i - 1] * x[i]
    for i in range(-1, len(x) - 1):
        y[i] = y[i] * y[i] * x[i + 1]
    return np.sum(y)


def both_ends(x: np.ndarray) -> float:
    y = x.copy()
    for i in range(-2, len(x)):
        y[i] = y[i] * y[i]
    return np.sum(y)


def carried(x: np.ndarray) -> float:
    y = 1.0
    for i in range(len(x)):
        y = math.sin(y) * x[i]
    return y


def chosen(x: np.ndarray) -> float:
    y = x.copy()
    for i in range(len(x)):
        y[(2 * i) % 3] = y[(2 * i) % 3] * x[i]
    return np.sum(y)


def running(x: np.ndarray, k: float) -> float:
    total = 0.0
    y = np.zeros_like(x)
    for i in range(len(x)):
        total += k * x[i]
        y[i] = total * total
    return np.sum(y)


@pytest.mark.parametrize(
    "f",
    [elements, neighbours, rows, branches, recurrence, from_the_end]
    + [both_ends, carried, chosen, running],
)
def test_derivatives_in_any_order_agree(f: Callable[..., Any]) -> None:
    args = (X, 1.3)[: f.__code__.co_argcount]
    wrt = tuple(range(len(args)))
    expected = s2sad.grad(f, wrt)(*args)
    for got, want in zip(s2sad.grad(f, wrt, backend="numba")(*args), expected, strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-13)


@pytest.mark.parametrize(
    ("f", "downwards"),
    [(elements, 0), (neighbours, 0), (rows, 1), (branches, 0), (recurrence, 1)]
    + [(both_ends, 1), (carried, 1), (chosen, 1), (running, 1)],
)
def test_loops_count_upwards_where_order_does_not_matter(
    f: Callable[..., Any], downwards: int
) -> None:
    args = (X, 1.3)[: f.__code__.co_argcount]
    text = s2sad.grad(f, tuple(range(len(args))), backend="numba").source(*args)
    assert text.count(", -1):") == downwards


def largest_of_columns(x: np.ndarray) -> float:
    return np.sum(np.max(x, axis=0) ** 2) + np.sum(np.min(x, axis=(0, 1)) * x[0, 0])


def test_extremes_along_leading_axes() -> None:
    """Their cotangents have fewer axes than what they are shared among."""
    x = np.array([[0.5, 2.0, -1.0], [1.5, 2.0, -3.0]])
    found = s2sad.grad(largest_of_columns, backend="numba")(x)
    np.testing.assert_array_equal(found, s2sad.grad(largest_of_columns)(x))
