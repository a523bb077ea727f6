"""Products that are left to BLAS.

In: the addresses, sizes and steps of matrices, in LLVM's text. Out: the same text, with a branch
that is taken where BLAS is the faster and the operands lie as it wants them: it calls what Numba
calls, and returns::

    if many and a lies in rows and b lies in rows: numba_xxgemm("n", "n", …); return

BLAS counts columns first. So it is told that the transposed product is wanted, of the transposed
operands in their other order: that is how rows look to it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from llvmlite import ir
from numba.core import cgutils

__all__ = ["Matrix", "leave_to_blas"]

_SIZE = ir.IntType(64)
_BYTE = ir.IntType(8)
_PLACE = _BYTE.as_pointer()
_EIGHT = ir.Constant(_SIZE, 8)
#: From how many multiplications on the product with a single column is asked of BLAS.
_COLUMN = 1 << 10


@dataclass(frozen=True, slots=True)
class Matrix:
    """Where a matrix of float64 lies: address and steps in bytes, from row to row and within."""

    address: Any
    row: Any
    step: Any
    rows: Any
    columns: Any


def leave_to_blas(builder: Any, a: Matrix, b: Matrix, c: Matrix, add: Any, many: int) -> None:
    """Return after calling BLAS for ``c = a @ b``, or ``c += a @ b`` where ``add`` is not 0.

    ``many`` is from how many multiplications on.
    """
    work = builder.mul(builder.mul(a.rows, b.columns), a.columns)
    a_fits, a_plain, a_leading = _lies(builder, a)
    b_fits, b_plain, b_leading = _lies(builder, b)
    factor = builder.uitofp(builder.icmp_signed("!=", add, ir.Constant(_SIZE, 0)), ir.DoubleType())

    def numbers() -> list[Any]:
        made = (cgutils.alloca_once_value(builder, v) for v in (_ONE, factor))
        return [builder.bitcast(v, _PLACE) for v in made]

    column = builder.icmp_signed("==", b.columns, ir.Constant(_SIZE, 1))
    some = builder.icmp_signed(">", work, ir.Constant(_SIZE, _COLUMN))
    near = (builder.icmp_signed("==", v.row, _EIGHT) for v in (b, c))
    with builder.if_then(_all(builder, column, some, a_fits, *near), likely=False):
        one, factor_at = numbers()
        lead = builder.sdiv(a_leading, _EIGHT)
        x, y, z = (builder.inttoptr(v.address, _PLACE) for v in (a, b, c))
        sizes = [
            builder.select(a_plain, *pair) for pair in ((a.columns, a.rows), (a.rows, a.columns))
        ]
        letter = _letter(builder, a_plain, "t", "n")
        _call(builder, "numba_xxgemv", [_KIND, letter, *sizes, one, x, lead, y, factor_at, z])
        builder.ret_void()

    large = builder.icmp_signed(">", work, ir.Constant(_SIZE, many))
    c_near = builder.icmp_signed("==", c.step, _EIGHT)
    fits = _all(builder, large, a_fits, b_fits, c_near)
    with builder.if_then(fits, likely=False):
        one, factor_at = numbers()
        letters = [_letter(builder, v, "n", "t") for v in (b_plain, a_plain)]
        leading = [builder.sdiv(v, _EIGHT) for v in (b_leading, a_leading, c.row)]
        x, y, z = (builder.inttoptr(v.address, _PLACE) for v in (b, a, c))
        given = [_KIND, *letters, b.columns, a.rows, a.columns, one, x, leading[0]]
        _call(builder, "numba_xxgemm", [*given, y, leading[1], factor_at, z, leading[2]])
        builder.ret_void()


_ONE = ir.Constant(ir.DoubleType(), 1.0)
_KIND = ir.Constant(_BYTE, ord("d"))


def _lies(builder: Any, x: Matrix) -> tuple[Any, Any, Any]:
    """Whether BLAS takes a matrix as it lies, whether it does so by rows, and the longer step."""
    plain, turned = (
        builder.and_(
            builder.icmp_signed("==", step, _EIGHT),
            builder.icmp_signed(">=", row, builder.mul(columns, _EIGHT)),
        )
        for step, row, columns in ((x.step, x.row, x.columns), (x.row, x.step, x.rows))
    )
    return builder.or_(plain, turned), plain, builder.select(plain, x.row, x.step)


def _all(builder: Any, first: Any, *others: Any) -> Any:
    for other in others:
        first = builder.and_(first, other)
    return first


def _letter(builder: Any, flag: Any, yes: str, no: str) -> Any:
    return builder.select(flag, *(ir.Constant(_BYTE, ord(c)) for c in (yes, no)))


def _call(builder: Any, name: str, args: list[Any]) -> None:
    kind = ir.FunctionType(ir.IntType(32), [v.type for v in args])
    builder.call(cgutils.get_or_insert_function(builder.module, kind, name), args)
