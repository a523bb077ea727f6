"""What Numba asks about functions while it compiles emitted code.

In: the contexts that Numba infers types and writes LLVM's text with. Out: the same contexts, which
know our own code (`own`) for what derivatives are made of, and Numba's for all else.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar, cast

from numba import types
from numba._dynfunc import make_function
from numba.core import compiler
from numba.core.cpu import CPUContext
from numba.core.typing import Context
from numba.core.typing.templates import signature
from numba.np import arrayobj

from . import arrays, matrices, numbers, reducing, stacks, systems, views
from .libraries import lean_codegen
from .memory import LeanRuntime
from .own import Own

__all__ = ["LeanContext", "LeanTyping", "answering", "is_own", "lean"]

_Context = TypeVar("_Context")
_OWN: dict[Any, Own] = {
    **arrays.TABLE,
    **matrices.TABLE,
    **numbers.TABLE,
    **reducing.TABLE,
    **stacks.TABLE,
    **systems.TABLE,
    **views.TABLE,
}


#: What calls of Numba's functions give, by their arguments' types, of each function that is being
#: compiled: inference asks until it learns nothing new, and Numba tries all that it has each time.
_answers: list[dict[Any, Any]] = []


@contextmanager
def answering() -> Iterator[None]:
    """The types of one function are inferred within."""
    _answers.append({})
    try:
        yield
    finally:
        _answers.pop()


class LeanTyping(Context):  # type: ignore[misc]
    """What calls give, by their arguments' types."""

    def resolve_function_type(self, func: Any, args: Any, kws: Any) -> Any:
        """The signature of a call."""
        found = _OWN.get(getattr(func, "typing_key", func))
        if found is not None:
            given = tuple(args if found.by_constants else map(types.unliteral, args))
            if isinstance(func, types.BoundFunction):
                made = found.signature((func.this, *given), dict(kws))
                made = made and signature(made.return_type, *given, recvr=func.this)
            else:
                made = found.signature(given, dict(kws))
            if made is not None:
                return made
        numbas = isinstance(func, types.Function) or func is operator.getitem
        if kws or not numbas or not _answers:
            return super().resolve_function_type(func, args, kws)
        asked = func, tuple(args)
        answer = _answers[-1].get(asked)
        if answer is None:
            answer = super().resolve_function_type(func, args, kws)
            if all(kind.is_precise() for kind in args):
                _answers[-1][asked] = answer
        return answer

    def resolve_value_type(self, val: Any) -> Any:
        """What slices of another shape raise is a function of ours."""
        if val is arrayobj.raise_with_shape_context:
            return _ShapesDiffer()
        return super().resolve_value_type(val)


class LeanContext(CPUContext):  # type: ignore[misc]
    """How calls are written down. ``pipeline`` is the compiler of what they call."""

    pipeline: Any = compiler.Compiler

    @property
    def typing_context(self) -> Any:
        """What the types of functions within are inferred with."""
        return lean(self.__dict__["typing_context"], LeanTyping)

    @typing_context.setter
    def typing_context(self, context: Any) -> None:
        self.__dict__["typing_context"] = context

    def codegen(self) -> Any:
        """What makes machine code."""
        return lean_codegen(super().codegen())

    @property
    def nrt(self) -> Any:
        """What asks for memory, and counts who holds it."""
        return LeanRuntime(self, self.enable_nrt)

    def get_function(self, fn: Any, sig: Any, _firstcall: bool = True) -> Any:
        """What writes a call down, given the builder and the values."""
        if isinstance(fn, _ShapesDiffer):
            return self._written(arrays.shapes_differ, sig)
        key = getattr(fn, "typing_key", None)
        if is_own(key, sig):
            return self._written(_OWN[key].code, sig.as_function())
        return super().get_function(fn, sig, _firstcall)

    def get_getattr(self, typ: Any, attr: str) -> Any:
        """What writes an attribute down."""
        if type(typ) is types.Array and attr in views.ATTRIBUTES:
            return views.ATTRIBUTES[attr]
        return super().get_getattr(typ, attr)

    def get_executable(self, library: Any, fndesc: Any, env: Any) -> Any:
        """What Python calls, of which there is none for code that others take over."""
        library._ensure_finalized()
        if not library.taken_over:
            return super().get_executable(library, fndesc, env)
        name = fndesc.qualname
        return make_function(fndesc.lookup_module(), name, "", 0, env, (library,))

    def is_writing(self, library: Any) -> bool:
        """Whether functions are being added to this library."""
        return any(library is known for known in self._codelib_stack)

    def get_env_manager(self, builder: Any, return_pyobject: bool = False) -> Any:
        """Where a function's own Python objects are, for which it has to be machine code."""
        self.active_code_library.taken_over = False
        return super().get_env_manager(builder, return_pyobject)

    def build_list(self, builder: Any, list_type: Any, items: Any) -> Any:
        """A list of some items; an empty one is a stack."""
        if not items and stacks.is_stack(list_type):
            return stacks.new_stack(self, builder, list_type)
        return super().build_list(builder, list_type, items)

    def compile_internal(
        self, builder: Any, impl: Any, sig: Any, args: Any, locals: Any = None
    ) -> Any:
        """What Numba's own code calls within; memory is asked for at once."""
        if impl is arrayobj._call_allocator:
            return self.nrt.meminfo_alloc_aligned(builder, *args[1:])
        return super().compile_internal(builder, impl, sig, args, locals)

    def _compile_subroutine_no_cache(
        self, builder: Any, impl: Any, sig: Any, locals: Any = None, flags: Any = None
    ) -> Any:
        """Python's code that is called within is compiled as emitted code is."""
        usual = compiler.Compiler
        compiler.Compiler = self.pipeline
        try:
            return super()._compile_subroutine_no_cache(builder, impl, sig, locals, flags)
        finally:
            compiler.Compiler = usual

    def _written(self, code: Callable[..., Any], sig: Any) -> Callable[..., Any]:
        return lambda builder, args, loc=None: code(self, builder, sig, args)


def is_own(key: Any, sig: Any) -> bool:
    """Whether a call of this function has code of ours."""
    found = _OWN.get(key)
    if found is None:
        return False
    sig = sig.as_function()
    return bool(found.result(sig.args) == sig.return_type)


def lean(context: Any, seen_as: type[_Context]) -> _Context:
    """A context, of which nothing is copied, as another class: each time the same object.

    Numba looks up what it has compiled by the context that it inferred its types with.
    """
    known = context.__dict__.setdefault("_s2sad_lean", {})
    if seen_as not in known:
        known[seen_as] = made = object.__new__(seen_as)
        made.__dict__ = context.__dict__
    return cast("_Context", known[seen_as])


class _ShapesDiffer(types.Callable, types.Opaque):  # type: ignore[misc]
    """The type of the function that raises where a slice is given another shape."""

    def __init__(self) -> None:
        super().__init__("s2sad.shapes_differ")

    def get_call_type(self, context: Any, args: Any, kws: Any) -> Any:
        """Of two shapes, nothing."""
        return signature(types.none, *args)

    def get_call_signatures(self) -> Any:
        """For messages."""
        return [], False

    def get_impl_key(self, sig: Any) -> Any:
        """Numba's question, which `LeanContext` answers before."""
        return type(self)
