"""Functions that move elements about: reshapes, joins, splits, flips, diagonals.

In: nothing. Out: records in the registry. All are linear, so the tangent is the function itself
applied to the tangent, and the cotangent is moved back.

    np.concatenate((a, b)):   a_bar, b_bar = g[:len(a)], g[len(a):]
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..ir.kinds import Array, Dim, FixedList, Kind, Mixed, Num, Size, Tuple
from ..ir.nodes import Atom, Const
from . import helpers
from .creation import dims_of_shape
from .declare import each, rule, sample
from .examplekinds import by_example
from .kindrules import as_array, dim_of_kind
from .linear import rank
from .registry import KindError

if TYPE_CHECKING:
    from ..ir.builder import Builder

_A = np.arange(6.0).reshape(2, 3) + 1.0
_B = np.arange(24.0).reshape(2, 3, 4)


def back_to_shape(b: Builder, g: Atom, out: Atom, a: Atom, *more: Atom, **o: Any) -> list[Any]:
    """The cotangent reshaped to the operand."""
    if isinstance(a.kind, Num):
        return [b.op("item", g, Const.of((0,) * rank(out))), *[None] * len(more)]
    order = o.get("order", "C")
    if order not in ("C", "F"):
        raise KindError(f"order={order!r} depends on the layout in memory; say 'C' or 'F'")
    by = {} if order == "C" else {"order": order}
    return [b.op("np.reshape", g, b.op("shape", a), **by), *[None] * len(more)]


def reshape_kind(args: Sequence[Atom], attrs: Any) -> Kind:
    """Sizes are read from the new shape; -1 is worked out where the sizes are numbers."""
    k = as_array(args[0].kind)
    new = args[1]
    try:
        if isinstance(new, Const):
            exact = by_example(np.reshape)(args, attrs)
            if isinstance(exact, Array):
                return exact
    except KindError:
        pass
    if isinstance(new, Const):
        items = new.value if isinstance(new.value, tuple | list) else (new.value,)
        sizes: list[Dim] = [int(n) if n >= 0 else Size() for n in items]
    elif isinstance(new.kind, Num):
        sizes = [Size()]
    elif isinstance(new.kind, Tuple | FixedList):
        sizes = [dim_of_kind(i) for i in new.kind.items]
    else:
        return Array(k.dtype, None)
    return Array(k.dtype, tuple(sizes))


rule(
    np.reshape,
    "a shape",
    "order='C'",
    kind=reshape_kind,
    vjp=back_to_shape,
    jvp="linear",
    view_of=0,
    samples=[
        sample(_A, (3, 2)),
        sample(_A, -1),
        sample(_A, (1, 6)),
        sample(_A, (3, 2), order="F"),
        sample(np.asfortranarray(_A), 6, order="C"),
        sample(np.ones(1), ()),
        sample(2.0, (1, 1)),
        sample(_A.astype("float32"), 6),
        sample([1.0, 2.0], (2, 1)),
    ],
)
rule(
    np.ravel,
    "a",
    "order='C'",
    vjp=back_to_shape,
    jvp="linear",
    view_of=0,
    samples=[
        sample(_A),
        sample(_A, order="F"),
        sample(np.array(2.0)),
        sample(2.0),
        sample([[1.0], [2.0]]),
    ],
)


rule(
    helpers.flatten,
    "a",
    "order='C'",
    name="flatten",
    vjp=back_to_shape,
    jvp="linear",
    samples=[sample(_A), sample(_A, order="F"), sample(np.array(2.0))],
)
rule(
    np.squeeze,
    "a",
    "axis=None",
    vjp=back_to_shape,
    jvp="linear",
    view_of=0,
    samples=[sample(_A[None]), sample(_A[:, None], axis=1), sample(np.ones((1, 1)))],
)
rule(
    np.expand_dims,
    "a",
    "axis",
    vjp=back_to_shape,
    jvp="linear",
    view_of=0,
    samples=[sample(_A, axis=1), sample(_A, axis=(0, -1)), sample(np.ones(3, "float32"), axis=-1)],
)


def atleast_vjp(b: Builder, g: Any, out: Any, *arys: Atom) -> list[Any]:
    """One array, or a tuple of as many as there are operands."""
    if len(arys) == 1:
        return back_to_shape(b, g, out, arys[0])
    bars = []
    for n, a in enumerate(arys):
        part = b.op("item", g, Const.of(n))
        bars.append(back_to_shape(b, part, b.op("item", out, Const.of(n)), a)[0])
    return bars


for _f in each(np.atleast_1d, np.atleast_2d, np.atleast_3d):
    rule(
        _f,
        "*arys",
        vjp=atleast_vjp,
        jvp="linear",
        view_of=0,
        samples=[
            sample(2.0),
            sample(np.ones(3)),
            sample(_A),
            sample(_B),
            sample(np.ones(3), 2.0),
            sample(_A, np.ones(3), _B),
        ],
    )


def transpose_vjp(b: Builder, g: Atom, out: Atom, a: Atom, **o: Any) -> list[Any]:
    axes = o.get("axes")
    if axes is None:
        return [b.op("np.transpose", g)]
    places = [k % len(axes) for k in axes]
    return [b.op("np.transpose", g, axes=tuple(int(i) for i in np.argsort(places)))]


rule(
    np.transpose,
    "a",
    "axes=None",
    vjp=transpose_vjp,
    jvp="linear",
    view_of=0,
    samples=[
        sample(_A),
        sample(_B, axes=(1, 2, 0)),
        sample(_B, axes=(0, -1, 1)),
        sample(np.ones(3)),
    ],
)
rule(
    np.matrix_transpose,
    "x",
    vjp="matrix_transpose(g)",
    jvp="linear",
    view_of=0,
    samples=[sample(_A), sample(_B)],
)
rule(
    np.swapaxes,
    "a",
    "axis1, axis2",
    vjp="swapaxes(g, axis1=axis1, axis2=axis2)",
    jvp="linear",
    view_of=0,
    samples=[sample(_B, axis1=0, axis2=-1)],
)
rule(
    np.moveaxis,
    "a",
    "source, destination",
    vjp="moveaxis(g, source=destination, destination=source)",
    jvp="linear",
    view_of=0,
    samples=[sample(_B, source=0, destination=-1), sample(_B, source=(0, 1), destination=(2, 0))],
)


def rollaxis_vjp(
    b: Builder, g: Atom, out: Atom, a: Atom, axis: int = 0, start: int = 0
) -> list[Any]:
    n = rank(a)
    axis, start = axis % n, start + n if start < 0 else start
    end = start - 1 if axis < start else start
    return [b.op("np.moveaxis", g, source=end, destination=axis)]


rule(
    np.rollaxis,
    "a",
    "axis, start=0",
    vjp=rollaxis_vjp,
    jvp="linear",
    view_of=0,
    samples=[
        sample(_B, axis=2),
        sample(_B, axis=2, start=1),
        sample(_B, axis=0, start=3),
        sample(_B, axis=-1, start=-2),
    ],
)


def _unstack_kind(args: Sequence[Atom], attrs: Any) -> Kind:
    """As many arrays as the axis has elements; that number must be known."""
    k = as_array(args[0].kind)
    axis = attrs.get("axis", 0)
    if not isinstance(k, Array) or k.dims is None or not isinstance(k.dims[axis], int):
        raise KindError("the number of arrays is not known here")
    rest = [d for n, d in enumerate(k.dims) if n != axis % len(k.dims)]
    return Tuple((Array(k.dtype, tuple(rest)),) * k.dims[axis])


if hasattr(np, "unstack"):  # from NumPy 2.1 on
    rule(
        np.unstack,
        "x",
        "*, axis=0",
        vjp="stack(g, axis=axis)",
        jvp="linear",
        kind=_unstack_kind,
        view_of=0,
        samples=[sample(_A), sample(_B, axis=1), sample(_A, axis=-1)],
    )
rule(
    np.flip,
    "m",
    "axis=None",
    vjp="flip(g, axis=axis)",
    jvp="linear",
    view_of=0,
    samples=[sample(_A), sample(_B, axis=1), sample(_B, axis=(0, 2))],
)
for _f in each(np.flipud, np.fliplr):
    rule(_f, "m", vjp=f"{_f.__name__}(g)", jvp="linear", view_of=0, samples=[sample(_A)])


def roll_vjp(b: Builder, g: Atom, out: Atom, a: Atom, shift: Atom, **o: Any) -> list[Any]:
    if isinstance(shift, Const) and isinstance(shift.value, tuple | list):
        return [b.op("np.roll", g, Const.of(tuple(-s for s in shift.value)), **o), None]
    if isinstance(shift.kind, Tuple | FixedList):
        items = [b.op("item", shift, Const.of(n)) for n in range(len(shift.kind.items))]
        return [b.op("np.roll", g, b.op("tuple", *map(b.neg, items)), **o), None]
    return [b.op("np.roll", g, b.neg(shift), **o), None]


rule(
    np.roll,
    "a shift",
    "axis=None",
    vjp=roll_vjp,
    jvp="linear",
    samples=[sample(_A, 2), sample(_A, -1, axis=1), sample(_B, (1, 2), axis=(0, 1))],
)
rule(
    np.rot90,
    "m",
    "k=1, axes=(0, 1)",
    vjp=lambda b, g, out, m, k=1, axes=(0, 1): [b.op("np.rot90", g, k=-k, axes=axes)],
    jvp="linear",
    view_of=0,
    samples=[sample(_A), sample(_A, k=2), sample(_B, k=3, axes=(1, 2))],
)

# -- copies and repetitions ----------------------------------------------------------------------


def broadcast_vjp(b: Builder, g: Atom, out: Atom, array: Atom, *more: Atom) -> list[Any]:
    return [g, *[None] * len(more)]


rule(
    np.broadcast_to,
    "array shape",
    kind=lambda args, attrs: Array(as_array(args[0].kind).dtype, dims_of_shape(args[1])),
    vjp=broadcast_vjp,
    jvp="linear",
    view_of=0,
    samples=[sample(np.ones(3), (2, 3)), sample(np.ones((2, 1)), (2, 3)), sample(2.0, (2,))],
)


def _repeat_kind(args: Sequence[Atom], attrs: Any) -> Kind:
    """Rank and dtype; how long it is depends on the repeats."""
    k, axis = as_array(args[0].kind), attrs.get("axis")
    if not isinstance(k, Array) or axis is None:
        return Array(k.dtype, (Size(),))
    if k.dims is None:
        return k
    dims = list(k.dims)
    dims[axis] = Size()
    return Array(k.dtype, tuple(dims))


def repeat_vjp(b: Builder, g: Atom, out: Atom, a: Atom, repeats: Atom, **o: Any) -> list[Any]:
    """Every element gathers the cotangents of its copies."""
    axis = o.get("axis")
    zeros = b.op("zeros_like", a)
    if axis is None:
        if isinstance(a.kind, Num):
            return [b.op("np.sum", g), None]
        places = b.op("np.repeat", b.op("np.arange", b.op("np.size", a)), repeats)
        flat = b.op("accumulate", b.op("np.ravel", zeros), places, g)
        return [flat if rank(a) == 1 else b.op("np.reshape", flat, b.op("shape", a)), None]
    size = b.op("item", b.op("shape", a), Const.of(axis))
    places = b.op("np.repeat", b.op("np.arange", size), repeats)
    before = (slice(None),) * (axis % rank(a))
    if not before:
        return [b.op("accumulate", zeros, places, g), None]
    index = b.op("tuple", *[Const.of(s) for s in before], places)
    return [b.op("accumulate", zeros, index, g), None]


rule(
    np.repeat,
    "a repeats",
    "axis=None",
    vjp=repeat_vjp,
    jvp="linear",
    kind=_repeat_kind,
    samples=[
        sample(np.ones(3), 2),
        sample(np.ones(3), [1, 0, 2]),
        sample(_A, 2),
        sample(_A, 2, axis=1),
        sample(_A, np.array([1, 3]), axis=0),
        sample(2.0, 3),
    ],
)


def tile_vjp(b: Builder, g: Atom, out: Atom, A: Atom, reps: Atom) -> list[Any]:
    return [b.op("untile", g, A), None]


def like_second(args: Sequence[Atom], attrs: Any) -> Kind:
    g, x = as_array(args[0].kind), as_array(args[1].kind)
    if isinstance(x, Num):
        return Num(g.dtype, False)
    return Array(g.dtype, x.dims) if isinstance(x, Array) else Mixed(g.dtype)


rule(
    np.tile,
    "A reps",
    vjp=tile_vjp,
    jvp="linear",
    kind=by_example(np.tile, shapes_only=False),
    samples=[sample(np.ones(3), 2), sample(_A, (2, 2)), sample(_A, (2, 1, 3)), sample(2.0, 3)],
)
rule(
    helpers.untile,
    "v x",
    name="untile",
    kind=like_second,
    vjp=lambda b, g, out, v, x: [b.op("repeat_tiles", g, v), None],
    jvp=("untile(v_dot, x)", None),
    samples=[sample(np.ones((2, 6)), _A[:, :3])],
)


rule(
    helpers.repeat_tiles,
    "v like",
    name="repeat_tiles",
    kind=like_second,
    vjp=("untile(g, v)", None),
    jvp=("repeat_tiles(v_dot, like)", None),
    samples=[sample(np.ones(3), np.ones((2, 6)))],
)
