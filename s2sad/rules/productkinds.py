"""Kinds of products, from the kinds of their factors.

In: atoms and static options. Out: kinds, or ``KindError``. Sizes are never tried out: a product of
arrays of many axes would be large.

    kron_kind((a: Array(float64, (2, n)), b: Array(float64, (3,))))   ->   Array(float64, (2, ?))
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..ir.kinds import Array, Dim, FixedList, Kind, Num, Size, Tuple, not_one
from ..ir.nodes import Atom
from .kindrules import as_array, broadcast_dims, dims_of, ufunc_dtypes
from .pieces import array_or_number
from .registry import KindError


def _factors(args: Sequence[Atom]) -> tuple[str, list[tuple[Dim, ...]]]:
    """The dtype of a product, and the dims of its factors."""
    kinds = [as_array(a.kind) for a in args]
    dims = [dims_of(k) for k in kinds]
    if None in dims:
        raise KindError("the number of axes is not known here")
    operands = [(k.dtype, isinstance(k, Num) and k.weak) for k in kinds]
    if all(isinstance(k, Num) for k in kinds):
        operands = [(k.dtype, False) for k in kinds]
    dtype = ufunc_dtypes(np.multiply, *operands)[0]
    return dtype, [d for d in dims if d is not None]


def dot_kind(args: Sequence[Atom], attrs: Any) -> Kind:
    """Over the last axis of a and the last but one of b."""
    dtype, (a, b) = _factors(args)
    if not a or not b:
        return array_or_number(dtype, a or b)
    return array_or_number(dtype, (*a[:-1], *b[:-2], *(b[-1:] if len(b) > 1 else ())))


def inner_kind(args: Sequence[Atom], attrs: Any) -> Kind:
    """Over the last axes."""
    dtype, (a, b) = _factors(args)
    return array_or_number(dtype, (*a[:-1], *b[:-1]) if a and b else a or b)


def outer_kind(args: Sequence[Atom], attrs: Any) -> Kind:
    """All elements of a by all elements of b."""
    dtype, (a, b) = _factors(args)
    return Array(dtype, (_product(a), _product(b)))


def vdot_kind(args: Sequence[Atom], attrs: Any) -> Kind:
    return Num(_factors(args)[0], False)


def kron_kind(args: Sequence[Atom], attrs: Any) -> Kind:
    """Sizes are multiplied axis by axis, counted from the last."""
    dtype, (a, b) = _factors(args)
    n = max(len(a), len(b))
    a, b = (1,) * (n - len(a)) + a, (1,) * (n - len(b)) + b
    return array_or_number(dtype, [_product(pair) for pair in zip(a, b, strict=True)])


def _product(dims: Sequence[Dim]) -> Dim:
    """The product of sizes, as far as it is known."""
    rest = [d for d in dims if d != 1]
    if not rest:
        return 1
    if len(rest) == 1:
        return rest[0]
    if all(isinstance(d, int) for d in rest):
        return int(np.prod([d for d in rest if isinstance(d, int)]))
    return Size(all(map(not_one, rest)))


def contracted(axes: Any, m: int, n: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The axes that ``np.tensordot`` sums over, in each operand."""
    if isinstance(axes, int):
        return tuple(range(m - axes, m)), tuple(range(axes))
    left, right = ((a,) if isinstance(a, int) else tuple(a) for a in axes)
    return tuple(a % m for a in left), tuple(a % n for a in right)


def tensordot_kind(args: Sequence[Atom], attrs: Any) -> Kind:
    dtype, (a, b) = _factors(args)
    over_a, over_b = contracted(attrs.get("axes", 2), len(a), len(b))
    if len(over_a) != len(over_b) or len(over_a) > min(len(a), len(b)):
        raise KindError("tensordot sums over as many axes of one array as of the other")
    kept = [d for k, d in enumerate(a) if k not in over_a]
    kept += [d for k, d in enumerate(b) if k not in over_b]
    # an array even where no axis is left
    return Array(dtype, tuple(kept))


def vecdot_kind(args: Sequence[Atom], attrs: Any) -> Kind:
    """Over one axis, the others broadcast."""
    dtype, (a, b) = _factors(args)
    axis = attrs.get("axis", -1)
    if not a or not b:
        raise KindError("np.vecdot needs vectors")
    return _stack(dtype, _without(a, axis), _without(b, axis))


def _without(dims: tuple[Dim, ...], axis: int) -> tuple[Dim, ...]:
    k = axis % len(dims)
    return (*dims[:k], *dims[k + 1 :])


def matvec_kind(args: Sequence[Atom], attrs: Any) -> Kind:
    dtype, (a, b) = _factors(args)
    if len(a) < 2 or not b:
        raise KindError("np.matvec needs a matrix and a vector")
    return _stack(dtype, a[:-2], b[:-1], a[-2])


def vecmat_kind(args: Sequence[Atom], attrs: Any) -> Kind:
    dtype, (a, b) = _factors(args)
    if not a or len(b) < 2:
        raise KindError("np.vecmat needs a vector and a matrix")
    return _stack(dtype, a[:-1], b[:-2], b[-1])


def _stack(dtype: str, x: tuple[Dim, ...], y: tuple[Dim, ...], *last: Dim) -> Kind:
    stack = broadcast_dims(x, y)
    assert stack is not None
    return array_or_number(dtype, (*stack, *last))


def multi_dot_kind(args: Sequence[Atom], attrs: Any) -> Kind:
    k = args[0].kind
    if not isinstance(k, FixedList | Tuple) or len(k.items) < 2:
        raise KindError("the number of arrays is not known here")
    kinds = [as_array(item) for item in k.items]
    first, last = dims_of(kinds[0]), dims_of(kinds[-1])
    if not first or not last:
        raise KindError("multi_dot needs vectors and matrices")
    dtype = np.result_type(*(np.dtype(x.dtype) for x in kinds)).name
    return array_or_number(dtype, (*first[:-1], *last[1:]))
