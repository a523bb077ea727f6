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

from .written import axes_of, is_none

__all__ = ["Lanes", "axis_of"]


def axis_of(axis: Any, rank: int) -> int | None:
    """The one axis a constant stands for; None where it is not known or wrong."""
    if isinstance(axis, int):
        return axis % rank if -rank <= axis < rank else None
    axes = None if is_none(axis) else axes_of(axis, rank)
    return axes[0] if axes is not None and len(axes) == 1 else None


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
