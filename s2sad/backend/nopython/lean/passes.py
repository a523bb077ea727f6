"""Numba's passes for what emitted code has not, left out.

In: what Numba knows of the function that it compiles. Out: the same as after the pass: each goes
through all statements, works out what lives where a few times, and finds nothing to do::

    a function with no function in it   ->   no search for functions to inline
"""

from __future__ import annotations

import types as python
from typing import Any

from numba import types
from numba.core import ir
from numba.core.compiler_machinery import register_pass
from numba.core.typed_passes import BaseNativeLowering, NopythonRewrites
from numba.core.untyped_passes import InlineClosureLikes

from .lowering import LeanLower

__all__ = ["LeanClosures", "LeanLowering", "LeanRewrites"]


@register_pass(mutates_CFG=True, analysis_only=False)
class LeanClosures(InlineClosureLikes):  # type: ignore[misc]
    """Functions within functions, reductions and arrays of lists are written out."""

    _name = "s2sad_closures"
    _NAMES = frozenset({"array", "reduce", "stencil"})

    def run_pass(self, state: Any) -> bool:
        """Called by Numba; whether anything changed."""
        code = state.func_id.code
        within = any(isinstance(value, python.CodeType) for value in code.co_consts)
        if within or not self._NAMES.isdisjoint(code.co_names):
            return bool(super().run_pass(state))
        return False


@register_pass(mutates_CFG=True, analysis_only=False)
class LeanRewrites(NopythonRewrites):  # type: ignore[misc]
    """Expressions of arrays become one loop."""

    _name = "s2sad_rewrites"

    def run_pass(self, state: Any) -> bool:
        """Called by Numba; whether anything changed."""
        if any(isinstance(kind, types.StringLiteral) for kind in state.typemap.values()):
            return bool(super().run_pass(state))
        for block in state.func_ir.blocks.values():
            for inst in block.find_insts(ir.Assign):
                if isinstance(state.typemap.get(inst.target.name), types.Array) and isinstance(
                    inst.value, ir.Expr
                ):
                    if inst.value.op in ("binop", "unary", "inplace_binop"):
                        return bool(super().run_pass(state))
                    if inst.value.op == "call" and self._is_ufunc(inst.value, state):
                        return bool(super().run_pass(state))
        return False

    def _is_ufunc(self, call: Any, state: Any) -> bool:
        """Whether this calls what computes element by element."""
        known = state.typemap[call.func.name]
        return isinstance(known, types.Function) and hasattr(known.typing_key, "nin")


@register_pass(mutates_CFG=True, analysis_only=False)
class LeanLowering(BaseNativeLowering):  # type: ignore[misc]
    """The pass that writes LLVM's text."""

    _name = "s2sad_lowering"

    @property
    def lowering_class(self) -> Any:
        """What writes it."""
        return LeanLower

    def run_pass(self, state: Any) -> bool:
        """Called by Numba."""
        if state.library is None:
            state.library = state.targetctx.codegen().create_library(state.func_id.func_qualname)
            state.library.enable_object_caching()
        if not state.targetctx.is_writing(state.library):
            inner = state.flags.no_cpython_wrapper and state.flags.no_cfunc_wrapper
            state.library.taken_over = inner and not state.found_by_name
        return bool(super().run_pass(state))
