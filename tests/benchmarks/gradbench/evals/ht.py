"""ht: how far the points of a hand model are from measured ones, and the Jacobian in the pose.

The pose has 26 parameters; a point on a triangle has two more of its own. Points depend on no
other's, so two directions serve all of those: forward mode needs 28 directions in all.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import s2sad

from ..tool import Function


def rotations(angles: np.ndarray) -> np.ndarray:
    """Rz Ry Rx of the columns of ``angles``, in which rows are x, z and y: shape (bones, 3, 3)."""
    cx, cz, cy = np.cos(angles)
    sx, sz, sy = np.sin(angles)
    rows = np.stack(
        [
            np.stack([cz * cy, cz * sy * sx - sz * cx, cz * sy * cx + sz * sx]),
            np.stack([sz * cy, sz * sy * sx + cz * cx, sz * sy * cx - cz * sx]),
            np.stack([-sy, cy * sx, cy * cx]),
        ]
    )
    return rows.transpose(2, 0, 1)


def turn(axis: np.ndarray) -> np.ndarray:
    """The rotation about ``axis`` by its length; that of a very short one is none."""
    angle = np.sqrt(np.sum(axis * axis))
    if angle < 1e-4:
        return np.eye(3)
    x, y, z = axis / angle
    c, s = np.cos(angle), np.sin(angle)
    return np.array(
        [
            [x * x + (1 - x * x) * c, x * y * (1 - c) - z * s, x * z * (1 - c) + y * s],
            [x * y * (1 - c) + z * s, y * y + (1 - y * y) * c, y * z * (1 - c) - x * s],
            [x * z * (1 - c) - y * s, z * y * (1 - c) + x * s, z * z + (1 - z * z) * c],
        ]
    )


def vertices(
    theta: np.ndarray,
    parents: tuple[int, ...],
    relatives: np.ndarray,
    inverses: np.ndarray,
    skin: np.ndarray,
    mirrored: bool,
) -> np.ndarray:
    """The posed vertices, shape (3, vertices); ``skin`` has weighted positions, a row for each
    bone and homogeneous coordinate."""
    bones = len(parents)
    angles = np.zeros((3, bones))
    at, bone = 6, 2
    for _ in range(5):
        angles[0, bone] = theta[at]
        angles[1, bone] = theta[at + 1]
        angles[0, bone + 1] = theta[at + 2]
        angles[0, bone + 2] = theta[at + 3]
        at += 4
        bone += 4
    posed = relatives.copy()
    posed[:, :, :3] = relatives[:, :, :3] @ rotations(angles)
    absolutes = []
    for i in range(bones):
        if parents[i] == -1:
            absolutes.append(posed[i])
        else:
            absolutes.append(absolutes[parents[i]] @ posed[i])
    transforms = np.stack(absolutes) @ inverses
    positions = transforms[:, :3].transpose(1, 0, 2).reshape(3, 4 * bones) @ skin
    if mirrored:
        positions[0] *= -1.0
    return turn(theta[:3]) @ positions + theta[3:6, None]


def simple(
    theta: np.ndarray,
    model: tuple[Any, ...],
    points: np.ndarray,
    nearest: np.ndarray,
) -> np.ndarray:
    """Measured points less the vertices that correspond to them, point by point."""
    parents, relatives, inverses, skin, mirrored = model
    posed = vertices(theta, parents, relatives, inverses, skin, mirrored)
    return (points - posed[:, nearest]).T.ravel()


def complicated(
    theta: np.ndarray,
    us: np.ndarray,
    model: tuple[Any, ...],
    points: np.ndarray,
    corners: np.ndarray,
) -> np.ndarray:
    """Measured points less points on triangles, whose coordinates in them are ``us``."""
    parents, relatives, inverses, skin, mirrored = model
    posed = vertices(theta, parents, relatives, inverses, skin, mirrored)
    u, v = us[:, 0], us[:, 1]
    a, b, c = posed[:, corners[:, 0]], posed[:, corners[:, 1]], posed[:, corners[:, 2]]
    return (points - (u * a + v * b + (1.0 - u - v) * c)).T.ravel()


slopes_simple = s2sad.jacfwd(simple, backend="numba")
slopes_complicated = s2sad.jacfwd(complicated, backend="numba")
along_us = s2sad.jvp(complicated, backend="numba")


def objective(theta: np.ndarray, us: np.ndarray | None, *rest: Any) -> np.ndarray:
    return simple(theta, *rest) if us is None else complicated(theta, us, *rest)


def jacobian(theta: np.ndarray, us: np.ndarray | None, *rest: Any) -> np.ndarray:
    if us is None:
        return slopes_simple(theta, *rest)
    first, second = np.zeros_like(us), np.zeros_like(us)
    first[:, 0] = second[:, 1] = 1.0
    still = (None,) * len(rest)
    own = [along_us((theta, us, *rest), (None, along, *still))[1] for along in (first, second)]
    return np.column_stack([*own, slopes_complicated(theta, us, *rest)])


def prepare(given: dict[str, Any]) -> tuple[Any, ...]:
    data = given["data"]
    model = data["model"]
    positions = np.array(model["base_positions"], dtype=float)  # (vertices, 4)
    weights = np.array(model["weights"], dtype=float)  # (vertices, bones)
    skin = np.einsum("vb,vj->bjv", weights, positions).reshape(-1, len(positions))
    made = (
        tuple(int(p) for p in model["parents"]),
        np.array(model["base_relatives"], dtype=float),
        np.array(model["inverse_base_absolutes"], dtype=float),
        skin,
        bool(model["is_mirrored"]),
    )
    nearest = np.array(data["correspondences"], dtype=int)
    us = np.array(given["us"], dtype=float).reshape(-1, 2) if given["us"] else None
    if us is not None:
        nearest = np.array(model["triangles"], dtype=int)[nearest]
    points = np.ascontiguousarray(np.array(data["points"], dtype=float).T)
    return np.array(given["theta"], dtype=float), us, made, points, nearest


def example(with_us: bool) -> dict[str, Any]:
    """A hand of 22 bones, all in one place, and two vertices."""
    eye = np.eye(4).tolist()
    return {
        "theta": [0.1] * 26,
        "us": [[0.3, 0.4]] if with_us else [],
        "data": {
            "correspondences": [0],
            "points": [[0.1, 0.2, 0.3]],
            "model": {
                "parents": [-1, *range(21)],
                "base_relatives": [eye] * 22,
                "inverse_base_absolutes": [eye] * 22,
                "base_positions": [[0.1, 0.2, 0.3, 1.0], [0.3, 0.2, 0.1, 1.0]],
                "weights": [[1.0 / 22] * 22] * 2,
                "triangles": [[0, 1, 0]],
                "is_mirrored": False,
            },
        },
    }


FUNCTIONS = {
    "objective": Function(objective, prepare, np.ndarray.tolist),
    "jacobian": Function(jacobian, prepare, np.ndarray.tolist),
}
EXAMPLES = [example(False), example(True)]
