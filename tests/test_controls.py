"""What a program says about its own derivative: stop_gradient, custom_vjp, custom_jvp."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pytest

import s2sad
from s2sad import custom_jvp, custom_vjp, stop_gradient

X = np.array([0.3, 0.7])

# -- stop_gradient -------------------------------------------------------------------------------


class Pair(NamedTuple):
    a: Any
    b: Any


@dataclass
class Params:
    w: Any
    n: int


def test_outside_of_a_derivative_it_is_the_identity() -> None:
    assert stop_gradient(X) is X
    assert stop_gradient(2.5) == 2.5
    assert stop_gradient(Pair(X, "text")) == Pair(X, "text")
    tree = {"a": [X, (1.0, None)], "p": Params(X, 3)}
    stopped = stop_gradient(tree)
    assert stopped is not tree
    assert stopped["a"][0] is X
    assert stopped["a"][1] == (1.0, None)
    assert stopped["p"] is not tree["p"]
    assert stopped["p"].w is X
    assert stopped["p"].n == 3


def test_no_derivative_passes() -> None:
    assert s2sad.grad(lambda x: x * stop_gradient(x))(3.0) == 3.0
    assert s2sad.grad(lambda x: stop_gradient(x) ** 2)(3.0) == 0.0
    got = s2sad.grad(lambda x: (x * stop_gradient(np.sin(x))).sum())(X)
    np.testing.assert_array_equal(got, np.sin(X))


def test_nor_at_second_order_nor_forwards() -> None:
    def f(x: float) -> float:
        return x**3 * stop_gradient(x) ** 2

    assert s2sad.grad(s2sad.grad(f))(2.0) == 6 * 2.0 * 4.0
    assert s2sad.jvp(f, (2.0,), (1.0,))[1] == 3 * 4.0 * 4.0
    assert s2sad.jvp(s2sad.grad(f), (2.0,), (1.0,))[1] == 6 * 2.0 * 4.0


def test_structures_are_stopped_part_by_part() -> None:
    def f(x: Any) -> Any:
        tree = stop_gradient({"a": [x, (x[0], 3)], "p": Params(x * 2, 4)})
        pair = stop_gradient(Pair(x, 2.0))
        return (x * tree["a"][0]).sum() + tree["a"][1][0] * tree["p"].w[1] * x[0] + pair.a[0]

    expected = X.copy()
    expected[0] += X[0] * X[1] * 2
    np.testing.assert_allclose(s2sad.grad(f)(X), expected)
    np.testing.assert_allclose(s2sad.tape.grad(f)(X), expected)


def test_lists_of_any_length() -> None:
    def f(x: Any, n: int) -> Any:
        seen = []
        for k in range(n):
            seen.append(x[0] * k)
        kept = stop_gradient(seen)
        total = 0.0
        for v in kept:
            total += v * x[1]
        return total + seen[1]

    np.testing.assert_allclose(s2sad.grad(f)(X, 4), [1.0, 6 * X[0]])


def test_an_array_is_not_copied() -> None:
    def f(x: Any) -> Any:
        u = x * 1.0
        held = stop_gradient(u)
        u[0] = x[1]
        return (u * held).sum()

    np.testing.assert_allclose(s2sad.grad(f)(X), [0.0, 2 * X[1]])

    def written(x: Any) -> Any:
        u = x * 1.0
        held = stop_gradient(u)
        held[0] = 2.0
        return (u * held).sum()

    with pytest.raises(s2sad.UnsupportedError, match="writing through stop_gradient"):
        s2sad.grad(written)(X)


def test_source_has_no_trace_of_it() -> None:
    source = s2sad.grad(lambda x: (x * stop_gradient(np.sin(x))).sum()).source(X)
    assert "stop_gradient" not in source


def test_the_tape_agrees() -> None:
    def f(x: Any) -> Any:
        return (x * stop_gradient(np.sin(x))).sum() * stop_gradient(x[0] * 2.0)

    np.testing.assert_allclose(s2sad.tape.grad(f)(X), s2sad.grad(f)(X))


# -- custom_vjp ----------------------------------------------------------------------------------

SCALE = 1.0


@custom_vjp
def product(x: Any, y: float) -> Any:
    return np.sin(x) * y


def product_fwd(x: Any, y: float) -> tuple[Any, tuple[Any, float]]:
    return product(x, y), (x, y)


def product_bwd(residuals: tuple[Any, float], g: Any) -> tuple[Any, Any]:
    x, y = residuals
    return SCALE * g * np.cos(x) * y, (g * np.sin(x)).sum()


product.defvjp(product_fwd, product_bwd)


def loss(x: Any, y: float) -> Any:
    return (product(x * x, y) ** 2).sum()


def plain_loss(x: Any, y: float) -> Any:
    return ((np.sin(x * x) * y) ** 2).sum()


def test_a_rule_for_reverse_mode(monkeypatch: pytest.MonkeyPatch) -> None:
    gradient = s2sad.grad(loss, argnums=(0, 1))
    for got, expected in zip(
        gradient(X, 2.0), s2sad.grad(plain_loss, argnums=(0, 1))(X, 2.0), strict=True
    ):
        np.testing.assert_allclose(got, expected, rtol=1e-12)
    # the rule is what is used, and what it reads is read at each call
    monkeypatch.setitem(globals(), "SCALE", 0.5)
    np.testing.assert_allclose(gradient(X, 2.0)[0], s2sad.grad(plain_loss)(X, 2.0) / 2)


def test_the_rule_is_differentiated_again() -> None:
    def twice(f: Any) -> Any:
        gradient = s2sad.grad(f)
        return s2sad.grad(lambda x: (gradient(x, 2.0) * np.array([1.0, -2.0])).sum())

    np.testing.assert_allclose(twice(loss)(X), twice(plain_loss)(X), rtol=1e-12)


def test_the_rule_can_be_read() -> None:
    source = s2sad.grad(loss).source(X, 2.0)
    assert "def product_fwd_call(x, y" in source
    assert "def product_bwd_call(" in source


def test_vjp_and_a_function_with_a_rule_itself() -> None:
    out, pullback = s2sad.vjp(product, X, 2.0)
    np.testing.assert_array_equal(out, np.sin(X) * 2.0)
    x_bar, y_bar = pullback(np.ones(2))
    np.testing.assert_allclose(x_bar, np.cos(X) * 2.0)
    np.testing.assert_allclose(y_bar, np.sin(X).sum())
    assert s2sad.grad(product)(0.3, 2.0) == pytest.approx(2 * np.cos(0.3))


def test_called_otherwise_it_is_the_function() -> None:
    np.testing.assert_array_equal(product(X, 2.0), np.sin(X) * 2.0)
    assert product.__name__ == "product"


def test_none_stands_for_zero_and_structures_keep_their_form() -> None:
    @custom_vjp
    def f(tree: dict[str, Any], n: int, scale: float) -> tuple[Any, Any]:
        return tree["a"] * n, tree["b"][0] * scale

    def fwd(tree: dict[str, Any], n: int, scale: float) -> tuple[tuple[Any, Any], Any]:
        return f(tree, n, scale), (n, scale)

    def bwd(kept: tuple[int, float], g: tuple[Any, Any]) -> tuple[Any, ...]:
        n, scale = kept
        return {"a": g[0] * n, "b": [g[1] * scale, 0.0]}, None, None

    f.defvjp(fwd, bwd)

    def total(tree: dict[str, Any], scale: float) -> Any:
        a, b = f(tree, 3, scale)
        return a.sum() + 2.0 * b

    tree = {"a": X, "b": [1.5, 2.5]}
    got, scale = s2sad.grad(total, argnums=(0, 1))(tree, 4.0)
    np.testing.assert_array_equal(got["a"], [3.0, 3.0])
    assert got["b"] == [8.0, 0.0]
    assert scale == 0.0
    assert isinstance(scale, float)


def test_nondiff_arguments_come_first() -> None:
    def with_power(n: int, x: float) -> float:
        return x**n

    power = custom_vjp(with_power, nondiff_argnums=(0,))
    power.defvjp(lambda n, x: (x**n, x), lambda n, x, g: (g * n * x ** (n - 1),))
    assert s2sad.grad(lambda x: power(3, x))(2.0) == 12.0


def test_in_a_loop_with_a_branch() -> None:
    @custom_vjp
    def clip(x: float) -> float:
        if x > 1.0:
            return 1.0
        return x

    def fwd(x: float) -> tuple[float, None]:
        return clip(x), None

    def bwd(_: None, g: float) -> tuple[float]:
        return (g,)

    clip.defvjp(fwd, bwd)

    def f(x: float, n: int) -> float:
        for _ in range(n):
            x = clip(x * 2.0)
        return x

    assert f(0.7, 3) == 1.0
    assert s2sad.grad(f)(0.7, 3) == 8.0


def test_inside_a_checkpoint() -> None:
    block = s2sad.checkpoint(lambda x: product(np.tanh(x), 2.0))
    np.testing.assert_allclose(
        s2sad.grad(lambda x: block(x).sum())(X), 2.0 * np.cos(np.tanh(X)) / np.cosh(X) ** 2
    )


@pytest.mark.parametrize(
    ("fwd", "bwd", "message"),
    [
        (lambda x: x, lambda r, g: (g,), r"must return \(out, residuals\)"),
        (lambda x: ((x, x), x), lambda r, g: (g,), "must return what square returns"),
        (lambda x: (x * x, x), lambda r, g: (g, g), "must return a tuple of 1"),
        (lambda x: (x * x, x), lambda r, g: g, "must return a tuple of 1"),
        (lambda x: (x * x, x), lambda r, g: ((g, g),), "returns a tuple where a leaf belongs"),
        (lambda x: (x * x, x), lambda r, g: (g.sum(),), "returns a float64 scalar where a 1-d"),
    ],
)
def test_rules_of_another_form_are_refused(fwd: Any, bwd: Any, message: str) -> None:
    @custom_vjp
    def square(x: Any) -> Any:
        return x * x

    square.defvjp(fwd, bwd)
    with pytest.raises(s2sad.UnsupportedError, match=message):
        s2sad.grad(lambda x: square(x).sum())(X)


def test_a_cotangent_of_another_shape_is_an_error() -> None:
    @custom_vjp
    def total(x: Any) -> Any:
        return x.sum(axis=0)

    total.defvjp(lambda x: (x.sum(axis=0), None), lambda _, g: (g,))
    with pytest.raises(ValueError, match=r"of shape \(2,\) for an argument of shape \(3, 2\)"):
        s2sad.grad(lambda x: total(x).sum())(np.ones((3, 2)))


def test_without_a_rule_it_is_refused() -> None:
    f = custom_vjp(lambda x: x * x)
    with pytest.raises(s2sad.UnsupportedError, match="has no rule yet"):
        s2sad.grad(lambda x: f(x))(2.0)
    with pytest.raises(TypeError, match="takes a Python function"):
        custom_vjp(np.sin)
    with pytest.raises(TypeError, match="made of functions"):
        f.defvjp(1, 2)


def test_a_rule_defined_anew_is_used() -> None:
    f = custom_vjp(lambda x: x * x)
    gradient = s2sad.grad(lambda x: f(x))
    f.defvjp(lambda x: (x * x, None), lambda _, g: (g,))
    assert gradient(2.0) == 1.0
    f.defvjp(lambda x: (x * x, None), lambda _, g: (2.0 * g,))
    assert gradient(2.0) == 2.0


def test_two_rules_for_one_function() -> None:
    def square(x: float) -> float:
        return x * x

    one, two = custom_vjp(square), custom_vjp(square)
    one.defvjp(lambda x: (x * x, None), lambda _, g: (g,))
    two.defvjp(lambda x: (x * x, None), lambda _, g: (2.0 * g,))
    assert s2sad.grad(one)(3.0) == 1.0
    assert s2sad.grad(two)(3.0) == 2.0
    assert s2sad.grad(square)(3.0) == 6.0
    assert s2sad.grad(lambda x: one(x) + two(x) + square(x))(3.0) == 9.0


def test_forward_mode_and_the_tape_refuse_a_rule_for_reverse_mode() -> None:
    with pytest.raises(
        s2sad.UnsupportedError, match="forward mode cannot differentiate 'product'"
    ):
        s2sad.jvp(loss, (X, 2.0), (X, 1.0))
    with pytest.raises(s2sad.UnsupportedError, match="product has a rule"):
        s2sad.tape.grad(loss)(X, 2.0)


# -- custom_jvp ----------------------------------------------------------------------------------


@custom_jvp
def dotted(x: Any, y: float) -> Any:
    return np.sin(x) * y


@dotted.defjvp
def dotted_jvp(primals: tuple[Any, float], tangents: tuple[Any, float]) -> tuple[Any, Any]:
    x, y = primals
    x_dot, y_dot = tangents
    return dotted(x, y), SCALE * np.cos(x) * y * x_dot + np.sin(x) * y_dot


def dotted_loss(x: Any, y: float) -> Any:
    return (dotted(x * x, y) ** 2).sum()


def test_one_rule_for_both_modes(monkeypatch: pytest.MonkeyPatch) -> None:
    gradient = s2sad.grad(dotted_loss, argnums=(0, 1))
    expected = s2sad.grad(plain_loss, argnums=(0, 1))(X, 2.0)
    for got, wanted in zip(gradient(X, 2.0), expected, strict=True):
        np.testing.assert_allclose(got, wanted, rtol=1e-12)
    _, along = s2sad.jvp(dotted_loss, (X, 2.0), (X, 1.0))
    assert along == pytest.approx(expected[0] @ X + expected[1])
    monkeypatch.setitem(globals(), "SCALE", 0.5)
    np.testing.assert_allclose(gradient(X, 2.0)[0], expected[0] / 2)


def test_second_derivatives_of_a_rule_for_tangents() -> None:
    def along(f: Any) -> Any:
        gradient = s2sad.grad(f)
        return lambda x: (gradient(x, 2.0) * np.array([1.0, -2.0])).sum()

    expected = s2sad.grad(along(plain_loss))(X)
    np.testing.assert_allclose(s2sad.grad(along(dotted_loss))(X), expected, rtol=1e-12)
    _, over = s2sad.jvp(s2sad.grad(dotted_loss), (X, 2.0), (np.array([1.0, -2.0]), 0.0))
    np.testing.assert_allclose(over, expected, rtol=1e-12)


def test_a_tangent_of_another_form_is_refused() -> None:
    f = custom_jvp(lambda x: x * x)
    f.defjvp(lambda primals, tangents: primals[0] * primals[0])
    with pytest.raises(s2sad.UnsupportedError, match=r"must return \(out, out_dot\)"):
        s2sad.jvp(lambda x: f(x), (2.0,), (1.0,))
    f.defjvp(lambda primals, tangents: (primals[0] * primals[0], (tangents[0], 1.0)))
    with pytest.raises(s2sad.UnsupportedError, match="returns a tuple where a leaf belongs"):
        s2sad.grad(lambda x: f(x))(2.0)


def test_arguments_that_are_not_differentiated() -> None:
    f = custom_jvp(lambda n, x: x**n, nondiff_argnums=(0,))
    f.defjvp(lambda n, primals, dots: (primals[0] ** n, n * primals[0] ** (n - 1) * dots[0]))
    assert s2sad.grad(lambda x: f(3, x))(2.0) == 12.0
    assert s2sad.jvp(lambda x: f(3, x), (2.0,), (1.0,)) == (8.0, 12.0)


def test_third_derivatives_do_not_take_one_function_for_another() -> None:
    f = custom_jvp(lambda x: np.sin(x) * x)
    f.defjvp(lambda p, t: (f(p[0]), (np.cos(p[0]) * p[0] + np.sin(p[0])) * t[0]))
    third = s2sad.grad(s2sad.grad(s2sad.grad(lambda x: f(x * x))))
    plain = s2sad.grad(s2sad.grad(s2sad.grad(lambda x: np.sin(x * x) * x * x)))
    assert third(0.7) == pytest.approx(plain(0.7), rel=1e-10)


def test_one_rule_for_numbers_arrays_and_ints() -> None:
    power = custom_vjp(lambda x, n=2: x**n)
    power.defvjp(
        lambda x, n=2: (x**n, (x, n, "text", None, [x])),
        lambda kept, g: (g * kept[1] * kept[0] ** (kept[1] - 1), None),
    )

    def f(x: Any) -> Any:
        return power(x[0]) + power(x).sum() + power(x, n=3).sum() * power(2, 3)

    np.testing.assert_allclose(s2sad.grad(f)(X), 2 * X + 24 * X**2 + [2 * X[0], 0.0])
    assert s2sad.grad(lambda x: power(x).sum())(X.astype(np.float32)).dtype == np.float32


def test_lists_of_any_length_have_lists_of_cotangents() -> None:
    total = custom_vjp(lambda xs: sum(xs))
    total.defvjp(lambda xs: (sum(xs), xs), lambda xs, g: ([2.0 * g for _ in xs],))

    def f(x: float, n: int) -> float:
        return total([x * k for k in range(n)])

    assert s2sad.grad(f)(1.5, 4) == 12.0


def test_methods_with_a_rule() -> None:
    class Gain:
        def __init__(self) -> None:
            self.factor = 2.0

        @custom_vjp
        def apply(self, x: float) -> float:
            return self.factor * x

    def fwd(gain: Gain, x: float) -> tuple[float, float]:
        return gain.factor * x, gain.factor

    Gain.apply.defvjp(fwd, lambda factor, g: (None, 10.0 * factor * g))
    gain = Gain()
    assert s2sad.grad(lambda x: gain.apply(x))(2.0) == 20.0


def test_a_rule_given_inside_the_program_is_refused() -> None:
    def f(x: float) -> float:
        inner = custom_vjp(lambda y: y * x)
        return inner(x)

    with pytest.raises(s2sad.UnsupportedError, match="given a rule inside the differentiated"):
        s2sad.grad(f)(2.0)
