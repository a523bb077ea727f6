"""kmeans: distances to the nearest centroid; Newton's direction with the Hessian's diagonal.

Every second derivative across coordinates is zero, so the diagonal is the Hessian times ones.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np

import s2sad

from ..tool import Function


@numba.njit(error_model="numpy")
def nearest(point: np.ndarray, centroids: np.ndarray) -> int:
    """Which centroid is nearest to the point."""
    least, found = np.inf, 0
    for j in range(len(centroids)):
        distance = 0.0
        for a in range(len(point)):
            step = point[a] - centroids[j, a]
            distance += step * step
        if distance < least:
            least, found = distance, j
    return found


@numba.njit(error_model="numpy")
def cost(points: np.ndarray, centroids: np.ndarray) -> float:
    total = 0.0
    for i in range(len(points)):
        j = nearest(points[i], centroids)
        for a in range(points.shape[1]):
            step = points[i, a] - centroids[j, a]
            total += step * step
    return total


gradient = s2sad.grad(cost, "centroids")


def direction(points: np.ndarray, centroids: np.ndarray) -> np.ndarray:
    ones = np.ones_like(centroids)
    slope, curvature = s2sad.jvp(gradient, (points, centroids), (None, ones))
    return slope / curvature


def prepare(given: dict[str, Any]) -> tuple[Any, ...]:
    return np.array(given["points"], dtype=float), np.array(given["centroids"], dtype=float)


FUNCTIONS = {
    "cost": Function(cost, prepare, float),
    "dir": Function(direction, prepare, np.ndarray.tolist),
}
EXAMPLES = [{"points": [[0.0, 1.0], [2.0, 3.0]], "centroids": [[0.5, 0.5], [2.0, 2.0]]}]
