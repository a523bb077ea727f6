"""Interpolation of ``scipy.interpolate``: by values, and at points.

In: nothing. Out: records in the registry. ``CubicSpline(x, y)(xi)`` is one function of x, y and
xi here, which is linear in y.

    cubic_spline(x, y, xi)     y_bar = spline_bar(g, x, xi); xi_bar = g * the spline's derivative
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import interpolate

from ...ir.kinds import Array, Kind
from ...ir.nodes import Atom
from ..declare import define, rule, sample
from ..kindrules import as_array, elementwise_kind
from ..optional import makes
from ..registry import KindError
from ..staged import total
from . import splines

if TYPE_CHECKING:
    from ...ir.builder import Builder

_RNG = np.random.default_rng(9)
_X = np.array([0, 1, 3, 4, 6])
_Y = _RNG.uniform(-1.0, 1.0, 5)
_AT = np.array([[0.3, 1.7], [5.1, 3.9]])


def _value_kind(args: Sequence[Atom], attrs: Any) -> Kind:
    """As the points are, in double precision."""
    y, xi = as_array(args[1].kind), as_array(args[2].kind)
    if not isinstance(y, Array) or y.rank != 1 or y.dtype[0] == "c":
        raise KindError("splines have a rule for vectors of real values")
    _options(attrs)
    kind = elementwise_kind("float64", [xi])
    return kind if isinstance(kind, Array) else Array("float64", ())


def _options(o: Any) -> None:
    if not isinstance(o.get("bc_type", "not-a-knot"), str) or o.get("bc_type") == "periodic":
        raise KindError("CubicSpline has a rule for the ends 'not-a-knot', 'natural', 'clamped'")
    if o.get("axis", 0) not in (0, -1):
        raise KindError("splines have a rule for vectors of values")


def _at(o: Any, nu: int) -> dict[str, Any]:
    return {**{k: v for k, v in o.items() if k != "nu"}, "nu": nu}


def _linear(o: Any) -> dict[str, Any]:
    """The options for tangents: what is filled in outside of the nodes has none."""
    fill = o.get("fill_value")
    if fill is None or isinstance(fill, str):
        return dict(o)
    return {**o, "fill_value": 0.0}


def _bar_kind(args: Sequence[Atom], attrs: Any) -> Kind:
    """A value for each of the nodes."""
    x = as_array(args[1].kind)
    return Array("float64", getattr(x, "dims", None))


def _spline(value: Any, bar: Any, options: str, samples: Sequence[Any], signature: str) -> None:
    """The records of a family of interpolants, and of its adjoint."""
    fn, adjoint = value.__name__, bar.__name__

    def vjp(b: Builder, g: Atom, out: Atom, x: Atom, y: Atom, xi: Atom, **o: Any) -> list[Any]:
        def of_nodes() -> Atom:
            raise KindError(f"{fn} has no derivative with respect to its nodes x")

        return [
            of_nodes,
            lambda: b.op(adjoint, g, x, xi, **o),
            lambda: b.mul(g, b.op(fn, x, y, xi, **_at(o, o.get("nu", 0) + 1))),
        ]

    def jvp(
        b: Builder, dots: Sequence[Atom | None], out: Atom, x: Atom, y: Atom, xi: Atom, **o: Any
    ) -> Atom | None:
        x_dot, y_dot, xi_dot = dots
        if x_dot is not None:
            raise KindError(f"{fn} has no derivative with respect to its nodes x")
        return total(
            b,
            [
                None if y_dot is None else b.op(fn, x, y_dot, xi, **_linear(o)),
                None
                if xi_dot is None
                else b.mul(xi_dot, b.op(fn, x, y, xi, **_at(o, o.get("nu", 0) + 1))),
            ],
        )

    def bar_vjp(b: Builder, h: Atom, out: Atom, g: Atom, x: Atom, xi: Atom, **o: Any) -> list[Any]:
        return [
            lambda: b.op(fn, x, h, xi, **_linear(o)),
            None,
            lambda: b.mul(g, b.op(fn, x, h, xi, **_at(o, o.get("nu", 0) + 1))),
        ]

    def bar_jvp(
        b: Builder, dots: Sequence[Atom | None], out: Atom, g: Atom, x: Atom, xi: Atom, **o: Any
    ) -> Atom | None:
        g_dot, _, xi_dot = dots
        up = _at(o, o.get("nu", 0) + 1)
        return total(
            b,
            [
                None if g_dot is None else b.op(adjoint, g_dot, x, xi, **o),
                None if xi_dot is None else b.op(adjoint, b.mul(g, xi_dot), x, xi, **up),
            ],
        )

    rule(
        value,
        "x y xi",
        signature_of=signature,
        options="",
        name=fn,
        fun=value,
        kind=_value_kind,
        vjp=vjp,
        jvp=jvp,
        samples=samples,
    )
    rule(
        bar,
        "g x xi",
        options,
        name=adjoint,
        kind=_bar_kind,
        vjp=bar_vjp,
        jvp=bar_jvp,
        samples=[
            sample(_RNG.uniform(-1.0, 1.0, (2, 2)), _X, _AT),
            sample(np.array(0.7), _X, np.array(3.3)),
        ],
    )


_spline(
    splines.cubic_spline,
    splines.cubic_spline_bar,
    "nu=0, axis=0, bc_type='not-a-knot', extrapolate=None",
    [
        sample(_X, _Y, _AT),
        sample(_X, _Y, np.array(2.2)),
        sample(_X, _Y, _AT, bc_type="natural"),
        sample(_X, _Y, _AT, bc_type="clamped", nu=1),
        sample(_X, _Y, np.array([-1.0, 7.0])),
    ],
    "x, y, xi, nu=0, *, axis=0, bc_type='not-a-knot', extrapolate=None",
)
_spline(
    splines.interpolant,
    splines.interpolant_bar,
    "nu=0, kind='linear', axis=-1, copy=True, bounds_error=None, fill_value=None,"
    " assume_sorted=False",
    [
        sample(_X, _Y, _AT),
        sample(_X, _Y, np.array(2.2)),
        sample(_X, _Y, _AT, kind="cubic"),
        sample(_X, _Y, _AT, kind="quadratic"),
        sample(_X, _Y, _AT, kind="previous"),
        sample(_X, _Y, np.array([-1.0, 7.0]), fill_value="extrapolate"),
        sample(_X, _Y, np.array([-1.0, 7.0]), fill_value=0.5, bounds_error=False),
    ],
    "x, y, xi, nu=0, *, kind='linear', axis=-1, copy=True, bounds_error=None, fill_value=None,"
    " assume_sorted=False",
)
makes(interpolate.CubicSpline, splines.cubic_spline)
makes(interpolate.interp1d, splines.interpolant)


# -- curves made outside of the program -----------------------------------------------------------


def curve_value(xi: Any, *, curve: Any, nu: int = 0) -> Any:
    """``curve(xi, nu)``, of a piecewise polynomial or a B-spline that was made before."""
    return curve(xi, nu)


def _curve_kind(args: Sequence[Atom], attrs: Any) -> Kind:
    curve = attrs["curve"]
    if np.ndim(curve.c) != (2 if hasattr(curve, "from_spline") else 1) or np.iscomplexobj(curve.c):
        raise KindError("curves have a rule where their values are real numbers")
    kind = elementwise_kind("float64", [as_array(args[0].kind)])
    return kind if isinstance(kind, Array) else Array("float64", ())


def _steeper(b: Builder, g: Atom, xi: Atom, o: Any) -> Atom:
    return b.mul(g, b.op("curve_value", xi, curve=o["curve"], nu=o.get("nu", 0) + 1))


define(
    "curve_value",
    curve_value,
    "xi",
    _curve_kind,
    vjp=lambda b, g, out, xi, **o: [_steeper(b, g, xi, o)],
    jvp=lambda b, dots, out, xi, **o: _steeper(b, dots[0], xi, o),
    samples=(
        sample(_AT, curve=interpolate.CubicSpline(_X, _Y)),
        sample(np.array(2.2), curve=interpolate.PchipInterpolator(_X, _Y)),
        sample(_AT, curve=interpolate.make_interp_spline(_X, _Y)),
    ),
)
