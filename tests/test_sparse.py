"""Sparse Jacobians and Hessians: patterns, colours, checks, and the dense matrix as the truth."""

from __future__ import annotations

import subprocess
import sys
import warnings
from typing import Any

import numpy as np
import pytest

import s2sad
from s2sad import sparse_hessian, sparse_jacobian
from s2sad.errors import ArgumentError, UnsupportedError
from s2sad.ir.tree import flatten
from tests.arguments import active_argnums
from tests.programs import Program
from tests.programs.golden import PROGRAMS as GOLDEN
from tests.programs.tricky import PROGRAMS as TRICKY
from tests.test_jacobian import dense
from tests.trees import fresh

scipy_sparse = pytest.importorskip("scipy.sparse")

X = np.array([0.4, -1.2, 2.1, 0.9, -0.3, 1.7])
A = np.arange(12.0).reshape(3, 4) / 7.0 + 0.2


def differences(x: Any) -> Any:
    return x[1:] * x[:-1]


def stencil(u: Any) -> Any:
    v = u.copy()
    v[1:-1] += 0.1 * (u[2:] - 2.0 * u[1:-1] + u[:-2]) * u[1:-1]
    return v


def arrow(x: Any) -> Any:
    return np.concatenate([x[1:] * x[0], np.array([np.sum(x**2)])])


def one_dense_row(x: Any) -> Any:
    return np.concatenate([np.sin(x), np.array([np.sum(x**2)])])


def gathers(x: Any, i: Any) -> Any:
    return x[i] * x[0]


def scatters(x: Any, i: Any) -> Any:
    y = np.zeros(4)
    for n, k in enumerate(i):
        y[k] += x[n] ** 2
    return y


def branches(x: Any) -> Any:
    y = np.zeros(len(x))
    for k in range(len(x)):
        y[k] = x[k] ** 2 if x[k] > 0 else x[k] * x[k - 1]
    return y


def rows_of_matrix(a: Any) -> Any:
    return np.sum(np.exp(a), axis=1) * a[:, 0]


def products(a: Any) -> Any:
    return a @ np.ones(4), np.diff(a, axis=1), np.cumsum(a[:, 0])


def einsums(a: Any) -> Any:
    return np.einsum("ij,ij->i", a, a), np.einsum("ij,j->ij", a, np.ones(4)), np.outer(a[0], a[1])


def containers(x: Any) -> Any:
    out = [x[k] * x[k + 1] for k in range(3)]
    held = {"first": out[0], "rest": (np.array(out[1:]), "name")}
    held["first"] = held["first"] * 2.0
    return held, x[:2] ** 2


def reshapes(a: Any) -> Any:
    b = np.concatenate([a.T.reshape(-1)[::-1], np.pad(a[0], 1), np.tile(a[1], 2)])
    return np.where(b > 1.0, b**2, np.roll(b, 1))


FUNCTIONS: list[tuple[Any, tuple[Any, ...]]] = [
    (differences, (X,)),
    (stencil, (X,)),
    (arrow, (X,)),
    (one_dense_row, (X,)),
    (gathers, (X, np.array([3, 3, 1, 0]))),
    (scatters, (X, [2, 0, 2])),
    (branches, (X,)),
    (rows_of_matrix, (A,)),
    (products, (A,)),
    (einsums, (A,)),
    (containers, (X,)),
    (reshapes, (A,)),
    (lambda x: np.linalg.inv(x.reshape(2, 3) @ x.reshape(3, 2)), (X,)),
]


def truth(f: Any, *args: Any) -> Any:
    """The dense Jacobian as one matrix."""
    out = f(*fresh(args))
    return dense(s2sad.jacfwd(f)(*args), out)


@pytest.mark.parametrize("f, args", FUNCTIONS, ids=lambda v: getattr(v, "__name__", ""))
def test_jacobian(f: Any, args: Any) -> None:
    j = sparse_jacobian(f)
    found = j(*args)
    assert isinstance(found, scipy_sparse.csr_matrix)
    expected = truth(f, *args)
    np.testing.assert_allclose(found.toarray(), expected, rtol=1e-9, atol=1e-12)
    pattern = j.pattern(*args)
    assert pattern.dtype == bool and pattern.shape == found.shape
    assert np.all(pattern.toarray()[expected != 0])


@pytest.mark.parametrize(
    "f, args, count",
    [
        (differences, (X,), 2),
        (stencil, (X,), 3),
        (arrow, (X,), 6),
        (one_dense_row, (X,), 2),
        (rows_of_matrix, (A,), 1),
        (containers, (X,), 2),
    ],
)
def test_colors(f: Any, args: Any, count: int) -> None:
    assert sparse_jacobian(f).colors(*args) == count


def rosenbrock(x: Any) -> Any:
    return np.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2)


def partly_separable(x: Any) -> Any:
    total = 0.0
    for k in range(len(x) - 1):
        total += (x[k] * x[k + 1]) ** 2
    return total


@pytest.mark.parametrize("f", [rosenbrock, partly_separable])
def test_hessian(f: Any) -> None:
    h = sparse_hessian(f)
    found = h(X)
    np.testing.assert_allclose(found.toarray(), s2sad.hessian(f)(X), rtol=1e-9, atol=1e-12)
    assert h.colors(X) == 3
    assert h(np.ones(40)).nnz == 3 * 40 - 2


# -- which pattern, and when it is found ----------------------------------------------------------


def test_patterns_follow_the_path_taken() -> None:
    j = sparse_jacobian(branches)
    for x in (X, -X, np.abs(X), X[::-1].copy()):
        np.testing.assert_allclose(j(x).toarray(), truth(branches, x), rtol=1e-9, atol=1e-12)
    assert j.pattern(np.abs(X)).nnz == 6
    assert j.pattern(-np.abs(X)).nnz == 12


def test_patterns_follow_index_arrays() -> None:
    j = sparse_jacobian(gathers)
    for i in ([3, 3, 1, 0], [0, 1, 2, 3], [5, 5, 5, 5]):
        where = np.array(i)
        np.testing.assert_allclose(j(X, where).toarray(), truth(gathers, X, where), rtol=1e-9)


def ordered(x: Any) -> Any:
    return x[np.argsort(x)] ** 2


def selected(x: Any) -> Any:
    return np.exp(x[x > 0.5])


@pytest.mark.parametrize("f", [ordered, selected])
def test_patterns_follow_values_in_indices(f: Any) -> None:
    j = sparse_jacobian(f)
    for x in (X, -X, X[::-1].copy()):
        np.testing.assert_allclose(j(x).toarray(), truth(f, x), rtol=1e-9, atol=1e-12)


def test_patterns_are_found_once(monkeypatch: pytest.MonkeyPatch) -> None:
    from s2sad.sparse import derivative

    found = []
    detect = derivative.detect

    def counted(*args: Any) -> Any:
        found.append(1)
        return detect(*args)

    monkeypatch.setattr(derivative, "detect", counted)
    j = sparse_jacobian(differences)
    for x in (X, 2.0 * X, X):
        j(x)
    assert len(found) == 1
    j(np.ones(9))
    assert len(found) == 2
    varying = sparse_jacobian(branches)
    varying(X)
    varying(X)
    assert len(found) == 4


# -- patterns that are given ----------------------------------------------------------------------


def test_a_given_pattern_is_used() -> None:
    expected = truth(differences, X)
    j = sparse_jacobian(differences, pattern=expected != 0)
    np.testing.assert_allclose(j(X).toarray(), expected)
    full = sparse_jacobian(differences, pattern=scipy_sparse.csr_matrix(np.ones((5, 6))))
    np.testing.assert_allclose(full(X).toarray(), expected)
    assert full.colors(X) == 6
    h = sparse_hessian(rosenbrock, pattern=np.tri(6, k=1) * np.tri(6, k=1).T)
    np.testing.assert_allclose(h(X).toarray(), s2sad.hessian(rosenbrock)(X), rtol=1e-9)


def test_a_wrong_pattern_is_refused() -> None:
    expected = truth(differences, X) != 0
    expected[2, 3] = False
    with pytest.raises(ArgumentError, match="lacks entries that are not zero"):
        sparse_jacobian(differences, pattern=expected)(X)
    with pytest.raises(ArgumentError, match="rows"):
        sparse_jacobian(differences, pattern=np.ones((4, 6)))(X)
    with pytest.raises(ArgumentError, match="columns"):
        sparse_jacobian(differences, pattern=np.ones((5, 7)))(X)


def test_random_numbers_need_a_pattern() -> None:
    rng = np.random.default_rng(1)

    def noisy(x: Any) -> Any:
        return x * rng.normal(size=6)

    with pytest.raises(UnsupportedError):
        sparse_jacobian(noisy)(X)


# -- what is differentiated -----------------------------------------------------------------------


def test_trees_and_argnums() -> None:
    def f(p: Any, y: Any) -> Any:
        return p["w"] * p["b"] * y[:3], y**2

    p = {"w": X[:3], "b": 2.0, "n": 3}
    found = sparse_jacobian(f, argnums=(0, 1))(p, X)
    expected = dense(s2sad.jacfwd(f, argnums=(0, 1))(p, X), f(p, X))
    np.testing.assert_allclose(found.toarray(), expected)
    one = sparse_jacobian(f, argnums="y")(p, X)
    np.testing.assert_allclose(one.toarray(), expected[:, 4:])


def test_methods_and_decorators() -> None:
    class Model:
        k = 3.0

        @sparse_jacobian
        def rates(self, x: Any) -> Any:
            return self.k * x[1:] * x[:-1]

    np.testing.assert_allclose(Model().rates(X).toarray(), 3.0 * truth(differences, X))
    assert "x_dot" in Model().rates.source(X)


def test_empty() -> None:
    assert sparse_jacobian(differences)(np.ones(1)).shape == (0, 1)
    assert sparse_jacobian(lambda x: x**2)(np.zeros(0)).shape == (0, 0)
    assert sparse_jacobian(lambda x: np.ones(2))(X).nnz == 0


def test_without_scipy_the_message_says_so() -> None:
    script = (
        "import sys; sys.modules['scipy'] = None; sys.modules['scipy.sparse'] = None\n"
        "import s2sad\n"
        "try: s2sad.sparse_jacobian(len)\n"
        "except ImportError as e: print(e)\n"
    )
    out = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert "needs SciPy" in out.stdout


# -- size -----------------------------------------------------------------------------------------


def rotated(p: Any, r: Any) -> Any:
    """Points turned by rotation vectors, one each (Rodrigues' formula)."""
    angle = np.sqrt(np.sum(r * r, axis=1) + 1e-12)[:, None]
    k = r / angle
    along = np.sum(k * p, axis=1)[:, None] * k
    return np.cos(angle) * (p - along) + np.sin(angle) * np.cross(k, p) + along


def reprojection(params: Any, cameras: int, camera: Any, point: Any, seen: Any) -> Any:
    """What a camera model misses of each observation: bundle adjustment."""
    views = params[: 9 * cameras].reshape(cameras, 9)[camera]
    points = params[9 * cameras :].reshape(-1, 3)[point]
    q = rotated(points, views[:, :3]) + views[:, 3:6]
    flat = -q[:, :2] / q[:, 2:]
    r2 = np.sum(flat * flat, axis=1)
    scale = views[:, 6] * (1.0 + views[:, 7] * r2 + views[:, 8] * r2 * r2)
    return (scale[:, None] * flat - seen).ravel()


def test_bundle_adjustment_of_100_000_rows_takes_twelve_sweeps() -> None:
    rng = np.random.default_rng(0)
    cameras, points, seen = 500, 15_000, 50_000
    camera = rng.integers(0, cameras, seen)
    point = np.concatenate([np.arange(points), rng.integers(0, points, seen - points)])
    views = np.concatenate(
        [0.3 * rng.normal(size=(cameras, 5)), np.full((cameras, 4), 5.0)], axis=1
    )
    x = np.concatenate([views.ravel(), rng.uniform(-1.0, 1.0, 3 * points)])
    args = (x, cameras, camera, point, rng.normal(size=(seen, 2)))
    j = sparse_jacobian(reprojection)
    found = j(*args)
    assert found.shape == (100_000, 9 * cameras + 3 * points)
    assert j.colors(*args) == 12
    assert found.nnz == 12 * 100_000
    v = rng.normal(size=len(x))
    _, expected = s2sad.jvp(reprojection, args, (v, None, None, None, None))
    np.testing.assert_allclose(found @ v, expected, rtol=1e-8, atol=1e-8 * np.abs(expected).max())


# -- the corpus -----------------------------------------------------------------------------------

CORPUS = [p for p in [*GOLDEN, *TRICKY] if p.reason is None][::3]


@pytest.mark.parametrize("program", CORPUS, ids=str)
def test_corpus(program: Program) -> None:
    """The pattern covers what is not zero, and the matrix is the dense one."""
    f, args = program.f, fresh(program.args)
    nums = active_argnums(args, program.options.get("argnums"))
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        out = f(*fresh(args))
        leaves = flatten((out, [args[n] for n in nums]))[0]
        if any(np.iscomplexobj(leaf) for leaf in leaves) or not flatten(out)[0]:
            return
        if any(np.asarray(leaf).dtype == np.float32 for leaf in leaves):
            return
        expected = dense(s2sad.jacfwd(f, argnums=nums)(*fresh(args)), out)
        if not np.all(np.isfinite(expected)):
            return
        try:
            found = sparse_jacobian(f, argnums=nums)(*fresh(args))
        except UnsupportedError as error:
            assert "list" in str(error)
            return
    np.testing.assert_allclose(found.toarray(), expected, rtol=1e-8, atol=1e-9)
