"""Functions and forms that Numba has not, compiled in what it has: as under NumPy."""

from __future__ import annotations

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
    monkeypatch.setattr(nopython, "masks_as_places", lambda module: module)
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
