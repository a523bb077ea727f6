"""Arrays of complex numbers in loops over elements: as under NumPy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import s2sad

pytest.importorskip("numba")

from numba import njit

from s2sad.backend.nopython.overloads import install
from s2sad.runtime import moduli

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


def exponentials(x: np.ndarray, y: np.ndarray) -> float:
    z = np.exp(1j * x) * np.tanh(x - 1j * y)
    w = np.log(z + 3.0)
    w[1:] = np.exp(w[:-1])
    return np.sum(np.exp(w).real) + np.sum(np.log(w + 4.0).imag)


def test_functions_of_whole_arrays_by_numpy() -> None:
    found = s2sad.grad(exponentials, (0, 1), backend="numba")
    assert "in_place(np.tanh" in found.source(X, Y)
    for x, y in ((X, Y), (X.T, Y.T), (X[:1, :1], Y[:1, :1]), (X[:0], Y[:0])):
        for a, b in zip(found(x, y), s2sad.grad(exponentials, (0, 1))(x, y), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-13)


def test_moduli_are_those_of_numpy() -> None:
    """To the last bit: which side of a bound they are on depends on it."""
    install()
    turn = np.linspace(0.0, 6.0, 500)
    z = np.outer(2.0 * (1.0 + np.arange(-9, 10) * 2.0**-52), np.exp(1j * turn))
    z[0, :6] = [np.nan, complex(np.inf, np.nan), 1e308 + 1e308j, 1e-320j, 0.0, 0.6 + 0.8j]
    compiled = njit(lambda z: moduli(z))
    for x in (z, z[::-1, ::3], z.T, z[:0], z[3], np.array(3.0 + 4.0j).reshape(1)):
        np.testing.assert_array_equal(compiled(x), np.abs(x))


def test_a_modulus_is_computed_by_numpy() -> None:
    text = s2sad.grad(choices, backend="numba").source(X, Y)
    assert "moduli(" in text
