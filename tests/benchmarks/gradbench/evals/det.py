"""det: a determinant by expansion in minors; rows and columns left are linked lists of ints."""

from __future__ import annotations

from typing import Any

import numba
import numpy as np

import s2sad

from ..tool import Function


@numba.njit(error_model="numpy")
def minor(a: np.ndarray, n: int, m: int, rows: np.ndarray, columns: np.ndarray) -> float:
    """The determinant of the m rows and columns that are left, n heading both lists."""
    row = rows[n]
    column = columns[n]
    if m == 1:
        return a[row * n + column]
    total = 0.0
    sign = 1.0
    rows[n] = rows[row]
    previous = n
    for _ in range(m):
        columns[previous] = columns[column]
        total += sign * a[row * n + column] * minor(a, n, m - 1, rows, columns)
        columns[previous] = column
        previous = column
        column = columns[column]
        sign = -sign
    rows[n] = row
    return total


@numba.njit(error_model="numpy")
def determinant(a: np.ndarray, n: int) -> float:
    rows = (np.arange(n + 1) + 1) % (n + 1)
    columns = (np.arange(n + 1) + 1) % (n + 1)
    rows[n] = 0
    columns[n] = 0
    return minor(a, n, n, rows, columns)


def prepare(given: dict[str, Any]) -> tuple[Any, ...]:
    return np.array(given["A"], dtype=float), given["ell"]


FUNCTIONS = {
    "primal": Function(determinant, prepare, float),
    "gradient": Function(s2sad.grad(determinant), prepare, np.ndarray.tolist),
}
EXAMPLES = [{"A": [1.0, 2.0, 3.0, 4.0], "ell": 2}]
