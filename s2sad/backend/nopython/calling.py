"""Derivatives called from the user's own compiled code.

In: a derivative object, as a global of a function that Numba compiles. Out: Numba knows its type,
and that to call it is to call code compiled for the types of the arguments::

    slope = grad(f, backend="numba")

    @njit(parallel=True)
    def slopes(xs):
        out = np.empty_like(xs)
        for i in prange(len(xs)):
            out[i] = slope(xs[i])
        return out

What the differentiated function reads from outside is frozen, as Numba freezes globals.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any
from weakref import WeakKeyDictionary

from llvmlite import ir
from numba import njit, types
from numba.core import errors
from numba.core.compiler_lock import global_compiler_lock
from numba.core.imputils import lower_constant
from numba.extending import (
    NativeValue,
    models,
    register_model,
    typeof_impl,
    unbox,
)

from ...derivative import Derivative
from ...directional import Jvp
from ...errors import S2sadError, UnsupportedError
from ...ir.kinds import BOOL, COMPLEX, FLOAT, INT, Array, Kind, ListOf, Num, Sym, Tuple
from ...transform.target import for_compiler
from . import fourier_loops, ufunc_loops
from .compile import compile_nopython

__all__ = ["DerivativeType", "install", "kind_of_type"]


class _CalledType(types.Callable, types.Opaque):  # type: ignore[misc]
    """The type of one object: what its calls mean depends on nothing else."""

    def __init__(self, subject: Any) -> None:
        self.subject = subject
        self._compiled: dict[Any, Any] = {}
        super().__init__(name=f"{subject!r} at {id(subject):#x}")

    @property
    def key(self) -> Any:
        return id(self.subject)

    def get_call_signatures(self) -> tuple[tuple[()], bool]:
        return (), False

    def dispatcher(self, args: Sequence[Any], kws: Any) -> tuple[Any, tuple[Any, ...]]:
        """Compiled code for a call, and the types of what it is called with."""
        raise NotImplementedError

    def get_call_type(self, context: Any, args: Sequence[Any], kws: Any) -> Any:
        """The signature of a call with arguments of these types."""
        dispatcher, given = self.dispatcher(args, kws)
        template, pysig, folded, more = dispatcher.get_call_template(given, {})
        signature = template(context).apply(folded, more)
        if signature is not None:
            signature = signature.replace(pysig=pysig)
            self._compiled[signature.args] = dispatcher
        return signature

    def get_impl_key(self, signature: Any) -> Any:
        """What the compiled code of such a call is found by."""
        return self._compiled[signature.args].get_overload(signature.args)


class DerivativeType(_CalledType):
    """The type of one derivative object."""

    def dispatcher(self, args: Sequence[Any], kws: Any) -> tuple[Any, tuple[Any, ...]]:
        """The derivative for arguments of these types."""
        try:
            bound = self.subject.__s2sad_layout__.bind(tuple(args), dict(kws))
            given = tuple(map(_as_type, bound))
            if given not in self._compiled:
                self._compiled[given] = _compile(self.subject, given)
        except S2sadError as error:
            raise errors.TypingError(str(error)) from None
        return self._compiled[given], given


class JvpType(_CalledType):
    """The type of one `Jvp`: called with a tuple of arguments and one of tangents."""

    def dispatcher(self, args: Sequence[Any], kws: Any) -> tuple[Any, tuple[Any, ...]]:
        """The derivative for the arguments that have tangents."""
        if len(args) != 2 or kws or not all(isinstance(t, types.BaseTuple) for t in args):
            raise errors.TypingError("jvp takes the arguments as a tuple, and the tangents")
        primals, tangents = args
        if len(primals) != len(tangents) or not len(primals):
            raise errors.TypingError("jvp takes a tangent, or None, for each argument")
        moved = tuple(
            n for n, t in enumerate(tangents.types) if not isinstance(t, types.NoneType)
        ) or tuple(range(len(primals)))
        given = [f"primals[{n}]" for n in range(len(primals))]
        given += [f"tangents[{n}]" for n in moved]
        text = f"def call(primals, tangents):\n    return along({', '.join(given)})\n"
        scope: dict[str, Any] = {"along": self.subject.along(moved)}
        exec(compile(text, "<s2sad call>", "exec"), scope)
        return njit(scope["call"]), tuple(args)


def _as_type(value: Any) -> Any:
    from numba import typeof

    return value if isinstance(value, types.Type) else typeof(value)


class _Unknown:
    """Stands for an argument whose value is not known while code is compiled."""

    def __repr__(self) -> str:
        return "a value known only when it runs"


def _compile(derivative: Derivative, given: tuple[Any, ...]) -> Any:
    layout = derivative.__s2sad_layout__
    kinds = tuple(kind_of_type(t, name) for t, name in zip(given, layout.names, strict=True))
    kinds = tuple(
        FLOAT if n in derivative.__s2sad_wrt__ and kind == INT else kind
        for n, kind in enumerate(kinds)
    )
    with for_compiler():
        program = derivative.__s2sad_program__(tuple(_Unknown() for _ in given), kinds)
    for guard in program.guards:
        if guard.fetch.form == "param":
            raise UnsupportedError(
                f"{layout.function.__qualname__} depends on the value of an argument in a way "
                "that compiled code cannot check: call the derivative from Python"
            )
    backend = derivative.transform.backend
    made = compile_nopython(
        program.module,
        fastmath=backend is not None and backend.fastmath,
        parallel=backend is not None and backend.parallel,
        boundscheck=backend is None or backend.boundscheck,
        assuming=False,  # nobody is there to compile it again
    )
    if not made.door.is_open:
        raise UnsupportedError(
            f"{layout.function.__qualname__} takes or returns dicts, lists or records, which "
            "compiled code cannot pass: use tuples"
        )
    captures = tuple(fetch.get(()) for fetch in program.captures)
    if not captures:
        return made.dispatcher
    return _with_captures(made.dispatcher, len(given), captures)


def _with_captures(inner: Any, count: int, captures: tuple[Any, ...]) -> Any:
    """``inner`` with the values it reads from outside filled in."""
    scope: dict[str, Any] = {"inner": inner}
    scope.update({f"c{n}": value for n, value in enumerate(captures)})
    names = [f"x{n}" for n in range(count)]
    filled = ", ".join([*names, *(f"c{n}" for n in range(len(captures)))])
    text = f"def call({', '.join(names)}):\n    return inner({filled})\n"
    exec(compile(text, "<s2sad call>", "exec"), scope)
    return njit(scope["call"])


_SCALARS: dict[Any, Num] = {
    types.float64: FLOAT,
    types.int64: INT,
    types.boolean: BOOL,
    types.complex128: COMPLEX,
}


def kind_of_type(given: Any, path: Any = None) -> Kind:
    """The kind of values of a Numba type; sizes are symbols that may be one.

    Raises UnsupportedError for types that have no kind.
    """
    if isinstance(given, types.Literal):
        given = types.unliteral(given)
    if given in _SCALARS:
        return _SCALARS[given]
    match given:
        case types.Integer() | types.Float() | types.Complex():
            return Num(str(given), False)
        case types.Array():
            dims = tuple(Sym((path, axis)) for axis in range(given.ndim))
            dtype = "bool" if given.dtype == types.boolean else str(given.dtype)
            return Array(dtype, dims)
        case types.BaseTuple():
            cls = getattr(given, "instance_class", None)
            items = tuple(kind_of_type(t, (path, n)) for n, t in enumerate(given.types))
            return Tuple(items, cls)
        case types.ListType():
            return ListOf(kind_of_type(given.item_type))
    raise UnsupportedError(f"compiled code passes a {given} to a derivative, which takes none")


@functools.cache
def install() -> None:
    """Tell Numba about derivative objects; further calls do nothing."""
    with global_compiler_lock:  # no other thread infers types, or is here, meanwhile
        _install()


@functools.cache
def _install() -> None:
    ufunc_loops.register()  # the caller's own code may come from disk
    fourier_loops.register()
    typeof_impl.register(Derivative)(lambda value, context: _type_of(value))
    typeof_impl.register(Jvp)(lambda value, context: _type_of_jvp(value))
    for known in (DerivativeType, JvpType):
        register_model(known)(models.OpaqueModel)
        lower_constant(known)(_constant)
        unbox(known)(_unbox)


_PLACE = ir.IntType(8).as_pointer()


def _constant(context: Any, builder: Any, ty: Any, value: Any) -> Any:
    # An address keeps Numba from writing the caller's machine code to disk: that could be read in
    # when the function that is differentiated, or what it reads from outside, is another.
    place = context.add_dynamic_addr(builder, id(value), info=str(ty)).operands[0]
    if "llvm.used" not in builder.module.globals:
        kind = ir.ArrayType(_PLACE, 1)
        kept = ir.GlobalVariable(builder.module, kind, "llvm.used")
        kept.linkage, kept.section = "appending", "llvm.metadata"
        kept.initializer = ir.Constant(kind, [place.bitcast(_PLACE)])
    return context.get_dummy_value()


def _unbox(ty: Any, value: Any, c: Any) -> NativeValue:
    return NativeValue(c.context.get_dummy_value())


#: The types of jvps that compiled code has met; a jvp has no room for its own.
_types_of_jvps: WeakKeyDictionary[Jvp, JvpType] = WeakKeyDictionary()


def _type_of_jvp(jvp: Jvp) -> JvpType:
    found = _types_of_jvps.get(jvp)
    if found is None:
        found = _types_of_jvps[jvp] = JvpType(jvp)
    return found


def _type_of(derivative: Derivative) -> DerivativeType:
    found = derivative.__dict__.get("_numba_type")
    if found is None:
        found = derivative.__dict__["_numba_type"] = DerivativeType(derivative)
    return found
