"""A value of no known type is refused with a hint."""

from __future__ import annotations

import random

import numpy as np

from tests.checker import refused


def largest(x):
    best = None
    for v in x:
        if best is None or v > best:
            best = v
    return best * best


def noisy(x):
    return x * random.random()


def test_none_or_a_number() -> None:
    message = refused(largest, np.ones(3), match="unknown type")
    assert "None is neither" in message


def test_the_result_of_a_function_without_a_rule() -> None:
    assert "needs a rule" in refused(noisy, 2.0, match="unknown type")
