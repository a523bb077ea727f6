"""What is put on a stack of numbers or arrays and taken from it, in few instructions.

In: a list of numbers or arrays, or of tuples of them, that only its own function and those it
calls see. Out: LLVM's text that makes it, appends to it or pops the last. Numba's looks after room
at every step, gives memory back and takes it again; a stack that has grown keeps what it has::

    tape.append((y, z))   ->   if size == room: grow
                               items[size] = (y, z); size += 1
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.cpython.listobj import ListInstance

from .functions import shared_function
from .own import Own

__all__ = ["TABLE", "is_stack", "new_stack"]

_SIZE, _BYTE = ir.IntType(64), ir.IntType(8)
_PLACE = _BYTE.as_pointer()


def is_stack(kind: Any) -> bool:
    """Whether a type is that of a list of numbers, arrays or tuples of them, unknown to Python."""
    return isinstance(kind, types.List) and not kind.reflected and _is_plain(kind.dtype)


def _is_plain(kind: Any) -> bool:
    if isinstance(kind, types.BaseTuple):
        return all(map(_is_plain, kind.types))
    return isinstance(kind, types.Number | types.Boolean) or type(kind) is types.Array


@dataclass(frozen=True, slots=True)
class _Stack:
    """What a stack begins with, ``payload``, has its size, its room and its items."""

    context: Any
    builder: Any
    kind: Any
    meminfo: Any

    def payload(self) -> Any:
        """Where it begins now: it moves when it grows."""
        whole = self.context.get_data_type(types.ListPayload(self.kind))
        start = self.context.nrt.meminfo_data(self.builder, self.meminfo)
        return self.builder.bitcast(start, whole.as_pointer())

    def field(self, payload: Any, name: str) -> Any:
        """Where a field of it is."""
        model = self.context.data_model_manager[types.ListPayload(self.kind)]
        return cgutils.gep_inbounds(self.builder, payload, 0, model.get_field_position(name))

    def item(self, payload: Any, at: Any) -> Any:
        """Where an item of it is."""
        return self.builder.gep(self.field(payload, "data"), [at])

    @property
    def itemsize(self) -> int:
        """Bytes of an item."""
        item = self.context.get_data_type(self.kind.dtype)
        return int(self.context.get_abi_sizeof(item))

    @property
    def header(self) -> int:
        """Bytes before the items."""
        whole = self.context.get_data_type(types.ListPayload(self.kind))
        return int(self.context.get_abi_sizeof(whole)) - self.itemsize


def _stack(context: Any, builder: Any, sig: Any, args: Any) -> _Stack:
    kind = sig.args[0]
    at = context.data_model_manager[kind].get_field_position("meminfo")
    return _Stack(context, builder, kind, builder.extract_value(args[0], at))


def new_stack(context: Any, builder: Any, kind: Any) -> Any:
    """An empty stack."""
    whole = ir.Constant(context.get_value_type(kind), None)
    header = _Stack(context, builder, kind, None).header
    dtor = ListInstance(context, builder, kind, whole).get_dtor()
    meminfo = builder.call(_maker(builder.module), [_SIZE(header), dtor])
    cgutils.guard_memory_error(context, builder, meminfo, "cannot allocate list")
    at = context.data_model_manager[kind].get_field_position("meminfo")
    return builder.insert_value(whole, meminfo, at)


def _pushed(stack: Any, *items: Any) -> Any:
    return types.none if is_stack(stack) and items == (stack.dtype,) else None


def _push(context: Any, builder: Any, sig: Any, args: Any) -> Any:
    """Append an item."""
    stack = _stack(context, builder, sig, args)
    payload = stack.payload()
    size = builder.load(stack.field(payload, "size"))
    room = builder.load(stack.field(payload, "allocated"))
    full = builder.icmp_signed(">=", size, room)
    with builder.if_then(full, likely=False):
        given = [stack.meminfo, _SIZE(stack.header), _SIZE(stack.itemsize)]
        moved = builder.call(_grower(context, builder.module, stack), given)
        cgutils.guard_memory_error(context, builder, moved, "cannot resize list")
    payload = stack.payload()
    model = context.data_model_manager[stack.kind.dtype]
    builder.store(model.as_data(builder, args[1]), stack.item(payload, size))
    builder.store(builder.add(size, _SIZE(1)), stack.field(payload, "size"))
    context.nrt.incref(builder, stack.kind.dtype, args[1])
    return context.get_dummy_value()


def _popped(stack: Any, *given: Any) -> Any:
    return stack.dtype if is_stack(stack) and not given else None


def _pop(context: Any, builder: Any, sig: Any, args: Any) -> Any:
    """Take the last item. Raises IndexError where it runs if there is none."""
    stack = _stack(context, builder, sig, args)
    payload = stack.payload()
    counted = stack.field(payload, "size")
    size = builder.load(counted)
    cgutils.guard_zero(context, builder, size, (IndexError, "pop from empty list"))
    shorter = builder.sub(size, _SIZE(1))
    builder.store(shorter, counted)
    model = context.data_model_manager[stack.kind.dtype]
    return model.from_data(builder, builder.load(stack.item(payload, shorter)))


# -- functions that all stacks share -------------------------------------------------------------


def _maker(module: Any) -> Any:
    """``f(bytes, dtor)``: memory for a stack without items, or null."""

    def write(builder: Any, args: Any) -> None:
        size, dtor = args
        kind = ir.FunctionType(_PLACE, [_SIZE, _PLACE])
        make = cgutils.get_or_insert_function(module, kind, "NRT_MemInfo_new_varsize_dtor")
        meminfo = builder.call(make, [size, dtor])
        with builder.if_then(cgutils.is_not_null(builder, meminfo)):
            cgutils.memset(builder, _data(builder, meminfo), size, 0)
        builder.ret(meminfo)

    return shared_function(module, "s2sad_new_stack", _PLACE, [_SIZE, _PLACE], write)


def _grower(context: Any, module: Any, stack: _Stack) -> Any:
    """``f(meminfo, header, itemsize)``: more room; where the stack is now, or null."""

    def write(builder: Any, args: Any) -> None:
        meminfo, header, itemsize = args
        inner = _Stack(context, builder, stack.kind, meminfo)
        room = builder.load(inner.field(inner.payload(), "allocated"))
        more = builder.add(builder.add(room, _SIZE(8)), builder.lshr(room, _SIZE(1)))
        needed = builder.add(header, builder.mul(more, itemsize))
        kind = ir.FunctionType(_PLACE, [_PLACE, _SIZE])
        again = cgutils.get_or_insert_function(module, kind, "NRT_MemInfo_varsize_realloc")
        moved = builder.call(again, [meminfo, needed])
        with builder.if_then(cgutils.is_not_null(builder, moved)):
            builder.store(more, inner.field(inner.payload(), "allocated"))
        builder.ret(moved)

    return shared_function(module, "s2sad_grow_stack", _PLACE, [_PLACE, _SIZE, _SIZE], write)


def _data(builder: Any, meminfo: Any) -> Any:
    kind = ir.FunctionType(_PLACE, [_PLACE])
    read = cgutils.get_or_insert_function(builder.module, kind, "NRT_MemInfo_data_fast")
    return builder.call(read, [meminfo])


TABLE = {"list.append": Own(_pushed, _push), "list.pop": Own(_popped, _pop)}
