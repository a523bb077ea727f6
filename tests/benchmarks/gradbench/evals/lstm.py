"""lstm: the loss of a diagonal LSTM on a text of bits, in loops over hidden units."""

from __future__ import annotations

import math
from typing import Any

import numba
import numpy as np

import s2sad

from ..tool import Function


@numba.njit(error_model="numpy")
def sigmoid(x: float) -> float:
    return 1.0 / (1.0 + math.exp(-x))


@numba.njit(error_model="numpy")
def loss(main: np.ndarray, extra: np.ndarray, state: np.ndarray, sequence: np.ndarray) -> float:
    """``main`` has a row of weights and one of biases a layer, each for four gates."""
    layers = len(main) // 2
    length, bits = sequence.shape
    hidden = state.copy()  # a row of outputs and one of cells a layer
    x = np.zeros(bits)
    total = 0.0
    for t in range(length - 1):
        for i in range(bits):
            x[i] = sequence[t, i] * extra[0, i]
        for k in range(layers):
            w, b = 2 * k, 2 * k + 1
            for i in range(bits):
                h = hidden[w, i]
                forget = sigmoid(x[i] * main[w, i] + main[b, i])
                ingate = sigmoid(h * main[w, bits + i] + main[b, bits + i])
                outgate = sigmoid(x[i] * main[w, 2 * bits + i] + main[b, 2 * bits + i])
                change = math.tanh(h * main[w, 3 * bits + i] + main[b, 3 * bits + i])
                cell = hidden[b, i] * forget + ingate * change
                hidden[b, i] = cell
                hidden[w, i] = outgate * math.tanh(cell)
                x[i] = hidden[w, i]
        norm = 2.0
        for i in range(bits):
            x[i] = x[i] * extra[1, i] + extra[2, i]
            norm += math.exp(x[i])
        norm = math.log(norm)
        for i in range(bits):
            total += sequence[t + 1, i] * (x[i] - norm)
    return -total / (bits * (length - 1))


def prepare(given: dict[str, Any]) -> tuple[Any, ...]:
    names = ("main_params", "extra_params", "state", "sequence")
    return tuple(np.array(given[name], dtype=float) for name in names)


def flat(out: tuple[np.ndarray, np.ndarray]) -> list[float]:
    return [*out[0].ravel().tolist(), *out[1].ravel().tolist()]


FUNCTIONS = {
    "objective": Function(loss, prepare, float),
    "jacobian": Function(s2sad.grad(loss, (0, 1)), prepare, flat),
}
EXAMPLES = [
    {
        "main_params": [[0.1] * 4, [0.2] * 4],
        "extra_params": [[0.1], [0.2], [0.3]],
        "state": [[0.0], [0.1]],
        "sequence": [[1.0], [0.0], [1.0]],
    }
]
