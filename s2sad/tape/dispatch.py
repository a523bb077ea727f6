"""Recording: every operation on tape values goes through here.

In: an operator, a NumPy call, a read or a write of an array, by the user's program. Out: what
plain Python would have computed, wrapped, and at most one step on the tape.

Whether NumPy returned a view or a copy is not predicted but looked up: a result whose memory lies
in an operand's storage is a view of it, needs no rule and no step, and shares its fate.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from ..rules.optional import is_scipys
from ..rules.registry import Primitive
from . import methods, special
from .memory import overlaps_itself
from .places import (
    active_leaves,
    arrays_in,
    frozen,
    has_floats,
    is_active,
    new_place,
    outline,
    place_of,
    save,
    winners,
)
from .record import Add, Apply, Copy, Load, Storage, Store, Tape
from .rules import bind, find, named, needs
from .values import TapeArray, TapeScalar, TapeValue, primal_of
from .where import refuse

__all__ = ["Recorder"]

_REDUCE: dict[Any, Any] = {
    np.add: np.sum,
    np.multiply: np.prod,
    np.maximum: np.max,
    np.minimum: np.min,
}
_ACCUMULATE: dict[Any, Any] = {np.add: np.cumsum, np.multiply: np.cumprod}
#: Operands that are sequences of arrays, and operands that are never shapes or counts.
_SEQUENCES = frozenset(("arrays", "tup", "condlist", "choicelist"))
_NUMBERS = frozenset(("a", "b", "x", "y", "m", "v", "A", "condition", "values", "a_min", "a_max"))
#: Operands that are tuples of unlike things: matrices that have been factored.
_FACTORS = frozenset(("c_and_lower", "lu_and_piv"))
_OUTSIDE = "an array from outside the function is written"
_AT: dict[Any, float] = {np.add: 1.0, np.subtract: -1.0}


class Recorder:
    """One run of a program: its tape, and the operations that write to it."""

    __slots__ = ("tape",)

    def __init__(self) -> None:
        self.tape = Tape()

    # -- what the values call -------------------------------------------------------------------

    def operator(self, name: str, fun: Callable[..., Any], operands: Sequence[Any]) -> Any:
        """A Python operator; ``name`` is its primitive."""
        if any(isinstance(x, TapeArray) for x in operands):
            operands = tuple(self._array_like("x", x) for x in operands)
        if name == "matmul" and hasattr(operands[-1], "__rmatmul__") and _is_proxy(operands[-1]):
            return operands[-1].__rmatmul__(operands[0])  # a sparse matrix
        result = fun(*map(primal_of, operands))
        if not any(map(is_active, operands)):
            return self.wrap(result)
        return self.record(named(name), f"the operator '{name}'", operands, {}, result)

    def ufunc(
        self, ufunc: Any, method: str, inputs: Sequence[Any], kwargs: Mapping[str, Any]
    ) -> Any:
        """``__array_ufunc__``: the methods of a ufunc are other functions under other names."""
        options = dict(kwargs)
        if method == "__call__":
            return self.call(ufunc, inputs, options)
        if method == "at":
            return self._at(ufunc, *inputs)
        if method == "reduce" and ufunc in _REDUCE:
            options.setdefault("axis", 0)
            return self.call(_REDUCE[ufunc], inputs, options)
        if method == "accumulate" and ufunc in _ACCUMULATE:
            options.setdefault("axis", 0)
            return self.call(_ACCUMULATE[ufunc], inputs, options)
        if method == "outer" and len(inputs) == 2:
            x, y = inputs
            column = self.call(np.reshape, (x, np.shape(primal_of(x)) + (1,) * np.ndim(y)), {})
            return self.call(ufunc, (column, y), options)
        raise refuse(f"np.{ufunc.__name__}.{method} has no derivative on the tape")

    def call(self, fn: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        """A function of NumPy or math, by name or through the array protocols."""
        handler = special.HANDLERS.get(fn) if _hashable(fn) else None
        if handler is not None:
            return handler(self, fn, *args, **kwargs)
        if isinstance(fn, np.ufunc) and len(args) > fn.nin:
            kwargs = {**kwargs, "out": tuple(args[fn.nin :])}
            args = args[: fn.nin]
        if isinstance(fn, np.ufunc) and kwargs.get("where", True) is not True:
            return special.where(self, fn, args, dict(kwargs))
        if kwargs.get("out") is not None:
            options = dict(kwargs)
            out = options.pop("out")
            return special.into(self, out, self.call(fn, args, options))
        if is_scipys(fn) and any(callable(a) for a in (*args, *kwargs.values())):
            raise refuse(f"the tape does not follow the function that {_name(fn)} is given")
        primitive = find(fn)
        if primitive is not None and primitive.writes is not None:
            return special.write(self, fn, primitive, args, kwargs)
        return self.run(fn, primitive, f"'{_name(fn)}'", args, kwargs)

    def run(
        self,
        fn: Callable[..., Any],
        primitive: Primitive | None,
        title: str,
        args: Sequence[Any],
        kwargs: Mapping[str, Any],
        bound: Sequence[Any] | None = None,
    ) -> Any:
        """Call ``fn`` on primals; record it as ``primitive`` of ``bound`` (or ``args``)."""
        result = fn(*map(primal_of, args), **{k: primal_of(v) for k, v in kwargs.items()})
        if any(isinstance(a, TapeArray) and a.primal is result for a in args[1:]):
            raise refuse(f"{title} writes to one of its arguments", "pass it as out=")
        args = args if bound is None else bound
        everything = (*args, *kwargs.values())
        if not any(map(is_active, everything)):
            return self.wrap(result, everything)
        if not has_floats(result) or (primitive is not None and primitive.zero):
            return self.wrap(result, everything)
        views = self.views(result, everything)
        if views is not None:
            return views
        if primitive is None:
            raise refuse(
                f"the tape has no rule for {title}",
                "write it with functions that have rules",
            )
        try:
            operands, attrs = bind(primitive, args, kwargs)
        except TypeError as error:
            raise refuse(f"{title} with these arguments has no rule: {error}") from error
        if primitive.name.startswith(("np.", "scipy.")):
            operands = tuple(map(self._array_like, _names_of(primitive, operands), operands))
        return self.record(primitive, title, operands, attrs, result, everything)

    def _array_like(self, name: str, operand: Any) -> Any:
        """Lists where NumPy takes them for arrays, so that rules meet arrays only."""
        if not isinstance(operand, list | tuple) or name in _FACTORS:
            return operand
        if name in _SEQUENCES:
            return tuple(self._array_like("", part) for part in operand)
        if is_active(operand) or name in _NUMBERS:
            return self.array(np.array, operand)
        return operand

    # -- reading and writing arrays -------------------------------------------------------------

    def load(self, array: TapeArray, key: Any) -> Any:
        """``array[key]``: a view, or a copy and a step."""
        key = frozen(primal_of(key))
        result = array.primal[key]
        if isinstance(result, np.ndarray) and array.storage.owns(result):
            return TapeArray(self, result, array.storage)
        out = self.wrap(result)
        if array.storage.active:
            out = self._activate(out)
            self.tape.steps.append(Load(array.window, key, place_of(out)))
        return out

    def store(self, array: TapeArray, key: Any, value: Any) -> None:
        """``array[key] = value``, seen through every alias."""
        if array.storage.constant:
            raise refuse(array.storage.constant, "work on a copy: a = a.copy()")
        if overlaps_itself(array.primal):
            raise refuse("an array whose elements share memory is written", "use .copy()")
        key = frozen(primal_of(key))
        if isinstance(value, list | tuple):
            value = self.array(np.array, value)
        array.storage.before_write()
        array.primal[key] = primal_of(value)
        active = is_active(value)
        if active or array.storage.active:
            place = place_of(value) if active else None
            step = Store(array.window, key, place, winners(array.primal, key))
            array.storage.active = True
            self.tape.steps.append(step)

    def _at(self, ufunc: Any, array: Any, key: Any, value: Any = None) -> None:
        key = frozen(primal_of(key))
        if not isinstance(array, TapeArray):
            if is_active(value):
                raise refuse("a value that depends on the input is added to a plain array")
            ufunc.at(array, key, primal_of(value))
            return
        if ufunc not in _AT or array.storage.constant:
            raise refuse(f"np.{ufunc.__name__}.at has no derivative on the tape")
        array.storage.before_write()
        ufunc.at(array.primal, key, primal_of(value))
        if is_active(value):
            array.storage.active = True
            self.tape.steps.append(Add(array.window, key, place_of(value), _AT[ufunc]))

    def copy(self, value: Any, result: Any = None) -> Any:
        """New memory with the same numbers; ``result`` is that memory if it is there already."""
        plain = primal_of(value)
        if result is None:
            result = plain.copy() if isinstance(plain, np.ndarray) else plain
        out = self.wrap(result)
        if is_active(value) and has_floats(result):
            out = self._activate(out)
            self.tape.steps.append(Copy(place_of(value), place_of(out)))
        return out

    def as_array(self, value: Any) -> Any:
        """A scalar as an array without axes."""
        return self.copy(value, np.array(primal_of(value)))

    def array(self, fn: Callable[..., Any], value: Any, *args: Any, **kwargs: Any) -> Any:
        """``np.array`` and its kin, of numbers, arrays, and lists of lists of them."""
        result = fn(primal_of(value), *args, **kwargs)
        if not is_active(value):
            return self.wrap(result, (value,))
        if result.dtype.kind not in "fc":
            raise refuse(f"a value that depends on the input is stored as {result.dtype}")
        if isinstance(value, TapeValue):
            views = self.views(result, (value,))
            return self.copy(value, result) if views is None else views
        out = TapeArray(self, result, Storage(result))
        out.storage.active = True
        for path, leaf in active_leaves(value):
            path = (0,) * (result.ndim - np.ndim(primal_of(leaf)) - len(path)) + path
            self.tape.steps.append(Store(out.window, path, place_of(leaf), None))
        return out

    def attribute(self, value: TapeValue, name: str) -> Any:
        """An attribute or method of an array or number."""
        return methods.attribute(self, value, name)

    # -- putting values on the tape -------------------------------------------------------------

    def record(
        self,
        primitive: Primitive | None,
        title: str,
        operands: Sequence[Any],
        attrs: Mapping[str, Any],
        result: Any,
        sources: Sequence[Any] = (),
    ) -> Any:
        """A step of a primitive that has a rule; ``result`` is its plain value."""
        if not has_floats(result) or (primitive is not None and primitive.zero):
            return self.wrap(result, sources)
        if primitive is None or not primitive.differentiable:
            raise refuse(f"{title} has no derivative")
        if any(map(is_active, attrs.values())):
            names = ", ".join(k for k, v in attrs.items() if is_active(v))
            raise refuse(f"{title} has no derivative with respect to its argument {names}")
        places = tuple(map(place_of, operands))
        needed, out_needed = needs(primitive, len(operands))
        values = tuple(
            save(x) if need else outline(x) for x, need in zip(operands, needed, strict=True)
        )
        out = self._activate(self.wrap(result, sources))
        saved = save(out) if out_needed else outline(out)
        constants = {k: frozen(primal_of(v)) for k, v in attrs.items()}
        self.tape.steps.append(
            Apply(primitive.name, constants, places, values, new_place(out, sources), saved)
        )
        return out

    def wrap(self, result: Any, sources: Sequence[Any] = ()) -> Any:
        """A plain result as the program sees it: float arrays become tape arrays."""
        if isinstance(result, tuple | list):
            parts = [self.wrap(r, sources) for r in result]
            if hasattr(result, "_fields"):
                return type(result)(*parts)
            return type(result)(parts)
        if type(result) is not np.ndarray or result.dtype.kind not in "fc":
            if isinstance(result, np.ndarray) and result.dtype == object:
                raise refuse("an array of objects cannot hold values of the tape")
            return result
        constant = False
        for source in arrays_in(sources):
            if isinstance(source, np.ndarray):
                constant = constant or bool(np.may_share_memory(source, result))
            elif source.storage.owns(result):
                if result.dtype != source.storage.dtype and (
                    result.dtype.kind != "f" or source.storage.dtype.kind != "c"
                ):
                    raise refuse("memory is read as another type")
                return TapeArray(self, result, source.storage)
        if overlaps_itself(result):  # a number spread out: each element has its own cotangent
            result = result.copy()
            result.flags.writeable = False
        return TapeArray(self, result, Storage(result, _OUTSIDE if constant else ""))

    def views(self, result: Any, sources: Sequence[Any]) -> Any:
        """The wrapped result if all its arrays are views of tape arrays, else None."""
        if isinstance(result, tuple | list):
            parts = [self.views(r, sources) for r in result]
            if any(p is None for p in parts) or not parts:
                return None
            return type(result)(parts) if type(result) in (tuple, list) else None
        if type(result) is not np.ndarray:
            return None
        owners = (a for a in arrays_in(sources) if isinstance(a, TapeArray))
        if any(a.storage.owns(result) for a in owners):
            return self.wrap(result, sources)
        return None

    def _activate(self, value: Any) -> Any:
        if isinstance(value, TapeArray):
            value.storage.active = True
            return value
        if isinstance(value, float | complex | np.inexact):
            return TapeScalar(self, value)
        if isinstance(value, tuple | list):
            parts = [self._activate(v) for v in value]
            return type(value)(*parts) if hasattr(value, "_fields") else type(value)(parts)
        return value


def _names_of(primitive: Primitive, operands: Sequence[Any]) -> list[str]:
    """The name of each operand; those of ``*args`` share one."""
    names = [name.lstrip("*") for name in primitive.operands]
    return [*names, *names[-1:] * (len(operands) - len(names))][: len(operands)]


def _is_proxy(value: Any) -> bool:
    return getattr(type(value), "is_proxy", False) is True


def _hashable(fn: Any) -> bool:
    try:
        hash(fn)
    except TypeError:
        return False
    return True


def _name(fn: Any) -> str:
    module = getattr(fn, "__module__", None) or ""
    name = getattr(fn, "__qualname__", None) or getattr(fn, "__name__", None) or repr(fn)
    if isinstance(fn, np.ufunc):
        return f"np.{fn.__name__}"
    return f"{module}.{name}".replace("numpy.", "np.").removeprefix("builtins.")
