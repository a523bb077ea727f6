"""Weighted means, variances and standard deviations.

In: nothing. Out: records in the registry.

    np.var(x):   x_bar = 2 * g * (x - mean(x)) / x.size
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..ir.nodes import Atom, Const
from . import kindrules as kr
from .declare import rule, sample
from .derived import derived
from .examplekinds import by_example
from .linear import rank
from .pieces import conj
from .reductions import (
    Axis,
    axis_samples,
    chosen,
    given,
    kept,
    number,
    reduced,
    where_samples,
)

if TYPE_CHECKING:
    from ..ir.builder import Builder


def _average(b: Builder, a: Atom, weights: Any = None, **o: Any) -> Any:
    """The weighted mean, and the sum of the weights where ``returned`` asks for it."""
    axis = o.get("axis")
    over: dict[str, Any] = {} if axis is None else {"axis": axis}
    if o.get("keepdims"):
        over["keepdims"] = True
    w = given(weights)
    if w is None:
        mean = b.op("np.mean", a, **over)
        if not o.get("returned"):
            return mean
        return mean, b.op("np.sum", b.op("np.ones_like", a), **over)
    w = _lined_up(b, w, a, axis)
    spread_out = b.op("broadcast_like", w, a) if rank(w) < rank(a) or w is not weights else w
    total = b.op("np.sum", spread_out, **over)
    mean = b.div(b.op("np.sum", b.mul(a, w), **over), total)
    return (mean, total) if o.get("returned") else mean


def _lined_up(b: Builder, weights: Atom, a: Atom, axis: Axis) -> Atom:
    """Weights of the reduced axes, in a shape that broadcasts against ``a``."""
    if axis is None or rank(weights) == rank(a):
        return weights
    axes = [k % rank(a) for k in (axis if isinstance(axis, tuple) else (axis,))]
    order = tuple(int(k) for k in np.argsort(axes))
    if len(axes) > 1 and order != tuple(range(len(axes))):
        weights = b.op("np.transpose", weights, axes=order)
    index = tuple(slice(None) if k in axes else None for k in range(rank(a)))
    index = index[min(axes) :]
    return weights if None not in index else b.op("item", weights, Const.of(index))


def _average_kind(args: Sequence[Atom], attrs: Any) -> Any:
    """As the mean's, with the dtype of the weights taken in."""
    options = {k: attrs[k] for k in ("axis", "keepdims") if k in attrs}
    mean: Any = by_example(np.mean)(args[:1], options)
    dtypes = [kr.as_array(x.kind).dtype for x in args if given(x) is not None]
    dtype = np.result_type(
        *map(np.dtype, dtypes),
        np.dtype(
            "float64" if len(dtypes) > 1 and any(d[0] in "iub" for d in dtypes) else dtypes[0]
        ),
    ).name
    dtype = dtype if dtype[0] in "fc" else "float64"
    kind = dataclasses.replace(mean, dtype=dtype)
    return (kind, kind) if attrs.get("returned") else kind


_vjp, _jvp = derived(_average)
rule(
    np.average,
    "a weights=None",
    signature_of="a, axis=None, weights=None, returned=False, *, keepdims=False",
    vjp=_vjp,
    jvp=_jvp,
    kind=_average_kind,
    samples=lambda: [
        sample(np.array([1.0, 4.0])),
        sample(np.array([1.0, 4.0]), np.array([0.5, 2.5])),
        sample(np.array([[1.0, 4.0, 2.0], [0.0, 1.0, 5.0]]), np.array([0.5, 2.5]), axis=0),
        sample(np.array([[1.0, 4.0, 2.0], [0.0, 1.0, 5.0]]), np.array([0.5, 2.5, 1.0]), axis=1),
        sample(np.array([1.0, 4.0]), [0.5, 2.5]),
        sample(np.array([[1.0, 4.0], [2.0, 0.0]]), np.array([[0.5, 2.5], [1.5, 1.0]]), axis=0),
        sample(np.arange(12.0).reshape(2, 3, 2), np.arange(6.0).reshape(2, 3) + 1, axis=(0, 1)),
        sample(np.arange(12.0).reshape(2, 3, 2), np.arange(6.0).reshape(3, 2) + 1, axis=(1, 2)),
        sample(np.array([1.0, 4.0]), np.array([0.5, 2.5]), returned=True),
        sample(np.array([[1.0, 4.0]]), np.array([0.5, 2.5]), axis=1, keepdims=True),
        sample(np.array([1.0, 4.0], "float32"), np.array([0.5, 2.5], "float32")),
    ],
)

# -- spread about the mean -----------------------------------------------------------------------


def _centred(b: Builder, a: Atom, axis: Axis, where: Atom | None = None) -> Atom:
    over: dict[str, Any] = {} if axis is None else {"axis": axis, "keepdims": True}
    mean = b.op("np.mean", a, *([] if where is None else [where]), **over)
    centred = chosen(b, where, b.sub(a, mean))
    return conj(b, centred)  # a variance is the mean of conj(centred) * centred


def _freedom(
    b: Builder, a: Atom, where: Atom | None, o: dict[str, Any], keepdims: bool = False
) -> Atom:
    less = o.get("correction", o.get("ddof", 0)) or 0
    return b.sub(number(b, a, o.get("axis"), where, keepdims), Const.of(less))


def var_vjp(b: Builder, g: Atom, out: Atom, a: Atom, where: Any = None, **o: Any) -> list[Any]:
    axis, where = o.get("axis"), given(where)
    up = b.mul(Const.of(2.0), kept(b, g, a, axis, o.get("keepdims")))
    below = _freedom(b, a, where, o, where is not None and axis is not None)
    return [b.div(b.mul(up, _centred(b, a, axis, where)), below)]


def var_jvp(
    b: Builder, dots: Sequence[Atom], out: Atom, a: Atom, where: Any = None, **o: Any
) -> Atom:
    axis, where = o.get("axis"), given(where)
    over = {k: o[k] for k in ("axis", "keepdims") if k in o}
    inner = b.op("np.sum", b.mul(_centred(b, a, axis, where), dots[0]), **over)
    below = _freedom(b, a, where, o, bool(o.get("keepdims")))
    return b.div(b.mul(Const.of(2.0), inner), below)


def std_vjp(b: Builder, g: Atom, out: Atom, a: Atom, where: Any = None, **o: Any) -> list[Any]:
    axis, keepdims, where = o.get("axis"), o.get("keepdims"), given(where)
    free = _freedom(b, a, where, o, where is not None and axis is not None)
    below = b.mul(free, kept(b, out, a, axis, keepdims))
    up = b.mul(kept(b, g, a, axis, keepdims), _centred(b, a, axis, where))
    return [b.op("ratio", up, below)]


def std_jvp(
    b: Builder, dots: Sequence[Atom], out: Atom, a: Atom, where: Any = None, **o: Any
) -> Atom:
    return b.op("ratio", var_jvp(b, dots, out, a, where, **o), b.mul(Const.of(2.0), out))


for _f, _vjp, _jvp in ((np.var, var_vjp, var_jvp), (np.std, std_vjp, std_jvp)):
    rule(
        _f,
        "a where=None",
        kind=reduced(_f),
        signature_of="a, axis=None, dtype=None, out=None, ddof=0, keepdims=False, *, where=None,"
        " correction=0",
        vjp=_vjp,
        jvp=_jvp,
        samples=lambda: [
            *axis_samples((3,), (2, 3), (2, 3, 2))(),
            *axis_samples((3,), (3, 4), extra={"ddof": 1})(),
            *axis_samples((3, 4), extra={"correction": 1})(),
            *(sample(s.args[0], s.args[2], **s.attrs) for s in where_samples()),
            sample(where_samples()[0].args[0], where_samples()[0].args[2], ddof=1),
        ],
    )
