"""A value that is an array on one path and a number on the other."""

from __future__ import annotations

import numpy as np
import pytest

import s2sad
from tests.checker import check

X = np.array([0.3, 1.2, -0.7])


def weights_or_one(x, weigh):
    w = x if weigh else 1.0
    return np.sum(w * x)


def weights_by_value(x):
    w = x if x[0] > 0.0 else 1.0
    return np.sum(w * x) + np.mean(w) * np.max(w)


def test_a_reduction_of_either_is_a_number() -> None:
    check(weights_or_one, X, True)
    check(weights_or_one, X, False)
    check(weights_by_value, X)
    check(weights_by_value, -X)


def test_a_result_of_unknown_rank_is_named() -> None:
    with pytest.raises(s2sad.OutputError, match="a number on one path and an array on another"):
        s2sad.grad(lambda x: x if x[0] > 0.0 else 1.0)(X)
