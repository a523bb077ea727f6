"""Statements on whole arrays become loops over elements: the same numbers, for every shape."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import s2sad
from tests.trees import fresh

pytest.importorskip("numba")

RNG = np.random.default_rng(0)


def drawn(*shape: int) -> np.ndarray:
    return RNG.uniform(0.5, 1.5, shape)


def stencil(a, steps):
    a = a.copy()
    b = a.copy()
    for _ in range(steps):
        b[1:-1] = 0.3 * (a[:-2] + a[1:-1] + a[2:])
        a[1:-1] = b[1:-1] * b[2:]
    return np.sum(a * a)


def prefix_written_from_itself(x):
    x = x.copy()
    x[1:] += x[:-1] * x[1:]
    x[:-1] = 0.5 * x[1:]
    return np.sum(x**2)


def old_version_still_read(x):
    a = x * x
    b = 2.0 * a
    a += b
    a *= a
    return np.sum(a * b)


def broadcast(a, b):
    return np.sum(np.tanh(a * b + b) * a)


def window(x, w):
    total = 0.0
    for i in range(len(x)):
        t = x[i : i + len(w)] * w
        total += np.sum(t * t)
    return total


def columns(a, v):
    a = a.copy()
    a[:, 0] *= v
    a[:, -1] = a[:, 0] - v
    a[0] += a[-1]
    return np.sum(np.sqrt(a * a + 1.0))


def softmax(x, w):
    e = np.exp(x - np.max(x, axis=-1, keepdims=True))
    return np.sum(w * e / np.sum(e, axis=-1, keepdims=True))


def sums_along_axes(a, b):
    t = a * b
    return np.sum(t, axis=0) @ np.sum(t * t, axis=(0,)) + np.sum(np.sum(a - b, axis=1) ** 2)


def transposed(a, b):
    return np.sum(a.T * b) + np.mean((a @ b).T * 2.0)


def chosen(x, y):
    t = np.where(x > y, x * y, np.maximum(x, 0.9))
    return np.sum(t * (x != y)) + np.vdot(t, x * y)


def new_axes(x, y):
    distance = x[:, None] - y[None, :]
    return np.sum(np.exp(-(distance**2)), axis=None)


def rings(u, steps):
    for _ in range(steps):
        u = u - 0.1 * (u - np.roll(u, 1)) * np.where(u > 1.0, u, 1.0)
    return np.mean(u**2)


def powers(x):
    return np.sum(x**-1 + x**-2 + x**0.5 + x**3 + x**0)


def matrices_multiplied(a, b):
    return np.vdot(a, b) + np.vdot(a * b, b)


def whole_numbers(x):
    n = np.arange(len(x))
    return np.sum(x * (n * 2 + 1)) + np.sum(x**n)


def empty_inside(x):
    t = x[1:-1] * x[1:-1]
    y = x.copy()
    y[1:-1] = t
    return np.sum(y * y)


def cubes(a):
    b = a.copy()
    b[1:-1, 1:-1, 1:-1] += a[2:, 1:-1, 1:-1] * a[1:-1, :-2, 1:-1] - a[1:-1, 1:-1, 2:]
    return np.sum(b**2)


CASES: list[tuple[Callable[..., Any], tuple[Any, ...]]] = [
    (stencil, (drawn(9), 3)),
    (stencil, (drawn(2), 2)),
    (prefix_written_from_itself, (drawn(7),)),
    (old_version_still_read, (drawn(4),)),
    *((broadcast, (drawn(*s), drawn(*t))) for s, t in [((3, 4), (4,)), ((3, 1), (1, 4))]),
    *((broadcast, (drawn(*s), drawn(*t))) for s, t in [((1,), (5,)), ((2, 1, 3), (4, 1))]),
    (window, (drawn(6), drawn(2))),
    (columns, (drawn(3, 4), drawn(3))),
    (columns, (drawn(1, 2), drawn(1))),
    (softmax, (drawn(3, 5), drawn(3, 5))),
    (sums_along_axes, (drawn(3, 4), drawn(3, 4))),
    (sums_along_axes, (drawn(3, 4), drawn(4))),
    (transposed, (drawn(3, 3), drawn(3, 3))),
    (chosen, (drawn(6), drawn(6))),
    (new_axes, (drawn(3), drawn(4))),
    (rings, (drawn(8), 3)),
    (whole_numbers, (drawn(5),)),
    (powers, (drawn(4),)),
    (matrices_multiplied, (drawn(2, 3), drawn(2, 3))),
    *((empty_inside, (drawn(n),)) for n in (1, 2, 3)),
    (cubes, (drawn(4, 5, 3),)),
]


@pytest.mark.parametrize(
    "f, args", CASES, ids=[f"{f.__name__}-{n}" for n, (f, _) in enumerate(CASES)]
)
def test_agrees_with_numpy(f: Callable[..., Any], args: tuple[Any, ...]) -> None:
    argnums = tuple(n for n, a in enumerate(args) if isinstance(a, np.ndarray))
    expected = s2sad.value_and_grad(f, argnums)(*fresh(args))
    found = s2sad.value_and_grad(f, argnums, backend="numba")(*fresh(args))
    np.testing.assert_allclose(found[0], expected[0], rtol=1e-13)
    for a, b in zip(expected[1], found[1], strict=True):
        np.testing.assert_allclose(b, a, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("shapes", [((3,), (4,)), ((2, 3), (3, 2)), ((2, 3), (2,))])
def test_shapes_that_do_not_fit_raise(shapes: tuple[tuple[int, ...], ...]) -> None:
    args = [np.ones(s) for s in shapes]
    for backend in (None, "numba"):
        with pytest.raises(ValueError, match="broadcast"):
            s2sad.grad(broadcast, (0, 1), backend=backend)(*args)


def test_window_that_does_not_fit_raises() -> None:
    with pytest.raises(ValueError, match="broadcast"):
        s2sad.grad(window, backend="numba")(np.ones(4), np.ones(3))


def test_no_slice_is_left() -> None:
    def smoothed(a):
        b = a.copy()
        b[1:-1] = 0.3 * (a[:-2] + a[1:-1] + a[2:])
        return np.sum(b * b)

    text = s2sad.grad(smoothed, backend="numba").source(drawn(9))
    code = "".join(line for line in text.splitlines(True) if not line.lstrip().startswith("#"))
    assert "range(" in code
    assert re.search(r"\[[^]]*:", code) is None


def test_temporaries_are_not_stored() -> None:
    def product(x, y):
        t = 2.0 * x
        u = t + y
        return np.sum(u * u * y)

    text = s2sad.grad(product, (0, 1), backend="numba").source(drawn(3), drawn(3))
    assert text.count("np.empty(") == 2  # the two gradients


@pytest.mark.parametrize("exponent", [-2, -1, -0.5, 0.5, 0, 2, 3])
def test_powers_at_the_edges_are_those_of_arrays(exponent: float) -> None:
    def weighted(x, y):
        return np.sum(x**exponent * y)

    x = np.array([0.0, -0.0, 2.0, -np.inf, np.inf, np.nan])
    with np.errstate(all="ignore"):
        expected = s2sad.grad(weighted, "y")(x, np.ones(6))
    found = s2sad.grad(weighted, "y", backend="numba")(x, np.ones(6))
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("n", [0, 1, 7, 1000])
def test_exponentials_are_those_of_numpy(n: int) -> None:
    def exponentials(x):
        return np.sum(np.exp(x))

    x = np.random.default_rng(n).normal(size=n)
    x[: n // 7] = np.inf
    found = s2sad.grad(exponentials, backend="numba")(x)
    assert np.array_equal(found, np.exp(x))


def text_of(f: Callable[..., Any], argnums: Any, *args: Any) -> str:
    return s2sad.grad(f, argnums, backend="numba").source(*args)


def test_what_is_cheap_is_computed_again() -> None:
    def variances(x, y):
        d = x - y
        return np.sum(d * d) * np.sum(d**3)

    assert text_of(variances, 0, drawn(3), drawn(3)).count("np.empty(") == 1  # the gradient


def test_what_merged_loops_alone_read_is_not_stored() -> None:
    def products(x, y):
        s = np.sqrt(x * y + 1.0)
        return np.sum(s * x) + np.sum(s * y)

    text = text_of(products, "x", drawn(3), drawn(3))
    assert text.count("np.sqrt(") == 1
    assert text.count("np.empty(") <= 2


def test_rows_are_summed_in_numbers() -> None:
    def rows(a, b):
        return np.sum(np.sum(a * b, axis=1) ** 2)

    code = text_of(rows, 0, drawn(3, 4), drawn(3, 4))
    assert "np.zeros(" not in code
    assert re.search(r"(t\d*) = plus\(\1, a\[i, j\] \* b\[i, j\]\)\n +t\d*\[i\] = \1", code)


def test_what_rows_have_in_common_is_computed_once_a_row() -> None:
    def scaled(a, x):
        return np.sum(a / np.sqrt(x)[:, None])

    code = text_of(scaled, 0, drawn(3, 4), drawn(3))
    lines = code.splitlines()
    outer = next(k for k, line in enumerate(lines) if "for i in" in line)
    inner = next(k for k, line in enumerate(lines) if "for j in" in line)
    assert any("root[i]" in line or "np.sqrt(" in line for line in lines[outer:inner])


def extremes(a, axis):
    return np.sum(np.max(a, axis=axis, keepdims=True) * a) + np.min(a) ** 2


@pytest.mark.parametrize("axis", [-1, 0, None])
@pytest.mark.parametrize(
    "a",
    [
        drawn(3, 4),
        drawn(1, 4),
        drawn(4, 1),
        np.array([[1.0, 2.0, 2.0], [3.0, 3.0, 3.0]]),
        np.array([[1.0, np.nan, 2.0], [np.inf, 3.0, -np.inf]]),
        np.asfortranarray(drawn(3, 4)),
        drawn(6, 8)[::2, ::-2],
    ],
)
def test_ties_share_evenly(a: np.ndarray, axis: int | None) -> None:
    with np.errstate(all="ignore"):
        expected = s2sad.grad(extremes, "a")(a.copy(), axis)
    found = s2sad.grad(extremes, "a", backend="numba")(a, axis)
    np.testing.assert_allclose(found, expected, rtol=1e-13)
    assert "share(" not in s2sad.grad(extremes, "a", backend="numba").source(a, axis)


def softened(x, w):
    e = np.exp(x - np.max(x, axis=-1, keepdims=True))
    p = e / np.sum(e, axis=-1, keepdims=True)
    q = p * w
    return np.sum(q * q) + np.sum(np.tanh(p) * x)


@pytest.mark.parametrize("shape", [(3, 5), (1, 5), (5, 1), (2, 3, 4), (0, 3), (7,)])
def test_buffers_are_written_again_only_where_nobody_reads_them(shape: tuple[int, ...]) -> None:
    x, w = drawn(*shape), drawn(*shape)
    expected = s2sad.value_and_grad(softened, (0, 1))(x, w)
    before = x.copy(), w.copy()
    found = s2sad.value_and_grad(softened, (0, 1), backend="numba")(x, w)
    assert np.array_equal(x, before[0]) and np.array_equal(w, before[1])
    np.testing.assert_allclose(found[0], expected[0], rtol=1e-13)
    for a, b in zip(expected[1], found[1], strict=True):
        np.testing.assert_allclose(b, a, rtol=1e-12, atol=1e-13)


def test_a_buffer_that_nobody_reads_any_more_is_written_again() -> None:
    code = text_of(softmax, "x", drawn(3, 5), drawn(3, 5))
    assert len(re.findall(r"np\.empty\(\(n, m\)\)", code)) == 1


def windows(a, b, w):
    total = 0.0
    for i in range(len(a) - w + 1):
        p, q = a[i : i + w], b[i : i + w]
        mp, mq = np.mean(p), np.mean(q)
        total += np.mean((p - mp) * (q - mq)) / (np.mean((p - mp) ** 2) + 1.0)
    return total


@pytest.mark.parametrize("w", [1, 3, 5])
@pytest.mark.parametrize("b", [drawn(5), drawn(7), drawn(1), drawn(10)[::2]])
def test_windows_of_unlike_arrays(b: np.ndarray, w: int) -> None:
    a = drawn(5)
    outcomes = []
    for backend in (None, "numba"):
        try:
            outcomes.append(s2sad.value_and_grad(windows, (0, 1), backend=backend)(a, b, w))
        except ValueError as error:
            outcomes.append(str(error)[:20])
    expected, found = outcomes
    if isinstance(expected, str) or isinstance(found, str):
        assert expected == found
        return
    np.testing.assert_allclose(found[0], expected[0], rtol=1e-13)
    for x, y in zip(expected[1], found[1], strict=True):
        np.testing.assert_allclose(y, x, rtol=1e-12, atol=1e-13)


def test_windows_are_not_stored() -> None:
    code = text_of(windows, 0, drawn(5), drawn(5), 2)
    assert code.count("np.zeros(") <= 1
    statements = [line for line in code.splitlines() if not line.lstrip().startswith("#")]
    assert not re.search(r"np\.empty\((?!64\))|np\.mean|unbroadcast", "\n".join(statements))


def sums_of_sums(a):
    total = 0.0
    for i in range(len(a)):
        p = a[i]
        s = np.sum(p)
        total += np.sum((p - s) * p)
    return total


def test_a_sum_is_complete_before_it_is_read() -> None:
    a = drawn(3, 4)
    value, slope = s2sad.value_and_grad(sums_of_sums, backend="numba")(a)
    np.testing.assert_allclose(value, sums_of_sums(a), rtol=1e-12)
    np.testing.assert_allclose(slope, s2sad.grad(sums_of_sums)(a), rtol=1e-12)


def ends(x, k, m):
    y = x[:k] * 2.0
    z = x.copy()
    z[k:m] += 1.0
    z[:m] *= x[:m]
    return np.sum(y * y) + np.sum(z)


@pytest.mark.parametrize("k, m", [(2, 4), (-2, 4), (2, -1), (-9, -9), (9, 9), (0, 0)])
def test_ends_of_slices_may_count_from_the_end(k: int, m: int) -> None:
    x = drawn(6)
    expected = s2sad.grad(ends, "x")(x, k, m)
    found = s2sad.grad(ends, "x", backend="numba")(x, k, m)
    np.testing.assert_allclose(found, expected, rtol=1e-13)


def neighbours(u, steps):
    for _ in range(steps):
        left, right = np.roll(u, 1), np.roll(u, -1)
        u = u + 0.1 * np.where(u > 1.0, u - left, right - u) * (right - 2.0 * u + left)
    return np.mean(u**2) + np.sum(u * np.roll(u, 3))


@pytest.mark.parametrize("n", [0, 1, 2, 3, 4, 9])
def test_rings_of_any_length(n: int) -> None:
    u = drawn(n)
    with np.errstate(all="ignore"):
        expected = s2sad.value_and_grad(neighbours)(u, 2)
    found = s2sad.value_and_grad(neighbours, backend="numba")(u, 2)
    np.testing.assert_allclose(found[0], expected[0], rtol=1e-13)
    np.testing.assert_allclose(found[1], expected[1], rtol=1e-12, atol=1e-13)


def torus(a, b, c):
    t = np.roll(a, 2, axis=0) * b - np.roll(b, -1, axis=1) * np.roll(np.roll(a, 1, axis=0), 1, 1)
    s = np.sum(np.roll(a, 1, axis=1) * b, axis=1)
    t = t + c * np.roll(s, -2)[:, None]
    return np.sum(t * t) + np.sum(np.roll(c[1:], 1) * c[:-1])


@pytest.mark.parametrize("shape", [(4, 5), (1, 5), (4, 1), (2, 2), (1, 1), (3, 0)])
def test_rings_along_axes(shape: tuple[int, int]) -> None:
    args = drawn(*shape), np.asfortranarray(drawn(*shape)), drawn(2 * shape[1])[::2]
    expected = s2sad.value_and_grad(torus, (0, 1, 2))(*args)
    found = s2sad.value_and_grad(torus, (0, 1, 2), backend="numba")(*args)
    np.testing.assert_allclose(found[0], expected[0], rtol=1e-13)
    for x, y in zip(expected[1], found[1], strict=True):
        np.testing.assert_allclose(y, x, rtol=1e-12, atol=1e-13)


def test_rolled_arrays_are_not_stored() -> None:
    def laplacian(u):
        return np.sum((np.roll(u, 1) - 2.0 * u + np.roll(u, -1)) ** 2)

    code = text_of(laplacian, 0, drawn(5))
    assert "= np.roll(" not in code
    assert re.search(r"for i in range\(1, len\(u\) - 1\)", code)


def test_sums_over_rings_keep_their_order() -> None:
    def products(u):
        return np.sum(u * np.roll(u, 1))

    u = np.array([1e16, 1.0, 3.0, -1e16, 1.0])
    found = s2sad.value_and_grad(products, backend="numba")(u)[0]
    terms = u * np.roll(u, 1)
    total = 0.0
    for t in terms:
        total += t
    assert found == total


def advected(a, c):
    t = c[:, None] * np.roll(a, 1, axis=1)
    return np.sum(t * t) + np.sum(c[:, None] * np.roll(a, -1, axis=0))


@pytest.mark.parametrize("shape", [(4, 5), (1, 5), (5, 1), (2, 2), (0, 3), (3, 0)])
def test_sums_along_rings(shape: tuple[int, int]) -> None:
    args = drawn(*shape), drawn(shape[0])
    expected = s2sad.grad(advected, (0, 1))(*args)
    found = s2sad.grad(advected, (0, 1), backend="numba")(*args)
    for x, y in zip(expected, found, strict=True):
        np.testing.assert_allclose(y, x, rtol=1e-12, atol=1e-13)


def rows_of_parts(a, b, n):
    t = a[:n] * b[:n]
    return np.sum(np.sum(t * t, axis=1) ** 2) + np.sum(a[:n, :, None] * b[:n, None, :])


@pytest.mark.parametrize("shapes", [((4, 3), (4, 3)), ((1, 3), (4, 3)), ((4, 3), (1, 3))])
@pytest.mark.parametrize("n", [1, 3, 4, 0])
def test_rows_of_parts_that_may_be_one_row(
    shapes: tuple[tuple[int, int], tuple[int, int]], n: int
) -> None:
    a, b = drawn(*shapes[0]), drawn(*shapes[1])
    if n == 0:
        a = a[:0] if len(a) == 1 else a
    expected = s2sad.grad(rows_of_parts, (0, 1))(a, b, n)
    found = s2sad.grad(rows_of_parts, (0, 1), backend="numba")(a, b, n)
    for x, y in zip(expected, found, strict=True):
        np.testing.assert_allclose(y, x, rtol=1e-12, atol=1e-13)


def three_parts(x, y, z, n):
    t = x[:n] * y[:n]
    return np.sum((t * z[:n] - t) * np.sqrt(t + z[:n])) + np.sum(z[:n] * (y[:n] * x[:n]))


@pytest.mark.parametrize("lengths", [(1, 1, 4), (1, 4, 1), (4, 1, 1), (1, 4, 4), (4, 4, 1)])
def test_the_longest_of_three(lengths: tuple[int, ...]) -> None:
    args = [drawn(6)[: max(k, 1)] if k == 1 else drawn(6) for k in lengths]
    args = [a if len(a) > 1 else drawn(2) for a in args]
    short = [a[:k] for a, k in zip(args, lengths, strict=True)]
    for values in (args, short):
        for n in (1, 2, 0):
            expected = s2sad.value_and_grad(three_parts, (0, 1, 2))(*values, n)
            found = s2sad.value_and_grad(three_parts, (0, 1, 2), backend="numba")(*values, n)
            np.testing.assert_allclose(found[0], expected[0], rtol=1e-13)
            for x, y in zip(expected[1], found[1], strict=True):
                np.testing.assert_allclose(y, x, rtol=1e-12, atol=1e-13)


def windows_of_three(x, y, z, w):
    total = 0.0
    for i in range(len(x) - w + 1):
        t = x[i : i + w] * y[i : i + w]
        total += np.sum(t * z[i : i + w] * (t - 1.0))
    return total


@pytest.mark.parametrize("ends", [(5, 5, 5), (5, 3, 5), (5, 5, 3), (5, 3, 3)])
def test_windows_that_become_one_element(ends: tuple[int, ...]) -> None:
    args = [drawn(k) for k in ends]
    for w in (3, 1):
        outcomes: list[Any] = []
        for backend in (None, "numba"):
            try:
                f = s2sad.value_and_grad(windows_of_three, (0, 1, 2), backend=backend)
                outcomes.append(f(*args, w))
            except ValueError as error:
                outcomes.append(str(error)[:20])
        if isinstance(outcomes[0], str):
            assert outcomes[0] == outcomes[1]
            continue
        np.testing.assert_allclose(outcomes[1][0], outcomes[0][0], rtol=1e-13)
        for x, y in zip(outcomes[0][1], outcomes[1][1], strict=True):
            np.testing.assert_allclose(y, x, rtol=1e-12, atol=1e-13)


def parts_of_rings(a, v):
    r = np.roll(a, 1, axis=0)
    t = (v[:, None] * a)[1:] + r[1:]
    return (
        np.sum(r[0] * a[0]) + np.sum(r[-1] ** 2) + np.sum(t * t) + np.sum(np.roll(v, 2)[1:] ** 2)
    )


@pytest.mark.parametrize("n", [1, 2, 5])
def test_parts_of_rings(n: int) -> None:
    args = drawn(n, 3), drawn(n)
    expected = s2sad.value_and_grad(parts_of_rings, (0, 1))(*args)
    found = s2sad.value_and_grad(parts_of_rings, (0, 1), backend="numba")(*args)
    np.testing.assert_allclose(found[0], expected[0], rtol=1e-13)
    for x, y in zip(expected[1], found[1], strict=True):
        np.testing.assert_allclose(y, x, rtol=1e-12, atol=1e-13)


def sliced_products(x, y, n, k):
    t = x[:n] * y[:n]
    return np.sum(t[:k] * y[:k]) + np.sum(t[1:] ** 2) + np.sum((t * x[:n])[:k])


@pytest.mark.parametrize("lengths", [(5, 5), (1, 5), (5, 1), (5, 3)])
@pytest.mark.parametrize("n, k", [(3, 1), (3, 2), (1, 1), (3, 3), (0, 0)])
def test_parts_of_products_whose_factors_may_have_one_element(
    lengths: tuple[int, int], n: int, k: int
) -> None:
    args = [drawn(6)[:m] for m in lengths]
    outcomes: list[Any] = []
    for backend in (None, "numba"):
        try:
            f = s2sad.value_and_grad(sliced_products, (0, 1), backend=backend)
            outcomes.append(f(*args, n, k))
        except ValueError as error:
            outcomes.append(str(error)[:20])
    if isinstance(outcomes[0], str):
        assert outcomes[0] == outcomes[1]
        return
    np.testing.assert_allclose(outcomes[1][0], outcomes[0][0], rtol=1e-13)
    for x, y in zip(outcomes[0][1], outcomes[1][1], strict=True):
        np.testing.assert_allclose(y, x, rtol=1e-12, atol=1e-13)
