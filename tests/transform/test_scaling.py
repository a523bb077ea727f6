"""Small factors first: what the reverse sweep multiplies and sums, and what it leaves alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import s2sad

X = np.array([0.3, -1.2, 0.7])
W = np.array([[0.5, -0.2, 1.0], [0.1, 0.9, -0.4]])


def scaled(c: float, x: np.ndarray) -> float:
    return np.sum(c * x * x)


def weighted(w: np.ndarray, y: np.ndarray) -> float:
    return np.sum(w * -0.5 * np.sum(y * y, axis=1))


def likelihood(x: np.ndarray, top: np.ndarray) -> float:
    return np.sum(np.log(np.sum(np.exp(x - top), axis=0)) + top)


def shifted(x: np.ndarray, b: np.ndarray, w: np.ndarray) -> float:
    return np.sum(((x - b) @ w.T) ** 2)


def stacked(x: np.ndarray, b: np.ndarray, w: np.ndarray) -> float:
    return np.sum(((x - b[:, None, :]) @ w.transpose(0, 2, 1)) ** 2)


def bells(b: np.ndarray, x: np.ndarray) -> float:
    y = x - b
    return np.sum(np.exp(-np.sum(y * y, axis=1)))


def rows_of_bells(b: np.ndarray, x: np.ndarray) -> float:
    y = x - b[:, None, :]
    return np.sum(np.exp(-np.sum(y * y, axis=2)))


Z = np.stack([W, 2.0 * W, W - 1.0])
CASES: list[tuple[Callable[..., Any], tuple[Any, ...], tuple[int, ...], str]] = [
    (scaled, (2.5, X), (0, 1), "x_bar = 2.0 * c * x"),
    (weighted, (W[:, 0], W), (0, 1), "y_bar = (-(t * w))[:, None] * y"),
    (likelihood, (W, X), (0, 1), "top_bar -= total_bar * total"),
    (shifted, (W, X, W), (1, 2), "b_bar = -(t_2.sum(axis=0) @ w)"),
    (bells, (X, W), (0,), "@ y"),
    (rows_of_bells, (W, W), (0,), "[:, None, :] @ y"),
    (stacked, (Z, Z[:, 0], Z), (1, 2), ".sum(axis=1, keepdims=True) @"),
]


@pytest.mark.parametrize(("f", "args", "wrt", "text"), CASES)
def test_small_factors_come_first(
    f: Callable[..., Any], args: tuple[Any, ...], wrt: tuple[int, ...], text: str
) -> None:
    df = s2sad.grad(f, wrt)
    assert text in df.source(*args)
    for n, slope in zip(wrt, df(*args), strict=True):
        a = args[n]
        step = 1e-6 * np.cos(np.arange(np.size(a))).reshape(np.shape(a))
        up, down = (f(*args[:n], a + s * step, *args[n + 1 :]) for s in (1.0, -1.0))
        along = np.sum(slope * step) / 1e-6
        np.testing.assert_allclose((up - down) / 2e-6, along, rtol=1e-6, atol=1e-9)


def test_the_users_own_products_stay_as_they_are() -> None:
    def f(c: float, x: np.ndarray) -> float:
        return np.sum(3.0 * (c * x))

    assert "3.0 * (c * x)" in s2sad.value_and_grad(f).source(2.5, X)
