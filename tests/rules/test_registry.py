"""The registry: names are unique, options that a rule does not know are refused."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

import s2sad
from s2sad.rules import draws, registry
from s2sad.rules.optional import load_all
from tests.checker import refused


def test_no_two_rules_have_one_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """A helper of SciPy's rules once took the name of one of NumPy's."""
    load_all()
    for name, record in registry.primitives().items():
        for f, known in registry.callables().items():
            if known == name and registry.primitive(name).fun is not f:
                assert registry.lookup(f) is record


def unknown_option(x: Any) -> Any:
    return np.sum(x, dtypo=float)


def unknown_position(x: Any) -> Any:
    return np.tanh(x, x, x)


def not_registered(x: Any) -> Any:
    return np.trim_zeros(x)


@pytest.mark.parametrize(
    "f, match",
    [
        (unknown_option, r"np\.sum.*'dtypo'"),
        (not_registered, r"trim_zeros has neither Python source nor a rule"),
    ],
)
def test_one_clear_error(f: Any, match: str) -> None:
    with pytest.raises(s2sad.UnsupportedError) as caught:
        s2sad.grad(f)(np.ones(3))
    text = str(caught.value)
    assert re.search(match, text), text
    assert re.search(rf"-->.*test_registry\.py:\d+:\d+ in {f.__name__}", text), text
    assert "register a rule" in text, text


def layout_dependent(x: Any) -> Any:
    return np.sum(np.reshape(x, (3, 2), order="A") ** 2)


def numbers_of_an_order(x: Any) -> Any:
    rng = np.random.default_rng(0)
    return rng.gamma(x[0])


def shuffled(x: Any) -> Any:
    rng = np.random.default_rng(0)
    rng.shuffle(x)
    return x[0]


def undefined_elements(x: Any) -> Any:
    return np.sum(np.log(x, where=x > 0.5))


@pytest.mark.parametrize(
    "f, match",
    [
        (layout_dependent, "order='A'"),
        (numbers_of_an_order, "'gamma' have no derivative"),
        (shuffled, "rng.permutation"),
        (undefined_elements, "undefined"),
    ],
)
def test_refusals(f: Any, match: str) -> None:
    refused(
        f,
        np.array([[0.5, 1.5, 2.5], [1.0, 2.0, 3.0]]) if "layout" in f.__name__ else X,
        match=match,
    )


X = np.array([0.5, 1.5, 2.5])


def test_options_are_never_ignored() -> None:
    """Every static option of a call is one the rule's signature has."""
    for name, record in registry.primitives().items():
        if record.signature is None or not name.startswith("np."):
            continue
        kinds = [p.kind for p in record.signature.parameters.values()]
        assert kinds.count(kinds[0].VAR_KEYWORD) == 0 if kinds else True, name


# -- random numbers ------------------------------------------------------------------------------


def noisy(x: Any, rng: Any) -> Any:
    total = 0.0
    for _ in range(3):
        total = total + np.sum(np.sin(x * rng.normal(size=3))) * rng.integers(1, 4)
    return total


def test_value_and_derivative_see_the_same_draws() -> None:
    value, gradient = s2sad.value_and_grad(noisy)(X, np.random.default_rng(4))
    assert value == noisy(X, np.random.default_rng(4))
    h = 1e-6
    for k in range(3):
        step = h * np.eye(3)[k]
        up, down = (noisy(X + s * step, np.random.default_rng(4)) for s in (1, -1))
        np.testing.assert_allclose(gradient[k], (up - down) / (2 * h), rtol=1e-6)


def test_a_generator_moves_on_as_in_the_program() -> None:
    mine, theirs = np.random.default_rng(1), np.random.default_rng(1)
    s2sad.grad(noisy)(X, mine)
    noisy(X, theirs)
    assert mine.normal() == theirs.normal()


def test_generators_share_a_derivative() -> None:
    derivative = s2sad.grad(noisy)
    for seed in range(3):
        derivative(X, np.random.default_rng(seed))
    assert derivative.cache_info().misses == 1


def legacy(a: Any, b: Any) -> Any:
    np.random.seed(3)
    return np.random.uniform(a, b) * np.random.rand() + np.sum(a * np.random.randn(2, 2))


@pytest.mark.parametrize("method", sorted(draws._PATHS))
def test_shifted_and_scaled(method: str) -> None:
    """The parameters of a distribution that is shifted and scaled have exact derivatives."""
    count = len(draws._PATHS[method][0])
    program = PROGRAMS[method]
    args = [0.7, 1.9][2 - count :]
    gradient = s2sad.grad(program, argnums=tuple(range(count)))(*args)
    for k in range(count):
        h = 1e-6
        up, down = list(args), list(args)
        up[k] += h
        down[k] -= h
        slope = (program(*up) - program(*down)) / (2 * h)
        np.testing.assert_allclose(gradient[k], slope, rtol=1e-6)


def test_np_random() -> None:
    gradient = s2sad.grad(legacy, argnums=(0, 1))(0.3, 1.2)
    h = 1e-6
    slopes = [
        (legacy(0.3 + h, 1.2) - legacy(0.3 - h, 1.2)) / (2 * h),
        (legacy(0.3, 1.2 + h) - legacy(0.3, 1.2 - h)) / (2 * h),
    ]
    np.testing.assert_allclose(gradient, slopes, rtol=1e-6)


def two(draw: Any) -> Any:
    return np.sum(draw**2)


PROGRAMS = {
    "normal": lambda loc, scale: two(np.random.default_rng(0).normal(loc, scale, size=3)),
    "laplace": lambda loc, scale: two(np.random.default_rng(0).laplace(loc, scale, 3)),
    "logistic": lambda loc, scale: two(np.random.default_rng(0).logistic(loc, scale, size=3)),
    "gumbel": lambda loc, scale: two(np.random.default_rng(0).gumbel(scale=scale, loc=loc)),
    "uniform": lambda low, high: two(np.random.default_rng(0).uniform(low, high, size=3)),
    "exponential": lambda scale: two(np.random.default_rng(0).exponential(scale, size=3)),
    "rayleigh": lambda scale: two(np.random.default_rng(0).rayleigh(scale, size=3)),
    "lognormal": lambda mean, sigma: two(np.random.default_rng(0).lognormal(mean, sigma, 3)),
}
