"""Methods of lists whose length is not known when the derivative is written."""

from __future__ import annotations

import numpy as np

from tests.checker import check, refused


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


def elements_of_another(m):
    xs = [r * 2.0 for r in m]
    ys = []
    for i in range(len(xs)):
        ys.append(xs[i])
    return np.sum(ys[0] * xs[1])


def copied_and_grown(m):
    xs = [r * 2.0 for r in m]
    ys = xs[::-1]
    ys.append(xs[0])
    zs = [x for x in ys]
    zs.pop()
    return np.sum(ys[0] * xs[1] * zs[-1]) * len(ys)


def one_of_two_lists(m, c):
    xs = [r * 2.0 for r in m]
    ys = xs if c > 0.5 else [m[0]]
    ys.append(m[0] * c)
    return np.sum(xs[-1]) * len(xs)


def test_a_list_may_grow_while_another_holds_its_arrays():
    check(elements_of_another, np.array([[0.4, 1.3], [-0.7, 0.2]]))
    check(copied_and_grown, np.array([[0.4, 1.3], [-0.7, 0.2]]))


def test_a_list_that_may_be_another_is_not_known_when_that_has_grown():
    refused(one_of_two_lists, np.ones((2, 2)), 0.9, match="may share memory")
