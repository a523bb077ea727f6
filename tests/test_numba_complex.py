"""Arrays of complex numbers in loops over elements: as under NumPy."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import s2sad

pytest.importorskip("numba")

from numba import njit

from s2sad.backend.nopython.overloads import install
from s2sad.runtime import abs_near

RNG = np.random.default_rng(5)
X, Y = RNG.normal(size=(2, 4, 5))


def arithmetic(x: np.ndarray, y: np.ndarray) -> float:
    z = x + 1j * y
    w = z * np.conj(z) - 0.5 * z**2 + np.square(x * z)
    return np.sum(w.real * w.imag) + np.sum(np.abs(w) * x)


def choices(x: np.ndarray, y: np.ndarray) -> float:
    z = x - 2j * y
    z = np.where(np.abs(z) > 1.5, z * z, -z)
    return np.sum(np.where(z.real < 0.3, z.imag, np.abs(z)) * x)


def written_in_place(x: np.ndarray, y: np.ndarray) -> float:
    z = x + 1j * y
    z[1:] += z[:-1] * z[1:]
    z[:, :-1] = 0.5 * z[:, 1:]
    z *= x
    z[0] -= 3.0
    return np.sum(z.real**2 + z.imag)


def parts_of_what_is_written(x: np.ndarray, y: np.ndarray) -> float:
    z = x + 1j * y
    part = z.real
    w = 2.0 * part
    z[1] = 3.0 * y[2]
    z *= 1j
    return np.sum(part * w * z.imag)


def broadcast(x: np.ndarray, y: np.ndarray) -> float:
    row = x[0] + 1j * y[1]
    z = row * (y + 2j * x[:, :1])
    return np.sum(np.abs(z) ** 2) + np.sum((z * row).imag)


def modulus_kept(x: np.ndarray, y: np.ndarray) -> float:
    r = np.abs(x + 1j * y)
    near = r < 1.0
    return np.sum(np.where(near, r * x, y)) + np.sum(r[r > 1.2])


def other_functions(x: np.ndarray, y: np.ndarray) -> float:
    z = np.exp(1j * x) / (2.0 + y * y) + np.sqrt(x + 2j)
    return np.sum(z.real) + np.sum((z**3).imag) + np.sum(np.abs(np.sum(z, axis=0)))


PROGRAMS = [
    arithmetic,
    choices,
    written_in_place,
    parts_of_what_is_written,
    broadcast,
    modulus_kept,
]


@pytest.mark.parametrize("f", [*PROGRAMS, other_functions])
def test_gradients_agree(f: Callable[..., Any]) -> None:
    found = s2sad.grad(f, (0, 1), backend="numba")(X, Y)
    for a, b in zip(found, s2sad.grad(f, (0, 1))(X, Y), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-13 * np.abs(b).max())


@pytest.mark.parametrize("f", [arithmetic, choices])
def test_other_shapes(f: Callable[..., Any]) -> None:
    compiled, plain = s2sad.grad(f, backend="numba"), s2sad.grad(f)
    for x, y in ((X[:0], Y[:0]), (X[:1, :1], Y[:1, :1]), (X[::-2, ::2], Y[1:3, :3]), (X.T, Y.T)):
        np.testing.assert_allclose(compiled(x, y), plain(x, y), rtol=1e-12, atol=1e-13)


def test_what_is_no_number_stays_none() -> None:
    x = X.copy()
    x[1, 2] = np.nan
    x[2, 3] = np.inf
    compiled, plain = s2sad.grad(choices, backend="numba"), s2sad.grad(choices)
    with np.errstate(all="ignore"):
        np.testing.assert_allclose(compiled(x, Y), plain(x, Y), rtol=1e-12, atol=1e-13)


def test_a_modulus_that_is_only_compared_takes_no_root() -> None:
    text = s2sad.grad(choices, backend="numba").source(X, Y)
    assert "abs_near(" in text
    assert re.search(r"np\.abs\(t\d*\) >", text) is None


# -- moduli beside a bound ------------------------------------------------------------------------


@njit
def _sides(z: np.ndarray, bound: float) -> np.ndarray:
    found = np.empty((4, len(z)), np.bool_)
    for i in range(len(z)):
        r = abs_near(z[i], bound)
        found[0, i], found[1, i] = r < bound, r <= bound
        found[2, i], found[3, i] = r > bound, r >= bound
    return found


@pytest.mark.parametrize(
    "bound", [2.0, 1.0, 5.0, 1e-150, 5e-324, 1e-139, 1e139, 1e200, 0.0, -1.0, np.inf, np.nan]
)
def test_moduli_are_on_the_side_of_a_bound_where_numpy_has_them(bound: float) -> None:
    install()
    turn = np.linspace(0.0, 6.0, 50)
    around = bound * (1.0 + np.arange(-40, 41)[:, None] * 2.0**-52)
    with np.errstate(invalid="ignore"):
        real, imag = (around * np.cos(turn)).ravel(), (around * np.sin(turn)).ravel()
    real = np.concatenate([real, [3e-5, 0.6, 0.0, np.nan, np.inf, 1e308, bound, 0.0, 1e-320]])
    imag = np.concatenate([imag, [4e-5, 0.8, 0.0, np.inf, np.nan, 1e308, 0.0, -bound, 1e-320]])
    z = np.empty(len(real), complex)
    z.real, z.imag = real, imag
    with np.errstate(all="ignore"):
        r = np.hypot(real, imag)
    wanted = np.stack([r < bound, r <= bound, r > bound, r >= bound])
    np.testing.assert_array_equal(_sides(z, bound), wanted)
