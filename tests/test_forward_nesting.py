"""Derivatives of derivatives with forward mode in them, and derivatives inside programs.

Every order of the modes, two and three deep, is compared with differences of the derivative below.
"""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np
import pytest

from s2sad import derivative, grad, hvp, jvp, value_and_grad, vjp
from tests.directions import dot
from tests.forward_programs import V3, product, rosenbrock, slope
from tests.modes_table import PROGRAMS as TABLE
from tests.trees import same


@pytest.mark.parametrize(
    "second",
    [
        lambda f: derivative(derivative(f)),
        lambda f: grad(derivative(f)),
        lambda f: derivative(grad(f)),
        lambda f: grad(grad(f)),
        lambda f: lambda x: hvp(f)(x, 1.0),
        lambda f: lambda x: jvp(grad(f), (x,), (1.0,))[1],
        lambda f: grad(lambda x: jvp(f, (x,), (1.0,))[1]),
        lambda f: derivative(lambda x: vjp(f, x)[1](1.0)[0]),
    ],
    ids=["FF", "RF", "FR", "RR", "hvp", "jvp-grad", "grad-jvp", "derivative-vjp"],
)
@pytest.mark.parametrize("program", ["straight", "loop", "while", "branch", "in place"])
def test_two_deep(second: Any, program: str) -> None:
    f, x = TWICE[program]
    first = slope(f, x, 1.0)
    assert derivative(f)(x) == pytest.approx(first, rel=1e-7)
    assert second(f)(x) == pytest.approx(slope(derivative(f), x, 1.0), rel=1e-7)


def branch(x: Any) -> Any:
    total = 0.0
    for k in range(4):
        if x * k > 2.0:
            total += x**3 / k
        else:
            total -= math.cos(x * k)
    return total


TWICE = {
    **{name: TABLE[name] for name in ("straight", "loop", "while", "in place")},
    "branch": (branch, 1.3),
}


@pytest.mark.parametrize("modes", ["FFF", "FFR", "FRF", "FRR", "RFF", "RFR", "RRF", "RRR"])
@pytest.mark.parametrize("program", ["straight", "loop", "branch", "in place"])
def test_three_deep(program: str, modes: str) -> None:
    f, x = TWICE[program]
    third = f
    for mode in reversed(modes):
        third = derivative(third) if mode == "F" else grad(third)
    wanted = slope(derivative(derivative(f)), x, 1.0)
    assert third(x) == pytest.approx(wanted, rel=1e-6)


def test_perturbations_are_not_confused() -> None:
    """d/dx (x d/dy (x y)) is 2 x, and not 1 or 2 (Siskind & Pearlmutter 2005)."""
    assert derivative(lambda x: x * derivative(lambda y: x * y)(1.0))(3.0) == 6.0
    assert derivative(lambda x: x * derivative(lambda y: x + y)(1.0))(3.0) == 1.0
    assert grad(lambda x: x * derivative(lambda y: x * y)(1.0))(3.0) == 6.0
    assert derivative(lambda x: x * grad(lambda y: x * y)(1.0))(3.0) == 6.0

    def shifted(x: Any) -> Any:
        return jvp(lambda y: x * y * y, (x,), (x,))[1]  # 2 x^3

    assert derivative(shifted)(2.0) == 24.0
    assert grad(shifted)(2.0) == 24.0
    assert grad(derivative(shifted))(2.0) == 24.0


def test_derivatives_inside_a_loop_that_is_differentiated() -> None:
    """Gradient descent inside a loss: what the loss gains from its step size."""

    def loss(w: Any) -> Any:
        return np.sum((w - 1.0) ** 2 * np.array([1.0, 3.0]))

    def after(rate: Any, w: Any) -> Any:
        for _ in range(5):
            w = w - rate * grad(loss)(w)
        return loss(w)

    w = np.array([0.3, -0.4])
    wanted = slope(lambda rate: after(rate, w), 0.05, 1.0)
    assert derivative(after)(0.05, w) == pytest.approx(wanted, rel=1e-8)
    assert grad(after)(0.05, w) == pytest.approx(wanted, rel=1e-8)


def test_hvp_inside_a_program() -> None:
    def curvature(x: Any, v: Any) -> Any:
        return v @ hvp(rosenbrock)(x, v)

    v = np.array([1.0, 0.5, -0.2])
    wanted = slope(lambda x: curvature(x, v), V3, np.ones(3))
    assert jvp(curvature, (V3, v), (np.ones(3), None))[1] == pytest.approx(wanted, rel=1e-7)
    assert np.sum(grad(curvature)(V3, v)) == pytest.approx(wanted, rel=1e-7)
    value, gradient = value_and_grad(curvature, argnums=1)(V3, v)
    assert value == curvature(V3, v)
    assert np.allclose(gradient, 2.0 * hvp(rosenbrock)(V3, v))


def test_tangents_of_variable_arguments_inside_a_program() -> None:
    def slope_along(x: Any, y: Any) -> Any:
        return jvp(lambda a, *rest: a * rest[0] * rest[1], (x, y, 3.0), (1.0, x, None))[1]

    value, gradient = value_and_grad(slope_along, argnums=(0, 1))(2.0, 5.0)
    assert value == slope_along(2.0, 5.0) == 27.0
    assert gradient == (12.0, 3.0)


def test_has_aux_and_trees_inside_a_program() -> None:
    def f(p: Any) -> Any:
        return p["a"] * p["b"][0], p["a"] * 2.0

    def g(p: Any) -> Any:
        _, tangent, aux = jvp(f, (p,), ({"a": 1.0, "b": [p["a"], 2.0]},), has_aux=True)
        return tangent * aux

    assert grad(g)({"a": 0.5, "b": [2.0, 1.0]}) == {"a": 5.5, "b": [1.0, 0.0]}


def test_tangents_of_another_shape_are_refused_inside_a_program() -> None:
    def wrong(x: Any, v: Any) -> Any:
        return np.sum(hvp(rosenbrock)(x, v))

    with pytest.raises(AssertionError, match="the tangent of 'x' must have its shape"):
        grad(wrong)(V3, np.ones(2))


def test_reverse_over_reverse_of_recursion() -> None:
    """What a recursion saved is a tree of tuples; its adjoint is one, too."""
    assert grad(grad(product))(1.5, 4) == pytest.approx(12.0 * 1.5**2)
    assert grad(grad(grad(product)))(1.5, 4) == pytest.approx(24.0 * 1.5)

    def by_halves(x: Any, low: Any, high: Any) -> Any:
        if high - low == 1:
            return x[low] ** 2
        middle = (low + high) // 2
        return by_halves(x, low, middle) * by_halves(x, middle, high)

    _, pullback = vjp(grad(by_halves), V3, 0, 3)
    assert np.allclose(pullback(np.ones(3))[0], hvp(by_halves)(V3, 0, 3, np.ones(3)))


def test_zero_tangents_of_unused_arguments_are_typed() -> None:
    def unused(x: Any, y: Any) -> Any:
        return x * 2.0, 1.0

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert jvp(unused, (V3, 1.0), (None, 1.0))[1][1] == 0.0
        zero = jvp(unused, (V3.astype(np.float32), 1.0), (None, 1.0))[1][0]
    assert zero.dtype == np.float32
    assert same(zero, np.zeros(3, np.float32))
    assert dot(zero, V3) == 0.0
