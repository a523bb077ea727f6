"""llsq: least squares of a polynomial against a step, in two loops over numbers."""

from __future__ import annotations

from typing import Any

import numba
import numpy as np

import s2sad

from ..tool import Function


def squares(x: np.ndarray, n: int) -> float:
    total = 0.0
    for i in range(n):
        t = -1.0 + i * 2.0 / (n - 1.0)
        r = np.sign(t)
        power = 1.0
        for j in range(len(x)):
            r -= x[j] * power
            power *= t
        total += r * r
    return total / 2.0


def prepare(given: dict[str, Any]) -> tuple[Any, ...]:
    return np.array(given["x"], dtype=float), given["n"]


FUNCTIONS = {
    "primal": Function(numba.njit(squares, error_model="numpy"), prepare, float),
    "gradient": Function(s2sad.grad(squares, backend="numba"), prepare, np.ndarray.tolist),
}
EXAMPLES = [{"x": [0.1, 0.2], "n": 4}]
