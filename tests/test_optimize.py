"""scipy.optimize as it is used: derivatives passed as jac=, hess= and hessp=."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import s2sad
from tests.scripts import load

optimize = pytest.importorskip("scipy.optimize")


def rosen(x: Any) -> Any:
    """Rosenbrock's valley, written with slices."""
    return np.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2)


def scaled(x: Any, a: float, b: float) -> Any:
    return np.sum(a * (x[1:] - x[:-1] ** 2) ** 2 + (b - x[:-1]) ** 2)


START = np.array([1.3, 0.7, 0.8, 1.9])


def test_minimize_takes_value_and_gradient_at_once() -> None:
    found = optimize.minimize(s2sad.value_and_grad(rosen), START, jac=True, method="BFGS")
    assert found.success
    np.testing.assert_allclose(found.x, np.ones(4), atol=1e-5)
    plain = optimize.minimize(rosen, START, method="BFGS")
    assert found.nfev < plain.nfev / 4


@pytest.mark.parametrize("method", ["CG", "L-BFGS-B", "TNC", "SLSQP"])
def test_minimize_takes_a_gradient_and_extra_arguments(method: str) -> None:
    found = optimize.minimize(
        scaled, START, args=(100.0, 1.0), jac=s2sad.grad(scaled), method=method
    )
    np.testing.assert_allclose(found.x, np.ones(4), atol=1e-2)
    both = optimize.minimize(
        s2sad.value_and_grad(scaled), START, args=(100.0, 1.0), jac=True, method=method
    )
    np.testing.assert_allclose(both.x, found.x, atol=1e-8)


@pytest.mark.parametrize("method", ["Newton-CG", "trust-ncg", "trust-krylov"])
def test_minimize_takes_hessian_vector_products(method: str) -> None:
    found = optimize.minimize(
        s2sad.value_and_grad(rosen), START, jac=True, hessp=s2sad.hvp(rosen), method=method
    )
    np.testing.assert_allclose(found.x, np.ones(4), atol=1e-4)
    product = s2sad.hvp(scaled)  # takes the direction last, where SciPy has it second
    found = optimize.minimize(
        s2sad.value_and_grad(scaled),
        START,
        args=(100.0, 1.0),
        jac=True,
        hessp=lambda x, p, *args: product(x, *args, p),
        method=method,
    )
    np.testing.assert_allclose(found.x, np.ones(4), atol=1e-4)


@pytest.mark.parametrize("method", ["trust-exact", "dogleg", "trust-constr"])
def test_minimize_takes_a_hessian(method: str) -> None:
    start = np.array([1.2, 1.3])  # dogleg needs the Hessian to be positive definite
    found = optimize.minimize(
        rosen, start, jac=s2sad.grad(rosen), hess=s2sad.hessian(rosen), method=method
    )
    np.testing.assert_allclose(found.x, np.ones(2), atol=1e-4)


def test_the_gradient_is_what_scipy_checks_it_to_be() -> None:
    assert optimize.check_grad(rosen, s2sad.grad(rosen), START) < 1e-4
    np.testing.assert_allclose(s2sad.grad(rosen)(START), optimize.rosen_der(START), rtol=1e-12)
    np.testing.assert_allclose(
        s2sad.hvp(rosen)(START, START), optimize.rosen_hess_prod(START, START), rtol=1e-12
    )


def residuals(p: Any, t: Any, y: Any) -> Any:
    return p[0] * np.exp(-p[1] * t) + p[2] - y


TIMES = np.linspace(0.0, 4.0, 30)
DATA = 2.5 * np.exp(-1.3 * TIMES) + 0.5


@pytest.mark.parametrize("method", ["trf", "lm", "dogbox"])
def test_least_squares_takes_a_jacobian(method: str) -> None:
    found = optimize.least_squares(
        residuals, [1.0, 1.0, 0.0], jac=s2sad.jacobian(residuals), args=(TIMES, DATA),
        method=method,
    )  # fmt: skip
    np.testing.assert_allclose(found.x, [2.5, 1.3, 0.5], rtol=1e-6)


def test_curve_fit_takes_a_jacobian_of_several_parameters() -> None:
    def decay(t: Any, a: float, b: float, c: float) -> Any:
        return a * np.exp(-b * t) + c

    columns = s2sad.jacobian(decay, argnums=(1, 2, 3))

    def jac(t: Any, *p: float) -> Any:
        return np.stack(columns(t, *p), axis=1)

    found, _ = optimize.curve_fit(decay, TIMES, DATA, p0=[1.0, 1.0, 0.0], jac=jac)
    np.testing.assert_allclose(found, [2.5, 1.3, 0.5], rtol=1e-6)


def equations(v: Any, k: float) -> Any:
    x, y = v
    return np.array([x + 0.5 * (x - y) ** 3 - k, 0.5 * (y - x) ** 3 + y])


@pytest.mark.parametrize("method", ["hybr", "lm"])
def test_root_takes_a_jacobian(method: str) -> None:
    found = optimize.root(
        equations, [0.0, 0.0], args=(1.0,), jac=s2sad.jacobian(equations), method=method
    )
    assert found.success
    np.testing.assert_allclose(equations(found.x, 1.0), 0.0, atol=1e-10)


def test_root_takes_value_and_jacobian_at_once() -> None:
    jac = s2sad.jacobian(equations)
    found = optimize.root(lambda v, k: (equations(v, k), jac(v, k)), [0.0, 0.0], (1.0,), jac=True)
    assert found.success


def test_fsolve_and_newton() -> None:
    x = optimize.fsolve(equations, [0.0, 0.0], args=(1.0,), fprime=s2sad.jacobian(equations))
    np.testing.assert_allclose(equations(x, 1.0), 0.0, atol=1e-10)

    def cubic(x: float, c: float) -> float:
        return x**3 - c

    slope = s2sad.grad(cubic)
    for second in (None, s2sad.grad(slope)):
        root = optimize.newton(cubic, 1.5, fprime=slope, fprime2=second, args=(5.0,))
        assert root == pytest.approx(5.0 ** (1 / 3))
    found = optimize.root_scalar(cubic, args=(5.0,), x0=1.5, fprime=slope, method="newton")
    assert found.root == pytest.approx(5.0 ** (1 / 3))


def test_constraints_take_jacobians() -> None:
    def circle(x: Any) -> Any:
        return np.array([x[0] ** 2 + x[1] ** 2 - 1.0])

    start = np.array([0.3, 0.9])
    for constraint in (
        {"type": "eq", "fun": circle, "jac": s2sad.jacobian(circle)},
        optimize.NonlinearConstraint(circle, 0.0, 0.0, jac=s2sad.jacobian(circle)),
    ):
        method = "SLSQP" if isinstance(constraint, dict) else "trust-constr"
        found = optimize.minimize(
            rosen, start, jac=s2sad.grad(rosen), constraints=[constraint], method=method
        )
        assert found.x @ found.x == pytest.approx(1.0, abs=1e-6)
        np.testing.assert_allclose(found.x, [0.7864, 0.6177], atol=1e-3)


def test_a_program_of_a_dict_is_fitted_through_a_flat_vector() -> None:
    def model(params: dict[str, Any], t: Any) -> Any:
        return params["scale"] * np.tanh(t * params["rates"][0]) + params["rates"][1]

    def loss(flat: Any) -> Any:
        params = {"scale": flat[0], "rates": flat[1:]}
        return np.mean((model(params, TIMES) - (1.5 * np.tanh(0.7 * TIMES) - 0.2)) ** 2)

    found = optimize.minimize(s2sad.value_and_grad(loss), np.ones(3), jac=True)
    np.testing.assert_allclose(found.x, [1.5, 0.7, -0.2], atol=1e-3)


def test_the_example_finds_the_spring_in_three_ways() -> None:
    script = load("fit_with_scipy")
    for params in script.fit(*script.measurements()).values():
        np.testing.assert_allclose(params, [2.00061, 0.30075], atol=2e-5)
