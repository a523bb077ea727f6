"""Who uses a value, and whether through its elements.

In: a function. Out: `Facts` about it, and what single ops do with their operands::

    add(t, b)      takes t element by element: t need not exist
    matmul(t, b)   takes all of it
"""

from __future__ import annotations

from ....analysis.indices import Indices
from ....ir.builder import Builder
from ....ir.kinds import Array, Num
from ....ir.nodes import Atom, For, Function, Node, Op, Value, operands_of, regions_of, walk
from .elements import CONSTANTS, LIKE, is_elementwise, is_filled, is_plain
from .views import view

__all__ = [
    "SHAPES",
    "SUMS",
    "Facts",
    "is_added_to",
    "is_computed",
    "is_sum_along",
    "is_whole_sum",
    "reads_elements",
    "summed_axes",
    "takes_elements",
]


class Facts:
    """What defines and what uses each value of a function."""

    def __init__(self, f: Function) -> None:
        self.definitions: dict[Value, Node] = {}
        self.uses: dict[Value, list[tuple[Node, int]]] = {}
        self.kept: set[Value] = set()  # yielded, carried, or used by nodes that are no ops
        for node in walk(f.body):
            for r in node.results:
                self.definitions[r] = node
            if isinstance(node, For):
                self.definitions[node.body.params[0]] = node
            if isinstance(node, Op):
                for k, a in enumerate(node.args):
                    if isinstance(a, Value):
                        self.uses.setdefault(a, []).append((node, k))
            else:
                self.kept.update(a for a in operands_of(node) if isinstance(a, Value))
            for region in regions_of(node):
                self.kept.update(a for a in region.yields if isinstance(a, Value))
        self.kept.update(a for a in f.body.yields if isinstance(a, Value))
        self.builder = Builder()
        self.builder.outer = {v: n for v, n in self.definitions.items() if isinstance(n, Op)}
        self.indices = Indices(f.body, self.builder.outer)


def takes_elements(node: Node, k: int, facts: Facts) -> bool:
    """Whether the operand may be an expression: what reads it goes through its elements."""
    if not isinstance(node, Op):
        return False
    if is_elementwise(node):
        return node.fn != "add_to" or k == 1 or is_computed(node.args[0], facts)
    if node.fn in ("setitem", "accumulate"):
        return k == 2 and is_plain(node.args[0].kind)
    if node.fn in LIKE:
        return is_plain(node.results[0].kind)
    if node.fn in SUMS:
        return is_whole_sum(node) or is_sum_along(node)
    if node.fn in CONSTANTS:
        return False
    if node.fn in SHAPES or is_filled(node):
        return k == 0
    return k == 0 and view(node, facts.definitions) is not None


#: What only asks how large an array is.
SHAPES = frozenset({"len", "np.size", "shape"})
SUMS = frozenset({"np.sum", "np.mean", "np.vdot"})


def is_whole_sum(op: Op) -> bool:
    """A sum of all elements."""
    (result,) = op.results
    if op.attrs or not isinstance(result.kind, Num) or result.kind.dtype != "float64":
        return False
    return all(is_plain(a.kind) and isinstance(a.kind, Array) for a in op.args)


def is_sum_along(op: Op) -> bool:
    """A sum along axes that are known."""
    (result,) = op.results
    return (
        op.fn == "np.sum"
        and set(op.attrs) <= {"axis", "keepdims"}
        and isinstance(result.kind, Array)
        and bool(result.kind.dims)
        and all(getattr(k, "dtype", None) == "float64" for k in (result.kind, op.args[0].kind))
        and summed_axes(op) is not None
    )


def summed_axes(op: Op) -> tuple[int, ...] | None:
    """The axes of a sum, counted from the first."""
    axis, kind = op.attrs.get("axis"), op.args[0].kind
    axes = axis if isinstance(axis, tuple) else (axis,)
    if not isinstance(kind, Array) or not kind.dims or not all(type(a) is int for a in axes):
        return None
    return tuple(a % len(kind.dims) for a in axes)


def reads_elements(node: Node, k: int) -> bool:
    """Whether the operand is read, or only asked for its shape."""
    if not isinstance(node, Op):
        return True
    return not (node.fn in LIKE and k == 1 or node.fn in SHAPES or is_filled(node) and k == 0)


def is_added_to(node: Node, k: int) -> bool:
    """Whether an operand is what ``add_to`` adds to: a term like others, if it is no array."""
    return isinstance(node, Op) and node.fn == "add_to" and k == 0


def is_computed(a: Atom, facts: Facts) -> bool:
    """Whether ``add_to(a, …)`` may as well be ``a + …``: no array is there to be added to."""
    node = facts.definitions.get(a) if isinstance(a, Value) else None
    if not isinstance(node, Op) or a in facts.kept:
        return False
    if is_elementwise(node) or view(node, facts.definitions) is not None:
        return True
    return node.fn in CONSTANTS and len(facts.uses[node.results[0]]) == 1
