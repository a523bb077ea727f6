"""Interpolation, convolution, polynomials, padding, gradients on a grid.

In: nothing. Out: records in the registry.

    np.interp(x, xp, fp):   x_bar = g * interp_slope(x, xp, fp)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..ir.kinds import Array, Kind, Num, promote
from ..ir.nodes import Atom, Const
from . import helpers
from .declare import rule, sample
from .kindrules import as_array, elementwise_kind
from .linear import rank
from .registry import KindError

if TYPE_CHECKING:
    from ..ir.builder import Builder

# -- interpolation -------------------------------------------------------------------------------


def interp_kind(args: Sequence[Atom], attrs: Any) -> Kind:
    return elementwise_kind("float64", [as_array(args[0].kind)])


def _no_nodes() -> Atom:
    raise KindError("np.interp has no derivative with respect to its nodes xp")


def interp_vjp(b: Builder, g: Atom, out: Atom, x: Atom, xp: Atom, fp: Atom) -> list[Any]:
    return [
        lambda: b.mul(g, b.op("interp_slope", x, xp, fp)),
        _no_nodes,
        lambda: b.op("interp_scatter", g, x, xp),
    ]


def interp_jvp(b: Builder, dots: Any, out: Atom, x: Atom, xp: Atom, fp: Atom) -> Any:
    if dots[1] is not None:
        _no_nodes()
    terms = []
    if dots[0] is not None:
        terms.append(b.mul(b.op("interp_slope", x, xp, fp), dots[0]))
    if dots[2] is not None:
        terms.append(b.op("np.interp", x, xp, dots[2]))
    return terms[0] if len(terms) == 1 else b.add(*terms)


_NODES = [0, 1, 3]
rule(
    np.interp,
    "x xp fp",
    kind=interp_kind,
    vjp=interp_vjp,
    jvp=interp_jvp,
    samples=[
        sample(np.array([-0.5, 0.25, 2.0, 4.0]), _NODES, np.array([1.0, 3.0, 2.0])),
        sample(0.25, _NODES, np.array([1.0, 3.0, 2.0])),
    ],
)
rule(
    helpers.interp_slope,
    "x xp fp",
    name="interp_slope",
    kind=interp_kind,
    vjp=lambda b, g, out, x, xp, fp: [None, _no_nodes, b.op("interp_slope_scatter", g, x, xp)],
    jvp=(None, None, "interp_slope(x, xp, fp_dot)"),
    samples=[sample(np.array([0.25, 2.0]), _NODES, np.array([1.0, 3.0, 2.0]))],
)


def _like_nodes(args: Sequence[Atom], attrs: Any) -> Kind:
    k = as_array(args[2].kind)
    return Array("float64", k.dims if isinstance(k, Array) else None)


rule(
    helpers.interp_scatter,
    "v x xp",
    name="interp_scatter",
    kind=_like_nodes,
    vjp=lambda b, g, out, v, x, xp: [
        b.op("np.interp", x, xp, g),
        b.mul(v, b.op("interp_slope", x, xp, g)),
        _no_nodes,
    ],
    jvp=("interp_scatter(v_dot, x, xp)", "interp_slope_scatter(v * x_dot, x, xp)", None),
    samples=[sample(np.array([1.5, 0.5]), np.array([0.25, 2.0]), _NODES)],
)
rule(
    helpers.interp_slope_scatter,
    "v x xp",
    name="interp_slope_scatter",
    kind=_like_nodes,
    vjp=("interp_slope(x, xp, g)", None, None),
    jvp=("interp_slope_scatter(v_dot, x, xp)", None, None),
    samples=[sample(np.array([1.5, 0.5]), np.array([0.25, 2.0]), _NODES)],
)

# -- polynomials ---------------------------------------------------------------------------------


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

    return [wrt_p, lambda: b.mul(g, b.op("np.polyval", _derived(b, p), x))]


def _derived(b: Builder, p: Atom) -> Atom:
    degrees = b.text("flip(arange(1, n))", n=b.op("len", p))
    return b.mul(b.text("p[:-1]", p=b.op("np.asarray", p)), degrees)


def polyval_jvp(b: Builder, dots: Any, out: Atom, p: Atom, x: Atom) -> Any:
    terms = []
    if dots[0] is not None:
        terms.append(b.op("np.polyval", dots[0], x))
    if dots[1] is not None:
        terms.append(b.mul(b.op("np.polyval", _derived(b, p), x), dots[1]))
    return terms[0] if len(terms) == 1 else b.add(*terms)


rule(
    np.polyval,
    "p x",
    kind=polyval_kind,
    vjp=polyval_vjp,
    jvp=polyval_jvp,
    samples=[
        sample(np.array([1.0, -2.0, 0.5]), np.array([0.3, 2.0])),
        sample(np.array([1.0, -2.0, 0.5]), np.float64(0.3)),
        sample(np.array([1.0]), np.array([0.3, 2.0])),
        sample(np.array([1.0, 2.0]), np.array([[0.3, 2.0]])),
    ],
)


def vander_kind(args: Sequence[Atom], attrs: Any) -> Kind:
    from .kindrules import dim_of

    k = as_array(args[0].kind)
    if not isinstance(k, Array) or k.dims is None or len(k.dims) != 1:
        raise KindError("np.vander needs a vector")
    return Array(k.dtype, (k.dims[0], dim_of(args[1]) if len(args) > 1 else k.dims[0]))


def vander_slope(b: Builder, x: Atom, out: Atom) -> Atom:
    """The derivative of each power: the power below, times the exponent."""
    below = b.text("concatenate((out[:, 1:], 0.0 * out[:, :1]), axis=1)", out=out)
    width = b.op("item", b.op("shape", out), Const.of(1))
    return b.mul(below, b.text("flip(arange(n))", n=width))


rule(
    np.vander,
    "x N=None",
    kind=vander_kind,
    vjp=lambda b, g, out, x, N=None: [
        b.op("np.sum", b.mul(g, vander_slope(b, x, out)), axis=1),
        None,
    ],
    jvp=lambda b, dots, out, x, N=None: b.mul(
        vander_slope(b, x, out), b.text("t[:, None]", t=dots[0])
    ),
    samples=[sample(np.array([0.5, 2.0, -1.0])), sample(np.array([0.5, 2.0]), 4)],
)

_LONG, _SHORT = np.array([1.0, 2.0, -1.0, 0.5]), np.array([0.5, 1.5, 2.5])

# -- padding and grids ---------------------------------------------------------------------------


def _widths(pad_width: Any, ndim: int) -> list[tuple[int, int]]:
    pairs = np.broadcast_to(np.asarray(pad_width), (ndim, 2))
    return [(int(lo), int(hi)) for lo, hi in pairs]


def pad_vjp(b: Builder, g: Atom, out: Atom, array: Atom, **o: Any) -> list[Any]:
    if o.get("mode", "constant") != "constant":
        raise KindError(f"np.pad with mode={o['mode']!r} has no derivative here")
    index = tuple(
        slice(lo or None, -hi or None) for lo, hi in _widths(o["pad_width"], rank(array))
    )
    return [b.op("item", g, Const.of(index if len(index) > 1 else index[0]))]


def pad_jvp(b: Builder, dots: Sequence[Atom], out: Atom, array: Atom, **o: Any) -> Atom:
    if o.get("mode", "constant") != "constant":
        raise KindError(f"np.pad with mode={o['mode']!r} has no derivative here")
    return b.op("np.pad", dots[0], pad_width=o["pad_width"])


rule(
    np.pad,
    "array",
    "pad_width, mode='constant', *, constant_values=0",
    vjp=pad_vjp,
    jvp=pad_jvp,
    samples=[
        sample(_SHORT, pad_width=1),
        sample(np.ones((2, 3)), pad_width=((1, 0), (0, 2))),
        sample(_SHORT, pad_width=(2, 1), constant_values=5.0),
    ],
)


def gradient_vjp(b: Builder, g: Atom, out: Atom, f: Atom, *spacing: Atom) -> list[Any]:
    if rank(f) != 1 or any(not isinstance(h.kind, Num) for h in spacing) or len(spacing) > 1:
        raise KindError("np.gradient has a derivative for vectors with one spacing only")
    bar = b.op("gradient_bar", g)
    if not spacing:
        return [bar]
    h = spacing[0]
    return [b.div(bar, h), lambda: b.neg(b.div(b.mul(g, out), h))]


def gradient_jvp(b: Builder, dots: Any, out: Atom, f: Atom, *spacing: Atom) -> Any:
    terms = []
    if dots[0] is not None:
        terms.append(b.op("np.gradient", dots[0], *spacing))
    if len(dots) > 1 and dots[1] is not None:
        terms.append(b.neg(b.div(b.mul(out, dots[1]), spacing[0])))
    return terms[0] if len(terms) == 1 else b.add(*terms)


rule(
    np.gradient,
    "f *spacing",
    kind=lambda args, attrs: as_array(args[0].kind),
    vjp=gradient_vjp,
    jvp=gradient_jvp,
    samples=[sample(_LONG), sample(_LONG, 0.5), sample(_LONG[:2]), sample(np.arange(7.0) ** 2)],
)
rule(
    helpers.gradient_bar,
    "v",
    name="gradient_bar",
    kind=lambda args, attrs: args[0].kind,
    vjp="gradient(g)",
    jvp="linear",
    samples=[sample(_LONG)],
)
