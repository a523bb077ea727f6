"""Copies keep the layout that decides how sums round."""

from __future__ import annotations

import numpy as np

from tests.checker import check


def writes_and_sums(x):
    x[0] = x[0] * 0.5
    return x @ np.where(x > 1.0, x, 0.3)


def test_a_strided_argument_that_is_written_is_summed_in_its_own_order():
    rng = np.random.default_rng(3)
    for n in (5, 17, 33):
        check(writes_and_sums, rng.normal(size=2 * n)[::2])
