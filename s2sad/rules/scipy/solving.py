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
from ...ir.nodes import Atom
from ..declare import reals, rule, sample
from ..kindrules import as_array
from ..linear import rank
from ..pieces import inexact, stack_of
from ..registry import KindError
from ..staged import total
from .declare import text

if TYPE_CHECKING:
    from ...ir.builder import Builder

r = reals(11)
A = np.array([[2.0, 0.5, -0.3], [0.1, 1.5, 0.4], [0.7, -0.2, 1.1]])
POSITIVE = A @ A.T


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


def transposes(o: Mapping[str, Any]) -> int:
    trans = {"N": 0, "T": 1, "C": 2}.get(o.get("trans", 0), o.get("trans", 0))
    if trans not in (0, 1):
        raise KindError("scipy.linalg.solve_triangular has a rule for trans 0 and 1")
    return int(trans)


def triangular_vjp(b: Builder, g: Atom, out: Atom, a: Atom, b_: Atom, **o: Any) -> list[Any]:
    trans = transposes(o)
    b_bar = b.op("scipy.linalg.solve_triangular", a, g, **_options(o, 1 - trans, "trans"))

    def of_a() -> Atom:
        s = b.neg(outer(b, out, b_bar) if trans else outer(b, b_bar, out))
        return text(b, _triangle(o), s=s)

    return [of_a, b_bar]


def triangular_jvp(
    b: Builder, dots: Sequence[Atom | None], out: Atom, a: Atom, b_: Atom, **o: Any
) -> Atom:
    trans, (a_dot, b_dot), change = transposes(o), dots, None
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
