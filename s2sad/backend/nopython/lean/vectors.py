"""Products with vectors, as functions of LLVM's text.

In: the LLVM module of a function that multiplies vectors. Out: the same module with one more
function, which goes through numbers in the order in which they lie::

    rows without gaps:      for i: for k: out[i] += a[i, k] * x[k]
    columns without gaps:   for k: for i: out[i] += a[i, k] * x[k]

Sums may be added up in any order, as BLAS does. Addresses and steps are in bytes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba.core import cgutils

from .functions import shared_function

__all__ = ["dot_function", "matrix_vector_function"]

_SIZE, _NUMBER = ir.IntType(64), ir.DoubleType()
_PLACE = _NUMBER.as_pointer()
#: Additions in any order, and in one with the product.
_FREE = ("reassoc", "contract")


def dot_function(module: ir.Module) -> ir.Function:
    """``f(k, x, step, y, step)``: the sum of the products of two vectors of float64."""
    return _known(module, "s2sad_dot", _NUMBER, 5, _write_dot)


def matrix_vector_function(module: ir.Module) -> ir.Function:
    """``f(m, k, a, row, step, x, step, out)``: a matrix times a vector, of float64."""
    return _known(module, "s2sad_matrix_vector", ir.VoidType(), 8, _write_matrix_vector)


def _known(
    module: ir.Module, name: str, result: Any, count: int, write: Callable[[Any, Any], None]
) -> ir.Function:
    return shared_function(module, name, result, [_SIZE] * count, write)


def _write_dot(builder: Any, args: Any) -> None:
    k, x, x_step, y, y_step = args
    with builder.if_then(_near(builder, x_step, y_step)):
        builder.ret(_sum(builder, k, (x, None), (y, None)))
    builder.ret(_sum(builder, k, (x, x_step), (y, y_step)))


def _write_matrix_vector(builder: Any, args: Any) -> None:
    m, k, a, row, step, x, x_step, out = args
    target = builder.inttoptr(out, _PLACE)

    def by_rows(*steps: Any) -> None:
        with cgutils.for_range(builder, m) as rows:
            here = builder.add(a, builder.mul(rows.index, row))
            total = _sum(builder, k, (here, steps[0]), (x, steps[1]))
            builder.store(total, builder.gep(target, [rows.index]))
        builder.ret_void()

    with builder.if_then(_near(builder, step, x_step)):
        by_rows(None, None)
    with builder.if_then(_near(builder, row)):
        with cgutils.for_range(builder, m) as rows:
            builder.store(_NUMBER(0.0), builder.gep(target, [rows.index]))
        with cgutils.for_range(builder, k) as columns:
            factor = builder.load(_at(builder, x, x_step, columns.index))
            here = builder.add(a, builder.mul(columns.index, step))
            with cgutils.for_range(builder, m) as rows:
                place = builder.gep(target, [rows.index])
                number = builder.load(_at(builder, here, None, rows.index))
                added = builder.fmul(number, factor, flags=_FREE)
                builder.store(builder.fadd(builder.load(place), added, flags=_FREE), place)
        builder.ret_void()
    by_rows(step, x_step)


def _near(builder: Any, *steps: Any) -> Any:
    """Whether all numbers lie side by side."""
    found = [builder.icmp_signed("==", step, _SIZE(8)) for step in steps]
    return found[0] if len(found) == 1 else builder.and_(*found)


def _at(builder: Any, start: Any, step: Any, index: Any) -> Any:
    """Where a number is; None is the step of those that lie side by side."""
    if step is None:
        return builder.gep(builder.inttoptr(start, _PLACE), [index])
    return builder.inttoptr(builder.add(start, builder.mul(index, step)), _PLACE)


def _sum(builder: Any, k: Any, x: tuple[Any, Any], y: tuple[Any, Any]) -> Any:
    """The sum of products of numbers, each by its start and its step."""
    total = cgutils.alloca_once_value(builder, _NUMBER(0.0))
    builder.store(_NUMBER(0.0), total)
    with cgutils.for_range(builder, k) as loop:
        left, right = (builder.load(_at(builder, *v, loop.index)) for v in (x, y))
        product = builder.fmul(left, right, flags=_FREE)
        builder.store(builder.fadd(builder.load(total), product, flags=_FREE), total)
    return builder.load(total)
