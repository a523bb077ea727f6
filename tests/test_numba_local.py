"""Short arrays of which only elements are used live on the stack; all others stay objects."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

pytest.importorskip("numba")

import numba

from s2sad.backend.nopython.lean.pipeline import LeanCompiler

X = np.arange(1.0, 9.0)


def lean(f: Callable[..., Any], **options: Any) -> Any:
    return numba.njit(f, pipeline_class=LeanCompiler, error_model="numpy", **options)


def elements(x):
    row = np.empty(8)
    for i in range(len(x)):
        row[i] = 2.0 * x[i]
    total = 0.0
    for i in range(len(x)):
        total += row[i] * row[-1 - i]
    return total


def made_again(x):
    total = 0.0
    for i in range(3):
        row = np.empty(4)
        for k in range(4):
            row[k] = x[k] + i
        total += row[i]
    return total


def older(x):
    total = 0.0
    old = np.empty(4)
    for k in range(4):
        old[k] = 0.0
    for i in range(3):
        row = np.empty(4)
        for k in range(4):
            row[k] = x[k] + i + old[k]
        total += old[i] * row[i]
        old = row
    return total


def returned(x):
    row = np.empty(4)
    for k in range(4):
        row[k] = x[k]
    return row


def sliced(x):
    row = np.empty(4)
    row[:] = x[:4]
    return row[1:3].sum() + len(row)


def chosen(x):
    row, other = np.empty(4), np.empty(4)
    for k in range(4):
        row[k], other[k] = x[k], -x[k]
    best = row if x[0] > 0.5 else other
    return best[0] + best[3]


def in_tuple(x):
    row = np.empty(4)
    for k in range(4):
        row[k] = x[k]
    both = (row, x)
    return both[0][2]


def by_steps(x):
    total = 0.0
    for k in range(1, len(x), 3):
        for i in range(k, min(k + 3, len(x))):
            total = 0.5 * total + x[i]
    return total


@pytest.mark.parametrize(
    "f", [elements, made_again, older, returned, sliced, chosen, in_tuple, by_steps]
)
def test_computes_the_same(f: Callable[..., Any]) -> None:
    np.testing.assert_array_equal(lean(f)(X), f(X))


@pytest.mark.parametrize("f", [elements, made_again])
def test_nothing_is_allocated(f: Callable[..., Any]) -> None:
    compiled = lean(f)
    compiled(X)
    (text,) = compiled.inspect_llvm().values()
    assert "NRT_MemInfo_alloc" not in text


def test_what_is_returned_is_allocated() -> None:
    compiled = lean(returned)
    first, second = compiled(X), compiled(2.0 * X)
    assert not np.shares_memory(first, second)


def test_bounds_are_checked() -> None:
    def beyond(i: int) -> float:
        row = np.empty(4)
        row[0] = 1.0
        return row[i]

    checked = lean(beyond, boundscheck=True)
    assert checked(-4) == 1.0
    for i in (4, -5):
        with pytest.raises(IndexError):
            checked(i)
