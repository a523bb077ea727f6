"""Norms of vectors and matrices, of every order, and condition numbers.

In: nothing. Out: records in the registry. At kinks a subgradient: 0 for the zero vector, and where
several elements, rows, columns or singular values are largest they share evenly.

    np.linalg.norm(x):             x_bar = fraction(g, out) * x
    np.linalg.norm(x, np.inf):     x_bar = where(|x| == out, g / ties, 0) * sign(x)
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..ir.kinds import Kind
from ..ir.nodes import Atom, Const
from . import decompositions as dec
from . import kindrules as kr
from . import matrices
from .declare import complexes, elementwise, reals, rule, sample
from .linear import rank
from .pieces import array_or_number, columns, conj, real, real_dtype, stack_of
from .reductions import kept
from .registry import KindError, Sample

if TYPE_CHECKING:
    from ..ir.builder import Builder

_r = reals(7)
_c = complexes(_r)


# -- the slope of a norm times a seed ------------------------------------------------------------


def direction(b: Builder, x: Atom) -> Atom:
    """The derivative of the absolute value, 0 at 0."""
    return conj(b, b.op("np.sign", x))


def even_share(b: Builder, seed: Atom, mask: Atom, axis: Any) -> Atom:
    """The seed shared by the elements that ``mask`` marks along the axes."""
    over = {} if axis is None else {"axis": axis, "keepdims": True}
    share = b.div(seed, b.op("np.sum", mask, **over))
    return b.op("np.where", mask, share, Const.of(0.0))


def vector_slope(b: Builder, seed: Atom, out: Atom, x: Atom, order: Any, axis: Any) -> Atom | None:
    """``seed`` and ``out`` have the reduced axes kept; None where the slope is zero."""
    if order is None or order == 2 or order == "fro":
        return b.mul(b.op("fraction", seed, out), conj(b, x))
    if order == 0:
        return None
    if order == 1:
        return b.mul(seed, direction(b, x))
    if isinstance(order, str):
        raise KindError(f"norm with ord={order!r} is for matrices")
    if math.isinf(order):
        mask = b.op("eq", b.op("np.abs", x), out)
        return b.mul(even_share(b, seed, mask, axis), direction(b, x))
    up = b.div(b.mul(seed, direction(b, x)), Const.of(float(order)))
    return b.op("power_slope", up, b.op("ratio", b.op("np.abs", x), out), Const.of(float(order)))


def matrix_slope(
    b: Builder, seed: Atom, out: Atom, x: Atom, order: Any, axes: tuple[int, int]
) -> Atom | None:
    """As `vector_slope`, for matrices that lie along two axes."""
    row, column = axes
    if order is None or order == "fro":
        return vector_slope(b, seed, out, x, None, axes)
    if order in ("nuc", 2, -2):
        return _singular_slope(b, seed, x, order, axes)
    if order not in (1, -1, math.inf, -math.inf):
        raise KindError(f"norm with ord={order!r} has no derivative")
    within, across = (row, column) if abs(order) == 1 else (column, row)
    sums = b.op("np.sum", b.op("np.abs", x), axis=within, keepdims=True)
    best = b.op("np.max" if order > 0 else "np.min", sums, axis=across, keepdims=True)
    return b.mul(even_share(b, seed, b.op("eq", sums, best), across), direction(b, x))


def _singular_slope(b: Builder, seed: Atom, x: Atom, order: Any, axes: tuple[int, int]) -> Atom:
    ndim = rank(x)
    last = (ndim - 2, ndim - 1)
    moved = axes != last
    if moved:
        x = b.op("np.moveaxis", x, source=axes, destination=(-2, -1))
    if moved and rank(seed) == ndim:
        seed = b.op("np.moveaxis", seed, source=axes, destination=(-2, -1))
    elif moved and rank(seed):
        seed = b.op("item", seed, Const.of((..., None, None)))
    out = b.op("np.linalg.svd", x, full_matrices=False)
    u, s, vh = (dec.item(b, out, n) for n in range(3))
    if order == "nuc":
        weight = b.op("np.sign", s)
    else:
        best = b.op("np.max" if order > 0 else "np.min", s, axis=-1, keepdims=True)
        weight = even_share(b, Const.of(1.0), b.op("eq", s, best), -1)
    bar = conj(b, b.op("matmul", b.mul(u, columns(b, weight)), vh))
    bar = b.mul(seed, bar)
    return b.op("np.moveaxis", bar, source=(-2, -1), destination=axes) if moved else bar


def _form(x: Atom, order: Any, axis: Any, flat: bool) -> tuple[Any, bool]:
    """The axes of a norm and whether they hold matrices; NumPy's reading of ``ord, axis``."""
    if flat or isinstance(axis, int) or (isinstance(axis, tuple) and len(axis) == 1):
        return axis, False
    if axis is None:
        if order is None:
            return None, False
        if rank(x) == 1:
            return None, False
        if rank(x) == 2:
            return (0, 1), True
        raise KindError("norm with an order needs a vector or a matrix, or an axis")
    row, column = (k % rank(x) for k in axis)
    return (row, column), True


def norm_slope(
    b: Builder, g: Atom | None, out: Atom, x: Atom, order: Any, axis: Any, keep: Any, flat: bool
) -> Atom | None:
    """The derivative with respect to x, times ``g``; times 1 where g is None."""
    axis, of_matrices = _form(x, order, axis, flat)
    seed = Const.of(1.0) if g is None else kept(b, g, x, axis, keep)
    full = kept(b, out, x, axis, keep)
    if of_matrices:
        return matrix_slope(b, seed, full, x, order, axis)
    return vector_slope(b, seed, full, x, order, axis)


def norm_tangent(
    b: Builder, t: Atom, out: Atom, x: Atom, order: Any, axis: Any, keep: Any, flat: bool
) -> Atom | None:
    along, of_matrices = _form(x, order, axis, flat)
    over = {} if along is None else {"axis": along}
    if keep:
        over["keepdims"] = True
    if not of_matrices and order in (None, 2) or order == "fro":
        inner = real(b, b.op("np.sum", b.mul(conj(b, x), t), **over))
        return b.op("ratio", inner, out)
    slope = norm_slope(b, None, out, x, order, axis, keep, flat)
    return None if slope is None else real(b, b.op("np.sum", b.mul(slope, t), **over))


def _rule_of(form: Any) -> dict[str, Any]:
    """``form`` gives (order, axis, keepdims, flat) from the operand and the options."""

    def vjp(b: Builder, g: Atom, out: Atom, x: Atom, **o: Any) -> list[Any]:
        return [norm_slope(b, g, out, x, *form(x, o))]

    def jvp(b: Builder, dots: Sequence[Atom], out: Atom, x: Atom, **o: Any) -> Any:
        return norm_tangent(b, dots[0], out, x, *form(x, o))

    return {"vjp": vjp, "jvp": jvp}


elementwise(
    matrices.fraction,
    "fraction(g, y)",
    "-fraction(fraction(g, y) * x, y)",
    name="fraction",
    kind=kr.arithmetic(np.true_divide, least=2),
    domain="positive",
    at=[sample(np.array([1.0, 2.0]), np.array([0.0, 4.0]), expect=(np.array([0.0, 0.25]), None))],
)
_TALL = np.array([[0.5, -2.0, 0.3], [1.5, 0.25, -0.7], [0.1, 0.9, 1.1], [2.5, -0.6, 0.2]])
_STACK = np.stack([_TALL, 0.6 * _TALL[::-1] + 0.17])
_ORDERS = (None, 2, 1, 3, 2.5, 0.5, -1, -2, math.inf, -math.inf, 0)
_MATRIX_ORDERS = (None, "fro", "nuc", 1, -1, 2, -2, math.inf, -math.inf)


def _norm_samples() -> list[Sample]:
    vector = np.array([0.5, -2.0, 1.5])
    points = [sample(vector, ord=p) for p in _ORDERS]
    points += [sample(_TALL, ord=p, axis=1) for p in _ORDERS]
    points += [sample(_TALL, ord=p) for p in _MATRIX_ORDERS]
    points += [sample(_STACK, ord=p, axis=(2, 0), keepdims=True) for p in _MATRIX_ORDERS]
    points += [sample(_STACK, ord=p, axis=(0, 1)) for p in _MATRIX_ORDERS]
    points += [sample(_c(3), ord=p) for p in (None, 1, 3, math.inf)]
    points += [sample(_c(3, 2), ord=p, axis=(0, 1)) for p in _MATRIX_ORDERS]
    points += [sample(vector.astype("float32"), ord=p) for p in (None, 1, 3, math.inf)]
    points += [sample(_TALL.astype("float32"), ord=p) for p in ("nuc", 1, 2)]
    zeros, tied = np.zeros(2), np.array([1.0, -1.0, 0.5])
    return [
        *points,
        sample(_TALL),
        sample(_STACK),
        sample(_TALL, keepdims=True),
        sample(_TALL, axis=1),
        sample(_STACK, axis=0, keepdims=True),
        sample(_STACK, axis=-2),
        sample(_STACK, axis=(0, 2)),
        sample(_TALL[::2, ::-1]),
        sample(zeros, expect=(zeros,)),
        sample(zeros, ord=1, expect=(zeros,)),
        sample(zeros, ord=3, expect=(zeros,)),
        sample(zeros, ord=math.inf, expect=(zeros,)),
        sample(np.zeros((2, 2)), ord="nuc", expect=(np.zeros((2, 2)),)),
        sample(tied, ord=math.inf, expect=(np.array([0.5, -0.5, 0.0]),)),
        sample(np.array([[1.0, 2.0], [2.0, -1.0]]), ord=1,
               expect=(np.array([[0.5, 0.5], [0.5, -0.5]]),)),
        sample(np.eye(2), ord=2, expect=(0.5 * np.eye(2),)),
        sample(np.array([0.0, 2.0]), ord=0.5, expect=(np.array([0.0, 1.0]),)),
    ]  # fmt: skip


rule(
    np.linalg.norm,
    "x",
    "ord=None, axis=None, keepdims=False",
    **_rule_of(lambda x, o: (o.get("ord"), o.get("axis"), o.get("keepdims"), False)),
    samples=_norm_samples,
)
rule(
    np.linalg.vector_norm,
    "x",
    "*, axis=None, keepdims=False, ord=2",
    name="np.linalg.vector_norm",
    **_rule_of(lambda x, o: (o.get("ord", 2), o.get("axis"), o.get("keepdims"), True)),
    samples=lambda: [
        *(sample(_TALL, ord=p) for p in _ORDERS if p is not None),
        *(sample(_STACK, ord=p, axis=(0, 2)) for p in (2, 1, 3, math.inf)),
        sample(_STACK, axis=1, keepdims=True),
        sample(_c(2, 3), axis=-1),
    ],
)
rule(
    np.linalg.matrix_norm,
    "x",
    "*, keepdims=False, ord='fro'",
    name="np.linalg.matrix_norm",
    **_rule_of(lambda x, o: (o.get("ord", "fro"), (-2, -1), o.get("keepdims"), False)),
    samples=lambda: [
        *(sample(_STACK, ord=p) for p in _MATRIX_ORDERS if p is not None),
        sample(_TALL, keepdims=True),
        sample(_TALL),
    ],
)

# -- condition numbers ---------------------------------------------------------------------------


def _cond_slope(b: Builder, g: Atom | None, out: Atom, x: Atom, p: Any) -> Atom:
    """The derivative of the condition number with respect to x, times ``g`` (None: 1)."""
    ndim = rank(x)
    seed = Const.of(1.0) if g is None else g
    axes = (ndim - 2, ndim - 1)
    if p is None or p in (2, -2):
        raised = g is not None and ndim > 2
        seed = b.text("g[..., None]", g=seed) if raised else seed
        found = b.op("np.linalg.svd", x, full_matrices=False)
        u, s, vh = (dec.item(b, found, n) for n in range(3))
        high = b.op("np.max", s, axis=-1, keepdims=True)
        low = b.op("np.min", s, axis=-1, keepdims=True)
        top, bottom = (even_share(b, Const.of(1.0), b.op("eq", s, m), -1) for m in (high, low))
        if p == -2:
            top, bottom, high, low = bottom, top, low, high
        weight = b.text("seed * (t - b * h / l) / l", seed=seed, t=top, b=bottom, h=high, l=low)
        return conj(b, b.op("matmul", b.mul(u, columns(b, weight)), vh))
    inverse = b.op("np.linalg.inv", x)
    of_x = b.op("np.linalg.norm", x, ord=p, axis=axes, keepdims=True)
    of_inverse = b.op("np.linalg.norm", inverse, ord=p, axis=axes, keepdims=True)
    if g is not None and ndim > 2:
        seed = b.text("g[..., None, None]", g=seed)
    first = matrix_slope(b, b.mul(seed, of_inverse), of_x, x, p, axes)
    second = matrix_slope(b, b.mul(seed, of_x), of_inverse, inverse, p, axes)
    assert first is not None
    assert second is not None
    return b.sub(first, b.text("i.mT @ g @ i.mT", i=inverse, g=second))


def cond_vjp(b: Builder, g: Atom, out: Atom, x: Atom, p: Any = None) -> list[Any]:
    return [_cond_slope(b, g, out, x, p)]


def cond_jvp(b: Builder, dots: Sequence[Atom], out: Atom, x: Atom, p: Any = None) -> Atom:
    slope = _cond_slope(b, None, out, x, p)
    return real(b, b.text("sum(s * t, axis=(-2, -1))", s=slope, t=dots[0]))


def cond_kind(args: Sequence[Atom], attrs: Any) -> Kind:
    dtype, dims = stack_of(args[0])
    return array_or_number(real_dtype(dtype), dims[:-2])


_SQUARE = np.array([[2.0, 0.5, -0.3], [0.1, 1.7, 0.4], [0.9, -0.2, 1.3]])
rule(
    np.linalg.cond,
    "x",
    "p=None",
    kind=cond_kind,
    vjp=cond_vjp,
    jvp=cond_jvp,
    samples=lambda: [
        *(sample(_SQUARE, p=p) for p in (*_MATRIX_ORDERS,)),
        sample(_TALL),
        sample(np.stack([_SQUARE, _SQUARE.T + 0.1])),
        sample(np.stack([_SQUARE, _SQUARE.T + 0.1]), p=1),
        sample(_SQUARE + 1j * _r(3, 3), p="fro"),
        sample(_SQUARE + 1j * _r(3, 3)),
        sample(_SQUARE.astype("float32")),
    ],
)
