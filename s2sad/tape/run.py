"""One run of a program on a tape: arguments in, results out.

In: a function and its arguments. Out: a ``Run``: the plain result, and the cotangents of the
arguments for any cotangent of it, as often as one likes.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from ..binding import Layout, Target, layout_of
from ..errors import ArgumentError, OutputError, Problem, UnsupportedError
from ..ir.nodes import Struct
from ..ir.tree import flatten, gradient_tree, is_differentiable, leaves_like, unflatten
from .dispatch import Recorder
from .memory import byte_bounds, overlaps_itself
from .record import Slot, Storage, Window
from .translate import Translator
from .values import TapeArray, TapeScalar, TapeValue
from .where import no_refusal_is_swallowed, span_of_traceback

__all__ = ["Run"]

_ALIASED = "an argument is written whose memory is shared by another argument or element"


class Run:
    """A program that has run on a tape; ``value`` is its plain result.

    ``argnums`` of None differentiates every argument and, unlike given ones, takes them as they
    are: an int is a constant then, not a float.
    """

    def __init__(
        self,
        f: Callable[..., Any],
        argnums: tuple[int | str, ...] | None,
        args: Sequence[Any],
        kwargs: Mapping[str, Any],
    ) -> None:
        layout = layout_of(f)
        values = list(layout.bind(args, kwargs))
        if argnums is None:
            targets: Sequence[Target] = _everything(layout, values)
        else:
            targets = layout.targets(argnums, values)
            for target in targets:
                _read_as_float(values, target)
        self.recorder = Recorder()
        self._translator = Translator(self.recorder)
        self._inputs: list[tuple[Struct, list[Any]]] = []
        self._clones = _clones(values)
        wrapped = [self._parameter(n, v, targets) for n, v in enumerate(values)]
        for target in targets:
            leaves, struct = flatten(_part(values, target))
            if argnums is not None:
                _check(_part(values, target), leaves, target, layout)
            places, _ = flatten(_part(wrapped, target), _on_tape)
            self._inputs.append((struct, places))
        out = self._call(layout, wrapped)
        self._leaves, struct = flatten(out, lambda v: _on_tape(v) or is_differentiable(v))
        self._struct = _with_classes(struct, self._translator.original_class.get)
        self.value: Any = unflatten(self._struct, list(map(_plain, self._leaves)))

    def gradient(self, name: str) -> tuple[Any, ...]:
        """The cotangents of the arguments for a cotangent of one; the result must be a scalar."""
        plain: Any = self.value
        if self._struct.form != "leaf" or np.size(plain) != 1 or np.iscomplexobj(plain):
            raise OutputError(
                f"{name}() must return a real number to have a gradient, but the result is "
                f"{_describe(plain)}; use vjp for other results"
            )
        return self.pullback(np.ones_like(plain) if np.ndim(plain) else type(plain)(1))

    def pullback(self, g: Any) -> tuple[Any, ...]:
        """The cotangents of the arguments for a cotangent ``g`` built like the result.

        None in ``g`` stands for zero.
        """
        parts = leaves_like(self._struct, g)
        pairs = zip(self._leaves, parts, strict=True)
        seeds = [
            (_place(leaf), part)
            for leaf, part in pairs
            if part is not None and isinstance(leaf, TapeValue)
        ]
        sweep = self.recorder.tape.sweep(seeds)
        return tuple(
            gradient_tree(struct, [_gradient(leaf, sweep.take(_place(leaf))) for leaf in leaves])
            for struct, leaves in self._inputs
        )

    # -- arguments ------------------------------------------------------------------------------

    def _parameter(self, n: int, value: Any, targets: Sequence[Target]) -> Any:
        """The value of a parameter on the tape, active as far as it is a target."""
        keys = [t.key for t in targets if t.parameter == n]
        if not keys or keys == [None]:
            return self._wrapped(value, bool(keys))
        if isinstance(value, dict):
            return {k: self._wrapped(v, k in keys) for k, v in value.items()}
        return tuple(self._wrapped(v, k in keys) for k, v in enumerate(value))

    def _wrapped(self, value: Any, active: bool) -> Any:
        leaves, struct = flatten(
            value, lambda v: isinstance(v, np.ndarray) or is_differentiable(v) or _on_tape(v)
        )
        new = [self._leaf(leaf, active) for leaf in leaves]
        struct = _with_classes(struct, self._translator.value)
        return unflatten(struct, new, constant=self._translator.value)

    def _leaf(self, leaf: Any, active: bool) -> Any:
        if isinstance(leaf, TapeValue):
            raise UnsupportedError("tapes do not nest: use s2sad.grad for higher derivatives")
        if not isinstance(leaf, np.ndarray):
            return TapeScalar(self.recorder, leaf) if active else leaf
        if type(leaf) is not np.ndarray:
            raise ArgumentError(f"an argument is a {type(leaf).__name__}, not a plain array")
        plain, aliased = self._clones[id(leaf)]
        if not is_differentiable(leaf):
            return plain
        if aliased:
            plain = _clone(leaf)
        storage = Storage(plain, _ALIASED if aliased else "")
        array = TapeArray(self.recorder, plain, storage)
        array.storage.active = active
        return array

    # -- the program ----------------------------------------------------------------------------

    def _call(self, layout: Layout, values: list[Any]) -> Any:
        function = self._translator.value(layout.function)
        count = len(layout.positional)
        args, rest = list(values[:count]), list(values[count:])
        if layout.variadic:
            args.extend(rest.pop(0))
        keywords = dict(zip(layout.keyword_only, rest, strict=False))
        if layout.keywords:
            keywords.update(rest[-1])
        try:
            with no_refusal_is_swallowed():
                return function(*args, **keywords)
        except (TypeError, ValueError) as error:
            if not _mentions_tape(error):
                raise
            span = span_of_traceback(error.__traceback__)
            raise UnsupportedError(
                Problem(
                    "a value that depends on the input goes where the tape cannot follow",
                    span,
                    f"Python says: {_mentions_tape(error)}",
                )
            ) from error


def _everything(layout: Layout, values: Sequence[Any]) -> list[Target]:
    """Each argument that can be passed, those of ``*args`` one by one."""
    targets: list[Target] = []
    for n in range(len(layout.positional) - len(layout.free), len(values)):
        if layout.variadic and layout.names[n] == layout.variadic:
            targets.extend(Target(n, k) for k in range(len(values[n])))
        else:
            targets.append(Target(n))
    return targets


def _on_tape(value: Any) -> bool:
    return isinstance(value, TapeValue)


def _plain(leaf: Any) -> Any:
    """A result in memory of its own: what the tape has saved must not be written by the caller."""
    plain = leaf.primal if isinstance(leaf, TapeValue) else leaf
    return plain.copy(order="K") if isinstance(plain, np.ndarray) else plain


def _place(leaf: Any) -> Slot | Window:
    place: Slot | Window = leaf.slot if isinstance(leaf, TapeScalar) else leaf.window
    return place


def _gradient(leaf: Any, g: Any) -> Any:
    if isinstance(leaf, TapeScalar):
        return type(leaf.primal)(0) if g is None else g
    if g is None:
        return np.zeros(leaf.primal.shape, leaf.primal.dtype)
    return np.array(g, order="C")


def _part(values: Sequence[Any], target: Target) -> Any:
    value = values[target.parameter]
    return value if target.key is None else value[target.key]


def _read_as_float(values: list[Any], target: Target) -> None:
    """A Python int that is differentiated is read as a float."""
    here: Any = values[target.parameter]
    if target.key is None:
        if type(here) is int:
            values[target.parameter] = float(here)
    elif type(here[target.key]) is int:
        new: Any = dict(here) if isinstance(here, dict) else list(here)
        new[target.key] = float(here[target.key])
        values[target.parameter] = new if isinstance(here, dict) else tuple(new)


def _check(part: Any, leaves: list[Any], target: Target, layout: Layout) -> None:
    if not leaves:
        name = layout.names[target.parameter]
        raise ArgumentError(
            f"argument {name!r} of {layout.function.__qualname__}() is {_describe(part)}: "
            "there is no float to differentiate"
        )
    for leaf in leaves:
        if np.iscomplexobj(leaf):
            raise ArgumentError("the gradient with respect to a complex argument is not defined")


def _describe(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return f"an array of {value.dtype} of shape {value.shape}"
    return "None" if value is None else f"of type {type(value).__name__}"


def _with_classes(struct: Struct, change: Callable[[Any], Any]) -> Struct:
    """The structure with the classes of its records changed."""
    children = tuple(_with_classes(c, change) for c in struct.children)
    cls = struct.cls
    if struct.form == "record":
        cls = change(cls) or cls
    return dataclasses.replace(struct, children=children, cls=cls)


def _mentions_tape(error: BaseException | None) -> str:
    """The message in a chain of errors that names a class of the tape, or nothing."""
    while error is not None:
        if any(name in str(error) for name in ("TapeScalar", "TapeArray", "TapeValue")):
            return (
                str(error)
                .replace("'TapeScalar'", "a number on the tape")
                .replace("'TapeArray'", "an array on the tape")
            )
        error = error.__cause__ or error.__context__
    return ""


# -- copies of the caller's arrays ----------------------------------------------------------------


def _clones(values: Sequence[Any]) -> dict[int, tuple[np.ndarray[Any, Any], bool]]:
    """A copy of each array among the arguments, and whether another one shares its memory.

    Arrays that share memory become variables of their own, and so do the elements of one that
    overlaps itself, which is right as long as nobody writes to them: so nobody may.
    """
    found, _ = flatten(tuple(values), lambda v: type(v) is np.ndarray)
    bounds = [byte_bounds(a) for a in found]
    clones: dict[int, tuple[np.ndarray[Any, Any], bool]] = {}
    for n, (array, (low, high)) in enumerate(zip(found, bounds, strict=True)):
        aliased = overlaps_itself(array) or any(
            m != n and start < high and low < stop and np.shares_memory(array, found[m])
            for m, (start, stop) in enumerate(bounds)
        )
        if id(array) not in clones:
            plain = _clone(array)
            if aliased:
                plain.flags.writeable = False
            clones[id(array)] = (plain, aliased)
    return clones


def _clone(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """A copy with the same strides and flags: whether ``reshape`` is a view depends on them."""
    if array.flags.forc or overlaps_itself(array) or array.dtype.hasobject:
        new = array.copy(order="K")
    else:
        low, high = byte_bounds(array)
        buffer = np.zeros(high - low, np.uint8)
        offset = array.__array_interface__["data"][0] - low
        new = np.ndarray(array.shape, array.dtype, buffer, offset, array.strides)
        new[...] = array
    new.flags.writeable = array.flags.writeable
    return new
