"""Jacobians, Hessians and elementwise gradients: layouts, modes, the corpus, and what runs.

The truth is central differences of plain Python for the layouts, and the pullback (which other
tests hold against differences) for the corpus.
"""

from __future__ import annotations

import math
import pickle
import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest

import s2sad
from s2sad import elementwise_grad, grad, hessian, jacfwd, jacobian, jacrev
from s2sad.errors import ArgumentError, OutputError, UnsupportedError
from s2sad.ir.tree import flatten, gradient_tree
from tests.arguments import active_argnums
from tests.programs import Program
from tests.programs.golden import PROGRAMS as GOLDEN
from tests.programs.golden import SCALARS
from tests.programs.tricky import PROGRAMS as TRICKY
from tests.trees import fresh

X = np.array([0.3, -1.2, 2.0])
A = np.arange(6.0).reshape(2, 3) / 7.0
MODES = [jacobian, jacfwd, jacrev]


def differences(f: Callable[..., Any], *args: Any, argnum: int = 0, h: float = 1e-6) -> Any:
    """The Jacobian of a function from arrays to arrays, by central differences."""
    x = np.asarray(args[argnum], dtype=float)
    columns = []
    for k in range(x.size):
        step = np.zeros(x.size)
        step[k] = h
        step = step.reshape(x.shape)
        ends = [
            np.asarray(
                f(*args[:argnum], (x + s)[()] if x.ndim else float(x + s), *args[argnum + 1 :])
            )
            for s in (step, -step)
        ]
        columns.append((ends[0] - ends[1]) / (2 * h))
    stacked = np.stack(columns, axis=-1)
    return stacked.reshape((*stacked.shape[:-1], *x.shape))


def close(a: Any, b: Any, rtol: float = 1e-6) -> None:
    """Equal trees, but for rounding."""
    if isinstance(b, dict):
        assert list(a) == list(b)
        for key in b:
            close(a[key], b[key], rtol)
    elif isinstance(b, tuple | list):
        assert type(a) is type(b) and len(a) == len(b)
        for x, y in zip(a, b, strict=True):
            close(x, y, rtol)
    elif hasattr(b, "__dataclass_fields__"):
        for name in b.__dataclass_fields__:
            close(getattr(a, name), getattr(b, name), rtol)
    elif b is None:
        assert a is None
    else:
        assert np.shape(a) == np.shape(b)
        np.testing.assert_allclose(a, b, rtol=rtol, atol=1e-8)


# -- layouts --------------------------------------------------------------------------------------


def vector(x: Any) -> Any:
    return np.sin(x) * x[0]


def matrix_of_vector(x: Any) -> Any:
    return np.outer(x, np.cos(x))[:2]


def vector_of_matrix(a: Any) -> Any:
    return np.exp(a).sum(axis=0) * a[1]


def matrix_of_matrix(a: Any) -> Any:
    return a.T @ a


def loop(x: Any) -> Any:
    y = np.zeros(len(x))
    s = 0.0
    for i in range(len(x)):
        s = s + x[i] ** 2
        y[i] = math.sin(s) * x[-1]
    return y


def in_place(x: Any) -> Any:
    u = x.copy()
    for _ in range(3):
        u[1:] += 0.5 * u[:-1] ** 2
    return u


def branches(x: Any) -> Any:
    if x[0] > 0:
        y = x**2
    else:
        y = 3.0 * x
    while y[0] < 10:
        y = y * 2.0
    return y


def gathers(x: Any) -> Any:
    i = np.array([2, 0, 0, 1])
    y = np.zeros((2, 4))
    y[:, i[1:]] = x[i[:3]]
    return y * x[1]


FUNCTIONS: list[tuple[Callable[..., Any], Any]] = [
    (vector, X),
    (matrix_of_vector, X),
    (vector_of_matrix, A),
    (matrix_of_matrix, A),
    (loop, X),
    (in_place, X),
    (branches, X),
    (gathers, X),
    (lambda x: x @ x, X),
    (lambda x: np.sin(x), 0.7),
    (lambda x: np.array([x, x**2]), 0.7),
]


@pytest.mark.parametrize("make", MODES, ids=lambda m: m.__name__)
@pytest.mark.parametrize("f, x", FUNCTIONS, ids=lambda v: getattr(v, "__name__", ""))
def test_arrays(make: Any, f: Callable[..., Any], x: Any) -> None:
    found = make(f)(x)
    close(found, differences(f, x))
    assert make(f)(x) is not found


@pytest.mark.parametrize("make", MODES, ids=lambda m: m.__name__)
def test_scalars_give_floats(make: Any) -> None:
    assert type(make(lambda x: x * x)(3.0)) is float
    assert make(lambda x: x * x)(3.0) == 6.0
    assert make(lambda x: x * x)(3) == 6.0
    (found,) = make(lambda x: [x * x])(3.0)
    assert type(found) is float
    assert type(make(lambda x: x * x)(np.float32(3.0))) is np.float32


class Pair(NamedTuple):
    first: Any
    second: Any


@pytest.mark.parametrize("make", MODES, ids=lambda m: m.__name__)
def test_trees(make: Any) -> None:
    def f(p: Any, k: int) -> Any:
        w, (b, name) = p["w"], p["rest"]
        return Pair({"y": w * b, "n": k}, [b * b, w.sum()])

    p = {"w": X, "rest": (2.0, "name")}
    found = make(f)(p, 3)
    eye = np.eye(3)
    expected = Pair(
        {"y": {"w": 2.0 * eye, "rest": (X, None)}, "n": None},
        [{"w": np.zeros(3), "rest": (4.0, None)}, {"w": np.ones(3), "rest": (0.0, None)}],
    )
    close(found, expected)
    assert type(found) is Pair


@pytest.mark.parametrize("make", MODES, ids=lambda m: m.__name__)
def test_argnums(make: Any) -> None:
    def f(x: Any, a: Any, s: float) -> Any:
        return a @ x * s

    for number, name in ((0, "x"), (1, "a"), (2, "s")):
        one = make(f, argnums=number)(X, A, 1.5)
        close(one, differences(f, X, A, 1.5, argnum=number))
        close(make(f, argnums=name)(X, A, 1.5), one)
    found = make(f, argnums=(2, 0))(X, A, 1.5)
    assert type(found) is tuple
    close(found, (A @ X, 1.5 * A))


@pytest.mark.parametrize("make", MODES, ids=lambda m: m.__name__)
def test_elements_of_args(make: Any) -> None:
    def f(*xs: Any, scale: float = 2.0) -> Any:
        return xs[0] * xs[1] * scale

    close(make(f, argnums=1)(X, np.ones(3)), np.diag(2.0 * X))
    close(make(f, argnums=(0, 1))(2.0, 5.0), (10.0, 4.0))


@pytest.mark.parametrize("make", [*MODES, elementwise_grad], ids=lambda m: m.__name__)
def test_has_aux(make: Any) -> None:
    def f(x: Any) -> Any:
        y = x * x
        return y, {"twice": 2.0 * y, "name": "squares"}

    found, aux = make(f, has_aux=True)(X)
    close(found, 2.0 * X if make is elementwise_grad else np.diag(2.0 * X))
    close(aux["twice"], 2.0 * X * X)
    assert aux["name"] == "squares"


@pytest.mark.parametrize("make", [jacobian, jacfwd, jacrev])
def test_dtypes_are_those_of_the_output(make: Any) -> None:
    single = X.astype("float32")
    assert make(lambda x: x * x)(single).dtype == np.float32
    assert make(lambda x: x.astype("float64") * 2.0)(single).dtype == np.float64
    assert make(lambda x: (x * 2.0).astype("float32"))(X).dtype == np.float32


@pytest.mark.parametrize("make", MODES, ids=lambda m: m.__name__)
def test_empty(make: Any) -> None:
    none = np.zeros(0)
    assert make(lambda x: x * x)(none).shape == (0, 0)
    assert make(lambda x: x.sum() * np.ones(2))(none).shape == (2, 0)
    assert make(lambda x: x[:0].reshape(-1, 2))(X).shape == (0, 2, 3)


@pytest.mark.parametrize("make", MODES, ids=lambda m: m.__name__)
def test_constant_output(make: Any) -> None:
    close(make(lambda x: np.ones(2))(X), np.zeros((2, 3)))
    close(make(lambda x, y: (y, x), argnums=0)(X, 2.0), (np.zeros(3), np.eye(3)))


def test_lists() -> None:
    def f(xs: Any) -> Any:
        return [x * xs[0] for x in xs]

    close(jacfwd(f)([2.0, 3.0]), [[4.0, 0.0], [3.0, 2.0]])
    close(jacobian(f)([2.0, 3.0]), [[4.0, 0.0], [3.0, 2.0]])
    close(
        jacrev(lambda xs: np.array(xs) ** 2)([2.0, 3.0]), [np.array([4.0, 0]), np.array([0, 6.0])]
    )
    with pytest.raises(UnsupportedError, match="mode='forward'"):
        jacrev(f)([2.0, 3.0])


def test_complex() -> None:
    close(jacfwd(lambda x: x * 1j)(X), 1j * np.eye(3))
    close(jacobian(lambda x: x * 1j)(X), 1j * np.eye(3))
    with pytest.raises(UnsupportedError, match="forward"):
        jacrev(lambda x: x * 1j)(X)
    with pytest.raises(UnsupportedError, match="imaginary"):
        jacfwd(lambda x: x * x)(X + 0j)


def test_wrong_arguments() -> None:
    with pytest.raises(ArgumentError, match="mode"):
        jacobian(vector, mode="sideways")
    with pytest.raises(ArgumentError, match="function first"):
        jacobian(1)  # type: ignore[call-overload]
    with pytest.raises(ArgumentError):
        jacobian(vector)("text")
    with pytest.raises(OutputError):
        hessian(vector)(X)


# -- one sweep ------------------------------------------------------------------------------------


def tanh_once(x: Any) -> Any:
    return np.tanh(x) * 2.0


@pytest.mark.parametrize("make", [jacfwd, jacrev], ids=lambda m: m.__name__)
def test_the_primal_runs_once(make: Any) -> None:
    code = [line for line in make(tanh_once).source(X).splitlines() if "#" not in line]
    assert "".join(code).count("np.tanh(") == 1


def test_sources_can_be_read() -> None:
    text = jacfwd(vector).source(X)
    assert "x_dot = np.eye(len(x))" in text
    assert "for" not in text
    assert "np.eye" in jacrev(vector).source(X)
    assert "def vector_hessian" not in text
    namespace: dict[str, Any] = {"np": np}
    exec(text, namespace)
    close(namespace["vector_jacobian"](X), jacfwd(vector)(X))


def test_auto_takes_the_mode_of_fewer_directions() -> None:
    def f(x: Any, n: int) -> Any:
        return np.ones(n) * np.sin(x).sum()

    auto = jacobian(f)
    close(auto(X, 2), differences(f, X, 2))
    close(auto(X, 5), differences(f, X, 5))
    few = jacobian(lambda x: np.array([x @ x, x[0]]))
    assert "x_bar" in few.source(np.ones(9))
    some = jacobian(lambda x: np.exp(x[x > 0]))
    close(some(X), np.exp(X)[:, None][[0, 2]] * np.eye(3)[[0, 2]])
    assert "x_bar" in some.source(X)
    assert some(np.ones(2)).shape == (2, 2)
    assert "x_bar" not in jacobian(lambda x: np.outer(x, x)).source(np.ones(9))


def test_decorators_methods_and_pickles() -> None:
    @jacobian(argnums="y")
    def f(x: Any, y: Any) -> Any:
        return x * y

    close(f(2.0, X), 2.0 * np.eye(3))

    class Model:
        def __init__(self) -> None:
            self.k = 3.0

        @jacobian
        def rates(self, x: Any) -> Any:
            return self.k * x**2

    close(Model().rates(X), np.diag(6.0 * X))
    again = pickle.loads(pickle.dumps(jacobian(vector)))
    close(again(X), jacobian(vector)(X))
    assert "jacobian of vector" in repr(jacobian(vector))


# -- second order ---------------------------------------------------------------------------------


def scalar(x: Any) -> Any:
    return np.sum(np.sin(x) * x[::-1] ** 2) + x[0] * x[1] * x[2]


def scalar_loop(x: Any) -> Any:
    s = 1.0
    for i in range(len(x)):
        s = s * x[i] + math.cos(x[i - 1])
    return s * s


@pytest.mark.parametrize("f", [scalar, scalar_loop])
def test_hessian(f: Any) -> None:
    found = hessian(f)(X)
    close(found, differences(grad(f), X), rtol=1e-5)
    close(found, found.T, rtol=1e-10)
    close(jacrev(grad(f))(X), found, rtol=1e-9)
    close(jacfwd(grad(f))(X), found, rtol=1e-9)


def test_hessian_of_trees() -> None:
    def f(p: Any, y: float) -> Any:
        return np.sum(p["w"] ** 2) * p["b"] * y

    p = {"w": X, "b": 2.0}
    found = hessian(f)(p, 1.5)
    close(
        found,
        {
            "w": {"w": 6.0 * np.eye(3), "b": 3.0 * X},
            "b": {"w": 3.0 * X, "b": 0.0},
        },
    )
    both = hessian(f, argnums=(0, 1))(p, 1.5)
    assert type(both) is tuple and type(both[1]) is tuple
    close(both[1][1], 0.0)
    close(both[0]["w"][1], 4.0 * X)
    close(both[0]["b"], ({"w": 3.0 * X, "b": 0.0}, float(X @ X)))
    assert hessian(lambda x: x**4)(2.0) == 48.0
    value, aux = hessian(lambda x: (x**3, "aux"), has_aux=True)(2.0)
    assert (value, aux) == (12.0, "aux")


def test_third_derivatives() -> None:
    def f(x: Any) -> Any:
        return np.sum(x**4) + x[0] * x[1] * x[2]

    third = jacfwd(hessian(f))(X)
    close(third, differences(hessian(f), X), rtol=1e-5)
    close(jacfwd(jacfwd(lambda x: x**3))(X), differences(jacfwd(lambda x: x**3), X), rtol=1e-5)


def norm_of_jacobian(x: Any) -> Any:
    return np.sum(jacfwd(vector)(x) ** 2)


def norm_of_hessian(x: Any) -> Any:
    return np.sum(hessian(scalar)(x) ** 2)


@pytest.mark.parametrize("f", [norm_of_jacobian, norm_of_hessian])
def test_inside_a_differentiated_program(f: Any) -> None:
    close(grad(f)(X), differences(f, X), rtol=1e-5)


def test_elementwise_grad() -> None:
    close(elementwise_grad(tanh_once)(X) / 2.0, 1.0 - np.tanh(X) ** 2)
    close(elementwise_grad(lambda x: x**3)(A), 3.0 * A**2)
    close(elementwise_grad(elementwise_grad(lambda x: x**3))(X), 6.0 * X)
    assert elementwise_grad(lambda x: x**3)(2.0) == 12.0


# -- the corpus -----------------------------------------------------------------------------------


def rows(f: Callable[..., Any], args: tuple[Any, ...], nums: tuple[int, ...]) -> Any:
    """The Jacobian by one pullback after the other, flat: an array of rows."""
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        out, pullback = s2sad.vjp(f, *fresh(args))
        leaves, struct = flatten(out)
        made = []
        for n, leaf in enumerate(leaves):
            for k in range(np.size(leaf)):
                seeds = [np.zeros(np.shape(v), np.asarray(v).dtype) for v in leaves]
                seeds[n].reshape(-1)[k] = 1.0
                given = [
                    s if isinstance(v, np.ndarray) else type(v)(s)
                    for s, v in zip(seeds, leaves, strict=True)
                ]
                bars = pullback(gradient_tree(struct, given))
                made.append(np.concatenate([flat(bars[i]) for i in nums]))
    return np.array(made)


def flat(tree: Any) -> Any:
    leaves = [np.ravel(leaf) for leaf in flatten(tree)[0]]
    return np.concatenate(leaves) if leaves else np.zeros(0)


def dense(jac: Any, out: Any) -> Any:
    """The blocks of a Jacobian as one matrix."""
    if isinstance(out, dict):
        parts = [(jac[k], v) for k, v in out.items()]
    elif isinstance(out, tuple | list):
        parts = list(zip(jac, out, strict=True))
    elif hasattr(out, "__dataclass_fields__"):
        parts = [(getattr(jac, n), getattr(out, n)) for n in out.__dataclass_fields__]
    else:
        leaves = [leaf for leaf in flatten(out)[0]]
        if not leaves:
            return None
        size = np.size(out)
        blocks = [np.reshape(leaf, (size, -1)) for leaf in flatten(jac)[0]]
        return np.concatenate(blocks, axis=1)
    found = [m for m in (dense(j, o) for j, o in parts) if m is not None]
    return np.concatenate(found) if found else None


CORPUS = [p for p in [*GOLDEN, *TRICKY] if p.reason is None]


@pytest.mark.parametrize("program", CORPUS, ids=str)
def test_corpus(program: Program) -> None:
    """Both modes give what one pullback after the other gives."""
    f, args = program.f, fresh(program.args)
    nums = active_argnums(args, program.options.get("argnums"))
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        out = f(*fresh(args))
    leaves = flatten((out, [args[n] for n in nums]))[0]
    if any(np.iscomplexobj(leaf) for leaf in leaves) or not flatten(out)[0]:
        return
    expected = rows(f, args, nums)
    if not np.all(np.isfinite(expected)) or "expected" in program.options:
        return
    for make in (jacfwd, jacrev):
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            found = make(f, argnums=nums)(*fresh(args))
        single = any(np.asarray(leaf).dtype == np.float32 for leaf in leaves)
        matrix = dense(found, out)
        close(matrix, expected, rtol=1e-4 if single else 1e-8)


@pytest.mark.parametrize("program", SCALARS, ids=str)
def test_hessians_of_the_corpus(program: Program) -> None:
    """Forward over reverse gives what pullbacks of the gradient give."""
    f, args = program.f, fresh(program.args)
    nums = active_argnums(args, program.options.get("argnums"))
    df = grad(f, argnums=nums)
    expected = rows(df, args, nums)
    found = dense(hessian(f, argnums=nums)(*fresh(args)), df(*fresh(args)))
    close(found, expected, rtol=1e-8)


def two_sizes(x: Any, y: Any) -> Any:
    """Two Jacobians of different widths, one of which may be 1, meet by broadcasting."""
    wide = jacfwd(lambda u: np.outer(np.ones(2), u * u).sum(axis=1))(x)
    thin = jacfwd(lambda u: np.ones(2) * np.sum(u * u))(y)
    return np.sum(np.sin(wide * thin))


def test_sizes_of_batches_are_not_confused() -> None:
    x, y = np.array([0.3, -0.5, 0.8]), np.array([0.7])
    found = grad(two_sizes, argnums=(0, 1))(x, y)
    close(found[0], differences(two_sizes, x, y), rtol=1e-5)
    close(found[1], differences(two_sizes, x, y, argnum=1), rtol=1e-5)


def writes_its_argument(x: Any, y: Any) -> Any:
    x[0] = y[1] * 2.0
    return x * y


@pytest.mark.parametrize("make", MODES, ids=lambda m: m.__name__)
def test_arguments_that_are_written(make: Any) -> None:
    x, y = X.copy(), 2.0 * X
    found = make(writes_its_argument, argnums=(0, 1))(x, y)
    np.testing.assert_array_equal(x, X)
    close(found[0], differences(lambda u: writes_its_argument(u.copy(), y), x))
    close(found[1], differences(lambda v: writes_its_argument(x.copy(), v), y))


def scalar_or_array(x: Any) -> Any:
    y = x * 2.0
    if np.sum(x) > 0:
        y = np.sum(y)
    return y * x[0]


@pytest.mark.parametrize("make", MODES, ids=lambda m: m.__name__)
def test_ranks_known_only_at_run_time(make: Any) -> None:
    for x in (X, -X):
        close(make(scalar_or_array)(x), differences(scalar_or_array, x))


def fact(x: Any, n: int) -> Any:
    return 1.0 if n == 0 else np.sin(x) * fact(x, n - 1)


@pytest.mark.parametrize("make", MODES, ids=lambda m: m.__name__)
def test_recursion(make: Any) -> None:
    close(make(fact)(X, 3), differences(fact, X, 3))


def solves(x: Any) -> Any:
    a = np.outer(x, x) + 3.0 * np.eye(3)
    return np.linalg.solve(a, np.stack([x, x**2], axis=1)) + np.linalg.inv(a)[:, :2]


def interpolates(x: Any) -> Any:
    return np.interp(x, np.array([-2.0, 0.0, 3.0]), np.array([1.0, 0.5, 2.0]) * x)


def extremes(x: Any) -> Any:
    return np.array([np.max(x), np.min(x), np.median(x), np.var(x), np.prod(x)]) * np.sort(x)[0]


def norms(x: Any) -> Any:
    return x / np.linalg.norm(x) + np.cumprod(x) + np.convolve(x, x, mode="same")


def strings_of_loops(x: Any) -> Any:
    h, out = np.zeros(2), []
    for k in range(len(x)):
        h = np.tanh(h + x[k] * np.array([1.0, 2.0]))
        out.append(h)
    return np.stack(out) * np.concatenate(out)[:2]


@pytest.mark.parametrize("make", MODES, ids=lambda m: m.__name__)
@pytest.mark.parametrize("f", [solves, interpolates, extremes, norms, strings_of_loops])
def test_library_functions(make: Any, f: Any) -> None:
    close(make(f)(X), differences(f, X), rtol=1e-5)


def two_outputs(x: Any, p: Any) -> Any:
    y, q = x, p
    for k in range(3):
        y = y * q + np.sum(x)
        q = q + 0.1 * k * p * y[0]
    return y, q


def test_cotangents_of_several_outputs_share_no_memory() -> None:
    """The rows of one identity matrix overlap; what is added to one must not show in another."""
    for f in (two_outputs, grad(lambda x, p: np.sum(two_outputs(x, p)[0]) ** 2, argnums=(0, 1))):
        found = jacrev(f, argnums=(0, 1))(X, 0.7)
        close(found, jacfwd(f, argnums=(0, 1))(X, 0.7), rtol=1e-9)


def walk(x: Any, k: int) -> Any:
    return x if k == 0 else walk(np.sin(x) * x[::-1], k - 1)


def power_of(x: float, n: int) -> Any:
    return 1.0 if n == 0 else x * power_of(x * 0.9, n - 1)


def test_hessians_through_recursion() -> None:
    def f(x: Any) -> Any:
        return np.sum(walk(x, 3) ** 2) + power_of(x[0], 3)

    close(hessian(f)(X), differences(grad(f), X), rtol=1e-4)
    close(jacrev(grad(f))(X), hessian(f)(X), rtol=1e-8)
