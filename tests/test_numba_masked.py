"""What a mask chooses, computed with where it stands: the same numbers as by gathering."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import s2sad

pytest.importorskip("numba")

RNG = np.random.default_rng(11)
X, Y = RNG.normal(size=(2, 4, 5))
ROW, OTHER = RNG.normal(size=(2, 9))


def in_a_loop(x, y):
    z = x.copy()
    for _ in range(3):
        inside = z * z < 2.0
        z[inside] = z[inside] ** 2 + y[inside]
    return np.sum(z * x)


def of_complex_numbers(x, y):
    c = x + 1j * y
    z = np.zeros(c.shape, dtype=complex)
    for _ in range(4):
        inside = np.abs(z) <= 1.0
        z[inside] = z[inside] ** 2 + c[inside]
    return np.sum(np.abs(z) ** 2)


def added_to(x, y):
    z = x * y
    m = x > 0.2
    z[m] += 2.0 * x[m] * z[m]
    z[m] *= y[m]
    z[m] = 1.5
    z[~m] -= x[~m]
    return np.sum(z**2)


def old_and_new(x, y):
    z = x.copy()
    m = y > 0.0
    old = z[m]
    z[m] = old * y[m]
    z[m] += old
    return np.sum(z * z) + np.sum(old**3)


def two_masks(x, y):
    z = x.copy()
    m, k = x > 0.0, y > 0.0
    t = z[m]
    z[k] = y[k] * z[k]
    z[m] = t * z[m]
    return np.sum(z * x)


def the_mask_is_written(x, y):
    z = x.copy()
    m = x > 0.0
    t = z[m]
    z[m] = t * t
    m[0] = False
    z[m] = y[m] * z[m]
    return np.sum(z**2)


def dear_functions(x, y):
    z = x.copy()
    m = x > 0.3
    z[m] = np.log(z[m]) * np.sqrt(x[m]) / y[m]
    return np.sum(z**2)


def outside_the_loop(x, y):
    m = y > 0.1
    z = x.copy()
    for i in range(3):
        z[m] = z[m] * y[m] * (i + 1)
        if np.sum(z) > 4.0:
            break
    return np.sum(z**2)


def while_there_are_some(x, y):
    z = x.copy()
    n = 0
    while n < 5 and np.sum(z) < 20.0:
        m = z < 1.5
        z[m] = z[m] * z[m] + 0.5 * y[m] + 0.6
        n += 1
    return np.sum(z * y)


def nested(x, y):
    z = x.copy()
    for _ in range(2):
        for k in range(2):
            m = z > -0.5 * k
            z[m] = 0.5 * z[m] * z[m] - y[m]
    return np.sum(z**3)


def in_a_branch(x, y):
    z = x.copy()
    m = x > 0.0
    for i in range(3):
        if i == 1:
            z[m] = z[m] * y[m]
        else:
            m = z < 0.5
            z[m] = z[m] ** 2
    return np.sum(z * x)


def would_not_be_numbers(x, y):
    z = x.copy()
    m = np.abs(y) > 0.5
    z[m] = z[m] / np.where(np.abs(y) > 0.5, y, 0.0)[m]
    return np.sum(z**2)


def nothing_left_to_save(x, y):
    z = x.copy()
    m = x > 0.0
    w = 2.0 * y
    for _ in range(2):
        z[m] = y[m]
        z[m] = (z[m] + w[m]) - w[m]
    return np.sum(z * w)


def views(x, y):
    z = x.copy()
    part = z[1:, ::2]
    m = part > 0.0
    part[m] = part[m] * y[1:, ::2][m]
    return np.sum(z**2)


def rows_chosen(x, y):
    z = x.copy()
    m = x[:, 0] > 0.0
    z[m] = z[m] * y[m]
    return np.sum(z**2)


def whole_numbers(x, y):
    k = np.arange(x.size).reshape(x.shape)
    m = k % 3 > 0
    k[m] = 2 * k[m] - 1
    return np.sum(k * x * y)


PROGRAMS = [
    in_a_loop,
    of_complex_numbers,
    added_to,
    old_and_new,
    two_masks,
    the_mask_is_written,
    dear_functions,
    outside_the_loop,
    while_there_are_some,
    nested,
    in_a_branch,
    would_not_be_numbers,
    nothing_left_to_save,
    views,
    rows_chosen,
    whole_numbers,
]


def agree(f: Callable[..., Any], *args: Any) -> None:
    """For two arrays, and for two that are known to have one shape."""

    def of_one(both):
        return f(both[0], both[1])

    both = np.stack(args)
    for g, given in ((f, args), (of_one, (both,))):
        argnums = tuple(range(len(given)))
        value, found = s2sad.value_and_grad(g, argnums, backend="numba")(*given)
        expected, wanted = s2sad.value_and_grad(g, argnums)(*given)
        np.testing.assert_allclose(value, expected, rtol=1e-12)
        for a, b in zip(found, wanted, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-13)
    np.testing.assert_array_equal(both, np.stack(args))


@pytest.mark.parametrize("f", PROGRAMS)
def test_gradients_agree(f: Callable[..., Any]) -> None:
    agree(f, X, Y)


@pytest.mark.parametrize("f", [in_a_loop, added_to, old_and_new, outside_the_loop])
def test_vectors(f: Callable[..., Any]) -> None:
    agree(f, ROW, OTHER)


@pytest.mark.parametrize("f", [in_a_loop, of_complex_numbers, old_and_new])
def test_other_shapes_and_orders(f: Callable[..., Any]) -> None:
    for x, y in ((X[:0], Y[:0]), (X[:1, :1], Y[:1, :1]), (X[::-2, ::2], Y[1:3, :3]), (X.T, Y.T)):
        agree(f, x, y)
    agree(f, np.full((3, 2), 9.0), np.ones((3, 2)))
    agree(f, np.full((3, 2), 0.1), np.ones((3, 2)))


def test_what_is_not_chosen_may_be_no_number() -> None:
    x = X.copy()
    x[0, 1], x[2, 2] = np.nan, np.inf
    agree(in_a_loop, x, Y)


def test_masks_of_another_shape_raise_as_before() -> None:
    def wrong(x, y):
        z = x.copy()
        m = y > 0.0
        z[m] = z[m] * 2.0
        return np.sum(z)

    with pytest.raises(IndexError):
        s2sad.grad(wrong, backend="numba")(X, Y[:, :3])


def test_nothing_is_gathered() -> None:
    def f(both):
        return of_complex_numbers(both[0], both[1])

    text = s2sad.grad(f, backend="numba").source(np.stack([X, Y]))
    assert "true_places" not in text
    assert "unbroadcast" not in text
    assert text.count("_tape = []") == 2, "the mask and the array"


def test_forward_over_reverse() -> None:
    def f(both):
        return in_a_loop(both[0], both[1])

    both = np.stack([X, Y])
    found = s2sad.hvp(f, backend="numba")(both, both[::-1])
    np.testing.assert_allclose(found, s2sad.hvp(f)(both, both[::-1]), rtol=1e-11, atol=1e-12)
