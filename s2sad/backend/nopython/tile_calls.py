"""Calls of the function that multiplies matrices in tiles.

In: two matrices in code that Numba compiles. Out: LLVM's text of their product, without a copy of
either. `matrix_product` is for ``a @ b`` in the lowering of emitted code; `multiply_into` is for
overloads, which have room for the product already::

    multiply_into(out[k], a[k], b[k])
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic
from numba.np import arrayobj

from .tiles import product_function

__all__ = ["can_be_tiled", "matrix_product", "multiply_into"]

_MISFIT = "matmul: shapes do not fit"


def can_be_tiled(*kinds: Any) -> bool:
    """Whether these are types of matrices of float64."""
    return all(
        isinstance(t, types.Array) and t.ndim == 2 and t.dtype == types.float64 and t.aligned
        for t in kinds
    )


def matrix_product(
    context: Any, builder: Any, out_kind: Any, kinds: tuple[Any, Any], values: tuple[Any, Any]
) -> Any:
    """A new array, ``a @ b``. Raises ValueError where it runs if the shapes do not fit."""
    a, b = (arrayobj.make_array(t)(context, builder, v) for t, v in zip(kinds, values, strict=True))
    m, n = _checked(context, builder, a, b)
    out = arrayobj._empty_nd_impl(context, builder, out_kind, (m, n))
    _call(context, builder, out, a, b)
    return out._getvalue()


@intrinsic  # type: ignore[untyped-decorator]
def multiply_into(typing: Any, out: Any, a: Any, b: Any) -> Any:
    """In compiled code: ``out[...] = a @ b``; rows of ``out`` have no gaps."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        into, left, right = (
            arrayobj.make_array(t)(context, builder, v)
            for t, v in zip(signature.args, args, strict=True)
        )
        _checked(context, builder, left, right)
        _call(context, builder, into, left, right)
        return context.get_dummy_value()

    return (types.void(out, a, b), generate) if can_be_tiled(out, a, b) else None


def _checked(context: Any, builder: Any, a: Any, b: Any) -> tuple[Any, Any]:
    """The rows and columns of the product."""
    m, k = cgutils.unpack_tuple(builder, a.shape, 2)
    other, n = cgutils.unpack_tuple(builder, b.shape, 2)
    with builder.if_then(builder.icmp_signed("!=", k, other), likely=False):
        context.call_conv.return_user_exc(builder, ValueError, (_MISFIT,))
    return m, n


def _call(context: Any, builder: Any, out: Any, a: Any, b: Any) -> None:
    m, k = cgutils.unpack_tuple(builder, a.shape, 2)
    n = cgutils.unpack_tuple(builder, b.shape, 2)[1]
    given = [m, n, k]
    for array in (a, b):
        given.append(builder.ptrtoint(array.data, m.type))
        given += cgutils.unpack_tuple(builder, array.strides, 2)
    given.append(builder.ptrtoint(out.data, m.type))
    given.append(cgutils.unpack_tuple(builder, out.strides, 2)[0])
    given.append(ir.Constant(m.type, 0))
    builder.call(product_function(context, builder.module), given)
