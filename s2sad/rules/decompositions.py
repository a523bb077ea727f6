"""Decompositions of Hermitian matrices and of stacks of them: eigenvalues, Cholesky.

In: nothing. Out: records in the registry (Giles, "Collected matrix derivative results for forward
and reverse mode AD", 2008; Murray, "Differentiation of the Cholesky decomposition", 2016).

Where singular or eigenvalues are equal, their vectors have no derivative: the result is nan if it
depends on them and right if it does not. Gradients of functions that read one triangle of a
matrix lie in that triangle.

    w, v = np.linalg.eigh(a):   a_bar = (v * w_bar) @ v.mT    where only w is used
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..ir.kinds import Array, Kind, Size, Tuple
from ..ir.nodes import Atom, Const
from . import matrices
from .declare import complexes, reals, rule, sample, zero
from .kindrules import as_array
from .pieces import (
    adjoint_of,
    as_second,
    columns,
    conj,
    hermitian_part,
    is_complex,
    parts,
    real,
    real_dtype,
    stack_of,
)
from .staged import total

if TYPE_CHECKING:
    from ..ir.builder import Builder

_r = reals(5)
_c = complexes(_r)


def item(b: Builder, x: Atom, n: int) -> Atom:
    return b.op("item", x, Const.of(n))


# -- pieces with derivatives of their own --------------------------------------------------------


def divided_vjp(b: Builder, g: Atom, out: Atom, x: Atom, w: Atom, used: Atom) -> list[Any]:
    def wrt_w() -> Atom:
        t = real(b, b.op("divided", b.mul(g, out), w, used))
        return b.text("sum(t, axis=-1) - sum(t, axis=-2)", t=t)

    return [lambda: b.op("divided", g, w, used), wrt_w, None]


def divided_jvp(
    b: Builder, dots: Sequence[Atom | None], out: Atom, x: Atom, w: Atom, used: Atom
) -> Any:
    x_dot, w_dot, _ = dots
    change = x_dot
    if w_dot is not None:
        moved = b.text("out * (t[..., None, :] - t[..., :, None])", out=out, t=w_dot)
        change = b.neg(moved) if change is None else b.sub(change, moved)
    return None if change is None else b.op("divided", change, w, used)


_ONES = np.ones((3, 3))
rule(
    matrices.divided,
    "x w used",
    name="divided",
    kind=lambda args, attrs: as_array(args[0].kind),
    vjp=divided_vjp,
    jvp=divided_jvp,
    samples=[
        sample(_r(3, 3), np.array([0.5, 1.0, 3.0]), _ONES),
        sample(_c(2, 3, 3), np.array([[0.5, 1.0, 3.0], [0.1, 0.2, 0.5]]), _ONES),
        sample(
            np.zeros((2, 2)), np.ones(2), np.zeros((2, 2)), expect=(np.zeros((2, 2)), np.zeros(2))
        ),
    ],
)


def outside_vjp(b: Builder, g: Atom, out: Atom, u: Atom, x: Atom) -> list[Any]:
    def wrt_u() -> Atom:
        text = "-(g @ (xh @ u) + x @ (gh @ u))"
        h = conj(b, g)
        bar = b.text(text, g=h, x=x, u=u, xh=adjoint_of(b, x), gh=b.op("np.matrix_transpose", g))
        return conj(b, bar)

    return [wrt_u, lambda: b.op("outside", conj(b, u), g)]


def outside_jvp(b: Builder, dots: Sequence[Atom | None], out: Atom, u: Atom, x: Atom) -> Any:
    u_dot, x_dot = dots
    terms = [None if x_dot is None else b.op("outside", u, x_dot)]
    if u_dot is not None:
        text = "-(t @ (uh @ x) + u @ (th @ x))"
        uh, th = adjoint_of(b, u), adjoint_of(b, u_dot)
        terms.append(b.text(text, t=u_dot, u=u, x=x, uh=uh, th=th))
    return total(b, terms)


_Q = np.linalg.qr(_r(4, 2))[0]
rule(
    matrices.outside,
    "u x",
    name="outside",
    kind=as_second,
    vjp=outside_vjp,
    jvp=outside_jvp,
    samples=[sample(_Q, _r(4, 3)), sample(np.linalg.qr(_c(4, 2))[0], _c(4, 2))],
)


def _mark_kind(args: Sequence[Atom], attrs: Any) -> Kind:
    dtype, dims = stack_of(args[0])
    return Array(real_dtype(dtype), dims)


zero(matrices.real_entries, "v", name="real_entries", kind=_mark_kind)
zero(matrices.real_row, "v", "row=0", name="real_row", kind=_mark_kind)
zero(
    matrices.real_row_of_pair,
    "u v",
    name="real_row_of_pair",
    kind=lambda args, attrs: Array(
        real_dtype(stack_of(args[0])[0]),
        (*stack_of(args[0])[1][:-2], Size(), stack_of(args[0])[1][-1]),
    ),
)


def turning(b: Builder, where: Atom, v: Atom, s: Atom) -> Atom:
    """What the phase adds to cotangents of complex vectors; ``s`` is the sum of v_bar * v.

    LAPACK turns each column so that an entry y, marked in ``where``, is real. If the column
    turns by i c, it stays so: c = -Im(dy) / y.
    """
    y = b.text("sum(w * v.real, axis=-2, keepdims=True)", w=where, v=v)
    return b.text("1j * (s.imag / where(y == 0, 1.0, y)) * w", s=s, y=y, w=where)


def turn(b: Builder, where: Atom, v: Atom, t: Atom) -> Atom:
    """By how much tangents of complex vectors turn where those marked entries stay real."""
    y = b.text("sum(w * v.real, axis=-2, keepdims=True)", w=where, v=v)
    moved = b.text("sum(w * t.imag, axis=-2, keepdims=True)", w=where, t=t)
    return b.text("1j * (m / where(y == 0, 1.0, y))", m=moved, y=y)


def unturned(b: Builder, where: Atom, v: Atom, gv: Atom) -> Atom:
    """The cotangent ``gv`` (not conjugated) of vectors whose phase follows from the others."""
    s = b.text("sum(g * v, axis=-2, keepdims=True)", g=gv, v=v)
    return b.sub(gv, turning(b, where, v, s))


def _real_row(b: Builder, v: Atom, uplo: str) -> Atom:
    """The first entries are real where the lower triangle is read, the last ones else."""
    return b.op("real_row", v, row=-1 if uplo.upper() == "U" else 0)


# -- hermitian eigenvalues -----------------------------------------------------------------------

_EighResult: Any = type(np.linalg.eigh(np.eye(1)))


def eigh_kind(args: Sequence[Atom], attrs: Any) -> Kind:
    dtype, dims = stack_of(args[0])
    return Tuple((Array(real_dtype(dtype), dims[:-1]), Array(dtype, dims)), _EighResult)


def eigvalsh_kind(args: Sequence[Atom], attrs: Any) -> Kind:
    dtype, dims = stack_of(args[0])
    return Array(real_dtype(dtype), dims[:-1])


def in_triangle(b: Builder, s: Atom, uplo: str) -> Atom:
    """The cotangent of the triangle that was read, from that of the Hermitian matrix."""
    if uplo.upper() == "U":
        return b.text("triu(s) + triu(s, k=1)", s=s)
    return b.text("tril(s) + tril(s, k=-1)", s=s)


def from_triangle(b: Builder, t: Atom, uplo: str) -> Atom:
    """The Hermitian matrix that the triangle stands for."""
    text = ("triu(t)", "triu(t, k=1)") if uplo.upper() == "U" else ("tril(t)", "tril(t, k=-1)")
    below = b.text(text[1], t=t)
    if not is_complex(t):
        return b.add(b.text(text[0], t=t), b.op("np.matrix_transpose", below))
    on = b.text("triu(tril(t))", t=b.op("astype", b.op("np.real", t), dtype=np.dtype(dtype(t))))
    return b.add(b.add(below, adjoint_of(b, below)), on)


def dtype(x: Atom) -> str:
    k: Any = as_array(x.kind)
    return str(k.dtype)


def eigh_bar(b: Builder, w: Atom, v: Atom, gw: Atom | None, gv: Atom | None, uplo: str) -> Atom:
    """The cotangent of a Hermitian matrix from those of its eigenvalues and eigenvectors."""
    vh = adjoint_of(b, v)
    terms: list[Atom | None] = []
    if gv is not None:
        if is_complex(v):
            gv = unturned(b, _real_row(b, v, uplo), v, gv)
        m = b.op("matmul", vh, conj(b, gv))
        skew = b.op("divided", b.sub(m, adjoint_of(b, m)), w, m)
        terms.append(b.mul(Const.of(0.5), b.op("matmul", v, skew)))
    if gw is not None:
        terms.append(b.mul(v, columns(b, gw)))
    left = total(b, terms)
    assert left is not None
    return conj(b, in_triangle(b, b.op("matmul", left, vh), uplo))


def eigh_vjp(b: Builder, g: Atom, out: Atom, a: Atom, UPLO: str = "L") -> list[Any]:
    gw, gv = parts(b, g, out, uniform=(0,))
    if gw is None and gv is None:
        return [None]
    return [eigh_bar(b, item(b, out, 0), item(b, out, 1), gw, gv, UPLO)]


def eigh_jvp(b: Builder, dots: Sequence[Atom], out: Atom, a: Atom, UPLO: str = "L") -> Atom:
    w, v = item(b, out, 0), item(b, out, 1)
    moved = b.op("matmul", from_triangle(b, dots[0], UPLO), v)
    w_dot = real(b, b.text("sum(c * m, axis=-2)", c=conj(b, v), m=moved))
    q = b.op("matmul", adjoint_of(b, v), moved)
    v_dot = b.op("matmul", v, b.op("divided", q, w, q))
    if is_complex(v):
        v_dot = b.sub(v_dot, b.mul(turn(b, _real_row(b, v, UPLO), v, v_dot), v))
    return b.op("record", w_dot, v_dot, cls=_EighResult)


def eigvalsh_vjp(b: Builder, g: Atom, out: Atom, a: Atom, UPLO: str = "L") -> list[Any]:
    both = b.op("np.linalg.eigh", a, UPLO=UPLO)
    return [eigh_bar(b, item(b, both, 0), item(b, both, 1), g, None, UPLO)]


def eigvalsh_jvp(b: Builder, dots: Sequence[Atom], out: Atom, a: Atom, UPLO: str = "L") -> Atom:
    v = item(b, b.op("np.linalg.eigh", a, UPLO=UPLO), 1)
    moved = b.op("matmul", from_triangle(b, dots[0], UPLO), v)
    return real(b, b.text("sum(c * m, axis=-2)", c=conj(b, v), m=moved))


def _hermitian(a: Any) -> Any:
    return a + np.conj(np.swapaxes(a, -1, -2))


_SYMMETRIC = np.array([[2.0, 0.5, -0.3], [0.5, -1.0, 0.4], [-0.3, 0.4, 0.7]])
_SYMMETRICS = [
    sample(_SYMMETRIC),
    sample(np.stack([_SYMMETRIC, _SYMMETRIC @ _SYMMETRIC])),
    sample(_SYMMETRIC, UPLO="U"),
    sample(_r(3, 3)),
    sample(_SYMMETRIC[:1, :1]),
    sample(_SYMMETRIC.astype("float32")),
    sample(_SYMMETRIC[::-1, ::-1]),
    sample(_hermitian(_c(3, 3))),
    sample(_hermitian(_c(2, 3, 3)), UPLO="U"),
    sample(np.zeros((0, 3, 3))),
]
rule(
    np.linalg.eigh,
    "a",
    "UPLO='L'",
    kind=eigh_kind,
    vjp=eigh_vjp,
    jvp=eigh_jvp,
    samples=_SYMMETRICS,
)
rule(
    np.linalg.eigvalsh,
    "a",
    "UPLO='L'",
    kind=eigvalsh_kind,
    vjp=eigvalsh_vjp,
    jvp=eigvalsh_jvp,
    samples=[*_SYMMETRICS, sample(np.eye(2), expect=(np.eye(2),))],
)

# -- Cholesky ------------------------------------------------------------------------------------


_GENERAL = np.array([[2.0, 0.5, -0.3], [0.1, 1.5, 0.4], [0.7, -0.2, 1.1]])
rule(
    matrices.inv_lower,
    "low",
    name="inv_lower",
    kind=lambda args, attrs: Array(*stack_of(args[0])),
    vjp="-tril(out.mT @ g @ out.mT)",
    jvp="-(out @ tril(low_dot) @ out)",
    samples=[sample(np.tril(_GENERAL)), sample(np.tril(_c(2, 3, 3)) + np.eye(3))],
)


def _half_diagonal(b: Builder, m: Atom) -> Atom:
    """The lower triangle with its diagonal halved."""
    return b.text("0.5 * (tril(m) + tril(m, k=-1))", m=m)


def cholesky_vjp(b: Builder, g: Atom, out: Atom, a: Atom, upper: bool = False) -> list[Any]:
    """Murray, equation 10; for stacks and for complex matrices too."""
    low, bar = (adjoint_of(b, out), b.op("np.matrix_transpose", g)) if upper else (out, conj(b, g))
    half = _half_diagonal(b, b.op("matmul", adjoint_of(b, low), bar))
    inverse = b.op("inv_lower", low)
    s = b.text("ih @ half @ i", i=inverse, ih=adjoint_of(b, inverse), half=half)
    return [conj(b, in_triangle(b, hermitian_part(b, s), "U" if upper else "L"))]


def cholesky_jvp(
    b: Builder, dots: Sequence[Atom], out: Atom, a: Atom, upper: bool = False
) -> Atom:
    t = from_triangle(b, dots[0], "U" if upper else "L")
    low = adjoint_of(b, out) if upper else out
    inverse = b.op("inv_lower", low)
    m = b.text("i @ t @ ih", i=inverse, ih=adjoint_of(b, inverse), t=t)
    moved = b.op("matmul", low, _half_diagonal(b, m))
    return adjoint_of(b, moved) if upper else moved


_POSITIVE = _GENERAL @ _GENERAL.T
_COMPLEX_POSITIVE = _hermitian(_c(3, 3)) + 5.0 * np.eye(3)
rule(
    np.linalg.cholesky,
    "a",
    "*, upper=False",
    kind=lambda args, attrs: Array(*stack_of(args[0])),
    vjp=cholesky_vjp,
    jvp=cholesky_jvp,
    samples=[
        sample(_POSITIVE),
        sample(np.array([[2.0]])),
        sample(_POSITIVE, upper=True),
        sample(np.stack([_POSITIVE, 2.0 * _POSITIVE])),
        sample(_POSITIVE.astype("float32")),
        sample(_COMPLEX_POSITIVE),
        sample(np.stack([_COMPLEX_POSITIVE] * 2), upper=True),
        sample(np.zeros((0, 2, 2))),
    ],
)
