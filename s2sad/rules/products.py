"""Products of vectors, matrices and tensors, and linear algebra.

In: nothing. Out: records in the registry. Bilinear functions have one tangent term per operand.

    np.outer(a, b):   a_bar = g @ b,  b_bar = a @ g
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..ir.kinds import Array
from ..ir.nodes import Atom, Const
from . import einsum, linear, productkinds
from .declare import complexes, reals, rule, sample
from .kindrules import matmul_kind
from .linear import rank
from .pieces import conj, is_complex
from .registry import KindError

if TYPE_CHECKING:
    from ..ir.builder import Builder

_r = reals(1)
_c = complexes(_r)


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
    sample(_r(5, 2, 3), _r(3, 4)),
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
    aliases=(np.linalg.matmul,),
    samples=[*_PRODUCTS, *_STACKS, sample(_c(2, 3), _c(3, 2)), sample(_c(2, 3), _r(3))],
)
rule(
    np.dot,
    "a b",
    kind=productkinds.dot_kind,
    vjp=linear.dot_vjp,
    jvp=("dot(a_dot, b)", "dot(a, b_dot)"),
    samples=[
        *_PRODUCTS,
        sample(2.0, _r(3)),
        sample(_c(2, 3), _c(3)),
        sample(_r(2, 2), 3.0),
        sample(_r(2, 4, 3), _r(3)),
        sample(_r(2, 3), _r(5, 3, 4)),
        sample(_r(2, 4, 3), _r(3, 2)),
        sample(_r(2, 4, 3), _r(5, 3, 2)),
        sample([1.0, 2.0], [3.0, 4.0]),
    ],
)


def vdot_vjp(b: Builder, g: Atom, out: Atom, a: Atom, b_: Atom) -> list[Any]:
    """``sum(conj(a) * b)`` over all elements."""

    def factor(x: Atom, like: Atom) -> Atom:
        same = rank(x) == rank(like)
        return b.mul(g, x if same else b.op("np.reshape", x, b.op("shape", like)))

    return [
        lambda: conj(b, factor(b_, a)) if not is_complex(g) else _conj_product(b, g, b_, a),
        lambda: factor(conj(b, a), b_),
    ]


def _conj_product(b: Builder, g: Atom, x: Atom, like: Atom) -> Atom:
    same = rank(x) == rank(like)
    x = x if same else b.op("np.reshape", x, b.op("shape", like))
    return b.op("np.conj", b.mul(g, x))


rule(
    np.vdot,
    "a b",
    kind=productkinds.vdot_kind,
    vjp=vdot_vjp,
    jvp=("vdot(a_dot, b)", "vdot(a, b_dot)"),
    samples=[
        sample(_r(3), _r(3)),
        sample(_r(2, 3), _r(2, 3)),
        sample(_r(2, 3), _r(6)),
        sample(_c(3), _c(3)),
        sample(_r(2, 3), _c(6)),
        sample(2.0, 3.0),
    ],
)


def vecdot_vjp(b: Builder, g: Atom, out: Atom, a: Atom, b_: Atom, axis: int = -1) -> list[Any]:
    """``sum(conj(a) * b, axis)``; broadcasting is undone elsewhere."""
    if isinstance(g.kind, Array):
        if axis not in (-1, rank(out)):
            raise KindError("np.vecdot of stacks has a derivative along the last axis")
        g = b.op("item", g, Const.of((..., None)))
    return [
        lambda: b.op("np.conj", b.mul(g, b_)) if is_complex(g, b_) else b.mul(g, b_),
        lambda: b.mul(g, conj(b, a)),
    ]


rule(
    np.vecdot,
    "x1 x2",
    "*, axis=-1",
    name="np.vecdot",
    kind=productkinds.vecdot_kind,
    vjp=vecdot_vjp,
    jvp=("vecdot(x1_dot, x2, axis=axis)", "vecdot(x1, x2_dot, axis=axis)"),
    aliases=(np.linalg.vecdot,),
    samples=[
        sample(_r(3), _r(3)),
        sample(_r(4, 3), _r(3)),
        sample(_r(2, 1, 3), _r(4, 3)),
        sample(_c(4, 3), _c(4, 3)),
        sample(_c(4, 3), _r(4, 3)),
        sample(_r(4, 3).astype("float32"), _r(4, 3).astype("float32")),
    ],
)
rule(
    np.matvec,
    "x1 x2",
    name="np.matvec",
    kind=productkinds.matvec_kind,
    vjp=("g[..., :, None] * x2[..., None, :]", "(matrix_transpose(x1) @ g[..., None])[..., 0]"),
    jvp=("matvec(x1_dot, x2)", "matvec(x1, x2_dot)"),
    samples=[sample(_r(2, 3), _r(3)), sample(_r(5, 2, 3), _r(3)), sample(_c(2, 3), _c(4, 3))],
)


def vecmat_vjp(b: Builder, g: Atom, out: Atom, x: Atom, y: Atom) -> list[Any]:
    """``conj(x) @ y`` for stacks of vectors and matrices."""

    def wrt_x() -> Atom:
        bar = b.text("(y @ g[..., None])[..., 0]", y=y, g=g)
        return b.op("np.conj", bar) if is_complex(bar) else bar

    return [wrt_x, lambda: b.text("x[..., :, None] * g[..., None, :]", x=conj(b, x), g=g)]


rule(
    np.vecmat,
    "x1 x2",
    name="np.vecmat",
    kind=productkinds.vecmat_kind,
    vjp=vecmat_vjp,
    jvp=("vecmat(x1_dot, x2)", "vecmat(x1, x2_dot)"),
    samples=[sample(_r(2), _r(2, 3)), sample(_r(5, 2), _r(2, 3)), sample(_c(2), _c(4, 2, 3))],
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
    kind=productkinds.outer_kind,
    vjp=outer_vjp,
    jvp=("outer(a_dot, b)", "outer(a, b_dot)"),
    aliases=(np.linalg.outer,),
    samples=[
        sample(_r(3), _r(2)),
        sample(_r(2, 2), _r(3)),
        sample(2.0, _r(3)),
        sample(_c(3), _c(2)),
    ],
)


def inner_vjp(b: Builder, g: Atom, out: Atom, a: Atom, b_: Atom) -> list[Any]:
    m, n = rank(a), rank(b_)
    if m == 0 or n == 0 or (m == 1 and n == 1):
        return [lambda: b.mul(g, b_), lambda: b.mul(g, a)]
    if m == 2 and n <= 2:
        return [
            lambda: b.text("g @ y" if n == 2 else "outer(g, y)", g=g, y=b_),
            lambda: b.text("g.T @ x" if n == 2 else "g @ x", g=g, x=a),
        ]
    left, right = tuple(range(m - 1)), tuple(range(n - 1))
    kept = tuple(range(m - 1, m + n - 2))
    return [
        lambda: b.op("np.tensordot", g, b_, axes=(kept, right)),
        lambda: b.op("np.tensordot", g, a, axes=(left, left)),
    ]


rule(
    np.inner,
    "a b",
    kind=productkinds.inner_kind,
    vjp=inner_vjp,
    jvp=("inner(a_dot, b)", "inner(a, b_dot)"),
    samples=[
        sample(_r(3), _r(3)),
        sample(_r(2, 3), _r(3)),
        sample(_r(3), _r(2, 3)),
        sample(_r(2, 4, 3), _r(5, 3)),
        sample(2.0, _r(3)),
        sample(_c(2, 3), _c(4, 3)),
    ],
)


def tensordot_vjp(b: Builder, g: Atom, out: Atom, a: Atom, b_: Atom, axes: Any = 2) -> list[Any]:
    """Contract the cotangent with the other operand over what that one kept, and reorder."""
    m, n = rank(a), rank(b_)
    over_a, over_b = productkinds.contracted(axes, m, n)
    kept_a = [k for k in range(m) if k not in over_a]
    kept_b = [k for k in range(n) if k not in over_b]
    split = len(kept_a)
    if m == n == 2 and len(over_a) == 1:
        s, t = ("ji" if over_a == (0,) else "ij"), ("jk" if over_b == (0,) else "kj")
        return [
            lambda: einsum.contraction(b, [("ik", g), (t, b_)], s),
            lambda: einsum.contraction(b, [("ik", g), (s, a)], t),
        ]

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
    kind=productkinds.tensordot_kind,
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
        sample(_r(2, 3), _r(3, 2), axes=([1], [0])),
        sample(_r(2, 3), _r(3, 2), axes=(1, 0)),
        sample(_c(2, 3), _c(3, 2), axes=1),
    ],
    aliases=(np.linalg.tensordot,),
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
    kind=productkinds.kron_kind,
    vjp=kron_vjp,
    jvp=("kron(a_dot, b)", "kron(a, b_dot)"),
    samples=[
        sample(_r(3), _r(2)),
        sample(_r(2, 3), _r(2, 2)),
        sample(_r(2, 3), _r(2)),
        sample(_r(2), _r(2, 3)),
        sample(_r(2, 1, 2), _r(2, 3)),
        sample(_c(2, 2), _c(2, 2)),
        sample(_r(2, 3).astype("float32"), _r(2, 2).astype("float32")),
    ],
)
