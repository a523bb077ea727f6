"""What is put on a stack of numbers and taken from it, in few instructions.

In: a list of numbers, or of tuples of numbers, that only its own function and those it calls see.
Out: LLVM's text that appends to it or pops the last. Numba's looks after room at every step, gives
memory back and takes it again; a stack that has grown keeps what it has::

    tape.append((y, z))   ->   if size == room: grow
                               items[size] = (y, z); size += 1
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.cpython.listobj import ListInstance

from .own import Own

__all__ = ["TABLE", "is_stack"]


def is_stack(kind: Any) -> bool:
    """Whether a type is that of a list of numbers or of tuples of them, unknown to Python."""
    return isinstance(kind, types.List) and not kind.reflected and _is_plain(kind.dtype)


def _is_plain(kind: Any) -> bool:
    if isinstance(kind, types.BaseTuple):
        return all(map(_is_plain, kind.types))
    return isinstance(kind, types.Number | types.Boolean)


def _pushed(stack: Any, *items: Any) -> Any:
    return types.none if is_stack(stack) and items == (stack.dtype,) else None


def _push(context: Any, builder: Any, sig: Any, args: Any) -> Any:
    """Append an item."""
    kind = sig.args[0]
    items = ListInstance(context, builder, kind, args[0])
    size = items.size
    longer = builder.add(size, ir.Constant(size.type, 1))
    full = builder.icmp_signed(">=", size, items._payload.allocated)
    with builder.if_then(full, likely=False):
        items.resize(longer)
    items.size = longer
    stored = context.data_model_manager[kind.dtype].as_data(builder, args[1])
    builder.store(stored, items._gep(size))
    return context.get_dummy_value()


def _popped(stack: Any, *given: Any) -> Any:
    return stack.dtype if is_stack(stack) and not given else None


def _pop(context: Any, builder: Any, sig: Any, args: Any) -> Any:
    """Take the last item. Raises IndexError where it runs if there is none."""
    items = ListInstance(context, builder, sig.args[0], args[0])
    size = items.size
    cgutils.guard_zero(context, builder, size, (IndexError, "pop from empty list"))
    shorter = builder.sub(size, ir.Constant(size.type, 1))
    items.size = shorter
    return items.getitem(shorter)


TABLE = {"list.append": Own(_pushed, _push), "list.pop": Own(_popped, _pop)}
