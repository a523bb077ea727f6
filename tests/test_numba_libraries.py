"""Functions that are compiled for another one are there when they are asked for themselves."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

numba = pytest.importorskip("numba")

from numba.core.codegen import JITCodeLibrary  # noqa: E402
from numba.core.registry import cpu_target  # noqa: E402
from numba.extending import overload, register_jitable  # noqa: E402

from s2sad.backend.nopython.pipeline import LeanCompiler  # noqa: E402


def lean(f: Any, **options: Any) -> Any:
    return numba.njit(f, pipeline_class=LeanCompiler, error_model="numpy", **options)


MATRIX = np.array([[2.0, 1.0], [1.0, 3.0]])


def test_library_functions_after_a_derivative() -> None:
    def f(a: Any, b: Any) -> Any:
        return np.linalg.solve(a, b) + np.sort(b)

    b = np.array([1.0, -1.0])
    expected = f(MATRIX, b)
    np.testing.assert_allclose(lean(f)(MATRIX, b), expected, rtol=1e-14)
    np.testing.assert_allclose(numba.njit(f)(MATRIX, b), expected, rtol=1e-14)
    np.testing.assert_allclose(lean(f)(MATRIX, b), expected, rtol=1e-14)


def test_a_compiled_function_that_both_call() -> None:
    @numba.njit
    def helper(x: Any) -> Any:
        return x * x + 1.0

    def f(x: Any) -> Any:
        return helper(x) * 2.0

    assert lean(f)(3.0) == 20.0
    assert helper(3.0) == 10.0
    assert numba.njit(f)(4.0) == 34.0


def test_a_compiled_function_without_an_entry_from_python() -> None:
    @numba.njit(no_cpython_wrapper=True)
    def helper(x: Any) -> Any:
        return np.sin(x) + x

    def f(x: Any) -> Any:
        return helper(x) * 2.0

    @numba.njit
    def g(x: Any) -> Any:
        return helper(x) * 3.0

    assert lean(f)(0.0) == 0.0
    assert g(1.0) == 3.0 * (np.sin(1.0) + 1.0)
    (library,) = (result.library for result in helper.overloads.values())
    (descriptor,) = (result.fndesc for result in helper.overloads.values())
    assert library.get_pointer_to_function(descriptor.llvm_func_name) != 0
    assert g(1.0) == 3.0 * (np.sin(1.0) + 1.0)
    assert lean(f)(1.0) == 2.0 * (np.sin(1.0) + 1.0)


def test_messages_with_values() -> None:
    @register_jitable
    def checked(x: Any, name: Any) -> Any:
        if x < 0:
            raise ValueError(f"{name} is negative", x)
        return x

    def f(x: Any) -> Any:
        return checked(x, "this") + 1

    for make in (lean, numba.njit, lean):
        g = make(f)
        assert g(2) == 3
        with pytest.raises(ValueError, match="this is negative") as caught:
            g(-2)
        assert caught.value.args[1] == -2


def test_output() -> None:
    @register_jitable
    def said(x: Any) -> Any:
        with numba.objmode(y="float64"):
            y = float(np.float64(x).item() + 1)
        return y

    def f(x: Any) -> Any:
        return said(x) * 2.0

    assert lean(f)(1.5) == 5.0 == numba.njit(f)(1.5)


def test_functions_that_call_themselves() -> None:
    @numba.njit
    def power(x: Any, n: Any) -> Any:
        if n == 0:
            return 1.0
        return x * power(x, n - 1)

    @numba.njit(no_cpython_wrapper=True)
    def plain(n: Any) -> Any:
        if n < 2:
            return 1
        return plain(n - 1) + plain(n - 2)

    def f(x: Any, n: Any) -> Any:
        return power(x, n) + plain(n)

    assert lean(f)(2.0, 5) == 40.0
    assert power(2.0, 3) == 8.0


def twice(x: Any) -> Any:
    raise NotImplementedError


def test_failures_leave_no_trace() -> None:
    overload(twice)(lambda x: lambda x: 2 * x)

    def wrong(x: Any) -> Any:
        return twice(x) + x.no_such_attribute

    def right(x: Any) -> Any:
        return twice(x) + 1.0

    with pytest.raises(numba.TypingError):
        lean(wrong)(1.0)
    codegen = cpu_target.target_context.codegen()
    assert codegen._library_class is JITCodeLibrary
    assert numba.njit(right)(1.0) == 3.0 == lean(right)(1.0)
