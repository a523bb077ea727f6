"""Linear systems that have been factored: ``cho_solve`` and ``lu_solve`` of ``scipy.linalg``.

In: nothing. Out: records in the registry. The cotangent of the right-hand side is a solution, too,
with the same factors; that of the factors goes through the product they stand for.

    cho_solve((c, True), b)         c_bar = tril((s + s.T) @ c),  s = -outer(b_bar, x)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import scipy.linalg as sl

from ...ir.kinds import Array, Tuple
from ...ir.nodes import Atom, Const
from ..declare import rule, sample, zero
from ..kindrules import as_array
from ..registry import KindError
from . import matrices
from .declare import text
from .solving import POSITIVE, A, outer, r, solution, transposes

if TYPE_CHECKING:
    from ...ir.builder import Builder


def cho_solve_vjp(b: Builder, g: Atom, out: Atom, c_and_lower: Atom, b_: Atom, **o: Any) -> Any:
    factor = c_and_lower.kind
    if isinstance(factor, Tuple) and as_array(factor.items[0]).dtype[0] == "c":
        raise KindError("scipy.linalg.cho_solve has a rule for real factors only")
    b_bar = b.op("scipy.linalg.cho_solve", c_and_lower, g)

    def of_c() -> Atom:
        c, lower = (b.op("item", c_and_lower, Const.of(n)) for n in (0, 1))
        low = b.op("lower_factor", c, lower)
        s = b.neg(outer(b, b_bar, out))
        bar = text(b, "tril((s + s.T) @ low)", s=s, low=low)
        return b.op("tuple", b.op("where_factor_is", bar, lower), Const.of(0.0))

    return [of_c, b_bar]


def cho_solve_jvp(
    b: Builder, dots: Sequence[Any], out: Atom, c_and_lower: Atom, b_: Atom, **o: Any
) -> Atom:
    factor_dot, b_dot = dots
    c, lower = (b.op("item", c_and_lower, Const.of(n)) for n in (0, 1))
    low = b.op("lower_factor", c, lower)
    moved = b.op("lower_factor", b.op("item", factor_dot, Const.of(0)), lower)
    change = text(b, "b_dot - (t @ (low.T @ x) + low @ (t.T @ x))", b_dot=b_dot, t=moved, low=low,
                  x=out)  # fmt: skip
    return b.op("scipy.linalg.cho_solve", c_and_lower, change)


def _full(b: Builder, dots: Sequence[Any], *operands: Atom) -> list[Any]:
    """Tangents, zeros where there are none."""
    return [b.op("zeros_like", x) if t is None else t for t, x in zip(dots, operands, strict=True)]


_CHOLESKY = (np.linalg.cholesky(POSITIVE), True)
rule(
    sl.cho_solve,
    "c_and_lower b",
    "overwrite_b=False, check_finite=True",
    name="scipy.linalg.cho_solve",
    kind=solution("cho_solve"),
    vjp=cho_solve_vjp,
    jvp=lambda b, dots, out, c, b_, **o: cho_solve_jvp(b, _full(b, dots, c, b_), out, c, b_),
    samples=[
        sample(_CHOLESKY, r(3)),
        sample(_CHOLESKY, r(3, 2)),
        sample((_CHOLESKY[0].T + np.tril(A, -1), False), r(3)),
    ],
)
for _name, _other in (
    ("lower_factor", "where_factor_is"),
    ("where_factor_is", "lower_factor"),
):
    rule(
        getattr(matrices, _name),
        "c lower",
        name=_name,
        kind=lambda args, attrs: args[0].kind,
        vjp=(f"{_other}(g, lower)", None),
        jvp=(f"{_name}(c_dot, lower)", None),
        samples=[sample(A, True), sample(A, False)],
    )


def _trans_option(trans: Any) -> dict[str, Any]:
    return {"trans": 1} if trans else {}


def lu_solve_vjp(
    b: Builder, g: Atom, out: Atom, lu_and_piv: Atom, b_: Atom, trans: int = 0, **o: Any
) -> list[Any]:
    transposes({"trans": trans})
    b_bar = b.op("scipy.linalg.lu_solve", lu_and_piv, g, **_trans_option(not trans))

    def of_lu() -> Atom:
        lu, piv = (b.op("item", lu_and_piv, Const.of(n)) for n in (0, 1))
        s = b.neg(outer(b, out, b_bar) if trans else outer(b, b_bar, out))
        s = b.op("item", s, b.op("row_order", piv))
        bar = text(b, "tril(s @ triu(lu).T, k=-1) + triu(tril(lu, k=-1).T @ s + s)", s=s, lu=lu)
        return b.op("tuple", bar, b.op("zeros_like", piv))

    return [of_lu, b_bar]


def lu_solve_jvp(
    b: Builder,
    dots: Sequence[Any],
    out: Atom,
    lu_and_piv: Atom,
    b_: Atom,
    trans: int = 0,
    **o: Any,
) -> Atom:
    factor_dot, b_dot = _full(b, dots, lu_and_piv, b_)
    lu, piv = (b.op("item", lu_and_piv, Const.of(n)) for n in (0, 1))
    change = lu_dot_to_matrix(b, b.op("item", factor_dot, Const.of(0)), lu, piv)
    source = "b_dot - t.T @ x" if trans else "b_dot - t @ x"
    right = text(b, source, b_dot=b_dot, t=change, x=out)
    return b.op("scipy.linalg.lu_solve", lu_and_piv, right, **_trans_option(trans))


def lu_dot_to_matrix(b: Builder, t: Atom, lu: Atom, piv: Atom) -> Atom:
    """The tangent of the matrix whose factors, packed, have the tangent t."""
    moved = text(b, "tril(t, k=-1) @ triu(lu) + (tril(lu, k=-1) @ triu(t) + triu(t))", t=t, lu=lu)
    back = b.op("np.argsort", b.op("row_order", piv))
    return b.op("item", moved, back)


_LU = sl.lu_factor(A[[2, 0, 1]])
rule(
    sl.lu_solve,
    "lu_and_piv b",
    "trans=0, overwrite_b=False, check_finite=True",
    name="scipy.linalg.lu_solve",
    kind=solution("lu_solve"),
    vjp=lu_solve_vjp,
    jvp=lu_solve_jvp,
    samples=[sample(_LU, r(3)), sample(_LU, r(3, 2)), sample(_LU, r(3), trans=1)],
)
zero(
    matrices.row_order,
    "piv",
    name="row_order",
    kind=lambda args, attrs: Array("int64", getattr(args[0].kind, "dims", None)),
)
