"""Trees of arguments and results: tuples, lists, dicts, dataclasses and NamedTuples.

In: any value.  Out: its leaves in a fixed order, the same tree with other leaves, copies.

>>> leaves({"w": 1.0, "b": [2.0, 3.0]})
[1.0, 2.0, 3.0]
>>> map_leaves(lambda x: 2 * x, (1.0, [2.0]))
(2.0, [4.0])
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np


def children(tree: Any) -> list[Any] | None:
    """The parts of a container, or None for a leaf."""
    if isinstance(tree, (tuple, list)):
        return list(tree)
    if isinstance(tree, dict):
        return list(tree.values())
    if dataclasses.is_dataclass(tree) and not isinstance(tree, type):
        return [getattr(tree, field.name) for field in dataclasses.fields(tree)]
    return None


def rebuild(tree: Any, parts: list[Any]) -> Any:
    """A container like ``tree`` that holds ``parts``."""
    if isinstance(tree, tuple) and hasattr(tree, "_fields"):
        return type(tree)(*parts)
    if isinstance(tree, (tuple, list)):
        return type(tree)(parts)
    if isinstance(tree, dict):
        return type(tree)(zip(tree, parts, strict=True))
    names = [field.name for field in dataclasses.fields(tree)]
    return dataclasses.replace(tree, **dict(zip(names, parts, strict=True)))


def leaves(tree: Any) -> list[Any]:
    """The leaves from left to right."""
    parts = children(tree)
    return [tree] if parts is None else [leaf for part in parts for leaf in leaves(part)]


def map_leaves(change: Callable[[Any], Any], tree: Any, seen: dict[int, Any] | None = None) -> Any:
    """The same tree with every leaf changed.

    With a dict for ``seen``, what was one object in two places stays one object: an aliased
    argument stays aliased.
    """
    if seen is not None and id(tree) in seen:
        return seen[id(tree)]
    parts = children(tree)
    if parts is None:
        new = change(tree)
    else:
        new = rebuild(tree, [map_leaves(change, part, seen) for part in parts])
    if seen is not None:
        seen[id(tree)] = new
    return new


def replace_leaves(tree: Any, new: list[Any]) -> Any:
    """The same tree with the leaves ``new``, in order."""
    queue = iter(new)
    return map_leaves(lambda _: next(queue), tree)


def is_active(leaf: Any) -> bool:
    """Whether a derivative with respect to this leaf makes sense: real floating point."""
    if isinstance(leaf, np.ndarray):
        return bool(np.issubdtype(leaf.dtype, np.floating))
    return isinstance(leaf, (float, np.floating))


def clone(leaf: Any) -> Any:
    """A copy with the same strides and flags, which ``copy`` would not keep."""
    if not isinstance(leaf, np.ndarray):
        return leaf
    if leaf.flags.forc or leaf.size == 0 or leaf.dtype.hasobject:
        new = leaf.copy(order="K")
    else:
        reach = [(size - 1) * step for size, step in zip(leaf.shape, leaf.strides, strict=True)]
        low = sum(min(0, r) for r in reach)
        high = sum(max(0, r) for r in reach) + leaf.itemsize
        buffer = np.zeros(high - low, dtype=np.uint8)
        new = np.ndarray(leaf.shape, leaf.dtype, buffer.data, -low, leaf.strides)
        new[...] = leaf
    new.flags.writeable = leaf.flags.writeable
    return new


def fresh(tree: Any) -> Any:
    """A deep copy: no array or container in common, layout and aliasing kept."""
    return map_leaves(clone, tree, {})


def same(a: Any, b: Any) -> bool:
    """Equal to the bit: same types, dtypes, shapes, signs of zero, and nan where nan is."""
    if type(a) is not type(b):
        return False
    if isinstance(a, dict) and list(a) != list(b):
        return False
    mine, other = children(a), children(b)
    if mine is not None and other is not None:
        return len(mine) == len(other) and all(map(same, mine, other))
    if isinstance(a, (np.ndarray, np.generic)):
        if a.dtype != b.dtype or a.shape != b.shape:
            return False
        if a.dtype.kind not in "fc":
            return bool(np.array_equal(a, b))
        parts = [(a.real, b.real), (a.imag, b.imag)] if a.dtype.kind == "c" else [(a, b)]
        return all(
            np.array_equal(x, y, equal_nan=True)
            and np.array_equal(np.signbit(x)[~np.isnan(x)], np.signbit(y)[~np.isnan(y)])
            for x, y in parts
        )
    if isinstance(a, float):
        return repr(a) == repr(b)
    return bool(a == b)
