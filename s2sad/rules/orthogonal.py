"""QR decompositions, of matrices and of stacks of them.

In: nothing. Out: records in the registry (Walter and Lehmann, "Algorithmic differentiation
of linear algebra functions", 2010; Roberts and Roberts, "QR and LQ decomposition matrix
backpropagation algorithms", 2020, for wide matrices). With C = Q^H dA inv(R),
the lower triangle of C turns Q and the rest changes R. The further columns of a complete Q turn
with the first.

    q, r = np.linalg.qr(a):   m = r @ r_bar.T - q_bar.T @ q
                              a_bar = (q_bar + q @ (tril(m) + tril(m, -1).T)) @ inv(r).T
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..ir.kinds import Array, Kind, Tuple
from ..ir.nodes import Atom, Const
from . import decompositions as dec
from .declare import rule, sample
from .pieces import adjoint_of, conj, is_complex, lesser, parts, stack_of
from .registry import KindError
from .staged import total

if TYPE_CHECKING:
    from ..ir.builder import Builder

_QRResult: Any = type(np.linalg.qr(np.eye(1)))


def qr_kind(args: Sequence[Atom], attrs: Any) -> Kind:
    dtype, dims = stack_of(args[0])
    *stack, m, n = dims
    mode = attrs.get("mode", "reduced")
    k = lesser(m, n)
    if mode == "r":
        return Array(dtype, (*stack, k, n))
    if mode not in ("reduced", "complete"):
        raise KindError(f"qr with mode={mode!r} has no derivative; use 'reduced'")
    inner = m if mode == "complete" else k
    return Tuple((Array(dtype, (*stack, m, inner)), Array(dtype, (*stack, inner, n))), _QRResult)


def _hermitian_of_lower(b: Builder, m: Atom) -> Atom:
    """The Hermitian matrix with this lower triangle, and the real part of this diagonal."""
    return dec.from_triangle(b, m, "L")


def qr_bar(b: Builder, q: Atom, r: Atom, gq: Atom | None, gr: Atom | None) -> Atom:
    """The cotangent, conjugated as those of Q and R are; R may be wider than Q."""
    k = b.op("item", b.op("shape", q), Const.of(-1))
    left = b.text("r[..., :k]", r=r, k=k)
    g_left: Atom | None = None
    extra: Atom | None = None
    if gr is not None:
        g_left = b.text("g[..., :k]", g=gr, k=k)
        wide, g_wide = b.text("r[..., k:]", r=r, k=k), b.text("g[..., k:]", g=gr, k=k)
        extra = b.op("matmul", q, g_wide)
        # what is right of the square part is Q^H times that part of A
        more = b.text("q @ (w @ gh)", q=q, w=wide, gh=adjoint_of(b, g_wide))
        gq = total(b, [gq, more])
    m: Atom | None = None if g_left is None else b.op("matmul", left, adjoint_of(b, g_left))
    if gq is not None:
        change = b.op("matmul", adjoint_of(b, gq), q)
        m = b.neg(change) if m is None else b.sub(m, change)
    assert m is not None
    turned = total(b, [gq, b.op("matmul", q, _hermitian_of_lower(b, m))])
    assert turned is not None
    solved = adjoint_of(b, b.op("np.linalg.solve", left, adjoint_of(b, turned)))
    if extra is None:
        return b.op("fitted", solved, r, axes=(-1,))  # Q does not depend on further columns
    return b.op("np.concatenate", b.op("tuple", solved, extra), axis=-1)


def qr_vjp(b: Builder, g: Atom, out: Atom, a: Atom, mode: str = "reduced") -> list[Any]:
    if mode == "r":
        q = dec.item(b, b.op("np.linalg.qr", a), 0)
        return [conj(b, qr_bar(b, q, out, None, conj(b, g)))]
    gq, gr = (None if x is None else conj(b, x) for x in parts(b, g, out))
    q, r = dec.item(b, out, 0), dec.item(b, out, 1)
    if gq is None and gr is None:
        return [None]
    if mode == "complete":
        k = _inner(b, a)
        if gq is not None:
            first, rest = b.text("g[..., :k]", g=gq, k=k), b.text("g[..., k:]", g=gq, k=k)
            more, thin = b.text("q[..., k:]", q=q, k=k), b.text("q[..., :k]", q=q, k=k)
            gq = b.sub(first, b.text("m @ (h @ q)", m=more, h=adjoint_of(b, rest), q=thin))
        q, r = b.text("q[..., :k]", q=q, k=k), b.text("r[..., :k, :]", r=r, k=k)
        gr = None if gr is None else b.text("g[..., :k, :]", g=gr, k=k)
    return [conj(b, qr_bar(b, q, r, gq, gr))]


def _inner(b: Builder, a: Atom) -> Atom:
    shape = b.op("shape", a)
    return b.op("min", b.op("item", shape, Const.of(-2)), b.op("item", shape, Const.of(-1)))


def qr_jvp(b: Builder, dots: Sequence[Atom], out: Atom, a: Atom, mode: str = "reduced") -> Atom:
    t = dots[0]
    if mode == "r":
        q, r = dec.item(b, b.op("np.linalg.qr", a), 0), out
    else:
        q, r = dec.item(b, out, 0), dec.item(b, out, 1)
    k = _inner(b, a)
    thin = q
    if mode == "complete":
        thin, r = b.text("q[..., :k]", q=q, k=k), b.text("r[..., :k, :]", r=r, k=k)
    left = b.text("r[..., :k]", r=r, k=k)
    # dA inv(R) of the first k columns
    over = b.text("solve(r.mT, t.mT).mT", r=left, t=b.text("t[..., :k]", t=t, k=k))
    qh = adjoint_of(b, thin)
    c = b.op("matmul", qh, over)
    low = b.text("tril(c, k=-1)", c=c)
    turn = b.sub(low, adjoint_of(b, low))
    if is_complex(c):
        turn = b.add(turn, b.text("triu(tril(1j * c.imag))", c=c))
    q_dot = b.add(b.op("outside", thin, over), b.op("matmul", thin, turn))
    r_dot = b.sub(b.op("matmul", qh, t), b.op("matmul", turn, r))
    r_dot = b.op("np.triu", r_dot)
    if mode == "r":
        return r_dot
    if mode == "complete":
        rest = b.text("q[..., k:]", q=q, k=k)
        more = b.text("-(q @ (h @ m))", q=thin, h=adjoint_of(b, q_dot), m=rest)
        q_dot = b.op("np.concatenate", b.op("tuple", q_dot, more), axis=-1)
        below = b.text("0.0 * t[..., k:, :]", t=t, k=k)
        r_dot = b.op("np.concatenate", b.op("tuple", r_dot, below), axis=-2)
    return b.op("record", q_dot, r_dot, cls=_QRResult)


_TALL, _DEEP = dec._r(5, 3), dec._c(4, 3)
_SQUARE = np.array([[2.0, 0.5, -0.3], [0.1, 1.5, 0.4], [0.7, -0.2, 1.1]])
_MATRICES = [
    sample(_SQUARE),
    sample(_TALL),
    sample(_TALL.T),
    sample(np.stack([_TALL, 2.0 * _TALL[::-1]])),
    sample(_SQUARE[:1, :1]),
    sample(_SQUARE.astype("float32")),
    sample(_DEEP),
    sample(_DEEP.T),
    sample(_DEEP[:3]),
]
rule(
    np.linalg.qr,
    "a",
    "mode='reduced'",
    kind=qr_kind,
    vjp=qr_vjp,
    jvp=qr_jvp,
    samples=[
        *_MATRICES,
        *(type(s)(s.args, {"mode": "r"}) for s in _MATRICES),
        sample(_SQUARE, mode="complete"),
        sample(_TALL.T, mode="complete"),
    ],
)
