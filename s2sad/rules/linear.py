"""Matrix products: the adjoints of ``@`` and ``dot`` for operands of every rank.

In: the cotangent of the product and its operands, whose ranks are known. Out: their cotangents,
still as wide as broadcasting made them.

    matmul_vjp(b, g, out, A, B)   ->   g @ B.T, A.T @ g
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..ir.kinds import Array, FixedList, ListOf, Num, Tuple
from ..ir.nodes import Atom, Value
from .kindrules import as_array
from .registry import KindError

if TYPE_CHECKING:
    from ..ir.builder import Builder


def rank(a: Atom) -> int:
    """The number of axes of an operand; KindError where it is unknown."""
    k = a.kind
    if isinstance(k, Num):
        return 0
    if isinstance(k, Tuple | FixedList | ListOf):
        k = as_array(k)
    if isinstance(k, Array) and k.rank is not None:
        return k.rank
    raise KindError("the number of axes is not known here")


def plain_array(b: Builder, x: Atom) -> Atom:
    """The operand itself, or the array that NumPy makes of a list."""
    return b.op("np.asarray", x) if isinstance(x.kind, Tuple | FixedList | ListOf) else x


def matmul_vjp(b: Builder, g: Atom, out: Atom, x: Atom, y: Atom) -> list[Any]:
    """``x @ y``: vectors, matrices, and stacks of them.

    A number for ``g`` stands for an array of equal elements: then no product is needed.
    """
    m, n = rank(x), rank(y)
    text = b.text
    if isinstance(g.kind, Num) and isinstance(out.kind, Array):
        over_rows = "(g * sum(y, axis=1))" if n == 2 else "(g * y)"
        over_columns = "(g * sum(x, axis=0))" if m == 2 else "(g * x)"
        return [
            lambda: text(f"ones_like(x) * {over_rows}" if m == 2 else over_rows, g=g, x=x, y=y),
            lambda: text(
                f"ones_like(y) * {over_columns}[:, None]" if n == 2 else over_columns,
                g=g,
                x=x,
                y=y,
            ),
        ]
    if m == 1 and n == 1:
        return [lambda: b.mul(g, y), lambda: b.mul(g, x)]
    if m == 2 and n == 2:
        return _exactly(b, (x, "g @ y.T"), (y, "x.T @ g"), g=g, x=x, y=y)
    if m == 2 and n == 1:
        return _exactly(b, (x, "outer(g, y)"), (y, "x.T @ g"), g=g, x=x, y=y)
    if m == 1 and n == 2:
        return _exactly(b, (x, "y @ g"), (y, "outer(x, g)"), g=g, x=x, y=y)
    if n == 2:
        (wrt_x,) = _exactly(b, (x, "g @ y.T"), g=g, y=y)
        lead = tuple(range(m - 1))
        return [wrt_x, lambda: b.op("np.tensordot", x, g, axes=(lead, lead))]
    if m == 1:
        return [
            lambda: text("(y @ g[..., None])[..., 0]", g=g, y=y),
            lambda: text("x[:, None] * g[..., None, :]", g=g, x=x),
        ]
    if n == 1:
        return [
            lambda: text("g[..., None] * y", g=g, y=y),
            lambda: text("(matrix_transpose(x) @ g[..., None])[..., 0]", g=g, x=x),
        ]
    return [
        lambda: text("g @ matrix_transpose(y)", g=g, y=y),
        lambda: text("matrix_transpose(x) @ g", g=g, x=x),
    ]


def _exactly(b: Builder, *parts: tuple[Atom, str], **names: Atom) -> list[Any]:
    """Cotangents that have the shapes of their operands, since a product stretches nothing."""

    def of(operand: Atom, text: str) -> Atom:
        bar = b.text(text, **names)
        if isinstance(bar, Value) and isinstance(operand, Value):
            b.shaped_like[bar] = operand
        return bar

    return [lambda o=o, t=t: of(o, t) for o, t in parts]


def dot_vjp(b: Builder, g: Atom, out: Atom, a: Atom, b_: Atom) -> list[Any]:
    """``np.dot``: a product with scalars, else over the last axis of a and last but one of b."""
    a, b_ = plain_array(b, a), plain_array(b, b_)
    m, n = rank(a), rank(b_)
    text = b.text
    if m == 0 or n == 0:
        return [lambda: b.mul(g, b_), lambda: b.mul(g, a)]
    if m <= 2 and n <= 2:
        return matmul_vjp(b, g, out, a, b_)
    if n == 1:
        return [
            lambda: text("g[..., None] * y", g=g, y=b_),
            lambda: b.op("np.tensordot", g, a, axes=(tuple(range(m - 1)), tuple(range(m - 1)))),
        ]

    def wrt_a() -> Atom:
        kept = tuple(range(m - 1, m + n - 2))
        over = tuple(k for k in range(n) if k != n - 2)
        return b.op("np.tensordot", g, b_, axes=(kept, over))

    def wrt_b() -> Atom:
        full = b.op("np.tensordot", a, g, axes=(tuple(range(m - 1)), tuple(range(m - 1))))
        return full if n == 2 else b.op("np.moveaxis", full, source=0, destination=n - 2)

    return [wrt_a, wrt_b]
