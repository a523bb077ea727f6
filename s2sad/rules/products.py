"""Products of vectors, matrices and tensors, and linear algebra.

In: nothing. Out: records in the registry. Bilinear functions have one tangent term per operand.

    np.outer(a, b):   a_bar = g @ b,  b_bar = a @ g
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..ir.kinds import Array, Kind, Mixed, Num
from ..ir.nodes import Atom, Const
from . import einsum, helpers, linear
from .declare import rule, sample
from .kindrules import as_array, matmul_kind
from .linear import rank
from .registry import KindError

if TYPE_CHECKING:
    from ..ir.builder import Builder

_RNG = np.random.default_rng(1)


def _r(*shape: int) -> Any:
    return _RNG.uniform(-1.0, 1.0, shape)


_PRODUCTS = [
    sample(_r(3), _r(3)),
    sample(_r(2, 3), _r(3)),
    sample(_r(3), _r(3, 2)),
    sample(_r(2, 3), _r(3, 4)),
    sample(_r(1, 3), _r(3, 1)),
    sample(_r(2, 3).astype("float32"), _r(3, 2).astype("float32")),
    sample(np.zeros((0, 3)), _r(3, 2)),
]
_STACKS = [
    sample(_r(5, 2, 3), _r(5, 3, 4)),
    sample(_r(2, 3), _r(5, 3, 4)),
    sample(_r(5, 2, 3), _r(3)),
    sample(_r(3), _r(5, 3, 4)),
    sample(_r(1, 2, 3), _r(5, 3, 4)),
]

rule(
    np.matmul,
    "x y",
    kind=matmul_kind,
    vjp=linear.matmul_vjp,
    jvp=("x_dot @ y", "x @ y_dot"),
    samples=[*_PRODUCTS, *_STACKS],
)
rule(
    np.dot,
    "a b",
    vjp=linear.dot_vjp,
    jvp=("dot(a_dot, b)", "dot(a, b_dot)"),
    samples=[
        *_PRODUCTS,
        sample(2.0, _r(3)),
        sample(_r(2, 2), 3.0),
        sample(_r(2, 4, 3), _r(3)),
        sample(_r(2, 3), _r(5, 3, 4)),
        sample(_r(2, 4, 3), _r(3, 2)),
        sample(_r(2, 4, 3), _r(5, 3, 2)),
        sample([1.0, 2.0], [3.0, 4.0]),
    ],
)


def vdot_vjp(b: Builder, g: Atom, out: Atom, a: Atom, b_: Atom) -> list[Any]:
    if any(isinstance(x.kind, Array | Mixed | Num) and x.kind.dtype[0] == "c" for x in (a, b_)):
        raise KindError("vdot of complex arrays has no derivative here; use np.sum(x * y)")

    def factor(x: Atom, like: Atom) -> Atom:
        same = rank(x) == rank(like)
        return b.mul(g, x if same else b.op("np.reshape", x, b.op("shape", like)))

    return [lambda: factor(b_, a), lambda: factor(a, b_)]


rule(
    np.vdot,
    "a b",
    vjp=vdot_vjp,
    jvp=("vdot(a_dot, b)", "vdot(a, b_dot)"),
    samples=[sample(_r(3), _r(3)), sample(_r(2, 3), _r(2, 3))],
)


def outer_vjp(b: Builder, g: Atom, out: Atom, a: Atom, b_: Atom) -> list[Any]:
    def one(product: str, x: Atom, like: Atom) -> Atom:
        flat = x if rank(x) == 1 else b.op("np.ravel", x)
        bar = b.text(product, g=g, v=flat)
        if rank(like) == 0:
            return b.op("item", bar, Const.of(0))
        return bar if rank(like) == 1 else b.op("np.reshape", bar, b.op("shape", like))

    return [lambda: one("g @ v", b_, a), lambda: one("v @ g", a, b_)]


rule(
    np.outer,
    "a b",
    vjp=outer_vjp,
    jvp=("outer(a_dot, b)", "outer(a, b_dot)"),
    samples=[sample(_r(3), _r(2)), sample(_r(2, 2), _r(3)), sample(2.0, _r(3))],
)


def inner_vjp(b: Builder, g: Atom, out: Atom, a: Atom, b_: Atom) -> list[Any]:
    m, n = rank(a), rank(b_)
    if m == 0 or n == 0 or (m == 1 and n == 1):
        return [lambda: b.mul(g, b_), lambda: b.mul(g, a)]
    left, right = tuple(range(m - 1)), tuple(range(n - 1))
    kept = tuple(range(m - 1, m + n - 2))
    return [
        lambda: b.op("np.tensordot", g, b_, axes=(kept, right)),
        lambda: b.op("np.tensordot", g, a, axes=(left, left)),
    ]


rule(
    np.inner,
    "a b",
    vjp=inner_vjp,
    jvp=("inner(a_dot, b)", "inner(a, b_dot)"),
    samples=[
        sample(_r(3), _r(3)),
        sample(_r(2, 3), _r(3)),
        sample(_r(3), _r(2, 3)),
        sample(_r(2, 4, 3), _r(5, 3)),
        sample(2.0, _r(3)),
    ],
)


def _contracted(axes: Any, m: int, n: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    if isinstance(axes, int):
        return tuple(range(m - axes, m)), tuple(range(axes))
    left, right = ((a,) if isinstance(a, int) else tuple(a) for a in axes)
    return tuple(a % m for a in left), tuple(a % n for a in right)


def tensordot_vjp(b: Builder, g: Atom, out: Atom, a: Atom, b_: Atom, axes: Any = 2) -> list[Any]:
    """Contract the cotangent with the other operand over what that one kept, and reorder."""
    m, n = rank(a), rank(b_)
    over_a, over_b = _contracted(axes, m, n)
    kept_a = [k for k in range(m) if k not in over_a]
    kept_b = [k for k in range(n) if k not in over_b]
    split = len(kept_a)

    def ordered(x: Atom, have: Sequence[int]) -> Atom:
        order = tuple(int(i) for i in np.argsort(have))
        return x if order == tuple(range(len(order))) else b.op("np.transpose", x, axes=order)

    def wrt_a() -> Atom:
        g_axes = tuple(range(split, split + len(kept_b)))
        bar = b.op("np.tensordot", g, b_, axes=(g_axes, tuple(kept_b)))
        # what is left of b are its contracted axes, in their own order
        rest = [over_a[over_b.index(k)] for k in sorted(over_b)]
        return ordered(bar, [*kept_a, *rest])

    def wrt_b() -> Atom:
        g_axes = tuple(range(split))
        bar = b.op("np.tensordot", a, g, axes=(tuple(kept_a), g_axes))
        rest = [over_b[over_a.index(k)] for k in sorted(over_a)]
        return ordered(bar, [*rest, *kept_b])

    return [wrt_a, wrt_b]


rule(
    np.tensordot,
    "a b",
    "axes=2",
    vjp=tensordot_vjp,
    jvp=("tensordot(a_dot, b, axes=axes)", "tensordot(a, b_dot, axes=axes)"),
    samples=[
        sample(_r(2, 3), _r(3, 4), axes=1),
        sample(_r(2, 3, 4), _r(3, 4, 5), axes=2),
        sample(_r(2, 3, 4), _r(4, 5, 2), axes=((0, 2), (2, 0))),
        sample(_r(2, 3, 4), _r(4, 5, 3), axes=((2, 1), (0, 2))),
        sample(_r(2, 3), _r(4), axes=0),
        sample(_r(2, 3), _r(2, 3)),
        sample(_r(2, 3), _r(3, 2), axes=((-1,), (0,))),
    ],
)
rule(
    np.einsum,
    "subscripts *operands",
    vjp=einsum.einsum_vjp,
    jvp=einsum.einsum_jvp,
    samples=[
        sample("ij,jk->ik", _r(2, 3), _r(3, 4)),
        sample("ij,jk", _r(2, 3), _r(3, 4)),
        sample("ij->ji", _r(2, 3)),
        sample("ij->", _r(2, 3)),
        sample("ii->", _r(3, 3)),
        sample("ii->i", _r(3, 3)),
        sample("i,j,k->ijk", _r(2), _r(3), _r(4)),
        sample("i,i->", _r(3), _r(3)),
        sample("...ij,...jk->...ik", _r(5, 2, 3), _r(5, 3, 4)),
        sample("...ij,j->...i", _r(5, 2, 3), _r(3)),
        sample("bij,bj->bi", _r(5, 2, 3), _r(5, 3)),
        sample("ij,ij->i", _r(2, 3), _r(1, 3)),
    ],
)


rule(
    helpers.on_diagonal,
    "v x",
    "subscripts",
    name="on_diagonal",
    kind=lambda args, attrs: args[1].kind,
    vjp=lambda b, g, out, v, x, *, subscripts: [
        b.op("np.einsum", Const.of(f"{subscripts}->{''.join(dict.fromkeys(subscripts))}"), g),
        None,
    ],
    jvp=("on_diagonal(v_dot, x, subscripts=subscripts)", None),
    samples=[sample(_r(3), _r(3, 3), subscripts="ii")],
)


def kron_vjp(b: Builder, g: Atom, out: Atom, a: Atom, b_: Atom) -> list[Any]:
    """Index the result by (a0, b0, a1, b1, …) and contract."""
    m, n = rank(a), rank(b_)
    ndim = max(m, n)

    def sizes(x: Atom, have: int) -> list[Atom]:
        shape = b.op("shape", x)
        ones: list[Atom] = [Const.of(1)] * (ndim - have)
        return ones + [b.op("item", shape, Const.of(k)) for k in range(have)]

    of_a, of_b = sizes(a, m), sizes(b_, n)
    split = [x for pair in zip(of_a, of_b, strict=True) for x in pair]

    def contract(x: Atom, have: int, like: Atom, first: int) -> Atom:
        shaped = b.op("np.reshape", g, b.op("tuple", *split))
        own = tuple(range(first, 2 * ndim, 2))
        same = b.op("np.reshape", x, b.op("tuple", *sizes(x, have)))
        bar = b.op("np.tensordot", shaped, same, axes=(own, tuple(range(ndim))))
        return b.op("np.reshape", bar, b.op("shape", like))

    return [lambda: contract(b_, n, a, 1), lambda: contract(a, m, b_, 0)]


rule(
    np.kron,
    "a b",
    vjp=kron_vjp,
    jvp=("kron(a_dot, b)", "kron(a, b_dot)"),
    samples=[sample(_r(3), _r(2)), sample(_r(2, 3), _r(2, 2)), sample(_r(2, 3), _r(2))],
)


def cross_vjp(b: Builder, g: Atom, out: Atom, a: Atom, b_: Atom, **o: Any) -> list[Any]:
    three = all(k.dims is None or k.dims[-1] == 3 for k in map(_cross_array, (a, b_)))
    sizes_known = all(isinstance(k.dims and k.dims[-1], int) for k in map(_cross_array, (a, b_)))
    if sizes_known and not three:
        raise KindError("np.cross needs vectors of three components")
    return [lambda: b.op("np.cross", b_, g, **o), lambda: b.op("np.cross", g, a, **o)]


def _cross_array(x: Atom) -> Array:
    k = as_array(x.kind)
    if not isinstance(k, Array):
        raise KindError("np.cross needs arrays of known rank")
    return k


def cross_kind(args: Sequence[Atom], attrs: Any) -> Kind:
    """A cross product of 3-vectors; sizes cannot be stood for, since only 3 will do."""
    x, y = (_cross_array(a) for a in args)
    from .kindrules import broadcast_dims, ufunc_dtypes

    dtype = ufunc_dtypes(np.multiply, (x.dtype, False), (y.dtype, False))[0]
    return Array(dtype, broadcast_dims(x.dims, y.dims))


rule(
    np.cross,
    "a b",
    "axis=-1",
    kind=cross_kind,
    vjp=cross_vjp,
    jvp=("cross(a_dot, b, axis=axis)", "cross(a, b_dot, axis=axis)"),
    samples=[sample(_r(3), _r(3)), sample(_r(4, 3), _r(3)), sample(_r(4, 3), _r(4, 3))],
)
