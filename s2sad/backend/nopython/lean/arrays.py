"""Our own code for making arrays.

In: calls of ``np.empty``, ``np.zeros``, ``np.ones``, ``np.full``, the same with ``_like``,
``np.arange``, ``np.eye``, ``np.copy``, ``np.outer`` of vectors and ``.reshape``. Out: LLVM's text
of them::

    np.zeros(n)   ->   an allocation of n numbers and a memset

Arrays are arrays of Numba's runtime, negative sizes raise ValueError, and so do those too large.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import ir as llvm
from numba import types
from numba.core import cgutils
from numba.core.imputils import impl_ret_borrowed
from numba.core.typing.npydecl import parse_dtype, parse_shape
from numba.np import arrayobj

from .fields import Fields, allocated, read, sizes_of
from .own import Own

__all__ = ["TABLE", "copied", "shapes_differ"]

#: What fills an array that was made: its kind, the array, and the values of the call.
Fill = Callable[[Any, Any, Any, Any, Fields], None]


# -- kinds ---------------------------------------------------------------------------------------


def _dtype(kind: Any, usual: Any = types.float64) -> Any:
    """What a dtype argument means; None where Numba must say."""
    if isinstance(kind, types.NoneType | types.Omitted):
        return usual
    if getattr(kind, "typing_key", None) is float:
        return types.float64
    return None if isinstance(kind, types.UnicodeType) else parse_dtype(kind)


def _is_number(kind: Any) -> bool:
    return isinstance(kind, types.Number | types.Boolean)


def _is_plain(kind: Any) -> bool:
    return type(kind) is types.Array and _is_number(kind.dtype)


def _of_shape(shape: Any, dtype: Any) -> Any:
    axes = parse_shape(shape)
    return types.Array(dtype, axes, "C") if axes is not None and _is_number(dtype) else None


def _new(shape: Any, dtype: Any = types.none) -> Any:
    return _of_shape(shape, _dtype(dtype))


def _new_full(shape: Any, value: Any, dtype: Any = types.none) -> Any:
    return _of_shape(shape, _dtype(dtype, value)) if _is_number(value) else None


def _new_counting(*kinds: Any) -> Any:
    known = len(kinds) in (1, 2) and all(types.unliteral(k) == types.int64 for k in kinds)
    return types.Array(types.int64, 1, "C") if known else None


def _new_unit(n: Any) -> Any:
    return types.Array(types.float64, 2, "C") if types.unliteral(n) == types.int64 else None


def _like(a: Any, dtype: Any = types.none) -> Any:
    if not _is_plain(a):
        return None
    chosen = _dtype(dtype, a.dtype)
    if not _is_number(chosen):
        return None
    return a.copy(dtype=chosen, layout="C" if a.layout == "A" else a.layout, readonly=False)


def _full_like(a: Any, value: Any, dtype: Any = types.none) -> Any:
    return _like(a, dtype) if _is_number(value) else None


def _copied(a: Any) -> Any:
    return a.copy(layout="F" if a.layout == "F" else "C", readonly=False) if _is_plain(a) else None


def _copied_by_rows(a: Any) -> Any:
    return a.copy(layout="C", readonly=False) if _is_plain(a) else None


# -- code ----------------------------------------------------------------------------------------


def _making(fill: Fill | None = None) -> Callable[[Any, Any, Any, Any], Any]:
    """An array by the shape that is the first argument, or the first argument's shape."""

    def code(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        first, kind = sig.args[0], sig.return_type
        sizes: Any
        if isinstance(first, types.Array):
            sizes = read(context, builder, first, args[0]).shape
        else:
            sizes = sizes_of(context, builder, first, args[0])
        made = allocated(context, builder, kind, sizes)
        if fill is not None:
            fill(context, builder, sig, args, made)
        return made.value(context, builder, kind)

    return code


def _counting(context: Any, builder: Any, sig: Any, args: Any) -> Any:
    """The whole numbers below another, or from one to another."""
    zero = context.get_constant(types.int64, 0)
    start, stop = (zero, *args) if len(args) == 1 else args
    count = builder.sub(stop, start)
    count = builder.select(builder.icmp_signed("<", count, zero), zero, count)
    made = allocated(context, builder, sig.return_type, [count])
    with cgutils.for_range(builder, count) as loop:
        place = builder.gep(made.data, [loop.index])
        builder.store(builder.add(start, loop.index), place)
    return made.value(context, builder, sig.return_type)


def _unit(context: Any, builder: Any, sig: Any, args: Any) -> Any:
    """The unit matrix with so many rows."""
    made = allocated(context, builder, sig.return_type, [args[0], args[0]])
    _zeros(context, builder, sig, args, made)
    beside = builder.add(args[0], context.get_constant(types.int64, 1))
    with cgutils.for_range(builder, args[0]) as loop:
        place = builder.gep(made.data, [builder.mul(loop.index, beside)])
        builder.store(llvm.DoubleType()(1.0), place)
    return made.value(context, builder, sig.return_type)


def _zeros(context: Any, builder: Any, sig: Any, args: Any, made: Fields) -> None:
    cgutils.memset(builder, made.data, builder.mul(made.itemsize, made.nitems), 0)


def _ones(context: Any, builder: Any, sig: Any, args: Any, made: Fields) -> None:
    one = context.get_constant(types.int64, 1)
    value = context.cast(builder, one, types.int64, sig.return_type.dtype)
    _each(context, builder, sig, value, made)


def _values(context: Any, builder: Any, sig: Any, args: Any, made: Fields) -> None:
    value = context.cast(builder, args[1], sig.args[1], sig.return_type.dtype)
    _each(context, builder, sig, value, made)


def _each(context: Any, builder: Any, sig: Any, value: Any, made: Fields) -> None:
    with cgutils.for_range(builder, made.nitems) as loop:
        arrayobj.store_item(
            context, builder, sig.return_type, value, builder.gep(made.data, [loop.index])
        )


def copied(context: Any, builder: Any, sig: Any, args: Any) -> Any:
    """A new array with the numbers of another."""
    given, kind = sig.args[0], sig.return_type
    source = read(context, builder, given, args[0])
    made = allocated(context, builder, kind, source.shape)
    if given.layout == kind.layout:
        cgutils.raw_memcpy(builder, made.data, source.data, made.nitems, made.itemsize, align=1)
    else:
        with cgutils.loop_nest(builder, source.shape, made.nitems.type) as at:
            places = [
                cgutils.get_item_pointer2(
                    context, builder, seen.data, seen.shape, seen.strides, t.layout, at
                )
                for seen, t in ((source, given), (made, kind))
            ]
            arrayobj.store_item(
                context,
                builder,
                kind,
                arrayobj.load_item(context, builder, given, places[0]),
                places[1],
            )
    return made.value(context, builder, kind)


# -- products of vectors -------------------------------------------------------------------------


def _of_vectors(*kinds: Any) -> Any:
    """Of two vectors of floats, a matrix."""
    if len(kinds) != 2 or not all(_is_plain(k) and k.ndim == 1 for k in kinds):
        return None
    is_float = all(k.dtype == types.float64 for k in kinds)
    return types.Array(types.float64, 2, "C") if is_float else None


def _outer(context: Any, builder: Any, sig: Any, args: Any) -> Any:
    kinds = sig.args
    vectors = [
        read(context, builder, kind, value) for kind, value in zip(kinds, args, strict=True)
    ]
    sizes = [v.shape[0] for v in vectors]
    made = allocated(context, builder, sig.return_type, sizes)

    def item(n: int, index: Any) -> Any:
        vector, kind = vectors[n], kinds[n]
        place = cgutils.get_item_pointer2(
            context, builder, vector.data, vector.shape, vector.strides, kind.layout, [index]
        )
        return arrayobj.load_item(context, builder, kind, place)

    with cgutils.for_range(builder, sizes[0]) as rows:
        left, start = item(0, rows.index), builder.mul(rows.index, sizes[1])
        with cgutils.for_range(builder, sizes[1]) as columns:
            at = builder.gep(made.data, [builder.add(start, columns.index)])
            builder.store(builder.fmul(left, item(1, columns.index)), at)
    return made.value(context, builder, sig.return_type)


# -- shapes --------------------------------------------------------------------------------------


def _reshaped(a: Any, *shape: Any) -> Any:
    """Of an array without gaps in C's order, and a tuple of integers or some integers."""
    if not _is_plain(a) or a.layout != "C" or not shape:
        return None
    sizes = shape[0].types if isinstance(shape[0], types.BaseTuple) else shape
    if len(shape) > 1 and isinstance(shape[0], types.BaseTuple):
        return None
    return a.copy(ndim=len(sizes)) if all(t == types.int64 for t in sizes) else None


def _reshape(context: Any, builder: Any, sig: Any, args: Any) -> Any:
    kind = sig.return_type
    given = read(context, builder, sig.args[0], args[0])
    is_tuple = isinstance(sig.args[1], types.BaseTuple)
    sizes = cgutils.unpack_tuple(builder, args[1], kind.ndim) if is_tuple else args[1:]
    zero, one = (context.get_constant(types.intp, k) for k in (0, 1))
    known, unknown, wrong = one, zero, llvm.Constant(llvm.IntType(1), 0)
    for size in sizes:
        below = builder.icmp_signed("<", size, zero)
        both = builder.smul_with_overflow(known, builder.select(below, one, size))
        known, wrong = (
            builder.extract_value(both, 0),
            builder.or_(wrong, builder.extract_value(both, 1)),
        )
        unknown = builder.add(unknown, builder.zext(below, unknown.type))
    empty = builder.icmp_signed("==", known, zero)
    divisor = builder.select(empty, one, known)
    open_ = builder.icmp_signed("!=", unknown, zero)
    rest = builder.sdiv(given.nitems, divisor)
    whole = builder.mul(known, builder.select(open_, rest, one))
    for reason in (
        builder.icmp_signed(">", unknown, one),
        builder.icmp_signed("!=", whole, given.nitems),
        builder.and_(open_, empty),  # of nothing there may be any number
    ):
        wrong = builder.or_(wrong, reason)
    with cgutils.if_unlikely(builder, wrong):
        text = "cannot reshape array: its size must stay what it is"
        context.call_conv.return_user_exc(builder, ValueError, (text,))
    final = [builder.select(builder.icmp_signed("<", s, zero), rest, s) for s in sizes]
    steps = [given.itemsize]
    for size in reversed(final[1:]):
        steps.append(builder.mul(steps[-1], size))
    made = given.seen_as(shape=tuple(final), strides=tuple(steps[: kind.ndim][::-1]))
    return impl_ret_borrowed(context, builder, kind, made.value(context, builder, kind))


def shapes_differ(context: Any, builder: Any, sig: Any, args: Any) -> Any:
    """Raise what NumPy raises where a slice is given an array of another shape."""
    text = "could not broadcast input array into the shape of the slice"
    context.call_conv.return_user_exc(builder, ValueError, (text,))
    return context.get_dummy_value()


_SHAPED, _LIKE = ("shape", "dtype"), ("a", "dtype")

TABLE = {
    np.empty: Own(_new, _making(), _SHAPED),
    np.zeros: Own(_new, _making(_zeros), _SHAPED),
    np.ones: Own(_new, _making(_ones), _SHAPED),
    np.full: Own(_new_full, _making(_values), ("shape", "fill_value", "dtype")),
    np.empty_like: Own(_like, _making(), _LIKE),
    np.zeros_like: Own(_like, _making(_zeros), _LIKE),
    np.ones_like: Own(_like, _making(_ones), _LIKE),
    np.full_like: Own(_full_like, _making(_values), ("a", "fill_value", "dtype")),
    np.arange: Own(_new_counting, _counting),
    np.eye: Own(_new_unit, _unit),
    np.identity: Own(_new_unit, _unit),
    np.copy: Own(_copied, copied),
    "array.copy": Own(_copied_by_rows, copied),
    np.outer: Own(_of_vectors, _outer),
    "array.reshape": Own(_reshaped, _reshape),
}
