"""Counting in bins: ``bincount`` and ``histogram`` with weights.

In: nothing. Out: records in the registry. A weight has the cotangent of the bin it fell in.

    np.bincount(i, w):   w_bar = g[i]
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..ir.kinds import Array, Kind, Num, Size
from ..ir.nodes import Atom, Const
from . import histogram_helpers as helpers
from .declare import rule, sample
from .kindrules import as_array
from .reductions import given
from .registry import KindError

if TYPE_CHECKING:
    from ..ir.builder import Builder


def _bincount_kind(args: Sequence[Atom], attrs: Any) -> Kind:
    weighted = len(args) > 1 and given(args[1]) is not None
    return Array("float64" if weighted else "int64", (Size(),))


rule(
    np.bincount,
    "x weights=None",
    "minlength=0",
    kind=_bincount_kind,
    vjp=(None, "g[asarray(x)]"),
    jvp=lambda b, dots, out, x, weights=None, **o: b.op("np.bincount", x, dots[1], **o),
    samples=[
        sample(np.array([0, 1, 1, 3]), np.array([0.5, 1.5, 2.5, 3.5])),
        sample([0, 1, 1, 3], np.array([0.5, 1.5, 2.5, 3.5]), minlength=6),
        sample(np.array([0, 1, 1]), [0.5, 1.5, 2.5]),
        sample(np.array([0, 2]), np.array([0.5, 1.5], "float32")),
    ],
)


def _histogram_kind(args: Sequence[Atom], attrs: Any) -> tuple[Kind, ...]:
    weights = given(args[2]) if len(args) > 2 else None
    dtype = "int64" if weights is None else as_array(weights.kind).dtype
    if attrs.get("density"):
        dtype = "float64"
    edges = as_array(args[1].kind) if len(args) > 1 else Num("int64", True)
    size = Size()
    made = Array("float64", (size,)) if isinstance(edges, Num) else Array(edges.dtype, (size,))
    return Array(dtype, (Size(),)), made


def histogram_vjp(
    b: Builder, g: Any, out: Any, a: Atom, bins: Any = None, weights: Any = None, **o: Any
) -> list[Any]:
    """Data and edges only decide which bin a weight falls in."""
    hist_bar, edges_bar = g
    hist, edges = out
    _fixed_edges(edges_bar, bins, o)
    same = None if bins is None or isinstance(bins.kind, Num) else edges_bar
    if hist_bar is None or given(weights) is None:
        return [None, same, None]

    def wrt_weights() -> Atom:
        seed = hist_bar
        if o.get("density"):
            # out = h / (sum(h) d), so h_bar = (g / d - sum(g out)) / sum(h)
            seed = b.text(
                "(g / diff(e) - sum(g * out)) / total",
                g=hist_bar,
                e=edges,
                out=hist,
                total=_total(b, a, edges, weights),
            )
        return b.op("from_bins", seed, a, edges)

    return [None, same, wrt_weights]


def _total(b: Builder, a: Atom, edges: Atom, weights: Atom) -> Atom:
    """The sum of the weights that fell in any bin."""
    inside = b.op(
        "from_bins", b.text("ones(n)", n=b.op("sub", b.op("len", edges), Const.of(1))), a, edges
    )
    return b.op("np.sum", b.mul(inside, weights))


def _fixed_edges(edges_bar: Any, bins: Any, o: dict[str, Any]) -> None:
    counted = bins is None or isinstance(bins.kind, Num)
    if edges_bar is not None and counted and o.get("range") is None:
        raise KindError(
            "the edges np.histogram makes from its data have no derivative: give 'range'"
        )


def histogram_jvp(
    b: Builder, dots: Any, out: Any, a: Atom, bins: Any = None, weights: Any = None, **o: Any
) -> Any:
    hist, edges = out
    t = dots[2] if len(dots) > 2 else None
    same = None if bins is None or isinstance(bins.kind, Num) else dots[1]
    if t is None:
        return None, same
    change = b.op("to_bins", t, a, edges)
    if o.get("density"):
        change = b.text(
            "(h / diff(e) - out * sum(h)) / total",
            h=change,
            e=edges,
            out=hist,
            total=_total(b, a, edges, weights),
        )
    return change, same


_DATA = np.array([0.1, 0.55, 0.9, 0.7, 2.5])
_W = np.array([0.5, 1.5, 2.5, 3.5, 1.0])
rule(
    np.histogram,
    "a bins=None weights=None",
    signature_of="a, bins=10, range=None, density=None, weights=None",
    kind=_histogram_kind,
    vjp=histogram_vjp,
    jvp=histogram_jvp,
    samples=[
        sample(_DATA, 3, _W, range=(0.0, 1.0)),
        sample([0.1, 0.55, 0.9, 0.7, 2.4], [0.0, 0.5, 2.5], _W),
        sample(_DATA, 4, _W, range=(0.0, 1.0), density=True),
    ],
)


def _like_data(args: Sequence[Atom], attrs: Any) -> Kind:
    k = as_array(args[1].kind)
    return Array("float64", k.dims if isinstance(k, Array) else None)


rule(
    helpers.from_bins,
    "v a edges",
    name="from_bins",
    kind=_like_data,
    vjp=("to_bins(g, a, edges)", None, None),
    jvp=("from_bins(v_dot, a, edges)", None, None),
    samples=[sample(np.array([1.5, 0.5]), [0.1, 0.55, 0.9], [0.0, 0.5, 0.8])],
)
rule(
    helpers.to_bins,
    "v a edges",
    name="to_bins",
    kind=lambda args, attrs: Array("float64", (Size(),)),
    vjp=("from_bins(g, a, edges)", None, None),
    jvp=("to_bins(v_dot, a, edges)", None, None),
    samples=[sample(np.array([1.5, 0.5, 2.0]), [0.1, 0.55, 0.9], [0.0, 0.5, 0.8])],
)
