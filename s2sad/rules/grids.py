"""Functions of samples on a grid: differences, integrals, interpolation.

In: nothing. Out: records in the registry. The adjoint of a difference is a difference; what has
no such form of its own is differentiated through its definition.

    np.diff(x):   x_bar = undiff(g)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..ir.kinds import Kind
from ..ir.nodes import Atom, Const
from . import grid_helpers as helpers
from .axes import column, part
from .declare import rule, sample
from .derived import derived
from .examplekinds import by_example
from .kindrules import as_array
from .linear import rank
from .reductions import given

if TYPE_CHECKING:
    from ..ir.builder import Builder

_V = np.array([3.0, 1.0, 2.0, 0.5])
_A = np.array([[3.0, 1.0, 2.0], [0.5, 2.5, 1.5]])
_M = np.array([[2.1, 0.3, -0.4, 1.0], [0.55, 1.6, 0.25, 0.5], [-0.2, 0.8, 2.7, 0.1]])

# -- differences ---------------------------------------------------------------------------------


def _extended(b: Builder, a: Atom, before: Any, after: Any, axis: int) -> Atom:
    """``a`` between what is put before and after it; numbers are spread."""
    pieces = []
    for x in (before, a, after):
        if x is a:
            pieces.append(a)
        elif given(x) is not None:
            if rank(x) == 0:
                one = part(b, a, axis, 0, 1)
                x = b.op("broadcast_like", x, b.op("np.zeros_like", one))
            pieces.append(x)
    return b.op("np.concatenate", b.op("tuple", *pieces), axis=axis)


def _diff(
    b: Builder, a: Atom, prepend: Any = None, append: Any = None, n: int = 1, axis: int = -1
) -> Atom:
    if given(prepend) is not None or given(append) is not None:
        a = _extended(b, a, prepend, append, axis)
    return b.op("np.diff", a, n=n, axis=axis)


_diff_vjp, _diff_jvp = derived(_diff)


def diff_vjp(
    b: Builder,
    g: Atom,
    out: Atom,
    a: Atom,
    prepend: Any = None,
    append: Any = None,
    n: int = 1,
    axis: int = -1,
) -> list[Any]:
    if given(prepend) is not None or given(append) is not None:
        found: list[Any] = _diff_vjp(b, g, out, a, prepend, append, n=n, axis=axis)
        return found
    bar = g
    for _ in range(n):
        bar = b.op("undiff", bar, axis=axis)
    return [bar]


def diff_jvp(b: Builder, dots: Any, out: Atom, a: Atom, *more: Any, **o: Any) -> Any:
    if any(given(x) is not None for x in more):
        return _diff_jvp(b, dots, out, a, *more, **o)
    return b.op("np.diff", dots[0], **o)


def _diff_kind(args: Sequence[Atom], attrs: Any) -> Kind:
    found = by_example(_call_diff)(args, attrs)
    assert isinstance(found, Kind)
    return found


def _call_diff(a: Any, prepend: Any = None, append: Any = None, **o: Any) -> Any:
    ends = (("prepend", prepend), ("append", append))
    return np.diff(a, **o, **{name: x for name, x in ends if x is not None})


rule(
    np.diff,
    "a prepend=None append=None",
    signature_of="a, n=1, axis=-1, prepend=None, append=None",
    kind=_diff_kind,
    vjp=diff_vjp,
    jvp=diff_jvp,
    samples=[
        sample(np.array([1.0, 4.0, 2.0])),
        sample(_A, axis=0),
        sample(_A, axis=1, n=2),
        sample(_V, n=0),
        sample(np.array([1.0, 4.0, 2.0], "float32")),
        sample(_V, 0.5),
        sample(_V, 0.5, np.array([1.5, 2.5])),
        sample(_A, None, _A[:, :1], axis=1),
        sample(_A, 1.5, None, axis=0),
    ],
)
rule(
    helpers.undiff,
    "v",
    "axis=-1",
    name="undiff",
    vjp="diff(g, axis=axis)",
    jvp="linear",
    samples=[sample(np.array([1.0, 4.0])), sample(_A, axis=0)],
)


def _ediff1d(b: Builder, ary: Atom, to_end: Any = None, to_begin: Any = None) -> Atom:
    steps = b.op("np.diff", b.op("np.ravel", ary))
    ends = [x if given(x) is None else b.op("np.ravel", x) for x in (to_begin, to_end)]
    pieces = [x for x in (ends[0], steps, ends[1]) if given(x) is not None]
    return b.op("np.concatenate", b.op("tuple", *pieces)) if len(pieces) > 1 else steps


_vjp, _jvp = derived(_ediff1d)
rule(
    np.ediff1d,
    "ary to_end=None to_begin=None",
    vjp=_vjp,
    jvp=_jvp,
    samples=[
        sample(_V),
        sample(_A),
        sample(_V, None, 0.5),
        sample(_V, np.array([1.5, 2.5]), 0.5),
        sample(_V, [1.5, 2.5]),
        sample(_V.astype("float32")),
    ],
)
rule(
    np.unwrap,
    "p",
    "discont=None, axis=-1, *, period=6.283185307179586",
    vjp="g",
    jvp="p_dot",
    samples=[
        sample(_V),
        sample(4.0 * _V),
        sample(7.0 * _A, axis=0),
        sample(4.0 * _V, period=1.7),
        sample(4.0 * _V, discont=4.5),
    ],
)

# -- integrals -----------------------------------------------------------------------------------


def _trapezoid(b: Builder, y: Atom, x: Any = None, dx: Any = None, axis: int = -1) -> Atom:
    """Half the sum of the widths times both of their ends."""
    axis = axis % rank(y)
    both = b.add(part(b, y, axis, 1, None), part(b, y, axis, None, -1))
    if given(x) is not None:
        width = b.op("np.diff", x) if rank(x) == 1 else b.op("np.diff", x, axis=axis)
        width = column(b, width, y, axis) if rank(x) == 1 else width
        both = b.mul(width, both)
    total = b.op("np.sum", both, axis=axis)
    if given(x) is None and given(dx) is not None:
        total = b.mul(dx, total)
    return b.mul(Const.of(0.5), total)


def _trapezoid_kind(args: Sequence[Atom], attrs: Any) -> Kind:
    found = by_example(_call_trapezoid)(args, attrs)
    assert isinstance(found, Kind)
    return found


def _call_trapezoid(y: Any, x: Any = None, dx: Any = None, axis: int = -1) -> Any:
    return np.trapezoid(y, x, 1.0 if dx is None else dx, axis)


_vjp, _jvp = derived(_trapezoid)
rule(
    np.trapezoid,
    "y x=None dx=None",
    "axis=-1",
    kind=_trapezoid_kind,
    fun=_call_trapezoid,
    vjp=_vjp,
    jvp=_jvp,
    samples=[
        sample(np.array([1.0, 4.0, 2.0])),
        sample(np.array([1.0, 4.0, 2.0]), None, 0.5),
        sample(np.array([1.0, 4.0, 2.0]), np.array([0.0, 0.5, 2.0])),
        sample(_M),
        sample(_M, axis=0),
        sample(_M, np.array([0.0, 0.5, 2.0, 2.5])),
        sample(_M, np.array([0.0, 0.5, 2.0]), axis=0),
        sample(_M, np.cumsum(_M * _M, axis=1), axis=1),
        sample(_M, None, 0.5, axis=-2),
        sample(_V.astype("float32")),
        sample([1.0, 4.0, 2.0]),
    ],
)

# -- interpolation -------------------------------------------------------------------------------


def interp_kind(args: Sequence[Atom], attrs: Any) -> Kind:
    from .kindrules import elementwise_kind

    return elementwise_kind("float64", [as_array(args[0].kind)])


def _interp(
    b: Builder,
    x: Atom,
    xp: Atom,
    fp: Atom,
    left: Any = None,
    right: Any = None,
    period: float | None = None,
) -> Atom:
    """Between the nodes beside it, as far as there are nodes; outside what is given for it."""
    if period is not None:
        x, xp, fp = _unfolded(b, x, xp, fp, abs(period))
        left = right = None
    first, last = b.op("item", xp, Const.of(0)), b.op("item", xp, Const.of(-1))
    k = b.op("np.searchsorted", b.text("xp[1:-1]", xp=xp), x, side="right")
    names = {"x": x, "xp": xp, "fp": fp, "k": k, "first": first, "last": last}
    out = b.text(
        "fp[k] + (fp[k + 1] - fp[k]) * ((clip(x, first, last) - xp[k]) / (xp[k + 1] - xp[k]))",
        **names,
    )
    if given(left) is not None:
        out = b.op("np.where", b.op("lt", x, first), left, out)
    if given(right) is not None:
        out = b.op("np.where", b.op("gt", x, last), right, out)
    return out


def _unfolded(b: Builder, x: Atom, xp: Atom, fp: Atom, period: float) -> tuple[Atom, Atom, Atom]:
    """Points and nodes in one period, the nodes in order and continued on both sides."""
    turn = Const.of(period)
    xp = b.op("mod", xp, turn)
    order = b.op("np.argsort", xp)
    xp, fp = b.op("item", xp, order), b.op("item", fp, order)
    around = "concatenate((v[-1:] - p, v, v[:1] + p))"
    nodes = b.text(around, v=xp, p=turn)
    values = b.text(around, v=fp, p=Const.of(0.0))
    return b.op("mod", x, turn), nodes, values


_NODES = np.array([0.0, 1.0, 3.0])
_AT = np.array([-0.5, 0.25, 2.0, 4.0])
_FP = np.array([1.0, 3.0, 2.0])
_vjp, _jvp = derived(_interp)
rule(
    np.interp,
    "x xp fp left=None right=None",
    "period=None",
    kind=interp_kind,
    vjp=_vjp,
    jvp=_jvp,
    samples=[
        sample(_AT, _NODES, _FP),
        sample(0.25, _NODES, _FP),
        sample(_AT.reshape(2, 2), [0, 1, 3], _FP),
        sample(_AT, _NODES, _FP, 0.5, 2.5),
        sample(_AT, _NODES, _FP, None, 2.5),
        sample(_AT + 0.125, _NODES, _FP, period=4.0),
        sample(5.5, np.array([3.0, 0.5, 1.0]), _FP, period=3.5),
        sample(_AT, _NODES[:2], _FP[:2]),
    ],
)
