"""Loops with sums inside go along strips where iterations depend on none of the others."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import s2sad

numba = pytest.importorskip("numba")

RNG = np.random.default_rng(21)


def drawn(*shape: int) -> np.ndarray:
    return RNG.uniform(0.5, 1.5, shape)


def variances(a: np.ndarray, w: int) -> float:
    total = 0.0
    for i in range(len(a) - w + 1):
        p = a[i : i + w]
        total += np.log(np.mean((p - np.mean(p)) ** 2) + 0.1)
    return total


def patches(a: np.ndarray, w: int) -> float:
    out = np.zeros_like(a)
    for i in range(a.shape[0] - w + 1):
        for j in range(a.shape[1] - w + 1):
            s = 0.0
            for k in range(w):
                for m in range(w):
                    s += a[i + k, j + m] * a[i + k, j + m]
            t = 0.3
            for k in range(w):
                for m in range(w):
                    t += (a[i + k, j + m] - 0.1 * s) ** 3
            out[i, j] = s / (1.0 + t * t)
    return np.sum(out * out)


def scattered(a: np.ndarray, w: int) -> float:
    out = np.zeros(len(a))
    for i in range(len(a) - w + 1):
        s = 0.0
        for k in range(w):
            s += a[i + k] * a[k]
        for k in range(w):
            out[i + k] += s * a[i + k]
    return np.sum(out * out)


def recurrence(a: np.ndarray, w: int) -> float:
    out = np.zeros(len(a))
    for i in range(1, len(a) - w + 1):
        s = 0.0
        for k in range(w):
            s += a[i + k] * out[i - 1]
        out[i] = a[i] + 0.1 * s
    return np.sum(out * out)


def sometimes(a: np.ndarray, w: int) -> float:
    out = np.zeros(len(a))
    for i in range(len(a) - w + 1):
        s = 0.0
        for k in range(w):
            if a[i + k] > 1.0:
                s += a[i + k]
        out[i] = s * s if s > 0.5 else s
    return np.sum(out * out)


def until(a: np.ndarray, w: int) -> float:
    out = np.zeros(len(a))
    for i in range(len(a) - w + 1):
        s = 0.0
        for k in range(w):
            s += a[i + k] ** 2
        if s > 2.0:
            break
        out[i] = s
    return np.sum(out * out)


def triangular(a: np.ndarray, w: int) -> float:
    out = np.zeros(len(a))
    for i in range(len(a)):
        s = 0.0
        for k in range(min(i, w)):
            s += a[i - k] * a[k]
        out[i] = s
    return np.sum(out * out)


def beforehand(a: np.ndarray, w: int) -> float:
    out = np.zeros(len(a))
    for i in range(len(a) - w + 1):
        s = a[i] * i
        for k in range(w):
            s += a[i + k] * np.exp(-0.1 * a[k])
        r = np.sqrt(s * s + 1.0)
        for k in range(w):
            s += a[i + k] / r
        out[i] = s * np.exp(-r)
    return np.sum(out * out)


FUNCTIONS = [
    variances,
    scattered,
    recurrence,
    sometimes,
    until,
    triangular,
    beforehand,
]


def source(f: Callable[..., Any], *args: Any) -> str:
    return s2sad.grad(f, backend="numba").source(*args)


@pytest.mark.parametrize("f", FUNCTIONS, ids=lambda f: f.__name__)
@pytest.mark.parametrize("n", [0, 3, 4, 66, 67, 68, 131])
def test_strips_of_any_length(f: Callable[..., Any], n: int) -> None:
    """With windows of four, 67 elements are one whole strip."""
    for transform in (s2sad.grad, s2sad.value_and_grad):
        a = drawn(n)
        want, got = transform(f)(a, 4), transform(f, backend="numba")(a, 4)
        if transform is s2sad.value_and_grad:
            np.testing.assert_allclose(got[0], want[0], rtol=1e-12)
            want, got = want[1], got[1]
        np.testing.assert_allclose(got, want, rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("shape", [(5, 4), (3, 3), (2, 9), (6, 70), (5, 131)])
def test_strips_of_images(shape: tuple[int, int]) -> None:
    a = drawn(*shape)
    for given in (a, a[::-1, ::-1], np.asfortranarray(a), np.repeat(a, 2, 1)[:, ::2]):
        want = s2sad.grad(patches)(given, 3)
        got = s2sad.grad(patches, backend="numba")(given, 3)
        np.testing.assert_allclose(got, want, rtol=1e-11, atol=1e-12)


@pytest.mark.filterwarnings("ignore")
def test_what_is_not_finite_stays_in_its_windows() -> None:
    a = drawn(80)
    a[7], a[66] = np.nan, np.inf
    for f in (variances, scattered, beforehand):
        want, got = s2sad.grad(f)(a, 4), s2sad.grad(f, backend="numba")(a, 4)
        np.testing.assert_array_equal(np.isnan(got), np.isnan(want))


def test_sums_are_kept_in_rows() -> None:
    text = source(variances, drawn(9), 3)
    lines = [line.strip() for line in text.splitlines()]
    assert "for i0 in range(0, t + 1, 64):" in lines
    assert "count = min(t + 1 - i0, 64)" in lines
    assert "row = np.empty(64)" in lines
    assert lines.count("for i in range(count):") >= 4


@pytest.mark.parametrize("f", [recurrence, until], ids=lambda f: f.__name__)
def test_iterations_that_need_others_stay(f: Callable[..., Any]) -> None:
    assert "np.empty(64)" not in source(f, drawn(9), 3)


def test_columns_stay() -> None:
    def columns(a: np.ndarray) -> float:
        out = np.zeros(len(a))
        for i in range(len(a)):
            s = 0.0
            for k in range(a.shape[1]):
                s += a[i, k] ** 2
            out[i] = s * s
        return np.sum(out)

    assert "np.empty(64)" not in source(columns, drawn(4, 3))
