"""How long the axes of an array are, by what made it.

In: an array whose kind does not say how long its axes are. Out: the same lengths by the sizes that
it was asked for, or by those of the arrays that it was computed from::

    out = np.empty((n, m))                         ->   n, m, also after loops that fill it
    mean = np.mean(out, axis=0, keepdims=True)     ->   1, m
    y = out @ w                                    ->   n, the last axis of w

Lengths are told apart by the values that stand for them, which are one number wherever both they
and the array can be read: arrays that loops carry have only those that they came with.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable

from ....ir.kinds import Array, Num
from ....ir.nodes import Atom, Const, For, Node, Op, Value
from .extents import Extent
from .views import Definitions

__all__ = ["axes_by_origin", "before_loops"]

#: Functions of one array that leave out axes, or leave them with length 1.
_REDUCTIONS = frozenset(
    f"np.{f}" for f in ("sum", "prod", "mean", "var", "std", "max", "min", "any", "all")
)
_NEW = frozenset({"np.empty", "np.zeros", "np.ones"})
#: The axes of an array, or Unsure.
Known = Callable[[Atom], tuple[Extent, ...]]


def before_loops(a: Atom, root: Callable[[Atom], Atom], definitions: Definitions) -> Atom:
    """The array whose shape ``a`` has; ``root`` finds it where no loop is in between."""
    first = root(a)
    node = definitions.get(first) if isinstance(first, Value) else None
    if not isinstance(node, For):
        return first
    assert isinstance(first, Value)
    k = node.results.index(first)
    carried = node.body.params[1 + k]
    if before_loops(node.body.yields[1 + k], root, definitions) is not carried:
        return first
    return before_loops(node.init[k], root, definitions)


def axes_by_origin(
    node: Node | None, known: Known, definitions: Definitions
) -> tuple[Extent, ...] | None:
    """The axes of an op's result, where they follow from its operands. Raises Unsure."""
    if not isinstance(node, Op):
        return None
    if node.fn in _NEW:
        return _asked_for(node, definitions)
    if node.fn in _REDUCTIONS and len(node.args) == 1:
        return _left(node, known)
    if node.fn == "matmul":
        return _of_product(node, known)
    return None


def _asked_for(node: Op, definitions: Definitions) -> tuple[Extent, ...] | None:
    """The sizes in a call such as ``np.empty((n, m))``."""
    shape, kind = node.args[0], node.results[0].kind
    made_of = definitions.get(shape) if isinstance(shape, Value) else None
    if isinstance(shape.kind, Num):
        sizes: tuple[Atom, ...] = (shape,)
    elif isinstance(made_of, Op) and made_of.fn == "tuple":
        sizes = made_of.args
    else:
        return None
    if not isinstance(kind, Array) or kind.dims is None or len(kind.dims) != len(sizes):
        return None
    if not all(isinstance(size.kind, Num) and size.kind.dtype == "int64" for size in sizes):
        return None
    found = []
    for dim, size in zip(kind.dims, sizes, strict=True):
        if isinstance(dim, int):
            found.append(_constant(dim))
        else:
            key: Hashable = ("size", size.value) if isinstance(size, Const) else ("size", size)
            found.append(Extent(dim, key, lambda nodes, size=size: size))  # type: ignore[misc]
    return tuple(found)


def _left(node: Op, known: Known) -> tuple[Extent, ...] | None:
    """The axes along which nothing is reduced."""
    axis, keep = node.attrs.get("axis"), node.attrs.get("keepdims", False)
    axes = axis if isinstance(axis, tuple) else (axis,)
    if not all(type(a) is int for a in axes) or type(keep) is not bool:
        return None
    whole = known(node.args[0])
    gone = {a % len(whole) for a in axes}
    one = _constant(1)
    return tuple(one if k in gone else e for k, e in enumerate(whole) if keep or k not in gone)


def _of_product(node: Op, known: Known) -> tuple[Extent, ...] | None:
    """The axes of the left operand but the last, and the last of a matrix at the right."""
    left, right = node.args
    if node.attrs or _rank(left) is None or _rank(right) not in (1, 2):
        return None
    return (*known(left)[:-1], *known(right)[1:])


def _rank(a: Atom) -> int | None:
    return a.kind.rank if isinstance(a.kind, Array) else None


def _constant(size: int) -> Extent:
    return Extent(size, "one" if size == 1 else size, lambda nodes: Const.of(size))
