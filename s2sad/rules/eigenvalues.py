"""Eigenvalues and eigenvectors of any square matrix, in complex numbers.

In: nothing. Out: records in the registry (Boeddeker et al., "On the computation of complex-valued
gradients", 2017). LAPACK gives each vector length 1 and keeps its largest entry real; so do the
derivatives.

    w = np.linalg.eigvals(a):   a_bar = inv(v.T) @ diag(w_bar) @ v.T
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..ir.kinds import Array, Kind, Tuple
from ..ir.nodes import Atom
from . import decompositions as dec
from . import matrices
from .declare import rule, sample
from .kindrules import as_array
from .pieces import (
    complex_dtype,
    conj,
    parts,
    stack_of,
)

if TYPE_CHECKING:
    from ..ir.builder import Builder


_EigResult: Any = type(np.linalg.eig(np.eye(1)))


def eig_kind(args: Sequence[Atom], attrs: Any) -> Kind:
    dtype, dims = stack_of(args[0])
    wide = complex_dtype(dtype)
    return Tuple((Array(wide, dims[:-1]), Array(wide, dims)), _EigResult)


def eigvals_kind(args: Sequence[Atom], attrs: Any) -> Kind:
    dtype, dims = stack_of(args[0])
    return Array(complex_dtype(dtype), dims[:-1])


def eig_vjp(b: Builder, g: Atom, out: Atom, a: Atom) -> list[Any]:
    """With F[i, j] = 1 / (w[j] - w[i]): inv(v.T) (diag(w_bar) + F * (v.T v_bar)) v.T.

    ``v_bar`` is first freed of what the fixed length and phase of each vector take away.
    """
    gw, gv = parts(b, g, out)
    w, v = dec.item(b, out, 0), dec.item(b, out, 1)
    vt = b.op("np.matrix_transpose", v)
    if gv is None:
        if gw is None:
            return [None]
        return [b.op("np.linalg.solve", vt, b.text("g[..., None] * vt", g=gw, vt=vt))]
    s = b.text("sum(g * v, axis=-2, keepdims=True)", g=gv, v=v)
    gv = dec.unturned(b, b.op("real_entries", v), v, gv)
    gv = b.sub(gv, b.mul(b.op("np.real", s), conj(b, v)))
    m = b.op("matmul", vt, gv)
    inner = b.op("divided_all", m, w)
    right = b.op("matmul", inner, vt)
    if gw is not None:
        right = b.add(right, b.text("g[..., None] * vt", g=gw, vt=vt))
    return [b.op("np.linalg.solve", vt, right)]


def eig_jvp(b: Builder, dots: Sequence[Atom], out: Atom, a: Atom) -> Atom:
    w, v = dec.item(b, out, 0), dec.item(b, out, 1)
    q = b.text("solve(v, t @ v)", v=v, t=dots[0])
    w_dot = b.text("diagonal(q, axis1=-2, axis2=-1)", q=q)
    p = b.op("matmul", v, b.op("divided_all", q, w))
    along = b.text("sum((v.real * p.real + v.imag * p.imag), axis=-2, keepdims=True)", v=v, p=p)
    v_dot = b.sub(p, b.mul(along, v))
    v_dot = b.sub(v_dot, b.mul(dec.turn(b, b.op("real_entries", v), v, v_dot), v))
    return b.op("record", w_dot, v_dot, cls=_EigResult)


def eigvals_vjp(b: Builder, g: Atom, out: Atom, a: Atom) -> list[Any]:
    vt = b.op("np.matrix_transpose", dec.item(b, b.op("eig", a), 1))
    return [b.op("np.linalg.solve", vt, b.text("g[..., None] * vt", g=g, vt=vt))]


def eigvals_jvp(b: Builder, dots: Sequence[Atom], out: Atom, a: Atom) -> Atom:
    v = dec.item(b, b.op("eig", a), 1)
    q = b.text("solve(v, t @ v)", v=v, t=dots[0])
    return b.text("diagonal(q, axis1=-2, axis2=-1)", q=q)


def divided_all_vjp(b: Builder, g: Atom, out: Atom, x: Atom, w: Atom) -> list[Any]:
    def wrt_w() -> Atom:
        t = b.op("divided_all", b.mul(g, out), w)
        return b.text("sum(t, axis=-1) - sum(t, axis=-2)", t=t)

    return [lambda: b.op("divided_all", g, w), wrt_w]


def divided_all_jvp(b: Builder, dots: Sequence[Atom | None], out: Atom, x: Atom, w: Atom) -> Any:
    x_dot, w_dot = dots
    change = x_dot
    if w_dot is not None:
        moved = b.text("out * (t[..., None, :] - t[..., :, None])", out=out, t=w_dot)
        change = b.neg(moved) if change is None else b.sub(change, moved)
    return None if change is None else b.op("divided_all", change, w)


rule(
    matrices.divided_all,
    "x w",
    name="divided_all",
    kind=lambda args, attrs: as_array(args[0].kind),
    vjp=divided_all_vjp,
    jvp=divided_all_jvp,
    samples=[sample(dec._c(3, 3), np.array([1.0 + 0.5j, 2.0, 3.0 - 1.0j]))],
)
_GENERAL = np.array([[2.0, 0.5, -0.3], [0.1, 1.5, 0.4], [0.7, -0.2, 1.1]])
_ROTATING = np.array([[0.5, -1.0, 0.2], [1.2, 0.3, 0.1], [0.3, 0.2, 1.5]])
_GENERALS = [
    sample(_GENERAL),
    sample(_ROTATING),
    sample(np.stack([_ROTATING, _ROTATING.T])),
    sample(_ROTATING[:1, :1]),
    sample(_ROTATING.astype("float32")),
    sample(dec._c(3, 3)),
]
rule(
    np.linalg.eig,
    "a",
    name="eig",
    fun=matrices.eig,
    kind=eig_kind,
    vjp=eig_vjp,
    jvp=eig_jvp,
    samples=_GENERALS,
)
rule(
    np.linalg.eigvals,
    "a",
    name="eigvals",
    fun=matrices.eigvals,
    kind=eigvals_kind,
    vjp=eigvals_vjp,
    jvp=eigvals_jvp,
    samples=_GENERALS,
)
