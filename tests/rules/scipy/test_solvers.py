"""Functions of the program that SciPy is given: roots, minima, integrals, differential equations."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("scipy")

from scipy import integrate, optimize
from scipy.integrate import odeint, solve_ivp
from scipy.optimize import brentq

import s2sad
from tests.checker import refused

A = np.array([[2.0, 0.3], [0.1, 1.5]])
B = np.array([0.3, 0.8])
TIMES = np.linspace(0.0, 2.0, 5)


def agree(f, *args, digits=8, second=True):
    """Reverse, forward and, unless told otherwise, second order, against differences."""
    wrt = tuple(range(len(args)))
    assert s2sad.compare(f, *args)["finite differences"].digits > digits
    gradient = s2sad.grad(f, argnums=wrt)(*args)
    along = tuple(np.ones_like(x) * 1.0 for x in args)
    total = sum(float(np.sum(g)) for g in gradient)
    assert s2sad.jvp(f, args, along)[1] == pytest.approx(total, rel=1e-7)
    if second:
        slope = s2sad.grad(f)
        again = s2sad.compare(lambda *z: np.sum(np.sin(slope(*z))), *args)
        assert again["finite differences"].digits > digits - 3


def kepler(E, e, M):
    return E - e * np.sin(E) - M


# -- roots -----------------------------------------------------------------------------------------


def test_a_root_depends_on_what_the_function_is_given():
    agree(lambda e, M: np.cos(brentq(kepler, 0.0, 7.0, args=(e, M))), 0.3, 1.0)


def test_a_root_depends_on_what_the_function_closes_over():
    def f(e, M):
        return brentq(lambda E: kepler(E, e, M), 0.0, 7.0, xtol=1e-14) ** 2

    agree(f, 0.3, 1.0)


def test_the_derivative_shows_the_function():
    source = s2sad.grad(lambda e, M: brentq(kepler, 0.0, 7.0, args=(e, M))).source(0.3, 1.0)
    assert "def kepler(E, e, M):" in source
    assert "optimize.brentq(kepler, 0.0, 7.0, args=(e, M))" in source


def test_the_bracket_has_no_influence():
    assert s2sad.grad(lambda a: brentq(kepler, a, 7.0, args=(0.3, 1.0)))(0.1) == 0.0


def test_newton_in_a_loop():
    def f(e, M):
        total = 0.0
        for i in range(1, 4):
            total += optimize.newton(lambda E: kepler(E, e, M * i), 1.0)
        return total

    agree(f, 0.3, 0.9)


def test_fixed_points_of_numbers_and_vectors():
    agree(lambda e, M: 2.0 * optimize.fixed_point(lambda E: M + e * np.sin(E), 1.0), 0.3, 1.0)

    def f(b):
        return np.sum(optimize.fixed_point(lambda x: 0.3 * np.cos(A @ x) + b, B, xtol=1e-13) ** 2)

    agree(f, B)


def test_systems_of_equations():
    def f(b):
        found = optimize.root(lambda x: A @ x + 0.1 * x**3 - b, np.zeros(2), tol=1e-13)
        return np.sum(found.x**2) + np.sum(found.fun)

    agree(f, B)
    agree(lambda b: np.sum(optimize.fsolve(lambda x: A @ x - b * x**2, B) ** 2), B)


def test_a_residual_may_return_a_list():
    def f(b):
        def residual(x):
            return [x[0] + 0.2 * x[1] - b[0], x[1] ** 3 - b[1]]

        return np.sum(optimize.root(residual, [0.5, 0.5]).x)

    agree(f, B)


def test_jacobians_of_solutions():
    def solution(b):
        return optimize.root(lambda x: A @ x - b, np.zeros(2)).x

    np.testing.assert_allclose(s2sad.jacobian(solution)(B), np.linalg.inv(A), rtol=1e-9)


# -- minima ----------------------------------------------------------------------------------------


def loss(x, b):
    return np.sum((A @ x - b) ** 2) + np.sum(x**2)


def test_a_minimum_moves_as_its_gradient_says():
    def f(b):
        return np.sum(optimize.minimize(loss, np.ones(2), args=(b,), tol=1e-12).x)

    # linear least squares: x = inv(A.T A + I) A.T b
    wanted = A @ np.linalg.inv(A.T @ A + np.eye(2)) @ np.ones(2)
    np.testing.assert_allclose(s2sad.grad(f)(B), wanted, rtol=1e-9)


def test_the_value_at_a_minimum_has_the_slope_of_the_loss():
    gradient = s2sad.grad(lambda b: optimize.minimize(loss, np.ones(2), args=(b,)).fun)(B)
    x = optimize.minimize(loss, np.ones(2), args=(B,), tol=1e-12).x
    np.testing.assert_allclose(gradient, -2.0 * (A @ x - B), rtol=1e-6)


def test_a_gradient_for_the_solver():
    def f(b):
        found = optimize.minimize(loss, np.ones(2), args=(b,), jac=s2sad.grad(loss), tol=1e-12)
        return np.sum(found.x**3)

    agree(f, B)
    assert "jac=loss_jac" in s2sad.grad(f).source(B)


def test_a_slope_for_the_solver():
    def f(e, M):
        return optimize.newton(
            lambda E: kepler(E, e, M), 1.0, fprime=lambda E: 1.0 - e * np.cos(E)
        )

    agree(f, 0.3, 1.0)


def test_minima_of_one_variable():
    def f(a):
        return optimize.minimize_scalar(lambda x: np.exp(x) - a * x).x

    assert s2sad.grad(f)(2.5) == pytest.approx(1 / 2.5, rel=1e-6)


def test_constraints_are_refused():
    def f(b):
        return np.sum(optimize.minimize(loss, np.ones(2), args=(b,), bounds=[(0, 1), (0, 1)]).x)

    refused(f, B, match="bounds")


# -- integrals ---------------------------------------------------------------------------------------


def test_integrals_by_their_limits_and_parameters():
    def f(a, w, b):
        value, _ = integrate.quad(lambda t: np.exp(-a * t) * np.sum(w * t**2), 0.1 * a, b)
        return value

    agree(f, 0.7, B, 1.5)


def test_infinite_limits():
    def f(s):
        return integrate.quad(lambda x: np.exp(-0.5 * (x / s) ** 2), -np.inf, np.inf)[0]

    assert s2sad.grad(f)(1.3) == pytest.approx(np.sqrt(2 * np.pi), rel=1e-9)


# -- differential equations ------------------------------------------------------------------------


def pendulum(y, t, b, c):
    theta, omega = y
    return [omega, -b * omega - c * np.sin(theta)]


def test_odeint():
    def f(y0, b, c):
        return np.sum(odeint(pendulum, y0, TIMES, args=(b, c), rtol=1e-11, atol=1e-12) ** 2)

    agree(f, np.array([1.0, 0.2]), 0.25, 5.0, digits=6, second=False)


def test_odeint_by_its_times():
    def f(t):
        return np.sum(odeint(lambda t, y: -t * y, B, t, tfirst=True, rtol=1e-11, atol=1e-12))

    agree(f, TIMES, digits=6, second=False)


def test_solve_ivp():
    def f(y0, w, end):
        found = solve_ivp(
            lambda t, y: np.array([y[1], -(w @ w) * y[0] + np.sin(t)]),
            (0.1 * end, end),
            y0,
            t_eval=np.array([0.5 * end, end]),
            method="DOP853",
            rtol=1e-11,
            atol=1e-12,
        )
        return found.y[0, -1] ** 2 + found.y[1, 0]

    agree(f, np.array([1.0, 0.2]), np.array([1.0, 0.5]), 2.0, digits=6, second=False)


def test_steps_of_the_solvers_choosing_are_refused():
    def f(y0):
        return solve_ivp(lambda t, y: -y, (0.0, 1.0), y0).y[0, -1]

    refused(f, B, match="t_eval")


def test_second_derivatives_of_trajectories_are_refused():
    def f(y0):
        return np.sum(odeint(lambda y, t: -(y**2), y0, TIMES))

    with pytest.raises(s2sad.UnsupportedError, match="first derivatives"):
        s2sad.grad(lambda y: np.sum(s2sad.grad(f)(y)))(B)


# -- what cannot be given ----------------------------------------------------------------------------


def test_a_function_that_writes_outside_is_refused():
    def f(x):
        seen = np.zeros(1)

        def residual(E):
            seen[0] = E
            return E - x

        return brentq(residual, -9.0, 9.0) + seen[0]

    refused(f, 0.5, match="written")


def test_unknown_options_are_refused():
    def f(M):
        return brentq(kepler, 0.0, 7.0, args=(0.3, M), full_output=True)[0]

    refused(f, 0.5, match="full_output")


def test_the_tape_says_what_it_does_not_follow():
    def f(M):
        return brentq(lambda E: kepler(E, 0.3, M), 0.0, 7.0)

    with pytest.raises(s2sad.UnsupportedError, match="does not follow"):
        s2sad.tape.grad(f)(0.5)
