"""Sums along axes that only serve to be added to an array are added there, term by term."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

import s2sad
from tests.test_numba_clearing import agree

pytest.importorskip("numba")

RNG = np.random.default_rng(5)


def drawn(*shape: int) -> np.ndarray:
    return RNG.uniform(0.5, 1.5, shape)


def filtered(x, w):
    k = w.shape[0]
    total = 0.0
    for i in range(x.shape[0] - k + 1):
        t = np.sum(x[i : i + k, :, None] * w, axis=(0, 1))
        total += np.sum(t * t)
    return total


def summed_rows(a, b):
    total = 0.0
    for i in range(len(a)):
        total += np.sum(np.tanh(a[i] * b))
    return total


def rows_added_to_themselves(a):
    a = a.copy()
    for i in range(len(a)):
        a[i] = np.sum(a * a[i], axis=0)
    return np.sum(a)


def written_in_between(a, v):
    a = a.copy()
    for i in range(len(a)):
        t = a * v
        a[i] += np.sum(t * a, axis=0)
        v = v + np.sum(t, axis=1)[:, None]
    return np.sum(a * v)


def scalars_and_columns(a, c, s):
    return np.sum((a * c + s[0]) ** 2) + np.sum(a[1:] * c[1:] * s)


@pytest.mark.parametrize("shape", [(5, 3), (3, 1), (2, 3), (0, 3), (3, 0)])
def test_filters(shape: tuple[int, int]) -> None:
    if shape[0]:
        agree(filtered, drawn(*shape), drawn(2, shape[1], 4))
    agree(summed_rows, drawn(*shape), drawn(4, shape[1]))
    agree(rows_added_to_themselves, drawn(*shape))


def test_terms_are_added_without_an_array_of_sums() -> None:
    text = agree(filtered, drawn(6, 3), drawn(2, 3, 4)).split("# reverse sweep")[1]
    assert "np.zeros((" not in text
    assert "np.empty((" not in text


def test_axes_that_may_have_one_element() -> None:
    agree(filtered, drawn(5, 1), drawn(2, 3, 4))
    agree(filtered, drawn(5, 3), drawn(2, 1, 4))
    with pytest.raises(ValueError, match="broadcast"):
        s2sad.grad(filtered, backend="numba")(drawn(5, 3), drawn(2, 2, 4))


@pytest.mark.parametrize("f", [written_in_between])
@pytest.mark.parametrize("n", [1, 4])
def test_terms_that_read_what_is_written(f: Callable[..., float], n: int) -> None:
    agree(f, drawn(n, 3), drawn(n, 1))


def test_other_shapes() -> None:
    agree(scalars_and_columns, drawn(4, 3), drawn(4, 1), drawn(1))
    agree(scalars_and_columns, drawn(4, 3), drawn(1, 3).repeat(4, 0)[:, ::1], drawn(3))
    agree(scalars_and_columns, drawn(8, 6)[::2, ::-2], drawn(4, 1), drawn(3)[::-1])


def test_nan_and_infinities_go_where_their_sum_goes() -> None:
    x = np.array([[1.0, np.inf], [np.nan, 2.0], [0.0, -np.inf]])
    agree(summed_rows, x, drawn(2, 2))
    agree(rows_added_to_themselves, x)
