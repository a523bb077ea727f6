"""A rule that does not cover a call is refused like everything else: with the line and a hint."""

from __future__ import annotations

import random

import numpy as np
import pytest

import s2sad
from s2sad.ir.kinds import FLOAT
from s2sad.rules import rule, zero
from tests.checker import check, refused


def opaque(x):
    return 2.0 * x


rule(opaque, "x")


def test_a_rule_without_a_derivative() -> None:
    def f(x):
        return x * opaque(x)

    message = refused(f, 2.0, match="opaque has no derivative")
    assert "return x * opaque(x)" in message


def test_an_option_without_a_derivative() -> None:
    def f(x):
        return np.sum(np.linalg.qr(x, mode="raw")[0])

    with pytest.raises(s2sad.UnsupportedError, match="mode='raw'") as caught:
        s2sad.grad(f)(np.eye(3))
    assert 'np.linalg.qr(x, mode="raw")' in str(caught.value)


def test_a_ufunc_of_another_library() -> None:
    doubled = np.frompyfunc(lambda x: 2.0 * x, 1, 1)
    refused(lambda x: doubled(x), 2.0, match="the ufunc '<lambda> .vectorized.' has no rule")


def noise():
    return random.gauss(0.0, 1.0)


def test_compiling_draws_no_random_number() -> None:
    with pytest.raises(ValueError, match="has an effect"):
        zero(noise, "", effect="draws")
    zero(noise, "", effect="draws", kind=lambda operands, options: FLOAT)
    random.seed(1)
    drawn = noise()
    random.seed(1)
    assert s2sad.grad(lambda x: x * noise())(2.0) == drawn


def test_vectorized_function_whose_dtype_depends_on_its_first_result() -> None:
    halved = np.vectorize(lambda t: 1 if t < 0 else t * 0.5)
    floats = np.vectorize(lambda t: 1 if t < 0 else t * 0.5, otypes=[float])
    x = np.array([-1.0, 2.5, 3.0])
    refused(lambda x: np.sum(halved(x)), x, match="takes the dtype of its first result")
    check(lambda x: np.sum(floats(x)), x, tape=False)
