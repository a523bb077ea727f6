"""Rules of the user's own, entered through the same door as ours."""

from __future__ import annotations

import numpy as np
import pytest

import s2sad
from s2sad.rules import elementwise, rule, zero
from s2sad.rules.registry import lookup
from tests.checker import check


def softplus(x):
    return np.logaddexp(0.0, x)


def gauss(x, width):
    return np.exp(-((x / width) ** 2))


def count_above(x, level):
    return int(np.count_nonzero(x > level))


rule(softplus, "x", vjp="g / (1 + exp(-x))", jvp="x_dot / (1 + exp(-x))")
elementwise(gauss, "-2 * x / width**2 * out", "2 * x**2 / width**3 * out", names=("x", "width"))
zero(count_above, "x level")


def test_a_rule_is_used():
    check(lambda x: np.sum(softplus(2.0 * x)), np.array([-1.0, 0.5, 2.0]), tape=False)
    check(lambda x: softplus(x) ** 2, 0.3, tape=False)


def test_its_text_says_what_runs():
    def f(x):
        return np.sum(softplus(x))

    source = s2sad.grad(f).source(np.ones(2))
    assert "np.exp(-x)" in source


def test_two_operands():
    check(lambda x, w: gauss(x, w) * w, 0.3, 1.5, tape=False)


def test_a_zero_derivative():
    check(lambda x: np.sum(x) * count_above(x, 0.5), np.array([0.1, 0.7, 0.9]), tape=False)


def test_names_do_not_collide():
    def softplus(x):
        return x * 0.0 + 7.0

    record = rule(softplus, "x", vjp="0.0 * g", jvp="0.0 * x_dot")
    assert record.name == "softplus_2"
    assert lookup(softplus) is record
    check(lambda x: x * softplus(x), 0.3, tape=False)


def test_a_rule_is_differentiated_again():
    def f(x):
        return softplus(x) * x

    assert s2sad.grad(s2sad.grad(f))(0.4) == pytest.approx(
        2 * (1 / (1 + np.exp(-0.4))) + 0.4 * np.exp(-0.4) / (1 + np.exp(-0.4)) ** 2
    )
