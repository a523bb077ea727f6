"""Loads that are done again from the array as it is after, or was before, the loops that write it."""

from __future__ import annotations

import random

import numpy as np
import pytest

import s2sad
from s2sad import tape
from tests.checker import check
from tests.fuzz.program import load


def text_of(f, *args, argnums=0):
    return s2sad.grad(f, argnums).source(*args)


def solve(l, b):
    x = np.zeros(len(b))
    for i in range(len(b)):
        s = b[i]
        for j in range(i):
            s -= l[i, j] * x[j]
        x[i] = s / l[i, i]
    return np.sum(x * x)


def test_what_a_triangular_solve_reads_has_its_last_value():
    l = np.array([[2.0, 0.0, 0.0], [0.3, 1.5, 0.0], [-0.4, 0.8, 1.2]])
    b = np.array([1.0, -0.5, 0.7])
    assert "* x[j]" in text_of(solve, l, b).split("# reverse sweep")[1]
    check(solve, l, b, argnums=(0, 1))


def factorize(a):
    a = a.copy()
    for i in range(len(a)):
        for j in range(i):
            for k in range(j):
                a[i, j] -= a[i, k] * a[k, j]
            a[i, j] /= a[j, j]
        for j in range(i, len(a)):
            for k in range(i):
                a[i, j] -= a[i, k] * a[k, j]
    return np.sum(a * a)


def test_factors_are_loaded_again():
    a = np.array([[2.0, 0.5, 0.3], [0.4, 1.5, -0.2], [-0.4, 0.8, 1.2]])
    text = text_of(factorize, a)
    assert text.count("append(") == 2  # the dividend, in a tape of tapes
    assert "a_new" not in text  # the array has one name, although the ranges read its length
    check(factorize, a)


def multiply(a, b):
    b = b.copy()
    for i in range(len(b)):
        for k in range(i + 1, len(b)):
            b[i] += a[k, i] * b[k]
    return np.sum(b * b)


def test_what_is_not_written_yet_is_loaded_from_the_argument():
    a, b = np.arange(9.0).reshape(3, 3) / 5.0, np.array([1.0, -0.5, 0.7])
    assert "tape" not in text_of(multiply, a, b)
    check(multiply, a, b, argnums=(0, 1))


def last_before_first(x):
    y = np.ones(len(x))
    for i in range(len(x)):
        y[i] = x[i] * y[i - 1]  # y[-1] at first, which is written last
    return np.sum(y)


def test_a_negative_index_proves_nothing():
    check(last_before_first, np.array([1.5, 0.7, -0.4]))


def guarded(x):
    y = np.ones(len(x))
    for i in range(len(x)):
        if i == 0:
            y[i] = x[i]
        else:
            y[i] = x[i] * y[i - 1]
    return np.sum(y)


def test_a_branch_tells_that_an_index_is_not_negative():
    x = np.array([1.5, 0.7, -0.4])
    assert "tape" not in text_of(guarded, x)
    check(guarded, x)


def below_a_fraction(x, y):
    x = x.copy()
    for i in range(len(x) - 1):
        if i < y:
            x[i + 1] = x[i + 1] * 1.5
        if i > y:
            x[i] = x[i] * x[i] + 0.3
    return np.sum(x * x)


def neither_below_nor_above(x, y):
    x = x.copy()
    s = 0.0
    for i in range(len(x)):
        if i < y:
            s += 1.0
        else:
            s += x[i] * x[i]
        for j in range(len(x)):
            if j >= y:
                s += 2.0
            else:
                x[j] = x[j] * s * 0.01
    return s + np.sum(x * x)


def test_only_whole_numbers_bound_an_index():
    x = np.array([0.7, 1.2, 0.9, 1.4, 0.6, 1.1])
    for f, y in ((below_a_fraction, 2.5), (neither_below_nor_above, np.nan)):
        got = s2sad.grad(f)(x, y)
        np.testing.assert_allclose(got, tape.grad(f)(x, y), rtol=1e-12)


def undone(x, limit):
    y = np.ones(len(x))
    for i in range(1, len(x)):
        before = y.copy()
        y[i] = x[i] * y[i - 1] * y[i]
        y[0] = y[0] * y[i]
        if y[i] > limit:
            y = before
    return np.sum(y)


def test_an_array_that_is_put_back_is_not_settled():
    for limit in (0.0, 1.0, 5.0):
        check(undone, np.array([1.5, 0.7, 1.4, 0.8]), limit)


def over_time(x, steps):
    for _ in range(steps):
        y = np.zeros(len(x))
        for i in range(1, len(x)):
            y[i] = 0.5 * y[i - 1] * x[i] + x[i - 1]
        x = y
    return np.sum(x * x)


def test_arrays_of_each_step_are_kept_and_elements_are_not():
    x = np.array([1.5, 0.7, -0.4, 0.3])
    text = text_of(over_time, x, 3)
    assert text.count("append(") == 1
    check(over_time, x, 3)


# -- random nests ----------------------------------------------------------------------------------


class Nests:
    """Programs of nested loops over an array that is written in place."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.lines: list[str] = []

    def index(self, around: list[str]) -> str:
        if not around or self.rng.random() < 0.15:
            return str(self.rng.randrange(-2, 4))
        return self.rng.choice(around) + self.rng.choice(["", "", "", " + 1", " - 1", " - 2"])

    def element(self, around: list[str]) -> str:
        i, j = self.index(around), self.index(around)
        return f"x[({i}) % n, ({j}) % n]" if self.rng.random() < 0.2 else f"x[{i}, {j}]"

    def statement(self, around: list[str], indent: str) -> None:
        rng = self.rng
        if rng.random() < 0.2 and around:
            v = rng.choice(around)
            at = self.index(around)
            part = rng.choice([f":{v}", f"{v}:", f"{v} + 1:", f":{v} + 1"])
            if rng.random() < 0.5:
                self.lines.append(f"{indent}x[{at}, {part}] *= 0.9 + 0.1 * {self.element(around)}")
            else:
                value = f"0.1 * np.sum(x[{at}, {part}] * x[{self.index(around)}, {part}])"
                self.lines.append(f"{indent}{self.element(around)} = {value}")
            return
        a, b, c = (self.element(around) for _ in range(3))
        self.lines.append(f"{indent}{a} {rng.choice(['=', '+=', '-='])} 0.4 * {b} * {c} + 0.1")

    def block(self, around: list[str], indent: str) -> None:
        rng = self.rng
        for _ in range(rng.choice([1, 1, 2])):
            kind = rng.random()
            if len(around) < 3 and (kind < 0.6 or not around):
                v = "ijk"[len(around)]
                low = rng.choice(["0", "0", "1", "2", *[f"{u} + 1" for u in around], *around])
                high = rng.choice(["n", "n", "n - 1", *around, *[f"{u} + 1" for u in around]])
                up = rng.random() < 0.7
                span = f"{low}, {high}" if up else f"{high} - 1, {low} - 1, -1"
                self.lines.append(f"{indent}for {v} in range({span}):")
                self.block([*around, v], indent + "    ")
            elif around and kind > 0.85:
                v, relation = rng.choice(around), rng.choice(["==", "!=", "<", ">", ">="])
                other = rng.choice(["0", "1", "n - 1", *around])
                self.lines.append(f"{indent}if {v} {relation} {other}:")
                self.statement(around, indent + "    ")
                self.lines.append(f"{indent}else:")
                self.statement(around, indent + "    ")
            else:
                self.statement(around, indent)

    def source(self) -> str:
        self.block([], "    ")
        body = "\n".join(self.lines)
        return f"import numpy as np\n\nW = {W.tolist()}\n\n\ndef f(x):\n    x = x.copy()\n    n = 3\n{body}\n    return np.sum(x * np.array(W))\n"


W = np.random.default_rng(1).uniform(0.5, 1.5, (4, 4))


@pytest.mark.parametrize("first", range(0, 100, 20))
def test_random_nests_agree_with_the_tape(first: int) -> None:
    compared = 0
    for seed in range(first, first + 20):
        x = np.random.default_rng(seed).uniform(-1.0, 1.0, (4, 4))
        with load(Nests(seed).source()) as module:
            f = module.f
            try:
                f(x)
            except IndexError:
                continue
            compared += 1
            value, gradient = s2sad.value_and_grad(f)(x)
            expected = tape.grad(f)(x)
            assert value == f(x)
            np.testing.assert_allclose(gradient, expected, rtol=1e-11, atol=1e-12)
    assert compared >= 5
