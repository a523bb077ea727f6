"""Copies keep the layout that decides how sums round."""

from __future__ import annotations

import numpy as np
import pytest

import s2sad
from tests.checker import check


def writes_and_sums(x):
    x[0] = x[0] * 0.5
    return x @ np.where(x > 1.0, x, 0.3)


def test_a_strided_argument_that_is_written_is_summed_in_its_own_order():
    rng = np.random.default_rng(3)
    for n in (5, 17, 33):
        check(writes_and_sums, rng.normal(size=2 * n)[::2])


def cubes_backwards(x):
    x = 1.0 * x
    y = x[::-1] ** 3
    x[::-1] = 0.2 * y
    return np.sum(y) + np.sum(x)


@pytest.mark.parametrize("n", range(1, 12))
def test_power_of_a_reversed_view(n):
    """NumPy's vector code takes no negative strides: the copy that is kept must have them, too."""
    x = np.random.default_rng(n).random(n)
    assert s2sad.value_and_grad(cubes_backwards)(x)[0] == cubes_backwards(x)


def multiplies_a_column(a, b):
    a = a * 1.0
    v = a[:, 0]
    v[:] = v.dot(b)
    return np.sum(v)


def test_product_of_a_column_that_is_written():
    rng = np.random.default_rng(0)
    for n in range(2, 12):
        a, b = rng.normal(size=(n, 2)), rng.normal(size=n)
        value, _ = s2sad.value_and_grad(multiplies_a_column)(a, b)
        assert value == multiplies_a_column(a, b)
