"""Exponentials and the like are computed at once where no iteration has to wait for another."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import s2sad

pytest.importorskip("numba")

RNG = np.random.default_rng(11)


def growth(x: np.ndarray, k: float) -> float:
    price, total = 1.0, 0.0
    for i in range(len(x)):
        price *= math.exp(k * x[i])
        total += price
    return total


def rows(x: np.ndarray, k: float) -> float:
    total = 0.0
    m = len(x) // 2
    for i in range(2):
        s = 0.0
        for j in range(m):
            s += math.log1p(x[i * m + j] ** 2) * np.tanh(k * x[i * m + j])
        total += s * s
    return total


def triangle(x: np.ndarray, k: float) -> float:
    total = 0.0
    for i in range(len(x)):
        for j in range(i, len(x)):
            total += x[i] * math.exp(-k * (x[i] - x[j]) ** 2)
    return total


def nested(x: np.ndarray, k: float) -> float:
    total = 0.0
    for i in range(len(x)):
        total += math.atan(k * math.exp(x[i])) * x[i]
    return total


def downwards(x: np.ndarray, k: float) -> float:
    y = 1.0
    for i in range(len(x) - 1, -1, -1):
        y = 0.5 * y + y * math.exp(k * x[i])
    return y


def sometimes(x: np.ndarray, k: float) -> float:
    total = 0.0
    for i in range(len(x)):
        if i > 0:
            total += math.exp(k * x[i - 1]) * total
        total += x[i]
    return total


def waiting(x: np.ndarray, k: float) -> float:
    y = k
    for i in range(len(x)):
        y = math.exp(-y * x[i])
    return y


def rewritten(x: np.ndarray, k: float) -> float:
    x = x.copy()
    for i in range(1, len(x)):
        x[i] = math.exp(k * x[i - 1]) * 0.5
    return np.sum(x)


def left(x: np.ndarray, k: float) -> float:
    total = 0.0
    for i in range(len(x) + 5):  # it ends before the array does
        if i >= len(x) - 1:
            break
        total += math.exp(k * x[i]) * x[i]
    return total


def constant(x: np.ndarray, k: float) -> float:
    total = 0.0
    for i in range(len(x)):
        total += math.exp(k) * x[i]
    return total


AT_ONCE = [growth, rows, triangle, nested, downwards]
ONE_BY_ONE = [sometimes, waiting, rewritten, left, constant]


@pytest.mark.parametrize("n", [0, 1, 2, 4, 5, 40])
@pytest.mark.parametrize("f", AT_ONCE + ONE_BY_ONE)
def test_values_and_derivatives_agree(f: Callable[..., Any], n: int) -> None:
    x = RNG.uniform(-1.0, 1.0, n)
    agree(f, x, 0.7)
    agree(f, np.repeat(x, 2)[::-2], 0.7)


def agree(f: Callable[..., Any], *args: Any) -> None:
    value, expected = s2sad.value_and_grad(f, (0, 1))(*args)
    got_value, got = s2sad.value_and_grad(f, (0, 1), backend="numba")(*args)
    np.testing.assert_allclose(got_value, value, rtol=1e-14)
    for x, y in zip(got, expected, strict=True):
        np.testing.assert_allclose(x, y, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("f", AT_ONCE)
def test_functions_are_computed_at_once(f: Callable[..., Any]) -> None:
    assert "in_place(math." in text_of(f)


@pytest.mark.parametrize("f", ONE_BY_ONE)
def test_functions_that_have_to_wait_are_not(f: Callable[..., Any]) -> None:
    assert "in_place(" not in text_of(f)


def test_arrays_are_made_once_where_their_length_is_known() -> None:
    text = text_of(rows)
    assert text.index("log1p_tape = np.empty") < text.index("for i in")
    assert text_of(triangle).index("exp_tape = np.empty") > text_of(triangle).index("for i in")


def kept(x: np.ndarray, k: float) -> float:
    total = 0.0
    for i in range(len(x) - 2):
        y = x[i : i + 2] * math.exp(k * x[i])
        y = np.sin(y) * y
        total += y[0] * y[1] * total + y[1]  # the arrays are kept in lists
    return total


def test_what_loops_put_into_lists_is_left_alone() -> None:
    agree(kept, RNG.uniform(-1.0, 1.0, 9), 0.7)


def test_what_is_infinite_or_no_number_stays_so() -> None:
    x = np.array([1.0, 800.0, -800.0, np.nan, 0.0, np.inf, -np.inf] * 3)
    with np.errstate(all="ignore"):
        y = np.exp(x)
    got = s2sad.grad(exponentials, backend="numba")(x)
    np.testing.assert_allclose(got, y, rtol=1e-15)


def exponentials(x: np.ndarray) -> float:
    total = 0.0
    for i in range(len(x)):
        total += np.exp(x[i])
    return total


def text_of(f: Callable[..., Any]) -> str:
    return s2sad.grad(f, (0, 1), backend="numba").source(np.ones(8), 0.7)
