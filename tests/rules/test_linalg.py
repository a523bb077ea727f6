"""Linear algebra through the compiler: edge points, named results, shapes, what the text looks like.

The rules themselves are compared with differences at every sample in `test_rules`.
"""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import s2sad
from s2sad import grad
from s2sad.errors import UnsupportedError

RNG = np.random.default_rng(0)
TALL = RNG.normal(size=(5, 3))
SQUARE = RNG.normal(size=(4, 4)) + 3.0 * np.eye(4)
SYMMETRIC = SQUARE + SQUARE.T
WEIGHTS = RNG.normal(size=(5, 5))


def differences(f, x, h=1e-5):
    out = np.zeros(x.shape)
    for i in np.ndindex(x.shape):
        e = np.zeros(x.shape)
        e[i] = h
        out[i] = (f(x + e) - f(x - e)) / (2 * h)
    return out


def agrees(f, x, rtol=1e-6):
    np.testing.assert_allclose(grad(f)(x), differences(f, x), rtol=rtol, atol=1e-7)


# -- results by name, some of them unused ------------------------------------------------------------


def values_by_name(a):
    return np.sum(np.linalg.svd(a).S ** 3)


def left_by_name(a):
    return np.sum(np.linalg.svd(a, full_matrices=False).U ** 3)


def right_only(a):
    _, _, vh = np.linalg.svd(a, full_matrices=False)
    return np.sum(vh**3)


def triangle_by_name(a):
    return np.sum(np.linalg.qr(a).R ** 3)


def directions_only(a):
    q, _ = np.linalg.qr(a)
    return np.sum(q**3)


def log_size(a):
    return np.linalg.slogdet(a.T @ a).logabsdet


def solution_by_place(a):
    return np.sum(np.linalg.lstsq(a, a[:, 0] ** 2, rcond=None)[0] ** 3)


def residuals(a):
    _, res, _, s = np.linalg.lstsq(a, WEIGHTS[:, 0], rcond=None)
    return res[0] + np.sum(s**2)


@pytest.mark.parametrize(
    "f",
    [
        *(values_by_name, left_by_name, right_only, triangle_by_name, directions_only),
        *(log_size, solution_by_place, residuals),
    ],
)
def test_parts_of_results(f):
    agrees(f, TALL)


@pytest.mark.parametrize(
    "f", [values_by_name, left_by_name, right_only, triangle_by_name, directions_only]
)
def test_parts_of_results_of_wide_matrices(f):
    agrees(f, TALL.T)


def eigenvector_by_name(a):
    return np.linalg.eigh(a).eigenvectors[0, 0] ** 2


def eigenvalue_by_name(a):
    return np.linalg.eigh(a).eigenvalues[-1]


@pytest.mark.parametrize("f", [eigenvector_by_name, eigenvalue_by_name])
def test_parts_of_eigh(f):
    agrees(f, SYMMETRIC)


# -- full matrices: what their further columns span ----------------------------------------------------


def outside_of_columns(a):
    u, _, _ = np.linalg.svd(a)
    rest = u[:, a.shape[1] :]
    return np.sum(rest @ rest.T * WEIGHTS)


def null_space(a):
    _, _, vh = np.linalg.svd(a.T)
    rest = vh[a.shape[1] :]
    return np.sum(rest.T @ rest * WEIGHTS)


def complete(a):
    q, r = np.linalg.qr(a, mode="complete")
    rest = q[:, a.shape[1] :]
    return np.sum(rest @ rest.T * WEIGHTS) + np.sum(r**3)


@pytest.mark.parametrize("f", [outside_of_columns, null_space, complete])
def test_further_columns(f):
    agrees(f, TALL)


# -- equal eigenvalues and singular values -----------------------------------------------------------


def test_sums_of_repeated_eigenvalues_have_a_gradient():
    np.testing.assert_array_equal(
        grad(lambda a: np.sum(np.linalg.eigvalsh(a)))(np.eye(3)), np.eye(3)
    )
    found = grad(lambda a: np.sum(np.linalg.eigh(a)[0] ** 2))(2.0 * np.eye(3))
    np.testing.assert_allclose(found, 4.0 * np.eye(3), atol=1e-14)
    found = grad(lambda a: np.sum(np.linalg.eigvals(a)).real)(np.eye(3))
    np.testing.assert_allclose(found, np.eye(3), atol=1e-14)


def leading(a):
    w, v = np.linalg.eigh(a)
    return w[-1] + np.sum((v[:, -1] @ WEIGHTS[:4, :4]) * v[:, -1])


def test_the_vector_of_a_simple_eigenvalue_among_repeated_ones():
    q = np.linalg.qr(SQUARE)[0]
    a = q @ np.diag([1.0, 1.0, 1.0, 3.0]) @ q.T
    agrees(leading, 0.5 * (a + a.T))
    agrees(leading, np.diag([1.0, 1.0, 1.0, 3.0]))


def test_vectors_of_equal_eigenvalues_have_no_derivative():
    def f(a):
        w, v = np.linalg.eigh(a)
        return np.sum(v[:, 0] * WEIGHTS[:3, 0])

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert not np.isfinite(grad(f)(np.eye(3))).all()


def test_nuclear_norm_of_deficient_rank():
    a = np.outer([1.0, 2.0], [2.0, 0.0, 1.0])
    found = grad(lambda a: np.linalg.norm(a, "nuc"))(a)
    np.testing.assert_allclose(np.sum(found * a), np.linalg.norm(a, "nuc"), rtol=1e-12)


def test_spectral_norm_of_a_rotation_is_shared():
    found = grad(lambda a: np.linalg.norm(a, 2))(np.array([[0.0, -2.0], [2.0, 0.0]]))
    np.testing.assert_allclose(found, [[0.0, -0.5], [0.5, 0.0]], atol=1e-15)


def test_determinant_of_deficient_rank_to_second_order():
    a = np.array([[1.0, 2.0, 0.0], [2.0, 4.0, 1.0], [3.0, 6.0, 1.0]])
    agrees(lambda a: np.linalg.det(a), a)
    t = SQUARE[:3, :3]
    g = grad(lambda a: np.linalg.det(a))
    h = 1e-4
    expected = (g(a + h * t) - g(a - h * t)) / (2 * h)
    np.testing.assert_allclose(s2sad.hvp(lambda a: np.linalg.det(a))(a, t), expected, atol=1e-7)


def test_pinv_at_constant_rank():
    """Along matrices of the same rank the derivative is right, though there is none across."""
    u, v = TALL[:, :2], SQUARE[:2, :]

    def f(u):
        return np.sum(np.linalg.pinv(u @ v) ** 2)

    agrees(f, u)


# -- triangles ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("uplo", ["L", "U"])
def test_gradients_lie_where_the_matrix_was_read(uplo):
    """NumPy reads one triangle: the other has no influence."""
    if uplo == "L":
        found = grad(lambda a: np.sum(np.linalg.eigvalsh(a) ** 3))(SYMMETRIC)
        np.testing.assert_array_equal(np.triu(found, 1), 0.0)
    else:
        found = grad(lambda a: np.sum(np.linalg.eigvalsh(a, UPLO="U") ** 3))(SYMMETRIC)
        np.testing.assert_array_equal(np.tril(found, -1), 0.0)


def test_a_symmetric_program_has_a_symmetric_gradient():
    def f(a):
        return np.sum(np.linalg.eigvalsh(0.5 * (a + a.T)) ** 3)

    found = grad(f)(SYMMETRIC)
    np.testing.assert_allclose(found, 3.0 * SYMMETRIC @ SYMMETRIC, rtol=1e-10)


# -- stacks, sizes, layouts ----------------------------------------------------------------------------

STACK = RNG.normal(size=(2, 3, 4, 4)) + 3.0 * np.eye(4)


@pytest.mark.parametrize(
    "f",
    [
        lambda a: np.sum(np.linalg.inv(a) ** 2),
        lambda a: np.sum(np.linalg.det(a) ** 2),
        lambda a: np.sum(np.linalg.slogdet(a)[1]),
        lambda a: np.sum(np.linalg.solve(a, np.ones(4)) ** 2),
        lambda a: np.sum(np.linalg.solve(a, np.ones((3, 4, 2))) ** 2),
        lambda a: np.sum(np.linalg.cholesky(a @ a.mT) ** 3),
        lambda a: np.sum(np.linalg.qr(a)[0] ** 3),
        lambda a: np.sum(np.linalg.eigvalsh(a + a.mT) ** 3),
        lambda a: np.sum(np.linalg.svd(a, compute_uv=False) ** 3),
        lambda a: np.sum(np.linalg.matrix_power(a, 3)),
        lambda a: np.sum(np.linalg.matrix_power(a, -2)),
        lambda a: np.sum(np.linalg.matrix_norm(a, ord=1)),
        lambda a: np.sum(np.linalg.cond(a)),
    ],
)
def test_stacks(f):
    agrees(f, STACK, rtol=1e-5)


@pytest.mark.parametrize("shape", [(0, 0), (1, 1)])
def test_smallest_matrices(shape):
    a = np.full(shape, 2.0)
    for f in (
        lambda a: np.sum(np.linalg.inv(a) ** 2),
        lambda a: np.sum(np.linalg.svd(a)[1]),
        lambda a: np.sum(np.linalg.eigvalsh(a)),
        lambda a: np.sum(np.linalg.cholesky(a)),
        lambda a: np.linalg.det(a),
    ):
        found = grad(f)(a)
        assert found.shape == shape
        if a.size:
            np.testing.assert_allclose(found, differences(f, a), rtol=1e-8)


def test_layouts_and_single_precision():
    def f(a):
        w, v = np.linalg.eigh(a @ a.T)
        return np.sum(w * v[0] ** 2) + np.linalg.norm(np.linalg.solve(a, a[0]))

    expected = grad(f)(SQUARE)
    np.testing.assert_allclose(grad(f)(np.asfortranarray(SQUARE)), expected, rtol=1e-12)
    wide = np.repeat(np.repeat(SQUARE, 2, axis=0), 3, axis=1)
    np.testing.assert_allclose(grad(f)(wide[::2, ::3]), expected, rtol=1e-12)
    single = grad(f)(SQUARE.astype("float32"))
    assert single.dtype == np.float32
    np.testing.assert_allclose(single, expected, rtol=2e-3, atol=1e-3)


# -- what is refused -----------------------------------------------------------------------------------


def test_raw_qr_is_refused():
    with pytest.raises(UnsupportedError, match="mode='raw'"):
        grad(lambda a: np.sum(np.linalg.qr(a, mode="raw")[0]))(SQUARE)


def test_cross_products_in_the_plane_are_refused():
    def f(a, b):
        return np.sum(np.cross(a, b))

    with pytest.raises((UnsupportedError, ValueError)), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        grad(f)(np.ones((3, 2)), np.arange(6.0).reshape(3, 2))


# -- the text --------------------------------------------------------------------------------------------


def body(f, *args):
    lines = grad(f).source(*args).splitlines()
    return [line.strip() for line in lines[1:] if "#" not in line]


def test_einsum_becomes_a_matrix_product():
    def f(a, b):
        return np.sum(np.einsum("ij,kj->ik", a, b) ** 2)

    assert body(f, TALL, TALL) == [
        'a_bar = 2.0 * np.einsum("ij,kj->ik", a, b) @ b',
        "return a_bar",
    ]


def test_only_what_is_used_is_computed():
    def f(a):
        w, v = np.linalg.eigh(a)
        return np.sum(w)

    assert not any("divided" in line for line in body(f, SYMMETRIC))


def test_a_least_squares_fit_solves_once():
    def f(a, b):
        x = np.linalg.solve(a, b)
        return x @ x

    assert sum(line.count("solve(") for line in body(f, SQUARE, SQUARE[0])) == 2
