"""Solutions of linear systems, exact and by least squares; inverses of tensors.

In: nothing. Out: records in the registry (Giles 2008; Golub and Pereyra, "The differentiation of
pseudo-inverses and nonlinear least squares problems", 1973). Matrices may come in stacks.

    x = np.linalg.solve(a, b):   b_bar = solve(a.T, x_bar),  a_bar = -outer(b_bar, x)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..ir.kinds import Array, Kind, Num, Size, Tuple
from ..ir.nodes import Atom, Const
from . import decompositions as dec
from . import matrices
from .declare import complexes, reals, rule, sample
from .kindrules import as_array, broadcast_dims
from .linear import rank
from .pieces import (
    adjoint_of,
    array_or_number,
    conj,
    hermitian_part,
    inexact,
    lesser,
    parts,
    real,
    real_dtype,
    stack_of,
)
from .registry import KindError
from .singular import singular_bar, singular_dot
from .staged import total

if TYPE_CHECKING:
    from ..ir.builder import Builder

_r = reals(4)
_c = complexes(_r)


_SQUARE = np.array([[2.0, 0.5, -0.3], [0.1, 1.5, 0.4], [0.7, -0.2, 1.1]])
_STACKED = np.stack([_SQUARE, _SQUARE.T])


def solve_kind(args: Sequence[Atom], attrs: Any) -> Kind:
    """NumPy 2: a right-hand side with one axis is a vector, any other a stack of matrices."""
    dtype, dims = stack_of(args[0])
    y = as_array(args[1].kind)
    if not isinstance(y, Array) or y.dims is None:
        raise KindError("the number of axes is not known here")
    dtype = np.result_type(dtype, inexact(y.dtype)).name
    own = y.dims if len(y.dims) == 1 else y.dims[-2:]
    stack = broadcast_dims(dims[:-2], y.dims[:-2] if len(y.dims) > 1 else ())
    assert stack is not None
    return Array(dtype, (*stack, *own))


def _solved(b: Builder, a: Atom, y: Atom, vector: bool) -> Atom:
    """The solutions for ``y``: vectors, perhaps in a stack, or matrices."""
    if vector and rank(a) > 2:
        return b.text("solve(a, y[..., None])[..., 0]", a=a, y=y)
    return b.op("np.linalg.solve", a, y)


def solve_vjp(b: Builder, g: Atom, out: Atom, a: Atom, b_: Atom) -> list[Any]:
    """``b_bar`` solves with the transpose; ``a_bar = -b_bar out.T``."""
    vector = rank(b_) == 1
    b_bar = _solved(b, b.text("a.mT" if rank(a) > 2 else "a.T", a=a), g, vector)
    if vector:
        product = "-outer(y, out)" if rank(a) == 2 else "-(y[..., None] * out[..., None, :])"
    else:
        product = "-(y @ out.T)" if rank(b_) == 2 and rank(a) == 2 else "-(y @ out.mT)"
    return [lambda: b.text(product, y=b_bar, out=out), b_bar]


def solve_jvp(b: Builder, dots: Sequence[Atom | None], out: Atom, a: Atom, b_: Atom) -> Atom:
    a_dot, b_dot = dots
    vector = rank(b_) == 1
    if a_dot is None:
        return b.op("np.linalg.solve", a, b_dot or b_)
    if vector and rank(a) > 2:
        change = b.text("(t @ x[..., None])[..., 0]", t=a_dot, x=out)
    else:
        change = b.op("matmul", a_dot, out)
    right = b.neg(change) if b_dot is None else b.sub(b_dot, change)
    return _solved(b, a, right, vector)


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
        sample(_STACKED, _r(2, 3, 2)),
        sample(_STACKED, _r(3)),
        sample(_STACKED, _r(3, 2)),
        sample(_SQUARE, _r(2, 3, 4)),
        sample(_STACKED[:, None], _r(4, 3, 1)),
        sample(_SQUARE.astype("float32"), _r(3).astype("float32")),
        sample(_SQUARE + 1j * _r(3, 3), _r(3)),
        sample(_SQUARE, _c(3, 2)),
        sample(_SQUARE[:1, :1], _r(1)),
    ],
)


def pinv_kind(args: Sequence[Atom], attrs: Any) -> Kind:
    dtype, dims = stack_of(args[0])
    return Array(dtype, (*dims[:-2], dims[-1], dims[-2]))


def pinv_vjp(b: Builder, g: Atom, out: Atom, a: Atom, **o: Any) -> list[Any]:
    """Golub and Pereyra, equation 4.12: the derivative at constant rank."""
    a = dec.from_triangle(b, a, "L") if o.get("hermitian") else a
    gh, ph = b.op("np.matrix_transpose", g), adjoint_of(b, out)
    first = b.text("-(ph @ g @ ph)", ph=ph, g=conj(b, g))
    right = b.text("(gh - a @ (p @ gh)) @ p @ ph", gh=gh, a=a, p=out, ph=ph)
    left = b.text("ph @ p @ (gh - gh @ p @ a)", gh=gh, a=a, p=out, ph=ph)
    bar = b.add(b.add(first, right), left)
    if o.get("hermitian"):
        bar = dec.in_triangle(b, hermitian_part(b, bar), "L")
    return [conj(b, bar)]


def pinv_jvp(b: Builder, dots: Sequence[Atom], out: Atom, a: Atom, **o: Any) -> Atom:
    t = dots[0]
    if o.get("hermitian"):
        a, t = dec.from_triangle(b, a, "L"), dec.from_triangle(b, t, "L")
    th, ph = adjoint_of(b, t), adjoint_of(b, out)
    first = b.text("-(p @ t @ p)", p=out, t=t)
    right = b.text("p @ ph @ (th - (th @ a) @ p)", p=out, ph=ph, th=th, a=a)
    left = b.text("(th - p @ (a @ th)) @ ph @ p", p=out, ph=ph, th=th, a=a)
    return b.add(b.add(first, right), left)


_TALL = _r(4, 3)
rule(
    np.linalg.pinv,
    "a",
    "rcond=None, hermitian=False, *, rtol=None",
    fun=matrices.pinv,
    name="np.linalg.pinv",
    kind=pinv_kind,
    vjp=pinv_vjp,
    jvp=pinv_jvp,
    samples=[
        sample(_SQUARE),
        sample(_STACKED),
        sample(_SQUARE.astype("float32")),
        sample(_c(3, 3)),
        sample(_TALL),
        sample(_TALL.T),
        sample(np.stack([_TALL, _r(4, 3)])),
        sample(_c(4, 3)),
        sample(_TALL, rcond=1e-10),
        sample(_SQUARE + _SQUARE.T, hermitian=True),
    ],
)


def lstsq_kind(args: Sequence[Atom], attrs: Any) -> Kind:
    dtype, (m, n) = stack_of(args[0])
    y = as_array(args[1].kind)
    if not isinstance(y, Array) or y.dims is None:
        raise KindError("the number of axes is not known here")
    dtype = np.result_type(dtype, inexact(y.dtype)).name
    values = real_dtype(dtype)
    return Tuple(
        (
            Array(dtype, (n, *y.dims[1:])),
            Array(values, (Size(),)),
            Num("int32", False),
            Array(values, (lesser(m, n),)),
        )
    )


def _tolerance(o: dict[str, Any]) -> dict[str, Any]:
    return {} if o.get("rcond") is None else {"rcond": o["rcond"]}


def lstsq_vjp(b: Builder, g: Atom, out: Atom, a: Atom, b_: Atom, **o: Any) -> list[Any]:
    """The solution is pinv(a) b; the residuals are least, which no change of it alters."""
    gx, gr, _, gs = parts(b, g, out)
    x = dec.item(b, out, 0)
    vector = rank(b_) == 1
    if vector:
        x, b_ = b.text("x[:, None]", x=x), b.text("y[:, None]", y=b_)
        gx = None if gx is None else b.text("g[:, None]", g=gx)
    a_terms: list[Atom | None] = []
    b_terms: list[Atom | None] = []
    r = b.text("y - a @ x", y=b_, a=a, x=x)
    if gx is not None:
        p = b.op("np.linalg.pinv", a, **_tolerance(o))
        gx = conj(b, gx)
        z = b.op("matmul", adjoint_of(b, p), gx)
        b_terms.append(z)
        a_terms.append(b.text("-(z @ xh)", z=z, xh=adjoint_of(b, x)))
        a_terms.append(b.text("r @ h", r=r, h=adjoint_of(b, b.op("matmul", p, z))))
        inside = b.text("g - p @ (a @ g)", g=gx, p=p, a=a)
        a_terms.append(b.text("ph @ x @ h", ph=adjoint_of(b, p), x=x, h=adjoint_of(b, inside)))
    if gr is not None:
        weighted = b.mul(Const.of(2.0), b.op("scaled_residuals", r, gr))
        b_terms.append(weighted)
        a_terms.append(b.text("-(w @ xh)", w=weighted, xh=adjoint_of(b, x)))
    a_bar, b_bar = total(b, a_terms), total(b, b_terms)
    if b_bar is not None and vector:
        b_bar = b.text("z[:, 0]", z=b_bar)
    a_bar = None if a_bar is None else conj(b, a_bar)
    if gs is not None:
        a_bar = total(b, [a_bar, singular_bar(b, a, gs)])
    return [a_bar, None if b_bar is None else conj(b, b_bar)]


def lstsq_jvp(
    b: Builder, dots: Sequence[Atom | None], out: Atom, a: Atom, b_: Atom, **o: Any
) -> Atom:
    t, b_dot = dots
    x = dec.item(b, out, 0)
    p = b.op("np.linalg.pinv", a, **_tolerance(o))
    r = b.text("y - a @ x", y=b_, a=a, x=x)
    x_terms = [None if b_dot is None else b.op("matmul", p, b_dot)]
    r_dot = b_dot
    s = dec.item(b, out, 3)
    s_dot: Atom = b.op("zeros_like", s)
    if t is not None:
        th, ph = adjoint_of(b, t), adjoint_of(b, p)
        x_terms.append(b.text("p @ (ph @ (th @ r) - t @ x)", p=p, ph=ph, th=th, r=r, t=t, x=x))
        z = b.text("th @ (ph @ x)", th=th, ph=ph, x=x)
        x_terms.append(b.text("z - p @ (a @ z)", z=z, p=p, a=a))
        change = b.op("matmul", t, x)
        r_dot = b.neg(change) if r_dot is None else b.sub(r_dot, change)
        s_dot = singular_dot(b, a, t)
    assert r_dot is not None
    size = real(b, b.text("2.0 * sum(c * t, axis=0)", c=conj(b, r), t=r_dot))
    res = dec.item(b, out, 1)
    x_dot = total(b, x_terms)
    assert x_dot is not None
    residuals = b.op("fitted", b.op("np.atleast_1d", size), res)
    rank_dot = b.op("zeros_like", dec.item(b, out, 2))
    return b.op("tuple", x_dot, residuals, rank_dot, s_dot)


_SINGLES = sample(_TALL.astype("float32"), _r(4).astype("float32"))
rule(
    np.linalg.lstsq,
    "a b",
    "rcond=None",
    kind=lstsq_kind,
    vjp=lstsq_vjp,
    jvp=lstsq_jvp,
    samples=[
        sample(_TALL, _r(4)),
        sample(_TALL, _r(4, 2)),
        sample(_TALL.T, _r(3)),
        sample(_SQUARE, _r(3, 2)),
        sample(_c(4, 2), _c(4, 3)),
        _SINGLES,
    ],
)


def scaled_residuals_vjp(b: Builder, g: Atom, out: Atom, r: Atom, w: Atom) -> list[Any]:
    return [
        lambda: b.op("scaled_residuals", g, w),
        lambda: b.op("fitted", b.op("np.sum", real(b, b.mul(g, r)), axis=0), w),
    ]


rule(
    matrices.scaled_residuals,
    "r w",
    name="scaled_residuals",
    kind=lambda args, attrs: as_array(args[0].kind),
    vjp=scaled_residuals_vjp,
    jvp=("scaled_residuals(r_dot, w)", "scaled_residuals(r, w_dot)"),
    samples=[sample(_r(4, 2), _r(2)), sample(_r(4, 2), _r(0))],
)


def tensorsolve_vjp(
    b: Builder, g: Atom, out: Atom, a: Atom, b_: Atom, axes: Any = None
) -> list[Any]:
    order = _to_the_end(rank(a), axes)
    moved = a if order is None else b.op("np.transpose", a, axes=order)
    size = b.op("np.size", b_)
    m = b.op("np.reshape", moved, b.op("tuple", size, size))
    z = b.text("solve(m.T, ravel(g))", m=m, g=g)

    def wrt_a() -> Atom:
        bar = b.op("np.reshape", b.text("-outer(z, ravel(x))", z=z, x=out), b.op("shape", moved))
        if order is None:
            return bar
        back = tuple(int(n) for n in np.argsort(order))
        return b.op("np.transpose", bar, axes=back)

    return [wrt_a, lambda: b.op("np.reshape", z, b.op("shape", b_))]


def _to_the_end(ndim: int, axes: Any) -> tuple[int, ...] | None:
    if axes is None:
        return None
    last = [k % ndim for k in axes]
    return (*(k for k in range(ndim) if k not in last), *last)


def tensorsolve_jvp(
    b: Builder, dots: Sequence[Atom | None], out: Atom, a: Atom, b_: Atom, axes: Any = None
) -> Any:
    t, b_dot = dots
    right = b_dot
    if t is not None:
        order = _to_the_end(rank(a), axes)
        moved = t if order is None else b.op("np.transpose", t, axes=order)
        change = b.op("np.tensordot", moved, out, axes=rank(out))
        change = b.op("np.reshape", change, b.op("shape", b_))
        right = b.neg(change) if right is None else b.sub(right, change)
    more = {} if axes is None else {"axes": axes}
    return None if right is None else b.op("np.linalg.tensorsolve", a, right, **more)


def tensorsolve_kind(args: Sequence[Atom], attrs: Any) -> Kind:
    dtype, dims = stack_of(args[0])
    y = as_array(args[1].kind)
    order = _to_the_end(len(dims), attrs.get("axes"))
    moved = dims if order is None else tuple(dims[k] for k in order)
    have = rank(args[1])
    return array_or_number(np.result_type(dtype, inexact(y.dtype)).name, moved[have:])


rule(
    np.linalg.tensorsolve,
    "a b",
    "axes=None",
    kind=tensorsolve_kind,
    vjp=tensorsolve_vjp,
    jvp=tensorsolve_jvp,
    samples=[
        sample(_r(2, 3, 6), _r(2, 3)),
        sample(_r(6, 2, 3), _r(6)),
        sample(_r(2, 6, 3), _r(6), axes=(0, 2)),
    ],
)


def tensorinv_kind(args: Sequence[Atom], attrs: Any) -> Kind:
    dtype, dims = stack_of(args[0])
    ind = attrs.get("ind", 2)
    return Array(dtype, (*dims[ind:], *dims[:ind]))


def tensorinv_vjp(b: Builder, g: Atom, out: Atom, a: Atom, ind: int = 2) -> list[Any]:
    split = rank(a) - ind  # axes of the result that are rows
    bar = b.op("np.tensordot", out, g, axes=(tuple(range(split)), tuple(range(split))))
    over = tuple(range(split, rank(a)))
    # bar has the axes (columns of out, columns of g)
    bar = b.op("np.tensordot", bar, out, axes=(tuple(range(ind, 2 * ind)), over))
    return [b.neg(bar)]


def tensorinv_jvp(b: Builder, dots: Sequence[Atom], out: Atom, a: Atom, ind: int = 2) -> Atom:
    moved = b.op("np.tensordot", out, dots[0], axes=ind)
    return b.neg(b.op("np.tensordot", moved, out, axes=rank(a) - ind))


rule(
    np.linalg.tensorinv,
    "a",
    "ind=2",
    kind=tensorinv_kind,
    vjp=tensorinv_vjp,
    jvp=tensorinv_jvp,
    samples=[sample(_r(2, 3, 6)), sample(_r(4, 2, 2), ind=1), sample(_c(2, 2, 4))],
)
