"""Cotangents of the parts of a container."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.checker import check

X = np.array([1.0, 2.0, 3.0, 4.0])


def broadcast(x: Any, s: Any) -> Any:
    return np.sum(np.broadcast_arrays(x, s)[1])


def grid(x: Any, s: Any) -> Any:
    return s * np.sum(np.meshgrid(x, x)[0])


def part(x: Any, s: Any) -> Any:
    return s * np.sum(np.split(x, 2)[1])


def slope(x: Any, s: Any) -> Any:
    return s * np.sum(np.gradient(np.reshape(x, (2, 2)))[1])


@pytest.mark.parametrize("f", [broadcast, grid, part, slope])
def test_the_sum_of_one_part(f: Any) -> None:
    """The cotangent of a whole sum is one number; in a container it stands for an array."""
    check(f, X, 0.5)
