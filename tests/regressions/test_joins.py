"""Random programs that join arrays of which only some sizes are known."""

from __future__ import annotations

import numpy as np

from tests.checker import check


def test_stack_of_shapes_known_in_part() -> None:
    def f(a: np.ndarray, x: np.ndarray) -> float:
        both = np.stack([a @ np.ones((len(x), 3)) * x[0], np.ones((2, 3))])
        return np.sum(both * both)

    check(f, np.ones((2, 5)), np.ones(5))


def test_concatenation_of_shapes_known_in_part() -> None:
    def f(a: np.ndarray, x: np.ndarray) -> float:
        both = np.concatenate((a @ np.ones((len(x), 3)) * x[0], np.ones((2, 3))))
        return np.sum(both * both)

    check(f, np.ones((4, 5)), np.ones(5))
