"""Systems of equations, determinants and cofactors in compiled code."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

pytest.importorskip("numba")

import numba

import s2sad
from s2sad.backend.nopython.lean.pipeline import LeanCompiler
from s2sad.backend.nopython.overloads import install
from s2sad.rules import helpers

install()
cofactors_of = helpers.cofactors


def lean(f: Callable[..., Any]) -> Any:
    return numba.njit(f, pipeline_class=LeanCompiler, error_model="numpy")


solve = lean(lambda a, b: np.linalg.solve(a, b))
inverse = lean(lambda a: np.linalg.inv(a))
determinant = lean(lambda a: np.linalg.det(a))
logarithm = lean(lambda a: np.linalg.slogdet(a))
cofactors = lean(lambda a: cofactors_of(a))


def layouts(a: np.ndarray) -> list[np.ndarray]:
    return [a, a.T, np.asfortranarray(a), np.repeat(a, 2, 1)[:, ::2]]


@pytest.mark.parametrize("n", [0, 1, 2, 3, 8, 48, 49, 90])
def test_agree_with_numpy(n: int) -> None:
    """On both sides of the size from which LAPACK solves systems."""
    rng = np.random.default_rng(n)
    right, vector = rng.normal(size=(n, 4)), rng.normal(size=n)
    for a in layouts(rng.normal(size=(n, n)) + 2.0 * np.eye(n)):
        for b in (right, vector, np.asfortranarray(right)):
            np.testing.assert_allclose(solve(a, b), np.linalg.solve(a, b), rtol=1e-8)
        np.testing.assert_allclose(inverse(a), np.linalg.inv(a), rtol=1e-7)
        np.testing.assert_allclose(determinant(a), np.linalg.det(a), rtol=1e-9)
        np.testing.assert_allclose(logarithm(a), np.linalg.slogdet(a), rtol=1e-9)
        if n:
            expected = cofactors_of(a)
            least = 1e-9 * np.max(np.abs(expected))
            np.testing.assert_allclose(cofactors(a), expected, rtol=1e-7, atol=least)


@pytest.mark.parametrize("n", [2, 3, 5])
def test_cofactors_of_singular_matrices(n: int) -> None:
    rng = np.random.default_rng(n)
    for rank in range(n):
        a = rng.normal(size=(n, rank)) @ rng.normal(size=(rank, n))
        np.testing.assert_allclose(cofactors(a), cofactors_of(a), rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("diagonal", [[1.0, 2.0, 0.0, 3.0], [1.0, 0.0, 0.0, 3.0], [0.0], [7.0]])
def test_cofactors_where_pivots_are_zero(diagonal: list[float]) -> None:
    a = np.diag(diagonal)
    n = len(a)
    expected = np.array(
        [
            [
                (-1) ** (i + j) * np.linalg.det(np.delete(np.delete(a, i, 0), j, 1))
                for j in range(n)
            ]
            for i in range(n)
        ]
    )
    np.testing.assert_allclose(cofactors(a), expected)


def test_a_determinant_whose_terms_overflow() -> None:
    a = np.diag([1e200, 1e200, 1e-300])
    np.testing.assert_allclose(determinant(a), 1e100, rtol=1e-9)
    assert determinant(np.diag([1e200, 0.0, 1e200])) == 0.0
    assert logarithm(np.zeros((2, 2))) == (0.0, -np.inf)


def test_what_is_no_number_stays_none() -> None:
    a = np.eye(3)
    a[1, 1] = np.nan
    assert np.isnan(solve(a, np.ones(3))).any()
    assert np.isnan(determinant(a))


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda: solve(np.zeros((2, 2)), np.ones(2)), np.linalg.LinAlgError),
        (lambda: inverse(np.ones((2, 2))), np.linalg.LinAlgError),
        (lambda: inverse(np.ones((60, 60))), np.linalg.LinAlgError),
        (lambda: solve(np.ones((2, 3)), np.ones(2)), np.linalg.LinAlgError),
        (lambda: determinant(np.ones((2, 3))), np.linalg.LinAlgError),
        (lambda: solve(np.eye(2), np.ones(3)), ValueError),
    ],
)
def test_errors(call: Callable[[], Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        call()


def of_system(a: np.ndarray, b: np.ndarray) -> float:
    x = np.linalg.solve(a, b)
    return np.log(np.linalg.det(a)) + np.sum(np.linalg.inv(a) @ x) + np.linalg.slogdet(a)[1]


def test_gradients() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(4, 4)) + 4.0 * np.eye(4), rng.normal(size=4)
    found = s2sad.grad(of_system, (0, 1), backend="numba")(a, b)
    for g, e in zip(found, s2sad.grad(of_system, (0, 1))(a, b), strict=True):
        np.testing.assert_allclose(g, e, rtol=1e-10)
