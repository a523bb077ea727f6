"""Functions of matrices, and matrices made of others, in ``scipy.linalg``.

In: nothing. Out: records in the registry. The derivative of a function of a matrix along E stands
in a corner of the function of ``[[A, E], [0, A]]``: Mathias, "A chain rule for matrix functions
and applications", SIAM J. Matrix Anal. Appl. 17, 1996. ``expm_frechet`` finds that of the
exponential: Al-Mohy and Higham, "Computing the Fréchet derivative of the matrix exponential", SIAM
J. Matrix Anal. Appl. 30, 2009. The adjoint is the derivative at the transpose.

    scipy.linalg.expm(A)     A_bar = scipy.linalg.expm_frechet(A.T, g, compute_expm=False)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import scipy.linalg as sl

from ...ir.kinds import Array, Kind, Num, Size, promote
from ...ir.nodes import Atom, Const, is_none
from ..algebra import det_vjp
from ..declare import rule, sample
from ..examplekinds import by_example
from ..kindrules import as_array
from ..linear import rank
from ..pieces import inexact
from ..registry import KindError
from ..staged import total
from . import banded, factored, factors, matrices, solving  # noqa: F401 (enter their records)
from .declare import text
from .solving import POSITIVE, A, checked, matrix, r

if TYPE_CHECKING:
    from ...ir.builder import Builder

_OPTIONS = "overwrite_a=False, check_finite=True"
_FRECHET = "scipy.linalg.expm_frechet(A, E, compute_expm=False)"


def _square(name: str) -> Any:
    """The kind of a function of one matrix."""

    def kind(args: Sequence[Atom], attrs: Mapping[str, Any]) -> Kind:
        checked(name, attrs)
        return Array(*matrix(name, args[0]))

    return kind


def _plain(name: str, attrs: Mapping[str, Any]) -> None:
    if attrs.get("assume_a") not in (None, "gen", "general"):
        raise KindError(f"scipy.linalg.{name} has a rule for general matrices only")


def inv_vjp(b: Builder, g: Atom, out: Atom, a: Atom, **o: Any) -> list[Any]:
    _plain("inv", o)
    return [text(b, "-(out.T @ g @ out.T)", out=out, g=g)]


def inv_jvp(b: Builder, dots: Sequence[Atom], out: Atom, a: Atom, **o: Any) -> Atom:
    _plain("inv", o)
    return text(b, "-(out @ t @ out)", out=out, t=dots[0])


rule(
    sl.inv,
    "a",
    f"{_OPTIONS}, assume_a=None, lower=False",
    name="scipy.linalg.inv",
    kind=_square("inv"),
    vjp=inv_vjp,
    jvp=inv_jvp,
    samples=[sample(A), sample(A.astype("float32")), sample(np.array([[2.0]]))],
)


def _det_kind(args: Sequence[Atom], attrs: Mapping[str, Any]) -> Kind:
    checked("det", attrs)
    dtype, _ = matrix("det", args[0])
    return Num({"float32": "float64", "complex64": "complex128"}.get(dtype, dtype), False)


rule(
    sl.det,
    "a",
    _OPTIONS,
    name="scipy.linalg.det",
    kind=_det_kind,
    vjp=lambda b, g, out, a, **o: det_vjp(b, g, out, a),
    jvp=lambda b, dots, out, a, **o: text(
        b, "np.sum(cofactors(a) * t, axis=(-2, -1))", a=a, t=dots[0]
    ),
    samples=[sample(A), sample(np.array([[1.0, 2.0], [2.0, 4.0]]))],
)

# -- functions of a matrix -----------------------------------------------------------------------

rule(
    sl.expm,
    "A",
    name="scipy.linalg.expm",
    kind=_square("expm"),
    vjp="scipy.linalg.expm_frechet(A.T, g, compute_expm=False)",
    jvp="scipy.linalg.expm_frechet(A, A_dot, compute_expm=False)",
    samples=[sample(A), sample(A[:2, :2].astype("float32")), sample(np.zeros((2, 2)))],
)


def _pair_kind(name: str, *, twice: bool = False) -> Any:
    def kind(args: Sequence[Atom], attrs: Mapping[str, Any]) -> Kind:
        dtype, dims = matrix(name, args[0])
        if len(args) > 1:
            dtype = inexact(promote(*(as_array(a.kind) for a in args)))
        return Array(dtype, tuple(_double(d) for d in dims) if twice else dims)

    return kind


def _half_kind(args: Sequence[Atom], attrs: Mapping[str, Any]) -> Kind:
    dtype, dims = matrix("corner", args[0])
    return Array(dtype, tuple(d // 2 if isinstance(d, int) else Size() for d in dims))


def _double(d: Any) -> Any:
    return 2 * d if isinstance(d, int) else Size(not_one=True)


def frechet_vjp(b: Builder, g: Atom, out: Atom, A: Atom, E: Atom, **o: Any) -> list[Any]:
    """The second derivative is symmetric: along E, that of the exponential along g, transposed."""
    _no_exponential(o)

    def of_a() -> Atom:
        return _second(b, text(b, "A.T", A=A), text(b, "E.T", E=E), g)

    return [of_a, lambda: text(b, _FRECHET, A=text(b, "A.T", A=A), E=g)]


def _second(b: Builder, A: Atom, E: Atom, change: Atom) -> Atom:
    """The derivative of the derivative along E, as ``A`` changes."""
    pair = b.op("paired", A, E)
    both = b.op("paired", change, b.op("zeros_like", change))
    return b.op("corner", text(b, _FRECHET, A=pair, E=both))


def frechet_jvp(
    b: Builder, dots: Sequence[Atom | None], out: Atom, A: Atom, E: Atom, **o: Any
) -> Atom:
    _no_exponential(o)
    a_dot, e_dot = dots
    terms = []
    if e_dot is not None:
        terms.append(text(b, _FRECHET, A=A, E=e_dot))
    if a_dot is not None:
        terms.append(_second(b, A, E, a_dot))
    found = total(b, terms)
    assert found is not None
    return found


def _no_exponential(o: Mapping[str, Any]) -> None:
    if o.get("compute_expm", True):
        raise KindError("scipy.linalg.expm_frechet has a rule with compute_expm=False")


rule(
    sl.expm_frechet,
    "A E",
    "method=None, compute_expm=True, check_finite=True",
    name="scipy.linalg.expm_frechet",
    kind=_pair_kind("expm_frechet"),
    vjp=frechet_vjp,
    jvp=frechet_jvp,
    samples=[sample(A, r(3, 3), compute_expm=False)],
)
rule(
    matrices.paired,
    "a e",
    name="paired",
    kind=_pair_kind("paired", twice=True),
    vjp=("both_quarters(g)", "corner(g)"),
    jvp=("paired(a_dot, 0.0 * a_dot)", "in_corner(e_dot)"),
    samples=[sample(A, r(3, 3))],
)
rule(
    matrices.both_quarters,
    "m",
    name="both_quarters",
    kind=_half_kind,
    vjp="paired(g, 0.0 * g)",
    jvp="linear",
    samples=[sample(r(4, 4))],
)
rule(
    matrices.corner,
    "m",
    name="corner",
    kind=_half_kind,
    vjp="in_corner(g)",
    jvp="linear",
    samples=[sample(r(4, 4))],
)
rule(
    matrices.in_corner,
    "g",
    name="in_corner",
    kind=_pair_kind("in_corner", twice=True),
    vjp=("corner(g)",),
    jvp="linear",
    samples=[sample(r(2, 2))],
)
rule(
    sl.logm,
    "A",
    name="logm",
    fun=matrices.logm,
    kind=_square("logm"),
    vjp="corner(logm(paired(A.T, g)))",
    jvp="corner(logm(paired(A, A_dot)))",
    samples=[sample(A), sample(POSITIVE)],
)
rule(
    sl.sqrtm,
    "A",
    name="sqrtm",
    fun=matrices.sqrtm,
    kind=_square("sqrtm"),
    vjp="scipy.linalg.solve_sylvester(out.T, out.T, g)",
    jvp="scipy.linalg.solve_sylvester(out, out, A_dot)",
    samples=[sample(A), sample(POSITIVE)],
)

# -- matrix equations ----------------------------------------------------------------------------


def _last_kind(name: str) -> Any:
    """The kind of the solution of an equation, as its right-hand side is."""

    def kind(args: Sequence[Atom], attrs: Mapping[str, Any]) -> Kind:
        matrix(name, args[0])
        _, dims = matrix(name, args[-1])
        return Array(inexact(promote(*(as_array(a.kind) for a in args))), dims)

    return kind


def _real_only(name: str, *operands: Atom) -> None:
    if any(as_array(a.kind).dtype[0] == "c" for a in operands):
        raise KindError(f"scipy.linalg.{name} has a rule for real matrices only")


def sylvester_vjp(b: Builder, g: Atom, out: Atom, a: Atom, c: Atom, q: Atom) -> list[Any]:
    s = text(b, "scipy.linalg.solve_sylvester(a.T, c.T, g)", a=a, c=c, g=g)
    return [
        lambda: text(b, "-(s @ out.T)", s=s, out=out),
        lambda: text(b, "-(out.T @ s)", s=s, out=out),
        s,
    ]


def sylvester_jvp(
    b: Builder, dots: Sequence[Atom | None], out: Atom, a: Atom, c: Atom, q: Atom
) -> Atom:
    a_dot, c_dot, q_dot = dots
    right = total(
        b,
        [
            q_dot,
            None if a_dot is None else text(b, "-(t @ x)", t=a_dot, x=out),
            None if c_dot is None else text(b, "-(x @ t)", t=c_dot, x=out),
        ],
    )
    return text(b, "scipy.linalg.solve_sylvester(a, c, q)", a=a, c=c, q=right)


rule(
    sl.solve_sylvester,
    "a b q",
    name="scipy.linalg.solve_sylvester",
    kind=_last_kind("solve_sylvester"),
    vjp=sylvester_vjp,
    jvp=sylvester_jvp,
    samples=[sample(A, A[:2, :2], r(3, 2)), sample(A, A.T, r(3, 3))],
)


def lyapunov_vjp(b: Builder, g: Atom, out: Atom, a: Atom, q: Atom) -> list[Any]:
    _real_only("solve_continuous_lyapunov", a, q)
    s = text(b, "scipy.linalg.solve_continuous_lyapunov(a.T, g)", a=a, g=g)
    return [lambda: text(b, "-(s @ out.T + s.T @ out)", s=s, out=out), s]


def lyapunov_jvp(b: Builder, dots: Sequence[Atom | None], out: Atom, a: Atom, q: Atom) -> Atom:
    _real_only("solve_continuous_lyapunov", a, q)
    a_dot, q_dot = dots
    change = None if a_dot is None else text(b, "-(t @ x + x @ t.T)", t=a_dot, x=out)
    right = total(b, [q_dot, change])
    return text(b, "scipy.linalg.solve_continuous_lyapunov(a, q)", a=a, q=right)


rule(
    sl.solve_continuous_lyapunov,
    "a q",
    name="scipy.linalg.solve_continuous_lyapunov",
    kind=_last_kind("solve_continuous_lyapunov"),
    vjp=lyapunov_vjp,
    jvp=lyapunov_jvp,
    samples=[sample(A, POSITIVE), sample(A, r(3, 3))],
    aliases=(sl.solve_lyapunov,) if hasattr(sl, "solve_lyapunov") else (),
)

# -- matrices made of others ---------------------------------------------------------------------


def block_diag_vjp(b: Builder, g: Atom, out: Atom, *arrs: Atom) -> list[Any]:
    found: list[Any] = []
    row: Atom = Const.of(0)
    column: Atom = Const.of(0)
    for x in arrs:
        m, n = _block_shape(b, x)
        below, right = b.add(row, m), b.add(column, n)
        piece = text(b, "g[r:s, c:d]", g=g, r=row, s=below, c=column, d=right)
        if rank(x) < 2:
            piece = text(b, "p[0]" if rank(x) == 1 else "p[0, 0]", p=piece)
        found.append(piece)
        row, column = below, right
    return found


def _block_shape(b: Builder, x: Atom) -> tuple[Atom, Atom]:
    if rank(x) == 0:
        return Const.of(1), Const.of(1)
    shape = b.op("shape", x)
    if rank(x) == 1:
        return Const.of(1), b.op("item", shape, Const.of(0))
    if rank(x) > 2:
        raise KindError("scipy.linalg.block_diag of stacks of matrices has no rule")
    return b.op("item", shape, Const.of(0)), b.op("item", shape, Const.of(1))


rule(
    sl.block_diag,
    "*arrs",
    name="scipy.linalg.block_diag",
    vjp=block_diag_vjp,
    jvp="linear",
    samples=[
        sample(A, r(2, 1)),
        sample(r(2), 1.5, r(1, 2)),
        sample(A.astype("float32")),
    ],
)


def toeplitz_vjp(b: Builder, g: Atom, out: Atom, c: Atom, r: Atom | None = None) -> list[Any]:
    """Each element of c and r fills a diagonal; the first of r fills none."""
    _toeplitz_of(c, r)
    lower = b.op("diagonal_sums", g)
    upper = b.op("diagonal_sums", b.op("np.transpose", g))
    if r is None or is_none(r):
        return [text(b, "lower + after_first(upper)", lower=lower, upper=upper), None]
    return [lower, b.op("after_first", upper)]


def _toeplitz_of(c: Atom, r: Atom | None) -> None:
    given = [c] if r is None or is_none(r) else [c, r]
    if any(rank(x) != 1 for x in given):
        raise KindError("scipy.linalg.toeplitz has a rule for vectors")
    if as_array(c.kind).dtype[0] == "c" and len(given) == 1:
        raise KindError("scipy.linalg.toeplitz of a complex vector conjugates it: pass r too")


def toeplitz_jvp(
    b: Builder, dots: Sequence[Atom | None], out: Atom, c: Atom, r: Atom | None = None
) -> Atom:
    _toeplitz_of(c, r)
    if len(dots) < 2 or r is None or is_none(r):
        return b.op("scipy.linalg.toeplitz", dots[0] or c)
    both = [b.op("zeros_like", x) if t is None else t for t, x in zip(dots, (c, r), strict=True)]
    return b.op("scipy.linalg.toeplitz", *both)


rule(
    sl.toeplitz,
    "c r=None",
    name="scipy.linalg.toeplitz",
    kind=by_example(sl.toeplitz),
    vjp=toeplitz_vjp,
    jvp=toeplitz_jvp,
    samples=[sample(r(3)), sample(r(3), r(4)), sample(r(3).astype("float32"))],
)
rule(
    matrices.diagonal_sums,
    "g",
    name="diagonal_sums",
    vjp=lambda b, v, out, g: [b.op("toeplitz_lower", v, g)],
    jvp="linear",
    samples=[sample(r(3, 4)), sample(r(4, 3))],
)
rule(
    matrices.toeplitz_lower,
    "v like",
    name="toeplitz_lower",
    kind=lambda args, attrs: Array(
        as_array(args[0].kind).dtype, getattr(args[1].kind, "dims", None)
    ),
    vjp=("diagonal_sums(g)", None),
    jvp=("toeplitz_lower(v_dot, like)", None),
    samples=[sample(r(3), np.zeros((3, 4), int)), sample(r(4), np.zeros((4, 3), int))],
)
rule(
    matrices.after_first,
    "v",
    name="after_first",
    vjp="after_first(g)",
    jvp="linear",
    samples=[sample(r(3))],
)
