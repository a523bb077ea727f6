"""Arguments and cotangents of the programs under test.

In: a program's arguments or its result.  Out: the positions to differentiate, a cotangent, the
arguments laid out anew, or the same overwritten.

>>> active_argnums((2.0, 3, [1.0]), None)
(0, 2)
>>> outline((1.0, [2.0]))
('tuple', 'leaf', ('list', 'leaf'))
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tests.trees import clone, fresh, is_active, leaves, map_leaves, same

LAYOUTS = ("given", "C", "F", "strided", "reversed", "read-only")

Index = int | Sequence[int] | None


def active_argnums(args: tuple[Any, ...], argnums: Index) -> tuple[int, ...]:
    """The positions to differentiate, as a tuple."""
    if argnums is None:
        return tuple(n for n, arg in enumerate(args) if any(map(is_active, leaves(arg))))
    return (argnums,) if isinstance(argnums, int) else tuple(argnums)


def is_scalar(value: Any) -> bool:
    """Whether ``grad`` accepts this result: a real float of size one."""
    return is_active(value) and np.size(value) == 1


def random_like(value: Any, f: Any) -> Any:
    """A cotangent for a result: floats of its shapes, None where the result is no float.

    The same numbers in every run, other ones for every program.
    """
    name = getattr(f, "__qualname__", type(f).__name__)
    rng = np.random.default_rng(zlib.crc32(name.encode()))

    def draw(leaf: Any) -> Any:
        if isinstance(leaf, (np.ndarray, np.generic)) and leaf.dtype.kind == "c":
            draws = rng.uniform(0.5, 1.5, leaf.shape) + 1j * rng.uniform(0.5, 1.5, leaf.shape)
        elif isinstance(leaf, complex):
            return complex(*rng.uniform(0.5, 1.5, 2))
        elif is_active(leaf):
            draws = rng.uniform(0.5, 1.5, np.shape(leaf))
        else:
            return None
        return shaped_like(leaf, draws)

    return map_leaves(draw, value)


def seed_of_one(value: Any) -> Any:
    """The cotangent that ``grad`` uses."""
    return shaped_like(value, np.ones(np.shape(value)))


def shaped_like(leaf: Any, numbers: Any) -> Any:
    """Numbers in the type and dtype of a leaf."""
    if isinstance(leaf, np.ndarray):
        return np.asarray(numbers, dtype=leaf.dtype)
    return type(leaf)(numbers)


def weighted(f: Callable[..., Any], cotangent: Any) -> Callable[..., Any]:
    """The scalar program ``sum(cotangent * f(*args))``, written so that a tape can follow it."""
    paths = [path for path, leaf in walk(cotangent) if leaf is not None]
    weights = [leaf for _, leaf in walk(cotangent) if leaf is not None]

    def program(*args: Any) -> Any:
        result = f(*args)
        total = 0.0
        for path, weight in zip(paths, weights, strict=True):
            part = result
            for name, key in path:
                part = getattr(part, name) if name else part[key]
            total = total + np.sum(part * weight)
        return total

    return program


def walk(tree: Any, path: tuple[Any, ...] = ()) -> list[tuple[tuple[Any, ...], Any]]:
    """Every leaf with its path of (attribute name, key) steps."""
    if isinstance(tree, (tuple, list)):
        steps = [(("", n), part) for n, part in enumerate(tree)]
    elif isinstance(tree, dict):
        steps = [(("", key), part) for key, part in tree.items()]
    elif hasattr(tree, "__dataclass_fields__"):
        steps = [((name, None), getattr(tree, name)) for name in tree.__dataclass_fields__]
    else:
        return [(path, tree)]
    return [found for step, part in steps for found in walk(part, (*path, step))]


def arranged(args: tuple[Any, ...], layout: str) -> tuple[Any, ...] | None:
    """The arguments with every array laid out anew; None where that changes nothing."""
    if layout == "given":
        return fresh(args)
    ranks = [leaf.ndim for leaf in leaves(args) if isinstance(leaf, np.ndarray)]
    if max(ranks, default=0) < (2 if layout in ("C", "F") else 1):
        return None

    def arrange(leaf: Any) -> Any:
        if not isinstance(leaf, np.ndarray) or leaf.ndim == 0:
            return clone(leaf)
        if layout in ("C", "F"):
            return leaf.copy(order=layout)
        if layout == "read-only":
            new = clone(leaf)
            new.flags.writeable = False
            return new
        step = 2 if layout == "strided" else -1
        room = np.zeros((*leaf.shape[:-1], leaf.shape[-1] * abs(step)), dtype=leaf.dtype)
        new = room[..., ::step]
        new[...] = leaf
        return new

    return map_leaves(arrange, args, {})


def runs(f: Callable[..., Any], call: tuple[Any, ...]) -> bool:
    """Whether plain Python takes these arguments (a write to a read-only array raises)."""
    try:
        f(*fresh(call))
    except Exception:  # whatever it raises is the program's affair
        return False
    return True


def rounded(value: Any) -> Any:
    """A result without its last digits, which the order of a sum may change."""

    def round_leaf(leaf: Any) -> Any:
        if not is_active(leaf) or np.ndim(leaf):
            return leaf
        return float(f"{float(leaf):.{5 if isinstance(leaf, np.float32) else 9}g}")

    split = map_leaves(lambda x: list(x.ravel()) if isinstance(x, np.ndarray) else x, value)
    return map_leaves(round_leaf, split)


def writes(f: Callable[..., Any], call: tuple[Any, ...]) -> bool:
    """Whether plain Python changes its arguments."""
    mine = fresh(call)
    f(*mine)
    return not same(mine, fresh(call))


def spoil(tree: Any) -> None:
    """Overwrite every array and every list and dict of floats that the caller can reach."""
    if isinstance(tree, np.ndarray):
        if tree.flags.writeable and tree.dtype.kind in "fc":
            tree[...] = np.nan
    elif isinstance(tree, (list, dict)):
        for key, part in list(tree.items() if isinstance(tree, dict) else enumerate(tree)):
            if isinstance(part, float):
                tree[key] = float("nan")
            else:
                spoil(part)
    elif isinstance(tree, tuple):
        for part in tree:
            spoil(part)
    elif hasattr(tree, "__dataclass_fields__"):
        for name in tree.__dataclass_fields__:
            spoil(getattr(tree, name))


def outline(tree: Any) -> Any:
    """The structure without its leaves."""
    if isinstance(tree, (tuple, list)):
        return (type(tree).__name__, *map(outline, tree))
    if isinstance(tree, dict):
        return (type(tree).__name__, *((key, outline(part)) for key, part in tree.items()))
    if hasattr(tree, "__dataclass_fields__"):
        parts = (outline(getattr(tree, name)) for name in tree.__dataclass_fields__)
        return (type(tree).__name__, *parts)
    return "leaf"
