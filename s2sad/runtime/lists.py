"""Places in lists and dicts, as plain ints that the reverse sweep can go by.

In: keys, or what is put in a list. Out: where they are, or would be; only `log` changes a list::

    order_of([2.0, 1.0, 2.0])   ->   [1, 0, 2]
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def insertion_point(i: int, size: int) -> int:
    """Where ``list.insert(i, x)`` puts x in a list of that size.

    >>> insertion_point(-1, 3), insertion_point(9, 3)
    (2, 3)
    """
    return max(0, i + size) if i < 0 else min(i, size)


def order_of(keys: Any, reverse: bool = False) -> list[int]:
    """The indices of ``keys`` in the order in which ``sorted`` puts them.

    >>> order_of([2.0, 1.0, 2.0])
    [1, 0, 2]
    """
    return sorted(range(len(keys)), key=keys.__getitem__, reverse=reverse)


def place_of_best(keys: Any, largest: bool = False) -> int:
    """The index of the first key that ``min`` (``max`` if ``largest``) would choose.

    >>> place_of_best([2.0, 1.0, 2.0]), place_of_best([2.0, 1.0, 2.0], True)
    (1, 0)
    """
    return (max if largest else min)(range(len(keys)), key=keys.__getitem__)


def log(append: Callable[[Any], None], x: Any) -> None:
    """Append to a list of the program's that no derivative looks at.

    >>> seen = []
    >>> log(seen.append, 2.0)
    >>> seen
    [2.0]
    """
    append(x)


def positions(*keys: Any) -> dict[Any, int]:
    """Where each key is.

    >>> positions("a", "b")
    {'a': 0, 'b': 1}
    """
    return {key: n for n, key in enumerate(keys)}


def without(at: dict[Any, int], key: Any) -> dict[Any, int]:
    """The positions when one key is gone.

    >>> without({"a": 0, "b": 1}, "a")
    {'b': 0}
    """
    return positions(*(k for k in at if k != key))
