"""A value that may be None is told apart at run time; one of no known type is refused."""

from __future__ import annotations

import random

import numpy as np
import pytest

import s2sad
from tests.checker import check, refused


def largest(x):
    best = None
    for v in x:
        if best is None or v > best:
            best = v
    return best * best


def noisy(x):
    return x * random.random()


def test_none_or_a_number() -> None:
    check(largest, np.array([0.3, 1.7, -0.4]))
    with pytest.raises(TypeError, match="'best' is None here"):
        s2sad.grad(largest)(np.zeros(0))


def number_or_text(x):
    y = x if x > 1.0 else "small"
    return y * x


def test_a_number_or_text() -> None:
    message = refused(number_or_text, 2.0, match="unknown type")
    assert "None is neither" in message


def test_the_result_of_a_function_without_a_rule() -> None:
    assert "needs a rule" in refused(noisy, 2.0, match="unknown type")
