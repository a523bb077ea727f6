"""The examples of two introductory texts on derivatives, computation graphs and backpropagation.

What the texts work out by hand must come out; the scripts themselves are in examples/.
"""

from __future__ import annotations

import ast
import math
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.checker import check
from tests.cost import lines_executed
from tests.scripts import EXAMPLES, load

SCRIPTS = sorted(EXAMPLES.glob("*.py"))
#: Where the problem of the script itself takes long: a smaller one.
ARGUMENTS = {"checkpointed_simulation": ["2000", "1000"]}


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_script_runs(path: Path) -> None:
    root = EXAMPLES.parent
    if "scipy" in path.stem:
        pytest.importorskip("scipy")
    done = subprocess.run(
        [sys.executable, str(path), *ARGUMENTS.get(path.stem, [])],
        env=os.environ | {"PYTHONPATH": str(root)},
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) >= 4
    assert "nan" not in done.stdout


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_script_needs_little(path: Path) -> None:
    imported = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            imported |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported.add(node.module)
    packages = {"numpy", "s2sad"} | ({"scipy"} if "scipy" in path.stem else set())
    assert imported - sys.stdlib_module_names <= packages


# The slope of a curve


@pytest.mark.parametrize("w, slope", [(3.0, 6.0), (2.0, 4.0), (-3.0, -6.0)])
def test_slope_of_a_square(w: float, slope: float) -> None:
    from s2sad import grad

    J = load("slope").J
    assert grad(J)(w) == slope
    assert grad(J)(int(w)) == slope
    assert type(grad(J)(int(w))) is float
    check(J, w)


def test_small_change_of_w() -> None:
    """J goes up about 6 times as much as w, at w = 3."""
    from s2sad import value_and_grad

    script = load("slope")
    J, slope = value_and_grad(script.J)(3.0)
    assert J == 9.0
    assert script.J(3.001) - J == pytest.approx(slope * 0.001, rel=1e-3)
    assert script.numerical_slope(script.J, 3.0) == pytest.approx(slope, rel=1e-8)


def test_gradient_descent() -> None:
    assert load("slope").descend(load("slope").J, 3.0, 0.1, 50) == pytest.approx(3.0 * 0.8**50)


def other_curves(w: Any) -> Any:
    return w**3 + 1.0 / w + w


def test_other_curves() -> None:
    from s2sad import grad

    assert grad(other_curves)(2.0) == 12.0 - 0.25 + 1.0
    check(other_curves, 2.0)


# The computation graph


def test_four_steps_every_adjoint() -> None:
    from s2sad import value_and_grad

    script = load("four_steps")
    w, b, x, y = 2.0, 8.0, -2.0, 2.0
    value, gradient = value_and_grad(script.J, argnums=("w", "b"))(w, b, x, y)
    assert value == 2.0
    assert gradient == (-4.0, 2.0)
    by_hand = {"d": 2.0, "a": 2.0, "c": 2.0, "b": 2.0, "w": -4.0}
    assert script.adjoints(w, b, x, y) == by_hand
    for name, adjoint in by_hand.items():
        at = {"w": w, "b": b, "c": w * x, "a": w * x + b, "d": w * x + b - y}[name]
        rest: dict[str, Callable[[float], float]] = {
            "w": lambda v: script.J(v, b, x, y),
            "b": lambda v: script.J(w, v, x, y),
            "c": lambda v: script.from_c(v, b, y),
            "a": lambda v: script.from_a(v, y),
            "d": script.from_d,
        }
        moved = rest[name](at + 0.001)
        assert (moved - 2.0) / 0.001 == pytest.approx(adjoint, rel=2e-3)
    check(script.J, w, b, x, y)


def test_relu_network() -> None:
    from s2sad import value_and_grad

    J = load("relu_network").J
    names = ("w1", "b1", "w2", "b2")
    value, gradient = value_and_grad(J, argnums=names)(2.0, 0.0, 3.0, 1.0, 1.0, 5.0)
    assert value == 2.0
    assert dict(zip(names, gradient, strict=True)) == {"w1": 6.0, "b1": 6.0, "w2": 4.0, "b2": 2.0}
    check(J, 2.0, 0.0, 3.0, 1.0, 1.0, 5.0)
    check(J, -2.0, 0.0, 3.0, 1.0, 1.0, 5.0)  # the hidden unit is off


@pytest.mark.parametrize("x", [0.0, 0.5, -1.3, 2.0])
def test_bell(x: float) -> None:
    from s2sad import grad

    script = load("bell")
    assert grad(script.f)(x) == pytest.approx(script.by_hand(x), rel=1e-14, abs=1e-300)
    check(script.f, x)


# Cost


def neuron(w: Any, x: Any) -> Any:
    a = 0.0
    for i in range(len(w)):
        a += w[i] * x[i]
    return math.tanh(a)


@pytest.mark.parametrize("kind", [list, np.array], ids=["list", "array"])
def test_cost_does_not_grow_with_the_number_of_parameters(kind: Any) -> None:
    """n slopes for the price of a few values: not n times the price, as by small steps."""
    from s2sad import grad

    for n in (10, 100, 1000):
        w = kind([math.sin(i) for i in range(n)])
        x = kind([math.cos(i) / n for i in range(n)])
        slopes = grad(neuron)
        slopes(w, x)
        price = lines_executed(lambda w=w, x=x: neuron(w, x))
        assert lines_executed(lambda s=slopes, w=w, x=x: s(w, x)) <= 5 * price + 60


def dense(w: Any, x: Any) -> Any:
    return np.sum(np.tanh(w @ x))


def test_array_operations_do_not_grow_at_all() -> None:
    from s2sad import grad

    counts = set()
    for n in (2, 20, 200):
        w, x = np.full((n, n), 0.1), np.full(n, 0.2)
        slopes = grad(dense)
        slopes(w, x)
        counts.add(lines_executed(lambda s=slopes, w=w, x=x: s(w, x)))
    assert len(counts) == 1


# Learning exclusive or


def test_deltas_are_the_textbook_ones() -> None:
    from s2sad import grad, value_and_grad

    script = load("xor")
    thetas = script.start()
    mine = grad(script.cost)(thetas, script.X, script.Y)
    theirs = script.backpropagation(thetas, script.X, script.Y)
    for a, b in zip(mine, theirs, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-15)
    check(script.cost, thetas, script.X, script.Y, argnums=0)
    value, _ = value_and_grad(script.cost)(thetas, script.X, script.Y)
    assert value == script.cost(thetas, script.X, script.Y)


def last_layer(z: Any, y: Any) -> Any:
    p = 1.0 / (1.0 + np.exp(-z))
    return -np.sum(y * np.log(p) + (1.0 - y) * np.log(1.0 - p))


def test_last_delta_is_output_minus_target() -> None:
    from s2sad import grad

    z, y = np.array([0.3, -1.1, 2.0]), np.array([1.0, 0.0, 1.0])
    np.testing.assert_allclose(grad(last_layer)(z, y), 1.0 / (1.0 + np.exp(-z)) - y, rtol=1e-12)


def test_exclusive_or_is_learned() -> None:
    from s2sad import value_and_grad

    script = load("xor")
    thetas, costs = script.train(value_and_grad(script.cost))
    assert costs[0] > 0.69
    assert costs[-1] < 2e-3
    assert np.all(np.abs(script.predict(thetas, script.X) - script.Y) < 2e-3)
    assert np.all(np.diff(costs[-1000:]) < 0.0)


# Backpropagation through time


@pytest.mark.parametrize("steps", [1, 2, 6, 15])
def test_backpropagation_through_time(steps: int) -> None:
    from s2sad import grad

    script = load("through_time")
    params, inputs, targets = script.example(steps)
    mine = grad(script.loss)(params, inputs, targets)
    theirs = script.by_hand(params, inputs, targets)
    assert list(mine) == list(params)
    for name, slope in theirs.items():
        np.testing.assert_allclose(mine[name], slope, rtol=1e-11, atol=1e-14)
    if steps == 2:
        check(script.loss, params, inputs, targets)
