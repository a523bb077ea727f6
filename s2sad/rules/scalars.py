"""``math`` and Python's built-in functions.

In: nothing. Out: records in the registry. In the rule of a ``math`` function, names of functions
mean those of ``math``. Where ``math`` itself raises at a singular point, plain division will do.

    _math(math.sin, "cos(x)")
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ..ir.kinds import (
    BOOL,
    FLOAT,
    INT,
    Kind,
)
from ..ir.nodes import Atom, is_none
from . import helpers, staged
from . import kindrules as kr
from .declare import LN2, LN10, each, elementwise, rule, sample, zero
from .registry import KindRule

if TYPE_CHECKING:
    from ..ir.builder import Builder


def _scalars(result: Kind) -> KindRule:
    return kr.of_numbers(result, real=True)


def _math(f: Any, *partials: str | None, domain: str = "real", **more: Any) -> None:
    elementwise(f, *partials, kind=_scalars(FLOAT), domain=domain, **more)


_math(math.exp, "out")
_math(math.expm1, "exp(x)")
_math(math.log2, f"g / ({LN2} * x)", domain="positive")
_math(math.log10, f"g / ({LN10} * x)", domain="positive")
_math(math.log1p, "g / (1 + x)", domain="positive")
_math(math.sqrt, "ratio(g, 2.0 * out)", domain="positive", at=[sample(0.0, expect=(math.inf,))])
_math(math.sin, "cos(x)")
_math(math.cos, "-sin(x)")
_math(math.tan, "1 + out * out", domain="unit")
_math(math.asin, "ratio(g, sqrt(1 - x * x))", domain="unit")
_math(math.acos, "-ratio(g, sqrt(1 - x * x))", domain="unit")
_math(math.atan, "g / (1 + x * x)")
_math(math.sinh, "cosh(x)")
_math(math.cosh, "sinh(x)")
_math(math.tanh, "1 - out * out")
_math(math.asinh, "g / sqrt(x * x + 1)")
_math(math.acosh, "ratio(g, sqrt(x * x - 1))", domain="above one")
_math(math.atanh, "g / (1 - x * x)", domain="unit")
_math(math.atan2, "ratio(g * y, x * x + y * y)", "-ratio(g * x, x * x + y * y)")
_math(math.degrees, "57.29577951308232")
_math(math.radians, "0.017453292519943295")
_math(math.fabs, "1.0 * (x > 0) - (x < 0)", at=[sample(0.0, expect=(0.0,))])
_math(math.copysign, "g * copysign(1.0, x) * copysign(1.0, y)", None)
_math(math.fmod, "1", "-trunc(x / y)", domain="apart")
_math(math.remainder, "1", "-round((x - out) / y)", domain="apart")
_math(math.erf, "1.1283791670955126 * exp(-x * x)")
_math(math.erfc, "-1.1283791670955126 * exp(-x * x)")
_math(math.gamma, "out * polygamma(0, x)", domain="positive")
_math(math.lgamma, "polygamma(0, x)", domain="positive")
_math(math.ldexp, "ldexp(g, y)", None, samples=[sample(1.5, 3), sample(-0.5, -2)])
for _name, _text in (("exp2", f"{LN2} * out"), ("cbrt", "ratio(g, 3.0 * out * out)")):
    if hasattr(math, _name):  # from Python 3.11 on
        _math(getattr(math, _name), _text, domain="positive")

rule(
    helpers.polygamma,
    "n x",
    name="polygamma",
    kind=lambda args, attrs: FLOAT,
    vjp=(None, "g * polygamma(n + 1, x)"),
    jvp=(None, "x_dot * polygamma(n + 1, x)"),
    samples=[sample(0, 0.7), sample(0, -1.3), sample(1, 4.5), sample(2, 30.0)],
)


def log_vjp(b: Builder, g: Atom, out: Atom, x: Atom, base: Atom | None = None) -> list[Any]:
    if base is None or is_none(base):
        return [b.div(g, x)]
    of_base = b.op("math.log", base)
    return [
        lambda: b.div(g, b.mul(x, of_base)),
        lambda: b.neg(b.div(b.mul(g, out), b.mul(base, of_base))),
    ]


rule(
    math.log,
    "x base=None",
    kind=_scalars(FLOAT),
    vjp=log_vjp,
    jvp=staged.linear_jvp(log_vjp),
    samples=[sample(0.7), sample(2.5, 3.0), sample(2.5, 10)],
)
rule(
    math.pow,
    "x y",
    kind=_scalars(FLOAT),
    vjp=staged.pow_vjp,
    jvp=staged.pow_jvp,
    samples=[sample(1.5, 2.5), sample(1.5, 2), sample(-1.5, 3), sample(2.0, -1.5), sample(2.0, 0)],
)


def hypot_vjp(b: Builder, g: Atom, out: Atom, *xs: Atom) -> list[Any]:
    return [(lambda x=x: b.op("ratio", b.mul(g, x), out)) for x in xs]


rule(
    math.hypot,
    "*xs",
    kind=_scalars(FLOAT),
    vjp=hypot_vjp,
    jvp=staged.linear_jvp(hypot_vjp),
    samples=[
        sample(3.0, 4.0),
        sample(1.0, 2.0, -2.0),
        sample(-3.0),
        sample(0.0, 0.0, expect=(0.0, 0.0)),
    ],
)
for _f in each(math.floor, math.ceil, math.trunc):
    zero(_f, "x", kind=_scalars(INT))
for _f in each(math.isnan, math.isinf, math.isfinite):
    zero(_f, "x", kind=_scalars(BOOL))
zero(math.isclose, "a b", "*, rel_tol=1e-09, abs_tol=0.0", kind=_scalars(BOOL))
for _f in each(math.gcd, math.lcm):
    zero(_f, "*xs", kind=_scalars(INT))
for _f in each(math.comb, math.perm):
    zero(_f, "n k", kind=_scalars(INT))
for _f in each(math.factorial, math.isqrt):
    zero(_f, "n", kind=_scalars(INT))


rule(
    math.frexp,
    "x",
    kind=lambda args, attrs: (FLOAT, INT),
    vjp=lambda b, g, out, x: [None if g[0] is None else b.op("math.ldexp", g[0], b.neg(out[1]))],
    jvp=lambda b, dots, out, x: (b.op("math.ldexp", dots[0], b.neg(out[1])), None),
    samples=[sample(2.75), sample(-1.5)],
)
rule(
    math.nextafter,
    "x y",
    kind=_scalars(FLOAT),
    vjp=("g", None),
    jvp=("x_dot", None),
    samples=[sample(2.75, 3.0)],
)
zero(math.ulp, "x", kind=_scalars(FLOAT))


def modf_vjp(b: Builder, g: Sequence[Atom | None], out: Any, x: Atom) -> list[Any]:
    return [g[0]]


rule(
    math.modf,
    "x",
    kind=lambda args, attrs: (FLOAT, FLOAT),
    vjp=modf_vjp,
    jvp=lambda b, dots, out, x: (dots[0], None),
    samples=[sample(2.75), sample(-1.5)],
)
