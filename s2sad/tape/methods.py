"""Attributes and methods of arrays and numbers on the tape.

In: ``x.sum(axis=0)``. Out: what the method of the primal returns, recorded as the function of the
same name: ``np.sum(x, axis=0)``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..rules import registry
from .rules import find
from .values import TapeArray, TapeScalar, TapeValue, bare, primal_of
from .where import refuse

if TYPE_CHECKING:
    from .dispatch import Recorder

__all__ = ["attribute"]

_PLAIN = frozenset(
    ["shape", "ndim", "size", "dtype", "strides", "itemsize", "nbytes", "flags", "device"]
)
_CHANGING = frozenset(
    ["partition", "resize", "setfield", "setflags", "byteswap", "put", "dump", "tofile", "view"]
)
_SEVERAL = frozenset(("reshape", "transpose"))  # methods that take their one argument apart


def attribute(recorder: Recorder, value: TapeValue, name: str) -> Any:
    """``value.name``; AttributeError where the primal has none.

    Special names are never passed on: through ``__array__`` or ``__float__`` a value would
    become a constant.
    """
    plain = value.primal
    if name.startswith("__") or not hasattr(plain, name):
        raise AttributeError(f"{type(plain).__name__!r} object has no attribute {name!r}")
    if name in _PLAIN:
        return getattr(plain, name)
    if name in ("real", "imag") and not np.iscomplexobj(plain):
        return value if name == "real" else getattr(plain, name)
    if name == "flat" and isinstance(value, TapeArray):
        return Flat(value)
    found = getattr(plain, name)
    if not callable(found):
        return recorder.run(
            lambda x: getattr(x, name), find(getattr(np, name, None)), f"'.{name}'", (value,), {}
        )
    if name in _CHANGING:
        raise refuse(f"the tape does not follow the method .{name}()")

    def method(*args: Any, **kwargs: Any) -> Any:
        options = {k: bare(v) for k, v in kwargs.items()}
        return _call(recorder, value, name, tuple(map(bare, args)), options)

    method.__name__ = name
    return method


def _call(
    recorder: Recorder, value: TapeValue, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    match name:
        case "copy" | "flatten" | "item" | "astype":
            return _copied(recorder, value, name, args, kwargs)
        case "conj" | "conjugate" if not np.iscomplexobj(value.primal):
            return value if isinstance(value, TapeScalar) else recorder.copy(value)
        case "tolist" if isinstance(value, TapeArray):
            return _nested(value) if value.primal.ndim else value.item()
        case "fill" if isinstance(value, TapeArray):
            recorder.store(value, ..., *args, **kwargs)
            return None
        case "sort" if isinstance(value, TapeArray):
            recorder.store(value, ..., recorder.call(np.sort, (value, *args), kwargs))
            return None
        case "partition" if isinstance(value, TapeArray):
            recorder.store(value, ..., recorder.call(np.partition, (value, *args), kwargs))
            return None
        case "put" if isinstance(value, TapeArray) and not kwargs:
            recorder.store(value, np.unravel_index(args[0], value.primal.shape), *args[1:])
            return None
        case "compress":
            return recorder.call(np.compress, (args[0], value, *args[1:]), kwargs)
    if kwargs.get("out") is not None:
        function = getattr(np, name)
        return recorder.call(function, (value, *args), kwargs)
    title = f"the method '.{name}()'"
    primitive = registry.array_method(name) or find(getattr(np, name, None))
    bound: tuple[Any, ...] = (value, *args)
    if name in _SEVERAL and args and not (len(args) == 1 and not isinstance(args[0], int)):
        bound = (value, args)
    return recorder.run(
        lambda x, *a, **k: getattr(x, name)(*a, **k),
        primitive,
        title,
        (value, *args),
        kwargs,
        bound,
    )


def _copied(
    recorder: Recorder, value: TapeValue, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    """Methods whose result holds the same numbers elsewhere."""
    if name == "item" and args:
        index = args[0] if len(args) == 1 else args
        if isinstance(value, TapeArray) and isinstance(index, int):
            index = tuple(int(i) for i in np.unravel_index(index, value.primal.shape))
        element = value[index] if isinstance(value, TapeArray | TapeScalar) else value
        return element.item()
    args = tuple(map(primal_of, args))
    result = getattr(value.primal, name)(*args, **kwargs)
    if isinstance(value, TapeArray) and name == "flatten":
        order = args[0] if args else kwargs.get("order", "C")
        rows = recorder.wrap(value.primal.T, (value,)) if order == "F" else value
        if order not in ("C", "F"):
            raise refuse(f".flatten(order={order!r})")
        rows = recorder.copy(rows, rows.primal.copy(order="C"))
        return recorder.wrap(rows.primal.reshape(-1), (rows,))
    if isinstance(value, TapeArray) and isinstance(result, np.ndarray):
        if value.storage.owns(result):  # astype(copy=False)
            return recorder.wrap(result, (value,))
    return recorder.copy(value, result)


class Flat:
    """``array.flat``: the elements in C order, to be read and written."""

    __slots__ = ("_array",)

    def __init__(self, array: TapeArray) -> None:
        self._array = array

    def __len__(self) -> int:
        return int(self._array.primal.size)

    def __iter__(self) -> Any:
        return (self[n] for n in range(len(self)))

    def __getitem__(self, key: Any) -> Any:
        return self._array[self._index(key)]

    def __setitem__(self, key: Any, value: Any) -> None:
        self._array[self._index(key)] = value

    def _index(self, key: Any) -> Any:
        shape = self._array.primal.shape
        chosen = np.arange(len(self))[primal_of(key)]
        index = np.unravel_index(chosen, shape)
        return tuple(int(i) for i in index) if np.ndim(chosen) == 0 else index


def _nested(array: Any) -> Any:
    """An array as lists of Python numbers."""
    if isinstance(array, TapeArray) and array.primal.ndim:
        return [_nested(part) for part in array]
    return array.item() if hasattr(array, "item") else array
