"""Products of columns with those after them: one product of matrices, the same numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import s2sad

pytest.importorskip("numba")

RNG = np.random.default_rng(14)
A, B = RNG.normal(size=(2, 9, 6))


def columns(a, b):
    m = a.shape[1]
    c = np.zeros((m, m))
    for i in range(m):
        c[i:m, i] = c[i, i:m] = a[:, i] @ a[:, i:m] / 3.0
    return np.sum(c * c) + np.sum(b)


def after_the_column(a, b):
    m = a.shape[1]
    c = np.eye(m)
    for i in range(m - 1):
        c[i + 1 : m, i] = c[i, i + 1 : m] = a[:, i] @ a[:, i + 1 : m]
    return np.sum(c**3) + b[0, 0]


def two_after(a, b):
    m = a.shape[1]
    c = np.eye(m)
    for i in range(m - 2):
        c[i, i + 2 :] += np.sin(a[:, i] @ b[:, i + 2 :])
    return np.sum(c * c)


def rows(a, b):
    m = len(a)
    c = np.zeros((m, m))
    for i in range(m):
        c[i, i:] = a[i:] @ b[i]
    return np.sum(c * c)


def rows_of_one(a, b):
    m = len(a)
    c = np.zeros((m, m))
    for i in range(m):
        c[i, i:] = a[i:] @ a[i]
        c[i, i:] *= b[i, 0]
    return np.sum(c * c)


def downwards(a, b):
    m = a.shape[1]
    c = np.zeros((m, m))
    for i in range(m - 1, -1, -1):
        c[i, i:] = a[:, i] @ b[:, i:]
    return np.sum(c * c)


def added_elsewhere_as_well(a, b):
    m = a.shape[1]
    c = np.zeros((m, m))
    for i in range(m):
        c[i, i:] = a[:, i] @ a[:, i:] * a[0, i]
    return np.sum(c * c) + np.sum(b)


def written_in_the_loop(a, b):
    x = a.copy()
    m = x.shape[1]
    c = np.zeros((m, m))
    for i in range(m):
        c[i, i:] = x[:, i] @ x[:, i:]
        x[:, i] = x[:, i] * 0.5 + b[:, i]
    return np.sum(c * c) + np.sum(x)


def narrow(a, b):
    m = a.shape[1]
    c = np.zeros((m, m))
    for i in range(m):
        c[i, i : i + 2] = a[:, i] @ b[:, i : i + 2]
    return np.sum(c * c)


def half_the_way(a, b):
    m = a.shape[1]
    c = np.zeros((m, m))
    for i in range(m // 2):
        c[i, i:] = a[:, i] @ b[:, i:]
    return np.sum(c * c)


def leaves(a, b):
    m = a.shape[1]
    c = np.zeros((m, m))
    for i in range(m):
        c[i, i:] = a[:, i] @ b[:, i:]
        if c[i, i] < -1.0:
            break
    return np.sum(c * c)


def twice(a, b):
    m = a.shape[1]
    c = np.zeros((m, m))
    for k in range(2):
        for i in range(m):
            c[i, i:] += a[:, i] @ b[:, i:] * (k + 1)
    return np.sum(c * c)


PROGRAMS = [
    columns,
    after_the_column,
    two_after,
    rows,
    rows_of_one,
    downwards,
    added_elsewhere_as_well,
    written_in_the_loop,
    narrow,
    half_the_way,
    leaves,
    twice,
]
MULTIPLIED = [columns, after_the_column, two_after, rows, rows_of_one, downwards]


def agree(f: Callable[..., Any], *args: Any, rtol: float = 1e-10) -> None:
    kept = [np.copy(a) for a in args]
    with np.errstate(all="ignore"):
        _, wanted = s2sad.value_and_grad(f, (0, 1))(*args)
        _, found = s2sad.value_and_grad(f, (0, 1), backend="numba")(*args)
        alone = s2sad.grad(f, (0, 1), backend="numba")(*args)
    for a, b, c in zip(found, wanted, alone, strict=True):
        np.testing.assert_allclose(a, b, rtol=rtol, atol=1e-11)
        np.testing.assert_allclose(c, b, rtol=rtol, atol=1e-11)
    for a, b in zip(args, kept, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("f", PROGRAMS)
def test_gradients_agree(f: Callable[..., Any]) -> None:
    agree(f, A, B)


@pytest.mark.parametrize("f", [columns, two_after, rows_of_one])
def test_other_shapes_and_orders(f: Callable[..., Any]) -> None:
    agree(f, A.T, B.T)
    agree(f, A[::-2, ::2], B[1:6, 3:])
    agree(f, np.asfortranarray(A), B)
    agree(f, A, A)


@pytest.mark.parametrize("f", [columns, two_after, rows])
def test_few_or_no_columns(f: Callable[..., Any]) -> None:
    for shape in ((1, 6), (9, 1), (1, 1), (0, 6), (9, 0), (9, 2)):
        agree(f, np.ones(shape) * 2.0, np.ones(shape) * 3.0)


@pytest.mark.parametrize("f", MULTIPLIED)
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_stays_where_it_is(f: Callable[..., Any], bad: float) -> None:
    for at in ((3, 4), (0, 0), (8, 5)):
        a = A.copy()
        a[at] = bad
        agree(f, a, B)
        agree(f, B, a)


@pytest.mark.parametrize("f", MULTIPLIED)
def test_there_is_one_product(f: Callable[..., Any]) -> None:
    text = s2sad.grad(f, (0, 1), backend="numba").source(A, B)
    assert "products = np.zeros(" in text
    assert "== 0.0:" in text


def test_narrow_and_short_ones_stay_as_they_are() -> None:
    for f in (narrow, half_the_way, leaves, twice, written_in_the_loop, added_elsewhere_as_well):
        text = s2sad.grad(f, (0, 1), backend="numba").source(A, B)
        assert "products" not in text, f.__name__


def test_no_matrix_is_made_that_is_larger_than_all_others() -> None:
    def f(a):
        s = 0.0
        for i in range(a.shape[1]):
            s += np.sum(a[:, i] @ a[:, i:])
        return s

    found = s2sad.grad(f, backend="numba")
    assert "products" not in found.source(A)
    np.testing.assert_allclose(found(A), s2sad.grad(f)(A), rtol=1e-12)


@pytest.mark.parametrize("f", [columns, rows_of_one])
def test_second_derivatives(f: Callable[..., Any]) -> None:
    def of_one(a):
        return f(a, B)

    found = s2sad.hvp(of_one, backend="numba")(A, B)
    np.testing.assert_allclose(found, s2sad.hvp(of_one)(A, B), rtol=1e-10, atol=1e-10)
