"""Functions and forms that Numba has not, compiled in what it has: as under NumPy."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import s2sad
from s2sad.backend.nopython import compile as nopython

numba = pytest.importorskip("numba")

X = np.random.default_rng(0).normal(size=(4, 6))


@pytest.fixture(autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("S2SAD_CACHE_DIR", str(tmp_path_factory.getbasetemp() / "s2sad"))


def agrees(f: Callable[..., Any], *args: Any) -> None:
    """Raises AssertionError where the compiled gradient is another than NumPy's."""
    expected = s2sad.grad(f)(*args)
    found = s2sad.grad(f, backend="numba")(*args)
    assert found.shape == expected.shape
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-13 * np.abs(expected).max())


# -- masks of several axes ------------------------------------------------------------------------


def escaping(c: np.ndarray) -> float:
    z = np.zeros(c.shape, dtype=complex)
    for _ in range(3):
        inside = np.abs(z) <= 2.0
        z[inside] = z[inside] ** 2 + c[inside]
    return np.sum(z.real**2)


def test_masks_of_two_axes_choose_and_are_written() -> None:
    agrees(escaping, X)


def lifted(x: np.ndarray, mask: np.ndarray) -> float:
    y = x * x
    y[mask] += 3.0 * x[mask]
    y[~mask] = 1.0
    return np.sum(y * y)


def test_masks_of_two_axes_are_added_to() -> None:
    agrees(lifted, X, X > 0.3)


def rows_of_pages(x: np.ndarray, mask: np.ndarray) -> float:
    return np.sum(x[mask] ** 3)


def test_masks_of_two_axes_choose_from_three() -> None:
    agrees(rows_of_pages, X.reshape(2, 2, 6), np.array([[True, False], [True, True]]))


def test_masks_that_do_not_fit_raise() -> None:
    compiled = s2sad.grad(rows_of_pages, backend="numba")
    with pytest.raises(IndexError, match="boolean index"):
        compiled(X, np.ones((4, 5), bool))


def chosen(x: np.ndarray, mask: np.ndarray) -> float:
    return np.sum(x[mask] ** 3)


def test_a_failure_of_numba_is_told_with_the_line(monkeypatch: pytest.MonkeyPatch) -> None:
    left_out = {"masks_as_places", "fuse_loops"}
    passes = tuple(p for p in nopython._PASSES if p.__name__ not in left_out)
    monkeypatch.setattr(nopython, "_PASSES", passes)
    monkeypatch.setattr(importlib.import_module("s2sad.derivative"), "SIZED", 0)
    with pytest.raises(s2sad.UnsupportedError, match=r"Numba itself fails, .*\[mask\]"):
        s2sad.grad(chosen, backend="numba")(X, X > 0)


# -- stacks of matrices ---------------------------------------------------------------------------


def product(a: np.ndarray, b: np.ndarray) -> float:
    return np.sum((a @ b) ** 2)


def test_products_of_stacks_parse_as_they_were_meant() -> None:
    """Their transposes are written with axes -1 and -2, which are no constants to the parser."""
    agrees(product, X.reshape(2, 2, 6), np.arange(24.0).reshape(2, 6, 2))


# -- Fourier transforms ---------------------------------------------------------------------------


def cut_and_filled(x: np.ndarray) -> float:
    longer, shorter = np.fft.fft(x, 7), np.fft.ifft(x, 3, axis=0, norm="forward")
    return np.sum(np.abs(longer) ** 3) + np.sum(np.abs(shorter) ** 3)


def of_real_numbers(x: np.ndarray) -> float:
    half = np.fft.rfft(x, norm="ortho")
    return np.sum(np.fft.irfft(half**2, 5) ** 2) + np.sum(np.fft.irfft(half, axis=0) ** 3)


def of_two_axes(x: np.ndarray) -> float:
    return np.sum(np.abs(np.fft.ifft2(x * np.fft.fft2(x))) ** 3) + np.abs(np.fft.fftn(x)[1, 2])


def of_even_sequences(x: np.ndarray) -> float:
    return np.sum(np.fft.hfft(np.fft.ihfft(x) ** 2) ** 2)


def shifted(x: np.ndarray) -> float:
    waves = np.fft.fftfreq(4, 0.5) * np.sum(x, axis=1) + np.fft.rfftfreq(6, 0.5) @ x[:, :4].T
    return np.sum(np.fft.fftshift(x)[1] ** 2 + np.fft.ifftshift(x, axes=1)[0] ** 3) * waves[3]


def test_fourier_transforms() -> None:
    agrees(cut_and_filled, X)


@pytest.mark.slow
@pytest.mark.parametrize("f", [of_real_numbers, of_two_axes, of_even_sequences, shifted])
def test_other_fourier_transforms(f: Callable[..., Any]) -> None:
    agrees(f, X)


@pytest.mark.parametrize("n", [1, 2, 3, 4, 6, 7, 16, 30, 36, 53, 106, 128, 210])
def test_transforms_of_any_length(n: int) -> None:
    from s2sad.backend.nopython.spectrum import planned, spectrum

    x = np.random.default_rng(n).normal(size=n) + 1j * np.arange(n)
    for forward, other in ((True, np.fft.fft(x)), (False, n * np.fft.ifft(x))):
        found = spectrum(x, n, planned(n, forward))
        np.testing.assert_allclose(found, other, rtol=0, atol=1e-15 * n * np.abs(other).max())


# -- reshapes -------------------------------------------------------------------------------------


def read_in_another_shape(x: np.ndarray) -> float:
    return np.sum(x.T.reshape(3, 8)[1] ** 3) + np.sum(x[:, ::2].reshape(-1)[1:4] ** 2)


def test_views_with_gaps_are_copied_before_they_are_reshaped() -> None:
    agrees(read_in_another_shape, X)


def written_in_another_shape(x: np.ndarray) -> float:
    a = x * x
    flat = a.reshape(-1)
    flat[1] = 7.0
    return np.sum(a * x)


def test_writing_to_a_reshape_writes_to_the_array() -> None:
    agrees(written_in_another_shape, X)


def written_where_it_is_turned(x: np.ndarray) -> float:
    a = x.T * 2.0
    flat = a.reshape(-1)
    flat[1] = 7.0
    return np.sum(a**2)


def test_writing_to_a_reshape_that_numpy_copies_is_refused() -> None:
    """The product of a transposed array is in its order in NumPy, and not in compiled code."""
    with pytest.raises(s2sad.UnsupportedError, match="a reshape that may be a copy"):
        s2sad.grad(written_where_it_is_turned, backend="numba")(X)


# -- along axes -----------------------------------------------------------------------------------


def along_axes(x: np.ndarray) -> float:
    order = np.argsort(x, axis=0)
    picked = np.take_along_axis(x, order, axis=0)[1] ** 2
    steps = np.diff(x, n=2, axis=0) ** 2
    return np.sum(picked) + np.sum(steps) + np.sum(np.sort(x, axis=1)[:, 2] ** 3)


def test_sorting_taking_and_differences() -> None:
    agrees(along_axes, X)


def spread_of(x: np.ndarray) -> float:
    low, high = np.percentile(x, [25.0, 75.0])
    return np.sum(np.median(x, axis=1) ** 2) + np.quantile(x, 0.3, method="hazen") * (high - low)


def test_order_statistics() -> None:
    agrees(spread_of, X)


def test_order_statistics_of_what_is_no_number() -> None:
    agrees(spread_of, np.where(X > 1.5, np.nan, X))


def shared(x: np.ndarray) -> float:
    return np.median(x) * np.sum(np.maximum.accumulate(x, axis=1))


def test_equal_elements_share_as_under_numpy() -> None:
    agrees(shared, np.round(X))


def padded(x: np.ndarray) -> float:
    return np.sum(np.pad(x, ((1, 0), (2, 9)), mode="reflect") ** 2 * np.arange(17.0))


def test_borders_that_turn_around_more_than_once() -> None:
    agrees(padded, X)


def of_chosen(x: np.ndarray, mask: np.ndarray) -> float:
    largest = np.prod(x, axis=1, where=mask) * np.mean(x, axis=1, where=mask)
    return np.sum(largest) + np.sum(x, where=mask) ** 2


def test_reductions_of_what_a_mask_chooses() -> None:
    agrees(of_chosen, X, X > -0.5)


def product_of_two_axes(x: np.ndarray) -> float:
    return np.sum(np.prod(x.reshape(2, 2, 6), axis=(0, 2)) ** 2)


def test_products_along_two_axes() -> None:
    agrees(product_of_two_axes, X)


# -- arrays made of lists of sizes, or by their class -----------------------------------------------


def in_columns(x: np.ndarray) -> float:
    out = np.empty([x.shape[0], 2], dtype=x.dtype)
    out[:, 0] = x[:, 0]
    out[:, 1] = x[:, 1] * 2.0
    ones = np.full([2, x.shape[1]], x[0, 0])
    return np.sum(np.reshape(out * out, [2, x.shape[0]])) + np.sum(ones**3) + np.sum(np.zeros([2]))


def test_shapes_may_be_lists() -> None:
    agrees(in_columns, X)


def in_an_ndarray(x: np.ndarray) -> float:
    rows = np.ndarray((x.shape[0], 2), dtype=x.dtype)
    rows[:, 0] = x[:, 0]
    rows[:, 1] = x[:, 1] * 2.0
    line = np.ndarray(3)
    line[:] = x[0, :3]
    return np.sum(rows * rows) + np.sum(line**3)


def test_arrays_may_be_made_by_their_class() -> None:
    agrees(in_an_ndarray, X)
    expected = s2sad.tape.grad(in_an_ndarray)(X)
    np.testing.assert_allclose(s2sad.grad(in_an_ndarray)(X), expected)


def on_memory_of_others(x: np.ndarray) -> float:
    return np.sum(np.ndarray(2, buffer=x) ** 2)


def test_arrays_on_memory_of_others_are_refused() -> None:
    with pytest.raises(s2sad.UnsupportedError, match="np.ndarray with 'buffer'"):
        s2sad.grad(on_memory_of_others)(X)


def weighed_by_places(x: np.ndarray, n: int) -> float:
    i, j = np.mgrid[0:n, 0 : x.shape[1]]
    return np.sum(x[:n] * (i - 2.0 * j))


@pytest.mark.parametrize("n", [0, 1, 3])
def test_grids_may_have_sizes_of_the_program(n: int) -> None:
    expected = s2sad.grad(weighed_by_places)(X, n)
    np.testing.assert_allclose(s2sad.grad(weighed_by_places, backend="numba")(X, n), expected)
    assert np.sum(expected != 0.0) == max(n * 6 - (1 if n else 0) - (1 if n > 2 else 0), 0)


def test_grids_of_less_than_nothing_raise() -> None:
    with pytest.raises(ValueError, match="negative dimensions"):
        weighed_by_places(X, -2)
    with pytest.raises(AssertionError, match="negative dimensions"):
        s2sad.grad(weighed_by_places)(X, -2)


def repeated(x: np.ndarray, times: np.ndarray) -> float:
    cube = np.reshape(x, (2, 2, 6))
    rows = np.repeat(x, times, axis=0) ** 2
    return np.sum(np.repeat(cube, 3, axis=1) ** 3) + np.sum(rows) + np.sum(np.repeat(x, 2) ** 2)


def test_arrays_are_repeated_along_an_axis() -> None:
    agrees(repeated, X, np.array([1, 0, 2, 3]))
