"""Walking over the lanes of arrays: all vectors along one axis.

In: how many axes an array has and which one counts. Out: text for code that is written for the
types at hand::

    Lanes(3, 1).walk("a", "out[{lane}] = turned(a[{lane}])")
      ->   for at in np.ndindex((a.shape[0], a.shape[2])):
               out[at[0], :, at[1]] = turned(a[at[0], :, at[1]])
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import types
from numba.np import numpy_support

from .written import axes_of, dtype_text, is_none, written

__all__ = [
    "Lanes",
    "axis_of",
    "by_rows",
    "common",
    "from_rows",
    "has_order",
    "known_axes",
    "rows",
]


def axis_of(axis: Any, rank: int) -> int | None:
    """The one axis a constant stands for; None where it is not known or wrong."""
    if isinstance(axis, int):
        return axis % rank if -rank <= axis < rank else None
    axes = None if is_none(axis) else axes_of(axis, rank)
    return axes[0] if axes is not None and len(axes) == 1 else None


def has_order(t: Any) -> bool:
    """Whether a type is of arrays with lanes, of numbers that are in order."""
    return isinstance(t, types.Array) and t.ndim > 0 and not isinstance(t.dtype, types.Complex)


@dataclass(frozen=True, slots=True)
class Lanes:
    """The lanes of arrays of ``rank`` axes along ``axis``."""

    rank: int
    axis: int

    @property
    def lane(self) -> str:
        """The index of a lane: that of the others, and all along the axis."""
        return self.at(":")

    def at(self, along: str) -> str:
        """The index of what is at a place along the axis."""
        if self.rank == 1:
            return along
        places = [f"at[{n}]" for n in range(self.rank - 1)]
        places.insert(self.axis, along)
        return ", ".join(places)

    def shape(self, of: str, size: str) -> str:
        """The shape of ``of`` with another size along the axis; none where that is empty."""
        sizes = [f"{of}.shape[{n}]" for n in range(self.rank)]
        sizes[self.axis] = size
        return "(" + "".join(f"{s}, " for s in sizes if s) + ")"

    def walk(self, of: str, *statements: str) -> str:
        """The statements for every lane of ``of``; ``{lane}`` in them is its index."""
        lines = [s.replace("{lane}", self.lane) for s in statements]
        if self.rank == 1:
            return "".join(f"    {line}\n" for line in lines)
        head = f"    for at in np.ndindex({self.shape(of, '')}):\n"
        return head + "".join(f"        {line}\n" for line in lines)


def rows(name: str, rank: int, axes: tuple[int, ...] | None) -> str:
    """``name`` as a matrix, which has what lies along the axes (None: all of it) in its rows."""
    if axes is None or rank < 2:
        return f"np.ascontiguousarray({name}).reshape((1, {name}.size))"
    order = _order(rank, axes)
    turned = name if order == tuple(range(rank)) else f"{name}.transpose({order})"
    sizes = [f"{name}.shape[{n}]" for n in range(rank)]
    outer = " * ".join(s for n, s in enumerate(sizes) if n not in axes) or "1"
    inner = " * ".join(sizes[n] for n in axes)
    return f"np.ascontiguousarray({turned}).reshape(({outer}, {inner}))"


def from_rows(made: str, name: str, rank: int, axes: tuple[int, ...] | None) -> str:
    """The matrix ``made`` of such rows in the shape of ``name``."""
    if axes is None or rank < 2:
        return f"{made}.reshape({name}.shape)"
    order = _order(rank, axes)
    sizes = "".join(f"{name}.shape[{n}], " for n in order)
    if order == tuple(range(rank)):
        return f"{made}.reshape(({sizes}))"
    inverse = tuple(order.index(n) for n in range(rank))
    return f"np.ascontiguousarray({made}.reshape(({sizes})).transpose({inverse}))"


def _order(rank: int, axes: tuple[int, ...]) -> tuple[int, ...]:
    return (*(n for n in range(rank) if n not in axes), *axes)


def by_rows(
    parameters: str,
    arrays: dict[str, Any],
    like: str,
    axes: tuple[int, ...] | None,
    dtype: str,
    kernel: Any,
    *,
    more: str = "",
    flat: bool = False,
) -> Any:
    """Code that calls ``kernel`` on the rows of all arrays; ``flat``: the result has one axis."""
    lines = [f"def impl({parameters}):"]
    lines += [f"    r_{name} = {rows(name, t.ndim, axes)}" for name, t in arrays.items()]
    lines += [
        f"    made = np.empty(r_{like}.shape, {dtype})",
        "    for k in range(len(made)):",
        f"        made[k] = kernel({', '.join(f'r_{name}[k]' for name in arrays)}{more})",
    ]
    rank = arrays[like].ndim
    result = "made.reshape(made.size)" if flat else from_rows("made", like, rank, axes)
    return written("\n".join([*lines, f"    return {result}"]), kernel=kernel)


def known_axes(axis: Any, rank: int) -> tuple[bool, tuple[int, ...] | None]:
    """Whether an axis is known here, and the axes; none where it is None."""
    if is_none(axis):
        return True, None
    axes = axes_of(axis, rank)
    return axes is not None, axes


def common(*types_: Any) -> str:
    """The text of the dtype of what arrays and numbers give together."""
    found = np.result_type(*(numpy_support.as_dtype(getattr(t, "dtype", t)) for t in types_))
    return dtype_text(numpy_support.from_dtype(found))
