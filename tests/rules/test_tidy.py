"""Peepholes: what a neat person writes, always of the same value and kind."""

from __future__ import annotations

import numpy as np
import pytest

import s2sad.rules  # noqa: F401
from s2sad.ir.builder import Builder
from s2sad.ir.interp import run
from s2sad.ir.kinds import Array, Num, kind_of
from s2sad.ir.nodes import Const, Function, Module, Region, Value
from s2sad.rules.text import build_text

X = Value(kind_of(1.5, "x"), "x")
Y = Value(kind_of(2.5, "y"), "y")
A = Value(kind_of(np.ones(3), "a"), "a")
M = Value(kind_of(np.ones((2, 3)), "m"), "m")
S = Value(kind_of(np.ones(3, "float32"), "s"), "s")
NAMES = {"x": X, "y": Y, "a": A, "m": M, "s": S}
PARAMS = tuple(NAMES.values())


def show(atom, b):
    """An atom as text, with the definitions that lead to it written out."""
    if isinstance(atom, Const):
        return repr(atom.value)
    node = b.definition.get(atom)
    if node is None:
        return atom.name
    return f"{node.fn}({', '.join(show(a, b) for a in node.args)})"


@pytest.mark.parametrize(
    "before, after",
    [
        ("1.0 * x", "x"),
        ("x * 1", "x"),
        ("-1.0 * x", "neg(x)"),
        ("x / 1.0", "x"),
        ("-(-x)", "x"),
        ("2.0 * (0.5 * x)", "x"),
        ("x * 2.0", "mul(2.0, x)"),
        ("x * (1.0 / y)", "div(x, y)"),
        ("x * (-y)", "neg(mul(x, y))"),
        ("x + (-y)", "sub(x, y)"),
        ("x - (-y)", "add(x, y)"),
        ("x + (-2.0) * y", "sub(x, mul(2.0, y))"),
        ("(-x) / y", "neg(div(x, y))"),
        ("1.0 / (2.0 * y)", "div(0.5, y)"),
        ("-(-2.0 / y / y)", "div(div(2.0, y), y)"),
        ("x ** 1", "x"),
        ("1.0 / 3.0", "div(1.0, 3.0)"),
        ("full_like(a, x) * a", "mul(x, a)"),
        ("full_like(a, x) * (2.0 * a)", "mul(2.0, mul(x, a))"),
        ("where(a > 0, full_like(a, x), 0.0)", "np.where(gt(a, 0), x, 0.0)"),
        ("sum(-a)", "neg(np.sum(a))"),
        ("sum(3.0 * a)", "mul(3.0, np.sum(a))"),
        ("(-m) @ a", "neg(matmul(m, a))"),
        ("m.T.T", "m"),
        ("ratio(x, 2.0)", "div(x, 2.0)"),
        ("ratio(x, 1.0 + y * y)", "div(x, add(1.0, mul(y, y)))"),
        ("ratio(x, y)", "ratio(x, y)"),
    ],
)
def test_rewrites(before, after):
    b = Builder(tidy=True)
    assert show(build_text(b, before, NAMES), b) == after


@pytest.mark.parametrize(
    "text",
    ["0.0 * a", "a - a", "0 * x", "1.0 * (a > 0)", "full_like(m, x) * a", "full_like(a, x) * s"],
)
def test_what_stays(text):
    """Nothing that may be nan, of another kind, or wider than what would be left."""
    b = Builder(tidy=True)
    plain = Builder()
    assert show(build_text(b, text, NAMES), b) == show(build_text(plain, text, NAMES), plain)


def expression(rng, depth):
    if depth == 0 or rng.random() < 0.1:
        leaf = rng.integers(0, 8)
        if leaf < 5:
            return str(rng.choice(["x", "y", "a", "m", "s"]))
        return repr(rng.choice([1.0, -1.0, 2.0, -0.5, 0.25, 3.0]).item())
    form = rng.integers(0, 9)
    p, q = expression(rng, depth - 1), expression(rng, depth - 1)
    if form < 6:
        return f"({p} {'+-**/'[form % 5]} {q})"
    if form == 6:
        return f"(-{p})"
    if form == 7:
        return f"ratio({p}, {q})"
    return f"full_like(a, {rng.choice(['x', '2.0'])})"


def run_built(builder, atom, values):
    body = Region((), tuple(builder.nodes), (atom,))
    with np.errstate(all="ignore"):
        return run(Module({"f": Function("f", PARAMS, body)}), *values)


@pytest.mark.parametrize("seed", range(400))
def test_value_and_kind(seed):
    rng = np.random.default_rng(seed)
    text = expression(rng, 4)
    plain, tidy = Builder(), Builder(tidy=True)
    one, two = build_text(plain, text, NAMES), build_text(tidy, text, NAMES)
    values = (
        1.5,
        -2.5,
        np.array([0.5, 2.0, -1.0]),
        rng.random((2, 3)) + 0.1,
        np.ones(3, "float32"),
    )
    try:
        run_built(plain, one, values)
    except ZeroDivisionError:
        return
    a, b = (run_built(built, atom, values) for built, atom in ((plain, one), (tidy, two)))
    np.testing.assert_allclose(a, b, rtol=2e-5 if "s" in text else 1e-12, err_msg=text)
    assert np.shape(a) == np.shape(b)
    assert np.asarray(a).dtype == np.asarray(b).dtype
    match one.kind, two.kind:
        case Num(), Num():
            assert one.kind.dtype == two.kind.dtype
        case Array(), Array():
            assert one.kind.dtype == two.kind.dtype
            assert one.kind.rank == two.kind.rank
        case k, m:
            raise AssertionError((k, m))
