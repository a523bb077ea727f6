"""The same slice of arrays of one shape has one shape: nothing is summed over broadcast axes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import s2sad
from tests.checker import check

X = np.array([0.5, -1.0, 0.8, 1.5])
Y = np.array([1.1, 0.7, -0.4, 0.9])


def reflected(x: np.ndarray, a: float) -> float:
    y = x.copy()
    for k in range(1, len(x)):
        y[:k] += a * np.flip(y[:k])
    return np.sum(y * y)


def blocks(x: np.ndarray, a: float) -> float:
    m = np.outer(x, np.sin(x))
    for k in range(1, len(x)):
        m[k, :k] += a * m[:k, k] * m[k, :k]
    return np.sum(m * m)


def two_arrays(x: np.ndarray, y: np.ndarray) -> float:
    total = 0.0
    for k in range(1, 4):
        total += np.sum(np.sin(x[:k] * y[:k]))  # y may be one number that is broadcast
    return total


def two_bounds(x: np.ndarray, a: float) -> float:
    total = 0.0
    for k in range(len(x) - 1):
        low, high = x[k : k + 1], x[k:]
        total += np.sum(low * high * a)  # the first has one element
    return total


def moved_bound(x: np.ndarray, a: float) -> float:
    total, k = 0.0, 1
    for _ in range(2):
        one = x[:k]
        k += 2
        total += a * np.sum(np.cos(one) * x[: k - 2] * x[k - 2 : k - 1])
    return total


def text_of(f: Callable[..., Any], *args: Any) -> str:
    return s2sad.grad(f, (0, 1)).source(*args)


def test_slices_with_the_same_bounds_need_no_sum() -> None:
    assert "unbroadcast" not in text_of(reflected, X, 0.3)


def test_slices_of_arrays_of_unknown_shapes_do() -> None:
    assert "unbroadcast" in text_of(two_arrays, X, Y)


@pytest.mark.parametrize("f", [reflected, blocks, two_bounds, moved_bound])
def test_derivatives_are_right(f: Callable[..., Any]) -> None:
    check(f, X, 0.3, argnums=(0, 1))


def test_what_is_broadcast_is_summed() -> None:
    check(two_arrays, X, Y, argnums=(0, 1))
    check(two_arrays, X, Y[:1], argnums=(0, 1))
    check(two_bounds, X[:2], 0.3, argnums=(0, 1))
