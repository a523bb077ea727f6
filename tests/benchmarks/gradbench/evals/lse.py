"""lse: the logarithm of a sum of exponentials, on NumPy, whose exp is vectorised."""

from __future__ import annotations

from typing import Any

import numpy as np

import s2sad

from ..tool import Function


def logsumexp(x: np.ndarray) -> float:
    top = np.max(x)
    return np.log(np.sum(np.exp(x - top))) + top


def prepare(given: dict[str, Any]) -> tuple[Any, ...]:
    return (np.array(given["x"], dtype=float),)


FUNCTIONS = {
    "primal": Function(logsumexp, prepare, float),
    "gradient": Function(s2sad.grad(logsumexp), prepare, np.ndarray.tolist),
}
EXAMPLES = [{"x": [0.1, 0.2]}, {"x": [0.5]}]
