"""Cross products of vectors in space.

In: nothing. Out: records in the registry. Each factor's cotangent is a cross product too.

    np.cross(a, b):   a_bar = cross(b, g),  b_bar = cross(g, a)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..ir.kinds import Array, Kind
from ..ir.nodes import Atom
from .declare import complexes, reals, rule, sample
from .kindrules import as_array, broadcast_dims, ufunc_dtypes
from .linear import rank
from .registry import KindError
from .staged import total

if TYPE_CHECKING:
    from ..ir.builder import Builder

_r = reals(8)
_c = complexes(_r)


def _cross_array(x: Atom) -> Array:
    k = as_array(x.kind)
    if not isinstance(k, Array) or k.dims is None:
        raise KindError("np.cross needs arrays of known rank")
    return k


def _cross_axes(a: Atom, b_: Atom, o: dict[str, Any]) -> tuple[int, int, int]:
    """The axes of the vectors in the operands and in the result, counted from the end."""
    m, n = rank(a), rank(b_)
    most = max(m, n)
    if o.get("axis") is not None:
        of_a = of_b = of_c = o["axis"]
    else:
        of_a, of_b, of_c = (o.get(k, -1) for k in ("axisa", "axisb", "axisc"))
    return (of_a % m - m, of_b % n - n, of_c % most - most)


def cross_vjp(b: Builder, g: Atom, out: Atom, a: Atom, b_: Atom, **o: Any) -> list[Any]:
    """``np.linalg.cross`` refuses vectors of two components, which have no product in space."""
    of_a, of_b, of_c = _cross_axes(a, b_, o)

    def last(x: Atom, axis: int) -> Atom:
        return x if axis == -1 else b.op("np.moveaxis", x, source=axis, destination=-1)

    def back(bar: Atom, like: Atom, axis: int) -> Atom:
        if axis == -1:
            return bar
        bar = b.op("unbroadcast", bar, last(like, axis))
        return b.op("np.moveaxis", bar, source=-1, destination=axis)

    g = last(g, of_c)
    return [
        lambda: back(b.op("np.linalg.cross", last(b_, of_b), g), a, of_a),
        lambda: back(b.op("np.linalg.cross", g, last(a, of_a)), b_, of_b),
    ]


def cross_kind(args: Sequence[Atom], attrs: Any) -> Kind:
    """A cross product of 3-vectors; sizes cannot be stood for, since only 3 will do."""
    x, y = (_cross_array(a) for a in args)
    of_x, of_y, of_out = _cross_axes(args[0], args[1], dict(attrs))
    assert x.dims is not None
    assert y.dims is not None
    sizes = (x.dims[of_x], y.dims[of_y])
    if any(isinstance(n, int) and n != 3 for n in sizes):
        raise KindError("np.cross needs vectors of three components")
    dims = broadcast_dims(_without(x.dims, of_x), _without(y.dims, of_y))
    assert dims is not None
    place = len(dims) + 1 + of_out
    n = next((n for n in sizes if isinstance(n, int)), sizes[0])
    dtype = ufunc_dtypes(np.multiply, (x.dtype, False), (y.dtype, False))[0]
    return Array(dtype, (*dims[:place], n, *dims[place:]))


def _without(dims: tuple[Any, ...], axis: int) -> tuple[Any, ...]:
    k = len(dims) + axis
    return (*dims[:k], *dims[k + 1 :])


_CROSSED = [sample(_r(3), _r(3)), sample(_r(4, 3), _r(3)), sample(_r(4, 3), _r(4, 3))]
rule(
    np.cross,
    "a b",
    "axisa=-1, axisb=-1, axisc=-1, axis=None",
    kind=cross_kind,
    vjp=cross_vjp,
    jvp=lambda b, dots, out, x, y, **o: total(
        b,
        [
            None if dots[0] is None else b.op("np.cross", dots[0], y, **o),
            None if dots[1] is None else b.op("np.cross", x, dots[1], **o),
        ],
    ),
    samples=[
        *_CROSSED,
        sample(_r(3, 4), _r(3, 4), axis=0),
        sample(_r(3, 4), _r(3), axis=0),
        sample(_r(3, 4), _r(4, 3), axisa=0),
        sample(_r(3, 4), _r(5, 3, 4), axisa=0, axisb=1, axisc=0),
        sample(_c(4, 3), _c(3)),
    ],
)
rule(
    np.linalg.cross,
    "x1 x2",
    "*, axis=-1",
    name="np.linalg.cross",
    kind=cross_kind,
    vjp=cross_vjp,
    jvp=("cross(x1_dot, x2, axis=axis)", "cross(x1, x2_dot, axis=axis)"),
    samples=[*_CROSSED, sample(_r(3, 4), _r(3, 4), axis=0)],
)
