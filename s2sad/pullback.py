"""Pullbacks: what ``vjp`` returns beside the value.

In: the compiled reverse sweep, what the forward sweep saved, and the value. Out: a callable that
takes a cotangent shaped like the value, any number of times::

    out, pullback = vjp(f, x)
    pullback(1.0)       ->   (x_bar,)
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np

from .errors import ArgumentError

__all__ = ["Pullback", "read_tangent"]


class Pullback:
    """``pullback(g)``: the cotangents of the arguments, as a tuple.

    ``g`` has the structure of the value: a number where that has a number, an array of the same
    shape where it has an array; None anywhere stands for zero, and is all there can be where the
    value is not floating point. An argument that carries no derivative (an int, a string, an array
    of integers) has None for its cotangent. Raises `ArgumentError` for a ``g`` of another
    structure, shape or dtype.
    """

    __slots__ = ("_count", "_form", "_name", "_reverse", "_saved", "_spread")

    def __init__(
        self,
        name: str,
        out: Any,
        saved: tuple[Any, ...],
        reverse: Callable[..., tuple[Any, ...]],
        spread: Callable[[tuple[Any, ...]], tuple[Any, ...]],
    ) -> None:
        self._name = name
        self._form = _form_of(out)
        self._saved = saved
        self._reverse = reverse
        self._spread = spread
        self._count: int | None = None

    def first(self, count: int) -> Pullback:
        """The same for a call with ``count`` arguments: defaults have no cotangents."""
        self._count = count
        return self

    def __call__(self, g: Any) -> tuple[Any, ...]:
        cotangent = self._form.read(g, f"the cotangent of {self._name}()")
        return self._spread(self._reverse(*self._saved, cotangent))[: self._count]

    def __repr__(self) -> str:
        return f"<pullback of {self._name}>"


class _Form:
    """What a value looked like when it was returned; the caller may change it afterwards."""

    __slots__ = ()

    def read(self, g: Any, what: str) -> Any:
        """The cotangent as the reverse sweep takes it; never an object of the caller's."""
        raise NotImplementedError


@dataclasses.dataclass(frozen=True, slots=True)
class _Number(_Form):
    """A Python or NumPy scalar of class ``cls``."""

    cls: type

    def read(self, g: Any, what: str) -> Any:
        if g is None:
            return self.cls(0)
        if np.shape(g) != () or np.asarray(g).dtype.kind not in "biufc":
            raise ArgumentError(f"{what} must be a number, not {_describe(g)}")
        if isinstance(g, np.ndarray):
            g = g[()]
        if not _castable(np.asarray(g).dtype, np.dtype(self.cls)):
            raise ArgumentError(f"{what} must be real, not {_describe(g)}")
        return self.cls(g)


@dataclasses.dataclass(frozen=True, slots=True)
class _Array(_Form):
    """An array."""

    dtype: np.dtype[Any]
    shape: tuple[int, ...]

    def read(self, g: Any, what: str) -> Any:
        if g is None:
            return np.zeros(self.shape, self.dtype)
        given = g if isinstance(g, (np.ndarray, np.generic, int, float, complex)) else None
        wanted = f"a {self.dtype} array of shape {self.shape}"
        if given is None or np.shape(given) != self.shape:
            raise ArgumentError(f"{what} must be {wanted}, not {_describe(g)}")
        given = np.asarray(given)
        if not _castable(given.dtype, self.dtype):
            raise ArgumentError(f"{what} must be {wanted}, not {_describe(g)}")
        return given.astype(self.dtype, copy=False)


@dataclasses.dataclass(frozen=True, slots=True)
class _Nothing(_Form):
    """Not floating point: whatever the cotangent, it leads nowhere.

    ``zero`` is what the reverse sweep takes for it: 0.0 for an int, which another path of the
    program may have returned in place of a float, as ``max(0, x)`` does.
    """

    zero: float | None

    def read(self, g: Any, what: str) -> Any:
        if g is None or isinstance(g, (bool, int, float, np.generic, np.ndarray)):
            return self.zero
        raise ArgumentError(f"{what} must be None: that output has no derivative")


@dataclasses.dataclass(frozen=True, slots=True)
class _Parts(_Form):
    """A container: how it is made of its parts, which have names for messages."""

    cls: type
    names: tuple[Any, ...]
    parts: tuple[_Form, ...]
    fields: bool = False

    def read(self, g: Any, what: str) -> Any:
        given = [None] * len(self.parts) if g is None else self._take_apart(g, what)
        read = [
            form.read(part, f"{what}{self._step(name)}")
            for form, part, name in zip(self.parts, given, self.names, strict=True)
        ]
        if self.cls is dict:
            return dict(zip(self.names, read, strict=True))
        if self.fields:
            record: Any = object.__new__(self.cls)
            for name, part in zip(self.names, read, strict=True):
                object.__setattr__(record, name, part)
            return record
        return self.cls(*read) if hasattr(self.cls, "_fields") else self.cls(read)

    def _step(self, name: Any) -> str:
        return f".{name}" if self.fields else f"[{name!r}]"

    def _take_apart(self, g: Any, what: str) -> list[Any]:
        if self.cls is dict:
            if isinstance(g, dict) and set(g) == set(self.names):
                return [g[name] for name in self.names]
            keys = ", ".join(map(repr, self.names))
            raise ArgumentError(f"{what} must be a dict with keys {keys}, not {_describe(g)}")
        if self.fields:
            if isinstance(g, self.cls):
                return [getattr(g, name) for name in self.names]
            raise ArgumentError(f"{what} must be a {self.cls.__name__}, not {_describe(g)}")
        kind = list if issubclass(self.cls, list) else tuple
        if not isinstance(g, kind) or len(g) != len(self.parts):
            raise ArgumentError(
                f"{what} must be a {kind.__name__} of length {len(self.parts)}, not {_describe(g)}"
            )
        return list(g)


def _form_of(out: Any) -> _Form:
    if isinstance(out, np.ndarray):
        if out.dtype.kind in "fc":
            return _Array(out.dtype, out.shape)
        return _Nothing(None)
    if isinstance(out, (bool, int, np.bool_, np.integer)):
        return _Nothing(0.0)
    if isinstance(out, (float, complex, np.inexact)):
        return _Number(type(out))
    if isinstance(out, (tuple, list)):
        return _Parts(type(out), tuple(range(len(out))), tuple(map(_form_of, out)))
    if isinstance(out, dict):
        return _Parts(dict, tuple(out), tuple(map(_form_of, out.values())))
    if dataclasses.is_dataclass(out) and not isinstance(out, type):
        names = tuple(field.name for field in dataclasses.fields(out))
        parts = tuple(_form_of(getattr(out, name)) for name in names)
        return _Parts(type(out), names, parts, fields=True)
    return _Nothing(None)


def _castable(given: np.dtype[Any], wanted: np.dtype[Any]) -> bool:
    return given.kind in "biufc" and (given.kind != "c" or wanted.kind == "c")


def _describe(g: Any) -> str:
    if isinstance(g, np.ndarray):
        return f"a {g.dtype} array of shape {g.shape}"
    if isinstance(g, (tuple, list)):
        return f"a {type(g).__name__} of length {len(g)}"
    if isinstance(g, dict):
        return f"a dict with keys {', '.join(map(repr, g)) or 'none at all'}"
    return f"{type(g).__name__} {g!r:.40}"


def read_tangent(value: Any, tangent: Any, name: str) -> Any:
    """``tangent`` in the structure and the types of ``value``; None stands for zero.

    Raises `ArgumentError` where it has another structure, shape or dtype.

    >>> read_tangent((1.0, [2.0]), (3, None), "'x'")
    (3.0, [0.0])
    """
    return _form_of(value).read(tangent, f"the tangent of {name}")
