"""Loops are exchanged where arrays lie better that way and no number changes; else they stay."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import s2sad

pytest.importorskip("numba")

RNG = np.random.default_rng(7)
A, B, C = (RNG.uniform(-1.0, 1.0, (6, 6)) for _ in range(3))


def product(a: np.ndarray, b: np.ndarray) -> float:
    c = np.zeros((a.shape[0], b.shape[1]))
    for i in range(a.shape[0]):
        for j in range(b.shape[1]):
            for k in range(a.shape[1]):
                c[i, j] += a[i, k] * b[k, j]
    return np.sum(c * c)


def triangle(a: np.ndarray, b: np.ndarray) -> float:
    b = b.copy()
    m, n = b.shape
    for i in range(m):
        for j in range(n):
            for k in range(i + 1, m):
                b[i, j] += a[k, i] * b[k, j]
    return np.sum(b * b)


def columns(a: np.ndarray, b: np.ndarray) -> float:
    b = b.copy()
    for j in range(b.shape[1]):
        for i in range(1, b.shape[0]):
            b[i, j] = a[i, j] * b[i - 1, j]
    return np.sum(b * b)


def outermost(a: np.ndarray, b: np.ndarray) -> float:
    c = np.zeros_like(a)
    for j in range(b.shape[1]):
        for i in range(a.shape[0]):
            for k in range(a.shape[1]):
                c[i, j] += a[i, k] * b[k, j]
    return np.sum(c * c)


def diagonal(a: np.ndarray, b: np.ndarray) -> float:
    b = b.copy()
    for j in range(b.shape[1] - 1):
        for i in range(1, b.shape[0]):
            b[i, j] = a[i, j] * b[i - 1, j + 1]  # written by a later j, in a row further up
    return np.sum(b * b)


def bounded(a: np.ndarray, b: np.ndarray) -> float:
    b = b.copy()
    for j in range(b.shape[1]):
        for i in range(j):
            b[i, j] += a[i, j] * b[j, i]
    return np.sum(b * b)


def overwritten(a: np.ndarray, b: np.ndarray) -> float:
    c = np.zeros(len(a))
    for j in range(b.shape[1]):
        for i in range(b.shape[0]):
            c[i] = a[i, j] * b[i, j] + 0.5 * c[i]  # the last j counts
    return np.sum(c * c)


def left(a: np.ndarray, b: np.ndarray) -> float:
    b = b.copy()
    for j in range(b.shape[1]):
        for i in range(b.shape[0]):
            b[i, j] *= a[i, j]
            if b[i, j] < -0.5:
                break
    return np.sum(b * b)


def left_early(a: np.ndarray, b: np.ndarray) -> float:
    c = np.zeros_like(a)
    for j in range(a.shape[1]):
        for i in range(a.shape[0]):
            c[i, j] = 1.0
            if a[i, j] > 0.3:
                break
    return np.sum(c * a * b)


def from_the_end(a: np.ndarray, b: np.ndarray) -> float:
    b = b.copy()
    for j in range(b.shape[1]):
        for i in range(b.shape[0]):
            b[i - 1, j] = a[i, j] * b[i, j]  # b[-1, j] at first, which is read last
    return np.sum(b * b)


def apart(a: np.ndarray, b: np.ndarray) -> float:
    b = b.copy()
    for i in range(1, len(b)):
        for j in range(b.shape[1]):
            for k in range(i):
                b[i, j] += a[i, k] * b[k, j] * b[i, i]  # j is i once: no order but this
    return np.sum(b * b)


def agree(f: Callable[..., Any], *args: Any) -> None:
    value, expected = s2sad.value_and_grad(f, (0, 1))(*args)
    got_value, got = s2sad.value_and_grad(f, (0, 1), backend="numba")(*args)
    assert got_value == pytest.approx(value, rel=1e-15, nan_ok=True)
    for x, y in zip(got, expected, strict=True):
        np.testing.assert_allclose(x, y, rtol=1e-12, atol=1e-13)


NESTS = [product, triangle, columns, outermost, diagonal, bounded, overwritten, left]
NESTS += [from_the_end, apart, left_early]


@pytest.mark.parametrize("f", NESTS)
def test_derivatives_of_nests_agree(f: Callable[..., Any]) -> None:
    agree(f, A, B)


@pytest.mark.parametrize("f", [product, triangle, columns])
@pytest.mark.parametrize("shape", [(0, 0), (1, 1), (3, 0), (0, 3), (2, 5)])
def test_nests_that_hardly_run_agree(f: Callable[..., Any], shape: tuple[int, int]) -> None:
    a = RNG.uniform(size=(shape[0], shape[0]) if f is not columns else shape)
    agree(f, a, RNG.uniform(size=shape))


@pytest.mark.parametrize("f", NESTS)
def test_arrays_may_lie_in_memory_as_they_like(f: Callable[..., Any]) -> None:
    agree(f, np.asfortranarray(A), np.repeat(B, 2, axis=1)[::-1, ::-2])


@pytest.mark.parametrize("f", [product, triangle])
def test_nan_and_infinity_stay_where_they_were(f: Callable[..., Any]) -> None:
    a, b = A.copy(), B.copy()
    a[2, 1], b[3, 4] = np.nan, np.inf
    agree(f, a, b)


def test_the_innermost_loop_goes_along_rows() -> None:
    forward, reverse = text_of(product).split("# reverse sweep")
    assert loops(forward) == ["i", "k", "j"]
    assert loops(reverse)[-3:] == ["i", "k", "j"]
    assert "= plus(t" in reverse  # what the innermost loop adds to a_bar[i, k] is one number


def test_a_loop_may_go_in_by_more_than_one_level() -> None:
    assert loops(text_of(outermost).split("# reverse sweep")[0]) == ["i", "k", "j"]


def test_loops_that_never_meet_run_upwards() -> None:
    assert "for k in range(i + 1, m):" in text_of(triangle).split("# reverse sweep")[1]


STAY = [diagonal, bounded, overwritten, left, left_early, from_the_end, apart]


@pytest.mark.parametrize("f", STAY)
def test_loops_stay_where_another_order_is_another_program(f: Callable[..., Any]) -> None:
    assert loops(text_of(f).split("# reverse sweep")[0]) == loops(inspect.getsource(f))


def gathered(x: np.ndarray, weights: np.ndarray) -> float:
    total = 0.0
    for i in range(len(weights)):
        for j in range(weights.shape[1]):
            total += weights[i, j] * x[i - 1] * x[j]
    return total


def test_a_loop_that_never_runs_says_nothing_of_an_element() -> None:
    text = text_of(gathered, np.ones(3), np.ones((3, 2)))
    assert "if " in text.split("plus(")[-1]
    bars = s2sad.grad(gathered, (0, 1), backend="numba")(np.ones(1), np.ones((5, 0)))
    assert bars[0].tolist() == [0.0] and bars[1].shape == (5, 0)


def test_an_index_out_of_bounds_is_found_in_any_order() -> None:
    df = s2sad.grad(product, (0, 1), backend="numba")
    with pytest.raises(IndexError):
        df(A, B[:4])


def text_of(f: Callable[..., Any], *args: Any) -> str:
    return s2sad.grad(f, (0, 1), backend="numba").source(*args or (A, B))


def loops(text: str) -> list[str]:
    return re.findall(r"^ *for ([ijk]) in", text, re.M)
