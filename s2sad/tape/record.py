"""What a tape writes down: places, and the steps that moved values between them.

In: steps in the order they ran. Out: by `Tape.sweep`, the cotangents of the places they started
from.

A scalar lives in a ``Slot``, an array in a ``Window``: offset, shape and strides on a
``Storage``. Storage is memory, not a value: a view is another window on the same storage, so a
write through one alias is seen by all of them, overlapping or not, without any bookkeeping. In the
reverse sweep each storage has a shadow of the same layout, and every step is undone on it:

    b = a.T              (nothing: b is a window on a's storage)
    b[0] = v             v_bar += shadow(b)[0];  shadow(b)[0] = 0
    y = sin(a)           shadow(a) += rule(shadow(y));  y's storage did not exist before
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from .memory import as_scalar, byte_bounds, is_fancy, overlaps_itself, real_if, sum_to
from .rules import cotangents, is_elementwise, masked_cotangents

NDArrayAny: TypeAlias = NDArray[Any]


class Slot:
    """The place of a scalar; ``like`` is its type (``float``, ``np.float32``, ``complex`` ...)."""

    __slots__ = ("like",)

    def __init__(self, like: type) -> None:
        self.like = like


class Saved:
    """An array that a step will want in the reverse sweep: as it was then, not as it is now."""

    __slots__ = ("array",)

    def __init__(self, array: NDArrayAny) -> None:
        self.array = array


class Outline(NamedTuple):
    """A stand-in of the right type and shape for a value whose numbers no rule will look at."""

    zero: Any


class Storage:
    """The memory that one array and all views of it share.

    ``active`` says that some element may depend on an input. ``borrowed`` are the windows whose
    present content a step has saved: they are copied when, and only when, a write follows.
    ``constant`` says why this memory must not be written; empty: it may be.
    """

    __slots__ = ("active", "base", "borrowed", "constant", "dtype", "high", "keep", "low")

    def __init__(self, array: NDArrayAny, constant: str = "") -> None:
        self.keep = array  # the memory must outlive the address
        self.low, self.high = byte_bounds(array)
        self.dtype = array.dtype
        self.active = False
        self.constant = constant
        self.borrowed: dict[Window, Saved] = {}

    def owns(self, array: NDArrayAny) -> bool:
        """Whether the array's memory is here."""
        return array.size > 0 and self.low <= array.__array_interface__["data"][0] < self.high

    def before_write(self) -> None:
        """Copy what steps have borrowed, since it is about to change."""
        for saved in self.borrowed.values():
            saved.array = saved.array.copy(order="K")
        self.borrowed.clear()


class Window:
    """An array as a place: where its elements lie in a storage."""

    __slots__ = ("dtype", "offset", "shape", "sign", "storage", "strides")

    def __init__(self, storage: Storage, array: NDArrayAny) -> None:
        self.storage = storage
        self.shape = array.shape
        self.strides = array.strides
        self.dtype = array.dtype
        self.offset = array.__array_interface__["data"][0] - storage.low if array.size else 0
        # The cotangent of a complex z is dL/d(re z) - i dL/d(im z): a view of the imaginary
        # parts reads and writes it with the other sign.
        self.sign = 1
        if array.dtype != storage.dtype and self.offset % storage.dtype.itemsize:
            self.sign = -1

    def borrow(self, array: NDArrayAny) -> Saved:
        """The content of the window, kept as it is now."""
        borrowed = self.storage.borrowed
        saved = borrowed.get(self)
        if saved is None:
            saved = borrowed[self] = Saved(array)
        return saved


Place: TypeAlias = Slot | Window
#: The places of an operand: a list or tuple of places for a list of arrays, None: a constant.
Places: TypeAlias = "Place | list[Places] | tuple[Places, ...] | None"


class Apply(NamedTuple):
    """``out = primitive(*operands, **attrs)`` into new memory."""

    primitive: str
    attrs: Mapping[str, Any]
    operands: tuple[Places, ...]
    values: tuple[Any, ...]
    out: Places
    out_value: Any


class Copy(NamedTuple):
    """The same numbers in new memory, perhaps in another type."""

    source: Place
    out: Place


class Load(NamedTuple):
    """``out = source[key]`` into new memory (a view needs no step)."""

    source: Window
    key: Any
    out: Place


class Store(NamedTuple):
    """``target[key] = value``; ``winners`` marks the writes that the key's repeats left alive."""

    target: Window
    key: Any
    value: Place | None
    winners: NDArrayAny | None


class Add(NamedTuple):
    """``np.add.at(target, key, scale * value)``."""

    target: Window
    key: Any
    value: Place
    scale: float


Step: TypeAlias = Apply | Copy | Load | Store | Add


class Tape:
    """The steps of one run, in order."""

    __slots__ = ("steps",)

    def __init__(self) -> None:
        self.steps: list[Step] = []

    def sweep(self, seeds: Sequence[tuple[Place, Any]]) -> Sweep:
        """Undo all steps in reverse, from cotangents of the results; may be called many times."""
        sweep = Sweep()
        with np.errstate(all="ignore"):  # infinities are the user's business, warnings are not
            for place, g in seeds:
                sweep.add(place, g)
            for step in reversed(self.steps):
                sweep.undo(step)
        return sweep

    def saved(self) -> tuple[int, int]:
        """The numbers that the tape keeps for the reverse sweep, and the bytes they take."""
        arrays: dict[int, Any] = {}
        scalars = 0
        for step in self.steps:
            if isinstance(step, Apply):
                for value in (*step.values, step.out_value):
                    scalars += _collect(value, arrays)
        count = scalars + sum(a.size for a in arrays.values())
        return count, 8 * scalars + sum(a.nbytes for a in arrays.values())


def _collect(value: Any, arrays: dict[int, Any]) -> int:
    """Note the arrays of a saved value; how many scalars it has."""
    match value:
        case Outline():
            return 0
        case Saved():
            arrays[id(value)] = value.array
        case np.ndarray():
            arrays[id(value)] = value
        case list() | tuple():
            return sum(_collect(v, arrays) for v in value)
        case float() | complex() | np.generic():
            return 1
    return 0


class Sweep:
    """The cotangents during one reverse sweep."""

    __slots__ = ("_bars", "_shadows", "_views")

    def __init__(self) -> None:
        self._bars: dict[Slot, Any] = {}
        self._shadows: dict[Storage, NDArrayAny] = {}
        self._views: dict[Window, NDArrayAny] = {}

    def take(self, places: Places) -> Any:
        """The cotangent at a place (or of each of several); None where nothing has arrived."""
        match places:
            case None:
                return None
            case list() | tuple():
                parts = [self.take(p) for p in places]
                return None if all(p is None for p in parts) else parts
            case Slot():
                return self._bars.get(places)
            case _:
                if places.storage not in self._shadows:
                    return None
                view = self._view(places)
                return view if places.sign == 1 else -view

    def add(self, places: Places, g: Any) -> None:
        """Add a cotangent at a place, summed to its shape and cast to its type."""
        if g is None or places is None:
            return
        if isinstance(places, list | tuple):
            for place, part in zip(places, g, strict=True):
                self.add(place, part)
        elif isinstance(places, Slot):
            g = as_scalar(g, places.like)
            old = self._bars.get(places)
            self._bars[places] = g if old is None else places.like(old + g)
        else:
            view = self._view(places)
            g = places.sign * sum_to(g, view.shape, view.dtype)
            if overlaps_itself(view):
                np.add.at(self._flat(places), self._indices(places), g)
            else:
                view += g

    def undo(self, step: Step) -> None:
        """One step, backwards."""
        match step:
            case Apply():
                g = self.take(step.out)
                if g is None:
                    return
                if isinstance(g, list):  # a rule sees every output's cotangent, zero or not
                    pairs = zip(g, step.out_value, strict=True)
                    g = tuple(zero_of(v) if part is None else part for part, v in pairs)
                wanted = tuple(map(_any_place, step.operands))
                values = tuple(map(_restore, step.values))
                out = _restore(step.out_value)
                call = (step.primitive, step.attrs, values, out, g, wanted)
                bars = cotangents(*call)
                if is_elementwise(step.primitive) and not all(map(_is_finite, bars)):
                    bars = masked_cotangents(*call)
                for places, bar in zip(step.operands, bars, strict=True):
                    self.add(places, bar)
            case Copy():
                self.add(step.source, self.take(step.out))
            case Load():
                g = self.take(step.out)
                if g is not None:
                    self._add_at(step.source, step.key, g)
            case Store():
                self._unstore(step)
            case Add():
                g = self.take(step.target)
                if g is not None:
                    self.add(step.value, step.scale * g[step.key])

    def _unstore(self, step: Store) -> None:
        if step.target.storage not in self._shadows:
            return  # nothing later depends on this memory
        view = self._view(step.target)
        g = np.array(view[step.key])
        if step.winners is not None:
            g = np.where(step.winners, g, 0)
        view[step.key] = 0
        self.add(step.value, step.target.sign * g)

    def _add_at(self, place: Window, key: Any, g: Any) -> None:
        view = self._view(place)
        if overlaps_itself(view):
            g = place.sign * real_if(g, view.dtype)
            np.add.at(self._flat(place), self._indices(place)[key], g)
        elif is_fancy(key):
            np.add.at(view, key, place.sign * real_if(g, view.dtype))
        else:
            view[key] += place.sign * real_if(g, view.dtype)

    def _view(self, window: Window) -> NDArrayAny:
        """The window on the shadow of its storage."""
        view = self._views.get(window)
        if view is None:
            flat = self._flat(window)
            view = np.ndarray(window.shape, window.dtype, flat, window.offset, window.strides)
            self._views[window] = view
        return view

    def _flat(self, window: Window) -> NDArrayAny:
        """The whole shadow of a window's storage, in one dimension."""
        storage = window.storage
        shadow = self._shadows.get(storage)
        if shadow is None:
            length = -(-(storage.high - storage.low) // storage.dtype.itemsize)
            shadow = self._shadows[storage] = np.zeros(length, storage.dtype)
        return shadow if window.dtype == storage.dtype else shadow.view(window.dtype)

    def _indices(self, window: Window) -> NDArrayAny:
        """Where each element of the window lies in the flat shadow."""
        size = window.dtype.itemsize
        index = np.full(window.shape, window.offset // size)
        for axis, (length, stride) in enumerate(zip(window.shape, window.strides, strict=True)):
            steps = np.arange(length) * (stride // size)
            index += steps.reshape(-1, *[1] * (len(window.shape) - axis - 1))
        return index


def _any_place(places: Places) -> bool:
    if isinstance(places, list | tuple):
        return any(map(_any_place, places))
    return places is not None


def _is_finite(bar: Any) -> bool:
    if isinstance(bar, float):  # NumPy's float64 is one
        return math.isfinite(bar)
    return bar is None or bool(np.all(np.isfinite(bar)))


def _restore(value: Any) -> Any:
    match value:
        case Saved():
            return value.array
        case Outline():
            return value.zero
        case list():
            return [_restore(v) for v in value]
        case tuple():
            return tuple(_restore(v) for v in value)
        case _:
            return value


def zero_of(value: Any) -> Any:
    """A zero cotangent for a result."""
    value = _restore(value)
    return np.zeros_like(value) if isinstance(value, np.ndarray) else type(value)(0)
