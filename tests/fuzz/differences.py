"""Central differences with an error estimate, and a check that the point is smooth.

In: a function of floats, arrays and containers, and which arguments to differentiate.
Out: per active argument the derivative by every float of it, with an estimate of the error, or
``NotSmooth`` where one-sided differences disagree or step sizes do not converge.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from .program import leaves, plain, rebuild

STEPS = (4e-3, 2e-3, 1e-3)
CLOSER_STEPS = ((4e-4, 2e-4, 1e-4), (4e-5, 2e-5, 1e-5))
ACCEPTED_ERROR = 1e-7
TINY = 1e-8
ACCEPTED_AT_TINY = 1e-4


class NotSmooth(Exception):
    """The function has a kink or a jump within reach of the step sizes."""


@dataclass(frozen=True, slots=True)
class Difference:
    """Derivatives by the floats of one argument, with the error of each."""

    values: np.ndarray
    errors: np.ndarray

    def worst(self, gradient: np.ndarray) -> float:
        """How many tolerances ``gradient`` is away, at its worst float (above 1 is a failure)."""
        scale = 1e-7 * np.maximum(1.0, np.abs(self.values).max(initial=0.0))
        off = np.abs(gradient - self.values) / (20.0 * self.errors + scale)
        off = np.where(np.isfinite(gradient), off, np.inf)
        return float(off.max(initial=0.0))


def differences(
    f: Callable[..., Any],
    args: tuple[Any, ...],
    argnums: tuple[int, ...],
    steps: tuple[float, float, float] = STEPS,
) -> list[Difference]:
    """Derivatives of ``f`` at ``args`` by sixth-order central differences.

    Raises ``NotSmooth``, and whatever ``f`` raises at a neighbouring point.
    """
    centre = float(plain(f, args))
    found = []
    for argnum in argnums:
        numbers = leaves(args[argnum])
        pairs = [
            _derivative(f, args, argnum, numbers, i, centre, steps) for i in range(len(numbers))
        ]
        values, errors = np.array(pairs).reshape(-1, 2).T
        found.append(Difference(values, errors))
    return found


def _derivative(
    f: Callable[..., Any],
    args: tuple[Any, ...],
    argnum: int,
    numbers: list[float],
    i: int,
    centre: float,
    steps: tuple[float, float, float],
) -> tuple[float, float]:
    def at(step: float) -> float:
        moved = [*numbers[:i], numbers[i] + step, *numbers[i + 1 :]]
        shifted = rebuild(args[argnum], iter(moved))
        return float(plain(f, (*args[:argnum], shifted, *args[argnum + 1 :])))

    central, bend = [], []
    for h in steps:
        up, down = at(h), at(-h)
        central.append((up - down) / (2.0 * h))
        bend.append(abs(up - 2.0 * centre + down) / h)
    scale = max(1.0, abs(central[-1]), abs(centre))
    # Richardson: errors in h**2, then in h**4, are eliminated.
    first = [
        (4.0 * fine - coarse) / 3.0 for coarse, fine in zip(central, central[1:], strict=False)
    ]
    best = (16.0 * first[1] - first[0]) / 15.0
    error = abs(best - first[1]) + 1e-11 * scale
    if error > ACCEPTED_ERROR * scale:
        raise NotSmooth(f"step sizes disagree by {error:.1e}")
    # What oscillates within a step looks smooth, with another slope, to steps that are longer.
    if abs((at(TINY) - at(-TINY)) / (2.0 * TINY) - best) > ACCEPTED_AT_TINY * scale:
        raise NotSmooth("a tiny step disagrees")
    # Where f is smooth the one-sided slopes approach each other as h shrinks; at a kink they don't.
    if bend[-1] > 0.5 * bend[0] + 1e-8 * scale:
        raise NotSmooth("one-sided differences disagree")
    return best, error
