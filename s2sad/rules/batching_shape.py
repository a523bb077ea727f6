"""Batch rules of functions that move elements about or make arrays of a given shape.

In: operands that carry the axis of the batch, shapes and axes that do not. Out: the same with one
more size in front of shapes, and axes counted one further.

    np.reshape(g: float64[B, 6], (2, 3))   ->   np.reshape(g, (B, 2, 3))
    np.transpose(g: float64[B, m, n])      ->   np.transpose(g, axes=(0, 2, 1))
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..ir.kinds import INT, Array, Kind, ListOf, Num, Tuple
from ..ir.nodes import Atom, Const, Op, Value
from . import helpers
from .batching import Batching, NoBatchRule, Operand, Results, batch_rule, lifted, shifted
from .declare import define, sample
from .kindrules import dim_of, dims_of, numeric

if TYPE_CHECKING:
    from ..ir.builder import Builder

__all__ = ["batch_shape", "joined_shapes"]

_ALL = slice(None)


def batch_shape(t: Batching, shape: Atom) -> Atom:
    """``(B, *shape)`` of a shape that is an int or a tuple."""
    b = t.b
    if isinstance(shape, Const):
        sizes = shape.value if isinstance(shape.value, tuple | list) else (shape.value,)
        return b.op("tuple", t.size(), *map(Const.of, sizes))
    if isinstance(shape.kind, Num):
        return b.op("tuple", t.size(), shape)
    node = b.origin(shape)
    if node is not None and node.fn == "tuple":
        return b.op("tuple", t.size(), *node.args)
    if node is not None and node.fn == "shape" and getattr(node.args[0].kind, "rank", None) == 1:
        return b.op("tuple", t.size(), b.op("len", node.args[0]))
    if isinstance(shape.kind, Tuple | ListOf):
        return joined_shapes(b, b.op("tuple", t.size()), shape)
    raise NoBatchRule


def _batch_of_kind(args: Sequence[Atom], attrs: Mapping[str, Any]) -> Kind:
    k = numeric(args[0].kind)
    dims = dims_of(k)
    return Array(k.dtype, None if dims is None else (dim_of(args[1]), *dims))


#: Written for values of the reverse sweep of a recursive function that may not have been reached.
define(
    "batch_of",
    helpers.batch_of,
    "x n",
    _batch_of_kind,
    vjp=lambda b, g, out, x, n: [b.op("np.sum", g, axis=0), None],
    jvp="batch_of(x_dot, n)",
    samples=[sample(np.ones(2), 3), sample(np.ones((2, 1), "float32"), 2)],
)


def joined_shapes(b: Builder, first: Atom, second: Atom) -> Atom:
    """One shape after the other; their lengths need not be known."""
    if isinstance(first.kind, Tuple) and isinstance(second.kind, Tuple):
        return b.op("add", first, second)
    whole = Value(ListOf(INT))
    b.append(Op((whole,), "add", (first, second), {}, b.span))
    return whole


@batch_rule("np.reshape", options="order")
def reshape(
    t: Batching, fn: str, xs: Sequence[Operand], attrs: Mapping[str, Any], out: Kind
) -> Results:
    """The new shape, behind the batch."""
    x, shape = xs
    if attrs.get("order", "C") != "C" or not isinstance(x.kind, Num | Array):
        raise NoBatchRule
    return t.b.op(fn, x.atom, batch_shape(t, shape.atom))


@batch_rule("np.ravel", "flatten")
def ravel(
    t: Batching, fn: str, xs: Sequence[Operand], attrs: Mapping[str, Any], out: Kind
) -> Results:
    """All axes but the batch's in one."""
    x = xs[0]
    if x.rank == 1:
        return x.atom
    if x.rank == 0:
        return t.b.op("item", x.atom, Const.of((_ALL, None)))
    return t.b.op("np.reshape", x.atom, t.b.op("tuple", t.size(), Const.of(-1)))


@batch_rule("np.transpose", options="axes")
def transpose(
    t: Batching, fn: str, xs: Sequence[Operand], attrs: Mapping[str, Any], out: Kind
) -> Results:
    """The batch stays in front."""
    (x,) = xs
    axes = attrs.get("axes")
    order = range(x.rank)[::-1] if axes is None else [a % x.rank for a in axes]
    if list(order) == list(range(x.rank)):
        return x.atom
    return t.b.op(fn, x.atom, axes=(0, *(a + 1 for a in order)))


@batch_rule(
    "np.swapaxes",
    "np.moveaxis",
    "np.diagonal",
    "np.rot90",
    "np.flip",
    "np.roll",
    options="axis1 axis2 source destination axes axis offset k",
)
def by_axes(
    t: Batching, fn: str, xs: Sequence[Operand], attrs: Mapping[str, Any], out: Kind
) -> Results:
    """Every option that names an axis names the next one."""
    x = xs[0]
    if any(y.batched for y in xs[1:]):
        raise NoBatchRule
    defaults: dict[str, dict[str, Any]] = {
        "np.swapaxes": {},
        "np.moveaxis": {},
        "np.diagonal": {"axis1": 0, "axis2": 1},
        "np.rot90": {"axes": (0, 1)},
        "np.flip": {"axis": None},
        "np.roll": {"axis": None},
    }
    new: dict[str, Any] = {**defaults[fn], **attrs}
    for name in ("axis1", "axis2", "source", "destination", "axes", "axis"):
        if name not in new:
            continue
        if new[name] is None:
            if fn == "np.roll" and x.rank != 1:
                raise NoBatchRule
            new[name] = tuple(range(x.rank))
            if x.rank == 1:
                new[name] = 0
        new[name] = shifted(new[name], x.rank)
    if x.rank == 0:
        return x.atom
    return t.b.op(fn, x.atom, *(y.atom for y in xs[1:]), **new)


@batch_rule("np.flipud", "np.fliplr")
def flip_rows(
    t: Batching, fn: str, xs: Sequence[Operand], attrs: Mapping[str, Any], out: Kind
) -> Results:
    """Along the first or the second axis."""
    return t.b.op("np.flip", xs[0].atom, axis=1 if fn == "np.flipud" else 2)


@batch_rule("np.trace", options="offset")
def trace(
    t: Batching, fn: str, xs: Sequence[Operand], attrs: Mapping[str, Any], out: Kind
) -> Results:
    """The sum of the diagonal of every matrix."""
    if xs[0].rank != 2:
        raise NoBatchRule
    diagonal = t.b.op("np.diagonal", xs[0].atom, axis1=1, axis2=2, **attrs)
    return t.b.op("np.sum", diagonal, axis=1)


@batch_rule("np.expand_dims", options="axis")
def expand_dims(
    t: Batching, fn: str, xs: Sequence[Operand], attrs: Mapping[str, Any], out: Kind
) -> Results:
    """New axes, counted in the result."""
    x = xs[0]
    axis = attrs["axis"]
    many = axis if isinstance(axis, tuple | list) else (axis,)
    rank = x.rank + len(many)
    new = tuple(a % rank + 1 for a in many)
    return t.b.op(fn, x.atom, axis=new if len(new) > 1 else new[0])


@batch_rule("np.squeeze", options="axis")
def squeeze(
    t: Batching, fn: str, xs: Sequence[Operand], attrs: Mapping[str, Any], out: Kind
) -> Results:
    """Axes of size 1 go, but not that of the batch."""
    x = xs[0]
    axis = attrs.get("axis")
    if axis is None:
        if not isinstance(x.kind, Array) or not isinstance(out, Array | Num):
            raise NoBatchRule
        axis = tuple(n for n, d in enumerate(x.kind.dims or ()) if d == 1)
        left = 0 if isinstance(out, Num) else out.rank
        if x.rank - len(axis) != left:
            raise NoBatchRule
        if not axis:
            return x.atom
    return t.b.op(fn, x.atom, axis=shifted(axis, x.rank))


@batch_rule("np.atleast_1d", "np.atleast_2d", "np.atleast_3d")
def at_least(
    t: Batching, fn: str, xs: Sequence[Operand], attrs: Mapping[str, Any], out: Kind
) -> Results:
    """New axes where NumPy puts them."""
    if len(xs) > 1:
        raise NoBatchRule
    x = xs[0]
    wanted = int(fn[-2])
    if x.rank >= wanted:
        return x.atom
    index: tuple[Any, ...]
    if x.rank == 0:
        index = (_ALL, *[None] * wanted)
    elif x.rank == 1:
        index = (_ALL, None, _ALL) if wanted == 2 else (_ALL, None, _ALL, None)
    else:
        index = (_ALL, _ALL, _ALL, None)
    return t.b.op("item", x.atom, Const.of(index))


# -- shapes like another's -----------------------------------------------------------------------


def _like(t: Batching, x: Operand) -> Atom:
    """Something of the shape ``(B, *shape of x)``; no memory of its own."""
    if x.batched:
        return x.atom
    return t.b.op("np.broadcast_to", x.atom, batch_shape(t, t.b.op("shape", x.atom)))


@batch_rule("unbroadcast")
def unbroadcast(
    t: Batching, fn: str, xs: Sequence[Operand], attrs: Mapping[str, Any], out: Kind
) -> Results:
    """Sums over the axes along which one member was broadcast."""
    g, x = xs
    b = t.b
    if not g.batched:
        raise NoBatchRule
    lead = g.rank - x.rank
    atom = g.atom
    if x.rank == 0:
        axes = tuple(range(1, g.rank + 1))
        return b.op("np.sum", atom, axis=axes if len(axes) > 1 else 1) if axes else atom
    if lead > 0:
        atom = b.op("np.sum", atom, axis=tuple(range(1, lead + 1)) if lead > 1 else 1)
    elif lead < 0:
        atom = lifted(t, g, x.rank)
    return b.op(fn, atom, _like(t, x))


@batch_rule("broadcast_like")
def broadcast_like(
    t: Batching, fn: str, xs: Sequence[Operand], attrs: Mapping[str, Any], out: Kind
) -> Results:
    """One member has the shape of another array."""
    x, like = xs
    if isinstance(out, Num):
        return [(x.atom, x.form)]
    whole = Operand(t.conform(x, True), x.kind, True) if like.batched else x
    if not whole.batched:
        raise NoBatchRule
    atom = lifted(t, whole, like.rank)
    if like.batched:
        return t.b.op(fn, atom, like.atom)
    return t.b.op("np.broadcast_to", atom, batch_shape(t, t.b.op("shape", like.atom)))


@batch_rule("np.broadcast_to")
def broadcast_to(
    t: Batching, fn: str, xs: Sequence[Operand], attrs: Mapping[str, Any], out: Kind
) -> Results:
    """One member has the given shape."""
    x, shape = xs
    if not isinstance(out, Array) or out.rank is None:
        raise NoBatchRule
    return t.b.op(fn, lifted(t, x, out.rank), batch_shape(t, shape.atom))


@batch_rule("np.full_like", options="dtype")
def full_like(
    t: Batching, fn: str, xs: Sequence[Operand], attrs: Mapping[str, Any], out: Kind
) -> Results:
    """Every member is filled with its own value."""
    like, value = xs
    b = t.b
    if not isinstance(out, Array) or out.rank is None or not isinstance(value.kind, Num | Array):
        raise NoBatchRule
    if not value.batched:
        return b.op(fn, like.atom, value.atom, **attrs)
    wide = lifted(t, value, out.rank)
    if getattr(wide.kind, "dtype", None) != out.dtype:
        wide = b.op("cast", wide, like=out.dtype)
    if like.batched:
        return b.op("broadcast_like", wide, like.atom)
    return b.op("np.broadcast_to", wide, batch_shape(t, b.op("shape", like.atom)))


@batch_rule("np.full", options="dtype")
def full(
    t: Batching, fn: str, xs: Sequence[Operand], attrs: Mapping[str, Any], out: Kind
) -> Results:
    """An array of a given shape, filled."""
    shape, value = xs
    if not isinstance(out, Array) or out.rank is None or not isinstance(value.kind, Num | Array):
        raise NoBatchRule
    wide = lifted(t, value, out.rank)
    return t.b.op(fn, batch_shape(t, shape.atom), wide, **attrs)


@batch_rule("np.repeat", options="axis")
def repeat(
    t: Batching, fn: str, xs: Sequence[Operand], attrs: Mapping[str, Any], out: Kind
) -> Results:
    """Along an axis, or of the flattened array."""
    x, count = xs
    if count.batched:
        raise NoBatchRule
    axis = attrs.get("axis")
    atom = x.atom
    if axis is not None:
        return t.b.op(fn, atom, count.atom, axis=axis % x.rank + 1)
    if x.rank == 0:
        atom = t.b.op("item", atom, Const.of((_ALL, None)))
    elif x.rank > 1:
        atom = t.b.op("np.reshape", atom, t.b.op("tuple", t.size(), Const.of(-1)))
    return t.b.op(fn, atom, count.atom, axis=1)


@batch_rule("np.tile")
def tile(
    t: Batching, fn: str, xs: Sequence[Operand], attrs: Mapping[str, Any], out: Kind
) -> Results:
    """Once along the batch."""
    x, reps = xs
    if not isinstance(reps.atom, Const):
        raise NoBatchRule
    value = reps.atom.value
    many = tuple(value) if isinstance(value, tuple | list) else (value,)
    rank = max(x.rank, len(many))
    padded = (1,) * (rank - len(many) + 1) + many
    return t.b.op(fn, lifted(t, x, rank), Const.of(padded))


@batch_rule("np.pad", options="pad_width mode constant_values")
def pad(
    t: Batching, fn: str, xs: Sequence[Operand], attrs: Mapping[str, Any], out: Kind
) -> Results:
    """Nothing is added along the batch."""
    x = xs[0]
    if len(xs) > 1 or x.rank == 0:
        raise NoBatchRule
    width = attrs["pad_width"]
    if isinstance(width, int):
        width = ((width, width),) * x.rank
    elif isinstance(width[0], int):
        width = (tuple(width) if len(width) > 1 else (width[0],) * 2,) * x.rank
    elif len(width) == 1:
        width = tuple(width) * x.rank
    if any(len(pair) != 2 for pair in width):
        raise NoBatchRule
    return t.b.op(fn, x.atom, **{**attrs, "pad_width": ((0, 0), *map(tuple, width))})
