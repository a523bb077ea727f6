"""Sets of operations that move elements, and of containers.

In: operands with their sets. Out: the sets of the result, found by running the operation itself
on the numbers of the elements (from 1; 0 where an element comes from nowhere).

    x[::-1] of sets {0} {1} {2}   ->   runs [1, 2, 3][::-1], so {2} {1} {0}
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..rules.registry import primitive

if TYPE_CHECKING:
    from .sets import Deps, Sets

__all__ = ["CONTAINERS", "MOVERS", "OF_BOTH", "WRITES", "move", "write"]

#: Operations that move elements, and which operands hold them.
MOVERS: dict[str, tuple[int, ...]] = {
    **dict.fromkeys(
        (
            *("item", "np.reshape", "np.ravel", "flatten", "np.squeeze", "np.expand_dims"),
            *("np.atleast_1d", "np.atleast_2d", "np.atleast_3d", "np.transpose", "np.flip"),
            *("np.matrix_transpose", "np.swapaxes", "np.moveaxis", "np.flipud", "np.fliplr"),
            *("np.roll", "np.rot90", "np.broadcast_to", "np.repeat", "np.tile", "np.diag"),
            *("np.diagonal", "np.triu", "np.tril", "np.concatenate", "np.stack", "np.vstack"),
            *("np.hstack", "np.dstack", "np.column_stack", "np.split", "np.array_split"),
            *("np.vsplit", "np.hsplit", "np.array", "np.asarray", "np.ascontiguousarray"),
            *("np.asfortranarray", "np.asanyarray", "np.take", "np.take_along_axis", "np.pad"),
            *("unconcatenate", "unstack", "broadcast_like", "tolist", "to_item"),
        ),
        (0,),
    ),
    "np.full": (1,),
    "np.full_like": (1,),
    "np.append": (0, 1),
}

WRITES = frozenset({"setitem", "accumulate"})


def move(
    t: Sets,
    fn: str,
    values: Sequence[Any],
    deps: Sequence[Deps],
    attrs: Mapping[str, Any],
    results: Sequence[Any],
) -> list[Deps] | None:
    """The operation run on the numbers of elements; None where an option could change them."""
    options = {k: v for k, v in attrs.items() if k != "dtype"}
    if fn == "np.pad":
        if options.get("mode", "constant") not in ("constant", "edge", "reflect", "wrap"):
            return None
        if "constant_values" in options:
            options["constant_values"] = 0
    data = MOVERS[fn]
    if any(not t.is_empty(d) for n, d in enumerate(deps) if n not in data):
        return None
    rows: list[Any] = []
    count = 1
    args = list(values)
    for n in data:
        args[n], count = _numbers(t, values[n], deps[n], rows, count)
    if fn == "np.full_like":
        args[0] = np.zeros(np.shape(values[0]), dtype=np.int64)
    made = primitive(fn).fun(*args, **options)
    whole = t.stacked(rows)
    return [_picked(t, made, results[0], whole)]


def _numbers(t: Sets, value: Any, dep: Deps, rows: list[Any], count: int) -> tuple[Any, int]:
    """The value with numbers for its elements; their sets are appended to ``rows``."""
    if isinstance(value, np.ndarray | np.generic | float | complex | int):
        size = np.size(value)
        if t.is_empty(dep):
            if isinstance(value, np.ndarray):
                return np.zeros(value.shape, dtype=np.int64), count
            return 0, count
        rows.append(t.matrix(dep, size))
        if not isinstance(value, np.ndarray):
            return count, count + 1
        return np.arange(count, count + size).reshape(value.shape), count + size
    parts = []
    for part, inner in t.parts(value, dep):
        made, count = _numbers(t, part, inner, rows, count)
        parts.append(made)
    return (list if isinstance(value, list) else tuple)(parts), count


def _picked(t: Sets, numbers: Any, value: Any, whole: Any) -> Deps:
    """The sets of a result whose elements have these numbers."""
    if isinstance(numbers, np.ndarray) and isinstance(value, np.ndarray):
        return t.gathered(whole, numbers)
    if isinstance(numbers, tuple | list):
        return [_picked(t, n, v, whole) for n, v in zip(numbers, value, strict=True)]
    if isinstance(value, np.ndarray):
        return t.gathered(whole, np.asarray(numbers))
    found = frozenset(t.gathered(whole, np.asarray(numbers)).indices.tolist())
    return found or None


def write(
    t: Sets,
    fn: str,
    values: Sequence[Any],
    deps: Sequence[Deps],
    attrs: Mapping[str, Any],
    results: Sequence[Any],
) -> list[Deps] | None:
    """``a[i] = v`` takes the sets of v there; ``a[i] += v`` adds them."""
    a, i, v = values
    if not isinstance(a, np.ndarray) or not t.is_empty(deps[1]):
        return None
    base = t.matrix(deps[0], a.size)
    size = np.size(v)
    if isinstance(v, list | tuple):
        return None
    added = t.matrix(deps[2], size)
    places = np.arange(1, a.size + 1).reshape(a.shape)
    numbers = np.arange(a.size + 1, a.size + size + 1).reshape(np.shape(v))
    if fn == "setitem":
        places[i] = numbers
        return [t.gathered(t.stacked([base, added]), places)]
    selected = places[i]
    from_v = np.broadcast_to(numbers, np.shape(selected)) - a.size - 1
    moved = t.csr(np.ravel(selected) - 1, np.ravel(from_v), (a.size, max(size, 1)))
    return [t.either(base, (moved[:, :size] @ added).tocsr())]


# -- containers -----------------------------------------------------------------------------------


def _built(t: Sets, fn: str, values: Any, deps: Any, attrs: Any, results: Any) -> Any:
    if fn == "dict":
        return [dict(zip(attrs["keys"], deps, strict=True))]
    if fn == "record" and not isinstance(results[0], tuple):
        names = attrs.get("fields") or list(results[0].__dataclass_fields__)
        return [dict(zip(names, deps, strict=True))]
    return [list(deps)]


def _attribute(t: Sets, fn: str, values: Any, deps: Any, attrs: Any, results: Any) -> Any:
    if deps[0] is None:
        return [None]
    if isinstance(values[0], tuple):
        return [deps[0][values[0]._fields.index(attrs["name"])]]  # type: ignore[attr-defined]
    return [deps[0][attrs["name"]]] if isinstance(deps[0], dict) else None


def _in_list(t: Sets, fn: str, values: Any, deps: Any, attrs: Any, results: Any) -> Any:
    """The operation itself, on the list of sets."""
    if not isinstance(values[0], list):
        return None
    lst = t.opened(values[0], deps[0])
    match fn:
        case "append":
            return [[*lst, deps[1]]]
        case "extend":
            return [[*lst, *t.opened(values[1], deps[1])]]
        case "insert":
            lst.insert(values[1], deps[2])
            return [lst]
        case "pop":
            taken = lst.pop(*values[1:])
            return [lst, taken]
    return None


def _item(t: Sets, fn: str, values: Any, deps: Any, attrs: Any, results: Any) -> Any:
    if deps[0] is None:
        return [None]
    if isinstance(values[0], tuple | list | dict):
        return [deps[0][values[1]]]
    return None


def _set_item(t: Sets, fn: str, values: Any, deps: Any, attrs: Any, results: Any) -> Any:
    whole = t.opened(values[0], deps[0])
    i = values[1]
    if isinstance(i, slice):
        new = t.opened(values[2], deps[2])
        if fn == "accumulate":
            old = values[0][i]
            new = [t.merged(v, a, b) for v, a, b in zip(old, whole[i], new, strict=True)]
        whole[i] = new
        return [whole]
    whole[i] = deps[2] if fn == "setitem" else t.merged(results[0][i], whole[i], deps[2])
    return [whole]


def _add(t: Sets, fn: str, values: Any, deps: Any, attrs: Any, results: Any) -> Any:
    if fn == "add_to":
        return [t.merged(results[0], deps[0], deps[1])]
    return [[*t.opened(values[0], deps[0]), *t.opened(values[1], deps[1])]]


def _repeated(t: Sets, fn: str, values: Any, deps: Any, attrs: Any, results: Any) -> Any:
    return [t.opened(values[0], deps[0]) * int(values[1])]


def _same(t: Sets, fn: str, values: Any, deps: Any, attrs: Any, results: Any) -> Any:
    return [deps[0]]


#: Operations on containers; those of OF_BOTH mean something else for arrays.
CONTAINERS: dict[str, Any] = {
    **dict.fromkeys(("tuple", "list", "dict", "record"), _built),
    "attr": _attribute,
    **dict.fromkeys(("append", "extend", "insert", "pop"), _in_list),
    "item": _item,
    "setitem": _set_item,
    "accumulate": _set_item,
    "add": _add,
    "add_to": _add,
    "mul": _repeated,
    "copy": _same,
    "typed_like": _same,
}
OF_BOTH = frozenset({"item", "setitem", "accumulate", "add", "add_to", "mul", "copy"})
