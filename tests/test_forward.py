"""Forward mode and second order: the public functions and their text.

Numbers of whole programs are checked elsewhere: every program of the corpus goes through
``tests.directions``.  Here is what those programs do not show.
"""

from __future__ import annotations

import dataclasses
import functools
import math
import pickle
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

import s2sad
from s2sad import derivative, gauss_newton_product, grad, hvp, jvp, linearize
from tests.arguments import active_argnums
from tests.checker import sane
from tests.directions import tangents_like
from tests.emitted import entry_of
from tests.forward_programs import V3, cubes, in_place, product, rosenbrock, slope
from tests.modes_table import table
from tests.programs import Program
from tests.programs.golden import PROGRAMS
from tests.trees import fresh, leaves, same

FOLDER = Path(__file__).parent / "golden" / "forward"
TEXTS = (
    "settle",
    "horner",
    "newton_cube_root",
    "leapfrog",
    "layer",
    "heat",
    "product_until",
    "chain",
    "rnn",
    "conjugate_gradient",
    "power",
    "k_means",
)


# -- text ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", TEXTS)
def test_text(name: str, update_golden: bool) -> None:
    """The text is the one on file, and executing it gives value and tangent."""
    (program,) = [p for p in PROGRAMS if p.name == name]
    path = FOLDER / f"{name}.py"
    nums = active_argnums(program.args, program.options.get("argnums"))
    text = str(jvp(program.f).along(nums).source(*fresh(program.args))).rstrip() + "\n"
    if update_golden:
        execute(text, program, nums)
        path.write_text(text)
    kept = path.read_text()
    execute(kept, program, nums)
    assert text == kept
    assert max(map(len, kept.splitlines())) <= 99


def test_no_text_without_a_program() -> None:
    assert {path.stem for path in FOLDER.glob("*.py")} == set(TEXTS)


def execute(text: str, program: Program, nums: tuple[int, ...]) -> None:
    """Run a text and check the value and the tangent that it returns."""
    call, tangents = fresh(program.args), tangents_like(program.args, nums, program.f)
    along = jvp(program.f).along(nums)
    compiled = along._shown(call, {})
    entry = entry_of(text, f"golden/forward/{program.name}.py", compiled)
    values = along._inner.bind(call, {})
    captured = [capture.get(values) for capture in compiled.captures]
    moved = [tangents[n] for n in nums]
    out, out_dot = entry(*values, *moved, *captured)
    assert same(out, program.f(*fresh(program.args)))
    truth = sane(program.f, *program.args, argnums=nums, cotangent=1.0)
    found = [leaf for n in nums for leaf in leaves(tangents[n])]
    pairs = zip(truth.gradient, found, strict=True)
    wanted = sum(float(np.sum(s * t)) for s, t in pairs if s is not None)
    assert out_dot == pytest.approx(wanted, rel=1e-6)


def test_tangents_stand_beside_their_statements() -> None:
    lines = [line.strip() for line in jvp(cubes).source(V3).splitlines()]
    assert lines == [
        "def cubes_jvp(x, k, x_dot):",
        "return k * np.sum(x**3), 3 * (k * np.sum(x_dot * x**2))",
    ]


def test_a_loop_has_no_tape_and_effects_happen_once(capsys: pytest.CaptureFixture[str]) -> None:
    def chatty(x: Any) -> Any:
        for i in range(3):
            x = x * x
            print("step", i)
        if x > 1e6:
            raise ValueError("too large")
        return x

    text = jvp(chatty).source(1.1)
    assert "tape" not in text and text.count("print(") == 1 and text.count("raise ") == 1
    assert jvp(chatty, (1.1,), (1.0,))[1] == pytest.approx(8.0 * 1.1**7)
    assert capsys.readouterr().out == "step 0\nstep 1\nstep 2\n"
    with pytest.raises(ValueError, match="too large"):
        jvp(chatty, (100.0,), (1.0,))


def test_the_source_of_a_second_derivative() -> None:
    assert "def rosenbrock_hvp(x, x_dot):" in hvp(rosenbrock).source(V3)
    assert "x_dot" in hvp(rosenbrock).ssa(V3)
    assert "def square_derivative_grad(t):" in grad(derivative(square)).source(2.0)


def square(t: Any) -> Any:
    return t * t * t


# -- jvp -----------------------------------------------------------------------------------------


def test_jvp_takes_tuples_and_gives_value_and_tangent() -> None:
    out, out_dot = jvp(cubes, (V3, 2.0), (np.ones(3), 0.5))
    assert out == cubes(V3)
    assert out_dot == pytest.approx(6.0 * np.sum(V3**2) + 0.5 * np.sum(V3**3))
    assert type(out_dot) is np.float64


def test_none_is_a_zero_tangent_and_makes_other_code() -> None:
    both = jvp(cubes)
    assert both((V3, 2.0), (None, 1.0))[1] == pytest.approx(np.sum(V3**3))
    assert "x_dot" not in both.along((1,)).source(V3, 2.0)
    assert both((V3, 2.0), (None, None)) == (cubes(V3), 0.0)


def test_an_int_stays_an_int_unless_it_has_a_tangent() -> None:
    def power(x: Any, n: Any) -> Any:
        return x**n if isinstance(n, int) else -(x**n)

    assert jvp(power, (2.0, 3), (1.0, 0)) == (8.0, 12.0)
    assert jvp(power, (2.0, 3), (1.0, None)) == (8.0, 12.0)
    out, out_dot = jvp(power, (2.0, 3), (0.0, 1.0))
    assert out == -8.0
    assert out_dot == pytest.approx(-8.0 * math.log(2.0))


class Pair(NamedTuple):
    left: Any
    right: Any


@dataclasses.dataclass
class Model:
    weight: Any
    steps: int


def test_structures_of_arguments_and_results() -> None:
    def f(tree: Any, pair: Any, model: Any) -> Any:
        total = tree["a"][0] * tree["a"][1] + pair.left * pair.right
        for _ in range(model.steps):
            total = total * model.weight
        return {"total": total, "parts": [pair.left * 2.0, model.steps, "name"]}, Pair(total, None)

    args = ({"a": [1.5, 2.0], "n": 3}, Pair(0.5, 4.0), Model(1.1, 2))
    tangents = ({"a": [1.0, None], "n": None}, Pair(0.5, None), Model(0.1, 0))
    out, out_dot = jvp(f, args, tangents)
    assert out == f(*args)
    total = 1.5 * 2.0 + 0.5 * 4.0
    slope_of_total = (2.0 + 2.0) * 1.1**2 + total * 2.0 * 1.1 * 0.1
    assert out_dot == (
        {"total": pytest.approx(slope_of_total), "parts": [1.0, None, None]},
        Pair(pytest.approx(slope_of_total), None),
    )
    assert type(out_dot[1]) is Pair


def test_dtypes_are_those_of_the_result() -> None:
    def f(x: Any, y: Any) -> Any:
        return x * y, y * 2.0, float(np.sum(x))

    x, y = np.ones(2, np.float32), np.float32(3.0)
    _, (first, second, third) = jvp(f, (x, y), ([1.0, 0.0] @ np.eye(2), 1.0))
    assert first.dtype == np.float32
    assert type(second) is np.float32
    assert type(third) is float


def test_tangents_that_do_not_fit_are_refused() -> None:
    for tangent, message in (
        (np.ones(2), r"the tangent of 'x' must be a float64 array of shape \(3,\)"),
        (1.0, "the tangent of 'x' must be a float64 array"),
        (1j * np.ones(3), "the tangent of 'x' must be"),
    ):
        with pytest.raises(s2sad.ArgumentError, match=message):
            jvp(cubes, (V3,), (tangent,))
    with pytest.raises(s2sad.ArgumentError, match="1 arguments and 2 tangents"):
        jvp(cubes, (V3,), (V3, 1.0))
    with pytest.raises(s2sad.ArgumentError, match="as a tuple"):
        jvp(cubes, V3, V3)
    with pytest.raises(s2sad.ArgumentError, match="both arguments and tangents"):
        jvp(cubes, (V3,))


def test_arguments_are_not_changed_and_results_share_nothing() -> None:
    def f(x: Any) -> Any:
        x[0] = x[1] * x[2]
        return x

    x, v = V3.copy(), np.ones(3)
    out, out_dot = jvp(f, (x,), (v,))
    out[:], out_dot[:] = 0.0, 0.0
    assert same(x, V3)
    assert same(v, np.ones(3))
    y, y_dot = jvp(lambda x: x, (x,), (v,))
    assert y is not x and y_dot is not v and not np.shares_memory(y_dot, v)


def test_argument_and_tangent_may_be_one_array() -> None:
    x = V3.copy()
    assert jvp(cubes, (x,), (x,))[1] == pytest.approx(6.0 * np.sum(V3**3))
    assert np.allclose(hvp(cubes)(x, x), 12.0 * x * x)


def test_has_aux() -> None:
    def f(x: Any) -> Any:
        return np.sum(x**2), {"mean": np.mean(x), "n": 3}

    out, out_dot, aux = jvp(f, (V3,), (V3,), has_aux=True)
    assert (out, aux) == f(V3)
    assert out_dot == pytest.approx(2.0 * np.sum(V3**2))
    h, aux = hvp(f, has_aux=True)(V3, V3)
    assert same(h, 2.0 * V3)
    assert aux == f(V3)[1]


def test_complex_numbers() -> None:
    def f(z: Any) -> Any:
        return z * z + np.conj(z)

    z, t = 1.0 + 2.0j, 0.5 - 1.0j
    assert jvp(f, (z,), (t,))[1] == pytest.approx(2.0 * z * t + np.conj(t))
    assert derivative(lambda z: z**3)(2j) == pytest.approx(-12.0 + 0j)


def test_partial_methods_and_variable_arguments() -> None:
    class Line:
        def __init__(self, a: float) -> None:
            self.a = a

        def at(self, x: Any) -> Any:
            return self.a * x * x

        bend = derivative(at)

    assert jvp(Line(3.0).at, (2.0,), (1.0,)) == (12.0, 12.0)
    assert Line(3.0).bend(2.0) == 12.0
    assert jvp(functools.partial(in_place, k=0.1), (V3,), (V3,))[0] == in_place(V3, 0.1)

    def several(x: Any, *rest: Any, **named: Any) -> Any:
        return x * rest[0] * rest[1] * named["scale"]

    scaled = functools.partial(several, scale=2.0)
    assert jvp(scaled, (1.0, 2.0, 3.0), (None, 1.0, 1.0))[1] == 10.0
    assert hvp(several, argnums=(0, 2))(1.0, 2.0, 3.0, (1.0, 1.0), scale=2.0) == (4.0, 4.0)
    assert derivative(several, argnums=1)(1.0, 2.0, 3.0, scale=2.0) == 6.0


def test_compiled_once_for_each_kind() -> None:
    def fourth(x: Any) -> Any:
        return np.sum(x**4)

    f = jvp(fourth)
    for x in (V3, 2.0 * V3, np.ones(5)):
        f((x,), (x,))
    info = f.cache_info()
    assert (info.hits, info.misses, info.currsize) == (2, 1, 1)
    assert jvp(fourth) is f


def test_pickles_and_shows_itself() -> None:
    for d in (hvp(rosenbrock), derivative(square), gauss_newton_product(cubes)):
        assert pickle.loads(pickle.dumps(d)).transform == d.transform
    assert repr(hvp(rosenbrock)) == "<s2sad.hvp of rosenbrock with respect to x>"
    assert repr(jvp(rosenbrock)) == "<s2sad.jvp of rosenbrock>"
    again = pickle.loads(pickle.dumps(jvp(rosenbrock)))
    assert again((V3,), (V3,)) == jvp(rosenbrock, (V3,), (V3,))


# -- derivative and linearize --------------------------------------------------------------------


def test_derivative_of_a_curve() -> None:
    @derivative
    def curve(t: Any) -> Any:
        return np.array([math.cos(t), math.sin(t)]), {"t": t, "label": "x"}

    arc, rest = curve(0.3)
    assert np.allclose(arc, [-math.sin(0.3), math.cos(0.3)])
    assert rest == {"t": 1.0, "label": None}
    assert derivative(square, "t")(2) == 12.0


def test_derivative_is_for_one_number() -> None:
    with pytest.raises(
        s2sad.ArgumentError, match="'x' of rosenbrock.. is a array|with respect to"
    ):
        derivative(rosenbrock)(V3)
    with pytest.raises(s2sad.ArgumentError, match="one argument"):
        derivative(cubes, argnums=(0, 1))  # type: ignore[call-overload]


def test_linearize_is_linear_and_keeps_its_point() -> None:
    x = V3.copy()
    out, f_jvp = linearize(in_place, x, 0.1)
    x[:] = 0.0
    assert out == in_place(V3, 0.1)
    one, two = f_jvp(V3, 0.0), f_jvp(np.ones(3), 1.0)
    assert f_jvp(V3 + np.ones(3), 1.0) == pytest.approx(one + two)
    assert one == pytest.approx(jvp(in_place, (V3, 0.1), (V3, 0.0))[1])


# -- second order --------------------------------------------------------------------------------


def test_hvp_of_a_scalar_and_of_a_tree() -> None:
    assert hvp(square)(2.0, 3.0) == 36.0

    def f(p: Any) -> Any:
        return p["w"] ** 2 * p["b"][0] + p["b"][1] ** 3

    tree, v = {"w": 2.0, "b": [3.0, 1.0]}, {"w": 1.0, "b": [0.5, 2.0]}
    assert hvp(f)(tree, v) == {"w": 6.0 + 2.0, "b": [4.0, 12.0]}
    assert hvp(f)(tree, None) == {"w": 0.0, "b": [0.0, 0.0]}


def test_hvp_over_several_arguments() -> None:
    h_x, h_k = hvp(cubes, argnums=(0, 1))(V3, 2.0, (np.ones(3), 0.5))
    assert np.allclose(h_x, 12.0 * V3 + 1.5 * V3**2)
    assert h_k == pytest.approx(3.0 * np.sum(V3**2))
    with pytest.raises(s2sad.ArgumentError, match="a tuple of 2 tangents"):
        hvp(cubes, argnums=(0, 1))(V3, 2.0, V3)


def test_hvp_of_in_place_loops() -> None:
    v = np.array([1.0, 0.5, -0.2])
    wanted = slope(lambda x: grad(in_place)(x, 0.1), V3, v)
    assert np.allclose(hvp(in_place)(V3, 0.1, v), wanted, rtol=1e-7)


def test_the_table_of_modes_is_that_of_the_page() -> None:
    page = (Path(__file__).parents[1] / "docs" / "derivatives.md").read_text()
    made = table()
    assert made in page
    assert "refused" not in made


def test_hvp_of_recursion() -> None:
    assert hvp(product)(1.5, 4, 1.0) == pytest.approx(12.0 * 1.5**2)
    assert derivative(hvp(product))(1.5, 4, 1.0) == pytest.approx(24.0 * 1.5)
    assert derivative(derivative(derivative(product)))(1.5, 4) == pytest.approx(24.0 * 1.5)


def test_gauss_newton() -> None:
    A = np.array([[1.0, 2.0], [0.5, -1.0], [3.0, 0.0]])

    def residual(x: Any) -> Any:
        return A @ x * x[0]

    x, v = np.array([0.7, 1.3]), np.array([1.0, -2.0])
    J = np.stack([slope(residual, x, e) for e in np.eye(2)], axis=1)
    assert np.allclose(gauss_newton_product(residual)(x, v), J.T @ J @ v)

    def loss(r: Any) -> Any:
        return np.sum(np.exp(r))

    H = np.diag(np.exp(residual(x)))
    product = gauss_newton_product(residual, loss=loss)
    assert np.allclose(product(x, v), J.T @ H @ J @ v)
    assert "residual_gauss_newton_product" in gauss_newton_product(residual).source(x)
