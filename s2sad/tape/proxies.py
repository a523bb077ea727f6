"""What a program on the tape sees in place of modules, functions and globals.

In: NumPy, math and the user's modules. Out: objects that look like them and tell the recorder what
is called.

    np.zeros(3)   ->   recorder.call(numpy.zeros, (3,), {})
"""

from __future__ import annotations

import functools
import types
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from ..rules.optional import is_distribution, load_rules_of, maker
from ..rules.registry import primitive
from .places import is_active
from .values import TapeValue, bare
from .where import NAMESPACE_MARK, refuse

if TYPE_CHECKING:
    from .dispatch import Recorder
    from .translate import Translator

__all__ = ["ModuleProxy", "Namespace", "Proxy", "UserModule"]


class Proxy:
    """A function of NumPy, math or the builtins that tells the tape what it does."""

    __slots__ = ("__wrapped__", "_recorder")
    is_proxy = True

    def __init__(self, recorder: Recorder, function: Any) -> None:
        self._recorder = recorder
        self.__wrapped__ = function

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if is_distribution(self.__wrapped__):
            return Frozen(self, args, kwargs)
        if (made := maker(self.__wrapped__, args, kwargs)) is not None:
            function, first, named = made
            return functools.partial(Proxy(self._recorder, function), *first, **named)
        return self._recorder.call(
            self.__wrapped__, bare(args), {k: bare(v) for k, v in kwargs.items()}
        )

    def __getattr__(self, name: str) -> Any:
        if name == "dtype" and isinstance(self.__wrapped__, type):
            return np.dtype(self.__wrapped__)  # NumPy asks: array.astype(float)
        found = getattr(self.__wrapped__, name)
        if isinstance(self.__wrapped__, np.ufunc) and callable(found):
            return _UfuncMethod(self._recorder, self.__wrapped__, name)
        if is_distribution(self.__wrapped__) and callable(found):
            return Proxy(self._recorder, found)
        return found

    def __eq__(self, other: Any) -> bool:
        return bool(self.__wrapped__ == bare(other))

    def __hash__(self) -> int:
        return hash(self.__wrapped__)

    def __repr__(self) -> str:
        return repr(self.__wrapped__)


class Frozen:
    """``stats.norm(mu, sigma)``, whose methods take x and then these parameters."""

    __slots__ = ("_args", "_distribution", "_kwargs")

    def __init__(self, distribution: Proxy, args: Any, kwargs: Mapping[str, Any]) -> None:
        self._distribution, self._args, self._kwargs = distribution, args, kwargs

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._distribution, name)
        return lambda *args, **kwargs: method(*args, *self._args, **kwargs, **self._kwargs)


class Sparse:
    """A sparse matrix of the program's, whose products with arrays are recorded."""

    __slots__ = ("__wrapped__", "_recorder")
    __array_ufunc__ = None
    is_proxy = True

    def __init__(self, recorder: Recorder, matrix: Any) -> None:
        self._recorder = recorder
        self.__wrapped__ = matrix

    def __matmul__(self, x: Any) -> Any:
        return self._recorder.call(self._product("sparse_matmul"), (self.__wrapped__, x), {})

    def __rmatmul__(self, x: Any) -> Any:
        return self._recorder.call(self._product("matmul_sparse"), (x, self.__wrapped__), {})

    dot = __matmul__

    def __mul__(self, x: Any) -> Any:
        if type(self.__wrapped__).__name__.endswith("_matrix"):
            return self @ x
        raise refuse("of the operations on sparse matrices, the tape knows products: A @ x")

    @property
    def T(self) -> Any:
        return Sparse(self._recorder, self.__wrapped__.T)

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.__wrapped__, name)
        return Proxy(self._recorder, found) if callable(found) else found

    def _product(self, name: str) -> Any:
        load_rules_of(type(self.__wrapped__))
        return primitive(name).fun


class _UfuncMethod:
    """``np.add.reduce`` and its like."""

    __slots__ = ("_name", "_recorder", "_ufunc")

    def __init__(self, recorder: Recorder, ufunc: np.ufunc, name: str) -> None:
        self._recorder, self._ufunc, self._name = recorder, ufunc, name

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if any(isinstance(a, TapeValue) or is_active(a) for a in args):
            return self._recorder.ufunc(self._ufunc, self._name, args, kwargs)
        return self._recorder.wrap(getattr(self._ufunc, self._name)(*args, **kwargs))


class ModuleProxy:
    """A module whose functions are proxies."""

    is_proxy = True

    def __init__(self, translator: Translator, module: types.ModuleType) -> None:
        self.__dict__["_translator"] = translator
        self.__dict__["__wrapped__"] = module

    def __getattr__(self, name: str) -> Any:
        found = self._translator.member(getattr(self.__wrapped__, name))
        self.__dict__[name] = found
        return found

    def __setattr__(self, name: str, value: Any) -> None:
        raise refuse(f"an attribute of module {self.__wrapped__.__name__} is set")

    def __repr__(self) -> str:
        return repr(self.__wrapped__)


class Namespace(dict[str, Any]):
    """Globals of translated functions: what is asked for is looked up and translated once."""

    def __init__(self, translator: Translator, live: dict[str, Any]) -> None:
        super().__init__()
        self._translator, self._live = translator, live
        self[NAMESPACE_MARK] = True
        self["__builtins__"] = translator.builtins
        self["__name__"] = live.get("__name__", "__main__")

    def __missing__(self, name: str) -> Any:
        found = self[name] = self._translator.value(self._live[name])
        return found


class UserModule(ModuleProxy):
    """A module of the user, whose functions are translated when they are looked up."""

    def __getattr__(self, name: str) -> Any:
        found = self.__dict__[name] = self._translator.value(getattr(self.__wrapped__, name))
        return found
