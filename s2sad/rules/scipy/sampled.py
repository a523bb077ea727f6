"""Helpers of interpolation and of integrals of sampled functions, for derivatives to call.

In: values at given points. Out: weights and cotangents of them.

    simpson_weights([0, 0, 0], None)   ->   [1/3, 4/3, 1/3]
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy import integrate

from ...ir.kinds import Array, Kind
from ...ir.nodes import Atom
from ..kindrules import as_array
from ..registry import KindError

__all__ = ["cumulative_bar", "simpson_weights", "values_kind", "weights_kind"]


def simpson_weights(y: Any, x: Any, dx: float = 1.0, axis: int = -1) -> Any:
    """What ``simpson`` multiplies the values with, which it is linear in.

    A few points have theirs from ``simpson`` itself, as the last ones of an even number do; the
    others from the composite rule for unequal intervals.
    """
    n = np.shape(y)[axis]
    if n < 24:
        return integrate.simpson(np.eye(n), x=x, dx=dx, axis=0) if n else np.zeros(0)
    out = np.zeros(n)
    h = np.full(n - 1, float(dx)) if x is None else np.diff(np.asarray(x, float))
    last = n if n % 2 else n - 3  # an even number of points: the last interval has its own rule
    out[:last] = _odd_weights(h[: last - 1])
    if n % 2 == 0:
        tail = integrate.simpson(np.eye(4), x=np.concatenate([[0.0], np.cumsum(h[-3:])]), axis=0)
        out[n - 4 :] += tail
    return out


def _odd_weights(h: Any) -> Any:
    """The composite rule for unequal intervals, of which there is an even number."""
    h0, h1 = h[::2], h[1::2]
    total = (h0 + h1) / 6
    out = np.zeros(len(h) + 1)
    out[:-2:2] += total * (2 - h1 / h0)
    out[1:-1:2] += total * (h0 + h1) ** 2 / (h0 * h1)
    out[2::2] += total * (2 - h0 / h1)
    return out


def weights_kind(args: Sequence[Atom], attrs: Any) -> Kind:
    """A vector as long as the axis of y."""
    y = as_array(args[0].kind)
    if not isinstance(y, Array) or y.dims is None:
        raise KindError("the number of axes is not known here")
    return Array("float64", (y.dims[attrs.get("axis", -1)],))


def values_kind(args: Sequence[Atom], attrs: Any) -> Kind:
    """As the values are (the second operand), in the dtype of the cotangent."""
    g, y = (as_array(a.kind) for a in args[:2])
    return Array(g.dtype, getattr(y, "dims", None))


def cumulative_bar(
    g: Any, y: Any, x: Any, dx: float = 1.0, axis: int = -1, initial: Any = None
) -> Any:
    """The cotangent of the values of ``cumulative_trapezoid``."""
    g = np.moveaxis(g, axis, -1)
    if initial is not None:
        g = g[..., 1:]
    later = np.cumsum(g[..., ::-1], axis=-1)[..., ::-1]
    half = 0.5 * later * (dx if x is None else np.diff(x))
    out = np.zeros((*half.shape[:-1], half.shape[-1] + 1), half.dtype)
    out[..., :-1] += half
    out[..., 1:] += half
    return np.moveaxis(out, -1, axis)
