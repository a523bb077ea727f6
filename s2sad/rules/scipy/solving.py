"""Linear systems of ``scipy.linalg``.

In: nothing. Out: records in the registry. For ``x = inv(A) b``: the cotangent of b solves with
the transpose, and that of A is ``-b_bar x.T``, on the part of A that the function reads.

    solve_triangular(a, b, lower=True)     a_bar = tril(-outer(b_bar, x))
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import scipy.linalg as sl

from ...ir.kinds import Array, Kind, Num, Tuple, promote
from ...ir.nodes import Atom, Const
from ..declare import rule, sample, zero
from ..kindrules import as_array
from ..linear import rank
from ..pieces import inexact, stack_of
from ..registry import KindError
from ..staged import total
from . import matrices
from .declare import text

if TYPE_CHECKING:
    from ...ir.builder import Builder

RNG = np.random.default_rng(11)
A = np.array([[2.0, 0.5, -0.3], [0.1, 1.5, 0.4], [0.7, -0.2, 1.1]])
POSITIVE = A @ A.T


def r(*shape: int) -> Any:
    return RNG.uniform(-1.0, 1.0, shape)


def checked(name: str, attrs: Mapping[str, Any], *, ranks: int = 2) -> None:
    """KindError for options that would destroy an operand."""
    for option, value in attrs.items():
        if option.startswith("overwrite_") and value:
            raise KindError(f"scipy.linalg.{name}({option}=True) destroys its argument")


def matrix(name: str, x: Atom) -> tuple[str, tuple[Any, ...]]:
    """Dtype and dims of a matrix; KindError for a stack of them."""
    dtype, dims = stack_of(x)
    if len(dims) != 2:
        raise KindError(f"scipy.linalg.{name} of stacks of matrices has no rule")
    return dtype, dims


def solution(name: str) -> Any:
    """The kind of what solves a system: as the right-hand side is."""

    def kind(args: Sequence[Atom], attrs: Mapping[str, Any]) -> Kind:
        checked(name, attrs)
        first, rhs = args
        k = first.kind
        first_kind = k.items[0] if isinstance(k, Tuple) else as_array(k)
        right = as_array(rhs.kind)
        if not isinstance(right, Array) or right.rank not in (1, 2):
            raise KindError(f"scipy.linalg.{name} has a rule for vectors and matrices")
        if isinstance(first_kind, Array) and first_kind.rank not in (2, None):
            raise KindError(f"scipy.linalg.{name} of stacks of matrices has no rule")
        assert isinstance(first_kind, Num | Array)
        return Array(inexact(promote(first_kind, right)), right.dims)

    return kind


def outer(b: Builder, y: Atom, x: Atom) -> Atom:
    """``y x.T``, of vectors or matrices."""
    return text(b, "outer(y, x)" if rank(y) == 1 else "y @ x.T", y=y, x=x)


# -- solve ---------------------------------------------------------------------------------------

_LOWER = ("tril(s + s.T) - diag(diag(s))", "tril(s) + tril(s, k=-1).T")
_UPPER = ("triu(s + s.T) - diag(diag(s))", "triu(s) + triu(s, k=1).T")


def _read(assume: Any, lower: bool) -> tuple[str, str] | None:
    """What ``solve`` makes of its matrix: the adjoint of reading, and reading; None for all."""
    match assume:
        case None | "gen" | "general":
            return None
        case "sym" | "symmetric" | "her" | "hermitian" | "pos" | "positive definite":
            return _LOWER if lower else _UPPER
        case "diagonal":
            return "diag(diag(s))", "diag(diag(s))"
        case "tridiagonal":
            return "triu(tril(s, k=1), k=-1)", "triu(tril(s, k=1), k=-1)"
        case "lower triangular":
            return "tril(s)", "tril(s)"
        case "upper triangular":
            return "triu(s)", "triu(s)"
    raise KindError(f"scipy.linalg.solve(assume_a={assume!r}) has no derivative")


def _options(attrs: Mapping[str, Any], transposed: Any, name: str = "transposed") -> Any:
    kept = {k: v for k, v in attrs.items() if k != name and not k.startswith("overwrite_")}
    return {**kept, name: transposed} if transposed else kept


def _general_if_complex(a: Atom, attrs: Mapping[str, Any]) -> None:
    if as_array(a.kind).dtype[0] == "c" and _read(attrs.get("assume_a"), False) is not None:
        raise KindError("scipy.linalg.solve has a rule for general complex matrices only")


def solve_vjp(b: Builder, g: Atom, out: Atom, a: Atom, b_: Atom, **o: Any) -> list[Any]:
    _general_if_complex(a, o)
    _general_if_complex(b_, o)
    transposed = o.get("transposed", False)
    if any(as_array(x.kind).dtype[0] == "c" for x in (a, b_)):  # SciPy does not transpose those
        b_bar = text(b, "scipy.linalg.solve(a.T, g)", a=a, g=g)
    else:
        b_bar = b.op("scipy.linalg.solve", a, g, **_options(o, not transposed))

    def of_a() -> Atom:
        s = b.neg(outer(b, out, b_bar) if transposed else outer(b, b_bar, out))
        reading = _read(o.get("assume_a"), o.get("lower", False))
        return s if reading is None else text(b, reading[0], s=s)

    return [of_a, b_bar]


def solve_jvp(
    b: Builder, dots: Sequence[Atom | None], out: Atom, a: Atom, b_: Atom, **o: Any
) -> Atom:
    _general_if_complex(a, o)
    a_dot, b_dot = dots
    change = None
    if a_dot is not None:
        reading = _read(o.get("assume_a"), o.get("lower", False))
        moved = a_dot if reading is None else text(b, reading[1], s=a_dot)
        source = "-(t.T @ x)" if o.get("transposed", False) else "-(t @ x)"
        change = text(b, source, t=moved, x=out)
    right = total(b, [b_dot, change])
    assert right is not None
    return b.op("scipy.linalg.solve", a, right, **_options(o, o.get("transposed", False)))


rule(
    sl.solve,
    "a b",
    "lower=False, overwrite_a=False, overwrite_b=False, check_finite=True, assume_a=None,"
    " transposed=False",
    name="scipy.linalg.solve",
    kind=solution("solve"),
    vjp=solve_vjp,
    jvp=solve_jvp,
    samples=[
        sample(A, r(3)),
        sample(A, r(3, 2)),
        sample(A, r(3), transposed=True),
        sample(A, r(3, 2), transposed=True),
        sample(POSITIVE, r(3), assume_a="pos"),
        sample(POSITIVE, r(3, 2), assume_a="sym", lower=True),
        sample(A, r(3), assume_a="upper triangular"),
        sample(A, r(3), assume_a="gen"),
        sample(A.astype("float32"), r(3).astype("float32")),
        sample(A + 0.3j * A.T, r(3)),
    ],
)

# -- solve_triangular ----------------------------------------------------------------------------


def _triangle(o: Mapping[str, Any]) -> str:
    name = "tril" if o.get("lower", False) else "triu"
    if not o.get("unit_diagonal", False):
        return f"{name}(s)"
    return "tril(s, k=-1)" if name == "tril" else "triu(s, k=1)"


def _trans(o: Mapping[str, Any]) -> int:
    trans = {"N": 0, "T": 1, "C": 2}.get(o.get("trans", 0), o.get("trans", 0))
    if trans not in (0, 1):
        raise KindError("scipy.linalg.solve_triangular has a rule for trans 0 and 1")
    return int(trans)


def triangular_vjp(b: Builder, g: Atom, out: Atom, a: Atom, b_: Atom, **o: Any) -> list[Any]:
    trans = _trans(o)
    b_bar = b.op("scipy.linalg.solve_triangular", a, g, **_options(o, 1 - trans, "trans"))

    def of_a() -> Atom:
        s = b.neg(outer(b, out, b_bar) if trans else outer(b, b_bar, out))
        return text(b, _triangle(o), s=s)

    return [of_a, b_bar]


def triangular_jvp(
    b: Builder, dots: Sequence[Atom | None], out: Atom, a: Atom, b_: Atom, **o: Any
) -> Atom:
    trans, (a_dot, b_dot), change = _trans(o), dots, None
    if a_dot is not None:
        moved = text(b, _triangle(o), s=a_dot)
        change = text(b, "-(t.T @ x)" if trans else "-(t @ x)", t=moved, x=out)
    right = total(b, [b_dot, change])
    assert right is not None
    return b.op("scipy.linalg.solve_triangular", a, right, **_options(o, trans, "trans"))


rule(
    sl.solve_triangular,
    "a b",
    "trans=0, lower=False, unit_diagonal=False, overwrite_b=False, check_finite=True",
    name="scipy.linalg.solve_triangular",
    kind=solution("solve_triangular"),
    vjp=triangular_vjp,
    jvp=triangular_jvp,
    samples=[
        sample(A, r(3)),
        sample(A, r(3, 2), lower=True),
        sample(A, r(3), trans=1),
        sample(A, r(3, 2), trans="T", lower=True),
        sample(A, r(3), unit_diagonal=True),
        sample(A, r(3), unit_diagonal=True, lower=True, trans=1),
        sample(A.astype("float32"), r(3).astype("float32")),
    ],
)

# -- solve_banded --------------------------------------------------------------------------------


def _banded(ab: Any, b: Any, *, l_and_u: Any, **options: Any) -> Any:
    """``scipy.linalg.solve_banded`` with its operands first."""
    return sl.solve_banded(l_and_u, ab, b, **options)


def _transposed(b: Builder, ab: Atom, l_and_u: Any) -> Atom:
    lower, upper = l_and_u
    return b.op("transpose_band", ab, lower=lower, upper=upper)


def banded_vjp(
    b: Builder, g: Atom, out: Atom, ab: Atom, b_: Atom, *, l_and_u: Any, **o: Any
) -> list[Any]:
    lower, upper = l_and_u
    turned = _transposed(b, ab, l_and_u)
    b_bar = b.op("solve_banded", turned, g, l_and_u=(upper, lower))
    return [
        lambda: b.neg(b.op("band_of_outer", b_bar, out, lower=lower, upper=upper)),
        b_bar,
    ]


def banded_jvp(
    b: Builder,
    dots: Sequence[Atom | None],
    out: Atom,
    ab: Atom,
    b_: Atom,
    *,
    l_and_u: Any,
    **o: Any,
) -> Atom:
    (ab_dot, b_dot), (lower, upper), change = dots, l_and_u, None
    if ab_dot is not None:
        change = b.neg(b.op("band_times", ab_dot, out, lower=lower, upper=upper))
    right = total(b, [b_dot, change])
    assert right is not None
    return b.op("solve_banded", ab, right, l_and_u=l_and_u)


_AB = np.array([[0.0, 0.3, -0.2, 0.4], [2.0, 1.5, 1.8, 2.2], [0.5, -0.1, 0.2, 0.0]])
_AB2 = np.vstack([_AB, [[0.1, 0.2, 0.0, 0.0]]])
rule(
    sl.solve_banded,
    "ab b",
    signature_of="l_and_u, ab, b, overwrite_ab=False, overwrite_b=False, check_finite=True",
    name="solve_banded",
    fun=_banded,
    kind=solution("solve_banded"),
    vjp=banded_vjp,
    jvp=banded_jvp,
    samples=[
        sample(_AB, r(4), l_and_u=(1, 1)),
        sample(_AB, r(4, 2), l_and_u=(1, 1)),
        sample(_AB2, r(4), l_and_u=(2, 1)),
        sample(_AB2[:3], r(4), l_and_u=(1, 1)),
    ],
)
rule(
    matrices.transpose_band,
    "ab",
    "lower, upper",
    name="transpose_band",
    kind=lambda args, attrs: args[0].kind,
    vjp=lambda b, g, out, ab, lower, upper: [b.op("transpose_band", g, lower=upper, upper=lower)],
    jvp="linear",
    samples=[sample(_AB, lower=1, upper=1), sample(_AB2, lower=2, upper=1)],
)


def band_times_vjp(
    b: Builder, g: Atom, out: Atom, ab: Atom, x: Atom, lower: int, upper: int
) -> list[Any]:
    turned = _transposed(b, ab, (lower, upper))
    return [
        lambda: b.op("band_of_outer", g, x, lower=lower, upper=upper),
        lambda: b.op("band_times", turned, g, lower=upper, upper=lower),
    ]


def band_of_outer_vjp(
    b: Builder, g: Atom, out: Atom, y: Atom, x: Atom, lower: int, upper: int
) -> list[Any]:
    turned = _transposed(b, g, (lower, upper))
    return [
        lambda: b.op("band_times", g, x, lower=lower, upper=upper),
        lambda: b.op("band_times", turned, y, lower=upper, upper=lower),
    ]


rule(
    matrices.band_times,
    "ab x",
    "lower, upper",
    name="band_times",
    kind=solution("band_times"),
    vjp=band_times_vjp,
    jvp=lambda b, dots, out, ab, x, lower, upper: total(
        b,
        [
            None if dots[0] is None else b.op("band_times", dots[0], x, lower=lower, upper=upper),
            None if dots[1] is None else b.op("band_times", ab, dots[1], lower=lower, upper=upper),
        ],
    ),
    samples=[
        sample(_AB, r(4), lower=1, upper=1),
        sample(_AB2, r(4, 2), lower=2, upper=1),
    ],
)


def _band_kind(args: Sequence[Atom], attrs: Mapping[str, Any]) -> Kind:
    y, x = (as_array(a.kind) for a in args)
    assert isinstance(x, Array)
    assert x.dims is not None
    dtype = inexact(promote(y, x))
    return Array(dtype, (attrs["lower"] + attrs["upper"] + 1, x.dims[0]))


rule(
    matrices.band_of_outer,
    "y x",
    "lower, upper",
    name="band_of_outer",
    kind=_band_kind,
    vjp=band_of_outer_vjp,
    jvp=lambda b, dots, out, y, x, lower, upper: total(
        b,
        [
            None
            if dots[0] is None
            else b.op("band_of_outer", dots[0], x, lower=lower, upper=upper),
            None
            if dots[1] is None
            else b.op("band_of_outer", y, dots[1], lower=lower, upper=upper),
        ],
    ),
    samples=[
        sample(r(4), r(4), lower=1, upper=1),
        sample(r(4, 2), r(4, 2), lower=2, upper=1),
    ],
)

# -- systems that have been factored -------------------------------------------------------------


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
    _trans({"trans": trans})
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
