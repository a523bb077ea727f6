"""Gradient descent with a step that doubles after ten successes and halves after a failure."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence


def minimum(
    f: Callable[[Sequence[float]], float],
    gradient: Callable[[Sequence[float]], Sequence[float]],
    start: Sequence[float],
) -> list[float]:
    """The point where the gradient, or a step, is shorter than 1e-5."""
    x = list(start)
    value, slope = f(x), gradient(x)
    successes, rate = 0, 1e-5
    while math.hypot(*slope) > 1e-5:
        if successes == 10:
            rate, successes = 2.0 * rate, 0
            continue
        new = [a - rate * g for a, g in zip(x, slope, strict=True)]
        if math.dist(x, new) <= 1e-5:
            break
        lower = f(new)
        if lower < value:
            x, value, slope = new, lower, gradient(new)
            successes += 1
        else:
            rate, successes = 0.5 * rate, 0
    return x
