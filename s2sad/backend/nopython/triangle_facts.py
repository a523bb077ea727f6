"""Loops that add products of each column of a matrix with those after it.

In: a loop of a derivative. Out: a `Triangle`, if there is one, which says what the loop adds to
one of its arrays::

    x_bar[:, i:] += np.outer(x[:, i], w)   ->   matrix x, along axis 1, by the vector w, from i on

`triangles.py` makes a product of it, and says what that needs.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace

from ...ir.kinds import Array, Dim, Num, Sym, length_of, same_dim
from ...ir.nodes import Atom, Const, For, Op, Region, Value, walk

__all__ = ["Slice", "Triangle", "dims_of", "find_triangle"]

#: How far from the counter a slice may begin, and how far from its end the counter may stop.
_NEAR = 2


@dataclass(frozen=True, slots=True)
class Slice:
    """A slice from so many after the loop's counter to the end."""

    after: int
    stop: Atom


@dataclass(frozen=True, slots=True)
class Triangle:
    """What a loop adds to its ``k``-th array: products with ``matrix`` along an axis.

    ``outer`` and ``inner`` say whether it adds to the columns in the slice, and to the one column;
    ``gone`` are the ops that add.
    """

    loop: For
    k: int
    axis: int
    matrix: Value
    vector: Value
    slice: Slice
    outer: bool
    inner: bool
    gone: tuple[Op, ...]


def find_triangle(loop: For, body: Region, count: Counter[Atom]) -> Triangle | None:
    """What a loop does to one of its arrays, if all of it is products with columns."""
    leave = loop.body.yields[0]
    if not (isinstance(leave, Const) and leave.value is False):
        return None
    for k in range(len(loop.results)):
        found = _Finder(loop, k, count).find()
        if found is not None and _goes_all_the_way(found) and _has_room(found, body):
            return found
    return None


class _Finder:
    """Looks for a triangle in what a loop does to one of its arrays."""

    def __init__(self, loop: For, k: int, count: Counter[Atom]) -> None:
        self.loop, self.k, self.count = loop, k, count
        self.inside = {r: n for n in walk(loop.body) for r in n.results}
        self.made = {r: n for n in loop.body.ops if isinstance(n, Op) for r in n.results}
        self.counter = loop.body.params[0]
        self.params = set(loop.body.params)

    def find(self) -> Triangle | None:
        array, a = self.loop.body.params[self.k + 1], self.loop.body.yields[self.k + 1]
        if not _is_matrix(array) or self.loop.results[self.k].kind != array.kind:
            return None
        adding: list[Op] = []
        while a is not array:
            op = self.op(a)
            if op is None or op.fn != "accumulate" or self.count[a] != 1:
                return None
            adding.append(op)
            a = op.args[0]
        if not adding or len(adding) > 2 or self.count[array] != 1:
            return None
        found: list[Triangle] = []
        for op in adding:
            part = self.part(op, array)
            if part is None:
                return None
            found.append(part)
        if len(found) == 1:
            return found[0]
        one, other = found
        if (
            one.outer == other.outer
            or replace(one, outer=other.outer, inner=other.inner, gone=other.gone) != other
        ):
            return None
        return replace(one, outer=True, inner=True, gone=(*one.gone, *other.gone))

    def part(self, op: Op, array: Value) -> Triangle | None:
        """What one op adds, if it is a product of the kind that is looked for."""
        place = self.place(op.args[1])
        value = self.op(op.args[2])
        if place is None or value is None or value.attrs or self.count[op.args[2]] != 1:
            return None
        axis, at = place
        if value.fn == "np.outer":
            column, vector = value.args if axis == 1 else value.args[::-1]
            seen = self.view(column)
            cut = at
            if seen is None or seen[2] is not self.counter:
                return None
        elif value.fn == "matmul":
            block, vector = value.args
            if axis == 0 and getattr(block.kind, "rank", None) == 1:
                block, vector = vector, block
            elif axis == 0:
                turned = self.op(block)
                if turned is None or turned.fn != "np.transpose" or len(turned.args) != 1:
                    return None
                if turned.attrs:
                    return None
                block = turned.args[0]
            seen = self.view(block)
            if seen is None or at is not self.counter:
                return None
            cut = seen[2]
        else:
            return None
        matrix, other_axis, _ = seen
        if other_axis != axis or not isinstance(cut, Slice) or not isinstance(vector, Value):
            return None
        own, others = dims_of(array), dims_of(matrix)
        if not _is_vector(vector) or vector in self.params or not all(map(same_dim, own, others)):
            return None
        outer = value.fn == "np.outer"
        if not _ends(cut.stop, own[axis]):
            return None
        return Triangle(self.loop, self.k, axis, matrix, vector, cut, outer, not outer, (op,))

    def op(self, a: Atom) -> Op | None:
        return self.made.get(a) if isinstance(a, Value) else None

    def view(self, a: Atom) -> tuple[Value, int, Atom | Slice] | None:
        """Of what matrix from outside it is a part, along which axis, and which."""
        op = self.op(a)
        if op is None or op.fn != "item" or not isinstance(op.args[0], Value):
            return None
        matrix = op.args[0]
        place = self.place(op.args[1])
        if place is None or matrix in self.inside or matrix in self.params:
            return None
        return (matrix, *place) if _is_matrix(matrix) else None

    def place(self, index: Atom) -> tuple[int, Atom | Slice] | None:
        """The axis along which an index takes less than all, and what it takes."""
        axis, part = 0, index
        op = self.op(index)
        if op is not None and op.fn == "tuple":
            if len(op.args) != 2:
                return None
            first, second = op.args
            if _is_all(first):
                axis, part = 1, second
            elif _is_all(second):
                part = first
            else:
                return None
        if part is self.counter:
            return axis, part
        cut = self.op(part)
        if cut is None or cut.fn != "slice":
            return None
        start, stop, step = cut.args
        after = self.after(start)
        if after is None or not (isinstance(step, Const) and step.value is None):
            return None
        if isinstance(stop, Value) and stop in self.inside:
            return None
        return axis, Slice(after, stop)

    def after(self, start: Atom) -> int | None:
        """How far after the counter an index is."""
        if start is self.counter:
            return 0
        op = self.op(start)
        if op is None or op.fn != "add" or op.args[0] is not self.counter:
            return None
        by = op.args[1]
        small = isinstance(by, Const) and type(by.value) is int and 0 <= by.value <= _NEAR
        return int(by.value) if isinstance(by, Const) and small else None


def dims_of(a: Value) -> tuple[Dim, ...]:
    return (a.kind.dims or ()) if isinstance(a.kind, Array) else ()


def _is_matrix(a: Value) -> bool:
    kind = a.kind
    return isinstance(kind, Array) and kind.dtype == "float64" and kind.rank == 2


def _is_vector(a: Value) -> bool:
    kind = a.kind
    return isinstance(kind, Array) and kind.dtype == "float64" and kind.rank == 1


def _is_all(a: Atom) -> bool:
    return isinstance(a, Const) and isinstance(a.value, slice) and a.value == slice(None)


def _ends(stop: Atom, size: Dim) -> bool:
    """Whether a slice up to ``stop`` ends where an axis ends."""
    if isinstance(stop, Const) and stop.value is None:
        return True
    length = length_of(stop.kind)
    return length is not None and same_dim(length, size)


def _goes_all_the_way(found: Triangle) -> bool:
    """Whether the counter goes from 0 to the end of the axis, or nearly so, and not further."""
    loop, size = found.loop, dims_of(found.matrix)[found.axis]
    step = loop.step.value if isinstance(loop.step, Const) else None
    if not isinstance(size, Sym) or size.offset != 0:
        return False
    if step == 1:
        first, end, past = loop.start, loop.stop, 0
    elif step == -1:
        first, end, past = loop.stop, loop.start, 1
    else:
        return False
    at = 0 if step == 1 else -1
    if not isinstance(first, Const) or type(first.value) is not int or first.value != at:
        return False
    dim = end.kind.dim if isinstance(end.kind, Num) else None
    if not isinstance(dim, Sym) or dim.base != size.base:
        return False
    return -_NEAR <= dim.offset + past <= 0


def _has_room(found: Triangle, body: Region) -> bool:
    """Whether the function makes an array as large as the square matrix, or is given one."""
    size = dims_of(found.matrix)[found.axis]
    kinds = [r.kind for n in body.ops for r in n.results]
    return any(
        isinstance(k, Array) and sum(same_dim(d, size) for d in k.dims or ()) > 1 for k in kinds
    )
