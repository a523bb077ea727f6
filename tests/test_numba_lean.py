"""What is written down where it is called means what NumPy means by it."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

pytest.importorskip("numba")

import numba
from numba.core import event, ir
from numba.core.codegen import CPUCodeLibrary
from numba.core.compiler import run_frontend

import s2sad
from s2sad.backend.nopython.lean.pipeline import LeanCompiler
from s2sad.backend.nopython.lean.quick import quick
from s2sad.backend.nopython.overloads import install
from s2sad.collecting import without_collecting

install()
X = np.arange(6.0).reshape(2, 3)


def lean(f: Callable[..., Any]) -> Any:
    return numba.njit(f, pipeline_class=LeanCompiler, error_model="numpy")


def same(f: Callable[..., Any], *args: Any) -> None:
    found, expected = lean(f)(*args), f(*args)
    assert found.shape == expected.shape
    assert found.dtype == expected.dtype
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(
    "f",
    [
        lambda x: np.zeros(3),
        lambda x: np.zeros((2, len(x)), dtype=np.int64),
        lambda x: np.zeros(shape=x.shape, dtype=np.bool_),
        lambda x: np.ones(x.shape, np.complex128),
        lambda x: np.ones(()),
        lambda x: np.full(2, 7.5),
        lambda x: np.full((0, 3), 1),
        lambda x: np.full(2, 7, dtype=np.float64),
        lambda x: np.zeros_like(x),
        lambda x: np.zeros_like(x.T),
        lambda x: np.zeros_like(x[:, ::2]),
        lambda x: np.ones_like(x, dtype=np.int64),
        lambda x: np.full_like(x, 3),
        lambda x: np.zeros(2, dtype="float32"),
        lambda x: np.copy(x.T),
        lambda x: np.copy(x[:, ::-1]),
        lambda x: np.outer(x[0], x[1, ::-1]),
        lambda x: np.outer(x[:, 1], x[0, :0]),
        lambda x: np.arange(4),
        lambda x: np.arange(-2),
        lambda x: np.arange(len(x), 7),
        lambda x: np.arange(7, len(x)),
        lambda x: np.eye(3),
        lambda x: np.eye(0),
        lambda x: np.identity(len(x)),
    ],
)
def test_arrays_that_are_made(f: Callable[..., Any]) -> None:
    same(f, X)


@pytest.mark.parametrize(
    "f",
    [
        lambda x: x.reshape(6),
        lambda x: x.reshape(-1),
        lambda x: x.reshape(3, 2),
        lambda x: x.reshape((3, -1)),
        lambda x: x.reshape(1, -1, 2),
        lambda x: x[:0].reshape(-1, 5),
        lambda x: np.ravel(x).reshape(len(x), 3, 1),
    ],
)
def test_shapes(f: Callable[..., Any]) -> None:
    same(f, X)


@pytest.mark.parametrize(
    "f",
    [
        lambda x: x.reshape(5),
        lambda x: x.reshape(4, -1),
        lambda x: x.reshape(-1, -1),
        lambda x: np.zeros(-len(x)),
        lambda x: x @ x,
        lambda x: x @ x[0, :2],
        lambda x: x[0] @ x[1, :2],
    ],
)
def test_shapes_that_cannot_be(f: Callable[..., Any]) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - Numba has some of the messages
        lean(f)(X)


def test_slices_of_another_shape() -> None:
    def filled(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        out = np.zeros(x.shape)
        out[:, 1:] = y
        return out

    same(filled, X, X[:, :2])
    same(filled, X, X[:1, :2])
    with pytest.raises(ValueError, match="broadcast"):
        lean(filled)(X, X)


NUMBERS = [0.0, -0.0, 1.0, -2.5, 1e308, np.inf, -np.inf, np.nan]


def test_extremes_and_comparisons() -> None:
    def all_of(a: float, b: float) -> tuple[Any, ...]:
        order = a < b, a <= b, a > b, a >= b, a == b, a != b
        return max(a, b), min(a, b), order

    compiled = lean(all_of)
    for a in NUMBERS:
        for b in NUMBERS:
            np.testing.assert_equal(compiled(a, b), all_of(a, b))
            assert np.signbit(compiled(a, b)[0]) == np.signbit(all_of(a, b)[0])


def test_whole_numbers() -> None:
    compiled = lean(
        lambda a, b: (max(a, b), min(a, b), a - b * 3, int(a / 2.0), int(a > b), a / b)
    )
    assert compiled(7, -2) == (7, -2, 13, 3, 1, -3.5)


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("step", [1, -1, 2])
@pytest.mark.parametrize("shape", [(3, 5), (1, 4), (4, 1), (0, 3), (3, 0), (17, 9)])
def test_products_with_vectors(shape: tuple[int, int], step: int, order: Any) -> None:
    rng = np.random.default_rng(0)
    m, n = shape
    a = np.asarray(rng.normal(size=(2 * m, 2 * n)), order=order)[::step, ::step][:m, :n]
    x, y = (rng.normal(size=2 * k)[::step][:k] for k in (n, m))
    compiled = lean(lambda a, x, y: (a @ x, y @ a, x @ x, np.dot(a, x), np.dot(y, y)))
    found, expected = compiled(a, x, y), (a @ x, y @ a, x @ x, a @ x, y @ y)
    for g, e in zip(found, expected, strict=True):
        np.testing.assert_allclose(g, e, rtol=1e-13, atol=1e-13)


def test_loops_need_nothing_else_compiled() -> None:
    """Arrays are made, filled and added to, and one function is compiled."""

    def smooth(u: np.ndarray, steps: int) -> float:
        v = np.zeros_like(u)
        for _ in range(max(steps, 1)):
            v[1:-1] = u[:-2] + u[2:]
            u = v.copy()
        return np.sum(v)

    class Passes(event.Listener):  # type: ignore[misc]
        seen: set[str] = set()

        def on_start(self, event: Any) -> None:
            self.seen.add(event.data["qualname"])

        def on_end(self, event: Any) -> None:
            """Nothing."""

    gradient = s2sad.grad(smooth, backend="numba")
    with event.install_listener("numba:run_pass", Passes()):
        gradient(np.ones(5), 2)
    assert Passes.seen <= {"smooth_grad"}


def test_what_is_called_is_optimized_where_it_is_called(monkeypatch: pytest.MonkeyPatch) -> None:
    """LLVM goes through the entry with all that it calls, and makes machine code of nothing else."""
    optimized, final = [], CPUCodeLibrary._optimize_final_module

    def counted(library: Any) -> None:
        optimized.append(library.name)
        final(library)

    monkeypatch.setattr(CPUCodeLibrary, "_optimize_final_module", counted)

    def spread(x: np.ndarray) -> float:
        return np.sum(np.std(x) * np.median(x) * np.cumprod(x)[::2])

    gradient = s2sad.grad(spread, backend="numba")
    x = np.array([0.5, 2.0, 1.5])
    np.testing.assert_allclose(gradient(x), s2sad.grad(spread)(x), rtol=1e-13)
    assert optimized == ["spread_grad"]


def test_what_python_calls_is_left_as_it_is() -> None:
    compiled = lean(large)
    compiled(3, 1.0)
    (text,) = compiled.inspect_llvm().values()
    (called,) = [
        line for line in text.splitlines() if line.startswith("define") and "_ZN7cp" in line
    ]
    number = called.split("#")[1].split()[0]
    assert f"attributes #{number} = " in text
    (attributes,) = [n for n in text.splitlines() if n.startswith(f"attributes #{number} = ")]
    assert "optnone" in attributes


def test_variables_of_statements() -> None:
    """They are found as Numba finds them, in Numba's order."""

    def f(x: Any, y: Any) -> Any:
        total = x[0, :] if y is None else (x, [y])[0]
        for i in range(3):
            x[i, i:] += total * max(y, i)
        return total

    usual = ir.Inst._rec_list_vars
    for block in run_frontend(f).blocks.values():
        for statement in block.body:
            with quick():
                assert ir.Inst._rec_list_vars is not usual
                found = statement.list_vars()
            assert found == statement.list_vars()
    assert ir.Inst._rec_list_vars is usual


def test_nobody_looks_for_garbage_meanwhile() -> None:
    assert gc.isenabled()
    with without_collecting():
        assert not gc.isenabled()
        with without_collecting():
            pass
        assert not gc.isenabled()
    assert gc.isenabled()
    with pytest.raises(KeyError), without_collecting():
        raise KeyError
    assert gc.isenabled()


def large(n: int, value: float) -> np.ndarray:
    return np.full(n, value)


def test_large_arrays_are_whole() -> None:
    for n in (1 << 19, (1 << 19) + 513, 1 << 22):  # 4 MB, a bit more, 32 MB
        same(large, n, 1.5)
    if sys.platform.startswith("linux"):
        compiled = lean(large)
        compiled(3, 1.0)
        (text,) = compiled.inspect_llvm().values()
        assert "@madvise" in text


def turned(x: np.ndarray) -> tuple[Any, ...]:
    return (
        np.transpose(x),
        np.transpose(x, (1, 2, 0)),
        np.transpose(x, axes=(0, -1, 1)),
        np.swapaxes(x, 0, -1),
        np.swapaxes(x, axis1=1, axis2=0),
        np.moveaxis(x, 0, 2),
        np.moveaxis(x, source=-1, destination=0),
        x.T.T,
        x.T.shape,
        len(x.T),
    )


def test_axes_in_another_order() -> None:
    x = np.arange(24.0).reshape(2, 3, 4)
    for given in (x, x[:, ::-1, 1:], np.asfortranarray(x), np.zeros((0, 3, 1))):
        for got, wanted in zip(lean(turned)(given), turned(given), strict=True):
            np.testing.assert_array_equal(got, wanted)
