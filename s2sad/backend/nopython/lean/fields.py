"""What an array is made of, in few instructions.

In: an array of compiled code, or the sizes of one to be. Out: its fields as LLVM's values, and the
array of such fields. Numba writes an array to memory to read one field of it, and asks at every
place whether sizes are negative or too large; that is asked by a function here::

    bytes = s2sad_bytes(n, m, 8);  if bytes < 0: raise ValueError;  memory = allocate(bytes)
"""

from __future__ import annotations

import mmap
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from llvmlite import ir as llvm
from numba import types
from numba.core import cgutils

from .functions import shared_function

__all__ = ["Fields", "allocated", "read", "sizes_of"]

_SIZE = llvm.IntType(64)
_PLACE = llvm.IntType(8).as_pointer()
#: From how many bytes on large pages are asked for, where malloc always takes new ones; a small
#: page; what Linux calls large ones.
_LARGE, _PAGE, _HUGE_PAGES = 1 << 25, mmap.PAGESIZE, 14


@dataclass(frozen=True, slots=True)
class Fields:
    """The fields of an array. ``shape`` and ``strides`` have a value for each axis."""

    meminfo: Any
    parent: Any
    nitems: Any
    itemsize: Any
    data: Any
    shape: tuple[Any, ...]
    strides: tuple[Any, ...]

    def seen_as(self, **changed: Any) -> Fields:
        """Another view of the same numbers."""
        return replace(self, **changed)

    def value(self, context: Any, builder: Any, kind: Any) -> Any:
        """The array."""
        model = context.data_model_manager[kind]
        whole = llvm.Constant(context.get_value_type(kind), llvm.Undefined)
        for name in self.__slots__:
            field = getattr(self, name)
            at = model.get_field_position(name)
            if isinstance(field, tuple):
                for axis, size in enumerate(field):
                    whole = builder.insert_value(whole, size, [at, axis])
            else:
                whole = builder.insert_value(whole, field, at)
        return whole


def read(context: Any, builder: Any, kind: Any, value: Any) -> Fields:
    """The fields of an array."""
    model = context.data_model_manager[kind]
    found = {}
    for name in Fields.__slots__:
        at = model.get_field_position(name)
        if name in ("shape", "strides"):
            axes = range(kind.ndim)
            found[name] = tuple(builder.extract_value(value, [at, axis]) for axis in axes)
        else:
            found[name] = builder.extract_value(value, at)
    return Fields(**found)


def allocated(context: Any, builder: Any, kind: Any, sizes: Sequence[Any]) -> Fields:
    """A new array without gaps. Raises ValueError where it runs if there is none of such sizes."""
    model = context.data_model_manager[kind]
    itemsize = _SIZE(context.get_abi_sizeof(context.get_data_type(kind.dtype)))
    align = context.get_preferred_array_alignment(kind.dtype)
    module, asked = builder.module, [*sizes, itemsize]
    meminfo = builder.call(_new(context, module, len(sizes), align), asked)
    with builder.if_then(cgutils.is_null(builder, meminfo), likely=False):
        needed = builder.call(_bytes(module, len(sizes)), asked)
        with builder.if_then(builder.icmp_signed("<", needed, _SIZE(0))):
            text = "negative dimensions are not allowed, nor arrays larger than memory can be"
            context.call_conv.return_user_exc(builder, ValueError, (text,))
        context.call_conv.return_user_exc(builder, MemoryError, ("Allocation failed",))
    place = context.nrt.new_data(builder, meminfo)
    data = builder.bitcast(place, context.get_data_type(kind.dtype).as_pointer())
    nitems = sizes[0] if sizes else _SIZE(1)
    for size in sizes[1:]:
        nitems = builder.mul(nitems, size, flags=["nsw"])
    inward = range(len(sizes))
    steps: dict[int, Any] = {}
    step = itemsize
    for axis in inward if kind.layout == "F" else reversed(inward):
        steps[axis] = step
        step = builder.mul(step, sizes[axis], flags=["nsw"])
    none = llvm.Constant(context.get_value_type(model.get_type("parent")), None)
    strides = tuple(steps[axis] for axis in inward)
    return Fields(meminfo, none, nitems, itemsize, data, tuple(sizes), strides)


def _bytes(module: Any, rank: int) -> Any:
    """``f(*sizes, itemsize)``: how many bytes they take; -1 if one is negative or all too many."""

    def write(builder: Any, args: Any) -> None:
        total, wrong = _SIZE(1), llvm.Constant(cgutils.bool_t, 0)
        for size in args:
            product = builder.smul_with_overflow(total, size)
            total = builder.extract_value(product, 0)
            wrong = builder.or_(wrong, builder.extract_value(product, 1))
            wrong = builder.or_(wrong, builder.icmp_signed("<", size, _SIZE(0)))
        builder.ret(builder.select(wrong, _SIZE(-1), total))

    kinds = [_SIZE] * (rank + 1)
    name = f"s2sad_bytes_{rank}"
    return shared_function(module, name, _SIZE, kinds, write, "nounwind", "readnone")


def _new(context: Any, module: Any, rank: int, align: int) -> Any:
    """``f(*sizes, itemsize)``: memory for so many numbers, which nobody else has; null if none."""

    def write(builder: Any, args: Any) -> None:
        needed = builder.call(_bytes(module, rank), args)
        with builder.if_then(builder.icmp_signed("<", needed, _SIZE(0)), likely=False):
            builder.ret(_PLACE(None))
        kind = llvm.FunctionType(_PLACE, [_SIZE, llvm.IntType(32)])
        allocate = cgutils.get_or_insert_function(module, kind, "NRT_MemInfo_alloc_aligned")
        allocate.return_value.add_attribute("noalias")
        made = builder.call(allocate, [needed, llvm.IntType(32)(align)])
        if sys.platform == "linux":
            is_large = builder.icmp_signed(">=", needed, _SIZE(_LARGE))
            is_there = cgutils.is_not_null(builder, made)
            with builder.if_then(builder.and_(is_large, is_there), likely=False):
                data = context.nrt.meminfo_data(builder, made)
                builder.call(_in_large_pages(module), [builder.ptrtoint(data, _SIZE), needed])
        builder.ret(made)

    name = f"s2sad_new_{rank}_{align}"
    made = shared_function(module, name, _PLACE, [_SIZE] * (rank + 1), write, "nounwind")
    made.return_value.add_attribute("noalias")
    return made


def _in_large_pages(module: Any) -> Any:
    """``f(address, bytes)``: ask for large pages, as NumPy does: small ones take long to get."""

    def write(builder: Any, args: Any) -> None:
        address, size = args
        first = builder.and_(builder.add(address, _SIZE(_PAGE - 1)), _SIZE(-_PAGE))
        rest = builder.sub(size, builder.sub(first, address))
        word = llvm.IntType(32)
        kind = llvm.FunctionType(word, [_SIZE, _SIZE, word])
        advise = cgutils.get_or_insert_function(module, kind, "madvise")
        builder.call(advise, [first, rest, word(_HUGE_PAGES)])
        builder.ret_void()

    name = "s2sad_in_large_pages"
    return shared_function(module, name, llvm.VoidType(), [_SIZE] * 2, write, "nounwind")


def sizes_of(context: Any, builder: Any, kind: Any, shape: Any) -> list[Any]:
    """The sizes that a shape asks for, which is a whole number or a tuple of some."""
    kinds = kind.types if isinstance(kind, types.BaseTuple) else (kind,)
    given = cgutils.unpack_tuple(builder, shape, len(kinds)) if kinds != (kind,) else [shape]
    return [
        context.cast(builder, size, t, types.intp) for size, t in zip(given, kinds, strict=True)
    ]
