"""How Numba compiles emitted code: what it would do anyway, in less time.

In: a function of emitted text, through ``njit(f, pipeline_class=compiler())``. Out: its machine
code, which computes the same. Loops and elements are written as `lowering` writes them, and LLVM
does less of two things that cost more than all others and gain little on such loops:

- it writes a loop once for each outcome of a condition that does not change in it: every axis
  that Numba may have to stretch is such a condition, and four axes of three arrays explode;
- it looks for other counters of loops ("loop strength reduction").

What Numba compiles on the way, `np.empty` and all of our own helpers, it compiles to be called
from Python and from C as well, which nobody can do. That takes a seventh of all the time, and is
left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

import llvmlite.binding as llvm
import numba
from numba.core.compiler import Compiler, CompilerBase, DefaultPassBuilder
from numba.core.target_extension import CPU, jit_registry
from numba.core.typed_passes import NativeLowering, NopythonRewrites
from numba.core.untyped_passes import InlineClosureLikes

from ....collecting import without_collecting
from .context import LeanContext, LeanTyping, answering, lean
from .passes import LeanClosures, LeanLowering, LeanRewrites
from .quick import quick

__all__ = ["LeanCompiler", "compiler", "within"]


_LEAN = {
    InlineClosureLikes: LeanClosures,
    NopythonRewrites: LeanRewrites,
    NativeLowering: LeanLowering,
}


class LeanCompiler(CompilerBase):  # type: ignore[misc]
    """Numba's compiler of nopython mode, with passes and contexts of our own."""

    #: Whether Numba looks for machine code of these functions by their names.
    found_by_name = False

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.state["found_by_name"] = self.found_by_name
        self.state.typingctx = lean(self.state.typingctx, LeanTyping)
        self.state.targetctx = lean(self.state.targetctx, LeanContext)

    def define_pipelines(self) -> list[Any]:
        """Numba's passes; loops that run in parallel keep Numba's own lowering."""
        passes = DefaultPassBuilder.define_nopython_pipeline(self.state)
        passes.passes = [(_LEAN.get(known, known), text) for known, text in passes.passes]
        passes.finalize()
        return [passes]

    def compile_extra(self, func: Any) -> Any:
        """Called by Numba, which holds its lock: no other thread compiles meanwhile."""
        with without_collecting(), quick(), answering(), _lean_llvm(), _lean_callees():
            return super().compile_extra(func)


class RecursiveCompiler(LeanCompiler):
    """The same for functions that call each other in a circle."""

    found_by_name = True


LeanContext.pipeline = LeanCompiler


@contextmanager
def _lean_callees() -> Iterator[None]:
    """Functions of NumPy and Python that Numba has in Python are compiled as emitted code is."""
    usual = jit_registry.pop(CPU)

    def jit(*given: Any, **options: Any) -> Any:
        return usual(*given, **{**within(), **options})

    jit_registry[CPU] = jit
    try:
        yield
    finally:
        del jit_registry[CPU]
        jit_registry[CPU] = usual


#: Versions of Numba whose lowering is known to be what `LeanLower` builds on.
_KNOWN = frozenset({(0, 68)})


def compiler(*, found_by_name: bool = False) -> type[CompilerBase]:
    """The compiler of emitted code: Numba's own where it is a version nobody has tried."""
    if numba.version_info.short not in _KNOWN:
        return cast("type[CompilerBase]", Compiler)
    return RecursiveCompiler if found_by_name else LeanCompiler


def within() -> dict[str, Any]:
    """Options of functions that are called from compiled code alone, not from Python or C."""
    return {"pipeline_class": compiler(), "no_cpython_wrapper": True, "no_cfunc_wrapper": True}


#: What LLVM is told while it compiles emitted code, and what it is told afterwards.
_OPTIONS = (
    ("-disable-lsr=true", "-disable-lsr=false"),
    ("-unswitch-threshold=25", "-unswitch-threshold=50"),
)
#: Versions of LLVM that are known to have them: it ends the process if it has not.
_HAVE_OPTIONS = range(14, 23)
#: How many functions of ours are being compiled, each for the one before.
_depth = 0


@contextmanager
def _lean_llvm() -> Iterator[None]:
    """LLVM with `_OPTIONS`, until the outermost function is compiled."""
    global _depth
    if llvm.llvm_version_info[0] not in _HAVE_OPTIONS:
        yield
        return
    _depth += 1
    try:
        if _depth == 1:
            for chosen, _ in _OPTIONS:
                llvm.set_option("", chosen)
        yield
    finally:
        _depth -= 1
        if _depth == 0:
            for _, usual in _OPTIONS:
                llvm.set_option("", usual)
