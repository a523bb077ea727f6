"""saddle: the least, over p, of the greatest, over q, of a function; both by gradient descent.

The outer gradient goes through the inner descent, which contains a gradient. The letters of a
function say the modes: the first is the outer's, the second the inner's.
"""

from __future__ import annotations

import math
from typing import Any

import s2sad

from ..tool import Function
from .descent import minimum


def height(a: float, b: float, c: float, d: float) -> float:
    return (a * a + b * b) - (c * c + d * d)


def uphill_reverse(a: float, b: float, c: float, d: float) -> tuple[float, float]:
    return s2sad.grad(height, (2, 3))(a, b, c, d)


def uphill_forward(a: float, b: float, c: float, d: float) -> tuple[float, float]:
    return s2sad.derivative(height, 2)(a, b, c, d), s2sad.derivative(height, 3)(a, b, c, d)


def top(uphill: Any, a: float, b: float, c: float, d: float) -> tuple[float, float]:
    """The q = (c, d) that is highest for p = (a, b), by descent on the negative."""
    value = -height(a, b, c, d)
    u, v = uphill(a, b, c, d)
    successes, rate = 0, 1e-5
    while math.sqrt(u * u + v * v) > 1e-5:
        if successes == 10:
            rate, successes = 2.0 * rate, 0
            continue
        c_new, d_new = c + rate * u, d + rate * v
        if math.sqrt((c_new - c) ** 2 + (d_new - d) ** 2) <= 1e-5:
            break
        lower = -height(a, b, c_new, d_new)
        if lower < value:
            c, d, value = c_new, d_new, lower
            u, v = uphill(a, b, c, d)
            successes += 1
        else:
            rate, successes = 0.5 * rate, 0
    return c, d


def highest_reverse(a: float, b: float, c: float, d: float) -> float:
    c, d = top(uphill_reverse, a, b, c, d)
    return height(a, b, c, d)


def highest_forward(a: float, b: float, c: float, d: float) -> float:
    c, d = top(uphill_forward, a, b, c, d)
    return height(a, b, c, d)


def reverse(f: Any) -> Any:
    return s2sad.grad(f, (0, 1), backend="numba")


def forward(f: Any) -> Any:
    a, b = (s2sad.derivative(f, n, backend="numba") for n in (0, 1))
    return lambda *args: (a(*args), b(*args))


def search(highest: Any, uphill: Any, mode: Any) -> Any:
    value, slope = s2sad.value_and_grad(highest, backend="numba"), mode(highest)

    def run(start: list[float]) -> list[float]:
        p = minimum(lambda p: value(*p, *start)[0], lambda p: slope(*p, *start), start)
        return [*p, *top(uphill, *p, *start)]

    return run


def prepare(given: dict[str, Any]) -> tuple[Any, ...]:
    return ([float(x) for x in given["start"]],)


INNER = {"r": (highest_reverse, uphill_reverse), "f": (highest_forward, uphill_forward)}
FUNCTIONS = {
    outer + inner: Function(search(*INNER[inner], mode), prepare, list)
    for outer, mode in (("r", reverse), ("f", forward))
    for inner in "rf"
}
EXAMPLES = [{"start": [1.0, 1.0]}]
