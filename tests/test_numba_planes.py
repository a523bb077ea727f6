"""Planes of arrays that are written with the help of the planes next to them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import s2sad
from tests.test_numba_clearing import agree

pytest.importorskip("numba")

RNG = np.random.default_rng(4)


def drawn(*shape: int) -> np.ndarray:
    return RNG.uniform(0.5, 1.5, shape)


def eliminated(w, u):
    c = np.zeros_like(u)
    d = np.zeros_like(u)
    nz = u.shape[2]
    for k in range(nz):
        if k == 0:
            b = 2.0 + w[:, :, 0]
            c[:, :, 0] = w[:, :, 0] / b
            d[:, :, 0] = u[:, :, 0] / b
        else:
            b = 2.0 + w[:, :, k] - w[:, :, k - 1] * c[:, :, k - 1]
            c[:, :, k] = w[:, :, k] / b
            d[:, :, k] = (u[:, :, k] - w[:, :, k - 1] * d[:, :, k - 1]) / b
    x = d[:, :, nz - 1]
    total = np.sum(x * x)
    for k in range(nz - 2, -1, -1):
        x = d[:, :, k] - c[:, :, k] * x
        total += np.sum(x * x)
    return total


def around_the_end(a):
    a = a.copy()
    for k in range(a.shape[1]):
        a[:, k] = 0.5 * a[:, k - 1] * a[:, k]
        a[:, k - 1] += 0.3 * a[:, k]
    return np.sum(a * a)


def last_and_last_but_one(a):
    a = a.copy()
    a[:, -1] = a[:, -2] * a[:, 0]
    a[:, -2] += 0.5 * a[:, -1]
    a[:, 0] *= a[:, -2]
    return np.sum(a * a)


def neighbours_one_off(a):
    a = a.copy()
    for k in range(1, a.shape[1]):
        a[1:, k] = a[:-1, k - 1] * a[1:, k]
        a[:-1, k - 1] += a[1:, k]
        a[1:, k] -= 0.2 * a[:-1, k - 1]
    return np.sum(a * a)


def downwards(a, b):
    a = a.copy()
    for k in range(a.shape[0] - 1, -1, -1):
        if k != 0:
            a[k] = a[k - 1] * b[k] + a[k]
            a[k - 1] -= 0.3 * a[k] * b[k - 1]
        else:
            a[0] *= b[0]
    return np.sum(a * a)


def rows_by_columns(a, b):
    a = a.copy()
    for k in range(2):
        a[k + 1] = a[k] * b[:, 0]
        a[k] += a[k + 1] * b[:, k]
    return np.sum(a * b)


def given_places(a, i, j):
    a = a.copy()
    a[:, i] = 2.0 * a[:, j]
    a[:, j] += a[:, i] * a[:, 0]
    return np.sum(a * a)


@pytest.mark.parametrize("shape", [(3, 4, 5), (2, 3, 1), (1, 1, 2), (0, 3, 2)])
def test_columns_of_equations(shape: tuple[int, ...]) -> None:
    agree(eliminated, drawn(*shape), drawn(*shape))


def test_columns_of_equations_are_one_loop_a_step() -> None:
    text = agree(eliminated, drawn(3, 4, 5), drawn(3, 4, 5))
    reverse = text.split("# reverse sweep")[1]
    assert reverse.count("    for k in range(") == 2
    assert "np.copy(" not in text
    # One loop over planes in each branch, one each for what comes before and after.
    assert reverse.count("for j in range(") == 4
    with pytest.raises(ValueError, match="broadcast"):
        s2sad.grad(eliminated, (0, 1), backend="numba")(drawn(3, 4, 5), drawn(3, 5, 5))


@pytest.mark.parametrize("f", [around_the_end, last_and_last_but_one, neighbours_one_off])
@pytest.mark.parametrize("n", [2, 3, 5])
def test_places_that_may_be_the_same(f: Callable[..., float], n: int) -> None:
    agree(f, drawn(4, n))
    agree(f, drawn(8, 2 * n)[::-2, ::2])


def test_one_column_is_its_own_neighbour() -> None:
    agree(around_the_end, drawn(3, 1))


def test_loops_that_count_down() -> None:
    agree(downwards, drawn(4, 3), drawn(4, 3))
    agree(downwards, drawn(1, 3), drawn(1, 3))
    agree(rows_by_columns, drawn(3, 3), drawn(3, 3))


@pytest.mark.parametrize("i, j", [(0, 0), (1, -3), (2, 1), (-1, 2), (0, 3)])
def test_places_that_are_given(i: int, j: int) -> None:
    a = drawn(3, 4)
    expected = s2sad.value_and_grad(given_places)(a, i, j)
    found = s2sad.value_and_grad(given_places, backend="numba")(a, i, j)
    np.testing.assert_allclose(found[0], expected[0], rtol=1e-13)
    np.testing.assert_allclose(found[1], expected[1], rtol=1e-12)


def views_out_of_branches(x, y):
    y = y.copy()
    total = 0.0
    for i in range(3):
        if i > 0:
            total += np.sum(np.minimum(y[:, 1], x[:, i]))
    for i in range(3):
        y[i, :] *= 0.4
        total += np.sum(y[i, :] * x[:, 0])
    return total


def test_views_that_a_branch_keeps_are_copied() -> None:
    agree(views_out_of_branches, drawn(3, 3), drawn(3, 3))


def column_scaled_in_two_loops(x, y):
    x = x.copy()
    for i in range(2):
        for _ in range(len(y) - 1, -1, -1):
            x[:, 1] *= 0.4 * y[:, i]
    return np.sum(x)


def test_columns_kept_in_nested_loops_that_count_down() -> None:
    agree(column_scaled_in_two_loops, drawn(3, 3), drawn(3, 3))


def first_plane_apart(x, n):
    x = x.copy()
    for k in range(n):
        if k == 0:
            x[:, 0] *= x[:, 1]
        else:
            x[:, k] = np.sin(x[:, k - 1]) * x[:, k]
    return np.sum(x * x)


def test_planes_that_no_later_iteration_writes_are_read_again() -> None:
    x = drawn(3, 4)
    text = str(s2sad.grad(first_plane_apart).source(x, 4))
    assert "np.cos(x_2[:, k - 1])" in text
    for backend in (None, "numba"):
        f = s2sad.grad(first_plane_apart, backend=backend)
        np.testing.assert_allclose(f(x, 4), s2sad.tape.grad(first_plane_apart)(x, 4), rtol=1e-12)


def ring(x: Any) -> Any:
    x = x.copy()
    for k in range(3):
        if k == 0:
            x[:, 0] = x[:, 2] * x[:, 1]
        x[:, 2] = x[:, 0] * x[:, 1]
    return np.sum(x * x)


def test_a_condition_rules_out_later_iterations_only() -> None:
    agree(ring, drawn(3, 3))
