"""Small programs that the tests of forward mode share, and slopes of them by differences.

In: nothing.  Out: programs of one vector or number, ``V3`` to call them at, and ``slope``.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

V3 = np.array([0.3, -0.7, 1.1])


def rosenbrock(x: Any) -> Any:
    return np.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2)


def cubes(x: Any, k: Any = 2.0) -> Any:
    return k * np.sum(x**3)


def in_place(x: Any, k: Any) -> Any:
    """A loop, a branch that leaves, and writes."""
    u = x.copy()
    total = 0.0
    for i in range(10):
        u[1:] += k * u[:-1] * u[1:]
        if u[0] * i > 3.0:
            break
        total += np.sum(u**2) * 0.1
        u[0] = math.sin(total)
    return total


def product(x: Any, n: Any) -> Any:
    if n == 0:
        return 1.0
    return x * product(x, n - 1)


def slope(f: Any, x: Any, v: Any, h: float = 1e-5) -> Any:
    """The derivative of f at x along v, by extrapolated central differences."""

    def at(step: float) -> Any:
        return (np.asarray(f(x + step * v)) - np.asarray(f(x - step * v))) / (2.0 * step)

    return (4.0 * at(h / 2.0) - at(h)) / 3.0
