"""NumPy's own Fourier transforms, called from compiled code.

``np.fft`` is a layer over ufuncs that transform vectors. In: the name of a transform, an axis and
a precision. Out: an intrinsic that calls the loop of that ufunc for all vectors along the axis::

    loop("fft", 0, False)   ->   run(a, made, points, scale): made = scale * transform of a

Numba has nothing to compile but the call, and plans are kept by NumPy. There are such ufuncs from
NumPy 2 on; where they are not found there is no intrinsic.
"""

from __future__ import annotations

import functools
import importlib
from typing import Any

import numpy as np
from llvmlite import binding, ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from .ufunc_loops import address, known_data

__all__ = ["is_there", "loop", "register"]

#: The ufuncs of each transform: the one for even and the one for odd numbers of points; the
#: types of what they take, of the scale and of what they give; and the axes of these.
_UFUNCS = {
    "fft": (("fft", "fft"), "DdD"),
    "ifft": (("ifft", "ifft"), "DdD"),
    "rfft": (("rfft_n_even", "rfft_n_odd"), "ddD"),
    "irfft": (("irfft", "irfft"), "Ddd"),
}
_BYTE = ir.IntType(8)
_SIZE = ir.IntType(types.intp.bitwidth)


def _symbol(name: str, narrow: bool) -> str:
    return f"s2sad_numpy_fft_{name}{'_f' if narrow else ''}"


@functools.cache
def register() -> bool:
    """Tell LLVM where the loops are; False where NumPy has not got all of them."""
    try:
        known = importlib.import_module("numpy.fft._pocketfft_umath")
    except ImportError:
        return False
    found: dict[str, int] = {}
    for names, wide in _UFUNCS.values():
        for name in names:
            ufunc = getattr(known, name, None)
            if not isinstance(ufunc, np.ufunc) or ufunc.signature not in _SIGNATURES:
                return False
            for narrow, codes in ((False, wide), (True, wide.replace("d", "f").replace("D", "F"))):
                at = address(ufunc, codes)
                if at is None:
                    return False
                found[_symbol(name, narrow)] = at[0]
                if at[1]:
                    found[_symbol(name, narrow) + "_data"] = at[1]
    for symbol, place in found.items():
        binding.add_symbol(symbol, place)
    _with_data.update(s.removesuffix("_data") for s in found if s.endswith("_data"))
    return True


_SIGNATURES = ("(n),()->(m)", "(m),()->(n)")
#: Loops that are told something more, by an address.
_with_data: set[str] = set()


def is_there() -> bool:
    """Whether this NumPy has loops of transforms."""
    return register()


@functools.cache
def loop(transform: str, axis: int, narrow: bool) -> Any:
    """An intrinsic ``run(a, made, points, scale)`` that fills ``made`` along ``axis``.

    ``a`` is cut or filled up with zeros. Of several axes, both arrays have them in C's order.
    """
    assert register()
    names, _ = _UFUNCS[transform]

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        builder.function.attributes.add("noinline")
        kinds = signature.args[:2]
        source, target = (
            context.make_array(t)(context, builder, v) for t, v in zip(kinds, args, strict=False)
        )
        points, scale = args[2:]
        if narrow:
            scale = builder.fptrunc(scale, ir.FloatType())
        count = points
        if transform == "rfft":
            count = builder.add(builder.ashr(points, _SIZE(1)), _SIZE(1))
        call = _caller(builder, names, points, narrow)
        factor = builder.bitcast(cgutils.alloca_once_value(builder, scale), _BYTE.as_pointer())
        ends = [builder.bitcast(x.data, _BYTE.as_pointer()) for x in (source, target)]
        items = [_SIZE(context.get_abi_sizeof(context.get_data_type(t.dtype))) for t in kinds]
        sizes = cgutils.unpack_tuple(builder, source.shape, kinds[0].ndim)
        given = sizes[axis]

        def run(starts: list[Any], many: Any, apart: list[Any], steps: list[Any]) -> None:
            call(
                [starts[0], factor, starts[1]],
                [many, given, count],
                [apart[0], _SIZE(0), apart[1], *steps],
            )

        if kinds[0].ndim == 1:
            steps = [cgutils.unpack_tuple(builder, x.strides, 1)[0] for x in (source, target)]
            run(ends, _SIZE(1), [_SIZE(0)] * 2, steps)
            return context.get_dummy_value()
        before = _product(builder, sizes[:axis])
        after = _product(builder, sizes[axis + 1 :])
        steps = [builder.mul(after, size) for size in items]
        lengths = [given, cgutils.unpack_tuple(builder, target.shape, kinds[1].ndim)[axis]]
        lanes = [builder.mul(s, n) for s, n in zip(steps, lengths, strict=True)]
        if axis == kinds[0].ndim - 1:
            run(ends, before, lanes, steps)
            return context.get_dummy_value()
        with cgutils.for_range(builder, before) as at:
            starts = [
                builder.gep(end, [builder.mul(at.index, lane)])
                for end, lane in zip(ends, lanes, strict=True)
            ]
            run(starts, after, items, steps)
        return context.get_dummy_value()

    def run(typing: Any, a: Any, made: Any, points: Any, scale: Any) -> Any:
        return types.void(a, made, types.intp, types.float64), generate

    return intrinsic(run)


def _product(builder: Any, sizes: list[Any]) -> Any:
    total = _SIZE(1)
    for size in sizes:
        total = builder.mul(total, size)
    return total


def _caller(builder: Any, names: tuple[str, str], points: Any, narrow: bool) -> Any:
    """What calls the loop for so many points with starts, sizes and steps."""
    byte, size = _BYTE.as_pointer(), _SIZE.as_pointer()
    kind = ir.FunctionType(ir.VoidType(), [byte.as_pointer(), size, size, byte])
    even, odd = (
        cgutils.get_or_insert_function(builder.module, kind, _symbol(name, narrow))
        for name in names
    )
    chosen = even
    if even is not odd:
        is_odd = builder.trunc(points, ir.IntType(1))
        chosen = builder.select(is_odd, odd, even)
    data = byte(None)
    if _symbol(names[0], narrow) in _with_data:
        data = known_data(builder.module, _symbol(names[0], narrow) + "_data")

    def call(starts: list[Any], sizes: list[Any], steps: list[Any]) -> None:
        packed = [
            cgutils.alloca_once_value(builder, cgutils.pack_array(builder, values))
            for values in (starts, sizes, steps)
        ]
        types_ = (byte.as_pointer(), size, size)
        places = [builder.bitcast(p, t) for p, t in zip(packed, types_, strict=True)]
        builder.call(chosen, [*places, data])

    return call
