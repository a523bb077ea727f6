"""Random programs that the reverse transform got wrong, each cut down to what shows it."""

from __future__ import annotations

import math

import numpy as np
import pytest

import s2sad
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


def test_saved_result_of_an_inner_loop_that_returns_early() -> None:
    def first(y: np.ndarray, s: float) -> float:
        for e in y:
            if e > 0.5:
                return s * e
        return s

    def f(y: np.ndarray, p: float) -> float:
        k = 0
        while True:
            k += 1
            if k > 2:
                break
            p += 0.3 * np.sin(first(y, p))
        return p

    check(f, np.array([0.1, 0.7, 0.9]), 0.4)
    check(f, np.array([0.1, 0.2]), 0.4)


def test_saved_array_that_only_some_iterations_make() -> None:
    def f(k: int, x: np.ndarray) -> float:
        for _ in range(k):
            if x[0] > 0.3:
                view = x[1:]
                view[0] = view[1] * x[0]
                x[0] *= np.sin(view[0])
        return np.mean(x)

    check(f, 3, np.array([0.6, 1.1, 0.9, 0.4]))
    check(f, 2, np.array([0.1, 1.1, 0.9, 0.4]))


def test_element_of_a_list_of_cotangents_that_began_as_a_number() -> None:
    def f(x: np.ndarray, k: int) -> float:
        y = x * x
        xs = [2.0 * x, y]
        xs[0][k] = 0.5
        total = np.sum(xs[k]) + np.sum(xs[0])
        return total + np.sum(y * y)

    check(f, np.array([0.6, 1.1, 0.9]), 1)
    check(f, np.array([0.6, 1.1, 0.9]), 0)


def test_body_that_loads_more_than_forty_elements() -> None:
    def f(y: np.ndarray, z: np.ndarray, k: int) -> float:
        s = 0.0
        for _ in range(k):
            s += y[0] * z[0] + y[1] * z[1] + y[2] * z[2] + y[3] * z[3] + y[4] * z[4]
            s += y[5] * z[5] + y[6] * z[6] + y[7] * z[7] + y[8] * z[8] + y[9] * z[9]
            s += y[10] * z[10] + y[11] * z[11] + y[12] * z[12] + y[13] * z[13] + y[14] * z[14]
            s += y[15] * z[15] + y[16] * z[16] + y[17] * z[17] + y[18] * z[18] + y[19] * z[19]
            s += y[20] * z[20] + y[21] * z[21] + y[22] * z[22] + y[23] * z[23] + y[24] * z[24]
        return s

    check(f, np.linspace(0.1, 1.0, 25), np.linspace(-1.0, 2.0, 25), 3)


def one_of_two(x, mask, c):
    a = x[mask > 0.0]
    b = a if c > 0.0 else x[mask < 5.0]
    return a[0] * np.sum(b)


@pytest.mark.parametrize("c", [1.0, -1.0])
def test_shape_of_an_array_that_another_stands_in_for(c):
    """The other has another shape: it says nothing of the adjoint's."""
    check(one_of_two, np.arange(1.0, 5.0), np.array([1.0, -1.0, 1.0, 1.0]), c, argnums=0)


def test_sorted_elements_of_a_matrix_are_no_matrix() -> None:
    def f(x: np.ndarray, w: np.ndarray) -> float:
        return np.sum(np.sort(x, axis=None) * w)

    check(f, np.array([[3.0, 1.0, 2.5], [0.5, 4.0, -1.0]]), np.arange(6.0))


def test_iteration_that_leaves_with_a_constant_in_the_place_of_a_variable() -> None:
    def f(x: np.ndarray, limit: float) -> float:
        w = x[2]
        for _ in range(2):
            w = 0.25
            if x[2] <= limit:
                break
            w = w * x[1]
        return w

    x = np.array([-0.5, 0.3, -0.4])
    check(f, x, 0.2)
    check(f, x, -0.9)


def test_iteration_that_leaves_with_a_constant_where_nobody_reads_the_variable() -> None:
    def f(x: np.ndarray, k: int) -> float:
        w = x[2]
        for _ in range(k):
            w = 0.25
            if x[0] <= 0.2:
                break
        return w

    for first in (0.1, 0.9):
        for k in (0, 2):
            check(f, np.array([first, 0.3, -0.4]), k)


def test_loop_left_by_what_its_names_were_before_they_moved() -> None:
    def f(p: float, c: float) -> float:
        for _ in range(3):
            c, p = p, 0.42
            if -0.91 < c < 0.32:
                break
        return c

    assert s2sad.value_and_grad(f)(0.24, 1.17) == (0.24, 1.0)
    check(f, 0.24, 1.17)
