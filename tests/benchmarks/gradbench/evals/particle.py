"""particle: a particle accelerated by the gradient of a potential; where should a charge be put?

The outer derivative goes through the loop of time steps and the inner one in it. The letters of a
function say the modes: the first is the outer's, the second the inner's.
"""

from __future__ import annotations

import math
from typing import Any

import s2sad

from ..tool import Function
from .descent import minimum


def potential(x: float, y: float, w: float) -> float:
    left = math.sqrt((10.0 - x) ** 2 + (0.0 - y) ** 2)
    right = math.sqrt((10.0 - x) ** 2 + (10.0 - w - y) ** 2)
    return 1.0 / left + 1.0 / right


def pull_reverse(x: float, y: float, w: float) -> tuple[float, float]:
    return s2sad.grad(potential, (0, 1))(x, y, w)


def pull_forward(x: float, y: float, w: float) -> tuple[float, float]:
    return s2sad.derivative(potential, 0)(x, y, w), s2sad.derivative(potential, 1)(x, y, w)


def landing(pull: Any, w: float) -> float:
    """The square of where the particle crosses the axis."""
    x, y, vx, vy = 0.0, 8.0, 0.75, 0.0
    while True:
        ax, ay = pull(x, y, w)
        x_new, y_new = x + 0.1 * vx, y + 0.1 * vy
        vx_new, vy_new = vx - 0.1 * ax, vy - 0.1 * ay
        if y_new < 0.0:
            break
        x, y, vx, vy = x_new, y_new, vx_new, vy_new
    crossing = x - y / vy * vx
    return crossing * crossing


def landing_reverse(w: float) -> float:
    return landing(pull_reverse, w)


def landing_forward(w: float) -> float:
    return landing(pull_forward, w)


def search(landing: Any, slope: Any) -> Any:
    value = s2sad.value_and_grad(landing, backend="numba")
    slope = slope(landing, backend="numba")

    def run(w: float) -> float:
        return float(minimum(lambda p: value(p[0])[0], lambda p: [slope(p[0])], [w])[0])

    return run


def prepare(given: dict[str, Any]) -> tuple[Any, ...]:
    return (float(given["w"]),)


MODES = {"r": (landing_reverse, s2sad.grad), "f": (landing_forward, s2sad.derivative)}
FUNCTIONS = {
    outer + inner: Function(search(MODES[inner][0], MODES[outer][1]), prepare, float)
    for outer in "rf"
    for inner in "rf"
}
EXAMPLES = [{"w": 0.0}]
