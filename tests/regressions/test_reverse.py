"""Random programs that the reverse transform got wrong, each cut down to what shows it."""

from __future__ import annotations

import math

import numpy as np

from tests.checker import check


def test_inner_loop_that_overwrites_what_the_outer_carries() -> None:
    def f(q: float, k: int) -> float:
        for _ in range(k):
            for _ in range(k):
                q = math.sin(0.4)
        return q

    check(f, 0.5, 0)


def test_shape_of_a_view_whose_last_version_is_in_a_branch() -> None:
    def f(x: np.ndarray, c: float, k: int, p: float) -> float:
        view = x[1:]
        if k:
            view[:] = c
        part = view[:2]
        part *= p
        return np.mean(part)

    check(f, np.array([0.1, 1.1, 0.9, 0.4]), -1.2, 1, 0.2)
    check(f, np.array([0.1, 1.1, 0.9, 0.4]), -1.2, 0, 0.2)
