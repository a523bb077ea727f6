"""One-dimensional convolutions of ``scipy.ndimage``, with every way to continue an array.

In: nothing. Out: records in the registry.

    ndimage.convolve1d(x, w)     x_bar = convolve1d_bar(g, w)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import ndimage

from ...ir.kinds import Array, Kind
from ...ir.nodes import Atom
from ..declare import reals, rule, sample
from ..kindrules import as_array
from ..registry import KindError
from ..staged import total
from . import filters
from .signal import _like_kind as like_kind

if TYPE_CHECKING:
    from ...ir.builder import Builder

_r = reals(3)


def _kind(args: Sequence[Atom], attrs: Any) -> Kind:
    """As the input is, in its dtype."""
    x = as_array(args[0].kind)
    if not isinstance(x, Array) or x.dtype[0] != "f":
        raise KindError("scipy.ndimage.convolve1d has a rule for arrays of floats")
    return x


def _without_value(o: dict[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in o.items() if k != "cval"}


def convolve1d_vjp(
    b: Builder, g: Atom, out: Atom, input: Atom, weights: Atom, **o: Any
) -> list[Any]:
    return [
        lambda: b.op("convolve1d_bar", g, weights, **_without_value(o)),
        lambda: b.op("convolve1d_weights_bar", g, input, weights, **o),
    ]


def convolve1d_jvp(
    b: Builder, dots: Sequence[Atom | None], out: Atom, input: Atom, weights: Atom, **o: Any
) -> Atom | None:
    x_dot, w_dot = dots
    fn = "scipy.ndimage.convolve1d"
    return total(
        b,
        [
            None if x_dot is None else b.op(fn, x_dot, weights, **_without_value(o)),
            None if w_dot is None else b.op(fn, input, w_dot, **o),
        ],
    )


rule(
    ndimage.convolve1d,
    "input weights",
    "axis=-1, mode='reflect', cval=0.0, origin=0",
    name="scipy.ndimage.convolve1d",
    kind=_kind,
    vjp=convolve1d_vjp,
    jvp=convolve1d_jvp,
    samples=[
        sample(_r(6), _r(3)),
        sample(_r(6), _r(4)),
        sample(_r(6), _r(4), origin=1),
        sample(_r(6), _r(3), origin=-1),
        sample(_r(5, 4), _r(3), axis=0),
        sample(_r(5, 4), _r(3), axis=1, mode="nearest"),
        sample(_r(6), _r(3), mode="mirror"),
        sample(_r(6), _r(5), mode="wrap"),
        sample(_r(6), _r(5), mode="constant", cval=0.7),
        sample(_r(6).astype("float32"), _r(3).astype("float32")),
    ],
)
rule(
    filters.convolve1d_bar,
    "g weights",
    "axis=-1, mode='reflect', origin=0",
    name="convolve1d_bar",
    kind=like_kind(0),
    vjp=lambda b, h, out, g, weights, **o: [
        lambda: b.op("scipy.ndimage.convolve1d", h, weights, **o),
        lambda: b.op("convolve1d_weights_bar", g, h, weights, **o),
    ],
    jvp=lambda b, dots, out, g, weights, **o: total(
        b,
        [
            None if dots[0] is None else b.op("convolve1d_bar", dots[0], weights, **o),
            None if dots[1] is None else b.op("convolve1d_bar", g, dots[1], **o),
        ],
    ),
    samples=[sample(_r(6), _r(3)), sample(_r(5, 4), _r(4), axis=0, mode="wrap")],
)
rule(
    filters.convolve1d_weights_bar,
    "g x like",
    "axis=-1, mode='reflect', cval=0.0, origin=0",
    name="convolve1d_weights_bar",
    kind=like_kind(2),
    vjp=lambda b, h, out, g, x, like, **o: [
        lambda: b.op("scipy.ndimage.convolve1d", x, h, **o),
        lambda: b.op("convolve1d_bar", g, h, **_without_value(o)),
        None,
    ],
    jvp=lambda b, dots, out, g, x, like, **o: total(
        b,
        [
            None if dots[0] is None else b.op("convolve1d_weights_bar", dots[0], x, like, **o),
            None
            if dots[1] is None
            else b.op("convolve1d_weights_bar", g, dots[1], like, **_without_value(o)),
        ],
    ),
    samples=[
        sample(_r(6), _r(6), np.zeros(3, int)),
        sample(_r(6), _r(6), np.zeros(4, int), mode="constant", cval=0.5),
    ],
)
