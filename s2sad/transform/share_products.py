"""Shared products: the same arithmetic on the same arrays, done once.

In: a region of a derivative. Out: the region in which an array that has been computed is read
again, where primal, tangent and adjoint ask for the same.

    h_dot = z_dot * (1 - h * h); …              t = 1 - h * h; h_dot = z_dot * t; …
    z_bar = h_bar * (1 - h * h)         ->      z_bar = h_bar * t

Only whole arrays are worth keeping: arithmetic on numbers is cheaper than it reads. What has a
name is computed where it stands, and what a sum is started with is nobody else's.
"""

from __future__ import annotations

from collections.abc import Hashable

from ..ir.kinds import Array
from ..ir.nodes import Atom, For, Op, Region, Value, While, walk
from ..rules.registry import primitive
from .sharing import Sharing

_ALIKE_EITHER_WAY = frozenset({"add", "mul", "np.multiply", "np.add"})
_WORTH_SHARING = _ALIKE_EITHER_WAY | frozenset(
    {"sub", "div", "pow", "neg", "ratio", "power_slope", "matmul", "np.outer", "np.where"}
    | {"np.sign", "np.abs", "np.square", "np.arctan", "np.sinh", "np.cosh", "np.sqrt", "np.tanh"}
    | {"np.sin", "np.cos", "np.tan", "np.exp", "np.log", "np.log1p", "np.expm1"}
)


def share_products(region: Region) -> Region:
    """The region with such arrays shared, those of inner regions with the outer ones."""
    sharing = _Products(_started_with(region))
    shared = sharing.region(region)
    return shared if sharing.known else region


def _started_with(region: Region) -> set[Atom]:
    """What is written over, by an op or by a loop that carries it."""
    found: set[Atom] = set()
    for node in walk(region):
        match node:
            case Op():
                target = primitive(node.fn).writes
                if target is not None:
                    found.add(node.args[target])
            case For() | While():
                found.update(node.init)
    return found


class _Products(Sharing):
    """Shares arrays that are not ``written`` over."""

    def __init__(self, written: set[Atom]) -> None:
        super().__init__()
        self.written = written

    def key(self, op: Op) -> Hashable:
        key = _key(op)
        return None if key is None or op.results[0] in self.written else key

    def is_free(self, op: Op) -> bool:
        return op.results[0].name is None


def _key(op: Op) -> Hashable:
    """Equal for equal arithmetic; None for anything else."""
    if op.fn not in _WORTH_SHARING or op.attrs or len(op.results) != 1:
        return None
    kind = op.results[0].kind
    if not isinstance(kind, Array) or kind.rank == 0:
        return None
    parts: list[tuple[str, object]] = []
    for a in op.args:
        if isinstance(a, Value):
            parts.append(("", a))
        elif type(a.value) in (int, float, complex):
            parts.append((type(a.value).__name__, repr(a.value)))
        else:
            return None
    if op.fn in _ALIKE_EITHER_WAY:
        return (op.fn, frozenset(parts), len(set(parts)))
    return (op.fn, *parts)


__all__ = ["share_products"]
