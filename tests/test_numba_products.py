"""Products in loops under Numba: by a helper, right for every size and shape of operands."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

import s2sad

pytest.importorskip("numba")


def steps(a: np.ndarray, x: np.ndarray) -> float:
    total = 0.0
    for _ in range(3):
        x = 0.1 * (a @ x) + x
        total += np.sum(x * x)
    return total


def rows(a: np.ndarray, x: np.ndarray) -> float:
    y = x[0] if x.ndim == 2 else x
    for _ in range(3):
        y = 0.1 * (y @ a) @ a.T
    return y @ y


def congruent(a: np.ndarray, x: np.ndarray) -> float:
    total = 0.0
    for _ in range(2):
        x = 0.1 * a @ x @ a.T
        total += np.sum(x @ x)
    return total


def once(a: np.ndarray, x: np.ndarray) -> float:
    return np.sum((a @ x) ** 2)


def of_pages(a: np.ndarray, x: np.ndarray) -> float:
    pages = 0.1 * np.stack((a, 2.0 * a[::-1]))
    out = (np.reshape(pages, (2, len(a), 1, len(a))) @ x) ** 2
    return np.sum(out) + np.sum(np.tensordot(out, pages, axes=((0, 1), (0, 1))) ** 2)


def matrices(n: int, m: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(n)
    return rng.normal(size=(n, n)), rng.normal(size=(n, m))


@pytest.mark.parametrize("n", [1, 2, 5, 20])
@pytest.mark.parametrize("f", [steps, congruent])
def test_products_of_matrices(f: Callable[..., float], n: int) -> None:
    a, x = matrices(n, n)
    check(f, a, x)
    check(f, a.T, x[:, ::-1])


@pytest.mark.parametrize(("n", "m"), [(0, 2), (1, 1), (2, 0), (5, 3), (20, 7)])
def test_products_of_pages_with_one_matrix(n: int, m: int) -> None:
    a, x = matrices(n, m)
    check(of_pages, a, x)
    check(of_pages, a.T, x[:, ::-1])


@pytest.mark.parametrize("n", [1, 2, 5, 20])
@pytest.mark.parametrize("f", [steps, rows])
def test_products_with_vectors(f: Callable[..., float], n: int) -> None:
    a, x = matrices(n, n)
    check(f, a, x[0])
    check(f, a.T, x[:, 0])


def test_no_columns() -> None:
    a, x = matrices(3, 0)
    check(steps, a, x)


def check(f: Callable[..., float], a: np.ndarray, x: np.ndarray) -> None:
    expected = s2sad.grad(f, (0, 1))(a, x)
    for g, e in zip(s2sad.grad(f, (0, 1), backend="numba")(a, x), expected, strict=True):
        np.testing.assert_allclose(g, e, rtol=1e-12, atol=1e-12)


def test_shapes_that_do_not_fit_are_an_error() -> None:
    a, x = matrices(3, 3)
    gradient = s2sad.grad(steps, (0, 1), backend="numba")
    gradient(a, x)
    with pytest.raises(ValueError, match="shapes do not fit"):
        gradient(a, x[:2])


# -- products in tiles ---------------------------------------------------------------------------


def weighted(a: np.ndarray, b: np.ndarray) -> float:
    return np.sum((a @ b) ** 2)


def laid(shape: tuple[int, ...], how: str, rng: np.random.Generator) -> np.ndarray:
    """Numbers of that shape, which lie in memory in that way."""
    if how == "turned":
        return rng.normal(size=(*shape[:-2], shape[-1], shape[-2])).swapaxes(-1, -2)
    if how == "backwards":
        return rng.normal(size=(*shape[:-2], 2 * shape[-2], 3 * shape[-1]))[..., ::-2, ::-3]
    if how == "one row":
        return np.broadcast_to(rng.normal(size=(*shape[:-2], 1, shape[-1])), shape)
    return rng.normal(size=shape)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("plain", "turned"),
        ("turned", "plain"),
        ("backwards", "backwards"),
        ("plain", "one row"),
        ("one row", "turned"),
    ],
)
def test_tiles_of_any_size_and_layout(left: str, right: str) -> None:
    rng = np.random.default_rng(3)
    gradient = s2sad.grad(weighted, (0, 1), backend="numba")
    # Parts of tiles in every direction, more rows than are copied at a time, and none at all.
    for m, k, n in [
        (2, 3, 4),
        (9, 130, 17),
        (65, 8, 33),
        (70, 300, 2),
        (3, 0, 2),
        (0, 2, 3),
        (70, 30, 1),
    ]:
        a, b = laid((m, k), left, rng), laid((k, n), right, rng)
        c_bar = 2.0 * (a @ b)
        a_bar, b_bar = gradient(a, b)
        np.testing.assert_allclose(a_bar, c_bar @ b.T, rtol=1e-11, atol=1e-11)
        np.testing.assert_allclose(b_bar, a.T @ c_bar, rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize("left", ["plain", "turned"])
def test_products_so_large_that_blas_does_them(left: str) -> None:
    rng = np.random.default_rng(3)
    a, b = laid((150, 170), left, rng), laid((170, 190), "plain", rng)
    check(weighted, a, b)
    check(weighted, a, b[:, :189])
    check(weighted, b.T, a.T)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ((3, 2, 4), (3, 4, 5)),
        ((2, 4), (3, 4, 5)),
        ((2, 3, 2, 4), (4, 5)),
        ((2, 1, 9, 4), (3, 4, 5)),
    ],
)
def test_stacks_of_products(left: tuple[int, ...], right: tuple[int, ...]) -> None:
    rng = np.random.default_rng(4)
    for how in ("plain", "backwards"):
        check(weighted, laid(left, how, rng), laid(right, how, rng))


def test_nan_and_inf_stay_in_their_rows_and_columns() -> None:
    a, b = np.ones((9, 3)), np.ones((3, 17))
    a[8, 1], b[2, 16] = np.nan, np.inf
    gradient = s2sad.grad(weighted, (0, 1), backend="numba")
    with np.errstate(invalid="ignore"):
        expected = s2sad.grad(weighted, (0, 1))(a, b)
    for g, e in zip(gradient(a, b), expected, strict=True):
        np.testing.assert_array_equal(g, e)


@pytest.mark.parametrize("dtype", [np.float32, np.complex128])
def test_other_numbers_go_to_blas(dtype: type) -> None:
    def f(a: np.ndarray, b: np.ndarray) -> float:
        return np.sum(np.abs(a @ b) ** 2)

    rng = np.random.default_rng(5)
    a, b = rng.normal(size=(4, 3)).astype(dtype), rng.normal(size=(3, 5)).astype(dtype)
    expected = s2sad.grad(f, (0, 1))(a, b)
    for g, e in zip(s2sad.grad(f, (0, 1), backend="numba")(a, b), expected, strict=True):
        np.testing.assert_allclose(g, e, rtol=1e-5)


@pytest.mark.parametrize("shape", [(4, 5), (2, 3, 5)])
def test_stacks_that_do_not_fit_are_an_error(shape: tuple[int, ...]) -> None:
    gradient = s2sad.grad(weighted, (0, 1), backend="numba")
    a = np.ones((3, 2, 3)) if len(shape) == 3 else np.ones((2, 3))
    with pytest.raises(ValueError, match="shapes do not fit"):
        gradient(a, np.ones(shape))


# -- sums of outer products ----------------------------------------------------------------------


def recurrent(w: np.ndarray, x: np.ndarray) -> float:
    h = np.zeros(w.shape[0])
    for t in range(len(x)):
        h = np.tanh(h @ w + x[t])
    return np.sum(h * h)


def both_sides(w: np.ndarray, x: np.ndarray) -> float:
    h = x[0] if len(x) else np.ones(w.shape[0])
    for t in range(len(x) - 1, -1, -1):
        h = np.tanh(w @ x[t] - h @ w)
    return np.sum(h * h)


def within(w: np.ndarray, x: np.ndarray) -> float:
    h = np.zeros(w.shape[0])
    for t in range(1, len(x)):
        for s in range(t, t + 2):
            h = np.tanh(h @ w + x[s - 1])
    return np.sum(h * h)


def until_large(w: np.ndarray, x: np.ndarray) -> float:
    h = np.zeros(w.shape[0])
    for t in range(len(x)):
        h = np.tanh(h @ w + x[t])
        if np.sum(h) > 1.0:
            break
    return np.sum(h * h)


@pytest.mark.parametrize("f", [recurrent, both_sides, within, until_large])
def test_sums_of_outer_products(f: Callable[..., float]) -> None:
    for n in (2, 5):
        w, x = matrices(n, 7)
        for some in (x.T, x.T[:1], x.T[::-2], x.T[:0]):
            check(f, w, some)


def test_sums_of_outer_products_are_multiplied_once() -> None:
    w, x = matrices(4, 7)
    text = s2sad.grad(recurrent, backend="numba").source(w, x.T)
    assert "hs.T @ rows" in text
    assert "np.outer" not in text
    inner = s2sad.grad(within, backend="numba").source(w, x.T)
    assert "hs" not in inner
    assert "w_bar[i, j] +=" in inner


def of_two_products(a: np.ndarray, x: np.ndarray) -> float:
    return np.sum((a @ x) @ a) + np.sum(x @ a)


def test_outer_products_that_are_added_need_no_matrices() -> None:
    a, x = matrices(5, 1)
    check(of_two_products, a, x[:, 0])
    check(of_two_products, a.T, x[::-1, 0])
    text = s2sad.grad(of_two_products, (0, 1), backend="numba").source(a, x[:, 0])
    assert "np.outer" not in text
    assert text.count("np.empty") == 1


def overwritten(c: np.ndarray, a: np.ndarray) -> float:
    c = c.copy()
    for k in range(2):
        for j in range(len(c)):
            c[j] = 0.5 * c[j] + a[j] @ a
        c[k] = a[k] @ a
    return np.sum(c) + np.sum(a)


def test_nothing_is_multiplied_for_the_sake_of_a_shape() -> None:
    c, a = matrices(4, 4)
    check(overwritten, c, a)
    check(overwritten, c.T, a[::-1])

    def in_place(c: np.ndarray, a: np.ndarray) -> float:
        c = c.copy()
        c[:] = a @ a + 2.0 * c
        return np.sum(c)

    check(in_place, c, a)
    text = s2sad.grad(in_place, (0, 1), backend="numba").source(c, a)
    code = [line for line in text.splitlines() if not line.strip().startswith("#")]
    assert sum(" @ " in line for line in code) == 2


def staggered(u: np.ndarray, v: np.ndarray) -> float:
    u, v = u.copy(), v.copy()
    for _ in range(3):
        v[1:-1] = 0.3 * (u[:-2] + u[2:])
        u[1:-1] -= 0.2 * (v[:-2] - v[1:-1])
    return np.sum(u) + np.sum(v)


def test_parts_of_arrays_are_not_kept_for_their_shapes() -> None:
    for n in (6, 3, 2):
        u, v = np.arange(float(n)), np.ones(n)
        check(staggered, u, v)
    assert "tape" not in s2sad.grad(staggered, (0, 1)).source(u, v)
    assert "tape" not in s2sad.grad(staggered, (0, 1), backend="numba").source(u, v)


def test_cotangents_of_unlike_shapes_are_refused() -> None:
    import numba

    from s2sad.backend.nopython.overloads import install
    from s2sad.runtime import unbroadcast

    install()
    f = numba.njit(lambda g, x: unbroadcast(g, x))
    rng = np.random.default_rng(0)
    fits = [
        ((5,), (5,)),
        ((5,), (1,)),
        ((1,), (5,)),
        ((2, 1), (5,)),
        ((3, 1), (1, 4)),
        ((1,), (0,)),
    ]
    for g_shape, x_shape in fits:
        g, x = rng.normal(size=g_shape), np.zeros(x_shape)
        np.testing.assert_allclose(f(g, x), unbroadcast(g, x))
    for g_shape, x_shape in [((5,), (4,)), ((2, 3), (2, 5)), ((2, 3), (2,))]:
        with pytest.raises(ValueError, match="broadcast"):
            f(rng.normal(size=g_shape), np.zeros(x_shape))
