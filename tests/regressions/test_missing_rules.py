"""A rule that does not cover a call is refused like everything else: with the line and a hint."""

from __future__ import annotations

import numpy as np
import pytest

import s2sad
from s2sad.rules import rule
from tests.checker import refused


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
        return np.linalg.norm(x, 1)

    with pytest.raises(s2sad.UnsupportedError, match="ord=1") as caught:
        s2sad.grad(f)(np.ones(3))
    assert "np.linalg.norm(x, 1)" in str(caught.value)
