"""Differences and the complex step, against derivatives worked out by hand."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from s2sad import numeric
from s2sad.errors import ArgumentError, OutputError


def cubic(x: Any, y: Any) -> Any:
    return x**3 * y + np.exp(y)


def test_scalars() -> None:
    found = numeric.finite_difference(cubic, (2.0, 0.5), (0, 1))
    assert found.gradient == pytest.approx((6.0, 8.0 + math.exp(0.5)), rel=1e-9)
    assert found.error < 1e-8


def test_the_complex_step_is_exact_to_rounding() -> None:
    found = numeric.complex_step(cubic, (2.0, 0.5), (0, 1))
    assert found.gradient == pytest.approx((6.0, 8.0 + math.exp(0.5)), rel=1e-15)


def test_one_argnum_gives_no_tuple() -> None:
    assert numeric.complex_step(cubic, (2.0, 0.5), 1).gradient == pytest.approx(9.648721270700128)


def test_arrays_and_trees() -> None:
    def f(p: Any) -> Any:
        return np.sum(p["w"] ** 2) * p["b"][0]

    w = np.array([[1.0, 2.0], [3.0, 4.0]])
    found = numeric.finite_difference(f, ({"w": w, "b": [2.0], "n": 3},))
    assert np.allclose(found.gradient["w"], 4.0 * w, rtol=1e-9)
    assert found.gradient["b"] == pytest.approx([30.0])
    assert found.gradient["n"] is None


def test_arguments_stay_as_they_are() -> None:
    def f(x: Any) -> Any:
        x[0] = x[1] * x[0]
        return x.sum()

    x = np.array([2.0, 3.0])
    assert np.allclose(numeric.finite_difference(f, (x,)).gradient, [3.0, 3.0])
    assert np.array_equal(x, [2.0, 3.0])


def test_float32_is_widened() -> None:
    x = np.array([0.5, 1.5], np.float32)
    found = numeric.finite_difference(lambda x: np.sum(np.sin(x)), (x,))
    assert np.allclose(found.gradient, np.cos(x.astype(float)), rtol=1e-10)


def test_an_int_is_read_as_a_float() -> None:
    assert numeric.finite_difference(lambda x: x * x, (3,)).gradient == pytest.approx(6.0)


def test_a_cotangent_weighs_an_array() -> None:
    x = np.array([1.0, 2.0])
    found = numeric.finite_difference(lambda x: x**2, (x,), cotangent=np.array([1.0, 10.0]))
    assert np.allclose(found.gradient, [2.0, 40.0])


@pytest.mark.parametrize("result", [np.ones(2), "text", None, (1.0, 2.0)], ids=repr)
def test_the_result_must_be_a_number(result: Any) -> None:
    with pytest.raises(OutputError):
        numeric.finite_difference(lambda x: result, (1.0,))


def test_argnums_out_of_range() -> None:
    with pytest.raises(ArgumentError, match="argnums"):
        numeric.finite_difference(cubic, (1.0, 2.0), 2)


@pytest.mark.parametrize(
    "f",
    [
        lambda x: math.sin(x),
        lambda x: x if x > 0.0 else -x,
        lambda x: float(x),
        lambda x: np.array([x], float)[0],
    ],
)
def test_not_analytic(f: Any) -> None:
    with pytest.raises(numeric.NotAnalyticError):
        numeric.complex_step(f, (0.5,))


def test_a_step_across_a_branch_does_no_harm() -> None:
    def f(x: Any) -> Any:
        return x * x if x > 0.999 else 17.0

    assert numeric.finite_difference(f, (1.0,)).gradient == pytest.approx(2.0, rel=1e-6)


def test_directional_difference() -> None:
    x = np.array([1.0, 2.0])
    (slope,), error = numeric.directional_difference(
        lambda x, s: s * x, (x, 3.0), (np.array([1.0, 0.0]), 10.0)
    )
    assert np.allclose(slope, [13.0, 20.0])
    assert error < 1e-8


def test_dot_product_gap_sees_a_wrong_pullback() -> None:
    def pullback(w: Any) -> Any:
        return (3.0 * w, 2.5 * w)

    gap = numeric.dot_product_gap(lambda x, y: x * y, (2.0, 3.0), pullback, (1.0, 10.0), 0.5)
    assert gap > 0.1
