"""The classic demonstrations: a series summed until it is small, a simulation of heating."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tests.checker import check
from tests.scripts import load


@pytest.mark.parametrize("x", [0.0, 0.5, 1.0, -2.0, 3.5, 7.0])
def test_taylor_sine(x: float) -> None:
    """The number of terms depends on x; the derivative is the cosine wherever one looks."""
    from s2sad import value_and_grad

    sine = load("taylor_sine").sine
    value, slope = value_and_grad(sine)(x)
    assert value == sine(x)
    assert slope == pytest.approx(math.cos(x), rel=1e-11)


def test_taylor_sine_like_every_other_program() -> None:
    sine = load("taylor_sine").sine
    for x in (0.5, -2.0, 3.5):
        check(sine, x)
    check(sine, np.float64(1.3))


def test_taylor_sine_again_and_again() -> None:
    """The second derivative is minus the sine, although the loop stops by a tolerance."""
    from s2sad import grad

    sine = load("taylor_sine").sine
    for x in (0.5, -2.0):
        assert grad(grad(sine))(x) == pytest.approx(-math.sin(x), rel=1e-9)


def test_heating() -> None:
    script = load("heating")
    check(script.comfort, script.example(), 0.5)
    check(script.rod, script.example())


@pytest.mark.parametrize("limit", [0.25, 5.0], ids=["always", "never"])
def test_heating_limited(limit: float) -> None:
    script = load("heating")
    check(script.comfort, script.example() | {"limit": limit}, 0.5)


def test_heating_leaves_its_parameters_alone() -> None:
    from s2sad import grad

    script = load("heating")
    params = script.example()
    slopes = grad(script.comfort)(params, 0.5)
    assert params == script.example()
    assert list(slopes) == list(params)
    assert all(type(slope) is float for slope in slopes.values())


def test_heating_is_tuned() -> None:
    script = load("heating")
    params = script.example()
    tuned = script.tune(params, 0.5, 100, 0.1)
    assert script.comfort(tuned, 0.5) < 0.85 * script.comfort(params, 0.5)
