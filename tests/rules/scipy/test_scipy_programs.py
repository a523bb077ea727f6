"""Programs that use SciPy: how its objects are found, what is written, what is refused."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

pytest.importorskip("scipy")

import scipy.special as sps
from scipy import interpolate, linalg, optimize, signal, sparse, special, stats
from scipy.special import gammaln, logsumexp
from scipy.stats import norm

import s2sad
from tests.checker import check, refused

X = np.array([0.4, 1.3, 2.7])
M = np.array([[2.0, 0.5, -0.3], [0.1, 1.5, 0.4], [0.7, -0.2, 1.1]])
SPARSE = sparse.csr_array(np.array([[0.0, 1.5, 0.0], [2.0, 0.0, -0.5]]))


def test_functions_under_every_name():
    check(lambda x, a: np.sum(gammaln(x) * sps.expit(a * x)) + special.jv(2, a), X, 0.7)


def test_second_derivatives_go_through_the_same_texts():
    slope = s2sad.grad(lambda x: special.log_ndtr(x) + special.rgamma(x))
    assert s2sad.compare(lambda x: slope(x), 0.3)["finite differences"].digits > 9


def test_what_is_written_reads_like_the_users():
    def f(x):
        return np.sum(special.gammaln(x))

    assert "special.psi(x)" in s2sad.grad(f).source(X)


def test_operands_out_of_place_are_passed_by_name():
    check(lambda a, w: np.sum(logsumexp(a, axis=1, b=w)), M, 0.7)


def test_lists_are_arrays():
    check(lambda mu: np.sum(stats.poisson.logpmf([1, 2, 3], mu)), 1.4)


def test_single_precision_stays():
    gradient = s2sad.grad(lambda x: np.sum(special.erf(x)))(X.astype("float32"))
    assert gradient.dtype == np.float32


def test_distributions_imported_by_name_frozen_and_with_keywords():
    check(lambda m, s: np.sum(norm.logpdf(X, m, s)), 0.3, 1.2)
    check(lambda m, s: np.sum(norm(m, scale=s).logpdf(X)), 0.3, 1.2)
    check(lambda s: np.sum(stats.t.logcdf(X, 3.0, scale=s)), 1.2)


PRIOR = stats.gamma(2.5, scale=0.7)


def test_a_distribution_frozen_outside():
    check(lambda x: PRIOR.logpdf(x) * PRIOR.sf(x), 0.8)


def test_outside_of_the_support_nothing_moves():
    gradient = s2sad.grad(lambda x: np.sum(stats.gamma.pdf(x, 2.5)))
    np.testing.assert_array_equal(gradient(np.array([-1.0, -0.5])), [0.0, 0.0])


def test_shapes_of_distributions():
    check(lambda a, b: np.sum(stats.beta.cdf(0.2 * X, a, b)), 1.4, 2.2)
    check(lambda df: np.sum(stats.chi2.sf(X, df)), 2.5)


def test_densities_of_vectors():
    cov = M @ M.T
    check(
        lambda x, m, c: stats.multivariate_normal.logpdf(x, m, c), X, 0.5 * X, cov, variants=False
    )
    alpha = np.array([1.5, 0.7, 3.0])
    x = np.array([0.2, 0.5, 0.3])
    check(lambda a: stats.dirichlet.logpdf(x, a), alpha)


def test_factors_travel_as_tuples():
    def f(a, b):
        c = linalg.cho_factor(a @ a.T + np.eye(3))
        return np.sum(linalg.cho_solve(c, b) ** 2) + np.sum(
            linalg.lu_solve(linalg.lu_factor(a), b)
        )

    check(f, M, X)


def test_functions_of_a_matrix():
    check(lambda a: np.sum(linalg.expm(a) @ linalg.sqrtm(a @ a.T)), M)
    check(lambda a: np.sum(linalg.solve_banded((0, 1), a[:2], X)), M + 2.0)


def test_a_complex_root_of_a_real_matrix_is_an_error():
    with pytest.raises(ArithmeticError, match="complex"):
        s2sad.grad(lambda a: np.sum(linalg.sqrtm(a)))(np.diag([-1.0, 2.0]))


def test_filters():
    check(lambda b, x: np.sum(signal.lfilter(b, [1.0, -0.5], x) ** 2), X, np.sin(np.arange(6.0)))


def test_interpolants_are_called_later():
    knots = np.array([0.0, 1.0, 2.5, 3.0, 4.0])

    def f(y, at):
        spline = interpolate.CubicSpline(knots, y, bc_type="natural")
        line = interpolate.interp1d(knots, y)
        return np.sum(spline(at) * line(at))

    check(f, np.sin(knots), np.array([0.3, 2.7]))


CURVE = interpolate.PchipInterpolator(np.arange(4.0), np.array([0.0, 1.0, 0.5, 2.0]))


def test_a_curve_made_outside():
    check(lambda x: np.sum(CURVE(x) ** 2) + CURVE(0.5, 1), X, tape=False)


def test_sparse_matrices():
    check(lambda x: np.sum((SPARSE @ x) ** 2), X)
    check(lambda y: np.sum((SPARSE.T @ y) ** 2), X[:2])
    check(lambda x: np.sum((SPARSE @ np.outer(x, x)) ** 2), X)
    check(lambda y: np.sum((y @ SPARSE) ** 3), X[:2])


def test_another_sparse_matrix_is_another_derivative():
    gradient = s2sad.grad(lambda x, a: np.sum(a @ x))
    one, two = SPARSE, 2.0 * SPARSE
    np.testing.assert_allclose(2.0 * gradient(X, one), gradient(X, two))


def test_plain_functions_straight_through():
    check(lambda x: optimize.rosen(x), X)


# -- refusals --------------------------------------------------------------------------------------


def test_a_parameter_without_a_derivative_is_named():
    def order(v):
        return special.jv(v, 2.0)

    assert "its order" in refused(order, 1.5, match="scipy.special.jv has no derivative")

    def b(x):
        return special.hyp1f1(1.0, x, 2.0)

    refused(b, 1.5, match="parameter b")


def test_a_constant_order_is_fine():
    check(lambda x: special.jv(1.5, x) * special.kv(0.5, x), 1.3)


def test_a_missing_rule_names_the_function():
    def f(x):
        return special.lambertw(x).real

    refused(f, 0.3, match=r"scipy\.special\.lambertw has no rule")

    def g(m):
        return norm.ppf(0.3, m)

    refused(g, 0.3, match=r"scipy\.stats\.norm\.ppf has no rule")


def test_options_that_destroy_arguments_are_refused():
    def f(a):
        return np.sum(linalg.solve(a, X, overwrite_a=True))

    refused(f, M, match="destroys its argument")


def test_other_sparse_operations_are_refused():
    def f(x):
        return np.sum(SPARSE * x)

    refused(f, X, match="products with arrays have rules")


def test_nodes_have_no_derivative():
    def f(x):
        return interpolate.CubicSpline(x, X)(1.0)

    refused(f, X, match="nodes")


def test_numba_says_what_it_does_not_compile():
    pytest.importorskip("numba")
    gradient = s2sad.grad(lambda x: special.erf(x) * x, backend="numba")
    with pytest.raises(s2sad.UnsupportedError, match=r"does not compile scipy\.special\.erf"):
        gradient(0.3)


# -- cost --------------------------------------------------------------------------------------------


def test_scipy_is_imported_by_the_program_alone():
    code = (
        "import sys, numpy as np; import s2sad, s2sad.rules; "
        "from s2sad.rules.registry import lookup; lookup(np.sin); lookup(len); "
        "assert not any(m.split('.')[0] == 'scipy' for m in sys.modules); "
        "import scipy.special; lookup(scipy.special.gammaln); "
        "assert 'scipy.stats' not in sys.modules and 'scipy.optimize' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
