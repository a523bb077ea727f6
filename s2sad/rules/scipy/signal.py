"""Convolutions and filters of ``scipy.signal``.

In: nothing. Out: records in the registry.

    signal.convolve(x, v)     x_bar = filter_bar(g, v, x, "full", True, "auto")
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import signal

from ...ir.kinds import Array, Kind, Mixed, Num, Size
from ...ir.nodes import Atom, Const
from ..declare import reals, rule, sample
from ..examplekinds import by_example
from ..kindrules import as_array
from ..registry import KindError
from ..staged import total
from . import filters

if TYPE_CHECKING:
    from ...ir.builder import Builder

_r = reals(5)


def _real(name: str, *operands: Atom) -> None:
    if any(as_array(a.kind).dtype[0] == "c" for a in operands):
        raise KindError(f"scipy.signal.{name} has a rule for real numbers only")


# -- convolutions --------------------------------------------------------------------------------


def _bar(
    b: Builder, g: Atom, other: Atom, like: Atom, mode: str, first: bool, method: str
) -> Atom:
    return b.op("filter_bar", g, other, like, mode=mode, first=first, method=method)


def _kind(name: str) -> Callable[..., Kind]:
    """As many axes as the operands have; how long they are, but for 'same', is not known."""

    def kind(args: Sequence[Atom], attrs: Any) -> Kind:
        one, two = (as_array(a.kind) for a in args)
        if not isinstance(one, Array) or not isinstance(two, Array) or one.rank != two.rank:
            raise KindError(f"scipy.signal.{name} takes arrays with equally many axes")
        if one.dims is None:
            raise KindError("the number of axes is not known here")
        dtype = np.result_type(one.dtype, two.dtype).name
        if name == "fftconvolve" and dtype[0] not in "fc":
            dtype = "float64"
        same = attrs.get("mode", "full") == "same"
        return Array(dtype, one.dims if same else tuple(Size() for _ in one.dims))

    return kind


def convolution(name: str) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """The rules of ``convolve`` and ``fftconvolve``, in both modes."""

    def vjp(
        b: Builder, g: Atom, out: Atom, in1: Atom, in2: Atom, mode: str = "full",
        method: str = "auto", axes: Any = None,
    ) -> list[Any]:  # fmt: skip
        how = _how(name, method, axes)
        return [
            lambda: _bar(b, g, in2, in1, mode, True, how),
            lambda: _bar(b, g, in1, in2, mode, False, how),
        ]

    def jvp(
        b: Builder, dots: Sequence[Atom | None], out: Atom, in1: Atom, in2: Atom, **o: Any
    ) -> Atom | None:
        _how(name, o.get("method", "auto"), o.get("axes"))
        one, two = dots
        full = f"scipy.signal.{name}"
        return total(
            b,
            [
                None if one is None else b.op(full, one, in2, **o),
                None if two is None else b.op(full, in1, two, **o),
            ],
        )

    return vjp, jvp


def _how(name: str, method: str, axes: Any) -> str:
    if axes is not None:
        raise KindError(f"scipy.signal.{name} has a rule without axes")
    return "fft" if name == "fftconvolve" else method


_PAIRS = [
    sample(_r(6), _r(3)),
    sample(_r(6), _r(3), mode="same"),
    sample(_r(6), _r(4), mode="same"),
    sample(_r(6), _r(3), mode="valid"),
    sample(_r(3), _r(6)),
    sample(_r(3), _r(6), mode="valid"),
    sample(_r(3), _r(6), mode="same"),
    sample(_r(4, 5), _r(2, 3)),
    sample(_r(4, 5), _r(2, 3), mode="same"),
    sample(_r(4, 5), _r(2, 3), mode="valid"),
    sample(_r(6).astype("float32"), _r(3).astype("float32")),
]
for _f, _options in (
    (signal.convolve, "mode='full', method='auto'"),
    (signal.fftconvolve, "mode='full', axes=None"),
):
    _vjp, _jvp = convolution(_f.__name__)
    rule(
        _f,
        "in1 in2",
        _options,
        name=f"scipy.signal.{_f.__name__}",
        kind=_kind(_f.__name__),
        vjp=_vjp,
        jvp=_jvp,
        samples=_PAIRS,
    )


def correlate_vjp(
    b: Builder, g: Atom, out: Atom, in1: Atom, in2: Atom, mode: str = "full", method: str = "auto"
) -> list[Any]:
    """The convolution with ``in2`` reversed."""
    _real("correlate", in1, in2)
    turned = b.op("np.flip", in2)
    return [
        lambda: _bar(b, g, turned, in1, mode, True, method),
        lambda: b.op("np.flip", _bar(b, g, in1, turned, mode, False, method)),
    ]


def correlate_jvp(
    b: Builder, dots: Sequence[Atom | None], out: Atom, in1: Atom, in2: Atom, **o: Any
) -> Atom | None:
    one, two = dots
    return total(
        b,
        [
            None if one is None else b.op("scipy.signal.correlate", one, in2, **o),
            None if two is None else b.op("scipy.signal.correlate", in1, two, **o),
        ],
    )


rule(
    signal.correlate,
    "in1 in2",
    "mode='full', method='auto'",
    name="scipy.signal.correlate",
    kind=_kind("correlate"),
    vjp=correlate_vjp,
    jvp=correlate_jvp,
    samples=_PAIRS,
)


def bar_vjp(
    b: Builder, h: Atom, out: Atom, g: Atom, other: Atom, like: Atom, **o: Any
) -> list[Any]:
    """Linear in g and in the other operand."""
    mode, first, method = o["mode"], o["first"], o["method"]
    pair = (h, other) if first else (other, h)
    return [
        lambda: b.op("scipy.signal.convolve", *pair, mode=mode, method=method),
        lambda: _bar(b, g, h, other, mode, not first, method),
        None,
    ]


def bar_jvp(
    b: Builder, dots: Sequence[Atom | None], out: Atom, g: Atom, other: Atom, like: Atom, **o: Any
) -> Atom | None:
    g_dot, other_dot, _ = dots
    return total(
        b,
        [
            None if g_dot is None else b.op("filter_bar", g_dot, other, like, **o),
            None if other_dot is None else b.op("filter_bar", g, other_dot, like, **o),
        ],
    )


def _like_kind(n: int) -> Callable[..., Kind]:
    """As operand n is, in the dtype of the others."""

    def kind(args: Sequence[Atom], attrs: Any) -> Kind:
        of_shape = as_array(args[n].kind)
        dtype = np.result_type(*(as_array(a.kind).dtype for a in args[:2])).name
        if isinstance(of_shape, Array):
            return Array(dtype, of_shape.dims)
        return Num(dtype, False) if isinstance(of_shape, Num) else Mixed(dtype)

    return kind


rule(
    filters.filter_bar,
    "g other like",
    "mode, first, method",
    name="filter_bar",
    kind=_like_kind(2),
    vjp=bar_vjp,
    jvp=bar_jvp,
    samples=[
        sample(_r(8), _r(3), np.zeros(6, int), mode="full", first=True, method="auto"),
        sample(_r(6), _r(6), np.zeros(3, int), mode="same", first=False, method="auto"),
        sample(_r(3, 3), _r(2, 3), np.zeros((4, 5), int), mode="valid", first=True, method="auto"),
    ],
)

# -- filters -------------------------------------------------------------------------------------


def _filter(*operands: Any, axis: int = -1) -> Any:
    return signal.lfilter(*operands, axis=axis)


def _backwards(b: Builder, num: Atom, den: Atom, g: Atom, axis: int) -> Atom:
    """The adjoint of the filter: the same one, run backwards in time."""
    turned = b.op("np.flip", g, axis=axis)
    return b.op(
        "np.flip", b.op("scipy.signal.lfilter", num, den, turned, **_axis(axis)), axis=axis
    )


def _axis(axis: int) -> dict[str, Any]:
    return {} if axis == -1 else {"axis": axis}


def lfilter_vjp(
    b: Builder, g: Atom, out: Atom, num: Atom, den: Atom, x: Atom, axis: int = -1
) -> list[Any]:
    """With u the output's cotangent run backwards through 1 / a: b_bar and a_bar are its lags."""
    _real("lfilter", num, den, x)
    one = b.op("np.asarray", Const.of([1.0]))
    made: list[Atom] = []

    def u() -> Atom:
        if not made:
            made.append(_backwards(b, one, den, g, axis))
        return made[0]

    return [
        lambda: b.op("lag_products", u(), x, num, **_axis(axis)),
        lambda: b.neg(b.op("lag_products", u(), out, den, **_axis(axis))),
        lambda: _backwards(b, num, den, g, axis),
    ]


def lfilter_jvp(
    b: Builder, dots: Sequence[Atom | None], out: Atom, num: Atom, den: Atom, x: Atom,
    axis: int = -1,
) -> Atom:  # fmt: skip
    num_dot, den_dot, x_dot = dots
    one = b.op("np.asarray", Const.of([1.0]))

    def run(c: Atom, d: Atom, v: Atom) -> Atom:
        return b.op("scipy.signal.lfilter", c, d, v, **_axis(axis))

    change: Atom | None = None
    if num_dot is not None:
        change = run(num_dot, one, x)
    if den_dot is not None:
        moved = run(den_dot, one, out)
        change = b.neg(moved) if change is None else b.sub(change, moved)
    found = total(
        b,
        [
            None if change is None else run(one, den, change),
            None if x_dot is None else run(num, den, x_dot),
        ],
    )
    assert found is not None
    return found


rule(
    signal.lfilter,
    "b a x",
    "axis=-1",
    name="scipy.signal.lfilter",
    kind=by_example(_filter),
    vjp=lfilter_vjp,
    jvp=lfilter_jvp,
    samples=[
        sample(_r(3), np.array([1.5, 0.3]), _r(6)),
        sample(_r(2), np.array([1.0, -0.3, 0.2]), _r(5, 2), axis=0),
        sample(_r(2), np.array([2.0]), _r(2, 5)),
        sample(_r(4), np.array([1.0, 0.2]), _r(2)),
    ],
)


def lags_vjp(
    b: Builder, h: Atom, out: Atom, u: Atom, x: Atom, like: Atom, axis: int = -1
) -> list[Any]:
    one = b.op("np.asarray", Const.of([1.0]))
    return [
        lambda: b.op("scipy.signal.lfilter", h, one, x, **_axis(axis)),
        lambda: _backwards(b, h, one, u, axis),
        None,
    ]


rule(
    filters.lag_products,
    "u x like",
    "axis=-1",
    name="lag_products",
    kind=_like_kind(2),
    vjp=lags_vjp,
    jvp=lambda b, dots, out, u, x, like, **o: total(
        b,
        [
            None if dots[0] is None else b.op("lag_products", dots[0], x, like, **o),
            None if dots[1] is None else b.op("lag_products", u, dots[1], like, **o),
        ],
    ),
    samples=[
        sample(_r(5), _r(5), np.zeros(3, int)),
        sample(_r(5, 2), _r(5, 2), np.zeros(2, int), axis=0),
    ],
)
