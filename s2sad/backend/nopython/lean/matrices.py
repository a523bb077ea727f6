"""Our own code for products of matrices and vectors.

In: calls of ``@`` and ``np.dot`` of matrices of float64, of stacks of matrices and of vectors.
Out: LLVM's text at once, without copies of what is transposed or sliced, for which Numba has
functions to compile around each call of BLAS::

    a @ b   ->   a call of the function that `tiles` writes;  a @ x   ->   two loops
"""

from __future__ import annotations

import operator
from typing import Any

import numpy as np
from llvmlite import ir as llvm
from numba import types
from numba.core import cgutils

from .fields import allocated, read
from .own import Own
from .tiles import product_function
from .vectors import dot_function, matrix_vector_function

__all__ = ["TABLE"]

_MISFIT = "matmul: shapes do not fit"


def _is_ours(kind: Any) -> bool:
    return (
        type(kind) is types.Array
        and kind.ndim >= 1
        and kind.dtype == types.float64
        and bool(kind.aligned)
    )


def _product_kind(*kinds: Any) -> Any:
    """Of stacks of matrices, or of vectors and matrices."""
    if len(kinds) != 2 or not all(map(_is_ours, kinds)):
        return None
    ranks = [t.ndim for t in kinds]
    if 1 not in ranks:
        return types.Array(types.float64, max(ranks), "C")
    if max(ranks) > 2:
        return None
    return types.Array(types.float64, 1, "C") if 2 in ranks else types.float64


def _dot_kind(*kinds: Any) -> Any:
    """``np.dot`` is ``@`` up to two axes."""
    return _product_kind(*kinds) if all(getattr(t, "ndim", 3) <= 2 for t in kinds) else None


def _product(context: Any, builder: Any, sig: Any, args: Any) -> Any:
    arrays = [read(context, builder, t, v) for t, v in zip(sig.args, args, strict=True)]
    shapes = [list(v.shape) for v in arrays]
    steps = [list(v.strides) for v in arrays]
    inner = shapes[0][-1], shapes[1][max(len(shapes[1]) - 2, 0)]
    _refuse(context, builder, builder.icmp_signed("!=", *inner))
    starts = [builder.ptrtoint(v.data, inner[0].type) for v in arrays]
    if sig.return_type == types.float64:
        (x,), (y,) = steps
        return builder.call(dot_function(builder.module), [inner[0], starts[0], x, starts[1], y])
    if len(shapes[0]) == 1 or len(shapes[1]) == 1:
        return _by_vector(context, builder, sig, shapes, steps, starts)
    return _by_matrix(context, builder, sig, shapes, steps, starts)


def _by_matrix(
    context: Any, builder: Any, sig: Any, shapes: list[Any], steps: list[Any], starts: list[Any]
) -> Any:
    """A stack of products of matrices, each by the function that multiplies two."""
    *_, m, k = shapes[0]
    n = shapes[1][-1]
    lead = _lead(context, builder, shapes, steps)
    out = allocated(context, builder, sig.return_type, (*lead, m, n))
    out_steps = out.strides
    places = [*starts, builder.ptrtoint(out.data, m.type)]
    if len(shapes[1]) == 2:
        m, lead = _as_one(builder, m, lead, steps[0])
    with cgutils.loop_nest(builder, lead, m.type) as at:
        x, y, z = (
            _moved(builder, start, at, given[:-2])
            for start, given in zip(places, (*steps, out_steps), strict=True)
        )
        given = [m, n, k, x, *steps[0][-2:], y, *steps[1][-2:], z, out_steps[-2]]
        given.append(llvm.Constant(m.type, 0))
        builder.call(product_function(context, builder.module), given)
    return out.value(context, builder, sig.return_type)


def _by_vector(
    context: Any, builder: Any, sig: Any, shapes: list[Any], steps: list[Any], starts: list[Any]
) -> Any:
    """A matrix and a vector; a vector and a matrix are the matrix transposed and the vector."""
    of_matrix = len(shapes[0]) == 1
    of_vector = 1 - of_matrix
    sizes, by = shapes[of_matrix], steps[of_matrix]
    if of_matrix:
        sizes, by = sizes[::-1], by[::-1]
    out = allocated(context, builder, sig.return_type, sizes[:1])
    x = starts[of_vector], steps[of_vector][0]
    given = [*sizes, starts[of_matrix], *by, *x, builder.ptrtoint(out.data, sizes[0].type)]
    builder.call(matrix_vector_function(builder.module), given)
    return out.value(context, builder, sig.return_type)


def _lead(context: Any, builder: Any, shapes: list[Any], steps: list[Any]) -> list[Any]:
    """The axes before the matrices. Along one of length 1 that is stretched, there is no step."""
    found = []
    ranks = [len(s) - 2 for s in shapes]
    for n in range(-max(ranks), 0):
        here = [v for v, rank in enumerate(ranks) if n >= -rank]
        sizes = [shapes[v][n - 2] for v in here]
        size = sizes[0]
        if len(here) == 2:
            one = llvm.Constant(size.type, 1)
            is_one = [builder.icmp_signed("==", s, one) for s in sizes]
            unlike = builder.icmp_signed("!=", *sizes)
            some = builder.or_(*is_one)
            _refuse(context, builder, builder.and_(unlike, builder.not_(some)))
            size = builder.select(is_one[0], sizes[1], sizes[0])
            for v in here:
                none = llvm.Constant(size.type, 0)
                steps[v][n - 2] = builder.select(is_one[v], none, steps[v][n - 2])
        found.append(size)
    return found


def _as_one(builder: Any, m: Any, lead: list[Any], steps: list[Any]) -> tuple[Any, list[Any]]:
    """Matrices that lie one below the other are one, if all are multiplied by the same."""
    one = llvm.Constant(m.type, 1)
    sizes = [*lead, m]
    rows = one
    below = llvm.Constant(llvm.IntType(1), 1)
    for size, step, outer in zip(sizes[:0:-1], steps[-2:0:-1], steps[-3::-1], strict=True):
        whole = builder.icmp_signed("==", outer, builder.mul(size, step))
        below = builder.and_(below, whole)
    for size in sizes:
        rows = builder.mul(rows, size)
    return builder.select(below, rows, m), [builder.select(below, one, s) for s in lead]


def _moved(builder: Any, start: Any, at: Any, steps: list[Any]) -> Any:
    """The address of a matrix in a stack, by where it is among the last of the indices."""
    for i, step in zip(at[len(at) - len(steps) :], steps, strict=True):
        start = builder.add(start, builder.mul(i, step))
    return start


def _refuse(context: Any, builder: Any, wrong: Any) -> None:
    with builder.if_then(wrong, likely=False):
        context.call_conv.return_user_exc(builder, ValueError, (_MISFIT,))


TABLE = {
    operator.matmul: Own(_product_kind, _product),
    np.dot: Own(_dot_kind, _product),
}
