"""Distinct places: indices of arrays that are known to name no element twice.

In: an index and the nodes that define values. Out: whether writing by it, or adding by it, touches
each element at most once, so that reading by it is its adjoint and ``a[i] += g`` its scatter::

    a[np.arange(n), labels]     True: all rows differ
    a[np.triu_indices(n)]       True
    a[labels]                   False: nobody knows
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..ir.kinds import Array, FixedList, ListOf, Mixed, Num, Tuple, same_dim
from ..ir.nodes import Atom, Const, Node, Op, Value

__all__ = ["repeats_nothing"]

#: What makes a tuple of arrays of one length, no two places of which are the same.
_PLACES = frozenset(
    {"np.triu_indices", "np.tril_indices", "np.triu_indices_from", "np.tril_indices_from"}
    | {"np.diag_indices", "np.diag_indices_from", "np.nonzero"}
)
_ORDERS = frozenset({"np.argsort", "np.flatnonzero"})


def repeats_nothing(index: Atom, definitions: Mapping[Value, Node]) -> bool:
    """True only where no two places of the index are the same element."""
    parts = _parts(index, definitions)
    if parts is None:
        return False
    arrays = [p for p in parts if not _is_basic(p)]
    if not arrays:
        return True
    if len(arrays) == 1 and isinstance(arrays[0].kind, Array) and arrays[0].kind.dtype == "bool":
        return True
    if not all(isinstance(a.kind, Array) and a.kind.rank == 1 for a in arrays):
        return len(arrays) == 1 and _are_distinct(_value(arrays[0]))
    if any(a.kind.dtype == "bool" for a in arrays if isinstance(a.kind, Array)):
        return False
    return _are_places(arrays, definitions) or any(
        _counts(a, definitions) and all(_alike(a, other) for other in arrays) for a in arrays
    )


def _parts(index: Atom, definitions: Mapping[Value, Node]) -> list[Atom] | None:
    if isinstance(index, Const):
        values = index.value if isinstance(index.value, tuple) else (index.value,)
        return [Const.of(v) for v in values]
    node = definitions.get(index)
    if isinstance(node, Op) and node.fn == "tuple":
        return list(node.args)
    return [index] if isinstance(index.kind, Array | ListOf | FixedList | Num) else None


def _is_basic(part: Atom) -> bool:
    return not isinstance(part.kind, Array | ListOf | FixedList | Mixed | Tuple)


def _value(part: Atom) -> Any:
    return part.value if isinstance(part, Const) else None


def _are_distinct(value: Any) -> bool:
    """A list of places counted from the start, all different."""
    if not isinstance(value, list) or not all(type(v) is int and v >= 0 for v in value):
        return False
    return len(set(value)) == len(value)


def _are_places(arrays: list[Atom], definitions: Mapping[Value, Node]) -> bool:
    """Whether all arrays of a tuple of places are among them."""
    found: set[Any] = set()
    whole: set[Value] = set()
    for a in arrays:
        item = definitions.get(a) if isinstance(a, Value) else None
        if not isinstance(item, Op) or item.fn != "item" or not isinstance(item.args[0], Value):
            return False
        at = _value(item.args[1])
        if type(at) is not int:
            return False
        whole.add(item.args[0])
        found.add(at)
    if len(whole) != 1:
        return False
    made = definitions.get(next(iter(whole)))
    if not isinstance(made, Op) or made.fn not in _PLACES:
        return False
    count = getattr(made.results[0].kind, "items", None)
    return count is not None and found == set(range(len(count)))


def _counts(a: Atom, definitions: Mapping[Value, Node]) -> bool:
    """Whether an array holds each number once, none of them negative."""
    made = definitions.get(a) if isinstance(a, Value) else None
    if not isinstance(made, Op):
        return False
    if made.fn in _ORDERS:
        return len(made.args) == 1 and not made.attrs
    return made.fn == "np.arange" and len(made.args) == 1 and not made.attrs


def _alike(a: Atom, other: Atom) -> bool:
    """Whether two arrays have one length: a shorter one would be repeated."""
    if a is other:
        return True
    lengths = [x.kind.dims[0] for x in (a, other) if isinstance(x.kind, Array) and x.kind.dims]
    return len(lengths) == 2 and same_dim(*lengths)
