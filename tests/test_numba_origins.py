"""Arrays whose lengths follow from what made them are gone through without asking how they fit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

pytest.importorskip("numba")

import s2sad

RNG = np.random.default_rng(3)


def normalised(x: np.ndarray, w: np.ndarray) -> float:
    n, m = x.shape[0] - 1, len(w) * 2
    out = np.empty((n, m, x.shape[1]))
    for i in range(n):
        for j in range(m):
            out[i, j] = x[i + 1] * w[j // 2]
    y = (out - np.mean(out, axis=0, keepdims=True)) / np.sqrt(1.0 + np.var(out, axis=0))
    return np.sum(y**3 * np.max(out, axis=(0, 2), keepdims=True))


def multiplied(x: np.ndarray, w: np.ndarray) -> float:
    n = len(x) // 2
    out = np.zeros((n, 2, x.shape[1]))
    for i in range(n):
        out[i, 0] = x[2 * i]
        out[i, 1] = x[2 * i + 1] * x[i]
    y = np.tanh(out @ w)
    return np.sum(y * (y - np.mean(y, axis=-1, keepdims=True)))


def of_two_lengths(x: np.ndarray, w: np.ndarray) -> float:
    """Two arrays that a loop makes have other lengths in each of its turns."""
    total, before = 0.0, np.ones(1)
    for k in range(len(x)):
        now = np.ones(1 + k % 2)
        now *= x[k, 0]
        total += np.sum(now * before * w[k % len(w)])
        before = np.ones(1 + (k + k // 2) % 2) * x[k, 1]
    return total


def grown(x: np.ndarray, w: np.ndarray) -> float:
    """What a loop carries is longer after it."""
    out = np.ones(1) * w[0]
    for k in range(len(x)):
        wider = np.ones(len(out) + 1)
        wider[1:] = out * x[k, 0]
        out = wider * w[0]
    return np.sum(out * np.sum(out, axis=0, keepdims=True))


def left_early(x: np.ndarray, w: np.ndarray) -> float:
    out = np.zeros((len(w) + 1, 2))
    for k in range(len(w)):
        if x[k % len(x), 0] > 1.0:
            break
        out[k] = w[k] * x[0, :1]
    return np.sum(out * out.mean(axis=1, keepdims=True))


def biased(x: np.ndarray, w: np.ndarray) -> float:
    """The cotangent of what a loop fills is that of its sum with a row, which is summed as well."""
    n = len(x) + 1
    out = np.empty((n, n, x.shape[1]))
    for i in range(n):
        for j in range(n):
            out[i, j] = x[i - 1] * x[j - 1] * w[(i + j) % len(w)]
    y = np.maximum(out + x[0], 0.1) ** 2
    return np.sum(y) + np.sum(y[0] * out[0])


PROGRAMS = [biased, normalised, multiplied, of_two_lengths, grown, left_early]
SHAPES = [((5, 3), (3, 2)), ((2, 1), (1, 1)), ((4, 4), (4, 4)), ((3, 2), (2, 1))]


@pytest.mark.parametrize("shapes", SHAPES)
@pytest.mark.parametrize("f", PROGRAMS, ids=lambda f: f.__name__)
def test_they_are_numpys(f: Callable[..., Any], shapes: tuple[Any, Any]) -> None:
    x = RNG.normal(size=(max(shapes[0][0], 2), max(shapes[0][1], 2)))
    w = RNG.normal(size=(x.shape[1], shapes[1][1])) if f is multiplied else RNG.normal(size=4)
    expected = s2sad.value_and_grad(f, (0, 1))(x, w)
    found = s2sad.value_and_grad(f, (0, 1), backend="numba")(x, w)
    np.testing.assert_allclose(found[0], expected[0], rtol=1e-11, atol=1e-13)
    for g, e in zip(found[1], expected[1], strict=True):
        np.testing.assert_allclose(g, e, rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("f", [biased, normalised, multiplied], ids=lambda f: f.__name__)
def test_nothing_asks_whether_they_fit(f: Callable[..., Any]) -> None:
    x = RNG.normal(size=(5, 3))
    w = RNG.normal(size=(3, 2)) if f is multiplied else RNG.normal(size=4)
    text = s2sad.grad(f, (0, 1), backend="numba").source(x, w)
    assert "could not be broadcast" not in text
    assert "unbroadcast" not in text
    assert "== 1" not in text
