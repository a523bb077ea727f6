"""``logsumexp``, ``softmax`` and ``log_softmax`` of ``scipy.special``.

In: nothing. Out: records in the registry.

    special.logsumexp(a, axis=1)     a_bar = g[:, None] * exp(a - out[:, None])
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import scipy.special as sp

from ...ir.kinds import Array, Num
from ...ir.nodes import Atom, Const, is_none
from ..declare import reals, rule, sample
from ..pieces import is_complex
from ..reductions import kept
from ..registry import KindError

if TYPE_CHECKING:
    from ...ir.builder import Builder

_r = reals(7, 2.0)


_A = _r(2, 3)

# -- logsumexp -----------------------------------------------------------------------------------


def _weights(
    b: Builder, out: Any, a: Atom, axis: Any, keepdims: bool, return_sign: bool
) -> tuple[Atom, Atom]:
    """``exp(a - out)`` with the sign of the sum; 0 where all of a is -inf.

    The second is the sign alone, or the number 1.
    """
    sign: Atom = Const.of(1.0)
    if return_sign:
        if is_complex(b.op("item", out, Const.of(1))):
            raise KindError("logsumexp with return_sign=True has a rule for real numbers only")
        sign = kept(b, b.op("item", out, Const.of(1)), a, axis, keepdims)
        out = b.op("item", out, Const.of(0))
    top = kept(b, out, a, axis, keepdims)
    w = b.text("exp(a - where(top == low, 0.0, top))", a=a, top=top, low=Const.of(-np.inf))
    return (b.mul(sign, w) if return_sign else w), sign


def logsumexp_vjp(
    b: Builder,
    g: Any,
    out: Any,
    a: Atom,
    factors: Atom | None = None,
    axis: Any = None,
    keepdims: bool = False,
    return_sign: bool = False,
) -> list[Any]:
    if return_sign:
        g = b.op("item", g, Const.of(0))
    up = kept(b, g, a, axis, keepdims)
    w, _ = _weights(b, out, a, axis, keepdims, return_sign)
    scaled = b.mul(up, w)
    if factors is None or is_none(factors):
        return [scaled, None]
    return [lambda: b.mul(scaled, factors), scaled]


def logsumexp_jvp(
    b: Builder,
    dots: Sequence[Atom | None],
    out: Any,
    a: Atom,
    factors: Atom | None = None,
    axis: Any = None,
    keepdims: bool = False,
    return_sign: bool = False,
) -> Any:
    w, _ = _weights(b, out, a, axis, keepdims, return_sign)
    a_dot = dots[0]
    b_dot = dots[1] if len(dots) > 1 else None
    change: Atom | None = None
    if a_dot is not None:
        change = a_dot if factors is None or is_none(factors) else b.mul(a_dot, factors)
    if b_dot is not None:
        change = b_dot if change is None else b.add(change, b_dot)
    assert change is not None
    options = {} if axis is None else {"axis": axis}
    if keepdims:
        options["keepdims"] = True
    t = b.op("np.sum", b.mul(w, change), **options)
    if not return_sign:
        return t
    return b.op("tuple", t, b.op("zeros_like", b.op("item", out, Const.of(1))))


rule(
    sp.logsumexp,
    "a b=None",
    name="scipy.special.logsumexp",
    signature_of="a, axis=None, b=None, keepdims=False, return_sign=False",
    vjp=logsumexp_vjp,
    jvp=logsumexp_jvp,
    samples=[
        sample(_r(3)),
        sample(_A),
        sample(_A, axis=1),
        sample(_A, axis=-2, keepdims=True),
        sample(_r(2, 3, 2), axis=(0, 2)),
        sample(_A, np.array([[0.5, 2.0, 1.0], [1.5, 0.3, 0.0]]), axis=1),
        sample(_r(3), np.array([0.5, -2.0, 1.0]), return_sign=True),
        sample(_A, np.array([[0.5], [-1.0]]), axis=0, return_sign=True),
        sample(_A.astype("float32"), axis=0),
        sample(np.array([-np.inf, 1.0]), expect=(np.array([0.0, 1.0]),)),
        sample(np.array([-np.inf, -np.inf]), expect=(np.zeros(2),)),
        sample(np.array([1000.0, 1000.0]), expect=(np.array([0.5, 0.5]),)),
    ],
)

# -- softmax -------------------------------------------------------------------------------------


def _sum(b: Builder, x: Atom, axis: Any) -> Atom:
    """Over the axis, which is kept."""
    if isinstance(x.kind, Num) or (isinstance(x.kind, Array) and x.kind.dims == ()):
        return x
    options = {} if axis is None else {"axis": axis}
    return b.op("np.sum", x, keepdims=True, **options)


def softmax_vjp(b: Builder, g: Atom, out: Atom, x: Atom, axis: Any = None) -> list[Any]:
    return [b.mul(out, b.sub(g, _sum(b, b.mul(g, out), axis)))]


def log_softmax_vjp(b: Builder, g: Atom, out: Atom, x: Atom, axis: Any = None) -> list[Any]:
    return [b.sub(g, b.mul(b.op("np.exp", out), _sum(b, g, axis)))]


def log_softmax_jvp(
    b: Builder, dots: Sequence[Atom], out: Atom, x: Atom, axis: Any = None
) -> Atom:
    return b.sub(dots[0], _sum(b, b.mul(b.op("np.exp", out), dots[0]), axis))


_SOFT = [
    sample(_r(3)),
    sample(_A),
    sample(_A, axis=1),
    sample(_A, axis=-2),
    sample(_r(2, 3, 2), axis=(0, 2)),
    sample(_A.astype("float32"), axis=0),
    sample(np.array([[800.0, 800.0], [0.0, -900.0]]), axis=1),
]
rule(
    sp.softmax,
    "x",
    "axis=None",
    name="scipy.special.softmax",
    vjp=softmax_vjp,
    jvp=lambda b, dots, out, x, axis=None: softmax_vjp(b, dots[0], out, x, axis)[0],
    samples=_SOFT,
)
rule(
    sp.log_softmax,
    "x",
    "axis=None",
    name="scipy.special.log_softmax",
    vjp=log_softmax_vjp,
    jvp=log_softmax_jvp,
    samples=_SOFT,
)
