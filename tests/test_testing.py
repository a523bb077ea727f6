"""check_grads and check_rule: they pass what is right and say what is wrong."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import s2sad
from s2sad.rules import elementwise, rule, sample, zero
from s2sad.testing import check_grads, check_rule

X = np.array([0.3, 0.7])


def structured(x: Any, y: float, n: int) -> dict[str, Any]:
    return {"a": np.sin(x) * y**n, "b": (x.sum() * y, n)}


def test_check_grads_accepts_right_derivatives_of_structures() -> None:
    check_grads(structured, (X, 2.0, 3), order=3)


def test_it_can_be_called_as_autograd_does() -> None:
    check_grads(lambda x: np.exp(x) * x, modes=["rev"], order=2)(0.3)


def test_single_precision_loops_and_one_step() -> None:
    def f(x: Any) -> Any:
        for _ in range(3):
            x = np.sin(x) * x
        return x

    check_grads(f, (X.astype(np.float32),), order=2)
    check_grads(f, (X,), order=2, eps=1e-4)


def test_arguments_that_are_written_stay_as_they_are() -> None:
    def f(x: Any) -> Any:
        x[0] *= x[1]
        return x.sum()

    x = X.copy()
    check_grads(f, (x,), order=2)
    np.testing.assert_array_equal(x, X)


@s2sad.custom_jvp
def wrong(x: Any, y: float) -> Any:
    return np.sin(x) * y


@wrong.defjvp
def wrong_jvp(primals: Any, tangents: Any) -> Any:
    x, y = primals
    return wrong(x, y), tangents[0] * np.cos(x) * y


@pytest.mark.parametrize(("mode", "name"), [("fwd", "forward"), ("rev", "reverse")])
def test_a_wrong_derivative_is_named_with_its_argument(mode: str, name: str) -> None:
    with pytest.raises(AssertionError) as error:
        check_grads(lambda x, y: wrong(x, y), (X, 2.0), modes=[mode], order=1)
    message = str(error.value)
    assert f"the {name} derivative of order 1 differs from differences" in message
    assert "along argument 1: 0" in message
    assert "argument 0" not in message


def test_wrong_at_second_order_only() -> None:
    @s2sad.custom_vjp
    def f(x: float) -> float:
        return x**3

    # right at first order, but its derivative is not passed on
    f.defvjp(lambda x: (x**3, x), lambda x, g: (g * 3.0 * s2sad.stop_gradient(x) ** 2,))
    check_grads(lambda x: f(x), (2.0,), order=1, modes=["rev"])
    with pytest.raises(AssertionError, match="the reverse over reverse derivative of order 2"):
        check_grads(lambda x: f(x), (2.0,), order=2, modes=["rev"])


def test_tolerances_are_the_callers() -> None:
    @s2sad.custom_vjp
    def f(x: float) -> float:
        return x**2

    f.defvjp(lambda x: (x**2, x), lambda x, g: (g * 2.0001 * x,))
    check_grads(lambda x: f(x), (2.0,), order=1, modes=["rev"], rtol=1e-3)
    with pytest.raises(AssertionError):
        check_grads(lambda x: f(x), (2.0,), order=1, modes=["rev"])


def test_what_check_grads_cannot_take() -> None:
    with pytest.raises(s2sad.ArgumentError, match="as a tuple"):
        check_grads(np.sin, X)  # type: ignore[arg-type]
    with pytest.raises(s2sad.ArgumentError, match="no float among"):
        check_grads(lambda n: n, (3,))
    with pytest.raises(s2sad.ArgumentError, match="'fwd' and 'rev'"):
        check_grads(lambda x: x, (3.0,), modes=["forward"])


# -- rules ---------------------------------------------------------------------------------------


def cubed(x: Any) -> Any:
    return np.power(x, 3.0)


def test_rules_of_the_package_by_function_and_by_name() -> None:
    check_rule(np.sin)
    check_rule("mul")
    check_rule(np.linalg.inv, (np.array([[2.0, 1.0], [0.5, 3.0]]),))


def test_a_rule_of_ones_own() -> None:
    elementwise(cubed, "3 * x**2")
    at_zero = sample(np.zeros(2), expect=(np.zeros(2),))
    check_rule(cubed, (0.5,), (X,), (X.astype(np.float32),), at_zero)
    elementwise(cubed, "2 * x")
    with pytest.raises(AssertionError, match=r"cubed\w*, operand x: the vjp gives .* differences"):
        check_rule(cubed, (0.5,))


def test_modes_that_disagree_and_shapes() -> None:
    def weighted(x: Any, w: Any) -> Any:
        return x * w

    def kind(operands: Any, options: Any) -> Any:
        return operands[0].kind

    rule(weighted, "x w", vjp=("g * w", "g * x"), jvp=("x_dot * w", "2 * x * w_dot"), kind=kind)
    with pytest.raises(AssertionError, match="weighted, operand w: the jvp gives"):
        check_rule(weighted, (X, X))
    rule(weighted, "x w", vjp=("g * w", "3 * g * x"), jvp=("x_dot * w", "x * w_dot"), kind=kind)
    with pytest.raises(AssertionError, match="weighted, operand w: the vjp gives"):
        check_rule(weighted, (X, X))


def test_rules_of_python_functions() -> None:
    good = s2sad.custom_vjp(lambda x: x * x)
    good.defvjp(lambda x: (x * x, x), lambda x, g: (2.0 * x * g,))
    check_rule(good, (3.0,), (X,))
    with pytest.raises(AssertionError, match="along argument 1"):
        check_rule(wrong, (X, 2.0))


def test_what_check_rule_cannot_take() -> None:
    with pytest.raises(s2sad.ArgumentError, match="has no rule"):
        check_rule(lambda x: x, (1.0,))
    with pytest.raises(s2sad.ArgumentError, match="zero derivative"):
        check_rule(np.floor, (1.0,))
    with pytest.raises(s2sad.ArgumentError, match="a sample is a tuple"):
        check_rule(np.sin, 1.0)

    def unsampled(x: float) -> float:
        return 2.0 * x

    rule(unsampled, "x", vjp="2 * g", jvp="2 * x_dot")
    with pytest.raises(s2sad.ArgumentError, match="needs a sample"):
        check_rule(unsampled)
    check_rule(unsampled, (1.5,))
    zero(unsampled, "x")
