"""Short arrays of one function.

In: the typed IR of a function that Numba compiles. Out: the variables of arrays of a known length
of which nothing is used but single elements, with that length. Such an array has no need to be an
object: it lives on the stack, and LLVM knows that nobody else can reach it::

    row = np.empty(64)
    for j in range(n): row[j] = a[j] ** 2     ->   row: 64
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import types
from numba.core import ir

from .signs import constant

__all__ = ["local_arrays"]

#: The most elements that an array on the stack may have.
_MOST = 256


def local_arrays(func_ir: Any, fndesc: Any) -> dict[str, int]:
    """The variables of such arrays, with their lengths.

    An array has one name: where it is made again, nobody knows the one before any more.
    """
    if func_ir.func_id.is_generator:
        return {}
    kinds = fndesc.typemap
    found: dict[str, int] = {}
    written: dict[str, int] = {}
    for block in func_ir.blocks.values():
        for inst in block.find_insts(ir.Assign):
            name = inst.target.name
            written[name] = written.get(name, 0) + 1
            if kinds.get(name) == types.Array(types.float64, 1, "C"):
                if (count := _count(inst.value, kinds)) is not None:
                    found[name] = count
    wrong = {name for name in found if written[name] != 1} | _used_otherwise(func_ir, found, kinds)
    return {name: count for name, count in found.items() if name not in wrong}


def _count(call: Any, kinds: Any) -> int | None:
    """The number of elements that ``np.empty`` is called for, if that is known and small."""
    if getattr(call, "op", None) != "call" or call.kws or call.vararg or len(call.args) != 1:
        return None
    if getattr(kinds.get(call.func.name), "typing_key", None) is not np.empty:
        return None
    count = constant(kinds.get(call.args[0].name))
    return count if count is not None and 0 < count <= _MOST else None


def _used_otherwise(func_ir: Any, names: dict[str, int], kinds: Any) -> set[str]:
    """Those of the arrays that are used for more than single elements."""
    wrong: set[str] = set()
    for block in func_ir.blocks.values():
        for inst in block.body:
            of = None
            match inst:
                case ir.Del():
                    continue
                case ir.Assign(value=ir.Expr(op="getitem")):
                    if isinstance(kinds.get(inst.value.index.name), types.Integer):
                        of = inst.value.value.name
                case ir.SetItem():
                    whole = isinstance(kinds.get(inst.index.name), types.Integer)
                    if whole and _is_number(inst.value, kinds):
                        of = inst.target.name
            made = inst.target.name if isinstance(inst, ir.Assign) else None
            used = {v.name for v in inst.list_vars()} - {of, made}
            wrong |= used.intersection(names)
    return wrong


def _is_number(var: Any, kinds: Any) -> bool:
    return isinstance(kinds.get(var.name), types.Integer | types.Float | types.Boolean)
