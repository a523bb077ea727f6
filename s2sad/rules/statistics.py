"""Order statistics, and reductions that leave nan out.

In: nothing. Out: records in the registry. A quantile is a weighted sum of elements: the weights,
shared evenly by equal elements, are its derivative.

    np.median(x):   x_bar = g * quantile_weights(x, 0.5)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..ir.nodes import Atom, Const
from . import helpers
from .declare import each, rule, sample
from .kindrules import as_array
from .reductions import axis_samples, extreme_jvp, extreme_vjp, kept
from .registry import KindError

if TYPE_CHECKING:
    from ..ir.builder import Builder


def _over(o: dict[str, Any]) -> dict[str, Any]:
    return {"axis": o["axis"]} if o.get("axis") is not None else {}


def _fraction(o: dict[str, Any], scale: float) -> float:
    q = o.get("q", 0.5 * scale)
    if not isinstance(q, int | float):
        raise KindError("the quantile must be one constant number")
    return q / scale


def _weighted(scale: float) -> tuple[Any, Any]:
    """Both modes of a quantile; ``scale`` is 1 or, for percentiles, 100."""

    def weights(b: Builder, a: Atom, o: dict[str, Any]) -> Atom:
        return b.op("quantile_weights", a, q=_fraction(o, scale), **_over(o))

    def vjp(b: Builder, g: Atom, out: Atom, a: Atom, **o: Any) -> list[Any]:
        up = kept(b, g, a, o.get("axis"), o.get("keepdims"))
        return [b.mul(up, weights(b, a, o))]

    def jvp(b: Builder, dots: Any, out: Atom, a: Atom, **o: Any) -> Atom:
        options = {k: v for k, v in o.items() if k != "q"}
        return b.op("np.sum", b.mul(weights(b, a, o), dots[0]), **options)

    return vjp, jvp


_X = np.array([[3.0, 1.0, 2.0, 7.0], [0.5, 2.5, 1.5, 4.0]])
_vjp, _jvp = _weighted(1.0)
rule(
    np.median,
    "a",
    "axis=None, keepdims=False",
    vjp=_vjp,
    jvp=_jvp,
    samples=lambda: [
        *axis_samples((3,), (2, 3), (4, 2))(),
        sample(np.array([1.0, 2.0, 2.0]), expect=(np.array([0.0, 0.5, 0.5]),)),
    ],
)
for _f, _scale, _q in each((np.quantile, 1.0, 0.3), (np.percentile, 100.0, 80)):
    _vjp, _jvp = _weighted(_scale)
    rule(
        _f,
        "a",
        "q, axis=None, keepdims=False",
        vjp=_vjp,
        jvp=_jvp,
        samples=[sample(_X, q=_q), sample(_X, q=_q, axis=1), sample(_X[0], q=_q)],
    )
rule(
    helpers.quantile_weights,
    "a",
    "q, axis=None",
    name="quantile_weights",
    kind=lambda args, attrs: as_array(args[0].kind),
    zero=True,
)


def _present(b: Builder, a: Atom) -> Atom:
    return b.op("np.logical_not", b.op("np.isnan", a))


def nansum_vjp(b: Builder, g: Atom, out: Atom, a: Atom, **o: Any) -> list[Any]:
    up = kept(b, g, a, o.get("axis"), o.get("keepdims"))
    return [b.op("np.where", b.op("np.isnan", a), Const.of(0.0), up)]


def nansum_jvp(b: Builder, dots: Sequence[Atom], out: Atom, a: Atom, **o: Any) -> Atom:
    return b.op("np.sum", b.op("np.where", b.op("np.isnan", a), Const.of(0.0), dots[0]), **o)


def nanmean_vjp(b: Builder, g: Atom, out: Atom, a: Atom, **o: Any) -> list[Any]:
    share = b.op("ratio", g, b.op("np.sum", _present(b, a), **o))
    return nansum_vjp(b, share, out, a, **o)


def nanmean_jvp(b: Builder, dots: Sequence[Atom], out: Atom, a: Atom, **o: Any) -> Atom:
    return b.op("ratio", nansum_jvp(b, dots, out, a, **o), b.op("np.sum", _present(b, a), **o))


for _f, _vjp, _jvp in each(
    (np.nansum, nansum_vjp, nansum_jvp), (np.nanmean, nanmean_vjp, nanmean_jvp)
):
    rule(
        _f,
        "a",
        "axis=None, keepdims=False",
        vjp=_vjp,
        jvp=_jvp,
        samples=lambda: [
            *axis_samples()(),
            sample(np.array([1.0, np.nan]), expect=(np.array([1.0, 0.0]),)),
        ],
    )


for _f in each(np.nanmax, np.nanmin):
    rule(
        _f,
        "a",
        "axis=None, keepdims=False",
        vjp=extreme_vjp,
        jvp=extreme_jvp,
        samples=axis_samples(),
    )
