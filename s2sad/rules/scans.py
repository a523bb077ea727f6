"""Products over axes, and scans.

In: nothing. Out: records in the registry. Products are exact where elements are 0: nothing is
divided.

    np.cumsum(x):   x_bar = np.flip(np.cumsum(np.flip(g)))
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..ir.kinds import Num
from ..ir.nodes import Atom, Const
from . import helpers
from .declare import rule, sample
from .examplekinds import by_example
from .kindrules import as_array
from .linear import rank
from .reductions import axis_samples, kept

if TYPE_CHECKING:
    from ..ir.builder import Builder

# -- products ------------------------------------------------------------------------------------


def prod_vjp(b: Builder, g: Atom, out: Atom, a: Atom, **o: Any) -> list[Any]:
    axis = o.get("axis")
    others = b.op("prod_others", a, **({} if axis is None else {"axis": axis}))
    return [b.mul(kept(b, g, a, axis, o.get("keepdims")), others)]


def prod_jvp(b: Builder, dots: Sequence[Atom], out: Atom, a: Atom, **o: Any) -> Atom:
    axis = o.get("axis")
    others = b.op("prod_others", a, **({} if axis is None else {"axis": axis}))
    return b.op("np.sum", b.mul(others, dots[0]), **o)


rule(
    np.prod,
    "a",
    "axis=None, keepdims=False",
    vjp=prod_vjp,
    jvp=prod_jvp,
    samples=lambda: [
        *axis_samples()(),
        sample(np.array([2.0, 0.0, 3.0])),
        sample(np.array([[2.0, 0.0, 3.0], [0.0, 0.0, 1.0]]), axis=1),
        sample(np.zeros(0)),
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
    "axis=None",
    vjp=cumsum_vjp,
    jvp="linear",
    samples=lambda: [
        sample(np.array([1.0, 2.0, 4.0])),
        sample(np.ones((2, 3))),
        sample(np.ones((2, 3)), axis=1),
        sample(np.ones((2, 3), "float32"), axis=0),
        sample(np.zeros(0)),
    ],
)


def cumprod_vjp(b: Builder, g: Atom, out: Atom, a: Atom, **o: Any) -> list[Any]:
    return [b.op("cumprod_bar", g, a, **o)]


def cumprod_jvp(b: Builder, dots: Sequence[Atom], out: Atom, a: Atom, **o: Any) -> Atom:
    return b.op("cumprod_dot", dots[0], a, **o)


rule(
    np.cumprod,
    "a",
    "axis=None",
    vjp=cumprod_vjp,
    jvp=cumprod_jvp,
    samples=lambda: [
        sample(np.array([1.5, 2.0, 4.0])),
        sample(np.array([1.5, 0.0, 4.0, 0.0, 2.0])),
        sample(np.full((2, 3), 1.5)),
        sample(np.full((2, 3), 1.5), axis=1),
        sample(np.full((2, 3), 1.5, "float32"), axis=0),
        sample(np.zeros(0)),
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
