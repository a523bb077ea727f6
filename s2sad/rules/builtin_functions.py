"""Python's built-in functions: magnitudes, extremes, conversions, sorting.

In: nothing. Out: records in the registry.

    max(x, y):   x_bar = g * (x == out) / ((x == out) + (y == out))
"""

from __future__ import annotations

import builtins
import operator
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..ir.kinds import (
    BOOL,
    COMPLEX,
    FLOAT,
    INT,
    Array,
    Kind,
    ListOf,
    Mixed,
    Num,
)
from ..ir.nodes import Atom, Const, is_none
from . import helpers, staged
from . import kindrules as kr
from .apply import spread_like
from .containers import zeros_kind
from .declare import each, rule, sample, zero
from .registry import KindError, KindRule, primitive
from .sequence_sums import elements, plain

if TYPE_CHECKING:
    from ..ir.builder import Builder


# -- built-in functions --------------------------------------------------------------------------


def builtin_abs_vjp(b: Builder, g: Atom, out: Atom, x: Atom) -> list[Any]:
    if staged.weak(x) and staged.dtype_of(x)[0] != "c":
        return [b.mul(g, b.text("(x > 0) - (x < 0)", x=x))]
    return staged.abs_vjp(b, g, out, x)


def builtin_abs_jvp(b: Builder, dots: Sequence[Atom], out: Atom, x: Atom) -> Atom:
    tangent: Atom = builtin_abs_vjp(b, dots[0], out, x)[0]
    return b.op("np.real", tangent) if staged.dtype_of(x)[0] == "c" else tangent


def _abs_kind(args: Sequence[Atom], attrs: Any) -> Kind:
    (x,) = args
    if isinstance(x.kind, Num) and x.kind.weak:
        return FLOAT if x.kind.dtype[0] == "c" else kr.python_number(x.kind)
    return kr.ufunc_kind(np.abs)(args, attrs)  # type: ignore[return-value]


rule(
    builtins.abs,
    "x",
    kind=_abs_kind,
    vjp=builtin_abs_vjp,
    jvp=builtin_abs_jvp,
    aliases=(operator.abs,),
    samples=[
        sample(-1.5),
        sample(np.array([1.0, -2.0])),
        sample(0.0, expect=(0.0,)),
        sample(3 - 4j),
    ],
)


def _extreme_kind(args: Sequence[Atom], attrs: Any) -> Kind:
    if len(args) == 1:
        return elements(args[0].kind)
    for a in args:
        if isinstance(a.kind, Array) and a.kind.dims != ():
            raise KindError("max and min compare numbers; use np.maximum or np.minimum")
    return plain(kr.joined(args, attrs))


def extreme_vjp(b: Builder, g: Atom, out: Atom, *xs: Atom) -> list[Any]:
    """Ties share evenly."""
    if len(xs) == 1:
        from . import reductions

        if isinstance(xs[0].kind, Array):
            return reductions.extreme_vjp(b, g, out, xs[0])
        return [b.op("share_ties", g, out, xs[0])]
    chosen = [b.op("eq", x, out) for x in xs]
    count = chosen[0]
    if all(isinstance(c.kind, Num) and c.kind.weak for c in chosen):
        for c in chosen[1:]:
            count = b.add(count, c)
    else:
        count = b.mul(Const.of(1.0), count)
        for c in chosen[1:]:
            count = b.add(count, b.mul(Const.of(1.0), c))
    return [(lambda c=c: b.div(b.mul(g, c), count)) for c in chosen]


def extreme_jvp(b: Builder, dots: Any, out: Atom, *xs: Atom) -> Any:
    if len(xs) == 1:
        from . import reductions

        x, t = (a if isinstance(a.kind, Array) else b.op("np.array", a) for a in (xs[0], dots[0]))
        return reductions.extreme_jvp(b, (t,), out, x)
    return staged.linear_jvp(extreme_vjp)(b, dots, out, *xs)


for _f in each(builtins.max, builtins.min):
    rule(
        _f,
        "*xs",
        kind=_extreme_kind,
        vjp=extreme_vjp,
        jvp=extreme_jvp,
        samples=[
            sample(1.0, 2.0),
            sample(3.0, 2.0, 2.5),
            sample(0, -1.5),
            sample(0, 1.5),
            sample([1.0, 3.0, 2.0]),
            sample(np.array([1.0, 3.0, 2.0])),
            sample(np.float64(1.0), 2.0),
            sample(2.0, 2.0, expect=(0.5, 0.5)),
            sample([2.0, 2.0], expect=([0.5, 0.5],)),
        ],
    )
rule(
    helpers.share_ties,
    "v out_ xs",
    name="share_ties",
    kind=lambda args, attrs: zeros_kind(args[2].kind),
    vjp=("gather_ties(g, out_, xs)", None, None),
    jvp=("share_ties(v_dot, out_, xs)", None, None),
    samples=[sample(1.5, 2, [2, 1, 2])],
)
rule(
    helpers.gather_ties,
    "v out_ xs",
    name="gather_ties",
    kind=lambda args, attrs: elements(args[0].kind),
    vjp=("share_ties(g, out_, xs)", None, None),
    jvp=("gather_ties(v_dot, out_, xs)", None, None),
    samples=[sample([1.5, 2.5, 0.5], 2, [2, 1, 2])],
)


def _numeric_result(k: Num) -> KindRule:
    def kind(args: Sequence[Atom], attrs: Any) -> Kind:
        a = args[0] if args else Const.of(0)
        if isinstance(a.kind, Array) and a.kind.rank not in (0, None):
            if any(d != 1 for d in a.kind.dims or ()):
                raise KindError(
                    f"{k.dtype} of {kr.describe(a.kind)}: only size 1 can be converted"
                )
        if k is INT and isinstance(a.kind, Num) and a.kind.dtype == "int64":
            return Num("int64", True, a.kind.dim)
        return k

    return kind


def float_vjp(b: Builder, g: Atom, out: Atom, x: Atom) -> list[Any]:
    return [g if isinstance(x.kind, Num | Mixed) else spread_like(b, g, x)]


rule(
    builtins.float,
    "x",
    kind=_numeric_result(FLOAT),
    vjp=float_vjp,
    jvp="linear",
    samples=[sample(1.5), sample(np.float64(2.5)), sample(np.array(1.5)), sample(np.float32(0.5))],
)


def _complex_kind(args: Sequence[Atom], attrs: Any) -> Kind:
    return COMPLEX


rule(
    builtins.complex,
    "x y=0",
    kind=_complex_kind,
    vjp=("g", "1j * g"),
    jvp=("complex(x_dot)", "1j * y_dot"),
    samples=[sample(1.5, 2.0)],
)
zero(builtins.int, "x", kind=_numeric_result(INT))
zero(builtins.bool, "x", kind=lambda args, attrs: BOOL)
zero(builtins.any, "xs", kind=lambda args, attrs: BOOL)
zero(builtins.all, "xs", kind=lambda args, attrs: BOOL)


def _round_kind(args: Sequence[Atom], attrs: Any) -> Kind:
    k = args[0].kind
    if isinstance(k, Num) and k.weak is not False:
        return INT if len(args) == 1 or is_none(args[1]) else Num(k.dtype, k.weak)
    if isinstance(k, Num):
        return INT if len(args) == 1 else k
    return k


zero(builtins.round, "number ndigits=None", kind=_round_kind)


def _divmod_kind(args: Sequence[Atom], attrs: Any) -> tuple[Kind, ...]:
    floordiv, mod = primitive("floordiv").kind(args, attrs), primitive("mod").kind(args, attrs)
    assert isinstance(floordiv, Kind)
    assert isinstance(mod, Kind)
    return floordiv, mod


rule(
    builtins.divmod,
    "x y",
    kind=_divmod_kind,
    vjp=staged.divmod_vjp,
    jvp=staged.divmod_jvp,
    samples=[sample(5.5, 2.0), sample(-5.5, 2.0), sample(np.array([5.5]), 2.0)],
)


def _sorted_kind(args: Sequence[Atom], attrs: Any) -> Kind:
    k = args[0].kind
    return ListOf(elements(k)) if k != ListOf(None) else k


def sorted_vjp(b: Builder, g: Atom, out: Atom, xs: Atom, **o: Any) -> list[Any]:
    order = b.op("np.argsort", b.op("np.array", xs))
    if o.get("reverse"):
        order = b.op("np.flip", order)
    array = b.op("np.array", g)
    back = b.op("accumulate", b.op("np.zeros_like", array), order, array)
    return [back if isinstance(xs.kind, Array) else b.op("unstack", back, xs)]


rule(
    builtins.sorted,
    "iterable",
    "*, reverse=False",
    kind=_sorted_kind,
    vjp=sorted_vjp,
    jvp=lambda b, dots, out, xs, **o: b.op("unstack", sorted_tangent(b, dots[0], xs, **o), out),
    samples=[sample([3.0, 1.0, 2.0]), sample((3.0, 1.0, 2.0), reverse=True)],
)


def sorted_tangent(b: Builder, t: Atom, xs: Atom, **o: Any) -> Atom:
    order = b.op("np.argsort", b.op("np.array", xs))
    if o.get("reverse"):
        order = b.op("np.flip", order)
    return b.op("item", b.op("np.array", t), order)
