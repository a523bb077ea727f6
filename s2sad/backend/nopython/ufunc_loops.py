"""NumPy's own loops, called from compiled code.

``np.exp`` and its like are vector code in NumPy and one call for each element in Numba, five to
twelve times slower; sums and extremes of rows are vector code in NumPy and a chain of additions in
Numba. In: a name of a ufunc. Out: `in_place`, and what `reductions` calls for a row::

    in_place(np.exp, x)   ->   the loop that NumPy chose for this processor, over the buffer of x
    in_place(math.exp, x)   ->   the same, unless x is so short that calls take less time
    moduli(z)   ->   the same of np.abs, which gives a new array

The address is read from the ufunc (``PyUFuncObject`` in NumPy's C API) and given to LLVM as a
symbol, so that machine code that is kept on disk finds it again in the next process.
"""

from __future__ import annotations

import ctypes
import functools
import re
from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import binding, ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from ...runtime import in_place, moduli
from .fusion.elements import WHOLE
from .written import declare, written

__all__ = ["address", "call_row_reduction", "install", "known_data", "register", "row_reduction"]


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


def address(ufunc: Any, codes: str) -> tuple[int, int | None] | None:
    """Where NumPy's loop over types with these codes starts, and the data that it is given."""
    seen = _UFunc.from_address(id(ufunc))
    expected = (ufunc.nin, ufunc.nout, ufunc.nargs, ufunc.ntypes)
    if (seen.nin, seen.nout, seen.nargs, seen.ntypes) != expected:
        return None
    wanted = bytes(np.dtype(code).num for code in codes)
    for k in range(seen.ntypes):
        if seen.types[k * ufunc.nargs : (k + 1) * ufunc.nargs] == wanted:
            start = seen.functions[k]
            return None if start is None else (start, seen.data[k] if seen.data else None)
    return None


@functools.cache
def _symbols(ufunc: Any, codes: str | None = None) -> tuple[str, str | None] | None:
    """What LLVM knows NumPy's loop as, and what it has to be given; None if there is no loop.

    The loop is that over float64, of itself alone, or over types with these codes; some of those
    are given a function to apply.
    """
    found = address(ufunc, codes or "d" * ufunc.nargs)
    if found is None or (codes is None and found[1]):
        return None
    symbol = f"s2sad_numpy_{ufunc.__name__}{codes or ''}"
    binding.add_symbol(symbol, found[0])
    if not found[1]:
        return symbol, None
    binding.add_symbol(f"{symbol}_data", found[1])
    return symbol, f"{symbol}_data"


@functools.cache
def _loop(ufunc: Any, codes: str | None = None) -> Any:
    """An intrinsic ``run(n, *starts, *steps)``: the loop over n numbers; None if there is none.

    ``starts`` are addresses, one for each operand and the result; ``steps`` are in bytes.
    """
    symbols = _symbols(ufunc, codes)
    if symbols is None:
        return None
    places = ", ".join(f"a{k}, s{k}" for k in range(ufunc.nargs))

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        count, *rest = args
        _call_loop(builder, symbols, count, rest[::2], rest[1::2])
        return context.get_dummy_value()

    scope: dict[str, Any] = {"types": types, "generate": generate}
    text = f"def run(typing, n, {places}):\n    return types.void(n, {places}), generate"
    exec(text, scope)
    return intrinsic(scope["run"])


#: Arrays as short as this are gone through with the functions of `math`.
_SHORT = 4


def ufunc_of(f: Any) -> Any:
    """NumPy's function for one of `math`."""
    return getattr(np, re.sub("^a(?!rc)", "arc", f.__name__))


def _call_loop(
    builder: Any, symbols: tuple[str, str | None], count: Any, starts: Any, steps: Any
) -> None:
    """Call NumPy's loop over ``count`` numbers."""
    symbol, given = symbols
    byte, size = ir.IntType(8).as_pointer(), ir.IntType(types.intp.bitwidth)
    kind = ir.FunctionType(
        ir.VoidType(), [byte.as_pointer(), size.as_pointer(), size.as_pointer(), byte]
    )
    loop = cgutils.get_or_insert_function(builder.module, kind, symbol)
    packed = [
        cgutils.pack_array(builder, [builder.inttoptr(a, byte) for a in starts]),
        cgutils.pack_array(builder, steps),
    ]
    first, by = (cgutils.alloca_once_value(builder, v) for v in packed)
    builder.call(
        loop,
        [
            builder.bitcast(first, byte.as_pointer()),
            cgutils.alloca_once_value(builder, count),
            builder.bitcast(by, size.as_pointer()),
            byte(None) if given is None else known_data(builder.module, given),
        ],
    )


def known_data(module: Any, symbol: str) -> Any:
    """A pointer to what a symbol stands for."""
    if symbol not in module.globals:
        ir.GlobalVariable(module, ir.IntType(8), symbol)
    return module.globals[symbol]


def _in_place(f: Any, x: Any) -> Any:
    ufunc = f.typing_key
    if not isinstance(ufunc, np.ufunc):
        assert x.dtype == types.float64
        assert x.layout == "C"
        row = _of_row(ufunc)
        return lambda f, x: row(x)
    codes = {types.float64: None, types.complex128: "DD"}
    known = x.dtype in codes and x.layout == "C"
    run = _loop(ufunc, codes[x.dtype]) if known else None
    size = 16 if x.dtype == types.complex128 else 8
    if run is None:
        return written(
            "def impl(f, x):\n"
            "    flat = x.reshape(x.size)\n"
            "    for i in range(x.size):\n"
            f"        flat[i] = np.{ufunc.__name__}(flat[i])\n"
            "    return x\n"
        )

    def impl(f: Any, x: Any) -> Any:
        start, step = np.intp(x.ctypes.data), np.intp(size)
        run(np.intp(x.size), start, step, start, step)
        return x

    return impl


@functools.cache
def _of_row(f: Any) -> Any:
    """An intrinsic ``run(x)``: ``f`` of `math` for a row of numbers, in the place of them."""
    symbols = _symbols(ufunc_of(f))

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        row = context.make_array(signature.args[0])(context, builder, args[0])
        size = ir.IntType(types.intp.bitwidth)
        # the function of C by its name: LLVM's own it would call for four numbers at a time
        kind = ir.FunctionType(ir.DoubleType(), [ir.DoubleType()])
        each = cgutils.get_or_insert_function(builder.module, kind, f.__name__)

        def by_calls() -> None:
            with cgutils.for_range(builder, row.nitems) as loop:
                place = builder.gep(row.data, [loop.index])
                builder.store(builder.call(each, [builder.load(place)]), place)

        if symbols is None:
            by_calls()
            return context.get_dummy_value()
        is_long = builder.icmp_signed(">", row.nitems, size(_SHORT))
        with builder.if_else(is_long) as (then, otherwise):
            with then:
                start = builder.ptrtoint(row.data, size)
                _call_loop(builder, symbols, row.nitems, [start, start], [size(8), size(8)])
            with otherwise:
                by_calls()
        return context.get_dummy_value()

    return intrinsic(lambda typing, x: (types.void(x), generate))


def _moduli(z: Any) -> Any:
    run = _loop(np.absolute, "Dd")
    if run is None or z.dtype != types.complex128:
        return written("def impl(z): return np.abs(z)")
    given = "z" if z.layout == "C" else "np.ascontiguousarray(z)"
    return written(
        "def impl(z):\n"
        f"    given = {given}\n"
        "    made = np.empty(z.shape)\n"
        "    run(np.intp(z.size), np.intp(given.ctypes.data), np.intp(16),"
        " np.intp(made.ctypes.data), np.intp(8))\n"
        "    return made\n",
        run=run,
    )


_OF_ROWS = (np.add, np.maximum, np.minimum)


def row_reduction(ufunc: Any) -> Callable[..., Any] | None:
    """An intrinsic ``run(n, out, 0, row, 8, out, 0)`` that reduces n numbers into ``out``."""
    assert ufunc in _OF_ROWS
    return _loop(ufunc)  # type: ignore[no-any-return]


def call_row_reduction(builder: Any, ufunc: Any, count: Any, to: Any, row: Any) -> None:
    """Reduce float64 numbers that lie side by side into the number at ``to``."""
    symbols = _symbols(ufunc)
    assert symbols is not None
    size = ir.IntType(types.intp.bitwidth)
    starts = [builder.ptrtoint(place, size) for place in (to, row, to)]
    _call_loop(builder, symbols, count, starts, [size(0), size(8), size(0)])


def register() -> None:
    """Tell LLVM where the loops are: all of them, since code kept on disk needs no compiling."""
    for ufunc in (*_OF_ROWS, *(getattr(np, name.removeprefix("np.")) for name in sorted(WHOLE))):
        _loop(ufunc)
        if ufunc.nargs == 2:
            _loop(ufunc, "DD")
    _loop(np.absolute, "Dd")


def install() -> None:
    """Tell Numba what `in_place` and `moduli` mean."""
    register()
    declare({in_place: _in_place, moduli: _moduli})
