"""What s2sad says when it refuses: the layout, and every message about arguments and outputs."""

from __future__ import annotations

import functools
import math
import operator
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import s2sad
from s2sad import grad, value_and_grad, vjp
from s2sad.errors import (
    ArgumentError,
    OutputError,
    Problem,
    Problems,
    S2sadError,
    SourceError,
    Span,
    UnsupportedError,
)

# ----------------------------------------------------------------------------------- the layout

MODEL = ["def simulate(x):\n", "    for i in x:\n", "        yield x\n", "\tα = 'λ'; y = f(x,\n", "\t\tx)\n"]  # fmt: skip


def span(line: int, col: int, end_line: int, end_col: int, lines: Any = MODEL) -> Span:
    return Span("model.py", line, col, end_line, end_col, "simulate", lines)


def test_one_problem() -> None:
    error = UnsupportedError(
        [
            Problem(
                "'yield' has no derivative",
                span(3, 8, 3, 15),
                "collect the values in a list and return it",
            )
        ]
    )
    assert str(error) == (
        "'yield' has no derivative\n"
        "  --> model.py:3:9 in simulate\n"
        "    3 |         yield x\n"
        "      |         ^^^^^^^\n"
        "   help: collect the values in a list and return it"
    )


def test_several_problems_in_the_order_of_the_source() -> None:
    problems = Problems()
    problems.add(span(3, 8, 3, 15), "'yield' has no derivative", "return\na list")
    problems.add(span(1, 0, 1, 3), "'def' is first")
    problems.add(span(1, 0, 1, 3), "'def' is first")
    problems.add(None, "and it has no place")
    assert len(problems) == 3
    with pytest.raises(UnsupportedError) as caught:
        problems.raise_if_any()
    assert str(caught.value).splitlines() == [
        "'def' is first",
        "  --> model.py:1:1 in simulate",
        "    1 | def simulate(x):",
        "      | ^^^",
        "also: 'yield' has no derivative",
        "  --> model.py:3:9 in simulate",
        "    3 |         yield x",
        "      |         ^^^^^^^",
        "   help: return",
        "         a list",
        "also: and it has no place",
    ]


def test_no_problem_is_no_error() -> None:
    Problems().raise_if_any()


def test_tabs_and_characters_of_several_bytes() -> None:
    # y = f(x, …: byte 15 is the character 13 columns in, 16 when the tab is 4 wide.
    at = "\tα = 'λ'; y = f(x,".index("f")
    col = len("\tα = 'λ'; y = f(x,"[:at].encode())
    shown = span(4, col, 5, 4).render().splitlines()
    assert shown[0] == f"  --> model.py:4:{at + 1} in simulate"
    assert shown[1] == "    4 |     α = 'λ'; y = f(x,"
    assert shown[2] == "      | " + " " * shown[1][8:].index("f") + "^^^^"


def test_wide_characters_take_two_columns() -> None:
    line = "x = '微分' + y"
    at = len(line[: line.index("y")].encode())
    shown = span(1, at, 1, at + 1, [line]).render().splitlines()
    assert shown[2] == "      | " + " " * (line.index("y") + 2) + "^"


def test_places_without_text() -> None:
    nowhere = Span("<made up>", 7, 2, 7, 4, "f")
    assert nowhere.render() == "  --> <made up>:7:3 in f"
    assert span(9, 0, 9, 1).render() == "  --> model.py:9:1 in simulate"
    assert span(3, 0, 3, 0, ["", "", "ab"]).render().endswith("| ^")


def test_files_below_the_working_directory_are_relative(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a").mkdir()
    monkeypatch.chdir(tmp_path / "a")
    assert Span(str(tmp_path / "a" / "m.py"), 1, 0, 1, 1).place == "m.py:1:1"
    assert Span(str(tmp_path / "m.py"), 1, 0, 1, 1).place == f"{tmp_path / 'm.py'}:1:1"


def test_a_problem_gets_the_place_of_the_call() -> None:
    here = span(1, 0, 1, 3)
    assert Problem("no source").at(here).span is here
    placed = Problem("no source", span(3, 0, 3, 1))
    assert placed.at(here) is placed
    problems = Problems()
    problems.extend([Problem("no source"), placed], here)
    with pytest.raises(UnsupportedError) as caught:
        problems.raise_if_any()
    assert [problem.span.line for problem in caught.value.problems if problem.span] == [1, 3]


def test_the_family() -> None:
    assert issubclass(UnsupportedError, S2sadError)
    assert issubclass(SourceError, UnsupportedError)
    assert issubclass(ArgumentError, S2sadError) and issubclass(ArgumentError, TypeError)
    assert issubclass(OutputError, S2sadError) and issubclass(OutputError, TypeError)
    for cls in (S2sadError, UnsupportedError, SourceError, ArgumentError, OutputError):
        assert getattr(s2sad, cls.__name__) is cls, "shown as s2sad.… in tracebacks"


def test_errors_survive_pickling() -> None:
    error = UnsupportedError([Problem("no", span(3, 8, 3, 15), "do")])
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is UnsupportedError
    assert str(again) == str(error)
    assert str(pickle.loads(pickle.dumps(ArgumentError("x")))) == "x"


# ---------------------------------------------------------------------- wrong argnums, arguments


def f(x, y=2.0, *, k=3.0):
    return x * y * k


def stars(x, *rest, **named):
    return x


class Model:
    def method(self, x):
        return x * x


@pytest.mark.parametrize(
    ("argnums", "message"),
    [
        (2, r"argnums=2 is out of range: f\(\) has 2 positional arguments"),
        (-3, r"argnums=-3 is out of range"),
        ("z", r"f\(\) has no argument 'z' to differentiate \(it has: x, y, k\)"),
        ((0, 5), r"argnums=5 is out of range"),
        ((0, 0), r"argnums names 0 twice"),
        ((), r"argnums is empty"),
        (1.0, r"argnums must be an int, a parameter name, or a sequence of these, not 1.0"),
        (True, r"argnums must be an int, .*, not True"),
        (None, r"argnums must be an int, .*, not None"),
        ([0, None], r"argnums must be an int, .*, not None"),
    ],
)
@pytest.mark.parametrize("transform", [grad, value_and_grad])
def test_wrong_argnums(transform: Any, argnums: Any, message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        transform(f, argnums)(1.0, 2.0)


def test_argnums_of_a_method_do_not_count_self() -> None:
    with pytest.raises(ArgumentError, match=r"argnums=1 is out of range"):
        grad(Model().method, 1)(1.0)


@pytest.mark.parametrize(
    ("args", "kwargs", "message"),
    [
        ((), {}, r"f\(\) is called without argument 'x'"),
        ((1.0, 2.0, 3.0), {}, r"f\(\) takes 2 positional arguments, not 3"),
        ((1.0,), {"z": 2.0}, r"f\(\) has no parameter 'z'"),
    ],
)
def test_calls_that_do_not_bind(args: Any, kwargs: Any, message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        grad(f)(*args, **kwargs)
    with pytest.raises(TypeError):  # as from the function itself
        f(*args, **kwargs)


def test_an_argument_given_twice() -> None:
    with pytest.raises(TypeError, match=r"f\(\) got multiple values for argument 'x'"):
        grad(f)(1.0, x=2.0)


def test_a_star_argument_that_is_not_there() -> None:
    with pytest.raises(ArgumentError, match=r"argnums=3 is out of range"):
        grad(stars, 3)(1.0, 2.0)
    with pytest.raises(ArgumentError, match=r"has no argument 'b' to differentiate"):
        grad(stars, "b")(1.0, a=2.0)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (True, "with respect to 'x': it is a bool"),
        (np.bool_(True), "with respect to 'x': it is a bool"),
        (np.int64(3), "with respect to 'x': it is an integer of NumPy's"),
        (np.arange(3), "with respect to 'x': it is an array of integers"),
        (np.array([True]), "with respect to 'x': it is an array of bools"),
        (None, "with respect to 'x'"),
        ("text", "with respect to 'x'"),
        ((1, 2), "with respect to 'x'"),
        ([True], "with respect to 'x'"),
        ({"a": "b"}, "with respect to 'x'"),
        (object(), "with respect to 'x'"),
        (np.array([None, 1.0]), "with respect to 'x'"),
        (np.array(["a"]), "with respect to 'x'"),
    ],
    ids=lambda value: type(value).__name__,  # the same in every worker of xdist
)
def test_values_that_carry_no_derivative(value: Any, message: str) -> None:
    def constant(x):
        return 1.0

    with pytest.raises(ArgumentError, match=message):
        grad(constant)(value)


def test_a_python_int_is_read_as_a_float() -> None:
    def cube(x):
        return x**3

    slope = grad(cube)(2)
    assert slope == 12.0 and type(slope) is float


def test_vjp_of_nothing_to_differentiate() -> None:
    def constant(x, y):
        return 1.0

    with pytest.raises(ArgumentError, match=r"no argument of .*constant\(\) carries a derivative"):
        vjp(constant, "a", 3)


def test_a_decorator_called_with_its_argnums() -> None:
    with pytest.raises(ArgumentError, match=r"write @grad\(argnums=1\)"):
        grad(1)  # type: ignore[call-overload]


# -------------------------------------------------------------------------------- wrong outputs


def returns_none(x):
    y = x * x  # noqa: F841


def returns_text(x):
    return "x"


def returns_bool(x):
    return x > 0.0


def returns_int(x):
    return 3


def returns_complex(x):
    return x * 1j


def returns_tuple(x):
    return x, x


def returns_list(x):
    return [x, x]


def returns_dict(x):
    return {"x": x}


def returns_array(x):
    return x * np.ones(3)


def returns_itself(x):
    return returns_itself


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (returns_none, r"returns_none\(\) returns None; a gradient needs one real number"),
        (returns_text, r"returns_text\(\) returns .*str.*; a gradient needs one real number"),
        (returns_bool, r"returns a bool; a gradient needs one real number"),
        (returns_int, r"returns an? int.*; a gradient needs one real number"),
        (returns_complex, r"returns a complex number; .*: return its real part"),
        (returns_tuple, r"returns a tuple of 2; a gradient needs one number: use s2sad.vjp"),
        (returns_list, r"returns a list; .*s2sad.vjp"),
        (returns_dict, r"returns a dict; .*s2sad.vjp"),
        (returns_array, r"returns an array .*: sum it up, or use s2sad.vjp"),
        (returns_itself, r"returns .*; a gradient needs one real number"),
    ],
)
@pytest.mark.parametrize("transform", [grad, value_and_grad])
def test_outputs_without_a_gradient(transform: Any, function: Any, message: str) -> None:
    with pytest.raises(OutputError, match=message):
        transform(function)(2.0)


def test_an_array_whose_size_is_known_when_it_has_run() -> None:
    def some(x):
        return x[x > 0.0]

    assert grad(some)(np.array([-1.0, 2.0])).tolist() == [0.0, 1.0]
    with pytest.raises(OutputError, match=r"some.* an array of shape \(2,\).*s2sad.vjp"):
        grad(some)(np.array([1.0, 2.0]))


@pytest.mark.parametrize("shape", [(), (1,), (1, 1)])
def test_arrays_of_one_element_are_accepted(shape: tuple[int, ...]) -> None:
    def squared(x):
        return x * x

    slope = grad(squared)(np.full(shape, 3.0))
    assert slope.shape == shape and slope.sum() == 6.0


def test_has_aux_needs_a_pair() -> None:
    def pair(x):
        return x * x, "aux"

    assert grad(pair, has_aux=True)(3.0) == (6.0, "aux")
    for function in (f, returns_list, returns_none, lambda x: (x, x, x)):
        with pytest.raises(OutputError, match=r"has_aux=True is for functions that return"):
            grad(function, has_aux=True)(2.0)


# ----------------------------------------------------------------------- functions without source


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (math.sin, "math.sin is written in C: it has no Python source to differentiate"),
        (abs, "abs is written in C"),
        (operator.mul, "operator.mul is written in C|mul is written in C"),
        (np.sin, r"numpy.sin is a ufunc: .*\n.*help: .*lambda x: numpy.sin\(x\)"),
        (np.sum, "numpy.sum is a NumPy function"),
        (np.zeros(3).sum, "sum is written in C"),
        (Model, "Model is a class, not a function"),
        (functools.partial(math.hypot, 1.0), "math.hypot is written in C"),
        (eval("lambda x: x * x"), r"<lambda> was compiled from a string \(python -c, exec"),
    ],
)
@pytest.mark.parametrize("transform", [grad, value_and_grad])
def test_functions_without_source(transform: Any, function: Any, message: str) -> None:
    with pytest.raises(SourceError, match=message):
        transform(function)(2.0)


@pytest.mark.parametrize("value", [3.5, None, [f]])
def test_what_is_no_function_at_all(value: Any) -> None:
    if value is None:
        assert callable(grad(value))  # grad() is a decorator without arguments
        return
    with pytest.raises(ArgumentError, match="a function is needed"):
        grad(value)


def test_a_file_that_was_edited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import importlib

    path = tmp_path / "edited_since.py"
    path.write_text("def f(x):\n    return x * x\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    module = importlib.import_module("edited_since")
    derivative = grad(module.f)
    path.write_text("def f(x):\n    return x * x * x\n")
    with pytest.raises(SourceError, match="was changed since it was imported"):
        derivative(2.0)
    path.write_text("def f(x):\n    return x * x\n")
    assert derivative(2.0) == 4.0
    path.write_text("")
    assert derivative(3.0) == 6.0, "what is compiled stays"


def test_a_helper_without_source_is_shown_at_its_call() -> None:
    helper = eval("lambda x: x * x")

    def calls(x):
        return 2.0 * helper(x)

    with pytest.raises(UnsupportedError) as caught:
        grad(calls)(2.0)
    text = str(caught.value)
    assert "2.0 * helper(x)" in text and "^" in text


# ------------------------------------------------------------------------- what has no derivative


def test_everything_wrong_is_reported_at_once() -> None:
    def wrong(x):
        global some_global
        some_global = x
        try:
            y = x * x
        except ValueError:
            y = x
        with open("file") as f:
            y = y * 2.0
        return y

    with pytest.raises(UnsupportedError) as caught:
        grad(wrong)(2.0)
    problems = caught.value.problems
    lines = [problem.span.line for problem in problems if problem.span]
    assert len(lines) == len(problems) == 3 and lines == sorted(lines)
    assert all(problem.help for problem in problems)


def test_a_generator_is_shown_at_its_yield() -> None:
    def simulate(x):
        for i in range(3):
            x = x * i
            yield x

    with pytest.raises(UnsupportedError) as caught:
        grad(simulate)(2.0)
    message, place, line, carets, help = str(caught.value).splitlines()
    assert message == "'yield' has no derivative"
    assert place.startswith("  --> ") and place.endswith(" in simulate") and ":13 in" in place
    assert line.endswith(" |             yield x")
    assert carets == "      |             ^^^^^^^"
    assert help == "   help: collect the values in a list and return it"
