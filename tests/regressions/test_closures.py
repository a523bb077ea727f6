"""Functions made in a loop or a comprehension see its variables as they are when called."""

from __future__ import annotations

from tests.checker import check

i = 100.0


def made_in_a_comprehension(x):
    fs = [lambda t: t * i for i in range(3)]
    return fs[0](x) + fs[1](x) * x


def made_with_defaults(x):
    fs = [lambda t, i=i: t * i for i in (1.0, 2.0, 5.0)]
    return fs[0](x) + fs[1](x) * x


def made_in_nested_comprehensions(x):
    fs = [[lambda t: t * i + k for i in range(2)] for k in range(3)]
    return fs[0][0](x) * fs[2][1](x)


def test_a_lambda_sees_the_last_value_of_a_comprehension():
    check(made_in_a_comprehension, 0.7)


def test_a_default_is_evaluated_when_the_lambda_is_made():
    check(made_with_defaults, 0.7)


def test_each_comprehension_has_its_own_variables():
    check(made_in_nested_comprehensions, 0.7)
