"""Pullbacks of values that are ints on some paths."""

from __future__ import annotations

import numpy as np

import s2sad
from tests.checker import check


def relu(x):
    return max(0, x)


def test_an_int_returned_in_place_of_a_float_has_a_zero_cotangent():
    out, pullback = s2sad.vjp(relu, -1.0)
    assert out == 0
    assert pullback(1.0) == (0.0,)


def test_the_other_path_passes_the_cotangent_on():
    _, pullback = s2sad.vjp(relu, 2.0)
    assert pullback(3.0) == (3.0,)


def writes_on_one_path(x, y):
    if y[0] > 0.0:
        x = x * 1.0
        x[0] = y[1]
        y = y * 1.0
        y[0] = 2.0
    return x, y


def test_cotangents_in_a_tuple_are_written_on_one_path_only():
    check(writes_on_one_path, np.array([0.3, 1.2]), np.array([0.5, 2.0]))
