"""Derivatives at module level, two of them in place of their function; programs that call them."""

import s2sad
from tests.programs.tricky.flow import loop_variable_after, power_by_loop


@s2sad.grad
def replaced(x):
    return x * x


@s2sad.value_and_grad(argnums="y")
def with_arguments(x, y):
    return x * y * y


power_slope = s2sad.grad(power_by_loop)


def uses_a_derivative(x, y):
    slope = power_slope(x, 3)
    return slope * y + replaced(y) * x


def builds_a_derivative(x):
    return s2sad.grad(power_by_loop)(x, 2) * x


def gradient_step(x, rate):
    for _ in range(3):
        x = x - rate * s2sad.grad(loop_variable_after)(x)
    return x @ x
