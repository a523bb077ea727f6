"""Interpolants as functions of their nodes, values and points, and their adjoints.

In: arrays. Out: new ones.

    cubic_spline([0, 1, 2, 3], [0, 1, 4, 9], 1.5)   ->   2.25
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import interpolate

__all__ = ["cubic_spline", "cubic_spline_bar", "interpolant", "interpolant_bar"]


def cubic_spline(x: Any, y: Any, xi: Any, nu: int = 0, **options: Any) -> Any:
    """``CubicSpline(x, y)(xi, nu)``."""
    return interpolate.CubicSpline(x, y, **options)(xi, nu)


def cubic_spline_bar(g: Any, x: Any, xi: Any, nu: int = 0, **options: Any) -> Any:
    """The cotangent of the values of a cubic spline, which is linear in them."""
    options.pop("axis", None)
    basis = interpolate.CubicSpline(x, np.eye(len(x)), **options)(xi, nu)
    return np.tensordot(g, basis, np.ndim(g))


def interpolant(x: Any, y: Any, xi: Any, nu: int = 0, **options: Any) -> Any:
    """``interp1d(x, y)(xi)``, or its derivative of order nu."""
    f = interpolate.interp1d(x, y, **_named(options))
    if nu == 0:
        return f(xi)
    return _derivative(x, y, xi, nu, options)


def interpolant_bar(g: Any, x: Any, xi: Any, nu: int = 0, **options: Any) -> Any:
    """The cotangent of the values of an interpolant, which is linear in them."""
    basis = np.array([_of_unit(x, k, xi, nu, options) for k in range(len(x))])
    return np.tensordot(basis, g, np.ndim(g))


def _of_unit(x: Any, k: int, xi: Any, nu: int, options: dict[str, Any]) -> Any:
    """The interpolant of the values that are 0 but for a 1 at node k."""
    unit = np.zeros(len(x))
    unit[k] = 1.0
    if options.get("fill_value") is not None and options["fill_value"] != "extrapolate":
        options = {**options, "fill_value": 0.0}
    return interpolant(x, unit, xi, nu, **options)


def _named(options: dict[str, Any]) -> dict[str, Any]:
    """The options that were given."""
    return {k: v for k, v in options.items() if v is not None}


def _derivative(x: Any, y: Any, xi: Any, nu: int, options: dict[str, Any]) -> Any:
    """Of a step function 0, of lines their slope, of splines that of the spline."""
    kind = options.get("kind", "linear")
    order = np.argsort(x, kind="stable")
    x, y, xi = np.asarray(x)[order], np.asarray(y)[order], np.asarray(xi, float)
    degree = {"slinear": 1, "linear": 1, "quadratic": 2, "cubic": 3}.get(kind, kind)
    if isinstance(degree, str):
        out = np.zeros(xi.shape)
    elif degree == 1:
        k = np.clip(np.searchsorted(x, xi, side="right") - 1, 0, len(x) - 2)
        out = (y[k + 1] - y[k]) / (x[k + 1] - x[k]) if nu == 1 else np.zeros(xi.shape)
    else:
        out = interpolate.make_interp_spline(x, y, k=degree)(xi, nu)
    if options.get("fill_value") == "extrapolate":
        return out
    return np.where((xi >= x[0]) & (xi <= x[-1]), out, 0.0)
