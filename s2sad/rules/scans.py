"""Products over axes, and scans.

In: nothing. Out: records in the registry. Products are exact where elements are 0: nothing is
divided.

    np.cumsum(x):   x_bar = np.flip(np.cumsum(np.flip(g)))
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..ir.kinds import Array, Kind, Num
from ..ir.nodes import Atom, Const
from . import helpers, order_helpers
from .declare import each, rule, sample, zero
from .derived import derived
from .examplekinds import by_example
from .kindrules import as_array
from .linear import rank
from .reductions import axis_samples, chosen, given, kept, masked, reduced, where_samples

if TYPE_CHECKING:
    from ..ir.builder import Builder

# -- products ------------------------------------------------------------------------------------


def _axis(o: Mapping[str, Any]) -> dict[str, Any]:
    return {} if o.get("axis") is None else {"axis": o["axis"]}


def _others(b: Builder, a: Atom, where: Any, o: Mapping[str, Any]) -> tuple[Atom, Atom | None]:
    """The product of the other elements, and the mask if there is one."""
    where = given(where)
    if isinstance(a.kind, Num):
        return Const.of(1.0), where
    if where is not None:
        a = b.op("np.where", where, a, Const.of(1.0))
    return b.op("prod_others", a, **_axis(o)), where


def prod_vjp(
    b: Builder, g: Atom, out: Atom, a: Atom, initial: Any = None, where: Any = None, **o: Any
) -> list[Any]:
    first = given(initial)

    def wrt_a() -> Atom:
        others, mask = _others(b, a, where, o)
        seed = g if first is None else b.mul(g, first)
        return chosen(b, mask, b.mul(kept(b, seed, a, o.get("axis"), o.get("keepdims")), others))

    def wrt_initial() -> Atom:
        return b.mul(g, b.op("np.prod", a, *masked(given(where)), **o))

    return [wrt_a, wrt_initial]


def prod_jvp(
    b: Builder,
    dots: Sequence[Any],
    out: Atom,
    a: Atom,
    initial: Any = None,
    where: Any = None,
    **o: Any,
) -> Atom:
    first = given(initial)
    terms = []
    if dots[0] is not None:
        others, mask = _others(b, a, where, o)
        over = {k: o[k] for k in ("axis", "keepdims") if k in o}
        change = b.op("np.sum", chosen(b, mask, b.mul(others, dots[0])), **over)
        terms.append(change if first is None else b.mul(first, change))
    if len(dots) > 1 and dots[1] is not None:
        terms.append(b.mul(dots[1], b.op("np.prod", a, *masked(given(where)), **o)))
    return terms[0] if len(terms) == 1 else b.add(*terms)


rule(
    np.prod,
    "a initial=None where=None",
    kind=reduced(np.prod),
    signature_of="a, axis=None, dtype=None, out=None, keepdims=False, initial=None, where=None",
    vjp=prod_vjp,
    jvp=prod_jvp,
    samples=lambda: [
        *axis_samples()(),
        *where_samples(),
        sample(2.0),
        sample(np.array([2.0, 0.0, 3.0])),
        sample(np.array([2.0, 0.5, 3.0]), 1.5),
        sample(np.array([[2.0, 0.0, 3.0], [0.0, 0.0, 1.0]]), axis=1),
        sample(np.zeros(0)),
        sample(np.zeros((0, 3)), axis=0),
    ],
)
rule(
    helpers.prod_others,
    "x",
    "axis=None",
    name="prod_others",
    kind=lambda args, attrs: as_array(args[0].kind),
    vjp=lambda b, g, out, x, **o: [b.op("prod_pairs", x, g, **o)],
    jvp=lambda b, dots, out, x, **o: b.op("prod_pairs", x, dots[0], **o),
    samples=lambda: [sample(np.array([2.0, 0.5, 3.0])), sample(np.ones((2, 3)) * 1.5, axis=1)],
)
rule(
    helpers.prod_pairs,
    "x v",
    "axis=None",
    name="prod_pairs",
    kind=lambda args, attrs: args[0].kind,
)

# -- scans ---------------------------------------------------------------------------------------


def cumsum_vjp(b: Builder, g: Atom, out: Atom, a: Atom, **o: Any) -> list[Any]:
    axis = o.get("axis")
    if axis is None:
        back = b.text("flip(cumsum(flip(g)))", g=g)
        if isinstance(a.kind, Num):
            return [b.op("item", back, Const.of(0))]
        return [back if rank(a) == 1 else b.op("np.reshape", back, b.op("shape", a))]
    turned = b.op("np.flip", g, axis=axis)
    return [b.op("np.flip", b.op("np.cumsum", turned, axis=axis), axis=axis)]


rule(
    np.cumsum,
    "a",
    "axis=None, dtype=None, out=None",
    vjp=cumsum_vjp,
    jvp="linear",
    samples=lambda: [
        sample(np.array([1.0, 2.0, 4.0])),
        sample(np.ones((2, 3))),
        sample(np.ones((2, 3)), axis=1),
        sample(np.ones((2, 3), "float32"), axis=0),
        sample(np.ones(3, "float32"), dtype="float64"),
        sample(np.zeros(0)),
        sample(np.zeros((0, 2)), axis=0),
        sample(1.5),
    ],
)


def cumprod_vjp(b: Builder, g: Atom, out: Atom, a: Atom, **o: Any) -> list[Any]:
    if isinstance(a.kind, Num):
        return [b.op("item", g, Const.of(0))]
    return [b.op("cumprod_bar", g, a, **_axis(o))]


def cumprod_jvp(b: Builder, dots: Sequence[Atom], out: Atom, a: Atom, **o: Any) -> Atom:
    if isinstance(a.kind, Num):
        return b.op("np.atleast_1d", dots[0])
    return b.op("cumprod_dot", dots[0], a, **_axis(o))


rule(
    np.cumprod,
    "a",
    "axis=None, dtype=None, out=None",
    vjp=cumprod_vjp,
    jvp=cumprod_jvp,
    samples=lambda: [
        sample(np.array([1.5, 2.0, 4.0])),
        sample(np.array([1.5, 0.0, 4.0, 0.0, 2.0])),
        sample(np.full((2, 3), 1.5)),
        sample(np.full((2, 3), 1.5), axis=1),
        sample(np.full((2, 3), 1.5, "float32"), axis=0),
        sample(np.zeros(0)),
        sample(1.5),
    ],
)


def _cumulative(scan: str, first: float) -> Any:
    """The scan along the axis, after a first element that depends on nothing."""

    def definition(b: Builder, x: Atom, **o: Any) -> Atom:
        axis = o.get("axis")
        along = 0 if axis is None else axis
        found = b.op(scan, x, axis=along)
        if not o.get("include_initial"):
            return found
        before = (slice(None),) * (along % rank(x))
        start = b.op("item", found, Const.of((*before, slice(0, 1))))
        start = b.op("np.full_like", start, Const.of(first))
        return b.op("np.concatenate", b.op("tuple", start, found), axis=along)

    return definition


if hasattr(np, "cumulative_sum"):  # from NumPy 2.1 on
    for _f, _scan, _first in each(
        (np.cumulative_sum, "np.cumsum", 0.0), (np.cumulative_prod, "np.cumprod", 1.0)
    ):
        _vjp, _jvp = derived(_cumulative(_scan, _first))
        rule(
            _f,
            "x",
            "*, axis=None, dtype=None, out=None, include_initial=False",
            vjp=_vjp,
            jvp=_jvp,
            samples=lambda: [
                sample(np.array([1.5, 2.0, 4.0])),
                sample(np.array([1.5, 2.0, 4.0]), include_initial=True),
                sample(np.full((2, 3), 1.5), axis=1, include_initial=True),
                sample(np.full((2, 3), 1.5, "float32"), axis=0),
            ],
        )
rule(
    helpers.cumprod_bar,
    "v x",
    "axis=None",
    name="cumprod_bar",
    kind=lambda args, attrs: args[1].kind,
    vjp=("cumprod_dot(g, x, axis=axis)", "cumprod_second(v, g, x, axis=axis)"),
    jvp=("cumprod_bar(v_dot, x, axis=axis)", "cumprod_second(v, x_dot, x, axis=axis)"),
    samples=lambda: [
        sample(np.array([1.0, 2.0, 0.5]), np.array([1.5, 0.5, 2.0])),
        sample(np.ones((2, 3)), np.full((2, 3), 1.5), axis=1),
    ],
)
rule(
    helpers.cumprod_dot,
    "v x",
    "axis=None",
    name="cumprod_dot",
    kind=lambda args, attrs: by_example(np.cumprod)(args[1:], attrs),
    vjp=("cumprod_bar(g, x, axis=axis)", "cumprod_second(g, v, x, axis=axis)"),
    jvp=("cumprod_dot(v_dot, x, axis=axis)", "cumprod_cross(v, x_dot, x, axis=axis)"),
    samples=lambda: [
        sample(np.array([1.0, 2.0, 0.5]), np.array([1.5, 0.5, 2.0])),
        sample(np.ones((2, 3)), np.full((2, 3), 1.5), axis=1),
    ],
)
rule(
    helpers.cumprod_second,
    "v t x",
    "axis=None",
    name="cumprod_second",
    kind=lambda args, attrs: args[2].kind,
)
rule(
    helpers.cumprod_cross,
    "t s x",
    "axis=None",
    name="cumprod_cross",
    kind=lambda args, attrs: by_example(np.cumprod)(args[2:], attrs),
)

# -- running extremes ----------------------------------------------------------------------------


def _running(fun: Any, name: str) -> None:
    """``np.maximum.accumulate``: what is equal to the extreme so far shares evenly with it."""

    def vjp(b: Builder, g: Atom, out: Atom, array: Atom, axis: int = 0, **o: Any) -> list[Any]:
        return [b.op("running_bar", g, array, out, axis=axis)]

    def jvp(b: Builder, dots: Any, out: Atom, array: Atom, axis: int = 0, **o: Any) -> Atom:
        return b.op("running_dot", dots[0], array, out, axis=axis)

    rule(
        fun,
        "array",
        "axis=0, dtype=None, out=None",
        name=name,
        vjp=vjp,
        jvp=jvp,
        samples=[
            sample(np.array([0.5, -1.0, 2.0, 1.5, 3.0])),
            sample(np.array([[0.5, -1.0, 2.0], [1.5, 3.0, -2.0]])),
            sample(np.array([[0.5, -1.0, 2.0], [1.5, 3.0, -2.0]]), axis=1),
            sample(np.array([0.5, -1.0], "float32")),
            sample(np.array([1.0, 1.0, 1.0]), expect=(np.array([1.75, 0.75, 0.5]),)),
        ],
    )


def _running_kind(args: Sequence[Atom], attrs: Any) -> Kind:
    v, x = as_array(args[0].kind), as_array(args[1].kind)
    return Array(v.dtype, x.dims) if isinstance(x, Array) else v


zero(
    order_helpers.running_extreme,
    "x",
    "axis=0, largest=True",
    name="running_extreme",
    kind=lambda args, attrs: args[0].kind,
)
_running(np.maximum.accumulate, "np.maximum.accumulate")
_running(np.minimum.accumulate, "np.minimum.accumulate")
for _f, _back in each(
    (order_helpers.running_bar, "running_dot"), (order_helpers.running_dot, "running_bar")
):
    rule(
        _f,
        "v x out_",
        "axis=0",
        name=_f.__name__,
        kind=_running_kind,
        vjp=(f"{_back}(g, x, out_, axis=axis)", None, None),
        jvp=(f"{_f.__name__}(v_dot, x, out_, axis=axis)", None, None),
        samples=[sample(np.array([1.5, 0.5, 2.0]), np.array([1, 2, 2]), np.array([1, 2, 2]))],
    )
