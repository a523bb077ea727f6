"""Running the user's own bytecode among proxies.

In: a function. Out: a function of the same code object, whose globals, builtins and closure lead
to proxies: ``np.zeros(3)`` makes a tape array, ``math.exp(x)`` takes a tape value, helpers are
translated when they are first looked up, and nothing of the user's is changed.

    f  (globals: np -> numpy)   ->   f  (globals: np -> proxy of numpy)
"""

from __future__ import annotations

import abc
import builtins
import dis
import functools
import sys
import types
from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from ..controls import custom_rule
from ..rules.optional import frozen_parts, is_distribution, is_scipys, is_sparse_class
from .proxies import Frozen, ModuleProxy, Namespace, Proxy, Sparse, UserModule
from .special import HANDLERS
from .values import bare, primal_or_bare
from .where import refuse

if TYPE_CHECKING:
    from .dispatch import Recorder

__all__ = ["Translator"]

_PROXIED_MODULES = ("numpy", "math", "cmath", "scipy")
#: Packages whose Python functions run as they are: they are reached through the array protocols.
_LIBRARIES = frozenset(("numpy", "scipy", "s2sad"))
_WITH_CODE = (
    types.FunctionType,
    staticmethod,
    classmethod,
    property,
    functools.cached_property,
)


class Translator:
    """Translates the functions, modules and data that one run of a program meets."""

    def __init__(self, recorder: Recorder) -> None:
        self.recorder = recorder
        self._known: dict[int, tuple[Any, Any]] = {}  # the original is kept: ids stay taken
        self._cells: dict[int, tuple[Any, types.CellType]] = {}
        self._spaces: dict[int, tuple[Any, Namespace]] = {}
        self.original_class: dict[type, type] = {}
        self.builtins = {**vars(builtins), **self._builtins()}

    def value(self, value: Any) -> Any:
        """What the program sees in place of ``value``."""
        if isinstance(value, str | bytes | int | float | complex | None | np.generic | Proxy):
            return value
        known = self._known.get(id(value))
        if known is None:
            known = self._known[id(value)] = (value, self._translated(value))
        return known[1]

    def function(self, function: types.FunctionType) -> types.FunctionType:
        """The same code among proxies."""
        code = function.__code__
        if _writes_globals(code):
            raise refuse(f"{function.__qualname__} writes a global variable", "return the value")
        cells = tuple(map(self._cell, function.__closure__ or ()))
        new = types.FunctionType(
            code, self._namespace(function.__globals__), function.__name__, None, cells
        )
        self._known[id(function)] = (function, new)  # before defaults and cells, for recursion
        self._fill(function.__closure__ or ())
        if function.__defaults__ is not None:
            new.__defaults__ = tuple(map(self.value, function.__defaults__))
        if function.__kwdefaults__ is not None:
            new.__kwdefaults__ = {k: self.value(v) for k, v in function.__kwdefaults__.items()}
        new.__qualname__ = function.__qualname__
        new.__module__ = function.__module__
        new.__doc__ = function.__doc__
        return new

    def member(self, found: Any) -> Any:
        """An attribute of a proxied module."""
        if isinstance(found, types.ModuleType):
            return self.value(found)
        if isinstance(found, type):
            return self.value(found)
        return Proxy(self.recorder, found) if callable(found) else found

    def record(self, value: Any) -> Any:
        """An instance of the user's own class, its methods translated."""
        cls = self.value(type(value))
        if cls is type(value):
            return value
        new = object.__new__(cls)
        self._known[id(value)] = (value, new)  # before its attributes: objects may form a ring
        for name in _slots(type(value)):
            if hasattr(value, name):
                object.__setattr__(new, name, self.value(getattr(value, name)))
        for name, part in getattr(value, "__dict__", {}).items():
            new.__dict__[name] = self.value(part)
        return new

    # -- one kind of thing each -------------------------------------------------------------------

    def _translated(self, value: Any) -> Any:
        match value:
            case types.FunctionType():
                if custom_rule(value) is not None:
                    raise refuse(f"{value.__qualname__} has a rule, which the tape does not know")
                if _package(value) in _PROXIED_MODULES:
                    return self.member(value)
                return value if _is_library(_package(value)) else self.function(value)
            case types.MethodType():
                return types.MethodType(self.value(value.__func__), self.value(value.__self__))
            case types.ModuleType():
                return self._module(value)
            case functools.partial():
                keywords = {k: self.value(v) for k, v in value.keywords.items()}
                return functools.partial(
                    self.value(value.func), *map(self.value, value.args), **keywords
                )
            case type():
                return self._class(value)
            case np.ndarray() if type(value) is np.ndarray and value.dtype.kind in "fc":
                return self.recorder.wrap(value, (value,))
            case list() | dict() | tuple() if type(value) in (list, dict, tuple):
                return self._container(value)
        return self._object(value)

    def _object(self, value: Any) -> Any:
        inner = getattr(value, "py_func", None) or getattr(value, "__wrapped__", None)
        if isinstance(inner, types.FunctionType) and callable(value):
            if type(value).__module__.partition(".")[0] == "s2sad":
                raise refuse("a derivative is called inside a program on the tape")
            return self.value(inner)  # numba.njit, functools.lru_cache
        if isinstance(value, np.ufunc) or (
            isinstance(value, types.BuiltinFunctionType)
            and str(value.__module__).partition(".")[0] in _PROXIED_MODULES
        ):
            return Proxy(self.recorder, value)
        if type(value).__module__ == "numpy" and callable(value):  # array_function dispatchers
            return Proxy(self.recorder, value)
        if is_sparse_class(type(value)):
            return Sparse(self.recorder, value)
        if (frozen := frozen_parts(value)) is not None:
            return Frozen(Proxy(self.recorder, frozen[0]), (), frozen[1])
        if is_distribution(value):
            return Proxy(self.recorder, value)
        if _is_users(type(value)):
            return self.record(value)
        return value

    def _module(self, module: types.ModuleType) -> Any:
        if module.__name__.partition(".")[0] in _PROXIED_MODULES:
            return ModuleProxy(self, module)
        if getattr(module, "__file__", None) and _is_users_name(module.__name__):
            return UserModule(self, module)
        return module

    def _class(self, cls: type) -> Any:
        """The user's class over again, its methods and those of its bases translated."""
        if is_scipys(cls):
            return Proxy(self.recorder, cls)
        if cls in HANDLERS:  # float, np.float64 and their like convert
            return Proxy(self.recorder, cls)
        if type(cls) not in (type, abc.ABCMeta) or issubclass(cls, tuple | BaseException):
            return cls
        if not _is_users(cls) or not any(map(_has_users_code, _methods(cls))):
            return cls
        body = {k: v for k, v in vars(cls).items() if not _is_storage(k, v)}
        try:
            meta: Any = type(cls)
            new: type = meta(cls.__name__, tuple(map(self.value, cls.__bases__)), body)
        except TypeError:  # a class that refuses to be made again
            return cls
        self._known[id(cls)] = (cls, new)  # before its methods, which may name it
        self._known[id(new)] = (new, new)
        self.original_class[new] = cls
        for name, method in body.items():
            if _has_code(method):
                setattr(new, name, self._method(method))
        return new

    def _method(self, method: Any) -> Any:
        match method:
            case types.FunctionType():
                return self.function(method)
            case staticmethod() | classmethod():
                return type(method)(self.value(method.__func__))
            case property():
                parts = (method.fget, method.fset, method.fdel)
                return property(*(None if p is None else self.value(p) for p in parts))
            case functools.cached_property():
                cached: Any = functools.cached_property(self.value(method.func))
                cached.__set_name__(None, method.attrname)
                return cached
        return method

    def _container(self, value: Any) -> Any:
        parts = list(value.values()) if isinstance(value, dict) else list(value)
        new = [self.value(p) for p in parts]
        if all(a is b for a, b in zip(parts, new, strict=True)):
            return value
        if isinstance(value, dict):
            return dict(zip(value, new, strict=True))
        return type(value)(new)

    def _cell(self, cell: types.CellType) -> types.CellType:
        known = self._cells.get(id(cell))
        if known is None:
            known = self._cells[id(cell)] = (cell, types.CellType())
        return known[1]

    def _fill(self, cells: tuple[types.CellType, ...]) -> None:
        for cell in cells:
            new = self._cells[id(cell)][1]
            try:
                new.cell_contents  # noqa: B018  (filled by a function that shares it)
            except ValueError:
                try:
                    content = cell.cell_contents
                except ValueError:
                    continue  # not assigned yet, as in the original
                new.cell_contents = self.value(content)

    def _namespace(self, live: dict[str, Any]) -> Namespace:
        known = self._spaces.get(id(live))
        if known is None:
            known = self._spaces[id(live)] = (live, Namespace(self, live))
        return known[1]

    def _classes(self, classes: Any) -> Any:
        """What ``isinstance`` is asked about: translated classes and their originals alike."""
        if isinstance(classes, tuple):
            return tuple(map(self._classes, classes))
        original = self.original_class.get(classes) if isinstance(classes, type) else None
        return bare(classes) if original is None else (classes, original)

    def _builtins(self) -> dict[str, Any]:
        def isinstance_(value: Any, classes: Any) -> bool:
            return isinstance(primal_or_bare(value), self._classes(classes))

        def issubclass_(cls: Any, classes: Any) -> bool:
            return issubclass(bare(cls), self._classes(classes))

        def type_(*args: Any) -> Any:
            if len(args) == 1:
                return self.value(type(primal_or_bare(args[0])))
            return type(*args)

        def import_(name: str, globals: Any = None, locals: Any = None, *rest: Any) -> Any:
            live = None if globals is None else {"__name__": globals["__name__"]}
            if isinstance(globals, Namespace):
                live = globals._live
            return self.value(builtins.__import__(name, live, locals, *rest))

        return {
            **{cls.__name__: self.value(cls) for cls in (float, int, complex)},
            "isinstance": isinstance_,
            "issubclass": issubclass_,
            "type": type_,
            "__import__": import_,
        }


def _package(function: Callable[..., Any]) -> str:
    return str(getattr(function, "__module__", None) or "").partition(".")[0]


def _is_users(cls: type) -> bool:
    return _is_users_name(cls.__module__) and not issubclass(cls, np.ndarray | np.generic)


def _is_library(package: str) -> bool:
    """Python's own, or one of ours: its functions know nothing of NumPy or math by name."""
    return package in _LIBRARIES or (package in sys.stdlib_module_names and package != "__main__")


@lru_cache(maxsize=4096)
def _is_users_name(module: str) -> bool:
    """Whether classes of that module are the user's, rather than some installed package's."""
    if _is_library(module.partition(".")[0]):
        return False
    file = getattr(sys.modules.get(module), "__file__", None) or ""
    return "site-packages" not in file and "dist-packages" not in file


def _methods(cls: type) -> list[Any]:
    return [v for base in cls.__mro__ for v in vars(base).values() if _has_code(v)]


def _is_storage(name: str, value: Any) -> bool:
    """What a class makes for itself: slots, and the places of ``__dict__`` and weak references."""
    made = types.MemberDescriptorType | types.GetSetDescriptorType
    return isinstance(value, made) or name in ("__dict__", "__weakref__")


def _has_code(value: Any) -> bool:
    return isinstance(value, _WITH_CODE)


def _has_users_code(value: Any) -> bool:
    """Not only what ``dataclass`` generated, which computes nothing."""
    for name in ("__func__", "fget", "func"):
        value = getattr(value, name, value)
    code = getattr(value, "__code__", None)
    return code is not None and not code.co_filename.startswith("<")


def _slots(cls: type) -> list[str]:
    names: list[str] = []
    for base in cls.__mro__:
        slots = vars(base).get("__slots__", ())
        names.extend([slots] if isinstance(slots, str) else slots)
    return [n for n in names if n not in ("__dict__", "__weakref__")]


@lru_cache(maxsize=4096)
def _writes_globals(code: types.CodeType) -> bool:
    inner = (c for c in code.co_consts if isinstance(c, types.CodeType))
    return any(
        i.opname in ("STORE_GLOBAL", "DELETE_GLOBAL") for i in dis.get_instructions(code)
    ) or any(map(_writes_globals, inner))
