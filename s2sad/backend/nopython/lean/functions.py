"""Functions that are written once in a module, and called wherever they are needed.

In: an LLVM module, and what writes the body. Out: the function, written by the first who asks::

    shared_function(module, "s2sad_dot", ...)   ->   one function, however many dot products
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from llvmlite import ir

__all__ = ["shared_function"]


def shared_function(
    module: ir.Module,
    name: str,
    result: Any,
    kinds: Sequence[Any],
    write: Callable[[Any, Any], None],
    *attributes: str,
) -> ir.Function:
    """The function of that name; ``write`` takes a builder and the arguments."""
    known = module.globals.get(name)
    if known is None:
        known = ir.Function(module, ir.FunctionType(result, list(kinds)), name)
        known.linkage = "linkonce_odr"
        written_once = () if "alwaysinline" in attributes else ("noinline",)
        for attribute in (*written_once, *attributes):
            known.attributes.add(attribute)
        write(ir.IRBuilder(known.append_basic_block("entry")), known.args)
    return known
