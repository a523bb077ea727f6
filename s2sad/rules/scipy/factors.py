"""Factorisations of ``scipy.linalg``: Cholesky, LU, QR, SVD, symmetric eigenvalues.

In: nothing. Out: records in the registry. Those that NumPy has too share its rules.

    scipy.linalg.cholesky(a)     the triangle of a that is read has the cotangent
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import scipy.linalg as sl

from ...ir.kinds import Array, Kind, Tuple
from ...ir.nodes import Atom, Const
from .. import decompositions as dec
from ..declare import rule, sample
from ..eager import exact_kind
from ..orthogonal import qr_jvp, qr_vjp
from ..pieces import parts, real_dtype
from ..registry import KindError
from ..singular import svd_jvp, svd_kind, svd_vjp
from ..staged import total
from .declare import text
from .solving import POSITIVE, A, checked, matrix

if TYPE_CHECKING:
    from ...ir.builder import Builder

# -- Cholesky ------------------------------------------------------------------------------------


def _cholesky_kind(args: Sequence[Atom], attrs: Mapping[str, Any]) -> Kind:
    checked("cholesky", attrs)
    return Array(*matrix("cholesky", args[0]))


def cholesky_vjp(
    b: Builder, g: Atom, out: Atom, a: Atom, lower: bool = False, **o: Any
) -> list[Any]:
    return dec.cholesky_vjp(b, g, out, a, upper=not lower)


def cholesky_jvp(
    b: Builder, dots: Sequence[Atom], out: Atom, a: Atom, lower: bool = False, **o: Any
) -> Atom:
    return dec.cholesky_jvp(b, dots, out, a, upper=not lower)


_POSITIVES = [sample(POSITIVE), sample(POSITIVE, lower=True), sample(POSITIVE.astype("float32"))]
rule(
    sl.cholesky,
    "a",
    "lower=False, overwrite_a=False, check_finite=True",
    name="scipy.linalg.cholesky",
    kind=_cholesky_kind,
    vjp=cholesky_vjp,
    jvp=cholesky_jvp,
    samples=_POSITIVES,
)


#: What ``cho_factor`` returns besides the factor, and whether it leaves the matrix in the other
#: triangle, as SciPy before 1.18 does.
_PROBE = sl.cho_factor(np.array([[2.0, 1.0], [1.0, 2.0]]))
_KEEPS_OTHER = bool(_PROBE[0][1, 0] != 0)


def _cho_factor_kind(args: Sequence[Atom], attrs: Mapping[str, Any]) -> Kind:
    checked("cho_factor", attrs)
    return Tuple((Array(*matrix("cho_factor", args[0])), exact_kind(_PROBE[1])))


def _triangles(lower: bool) -> tuple[str, str]:
    """The factor's triangle, and the other, in which the matrix is left as it was."""
    return ("tril(c)", "triu(c, k=1)") if lower else ("triu(c)", "tril(c, k=-1)")


def cho_factor_vjp(
    b: Builder, g: Atom, out: Atom, a: Atom, lower: bool = False, **o: Any
) -> list[Any]:
    mine, other = _triangles(lower)
    seed = b.op("item", g, Const.of(0))
    factor = text(b, mine, c=b.op("item", out, Const.of(0)))
    (bar,) = dec.cholesky_vjp(b, text(b, mine, c=seed), factor, a, upper=not lower)
    return [b.add(bar, text(b, other, c=seed)) if _KEEPS_OTHER else bar]


def cho_factor_jvp(
    b: Builder, dots: Sequence[Atom], out: Atom, a: Atom, lower: bool = False, **o: Any
) -> Atom:
    mine, other = _triangles(lower)
    factor = text(b, mine, c=b.op("item", out, Const.of(0)))
    moved = dec.cholesky_jvp(b, dots, factor, a, upper=not lower)
    if _KEEPS_OTHER:
        moved = b.add(moved, text(b, other, c=dots[0]))
    return b.op("tuple", moved, Const.of(0.0))


rule(
    sl.cho_factor,
    "a",
    "lower=False, overwrite_a=False, check_finite=True",
    name="scipy.linalg.cho_factor",
    kind=_cho_factor_kind,
    vjp=cho_factor_vjp,
    jvp=cho_factor_jvp,
    samples=_POSITIVES,
)

# -- LU ------------------------------------------------------------------------------------------
# With A = P L U: inv(L) dA' inv(U) = inv(L) dL + dU inv(U), a strictly lower and an upper
# triangle, where A' = P.T A.


def _lu_bar(b: Builder, low: Atom, up: Atom, gl: Atom | None, gu: Atom | None) -> Atom:
    """The cotangent of A' = L U, a square matrix."""
    inner = total(
        b,
        [
            None if gl is None else text(b, "tril(low.T @ gl, k=-1)", low=low, gl=gl),
            None if gu is None else text(b, "triu(gu @ up.T)", gu=gu, up=up),
        ],
    )
    return text(b, "solve(low.T, solve(up, m.T).T)", low=low, up=up, m=inner)


def _lu_dots(b: Builder, low: Atom, up: Atom, t: Atom) -> tuple[Atom, Atom]:
    """The tangents of L and U from that of A'."""
    m = text(b, "solve(up.T, solve(low, t).T).T", low=low, up=up, t=t)
    return text(b, "low @ tril(m, k=-1)", low=low, m=m), text(b, "triu(m) @ up", m=m, up=up)


def _lu_kind(args: Sequence[Atom], attrs: Mapping[str, Any]) -> Kind:
    checked("lu", attrs)
    if attrs.get("permute_l") or attrs.get("p_indices"):
        raise KindError("scipy.linalg.lu has a rule without permute_l and p_indices")
    dtype, (m, n) = matrix("lu", args[0])
    if isinstance(m, int) and isinstance(n, int) and m != n:
        raise KindError("scipy.linalg.lu has a rule for square matrices")
    return Tuple((Array(real_dtype(dtype), (m, m)), Array(dtype, (m, m)), Array(dtype, (m, n))))


def lu_vjp(b: Builder, g: Atom, out: Atom, a: Atom, **o: Any) -> list[Any]:
    _, gl, gu = parts(b, g, out)
    if gl is None and gu is None:
        return [None]
    p, low, up = (b.op("item", out, Const.of(n)) for n in range(3))
    return [b.op("matmul", p, _lu_bar(b, low, up, gl, gu))]


def lu_jvp(b: Builder, dots: Sequence[Atom], out: Atom, a: Atom, **o: Any) -> Atom:
    p, low, up = (b.op("item", out, Const.of(n)) for n in range(3))
    l_dot, u_dot = _lu_dots(b, low, up, text(b, "p.T @ t", p=p, t=dots[0]))
    return b.op("tuple", b.op("zeros_like", p), l_dot, u_dot)


_TURNED = A[[2, 0, 1]]
rule(
    sl.lu,
    "a",
    "permute_l=False, overwrite_a=False, check_finite=True, p_indices=False",
    name="scipy.linalg.lu",
    kind=_lu_kind,
    vjp=lu_vjp,
    jvp=lu_jvp,
    samples=[sample(A), sample(_TURNED)],
)


def _lu_factor_kind(args: Sequence[Atom], attrs: Mapping[str, Any]) -> Kind:
    checked("lu_factor", attrs)
    dtype, dims = matrix("lu_factor", args[0])
    return Tuple((Array(dtype, dims), Array("int32", dims[:1])))


def _unpacked(b: Builder, lu: Atom) -> tuple[Atom, Atom]:
    return text(b, "tril(lu, k=-1) + eye(n)", lu=lu, n=_size(b, lu)), text(b, "triu(lu)", lu=lu)


def _size(b: Builder, x: Atom) -> Atom:
    return b.op("item", b.op("shape", x), Const.of(0))


def lu_factor_vjp(b: Builder, g: Atom, out: Atom, a: Atom, **o: Any) -> list[Any]:
    seed = b.op("item", g, Const.of(0))
    lu, piv = (b.op("item", out, Const.of(n)) for n in (0, 1))
    low, up = _unpacked(b, lu)
    lower, upper = text(b, "tril(g, k=-1)", g=seed), text(b, "triu(g)", g=seed)
    bar = _lu_bar(b, low, up, lower, upper)
    return [b.op("item", bar, b.op("np.argsort", b.op("row_order", piv)))]


def lu_factor_jvp(b: Builder, dots: Sequence[Atom], out: Atom, a: Atom, **o: Any) -> Atom:
    lu, piv = (b.op("item", out, Const.of(n)) for n in (0, 1))
    low, up = _unpacked(b, lu)
    moved = b.op("item", dots[0], b.op("row_order", piv))
    l_dot, u_dot = _lu_dots(b, low, up, moved)
    return b.op("tuple", b.add(l_dot, u_dot), b.op("zeros_like", piv))


rule(
    sl.lu_factor,
    "a",
    "overwrite_a=False, check_finite=True",
    name="scipy.linalg.lu_factor",
    kind=_lu_factor_kind,
    vjp=lu_factor_vjp,
    jvp=lu_factor_jvp,
    samples=[sample(A), sample(_TURNED)],
)

# -- QR, SVD, eigenvalues ------------------------------------------------------------------------

_QR_MODES = {"full": "complete", "economic": "reduced"}


def _qr_kind(args: Sequence[Atom], attrs: Mapping[str, Any]) -> Kind:
    from ..orthogonal import qr_kind

    checked("qr", attrs)
    if attrs.get("pivoting"):
        raise KindError("scipy.linalg.qr has a rule without pivoting")
    matrix("qr", args[0])
    kind = qr_kind(args, {"mode": _qr_mode(attrs)})
    assert isinstance(kind, Tuple)
    return Tuple(kind.items)


def _qr_mode(attrs: Mapping[str, Any]) -> str:
    mode = _QR_MODES.get(attrs.get("mode", "full"))
    if mode is None:
        raise KindError("scipy.linalg.qr has a rule for the modes 'full' and 'economic'")
    return mode


rule(
    sl.qr,
    "a",
    "overwrite_a=False, lwork=None, mode='full', pivoting=False, check_finite=True",
    name="scipy.linalg.qr",
    kind=_qr_kind,
    vjp=lambda b, g, out, a, **o: qr_vjp(b, g, out, a, mode=_qr_mode(o)),
    jvp=lambda b, dots, out, a, **o: _as_tuple(b, qr_jvp(b, dots, out, a, mode=_qr_mode(o)), 2),
    samples=[
        sample(A),
        sample(A[:, :2], mode="economic"),
        sample(A[:2], mode="economic"),
        sample(A.astype("float32"), mode="economic"),
    ],
)


def _as_tuple(b: Builder, t: Atom, count: int) -> Atom:
    return b.op("tuple", *(b.op("item", t, Const.of(n)) for n in range(count)))


def _svd_kind(args: Sequence[Atom], attrs: Mapping[str, Any]) -> Kind:
    checked("svd", attrs)
    matrix("svd", args[0])
    kind = svd_kind(args, attrs)
    return Tuple(kind.items) if isinstance(kind, Tuple) else kind


def _svd_options(o: Mapping[str, Any]) -> dict[str, Any]:
    return {k: o[k] for k in ("full_matrices", "compute_uv") if k in o}


def _svd_jvp(b: Builder, dots: Sequence[Atom], out: Atom, a: Atom, **o: Any) -> Atom:
    found = svd_jvp(b, dots, out, a, **_svd_options(o))
    return found if o.get("compute_uv", True) is False else _as_tuple(b, found, 3)


rule(
    sl.svd,
    "a",
    "full_matrices=True, compute_uv=True, overwrite_a=False, check_finite=True,"
    " lapack_driver='gesdd'",
    name="scipy.linalg.svd",
    kind=_svd_kind,
    vjp=lambda b, g, out, a, **o: svd_vjp(b, g, out, a, **_svd_options(o)),
    jvp=_svd_jvp,
    samples=[
        sample(A),
        sample(A[:, :2], full_matrices=False),
        sample(A[:2], compute_uv=False),
    ],
)
rule(
    sl.svdvals,
    "a",
    "overwrite_a=False, check_finite=True",
    name="scipy.linalg.svdvals",
    kind=lambda args, attrs: _svd_kind(args, {**attrs, "compute_uv": False}),
    vjp=lambda b, g, out, a, **o: svd_vjp(b, g, out, a, compute_uv=False),
    jvp=lambda b, dots, out, a, **o: svd_jvp(b, dots, out, a, compute_uv=False),
    samples=[sample(A), sample(A[:2])],
)


def _eigh_kind(args: Sequence[Atom], attrs: Mapping[str, Any]) -> Kind:
    checked("eigh", attrs)
    if len(args) > 1 and not (isinstance(args[1], Const) and args[1].value is None):
        raise KindError(
            "scipy.linalg.eigh has a rule without b: use cholesky and solve_triangular"
        )
    for option in ("subset_by_index", "subset_by_value"):
        if attrs.get(option) is not None:
            raise KindError(f"scipy.linalg.eigh has a rule without {option}")
    dtype, dims = matrix("eigh", args[0])
    values = Array(real_dtype(dtype), dims[:1])
    return values if attrs.get("eigvals_only") else Tuple((values, Array(dtype, dims)))


def _uplo(o: Mapping[str, Any]) -> str:
    return "L" if o.get("lower", True) else "U"


def eigh_vjp(
    b: Builder, g: Atom, out: Atom, a: Atom, b_: Atom | None = None, **o: Any
) -> list[Any]:
    if o.get("eigvals_only"):
        return [*dec.eigvalsh_vjp(b, g, out, a, UPLO=_uplo(o)), None]
    return [*dec.eigh_vjp(b, g, out, a, UPLO=_uplo(o)), None]


def eigh_jvp(
    b: Builder, dots: Sequence[Atom], out: Atom, a: Atom, b_: Atom | None = None, **o: Any
) -> Atom:
    if o.get("eigvals_only"):
        return dec.eigvalsh_jvp(b, dots, out, a, UPLO=_uplo(o))
    return _as_tuple(b, dec.eigh_jvp(b, dots, out, a, UPLO=_uplo(o)), 2)


_SYMMETRIC = np.array([[2.0, 0.5, -0.3], [0.5, -1.0, 0.4], [-0.3, 0.4, 0.7]])
rule(
    sl.eigh,
    "a b=None",
    "*, lower=True, eigvals_only=False, overwrite_a=False, overwrite_b=False, type=1,"
    " check_finite=True, subset_by_index=None, subset_by_value=None, driver=None",
    name="scipy.linalg.eigh",
    kind=_eigh_kind,
    vjp=eigh_vjp,
    jvp=eigh_jvp,
    samples=[
        sample(_SYMMETRIC),
        sample(_SYMMETRIC, lower=False),
        sample(_SYMMETRIC, eigvals_only=True),
        sample(_SYMMETRIC.astype("float32"), eigvals_only=True),
    ],
)
rule(
    sl.eigvalsh,
    "a b=None",
    "*, lower=True, overwrite_a=False, overwrite_b=False, type=1, check_finite=True,"
    " subset_by_index=None, subset_by_value=None, driver=None",
    name="scipy.linalg.eigvalsh",
    kind=lambda args, attrs: _eigh_kind(args, {**attrs, "eigvals_only": True}),
    vjp=lambda b, g, out, a, b_=None, **o: [
        *dec.eigvalsh_vjp(b, g, out, a, UPLO=_uplo(o)),
        None,
    ],
    jvp=lambda b, dots, out, a, b_=None, **o: dec.eigvalsh_jvp(b, dots, out, a, UPLO=_uplo(o)),
    samples=[sample(_SYMMETRIC), sample(_SYMMETRIC, lower=False)],
)
