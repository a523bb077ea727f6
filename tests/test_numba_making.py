"""Arrays that compiled code makes, and views of other shapes, as NumPy has them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

pytest.importorskip("numba")

import numba

import s2sad
from s2sad.backend.nopython.lean.pipeline import LeanCompiler


def lean(f: Callable[..., Any]) -> Any:
    return numba.njit(f, pipeline_class=LeanCompiler, error_model="numpy")


def of_unknown_rows(x: np.ndarray, n: int) -> float:
    y = x.reshape(n, -1)
    return np.sum(y * y) + y.shape[1] * x.shape[0]


@pytest.mark.parametrize("shape", [(0,), (0, 3)])
def test_nobody_knows_how_many_columns_no_rows_have(shape: tuple[int, ...]) -> None:
    x = np.ones(shape)
    with pytest.raises(ValueError, match="cannot reshape"):
        s2sad.grad(of_unknown_rows, backend="numba")(x, 0)
    assert s2sad.grad(of_unknown_rows, backend="numba")(x, 3).shape == shape


@pytest.mark.parametrize("sizes", [(0, -1), (-1, 0), (-1, -1), (4, -1), (1 << 32, 1 << 32)])
@pytest.mark.parametrize("given", [0, 6])
def test_sizes_that_do_not_fit(given: int, sizes: tuple[int, int]) -> None:
    reshaped = lean(lambda x, m, n: x.reshape(m, n))
    if given == 0 and sizes == (4, -1):
        assert reshaped(np.ones(0), *sizes).shape == (4, 0)
        return
    with pytest.raises(ValueError, match="reshape"):
        reshaped(np.ones(given), *sizes)


def test_more_arguments_than_usual_are_left_to_numba() -> None:
    for f in (lambda: np.zeros(), lambda: np.full(3), lambda x: np.copy(x, "K")):  # type: ignore
        with pytest.raises(numba.TypingError):
            lean(f)(*[np.ones(2)] * f.__code__.co_argcount)
