"""Rules that text cannot say: staged functions, and the pieces several families share.

In: a builder, cotangents or tangents, the result, the operands. Out: atoms.

    pow_vjp(b, g, out, x, 3)   ->   (g * (3 * x ** 2), None)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..ir.kinds import Array, Mixed, Num, carries_derivative
from ..ir.nodes import Atom, Const, is_none
from .registry import Sample

if TYPE_CHECKING:
    from ..ir.builder import Builder


def weak(*atoms: Atom) -> bool:
    """True where all operands are Python's own numbers, so that a singular primal has raised."""
    return all(isinstance(a.kind, Num) and a.kind.weak for a in atoms)


def dtype_of(a: Atom) -> str:
    k = a.kind
    return k.dtype if isinstance(k, Num | Array | Mixed) else "float64"


def times(b: Builder, x: Atom | None, y: Atom | None) -> Atom | None:
    """The product, None where a factor is None."""
    return None if x is None or y is None else b.mul(x, y)


def total(b: Builder, terms: Iterable[Atom | None]) -> Atom | None:
    """The sum of the terms there are."""
    out: Atom | None = None
    for t in terms:
        if t is not None:
            out = t if out is None else b.add(out, t)
    return out


# -- division ------------------------------------------------------------------------------------


def div_vjp(b: Builder, g: Atom, out: Atom, x: Atom, y: Atom) -> list[Any]:
    """Python's own division has raised at y = 0; NumPy's has not."""
    fn = "div" if weak(x, y) else "ratio"
    return [
        lambda: b.op(fn, g, y),
        lambda: b.neg(b.op(fn, b.mul(b.op(fn, g, y), x), y)),
    ]


def linear_jvp(
    vjp: Callable[..., Any],
) -> Callable[..., Any]:
    """The tangent from an elementwise vjp: a diagonal is its own transpose."""

    def jvp(b: Builder, dots: Sequence[Atom | None], out: Atom, *xs: Atom, **attrs: Any) -> Any:
        terms = []
        for n, t in enumerate(dots):
            if t is not None and carries_derivative(xs[n].kind):
                c = vjp(b, t, out, *xs, **attrs)[n]
                terms.append(c() if callable(c) else c)
        return total(b, terms)

    return jvp


def div_jvp(b: Builder, dots: Sequence[Atom | None], out: Atom, x: Atom, y: Atom) -> Any:
    """Through the quotient, where its division has raised if y is 0."""
    x_dot, y_dot = dots
    if y_dot is None or not weak(x, y):
        return linear_jvp(div_vjp)(b, dots, out, x, y)
    change = b.mul(out, y_dot)
    return b.div(b.neg(change) if x_dot is None else b.sub(x_dot, change), y)


# -- powers --------------------------------------------------------------------------------------


def _constant_power(b: Builder, g: Atom, out: Atom, x: Atom, c: float) -> Atom | None:
    """``g c x**(c-1)``, with nothing infinite left where it should not be."""
    if c == 0:
        return None
    if c == 1:
        return g
    if c == 2:
        return b.mul(g, b.mul(Const.of(2.0), x))
    if c > 1:
        return b.mul(g, b.mul(Const.of(c), b.op("pow", x, Const.of(c - 1))))
    seed = b.mul(Const.of(c), g)
    if c == 0.5:
        return b.op("ratio", seed, out)
    if c < 0 and weak(x):
        return b.div(b.mul(seed, out), x)
    return b.op("ratio", seed, b.op("pow", x, Const.of(1 - c)))


def pow_vjp(b: Builder, g: Atom, out: Atom, x: Atom, y: Atom) -> list[Any]:
    """``x ** y``; the logarithm is taken only where the exponent is differentiated."""

    def wrt_x() -> Atom | None:
        if isinstance(y, Const) and type(y.value) in (int, float):
            return _constant_power(b, g, out, x, y.value)
        return b.op("power_slope", g, x, y)

    def wrt_y() -> Atom:
        base = x
        if dtype_of(y)[0] == "c" and dtype_of(x)[0] != "c":
            base = b.add(x, Const.of(0j))  # the logarithm of a negative number is complex then
        return b.mul(g, b.mul(out, log_base(b, base)))

    return [wrt_x, wrt_y]


def log_base(b: Builder, x: Atom) -> Atom:
    """``log(x)``, but 0 at 0 (where ``0 ** y`` is flat) and nan below, never raising."""
    if isinstance(x, Const) and type(x.value) in (int, float) and x.value > 0:
        return b.const(float(np.log(x.value)))
    return b.op("log_base", x)


pow_jvp = linear_jvp(pow_vjp)


def pow_samples() -> Sequence[Sample]:
    """Samples of a power: smooth points, and what happens at 0 and below."""
    x = np.array([0.5, 2.0, 3.0])
    return [
        Sample((1.5, 2.5)),
        Sample((x, 2)),
        Sample((x, 3.0)),
        Sample((x, -1.0)),
        Sample((x, 0.5)),
        Sample((x, 0)),
        Sample((x, 1)),
        Sample((2.0, x)),
        Sample((x, np.array([[2.0], [-1.5]]))),
        Sample((np.array([0.5, 2.0], "float32"), 3)),
        Sample((np.array([-1.5, 2.0]), 3)),
        Sample((np.array([0.0, 2.0]), 2.0), {}, (np.array([0.0, 4.0]), None), True),
        Sample((np.array([0.0, 2.0]), 1.0), {}, (np.array([1.0, 1.0]), None), True),
        Sample((np.zeros(2), np.array([2.0, 1.0])), {}, (np.array([0.0, 1.0]), np.zeros(2)), True),
        Sample(
            (np.array([0.0, -2.0]), np.array([0.0, 3.0])), {}, (np.array([0.0, 12.0]), None), True
        ),
    ]


# -- kinks ---------------------------------------------------------------------------------------


def abs_vjp(b: Builder, g: Atom, out: Atom, x: Atom) -> list[Any]:
    """0 at 0, for real and complex numbers."""
    if dtype_of(x)[0] == "c":
        return [b.op("ratio", b.mul(g, b.op("np.conj", x)), out)]
    return [b.mul(g, b.op("np.sign", x))]


def abs_jvp(b: Builder, dots: Sequence[Atom], out: Atom, x: Atom) -> Atom:
    tangent: Atom = abs_vjp(b, dots[0], out, x)[0]
    return b.op("np.real", tangent) if dtype_of(x)[0] == "c" else tangent


def sign_vjp(b: Builder, g: Atom, out: Atom, x: Atom) -> list[Any]:
    """Of a complex number, its direction ``x / abs(x)``; else flat wherever it has a slope."""
    if dtype_of(x)[0] != "c":
        return [None]
    turn = b.mul(Const.of(1j), b.op("np.imag", b.mul(g, out)))
    return [b.op("ratio", b.mul(turn, b.op("np.conj", out)), b.op("np.abs", x))]


def sign_jvp(b: Builder, dots: Sequence[Atom], out: Atom, x: Atom) -> Atom | None:
    if dtype_of(x)[0] != "c":
        return None
    turn = b.mul(Const.of(1j), b.op("np.imag", b.mul(b.op("np.conj", out), dots[0])))
    return b.op("ratio", b.mul(turn, out), b.op("np.abs", x))


def clip_vjp(
    b: Builder, g: Atom, out: Atom, a: Atom, a_min: Atom | None = None, a_max: Atom | None = None
) -> list[Any]:
    """1 for lo <= x <= hi, the ends included."""
    lo = None if a_min is None or is_none(a_min) else a_min
    hi = None if a_max is None or is_none(a_max) else a_max

    def where(cond: Atom) -> Atom:
        return b.op("np.where", cond, g, Const.of(0.0))

    def inside() -> Atom:
        conds = []
        if lo is not None:
            conds.append(b.op("ge", a, lo))
        if hi is not None:
            conds.append(b.op("le", a, hi))
        return where(b.op("bitand", *conds) if len(conds) == 2 else conds[0])

    def below() -> Atom | None:
        if lo is None:
            return None
        cond = b.op("lt", a, lo)
        return where(cond if hi is None else b.op("bitand", cond, b.op("le", lo, hi)))

    def above() -> Atom | None:
        if hi is None:
            return None
        bound = a if lo is None else b.op("np.maximum", a, lo)
        return where(b.op("gt", bound, hi))

    if lo is None and hi is None:
        return [g, None, None]
    return [inside, below, above]


clip_jvp = linear_jvp(clip_vjp)


def where_jvp(
    b: Builder, dots: Sequence[Atom | None], out: Atom, condition: Atom, x: Atom, y: Atom
) -> Atom:
    zero = Const.of(0.0)
    _, x_dot, y_dot = dots
    return b.op("np.where", condition, x_dot or zero, y_dot or zero)


def divmod_jvp(
    b: Builder, dots: Sequence[Atom | None], out: tuple[Atom, Atom], x: Atom, y: Atom
) -> tuple[Atom | None, Atom | None]:
    x_dot, y_dot = dots
    change = None if y_dot is None else b.neg(b.mul(out[0], y_dot))
    return None, total(b, [x_dot, change])


def divmod_vjp(
    b: Builder, g: Sequence[Atom | None], out: Sequence[Atom], x: Atom, y: Atom
) -> list[Any]:
    rest = g[1]
    return [rest, None if rest is None else lambda: b.neg(b.mul(out[0], rest))]


def add_samples() -> Sequence[Sample]:
    """Numbers, arrays, lists and tuples."""
    from .samples import elementwise_samples

    lists = [Sample(([1.0, 2.0], [3.0])), Sample(((1.0, np.ones(2)), (3.0,)))]
    return [*elementwise_samples("", 2, "real", ()), *lists]


def mul_samples() -> Sequence[Sample]:
    """Numbers, arrays, and sequences times an int."""
    from .samples import elementwise_samples

    lists = [Sample(([1.0, 2.0], 3)), Sample((2, (1.0, np.ones(2))))]
    return [*elementwise_samples("", 2, "real", ()), *lists]


# -- sequences -----------------------------------------------------------------------------------


def add_vjp(b: Builder, g: Atom, out: Atom, x: Atom, y: Atom) -> list[Any]:
    """``x + y`` of numbers and arrays, or of lists and tuples put together."""
    if isinstance(out.kind, Num | Array | Mixed):
        return [g, g]
    n = b.op("len", x)
    none = Const.of(None)
    return [
        lambda: b.op("item", g, b.op("slice", none, n, none)),
        lambda: b.op("item", g, b.op("slice", n, none, none)),
    ]


def add_jvp(b: Builder, dots: Sequence[Atom | None], out: Atom, x: Atom, y: Atom) -> Atom | None:
    if isinstance(out.kind, Num | Array | Mixed):
        return total(b, dots)
    x_dot, y_dot = dots
    return b.add(
        b.op("zeros_like", x) if x_dot is None else x_dot,
        b.op("zeros_like", y) if y_dot is None else y_dot,
    )


def mul_vjp(b: Builder, g: Atom, out: Atom, x: Atom, y: Atom) -> list[Any]:
    """``x * y`` of numbers and arrays, or of a sequence and an int."""
    if isinstance(out.kind, Num | Array | Mixed):
        return [lambda: b.mul(g, y), lambda: b.mul(g, x)]
    if isinstance(x.kind, Num):
        return [None, lambda: b.op("sum_repeats", g, y)]
    return [lambda: b.op("sum_repeats", g, x), None]


def mul_jvp(b: Builder, dots: Sequence[Atom | None], out: Atom, x: Atom, y: Atom) -> Atom | None:
    x_dot, y_dot = dots
    if isinstance(out.kind, Num | Array | Mixed):
        return total(b, [times(b, x_dot, y), times(b, x, y_dot)])
    return b.mul(x_dot or x, y_dot or y)
