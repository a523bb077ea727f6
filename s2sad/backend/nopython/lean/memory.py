"""Memory of arrays: who holds it, where it begins, and that no two share it.

In: what Numba asks of its runtime while it compiles. Out: LLVM's text, as Numba writes it but for
arrays: of these the one field is read that counts who holds them, where Numba reads all; and the
numbers of an array that is made are told to lie in what was just allocated, where Numba reads the
address back from it, so that LLVM cannot know that two new arrays do not overlap::

    data = load(memory)   ->   data = memory + s2sad_offset(memory)
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir as llvm
from numba import types
from numba.core.runtime.context import NRTContext

from .functions import shared_function

__all__ = ["LeanRuntime", "memory_field"]

_SIZE = llvm.IntType(64)
_PLACE = llvm.IntType(8).as_pointer()


def memory_field(context: Any, kind: Any) -> int | None:
    """Where an array or a list keeps what counts who holds it; None for all else."""
    if type(kind) not in (types.Array, types.List):
        return None
    return int(context.data_model_manager[kind].get_field_position("meminfo"))


class LeanRuntime(NRTContext):  # type: ignore[misc]
    """Numba's runtime, with few instructions for arrays."""

    def get_meminfos(self, builder: Any, ty: Any, val: Any) -> Any:
        """Called by Numba: all memory that a value holds, with its types."""
        field = memory_field(self._context, ty)
        if field is None:
            return super().get_meminfos(builder, ty, val)
        return [(ty, builder.extract_value(val, field))]

    def meminfo_data(self, builder: Any, meminfo: Any) -> Any:
        """Called by Numba: where the data is. It lies in what this function has just allocated."""
        data = super().meminfo_data(builder, meminfo)
        made_by = getattr(getattr(meminfo, "callee", None), "name", None)
        if made_by != self._meminfo_api.alloc_aligned:
            return data
        return self.new_data(builder, meminfo)

    def new_data(self, builder: Any, meminfo: Any) -> Any:
        """Where the data is in what has just been allocated."""
        offset = builder.call(self._offset(builder.module), [meminfo])
        return builder.gep(meminfo, [offset], inbounds=True)

    def _offset(self, module: Any) -> Any:
        """``f(memory)``: how many bytes after it the data begins."""

        def write(builder: Any, args: Any) -> None:
            data = super(LeanRuntime, self).meminfo_data(builder, args[0])
            start, memory = (builder.ptrtoint(place, _SIZE) for place in (data, args[0]))
            builder.ret(builder.sub(start, memory))

        name = "s2sad_offset"
        return shared_function(module, name, _SIZE, [_PLACE], write, "alwaysinline", "nounwind")
