"""Machine code for the function that is called, not for those it was made of.

In: Numba's codegen, while it compiles one function and, for that, the functions it calls. Out: the
same libraries of LLVM's text, of which only that of the outermost function becomes machine code.
Numba optimises each and compiles it to machine code before it links its text into the next, where
it is optimised and compiled again::

    np.linalg.solve in a derivative   ->   forty libraries, of which one is compiled

A library that is asked for the address of a function is compiled then. The environments that
functions keep Python's objects in are symbols; they are defined before the code that refers to
them is loaded, so that it does not matter which library comes first.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import llvmlite.binding as binding
from llvmlite import ir
from numba.core.codegen import JITCodeLibrary, RuntimeLinker

__all__ = ["linked_once"]

#: What is overridden below; a Numba that has them under other names compiles as it always does.
_NEEDED = ("_optimize_final_module", "_finalize_final_module", "get_pointer_to_function")
#: The libraries that wait, in order, with the environments that are not defined yet.
_waiting: list[_Part] = []


class _Part(JITCodeLibrary):  # type: ignore[misc]
    """The library of a function that another one calls: text, until its address is wanted."""

    _waits = True
    _environment: tuple[str, Any] | None = None

    def _optimize_final_module(self) -> None:
        # A function that calls itself finds itself by its address.
        names = (known.name for known in self._final_module.global_variables)
        if any(name.startswith(RuntimeLinker.PREFIX) for name in names):
            self._waits = False
        if not self._waits:
            super()._optimize_final_module()

    def _finalize_final_module(self) -> None:
        if self._shared_module is not None:  # machine code from disk
            self._waits = False
        if not self._waits:
            super()._finalize_final_module()
            return
        self._finalize_dynamic_globals()
        self._verify_declare_only_symbols()
        self._finalized = True
        _waiting.append(self)

    def _compile(self) -> None:
        """Machine code after all."""
        if self._waits:
            self._waits = False
            _define_environments(self._codegen)
            super()._optimize_final_module()
            self._final_module.verify()
            super()._finalize_final_module()

    def get_pointer_to_function(self, name: str) -> Any:
        """Numba asks every library for its entry from Python, which parts have not."""
        self._ensure_finalized()
        if self._waits and not _defines(self._final_module, name):
            return 0
        self._compile()
        return super().get_pointer_to_function(name)

    def serialize_using_object_code(self) -> Any:
        """What is kept on disk is machine code."""
        self._ensure_finalized()
        self._compile()
        return super().serialize_using_object_code()

    @property
    def codegen(self) -> Any:
        """Numba's, but that environments wait with their library."""
        return _Environments(self) if self._waits else self._codegen


class _Whole(JITCodeLibrary):  # type: ignore[misc]
    """The library of the outermost function, which its parts are linked into."""

    def _finalize_final_module(self) -> None:
        _define_environments(self._codegen)
        super()._finalize_final_module()


class _Environments:
    """A codegen that keeps the environment of one library until it is defined."""

    def __init__(self, library: _Part) -> None:
        self._library = library

    def __getattr__(self, name: str) -> Any:
        return getattr(self._library._codegen, name)

    def set_env(self, name: str, environment: Any) -> None:
        """Called by Numba once the function is compiled."""
        self._library._environment = name, environment


def _define_environments(codegen: Any) -> None:
    """Symbols for the environments of all libraries that wait, which stay what they are."""
    found = dict(part._environment for part in _waiting if part._environment is not None)
    _waiting.clear()
    new = [name for name in found if not codegen._engine.is_symbol_defined(name)]
    if new:
        module = codegen._create_empty_module("s2sad_environments")
        pointer = ir.IntType(8).as_pointer()
        for name in new:
            symbol = ir.GlobalVariable(module, pointer, name)
            symbol.linkage = "common"
            symbol.initializer = ir.Constant(pointer, None)
        codegen._add_module(binding.parse_assembly(str(module)))
        codegen._engine.finalize_object()
    for name, environment in found.items():
        codegen.set_env(name, environment)


def _defines(module: Any, name: str) -> bool:
    try:
        return not module.get_function(name).is_declaration
    except NameError:
        return False


@contextmanager
def linked_once(codegen: Any, name: str) -> Iterator[Any]:
    """A library for the outermost function; those that are made meanwhile are its parts.

    Gives None where this cannot be: Numba then makes its own.
    """
    usual = codegen._library_class
    if usual is not JITCodeLibrary or not all(hasattr(usual, n) for n in _NEEDED):
        yield None
        return
    whole = _Whole(codegen, name)
    whole.enable_object_caching()
    codegen._library_class = _Part
    try:
        yield whole
    finally:
        del codegen._library_class
        _define_environments(codegen)
