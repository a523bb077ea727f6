"""ba: bundle adjustment; the Jacobian has a block of 2 by 15 for each observation.

Cameras and points are gathered for each observation first. Then what belongs to one observation
depends on nothing else, and one reverse sweep over all of them gives a row of every block.
"""

from __future__ import annotations

import math
from typing import Any

import numba
import numpy as np

import s2sad

from ..tool import Function


@numba.njit(error_model="numpy")
def project(cameras: np.ndarray, points: np.ndarray, i: int) -> tuple[float, float]:
    """Where camera i (rotation, centre, focal length, principal point, distortion) sees point i."""
    x = points[i, 0] - cameras[i, 3]
    y = points[i, 1] - cameras[i, 4]
    z = points[i, 2] - cameras[i, 5]
    r0, r1, r2 = cameras[i, 0], cameras[i, 1], cameras[i, 2]
    square = r0 * r0 + r1 * r1 + r2 * r2
    if square != 0.0:
        theta = math.sqrt(square)
        c, s = math.cos(theta), math.sin(theta)
        w0, w1, w2 = r0 / theta, r1 / theta, r2 / theta
        along = (w0 * x + w1 * y + w2 * z) * (1.0 - c)
        u = x * c + (w1 * z - w2 * y) * s + w0 * along
        v = y * c + (w2 * x - w0 * z) * s + w1 * along
        depth = z * c + (w0 * y - w1 * x) * s + w2 * along
    else:
        u = x + r1 * z - r2 * y
        v = y + r2 * x - r0 * z
        depth = z + r0 * y - r1 * x
    u /= depth
    v /= depth
    radius = u * u + v * v
    distortion = 1.0 + cameras[i, 9] * radius + cameras[i, 10] * radius * radius
    f = cameras[i, 6]
    return u * distortion * f + cameras[i, 7], v * distortion * f + cameras[i, 8]


@numba.njit(error_model="numpy")
def errors(
    cameras: np.ndarray, points: np.ndarray, weights: np.ndarray, features: np.ndarray
) -> np.ndarray:
    """The reprojection errors: two for each observation."""
    out = np.empty((len(weights), 2))
    for i in range(len(weights)):
        u, v = project(cameras, points, i)
        out[i, 0] = weights[i] * (u - features[i, 0])
        out[i, 1] = weights[i] * (v - features[i, 1])
    return out


@numba.njit(error_model="numpy")
def total(
    cameras: np.ndarray,
    points: np.ndarray,
    weights: np.ndarray,
    features: np.ndarray,
    axis: int,
) -> float:
    """The sum of the errors along one axis, whose gradient holds a row of every block."""
    out = 0.0
    for i in range(len(weights)):
        u, v = project(cameras, points, i)
        if axis == 0:
            out += weights[i] * (u - features[i, 0])
        else:
            out += weights[i] * (v - features[i, 1])
    return out


@numba.njit(error_model="numpy")
def weight_errors(weights: np.ndarray) -> np.ndarray:
    return 1.0 - weights * weights


row = s2sad.grad(total, (0, 1, 2))
weight_slopes = s2sad.elementwise_grad(weight_errors)


@numba.njit(error_model="numpy")
def gathered(n: int, m: int, cameras: np.ndarray, points: np.ndarray, p: int) -> Any:
    i = np.arange(p)
    return cameras[i % n], points[i % m]


def objective(
    n: int,
    m: int,
    cameras: np.ndarray,
    points: np.ndarray,
    weights: np.ndarray,
    features: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    seen = gathered(n, m, cameras, points, len(weights))
    return errors(*seen, weights, features), weight_errors(weights)


@numba.njit(error_model="numpy")
def jacobian(
    n: int,
    m: int,
    cameras: np.ndarray,
    points: np.ndarray,
    weights: np.ndarray,
    features: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The Jacobian by compressed rows: where rows begin, columns, values."""
    p = len(weights)
    seen_cameras, seen_points = gathered(n, m, cameras, points, p)
    values = np.empty(31 * p)
    columns = np.empty(31 * p, dtype=np.int64)
    rows = np.empty(3 * p + 1, dtype=np.int64)
    for axis in range(2):
        camera, point, weight = row(seen_cameras, seen_points, weights, features, axis)
        for i in range(p):
            start = 30 * i + 15 * axis
            of_camera, of_point = 11 * (i % n), 11 * n + 3 * (i % m)
            rows[2 * i + axis] = start
            for j in range(11):
                values[start + j] = camera[i, j]
                columns[start + j] = of_camera + j
            for j in range(3):
                values[start + 11 + j] = point[i, j]
                columns[start + 11 + j] = of_point + j
            values[start + 14] = weight[i]
            columns[start + 14] = 11 * n + 3 * m + i
    values[30 * p :] = weight_slopes(weights)
    for i in range(p):
        rows[2 * p + i] = 30 * p + i
        columns[30 * p + i] = 11 * n + 3 * m + i
    rows[3 * p] = 31 * p
    return rows, columns, values


def prepare(given: dict[str, Any]) -> tuple[Any, ...]:
    n, m, p = given["n"], given["m"], given["p"]
    return (
        n,
        m,
        np.tile(np.array(given["cam"], dtype=float), (n, 1)),
        np.tile(np.array(given["x"], dtype=float), (m, 1)),
        np.full(p, float(given["w"])),
        np.tile(np.array(given["feat"], dtype=float), (p, 1)),
    )


def summary(out: tuple[np.ndarray, np.ndarray]) -> dict[str, Any]:
    reprojection, weight = out
    return {
        "reproj_error": {"elements": reprojection[0].tolist(), "repeated": len(reprojection)},
        "w_err": {"element": float(weight[0]), "repeated": len(weight)},
    }


def ends(out: tuple[np.ndarray, np.ndarray, np.ndarray]) -> dict[str, Any]:
    names = ("rows", "cols", "vals")
    return {
        name: [*array[:30].tolist(), array[-1].item()]
        for name, array in zip(names, out, strict=True)
    }


FUNCTIONS = {
    "objective": Function(objective, prepare, summary),
    "jacobian": Function(jacobian, prepare, ends),
}
EXAMPLES = [
    {
        "n": 2,
        "m": 2,
        "p": 3,
        "cam": [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.1],
        "x": [1.0, 2.0, 3.0],
        "w": 0.5,
        "feat": [0.1, 0.2],
    }
]
