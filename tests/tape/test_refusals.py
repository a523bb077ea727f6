"""What the tape will not follow, it refuses, at the user's line; nothing becomes a constant."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import s2sad
from s2sad import tape
from s2sad.tape.values import TapeArray, TapeScalar, TapeValue

X = np.array([0.7, -1.2, 2.1])
CAPTURED = np.zeros(3)
counter = 0


def into_integers(x):
    a = np.zeros(3, dtype=int)
    a[0] = x[0]
    return np.sum(x)


def as_integers(x):
    return np.sum(np.array([x[0], x[1]], dtype=int)) * x[0]


def captured_array_written(x):
    CAPTURED[0] = x[0]
    return np.sum(CAPTURED)


def global_written(x):
    global counter
    counter = x[0]
    return counter


def without_a_rule(x):
    return np.sum(np.apply_along_axis(np.cumsum, 0, x)) + np.unwrap(x)[0]


def aliased_and_written(x, y):
    x[0] = 5.0
    return np.sum(x * y)


def object_array(x):
    return np.sum(np.array([x[0], None])[0])


CASES = [into_integers, as_integers, captured_array_written, global_written, without_a_rule]


@pytest.mark.parametrize("f", [*CASES, object_array])
def test_refused(f: Any) -> None:
    with pytest.raises(s2sad.UnsupportedError) as caught:
        tape.grad(f)(X)
    if f is not global_written:
        assert f"in {f.__name__}" in str(caught.value)
    assert np.array_equal(CAPTURED, np.zeros(3))
    assert counter == 0


def test_aliased_arguments_are_not_written() -> None:
    with pytest.raises(s2sad.UnsupportedError, match="memory is shared"):
        tape.grad(aliased_and_written)(X, X)
    assert np.allclose(tape.grad(aliased_and_written)(X, X.copy()), [0.0, X[1], X[2]])


@pytest.mark.parametrize("cls", [TapeValue, TapeScalar, TapeArray])
@pytest.mark.parametrize("name", ["__float__", "__array__", "__int__", "__index__", "__complex__"])
def test_values_are_not_converted_in_silence(cls: type, name: str) -> None:
    assert not hasattr(cls, name)


def test_tapes_do_not_nest() -> None:
    with pytest.raises(s2sad.UnsupportedError):
        tape.grad(lambda x: tape.grad(lambda y: y * y * x)(x))(2.0)


@pytest.mark.parametrize("value", [np.arange(3), True, "text", None, [1, 2]], ids=repr)
def test_nothing_to_differentiate(value: Any) -> None:
    with pytest.raises(s2sad.errors.ArgumentError):
        tape.grad(lambda x: 1.0)(value)


@pytest.mark.parametrize("result", [np.ones(2), "text", None, (1.0, 2.0), 3], ids=repr)
def test_no_gradient_of_this_result(result: Any) -> None:
    with pytest.raises(s2sad.errors.OutputError, match="vjp"):
        tape.grad(lambda x: result)(1.0)


def test_errors_of_the_program_come_through() -> None:
    def f(x: Any) -> Any:
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        tape.grad(f)(1.0)
    with pytest.raises(ZeroDivisionError):
        tape.grad(lambda x: 1.0 / (x - x))(1.0)


def swallowed(x):
    try:
        return np.roots(x)[0]
    except Exception:
        return x[0]


def test_a_refusal_that_the_program_swallows_is_raised_all_the_same() -> None:
    with pytest.raises(s2sad.UnsupportedError, match="roots"):
        tape.grad(swallowed)(X)


def test_a_derivative_inside_a_program() -> None:
    inner = s2sad.grad(lambda x: x * x)
    with pytest.raises(s2sad.UnsupportedError, match="derivative"):
        tape.grad(lambda x: inner(x) * x)(2.0)
