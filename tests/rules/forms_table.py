"""The table of forms: every function of the coverage page with the arguments people give it.

In: nothing. Out: ``FORMS``, a table from a function's name to expressions. The names in them are
the arguments: each expression becomes a program of the variables it mentions (``VALUES``).

    FORMS["np.clip"][0]   ->   "np.clip(n, -1.0, 1.0)"
"""

from __future__ import annotations

from typing import Any

import numpy as np

#: What the names in the expressions stand for.
VALUES: dict[str, Any] = {
    "s": 0.7,
    "t": 1.9,
    "x": np.array([0.3, 1.7, 0.45, 2.6]),
    "y": np.array([0.93, 0.37, 2.23, 1.27]),
    "n": np.array([-1.3, 0.77, 2.4, -2.6, 0.15]),
    "u": np.array([-0.8, 0.7, 0.4, -0.65]),
    "w": np.array([1.35, 1.83, 2.4, 3.6]),
    "A": np.array([[0.5, 1.7, 0.9], [2.3, 0.35, 1.1]]),
    "C": np.array([[1.4, 0.2, 0.75], [0.6, 2.05, 1.3]]),
    "M": np.array([[2.1, 0.3, -0.4], [0.55, 1.6, 0.25], [-0.2, 0.8, 2.7]]),
    "B": np.sin(np.arange(24.0) * 1.7).reshape(2, 3, 4) + 1.6,
    "z": np.array(0.85),
    "e": np.zeros(0),
    "x32": np.array([0.3, 1.7, 0.45, 2.6], "float32"),
    "A32": np.array([[0.5, 1.7, 0.9], [2.3, 0.35, 1.1]], "float32"),
}

FORMS: dict[str, list[str]] = {}


def forms(names: str, *expressions: str) -> None:
    """Enter expressions for each function; ``F`` in them stands for it."""
    for name in names.split():
        full = name if "." in name else f"np.{name}"
        FORMS.setdefault(full, []).extend(
            e.replace("F(", f"{full}(").replace("F.", f"{full}.") for e in expressions
        )
