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

from .ir.kinds import Array, Kind, Num, Sym, Tuple

__all__ = ["SIZED", "Place", "Sizes", "sized"]

#: How many sets of sizes code is compiled for before it is compiled for all.
SIZED = 2
#: Integers below are numbers of their own, whatever is as long; sizes are compared from here on.
_FEW, _MANY = 4, 16
#: How much shorter an axis may be that is described by another one.
_SHORTER = 4


class Place(NamedTuple):
    """A size: an axis of the parameter with this number, or the number that it is.

    ``path`` leads to the array in a tuple, and into a tuple in that.
    """

    parameter: int
    path: tuple[int, ...]
    axis: int | None

    def of(self, values: Sequence[Any]) -> int:
        """The size, of values of the right kinds."""
        value = values[self.parameter]
        for key in self.path:
            value = value[key]
        return int(value if self.axis is None else value.shape[self.axis])

    def text(self, names: Sequence[str]) -> str:
        """The expression that reads it."""
        name = names[self.parameter] + "".join(f"[{key}]" for key in self.path)
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
    for place, _ in _axes(kinds):
        size = place.of(values)
        if size > 1:
            by_size.setdefault(size, []).append(place)
    for n, kind in enumerate(kinds):
        if isinstance(kind, Num) and type(values[n]) is int and isinstance(kind.dim, Sym):
            size = int(values[n])
            if size >= _FEW and size in by_size:
                by_size[size].append(Place(n, (), None))
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
    found.sort(key=lambda sizes: (sizes.first[:2], sizes.first.axis or 0))
    for sizes in found:
        kinds = _described(kinds, sizes)
    return kinds, tuple(found)


def _axes(kinds: Sequence[Kind]) -> list[tuple[Place, Sym]]:
    """All axes of arrays, in tuples as well, that have a symbol."""
    found: list[tuple[Place, Sym]] = []

    def look(kind: Kind, parameter: int, path: tuple[int, ...]) -> None:
        if isinstance(kind, Tuple):
            for key, item in enumerate(kind.items):
                look(item, parameter, (*path, key))
        elif isinstance(kind, Array) and kind.dims is not None:
            for axis, dim in enumerate(kind.dims):
                if isinstance(dim, Sym):
                    found.append((Place(parameter, path, axis), dim))

    for n, kind in enumerate(kinds):
        look(kind, n, ())
    return found


def _described(kinds: tuple[Kind, ...], sizes: Sizes) -> tuple[Kind, ...]:
    """The kinds, where all these places have the symbol of the first."""
    symbol = dict(_axes(kinds))[sizes.first]
    new = list(kinds)
    for place, less in sizes.others:
        dim = symbol if not less else Sym(symbol.base, symbol.offset - less)
        new[place.parameter] = _with_dim(new[place.parameter], place.path, place.axis, dim)
    return tuple(new)


def _with_dim(kind: Kind, path: tuple[int, ...], axis: int | None, dim: Sym) -> Kind:
    if path and isinstance(kind, Tuple):
        key, *rest = path
        items = list(kind.items)
        items[key] = _with_dim(items[key], tuple(rest), axis, dim)
        return replace(kind, items=tuple(items))
    if isinstance(kind, Array) and kind.dims is not None and axis is not None:
        return replace(kind, dims=(*kind.dims[:axis], dim, *kind.dims[axis + 1 :]))
    assert isinstance(kind, Num)
    return replace(kind, dim=dim)
