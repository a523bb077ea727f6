"""Singular values and vectors, of matrices and of stacks of them.

In: nothing. Out: records in the registry. With X = U^H dA V, the changes of U and V within their
spans are U P and V Q, where P + Q divides X + X^H by differences of singular values and P - Q
divides X - X^H by their sums (Townsend, "Differentiating the singular value decomposition", 2016;
Wan and Zhang, "Automatic differentiation for complex valued SVD", 2019; split so that only the
first fails where singular values are equal). The further columns of a full U turn with the first.

    u, s, vh = np.linalg.svd(a):   a_bar = (u * s_bar) @ vh    where only s is used
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..ir.kinds import Array, Kind, Tuple
from ..ir.nodes import Atom, Const
from . import decompositions as dec
from .declare import rule, sample
from .pieces import (
    adjoint_of,
    columns,
    conj,
    hermitian_part,
    is_complex,
    lesser,
    parts,
    real,
    real_dtype,
    stack_of,
)
from .staged import total

if TYPE_CHECKING:
    from ..ir.builder import Builder

_SVDResult: Any = type(np.linalg.svd(np.eye(1)))


def svd_kind(args: Sequence[Atom], attrs: Any) -> Kind:
    dtype, dims = stack_of(args[0])
    *stack, m, n = dims
    k = lesser(m, n)
    values = Array(real_dtype(dtype), (*stack, k))
    if attrs.get("compute_uv", True) is False:
        return values
    full = attrs.get("full_matrices", True)
    left = Array(dtype, (*stack, m, m if full else k))
    right = Array(dtype, (*stack, n if full else k, n))
    return Tuple((left, values, right), _SVDResult)


def _thin(b: Builder, u: Atom, s: Atom, full: bool) -> tuple[Atom, Atom | None]:
    """The columns of U that belong to singular values, and the others if there may be any."""
    if not full or is_square_like(u, s):
        return u, None
    k = b.op("item", b.op("shape", s), Const.of(-1))
    return b.text("u[..., :k]", u=u, k=k), b.text("u[..., k:]", u=u, k=k)


def is_square_like(u: Atom, s: Atom) -> bool:
    """True where there are as many singular values as columns."""
    from ..ir.kinds import same_dim

    k: Any = u.kind
    v: Any = s.kind
    return same_dim(k.dims[-1], v.dims[-1])


def _side(b: Builder, u: Atom, s: Atom, bar: Atom | None, full: bool) -> tuple[Atom, Any]:
    """The thin matrix of one side and its cotangent, of the extra columns too."""
    thin, rest = _thin(b, u, s, full)
    if bar is None or rest is None:
        return thin, bar
    k = b.op("item", b.op("shape", s), Const.of(-1))
    first, others = b.text("g[..., :k]", g=bar, k=k), b.text("g[..., k:]", g=bar, k=k)
    back = b.text("r @ (oh @ u)", r=rest, oh=adjoint_of(b, others), u=thin)
    return thin, b.sub(first, back)


def svd_bar(
    b: Builder, u: Atom, s: Atom, vh: Atom, bars: Sequence[Atom | None], full: bool
) -> Atom | None:
    """The cotangent of the matrix, conjugated, from those of U, s and V^H (not conjugated)."""
    gu, gs, gvh = bars
    v = adjoint_of(b, vh)
    gu = None if gu is None else conj(b, gu)
    gv = None if gvh is None else b.op("np.matrix_transpose", gvh)  # conj of that of V
    u, gu = _side(b, u, s, gu, full)
    v, gv = _side(b, v, s, gv, full)
    if is_complex(u) and (gu is not None or gv is not None):
        gu, gv = _phase_free(b, u, v, gu, gv)
    inner: Atom | None = None
    if gu is not None or gv is not None:
        ku = None if gu is None else b.op("matmul", adjoint_of(b, u), gu)
        kv = None if gv is None else b.op("matmul", adjoint_of(b, v), gv)
        together = total(b, [ku, kv])
        assert together is not None
        apart = b.neg(kv) if ku is None and kv is not None else ku
        if ku is not None and kv is not None:
            apart = b.sub(ku, kv)
        assert apart is not None
        asked = total(b, (None if k is None else b.op("np.abs", k) for k in (ku, kv)))
        assert asked is not None
        skew = b.op("divided", b.sub(together, adjoint_of(b, together)), s, asked)
        sums = b.text("s[..., None, :] + s[..., :, None]", s=s)
        other = b.op("ratio", b.sub(apart, adjoint_of(b, apart)), sums)
        inner = b.mul(Const.of(0.5), b.add(skew, other))
    left = None if inner is None else b.op("matmul", u, inner)
    left = total(b, [left, None if gs is None else b.mul(u, columns(b, gs))])
    below = columns(b, s)
    if gu is not None:
        left = total(b, [left, b.op("ratio", b.op("outside", u, gu), below)])
    found = None if left is None else b.op("matmul", left, adjoint_of(b, v))
    if gv is not None:
        right = b.op("ratio", b.op("outside", v, gv), below)
        found = total(b, [found, b.op("matmul", u, adjoint_of(b, right))])
    return found


def _phase_free(
    b: Builder, u: Atom, v: Atom, gu: Atom | None, gv: Atom | None
) -> tuple[Atom | None, Atom | None]:
    """Cotangents (conjugated) freed of the common phase of u and v, fixed by a real entry."""
    both = b.op("np.concatenate", b.op("tuple", u, v), axis=-2)
    sums = [
        None if g is None else b.text("sum(conj(g) * x, axis=-2, keepdims=True)", g=g, x=x)
        for g, x in ((gu, u), (gv, v))
    ]
    s = total(b, sums)
    assert s is not None
    where = b.op("real_row_of_pair", u, v)
    change = conj(b, b.neg(dec.turning(b, where, both, s)))
    m = b.op("item", b.op("shape", u), Const.of(-2))
    up, down = b.text("c[..., :m, :]", c=change, m=m), b.text("c[..., m:, :]", c=change, m=m)
    return total(b, [gu, up]), total(b, [gv, down])


def svd_vjp(b: Builder, g: Atom, out: Atom, a: Atom, **o: Any) -> list[Any]:
    full, hermitian = o.get("full_matrices", True), o.get("hermitian", False)
    if o.get("compute_uv", True) is False:
        found = singular_bar(b, a, g, hermitian=hermitian)
    else:
        bars = parts(b, g, out, uniform=(1,))
        if all(x is None for x in bars):
            return [None]
        u, s, vh = (dec.item(b, out, n) for n in range(3))
        bar = svd_bar(b, u, s, vh, bars, full)
        assert bar is not None
        found = conj(b, _read(b, bar, hermitian))
    return [found]


def _read(b: Builder, bar: Atom, hermitian: bool) -> Atom:
    """With ``hermitian=True`` the lower triangle only was read."""
    return dec.in_triangle(b, hermitian_part(b, bar), "L") if hermitian else bar


def singular_bar(b: Builder, a: Atom, g: Atom, *, hermitian: bool = False) -> Atom:
    """The cotangent of a matrix from that of its singular values."""
    extra: dict[str, Any] = {"hermitian": True} if hermitian else {}
    out = b.op("np.linalg.svd", a, full_matrices=False, **extra)
    u, vh = dec.item(b, out, 0), dec.item(b, out, 2)
    bar = b.op("matmul", b.mul(u, columns(b, g)), vh)
    return conj(b, _read(b, bar, hermitian))


def singular_dot(b: Builder, a: Atom, t: Atom, *, hermitian: bool = False) -> Atom:
    """The tangent of the singular values of a matrix."""
    extra: dict[str, Any] = {"hermitian": True} if hermitian else {}
    t = dec.from_triangle(b, t, "L") if hermitian else t
    out = b.op("np.linalg.svd", a, full_matrices=False, **extra)
    u, vh = dec.item(b, out, 0), dec.item(b, out, 2)
    text = "sum(c * (t @ v), axis=-2)"
    return real(b, b.text(text, c=conj(b, u), t=t, v=adjoint_of(b, vh)))


def svd_jvp(b: Builder, dots: Sequence[Atom], out: Atom, a: Atom, **o: Any) -> Atom:
    full, hermitian = o.get("full_matrices", True), o.get("hermitian", False)
    if o.get("compute_uv", True) is False:
        return singular_dot(b, a, dots[0], hermitian=hermitian)
    t = dec.from_triangle(b, dots[0], "L") if hermitian else dots[0]
    whole_u, s, vh = (dec.item(b, out, n) for n in range(3))
    whole_v = adjoint_of(b, vh)
    u, u_rest = _thin(b, whole_u, s, full)
    v, v_rest = _thin(b, whole_v, s, full)
    tv = b.op("matmul", t, v)
    x = b.op("matmul", adjoint_of(b, u), tv)
    s_dot = real(b, b.text("diagonal(x, axis1=-2, axis2=-1)", x=x))
    xh = adjoint_of(b, x)
    skew = b.op("divided", b.add(x, xh), s, x)
    sums = b.text("s[..., None, :] + s[..., :, None]", s=s)
    other = b.op("ratio", b.sub(x, xh), sums)
    half, below = Const.of(0.5), columns(b, s)
    u_dot = b.op("matmul", u, b.mul(half, b.add(skew, other)))
    v_dot = b.op("matmul", v, b.mul(half, b.sub(skew, other)))
    u_dot = b.add(u_dot, b.op("ratio", b.op("outside", u, tv), below))
    back = b.op("outside", v, b.op("matmul", adjoint_of(b, t), u))
    v_dot = b.add(v_dot, b.op("ratio", back, below))
    if is_complex(u):
        u_dot, v_dot = _turned_pair(b, u, v, u_dot, v_dot)
    u_dot, v_dot = _widened(b, u, u_rest, u_dot), _widened(b, v, v_rest, v_dot)
    return b.op("record", u_dot, s_dot, adjoint_of(b, v_dot), cls=_SVDResult)


def _turned_pair(b: Builder, u: Atom, v: Atom, u_dot: Atom, v_dot: Atom) -> tuple[Atom, Atom]:
    both = b.op("np.concatenate", b.op("tuple", u, v), axis=-2)
    t = b.op("np.concatenate", b.op("tuple", u_dot, v_dot), axis=-2)
    c = dec.turn(b, b.op("real_row_of_pair", u, v), both, t)
    return b.sub(u_dot, b.mul(c, u)), b.sub(v_dot, b.mul(c, v))


def _widened(b: Builder, u: Atom, rest: Atom | None, u_dot: Atom) -> Atom:
    """The tangent of a full U: its further columns stay orthogonal to the first."""
    if rest is None:
        return u_dot
    more = b.text("-(u @ (th @ r))", u=u, th=adjoint_of(b, u_dot), r=rest)
    return b.op("np.concatenate", b.op("tuple", u_dot, more), axis=-1)


_A = np.array([[2.0, 0.5, -0.3], [0.1, 1.5, 0.4], [0.7, -0.2, 1.1]])
_TALL, _DEEP = dec._r(5, 3), dec._c(5, 3)
_THIN: list[Any] = [
    sample(_A),
    sample(_TALL, full_matrices=False),
    sample(_TALL.T, full_matrices=False),
    sample(np.stack([_TALL, 2.0 * _TALL[::-1]]), full_matrices=False),
    sample(_TALL[:1, :], full_matrices=False),
    sample(_TALL[:, :1], full_matrices=False),
    sample(_A.astype("float32"), full_matrices=False),
    sample(_DEEP, full_matrices=False),
    sample(_DEEP[:3]),
    sample(_A + _A.T, hermitian=True),
]
_VALUES: list[Any] = [
    sample(_A),
    sample(_TALL),
    sample(_TALL.T),
    sample(np.stack([_TALL, 2.0 * _TALL])),
    sample(_A.astype("float32")),
    sample(_DEEP.T),
    sample(np.diag([2.0, 2.0]), expect=(np.eye(2),)),
]
rule(
    np.linalg.svd,
    "a",
    "full_matrices=True, compute_uv=True, hermitian=False",
    kind=svd_kind,
    vjp=svd_vjp,
    jvp=svd_jvp,
    samples=[
        *_THIN,
        *(
            type(s)(s.args, {**s.attrs, "compute_uv": False}, s.expect, s.edge)
            for s in (*_VALUES, sample(_A, hermitian=True))
        ),
    ],
)
rule(
    np.linalg.svdvals,
    "x",
    kind=lambda args, attrs: svd_kind(args, {"compute_uv": False}),
    vjp=lambda b, g, out, x: [singular_bar(b, x, g)],
    jvp=lambda b, dots, out, x: singular_dot(b, x, dots[0]),
    samples=_VALUES,
)
