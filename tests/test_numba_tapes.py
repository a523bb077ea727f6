"""Tapes as arrays: several of one loop, inside loops whose numbers of iterations differ."""

from __future__ import annotations

import numpy as np
import pytest

import s2sad

pytest.importorskip("numba")

RNG = np.random.default_rng(8)


def eliminated(x: np.ndarray, h: np.ndarray) -> float:
    x = x.copy()
    for i in range(len(h)):
        for j in range(i):
            for k in range(j):
                x[i, j] -= 0.1 * x[i, k] * x[k, j]
            x[i, j] *= h[j]
    return np.sum(x * x)


@pytest.mark.parametrize("n", [0, 1, 4, 60])
def test_each_tape_of_a_loop_has_a_counter(n: int) -> None:
    x, h, v = RNG.uniform(0.5, 1.0, (n, n)), RNG.uniform(0.5, 1.0, n), RNG.uniform(-1.0, 1.0, n)
    expected = s2sad.hvp(eliminated, 1)(x, h, v)
    for backend in ("numba", s2sad.Numba(boundscheck=False)):
        got = s2sad.hvp(eliminated, 1, backend=backend)(x, h, v)
        np.testing.assert_allclose(got, expected, rtol=1e-10)


def test_each_tape_moves_past_each_run() -> None:
    x, h = RNG.uniform(0.5, 1.0, (4, 4)), RNG.uniform(0.5, 1.0, 4)
    text = s2sad.hvp(eliminated, 1, backend="numba").source(x, h, h)
    assert text.count("= grown(") == text.count(" += i2\n") == text.count(" -= trips\n") == 2


def stopped(x: np.ndarray, h: np.ndarray) -> float:
    s = 0.0
    for i in range(len(h)):
        p = h[i]
        for j in range(len(h)):
            p = np.sin(p) * x[i, j] + p
        s += p * p
        if s > 50.0:
            break
    return s


def test_a_tape_kept_by_a_list_is_a_list() -> None:
    x, h, v = (RNG.uniform(0.5, 1.0, shape) for shape in ((4, 4), 4, (4, 4)))
    for k, along in ((0, v), (1, h)):
        got = s2sad.hvp(stopped, k, backend="numba")(x, h, along)
        np.testing.assert_allclose(got, s2sad.hvp(stopped, k)(x, h, along), rtol=1e-10)
