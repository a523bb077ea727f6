"""The public functions: conventions, bindings, structures, and what each mistake is told."""

from __future__ import annotations

import copy
import functools
import inspect
import pickle
import subprocess
import sys
from collections import namedtuple
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pytest

import s2sad
from s2sad import (
    ArgumentError,
    OutputError,
    SourceError,
    UnsupportedError,
    grad,
    value_and_grad,
    vjp,
)


def cube(x):
    return x**3


def product(x, y):
    return x * y


def mix(x, y=2.0, *, z=3.0):
    return x * y * z


# ------------------------------------------------------------------------------ grad and friends


def test_grad() -> None:
    assert grad(cube)(2.0) == 12.0
    assert type(grad(cube)(2.0)) is float


def test_value_and_grad() -> None:
    assert value_and_grad(cube)(2.0) == (8.0, 12.0)


def test_decorators_bare_and_with_arguments() -> None:
    @grad
    def f(x):
        return x * x

    @grad(argnums=1)
    def g(x, y):
        return x * y

    @value_and_grad(argnums="y")
    def h(x, y):
        return x * y

    assert f(3.0) == 6.0
    assert g(3.0, 5.0) == 3.0
    assert h(3.0, 5.0) == (15.0, 3.0)


@pytest.mark.parametrize(
    ("argnums", "expected"),
    [
        (0, 5.0),
        (1, 3.0),
        (-1, 3.0),
        ("x", 5.0),
        ("y", 3.0),
        ((0,), (5.0,)),
        ([1], (3.0,)),
        ((1, 0), (3.0, 5.0)),
        (("y", 0), (3.0, 5.0)),
        (range(2), (5.0, 3.0)),
        (np.int64(1), 3.0),
    ],
)
def test_argnums(argnums: Any, expected: Any) -> None:
    assert grad(product, argnums)(3.0, 5.0) == expected


def test_has_aux() -> None:
    def f(x):
        return x * x, {"twice": 2.0 * x}

    assert grad(f, has_aux=True)(3.0) == (6.0, {"twice": 6.0})
    assert value_and_grad(f, has_aux=True)(3.0) == ((9.0, {"twice": 6.0}), 6.0)


def test_an_int_is_read_as_a_float() -> None:
    result = grad(cube)(3)
    assert (result, type(result)) == (27.0, float)
    assert value_and_grad(cube)(3) == (27.0, 27.0)
    assert grad(product, (0, 1))(3, 5) == (5.0, 3.0)


def test_other_ints_stay_ints() -> None:
    def power(x, n):
        y = 1.0
        for _ in range(n):
            y = y * x
        return y

    assert grad(power)(3, 2) == 6.0


def test_arrays_of_one_element_are_scalars() -> None:
    def f(x):
        return np.sum(x * x, keepdims=True)

    def g(x, n):
        return x[n:] * 2.0

    x = np.array([1.0, 2.0])
    assert np.array_equal(grad(f)(x), 2.0 * x)
    value, gradient = value_and_grad(f)(x)
    assert value.shape == (1,) and np.array_equal(gradient, 2.0 * x)
    assert np.array_equal(grad(g)(x, 1), [0.0, 2.0])
    assert np.array_equal(value_and_grad(g)(x, 1)[0], [4.0])
    with pytest.raises(OutputError, match=r"shape \(2,\)"):
        grad(g)(x, 0)


# ------------------------------------------------------------------------------ binding


def test_keywords_and_defaults() -> None:
    df = grad(mix, ("x", "y", "z"))
    assert df(1.0) == (6.0, 3.0, 2.0)
    assert df(1.0, 5.0) == (15.0, 3.0, 5.0)
    assert df(y=5.0, x=1.0, z=7.0) == (35.0, 7.0, 5.0)
    assert df(1.0, z=7) == (14.0, 7.0, 2.0)


def test_star_args() -> None:
    def f(a, *rest, k=1.0, **more):
        return a * rest[0] * rest[1] * k * more["m"]

    assert grad(f)(2.0, 3.0, 5.0, m=7.0) == 105.0
    assert grad(f, 2)(2.0, 3.0, 5.0, m=7.0) == 42.0
    assert grad(f, (0, 1, "k", "m"))(2.0, 3.0, 5.0, m=7.0) == (105.0, 70.0, 210.0, 30.0)
    assert grad(f, "rest")(2.0, 3.0, 5.0, m=7.0) == (70.0, 42.0)
    assert grad(f, 1)(2.0, 3, 5.0, m=7.0) == 70.0
    with pytest.raises(ArgumentError, match="out of range"):
        grad(f, 3)(2.0, 3.0, 5.0, m=7.0)
    with pytest.raises(ArgumentError, match="no argument 'n'"):
        grad(f, "n")(2.0, 3.0, 5.0, m=7.0)


def test_partials() -> None:
    f = functools.partial(mix, 3.0, z=10.0)
    assert grad(f)(2.0) == 30.0
    assert grad(f, "z")(2.0) == 6.0
    assert grad(f, "x")(2.0) == 20.0


# ------------------------------------------------------------------------------ structures


class Both(NamedTuple):
    a: float
    b: Any


@dataclass
class Params:
    w: Any
    b: float


Old = namedtuple("Old", "a b")


def test_gradients_have_the_structure_of_their_argument() -> None:
    w = np.array([1.0, 2.0])
    assert grad(lambda p: p[0] * p[1])((2.0, 3.0)) == (3.0, 2.0)
    assert grad(lambda p: p[0] * p[1])([2.0, 3.0]) == [3.0, 2.0]
    out = grad(lambda p: p["b"] * np.sum(p["w"]))({"w": w, "b": 2.0})
    assert list(out) == ["w", "b"] and out["b"] == 3.0 and np.array_equal(out["w"], [2.0, 2.0])
    out = grad(lambda p: p.a * np.sum(p.b))(Both(2.0, w))
    assert type(out) is Both and out.a == 3.0 and np.array_equal(out.b, [2.0, 2.0])
    out = grad(lambda p: p.b * np.sum(p.w))(Params(w, 2.0))
    assert type(out) is Params and out.b == 3.0 and np.array_equal(out.w, [2.0, 2.0])
    assert grad(lambda p: p.a * p.b)(Old(2.0, 3.0)) == Old(3.0, 2.0)


def test_gradients_have_the_dtype_of_their_argument() -> None:
    for x in (np.float32(2.0), np.float64(2.0)):
        assert type(grad(cube)(x)) is type(x)
    for dtype in (np.float32, np.float64):
        x = np.ones((2, 3), dtype)
        out = grad(lambda x: np.sum(x * x))(x)
        assert out.dtype == dtype and out.shape == (2, 3)


# ------------------------------------------------------------------------------ vjp


def test_vjp() -> None:
    out, pullback = vjp(lambda x, y: x * y, np.array([1.0, 2.0]), 3.0)
    assert np.array_equal(out, [3.0, 6.0])
    x_bar, y_bar = pullback(np.array([1.0, 10.0]))
    assert np.array_equal(x_bar, [3.0, 30.0]) and y_bar == 21.0
    x_bar, y_bar = pullback(np.array([0.0, 1.0]))
    assert np.array_equal(x_bar, [0.0, 3.0]) and y_bar == 2.0


def test_vjp_has_none_for_what_carries_no_derivative() -> None:
    def f(x, n, name="a", *rest):
        return x * n

    out, pullback = vjp(f, 2.0, 3)
    assert (out, pullback(1.0)) == (6.0, (3.0, None))
    assert vjp(f, 2.0, 3, "b", 1, 2.0)[1](1.0) == (3.0, None, None, None, 0.0)
    assert vjp(f, 2.0, 3, "b", 1, 2)[1](1.0) == (3.0, None, None, None, None)
    with pytest.raises(ArgumentError, match="3.0 instead of 3"):
        vjp(f, 2, 3)


def test_vjp_of_structured_results() -> None:
    def f(x):
        return {"a": x * x, "b": [x, (2.0 * x, 1)]}

    out, pullback = vjp(f, 3.0)
    assert out == {"a": 9.0, "b": [3.0, (6.0, 1)]}
    assert pullback({"a": 1.0, "b": [10.0, (100.0, None)]}) == (216.0,)
    assert pullback({"a": 1, "b": None}) == (6.0,)
    assert pullback(None) == (0.0,)


@pytest.mark.parametrize(
    ("g", "message"),
    [
        (1.0, "must be a dict with keys 'a', 'b'"),
        ({"a": 1.0}, "must be a dict with keys 'a', 'b'"),
        ({"a": np.ones(2), "b": np.ones(2)}, r"\['a'\] must be a number, not .* shape \(2,\)"),
        ({"a": "1", "b": np.ones(2)}, r"\['a'\] must be a number, not str '1'"),
        ({"a": 1j, "b": np.ones(2)}, r"\['a'\] must be real"),
        ({"a": 1.0, "b": 1.0}, r"\['b'\] must be a float64 array of shape \(2,\), not float 1.0"),
        ({"a": 1.0, "b": np.ones(3)}, r"\['b'\] must be .* not a float64 array of shape \(3,\)"),
        ({"a": 1.0, "b": np.ones(2) * 1j}, r"\['b'\] must be .* not a complex128 array"),
        ({"a": 1.0, "b": [1.0, 1.0]}, r"\['b'\] must be .* not a list of length 2"),
    ],
)
def test_wrong_cotangents(g: Any, message: str) -> None:
    _, pullback = vjp(lambda x: {"a": np.sum(x), "b": 2.0 * x}, np.ones(2))
    with pytest.raises(ArgumentError, match=message):
        pullback(g)
    assert np.array_equal(pullback({"a": 1, "b": np.ones(2, int)})[0], [3.0, 3.0])


# ------------------------------------------------------------------------------ the object


@grad
def decorated(x):
    """Documented."""
    return x**3


not_its_name = value_and_grad(cube)


class Model:
    """Methods that are derivatives."""

    def __init__(self, k: float) -> None:
        self.k = k

    @grad
    def slope(self, x):
        return self.k * x * x

    @value_and_grad(argnums="x")
    def both(self, y, x=2.0):
        return self.k * x * y

    @staticmethod
    @grad
    def static(x):
        return x * x

    @grad
    @staticmethod
    def inside(x):
        return x * x

    def plain(self, x):
        return self.k * x * x


def test_it_is_dressed_as_the_function() -> None:
    assert decorated.__name__ == "decorated"
    assert decorated.__qualname__ == "decorated"
    assert decorated.__module__ == __name__
    assert decorated.__doc__ == "Documented."
    assert decorated.__wrapped__ is decorated.primal
    assert str(inspect.signature(decorated)) == "(x)"
    assert decorated.primal(2.0) == 8.0
    assert callable(decorated)


def test_repr() -> None:
    assert repr(grad(cube)) == "<s2sad.grad of cube with respect to x>"
    assert repr(value_and_grad(mix, ("z", 0))) == (
        "<s2sad.value_and_grad of mix with respect to z, x>"
    )


def test_source_of_what_was_built_last() -> None:
    df = grad(cube)
    df(2.0)
    scalar = df.source()
    assert "def cube_grad(x):" in scalar
    df(np.ones(1))
    assert df.source() == df.source(np.zeros(1)) and df.source(5.0) == scalar
    assert repr(scalar) == str(scalar)


def test_source_before_any_call() -> None:
    assert grad(cube).source() == grad(cube).source(1.0)

    def f(x: np.ndarray, n: int, s: float = 2.0) -> float:
        return s * np.sum(x[:n])

    assert grad(f).source() == grad(f).source(np.ones(3), 2)
    assert grad(f).source() == grad(f).source(x=np.ones(3), n=2)


def test_ssa() -> None:
    assert "cube" in s2sad.ssa(cube, 2.0)
    assert "cube_grad" in grad(cube).ssa(2.0)
    assert s2sad.ssa(grad(cube), 2.0) == grad(cube).ssa(2.0)


def test_cache_info() -> None:
    df = grad(cube)
    assert df.cache_info()[:2] == (0, 0)
    df(1.0)
    df(2.0)
    df(np.ones(1))
    info = df.cache_info()
    assert (info.hits, info.misses, info.currsize) == (1, 2, 2)


SCALE = 2.0


def scaled(x):
    return SCALE * x * x


def test_specialize(monkeypatch: pytest.MonkeyPatch) -> None:
    assert grad(cube).specialize(1.0)(2.0) == 12.0
    assert grad(mix).specialize(1.0)(1.0, 5.0, 6.0) == 30.0
    raw = grad(scaled).specialize(1.0)
    assert raw(1.0) == 4.0
    monkeypatch.setitem(globals(), "SCALE", 3.0)
    assert raw(1.0) == 6.0
    model = Model(2.0)
    raw = model.slope.specialize(1.0)
    assert raw.__name__ and grad(model.plain).specialize(1.0)(3.0) == 12.0


def test_methods() -> None:
    model = Model(2.0)
    assert model.slope(3.0) == 12.0
    assert model.both(5.0) == (20.0, 10.0)
    assert Model.slope.primal is Model.slope.__wrapped__
    model.k = 10.0
    assert model.slope(3.0) == 60.0
    assert Model(1.0).slope(3.0) == 6.0
    assert model.static(3.0) == Model.static(3.0) == 6.0
    assert model.inside(3.0) == Model.inside(3.0) == 6.0
    assert grad(model.plain)(3.0) == 60.0
    assert grad(Model.plain, 1)(model, 3.0) == 60.0
    assert vjp(model.plain, 3.0)[1](1.0) == (60.0,)
    assert "slope_grad" in model.slope.source(1.0)
    assert model.slope.primal(3.0) == 90.0
    assert model.slope == model.slope
    with pytest.raises(ArgumentError, match="without argument 'x'"):
        model.slope()


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_pickles(protocol: int) -> None:
    def again(thing: Any) -> Any:
        return pickle.loads(pickle.dumps(thing, protocol))

    assert again(decorated) is decorated
    assert again(not_its_name)(2.0) == (8.0, 12.0)
    assert again(grad(product, ("y",)))(2.0, 5.0) == (2.0,)
    assert again(value_and_grad(decorated.primal))(2.0) == (8.0, 12.0)
    assert again(Model(3.0).slope)(2.0) == 12.0
    assert again(grad(grad(cube)))(2.0) == 12.0
    assert copy.deepcopy(not_its_name)(2.0) == (8.0, 12.0)
    with pytest.raises((pickle.PicklingError, AttributeError)):
        pickle.dumps(grad(lambda x: x), protocol)


# ------------------------------------------------------------------------------ higher order


def test_derivatives_of_derivatives() -> None:
    assert grad(grad(cube))(2.0) == 12.0
    assert grad(grad(grad(cube)))(2.0) == 6.0
    assert value_and_grad(grad(cube))(2.0) == (12.0, 12.0)
    assert grad(grad(product, 0), 1)(2.0, 3.0) == 1.0
    assert grad(decorated)(2.0) == 12.0

    def quartic(x):
        y = 1.0
        for _ in range(4):
            y = y * x
        return y

    assert grad(grad(quartic))(2.0) == 48.0


def test_a_derivative_inside_a_function() -> None:
    dcube = grad(cube)

    def f(x):
        return x * dcube(x)

    assert grad(f)(2.0) == 36.0
    assert grad(grad(f))(2.0) == 36.0


def power(x, n):
    return 1.0 if n == 0 else x * power(x, n - 1)


def test_a_second_derivative_of_a_recursive_function() -> None:
    def f(x):
        return grad(power)(x, 3) * x

    assert grad(power)(2.0, 3) == 12.0
    assert grad(grad(power))(2.0, 3) == pytest.approx(12.0)
    assert grad(f)(2.0) == pytest.approx(36.0)


def test_a_derivative_made_inside_a_function() -> None:
    def rosen(x):
        return np.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2)

    def along(x, v):
        return np.sum(grad(rosen)(x) * v)

    x, v = np.array([1.0, 2.0, 0.5]), np.array([1.0, -1.0, 2.0])
    step = 1e-5
    drosen = grad(rosen)
    expected = (drosen(x + step * v) - drosen(x - step * v)) / (2.0 * step)
    assert np.allclose(grad(along)(x, v), expected, rtol=1e-6)

    def both(x, n):
        value, slope = value_and_grad(mix, argnums=("x", "y"))(x, n, z=x)
        return value * slope[0] * slope[1]

    # x n x, n x, x x: their product is x**5 n**2
    assert grad(both)(2.0, 3) == 5.0 * 16.0 * 9.0


# ------------------------------------------------------------------------------ wrappers


def test_wrappers_are_looked_through() -> None:
    assert grad(functools.lru_cache(cube))(2.0) == 12.0
    assert grad(staticmethod(cube))(2.0) == 12.0


def test_njit_is_looked_through() -> None:
    numba = pytest.importorskip("numba")
    assert grad(numba.njit(cube))(2.0) == 12.0


# ------------------------------------------------------------------------------ mistakes


@pytest.mark.parametrize(
    ("argnums", "message"),
    [
        (2, "argnums=2 is out of range: product.. has 2 positional arguments"),
        (-3, "argnums=-3 is out of range"),
        ("z", "no argument 'z' to differentiate .it has: x, y."),
        (True, "argnums must be an int, a parameter name"),
        (1.0, "argnums must be an int, a parameter name"),
        ((), "argnums is empty"),
        ((0, 0), "argnums names 0 twice"),
        (None, "argnums must be"),
    ],
)
def test_wrong_argnums(argnums: Any, message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        grad(product, argnums)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (True, "respect to 'x': it is a bool"),
        (None, "respect to 'x': it is None"),
        ("text", "respect to 'x': it is a str"),
        (np.arange(3), r"it is an array of integers \(int64\); pass x.astype\(float\)"),
        (np.int64(3), r"it is an integer of NumPy's \(int64\); pass float\(x\)"),
        (np.ones(3, bool), "it is an array of bools"),
        (np.matrix([[1.0]]), r"it is a matrix; pass np.asarray\(x\)"),
        (np.array([None]), "it is an array of dtype object"),
        ([1, 2], "there is no floating-point number in this list"),
        ([], "there is no floating-point number in this list"),
        ({"a": 1}, "there is no floating-point number in this dict"),
        (object(), "it is an object"),
    ],
)
@pytest.mark.filterwarnings("ignore:the matrix subclass")
def test_arguments_that_have_no_derivative(value: Any, message: str) -> None:
    for df in (grad(cube), value_and_grad(cube, "x")):
        with pytest.raises(ArgumentError, match=message):
            df(value)


@pytest.mark.parametrize(
    ("f", "message"),
    [
        (lambda x: None, "returns None; a gradient needs one real number"),
        (lambda x: "text", "returns str 'text'"),
        (lambda x: x > 1.0, "returns a bool.*zero everywhere"),
        (lambda x: int(x), "returns an int.*zero everywhere"),
        (lambda x: x * 1j, "returns a complex number.*real part"),
        (lambda x: np.ones(3) * x, "returns an array of float64.*s2sad.vjp"),
        (lambda x: (x, x), "returns a tuple of 2.*s2sad.vjp, or has_aux=True"),
        (lambda x: [x, x], "returns a list.*s2sad.vjp"),
        (lambda x: {"a": x}, "returns a dict.*s2sad.vjp"),
    ],
)
def test_outputs_that_have_no_gradient(f: Any, message: str) -> None:
    for df in (grad(f), value_and_grad(f)):
        with pytest.raises(OutputError, match=message):
            df(2.0)


def test_has_aux_needs_a_pair() -> None:
    with pytest.raises(OutputError, match="has_aux=True is for functions that return"):
        grad(cube, has_aux=True)(2.0)


@pytest.mark.parametrize(
    ("f", "error", "message"),
    [
        (abs, SourceError, "abs is written in C"),
        (np.sin, SourceError, "numpy.sin is a ufunc"),
        (np.sum, SourceError, "NumPy function"),
        (int, SourceError, "int is a class"),
        (3.0, ArgumentError, "a function is needed"),
        (None, TypeError, ""),
        (0, ArgumentError, "takes a function first"),
        ("x", ArgumentError, "takes a function first"),
    ],
)
def test_what_is_not_a_python_function(f: Any, error: Any, message: str) -> None:
    if f is None:
        assert callable(grad(f))  # a decorator still to be applied
        return
    with pytest.raises(error, match=message):
        grad(f)


def test_functions_without_source() -> None:
    space: dict[str, Any] = {}
    exec("def f(x):\n    return x * x", space)
    with pytest.raises(SourceError):
        grad(space["f"])(1.0)
    code = "import s2sad\ndef f(x): return x * x\nprint(s2sad.grad(f)(1.0))"
    for args, stdin in ((["-c", code], None), (["-"], code)):
        run = subprocess.run(
            [sys.executable, *args], input=stdin, capture_output=True, text=True, check=False
        )
        told = run.stderr.strip()
        # Python 3.13 keeps the text of -c.
        assert "SourceError" in told or run.stdout == "2.0\n", told


def test_every_error_is_a_kind_of_the_base() -> None:
    for error in (ArgumentError, OutputError, SourceError, UnsupportedError):
        assert issubclass(error, s2sad.S2sadError)
    assert issubclass(ArgumentError, TypeError)


# ------------------------------------------------------------------------------ the package


def test_public_names() -> None:
    for name in s2sad.__all__:
        assert getattr(s2sad, name) is not None
    assert set(s2sad.__all__) <= set(dir(s2sad))
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        s2sad.nothing  # noqa: B018


def test_comparison_does_not_hide_the_function() -> None:
    import s2sad.comparison

    assert inspect.isfunction(s2sad.compare) and inspect.ismodule(s2sad.comparison)
