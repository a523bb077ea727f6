"""Whether the derivatives of an eval are right: by central differences or in closed form.

``error(name, given)`` is how far off they are, relative to their own size; ``check`` raises. Gradients are compared
along directions that are drawn from a seed.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

#: Which arguments of the primal the derivative is with respect to, and the names of both.
GRADIENTS = {
    "llsq": ((0,), "primal", "gradient"),
    "lse": ((0,), "primal", "gradient"),
    "ode": ((0,), "primal", "gradient"),
    "det": ((0,), "primal", "gradient"),
    "gmm": ((0, 1, 2, 3), "objective", "jacobian"),
    "lstm": ((0, 1), "objective", "jacobian"),
}

#: How far a derivative may be off: where a descent stops within a tolerance, what follows from it.
TOLERANCES = {"particle": 1e-3, "saddle": 1e-4}


def functions(name: str) -> dict[str, Any]:
    return importlib.import_module(f".evals.{name}", __package__).FUNCTIONS


def check(name: str, given: Any) -> float:
    """The error; raises AssertionError if it is too large."""
    found = error(name, given)
    assert found < TOLERANCES.get(name, 1e-5), f"{name}: off by {found:.1e}"
    return found


def error(name: str, given: Any) -> float:
    """The relative error of the derivatives of an eval at this input."""
    found = functions(name)
    if name in GRADIENTS:
        argnums, primal, gradient = GRADIENTS[name]
        args = found[gradient].prepare(given)
        out = found[gradient].run(*args)
        parts = out if isinstance(out, tuple) else (out,)

        def value(*args: Any) -> np.ndarray:
            # ode answers with all components; its gradient is that of the last
            return np.atleast_1d(found[primal].run(*args))[-1]

        def along(directions: Sequence[np.ndarray]) -> Any:
            return sum(np.sum(g * d) for g, d in zip(parts, directions, strict=True))

        size = float(np.sqrt(sum(np.sum(g * g) for g in parts)))
        return differences(value, args, argnums, along, 1e-3 * size)
    return globals()[f"_{name}"](found, given)


def differences(
    f: Callable[..., Any],
    args: tuple[Any, ...],
    argnums: Sequence[int],
    along: Callable[[Sequence[np.ndarray]], Any],
    least: float = 0.0,
) -> float:
    """The worst of three directions, each at the best of several steps."""
    rng = np.random.default_rng(1)
    worst = 0.0
    for _ in range(3):
        directions = [rng.normal(size=np.shape(args[n])) for n in argnums]
        expected = np.asarray(along(directions))
        errors = []
        for step in (1e-4, 1e-5, 1e-6):
            ends = []
            for sign in (step, -step):
                moved = list(args)
                for n, d in zip(argnums, directions, strict=True):
                    moved[n] = args[n] + sign * d
                ends.append(np.asarray(f(*moved)))
            slope = (ends[0] - ends[1]) / (2.0 * step)
            scale = max(float(np.max(np.abs(slope))), least)
            # all zeros say nothing, and count as wrong
            errors.append(float(np.max(np.abs(slope - expected))) / scale if scale else np.inf)
        worst = max(worst, min(errors))
    return worst


def _hello(found: dict[str, Any], given: float) -> float:
    return abs(found["double"].run(given) - 2.0 * given)


def _kmeans(found: dict[str, Any], given: dict[str, Any]) -> float:
    """Newton's direction leads from a centroid to the mean of the points nearest to it."""
    points, centroids = found["dir"].prepare(given)
    out = found["dir"].run(points, centroids)
    squares = np.stack([np.sum((points - c) ** 2, axis=1) for c in centroids])
    nearest = np.argmin(squares, axis=0)
    means = np.stack([points[nearest == j].mean(axis=0) for j in range(len(centroids))])
    return float(np.max(np.abs(out - (centroids - means))) / np.max(np.abs(out)))


def _ba(found: dict[str, Any], given: dict[str, Any]) -> float:
    """The Jacobian, put together from its rows, against differences of all errors."""
    n, m, cameras, points, weights, features = found["jacobian"].prepare(given)
    # unlike upstream's, no two cameras, points or weights are equal here
    rng = np.random.default_rng(2)
    cameras = cameras * (1.0 + 0.01 * rng.normal(size=cameras.shape))
    points = points + 0.1 * rng.normal(size=points.shape)
    weights = weights + 0.1 * rng.normal(size=weights.shape)
    starts, columns, values = found["jacobian"].run(n, m, cameras, points, weights, features)
    rows = np.repeat(np.arange(len(starts) - 1), np.diff(starts))

    def value(*args: Any) -> np.ndarray:
        return np.concatenate([part.ravel() for part in found["objective"].run(*args)])

    def along(directions: Sequence[np.ndarray]) -> np.ndarray:
        d = np.concatenate([part.ravel() for part in directions])
        return np.bincount(rows, values * d[columns], len(starts) - 1)

    args = (n, m, cameras, points, weights, features)
    return differences(value, args, (2, 3, 4), along)


def _ht(found: dict[str, Any], given: dict[str, Any]) -> float:
    args = found["jacobian"].prepare(given)
    matrix = found["jacobian"].run(*args)
    if args[1] is None:
        return differences(found["objective"].run, args, (0,), lambda d: matrix @ d[0])

    def along(directions: Sequence[np.ndarray]) -> np.ndarray:
        theta, us = directions
        own = matrix[:, :2] * np.repeat(us, 3, axis=0)
        return np.sum(own, axis=1) + matrix[:, 2:] @ theta

    return differences(found["objective"].run, args, (0, 1), along)


def _particle(found: dict[str, Any], given: dict[str, Any]) -> float:
    """The slope, by differences, at the minima that were found; all four agree."""
    from .evals.particle import potential

    def landing(w: float) -> float:
        x, y, vx, vy, e = 0.0, 8.0, 0.75, 0.0, 1e-5
        while True:
            ax = (potential(x + e, y, w) - potential(x - e, y, w)) / (2 * e)
            ay = (potential(x, y + e, w) - potential(x, y - e, w)) / (2 * e)
            if y + 0.1 * vy < 0.0:
                crossing = x - y / vy * vx
                return crossing * crossing
            x, y, vx, vy = x + 0.1 * vx, y + 0.1 * vy, vx - 0.1 * ax, vy - 0.1 * ay

    minima = [f.run(*f.prepare(given)) for f in found.values()]
    w, e = minima[0], 1e-3
    start = float(given["w"])
    at, before = (abs(landing(p + e) - landing(p - e)) for p in (w, start))
    return max(max(minima) - min(minima), at / before)


def _saddle(found: dict[str, Any], given: dict[str, Any]) -> float:
    """The saddle is at the origin; descent stops near it."""
    points = [f.run(*f.prepare(given)) for f in found.values()]
    far = max(abs(x) for point in points for x in point)
    apart = max(abs(a - b) for p in points for a, b in zip(points[0], p, strict=True))
    return max(apart, far - 1e-4)
