"""gmm: the log-posterior of a Gaussian mixture with a Wishart prior, on whole arrays."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import s2sad

from ..tool import Function


def log_posterior(
    alpha: np.ndarray,
    mu: np.ndarray,
    q: np.ndarray,
    l: np.ndarray,  # noqa: E741 - the name it has everywhere
    x: np.ndarray,
    gamma: float,
    m: int,
) -> float:
    """Components have weights ``alpha``, means ``mu`` and inverse factors with exp(q) on the
    diagonal and ``l`` below it, column by column."""
    k, d = mu.shape
    columns, rows = np.triu_indices(d, 1)
    diagonal = np.exp(q)
    factors = np.zeros((k, d, d))
    factors[:, np.arange(d), np.arange(d)] = diagonal
    factors[:, rows, columns] = l
    sums = np.sum(q, axis=1)
    y = (x - mu[:, None, :]) @ factors.transpose(0, 2, 1)
    terms = (alpha + sums)[:, None] - 0.5 * np.einsum("kni,kni->kn", y, y)
    top = np.max(terms, axis=0)
    likelihood = np.sum(np.log(np.sum(np.exp(terms - top), axis=0)) + top)
    largest = np.max(alpha)
    weights = np.log(np.sum(np.exp(alpha - largest))) + largest
    squares = np.sum(diagonal * diagonal) + np.sum(l * l)
    prior = 0.5 * gamma * gamma * squares - m * np.sum(sums)
    n = len(x)
    return constant(d, k, n, gamma, m) + likelihood - n * weights - prior


def constant(d: int, k: int, n: int, gamma: float, m: int) -> float:
    """What does not depend on the parameters."""
    freedom = d + m + 1
    log_gamma = 0.25 * d * (d - 1) * math.log(math.pi)
    for j in range(1, d + 1):
        log_gamma += math.lgamma(0.5 * freedom + 0.5 * (1 - j))
    norm = freedom * d * (math.log(gamma) - 0.5 * math.log(2.0)) - log_gamma
    return k * norm - 0.5 * n * d * math.log(2.0 * math.pi)


def prepare(given: dict[str, Any]) -> tuple[Any, ...]:
    d, k = given["d"], given["k"]
    shapes = {"alpha": (k,), "mu": (k, d), "q": (k, d), "l": (k, d * (d - 1) // 2)}
    arrays = [np.array(given[name], dtype=float).reshape(s) for name, s in shapes.items()]
    x = np.array(given["x"], dtype=float).reshape(given["n"], d)
    return (*arrays, x, given["gamma"], given["m"])


def named(out: tuple[np.ndarray, ...]) -> dict[str, Any]:
    return {name: g.tolist() for name, g in zip(("alpha", "mu", "q", "l"), out, strict=True)}


FUNCTIONS = {
    "objective": Function(log_posterior, prepare, float),
    "jacobian": Function(s2sad.grad(log_posterior, (0, 1, 2, 3), backend="numba"), prepare, named),
}


def example(d: int, k: int) -> dict[str, Any]:
    return {
        "d": d,
        "k": k,
        "n": 3,
        "alpha": [0.1] * k,
        "mu": [[0.2] * d] * k,
        "q": [[0.3] * d] * k,
        "l": [[0.4] * (d * (d - 1) // 2)] * k,
        "x": [[0.5] * d] * 3,
        "gamma": 1.0,
        "m": 0,
    }


EXAMPLES = [example(d, 2) for d in (2, 3)]
