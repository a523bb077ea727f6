"""Convolutions and correlations of sequences, in every mode.

In: nothing. Out: records in the registry. Both are bilinear, and so are their cotangents, which
slide the other operand along the cotangent of the result.

    np.convolve(a, v):   a_bar = convolve_bar(g, v, a)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..ir.kinds import Array, Kind, Size, promote
from ..ir.nodes import Atom
from . import matrices
from .declare import rule, sample
from .kindrules import as_array

if TYPE_CHECKING:
    from ..ir.builder import Builder


def convolve_kind(args: Sequence[Atom], attrs: Any) -> Kind:
    return Array(promote(*(as_array(a.kind) for a in args)), (Size(),))


def _bar_kind(args: Sequence[Atom], attrs: Any) -> Kind:
    k = as_array(args[2].kind)
    return Array(
        promote(*(as_array(a.kind) for a in args[:2])), k.dims if isinstance(k, Array) else None
    )


_LONG, _SHORT = np.array([1.0, 2.0, -1.0, 0.5]), np.array([0.5, 1.5, 2.5])
_PAIRS = ((_LONG, _SHORT), (_SHORT, _LONG), (_SHORT[:2], _LONG), (_LONG, _SHORT[:2]))
_SLIDES = [
    *(sample(a, v, mode=mode) for a, v in _PAIRS for mode in ("full", "same", "valid")),
    sample(_LONG, _SHORT),
    sample(_LONG[:1], _SHORT),
    sample(_LONG[::2], _SHORT[::-1]),
    sample(_LONG + 1j * _LONG[::-1], _SHORT * (1.0 - 0.5j)),
    sample(_LONG, _SHORT * (1.0 - 0.5j), mode="same"),
    sample(_LONG.astype("float32"), _SHORT.astype("float32")),
]


def convolve_vjp(b: Builder, g: Atom, out: Atom, a: Atom, v: Atom, **o: Any) -> list[Any]:
    return [lambda: b.op("convolve_bar", g, v, a, **o), lambda: b.op("convolve_bar", g, a, v, **o)]


rule(
    np.convolve,
    "a v",
    "mode='full'",
    kind=convolve_kind,
    vjp=convolve_vjp,
    jvp=("convolve(a_dot, v, mode=mode)", "convolve(a, v_dot, mode=mode)"),
    samples=_SLIDES,
)
rule(
    matrices.convolve_bar,
    "g_ v like",
    "mode='full'",
    name="convolve_bar",
    kind=_bar_kind,
    vjp=("convolve(g, v, mode=mode)", "convolve_bar(g_, g, v, mode=mode)", None),
    jvp=(
        "convolve_bar(g__dot, v, like, mode=mode)",
        "convolve_bar(g_, v_dot, like, mode=mode)",
        None,
    ),
    samples=[
        sample(np.arange(6.0), _SHORT, np.arange(4)),
        sample(np.arange(4.0), _SHORT, np.arange(4), mode="same"),
        sample(np.arange(2.0), _SHORT, np.arange(4), mode="valid"),
    ],
)


def correlate_vjp(b: Builder, g: Atom, out: Atom, a: Atom, v: Atom, **o: Any) -> list[Any]:
    return [
        lambda: b.op("correlate_bar", g, v, a, **o),
        lambda: b.op("correlate_bar", g, a, v, **o, first=False),
    ]


def correlate_bar_vjp(
    b: Builder, g: Atom, out: Atom, g_: Atom, other: Atom, like: Atom, **o: Any
) -> list[Any]:
    """The three are the derivatives of one trilinear form."""
    first = o.pop("first", True)
    a, v = (g, other) if first else (other, g)
    more: dict[str, Any] = {} if not first else {"first": False}
    return [
        lambda: b.op("np.correlate", a, v, **o),
        lambda: b.op("correlate_bar", g_, g, other, **o, **more),
        None,
    ]


def correlate_bar_jvp(
    b: Builder, dots: Sequence[Atom | None], out: Atom, g_: Atom, other: Atom, like: Atom, **o: Any
) -> Any:
    from .staged import total

    terms = [
        None if dots[0] is None else b.op("correlate_bar", dots[0], other, like, **o),
        None if dots[1] is None else b.op("correlate_bar", g_, dots[1], like, **o),
    ]
    return total(b, terms)


rule(
    np.correlate,
    "a v",
    "mode='valid'",
    kind=convolve_kind,
    vjp=correlate_vjp,
    jvp=("correlate(a_dot, v, mode=mode)", "correlate(a, v_dot, mode=mode)"),
    samples=_SLIDES,
)
rule(
    matrices.correlate_bar,
    "g_ other like",
    "mode='valid', first=True",
    name="correlate_bar",
    kind=_bar_kind,
    vjp=correlate_bar_vjp,
    jvp=correlate_bar_jvp,
    samples=[
        sample(np.arange(2.0), _SHORT, np.arange(4)),
        sample(np.arange(2.0), _SHORT, np.arange(4), first=False),
        sample(np.arange(4.0) * 1j, _SHORT * 1j, np.arange(4), mode="same"),
        sample(np.arange(6.0), _SHORT * (1.0 + 1j), np.arange(4), mode="full", first=False),
    ],
)
