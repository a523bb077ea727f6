"""Integrals of sampled functions in ``scipy.integrate``.

In: nothing. Out: records in the registry.

    integrate.simpson(y, dx=h)     y_bar = g * simpson_weights(y, None, h)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import integrate

from ...ir.nodes import Atom, Const, is_none
from ..declare import reals, rule, sample
from ..linear import rank
from ..registry import KindError, lookup
from . import sampled

if TYPE_CHECKING:
    from ...ir.builder import Builder

_r = reals(4)


_X = np.array([0.0, 0.4, 1.0, 1.7, 1.9])

# -- trapezoid: NumPy's --------------------------------------------------------------------------

_numpys = lookup(np.trapezoid)
assert _numpys is not None
rule(
    integrate.trapezoid,
    " ".join(n if i == 0 else f"{n}={d}" for i, (n, d) in enumerate(
        zip(_numpys.operands, ("", "None", "1.0"), strict=False))),
    ", ".join(
        f"{n}={d!r}" for n, d in (("dx", 1.0), ("axis", -1)) if n not in _numpys.operands
    ),
    name="scipy.integrate.trapezoid",
    signature_of="y, x=None, dx=1.0, axis=-1",
    kind=_numpys.kind,
    vjp=_numpys.vjp,
    jvp=_numpys.jvp,
    samples=[
        sample(_r(5)),
        sample(_r(5), _X),
        sample(_r(2, 5), _X),
        sample(_r(5, 2), axis=0),
    ],
)  # fmt: skip

# -- simpson, cumulative_trapezoid ---------------------------------------------------------------


def _given(x: Atom | None) -> Atom:
    return Const.of(None) if x is None or is_none(x) else x


def _positions(name: str, x: Atom) -> Any:
    """No derivative with respect to the positions."""

    def refuse() -> Atom:
        raise KindError(f"scipy.integrate.{name} has no derivative with respect to x")

    return None if is_none(x) else refuse


def _along(b: Builder, v: Atom, y: Atom, axis: int) -> Atom:
    """A vector along an axis of y, and of size 1 along the others."""
    n = rank(y)
    after = n - 1 - axis % n
    return b.op("item", v, Const.of((slice(None), *[None] * after))) if after else v


def simpson_vjp(
    b: Builder, g: Atom, out: Atom, y: Atom, x: Atom | None = None, dx: float = 1.0, axis: int = -1
) -> list[Any]:
    x = _given(x)
    if not is_none(x) and rank(x) != 1:
        raise KindError("scipy.integrate.simpson has a rule for a vector x")

    def of_y() -> Atom:
        w = b.op("simpson_weights", y, x, dx=dx, axis=axis)
        up = b.op("np.expand_dims", g, axis=axis) if rank(y) > 1 else g
        return b.mul(up, _along(b, w, y, axis))

    return [of_y, _positions("simpson", x)]


def simpson_jvp(
    b: Builder, dots: Sequence[Atom | None], out: Atom, y: Atom, x: Atom | None = None, **o: Any
) -> Atom:
    x = _given(x)
    if len(dots) > 1 and dots[1] is not None:
        _positions("simpson", x)()
    given = [] if is_none(x) else [x]
    return b.op("scipy.integrate.simpson", dots[0] or y, *given, **o)


rule(
    integrate.simpson,
    "y x=None",
    name="scipy.integrate.simpson",
    signature_of="y, x=None, *, dx=1.0, axis=-1",
    vjp=simpson_vjp,
    jvp=simpson_jvp,
    samples=[
        sample(_r(5)),
        sample(_r(6), dx=0.5),
        sample(_r(2, 6), dx=0.5),
        sample(_r(5, 2), axis=0),
        sample(_r(2)),
        sample(_r(5), np.array([0, 1, 3, 4, 6])),
    ],
)
rule(
    sampled.simpson_weights,
    "y x",
    "dx=1.0, axis=-1",
    name="simpson_weights",
    kind=sampled.weights_kind,
    zero=True,
)


def cumulative_vjp(
    b: Builder, g: Atom, out: Atom, y: Atom, x: Atom | None = None, dx: float = 1.0,
    axis: int = -1, initial: Any = None,
) -> list[Any]:  # fmt: skip
    x = _given(x)
    if not is_none(x) and rank(x) != 1:
        raise KindError("scipy.integrate.cumulative_trapezoid has a rule for a vector x")
    options = {"dx": dx, "axis": axis, "initial": initial}
    return [
        lambda: b.op("cumulative_bar", g, y, x, **options),
        _positions("cumulative_trapezoid", x),
    ]


def cumulative_jvp(
    b: Builder, dots: Sequence[Atom | None], out: Atom, y: Atom, x: Atom | None = None, **o: Any
) -> Atom:
    x = _given(x)
    if len(dots) > 1 and dots[1] is not None:
        _positions("cumulative_trapezoid", x)()
    given = [] if is_none(x) else [x]
    return b.op("scipy.integrate.cumulative_trapezoid", dots[0] or y, *given, **o)


rule(
    integrate.cumulative_trapezoid,
    "y x=None",
    name="scipy.integrate.cumulative_trapezoid",
    signature_of="y, x=None, dx=1.0, axis=-1, initial=None",
    vjp=cumulative_vjp,
    jvp=cumulative_jvp,
    samples=[
        sample(_r(5)),
        sample(_r(5), dx=0.5, initial=0),
        sample(_r(2, 5), initial=0),
        sample(_r(5, 2), axis=0),
        sample(_r(5), np.array([0, 1, 3, 4, 6]), initial=0),
    ],
)
rule(
    sampled.cumulative_bar,
    "g y x",
    "dx=1.0, axis=-1, initial=None",
    name="cumulative_bar",
    kind=sampled.values_kind,
    vjp=lambda b, h, out, g, y, x, **o: [
        b.op("scipy.integrate.cumulative_trapezoid", h, *([] if is_none(x) else [x]), **o),
        None,
        None,
    ],
    jvp=lambda b, dots, out, g, y, x, **o: (
        None if dots[0] is None else b.op("cumulative_bar", dots[0], y, x, **o)
    ),
    samples=[
        sample(_r(4), np.zeros(5, int), None),
        sample(_r(5), np.zeros(5, int), np.array([0, 1, 3, 4, 6]), initial=0),
    ],
)
