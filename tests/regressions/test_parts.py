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


def bins(x: Any, w: Any) -> Any:
    counts, edges = np.histogram(x, 3, weights=w, range=(0.0, 5.0))
    return counts, edges


def remainders(x: Any, w: Any) -> Any:
    whole, rest = np.divmod(x, w)
    return whole, rest * rest


@pytest.mark.parametrize("f", [bins, remainders])
def test_the_second_result_has_memory_too(f: Any) -> None:
    """Whoever gets it may write to it, and the pullback still gives what it gave."""
    check(f, X + 0.3, np.array([0.5, 0.75, 1.25, 1.7]), variants=False)


@pytest.mark.parametrize("f", [broadcast, grid, part, slope])
def test_the_sum_of_one_part(f: Any) -> None:
    """The cotangent of a whole sum is one number; in a container it stands for an array."""
    check(f, X, 0.5)
