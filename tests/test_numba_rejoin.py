"""Loops that only record are joined with those that read the record; others keep their tapes."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import s2sad

pytest.importorskip("numba")

X = np.array([0.3, -1.2, 0.7, 2.0, 1.1])


def waves(x: np.ndarray, k: float) -> float:
    total = 0.0
    for i in range(1, len(x)):
        t = k * x[i]
        s, c = math.sin(t), math.cos(t)
        total += s * c * x[i - 1] ** 2 + math.exp(s)
    return total


def branches(x: np.ndarray, k: float) -> float:
    total = 0.0
    for i in range(len(x) - 1, -1, -1):
        if x[i] > 0.5:
            y = math.sqrt(k * x[i])
            total += y * math.sin(y) * math.exp(y)
        else:
            total += math.tanh(x[i]) * k * x[i]
    return total


def nearest(x: np.ndarray, k: float) -> float:
    total = 0.0
    for i in range(len(x)):
        least, found = np.inf, 0
        for j in range(len(x)):
            if j != i and abs(x[j] - k * x[i]) < least:
                least, found = abs(x[j] - k * x[i]), j
        total += math.exp(x[found]) * x[i] * x[i]
    return total


def carried(x: np.ndarray, k: float) -> float:
    y = 1.0
    for i in range(len(x)):
        y = math.sin(y * k) * x[i]
    return y


def written(x: np.ndarray, k: float) -> float:
    y = x * k
    total = 0.0
    for i in range(len(y)):
        total += math.sin(y[i]) * math.exp(y[i]) * math.sqrt(abs(y[i]))
    for i in range(len(y)):
        y[i] = y[i] * y[i] * k
    return total + np.sum(y)


PROGRAMS = [waves, branches, nearest, carried, written]


@pytest.mark.parametrize("f", PROGRAMS)
def test_gradients_agree_with_numpy(f: Callable[..., Any]) -> None:
    for transform in (s2sad.grad, s2sad.value_and_grad):
        expected = transform(f, (0, 1))(X, 1.3)
        got = transform(f, (0, 1), backend="numba")(X, 1.3)
        for a, b in zip(leaves(got), leaves(expected), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-12)


def leaves(out: Any) -> list[Any]:
    return [a for part in out for a in leaves(part)] if isinstance(out, tuple) else [out]


@pytest.mark.parametrize(
    ("f", "joined"),
    [(waves, True), (branches, True), (nearest, True), (carried, False), (written, False)],
)
def test_no_tape_where_nothing_else_came_of_the_loop(f: Callable[..., Any], joined: bool) -> None:
    assert ("tape" not in s2sad.grad(f, (0, 1), backend="numba").source(X, 1.3)) == joined


def test_a_value_that_is_asked_for_keeps_its_loop() -> None:
    assert "tape" in s2sad.value_and_grad(waves, backend="numba").source(X, 1.3)


def test_sines_that_are_at_hand_are_not_computed_again() -> None:
    lines = s2sad.grad(waves, backend="numba").source(X, 1.3).splitlines()
    for call in ("math.sin(", "math.cos("):
        assert sum(call in line and "#" not in line for line in lines) == 1
