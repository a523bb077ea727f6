"""Order statistics, and reductions that leave nan out.

In: nothing. Out: records in the registry. A quantile is a weighted sum of elements: the weights,
shared evenly by equal elements, are its derivative. What leaves nan out is what chooses the rest.

    np.median(x):   x_bar = quantile_bar(g, x, 0.5)
    np.nansum(x):   x_bar = where(isnan(x), 0, g)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..ir.kinds import Kind, Num
from ..ir.nodes import Atom, Const
from . import order_helpers as helpers
from . import reductions as red
from . import scans, spreads
from .declare import each, rule, sample
from .derived import derived
from .examplekinds import by_example
from .kindrules import as_array
from .linear import rank
from .reductions import EXTREME_OPTIONS, axis_samples, given
from .registry import Sample
from .staged import total

if TYPE_CHECKING:
    from ..ir.builder import Builder

_X = np.array([[3.0, 1.0, 2.0, 7.0], [0.5, 2.5, 1.5, 4.0]])

# -- quantiles -----------------------------------------------------------------------------------


def _shared(o: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    """The options of a quantile that its derivative needs too."""
    kept = {k: o[k] for k in ("axis", "keepdims", "method", "order", "scale", "nan") if k in o}
    return {**kept, **more}


def _to_q(b: Builder, x: Atom, q: Atom) -> Atom:
    """A result summed to the shape of the fractions, which are its first axes."""
    over = tuple(range(rank(q), rank(x)))
    return b.op("np.sum", x, axis=over) if over else x


def _from_q(b: Builder, q_dot: Atom, q: Atom, out: Atom) -> Atom:
    more = rank(out) - rank(q)
    return b.op("item", q_dot, Const.of((..., *[None] * more))) if rank(q) and more else q_dot


def _quantile(scale: float, nan: bool, q: float | None = None) -> tuple[Any, Any]:
    """Both modes of a quantile; ``scale`` is 1 or, for percentiles, 100; ``q`` may be fixed."""
    fixed: dict[str, Any] = {"scale": scale} if scale != 1.0 else {}
    if nan:
        fixed["nan"] = True

    def vjp(b: Builder, g: Atom, out: Atom, a: Atom, *at: Atom, **o: Any) -> list[Any]:
        o = _shared(o, **fixed)
        fraction = at[0] if at else Const.of(q)
        if isinstance(a.kind, Num) and rank(fraction) == 0:
            return [g, None]

        def wrt_q() -> Atom:
            slope = b.op("quantile_dot", a, a, fraction, **{**o, "order": 1})
            return _to_q(b, b.mul(g, slope), fraction)

        return [lambda: b.op("quantile_bar", g, a, fraction, **o), wrt_q]

    def jvp(b: Builder, dots: Any, out: Atom, a: Atom, *at: Atom, **o: Any) -> Any:
        o = _shared(o, **fixed)
        fraction = at[0] if at else Const.of(q)
        terms = []
        if isinstance(a.kind, Num) and rank(fraction) == 0:
            return dots[0]
        if dots[0] is not None:
            terms.append(b.op("quantile_dot", dots[0], a, fraction, **o))
        if len(dots) > 1 and dots[1] is not None:
            slope = b.op("quantile_dot", a, a, fraction, **{**o, "order": 1})
            terms.append(b.mul(slope, _from_q(b, dots[1], fraction, out)))
        return total(b, terms)

    return vjp, jvp


def _like_data(args: Sequence[Atom], attrs: Any) -> Kind:
    return as_array(args[1].kind)


def _bar_vjp(
    b: Builder, h: Atom, out: Atom, v: Atom, a: Atom, q: Atom, order: int = 0, **o: Any
) -> list[Any]:
    return [
        lambda: b.op("quantile_dot", h, a, q, order=order, **o),
        None,
        lambda: _to_q(b, b.mul(v, b.op("quantile_dot", h, a, q, order=order + 1, **o)), q),
    ]


def _bar_jvp(
    b: Builder, dots: Any, out: Atom, v: Atom, a: Atom, q: Atom, order: int = 0, **o: Any
) -> Any:
    terms = []
    if dots[0] is not None:
        terms.append(b.op("quantile_bar", dots[0], a, q, order=order, **o))
    if dots[2] is not None:
        along = b.mul(v, _from_q(b, dots[2], q, v))
        terms.append(b.op("quantile_bar", along, a, q, order=order + 1, **o))
    return total(b, terms)


def _dot_vjp(
    b: Builder, g: Atom, out: Atom, t: Atom, a: Atom, q: Atom, order: int = 0, **o: Any
) -> list[Any]:
    return [
        lambda: b.op("quantile_bar", g, a, q, order=order, **o),
        None,
        lambda: _to_q(b, b.mul(g, b.op("quantile_dot", t, a, q, order=order + 1, **o)), q),
    ]


def _dot_jvp(
    b: Builder, dots: Any, out: Atom, t: Atom, a: Atom, q: Atom, order: int = 0, **o: Any
) -> Any:
    terms = []
    if dots[0] is not None:
        terms.append(b.op("quantile_dot", dots[0], a, q, order=order, **o))
    if dots[2] is not None:
        slope = b.op("quantile_dot", t, a, q, order=order + 1, **o)
        terms.append(b.mul(slope, _from_q(b, dots[2], q, out)))
    return total(b, terms)


_HELPED = "axis=None, keepdims=False, method='linear', order=0, scale=1.0, nan=False"
rule(
    helpers.quantile_bar,
    "v a q",
    _HELPED,
    name="quantile_bar",
    kind=_like_data,
    vjp=_bar_vjp,
    jvp=_bar_jvp,
    samples=[sample(1.5, _X, 0.3), sample(np.array([1.5, 0.5]), _X, 0.3, axis=1)],
)
rule(
    helpers.quantile_dot,
    "t a q",
    _HELPED,
    name="quantile_dot",
    kind=by_example(helpers.quantile_dot),
    vjp=_dot_vjp,
    jvp=_dot_jvp,
    samples=[sample(_X + 1.0, _X, 0.3), sample(_X * _X, _X, np.array([0.3, 0.7]), axis=1)],
)

_NAN = np.array([[3.0, np.nan, 2.0, 7.0], [0.5, 2.5, 1.5, 4.0]])
_METHODS = (
    *("linear", "lower", "higher", "midpoint", "nearest", "hazen", "weibull"),
    *("median_unbiased", "normal_unbiased", "inverted_cdf", "averaged_inverted_cdf"),
    *("interpolated_inverted_cdf", "closest_observation"),
)


def _quantile_samples(unit: float) -> Sequence[Sample]:
    return [
        sample(_X, 0.3 * unit),
        sample(_X, 0.3 * unit, axis=1),
        sample(_X, 0.3 * unit, axis=0, keepdims=True),
        sample(_X[0], 0),
        sample(_X[0], int(unit)),
        sample(_X, np.array([0.1, 0.6]) * unit, axis=-1),
        sample(np.stack([_X, _X[::-1]]), np.array([0.1, 0.6]) * unit, axis=(0, 2)),
        sample(_X, [0.1 * unit, 0.6 * unit], axis=1, keepdims=True),
        sample(_X.astype("float32"), 0.3 * unit, axis=1),
        *(sample(_X, 0.43 * unit, axis=1, method=m) for m in _METHODS),
        sample(np.array([1.0, 2.0, 2.0]), 0.5 * unit, expect=(np.array([0.0, 0.5, 0.5]), None)),
    ]


def _some_quantiles(unit: float, nan: bool) -> Callable[[], Sequence[Sample]]:
    first = np.array([1.0, 0.0, 0.0, 0.0])
    more = [sample(_NAN[0], 0.5 * unit, expect=(first, None))] if nan else []
    return lambda: [*_quantile_samples(unit), *more]


for _f, _scale, _nan in each(
    (np.quantile, 1.0, False),
    (np.percentile, 100.0, False),
    (np.nanquantile, 1.0, True),
    (np.nanpercentile, 100.0, True),
):
    _vjp, _jvp = _quantile(_scale, _nan)
    rule(
        _f,
        "a q",
        "axis=None, out=None, overwrite_input=False, method='linear', keepdims=False, *,"
        " weights=None",
        vjp=_vjp,
        jvp=_jvp,
        samples=_some_quantiles(_scale, _nan),
    )
for _f, _nan in each((np.median, False), (np.nanmedian, True)):
    _vjp, _jvp = _quantile(1.0, _nan, 0.5)
    rule(
        _f,
        "a",
        "axis=None, out=None, overwrite_input=False, keepdims=False",
        vjp=_vjp,
        jvp=_jvp,
        samples=lambda: [
            *axis_samples((3,), (2, 3), (4, 2))(),
            sample(2.0),
            sample(np.array([1.0, 2.0, 2.0]), expect=(np.array([0.0, 0.5, 0.5]),)),
        ],
    )

# -- leaving nan out -----------------------------------------------------------------------------


def _present(b: Builder, a: Atom, where: Any) -> Atom:
    """Where there is a number, and it was chosen."""
    there = b.op("np.logical_not", b.op("np.isnan", a))
    where = given(where)
    return there if where is None else b.op("np.logical_and", there, where)


def _masked(vjp: Callable[..., Any], jvp: Callable[..., Any], places: int) -> tuple[Any, Any]:
    """The rules of a reduction that chooses what is no nan; the mask is its last operand."""

    def with_mask(b: Builder, a: Atom, more: tuple[Any, ...]) -> list[Any]:
        rest = [*more, *[Const.of(None)] * (places - len(more))]
        return [*rest[:-1], _present(b, a, rest[-1])]

    def new_vjp(b: Builder, g: Atom, out: Atom, a: Atom, *more: Any, **o: Any) -> Any:
        return vjp(b, g, out, a, *with_mask(b, a, more), **o)

    def new_jvp(b: Builder, dots: Any, out: Atom, a: Atom, *more: Any, **o: Any) -> Any:
        dots = [*dots, *[None] * (places + 1 - len(dots))]
        return jvp(b, dots, out, a, *with_mask(b, a, more), **o)

    return new_vjp, new_jvp


def mean_jvp(b: Builder, dots: Any, out: Atom, a: Atom, where: Any = None, **o: Any) -> Atom:
    return b.op("np.mean", dots[0], where, **o)


def _nan_samples(places: int) -> Callable[[], Sequence[Sample]]:
    def samples() -> Sequence[Sample]:
        masked = [
            Sample((s.args[0], *([None] * (places - 1)), s.args[2]), s.attrs)
            for s in red.where_samples()
        ]
        return [*axis_samples()(), *masked]

    return samples


_ONE = np.array([1.0, np.nan, 3.0])


def _and_one(
    samples: Callable[[], Sequence[Sample]], expect: Sequence[float], *more: Sample
) -> Callable[[], Sequence[Sample]]:
    """Samples, and a nan between two numbers."""
    return lambda: [*samples(), *more, sample(_ONE, expect=(np.array(expect),))]


_SUMS = "a, axis=None, dtype=None, out=None, keepdims=False, initial=None, where=None"
_SPREADS = (
    "a, axis=None, dtype=None, out=None, ddof=0, keepdims=False, *, where=None, correction=0"
)
for _f, _rules, _expect in each(
    (np.nansum, (red.sum_vjp, red.sum_jvp), [1.0, 0.0, 1.0]),
    (np.nanprod, (scans.prod_vjp, scans.prod_jvp), [3.0, 0.0, 1.0]),
):
    _vjp, _jvp = _masked(_rules[0], _rules[1], 2)
    rule(
        _f,
        "a initial=None where=None",
        kind=red.reduced(_f),
        signature_of=_SUMS,
        vjp=_vjp,
        jvp=_jvp,
        samples=_and_one(
            _nan_samples(2), _expect, sample(2.0), sample(np.ones((2, 3)), 1.5, axis=0)
        ),
    )
for _f, _rules, _sig, _expect in each(
    (
        np.nanmean,
        (red.mean_vjp, mean_jvp),
        "a, axis=None, dtype=None, out=None, keepdims=False, *, where=None",
        [0.5, 0.0, 0.5],
    ),
    (np.nanvar, (spreads.var_vjp, spreads.var_jvp), _SPREADS, [-1.0, 0.0, 1.0]),
    (np.nanstd, (spreads.std_vjp, spreads.std_jvp), _SPREADS, [-0.5, 0.0, 0.5]),
):
    _vjp, _jvp = _masked(_rules[0], _rules[1], 1)
    rule(
        _f,
        "a where=None",
        kind=red.reduced(_f),
        signature_of=_sig,
        vjp=_vjp,
        jvp=_jvp,
        samples=_and_one(_nan_samples(1), _expect),
    )
for _f in each(np.nanmax, np.nanmin):
    rule(
        _f,
        "a initial=None where=None",
        kind=red.reduced(_f),
        signature_of=EXTREME_OPTIONS,
        vjp=red.extreme_vjp,
        jvp=red.extreme_jvp,
        samples=_and_one(
            axis_samples(), [0.0, 0.0, 1.0] if _f is np.nanmax else [1.0, 0.0, 0.0], sample(2.0)
        ),
    )


def _without_nan(scan: str, neutral: float) -> Callable[..., Atom]:
    def definition(b: Builder, a: Atom, **o: Any) -> Atom:
        there = b.op("np.where", b.op("np.isnan", a), Const.of(neutral), a)
        return b.op(scan, there, **o)

    return definition


for _f, _scan, _neutral in each(
    (np.nancumsum, "np.cumsum", 0.0), (np.nancumprod, "np.cumprod", 1.0)
):
    _vjp, _jvp = derived(_without_nan(_scan, _neutral))
    rule(
        _f,
        "a",
        "axis=None, dtype=None, out=None",
        vjp=_vjp,
        jvp=_jvp,
        samples=[
            sample(np.array([1.5, 2.0, 4.0])),
            sample(_X),
            sample(_X, axis=1),
            sample(_X.astype("float32"), axis=0),
            sample(np.zeros(0)),
            sample(np.array([1.0, np.nan, 1.0]), expect=(np.array([3.0, 0.0, 1.0]),)),
        ],
    )
