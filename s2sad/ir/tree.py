"""Trees: containers (tuples, lists, dicts, dataclasses) with leaves that can be differentiated.

In: any Python object. Out: its leaves from left to right and a ``Struct`` that puts others in
their places.

    flatten({"w": 1.0, "n": 3})   ->   [1.0], dict("w": leaf 0, "n": const 3)
    unflatten(that, [5.0])        ->   {"w": 5.0, "n": 3}
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .nodes import Struct

__all__ = [
    "flatten",
    "gradient_tree",
    "is_differentiable",
    "leaves_like",
    "rebuild",
    "unflatten",
]


def is_differentiable(value: Any) -> bool:
    """True for real or complex floating point: a Python number, a NumPy scalar or an array.

    >>> is_differentiable(1.5), is_differentiable(3), is_differentiable(np.ones(2))
    (True, False, True)
    """
    if isinstance(value, np.ndarray | np.generic):
        return value.dtype.kind in "fc"
    return isinstance(value, float | complex)


def flatten(
    tree: Any, is_leaf: Callable[[Any], bool] = is_differentiable
) -> tuple[list[Any], Struct]:
    """The leaves of ``tree`` and its structure; what is neither leaf nor container is constant.

    >>> leaves, struct = flatten((1.0, [2.0, "name"]))
    >>> leaves
    [1.0, 2.0]
    >>> unflatten(struct, [10.0, 20.0])
    (10.0, [20.0, 'name'])
    """
    leaves: list[Any] = []

    def visit(value: Any) -> Struct:
        if is_leaf(value):
            leaves.append(value)
            return Struct("leaf", index=len(leaves) - 1)
        match value:
            case tuple():
                cls = None if type(value) is tuple else type(value)
                return Struct("tuple", tuple(map(visit, value)), cls=cls)
            case list():
                return Struct("list", tuple(map(visit, value)))
            case dict():
                children = tuple(map(visit, value.values()))
                return Struct("dict", children, tuple(value), cls=type(value))
            case _ if dataclasses.is_dataclass(value) and not isinstance(value, type):
                names = tuple(f.name for f in dataclasses.fields(value) if hasattr(value, f.name))
                children = tuple(visit(getattr(value, name)) for name in names)
                return Struct("record", children, names, type(value))
            case _:
                return Struct("const", cls=value)

    return leaves, visit(tree)


def unflatten(
    struct: Struct, leaves: Sequence[Any], constant: Callable[[Any], Any] | None = None
) -> Any:
    """The tree of that structure over other leaves; ``constant`` maps what is not a leaf.

    Dataclasses are put together field by field: neither ``__init__`` nor ``__post_init__`` runs,
    so that a tree of gradients is not refused by checks meant for values.
    """
    match struct.form:
        case "leaf":
            return leaves[struct.index]
        case "const":
            return struct.cls if constant is None else constant(struct.cls)
    return rebuild(struct, [unflatten(child, leaves, constant) for child in struct.children])


def rebuild(struct: Struct, parts: Sequence[Any]) -> Any:
    """The container of that structure (a tuple, list, dict or record) around ``parts``."""
    match struct.form:
        case "tuple" if struct.cls is None:
            return tuple(parts)
        case "tuple":
            make = getattr(struct.cls, "_make", struct.cls)  # named tuples take their fields apart
            return make(parts)
        case "list":
            return list(parts)
        case "dict":
            items = dict(zip(struct.keys, parts, strict=True))
            if struct.cls in (None, dict):
                return items
            other = struct.cls()
            other.update(items)
            return other
        case "record":
            record = object.__new__(struct.cls)
            for name, part in zip(struct.keys, parts, strict=True):
                object.__setattr__(record, name, part)  # a frozen dataclass refuses setattr
            return record
        case form:
            raise ValueError(f"no such structure: {form}")


def gradient_tree(struct: Struct, leaves: Sequence[Any]) -> Any:
    """The tree of gradients: like ``unflatten``, with None for what is not differentiated.

    >>> gradient_tree(flatten({"w": 1.0, "steps": 3})[1], [0.5])
    {'w': 0.5, 'steps': None}
    """
    return unflatten(struct, leaves, constant=lambda _: None)


def leaves_like(struct: Struct, tree: Any) -> list[Any]:
    """What ``tree`` has in the places of the leaves of ``struct``; None stands for any subtree.

    Raises ValueError where the two do not fit.

    >>> leaves_like(flatten((1.0, {"a": 2.0}))[1], (5.0, None))
    [5.0, None]
    """
    match struct.form:
        case "leaf":
            return [tree]
        case "const":
            return []
    if tree is None:
        return [leaf for child in struct.children for leaf in leaves_like(child, None)]
    match struct.form:
        case "dict":
            fits = isinstance(tree, dict) and set(tree) == set(struct.keys)
            parts = [tree[key] for key in struct.keys] if fits else []
        case "record":
            fits = all(hasattr(tree, name) for name in struct.keys)
            parts = [getattr(tree, name) for name in struct.keys] if fits else []
        case _:
            fits = isinstance(tree, tuple | list) and len(tree) == len(struct.children)
            parts = list(tree) if fits else []
    if not fits:
        raise ValueError(f"{tree!r} is not a {struct.form} like the value")
    pairs = zip(struct.children, parts, strict=True)
    return [leaf for child, part in pairs for leaf in leaves_like(child, part)]
