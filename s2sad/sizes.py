"""Sizes that the arguments of a call share: code is compiled for what belongs together.

In: arguments and their kinds. Out: the same kinds, where sizes that are equal now have one symbol,
and what must be true of later calls for the code to be right::

    n, x of shape (9, 7), y of shape (9,), n = 7   ->   x: [n, m], y: [n], n: the size m
                                                        while len(x) == len(y), x.shape[1] == n

That two arrays are as long as each other is nothing a Python function says, but nearly all mean
it: without it each product of the two may stretch one of them, and its derivative may sum. A size
that is one or two less than another is that, too, as of edges and cells, if both are no small
numbers. Calls of other sizes find other code, and after a few such code that assumes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from textwrap import wrap
from typing import Any, NamedTuple

from .ir.kinds import Array, Kind, Num, Sym

__all__ = ["SIZED", "Place", "Sizes", "sized"]

#: How many sets of sizes code is compiled for before it is compiled for all.
SIZED = 2
#: Integers below are numbers of their own, whatever is as long; sizes are compared from here on.
_FEW, _MANY = 4, 16
#: How much shorter an axis may be that is described by another one.
_SHORTER = 4


class Place(NamedTuple):
    """A size: an axis of the parameter with this number, or the number that it is."""

    parameter: int
    axis: int | None

    def of(self, values: Sequence[Any]) -> int:
        """The size, of values of the right kinds."""
        value = values[self.parameter]
        return int(value if self.axis is None else value.shape[self.axis])

    def text(self, names: Sequence[str]) -> str:
        """The expression that reads it."""
        name = names[self.parameter]
        return name if self.axis is None else f"{name}.shape[{self.axis}]"


@dataclass(frozen=True, slots=True)
class Sizes:
    """What is assumed: each place is as large as the first one, or by some number smaller."""

    first: Place
    others: tuple[tuple[Place, int], ...]

    def hold(self, values: Sequence[Any]) -> bool:
        """Whether it is true of these values."""
        size = self.first.of(values)
        return all(place.of(values) == size - less for place, less in self.others)

    def text(self, names: Sequence[str]) -> str:
        """The same as an expression."""
        first = self.first.text(names)
        parts = [f"{p.text(names)} == {first}" + f" - {n}" * (n > 0) for p, n in self.others]
        return " and ".join(parts)

    def comment(self, names: Sequence[str]) -> str:
        """The same for who reads the code, as lines of comments."""
        parts = [p.text(names) + f" + {n}" * (n > 0) for p, n in self.others]
        text = " == ".join([self.first.text(names), *parts])
        lines = wrap(f"for {text}", width=92, subsequent_indent="    ")
        return "".join(f"# {line}\n" for line in lines)


def sized(
    kinds: tuple[Kind, ...], values: Sequence[Any]
) -> tuple[tuple[Kind, ...], tuple[Sizes, ...]]:
    """The kinds with the symbols of what is as large now, and what that assumes."""
    by_size: dict[int, list[Place]] = {}
    for place in _axes(kinds):
        size = place.of(values)
        if size > 1:
            by_size.setdefault(size, []).append(place)
    for n, kind in enumerate(kinds):
        if isinstance(kind, Num) and type(values[n]) is int and isinstance(kind.dim, Sym):
            size = int(values[n])
            if size >= _FEW and size in by_size:
                by_size[size].append(Place(n, None))
    found = []
    for size in sorted(by_size, reverse=True):
        if size not in by_size:
            continue  # described by a larger one
        first, *same = by_size[size]
        others = [(place, 0) for place in same]
        for less in range(1, _SHORTER + 1):
            if size >= _MANY and size - less in by_size:
                others += [(place, less) for place in by_size.pop(size - less)]
        if others:
            found.append(Sizes(first, tuple(others)))
    found.sort(key=lambda sizes: (sizes.first.parameter, sizes.first.axis or 0))
    for sizes in found:
        kinds = _described(kinds, sizes)
    return kinds, tuple(found)


def _axes(kinds: Sequence[Kind]) -> list[Place]:
    return [
        Place(n, axis)
        for n, kind in enumerate(kinds)
        if isinstance(kind, Array) and kind.dims is not None
        for axis, dim in enumerate(kind.dims)
        if isinstance(dim, Sym)
    ]


def _described(kinds: tuple[Kind, ...], sizes: Sizes) -> tuple[Kind, ...]:
    """The kinds, where all these places have the symbol of the first."""
    new = list(kinds)
    at = sizes.first
    array = new[at.parameter]
    assert isinstance(array, Array)
    assert array.dims is not None
    assert at.axis is not None
    symbol = array.dims[at.axis]
    assert isinstance(symbol, Sym)
    for place, less in sizes.others:
        kind = new[place.parameter]
        dim = symbol if not less else Sym(symbol.base, symbol.offset - less)
        if isinstance(kind, Num):
            new[place.parameter] = replace(kind, dim=dim)
        elif isinstance(kind, Array) and kind.dims is not None and place.axis is not None:
            dims = (*kind.dims[: place.axis], dim, *kind.dims[place.axis + 1 :])
            new[place.parameter] = replace(kind, dims=dims)
    return tuple(new)
