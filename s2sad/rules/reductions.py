"""Reductions and scans.

In: nothing. Out: records in the registry. The cotangent of a reduction is spread over the axes
that it summed; where it then meets an array of the same shape, the builder leaves broadcasting
to NumPy.

    np.sum(x, axis=0):   x_bar = broadcast_like(g, x)
    np.mean(x):          x_bar = np.full_like(x, g / x.size)
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..ir.facts import shape_root
from ..ir.kinds import Array, Num
from ..ir.nodes import Atom, Const
from . import helpers
from . import kindrules as kr
from .apply import spread_like
from .declare import each, rule, sample, zero
from .linear import rank
from .registry import Sample

if TYPE_CHECKING:
    from ..ir.builder import Builder

Axis = int | tuple[int, ...] | None


def kept(b: Builder, g: Atom, x: Atom, axis: Axis, keepdims: Any) -> Atom:
    """A reduced value with the axes that were reduced put back as size 1."""
    if axis is None or keepdims is True or Num in (type(g.kind), type(x.kind)):
        return g
    if isinstance(axis, tuple) and axis == tuple(range(len(axis))) or axis == 0:
        return g  # broadcasting puts leading axes back by itself
    if axis == -1:
        return b.op("item", g, Const.of((..., None)))
    if isinstance(axis, int) and axis > 0:
        return b.op("item", g, Const.of((*[slice(None)] * axis, None)))
    return b.op("np.expand_dims", g, axis=axis)


def spread(b: Builder, g: Atom, x: Atom, axis: Axis, keepdims: Any) -> Atom:
    """A reduced value in the shape of what was reduced."""
    return spread_like(b, kept(b, g, x, axis, keepdims), x)


def count(b: Builder, x: Atom, axis: Axis) -> Atom:
    """How many elements of ``x`` go into one element of the result."""
    if isinstance(x.kind, Num):
        return Const.of(1)
    x = shape_root(b, x)
    dims = x.kind.dims if isinstance(x.kind, Array) else None
    if dims is not None:
        over = (
            dims
            if axis is None
            else [dims[k] for k in (axis if isinstance(axis, tuple) else (axis,))]
        )
        if all(isinstance(d, int) for d in over):
            return Const.of(math.prod(d for d in over if isinstance(d, int)))
    if axis is None:
        return b.op("np.size", x)
    axes = axis if isinstance(axis, tuple) else (axis,)
    n: Atom = Const.of(1)
    for k in axes:
        size = b.op("len", x) if k == 0 else b.op("item", b.op("shape", x), Const.of(k))
        n = b.mul(n, size)
    return n


def axis_samples(*shapes: tuple[int, ...], extra: dict[str, Any] | None = None) -> Any:
    """Samples over shapes and every form of axis."""

    def samples() -> Sequence[Sample]:
        rng = np.random.default_rng(0)
        points = []
        for shape in shapes or ((3,), (2, 3), (2, 1, 3)):
            x = rng.uniform(0.3, 2.0, shape)
            forms: list[dict[str, Any]] = [{}, {"axis": -1}, {"axis": 0, "keepdims": True}]
            if len(shape) > 1:
                forms += [{"axis": (0, -1)}, {"keepdims": True}]
            points += [Sample((x,), {**f, **(extra or {})}) for f in forms]
        x32 = rng.uniform(0.3, 2.0, (2, 3)).astype("float32")
        points += [Sample((x32,), {"axis": 1, **(extra or {})}), Sample((x32,), extra or {})]
        return points

    return samples


# -- sums ----------------------------------------------------------------------------------------


def sum_vjp(b: Builder, g: Atom, out: Atom, a: Atom, **o: Any) -> list[Any]:
    return [spread(b, g, a, o.get("axis"), o.get("keepdims"))]


def sum_jvp(b: Builder, dots: Sequence[Atom], out: Atom, a: Atom, **o: Any) -> Atom:
    o.pop("initial", None)
    return b.op("np.sum", dots[0], **o)


rule(
    np.sum,
    "a",
    "axis=None, keepdims=False, initial=0",
    vjp=sum_vjp,
    jvp=sum_jvp,
    samples=lambda: [
        *axis_samples()(),
        sample(2.0),
        sample(np.array(1.5)),
        sample(np.zeros(0)),
        sample(np.zeros((0, 3)), axis=0),
        sample([1.0, 2.0]),
        sample(np.ones(2), axis=()),
        sample(np.ones(2), initial=3.0),
    ],
)


def mean_vjp(b: Builder, g: Atom, out: Atom, a: Atom, **o: Any) -> list[Any]:
    axis = o.get("axis")
    n, keepdims = count(b, a, axis), o.get("keepdims")
    known = isinstance(n, Const) and n.value
    if isinstance(g.kind, Num) and g.kind.weak is not False and not known:
        # divided as an array: an empty one divides by zero in silence
        return [b.div(spread(b, g, a, axis, keepdims), n)]
    return [spread(b, b.div(g, n), a, axis, keepdims)]


rule(
    np.mean,
    "a",
    "axis=None, keepdims=False",
    vjp=mean_vjp,
    jvp="linear",
    samples=lambda: [*axis_samples()(), sample(2.0), sample([1.0, 2.0, 4.0])],
)


def average_vjp(b: Builder, g: Atom, out: Atom, a: Atom, weights: Any = None, **o: Any) -> Any:
    axis = o.get("axis")
    if weights is None or isinstance(weights, Const) and weights.value is None:
        return mean_vjp(b, g, out, a, axis=axis)
    w = _lined_up(b, weights, a, axis)
    share = spread(b, b.div(g, _weight(b, weights, a, axis)), a, axis, False)
    centred = b.sub(a, spread(b, out, a, axis, False))
    return [lambda: b.mul(share, w), lambda: _back(b, b.mul(share, centred), weights, a, axis)]


def _lined_up(b: Builder, weights: Atom, a: Atom, axis: Axis) -> Atom:
    """Weights along one axis, in a shape that broadcasts against ``a``."""
    if axis is None or isinstance(axis, tuple) or rank(weights) == rank(a):
        return weights
    after = rank(a) - 1 - axis % rank(a)
    return b.op("item", weights, Const.of((slice(None), *[None] * after))) if after else weights


def _weight(b: Builder, weights: Atom, a: Atom, axis: Axis) -> Atom:
    """The sum of the weights that go into one average."""
    if axis is None or rank(weights) < rank(a):
        return b.op("np.sum", weights)
    return b.op("np.sum", weights, axis=axis)


def _back(b: Builder, w_bar: Atom, weights: Atom, a: Atom, axis: Axis) -> Atom:
    if axis is None or isinstance(axis, tuple) or rank(weights) == rank(a):
        return w_bar
    others = tuple(k for k in range(rank(a)) if k != axis % rank(a))
    return b.op("np.sum", w_bar, axis=others) if others else w_bar


def average_jvp(
    b: Builder, dots: Sequence[Any], out: Atom, a: Atom, weights: Any = None, **o: Any
) -> Any:
    axis = o.get("axis")
    over = {} if axis is None else {"axis": axis}
    if weights is None or isinstance(weights, Const) and weights.value is None:
        return b.op("np.mean", dots[0], **over)
    w = _lined_up(b, weights, a, axis)
    terms: Any = None
    if dots[0] is not None:
        terms = b.mul(w, dots[0])
    if dots[1] is not None:
        centred = b.sub(a, spread(b, out, a, axis, False))
        more = b.mul(_lined_up(b, dots[1], a, axis), centred)
        terms = more if terms is None else b.add(terms, more)
    return b.div(b.op("np.sum", terms, **over), _weight(b, weights, a, axis))


rule(
    np.average,
    "a weights=None",
    "axis=None",
    name="weighted_average",
    fun=helpers.weighted_average,
    signature_of="a, axis=None, weights=None",
    vjp=average_vjp,
    jvp=average_jvp,
    samples=lambda: [
        sample(np.array([1.0, 4.0])),
        sample(np.array([1.0, 4.0]), np.array([0.5, 2.5])),
        sample(np.array([[1.0, 4.0, 2.0], [0.0, 1.0, 5.0]]), np.array([0.5, 2.5]), axis=0),
        sample(np.array([[1.0, 4.0, 2.0], [0.0, 1.0, 5.0]]), np.array([0.5, 2.5, 1.0]), axis=1),
    ],
)

# -- spread about the mean -----------------------------------------------------------------------


def _centred(b: Builder, a: Atom, axis: Axis) -> Atom:
    over: dict[str, Any] = {} if axis is None else {"axis": axis, "keepdims": True}
    return b.sub(a, b.op("np.mean", a, **over))


def _freedom(b: Builder, a: Atom, axis: Axis, ddof: Any) -> Atom:
    return b.sub(count(b, a, axis), Const.of(ddof or 0))


def var_vjp(b: Builder, g: Atom, out: Atom, a: Atom, **o: Any) -> list[Any]:
    axis = o.get("axis")
    up = b.mul(Const.of(2.0), kept(b, g, a, axis, o.get("keepdims")))
    return [b.div(b.mul(up, _centred(b, a, axis)), _freedom(b, a, axis, o.get("ddof")))]


def var_jvp(b: Builder, dots: Sequence[Atom], out: Atom, a: Atom, **o: Any) -> Atom:
    axis = o.get("axis")
    over = {k: o[k] for k in ("axis", "keepdims") if k in o}
    inner = b.op("np.sum", b.mul(_centred(b, a, axis), dots[0]), **over)
    return b.div(b.mul(Const.of(2.0), inner), _freedom(b, a, axis, o.get("ddof")))


def std_vjp(b: Builder, g: Atom, out: Atom, a: Atom, **o: Any) -> list[Any]:
    axis, keepdims = o.get("axis"), o.get("keepdims")
    below = b.mul(_freedom(b, a, axis, o.get("ddof")), kept(b, out, a, axis, keepdims))
    up = b.mul(kept(b, g, a, axis, keepdims), _centred(b, a, axis))
    return [b.op("ratio", up, below)]


def std_jvp(b: Builder, dots: Sequence[Atom], out: Atom, a: Atom, **o: Any) -> Atom:
    return b.op("ratio", var_jvp(b, dots, out, a, **o), b.mul(Const.of(2.0), out))


for _f, _vjp, _jvp in ((np.var, var_vjp, var_jvp), (np.std, std_vjp, std_jvp)):
    rule(
        _f,
        "a",
        "axis=None, ddof=0, keepdims=False",
        vjp=_vjp,
        jvp=_jvp,
        samples=lambda: [
            *axis_samples((3,), (2, 3), (2, 3, 2))(),
            *axis_samples((3,), (3, 4), extra={"ddof": 1})(),
        ],
    )

# -- extremes: ties share evenly -----------------------------------------------------------------


def extreme_vjp(b: Builder, g: Atom, out: Atom, a: Atom, **o: Any) -> list[Any]:
    axis, keepdims = o.get("axis"), o.get("keepdims")
    if isinstance(a.kind, Num):
        return [g]
    chosen = b.op("eq", a, kept(b, out, a, axis, keepdims))
    return [b.op("share", kept(b, g, a, axis, keepdims), chosen, **_over(axis))]


def extreme_jvp(b: Builder, dots: Sequence[Atom], out: Atom, a: Atom, **o: Any) -> Atom:
    if isinstance(a.kind, Num):
        return dots[0]
    axis = o.get("axis")
    chosen = b.op("eq", a, kept(b, out, a, axis, o.get("keepdims")))
    return b.op("np.sum", b.op("share", dots[0], chosen, **_over(axis)), **o)


def _over(axis: Axis) -> dict[str, Any]:
    return {} if axis is None else {"axis": axis}


rule(
    helpers.share,
    "g chosen",
    "axis=None",
    name="share",
    kind=lambda args, attrs: kr.elementwise_kind(
        kr.true_dtype(kr.numeric(args[0].kind)), [kr.as_array(a.kind) for a in args]
    ),
    vjp=lambda b, h, out, g, chosen, **o: [b.op("share", h, chosen, **o), None],
    jvp=lambda b, dots, out, g, chosen, **o: b.op("share", dots[0], chosen, **o),
    samples=[
        sample(1.5, np.array([True, False, True])),
        sample(np.array([[1.5], [0.5]]), np.array([[True, False], [True, True]]), axis=1),
        sample(np.array([1.5, 0.5]), np.array([True, False])),
    ],
)


def _ties() -> Sequence[Sample]:
    tied = np.array([[3.0, 3.0, 1.0], [1.0, 3.0, 1.0]])
    half, third = 0.5, 1.0 / 3.0
    first = np.array([[third, third, 0.0], [0.0, third, 0.0]])
    last = np.array([[half, half, 0.0], [0.0, 1.0, 0.0]])
    return [
        sample(tied, expect=(first,)),
        sample(tied, axis=1, expect=(last,)),
        sample(1.5),
    ]


for _f, _alias in each((np.max, np.amax), (np.min, np.amin)):
    rule(
        _f,
        "a",
        "axis=None, keepdims=False",
        vjp=extreme_vjp,
        jvp=extreme_jvp,
        aliases=(_alias,),
        samples=(lambda: [*axis_samples()(), *_ties()]) if _f is np.max else axis_samples(),
    )


def ptp_vjp(b: Builder, g: Atom, out: Atom, a: Atom, **o: Any) -> list[Any]:
    high, low = b.op("np.max", a, **o), b.op("np.min", a, **o)
    up = extreme_vjp(b, g, high, a, **o)[0]
    return [b.sub(up, extreme_vjp(b, g, low, a, **o)[0])]


def ptp_jvp(b: Builder, dots: Sequence[Atom], out: Atom, a: Atom, **o: Any) -> Atom:
    high, low = b.op("np.max", a, **o), b.op("np.min", a, **o)
    return b.sub(extreme_jvp(b, dots, high, a, **o), extreme_jvp(b, dots, low, a, **o))


rule(np.ptp, "a", "axis=None, keepdims=False", vjp=ptp_vjp, jvp=ptp_jvp, samples=axis_samples())

# -- zero derivative -----------------------------------------------------------------------------

for _f in each(np.any, np.all, np.count_nonzero):
    zero(_f, "a", "axis=None, keepdims=False")
for _f in each(np.argmax, np.argmin):
    zero(_f, "a", "axis=None, keepdims=False")
zero(np.argsort, "a", "axis=-1")
