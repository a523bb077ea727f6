"""Fourier transforms in compiled code: by NumPy's own loops, and without them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

pytest.importorskip("numba")

from numba import njit

import s2sad
from s2sad.backend.nopython import fourier, fourier_loops
from s2sad.backend.nopython.overloads import install
from s2sad.runtime import real_fft, real_ifft

install()
RNG = np.random.default_rng(3)
REAL = RNG.normal(size=9)
GRID = RNG.normal(size=(3, 4, 6))

there = pytest.mark.skipif(not fourier_loops.is_there(), reason="this NumPy has no such loops")


def full(x: np.ndarray) -> tuple[np.ndarray, ...]:
    return np.fft.fft(x), np.fft.ifft(x)


def cut(x: np.ndarray) -> tuple[np.ndarray, ...]:
    return np.fft.fft(x, 4), np.fft.ifft(x, 5, norm="ortho")


def filled(x: np.ndarray) -> tuple[np.ndarray, ...]:
    return np.fft.fft(x, 12, norm="forward"), np.fft.ifft(x, 11, norm="forward")


def half(x: np.ndarray) -> tuple[np.ndarray, ...]:
    return np.fft.rfft(x), np.fft.rfft(x, 6), np.fft.irfft(x), np.fft.irfft(x, 7, norm="ortho")


def agree(f: Callable[..., Any], *args: Any) -> None:
    given = [np.array(a) for a in args]
    for found, wanted in zip(njit(f)(*args), f(*args), strict=True):
        assert found.dtype == wanted.dtype
        scale = np.abs(wanted).max() * np.finfo(wanted.dtype).eps
        np.testing.assert_allclose(found, wanted, rtol=0, atol=20 * scale)
    for now, before in zip(args, given, strict=True):
        np.testing.assert_array_equal(now, before)


@pytest.mark.parametrize("f", [full, cut, filled, half])
def test_real_vectors(f: Callable[..., Any]) -> None:
    for n in (1, 2, 7, 8):
        agree(f, REAL[: n + 1])


@pytest.mark.parametrize("f", [full, cut, filled])
def test_complex_vectors(f: Callable[..., Any]) -> None:
    for n in (1, 2, 7, 8):
        agree(f, REAL[:n] + 1j * REAL[9 - n :])


def test_vectors_with_gaps_and_backwards() -> None:
    agree(full, REAL[::-2])
    agree(half, REAL[::-2])
    agree(filled, (REAL + 1j)[::3])


def test_other_precisions() -> None:
    agree(full, REAL.astype(np.float32))
    agree(half, np.arange(5))
    agree(full, REAL.astype(np.complex64))


def of_axes(x: np.ndarray) -> tuple[np.ndarray, ...]:
    return np.fft.fft(x, axis=0), np.fft.ifft(x, 3, 1), np.fft.fft(x, 9), np.fft.fft2(x)


def halves_of_axes(x: np.ndarray) -> tuple[np.ndarray, ...]:
    return np.fft.rfft(x, axis=1), np.fft.irfft(x, axis=0), np.fft.irfft(x, 3, norm="forward")


@pytest.mark.parametrize("x", [GRID, GRID.T, GRID[:, ::-1, ::2], GRID[:1, :0], GRID + 1j])
def test_axes_of_grids(x: np.ndarray) -> None:
    if x.size:
        agree(of_axes, x)
        return
    with pytest.raises(ValueError, match="transform of no points"):
        njit(lambda x: np.fft.fft(x, axis=1))(x)


def test_halves_along_axes_of_grids() -> None:
    agree(halves_of_axes, GRID)


def test_a_transform_of_nothing_is_filled_up_with_zeros() -> None:
    np.testing.assert_array_equal(njit(lambda x: np.fft.irfft(x, 4))(REAL[:0]), np.zeros(4))
    np.testing.assert_array_equal(njit(lambda x: np.fft.fft(x, 2))(REAL[:0]), np.zeros(2))


def test_no_points_raise() -> None:
    with pytest.raises(ValueError, match="transform of no points"):
        njit(lambda x: np.fft.fft(x))(REAL[:0])


def test_what_is_no_number_stays_none() -> None:
    x = REAL.copy()
    x[2] = np.nan
    assert np.isnan(njit(lambda x: np.fft.fft(x))(x)).all()


@pytest.mark.parametrize("f", [real_fft, real_ifft])
def test_real_parts(f: Callable[..., Any]) -> None:
    for n in (1, 2, 3, 7, 8):
        z = REAL[:n] + 1j * REAL[9 - n :]
        agree(lambda z: (f(z), f(z[::-1]), f(z.real)), z)
    with pytest.raises(ValueError, match="transform of no points"):
        njit(lambda z: f(z))(REAL[:0] + 1j)


@pytest.mark.parametrize("bad", [np.nan, complex(0.0, np.nan), np.inf, complex(0.0, -np.inf)])
def test_real_parts_of_what_is_no_number(bad: complex) -> None:
    """They are numbers where NumPy's are: at places that what is none does not reach."""
    compiled = njit(lambda z: real_ifft(z))
    for n, k in ((7, 0), (7, 3), (8, 0), (8, 1), (8, 4), (8, 6), (9, 8)):
        z = REAL[:n] + 1j
        z[k] += bad
        with np.errstate(invalid="ignore"):
            wanted = np.real(np.fft.ifft(z))
        np.testing.assert_array_equal(np.isfinite(compiled(z)), np.isfinite(wanted))


def waves(u: np.ndarray, v: np.ndarray) -> float:
    hat = np.fft.fft(u) * np.exp(1j * v)
    w = np.real(np.fft.ifft(hat)) + np.real(np.fft.fft(hat * v))
    kept = np.fft.ifft(w * hat)
    return np.sum(w**3) + np.sum(np.real(kept) * u) + np.sum(np.abs(kept)) + np.sum(np.abs(hat))


def along_rows(u: np.ndarray, v: np.ndarray) -> float:
    hat = np.fft.fft(u + 0.0 * v, axis=0)
    return np.sum(np.real(np.fft.ifft(hat * hat, axis=0)) * v)


def test_gradients_by_halves() -> None:
    grad, plain = s2sad.grad(waves, (0, 1), backend="numba"), s2sad.grad(waves, (0, 1))
    for n in (1, 2, 5, 8):
        for a, b in zip(grad(REAL[:n], REAL[-n:]), plain(REAL[:n], REAL[-n:]), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-12)
    text = grad.source(REAL, REAL)
    assert "real_ifft(" in text
    assert ".astype(" not in text


def test_gradients_along_axes() -> None:
    u, v = GRID[0], GRID[1]
    found = s2sad.grad(along_rows, (0, 1), backend="numba")(u, v)
    for a, b in zip(found, s2sad.grad(along_rows, (0, 1))(u, v), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-12)


@there
def test_plans_of_loops_are_those_of_numpy() -> None:
    """The same code computes the same bits."""
    z = REAL + 1j
    np.testing.assert_array_equal(njit(lambda x: np.fft.ifft(x))(z), np.fft.ifft(z))


def test_transforms_where_numpy_has_no_loops(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fourier, "is_there", lambda: False)
    by_types = fourier._to_complex(True)
    impl = by_types(njit(lambda x: x).typeof_pyval(REAL.astype(np.float32)))
    np.testing.assert_allclose(
        njit(impl)(REAL.astype(np.float32)), np.fft.fft(REAL), rtol=0, atol=1e-5
    )


def test_a_ufunc_without_the_types_asked_for_has_no_address() -> None:
    from s2sad.backend.nopython.ufunc_loops import address

    assert address(np.exp, "dd") is not None
    assert address(np.exp, "Md") is None
