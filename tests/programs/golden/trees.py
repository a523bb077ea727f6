"""Programs on lists, dicts, dataclasses and tuples: networks and other parameters as trees."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from tests.programs import Table

TREES = Table()
X3 = np.array([0.7, -1.2, 2.1])
W33 = np.array([[0.2, 0.4, -0.7], [0.3, 0.1, 0.8], [-0.5, 0.6, 0.4]])
XS = np.array([[0.5, 1.2, -0.3], [-0.7, 0.1, 0.9]])


def rnn(params, inputs):
    h = np.zeros(3)
    loss = 0.0
    for x in inputs:
        h = np.tanh(params["W"] @ h + params["U"] * x)
        loss += h @ h
    return loss


TREES.exact(0, rnn, {"W": W33, "U": X3}, [0.5, -1.1, 0.8, 0.3], argnums=0)


def mlp(params, x, y):
    h = x
    for W, b in params[:-1]:
        h = np.tanh(h @ W + b)
    W, b = params[-1]
    return np.mean((h @ W + b - y) ** 2)


TREES.exact(
    0,
    mlp,
    [(W33, X3), (W33.T * 0.5, X3 * 0.3), (W33[:, :1], np.array([0.2]))],
    XS,
    np.array([[0.4], [-0.9]]),
    argnums=0,
)


@dataclass
class Body:
    """A mass with position and velocity."""

    mass: float
    position: np.ndarray
    velocity: np.ndarray


def kinetic_and_potential(body, g):
    kinetic = 0.5 * body.mass * np.sum(body.velocity**2)
    return kinetic + body.mass * g * body.position[2]


TREES.exact(0, kinetic_and_potential, Body(1.5, X3, X3[::-1].copy()), 9.81)


class Gauss(NamedTuple):
    """Mean and width."""

    mean: float
    width: float


def negative_log_likelihood(model, data):
    total = 0.0
    for x in data:
        z = (x - model.mean) / model.width
        total += 0.5 * z * z + np.log(model.width)
    return total / len(data)


TREES.exact(0, negative_log_likelihood, Gauss(0.3, 1.2), [0.5, -0.8, 1.9], argnums=0)


def polynomial_fit(coefficients, points):
    loss = 0.0
    for x, y in points:
        p = sum(c * x**k for k, c in enumerate(coefficients))
        loss += (p - y) ** 2
    return loss


TREES.exact(0, polynomial_fit, [0.5, -0.2, 0.8], [(0.3, 1.0), (1.2, 0.4), (-0.7, 0.9)], argnums=0)


def squares_by_comprehension(xs, s):
    scaled = [s * x for x in xs]
    table = {name: s**k for k, name in enumerate(("one", "s", "square"))}
    return sum(scaled) * table["square"] + table["s"] * max(v for v in scaled if v < 2.0)


TREES.exact(0, squares_by_comprehension, [0.7, 1.1, 2.4], 1.3)


def named_rates(rates, t):
    state = {"a": 1.0, "b": 0.0}
    for _ in range(4):
        flow = rates["forward"] * state["a"] - rates["back"] * state["b"]
        state["a"] -= t * flow
        state["b"] += t * flow
    return state["b"] / state["a"]


TREES.exact(0, named_rates, {"forward": 0.8, "back": 0.3}, 0.25)


def trajectory_length(x, y, steps):
    path = [(x, y)]
    for _ in range(steps):
        x, y = x + 0.1 * y, y - 0.1 * np.sin(x)
        path.append((x, y))
    length = 0.0
    for (x0, y0), (x1, y1) in zip(path[:-1], path[1:], strict=True):
        length += np.sqrt((x1 - x0) ** 2 + (y1 - y0) ** 2)
    return length


TREES.exact(0, trajectory_length, 0.6, 0.9, 5)


def momentum_descent(start, rate, steps):
    state = {"w": start * 1.0, "v": np.zeros_like(start)}
    for _ in range(steps):
        slope = 2.0 * state["w"] - np.cos(state["w"])
        state["v"] = 0.9 * state["v"] - rate * slope
        state["w"] = state["w"] + state["v"]
    return np.sum(state["w"] ** 2)


TREES.exact(0, momentum_descent, X3, 0.05, 4)
