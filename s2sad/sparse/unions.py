"""Sets of operations that combine elements: elementwise functions, reductions, products.

In: operands with their sets. Out: the sets of the result: of an elementwise function the union of
what meets, of a reduction the union along its axes, of a product of arrays the union of a row and
a column, whatever the numbers in them are.

    np.sum(x, axis=1)   ->   row k: all of x[k]
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from .sets import Deps, Sets

__all__ = ["RULES", "SCALAR", "elementwise"]

#: Functions of numbers whose results depend on all operands.
SCALAR = frozenset(["float", "complex", "abs", "divmod", "np.divmod"])


def elementwise(
    t: Sets,
    fn: str,
    values: Sequence[Any],
    deps: Sequence[Deps],
    attrs: Mapping[str, Any],
    results: Sequence[Any],
) -> list[Deps] | None:
    """What meets by broadcasting."""
    if any(isinstance(v, list | tuple | dict) for v in values):
        return None
    shape = np.shape(results[0])
    if any(np.shape(r) != shape for r in results):
        return None
    if not isinstance(results[0], np.ndarray):
        found: frozenset[int] = frozenset()
        for dep in deps:
            found |= t.all_of(dep)
        return [found] * len(results)
    made: Any = None
    for value, dep in zip(values, deps, strict=True):
        if t.is_empty(dep):
            continue
        wide = _broadcast(t, value, dep, shape)
        made = wide if made is None else t.either(made, wide)
    return [made] * len(results)


def _broadcast(t: Sets, value: Any, dep: Deps, shape: tuple[int, ...]) -> Any:
    """The sets of a value broadcast to a shape."""
    rows = t.matrix(dep, np.size(value))
    if np.shape(value) == shape:
        return rows
    numbers = np.arange(1, np.size(value) + 1).reshape(np.shape(value))
    return t.gathered(rows, np.broadcast_to(numbers, shape))


def _united(t: Sets, rows: Any, shape: tuple[int, ...], axes: tuple[int, ...]) -> Any:
    """The union along axes, which are kept with size 1."""
    kept = tuple(1 if n in axes else d for n, d in enumerate(shape))
    size = int(np.prod(kept))
    numbers = np.broadcast_to(np.arange(size).reshape(kept), shape)
    count = int(np.prod(shape))
    gather = t.csr(np.ravel(numbers), np.arange(count), (size, count))
    return (gather @ rows).tocsr()


def _axes(axis: Any, rank: int) -> tuple[int, ...]:
    if axis is None:
        return tuple(range(rank))
    many = axis if isinstance(axis, tuple | list) else (axis,)
    return tuple(int(a) % rank for a in many)


def _reduction(t: Sets, fn: str, values: Any, deps: Any, attrs: Any, results: Any) -> Any:
    """The union along the axes of a reduction."""
    x = values[0]
    out = results[0]
    others = any(not t.is_empty(d) for d in deps[1:])
    if not isinstance(x, np.ndarray) or others or len(results) > 1 or np.ndim(attrs.get("q", 0)):
        return None
    rows = _united(t, t.matrix(deps[0], x.size), x.shape, _axes(attrs.get("axis"), x.ndim))
    if isinstance(out, np.ndarray):
        return [rows] if rows.shape[0] == out.size else None
    return [frozenset(rows.indices.tolist())] if rows.shape[0] == 1 else None


def _along(t: Sets, fn: str, values: Any, deps: Any, attrs: Any, results: Any) -> Any:
    """Every element depends on all of its line."""
    x, out = values[0], results[0]
    if not isinstance(x, np.ndarray) or not isinstance(out, np.ndarray) or out.size != x.size:
        return None
    default = -1 if fn == "np.sort" else None
    axis = attrs.get("axis", default)
    rows = _united(t, t.matrix(deps[0], x.size), x.shape, _axes(axis, x.ndim))
    kept = tuple(1 if n in _axes(axis, x.ndim) else d for n, d in enumerate(x.shape))
    numbers = np.arange(1, rows.shape[0] + 1).reshape(kept)
    return [t.gathered(rows, np.broadcast_to(numbers, x.shape))]


def _differences(t: Sets, fn: str, values: Any, deps: Any, attrs: Any, results: Any) -> Any:
    """Neighbours along an axis; the adjoint has one element more."""
    x = values[0]
    if len(values) > 1 or not isinstance(x, np.ndarray):
        return None
    axis = attrs.get("axis", -1) % x.ndim
    rows = t.matrix(deps[0], x.size)
    numbers: Any = np.arange(1, x.size + 1).reshape(x.shape)
    for _ in range(int(attrs.get("n", 1))):
        if fn == "undiff":
            width = [(0, 0)] * x.ndim
            width[axis] = (1, 1)
            numbers = np.pad(numbers, width)
        line = np.moveaxis(numbers, axis, 0)
        first, second = (np.moveaxis(part, 0, axis) for part in (line[:-1], line[1:]))
        rows = t.either(t.gathered(rows, first), t.gathered(rows, second))
        numbers = np.arange(1, first.size + 1).reshape(first.shape)
    return [rows]


def _matmul(t: Sets, fn: str, values: Any, deps: Any, attrs: Any, results: Any) -> Any:
    """A row of the one and a column of the other."""
    x, y = values
    if not isinstance(x, np.ndarray) or not isinstance(y, np.ndarray):
        return None
    if fn == "np.dot" and (x.ndim > 2 or y.ndim > 2):
        return None
    if x.ndim == 0 or y.ndim == 0:
        return elementwise(t, "mul", values, deps, attrs, results)
    out = results[0]
    shape = np.shape(out)
    made: Any = None
    for value, dep, last in ((x, deps[0], True), (y, deps[1], False)):
        if t.is_empty(dep):
            continue
        axis = value.ndim - 1 if last or value.ndim == 1 else value.ndim - 2
        rows = _united(t, t.matrix(dep, value.size), value.shape, (axis,))
        kept = tuple(1 if n == axis else d for n, d in enumerate(value.shape))
        numbers = np.arange(1, rows.shape[0] + 1).reshape(kept)
        if value.ndim == 1:
            numbers = numbers.reshape(())
        elif last and y.ndim == 1:
            numbers = numbers[..., 0]
        elif not last and x.ndim == 1:
            numbers = numbers[..., 0, :]
        wide = t.gathered(rows, np.broadcast_to(numbers, shape))
        made = wide if made is None else t.either(made, wide)
    if isinstance(out, np.ndarray):
        return [made]
    return [frozenset(made.indices.tolist())]


def _cross(t: Sets, fn: str, values: Any, deps: Any, attrs: Any, results: Any) -> Any:
    """Each component of a vector product depends on both vectors."""
    out = results[0]
    if attrs.get("axis", -1) != -1 or not isinstance(out, np.ndarray):
        return None
    made: Any = None
    for value, dep in zip(values, deps, strict=True):
        if t.is_empty(dep):
            continue
        rows = _united(t, t.matrix(dep, value.size), value.shape, (value.ndim - 1,))
        numbers = np.arange(1, rows.shape[0] + 1).reshape((*value.shape[:-1], 1))
        if numbers.ndim > out.ndim:
            return None
        wide = t.gathered(rows, np.broadcast_to(numbers, out.shape))
        made = wide if made is None else t.either(made, wide)
    return [made]


def _outer(t: Sets, fn: str, values: Any, deps: Any, attrs: Any, results: Any) -> Any:
    x, y = (np.ravel(v) for v in values)
    return elementwise(t, "mul", [x[:, None], y[None, :]], deps, attrs, results)


def _einsum(t: Sets, fn: str, values: Any, deps: Any, attrs: Any, results: Any) -> Any:
    """Letters that the result does not have are united over; the others line up."""
    text = values[0]
    if not isinstance(text, str) or "..." in text:
        return None
    terms, arrow, result = text.replace(" ", "").partition("->")
    if not arrow:
        result = "".join(sorted(c for c in set(terms) - {","} if terms.count(c) == 1))
    out = results[0]
    made: Any = None
    for term, value, dep in zip(terms.split(","), values[1:], deps[1:], strict=True):
        if t.is_empty(dep):
            continue
        if not isinstance(value, np.ndarray) or len(set(term)) < len(term):
            return None
        axes = tuple(n for n, c in enumerate(term) if c not in result)
        rows = _united(t, t.matrix(dep, value.size), value.shape, axes)
        left = [c for c in term if c in result]
        kept = tuple(d for n, d in enumerate(value.shape) if n not in axes)
        numbers = np.arange(1, rows.shape[0] + 1).reshape(kept)
        numbers = np.transpose(numbers, [left.index(c) for c in result if c in left])
        index = tuple(slice(None) if c in left else None for c in result)
        wide = t.gathered(rows, np.broadcast_to(numbers[index], np.shape(out)))
        made = wide if made is None else t.either(made, wide)
    return [made] if isinstance(out, np.ndarray) else [frozenset(made.indices.tolist())]


def _unbroadcast(t: Sets, fn: str, values: Any, deps: Any, attrs: Any, results: Any) -> Any:
    """The union over the axes along which the operand was broadcast."""
    g, x = values
    have, want = np.shape(g), np.shape(x)
    if not isinstance(g, np.ndarray) or len(have) < len(want):
        return None
    if have[len(have) - len(want) :] != want and any(
        n != m and m != 1 for n, m in zip(have[::-1], want[::-1], strict=False)
    ):
        return None
    numbers = np.broadcast_to(np.arange(np.size(x)).reshape(want), have)
    gather = t.csr(np.ravel(numbers), np.arange(g.size), (max(np.size(x), 1), g.size))
    rows = (gather @ t.matrix(deps[0], g.size)).tocsr()
    if isinstance(results[0], np.ndarray):
        return [rows]
    return [frozenset(rows.indices.tolist())]


RULES: dict[str, Any] = {
    **dict.fromkeys(
        (
            *("np.sum", "np.mean", "np.var", "np.std", "np.max", "np.min", "np.ptp", "np.prod"),
            *("np.nansum", "np.nanmean", "np.nanmax", "np.nanmin", "np.median", "np.linalg.norm"),
            *("np.quantile", "np.percentile"),
        ),
        _reduction,
    ),
    **dict.fromkeys(("np.cumsum", "np.cumprod", "np.sort"), _along),
    **dict.fromkeys(("np.diff", "undiff"), _differences),
    **dict.fromkeys(("matmul", "np.matmul", "np.dot"), _matmul),
    "add_to": elementwise,
    "np.cross": _cross,
    "np.outer": _outer,
    "np.einsum": _einsum,
    "unbroadcast": _unbroadcast,
}
