"""Loops and elements as `s2sad.backend.nopython.lean.lowering` writes them mean what they mean."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

numba = pytest.importorskip("numba")

from numba.core import types  # noqa: E402
from numba.core.registry import cpu_target  # noqa: E402
from numba.core.typed_passes import type_inference_stage  # noqa: E402

from s2sad.backend.nopython.lean.pipeline import LeanCompiler  # noqa: E402
from s2sad.backend.nopython.lean.signs import nonnegative  # noqa: E402


def lean(f: Any, **options: Any) -> Any:
    return numba.njit(f, pipeline_class=LeanCompiler, error_model="numpy", **options)


def up(x: Any, n: Any) -> Any:
    total = 0.0
    for i in range(n):
        total += x[i] * (i + 1)
    return total


def from_to(x: Any, n: Any) -> Any:
    total = 0.0
    for i in range(1, n):
        total = 2.0 * total + x[i - 2]
    return total


def down(x: Any, n: Any) -> Any:
    total = 0.0
    for i in range(n - 1, -1, -1):
        total = 2.0 * total + x[i]
    return total


def by_twos(x: Any, n: Any) -> Any:
    total = 0.0
    for i in range(0, n, 2):
        total = 2.0 * total + x[i]
    for i in range(n - 1, -1, -3):
        total = 2.0 * total + x[i]
    return total


def by_an_argument(x: Any, n: Any) -> Any:
    total = 0.0
    for i in range(0, len(x), n):
        total = 2.0 * total + x[i]
    return total


def by_a_kept_range(x: Any, n: Any) -> Any:
    total = 0.0
    places = range(n)
    for i in places:
        for j in places:
            total = 1.5 * total + x[i] * x[j]
    return total + len(places)


def with_others(x: Any, n: Any) -> Any:
    total = 0.0
    for i, j in zip(range(n), range(n, 0, -1)):
        total = 2.0 * total + x[i] * j
    for k, i in enumerate(range(n)):
        total = 2.0 * total + x[i] * k
    a, b = range(2)
    return total + x[a] - x[b]


def left_early(x: Any, n: Any) -> Any:
    total = 0.0
    for i in range(n):
        if i == 1:
            continue
        if i == 3:
            break
        total = 2.0 * total + x[i]
        i = -1
        total += x[i]
    else:
        total += 100.0
    return total + i


def within(x: Any, n: Any) -> Any:
    total = 0.0
    for i in range(n):
        for j in range(i):
            for k in range(j, i):
                total = 1.5 * total + x[i] * x[j] + x[k]
    return total


@pytest.mark.parametrize(
    "f",
    [
        up,
        from_to,
        down,
        by_twos,
        by_an_argument,
        by_a_kept_range,
        with_others,
        left_early,
        within,
    ],
)
@pytest.mark.parametrize("n", [1, 2, 5])
def test_loops(f: Any, n: int) -> None:
    x = np.array([3.0, -1.0, 4.0, 1.5, -5.0])
    assert lean(f)(x, n) == f(x, n)


def test_empty_loops() -> None:
    x = np.array([3.0, 1.0])
    for f in (up, from_to, down, by_twos, within):
        assert lean(f)(x, 0) == f(x, 0) == lean(f)(x, -3)


def test_a_step_of_nothing() -> None:
    with pytest.raises(ValueError, match="must not be zero"):
        lean(by_an_argument)(np.ones(2), 0)


def moved(x: Any, i: Any, j: Any, value: Any) -> Any:
    found = x[i, j]
    x[j, i] = value
    x[-1, 0] += value
    return found


SQUARE = np.arange(16.0).reshape(4, 4)
ARRAYS = [
    SQUARE,
    np.asfortranarray(SQUARE),
    np.arange(64.0).reshape(8, 8)[::2, 1::2],
    SQUARE[::-1, ::-1],
    SQUARE.astype(np.float32),
    SQUARE.astype(np.int64),
    SQUARE.astype(np.int16),
    SQUARE + 1j,
    SQUARE > 7.0,
]


@pytest.mark.parametrize("x", ARRAYS, ids=lambda x: f"{x.dtype} {x.strides}")
@pytest.mark.parametrize(("i", "j"), [(0, 1), (-1, 2), (3, -4), (np.uint8(2), np.int32(-1))])
def test_elements(x: Any, i: Any, j: Any) -> None:
    if x.dtype == bool:

        def f(x: Any, i: Any, j: Any, value: Any) -> Any:
            x[j, i] = not x[i, j]
            return x[i, j]

    else:
        f = moved
    expected, given = np.copy(x, order="K"), np.copy(x, order="K")
    value = 2
    assert lean(f)(given, i, j, value) == f(expected, i, j, value)
    np.testing.assert_array_equal(given, expected)


def shifted(x: Any, k: Any) -> Any:
    out = np.zeros(x.shape)
    n, m = x.shape
    for i in range(n):
        for j in range(max(m - 1, 0)):
            out[i, j + 1] = x[i - k, j] - x[min(i, k), -1]
    return out


@pytest.mark.parametrize("k", [0, 2])
def test_indices_of_any_sign(k: int) -> None:
    np.testing.assert_array_equal(lean(shifted)(SQUARE, k), shifted(SQUARE, k))


def second(x: Any, i: Any) -> Any:
    return x[0, i + 1]


def test_bounds() -> None:
    assert lean(second, boundscheck=True)(SQUARE, 2) == 3.0
    with pytest.raises(IndexError):
        lean(second, boundscheck=True)(SQUARE, 3)


def stored(x: Any, i: Any) -> Any:
    x[i, 0] = 1.0


def test_bounds_of_stores() -> None:
    with pytest.raises(IndexError):
        lean(stored, boundscheck=True)(SQUARE.copy(), 4)


def in_parallel(x: Any) -> Any:
    out = np.zeros(len(x))
    for i in numba.prange(len(x)):
        out[i] = x[i] * i
    return out


def test_parallel_loops() -> None:
    x = np.arange(5.0)
    np.testing.assert_array_equal(lean(in_parallel, parallel=True)(x), x * x)


def signs(x: Any, k: Any, n: Any) -> Any:
    rows, columns = x.shape
    total = 0.0
    for i in range(rows):
        ahead = i + 1
        behind = i - 1
        for j in range(n, columns):
            total += x[ahead % rows, j] + x[behind, k]
    for back in range(rows - 1, -1, -1):
        total += x[back, 0]
    step = 0
    while total < 0.0:
        step += 1
        total += x[step, max(k, 0)]
    return total


def test_what_is_never_negative() -> None:
    ir = numba.core.compiler.run_frontend(signs)
    array = types.Array(types.float64, 2, "C")
    kinds, *_ = type_inference_stage(
        cpu_target.typing_context,
        cpu_target.target_context,
        ir,
        (array, types.int64, types.int64),
        None,
    )
    known = {name for name in nonnegative(ir, kinds) if name.isalpha()}
    assert {"rows", "columns", "i", "ahead", "back", "step"} <= known
    assert not known & {"behind", "j", "k", "n"}


def of_no_axes(x: Any) -> Any:
    x[()] += 2.0
    return x[()] * 3.0


def test_arrays_without_axes() -> None:
    assert lean(of_no_axes)(np.array(1.5)) == 10.5


def of_a_rare_kind(n: int) -> Any:
    return np.full(n, np.float32(2.0)).reshape((1, n, 1, 1))[0, :, 0, 0].cumsum()


def test_what_is_compiled_on_the_way_serves_other_code_as_well() -> None:
    """Numba keeps implementations for all code to come, which calls them from compiled code."""
    np.testing.assert_array_equal(lean(of_a_rare_kind)(3), [2.0, 4.0, 6.0])
    np.testing.assert_array_equal(numba.njit(of_a_rare_kind)(3), [2.0, 4.0, 6.0])
    inner = numba.njit(of_a_rare_kind)
    outer = lean(lambda n: inner(n)[0])
    assert outer(2) == 2.0
    np.testing.assert_array_equal(inner(2), [2.0, 4.0])


def arithmetic(x: Any, y: Any, out: Any) -> None:
    for i in range(len(x)):
        out[0, i] = x[i] + y[i]
        out[1, i] = x[i] - y[i]
        out[2, i] = x[i] * y[i]
        z = x[i]
        z *= y[i]
        z -= x[i]
        out[3, i] = z + y[i] * 2.0


@pytest.mark.parametrize("kind", [float, complex])
def test_arithmetic_is_that_of_numba(kind: type) -> None:
    """To the bit; NumPy's loops round some products once where these round twice."""
    numbers = [0.0, -0.0, 1.0, -2.5, 1e308, 5e-324, np.inf, -np.inf, np.nan]
    if kind is complex:
        numbers = [complex(a, b) for a in numbers for b in numbers]
    x, y = (np.array(a).ravel() for a in np.meshgrid(numbers, numbers))
    found, wanted = (np.empty((4, len(x)), kind) for _ in range(2))
    lean(arithmetic)(x, y, found)
    numba.njit(arithmetic)(x, y, wanted)
    np.testing.assert_array_equal(found, wanted)
    numbers = ~np.isnan(found.view(float))
    signs = (np.signbit(a.view(float))[numbers] for a in (found, wanted))
    np.testing.assert_array_equal(*signs)
