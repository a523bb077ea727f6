"""What the reverse sweep saves, and what it computes again."""

from __future__ import annotations

import math

import numpy as np

import s2sad
from tests.checker import check


def gradient_text(f, *args, argnums=0):
    return s2sad.grad(f, argnums).source(*args)


def springs(x):
    e = 0.0
    for i in range(len(x) - 1):
        d = x[i + 1] - x[i] - 1.0
        e += 0.5 * d * d
    return e


def test_a_loop_that_needs_nothing_saved_has_no_tape():
    assert "tape" not in gradient_text(springs, np.ones(4))
    check(springs, np.array([0.3, 1.1, 2.5]))


def powers(x):
    y = 1.0
    for _ in range(5):
        y = y * x
    return y


def test_what_a_loop_overwrites_is_saved_and_nothing_else():
    text = gradient_text(powers, 2.0)
    assert text.count("append(") == 1
    assert "tape.append(y)" in text
    check(powers, 1.3)


def settle(x):
    y = x
    for _ in range(20):
        if y < 1.0:
            y = y - 0.1 * y
        else:
            y = y * y / 4.0
    return y


def test_a_condition_is_computed_again_from_what_is_saved():
    text = gradient_text(settle, 3.0)
    assert text.count("if y < 1.0") == 2
    check(settle, 3.0)


def sum_of_squares(x):
    s = 0.0
    for i in range(len(x)):
        s = s + x[i] * x[i]
    return s


def test_a_running_sum_has_no_adjoint_in_the_loop():
    assert "s_bar" not in gradient_text(sum_of_squares, np.ones(3))
    check(sum_of_squares, np.array([0.4, -1.2]))


def unused(x, y):
    z = math.exp(y)
    w = x * x
    z = z + w
    return w


def test_activity_leaves_no_trace_of_what_does_not_matter():
    text = gradient_text(unused, 2.0, 3.0)
    assert "exp" not in text
    assert "z" not in text.replace("zeros", "")


def scale_rows(a, s):
    for i in range(len(a)):
        a[i] *= s[i]
    return np.sum(a * a)


def test_an_update_is_reversed_on_the_same_elements():
    text = gradient_text(scale_rows, np.ones((2, 3)), np.ones(2), argnums=(0, 1))
    assert "zeros_like(a" not in text
    check(scale_rows, np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([0.5, -1.5]), argnums=(0, 1))


def add_rows(a, s):
    for i in range(len(a)):
        a[i] += s[i]
    return np.sum(a * a)


def test_an_addition_in_place_needs_no_tape():
    assert "tape" not in gradient_text(add_rows, np.ones((2, 3)), np.ones((2, 3)), argnums=(0, 1))
    check(add_rows, np.array([[1.0, 2.0]]), np.array([[0.5, -1.5]]), argnums=(0, 1))


def maybe(x, n):
    total = 0.0
    for i in range(n):
        if i % 2:
            z = x * i
        if i % 2:
            total += z * z
    return total


def test_a_variable_of_one_branch_goes_on_a_tape_as_a_placeholder_elsewhere():
    check(maybe, 1.5, 5)


def leaves(x):
    y = x
    for i in range(10):
        if y > 5.0:
            break
        y = y * 1.5 + 0.1 * i
    return y


def test_the_iteration_that_leaves_is_not_recorded():
    text = gradient_text(leaves, 1.0)
    assert text.count("if y > 5.0") <= 1
    check(leaves, 1.0)


def shortest_paths(path):
    path = path.copy()
    for k in range(len(path)):
        path[:] = np.minimum(path, np.add.outer(path[:, k], path[k, :]))
    return np.sum(np.sqrt(path))


def test_comparisons_go_on_the_tape_in_the_place_of_what_they_compare():
    x = np.random.default_rng(3).uniform(0.1, 1.0, (5, 5))
    (saved,) = [n for n in gradient_text(shortest_paths, x).splitlines() if "tape.append" in n]
    assert "path < " in saved and "np.copy(path" not in saved
    assert saved.count("==") == 1
    check(shortest_paths, x)


def turned(x):
    x = x.copy()
    turn = np.array([[0.8, -0.6], [0.6, 0.8]])
    for _ in range(3):
        x[:] = np.reshape(turn @ np.reshape(x, (2, -1)), (-1,))
    return np.sum(x**2)


def test_shapes_go_on_the_tape_in_the_place_of_what_has_them():
    x = np.array([0.3, 1.7, 0.9, 2.1])
    (saved,) = [n for n in gradient_text(turned, x).splitlines() if "tape.append" in n]
    assert ".shape" in saved and "copy" not in saved
    check(turned, x)


def both(x, y):
    total = 0.0
    for _ in range(3):
        total += np.sum(x**3)
        x = np.maximum(x, 0.5)
    return total * np.sum(y)


def test_operands_that_are_saved_anyway_are_compared_again():
    x, y = np.array([0.3, 1.7, 0.9]), np.array([0.8, 1.1, 2.5])
    (saved,) = [n for n in gradient_text(both, x, y).splitlines() if "tape.append" in n]
    assert ">" not in saved
    check(both, x, y)
