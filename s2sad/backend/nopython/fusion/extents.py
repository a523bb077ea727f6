"""How long axes are, and which of them are equal.

In: what is known of an array before it runs. Out: `Extent`s, from which the bounds of loops are
written, and which say whether two axes can be gone through by one counter::

    a: float64[n];  a[1:-1]   ->   an extent written len(a) - 2
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass

from ....ir.kinds import BOOL, INT, Array, Dim, Kind, Size, Sym, not_one, same_dim
from ....ir.nodes import Atom, Const, If, Node, Op, Region, Value
from ....rules.registry import primitive
from .views import Along, Definitions, written_as

__all__ = ["Extent", "Sizes", "axes_of", "common", "is_first_of", "more", "part_of", "total"]


@dataclass(frozen=True, slots=True)
class Extent:
    """One axis. ``write`` adds what computes its length to a list of nodes and returns it.

    Extents with the same ``key`` are equal. ``among``: it is the longest of axes with these keys,
    the others of which have length 1.
    """

    dim: Dim
    key: Hashable
    write: Callable[[list[Node]], Atom]
    among: frozenset[Hashable] = frozenset()
    is_window: bool = False

    def is_one(self) -> bool:
        return self.dim == 1

    def length(self, nodes: list[Node]) -> Atom:
        """The number of elements, never below 0."""
        return self.write(nodes)


class Sizes:
    """Lengths of axes that are known by now, each computed once.

    Those of parameters are computed first of all, by the nodes in ``first``.
    """

    def __init__(self, params: Sequence[Value]) -> None:
        self.first: list[Node] = []
        self.params: dict[Hashable, tuple[Value, int]] = {}
        #: lengths that are known everywhere, and those known from here on
        self.everywhere: dict[Hashable, Atom] = {}
        self.known: dict[Hashable, Atom] = {}
        #: the axes of arrays that loops have made
        self.made: dict[Atom, tuple[Extent, ...]] = {}
        #: lengths that have been compared, and those that they are equal to
        self.equal: dict[Atom, Atom] = {}
        #: slices of axes of known size, from their start to their stop, with their lengths
        self.windows: dict[tuple[Atom, Atom, Dim], tuple[Dim, Atom]] = {}
        for p in params:
            if isinstance(p.kind, Array):
                for k, d in enumerate(p.kind.dims or ()):
                    if isinstance(d, Sym) and d.offset == 0:
                        self.params.setdefault(d.base, (p, k))

    def inside(self) -> Sizes:
        """The same for a region: what is computed there is known there only."""
        made = Sizes(())
        made.first, made.params, made.everywhere = self.first, self.params, self.everywhere
        made.known, made.made = self.known.copy(), self.made.copy()
        made.equal, made.windows = self.equal.copy(), self.windows
        return made

    def same(self, size: Atom) -> Atom:
        """What stands for all lengths that are equal to this one from here on."""
        while size in self.equal:
            size = self.equal[size]
        return size

    def now_equal(self, a: Atom, b: Atom) -> None:
        """Note that two lengths have been compared."""
        first, second = self.same(a), self.same(b)
        if first is not second and isinstance(second, Value):
            self.equal[second] = first

    def along(self, array: Atom, k: int, root: Hashable, nodes: list[Node]) -> Atom:
        """The length of axis ``k`` of an array that exists, one of the shape of ``root``."""
        assert isinstance(array.kind, Array)
        assert array.kind.dims is not None
        dim = array.kind.dims[k]
        if isinstance(dim, int):
            return Const.of(dim)
        found = self.of_params(dim)
        if found is not None:
            return found
        key = dim if isinstance(dim, Sym) else (root, k)
        return self.once(key, nodes, lambda: _size(array, k, nodes))

    def once(self, key: Hashable, nodes: list[Node], write: Callable[[], Atom]) -> Atom:
        """A length that is written where it is asked for first."""
        if key not in self.known:
            self.known[key] = write()
        return self.known[key]

    def of_params(self, dim: Dim) -> Atom | None:
        """A length that follows from those of the parameters."""
        if not isinstance(dim, Sym) or dim.base not in self.params:
            return None
        key = dim.base, dim.offset
        if key not in self.everywhere:
            array, k = self.params[dim.base]
            if dim.offset == 0:
                size = _size(array, k, self.first)
            else:
                whole = self.of_params(Sym(dim.base))
                assert whole is not None
                less = _less(whole, -dim.offset, self.first)
                size = _named(_op("max", self.first, less, Const.of(0)), k)
            self.everywhere[key] = size
        return self.everywhere[key]


def axes_of(array: Atom, root: Atom, sizes: Sizes) -> tuple[Extent, ...] | None:
    """The axes of an array that exists; ``root`` stands for all arrays of its shape."""
    kind = array.kind
    if not isinstance(kind, Array) or kind.dims is None:
        return None

    def axis(k: int, dim: Dim) -> Extent:
        key = dim if isinstance(dim, Sym) else (root, k)
        return Extent(dim, key, lambda nodes: sizes.along(array, k, root, nodes))

    return tuple(axis(k, d) for k, d in enumerate(kind.dims))


def _size(array: Atom, axis: int, nodes: list[Node]) -> Atom:
    """``array.shape[axis]``."""
    assert isinstance(array.kind, Array)
    if array.kind.rank == 1:
        found = _op("len", nodes, array)
    else:
        kind = primitive("shape").kind((array,), {})
        assert isinstance(kind, Kind)
        sizes = Value(kind)
        nodes.append(Op((sizes,), "shape", (array,)))
        found = _op("item", nodes, sizes, Const.of(axis))
    return _named(found, axis)


def _named(size: Atom, axis: int) -> Atom:
    """The same atom, which is called ``n`` or ``m`` … should it need a name."""
    if isinstance(size, Value):
        object.__setattr__(size, "hint", _LENGTHS[axis % len(_LENGTHS)])
    return size


#: What the lengths of axes are called.
_LENGTHS = ("n", "m", "p", "q")


def part_of(
    whole: Extent, part: Along, dim: Dim, sizes: Sizes, definitions: Definitions
) -> Extent:
    """The axis of a slice."""
    if part.is_whole:
        return Extent(dim, whole.key, whole.write, whole.among, whole.is_window)
    known = sizes.of_params(dim)
    if known is not None:
        return Extent(dim, dim, lambda nodes: known)
    start, stop = part.start, part.stop
    if start is not None and stop is not None and (start, stop, whole.dim) in sizes.windows:
        size, window = sizes.windows[start, stop, whole.dim]
        return Extent(size, size, lambda nodes: window, is_window=True)
    begin = 0 if start is None else start.value if isinstance(start, Const) else None

    def length(nodes: list[Node]) -> Atom:
        base = sizes.known.get(Sym(dim.base)) if isinstance(dim, Sym) else None
        if base is not None:
            assert isinstance(dim, Sym)
            return _less(base, -dim.offset, nodes)
        end = whole.length(nodes)
        if isinstance(stop, Const) and stop.value < 0:
            if begin is not None:
                return _less(end, begin - stop.value, nodes)
            end = _less(end, -stop.value, nodes)
        elif stop is not None and part.wraps:
            end = _op("insertion_point", nodes, stop, end)
        elif stop is not None:
            end = _op("min", nodes, stop, end)
        if begin is not None:
            return _less(end, begin, nodes)
        assert start is not None
        return _op("sub", nodes, end, start)

    key: Hashable = dim
    if not isinstance(dim, Sym):
        key = (whole.key, written_as(start, definitions), written_as(stop, definitions))

    def write(nodes: list[Node]) -> Atom:
        return sizes.once(key, nodes, lambda: _op("max", nodes, length(nodes), Const.of(0)))

    return Extent(dim, key, write, is_window=isinstance(start, Value) and isinstance(stop, Value))


def common(a: Extent, b: Extent, sizes: Sizes) -> Extent:
    """The axis of a result where two axes meet.

    Which of the two it is may show only when it runs: either may have length 1.
    """
    if a.is_one():
        return b
    if b.is_one() or are_equal(a, b) or not_one(a.dim):
        return a
    if not_one(b.dim):
        return b

    if b.key in a.among or b.key == a.key:
        return a
    if a.key in b.among:
        return b
    key = "longer", a.key, b.key

    def length(nodes: list[Node]) -> Atom:
        first, second = a.length(nodes), b.length(nodes)
        is_one, size = Value(BOOL), Value(INT)
        nodes.append(Op((is_one,), "eq", (first, Const.of(1))))
        arms = Region((), (), (second,)), Region((), (), (first,))
        nodes.append(If((size,), is_one, *arms))
        return size

    def write(nodes: list[Node]) -> Atom:
        return sizes.once(key, nodes, lambda: length(nodes))

    among = frozenset((a.key, b.key)) | a.among | b.among
    return Extent(Size(), key, write, among, a.is_window or b.is_window)


def are_equal(a: Extent, b: Extent) -> bool:
    """Whether two axes are proved to have one length."""
    return a.key == b.key or same_dim(a.dim, b.dim)


def is_first_of(longer: Extent, e: Extent) -> bool:
    """Whether one axis is written as that other one unless the other has length 1."""
    key = longer.key
    return isinstance(key, tuple) and key[0] == "longer" and key[1] == e.key


def total(axes: tuple[Extent, ...], nodes: list[Node]) -> Atom:
    """The number of elements of an array."""
    size: Atom | None = None
    for e in axes:
        n = e.length(nodes)
        size = n if size is None else _op("mul", nodes, size, n)
    return Const.of(1) if size is None else size


def more(a: Atom, by: int, nodes: list[Node]) -> Atom:
    """A length, and so many more."""
    return a if by == 0 else _op("add", nodes, a, Const.of(by))


def _less(a: Atom, by: int, nodes: list[Node]) -> Atom:
    return a if by == 0 else _op("sub", nodes, a, Const.of(by))


def _op(fn: str, nodes: list[Node], *args: Atom) -> Atom:
    if all(isinstance(a, Const) for a in args) and fn in _FOLDED:
        return Const.of(_FOLDED[fn](*(a.value for a in args)))  # type: ignore[union-attr]
    result = Value(INT)
    nodes.append(Op((result,), fn, args))
    return result


_FOLDED: dict[str, Callable[..., int]] = {
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "mul": lambda a, b: a * b,
    "min": min,
    "max": max,
}
