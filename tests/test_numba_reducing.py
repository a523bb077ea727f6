"""Reductions along axes, as LLVM's text, mean what NumPy means by them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytest.importorskip("numba")

import numba
from numba.core import event

from s2sad.backend.nopython.lean.pipeline import LeanCompiler
from s2sad.backend.nopython.overloads import install

install()
RNG = np.random.default_rng(11)
NUMBERS = RNG.normal(size=(3, 4, 5))
ARRAYS = {
    "rows": NUMBERS,
    "columns": np.asfortranarray(NUMBERS),
    "every second": RNG.normal(size=(3, 9, 5))[:, ::2],
    "some nan": np.where(RNG.random((3, 4, 5)) < 0.1, np.nan, NUMBERS),
    "none in the middle": np.empty((3, 0, 5)),
}


class _Compiled(event.Listener):  # type: ignore[misc]
    """The names of functions that are compiled meanwhile."""

    def __init__(self) -> None:
        self.names: set[str] = set()

    def on_start(self, event: Any) -> None:
        self.names.add(event.data["qualname"])

    def on_end(self, event: Any) -> None:
        """Nothing."""


def reduced(name: str, axes: str, keep: bool) -> Any:
    scope: dict[str, Any] = {"np": np}
    exec(f"def f(x): return np.{name}(x, axis={axes}, keepdims={keep})", scope)
    return scope["f"]


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("keep", [False, True])
@pytest.mark.parametrize("axes", ["0", "1", "-1", "(0,)", "(0, 2)", "(1, 2)"])
@pytest.mark.parametrize("name", ["sum", "mean", "var", "std", "max", "min"])
def test_reductions(name: str, axes: str, keep: bool) -> None:
    f = reduced(name, axes, keep)
    compiled = numba.njit(f, pipeline_class=LeanCompiler, error_model="numpy")
    seen = _Compiled()
    with event.install_listener("numba:run_pass", seen):
        for x in ARRAYS.values():
            try:
                expected = f(x)
            except ValueError:
                with pytest.raises(ValueError, match="zero-size"):
                    compiled(x)
                continue
            found = compiled(x)
            assert found.shape == expected.shape
            np.testing.assert_allclose(found, expected, rtol=1e-13, atol=1e-15)
    assert seen.names == {"f"}


def test_sums_of_rows_are_numpys() -> None:
    x = RNG.normal(size=(7, 1001))
    f = reduced("sum", "1", False)
    compiled = numba.njit(f, pipeline_class=LeanCompiler, error_model="numpy")
    np.testing.assert_array_equal(compiled(x), f(x))


@pytest.mark.parametrize("exponent", [-3, -1, 0, 1, 2, 3, 7, 64, 65])
def test_powers(exponent: int) -> None:
    scope: dict[str, Any] = {}
    exec(f"def f(x): return x**{exponent}", scope)
    compiled = numba.njit(scope["f"], pipeline_class=LeanCompiler, error_model="numpy")
    for x in np.array([0.7, -1.3, 0.0, -0.0, np.inf, np.nan]):
        with np.errstate(divide="ignore"):
            expected = x ** float(exponent)
        np.testing.assert_allclose(compiled(x), expected, rtol=1e-14)
