"""Inputs of the evals, drawn from a seed: of the sizes of the table, and small ones to check."""

from __future__ import annotations

from typing import Any

import numpy as np

#: The sizes of the table: an eval's name and what ``draw`` takes, by what a row is called.
TABLE: dict[str, tuple[str, dict[str, Any]]] = {
    "llsq 16392×128": ("llsq", {"n": 16392, "m": 128}),
    "lse 160k": ("lse", {"n": 160_000}),
    "ode 1e4, s 100": ("ode", {"n": 10_000, "s": 100}),
    "det 8": ("det", {"ell": 8}),
    "gmm 10_5_1000": ("gmm", {"d": 10, "k": 5, "n": 1000}),
    "gmm 32_25_1000": ("gmm", {"d": 32, "k": 25, "n": 1000}),
    "kmeans 100, 1e4, 8": ("kmeans", {"k": 100, "n": 10_000, "d": 8}),
    "lstm l 4, c 1024": ("lstm", {"l": 4, "c": 1024}),
    "ba1 (p 31843)": ("ba", {"n": 49, "m": 7776, "p": 31_843}),
    "ht simple, 100": ("ht", {"vertices": 544, "count": 100, "with_us": False}),
    "ht complicated, 100": ("ht", {"vertices": 544, "count": 100, "with_us": True}),
    "particle": ("particle", {}),
    "saddle": ("saddle", {}),
}

#: Sizes at which no derivative is so small that differences would not see it.
SMALL: dict[str, tuple[str, dict[str, Any]]] = {
    "hello": ("hello", {}),
    "llsq": ("llsq", {"n": 20, "m": 5}),
    "lse": ("lse", {"n": 40}),
    "ode": ("ode", {"n": 4, "s": 10}),
    "det": ("det", {"ell": 4}),
    "gmm": ("gmm", {"d": 4, "k": 3, "n": 20}),
    "kmeans": ("kmeans", {"k": 3, "n": 40, "d": 2}),
    "lstm": ("lstm", {"l": 2, "c": 12}),
    "ba": ("ba", {"n": 3, "m": 4, "p": 7}),
    "ht simple": ("ht", {"vertices": 30, "count": 9, "with_us": False}),
    "ht complicated": ("ht", {"vertices": 30, "count": 9, "with_us": True}),
    "particle": ("particle", {}),
    "saddle": ("saddle", {}),
}


def draw(name: str, **size: Any) -> Any:
    """The input of an eval, as the protocol has it."""
    return globals()[f"_{name}"](np.random.default_rng(0), **size)


def _hello(rng: np.random.Generator) -> float:
    return 3.0


def _llsq(rng: np.random.Generator, n: int, m: int) -> dict[str, Any]:
    return {"x": rng.normal(size=m).tolist(), "n": n}


def _lse(rng: np.random.Generator, n: int) -> dict[str, Any]:
    return {"x": rng.normal(size=n).tolist()}


def _ode(rng: np.random.Generator, n: int, s: int) -> dict[str, Any]:
    return {"x": rng.uniform(size=n).tolist(), "s": s}


def _det(rng: np.random.Generator, ell: int) -> dict[str, Any]:
    return {"A": rng.uniform(size=ell * ell).tolist(), "ell": ell}


def _gmm(rng: np.random.Generator, d: int, k: int, n: int) -> dict[str, Any]:
    return {
        "d": d,
        "k": k,
        "n": n,
        "alpha": rng.normal(size=k).tolist(),
        "mu": rng.uniform(size=(k, d)).tolist(),
        "q": rng.normal(size=(k, d)).tolist(),
        "l": rng.normal(size=(k, d * (d - 1) // 2)).tolist(),
        "x": rng.normal(size=(n, d)).tolist(),
        "gamma": 1.0,
        "m": 0,
    }


def _kmeans(rng: np.random.Generator, k: int, n: int, d: int) -> dict[str, Any]:
    points = rng.normal(size=(n, d))
    return {"points": points.tolist(), "centroids": (points[:k] + 0.1).tolist()}


def _lstm(rng: np.random.Generator, l: int, c: int, bits: int = 14) -> dict[str, Any]:
    return {
        "main_params": rng.normal(size=(2 * l, 4 * bits)).tolist(),
        "extra_params": rng.normal(size=(3, bits)).tolist(),
        "state": rng.normal(size=(2 * l, bits)).tolist(),
        "sequence": rng.integers(0, 2, (c, bits)).astype(float).tolist(),
    }


def _ba(rng: np.random.Generator, n: int, m: int, p: int) -> dict[str, Any]:
    # One camera, point and feature, repeated as upstream does; focal length and depth as in a
    # photograph of something in front of the camera.
    camera = [0.1, -0.2, 0.3, 0.4, 0.5, -5.0, 2.0, 0.1, 0.2, 1e-2, 1e-3]
    return {
        "n": n,
        "m": m,
        "p": p,
        "cam": camera,
        "x": rng.uniform(size=3).tolist(),
        "w": 0.7,
        "feat": rng.uniform(size=2).tolist(),
    }


def _ht(rng: np.random.Generator, vertices: int, count: int, with_us: bool) -> dict[str, Any]:
    """A wrist, a palm and five chains of four bones on it."""
    parents = [-1, 0]
    for finger in range(5):
        parents += [1, *range(2 + 4 * finger, 5 + 4 * finger)]
    relatives = np.tile(np.eye(4), (22, 1, 1))
    relatives[:, :3, 3] = rng.normal(size=(22, 3))
    absolutes: list[np.ndarray] = []
    for bone, parent in enumerate(parents):
        absolutes.append(relatives[bone] if parent < 0 else absolutes[parent] @ relatives[bone])
    weights = rng.uniform(size=(vertices, 22)) ** 8
    positions = np.concatenate([rng.normal(size=(vertices, 3)), np.ones((vertices, 1))], axis=1)
    triangles = rng.integers(0, vertices, (2 * vertices, 3))
    limit = len(triangles) if with_us else vertices
    return {
        "theta": rng.normal(scale=0.3, size=26).tolist(),
        "us": rng.uniform(0, 0.5, (count, 2)).tolist() if with_us else [],
        "data": {
            "correspondences": rng.integers(0, limit, count).tolist(),
            "points": rng.normal(size=(count, 3)).tolist(),
            "model": {
                "parents": parents,
                "base_relatives": relatives.tolist(),
                "inverse_base_absolutes": np.linalg.inv(np.stack(absolutes)).tolist(),
                "base_positions": positions.tolist(),
                "weights": (weights / weights.sum(axis=1, keepdims=True)).tolist(),
                "triangles": triangles.tolist(),
                "is_mirrored": False,
            },
        },
    }


def _particle(rng: np.random.Generator) -> dict[str, Any]:
    return {"w": 0.0}


def _saddle(rng: np.random.Generator) -> dict[str, Any]:
    return {"start": [1.0, 1.0]}
