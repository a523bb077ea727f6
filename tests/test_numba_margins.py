"""Zeros that each iteration writes the same elements of are made before the loop."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import numpy as np
import pytest

import s2sad

pytest.importorskip("numba")

RNG = np.random.default_rng(11)


def inner_points(a, steps):
    total = 0.0
    for _ in range(steps):
        t = np.zeros(len(a) + 2)
        for i in range(len(a)):
            t[i + 1] = a[i] * a[i] + total
        for i in range(len(a)):
            total += (t[i] - 2.0 * t[i + 2]) * 0.1
    return total


def fewer_each_time(a, steps):
    total = 0.0
    for k in range(steps):
        t = np.zeros(len(a))
        for i in range(len(a) - k):
            t[i] = a[i] * a[i] + total
        for i in range(len(a)):
            total += t[i] * 0.1
    return total


def one_more_each_time(a, steps):
    total = 0.0
    for k in range(steps):
        t = np.zeros(len(a))
        for i in range(1):
            t[k] = a[k] * 2.0
        for i in range(len(a)):
            total += 0.5 * t[i]
    return total


def read_while_written(a, steps):
    total = 0.0
    for _ in range(steps):
        t = np.zeros(len(a) + 1)
        for i in range(len(a)):
            t[i] = a[i] * 1.5 + t[i + 1]
            for j in range(len(a)):
                total += 0.5 * t[j]
    return total


def read_row_by_row(a, steps):
    total = 0.0
    for _ in range(steps):
        t = np.zeros((len(a), 3))
        for i in range(len(a)):
            for j in range(3):
                t[i, j] = a[i] * (j + 1.0)
            for k in range(len(a)):
                total += 0.5 * t[k, 1]
    return total


def written_sometimes(a, steps):
    total = 0.0
    for k in range(steps):
        t = np.zeros(len(a))
        for i in range(len(a)):
            if a[i] > 0.1 * k:
                t[i] = a[i] * a[i]
        for i in range(len(a)):
            total += t[i] * 0.5
    return total


def added_to(a, steps):
    total = 0.0
    for _ in range(steps):
        t = np.zeros(len(a))
        for i in range(len(a)):
            t[i] += a[i] * a[i]
        for i in range(len(a)):
            total += t[i] * 0.5
    return total


def kept(a, steps):
    rows = np.zeros((steps, len(a)))
    last = np.zeros(len(a))
    for k in range(steps):
        t = np.zeros(len(a))
        for i in range(1, len(a)):
            t[i] = a[i] * a[i - 1] + last[i]
        rows[k] = t * t
        last = t
    return np.sum(rows) + np.sum(last)


def left_early(a, steps):
    total = 0.0
    for k in range(steps):
        t = np.zeros(len(a))
        for i in range(len(a)):
            t[i] = a[i] * (k + 1.0)
            if a[i] > 0.9:
                break
        for i in range(len(a)):
            total += t[i] * 0.5
        if total > 50.0:
            break
    return total


ALL = [
    inner_points,
    fewer_each_time,
    one_more_each_time,
    read_while_written,
    read_row_by_row,
    written_sometimes,
    added_to,
    kept,
    left_early,
]


@pytest.mark.parametrize("f", ALL)
@pytest.mark.parametrize("n", [0, 1, 2, 5])
def test_agrees_with_numpy(f: Callable[..., float], n: int) -> None:
    a = RNG.uniform(0.2, 1.2, n)
    for steps in (0, 1, 4):
        if f is one_more_each_time and steps > n:
            continue
        for g, args in ((f, (a, steps)), (scaled(f), (1.5, a, steps))):
            expected = s2sad.value_and_grad(g)(*args)
            found = s2sad.value_and_grad(g, backend="numba")(*args)
            np.testing.assert_allclose(found[0], expected[0], rtol=1e-13)
            np.testing.assert_allclose(found[1], expected[1], rtol=1e-13, atol=1e-14)


def scaled(f: Callable[..., float]) -> Callable[..., float]:
    """A function whose derivative by its first argument takes but the value of ``f``."""

    def g(by, a, steps):
        return f(a, steps) * by

    return g


def zeros_in_loops(f: Callable[..., float]) -> list[bool]:
    """Of the arrays of zeros that a function needs, whether a loop makes them."""
    text = str(s2sad.value_and_grad(scaled(f), backend="numba").source(1.0, np.ones(4), 3))
    made = [line for line in text.splitlines() if "np.zeros" in line]
    return [line.startswith("        ") for line in made]


@pytest.mark.parametrize("f", [inner_points])
def test_zeros_are_made_once(f: Callable[..., float]) -> None:
    made = zeros_in_loops(f)
    assert made
    assert not any(made)


@pytest.mark.parametrize("f", [f for f in ALL if f is not inner_points])
def test_zeros_that_are_written_otherwise_are_made_anew(f: Callable[..., float]) -> None:
    assert any(zeros_in_loops(f))


def sized(a, n, steps):
    total = 0.0
    for _ in range(steps):
        t = np.zeros(n)
        for i in range(n):
            t[i] = a[0] * a[0]
        for i in range(n):
            total += t[i] * t[i]
    return total


def test_lengths_below_0_only_matter_where_the_loop_is_run() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        value, slope = s2sad.value_and_grad(sized, backend="numba")(np.ones(2), -1, 0)
    assert value == 0.0
    np.testing.assert_array_equal(slope, np.zeros(2))


def swept(a, sweeps, steps):
    a = a.copy()
    for _ in range(steps):
        for _ in range(sweeps):
            a[1:-1] = 0.3 * (a[:-2] + a[1:-1] * a[1:-1] + a[2:])
        a *= 1.1
    return np.sum(a * a)


@pytest.mark.parametrize("sweeps", [0, 1, 3])
def test_loops_in_loops(sweeps: int) -> None:
    a = RNG.uniform(0.2, 1.2, 7)
    compiled = s2sad.grad(swept, backend="numba")
    np.testing.assert_allclose(compiled(a, sweeps, 3), s2sad.grad(swept)(a, sweeps, 3), rtol=1e-13)
    reverse = str(compiled.source(a, sweeps, 3)).split("# reverse sweep")[1]
    assert "\n    padded = np.zeros(" in reverse
