"""Diagonals and triangles of matrices.

In: nothing. Out: records in the registry. All are linear: a cotangent goes back to the diagonal.

    np.trace(a):   a_bar = undiagonal(g, a)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..ir.kinds import Num
from ..ir.nodes import Atom, Const
from . import helpers
from .declare import each, rule, sample
from .linear import rank
from .shape import back_to_shape, like_second

if TYPE_CHECKING:
    from ..ir.builder import Builder

_A = np.arange(6.0).reshape(2, 3) + 1.0
_B = np.arange(24.0).reshape(2, 3, 4)


def diag_vjp(b: Builder, g: Atom, out: Atom, v: Atom, **o: Any) -> list[Any]:
    if rank(v) == 1:
        return [b.op("np.diagonal", g, offset=o.get("k", 0))]
    return [b.op("undiagonal", g, v, offset=o.get("k", 0))]


rule(
    np.diag,
    "v",
    "k=0",
    vjp=diag_vjp,
    jvp="linear",
    view_of=0,
    samples=[sample(np.ones(3)), sample(_A), sample(_A, k=1), sample(np.ones(2), k=-1)],
)
rule(
    np.diagflat,
    "v",
    "k=0",
    vjp=lambda b, g, out, v, k=0: (
        back_to_shape(b, b.op("np.diagonal", g, offset=k), out, v)
        if not isinstance(v.kind, Num)
        else [b.op("np.sum", b.op("np.diagonal", g, offset=k))]
    ),
    jvp="linear",
    samples=[sample(np.ones(3)), sample(_A), sample(np.ones(2), k=-1), sample(2.0, k=1)],
)
rule(
    np.diagonal,
    "a",
    "offset=0, axis1=0, axis2=1",
    vjp="undiagonal(g, a, offset=offset, axis1=axis1, axis2=axis2)",
    jvp="linear",
    view_of=0,
    samples=[sample(_A), sample(_B, offset=-1), sample(_B, axis1=1, axis2=2)],
)
rule(
    helpers.undiagonal,
    "v x",
    "offset=0, axis1=0, axis2=1",
    name="undiagonal",
    vjp=("diagonal(g, offset=offset, axis1=axis1, axis2=axis2)", None),
    jvp=("undiagonal(v_dot, x, offset=offset, axis1=axis1, axis2=axis2)", None),
    kind=like_second,
    samples=[sample(np.ones(2), _A), sample(np.ones(2), _A, offset=1)],
)


def trace_vjp(b: Builder, g: Atom, out: Atom, a: Atom, **o: Any) -> list[Any]:
    """Every element of the diagonal has the cotangent of its sum."""
    o = {k: v for k, v in o.items() if k in ("offset", "axis1", "axis2")}
    diagonal = b.op("np.diagonal", a, **o)
    seeds = g if rank(a) == 2 else b.op("item", g, Const.of((..., None)))
    return [b.op("undiagonal", b.op("broadcast_like", seeds, diagonal), a, **o)]


rule(
    np.trace,
    "a",
    "offset=0, axis1=0, axis2=1, dtype=None, out=None",
    vjp=trace_vjp,
    jvp="linear",
    samples=[
        sample(_A),
        sample(_A, offset=1),
        sample(_B),
        sample(_B, axis1=1, axis2=-1),
        sample(_A.astype("float32")),
    ],
)


for _f in each(np.triu, np.tril):
    rule(
        _f,
        "m",
        "k=0",
        vjp=f"{_f.__name__}(g, k=k)",
        jvp="linear",
        samples=[sample(_A), sample(_A, k=1), sample(_B, k=-1)],
    )
