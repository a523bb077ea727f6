"""The distinct elements of an array.

In: nothing. Out: records in the registry. Equal elements share the cotangent of the one
that stands for them all.

    np.unique(x):   x_bar = g[inverse] / counts[inverse]
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..ir.kinds import Array, Kind, Size
from ..ir.nodes import Atom, Const
from .axes import column
from .declare import rule, sample
from .kindrules import as_array
from .linear import rank

if TYPE_CHECKING:
    from ..ir.builder import Builder

_A = np.array([[3.0, 1.0, 2.0], [0.5, 2.5, 1.5]])
_V = np.array([3.0, 1.0, 2.0, 0.5])
_INDICES = ("return_index", "return_inverse", "return_counts")


def unique_kind(args: Sequence[Atom], attrs: Any) -> Any:
    k, n, axis = as_array(args[0].kind), rank(args[0]), attrs.get("axis")
    values = Array(k.dtype, (Size(),) * (1 if axis is None else n))
    more: list[Kind] = []
    for name in _INDICES:
        if attrs.get(name):
            whole = name == "return_inverse" and axis is None
            more.append(Array("int64", (Size(),) * (n if whole and n else 1)))
    return (values, *more) if more else values


def _classes(b: Builder, a: Atom, o: Any) -> tuple[Atom, Atom]:
    """For each element the number of its value, and how many are equal to it."""
    over = {} if o.get("axis") is None else {"axis": o["axis"]}
    options = {"return_inverse": True, "return_counts": True, **over}
    _, inverse, counts = b.ops("np.unique", a, **options)
    return inverse, counts


def _spread(b: Builder, x: Atom, a: Atom, axis: int | None) -> Atom:
    """A number for each row of ``a``, or for each of its elements, as it broadcasts."""
    return x if axis is None else column(b, x, a, axis)


def unique_vjp(b: Builder, g: Any, out: Any, a: Atom, **o: Any) -> list[Any]:
    """Equal elements share the cotangent of their value."""
    seed, axis = g[0] if isinstance(g, tuple) else g, o.get("axis")
    if seed is None:
        return [None]
    inverse, counts = _classes(b, a, o)
    share = b.op("div", seed, _spread(b, counts, a, axis))
    if axis is None:
        found = b.op("item", share, inverse)
        return [found if rank(a) == 1 else b.op("np.reshape", found, b.op("shape", a))]
    return [b.op("np.take", share, inverse, axis=axis)]


def unique_jvp(b: Builder, dots: Any, out: Any, a: Atom, **o: Any) -> Any:
    axis = o.get("axis")
    values = out[0] if isinstance(out, tuple) else out
    inverse, counts = _classes(b, a, o)
    zeros = b.op("zeros_like", values)
    before = (slice(None),) * (0 if axis is None else axis % rank(a))
    if axis is None:
        inverse, t = b.op("np.ravel", inverse), b.op("np.ravel", dots[0])
    else:
        t = dots[0]
    index = b.op("tuple", *map(Const.of, before), inverse) if before else inverse
    total = b.op("div", b.op("accumulate", zeros, index, t), _spread(b, counts, a, axis))
    return (total, *[None] * (len(out) - 1)) if isinstance(out, tuple) else total


rule(
    np.unique,
    "ar",
    "return_index=False, return_inverse=False, return_counts=False, axis=None, *, equal_nan=True",
    kind=unique_kind,
    vjp=unique_vjp,
    jvp=unique_jvp,
    samples=[
        sample(_V),
        sample(_A),
        sample(_A, axis=0),
        sample(_A, axis=1),
        sample(_V, return_index=True),
        sample(_A, return_index=True, return_inverse=True, return_counts=True),
        sample(_V.astype("float32")),
        sample(np.array([2.0, 1.0, 2.0]), expect=(np.array([0.5, 1.0, 0.5]),)),
    ],
)
if hasattr(np, "unique_values"):
    rule(
        np.unique_values,
        "x",
        kind=unique_kind,
        vjp=lambda b, g, out, x: unique_vjp(
            b, b.op("np.take", g, b.op("np.argsort", out)), out, x
        ),
        jvp=lambda b, dots, out, x: _in_their_order(b, unique_jvp(b, dots, out, x), out),
        samples=[sample(_V), sample(_A)],
    )


def _in_their_order(b: Builder, t: Atom, out: Atom) -> Atom:
    """Tangents of sorted values in the order, any order, of the values."""
    return b.op("item", t, b.op("np.argsort", b.op("np.argsort", out)))
