"""The checker notices every way of being wrong that it is there to notice.

A stand-in for the compiler, right or wrong in one way, is put in its place.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from tests.checker import check, refused, sane
from tests.differences import reference
from tests.programs.tricky.names import overlapping_shift
from tests.trees import clone, fresh, same

X3 = np.array([0.7, -1.2, 2.1])


def weighted_squares(x: Any, s: Any) -> Any:
    return np.sum(x * x * x) * s


class Refusal(Exception):
    """Stands in for UnsupportedError."""


def stand_in(**wrong: Callable[..., Any]) -> ModuleType:
    """A compiler of one program, ``weighted_squares``; each hook spoils one thing."""
    module = ModuleType("s2sad")
    change_value = wrong.get("value", lambda value: value)
    change_gradient = wrong.get("gradient", lambda gradient: gradient)
    change_caller = wrong.get("caller", lambda args: None)
    keep = wrong.get("keep", clone)

    def gradient(x: Any, s: Any, g: Any) -> Any:
        return change_gradient((3.0 * x * x * s * g, float(np.sum(x * x * x) * g)))

    def value_and_grad(f: Any, argnums: Any) -> Any:
        def derivative(x: Any, s: Any) -> Any:
            value = change_value(f(x, s)), gradient(x, s, 1.0)
            change_caller((x, s))
            return value

        return derivative

    def vjp(f: Any, x: Any, s: Any) -> Any:
        kept = keep(x)
        return change_value(f(x, s)), lambda g: gradient(kept, s, g)

    change_tangent = wrong.get("tangent", lambda tangent: tangent)
    change_product = wrong.get("product", lambda product: product)

    def grad(f: Any, argnums: Any) -> Any:
        return lambda x, s: value_and_grad(f, argnums)(x, s)[1]

    def jvp(f: Any, primals: Any, tangents: Any) -> Any:
        (x, s), (x_dot, s_dot) = primals, tangents
        return f(x, s), change_tangent(np.sum(3.0 * x * x * x_dot) * s + np.sum(x**3) * s_dot)

    def hvp(f: Any, argnums: Any) -> Any:
        def product(x: Any, s: Any, v: Any) -> Any:
            x_dot, s_dot = v
            first = 6.0 * x * s * x_dot + 3.0 * x * x * s_dot
            return change_product((first, float(np.sum(3.0 * x * x * x_dot))))

        return product

    module.grad, module.jvp, module.hvp = grad, jvp, hvp  # type: ignore[attr-defined]
    module.value_and_grad = value_and_grad  # type: ignore[attr-defined]
    module.vjp = vjp  # type: ignore[attr-defined]
    module.UnsupportedError = Refusal  # type: ignore[attr-defined]
    return module


def test_the_right_derivative_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "s2sad", stand_in())
    check(weighted_squares, X3, 1.3, tape=False)


@pytest.mark.parametrize(
    "wrong, complaint",
    [
        ({"value": lambda v: v * (1.0 + 3e-16)}, "value"),
        ({"value": float}, "value"),
        ({"tangent": lambda t: t * (1.0 + 1e-8)}, "jvp"),
        ({"tangent": float}, "tangent <class 'float'>"),
        ({"product": lambda p: (p[0], p[1] * 1.01)}, "hvp"),
        ({"product": lambda p: (p[0], np.float64(p[1]))}, "float64"),
        ({"gradient": lambda g: (g[0] * (1.0 + 1e-8), g[1])}, "differences say"),
        ({"gradient": lambda g: (g[0].astype(np.float32), g[1])}, "dtype"),
        ({"gradient": lambda g: (g[0], np.float64(g[1]))}, "float64"),
        ({"gradient": lambda g: (g[0][None], g[1])}, "shape"),
        ({"gradient": list}, "not a tuple|pullback gave"),
        ({"gradient": lambda g: g[:1]}, "1 parts|pullback gave"),
        ({"caller": lambda args: args[0].fill(0.0)}, "changed"),
        ({"keep": lambda x: x}, "differences say"),
    ],
    ids=[
        *("bits", "type", "tangent", "tangent type", "product", "product type"),
        *("digits", "dtype", "scalar", "shape", "list", "part", "caller", "shared"),
    ],
)
def test_a_wrong_one_fails(
    monkeypatch: pytest.MonkeyPatch, wrong: dict[str, Any], complaint: str
) -> None:
    monkeypatch.setitem(sys.modules, "s2sad", stand_in(**wrong))
    with pytest.raises((AssertionError, ValueError), match=complaint):
        check(weighted_squares, X3.copy(), 1.3, tape=False)


def test_an_unclear_refusal_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(message: str) -> Callable[..., Any]:
        def f(*args: Any, **options: Any) -> Any:
            raise Refusal(message)

        return f

    clear = "no\n  --> model.py:12:9 in f\n   12 | x\n      | ^\n   help: do not"
    for message, passes in ((clear, True), ("no", False), (clear.replace("^", ""), False)):
        module = ModuleType("s2sad")
        module.vjp = refuse(message)  # type: ignore[attr-defined]
        module.grad = lambda f, argnums, m=message: refuse(m)  # type: ignore[attr-defined]
        module.UnsupportedError = Refusal  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, "s2sad", module)
        if passes:
            assert refused(weighted_squares, X3, 1.3, match="help") == message
        else:
            with pytest.raises(AssertionError):
                refused(weighted_squares, X3, 1.3)


def test_differences() -> None:
    truth = reference(weighted_squares, (X3, 1.3), (0, 1), 1.0)
    assert truth.exact
    np.testing.assert_allclose(truth.gradient[0], 3.9 * X3**2, rtol=1e-14)
    assert not reference(lambda x: abs(x) ** 3, (1.3,), (0,), 1.0).exact
    np.testing.assert_allclose(reference(lambda x: abs(x), (1e-3,), (0,), 1.0).gradient[0], 1.0)


def test_differences_at_a_kink_are_not_trusted() -> None:
    with pytest.raises(AssertionError, match="unsure"):
        sane(lambda x: abs(x - 1.3) * 1.1 if x > 1.3 else 0.0, 1.3)


def test_copies_keep_layout_and_aliases() -> None:
    a = np.arange(24.0).reshape(2, 3, 4)
    for view in (a[:, ::-2, 1::2], a.T, a[:, :, 0], np.broadcast_to(a[0, 0], (3, 4))):
        copy = clone(view)
        assert copy.strides == view.strides
        assert same(copy, view)
        assert not np.shares_memory(copy, view)
    pair = fresh((a, [a, 1.0]))
    assert pair[0] is pair[1][0]
    assert pair[0] is not a


def test_same_is_strict() -> None:
    assert same(float("nan"), float("nan"))
    assert not same(0.0, -0.0)
    assert not same(np.float64(1.0), 1.0)
    assert not same(np.zeros(2), -np.zeros(2))
    assert not same({"a": 1, "b": 2}, {"b": 2, "a": 1})
    assert not same(np.zeros(2), np.zeros((1, 2)))


def test_layouts_may_make_another_program() -> None:
    """Overlapping writes are read before they are written: a trap of the differences themselves."""
    sane(overlapping_shift, np.array([0.4, -1.1, 0.9]))
