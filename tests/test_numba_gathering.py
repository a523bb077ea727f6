"""Stencils in reverse: what would be spread to neighbours is gathered."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import s2sad

pytest.importorskip("numba")

RNG = np.random.default_rng(5)


def smoothed(a, steps):
    a = a.copy()
    b = a.copy()
    for _ in range(steps):
        b[1:-1] = 0.3 * (a[:-2] + a[1:-1] + a[2:])
        a[1:-1] = 0.3 * (b[:-2] + b[1:-1] + b[2:])
    return np.sum(a * a)


def crossed(a, steps):
    a = a.copy()
    for _ in range(steps):
        c = 2.0 * a[1:-1, 1:-1]
        east_west = a[1:-1, 2:] - c + a[1:-1, :-2]
        a[1:-1, 1:-1] += 0.1 * (a[2:, 1:-1] - c + a[:-2, 1:-1]) + 0.2 * east_west
    return np.sum(np.sin(a))


def one_sided(a, w):
    b = a[3:] + 2.0 * a[2:-1] - w * a[1:-2] + a[:-3]
    return np.sum(b * b * w)


def of_a_stencil(a):
    lap = 4.0 * a[1:-1, 1:-1] - (a[2:, 1:-1] + a[:-2, 1:-1] + a[1:-1, 2:] + a[1:-1, :-2])
    again = lap[1:-1] - 0.5 * (lap[2:] + lap[:-2]) + lap[1:-1] * lap[2:]
    return np.sum(again * again)


def with_coefficients(a, c):
    b = c[1:-1] * (a[2:] - a[1:-1]) - c[:-2] * (a[1:-1] - a[:-2]) + np.exp(a[2:] * c[2:])
    return np.sum(b)


def of_known_lengths(a):
    t = np.zeros((6, 5))
    t[:] = a[0] * a[1]
    b = t[1:-1] + t[2:] * t[:-2] + t[2:]
    return np.sum(b * b)


def written_after(a):
    a = a * 1.0
    b = a[1:-1] * a[1:-1]
    d = b[2:] + b[1:-1] + b[:-2]
    a[1:-1] = b
    e = a[2:] * a[1:-1] + a[:-2] + a[2:]
    a[:-2] = e * a[1:-1]
    return np.sum(d * d) + np.sum(a * a)


def in_branches(a, steps):
    a = a.copy()
    for k in range(steps):
        if a[0] > 0.5:
            a[1:-1] = 0.3 * (a[:-2] + a[1:-1] * a[1:-1] + a[2:])
        else:
            a[1:-1] = a[2:] - a[:-2] + 0.1 * a[1:-1]
        a[0] += 0.2
        if k == 2:
            break
    return np.sum(a**2)


def gradient(f: Callable[..., Any], args: tuple[Any, ...], **options: Any) -> list[np.ndarray]:
    places = tuple(n for n, a in enumerate(args) if isinstance(a, np.ndarray))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return list(s2sad.grad(f, places, **options)(*args))


def agree(f: Callable[..., Any], *args: Any) -> None:
    before = [np.copy(a) for a in args]
    expected, found = gradient(f, args), gradient(f, args, backend="numba")
    for x, y in zip(expected, found, strict=True):
        np.testing.assert_allclose(y, x, rtol=1e-13, atol=1e-14)
    for a, b in zip(args, before, strict=True):
        np.testing.assert_array_equal(a, b)


LINES = [smoothed, in_branches]
SHORT = range(8)


@pytest.mark.parametrize("f", LINES)
def test_lines_of_any_length(f: Callable[..., float]) -> None:
    for n, steps in itertools.product(SHORT, (0, 1, 4)):
        if n or f is smoothed:
            agree(f, RNG.normal(size=n), steps)


@pytest.mark.parametrize("f", [one_sided, with_coefficients])
def test_pairs_of_any_length(f: Callable[..., float]) -> None:
    for n in range(3 if f is one_sided else 2, 9):
        a = RNG.normal(size=n)
        agree(f, a, RNG.normal(size=n - 3) if f is one_sided else RNG.normal(size=n))


def test_grids_of_any_shape() -> None:
    for shape in itertools.product((0, 1, 2, 3, 4, 7), repeat=2):
        agree(crossed, RNG.normal(size=shape), 3)
        if min(shape) > 1:
            agree(of_a_stencil, RNG.normal(size=shape))


@pytest.mark.parametrize("shape", [(0, 0), (1, 3), (3, 1), (0, 5), (2, 2)])
def test_second_stencils_of_nothing(shape: tuple[int, int]) -> None:
    agree(of_a_stencil, RNG.normal(size=shape))


def test_lengths_that_are_known() -> None:
    agree(of_known_lengths, RNG.normal(size=(2, 6, 5)))


@pytest.mark.parametrize("n", [0, 1, 2, 3, 4, 5, 6, 11])
def test_what_is_written_is_read_before(n: int) -> None:
    agree(written_after, RNG.normal(size=n))


def test_other_memory() -> None:
    a = RNG.normal(size=(16, 14))
    for part in (a[::2, ::2], a[::-1], a[:, ::-1], a.T, np.asfortranarray(a)):
        agree(crossed, part, 2)
    line = RNG.normal(size=20)
    for part in (line[::2], line[::-1], line[::-3]):
        agree(smoothed, part, 2)
        agree(with_coefficients, part, line[: len(part)])


def test_one_array_twice() -> None:
    a = RNG.normal(size=9)
    agree(with_coefficients, a, a)
    agree(with_coefficients, a[1:], a[:-1])


@pytest.mark.parametrize("odd", [np.nan, np.inf, -np.inf, 1e200])
@pytest.mark.parametrize("at", [0, 1, 4, 7])
def test_nan_and_infinities_reach_their_neighbours_alone(odd: float, at: int) -> None:
    a = RNG.normal(size=8)
    a[at] = odd
    agree(smoothed, a, 1)
    agree(with_coefficients, a, RNG.normal(size=8))
    agree(with_coefficients, RNG.normal(size=8), a)


def test_the_reverse_of_a_step_is_two_loops() -> None:
    text = str(s2sad.grad(smoothed, backend="numba").source(np.ones(9), 2))
    made, step = text.split("# reverse sweep")[1].split("    for _ in range(steps):\n")
    expected = """
        for i in range(n):
            padded[i + 2] = 0.3 * a2_bar[i + 1]
            a2_bar[i + 1] = 0.0
        for i in range(len(a)):
            b_bar[i] = b_bar[i] + padded[i] + padded[i + 1] + padded[i + 2]
"""
    assert "    padded = np.zeros(len(a) + 2)\n" in made
    assert expected in step
    assert "np.zeros" not in step
    assert step.count("        for i in ") == 4


def test_the_ends_of_an_array_alone_are_not_padded() -> None:
    def ends(a):
        a = a * 2.0
        return np.sum((a[1:4] + a[0:3] * a[1:4] + a[2:5]) ** 2)

    assert "padded" not in str(s2sad.grad(ends, backend="numba").source(np.ones(900)))
    agree(ends, RNG.normal(size=9))


def test_two_additions_are_no_more_than_two_loops() -> None:
    def slopes(a):
        return np.sum((a[1:] - a[:-1]) ** 2)

    assert "padded" not in str(s2sad.grad(slopes, backend="numba").source(np.ones(9)))
    agree(slopes, RNG.normal(size=9))


def many_points(a):
    a = np.sin(a)
    b = np.cos(a[2:-2, 2:-2])
    for k in (0, 1, 2):
        b = b + a[:-4, 2:-2] * 0.1 + a[4:, 2:-2] + a[2:-2, :-4] + a[2:-2, 4:] * (k + 0.5)
        b = b - a[1:-3, 1:-3] + a[1:-3, 3:-1] - 0.2 * a[3:-1, 1:-3] + a[3:-1, 3:-1]
    total = np.sum(b * b) + np.sum(a * a)
    c = np.exp(a[1:-1, 1:-1])
    for _ in (0, 1, 2, 3):
        c = c + a[:-2, 1:-1] - a[2:, 1:-1] + 0.3 * a[1:-1, :-2] + a[1:-1, 2:]
    return total + np.sum(c * c)


@pytest.mark.parametrize("n", [0, 2, 4, 5, 9])
def test_many_points(n: int) -> None:
    agree(many_points, RNG.normal(size=(n, n + 1)))


def weighted(a):
    a = np.sin(a)
    b = 0.3 * a[:-2] + 0.4 * a[1:-1] + 0.3 * a[2:] + 0.2 * a[:-2] + 0.1 * a[1:-1] + 0.2 * a[2:]
    a[0] *= 2.0
    c = (0.3 * a[:-2] + 0.4 * a[1:-1] + 0.3 * a[2:]) ** 2
    return np.sum(b * b) + np.sum(c**3)


def test_multiples_of_one_cotangent_are_gathered_from_it() -> None:
    for n in (1, 2, 3, 9):
        agree(weighted, RNG.normal(size=n))
    text = str(s2sad.grad(weighted, backend="numba").source(np.ones(9)))
    assert text.count("np.zeros(") == 3
    assert "0.6 * padded[i] + 0.8 * padded[i + 1] + 0.6 * padded[i + 2]" in text
