"""Linear algebra: inverses, determinants, powers, diagonals.

In: nothing. Out: records in the registry (Giles, "Collected matrix derivative results for
forward and reverse mode AD", 2008). Matrices may come in stacks.

    rule(np.linalg.inv, "a", vjp="-(out.mT @ g @ out.mT)", jvp="-(out @ a_dot @ out)")
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..ir.kinds import Array, Kind, Mixed, Num, Tuple
from ..ir.nodes import Atom, Const
from . import decompositions as dec
from . import helpers, matrices
from .declare import complexes, reals, rule, sample, zero
from .examplekinds import by_example
from .kindrules import as_array
from .linear import rank
from .pieces import (
    array_or_number,
    as_second,
    inexact,
    is_complex,
    parts,
    real_dtype,
    stack_of,
)
from .registry import Sample
from .staged import total

if TYPE_CHECKING:
    from ..ir.builder import Builder

_r = reals(2)
_c = complexes(_r)


def _square_kind(rank_lost: int) -> Any:
    def kind(args: Sequence[Atom], attrs: Any) -> Kind:
        k = as_array(args[0].kind)
        if not isinstance(k, Array) or k.dims is None:
            return Mixed(inexact(k.dtype))
        dtype, dims = stack_of(args[0])
        return array_or_number(dtype, dims[: len(dims) - rank_lost])

    return kind


_SQUARE = np.array([[2.0, 0.5, -0.3], [0.1, 1.5, 0.4], [0.7, -0.2, 1.1]])
_STACKED = np.stack([_SQUARE, _SQUARE.T])
_SQUARES: list[Sample] = [
    sample(_SQUARE),
    sample(np.stack([_SQUARE, _SQUARE.T + 0.1])),
    sample(_SQUARE[:1, :1]),
    sample(_SQUARE.astype("float32")),
    sample(_SQUARE + 1j * _r(3, 3)),
    sample(np.asfortranarray(_SQUARE)),
    sample(np.zeros((0, 2, 2))),
]
rule(
    np.linalg.inv,
    "a",
    kind=_square_kind(0),
    vjp="-(out.mT @ g @ out.mT)",
    jvp="-(out @ a_dot @ out)",
    samples=_SQUARES,
)

# -- determinants --------------------------------------------------------------------------------


def det_vjp(b: Builder, g: Atom, out: Atom, a: Atom) -> list[Any]:
    return [b.mul(_wide(b, g, a), b.op("cofactors", a))]


def _wide(b: Builder, g: Atom, a: Atom) -> Atom:
    return g if rank(a) == 2 else b.op("item", g, Const.of((..., None, None)))


rule(
    np.linalg.det,
    "a",
    kind=_square_kind(2),
    vjp=det_vjp,
    jvp="sum(cofactors(a) * a_dot, axis=(-2, -1))",
    samples=[
        *_SQUARES,
        sample(np.array([[1.0, 2.0], [2.0, 4.0]])),
        sample(np.zeros((2, 2)), expect=(np.zeros((2, 2)),)),
    ],
)
# The Hessian of a determinant is symmetric, so that one function serves both modes.
rule(
    helpers.cofactors,
    "a",
    name="cofactors",
    kind=_square_kind(0),
    vjp="cofactors_dot(g, a)",
    jvp="cofactors_dot(a_dot, a)",
    samples=[*_SQUARES, sample(np.array([[1.0, 2.0], [2.0, 4.0]])), sample(np.zeros((2, 2)))],
)


def _third(b: Builder, t: Atom, u: Atom, a: Atom) -> Atom:
    """The derivative of ``cofactors_dot(t, a)`` along ``u``; with P the transposed inverse."""
    c, p = b.op("cofactors", a), b.text("inv(a).mT", a=a)
    along = "sum(p * t, axis=(-2, -1), keepdims=True)"
    c_dot = b.op("cofactors_dot", u, a)
    tau = b.text(along, p=p, t=t)
    first = b.text("tau * cu - sum((p @ u.mT @ p) * t, axis=(-2, -1), keepdims=True) * c",
                   tau=tau, cu=c_dot, p=p, u=u, t=t, c=c)  # fmt: skip
    text = "first + p @ u.mT @ p @ t.mT @ c - p @ t.mT @ cu"
    return b.text(text, first=first, p=p, u=u, t=t, c=c, cu=c_dot)


def cofactors_dot_vjp(b: Builder, g: Atom, out: Atom, t: Atom, a: Atom) -> list[Any]:
    return [lambda: b.op("cofactors_dot", g, a), lambda: _third(b, t, g, a)]


rule(
    matrices.cofactors_dot,
    "t a",
    name="cofactors_dot",
    kind=as_second,
    vjp=cofactors_dot_vjp,
    jvp=lambda b, dots, out, t, a: total(
        b,
        [
            None if dots[0] is None else b.op("cofactors_dot", dots[0], a),
            None if dots[1] is None else _third(b, t, dots[1], a),
        ],
    ),
    samples=[sample(_r(3, 3), _SQUARE), sample(_r(2, 3, 3), np.stack([_SQUARE, _SQUARE.T]))],
)

_SlogdetResult: Any = type(np.linalg.slogdet(np.eye(1)))


def slogdet_kind(args: Sequence[Atom], attrs: Any) -> Kind:
    dtype, dims = stack_of(args[0])
    sign, size = (array_or_number(d, dims[:-2]) for d in (dtype, real_dtype(dtype)))
    return Tuple((sign, size), _SlogdetResult)


def slogdet_vjp(b: Builder, g: Atom, out: Atom, a: Atom) -> list[Any]:
    """The phase of a complex determinant turns with the imaginary part of tr(inv(a) da)."""
    turn, up = parts(b, g, out)
    if turn is not None:
        text = "1j * imag(t * s)"
        turn = None if not is_complex(a) else b.text(text, t=turn, s=dec.item(b, out, 0))
    whole = total(b, [up, turn])
    return [None if whole is None else b.mul(_wide(b, whole, a), b.text("inv(a).mT", a=a))]


def slogdet_jvp(b: Builder, dots: Sequence[Atom], out: Atom, a: Atom) -> Atom:
    change = b.text("sum(inv(a).mT * t, axis=(-2, -1))", a=a, t=dots[0])
    sign = dec.item(b, out, 0)
    if is_complex(a):
        turned = b.text("1j * imag(c) * s", c=change, s=sign)
        return b.op("record", turned, b.op("np.real", change), cls=_SlogdetResult)
    return b.op("record", b.op("zeros_like", sign), change, cls=_SlogdetResult)


rule(
    np.linalg.slogdet,
    "a",
    kind=slogdet_kind,
    vjp=slogdet_vjp,
    jvp=slogdet_jvp,
    samples=_SQUARES,
)

# -- powers --------------------------------------------------------------------------------------


def _chain(b: Builder, a: Atom, n: int) -> list[tuple[Atom, Atom | None]]:
    """Repeated squaring: for each bit of n, the square so far and the product so far."""
    square, product = a, None
    steps: list[tuple[Atom, Atom | None]] = []
    while True:
        steps.append((square, product))
        if n & 1:
            product = square if product is None else b.op("matmul", product, square)
        n >>= 1
        if not n:
            return steps
        square = b.op("matmul", square, square)


def _power_vjp(b: Builder, g: Atom, a: Atom, n: int) -> Atom:
    """Backwards through repeated squaring: about 4 log n products."""
    product_bar: Atom | None = g
    square_bar: Atom | None = None
    for bit, (square, product) in reversed([*enumerate(_chain(b, a, n))]):
        if bit < n.bit_length() - 1:  # what came next is the square of this one
            assert square_bar is not None
            turned = b.op("np.matrix_transpose", square)
            square_bar = b.add(
                b.op("matmul", square_bar, turned), b.op("matmul", turned, square_bar)
            )
        if n >> bit & 1 and product_bar is not None:
            if product is None:
                square_bar, product_bar = total(b, [square_bar, product_bar]), None
            else:
                with_product = b.text("p.mT @ g", p=product, g=product_bar)
                square_bar = total(b, [square_bar, with_product])
                product_bar = b.text("g @ s.mT", g=product_bar, s=square)
    assert square_bar is not None
    return square_bar


def _power_jvp(b: Builder, t: Atom, a: Atom, n: int) -> Atom:
    product_dot: Atom | None = None
    square_dot, last = t, a
    for bit, (square, product) in enumerate(_chain(b, a, n)):
        if bit:
            square_dot = b.add(b.op("matmul", square_dot, last), b.op("matmul", last, square_dot))
        if n >> bit & 1:
            new = square_dot if product is None else b.op("matmul", product, square_dot)
            old = None if product_dot is None else b.op("matmul", product_dot, square)
            product_dot = total(b, [new, old])
        last = square
    assert product_dot is not None
    return product_dot


def matrix_power_vjp(b: Builder, g: Atom, out: Atom, a: Atom, n: int) -> list[Any]:
    if n == 0:
        return [None]
    if n > 0:
        return [_power_vjp(b, g, a, n)]
    inverse = b.op("np.linalg.inv", a)
    return [b.text("-(i.mT @ g @ i.mT)", i=inverse, g=_power_vjp(b, g, inverse, -n))]


def matrix_power_jvp(b: Builder, dots: Sequence[Atom], out: Atom, a: Atom, n: int) -> Any:
    if n == 0:
        return None
    if n > 0:
        return _power_jvp(b, dots[0], a, n)
    inverse = b.op("np.linalg.inv", a)
    return _power_jvp(b, b.text("-(i @ t @ i)", i=inverse, t=dots[0]), inverse, -n)


rule(
    np.linalg.matrix_power,
    "a",
    "n",
    kind=_square_kind(0),
    vjp=matrix_power_vjp,
    jvp=matrix_power_jvp,
    samples=[
        *(sample(_SQUARE, n=n) for n in (0, 1, 2, 3, 5, 12, -1, -3)),
        sample(_STACKED, n=3),
        sample(_c(3, 3), n=4),
        sample(_SQUARE.astype("float32"), n=3),
    ],
)

# -- diagonals -----------------------------------------------------------------------------------


def _last_two(b: Builder, g: Atom, x: Atom, offset: int) -> Atom:
    return b.op("undiagonal", g, x, offset=offset, axis1=-2, axis2=-1)


rule(
    np.linalg.diagonal,
    "x",
    "*, offset=0",
    name="np.linalg.diagonal",
    kind=by_example(np.linalg.diagonal),
    view_of=0,
    vjp=lambda b, g, out, x, offset=0: [_last_two(b, g, x, offset)],
    jvp="linear",
    samples=[sample(_r(3, 3)), sample(_r(2, 3, 4), offset=1)],
)
rule(
    np.linalg.trace,
    "x",
    "*, offset=0",
    name="np.linalg.trace",
    kind=by_example(np.linalg.trace),
    vjp=lambda b, g, out, x, offset=0: [
        _last_two(
            b,
            b.op("broadcast_like", g if rank(x) == 2 else b.op("item", g, Const.of((..., None))),
                 b.op("np.linalg.diagonal", x, offset=offset)),
            x,
            offset,
        )
    ],
    jvp="linear",
    samples=[sample(_r(3, 3)), sample(_r(2, 3, 4), offset=-1), sample(_c(2, 2))],
)  # fmt: skip
zero(
    np.linalg.matrix_rank,
    "A",
    "tol=None, hermitian=False, *, rtol=None",
    kind=lambda args, attrs: (
        Num("int64", False) if rank(args[0]) <= 2 else Array("int64", stack_of(args[0])[1][:-2])
    ),
)
