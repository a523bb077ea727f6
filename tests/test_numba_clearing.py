"""Parts of arrays that are written anew with the help of what they were."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import s2sad

pytest.importorskip("numba")

RNG = np.random.default_rng(3)


def shortest(path):
    path = path.copy()
    for k in range(len(path)):
        path[:] = np.minimum(path, np.add.outer(path[:, k], path[k, :]))
    return np.sum(path * path)


def crossed(a):
    a = a.copy()
    for k in range(len(a)):
        a[:] = 0.5 * a + a[k] * a[:, k : k + 1]
    return np.sum(np.sin(a))


def rows_above(a):
    a = a.copy()
    for k in range(len(a) - 1):
        a[k + 1 :] -= a[k + 1 :, :1] * a[k]
    return np.sum(a**2)


def backwards(a):
    a = a.copy()
    for k in range(len(a)):
        a[:] = a[::-1] * a[k]
    return np.sum(a)


def row_read_after(a):
    a = a.copy()
    row = a[0]
    a[:] = a + row * a[:, :1]
    return np.sum(row * a[-1])


def smaller_and_larger(a, b):
    a = a.copy()
    for k in range(2):
        low, high = np.minimum(a, b), np.maximum(a, b)
        a[:] = low * low - 0.3 * high
    return np.sum(a)


def part_of_a_part(a):
    a = a.copy()
    for k in range(2):
        a[1:, 1:] = np.maximum(a[1:, 1:], a[k, 1:] + a[1:, k, None])
        a[1:, :-1] += 0.5 * a[1:, 1:]
    return np.sum(a * a)


def until_large(a):
    a = a.copy()
    for k in range(len(a)):
        a[:] = np.minimum(a, a[k] + 1.0) + 0.1
        if a[0, 0] > 1.2:
            break
    return np.sum(a * a)


def agree(f: Callable[..., Any], *args: Any) -> str:
    places = tuple(range(len(args)))
    value, expected = s2sad.value_and_grad(f, places)(*args)
    compiled = s2sad.value_and_grad(f, places, backend="numba")
    found_value, found = compiled(*args)
    np.testing.assert_allclose(found_value, value, rtol=1e-13)
    for x, y in zip(expected, found, strict=True):
        np.testing.assert_allclose(y, x, rtol=1e-12, atol=1e-13)
    return str(compiled.source(*args))


SQUARES = [shortest, crossed, rows_above, backwards, row_read_after, part_of_a_part, until_large]


@pytest.mark.parametrize("f", SQUARES)
@pytest.mark.parametrize("n", [2, 5])
def test_squares(f: Callable[..., float], n: int) -> None:
    agree(f, RNG.uniform(0.2, 1.5, (n, n)))


@pytest.mark.parametrize("f", SQUARES)
def test_other_memory(f: Callable[..., float]) -> None:
    a = RNG.uniform(0.2, 1.5, (8, 8))
    agree(f, a[::2, ::2])
    agree(f, np.asfortranarray(a[:4, :4]))


@pytest.mark.parametrize("f", [shortest, crossed, rows_above, backwards, until_large])
def test_one_element_and_none(f: Callable[..., float]) -> None:
    agree(f, np.array([[0.7]]))
    if f is not until_large:
        agree(f, np.zeros((0, 0)))


def test_ties_and_nan() -> None:
    agree(shortest, np.ones((4, 4)))
    agree(shortest, np.array([[0.0, 1.0, 2.0], [1.0, 0.0, 1.0], [2.0, 1.0, 0.0]]))
    holes = np.array([[0.0, 1.0, np.nan], [1.0, 0.5, 1.0], [2.0, np.inf, 0.0]])
    agree(shortest, holes)
    agree(smaller_and_larger, holes, holes.T.copy())
    agree(smaller_and_larger, holes, holes)


def test_minimum_in_place_is_one_loop_each_way() -> None:
    text = agree(shortest, RNG.uniform(0.2, 1.5, (3, 3)))
    assert "np.copy(" not in text
    assert "= np.sum(" not in text
    forward, reverse = text.split("# reverse sweep")
    # What is kept are two comparisons; the sums along both axes need no array of all terms.
    assert forward.count('np.empty((n, n), dtype="bool")') == 2
    assert "np.empty((n, n))" not in forward
    assert reverse.count("np.empty((n, n))") == 1


def cleared_by_the_program(a, b):
    a = a * 1.0
    a[1:] = 0.0
    a[1:] += b[1:] * b[0]
    return np.sum(1.0 / a[1:])


def test_zeros_of_the_program_keep_their_sign() -> None:
    args = np.ones(3), np.array([-0.0, 1.0, 2.0])
    assert s2sad.value_and_grad(cleared_by_the_program, backend="numba")(*args)[0] == np.inf
    assert s2sad.value_and_grad(cleared_by_the_program)(*args)[0] == np.inf


def kept_and_written_again(x, y):
    total = 0.0
    for k in range(3):
        t = np.sin(x) * y[k]
        total += np.sum(t * t * y)
        t *= np.cos(t) * x
        total += np.sum(t * t)
        x = np.minimum(t, x)
        x[:] = np.maximum(x, y[k] * t) * x
        t[:] = x * t
        y = y + t * 0.1
    return total


def test_what_is_kept_is_kept_before_it_is_written_again() -> None:
    agree(kept_and_written_again, RNG.uniform(0.2, 1.5, (4, 3)), RNG.uniform(0.2, 1.5, (4, 3)))


def relaxed(p):
    p = p.copy()
    source = np.sin(p)
    for _ in range(3):
        old = p.copy()
        p[1:-1] = 0.5 * (old[:-2] + old[2:] + old[1:-1]) - 0.1 * source[1:-1]
    return np.sum(p * p)


def replaced(p, b):
    p = p.copy()
    p[1:] = b[1:] * p[:-1] + b[:-1] * p[1:]
    p[:-1] = np.sin(p[1:]) * b[0] + p[:-1] * b[1:]
    p[1:-1] = np.reshape(p[1:-1], (-1, 1))[:, 0] * 2.0
    return np.sum(p * p)


def windows(x, w):
    out = np.zeros((len(x) - 2, w.shape[1]))
    for i in range(len(out)):
        out[i] = np.sum(x[i : i + 3, None] * w, axis=0)
    return np.sum(np.tanh(out))


@pytest.mark.parametrize("n", range(1, 7))
def test_what_is_cleared_is_read_before(n: int) -> None:
    agree(relaxed, RNG.uniform(0.2, 1.5, n))
    agree(replaced, RNG.uniform(0.2, 1.5, n), RNG.uniform(0.2, 1.5, n))


def test_one_loop_reads_and_clears() -> None:
    text = agree(relaxed, RNG.uniform(0.2, 1.5, 5))
    step = """
        for i in range(n):
            t2 = p_bar[i + 1]
            padded[i + 2] = 0.5 * t2
            source_bar[i + 1] -= 0.1 * t2
            p_bar[i + 1] = 0.0
"""
    assert step in text


def test_a_small_part_is_kept_rather_than_all_of_an_array() -> None:
    text = agree(windows, RNG.normal(size=9), RNG.normal(size=(3, 4)))
    assert "out_bar[i].copy()" in text
    assert "out_bar.copy()" not in text


def reflected(p):
    p = p.copy()
    for _ in range(3):
        p[:, 0] = p[:, 1]
        p[0] = 2.0 * p[1]
        p[:, -1] = p[:, -2]
        p[-1] = p[0]
        p[1, 1:] = p[0, :-1] * p[1, 1:]
    return np.sum(p * p)


@pytest.mark.parametrize("shape", [(2, 2), (2, 3), (4, 2), (5, 6)])
def test_borders_that_are_copies_of_rows(shape: tuple[int, int]) -> None:
    p = RNG.uniform(0.2, 1.5, (10, 12))
    agree(reflected, p[: shape[0], : shape[1]])
    agree(reflected, p[::-1, ::-1][: shape[0], : shape[1]])
    p[0, 1], p[1, 1] = np.nan, np.inf
    agree(reflected, p[: shape[0], : shape[1]])


def test_a_row_is_added_to_before_another_is_cleared() -> None:
    text = agree(reflected, np.ones((3, 4)))
    assert (
        """
            p_bar[i, 1] += p_bar[i, 0]
            p_bar[i, 0] = 0.0
"""
        in text
    )
    # The first row and the last may be one.
    assert text.split("# reverse sweep")[1].count("p_bar[-1].copy()") == 1
