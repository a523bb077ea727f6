"""Gradients of samples on a grid: ``np.gradient``, and its formula at unequal distances.

In: nothing. Out: records in the registry. Both are linear in the samples; the derivative with
respect to distances comes from their definition.

    np.gradient(f)[1:-1]:   f_bar[2:] += g / 2;  f_bar[:-2] -= g / 2
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..ir.kinds import Array, Kind, Tuple
from ..ir.nodes import Atom
from . import grid_helpers as helpers
from .axes import column, part
from .declare import rule, sample
from .derived import derived
from .kindrules import as_array
from .linear import rank
from .registry import KindError

if TYPE_CHECKING:
    from ..ir.builder import Builder

_V = np.array([3.0, 1.0, 2.0, 0.5])
_M = np.array([[2.1, 0.3, -0.4, 1.0], [0.55, 1.6, 0.25, 0.5], [-0.2, 0.8, 2.7, 0.1]])


def _axes_of(f: Atom, axis: Any) -> list[int]:
    n = rank(f)
    if axis is None:
        return list(range(n))
    return [k % n for k in (axis if isinstance(axis, tuple | list) else (axis,))]


def _one_gradient(b: Builder, f: Atom, h: Atom | None, axis: int, edge: int) -> Atom:
    """The gradient along one axis, by the formulas of second order in NumPy's manual."""

    def at(start: Any, stop: Any) -> Atom:
        return part(b, f, axis, start, stop)

    if h is None or rank(h) == 0:
        options: dict[str, Any] = {} if edge == 1 else {"edge_order": edge}
        unit = b.op("np.gradient", f, axis=axis, **options)
        return unit if h is None else b.div(unit, h)
    steps = b.op("np.diff", h)
    one, two = b.text("d[:-1]", d=steps), b.text("d[1:]", d=steps)
    names = {"p": one, "q": two}
    left, middle, right = (
        column(b, b.text(t, **names), f, axis)
        for t in ("-q / (p * (p + q))", "(q - p) / (p * q)", "p / (q * (p + q))")
    )
    inner = b.add(
        b.add(b.mul(left, at(None, -2)), b.mul(middle, at(1, -1))), b.mul(right, at(2, None))
    )
    if edge == 1:
        first = b.div(b.sub(at(1, 2), at(0, 1)), b.text("d[0]", d=steps))
        last = b.div(b.sub(at(-1, None), at(-2, -1)), b.text("d[-1]", d=steps))
    else:
        p, q = b.text("d[0]", d=steps), b.text("d[1]", d=steps)
        first = _three(b, p, q, at(0, 1), at(1, 2), at(2, 3))
        p, q = b.text("d[-1]", d=steps), b.text("d[-2]", d=steps)
        last = b.neg(_three(b, p, q, at(-1, None), at(-2, -1), at(-3, -2)))
    return b.op("np.concatenate", b.op("tuple", first, inner, last), axis=axis)


def _three(b: Builder, p: Atom, q: Atom, f0: Atom, f1: Atom, f2: Atom) -> Atom:
    """The slope at the first of three points whose distances are p and q."""
    return b.text(
        "-(2.0 * p + q) / (p * (p + q)) * f0 + (p + q) / (p * q) * f1 - p / (q * (p + q)) * f2",
        p=p,
        q=q,
        f0=f0,
        f1=f1,
        f2=f2,
    )


def _gradient(
    b: Builder, f: Atom, *spacing: Atom, axis: Any = None, edge_order: int = 1
) -> Atom | tuple[Atom, ...]:
    axes = _axes_of(f, axis)
    hs: list[Atom | None] = list(spacing) or [None]
    if len(hs) == 1:
        hs = hs * len(axes)
    found = [_one_gradient(b, f, h, k, edge_order) for h, k in zip(hs, axes, strict=True)]
    return found[0] if len(found) == 1 else b.op("tuple", *found)


_all_vjp, _all_jvp = derived(_gradient)


def gradient_vjp(b: Builder, g: Atom, out: Atom, f: Atom, *spacing: Atom, **o: Any) -> list[Any]:
    axes = _axes_of(f, o.get("axis"))
    plain = len(axes) == 1 and not spacing
    if plain:
        return [b.op("gradient_bar", g, axis=axes[0], edge_order=o.get("edge_order", 1))]
    found: list[Any] = _all_vjp(b, g, out, f, *spacing, **o)
    return found


def gradient_jvp(b: Builder, dots: Any, out: Atom, f: Atom, *spacing: Atom, **o: Any) -> Any:
    if all(t is None for t in dots[1:]):
        return b.op("np.gradient", dots[0], *spacing, **o)
    return _all_jvp(b, dots, out, f, *spacing, **o)


def _gradient_kind(args: Sequence[Atom], attrs: Any) -> Kind:
    k = as_array(args[0].kind)
    if not isinstance(k, Array) or k.dims is None:
        raise KindError("the number of axes is not known here")
    one = Array(k.dtype if k.dtype[0] in "fc" else "float64", k.dims)
    axis = attrs.get("axis")
    count = len(k.dims) if axis is None else len(axis) if isinstance(axis, tuple) else 1
    return one if count == 1 else Tuple((one,) * count)


rule(
    np.gradient,
    "f *spacing",
    "axis=None, edge_order=1",
    kind=_gradient_kind,
    vjp=gradient_vjp,
    jvp=gradient_jvp,
    samples=[
        sample(_V),
        sample(_V, 0.5),
        sample(_V[:2]),
        sample(np.arange(7.0) ** 2),
        sample(_V, edge_order=2),
        sample(_V, np.array([0.0, 1.0, 1.5, 3.0])),
        sample(_V, np.array([0.0, 1.0, 1.5, 3.0]), edge_order=2),
        sample(_M),
        sample(_M, axis=0),
        sample(_M, 0.5, axis=-1, edge_order=2),
        sample(_M, 0.5, np.array([0.0, 1.0, 1.5, 3.0])),
        sample(_M, axis=(0, 1)),
        sample(_V.astype("float32")),
    ],
)
rule(
    helpers.gradient_bar,
    "v",
    "axis=0, edge_order=1",
    name="gradient_bar",
    kind=lambda args, attrs: args[0].kind,
    vjp="gradient(g, axis=axis, edge_order=edge_order)",
    jvp="linear",
    samples=[sample(_V), sample(_M, axis=1), sample(_M, axis=0, edge_order=2)],
)
