"""Where the elements of a view are in its base.

In: an op that makes a view, with what defines its operands. Out: a `View`: for each axis of the
base, the place of the element in terms of the axes of the result; or None where that is not known
before it runs::

    a[1:-1, 0]       ->   a[i + 1, 0]
    np.transpose(a)  ->   a[j, i]

Slices must be known to start at or behind the start of the axis: at constants, counters of loops,
sizes and sums of these.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from types import EllipsisType
from typing import Any, TypeAlias

from ....ir.kinds import Array, Kind, Num, Opaque
from ....ir.nodes import Atom, Const, For, Node, Op, Value

__all__ = [
    "Along",
    "At",
    "Definitions",
    "Part",
    "View",
    "is_nonnegative",
    "parts_of",
    "view",
    "written_as",
]

#: What defines a value: a node, or the loop whose counter it is.
Definitions: TypeAlias = Mapping[Value, Node]


@dataclass(frozen=True, slots=True)
class At:
    """One element of an axis: ``atom`` is its index, as the program gives it."""

    atom: Atom


@dataclass(frozen=True, slots=True)
class Along:
    """A run of elements: from ``start`` on, up to ``stop``; both None where it is all of them.

    ``axis`` is that of the result. A constant stop below 0 counts from the end, and so may one
    that ``wraps``. ``turn``: all of the elements, each so many places further on, in a ring.
    """

    axis: int
    start: Atom | None = None
    stop: Atom | None = None
    wraps: bool = False
    turn: int = 0

    @property
    def is_whole(self) -> bool:
        return self.start is None and self.stop is None


Part: TypeAlias = At | Along


@dataclass(frozen=True, slots=True)
class View:
    """``parts`` has an entry for each axis of ``base``; ``rank`` is that of the result."""

    base: Atom
    parts: tuple[Part, ...]
    rank: int


def view(op: Op, definitions: Definitions) -> View | None:
    """What the op is a view of, or None if it is none that can be followed."""
    base = op.args[0] if op.args else None
    if base is None or not isinstance(base.kind, Array) or base.kind.rank is None:
        return None
    rank = base.kind.rank
    if op.fn == "item":
        found = parts_of(op.args[1], rank, definitions)
        if found is None:
            return None
        parts, axes = found
        return View(base, parts, axes) if axes else None
    if op.fn == "np.transpose" and len(op.args) == 1 and not op.attrs:
        return View(base, tuple(Along(rank - 1 - k) for k in range(rank)), rank)
    if op.fn == "np.roll":
        return _rolled(op, base, rank)
    if op.fn == "np.expand_dims":
        new = _axes(op, rank)
        if new is None:
            return None
        kept = [k for k in range(rank + len(new)) if k not in new]
        return View(base, tuple(map(Along, kept)), rank + len(new))
    return None


def _rolled(op: Op, base: Atom, rank: int) -> View | None:
    """``np.roll`` along one axis by a constant."""
    if set(op.attrs) - {"axis"} or len(op.args) not in (2, 3):
        return None
    axis = op.args[2] if len(op.args) == 3 else op.attrs.get("axis")
    at = axis.value if isinstance(axis, Const) else axis
    shift = op.args[1].value if isinstance(op.args[1], Const) else None
    turned = 0 if at is None and rank == 1 else at
    if type(shift) is not int or type(turned) is not int:
        return None
    turned %= rank
    return View(base, tuple(Along(k, turn=shift * (k == turned)) for k in range(rank)), rank)


def _axes(op: Op, rank: int) -> list[int] | None:
    """The new axes of ``np.expand_dims``."""
    axis = op.args[1] if len(op.args) > 1 else op.attrs.get("axis")
    value = axis.value if isinstance(axis, Const) else axis
    many = value if isinstance(value, tuple) else (value,)
    if not all(type(v) is int for v in many):
        return None
    return [v % (rank + len(many)) for v in many]


def parts_of(
    index: Atom, rank: int, definitions: Definitions
) -> tuple[tuple[Part, ...], int] | None:
    """What an index picks of each axis, and how many axes that has; None where it copies."""
    entries = _entries(index, definitions)
    if entries is None:
        return None
    consumed = sum(e is not None and e is not ... for e in entries)
    if consumed > rank:
        return None
    rest: list[Any] = [slice(None)] * (rank - consumed)
    at = next((n for n, e in enumerate(entries) if e is ...), len(entries))
    parts: list[Part] = []
    axis = 0
    for entry in [*entries[:at], *rest, *entries[at + 1 :]]:
        if entry is None:
            axis += 1
        elif isinstance(entry, Const | Value):
            parts.append(At(entry))
        else:
            start, stop = _bound(entry.start), _bound(entry.stop)
            if not _is_forward(start, entry.step, definitions):
                return None
            wraps = isinstance(stop, Value) and not is_nonnegative(stop, definitions)
            parts.append(Along(axis, start, stop, wraps))
            axis += 1
    return tuple(parts), axis


@dataclass(frozen=True, slots=True)
class _Slice:
    """A slice whose bounds are atoms."""

    start: Atom | None
    stop: Atom | None
    step: Atom | None


def _entries(index: Atom, definitions: Definitions) -> list[Any] | None:
    """The entries of an index: atoms of whole numbers, slices, None and Ellipsis."""
    node = definitions.get(index) if isinstance(index, Value) else None
    if isinstance(index, Const):
        parts = [
            Const.of(v) for v in (index.value if type(index.value) is tuple else [index.value])
        ]
    elif isinstance(node, Op) and node.fn == "tuple":
        parts = list(node.args)  # type: ignore[arg-type]
    else:
        parts = [index]  # type: ignore[list-item]
    entries = [_entry(p, definitions) for p in parts]
    if any(e is False for e in entries) or sum(e is ... for e in entries) > 1:
        return None
    return entries


def _entry(a: Atom, definitions: Definitions) -> Any:
    """One entry; False if it is no basic one."""
    if isinstance(a.kind, Num):
        return a if a.kind.dtype == "int64" else False
    if isinstance(a, Const):
        value = a.value
        if isinstance(value, slice):
            return _Slice(
                *(
                    None if v is None else Const.of(v)
                    for v in (value.start, value.stop, value.step)
                )
            )
        return value if value is None or isinstance(value, EllipsisType) else False
    node = definitions.get(a)
    if isinstance(node, Op) and node.fn == "slice":
        return _Slice(*node.args)
    return None if _is_none(a.kind) else False


def _is_none(kind: Kind) -> bool:
    return isinstance(kind, Opaque) and kind.cls is type(None)


def _bound(a: Atom | None) -> Atom | None:
    return None if a is None or _is_none(a.kind) else a


def _is_forward(start: Atom | None, step: Atom | None, definitions: Definitions) -> bool:
    """Whether the slice takes one element after the other, from no negative place on."""
    step = _bound(step)
    if step is not None and not (isinstance(step, Const) and step.value == 1):
        return False
    return start is None or is_nonnegative(start, definitions)


def written_as(a: Atom | None, definitions: Definitions, depth: int = 6) -> Hashable:
    """Equal for whole numbers that are computed in the same way from the same values."""
    if a is None or isinstance(a, Const):
        return None if a is None else ("const", a.value)
    node = definitions.get(a)
    if isinstance(node, Op) and node.fn in _SUMS and depth:
        return (node.fn, *(written_as(x, definitions, depth - 1) for x in node.args))
    return a


_SUMS = frozenset({"add", "sub", "mul"})
_SIZES = frozenset({"len", "np.size", "trip_count"})


def is_nonnegative(a: Atom, definitions: Definitions, depth: int = 6) -> bool:
    """Whether a whole number is known not to be below 0."""
    if isinstance(a, Const):
        return bool(a.value >= 0)
    node = definitions.get(a)
    if isinstance(node, For):
        if node.body.params[0] is not a or not isinstance(node.step, Const):
            return False
        if node.step.value > 0:
            return is_nonnegative(node.start, definitions, depth - 1)
        return isinstance(node.stop, Const) and node.stop.value >= -1
    if not isinstance(node, Op) or depth == 0:
        return False
    if node.fn in ("add", "mul", "floordiv", "min"):
        return all(is_nonnegative(x, definitions, depth - 1) for x in node.args)
    if node.fn == "max":
        return any(is_nonnegative(x, definitions, depth - 1) for x in node.args)
    if node.fn == "item" and isinstance(node.args[0], Value):
        source = definitions.get(node.args[0])
        return isinstance(source, Op) and source.fn == "shape"
    return node.fn in _SIZES


def same_parts(a: Sequence[Part], b: Sequence[Part]) -> bool:
    """Whether two indices are written alike."""
    return len(a) == len(b) and all(map(_same_part, a, b))


def _same_part(a: Part, b: Part) -> bool:
    if isinstance(a, At) and isinstance(b, At):
        return same_atom(a.atom, b.atom)
    if isinstance(a, Along) and isinstance(b, Along):
        return a.axis == b.axis and same_atom(a.start, b.start) and same_atom(a.stop, b.stop)
    return False


def same_atom(a: Atom | None, b: Atom | None) -> bool:
    """Whether two atoms are one, or constants that are equal."""
    if isinstance(a, Const) and isinstance(b, Const):
        return bool(a.value == b.value)
    return a is b
