"""Arrays that are only asked for their shape: not filled, and nothing else changes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import s2sad

pytest.importorskip("numba")

RNG = np.random.default_rng(13)
X = RNG.normal(size=7)
A = RNG.normal(size=(9, 6))


def filled(x):
    y = np.zeros(len(x))
    for i in range(len(x)):
        y[i] = x[i] * x[i]
    return np.sum(y)


def read_on_the_way(x):
    y = np.zeros(len(x))
    s = 0.0
    for i in range(1, len(x)):
        y[i] = y[i - 1] * 0.5 + x[i] ** 2
        s += y[i] * x[i]
    return s + np.sum(y)


def written_in_branches(x):
    y = np.ones((len(x), 2))
    for i in range(len(x)):
        if x[i] > 0.0:
            y[i, 0] = np.sin(x[i])
        else:
            y[i, 1] += x[i] ** 2
    y[0] = 3.0
    return np.sum(y)


def another_array_in_a_branch(x):
    y = np.zeros(len(x))
    if x[0] > 0.0:
        y = np.zeros(2 * len(x))
    for i in range(len(x)):
        y[i] = x[i] ** 2
    return np.sum(y)


def exchanged(x):
    y, z = np.zeros(len(x)), np.zeros(len(x))
    for i in range(len(x)):
        y, z = z, y
        y[i] = x[i] ** 3
        z[i] += x[i]
    return np.sum(y) + np.sum(z) * 2.0


def while_loops(x):
    y = np.zeros(len(x))
    k = 0
    while k < len(x) and x[k] < 1.0:
        y[k] += x[k] ** 2
        k += 1
    return np.sum(y)


def nested(x):
    y = np.zeros((len(x), len(x)))
    for i in range(len(x)):
        for j in range(i + 1):
            y[i, j] = x[i] * x[j]
    return np.sum(y)


PROGRAMS = [
    filled,
    read_on_the_way,
    written_in_branches,
    another_array_in_a_branch,
    exchanged,
    while_loops,
    nested,
]


def agree(f: Callable[..., Any], *args: Any) -> None:
    kept = [np.copy(a) for a in args]
    n = tuple(range(len(args)))
    expected, wanted = s2sad.value_and_grad(f, n)(*args)
    value, found = s2sad.value_and_grad(f, n, backend="numba")(*args)
    alone = s2sad.grad(f, n, backend="numba")(*args)
    np.testing.assert_allclose(value, expected, rtol=1e-11)
    for a, b, c in zip(found, wanted, alone, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-12)
        np.testing.assert_allclose(c, b, rtol=1e-10, atol=1e-12)
    for a, b in zip(args, kept, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("f", PROGRAMS)
def test_gradients_agree(f: Callable[..., Any]) -> None:
    for x in (X, -X, X[::-2], X[:1]):
        agree(f, x)


def test_loops_that_never_run() -> None:
    for f in (filled, exchanged, nested):
        agree(f, X[:0])


def test_the_loop_is_gone() -> None:
    text = s2sad.grad(filled, backend="numba").source(X)
    assert text.count("for ") == 1


def test_what_is_read_stays() -> None:
    assert "y[i]" in s2sad.value_and_grad(filled, backend="numba").source(X)


def test_what_raises_goes_on_raising() -> None:
    def f(x):
        y = np.zeros(len(x))
        for i in range(len(x)):
            if x[i] < 0.0:
                raise ValueError("negative")
            y[i] = x[i] * 2.0
        return np.sum(y)

    with pytest.raises(ValueError, match="negative"):
        s2sad.grad(f, backend="numba")(-np.abs(X))


def triangle(a):
    m = a.shape[1]
    c = np.zeros((m, m))
    for i in range(m):
        c[i:m, i] = c[i, i:m] = a[:, i] @ a[:, i:m] / 3.0
    return np.sum(c * c)


def sums_of_triangle(a):
    m = a.shape[1]
    c = np.zeros((m, m))
    for i in range(m):
        c[i:m, i] = c[i, i:m] = a[:, i] @ a[:, i:m]
    return np.sum(c)


@pytest.mark.parametrize("f", [triangle, sums_of_triangle])
def test_products_with_columns(f: Callable[..., Any]) -> None:
    for a in (A, A.T, A[:1], A[:, :1], A[::-2, ::2], A[:0], A[:, :0], np.asfortranarray(A)):
        agree(f, a)


def test_products_that_only_have_a_shape_are_not_computed() -> None:
    text = s2sad.grad(sums_of_triangle, backend="numba").source(A)
    assert "unbroadcast" not in text
    assert text.count(" @ ") == 3, "one in the line that is quoted, and one in either way to add"
