"""What the statements of fused loops are made of.

In: lengths, arrays, elements. Out: the nodes that make an array, write an element of it or add up
a sum, and what is asked of nodes between two loops::

    new_array([n, m])                  ->   t = np.empty((n, m))
    element_stored(t, (i, j), value)   ->   t[i, j] = value
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from ....errors import Span
from ....ir.kinds import INT, Array, Sym, Tuple
from ....ir.nodes import Atom, Const, If, Node, Op, Value, operands_of, version
from .extents import Extent, Sizes
from .loops import Carried, Counters, Nest
from .writing import Places, Writing

__all__ = [
    "element_stored",
    "has_sizes",
    "is_about_sizes",
    "is_tape",
    "keeping_last",
    "loops_around",
    "name_of",
    "new_array",
]


def new_array(
    empty: Value,
    sizes: Sequence[Atom],
    span: Span | None,
    nodes: list[Node],
    fn: str = "np.empty",
) -> None:
    """``np.empty(sizes)`` or ``np.zeros(sizes)``."""
    assert isinstance(empty.kind, Array)
    if len(sizes) == 1:
        shape = sizes[0]
    else:
        shape = Value(Tuple(tuple(s.kind for s in sizes)))
        nodes.append(Op((shape,), "tuple", tuple(sizes), {}, span))
    dtype = empty.kind.dtype
    attrs = {"float64": {}, "complex128": {"dtype": np.complex128}}.get(dtype, {"dtype": dtype})
    nodes.append(Op((empty,), fn, (shape,), attrs, span))


def element_stored(
    writing: Writing,
    fn: str,
    array: Value,
    inner: Value,
    result: Value,
    places: Places,
    value: Atom,
    span: Span | None,
) -> Carried:
    """Write an element of an array; what a loop carries for it.

    What quotes the statement is the loop: of ``span`` the op only has which sweep it is of.
    """
    new = version(result)
    at = None if span is None else replace(span, line=0, col=0, end_line=0, end_col=0)
    writing.nodes.append(Op((new,), fn, (inner, writing.index(places), value), {}, at))
    return Carried(array, inner, new, result, places, value if fn == "setitem" else None)


def loops_around(counters: Counters, kept: Sequence[int | None]) -> int:
    """How many loops are around those that add to one element; 0 if these are not the inner."""
    outer = [a for k in kept if k is not None and isinstance(a := counters.places[k], Value)]
    depth = len(outer)
    ordered = outer == [counter for counter, _ in counters.loops[:depth]]
    return depth if ordered and depth < len(counters.loops) else 0


def is_about_sizes(node: Node | Nest) -> bool:
    """Whether a node only has to do with lengths: it may as well come earlier."""
    if isinstance(node, If):
        is_length = all(r.kind == INT for r in node.results)
        return is_length and all(map(is_about_sizes, (*node.then.ops, *node.orelse.ops)))
    return (
        isinstance(node, Op)
        and node.fn in _OF_SIZES
        and not any(isinstance(r.kind, Array) and node.fn not in _NEW for r in node.results)
    )


_NEW = frozenset({"np.empty", "np.zeros"})
_OF_SIZES = _NEW | {
    "len",
    "shape",
    "item",
    "add",
    "sub",
    "max",
    "min",
    "mul",
    "tuple",
    "ne",
    "and",
}
_OF_SIZES |= {"raise", "int", "eq", "insertion_point"}


def is_tape(node: Node | Nest) -> bool:
    """Whether a node only keeps values for the reverse sweep: it may as well come later."""
    return isinstance(node, Op) and node.fn in ("tape_put", "tape_push", "copied")


def keeping_last(
    nodes: Sequence[Node | Nest], made: Iterable[Atom]
) -> tuple[list[Node | Nest], list[Node | Nest]]:
    """The nodes that go without what has just been made, and those that need it."""
    needed = set(made)
    before: list[Node | Nest] = []
    after: list[Node | Nest] = []
    for node in nodes:
        if isinstance(node, Nest):
            after.append(node)
        elif needed.isdisjoint(operands_of(node)):
            before.append(node)
        else:
            after.append(node)
            needed.update(node.results)
    return before, after


def name_of(e: Extent) -> object:
    """What stands for an axis in what has been compared: its symbol, if it has one."""
    return e.dim if isinstance(e.dim, Sym) else e.key


def has_sizes(a: Sequence[Atom], b: Sequence[Atom], sizes: Sizes) -> bool:
    """Whether two nests go through as many elements along each axis."""
    return len(a) == len(b) and all(
        sizes.same(x) is sizes.same(y)
        or (isinstance(x, Const) and isinstance(y, Const) and x.value == y.value)
        for x, y in zip(a, b, strict=True)
    )
