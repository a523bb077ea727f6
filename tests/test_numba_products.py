"""Products in loops under Numba: by a helper, right for every size and shape of operands."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

import s2sad

pytest.importorskip("numba")


def steps(a: np.ndarray, x: np.ndarray) -> float:
    total = 0.0
    for _ in range(3):
        x = 0.1 * (a @ x) + x
        total += np.sum(x * x)
    return total


def rows(a: np.ndarray, x: np.ndarray) -> float:
    y = x[0] if x.ndim == 2 else x
    for _ in range(3):
        y = 0.1 * (y @ a) @ a.T
    return y @ y


def congruent(a: np.ndarray, x: np.ndarray) -> float:
    total = 0.0
    for _ in range(2):
        x = 0.1 * a @ x @ a.T
        total += np.sum(x @ x)
    return total


def once(a: np.ndarray, x: np.ndarray) -> float:
    return np.sum((a @ x) ** 2)


def matrices(n: int, m: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(n)
    return rng.normal(size=(n, n)), rng.normal(size=(n, m))


@pytest.mark.parametrize("n", [1, 2, 5, 20])
@pytest.mark.parametrize("f", [steps, congruent])
def test_products_of_matrices(f: Callable[..., float], n: int) -> None:
    a, x = matrices(n, n)
    check(f, a, x)
    check(f, a.T, x[:, ::-1])


@pytest.mark.parametrize("n", [1, 2, 5, 20])
@pytest.mark.parametrize("f", [steps, rows])
def test_products_with_vectors(f: Callable[..., float], n: int) -> None:
    a, x = matrices(n, n)
    check(f, a, x[0])
    check(f, a.T, x[:, 0])


def test_no_columns() -> None:
    a, x = matrices(3, 0)
    check(steps, a, x)


def check(f: Callable[..., float], a: np.ndarray, x: np.ndarray) -> None:
    expected = s2sad.grad(f, (0, 1))(a, x)
    for g, e in zip(s2sad.grad(f, (0, 1), backend="numba")(a, x), expected, strict=True):
        np.testing.assert_allclose(g, e, rtol=1e-12, atol=1e-12)


def test_shapes_that_do_not_fit_are_an_error() -> None:
    a, x = matrices(3, 3)
    gradient = s2sad.grad(steps, (0, 1), backend="numba")
    gradient(a, x)
    with pytest.raises(ValueError, match="shapes do not fit"):
        gradient(a, x[:2])


def test_only_loops_have_the_helper() -> None:
    a, x = matrices(3, 3)
    assert "product(a, x" in s2sad.grad(steps, (0, 1), backend="numba").source(a, x)
    assert "product(" not in s2sad.grad(once, (0, 1), backend="numba").source(a, x)
