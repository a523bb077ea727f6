"""What recording asks of values: are they active, where do they live, what is to be saved.

In: a tape value, a plain one, or lists and tuples of them. Out: the answer, in the same structure.

    place_of([x, 2.0, a])   ->   [slot of x, None, window of a]
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from .memory import is_fancy
from .record import Outline, Place, Places
from .values import TapeArray, TapeScalar

__all__ = [
    "active_leaves",
    "arrays_in",
    "frozen",
    "has_floats",
    "is_active",
    "new_place",
    "outline",
    "place_of",
    "save",
    "winners",
]


def is_active(value: Any) -> bool:
    """Whether some part of a value may depend on an input."""
    match value:
        case TapeScalar():
            return True
        case TapeArray():
            return value.storage.active
        case list() | tuple():
            return any(map(is_active, value))
        case dict():
            return any(map(is_active, value.values()))
    return False


def frozen(key: Any) -> Any:
    """An index or attribute that later writes of the user do not reach."""
    match key:
        case np.ndarray():
            return key.copy()
        case list():
            return [frozen(k) for k in key]
        case tuple() if type(key) is tuple:
            return tuple(map(frozen, key))
    return key


def place_of(value: Any) -> Any:
    """The places of a value, None where it is constant."""
    match value:
        case TapeScalar():
            place: Place = value.slot
            return place
        case TapeArray():
            return value.window if value.storage.active else None
        case list() | tuple():
            parts: list[Places] = [place_of(v) for v in value]
            return None if all(p is None for p in parts) else parts
    return None


def new_place(out: Any, sources: Sequence[Any]) -> Any:
    """The places of a result, None for those parts that are views of operands."""
    if isinstance(out, list | tuple):
        return [new_place(v, sources) for v in out]
    if isinstance(out, TapeArray):
        if any(isinstance(a, TapeArray) and a.storage is out.storage for a in arrays_in(sources)):
            return None
    return place_of(out)


def save(value: Any) -> Any:
    """A value as the reverse sweep will want it."""
    match value:
        case TapeScalar():
            return value.primal
        case TapeArray():
            return value.window.borrow(value.primal)
        case np.ndarray():
            return value.copy()
        case list():
            return [save(v) for v in value]
        case tuple():
            return tuple(map(save, value))
    return value


def outline(value: Any) -> Any:
    """Type and shape of a value whose numbers no rule will look at."""
    match value:
        case TapeArray():
            return Outline(np.broadcast_to(np.zeros((), value.primal.dtype), value.primal.shape))
        case np.ndarray():
            return Outline(np.broadcast_to(np.zeros((), value.dtype), value.shape))
        case TapeScalar():
            return Outline(type(value.primal)(0))
        case _:
            return save(value)


def winners(array: Any, key: Any) -> Any:
    """Which of the written values stay where a key names an element twice; None: all of them."""
    if not is_fancy(key):
        return None
    last = np.empty_like(array, dtype=np.intp)
    shape = last[key].shape
    order = np.arange(int(np.prod(shape))).reshape(shape)
    last[key] = order
    stays = last[key] == order
    return None if stays.all() else stays


def active_leaves(value: Any, path: tuple[int, ...] = ()) -> Iterator[tuple[tuple[int, ...], Any]]:
    if isinstance(value, list | tuple):
        for n, part in enumerate(value):
            yield from active_leaves(part, (*path, n))
    elif is_active(value):
        yield path, value


def arrays_in(values: Any) -> Iterator[Any]:
    """Every array among the arguments of a call."""
    for value in values:
        match value:
            case TapeArray() | np.ndarray():
                yield value
            case list() | tuple():
                yield from arrays_in(value)
            case dict():
                yield from arrays_in(value.values())


def has_floats(result: Any) -> bool:
    """Whether a plain result can carry a derivative at all."""
    match result:
        case np.ndarray() | np.generic():
            return result.dtype.kind in "fcO"
        case float() | complex():
            return True
        case list() | tuple():
            return any(map(has_floats, result))
        case dict():
            return any(map(has_floats, result.values()))
        case None | bool() | int() | str() | type() | np.dtype():
            return False
    return True
