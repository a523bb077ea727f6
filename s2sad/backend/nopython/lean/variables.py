"""Variables in few instructions.

In: the typed IR of a function that Numba compiles. Out: LLVM's text of what it keeps, forgets and
counts, as Numba writes it but without what changes nothing: numbers are not forgotten, of arrays
one field is read to give them back, and a tuple that only indexes is never made::

    del n            ->   (nothing)
    x[(i, j)] = 0.0  ->   the place of i and j in x
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir as llvm
from numba import types
from numba.core import cgutils, ir
from numba.core.lowering import Lower

from .memory import memory_field

__all__ = ["LeanVariables"]


class LeanVariables(Lower):  # type: ignore[misc]
    """Numba's lowering of variables, with few instructions."""

    def init(self) -> None:
        """Called by Numba before anything is written."""
        super().init()
        #: The parts of tuples that are known in this block, and their names.
        self._tuples: dict[str, tuple[list[Any], list[str]]] = {}

    def pre_block(self, block: Any) -> None:
        """Parts of tuples are known within a block only."""
        super().pre_block(block)
        self._tuples.clear()

    def loadvar(self, name: str) -> Any:
        """The value of a variable; a tuple is made where somebody wants it whole."""
        if name in self._tuples and name not in self._blk_local_varmap:
            parts, _ = self._tuples[name]
            kind = self.typeof(name)
            self._blk_local_varmap[name] = self.context.make_tuple(self.builder, kind, parts)
        return super().loadvar(name)

    def storevar(self, value: Any, name: str, argidx: Any = None) -> None:
        """Keep a value; what was there before is given back."""
        if argidx is not None or self.generator_info or name in self._singly_assigned_vars:
            super().storevar(value, name, argidx)
            return
        kind = self.typeof(name)
        field = memory_field(self.context, kind)
        if field is None and self._holds_memory(kind):
            super().storevar(value, name)
            return
        self._alloca_var(name, kind)
        slot = self.getvar(name)
        assert value.type == slot.type.pointee
        if field is not None:
            self._give_back(slot, field)
        self.builder.store(value, slot)

    def delvar(self, name: str) -> None:
        """Forget a variable; what holds no memory may stay."""
        kind = self.typeof(name)
        if self.generator_info:
            super().delvar(name)
            return
        if not self._holds_memory(kind):
            return
        field = memory_field(self.context, kind)
        if field is None or name in self._blk_local_varmap or name in self._singly_assigned_vars:
            super().delvar(name)
            return
        self._alloca_var(name, kind)
        place = self._give_back(self.getvar(name), field)
        self.builder.store(llvm.Constant(place.type.pointee, None), place)

    def _give_back(self, slot: Any, field: int) -> Any:
        """Hold the array in a slot no longer. Where it keeps what counts its holders."""
        place = cgutils.gep_inbounds(self.builder, slot, 0, field)
        memory = types.MemInfoPointer(types.voidptr)
        self.decref(memory, self.builder.load(place))
        return place

    def _holds_memory(self, kind: Any) -> bool:
        return bool(self.context.data_model_manager[kind].contains_nrt_meminfo())

    def remember_tuple(self, name: str, value: Any) -> bool:
        """Note the parts of a tuple of numbers, until it is wanted whole; whether this is one."""
        if not isinstance(value, ir.Expr) or value.op != "build_tuple":
            return False
        kind = self.typeof(name)
        local = name in self._singly_assigned_vars and isinstance(kind, types.BaseTuple)
        if not local or self._holds_memory(kind):
            return False
        names = [v.name for v in value.items]
        parts = [
            self.context.cast(self.builder, self.loadvar(part), self.typeof(part), t)
            for part, t in zip(names, kind.types, strict=True)
        ]
        self._tuples[name] = parts, names
        return True
