"""Every transform with ``backend="numba"``: what it gives under NumPy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import s2sad
from tests.test_numba_corpus import alike

numba = pytest.importorskip("numba")

X, V, K = np.array([0.3, -1.2, 0.7]), np.array([1.0, 2.0, 3.0]), 1.3


@pytest.fixture(autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("S2SAD_CACHE_DIR", str(tmp_path_factory.getbasetemp() / "s2sad"))


def waves(x: np.ndarray, k: float) -> np.ndarray:
    return np.sin(k * x) * x[0]


def ripples(x: np.ndarray) -> np.ndarray:
    return np.sin(x) * x


def energy(x: np.ndarray, k: float) -> float:
    return np.sum(waves(x, k) ** 2)


def quartic(y: np.ndarray) -> float:
    return np.sum(y**4)


def along_gradient(x: np.ndarray, k: float) -> float:
    return np.sum(s2sad.grad(energy)(x, k) * x)


CALLS: dict[str, Callable[..., Any]] = {
    "value_and_grad": lambda **b: s2sad.value_and_grad(energy, (0, 1), **b)(X, K),
    "vjp": lambda **b: s2sad.vjp(waves, X, K, **b)[1](V),
    "jvp": lambda **b: s2sad.jvp(waves, (X, K), (V, 0.5), **b),
    "jvp, one tangent": lambda **b: s2sad.jvp(waves, **b)((X, K), (V, None)),
    "linearize": lambda **b: s2sad.linearize(waves, X, K, **b)[1](V, 1.0),
    "derivative": lambda **b: s2sad.derivative(waves, 1, **b)(X, K),
    "elementwise_grad": lambda **b: s2sad.elementwise_grad(ripples, **b)(X),
    "jacobian": lambda **b: s2sad.jacobian(waves, **b)(X, K),
    "jacfwd": lambda **b: s2sad.jacfwd(waves, **b)(X, K),
    "jacrev": lambda **b: s2sad.jacrev(waves, **b)(X, K),
    "hessian": lambda **b: s2sad.hessian(energy, **b)(X, K),
    "hvp": lambda **b: s2sad.hvp(energy, **b)(X, K, V),
    "gauss_newton_product": lambda **b: s2sad.gauss_newton_product(waves, **b)(X, K, V),
    "with a loss": lambda **b: s2sad.gauss_newton_product(waves, loss=quartic, **b)(X, K, V),
    "nested": lambda **b: s2sad.grad(along_gradient, **b)(X, K),
    "jvp of a gradient": lambda **b: s2sad.jvp(s2sad.grad(energy), (X, K), (V, None), **b),
}


@pytest.mark.parametrize("name", CALLS)
def test_transform(name: str) -> None:
    alike(CALLS[name](), CALLS[name](backend="numba"))


def products(x: np.ndarray) -> np.ndarray:
    return x[1:] * x[:-1] ** 2


def arrow(x: np.ndarray) -> np.ndarray:
    return np.array([np.sum(x * x), x[1] * x[0]])


def chain(x: np.ndarray) -> float:
    return np.sum(x[1:] ** 2 * x[:-1])


@pytest.mark.parametrize(
    ("transform", "f"),
    [
        (s2sad.sparse_jacobian, products),
        (s2sad.sparse_jacobian, arrow),
        (s2sad.sparse_hessian, chain),
    ],
)
def test_sparse_transform(transform: Any, f: Callable[..., Any]) -> None:
    pytest.importorskip("scipy")
    compiled = transform(f, backend="numba")
    alike(transform(f)(X).toarray(), compiled(X).toarray())


compiled_waves = numba.njit(waves)


def test_jvp_of_a_compiled_function_is_compiled() -> None:
    push = s2sad.jvp(compiled_waves)
    alike(s2sad.jvp(waves, (X, K), (V, None)), push((X, K), (V, None)))
    assert push.along((0,))._transform.backend == s2sad.Numba()


push = s2sad.jvp(compiled_waves)


@numba.njit
def pushed(x: np.ndarray, k: float, v: np.ndarray) -> Any:
    both = push((x, k), (v, 1.0))[1]
    one = push((x, k), (v, None))[1]
    return both, one


def test_jvp_is_called_from_compiled_code() -> None:
    both, one = (s2sad.jvp(waves, (X, K), (V, t))[1] for t in (1.0, None))
    alike((both, one), pushed(X, K, V))


@numba.njit
def pushed_wrongly(x: np.ndarray, k: float) -> Any:
    return push((x, k), (x,))


def test_jvp_in_compiled_code_takes_a_tangent_for_each_argument() -> None:
    with pytest.raises(numba.TypingError, match="a tangent, or None, for each argument"):
        pushed_wrongly(X, K)


@numba.njit
def bends(x: np.ndarray) -> float:
    total = 0.0
    for i in range(len(x)):
        total += np.sin(x[i]) * x[i]
    return total


slopes = s2sad.grad(bends)


@numba.njit
def slopes_inside(x: np.ndarray) -> np.ndarray:
    return slopes(x)


def test_what_compiled_code_calls_is_written_for_a_compiler(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from s2sad.backend.nopython import calling

    texts = []
    compile_nopython = calling.compile_nopython

    def noted(*args: Any, **options: Any) -> Any:
        made = compile_nopython(*args, **options)
        texts.append(made.text)
        return made

    monkeypatch.setattr(calling, "compile_nopython", noted)
    alike(slopes(X), slopes_inside(X))
    assert texts == [str(slopes.source(X))]


def sum_of_squares(x: np.ndarray) -> float:
    x = x.copy()
    y = x
    total = 0.0
    for i in range(len(y)):
        total = 0.5 * total + y[i]
    return np.sum(x * y)


def test_an_argument_of_which_only_the_length_is_read() -> None:
    """The program reads it nowhere: loops over the elements of what follows from it do."""
    x, v = np.array([1.0, -2.0, 3.0]), np.array([0.5, 1.0, -1.0])
    alike(2.0 * v, s2sad.hvp(sum_of_squares, backend="numba")(x, v))
