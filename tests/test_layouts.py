"""Reshapes that are views in one layout and copies in another: as in plain Python, or refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import s2sad

X = np.array([[0.7, -1.2, 2.1], [0.3, 1.4, -0.6]])
LAYOUTS = {
    "C": X.copy(),
    "F": np.asfortranarray(X),
    "reversed": X[::-1].copy()[::-1],
    "strided": np.repeat(X, 2, axis=1)[:, ::2],
    "F strided": np.asfortranarray(np.repeat(X, 2, axis=1))[:, ::2],
}


def of_a_transpose(x: Any) -> Any:
    a = x * x
    flat = a.T.reshape(-1)
    flat[1] = 7.0 * x[0, 0]
    return np.sum(a * x) + np.sum(flat**2)


def of_a_written_argument(x: Any) -> Any:
    x[0, 0] = 2.0 * x[0, 1]
    a = x * x
    flat = a.T.reshape(-1)
    flat[1] = 7.0 * x[0, 0]
    return np.sum(a * x) + np.sum(flat**2)


def of_the_argument(x: Any) -> Any:
    flat = x.reshape(-1)
    flat[1] = 7.0 * x[0, 0]
    return np.sum(x * x) + np.sum(flat**2)


def of_every_second_column(x: Any) -> Any:
    a = x * x
    v = a[:, ::2]
    flat = v.reshape(-1)
    flat[1] = 7.0 * x[0, 0]
    return np.sum(a * x) + np.sum(flat**2) + np.sum(v)


def after_an_element_was_written(x: Any) -> Any:
    a = x * x
    a[0, 0] = 3.0 * x[0, 1]
    flat = a.ravel()
    flat[1] = 7.0 * x[0, 0]
    return np.sum(a * x) + np.sum(flat**2)


def read_after_the_root_was_written(x: Any) -> Any:
    a = x + 1.0
    turned = a.reshape(3, 2)
    a[0, 1] = x[1, 1] * x[0, 0]
    return np.sum(a * x) + np.sum(turned[1] * turned[0])


def of_a_copy_that_keeps_the_order(x: Any) -> Any:
    a = np.array(x)
    flat = a.reshape(-1)
    flat[1] = x[0, 0] * 3.0
    return np.sum(a * x) + np.sum(flat)


def ravel_of_a_column(x: Any) -> Any:
    v = x[:, 1]
    flat = v.ravel()
    flat[0] = 2.0 * x[1, 1]
    return np.sum(v * v) + np.sum(flat) + np.sum(x * x)


def of_a_row_changed_in_place(x: Any) -> Any:
    v = x[0]
    v += 1.0
    column = v.reshape(3, 1)
    column[0, 0] = x[1, 1]
    return np.sum(v * v) + np.sum(column) + np.sum(x)


def changed_in_place(x: Any) -> Any:
    a = x.T * 1.0
    a += np.sin(x).T.copy()
    flat = a.reshape(-1)
    flat[1] = 7.0 * x[0, 0]
    return np.sum(a * x.T) + np.sum(flat**2)


PROGRAMS = [
    of_a_transpose,
    of_a_written_argument,
    of_the_argument,
    of_every_second_column,
    after_an_element_was_written,
    read_after_the_root_was_written,
    of_a_copy_that_keeps_the_order,
    ravel_of_a_column,
    of_a_row_changed_in_place,
    changed_in_place,
]


def laid_out(x: Any, like: Any) -> Any:
    """The numbers of ``x`` in an array with the strides of ``like``."""
    out: Any = np.ndarray(like.shape, like.dtype, np.zeros(200), 400, like.strides)
    out[...] = x
    return out


def slopes(f: Callable[[Any], Any], x: Any, step: float = 1e-6) -> Any:
    """Central differences in one layout."""
    gradient = np.zeros(x.shape)
    for at in np.ndindex(x.shape):
        up, down = laid_out(x, x), laid_out(x, x)
        up[at] += step
        down[at] -= step
        gradient[at] = (f(up) - f(down)) / (2.0 * step)
    return gradient


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("f", PROGRAMS, ids=lambda f: f.__name__)
def test_as_in_plain_python(f: Callable[[Any], Any], layout: str) -> None:
    x = LAYOUTS[layout]
    value, gradient = s2sad.value_and_grad(f)(laid_out(x, x))
    assert value == f(laid_out(x, x))
    np.testing.assert_allclose(gradient, slopes(f, x), rtol=1e-6, atol=1e-6)
