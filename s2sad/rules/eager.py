"""Rules on run-time values: a builder that computes.

In: run-time values as constants. Out: the same. The tape and the checker of rules run the very
rules that the compiler stages.

    EagerBuilder().op("mul", Const.of(2.0), Const.of(3.0)).value   ->   6.0
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..ir.builder import Shorthands
from ..ir.kinds import Array, FixedList, Kind, Tuple, kind_of
from ..ir.nodes import Atom, Const
from .registry import primitive


def exact_kind(value: Any) -> Kind:
    """The kind of a run-time value with every size a number."""
    if isinstance(value, np.ndarray) and value.dtype.kind in "biufc":
        return Array(value.dtype.name, value.shape)
    if type(value) is tuple:
        return Tuple(tuple(map(exact_kind, value)))
    kind = kind_of(value)
    return FixedList(tuple(map(exact_kind, value))) if isinstance(kind, FixedList) else kind


class EagerBuilder(Shorthands):
    """A builder that computes: its atoms are constants that hold run-time values.

    The tape and the checker of rules run the very rules that the compiler stages.

    >>> import s2sad.rules
    >>> b = EagerBuilder()
    >>> b.op("mul", b.const(2.0), b.const(3.0)).value
    6.0
    """

    def op(self, fn: str, *args: Atom, name: str | None = None, **attrs: Any) -> Const:
        """The value of a primitive with one result."""
        return self.const(primitive(fn).fun(*_values(args), **attrs))

    def ops(
        self, fn: str, *args: Atom, names: Sequence[str | None] = (), **attrs: Any
    ) -> tuple[Const, ...]:
        """The values of a primitive with several results."""
        value = primitive(fn).fun(*_values(args), **attrs)
        return tuple(map(self.const, value)) if isinstance(value, tuple | list) else ()

    def const(self, value: Any) -> Const:
        """An atom that holds a run-time value."""
        return Const(value, exact_kind(value))

    def origin(self, atom: Atom) -> None:
        """Nothing is known of where a value came from."""

    def defined_by(self, atom: Atom, fn: str) -> None:
        """Nothing is known of where a value came from."""


def _values(args: Sequence[Atom]) -> list[Any]:
    return [a.value if isinstance(a, Const) else a for a in args]
