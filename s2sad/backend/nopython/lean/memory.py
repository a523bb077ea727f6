"""Memory of arrays: who holds it, where it begins, and that no two share it.

In: what Numba asks of its runtime while it compiles. Out: LLVM's text, as Numba writes it but for
arrays: of these the one field is read that counts who holds them, where Numba reads all; and the
numbers of an array that is made are told to lie in what was just allocated, where Numba reads the
address back from it, so that LLVM cannot know that two new arrays do not overlap::

    data = load(memory)   ->   data = memory + (load(memory) - memory)
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir as llvm
from numba import types
from numba.core.runtime.context import NRTContext

__all__ = ["LeanRuntime", "memory_field"]

_SIZE = llvm.IntType(64)


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
        offset = builder.sub(builder.ptrtoint(data, _SIZE), builder.ptrtoint(meminfo, _SIZE))
        return builder.gep(meminfo, [offset], inbounds=True)
