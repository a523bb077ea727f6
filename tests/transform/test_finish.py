"""What is done for speed to a derivative before it is written out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import s2sad


def recurrent(W: Any, xs: Any) -> Any:
    h = np.zeros(len(W))
    loss = 0.0
    for x in xs:
        h = np.tanh(W @ h + x)
        loss += h @ h
    return loss


def two_products(W: Any, xs: Any) -> Any:
    h = np.ones(len(W))
    for x in xs:
        h = np.sin(W @ h) - np.cos(W @ x) * h
    return h @ h


def leaves_early(W: Any, xs: Any) -> Any:
    h = np.ones(len(W))
    for x in xs:
        if h @ h > 8.0:
            break
        h = h * np.exp(0.1 * (W @ x)) + 0.1 * x
    return h @ h


def while_small(W: Any, xs: Any) -> Any:
    h = xs[0]
    while h @ h < 20.0:
        h = h + np.tanh(W @ h)
    return np.sum(h**3)


def in_place(W: Any, xs: Any) -> Any:
    h = xs[0].copy()
    for x in xs:
        h[1:] += np.sin(W @ x)[1:] * h[:-1]
        h *= 1.01
    return h @ h


def nested(W: Any, xs: Any) -> Any:
    h = np.ones(len(W))
    for x in xs:
        for _ in range(2):
            h = np.tanh(W @ h + x)
    return h @ h


PROGRAMS = [recurrent, two_products, leaves_early, while_small, in_place, nested]


def _arguments(n: int = 4) -> tuple[Any, Any, Any]:
    rng = np.random.default_rng(5)
    return rng.normal(size=(3, 3)), rng.normal(size=(n, 3)), rng.normal(size=(3, 3))


@pytest.mark.parametrize("f", PROGRAMS, ids=lambda f: f.__name__)
def test_gradient_and_product_agree_with_differences(f: Callable[..., Any]) -> None:
    W, xs, v = _arguments()
    e = 1e-6
    slope = (f(W + e * v, xs) - f(W - e * v, xs)) / (2 * e)
    assert np.isclose(np.sum(s2sad.grad(f)(W, xs) * v), slope, rtol=1e-6)
    change = (s2sad.grad(f)(W + e * v, xs) - s2sad.grad(f)(W - e * v, xs)) / (2 * e)
    assert np.allclose(s2sad.hvp(f)(W, xs, v), change, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("f", [recurrent, two_products, nested], ids=lambda f: f.__name__)
def test_no_iteration_at_all(f: Callable[..., Any]) -> None:
    W, xs, v = _arguments(0)
    assert np.array_equal(s2sad.grad(f)(W, xs), np.zeros((3, 3)))
    assert np.array_equal(s2sad.hvp(f)(W, xs, v), np.zeros((3, 3)))


def test_outer_products_are_summed_by_one_product() -> None:
    W, xs, v = _arguments()
    assert "outer" not in s2sad.grad(recurrent).source(W, xs)
    assert "W_bar += np.array(" in s2sad.grad(recurrent).source(W, xs)
    assert "outer" not in s2sad.hvp(recurrent).source(W, xs, v)


def test_a_sum_the_user_writes_stays_his_own() -> None:
    def covariance(xs: Any) -> Any:
        total = np.zeros((3, 3))
        for x in xs:
            total += np.outer(x, x)
        return np.sum(total**2)

    _, xs, _ = _arguments()
    assert "total += np.outer(x, x)" in s2sad.grad(covariance).source(xs)


def test_a_loop_without_a_tape_needs_no_memory() -> None:
    def bilinear(W: Any, xs: Any) -> Any:
        y = 0.0
        for i in range(len(xs)):
            y += xs[i] @ (W @ xs[0])
        return y

    W, xs, _ = _arguments()
    assert "append" not in s2sad.grad(bilinear).source(W, xs)
    assert np.allclose(s2sad.grad(bilinear)(W, xs), np.outer(xs.sum(axis=0), xs[0]))


@pytest.mark.parametrize("f", PROGRAMS, ids=lambda f: f.__name__)
def test_a_loop_has_one_tape(f: Callable[..., Any]) -> None:
    W, xs, v = _arguments()
    assert "tape_dot" not in s2sad.hvp(f).source(W, xs, v)


def test_lists_of_the_user_stay_apart() -> None:
    def two_lists(x: Any) -> Any:
        a, b = [], []
        for k in range(3):
            a.append(x * k)
            b.append(np.sin(x))
        total = 0.0
        for k in range(3):
            total = total + np.sum(a[k] * b[k])
        return total

    text = s2sad.grad(two_lists).source(np.ones(2))
    assert "a.append(x * k)" in text
    x = np.array([0.3, 0.7])
    assert np.allclose(s2sad.grad(two_lists)(x), 3 * np.sin(x) + 3 * x * np.cos(x))


def test_a_common_factor_of_two_arrays_is_one_factor() -> None:
    def scaled(x: Any) -> Any:
        y = x.copy()
        y[1:] += 0.1 * x[1:] * x[:-1]
        return y

    x, v = np.array([0.3, 0.7, 2.0]), np.array([1.0, -2.0, 0.5])
    assert s2sad.jvp(scaled).source(x).count("0.1 * (") == 1
    expected = v + np.append(0.0, 0.1 * (v[1:] * x[:-1] + x[1:] * v[:-1]))
    assert np.allclose(s2sad.jvp(scaled, (x,), (v,))[1], expected)


def test_an_array_of_primal_tangent_and_adjoint_is_computed_once() -> None:
    def layer(x: Any) -> Any:
        return np.sum(np.tanh(x) ** 3)

    x = np.array([0.3, 0.7])
    assert s2sad.hvp(layer).source(x, x).count("1 - ") == 1


def test_what_nobody_reads_is_not_on_the_tape() -> None:
    def picked(x: Any, at: Any) -> Any:
        y = 1.0
        for i in at:
            y = y * np.sin(x[i])
        return y

    x, at = np.array([0.3, 0.7]), np.array([1, 0, 1])
    text = s2sad.hvp(picked).source(x, at, x)
    assert "tape_dot" not in text
    assert "0.0, " not in text
