"""Sets of input elements, and what operations do to them.

In: the operands of an operation, with their sets, and its result. Out: the sets of the result. A
number has a frozenset, an array a Boolean CSR matrix with one row per element, a container the
sets of its parts; None is the empty set. Operations that move elements are run on the numbers of
the elements; elementwise ones and reductions unite rows; anything else unites everything.

    a row of A @ x    ->    all of x
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np

from ..ir.tree import is_differentiable
from ..rules.batching import is_elementwise
from . import movers, unions

__all__ = ["Deps", "Sets"]

#: None, a frozenset, a CSR matrix, or the sets of the parts of a container.
Deps: TypeAlias = Any

_CONTAINERS = (tuple, list, dict)


class Sets:
    """Sets of the numbers below ``count``."""

    def __init__(self, count: int) -> None:
        import scipy.sparse

        self.sparse = scipy.sparse
        self.count = count

    # -- matrices ---------------------------------------------------------------------------------

    def csr(self, rows: Any, columns: Any, shape: tuple[int, int]) -> Any:
        """The matrix with True at these places."""
        ones = np.ones(len(rows), dtype=bool)
        made = self.sparse.coo_matrix((ones, (rows, columns)), shape=shape).tocsr()
        made.sum_duplicates()
        return made

    def none(self, size: int) -> Any:
        return self.sparse.csr_matrix((size, self.count), dtype=bool)

    def matrix(self, dep: Deps, size: int) -> Any:
        """The sets of an array (or number) of that size as a matrix."""
        if dep is None:
            return self.none(size)
        if isinstance(dep, frozenset):
            columns = np.fromiter(sorted(dep), dtype=np.int64, count=len(dep))
            return self.repeated(columns, size)
        return dep

    def repeated(self, columns: Any, size: int) -> Any:
        """A matrix whose rows are all the same."""
        indptr = np.arange(size + 1) * len(columns)
        data = np.ones(size * len(columns), dtype=bool)
        return self.sparse.csr_matrix(
            (data, np.tile(columns, size), indptr), shape=(size, self.count)
        )

    def stacked(self, rows: Sequence[Any]) -> Any:
        """Matrices one below the other."""
        if not rows:
            return self.none(0)
        return self.sparse.vstack(rows, format="csr", dtype=bool)

    def either(self, a: Any, b: Any) -> Any:
        """The union, row by row."""
        return (a + b).tocsr()

    def gathered(self, matrix: Any, numbers: Any) -> Any:
        """Row ``k - 1`` of the matrix for each number k; an empty row for 0."""
        flat = np.ravel(numbers)
        if flat.size and flat.min() > 0:
            return matrix[flat - 1]
        return self.stacked([self.none(1), matrix])[flat]

    def all_of(self, dep: Deps) -> frozenset[int]:
        """Everything that a value depends on."""
        if dep is None:
            return frozenset()
        if isinstance(dep, frozenset):
            return dep
        if isinstance(dep, dict):
            return self.all_of(list(dep.values()))
        if isinstance(dep, tuple | list):
            found: frozenset[int] = frozenset()
            for part in dep:
                found |= self.all_of(part)
            return found
        return frozenset(np.unique(dep.indices).tolist())

    # -- trees ------------------------------------------------------------------------------------

    def is_empty(self, dep: Deps) -> bool:
        if isinstance(dep, dict):
            return all(map(self.is_empty, dep.values()))
        if isinstance(dep, tuple | list):
            return all(map(self.is_empty, dep))
        return dep is None

    def from_numbers(self, numbers: Any) -> Deps:
        """The sets of an argument whose elements go by these numbers."""
        if numbers is None:
            return None
        if isinstance(numbers, dict):
            return {key: self.from_numbers(part) for key, part in numbers.items()}
        if isinstance(numbers, tuple | list):
            return type(numbers)(map(self.from_numbers, numbers))
        if numbers.ndim == 0:
            return frozenset((int(numbers),))
        flat = numbers.reshape(-1)
        return self.csr(np.arange(len(flat)), flat, (len(flat), self.count))

    def leaves(self, value: Any, dep: Deps) -> Iterator[tuple[Any, Deps]]:
        """The parts of a value that carry a derivative, with their sets."""
        if is_differentiable(value):
            yield value, dep
            return
        for part, inner in self.parts(value, dep):
            yield from self.leaves(part, inner)

    def parts(self, value: Any, dep: Deps) -> list[tuple[Any, Deps]]:
        """The parts of a container with their sets."""
        if isinstance(value, dict):
            return [(v, None if dep is None else dep[k]) for k, v in value.items()]
        if isinstance(value, tuple | list):
            inner = [None] * len(value) if dep is None else list(dep)
            return list(zip(value, inner, strict=True))
        if hasattr(value, "__dataclass_fields__") and not isinstance(value, type):
            return [
                (getattr(value, n), None if dep is None else dep[n])
                for n in value.__dataclass_fields__
            ]
        return []

    def opened(self, value: Any, dep: Deps) -> Any:
        """The sets of a container's parts in a list or dict of their own."""
        if isinstance(value, dict):
            return dict.fromkeys(value) if dep is None else dict(dep)
        if hasattr(value, "__dataclass_fields__") and not isinstance(value, type):
            return dict.fromkeys(value.__dataclass_fields__) if dep is None else dict(dep)
        if isinstance(value, np.ndarray):
            rows = self.matrix(dep, value.size)
            step = value.size // len(value) if len(value) else 1
            inner = [rows[k * step : (k + 1) * step] for k in range(len(value))]
            if value.ndim > 1:
                return inner
            return [frozenset(r.indices.tolist()) or None for r in inner]
        return [None] * len(value) if dep is None else list(dep)

    def merged(self, value: Any, a: Deps, b: Deps) -> Deps:
        """The union of the sets of two values of one structure."""
        if a is None or b is None:
            return b if a is None else a
        if isinstance(a, dict):
            keys = list(a)
            inner = [value[k] if isinstance(value, dict) else getattr(value, k) for k in keys]
            return {k: self.merged(v, a[k], b[k]) for k, v in zip(keys, inner, strict=True)}
        if isinstance(a, tuple | list):
            return [self.merged(v, x, y) for v, x, y in zip(value, a, b, strict=True)]
        if isinstance(a, frozenset) and isinstance(b, frozenset):
            return a | b
        size = np.size(value)
        return self.either(self.matrix(a, size), self.matrix(b, size))

    # -- operations -------------------------------------------------------------------------------

    def of_op(
        self,
        fn: str,
        values: Sequence[Any],
        deps: Sequence[Deps],
        attrs: Mapping[str, Any],
        results: Sequence[Any],
    ) -> list[Deps]:
        """The sets of an operation's results."""
        rule = _rule_of(fn, values)
        if rule is not None:
            found = rule(self, fn, values, deps, attrs, results)
            if found is not None:
                return found
        everything: frozenset[int] = frozenset()
        for dep in deps:
            everything |= self.all_of(dep)
        return [self.filled(r, everything) for r in results]

    def filled(self, value: Any, everything: frozenset[int]) -> Deps:
        """The same set for every element of a value."""
        if isinstance(value, np.ndarray):
            return self.matrix(everything, value.size) if value.dtype.kind in "fc" else None
        if isinstance(value, float | complex | np.inexact):
            return everything
        parts = self.parts(value, None)
        if not parts:
            return None
        made = [self.filled(part, everything) for part, _ in parts]
        if isinstance(value, dict):
            return dict(zip(value, made, strict=True))
        if isinstance(value, tuple | list):
            return made
        return dict(zip(value.__dataclass_fields__, made, strict=True))


Rule: TypeAlias = Callable[..., "list[Deps] | None"]


def _rule_of(fn: str, values: Sequence[Any]) -> Rule | None:
    """What knows how this operation passes sets on; None where nothing does."""
    if fn in movers.CONTAINERS:
        found: Rule = movers.CONTAINERS[fn]
        if fn not in movers.OF_BOTH or isinstance(values[0], _CONTAINERS) or _is_record(values[0]):
            return found
    if fn in movers.MOVERS:
        return movers.move
    if fn in movers.WRITES:
        return movers.write
    if fn in unions.RULES:
        known: Rule = unions.RULES[fn]
        return known
    if is_elementwise(fn) or fn.startswith("math.") or fn in unions.SCALAR:
        return unions.elementwise
    return None


def _is_record(value: Any) -> bool:
    return hasattr(value, "__dataclass_fields__") and not isinstance(value, type)
