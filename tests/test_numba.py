"""The Numba backend: every transform, compiled, and called from compiled code."""

from __future__ import annotations

import math
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import s2sad
from s2sad import Numba

numba = pytest.importorskip("numba")


@pytest.fixture(autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("S2SAD_CACHE_DIR", str(tmp_path_factory.getbasetemp() / "s2sad"))


def wave(x: np.ndarray, k: float) -> float:
    total = 0.0
    for i in range(1, len(x)):
        total += math.sin(k * x[i]) * x[i - 1] ** 2
    return total


X = np.array([0.3, -1.2, 0.7, 2.1])
WEIGHTS = np.array([1.0, 2.0, 3.0])


def weighted(t: float) -> float:
    total = 0.0
    for n in range(len(WEIGHTS)):
        total += WEIGHTS[n] * t ** (n + 1)
    return total


def alike(a: Any, b: Any) -> None:
    if isinstance(a, tuple | list):
        assert len(a) == len(b)
        for p, q in zip(a, b, strict=True):
            alike(p, q)
    else:
        np.testing.assert_allclose(a, b, rtol=1e-12)


TRANSFORMS = [
    lambda **o: s2sad.grad(wave, (0, 1), **o)(X, 1.3),
    lambda **o: s2sad.value_and_grad(wave, **o)(X, 1.3),
    lambda **o: s2sad.derivative(wave, "k", **o)(X, 1.3),
    lambda **o: s2sad.hvp(wave, **o)(X, 1.3, np.ones(4)),
    lambda **o: s2sad.jacfwd(wave, **o)(X, 1.3),
    lambda **o: s2sad.jacrev(wave, **o)(X, 1.3),
    lambda **o: s2sad.hessian(wave, **o)(X, 1.3),
    lambda **o: s2sad.vjp(wave, X, 1.3, **o)[1](1.0),
    lambda **o: s2sad.grad(s2sad.grad(weighted), **o)(0.7),
]


@pytest.mark.parametrize("run", TRANSFORMS)
def test_every_transform_agrees_with_numpy(run: Any) -> None:
    alike(run(backend="numba"), run())


def test_gradient_of_a_compiled_function_is_compiled() -> None:
    df = s2sad.grad(numba.njit(wave))
    assert df.transform.backend == Numba()
    alike(df(X, 1.3), s2sad.grad(wave)(X, 1.3))


def test_derivative_of_a_compiled_gradient_is_compiled() -> None:
    inner = s2sad.grad(numba.njit(wave))
    given, along = (X, 1.3), (np.ones(4), 0.5)
    alike(s2sad.jvp(inner, given, along), s2sad.jvp(s2sad.grad(wave), given, along))
    for outer in (s2sad.jvp(inner).along((0, 1)), s2sad.jacfwd(inner)):
        assert outer._transform.backend == Numba()


def test_called_from_compiled_code() -> None:
    slope = s2sad.grad(weighted, backend="numba")

    @numba.njit(parallel=True)
    def slopes(ts: np.ndarray) -> np.ndarray:
        out = np.empty_like(ts)
        for i in numba.prange(len(ts)):
            out[i] = slope(ts[i])
        return out

    ts = np.linspace(-1.0, 1.0, 7)
    np.testing.assert_allclose(slopes(ts), [s2sad.grad(weighted)(t) for t in ts])


def test_rows_in_compiled_code() -> None:
    both = s2sad.value_and_grad(wave, ("x", "k"), backend="numba")

    @numba.njit
    def total(rows: np.ndarray) -> tuple[float, float]:
        value, slope = 0.0, 0.0
        for row in rows:
            v, (_, k_bar) = both(row, 1.3)
            value += v
            slope += k_bar
        return value, slope

    rows = np.stack([X, X[::-1]])
    plain = [s2sad.value_and_grad(wave, 1)(row, 1.3) for row in rows]
    alike(total(rows), tuple(map(sum, zip(*plain, strict=True))))


def test_inner_tapes_are_run_again_instead_of_kept() -> None:
    def squares(x: np.ndarray, n: int) -> float:
        total = 0.0
        for i in range(n):
            r = 0.1 * i
            power = 1.0
            for j in range(len(x)):
                r -= x[j] * power
                power *= 0.3 * i
            total += r * r
        return total

    df = s2sad.grad(squares, backend="numba")
    alike(df(X, 5), s2sad.grad(squares)(X, 5))
    text = df.source(X, 5)
    assert text.count("np.empty(") == 1
    assert "append" not in text


def test_tapes_of_nested_loops_are_arrays_of_as_many_axes() -> None:
    def settle(x: np.ndarray, n: int) -> float:
        y = x.copy()
        for _ in range(n):
            for i in range(len(y)):
                y[i] = math.sin(y[i]) * y[i - 1]
        return np.sum(y)

    df = s2sad.grad(settle, backend="numba")
    alike(df(X, 3), s2sad.grad(settle)(X, 3))
    assert "append" not in df.source(X, 3)


def test_tapes_of_while_loops_grow() -> None:
    def halved(x: float) -> float:
        n = 0
        while x > 1e-3:
            x = math.sin(x) * 0.9
            n += 1
        return x * n

    alike(s2sad.grad(halved, backend="numba")(2.0), s2sad.grad(halved)(2.0))


def test_tape_of_a_range_that_counts_down_from_0() -> None:
    def f(x: Any, n: int) -> Any:
        y = x[0]
        for i in range(0, -n, -1):
            y = math.sin(y) * x[i]
        return y

    alike(s2sad.grad(f, backend="numba")(X, 4), s2sad.grad(f)(X, 4))


def test_saved_arrays_are_kept_from_being_overwritten() -> None:
    def upwind(u: np.ndarray, c: float) -> float:
        u = u.copy()
        for _ in range(3):
            flux = 0.5 * u * u
            u[1:] = u[1:] - c * (flux[1:] - flux[:-1])
        return np.mean(u**2)

    alike(s2sad.grad(upwind, backend="numba")(X, 0.1), s2sad.grad(upwind)(X, 0.1))


def test_dicts_and_tuples_come_back_as_they_were() -> None:
    def loss(params: dict[str, Any], x: np.ndarray) -> float:
        h = np.tanh(params["w"] * x + params["b"][0])
        return np.sum(h * params["b"][1])

    params = {"w": np.array([0.1, 0.2]), "b": (0.3, -0.4)}
    x = np.array([1.0, -2.0])
    got, expected = (s2sad.grad(loss, backend=backend)(params, x) for backend in ("numba", None))
    assert got.keys() == expected.keys()
    alike(got["w"], expected["w"])
    alike(got["b"], expected["b"])


def test_unknown_backend() -> None:
    with pytest.raises(s2sad.ArgumentError, match="backend is None, 'numba'"):
        s2sad.grad(wave, backend="fortran")


def test_second_process_finds_the_machine_code(tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(
        textwrap.dedent(
            """
            import math, s2sad

            def f(x):
                y = x
                for _ in range(5):
                    y = math.sin(y) * 1.1
                return y

            df = s2sad.grad(f, backend="numba")
            df(0.5)
            inner = df.specialize(0.5)
            print(sum(inner.stats.cache_hits.values()), sum(inner.stats.cache_misses.values()))
            """
        )
    )
    command = [sys.executable, "program.py"]
    root = str(Path(s2sad.__file__).parents[1])
    env = {"S2SAD_CACHE_DIR": str(tmp_path / "cache"), "PYTHONPATH": root, "PATH": ""}
    first, second = (
        subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, check=True)
        for _ in range(2)
    )
    assert first.stdout.split() == ["0", "1"]
    assert second.stdout.split() == ["1", "0"]


def test_machine_code_from_disk_finds_the_loops_of_numpy(tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(
        textwrap.dedent(
            """
            import numpy as np, s2sad

            def softened(x):
                e = np.exp(x - np.max(x, axis=1, keepdims=True))
                return np.sum(np.sum(e, axis=1) ** 2)

            df = s2sad.grad(softened, backend="numba")
            print(*df(np.arange(4.0).reshape(2, 2)).ravel())
            """
        )
    )
    root = str(Path(s2sad.__file__).parents[1])
    env = {"S2SAD_CACHE_DIR": str(tmp_path / "cache"), "PYTHONPATH": root, "PATH": ""}
    first, second = (
        subprocess.run(
            [sys.executable, "program.py"],
            cwd=tmp_path,
            env=env,
            capture_output=True,
            text=True,
            check=True,
        )
        for _ in range(2)
    )
    assert first.stdout == second.stdout


# -- where Numba differs in silence ---------------------------------------------------------------


def overlapping(x: np.ndarray) -> float:
    y = x.copy()
    y[1:] += y[:-1]
    y[:-1] -= y[1:]
    y += y[::-1]
    return np.sum(y * y)


def whole_quotient(x: float, n: int) -> float:
    return x * (7 // n)


def last_of(x: float, n: int) -> float:
    for i in range(n):
        y = x * i
    return y


def element(x: np.ndarray, n: int) -> float:
    return x[n] * 2.0


def dtypes(x: np.ndarray) -> float:
    counts = np.zeros(4, dtype=int)
    counts[0] = 2
    return np.sum(x.astype(dtype=np.float32)) * counts[0] * np.mean(x > 0) * np.sum(x > 0)


def floors(x: float, n: int) -> float:
    return x * (n // 3) + x * (n % 3) + x % 0.3 + x * round(2.5) + x * (-7 // n) + 2.0**n * x


def test_overlapping_views() -> None:
    alike(s2sad.grad(overlapping, backend="numba")(X), s2sad.grad(overlapping)(X))


@pytest.mark.parametrize("n", [7, -7])
def test_division_rounding_and_powers_of_whole_numbers(n: int) -> None:
    alike(
        s2sad.value_and_grad(floors, backend="numba")(1.3, n), s2sad.value_and_grad(floors)(1.3, n)
    )


def test_dtypes_and_sums_of_booleans() -> None:
    alike(s2sad.value_and_grad(dtypes, backend="numba")(X), s2sad.value_and_grad(dtypes)(X))


@pytest.mark.parametrize(
    ("f", "args", "error"),
    [
        (whole_quotient, (1.3, 0), ZeroDivisionError),
        (last_of, (1.3, 0), UnboundLocalError),
        (element, (X, 4), IndexError),
        (element, (X, -5), IndexError),
    ],
)
def test_what_raises_in_python_raises(f: Any, args: Any, error: type[Exception]) -> None:
    for backend in (None, "numba"):
        with pytest.raises(error):
            s2sad.value_and_grad(f, 0, backend=backend)(*args)


def test_refusal_is_one_line_and_names_the_backend() -> None:
    def either(x: np.ndarray, c: bool) -> float:
        w = x if c else 2.0
        return np.sum(w * x)

    with pytest.raises(s2sad.UnsupportedError, match=r"backend='numba' .*, in: ") as caught:
        s2sad.grad(either, 0, backend="numba")(X, True)
    assert "\n" not in str(caught.value)


def test_options_are_not_mixed_up_in_the_cache() -> None:
    unchecked = s2sad.grad(element, backend=Numba(boundscheck=False))
    alike(unchecked(X, 1), s2sad.grad(element)(X, 1))
    with pytest.raises(IndexError):
        s2sad.value_and_grad(element, backend="numba")(X, 4)


AXES = [
    lambda x: np.sum(np.sum(x, axis=(0, 2), keepdims=True) * x),
    lambda x: np.sum(np.max(x, axis=1) * np.prod(x, axis=1)),
    lambda x: np.sum(x.std(axis=-1) + x.mean(axis=-1)),
    lambda x: np.sum((x @ np.swapaxes(x, 1, 2)) ** 2),
    lambda x: np.sum(np.einsum("ijk,ijl->kl", x, x) ** 2),
    lambda x: np.sum(np.stack([x[0], x[1] ** 2]) * x),
    lambda x: np.sum(x[np.array([0, 1, 1]), :, np.array([2, 0, 2])] ** 2),
    lambda x: np.sum(np.linalg.norm(x, axis=1)),
]


@pytest.mark.parametrize("f", AXES)
def test_forms_that_numba_lacks(f: Any) -> None:
    x = np.sin(np.arange(24.0) + 1.0).reshape(2, 4, 3)
    alike(s2sad.grad(f, backend="numba")(x), s2sad.grad(f)(x))


def unassigned_in_a_branch(x: float, n: int) -> float:
    for i in range(n):
        k = i + 2
    if x > 0.5:
        if x > 0.7:
            x = x * k
    return x


def unassigned_at_first(x: float, n: int, m: int) -> float:
    total = 0.0
    for i in range(n):
        if i > m:
            total += x * k  # noqa: F821 - the iteration before assigns it
        k = i + 3
    return total


def test_whole_numbers_that_are_not_assigned() -> None:
    first = s2sad.value_and_grad(unassigned_in_a_branch, backend="numba")
    later = s2sad.value_and_grad(unassigned_at_first, backend="numba")
    assert first(1.0, 2) == (3.0, 3.0)
    assert later(1.0, 4, 0) == (12.0, 12.0)
    for run in (lambda: first(1.0, 0), lambda: later(1.0, 4, -1)):
        with pytest.raises(UnboundLocalError, match="local variable 'k'"):
            run()


@pytest.mark.parametrize("items", [[1.0, math.nan, 3.0], [1.0, 3.0, 3.0]])
def test_extremes_of_lists_with_nan_and_ties(items: list[float]) -> None:
    def largest(xs: list[float]) -> float:
        return max(xs)

    alike(s2sad.grad(largest, backend="numba")(items), s2sad.grad(largest)(items))


def columns_from_the_left(w: np.ndarray, u: np.ndarray) -> float:
    c = np.zeros_like(u)
    for k in range(3):
        if k == 0:
            c[:, 0] = u[:, 0]
        else:
            c[:, k] = w[:, k] * c[:, k - 1]
    return np.sum(c)


def test_tapes_of_what_only_some_branches_compute() -> None:
    w, u = np.arange(6.0).reshape(2, 3), np.arange(1.0, 7.0).reshape(2, 3)
    compiled = s2sad.grad(columns_from_the_left, (0, 1), backend="numba")
    alike(compiled(w, u), s2sad.grad(columns_from_the_left, (0, 1))(w, u))


def down_the_columns(w: np.ndarray, u: np.ndarray) -> float:
    n = u.shape[1]
    x = w[:, n - 1]
    total = np.sum(x**2)
    for k in range(n - 2, -1, -1):
        x = w[:, k] - u[:, k] * x
        total += np.sum(x**2)
    return total


def test_names_are_not_those_that_numba_gives_to_versions() -> None:
    w, u = np.arange(6.0).reshape(2, 3), np.arange(1.0, 7.0).reshape(2, 3)
    compiled = s2sad.grad(down_the_columns, (0, 1), backend="numba")
    alike(compiled(w, u), s2sad.grad(down_the_columns, (0, 1))(w, u))
