"""Windows that move with a loop have one length, where they lie in their arrays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import s2sad

numba = pytest.importorskip("numba")

RNG = np.random.default_rng(5)


def image(*shape: int) -> np.ndarray:
    return RNG.uniform(0.5, 1.5, shape)


def similarity(a: np.ndarray, b: np.ndarray, w: int) -> float:
    n, m = a.shape
    total = 0.0
    for i in range(n - w + 1):
        for j in range(m - w + 1):
            p = a[i : i + w, j : j + w]
            q = b[i : i + w, j : j + w]
            mp, mq = np.mean(p), np.mean(q)
            cov = np.mean((p - mp) * (q - mq))
            total += cov / (np.mean((p - mp) ** 2) + np.mean((q - mq) ** 2) + 0.1) + mp * mq
    return total


def smoothness(x: np.ndarray, r: int) -> float:
    total = 0.0
    for i in range(r, len(x) - r):
        p = x[i - r : i + r + 1]
        total += np.sum((p - np.mean(p)) ** 2) ** 1.5
    return total


def threes(x: np.ndarray) -> float:
    total = 0.0
    for i in range(len(x) - 2):
        total += np.sum(x[i : i + 3] * x[i : i + 3]) ** 2
    return total


def blocks(x: np.ndarray, w: int) -> float:
    total = 0.0
    for i in range(len(x) // w):
        total += np.sum(x[i * w : (i + 1) * w]) ** 2
    return total


def cut_off(x: np.ndarray, w: int) -> float:
    total = 0.0
    for i in range(len(x)):
        total += np.sum(x[i : i + w]) ** 2
    return total


def growing(x: np.ndarray, w: int) -> float:
    total = 0.0
    for i in range(len(x) - w + 1):
        total += np.sum(x[i : 2 * i + w]) ** 2
    return total


def backwards(x: np.ndarray, w: int) -> float:
    total = 1.0
    for i in range(len(x) - 1, w - 2, -1):
        total = total + np.sum(x[i - w + 1 : i + 1] ** 2) * 0.1 * total
    return total


def flat(found: Any) -> np.ndarray:
    leaves = found if isinstance(found, tuple) else (found,)
    return np.concatenate([np.ravel(x) for x in leaves])


def both(f: Callable[..., Any], args: tuple[Any, ...], wrt: Any = 0) -> None:
    """Compare compiled code with NumPy's, in what is returned or raised."""
    compiled = s2sad.grad(f, wrt, backend="numba")
    with np.errstate(all="ignore"):
        try:
            want = s2sad.grad(f, wrt)(*args)
        except ValueError as error:
            with pytest.raises(ValueError, match="broadcast"):
                compiled(*args)
            assert "broadcast" in str(error)
            return
        got = compiled(*args)
    np.testing.assert_allclose(flat(got), flat(want), rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("w", [0, 1, 2, 3, 5, 6, 7])
@pytest.mark.filterwarnings("ignore")
def test_windows_of_all_sizes(w: int) -> None:
    both(similarity, (image(6, 8), image(6, 8), w), (0, 1))


@pytest.mark.parametrize(
    "shape", [(5, 8), (6, 7), (7, 9), (2, 8), (6, 2), (1, 8), (6, 1), (1, 1), (3, 3)]
)
@pytest.mark.parametrize("w", [1, 2, 3])
@pytest.mark.filterwarnings("ignore")
def test_arrays_of_other_shapes(shape: tuple[int, int], w: int) -> None:
    both(similarity, (image(6, 8), image(*shape), w), (0, 1))


@pytest.mark.filterwarnings("ignore")
def test_negative_windows_count_from_the_end() -> None:
    both(similarity, (image(4, 4), image(4, 4), -1))
    both(cut_off, (image(4), -2))


def test_arrays_that_are_no_rows() -> None:
    a, b = image(12, 16), image(16, 12)
    both(similarity, (a[::2, ::-2], b.T[::-2, ::2], 3), (0, 1))
    both(similarity, (a, a, 3), (0, 1))
    both(similarity, (np.asfortranarray(a), a, 3), (0, 1))


@pytest.mark.filterwarnings("ignore")
def test_what_is_not_finite() -> None:
    a = image(6, 6)
    a[2, 3], a[5, 5] = np.nan, np.inf
    both(similarity, (a, image(6, 6), 3), (0, 1))


@pytest.mark.filterwarnings("ignore")
def test_nothing_to_go_through() -> None:
    both(similarity, (image(0, 4), image(0, 4), 2))
    both(similarity, (image(2, 2), image(2, 2), 5))
    both(threes, (image(0),))
    both(smoothness, (image(3), 4))


@pytest.mark.parametrize("r", [0, 1, 2, -1, 9])
@pytest.mark.filterwarnings("ignore")
def test_windows_around_an_element(r: int) -> None:
    both(smoothness, (image(9), r))


@pytest.mark.parametrize("w", [1, 2, 4])
def test_windows_that_are_not_all_alike(w: int) -> None:
    for f in (blocks, cut_off, growing, backwards):
        both(f, (image(9), w))


def source(f: Callable[..., Any], *args: Any) -> str:
    return s2sad.grad(f, backend="numba").source(*args)


def test_sizes_are_compared_once() -> None:
    def alike(a: np.ndarray, b: np.ndarray, w: int) -> float:
        return similarity(a, b, w)

    def apart(a: np.ndarray, b: np.ndarray, w: int) -> float:
        return similarity(a, b, w)

    assert "if w < 0:" in source(alike, image(6, 6), image(6, 6), 2)
    text = source(apart, image(6, 7), image(8, 9), 2)
    assert "if w < 0 or b.shape[0] < a.shape[0] or b.shape[1] < a.shape[1]:" in text
    assert "raise Unforeseen" in text
    assert "insertion_point" not in text and "ValueError" not in text
    assert "range(w)" in text


def test_what_is_known_is_not_asked() -> None:
    text = source(threes, image(6))
    assert "range(3)" in text
    assert "raise" not in text


def test_windows_that_are_cut_off_are_asked_for_their_length() -> None:
    assert "raise" not in source(cut_off, image(6), 2)
    assert "raise" not in source(growing, image(6), 2)


def test_code_is_made_again_only_if_it_has_to_be() -> None:
    slope = s2sad.grad(similarity, backend="numba")
    a, b = image(6, 6), image(5, 6)
    first = slope(a, a, 2)
    with pytest.raises(ValueError, match="broadcast"):
        slope(a, b, 3)
    np.testing.assert_array_equal(slope(a, a, 2), first)


def test_compiled_callers_assume_nothing() -> None:
    slope = s2sad.grad(similarity, backend="numba")

    @numba.njit  # type: ignore[untyped-decorator]
    def call(a: np.ndarray, b: np.ndarray, w: int) -> np.ndarray:
        return slope(a, b, w)

    a, b = image(4, 5), image(3, 5)
    np.testing.assert_allclose(call(a, a, 2), s2sad.grad(similarity)(a, a, 2), rtol=1e-11)
    np.testing.assert_allclose(call(a, b, 2), s2sad.grad(similarity)(a, b, 2), rtol=1e-11)
    with pytest.raises(ValueError, match="broadcast"):
        call(a, b, 3)
