"""Linear algebra: inverses, determinants, solutions, norms.

In: nothing. Out: records in the registry.

    rule(np.linalg.inv, "a", vjp="-(out.mT @ g @ out.mT)", jvp="-(out @ a_dot @ out)")
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..ir.kinds import Array, Kind, Mixed, Num, Tuple
from ..ir.nodes import Atom, Const
from . import helpers
from .declare import rule, sample
from .kindrules import as_array
from .linear import rank
from .registry import KindError, Sample

if TYPE_CHECKING:
    from ..ir.builder import Builder

_RNG = np.random.default_rng(2)


def _r(*shape: int) -> Any:
    return _RNG.uniform(-1.0, 1.0, shape)


# -- linear algebra ------------------------------------------------------------------------------


def _square_kind(rank_lost: int) -> Any:
    def kind(args: Sequence[Atom], attrs: Any) -> Kind:
        k = as_array(args[0].kind)
        dtype = k.dtype if k.dtype in ("float32", "complex64", "complex128") else "float64"
        if not isinstance(k, Array) or k.dims is None:
            return Mixed(dtype)
        if len(k.dims) < 2:
            raise KindError("a matrix is needed")
        dims = k.dims[: len(k.dims) - rank_lost]
        return Array(dtype, dims) if dims else Num(dtype, False)

    return kind


_SQUARE = np.array([[2.0, 0.5, -0.3], [0.1, 1.5, 0.4], [0.7, -0.2, 1.1]])
_SQUARES: list[Sample] = [
    sample(_SQUARE),
    sample(np.stack([_SQUARE, _SQUARE.T + 0.1])),
    sample(_SQUARE[:1, :1]),
    sample(_SQUARE.astype("float32")),
]
rule(
    np.linalg.inv,
    "a",
    kind=_square_kind(0),
    vjp="-(out.mT @ g @ out.mT)",
    jvp="-(out @ a_dot @ out)",
    samples=_SQUARES,
)


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


def cofactors_vjp(b: Builder, g: Atom, out: Atom, a: Atom) -> list[Any]:
    """With P the transposed inverse: sum(g P) C - P g.T C."""
    text = "sum(g * p, axis=(-2, -1), keepdims=True) * out - p @ g.mT @ out"
    return [b.text(text, g=g, out=out, p=b.text("inv(a).mT", a=a))]


def cofactors_jvp(b: Builder, dots: Sequence[Atom], out: Atom, a: Atom) -> Atom:
    text = "sum(out * t, axis=(-2, -1), keepdims=True) * p - out @ t.mT @ p"
    return b.text(text, t=dots[0], out=out, p=b.text("inv(a).mT", a=a))


rule(
    helpers.cofactors,
    "a",
    name="cofactors",
    kind=_square_kind(0),
    vjp=cofactors_vjp,
    jvp=cofactors_jvp,
    samples=_SQUARES[:2],
)


def solve_kind(args: Sequence[Atom], attrs: Any) -> Kind:
    a, y = (as_array(x.kind) for x in args)
    if not isinstance(a, Array) or not isinstance(y, Array) or None in (a.dims, y.dims):
        raise KindError("the number of axes is not known here")
    dtype = np.linalg.solve(np.eye(1, dtype=a.dtype), np.eye(1, dtype=y.dtype)).dtype.name
    assert a.dims is not None
    assert y.dims is not None
    if len(y.dims) > 2 or len(a.dims) > 2:
        return Array(dtype, y.dims if len(y.dims) >= len(a.dims) else None)
    return Array(dtype, y.dims)


def solve_vjp(b: Builder, g: Atom, out: Atom, a: Atom, b_: Atom) -> list[Any]:
    """``b_bar`` solves with the transpose; ``a_bar = -b_bar out.T``."""
    b_bar = b.text("solve(a.mT, g)" if rank(a) > 2 else "solve(a.T, g)", a=a, g=g)
    if rank(b_) == 1:
        product = "-outer(y, out)" if rank(a) == 2 else "-(y[..., None] * out[..., None, :])"
    else:
        product = "-(y @ out.T)" if rank(b_) == 2 and rank(a) == 2 else "-(y @ out.mT)"
    return [lambda: b.text(product, y=b_bar, out=out), b_bar]


def solve_jvp(b: Builder, dots: Sequence[Atom | None], out: Atom, a: Atom, b_: Atom) -> Atom:
    a_dot, b_dot = dots
    if a_dot is None:
        return b.op("np.linalg.solve", a, b_dot or b_)
    change = b.op("matmul", a_dot, out)
    right = b.neg(change) if b_dot is None else b.sub(b_dot, change)
    return b.op("np.linalg.solve", a, right)


rule(
    np.linalg.solve,
    "a b",
    kind=solve_kind,
    name="np.linalg.solve",
    vjp=solve_vjp,
    jvp=solve_jvp,
    samples=[
        sample(_SQUARE, _r(3)),
        sample(_SQUARE, _r(3, 2)),
        sample(np.stack([_SQUARE, _SQUARE.T]), _r(2, 3, 2)),
        sample(_SQUARE.astype("float32"), _r(3).astype("float32")),
    ],
)


def norm_vjp(b: Builder, g: Atom, out: Atom, x: Atom, **o: Any) -> list[Any]:
    from .reductions import kept

    axis, keepdims = o.get("axis"), o.get("keepdims")
    _check_norm(x, o)
    up = b.mul(kept(b, g, x, axis, keepdims), x)
    return [b.op("ratio", up, kept(b, out, x, axis, keepdims))]


def norm_jvp(b: Builder, dots: Sequence[Atom], out: Atom, x: Atom, **o: Any) -> Atom:
    _check_norm(x, o)
    over = {k: o[k] for k in ("axis", "keepdims") if k in o}
    return b.op("ratio", b.op("np.sum", b.mul(x, dots[0]), **over), out)


def _check_norm(x: Atom, o: dict[str, Any]) -> None:
    order, axis = o.get("ord"), o.get("axis")
    vector = isinstance(axis, int) or (axis is None and rank(x) == 1)
    if not (order is None or (order == 2 and vector) or (order == "fro" and not vector)):
        raise KindError(f"norm with ord={order!r} has no derivative here")


rule(
    np.linalg.norm,
    "x",
    "ord=None, axis=None, keepdims=False",
    vjp=norm_vjp,
    jvp=norm_jvp,
    samples=[
        sample(_r(3)),
        sample(_r(2, 3)),
        sample(_r(2, 3), ord="fro"),
        sample(_r(3), ord=2),
        sample(_r(2, 3), axis=1),
        sample(_r(2, 3), axis=0, keepdims=True),
        sample(_r(3).astype("float32")),
        sample(np.zeros(2), expect=(np.zeros(2),)),
    ],
)


_SlogdetResult: Any = type(np.linalg.slogdet(np.eye(1)))


def slogdet_kind(args: Sequence[Atom], attrs: Any) -> Kind:
    kind = _square_kind(2)(args, attrs)
    return Tuple((kind, kind), _SlogdetResult)


def slogdet_vjp(b: Builder, g: Atom, out: Atom, a: Atom) -> list[Any]:
    up = b.op("item", g, Const.of(1))
    return [b.mul(_wide(b, up, a), b.text("inv(a).mT", a=a))]


def slogdet_jvp(b: Builder, dots: Sequence[Atom], out: Atom, a: Atom) -> Atom:
    change = b.text("sum(inv(a).mT * t, axis=(-2, -1))", a=a, t=dots[0])
    still = b.op("zeros_like", b.op("item", out, Const.of(0)))
    return b.op("record", still, change, cls=_SlogdetResult)


rule(
    np.linalg.slogdet,
    "a",
    kind=slogdet_kind,
    vjp=slogdet_vjp,
    jvp=slogdet_jvp,
    samples=_SQUARES,
)


def cholesky_vjp(b: Builder, g: Atom, out: Atom, a: Atom) -> list[Any]:
    """Murray, "Differentiation of the Cholesky decomposition", 2016, equation 10.

    NumPy reads the lower triangle only, so that is where the cotangent lies.
    """
    if rank(a) != 2:
        raise KindError("cholesky of a stack of matrices has no derivative here")
    m = b.text("out.T @ g", out=out, g=g)
    half = b.text("tril(m) - 0.5 * diag(diag(m))", m=m)
    inverse = b.text("inv(out)", out=out)
    s = b.text("i.T @ half @ i", i=inverse, half=half)
    return [b.text("tril(s + s.T) - diag(diag(s))", s=s)]


def cholesky_jvp(b: Builder, dots: Sequence[Atom], out: Atom, a: Atom) -> Atom:
    if rank(a) != 2:
        raise KindError("cholesky of a stack of matrices has no derivative here")
    t = b.text("tril(t) + tril(t, k=-1).T", t=dots[0])
    m = b.text("i @ t @ i.T", i=b.text("inv(out)", out=out), t=t)
    return b.text("out @ (tril(m) - 0.5 * diag(diag(m)))", out=out, m=m)


rule(
    np.linalg.cholesky,
    "a",
    kind=_square_kind(0),
    vjp=cholesky_vjp,
    jvp=cholesky_jvp,
    samples=[sample(_SQUARE @ _SQUARE.T), sample(np.array([[2.0]]))],
)


def _powers(b: Builder, a: Atom, n: int) -> list[Atom]:
    """The powers of a matrix from 1 to n - 1."""
    powers = [a]
    for _ in range(n - 2):
        powers.append(b.op("matmul", powers[-1], a))
    return powers


def matrix_power_terms(b: Builder, change: Atom, a: Atom, n: int) -> Atom:
    """The sum over k of ``a^k change a^(n - 1 - k)``."""
    powers = _powers(b, a, n)
    total: Atom | None = None
    for k in range(n):
        term = change
        if k:
            term = b.op("matmul", powers[k - 1], term)
        if n - 1 - k:
            term = b.op("matmul", term, powers[n - 2 - k])
        total = term if total is None else b.add(total, term)
    assert total is not None
    return total


def matrix_power_vjp(b: Builder, g: Atom, out: Atom, a: Atom, n: int) -> list[Any]:
    if n == 0:
        return [None]
    _check_power(n)
    return [matrix_power_terms(b, g, b.op("np.matrix_transpose", a), n)]


def matrix_power_jvp(b: Builder, dots: Sequence[Atom], out: Atom, a: Atom, n: int) -> Any:
    if n == 0:
        return None
    _check_power(n)
    return matrix_power_terms(b, dots[0], a, n)


def _check_power(n: int) -> None:
    if not 0 < n <= 32:
        raise KindError("matrix_power has a derivative for powers from 0 to 32")


rule(
    np.linalg.matrix_power,
    "a",
    "n",
    kind=_square_kind(0),
    vjp=matrix_power_vjp,
    jvp=matrix_power_jvp,
    samples=[sample(_SQUARE, n=n) for n in (0, 1, 2, 3, 5)],
)
