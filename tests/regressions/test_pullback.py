"""Pullbacks of values that are ints on some paths."""

from __future__ import annotations

import s2sad


def relu(x):
    return max(0, x)


def test_an_int_returned_in_place_of_a_float_has_a_zero_cotangent():
    out, pullback = s2sad.vjp(relu, -1.0)
    assert out == 0
    assert pullback(1.0) == (0.0,)


def test_the_other_path_passes_the_cotangent_on():
    _, pullback = s2sad.vjp(relu, 2.0)
    assert pullback(3.0) == (3.0,)
