"""What LLVM does to functions, and when.

In: the text of a function, as LLVM has read it. Out: its machine code. Numba has all of LLVM's
passes go through each function by itself, once more when it has been brought together with what it
calls, and again in each function that calls it. Here a function is put into registers::

    %x = alloca; store 1.0, %x; load %x   ->   1.0

and handed on to those that call it; the one that Python calls is optimized with all of them.
"""

from __future__ import annotations

from typing import Any

from llvmlite.binding import newpassmanagers
from numba.core import codegen

__all__ = ["lean_codegen"]


#: How names of functions begin that Python calls.
_FOR_PYTHON = "_ZN7cpython"


class _Library(codegen.JITCodeLibrary):  # type: ignore[misc]
    """Numba's library of machine code, which does less twice."""

    #: Whether this is called from compiled code alone, which takes it over before it is optimized.
    taken_over = False

    def _optimize_final_module(self) -> None:
        """Called by Numba when all is there that is called here."""
        if not self.taken_over:
            super()._optimize_final_module()

    def _finalize_final_module(self) -> None:
        """Called by Numba to make machine code."""
        if not self.taken_over:
            super()._finalize_final_module()
            return
        self._finalize_dynamic_globals()
        self._verify_declare_only_symbols()
        self._finalized = True

    def add_ir_module(self, ir_module: Any) -> None:
        """Called by Numba for each module, that of what Python calls among them.

        Which reads the arguments and calls the function, once: LLVM leaves it as it is.
        """
        for function in ir_module.functions:
            if function.name.startswith(_FOR_PYTHON):
                function.attributes.add("noinline")
                function.attributes.add("optnone")
        super().add_ir_module(ir_module)

    def _optimize_functions(self, ll_module: Any) -> None:
        """Called by Numba for each module that is added."""
        ll_module.data_layout = self._codegen._data_layout
        builder = self._codegen._pass_builder()
        passes = newpassmanagers.create_new_function_pass_manager()
        passes.add_sroa_pass()
        passes.add_simplify_cfg_pass()
        passes.add_instruction_combine_pass()  # or conditions are told apart too late
        passes.add_simplify_cfg_pass()
        passes.add_refprune_pass(codegen._parse_refprune_flags())
        for function in ll_module.functions:
            if not function.is_declaration:
                passes.run(function, builder)


class _Codegen(codegen.JITCPUCodegen):  # type: ignore[misc]
    """Numba's codegen, whose libraries are ours."""

    _library_class = _Library


def lean_codegen(usual: Any) -> Any:
    """A codegen of Numba's, of which nothing is copied, as one of ours."""
    if type(usual) is not codegen.JITCPUCodegen or not codegen.config.LLVM_REFPRUNE_PASS:
        return usual
    made = usual.__dict__.get("_s2sad_lean")
    if made is None:
        made = usual.__dict__["_s2sad_lean"] = object.__new__(_Codegen)
        made.__dict__ = usual.__dict__
    return made
