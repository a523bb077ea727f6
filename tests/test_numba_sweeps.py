"""The loops of the two sweeps are joined where no iteration needs another; else they stay two."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import s2sad

pytest.importorskip("numba")

RNG = np.random.default_rng(3)
X = RNG.uniform(-1.0, 1.0, (7, 5))


def paths(x: np.ndarray, k: float) -> float:
    payoff = 0.0
    for i in range(x.shape[0]):
        price, mean = 1.0, 0.0
        for t in range(x.shape[1]):
            price *= math.exp(k * x[i, t])
            mean += price
        payoff += max(mean / 5.0 - 1.0, 0.0)
    return payoff


def scaled(x: np.ndarray, k: float) -> float:
    return math.exp(-k) * paths(x, k) / (1.0 + k)


def recurrences(x: np.ndarray, k: float) -> float:
    total, last = 0.0, 1.0
    for i in range(x.shape[0]):
        y = k
        for t in range(x.shape[1]):
            y = math.sin(y) + x[i, t] * y
        last = 0.5 * last + y * y  # the reverse has to wait for the last iteration
        total += last * last
    return total


def squared(x: np.ndarray, k: float) -> float:
    total = 0.0
    for i in range(x.shape[0]):
        y = k
        for t in range(x.shape[1]):
            y = math.sin(y) + x[i, t] * y
        total += y * y
    return total * total  # what the reverse starts from is not known before the end


def written(x: np.ndarray, k: float) -> float:
    x = x.copy()
    total = 0.0
    for i in range(x.shape[0]):
        y = k
        for t in range(x.shape[1]):
            y = math.cos(y) * x[i, t] + y
            x[i, t] = y * y
        total += y
    return total + np.sum(x)


def neighbours(x: np.ndarray, k: float) -> float:
    x = x.copy()
    total = 0.0
    for i in range(1, x.shape[0]):
        for t in range(x.shape[1]):
            x[i, t] = math.sin(x[i - 1, t] * k) + x[i, t]
            total += math.exp(x[i, t])
    return total


def left(x: np.ndarray, k: float) -> float:
    total = 0.0
    for i in range(x.shape[0]):
        y = k
        for t in range(x.shape[1]):
            y = math.sin(y) + x[i, t] * y
        total += y * y
        if total > 1e3:
            break
    return total


def chosen(x: np.ndarray, k: float) -> float:
    total = 0.0
    for i in range(x.shape[0]):
        y = 1.0
        for t in range(x.shape[1]):
            if x[i, t] > 0.0:
                y *= math.tanh(k * x[i, t]) + y
        total += y if y > 1.0 else k * y * y
    return total


def ragged(x: np.ndarray, k: float) -> float:
    total = 0.0
    for i in range(x.shape[0]):
        y = k
        for t in range(min(i, x.shape[1])):
            y = math.sin(y) * x[i, t] + y
        total += y * math.sqrt(1.0 + y * y)
    return total


JOINED = [paths, scaled]
APART = [recurrences, squared, left]
PROGRAMS = [*JOINED, *APART, written, neighbours, chosen, ragged]


@pytest.mark.parametrize("shape", [(7, 5), (0, 5), (5, 0), (1, 1), (3, 40)])
@pytest.mark.parametrize("f", PROGRAMS)
def test_values_and_derivatives_agree(f: Callable[..., Any], shape: tuple[int, int]) -> None:
    x = RNG.uniform(-1.0, 1.0, shape)
    value, expected = s2sad.value_and_grad(f, (0, 1))(x, 0.8)
    got_value, got = s2sad.value_and_grad(f, (0, 1), backend="numba")(x, 0.8)
    assert got_value == pytest.approx(value, rel=1e-14)
    for a, b in zip(got, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("f", JOINED)
def test_the_loops_of_both_sweeps_are_one(f: Callable[..., Any]) -> None:
    assert outer_loops(f) == 1


@pytest.mark.parametrize("f", APART)
def test_loops_that_need_more_than_their_iteration_stay_two(f: Callable[..., Any]) -> None:
    assert outer_loops(f) == 2


def test_a_recurrence_runs_once() -> None:
    text = text_of(paths)
    assert text.count("in_place(math.exp") == 1
    assert text.count("for t in range(") == 3  # arguments, forward, reverse


def test_a_tape_is_for_one_iteration() -> None:
    assert re.search(r"price_tape = np.empty\(\w+(\[1\])?\)", text_of(paths))


def outer_loops(f: Callable[..., Any]) -> int:
    return len(re.findall(r"^    for i in", text_of(f), re.M))


def text_of(f: Callable[..., Any]) -> str:
    return s2sad.grad(f, (0, 1), backend="numba").source(X, 0.8)
