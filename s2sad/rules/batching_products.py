"""Batch rules of products: matmul, dot, outer, einsum and solves.

In: operands of which one or both carry the axis of the batch. Out: one product for the whole
batch: where NumPy's own broadcasting puts the batch in front, the same product.

    A @ v: float64[B, n]       ->   v @ A.T
    outer(g: float64[B, n], x) ->   g[:, :, None] * x
"""

from __future__ import annotations

import string
from collections.abc import Mapping, Sequence
from typing import Any

from ..ir.kinds import Array, Kind
from ..ir.nodes import Atom, Const
from .batching import Batching, NoBatchRule, Operand, Results, batch_rule, elementwise, lifted

_ALL = slice(None)


def _item(t: Batching, x: Atom, *index: Any) -> Atom:
    return t.b.op("item", x, Const.of(index))


@batch_rule("matmul", "np.matmul")
def matmul(
    t: Batching, fn: str, xs: Sequence[Operand], attrs: Mapping[str, Any], out: Kind
) -> Results:
    """``x @ y``; a batch of vectors is a matrix."""
    x, y = xs
    m, n = x.rank, y.rank
    b = t.b
    if not (x.batched and y.batched):
        if x.batched and m == 1 and n <= 2:
            return b.op("matmul", x.atom, y.atom)
        if y.batched and n == 1 and m == 1:
            return b.op("matmul", y.atom, x.atom)
        if y.batched and n == 1 and m == 2:
            return b.op("matmul", y.atom, b.op("np.transpose", x.atom))
        if x.batched and n == 1 or (y.batched and m == 1):
            return b.op("matmul", x.atom, y.atom)
    elif m == n == 1:
        return b.op("np.einsum", Const.of("zi,zi->z"), x.atom, y.atom)
    # as matrices, lined up behind the batch
    p, q = x, y
    left, right = p.atom, q.atom
    stack = max(m, n, 2)
    if m == 1:
        left = _item(t, left, _ALL, None, _ALL) if p.batched else _item(t, left, None, _ALL)
    if n == 1:
        right = _item(t, right, ..., None)
    left = _lined_up(t, p, left, max(m, 2), stack)
    right = _lined_up(t, q, right, max(n, 2), stack)
    product = b.op("matmul", left, right)
    if m == 1:
        product = _item(t, product, ..., 0, _ALL)
    if n == 1:
        product = _item(t, product, ..., 0)
    return product


def _lined_up(t: Batching, x: Operand, atom: Atom, rank: int, stack: int) -> Atom:
    """Axes of size 1 between the batch and a matrix (or stack of matrices)."""
    if not x.batched or rank == stack:
        return atom
    return _item(t, atom, _ALL, *[None] * (stack - rank))


@batch_rule("np.dot", "np.inner")
def dot(
    t: Batching, fn: str, xs: Sequence[Operand], attrs: Mapping[str, Any], out: Kind
) -> Results:
    """A product with scalars, or of vectors and matrices."""
    x, y = xs
    if x.rank == 0 or y.rank == 0:
        return elementwise(t, "mul", xs, {}, out)
    if x.rank == 1 and y.rank == 1 or (fn == "np.dot" and x.rank <= 2 and y.rank <= 2):
        return matmul(t, "matmul", xs, {}, out)
    raise NoBatchRule


@batch_rule("np.vdot")
def vdot(
    t: Batching, fn: str, xs: Sequence[Operand], attrs: Mapping[str, Any], out: Kind
) -> Results:
    """The sum of the elements of ``conj(x) * y``."""
    x, y = xs
    b = t.b
    left = x.atom
    if isinstance(x.kind, Array) and x.kind.dtype[0] == "c":
        left = b.op("np.conj", left)
    if x.rank == 0 and y.rank == 0:
        return elementwise(t, "mul", (Operand(left, x.kind, x.form), y), {}, out)
    if x.rank != y.rank:
        raise NoBatchRule
    if x.batched and y.batched:
        letters = string.ascii_lowercase[: x.rank]
        return b.op("np.einsum", Const.of(f"Z{letters},Z{letters}->Z"), left, y.atom)
    first, second = (left, y.atom) if x.batched else (y.atom, left)
    if x.rank == 1:
        return b.op("matmul", first, second)
    return b.op("np.tensordot", first, second, axes=x.rank)


@batch_rule("np.outer")
def outer(
    t: Batching, fn: str, xs: Sequence[Operand], attrs: Mapping[str, Any], out: Kind
) -> Results:
    """Every element of one vector times every element of the other."""
    x, y = xs
    if x.rank > 1 or y.rank > 1:
        raise NoBatchRule
    left, right = x.atom, y.atom
    if x.rank == 1:
        left = _item(t, left, _ALL, _ALL, None) if x.batched else _item(t, left, _ALL, None)
    elif x.batched:
        left = _item(t, left, _ALL, None, None)
    if y.batched:
        right = _item(t, right, _ALL, None, *[_ALL] * y.rank, *[None] * (1 - y.rank))
    return t.b.mul(left, right)


@batch_rule("np.cross", options="axis")
def cross(
    t: Batching, fn: str, xs: Sequence[Operand], attrs: Mapping[str, Any], out: Kind
) -> Results:
    """The vectors are along the last axis."""
    if attrs.get("axis", -1) != -1:
        raise NoBatchRule
    rank = max(x.rank for x in xs)
    return t.b.op(fn, *(lifted(t, x, rank) for x in xs), **attrs)


@batch_rule("np.tensordot", options="axes")
def tensordot(
    t: Batching, fn: str, xs: Sequence[Operand], attrs: Mapping[str, Any], out: Kind
) -> Results:
    """A sum over pairs of axes; the batch is the first axis that is left, or moved there."""
    x, y = xs
    axes = attrs.get("axes", 2)
    if isinstance(axes, int):
        over = (tuple(range(x.rank - axes, x.rank)), tuple(range(axes)))
    else:
        a, b = ((k,) if isinstance(k, int) else tuple(k) for k in axes)
        over = (tuple(k % x.rank for k in a), tuple(k % y.rank for k in b))
    if x.batched and y.batched:
        raise NoBatchRule
    if x.batched:
        return t.b.op(fn, x.atom, y.atom, axes=(tuple(k + 1 for k in over[0]), over[1]))
    made = t.b.op(fn, x.atom, y.atom, axes=(over[0], tuple(k + 1 for k in over[1])))
    front = x.rank - len(over[0])
    return t.b.op("np.moveaxis", made, source=front, destination=0) if front else made


@batch_rule("np.einsum", options="optimize")
def einsum(
    t: Batching, fn: str, xs: Sequence[Operand], attrs: Mapping[str, Any], out: Kind
) -> Results:
    """One more letter for the batch, in front of every operand that has it and of the result."""
    subscripts = xs[0].atom
    if not isinstance(subscripts, Const) or not isinstance(subscripts.value, str):
        raise NoBatchRule
    text = subscripts.value.replace(" ", "")
    terms, arrow, result = text.partition("->")
    parts = terms.split(",")
    if len(parts) != len(xs) - 1:
        raise NoBatchRule
    if not arrow:
        letters = sorted(set(terms) - {",", "."})
        result = "..." * ("..." in terms) + "".join(c for c in letters if terms.count(c) == 1)
    new = next(c for c in reversed(string.ascii_letters) if c not in text)
    parts = [new + p if x.batched else p for p, x in zip(parts, xs[1:], strict=True)]
    spelled = Const.of(f"{','.join(parts)}->{new}{result}")
    return t.b.op(fn, spelled, *(x.atom for x in xs[1:]), **attrs)


#: Functions of matrices that NumPy applies to stacks of them.
_STACKED = [
    "np.linalg.inv",
    "np.linalg.det",
    "cofactors",
    "np.linalg.cholesky",
    "np.linalg.matrix_power",
    "np.matrix_transpose",
    "np.linalg.slogdet",
    "np.linalg.eigh",
    "np.linalg.svd",
    "np.linalg.qr",
    "np.linalg.eigvalsh",
    "np.linalg.pinv",
    "np.triu",
    "np.tril",
]


@batch_rule(*_STACKED, options="k n")
def stacked(
    t: Batching, fn: str, xs: Sequence[Operand], attrs: Mapping[str, Any], out: Kind
) -> Results:
    """A batch of matrices is a stack."""
    if xs[0].rank < 2 or any(x.batched for x in xs[1:]):
        raise NoBatchRule
    if isinstance(out, tuple):
        made = t.b.ops(fn, *(x.atom for x in xs), **attrs)
        return [(r, True) for r in made]
    return t.b.op(fn, *(x.atom for x in xs), **attrs)


@batch_rule("np.linalg.solve")
def solve(
    t: Batching, fn: str, xs: Sequence[Operand], attrs: Mapping[str, Any], out: Kind
) -> Results:
    """Right-hand sides of one matrix are solved for together."""
    a, y = xs
    b = t.b
    if a.rank != 2 or attrs:
        raise NoBatchRule
    if a.batched:
        if y.rank == 1:
            right = _item(t, y.atom, ..., None)
            return _item(t, b.op(fn, a.atom, right), ..., 0)
        return b.op(fn, a.atom, y.atom)
    if y.rank == 1:
        return b.op("np.transpose", b.op(fn, a.atom, b.op("np.transpose", y.atom)))
    if y.rank == 2:
        sizes = b.op("shape", y.atom)
        n, k = b.op("item", sizes, Const.of(1)), b.op("item", sizes, Const.of(2))
        front = b.op("np.moveaxis", y.atom, source=0, destination=1)
        flat = b.op("np.reshape", front, b.op("tuple", n, b.mul(t.size(), k)))
        made = b.op("np.reshape", b.op(fn, a.atom, flat), b.op("tuple", n, t.size(), k))
        return b.op("np.moveaxis", made, source=1, destination=0)
    raise NoBatchRule
