"""Methods of lists whose length is not known when the derivative is written."""

from __future__ import annotations

import numpy as np

from tests.checker import check


def turned(x):
    values = []
    for i in range(len(x)):
        values.append(x[i] ** 2)
    values.reverse()
    return values[0] * 3.0 + values[-1] * values[1]


def test_reverse_turns_a_list_around():
    check(turned, np.array([0.4, 1.3, -0.7]))


def summed_twice(p):
    values = []
    for _ in range(2):
        values.append(p)
    again = values
    return -1.33 * sum(again) + -1.33 * sum(values)


def test_equal_cotangents_of_a_list_add_up():
    check(summed_twice, -1.1)
