"""Our own code for sums, means, variances and extremes along axes.

In: calls such as ``np.sum(x, axis=-1, keepdims=True)`` of arrays of float64 whose axes are
constants. Out: LLVM's text of them. Runs of numbers that lie side by side go through NumPy's own
loops, all else through loops over all axes::

    np.max(x, axis=1)   ->   for i: out[i] = x[i, 0]; maximum_of_a_row(x[i], out[i])
    np.sum(x, axis=0)   ->   out[:] = 0; for i: for j: out[j] += x[i, j]
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from llvmlite import ir as llvm
from numba import types
from numba.core import cgutils

from ..ufunc_loops import call_row_reduction, row_reduction
from ..written import axes_of, is_true
from .fields import Fields, allocated, read
from .own import Own

__all__ = ["TABLE"]

_SIZE, _NUMBER = llvm.IntType(64), llvm.DoubleType()
_FALSE = types.literal(False)
#: What takes a builder, what was there and a number, and gives what is there then.
Step = Callable[[Any, Any, Any], Any]


def _kind(a: Any, axis: Any = types.none, keepdims: Any = _FALSE) -> Any:
    """The array that is left; None of all numbers, which are one, and where Numba's is needed."""
    if type(a) is not types.Array or a.dtype != types.float64 or not a.aligned:
        return None
    axes, kept = axes_of(axis, a.ndim), is_true(keepdims)
    if axes is None or kept is None:
        return None
    rank = a.ndim if kept else a.ndim - len(axes)
    return types.Array(types.float64, rank, "C") if rank else None


class _Reduction:
    """An array, the axes along which it is reduced, and where the results go."""

    def __init__(self, context: Any, builder: Any, sig: Any, args: Any) -> None:
        self.context, self.builder = context, builder
        self.kind, self.result = sig.args[0], sig.return_type
        self.of = read(context, builder, self.kind, args[0])
        rank = self.kind.ndim
        axes = axes_of(sig.args[1], rank) if len(sig.args) > 1 else range(rank)
        assert axes is not None
        self.axes = frozenset(axes)
        self.kept = self.result.ndim == rank
        one = _SIZE(1)
        self.sizes = [one if n in self.axes else size for n, size in enumerate(self.of.shape)]
        self.count = one
        for n in sorted(self.axes):
            self.count = builder.mul(self.count, self.of.shape[n])

    def new(self) -> Fields:
        """An array for the results."""
        left = [s for n, s in enumerate(self.sizes) if self.kept or n not in self.axes]
        return allocated(self.context, self.builder, self.result, left)

    def value(self, made: Fields) -> Any:
        """The array, as the result."""
        return made.value(self.context, self.builder, self.result)

    @property
    def by_rows(self) -> bool:
        """Whether the numbers that are reduced together lie side by side."""
        rank = self.kind.ndim
        together = self.kind.layout == "C" and min(self.axes) == rank - len(self.axes)
        return together and row_reduction(np.add) is not None

    def number(self, at: Sequence[Any]) -> Any:
        """A number of the array."""
        of = self.of
        place = cgutils.get_item_pointer2(
            self.context, self.builder, of.data, of.shape, of.strides, self.kind.layout, at
        )
        return self.builder.load(place)

    def place(self, made: Fields, at: Sequence[Any]) -> Any:
        """Where the result is that a number of the array has part in."""
        index = _SIZE(0)
        for n, size in enumerate(self.sizes):
            if n not in self.axes:
                index = self.builder.add(self.builder.mul(index, size), at[n])
        return self.builder.gep(made.data, [index])

    def each(self, made: Fields, step: Step) -> None:
        """``step`` for every number, in their order."""
        with cgutils.loop_nest(self.builder, self.of.shape, _SIZE) as at:
            place = self.place(made, at)
            number = self.number(at)
            self.builder.store(step(self.builder, self.builder.load(place), number), place)

    def rows(self, made: Fields, ufunc: Any, first: Any = None) -> None:
        """NumPy's loop for each run, from ``first`` on or from its first number."""
        builder = self.builder
        with cgutils.for_range(builder, made.nitems) as loop:
            place = builder.gep(made.data, [loop.index])
            row = builder.gep(self.of.data, [builder.mul(loop.index, self.count)])
            builder.store(builder.load(row) if first is None else first, place)
            call_row_reduction(builder, ufunc, self.count, place, row)

    def divided(self, made: Fields, by: Any, *, root: bool = False) -> None:
        """The results by a number, and the roots of that."""
        builder = self.builder
        with cgutils.for_range(builder, made.nitems) as loop:
            place = builder.gep(made.data, [loop.index])
            found = builder.fdiv(builder.load(place), by)
            if root:
                sqrt = builder.module.declare_intrinsic("llvm.sqrt", [_NUMBER])
                found = builder.call(sqrt, [found])
            builder.store(found, place)

    def zeros(self) -> Fields:
        """An array of zeros for the results."""
        made = self.new()
        size = self.builder.mul(made.itemsize, made.nitems)
        cgutils.memset(self.builder, made.data, size, 0)
        return made

    def summed(self) -> Fields:
        """The sums."""
        if self.by_rows:
            made = self.new()
            self.rows(made, np.add, _NUMBER(0.0))
            return made
        made = self.zeros()
        self.each(made, lambda builder, total, number: builder.fadd(total, number))
        return made


def _sum(context: Any, builder: Any, sig: Any, args: Any) -> Any:
    reduction = _Reduction(context, builder, sig, args)
    return reduction.value(reduction.summed())


def _mean(context: Any, builder: Any, sig: Any, args: Any) -> Any:
    reduction = _Reduction(context, builder, sig, args)
    made = reduction.summed()
    reduction.divided(made, builder.sitofp(reduction.count, _NUMBER))
    return reduction.value(made)


def _spread(*, root: bool) -> Callable[[Any, Any, Any, Any], Any]:
    """Variances, or the roots of them."""

    def code(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        reduction = _Reduction(context, builder, sig, args)
        count = builder.sitofp(reduction.count, _NUMBER)
        means, made = reduction.summed(), reduction.zeros()
        reduction.divided(means, count)
        with cgutils.loop_nest(builder, reduction.of.shape, _SIZE) as at:
            mean = builder.load(reduction.place(means, at))
            off = builder.fsub(reduction.number(at), mean)
            place = reduction.place(made, at)
            builder.store(builder.fadd(builder.load(place), builder.fmul(off, off)), place)
        reduction.divided(made, count, root=root)
        context.nrt.decref(builder, reduction.result, reduction.value(means))
        return reduction.value(made)

    return code


def _extreme(ufunc: Any, order: str) -> Callable[[Any, Any, Any, Any], Any]:
    """The greatest or the least numbers, or nan where there is one."""

    def of_two(builder: Any, best: Any, number: Any) -> Any:
        beyond = builder.fcmp_ordered(order, number, best)
        taken = builder.or_(beyond, builder.fcmp_unordered("uno", number, number))
        return builder.select(taken, number, best)

    def code(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        reduction = _Reduction(context, builder, sig, args)
        nothing = builder.icmp_signed("==", reduction.count, _SIZE(0))
        with builder.if_then(nothing, likely=False):
            text = "zero-size array to a reduction without identity"
            context.call_conv.return_user_exc(builder, ValueError, (text,))
        made = reduction.new()
        if reduction.by_rows:
            reduction.rows(made, ufunc)
            return reduction.value(made)
        with cgutils.loop_nest(builder, reduction.sizes, _SIZE) as at:
            builder.store(reduction.number(at), reduction.place(made, at))
        reduction.each(made, of_two)
        return reduction.value(made)

    return code


_NAMES = ("a", "axis", "keepdims")


def _own(code: Callable[[Any, Any, Any, Any], Any]) -> Own:
    return Own(_kind, code, _NAMES, by_constants=True)


_greatest, _least = _own(_extreme(np.maximum, ">")), _own(_extreme(np.minimum, "<"))

TABLE = {
    np.sum: _own(_sum),
    np.mean: _own(_mean),
    np.var: _own(_spread(root=False)),
    np.std: _own(_spread(root=True)),
    np.max: _greatest,
    np.amax: _greatest,
    np.min: _least,
    np.amin: _least,
}
