"""Polynomials as NumPy has them: arrays of coefficients, the highest power first.

In: nothing. Out: records in the registry.

    np.polyval(p, x):   p_bar = g @ np.vander(x, len(p))
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..ir.kinds import Array, Kind, Num, Size, promote
from ..ir.nodes import Atom, Const
from . import polynomial_helpers as helpers
from .declare import each, rule, sample
from .derived import derived
from .kindrules import as_array, dim_of, elementwise_kind
from .linear import rank
from .pieces import conj
from .reductions import given
from .registry import KindError

if TYPE_CHECKING:
    from ..ir.builder import Builder

_P = np.array([1.0, -2.0, 0.5])
_Q = np.array([0.5, 1.5, 2.5, -1.0])

# -- values --------------------------------------------------------------------------------------


def polyval_kind(args: Sequence[Atom], attrs: Any) -> Kind:
    p, x = (as_array(a.kind) for a in args)
    return elementwise_kind(promote(p, x), [x])


def polyval_vjp(b: Builder, g: Atom, out: Atom, p: Atom, x: Atom) -> list[Any]:
    """The powers of x weigh the coefficients; the derived polynomial weighs x."""

    def wrt_p() -> Atom:
        if rank(x) == 0:
            powers = b.op("np.vander", b.op("np.atleast_1d", x), b.op("len", p))
            return b.mul(g, b.op("item", powers, Const.of(0)))
        powers = b.op("np.vander", b.op("np.ravel", x), b.op("len", p))
        return b.op("matmul", b.op("np.ravel", g), powers)

    return [wrt_p, lambda: b.mul(g, b.op("np.polyval", _slopes(b, p), x))]


def _slopes(b: Builder, p: Atom) -> Atom:
    """The coefficients of the derivative."""
    degrees = b.text("flip(arange(1, n))", n=b.op("len", p))
    return b.mul(b.text("p[:-1]", p=b.op("np.asarray", p)), degrees)


def polyval_jvp(b: Builder, dots: Any, out: Atom, p: Atom, x: Atom) -> Any:
    terms = []
    if dots[0] is not None:
        terms.append(b.op("np.polyval", dots[0], x))
    if dots[1] is not None:
        terms.append(b.mul(b.op("np.polyval", _slopes(b, p), x), dots[1]))
    return terms[0] if len(terms) == 1 else b.add(*terms)


rule(
    np.polyval,
    "p x",
    kind=polyval_kind,
    vjp=polyval_vjp,
    jvp=polyval_jvp,
    samples=[
        sample(_P, np.array([0.3, 2.0])),
        sample(_P, np.float64(0.3)),
        sample(np.array([1.0]), np.array([0.3, 2.0])),
        sample(np.array([1.0, 2.0]), np.array([[0.3, 2.0]])),
    ],
)


def vander_kind(args: Sequence[Atom], attrs: Any) -> Kind:
    k = as_array(args[0].kind)
    if not isinstance(k, Array) or k.dims is None or len(k.dims) != 1:
        raise KindError("np.vander needs a vector")
    some = len(args) > 1 and given(args[1]) is not None
    dtype = np.promote_types(k.dtype, int).name
    return Array(dtype, (k.dims[0], dim_of(args[1]) if some else k.dims[0]))


def vander_slope(b: Builder, out: Atom, increasing: bool) -> Atom:
    """The derivative of each power: the power below, times the exponent."""
    powers = b.text("arange(n)", n=b.op("item", b.op("shape", out), Const.of(1)))
    if increasing:
        below = b.text("concatenate((0.0 * out[:, :1], out[:, :-1]), axis=1)", out=out)
        return b.mul(below, powers)
    below = b.text("concatenate((out[:, 1:], 0.0 * out[:, :1]), axis=1)", out=out)
    return b.mul(below, b.op("np.flip", powers))


def vander_vjp(b: Builder, g: Atom, out: Atom, x: Atom, N: Any = None, **o: Any) -> list[Any]:
    slope = vander_slope(b, out, bool(o.get("increasing")))
    return [b.op("np.sum", b.mul(g, slope), axis=1), None]


def vander_jvp(b: Builder, dots: Any, out: Atom, x: Atom, N: Any = None, **o: Any) -> Atom:
    return b.mul(vander_slope(b, out, bool(o.get("increasing"))), b.text("t[:, None]", t=dots[0]))


rule(
    np.vander,
    "x N=None",
    "increasing=False",
    kind=vander_kind,
    vjp=vander_vjp,
    jvp=vander_jvp,
    samples=[
        sample(np.array([0.5, 2.0, -1.0])),
        sample(np.array([0.5, 2.0]), 4),
        sample(np.array([0.5, 0.0]), 3, increasing=True),
        sample(np.array([0.5, 2.0]), 1),
        sample(np.array([0.5, 2.0], "float32"), 3),
    ],
)

# -- calculus ------------------------------------------------------------------------------------


def _polyder(b: Builder, p: Atom, m: int = 1) -> Atom:
    for _ in range(m):
        p = _slopes(b, p)
    return p


def _polyint(b: Builder, p: Atom, k: Any = None, m: int = 1) -> Atom:
    for n in range(m):
        last: Atom = Const.of(0.0)
        if given(k) is not None:
            last = k if rank(k) == 0 else b.op("item", k, Const.of(n))
        last = b.op("np.full", Const.of(1), last)
        shares = b.div(p, b.text("flip(arange(1, n + 1))", n=b.op("len", p)))
        p = b.op("np.concatenate", b.op("tuple", shares, last))
    return p


def _longer(args: Sequence[Atom], attrs: Any) -> Kind:
    k = as_array(args[0].kind)
    return Array(k.dtype if k.dtype[0] in "fc" else "float64", (Size(),))


_vjp, _jvp = derived(_polyder)
rule(
    np.polyder,
    "p",
    "m=1",
    kind=_longer,
    vjp=_vjp,
    jvp=_jvp,
    samples=[sample(_Q), sample(_Q, m=2), sample(_Q, m=0)],
)
_vjp, _jvp = derived(_polyint)
rule(
    np.polyint,
    "p k=None",
    signature_of="p, m=1, k=None",
    kind=_longer,
    vjp=_vjp,
    jvp=_jvp,
    samples=[
        sample(_Q),
        sample(_Q, m=2),
        sample(_Q, 3.0),
        sample(_Q, np.array([3.0, 1.0]), m=2),
        sample(_Q, [3.0, 1.0], m=2),
    ],
)

# -- algebra -------------------------------------------------------------------------------------


def _last(b: Builder, g: Atom, x: Atom, sign: int) -> Atom:
    """The part of the cotangent that stands over the coefficients of ``x``."""
    if isinstance(x.kind, Num):
        part = b.op("item", g, Const.of(-1))
    else:
        start = b.sub(b.op("len", g), b.op("np.size", x))
        none = Const.of(None)
        part = b.op("item", g, b.op("slice", start, none, none))
    return part if sign > 0 else b.neg(part)


def _sums(args: Sequence[Atom], attrs: Any) -> Kind:
    return Array(promote(*(as_array(a.kind) for a in args)), (Size(),))


def _sum_vjp(sign: int) -> Any:
    def vjp(b: Builder, g: Atom, out: Atom, a1: Atom, a2: Atom) -> list[Any]:
        return [lambda: _last(b, g, a1, 1), lambda: _last(b, g, a2, sign)]

    return vjp


for _f, _sign in each((np.polyadd, 1), (np.polysub, -1)):
    rule(
        _f,
        "a1 a2",
        kind=_sums,
        vjp=_sum_vjp(_sign),
        jvp="linear",
        samples=[
            sample(_P, _Q),
            sample(_Q, _P),
            sample(_P, 2.0),
            sample(1.5, _P),
            sample([1.0, 2.0], _P),
        ],
    )


def polymul_vjp(b: Builder, g: Atom, out: Atom, a1: Atom, a2: Atom) -> list[Any]:
    """Leading zeros were trimmed: their places count as 0."""

    def one(x: Atom, y: Atom) -> Atom:
        x1, y1 = (b.op("np.atleast_1d", v) for v in (x, y))
        full = b.text(
            "concatenate((zeros(n + m - 1 - k), g))",
            n=b.op("len", x1),
            m=b.op("len", y1),
            k=b.op("len", g),
            g=g,
        )
        bar = b.op("np.correlate", full, conj(b, y1), mode="valid")
        return b.op("item", bar, Const.of(0)) if isinstance(x.kind, Num) else bar

    return [lambda: one(a1, a2), lambda: one(a2, a1)]


def polymul_jvp(b: Builder, dots: Any, out: Atom, a1: Atom, a2: Atom) -> Any:
    terms = []
    for t, other in ((dots[0], a2), (dots[1], a1)):
        if t is not None:
            t, other = (b.op("np.atleast_1d", v) for v in (t, other))
            terms.append(b.op("np.convolve", t, other))
    total = terms[0] if len(terms) == 1 else b.add(*terms)
    start = b.sub(b.op("len", total), b.op("len", out))
    return b.op("item", total, b.op("slice", start, Const.of(None), Const.of(None)))


rule(
    np.polymul,
    "a1 a2",
    kind=_sums,
    vjp=polymul_vjp,
    jvp=polymul_jvp,
    samples=[sample(_P, _Q), sample(_Q, _P), sample(_P, 2.0), sample(1.5, _P)],
)


def _poly_kind(args: Sequence[Atom], attrs: Any) -> Kind:
    k = as_array(args[0].kind)
    if not isinstance(k, Array) or k.rank != 1:
        raise KindError("np.poly has a derivative for a list of roots, not for a matrix")
    return Array(k.dtype, (Size(),))


rule(
    np.poly,
    "seq_of_zeros",
    kind=_poly_kind,
    vjp="-(poly_others(seq_of_zeros) @ g[1:])",
    jvp=lambda b, dots, out, x: b.text(
        "-concatenate((zeros(1), t @ poly_others(x)))", t=b.op("np.asarray", dots[0]), x=x
    ),
    samples=[sample(_P), sample([1.0, 2.0]), sample(np.array([2.0, 2.0, 0.0])), sample(_Q[:1])],
)
rule(
    helpers.poly_others,
    "x",
    name="poly_others",
    kind=lambda args, attrs: Array("float64", (Size(), Size())),
    vjp="poly_others_bar(g, x)",
    jvp="poly_others_dot(x_dot, x)",
    samples=[sample(_P), sample(_Q)],
)
rule(
    helpers.poly_others_bar,
    "v x",
    name="poly_others_bar",
    kind=lambda args, attrs: as_array(args[1].kind),
)
rule(
    helpers.poly_others_dot,
    "t x",
    name="poly_others_dot",
    kind=lambda args, attrs: Array("float64", (Size(), Size())),
)
