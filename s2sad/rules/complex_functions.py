"""``cmath``, and what ``complex`` makes of two numbers.

In: nothing. Out: records in the registry. All but the parts of polar coordinates are holomorphic:
the cotangent of the operand is g times the derivative, without a conjugate. A real operand gets
the real part.

    _cmath(cmath.sin, "cos(x)")
"""

from __future__ import annotations

import cmath
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ..ir.kinds import BOOL, COMPLEX, FLOAT, Kind, Tuple
from ..ir.nodes import Atom, Const
from . import kindrules as kr
from .declare import LN10, each, elementwise, rule, sample, zero
from .pieces import part
from .registry import KindRule
from .staged import total

if TYPE_CHECKING:
    from ..ir.builder import Builder


def _numbers(result: Kind) -> KindRule:
    return kr.of_numbers(result, real=False)


_POINTS = [sample(0.4 + 0.7j), sample(-1.3 - 0.2j), sample(0.6)]


def _cmath(f: Any, partial: str) -> None:
    elementwise(f, partial, name=f"cmath.{f.__name__}", kind=_numbers(COMPLEX), samples=_POINTS)


_cmath(cmath.exp, "out")
_cmath(cmath.log10, f"g / ({LN10} * x)")
_cmath(cmath.sqrt, "ratio(g, 2.0 * out)")
_cmath(cmath.sin, "cos(x)")
_cmath(cmath.cos, "-sin(x)")
_cmath(cmath.tan, "1 + out * out")
_cmath(cmath.asin, "g / sqrt(1 - x * x)")
_cmath(cmath.acos, "-g / sqrt(1 - x * x)")
_cmath(cmath.atan, "g / (1 + x * x)")
_cmath(cmath.sinh, "cosh(x)")
_cmath(cmath.cosh, "sinh(x)")
_cmath(cmath.tanh, "1 - out * out")
_cmath(cmath.asinh, "g / sqrt(x * x + 1)")
_cmath(cmath.acosh, "g / (sqrt(x - 1) * sqrt(x + 1))")
_cmath(cmath.atanh, "g / (1 - x * x)")


def log_vjp(b: Builder, g: Atom, out: Atom, x: Atom, base: Atom | None = None) -> list[Any]:
    if base is None:
        return [b.div(g, x)]
    scale = b.op("cmath.log", base)
    return [
        lambda: b.div(g, b.mul(scale, x)),
        lambda: b.neg(b.div(b.mul(g, out), b.mul(scale, base))),
    ]


def log_jvp(
    b: Builder, dots: Sequence[Atom | None], out: Atom, x: Atom, base: Atom | None = None
) -> Any:
    terms = []
    for n, t in enumerate(dots):
        if t is not None:
            c = log_vjp(b, t, out, x, *([] if base is None else [base]))[n]
            terms.append(c() if callable(c) else c)
    return total(b, terms)


rule(
    cmath.log,
    "x base=None",
    name="cmath.log",
    kind=_numbers(COMPLEX),
    vjp=log_vjp,
    jvp=log_jvp,
    samples=[*_POINTS, sample(0.4 + 0.7j, 2.0), sample(1.5 - 0.5j, 2.0 + 1.0j)],
)
rule(
    cmath.phase,
    "x",
    name="cmath.phase",
    kind=_numbers(FLOAT),
    vjp=lambda b, g, out, x: [b.div(b.mul(Const.of(-1j), g), x)],
    jvp=lambda b, dots, out, x: b.op("np.imag", b.div(dots[0], x)),
    samples=_POINTS,
)


def polar_vjp(b: Builder, g: Atom, out: Atom, x: Atom) -> list[Any]:
    """``dr = Re(conj(x) dx) / r`` and ``dphi = Im(dx / x)``."""
    gr, gphi = part(b, g, 0), part(b, g, 1)
    r = b.op("item", out, Const.of(0))
    terms = [
        None if gr is None else b.op("ratio", b.mul(gr, b.op("np.conj", x)), r),
        None if gphi is None else b.div(b.mul(Const.of(-1j), gphi), x),
    ]
    return [total(b, terms)]


def polar_jvp(b: Builder, dots: Sequence[Atom], out: Atom, x: Atom) -> Atom:
    along = b.op("np.real", b.mul(b.op("np.conj", x), dots[0]))
    r_dot = b.op("ratio", along, b.op("item", out, Const.of(0)))
    return b.op("tuple", r_dot, b.op("np.imag", b.div(dots[0], x)))


rule(
    cmath.polar,
    "x",
    name="cmath.polar",
    kind=_numbers(Tuple((FLOAT, FLOAT))),
    vjp=polar_vjp,
    jvp=polar_jvp,
    samples=_POINTS[:2],
)
elementwise(
    cmath.rect,
    "g * exp(1j * y)",
    "g * 1j * out",
    name="cmath.rect",
    kind=_numbers(COMPLEX),
    names=("x", "y"),
    samples=[sample(1.5, 0.7), sample(2.0, -2.5)],
)
for _f in each(cmath.isfinite, cmath.isinf, cmath.isnan):
    zero(_f, "x", name=f"cmath.{_f.__name__}", kind=_numbers(BOOL))
zero(
    cmath.isclose,
    "a b",
    "*, rel_tol=1e-09, abs_tol=0.0",
    name="cmath.isclose",
    kind=_numbers(BOOL),
)
