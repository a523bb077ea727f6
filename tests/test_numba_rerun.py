"""Stages of a step that are run again in the reverse sweep, from one saved state."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import s2sad

pytest.importorskip("numba")

X = np.array([0.3, -1.2, 0.7, 0.9, 1.1])


def stages(x: np.ndarray, k: float, steps: int) -> float:
    y, z, w = x.copy(), np.zeros(len(x)), np.zeros(len(x))
    for _ in range(steps):
        for i in range(len(x)):
            z[i] = k * y[i] * y[i]
        for i in range(len(x)):
            w[i] = z[i] * z[i] - x[i] * y[i]
        for i in range(len(x)):
            y[i] += 0.1 * w[i] * w[i] * z[i]
    return np.sum(y)


def heads(x: np.ndarray, k: float, steps: int) -> float:
    """Some elements are written apart from the loop."""
    y, z, w = x.copy(), np.zeros(len(x)), np.zeros(len(x))
    for _ in range(steps):
        z[0] = k
        z[1] = x[1]
        for i in range(2, len(x)):
            z[i] = k * y[i] * y[i - 1]
        w[0] = k * x[0]
        for i in range(1, len(x)):
            w[i] = z[i] * z[i - 1] * y[i]
        for i in range(len(x)):
            y[i] += 0.1 * w[i] * w[i] * z[i]
    return np.sum(y)


def one_is_kept(x: np.ndarray, k: float, steps: int) -> float:
    """The first element of z is what it was in the iteration before, and counts."""
    y, z, w = x.copy(), np.ones(len(x)), np.zeros(len(x))
    for _ in range(steps):
        for i in range(1, len(x)):
            z[i] = k * y[i] * y[i]
        for i in range(len(x)):
            w[i] = z[i] * z[i] * y[i]
        for i in range(len(x)):
            y[i] += 0.1 * w[i] * w[i] * z[i]
        z[0] = y[2]
    return np.sum(y)


def read_first(x: np.ndarray, k: float, steps: int) -> float:
    """What z was in the iteration before is read before it is written."""
    y, z, w = x.copy(), np.ones(len(x)), np.zeros(len(x))
    for _ in range(steps):
        first = z[3]
        for i in range(len(x)):
            z[i] = k * y[i] * y[i] + 0.1 * first
        for i in range(len(x)):
            w[i] = z[i] * z[i] * y[i]
        for i in range(len(x)):
            y[i] += 0.01 * w[i] * w[i] * z[i] * first
    return np.sum(y)


def as_it_was(x: np.ndarray, k: float, steps: int) -> float:
    """A copy of z before it is written lives on."""
    y, z, w = x.copy(), np.ones(len(x)), np.zeros(len(x))
    for _ in range(steps):
        old = z.copy()
        for i in range(len(x)):
            z[i] = k * y[i] * y[i]
        for i in range(len(x)):
            w[i] = z[i] * z[i] * old[i]
        for i in range(len(x)):
            y[i] += 0.1 * w[i] * w[i] * z[i] * old[i]
    return np.sum(y)


def not_always(x: np.ndarray, k: float, steps: int) -> float:
    y, z, w = x.copy(), np.ones(len(x)), np.zeros(len(x))
    for _ in range(steps):
        for i in range(len(x)):
            if y[i] > 0.5:
                z[i] = k * y[i] * y[i]
        for i in range(len(x)):
            w[i] = z[i] * z[i] * y[i]
        for i in range(len(x)):
            y[i] += 0.1 * w[i] * w[i] * z[i]
    return np.sum(y)


def other_length(x: np.ndarray, k: float, steps: int) -> float:
    """The loops do not go to the end of the arrays."""
    y, z, w = x.copy(), np.ones(len(x)), np.zeros(len(x))
    n = len(x) - 1
    for _ in range(steps):
        for i in range(n):
            z[i] = k * y[i] * y[i]
        for i in range(n):
            w[i] = z[i] * z[i + 1] * y[i]
        for i in range(n):
            y[i] += 0.1 * w[i] * w[i] * z[i]
        z[4] = y[1]
    return np.sum(y)


PROGRAMS = [stages, heads, one_is_kept, read_first, as_it_was, not_always, other_length]


@pytest.mark.parametrize("f", PROGRAMS)
def test_gradients_agree_with_numpy_and_differences(f: Callable[..., Any]) -> None:
    expected = s2sad.grad(f, (0, 1))(X, 0.7, 4)
    for got, want in zip(s2sad.grad(f, (0, 1), backend="numba")(X, 0.7, 4), expected, strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-12)
    along = (f(X, 0.7 + 1e-6, 4) - f(X, 0.7 - 1e-6, 4)) / 2e-6
    np.testing.assert_allclose(expected[1], along, rtol=1e-7)


@pytest.mark.parametrize("f", [stages, heads])
def test_one_state_is_saved_for_all_stages(f: Callable[..., Any]) -> None:
    forward, reverse = s2sad.grad(f, backend="numba").source(X, 0.7, 4).split("# reverse sweep")
    assert "y_tape" in forward
    assert "z[i] = " in reverse
    assert "z_tape" not in forward


@pytest.mark.parametrize("f", [stages, heads])
def test_second_derivatives(f: Callable[..., Any]) -> None:
    expected = s2sad.hvp(f)(X, 0.7, 3, np.cos(X))
    np.testing.assert_allclose(
        s2sad.hvp(f, backend="numba")(X, 0.7, 3, np.cos(X)), expected, rtol=1e-11
    )
