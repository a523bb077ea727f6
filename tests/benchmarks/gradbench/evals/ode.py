"""ode: a chain of differential equations by Runge-Kutta steps, in loops over the components."""

from __future__ import annotations

from typing import Any

import numba
import numpy as np

import s2sad

from ..tool import Function


def slope(x: np.ndarray, y: np.ndarray, out: np.ndarray) -> None:
    out[0] = x[0]
    for i in range(1, len(x)):
        out[i] = x[i] * y[i - 1]


def integrate(x: np.ndarray, s: int) -> np.ndarray:
    n = len(x)
    h = 2.0 / s
    y = np.zeros(n)
    z = np.zeros(n)
    k1, k2, k3, k4 = np.zeros(n), np.zeros(n), np.zeros(n), np.zeros(n)
    for _ in range(s):
        slope(x, y, k1)
        for i in range(n):
            z[i] = y[i] + h * k1[i] / 2.0
        slope(x, z, k2)
        for i in range(n):
            z[i] = y[i] + h * k2[i] / 2.0
        slope(x, z, k3)
        for i in range(n):
            z[i] = y[i] + h * k3[i]
        slope(x, z, k4)
        for i in range(n):
            y[i] += h * (k1[i] + 2.0 * k2[i] + 2.0 * k3[i] + k4[i]) / 6.0
    return y


def last(x: np.ndarray, s: int) -> float:
    return integrate(x, s)[len(x) - 1]


def prepare(given: dict[str, Any]) -> tuple[Any, ...]:
    return np.array(given["x"], dtype=float), given["s"]


def compiled() -> Any:
    """The primal as a user of Numba has it: helpers compiled, too."""
    scope = dict(globals(), slope=numba.njit(slope, error_model="numpy"))
    body = type(integrate)(integrate.__code__, scope)
    return numba.njit(body, error_model="numpy")


FUNCTIONS = {
    "primal": Function(compiled(), prepare, np.ndarray.tolist),
    "gradient": Function(s2sad.grad(last, backend="numba"), prepare, np.ndarray.tolist),
}
EXAMPLES = [{"x": [0.1, 0.2], "s": 2}]
