"""Reductions and scans.

In: nothing. Out: records in the registry. The cotangent of a reduction is spread over the axes
that it summed; where it then meets an array of the same shape, the builder leaves broadcasting
to NumPy.

    np.sum(x, axis=0):   x_bar = broadcast_like(g, x)
    np.mean(x):          x_bar = np.full_like(x, g / x.size)
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..ir.facts import shape_root
from ..ir.kinds import Array, Num
from ..ir.nodes import Atom, Const
from . import helpers
from . import kindrules as kr
from .apply import spread_like
from .declare import each, rule, sample, zero
from .examplekinds import by_example
from .registry import KindRule, Sample

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


def given(x: Atom | None) -> Atom | None:
    """An operand that was given; None where it was left out, or says what is so anyway."""
    if x is None or isinstance(x, Const) and (x.value is None or x.value is True):
        return None
    return x


def chosen(b: Builder, where: Atom | None, x: Atom) -> Atom:
    """``x`` where it was chosen, 0 elsewhere."""
    return x if where is None else b.op("np.where", where, x, Const.of(0.0))


def masked(where: Atom | None) -> list[Atom]:
    """The operands that pass a mask on to ``np.sum``."""
    return [] if where is None else [Const.of(None), where]


def reduced(f: Any) -> KindRule:
    """The kind of a reduction: whatever was chosen, the result has the same shape."""

    def run(a: Any, initial: Any = None, **options: Any) -> Any:
        return f(a, **options) if initial is None else f(a, initial=initial, **options)

    exact = by_example(run)

    def kind(args: Sequence[Atom], attrs: Any) -> Any:
        return exact(args[: 1 if f in _WITHOUT_INITIAL else 2], attrs)

    return kind


_WITHOUT_INITIAL = (np.mean, np.var, np.std, np.nanmean, np.nanvar, np.nanstd)
#: What NumPy's reductions take: axes by position or by name, then what we have as operands.
_OPTIONS = "a, axis=None, dtype=None, out=None, keepdims=False, initial=None, where=None"


def where_samples() -> Sequence[Sample]:
    """Masks of every shape that broadcasts."""
    x = np.array([[0.5, 1.5, 2.5], [3.5, 0.25, 1.25]])
    mask = np.array([[True, False, True], [True, True, False]])
    return [
        sample(x, None, mask),
        sample(x, None, mask, axis=1),
        sample(x, None, mask, axis=0, keepdims=True),
        sample(x, None, np.array([True, False, True]), axis=-1),
        sample(x, None, np.array([[True], [False]]), axis=0),
        sample(x.astype("float32"), None, mask, axis=0),
    ]


# -- sums ----------------------------------------------------------------------------------------


def sum_vjp(
    b: Builder, g: Atom, out: Atom, a: Atom, initial: Any = None, where: Any = None, **o: Any
) -> list[Any]:
    up = spread(b, g, a, o.get("axis"), o.get("keepdims"))
    return [chosen(b, given(where), up), lambda: g]


def sum_jvp(
    b: Builder,
    dots: Sequence[Any],
    out: Atom,
    a: Atom,
    initial: Any = None,
    where: Any = None,
    **o: Any,
) -> Atom:
    terms = []
    if dots[0] is not None:
        terms.append(b.op("np.sum", dots[0], *masked(given(where)), **o))
    if len(dots) > 1 and dots[1] is not None:
        terms.append(dots[1])
    return terms[0] if len(terms) == 1 else b.add(*terms)


rule(
    np.sum,
    "a initial=None where=None",
    kind=reduced(np.sum),
    signature_of=_OPTIONS,
    vjp=sum_vjp,
    jvp=sum_jvp,
    samples=lambda: [
        *axis_samples()(),
        *where_samples(),
        sample(2.0),
        sample(np.array(1.5)),
        sample(np.zeros(0)),
        sample(np.zeros((0, 3)), axis=0),
        sample([1.0, 2.0]),
        sample(np.ones(2), axis=()),
        sample(np.ones(2), 3.0),
        sample(np.ones((2, 3)), 3.0, np.array([True, False, True]), axis=1),
        sample(np.ones(2, "float32"), dtype="float64"),
    ],
)


def number(b: Builder, a: Atom, axis: Axis, where: Atom | None, keepdims: bool) -> Atom:
    """How many elements go into one element of the result, in the shape of the result."""
    if where is None:
        return count(b, a, axis)
    over: dict[str, Any] = {"keepdims": True} if keepdims else {}
    if axis is not None:
        over["axis"] = axis
    return b.op("np.sum", b.op("broadcast_like", where, a), **over)


def mean_vjp(b: Builder, g: Atom, out: Atom, a: Atom, where: Any = None, **o: Any) -> list[Any]:
    axis, where = o.get("axis"), given(where)
    keepdims = o.get("keepdims")
    n = number(b, a, axis, where, bool(keepdims))
    if where is not None:
        return [chosen(b, where, spread(b, b.op("ratio", g, n), a, axis, keepdims))]
    known = isinstance(n, Const) and n.value
    if isinstance(g.kind, Num) and g.kind.weak is not False and not known:
        # divided as an array: an empty one divides by zero in silence
        return [b.div(spread(b, g, a, axis, keepdims), n)]
    return [spread(b, b.div(g, n), a, axis, keepdims)]


rule(
    np.mean,
    "a where=None",
    kind=reduced(np.mean),
    signature_of="a, axis=None, dtype=None, out=None, keepdims=False, *, where=None",
    vjp=mean_vjp,
    jvp="linear",
    samples=lambda: [
        *axis_samples()(),
        *(sample(s.args[0], s.args[2], **s.attrs) for s in where_samples()),
        sample(2.0),
        sample([1.0, 2.0, 4.0]),
        sample(np.ones(2, "float32"), dtype="float64"),
    ],
)


# -- extremes: ties share evenly -----------------------------------------------------------------


def extreme_vjp(
    b: Builder, g: Atom, out: Atom, a: Atom, initial: Any = None, where: Any = None, **o: Any
) -> list[Any]:
    axis, keepdims = o.get("axis"), o.get("keepdims")
    initial, where = given(initial), given(where)
    if isinstance(a.kind, Num) and initial is None:
        return [g]
    best = kept(b, out, a, axis, keepdims)
    found = b.op("eq", a, best)
    if where is not None:
        found = b.op("np.logical_and", found, where)
    if initial is None:
        return [b.op("share", kept(b, g, a, axis, keepdims), found, **_over(axis))]
    first = b.op("eq", out, initial)
    part = b.div(g, b.op("np.maximum", b.op("np.add", _ties_of(b, found, o), first), Const.of(1)))
    return [
        lambda: chosen(b, found, kept(b, part, a, axis, keepdims)),
        lambda: chosen(b, first, part),
    ]


def _ties_of(b: Builder, found: Atom, o: dict[str, Any]) -> Atom:
    """How many elements are the extreme, in the shape of the result."""
    return b.op("np.sum", found, **{k: o[k] for k in ("axis", "keepdims") if k in o})


def extreme_jvp(
    b: Builder,
    dots: Sequence[Any],
    out: Atom,
    a: Atom,
    initial: Any = None,
    where: Any = None,
    **o: Any,
) -> Atom:
    axis = o.get("axis")
    initial, where = given(initial), given(where)
    if isinstance(a.kind, Num) and initial is None:
        alone: Atom = dots[0]
        return alone
    found = b.op("eq", a, kept(b, out, a, axis, o.get("keepdims")))
    if where is not None:
        found = b.op("np.logical_and", found, where)
    if initial is None:
        return b.op("np.sum", b.op("share", dots[0], found, **_over(axis)), **o)
    first = b.op("eq", out, initial)
    n = b.op("np.maximum", b.op("np.add", _ties_of(b, found, o), first), Const.of(1))
    terms = []
    if dots[0] is not None:
        terms.append(b.op("np.sum", chosen(b, found, dots[0]), **o))
    if dots[1] is not None:
        terms.append(chosen(b, first, dots[1]))
    return b.div(terms[0] if len(terms) == 1 else b.add(*terms), n)


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
        sample(tied, 3.0, expect=(np.where(tied == 3.0, 0.25, 0.0), 0.25)),
    ]


def _bounded() -> Sequence[Sample]:
    """Extremes that start from a number, over some of the elements."""
    x = np.array([[3.0, 0.5, 1.0], [1.5, 2.0, 0.25]])
    some = np.array([[False, True, True], [True, False, True]])
    return [
        sample(x, 0.75),
        sample(x, 1.25, axis=1),
        sample(x, 1.25, some, axis=1),
        sample(x, 1.25, some, axis=0, keepdims=True),
        sample(x.astype("float32"), np.float32(1.25), axis=0),
    ]


def _extreme_samples(ties: bool) -> Callable[[], Sequence[Sample]]:
    return lambda: [*axis_samples()(), *_bounded(), *(_ties() if ties else [])]


EXTREME_OPTIONS = "a, axis=None, out=None, keepdims=False, initial=None, where=None"
for _f, _alias in each((np.max, np.amax), (np.min, np.amin)):
    rule(
        _f,
        "a initial=None where=None",
        kind=reduced(_f),
        signature_of=EXTREME_OPTIONS,
        vjp=extreme_vjp,
        jvp=extreme_jvp,
        aliases=(_alias,),
        samples=_extreme_samples(_f is np.max),
    )


def ptp_vjp(b: Builder, g: Atom, out: Atom, a: Atom, **o: Any) -> list[Any]:
    high, low = b.op("np.max", a, **o), b.op("np.min", a, **o)
    up = extreme_vjp(b, g, high, a, **o)[0]
    return [b.sub(up, extreme_vjp(b, g, low, a, **o)[0])]


def ptp_jvp(b: Builder, dots: Sequence[Atom], out: Atom, a: Atom, **o: Any) -> Atom:
    high, low = b.op("np.max", a, **o), b.op("np.min", a, **o)
    return b.sub(extreme_jvp(b, dots, high, a, **o), extreme_jvp(b, dots, low, a, **o))


rule(
    np.ptp,
    "a",
    "axis=None, out=None, keepdims=False",
    vjp=ptp_vjp,
    jvp=ptp_jvp,
    samples=axis_samples(),
)

# -- zero derivative -----------------------------------------------------------------------------

for _f in each(np.any, np.all):
    zero(
        _f,
        "a where=None",
        signature_of="a, axis=None, out=None, keepdims=False, *, where=None",
    )
zero(np.count_nonzero, "a", "axis=None, keepdims=False")
for _f in each(np.argmax, np.argmin):
    zero(_f, "a", signature_of="a, axis=None, out=None, *, keepdims=False")
for _f in each(np.nanargmax, np.nanargmin):
    zero(_f, "a", signature_of="a, axis=None, out=None, *, keepdims=False")
zero(np.argsort, "a", signature_of="a, axis=-1, kind=None, order=None, *, stable=None")
zero(np.argpartition, "a kth", "axis=-1, kind='introselect'")
