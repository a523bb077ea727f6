"""NumPy's own loops, called from compiled code.

``np.exp`` and its like are vector code in NumPy and one call for each element in Numba, five to
twelve times slower; sums and extremes of rows are vector code in NumPy and a chain of additions in
Numba. In: a name of a ufunc. Out: `in_place`, and what `reductions` calls for a row::

    in_place(np.exp, x)   ->   the loop that NumPy chose for this processor, over the buffer of x

The address is read from the ufunc (``PyUFuncObject`` in NumPy's C API) and given to LLVM as a
symbol, so that machine code that is kept on disk finds it again in the next process.
"""

from __future__ import annotations

import ctypes
import functools
from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import binding, ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from ...runtime import in_place
from .fusion.elements import WHOLE
from .written import declare, written

__all__ = ["install", "register", "row_reduction"]


class _UFunc(ctypes.Structure):
    """The fields of ``PyUFuncObject`` up to the types of its loops."""

    _fields_ = (
        ("head", ctypes.c_char * object.__basicsize__),
        ("nin", ctypes.c_int),
        ("nout", ctypes.c_int),
        ("nargs", ctypes.c_int),
        ("identity", ctypes.c_int),
        ("functions", ctypes.POINTER(ctypes.c_void_p)),
        ("data", ctypes.POINTER(ctypes.c_void_p)),
        ("ntypes", ctypes.c_int),
        ("reserved", ctypes.c_int),
        ("name", ctypes.c_char_p),
        ("types", ctypes.POINTER(ctypes.c_char)),
    )


def _address(ufunc: Any) -> int | None:
    """Where NumPy's loop over float64 starts; None where it is not found or needs more."""
    seen = _UFunc.from_address(id(ufunc))
    expected = (ufunc.nin, ufunc.nout, ufunc.nargs, ufunc.ntypes)
    if (seen.nin, seen.nout, seen.nargs, seen.ntypes) != expected:
        return None
    double = bytes([np.dtype(np.float64).num] * ufunc.nargs)
    for k in range(seen.ntypes):
        if seen.types[k * ufunc.nargs : (k + 1) * ufunc.nargs] == double:
            plain = not seen.data or not seen.data[k]
            return seen.functions[k] if plain else None
    return None


@functools.cache
def _loop(ufunc: Any) -> Any:
    """An intrinsic ``run(n, *starts, *steps)``: the loop over n numbers; None if there is none.

    ``starts`` are addresses, one for each operand and the result; ``steps`` are in bytes.
    """
    address = _address(ufunc)
    if address is None:
        return None
    symbol = f"s2sad_numpy_{ufunc.__name__}"
    binding.add_symbol(symbol, address)
    places = ", ".join(f"a{k}, s{k}" for k in range(ufunc.nargs))

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        byte, size = ir.IntType(8).as_pointer(), ir.IntType(types.intp.bitwidth)
        kind = ir.FunctionType(
            ir.VoidType(), [byte.as_pointer(), size.as_pointer(), size.as_pointer(), byte]
        )
        loop = cgutils.get_or_insert_function(builder.module, kind, symbol)
        count, *rest = args
        starts = [builder.inttoptr(a, byte) for a in rest[::2]]
        packed = [cgutils.pack_array(builder, v) for v in (starts, rest[1::2])]
        first, steps = (cgutils.alloca_once_value(builder, v) for v in packed)
        builder.call(
            loop,
            [
                builder.bitcast(first, byte.as_pointer()),
                cgutils.alloca_once_value(builder, count),
                builder.bitcast(steps, size.as_pointer()),
                byte(None),
            ],
        )
        return context.get_dummy_value()

    scope: dict[str, Any] = {"types": types, "generate": generate}
    text = f"def run(typing, n, {places}):\n    return types.void(n, {places}), generate"
    exec(text, scope)
    return intrinsic(scope["run"])


def _in_place(f: Any, x: Any) -> Any:
    ufunc = f.typing_key
    run = _loop(ufunc) if x.dtype == types.float64 and x.layout == "C" else None
    if run is None:
        return written(
            "def impl(f, x):\n"
            "    flat = x.reshape(x.size)\n"
            "    for i in range(x.size):\n"
            f"        flat[i] = np.{ufunc.__name__}(flat[i])\n"
            "    return x\n"
        )

    def impl(f: Any, x: Any) -> Any:
        start, step = np.intp(x.ctypes.data), np.intp(8)
        run(np.intp(x.size), start, step, start, step)
        return x

    return impl


_OF_ROWS = (np.add, np.maximum, np.minimum)


def row_reduction(ufunc: Any) -> Callable[..., Any] | None:
    """An intrinsic ``run(n, out, 0, row, 8, out, 0)`` that reduces n numbers into ``out``."""
    assert ufunc in _OF_ROWS
    return _loop(ufunc)  # type: ignore[no-any-return]


def register() -> None:
    """Tell LLVM where the loops are: all of them, since code kept on disk needs no compiling."""
    for ufunc in (*_OF_ROWS, *(getattr(np, name.removeprefix("np.")) for name in sorted(WHOLE))):
        _loop(ufunc)


def install() -> None:
    """Tell Numba what `in_place` means."""
    register()
    declare({in_place: _in_place})
