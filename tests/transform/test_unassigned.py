"""Second derivatives of variables that one side of a branch does not assign."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import s2sad


def apart(x: Any, i: int, j: int) -> Any:
    energy = 0.0
    if i != j:
        d = x[j] - x[i]
        energy += (d @ d) ** 1.5
    return energy


def apart_twice(x: Any, i: int, j: int) -> Any:
    energy = 0.0
    if i != j:
        d = x[j] - x[i]
    if i < j:
        energy += (d @ d) ** 1.5
    return energy


X = np.arange(6.0).reshape(2, 3) ** 1.3


@pytest.mark.parametrize("f", [apart, apart_twice])
def test_an_array_that_is_not_there(f: Any) -> None:
    gradient = s2sad.grad(f)
    second = s2sad.grad(lambda x, i, j: (gradient(x, i, j) * X).sum())
    np.testing.assert_array_equal(second(X, 1, 1), np.zeros((2, 3)))
    ahead, behind = (gradient(X + h * X, 0, 1) for h in (1e-5, -1e-5))
    np.testing.assert_allclose(second(X, 0, 1), (ahead - behind) / 2e-5, rtol=1e-6)
