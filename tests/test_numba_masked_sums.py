"""Sums, means and counts of what a mask chooses: the same numbers as by gathering."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import s2sad

pytest.importorskip("numba")

RNG = np.random.default_rng(12)
X, Y = RNG.normal(size=(2, 37))


def bins(x, y):
    top = y.max()
    found = np.zeros(5)
    for k in range(5):
        inside = np.logical_and(top * k / 5 <= y, y < top * (k + 1) / 5)
        values = x[inside]
        found[k] = values.mean()
    return np.sum(found * found)


def guarded(x, y):
    s = 0.0
    for k in range(4):
        m = (x > 0.4 * k) & (y < 2.0)
        v = x[m] * y[m]
        if v.size > 0:
            s += np.sum(v * v) / v.size
    return s


def guarded_else(x, y):
    s = 0.0
    for k in range(4):
        v = x[y > 0.9 * k]
        if len(v) > 1:
            s += v.mean()
        else:
            s += np.sum(v) * 2.0
    return s


def products(x, y):
    m = x > 0.3
    v = x[m]
    return np.dot(v, y[m]) / len(v) + v @ v + np.vdot(y[m], y[m])


def counts(x, y):
    m = ~(x < 0.0) | (y > 1.0)
    return np.sum(y[m]) / x[m].size + x[m].size * y[0]


def three_times(x, y):
    m = x > 0.0
    return np.sum(x[m]) * np.mean(y[m] ** 2) - np.sum(x[m] * y[m])


def the_mask_is_written(x, y):
    m = x > 0.0
    v = x[m]
    m[0] = not m[0]
    m[3] = False
    return np.sum(v * v) + np.mean(y[m])


def the_array_is_written(x, y):
    z = x * y
    m = z > -0.1
    v = z[m]
    z[1] = 100.0
    s = np.sum(v * v)
    z[m] = 0.0
    return s * len(v) + np.sum(z)


def the_choice_is_written(x, y):
    m = x > 0.1
    v = x[m]
    w = v
    v[0] = 7.0
    return np.sum(w) + np.mean(v)


def the_choice_is_read_again(x, y):
    m = x > 0.1
    v = x[m]
    s = np.sum(v)
    return s + v[0] * v[-1] + np.mean(y[m])


def the_choice_goes_on(x, y):
    m = x > 0.0
    v = y[m]
    for k in range(3):
        v = v * y[m] + k
    return np.sum(v) / v.size


def in_a_loop_inside(x, y):
    v = x[y > 0.0]
    s = 0.0
    for k in range(3):
        s += np.sum(v * k) * v.mean()
    return s


def the_array_in_the_mask_changes(x, y):
    z = x.copy()
    s = 0.0
    for k in range(3):
        v = z[z > 0.3 * k]
        s += v.mean()
        z = z * y
        z[k] = s
    return s + np.sum(z)


def written_back(x, y):
    z = x.copy()
    for _ in range(3):
        m = z < 1.0
        z[m] = z[m] - np.mean(z[m]) * y[m]
    return np.sum(z**2)


def leaves(x, y):
    s = 0.0
    for k in range(5):
        m = x > 0.3 * k
        if np.sum(y[m]) > 1.0:
            break
        s += np.sum(x[m] ** 2)
    return s


def one_mask_or_another(x, y):
    m = x > 0.0 if x[0] > 0.0 else y > 0.0
    return np.mean(x[m] * y[m])


def a_mask_of_an_own(x, y):
    m = np.zeros(len(x), dtype=bool)
    m[::3] = True
    return np.sum(np.abs(x[m])) * np.mean(y[m])


PROGRAMS = [
    bins,
    guarded,
    guarded_else,
    products,
    counts,
    three_times,
    the_mask_is_written,
    the_array_is_written,
    the_choice_is_written,
    the_choice_is_read_again,
    the_choice_goes_on,
    in_a_loop_inside,
    the_array_in_the_mask_changes,
    written_back,
    leaves,
    one_mask_or_another,
    a_mask_of_an_own,
]


def agree(f: Callable[..., Any], *args: Any) -> None:
    kept = [a.copy() for a in args]
    with np.errstate(all="ignore"):
        expected, wanted = s2sad.value_and_grad(f, (0, 1))(*args)
        value, found = s2sad.value_and_grad(f, (0, 1), backend="numba")(*args)
        alone = s2sad.grad(f, (0, 1), backend="numba")(*args)
    np.testing.assert_allclose(value, expected, rtol=1e-12)
    for a, b, c in zip(found, wanted, alone, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-11, atol=1e-12)
        np.testing.assert_allclose(c, b, rtol=1e-11, atol=1e-12)
    for a, b in zip(args, kept, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("f", PROGRAMS)
def test_gradients_agree(f: Callable[..., Any]) -> None:
    agree(f, X, Y)


@pytest.mark.parametrize("f", [products, guarded, the_array_is_written])
def test_views_and_one_array_twice(f: Callable[..., Any]) -> None:
    agree(f, X[::-2], Y[::2])
    both = np.stack([X, Y], axis=1)
    agree(f, both[:, 0], both[:, 1])
    agree(f, X, X)


def test_matrices() -> None:
    def f(x, y):
        m = x * y > 0.1
        return np.sum(x[m] ** 2) / np.size(y[m]) + np.mean(y[m])

    x, y = X[:36].reshape(4, 9), Y[:36].reshape(4, 9)
    agree(f, x, y)
    agree(f, x.T, y.T)
    agree(f, x[:, ::-2], y[:, :5])


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("f", [bins, guarded, guarded_else, three_times, counts])
def test_nothing_and_everything_chosen(f: Callable[..., Any]) -> None:
    agree(f, np.full(6, -9.0), np.full(6, 0.5))
    agree(f, np.full(6, 9.0), np.full(6, -0.5))
    agree(f, np.full(6, 9.0), np.full(6, 0.5))
    agree(f, np.ones(1), np.ones(1))


@pytest.mark.filterwarnings("ignore")
def test_a_mean_of_nothing_is_no_number() -> None:
    def f(x, y):
        return np.mean(x[x > 5.0]) + np.sum(y)

    value, (x_bar, _) = s2sad.value_and_grad(f, (0, 1), backend="numba")(X, Y)
    assert np.isnan(value)
    np.testing.assert_array_equal(x_bar, np.zeros_like(X))
    agree(f, X[:0], Y[:0])


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("f", [three_times, products, counts])
def test_what_is_not_chosen_may_be_no_number(f: Callable[..., Any]) -> None:
    x, y = np.abs(X) + 0.4, Y.copy()
    x[5], y[5] = -np.inf, np.nan
    x[7], y[7] = np.nan, np.inf
    agree(f, x, np.where(y > 1.0, 0.5, y))
    x[5] = np.inf
    agree(f, x, y)


@pytest.mark.parametrize("x, y", [(X, Y[:5]), (X[:5], Y), (X, Y[:1]), (X[:1], Y), (X, Y[:0])])
def test_masks_of_another_length_raise_as_in_numpy(x: Any, y: Any) -> None:
    def chosen(x, y):
        return np.sum(x[y > 0.0])

    def rows_chosen(x, y):
        return np.sum(np.outer(x, x)[y > 0.0] ** 2)

    def written(x, y):
        z = x * 2.0
        z[y > 0.0] = 1.0
        return np.sum(z * z)

    for f in (chosen, rows_chosen, written):
        for boundscheck in (True, False):
            with pytest.raises(IndexError):
                s2sad.grad(f, backend=s2sad.Numba(boundscheck=boundscheck))(x, y)


def test_nothing_is_gathered() -> None:
    text = s2sad.grad(bins, (0, 1), backend="numba").source(X, Y)
    assert "tape" not in text
    assert "bool" not in text
    assert "chosen(" in text


def test_few_elements_are_gathered_before_a_loop_reads_them() -> None:
    text = s2sad.grad(in_a_loop_inside, (0, 1), backend="numba").source(X, Y)
    assert "v = x[" in text


def test_second_derivatives() -> None:
    found = s2sad.hvp(lambda x: products(x, Y), backend="numba")(X, Y)
    np.testing.assert_allclose(found, s2sad.hvp(lambda x: products(x, Y))(X, Y), rtol=1e-12)
