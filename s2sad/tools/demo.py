"""`python -m s2sad demo`: one real function, its derivative, and whether to believe it.

In: nothing. Out, on the terminal: a function with a loop, a branch and an in-place array write
beside the derivative that s2sad wrote for it; the value and the gradient at a point; and the same
gradient from a tape and from finite differences, with the time each took.
"""

# mypy: disable-error-code="no-untyped-def"

from __future__ import annotations

import numpy as np

import s2sad
from s2sad.frontend.source import find_source
from s2sad.tools.paint import beside, heading

__all__ = ["demo", "rod"]


def rod(u0, alpha, heat):
    """A rod conducts heat; a thermostat warms its middle while that is cold."""
    u = u0.copy()
    for _ in range(50):
        u[1:-1] += alpha * (u[2:] - 2.0 * u[1:-1] + u[:-2])
        if u[4] < 0.7:
            u[4] += heat
    return np.sum((u - 0.5) ** 2)


def demo() -> None:
    """Differentiate `rod` with respect to all it takes, and show the result."""
    u0, alpha, heat = np.linspace(1.0, 0.0, 9), 0.2, 0.03
    drod = s2sad.value_and_grad(rod, argnums=(0, 1, 2))
    value, (u0_bar, alpha_bar, heat_bar) = drod(u0, alpha, heat)

    beside(
        ("your function", find_source(rod).text),
        ("the derivative s2sad wrote", str(s2sad.grad(rod, (0, 1, 2)).source(u0, alpha, heat))),
    )
    heading("value and gradient")
    print(f"rod(u0, alpha, heat) = {value:.12g}")
    print(f"d rod / d u0    = {np.array2string(u0_bar, precision=5, max_line_width=120)}")
    print(f"d rod / d alpha = {alpha_bar:.12g}")
    print(f"d rod / d heat  = {heat_bar:.12g}")
    heading("the same gradient, found in other ways")
    print(s2sad.compare(rod, u0, alpha, heat, argnums=(0, 1, 2)))
