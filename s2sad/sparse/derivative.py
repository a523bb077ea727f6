"""The derivative object behind sparse Jacobians and Hessians.

In: a function, and a pattern or None. Out: a callable that returns a CSR matrix, by one sweep for
the directions of all colours::

    pattern    1 1 0        colours 0 1 0        J @ [[1, 0], [0, 1], [1, 0]]  =  a b
               0 1 1                                                              d c
    so J has a, b in its first row and c, d in its second: each entry in the column of its colour
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..checks import targets_of
from ..derivative import Derivative
from ..dispatch import Specialization, Values
from ..errors import ArgumentError
from ..ir.kinds import Kind
from ..ir.nodes import Module
from ..ir.tree import is_differentiable
from ..pipeline import Numba, Transform, compiled_text, lower_program, primal_layout
from ..recipes import Request, recipe_of
from ..transform.target import for_compiler
from .coloring import color_columns
from .pattern import detect
from .values import depends_on_values

__all__ = ["Plan", "SparseDerivative"]

#: Plans kept per compiled code.
_KEPT = 16
#: How much an entry that is missing from a pattern may weigh before it counts.
_ROUNDING = 1e-6


@dataclass(frozen=True, eq=False)
class Plan:
    """How the entries of a pattern are computed: a colour for each column, or for each row."""

    pattern: Any
    by_columns: bool
    colors: Any
    count: int
    shapes: list[tuple[int, ...]] | None


class SparseDerivative(Derivative):
    """A sparse Jacobian or Hessian, compiled at the first call for each kind of arguments."""

    def __init__(
        self,
        f: Callable[..., Any],
        transform: Transform,
        *,
        skip: int = 0,
        pattern: Any = None,
    ) -> None:
        self._pattern = None if pattern is None else _boolean(pattern)
        super().__init__(f, transform, skip=skip)

    def _build(self, values: Values, kinds: tuple[Kind, ...]) -> Specialization:
        inner = primal_layout(self._primal)
        count = len(inner.names)
        transform = self._transform
        targets = targets_of(inner, transform.argnums, values[:count], kinds[:count], self._skip)
        program = lower_program(self._primal, inner, values[:count], kinds[:count])
        module = program.module
        if transform.name == "sparse_hessian":
            grad = Transform("grad", transform.argnums, transform.many)
            module = recipe_of("grad").make(module, Request(inner, grad, targets)).module
        wrt = tuple((target.parameter, target.key) for target in targets)
        name = inner.function.__qualname__
        run = _Runner(module, wrt, self._pattern, name, transform.backend)
        return program.specialization(run, kinds, run.text, run.tangents_ir)

    def _planned(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Plan:
        found = self._find(args, kwargs)
        values = self._prepare(self._layout.bind(args, kwargs))
        captured = [fetch.get(values) for fetch in found.captures]
        run = found.run
        assert isinstance(run, _Runner)
        return run.plan((*values, *captured))

    def pattern(self, *args: Any, **kwargs: Any) -> Any:
        """Where the matrix may be non-zero at these arguments, as a Boolean csr_matrix."""
        return self._planned(args, kwargs).pattern.copy()

    def colors(self, *args: Any, **kwargs: Any) -> int:
        """How many directions a call takes, besides the one it is checked with."""
        return self._planned(args, kwargs).count

    def __reduce__(self) -> Any:
        raise TypeError("a sparse derivative does not pickle: make it anew from its function")

    @property
    def _as_method(self) -> Derivative:
        return type(self)(self._primal, self._transform, skip=1, pattern=self._pattern)


class _Runner:
    """Computes the matrix for arguments of certain kinds."""

    def __init__(
        self,
        module: Module,
        wrt: tuple[tuple[int, int | str | None], ...],
        pattern: Any,
        name: str,
        backend: Numba | None,
    ) -> None:
        from ..transform.along import tangents_along
        from ..transform.jacobian import Wrt

        self.module = module
        self.wrt = Wrt(wrt, True) if len(wrt) == 1 else Wrt(wrt, False)
        self.name = name
        self.given_pattern = pattern
        self.tangents_ir = tangents_along(module, self.wrt)
        self.backend = backend
        self.tangents, self.text = self._compiled(self.tangents_ir)
        self.cotangents: Callable[..., Any] | None = None
        self.varies = depends_on_values(module)
        self.plans: OrderedDict[Any, Plan] = OrderedDict()
        self.random = np.random.default_rng(20)

    def __call__(self, *given: Any) -> Any:
        plan = self.plan(given)
        rows = np.repeat(np.arange(plan.pattern.shape[0]), np.diff(plan.pattern.indptr))
        columns = plan.pattern.indices
        if plan.by_columns:
            seeds = np.zeros((plan.count + 1, plan.pattern.shape[1]))
            seeds[plan.colors, np.arange(plan.pattern.shape[1])] = 1.0
            seeds[-1] = self.random.uniform(0.5, 1.5, seeds.shape[1])
            found, _ = self.pushed(given, seeds)
            found = self._of_width(found, plan.pattern.shape[0], plan.count + 1)
            data = found[plan.colors[columns], rows]
        else:
            seeds = np.zeros((plan.count + 1, plan.pattern.shape[0]))
            seeds[plan.colors, np.arange(plan.pattern.shape[0])] = 1.0
            seeds[-1] = self.random.uniform(0.5, 1.5, seeds.shape[1])
            found = self.pulled(given, seeds, plan)
            data = found[plan.colors[rows], columns]
        matrix = self._matrix(data, plan)
        self._check(matrix if plan.by_columns else matrix.T, seeds[-1], found[-1])
        return matrix

    def _compiled(self, module: Module) -> tuple[Callable[..., Any], str]:
        if self.backend is None:
            return compiled_text(module, module.entry.name)
        from ..backend.nopython.compile import compile_nopython

        options = dataclasses.asdict(self.backend)
        made = compile_nopython(module, **options)
        return made.run, made.text

    def _matrix(self, data: Any, plan: Plan) -> Any:
        import scipy.sparse

        parts = (data, plan.pattern.indices.copy(), plan.pattern.indptr.copy())
        return scipy.sparse.csr_matrix(parts, shape=plan.pattern.shape)

    # -- sweeps -----------------------------------------------------------------------------------

    def pushed(self, given: Sequence[Any], seeds: Any) -> tuple[Any, list[tuple[int, ...]]]:
        """The tangents of all elements of the output along each direction."""
        directions = []
        start = 0
        for leaf in self._inputs(given):
            size = np.size(leaf)
            block = seeds[:, start : start + size].reshape((len(seeds), *np.shape(leaf)))
            directions.append(block.astype(np.asarray(leaf).dtype, copy=False))
            start += size
        if start != seeds.shape[1]:
            raise ArgumentError(
                f"the pattern has {seeds.shape[1]} columns, and {self.name}() is differentiated "
                f"with respect to {start} elements"
            )
        count = len(seeds)
        flat, shapes = [], []
        for t, shape in self.tangents(*given, *directions):
            shapes.append(tuple(shape) if t is None else t.shape[1:])
            size = int(np.prod(shapes[-1]))
            flat.append(np.zeros((count, size)) if t is None else np.reshape(t, (count, size)))
        whole = np.concatenate(flat, axis=1) if flat else np.zeros((count, 0))
        return whole, shapes

    def pulled(self, given: Sequence[Any], seeds: Any, plan: Plan) -> Any:
        """The cotangents of all elements of the input for each weighting of the output."""
        if self.cotangents is None:
            from ..transform.along import cotangents_along

            with for_compiler(self.backend is not None):
                made = cotangents_along(self.module, self.wrt)
            self.cotangents, _ = self._compiled(made)
        weights = []
        start = 0
        assert plan.shapes is not None
        for shape in plan.shapes:
            size = int(np.prod(shape))
            weights.append(seeds[:, start : start + size].reshape((len(seeds), *shape)))
            start += size
        bars = self.cotangents(*given, *weights)
        flat = [
            np.zeros((len(seeds), np.size(x)))
            if bar is None
            else np.reshape(bar, (len(seeds), -1))
            for bar, x in zip(bars, self._inputs(given), strict=True)
        ]
        return np.concatenate(flat, axis=1)

    def _inputs(self, given: Sequence[Any]) -> list[Any]:
        """The leaves of what is differentiated."""
        found: list[Any] = []
        for parameter, key in self.wrt.targets:
            value = given[parameter] if key is None else given[parameter][key]
            found += _floats(value)
        return found

    # -- plans ------------------------------------------------------------------------------------

    def plan(self, given: Sequence[Any]) -> Plan:
        """The pattern and its colours for these arguments."""
        if self.given_pattern is not None:
            key: Any = "given"
        elif self.varies:
            return self._planned(given)
        else:
            key = _key(given)
        found = self.plans.get(key)
        if found is None:
            found = self.plans[key] = self._planned(given)
            if len(self.plans) > _KEPT:
                self.plans.popitem(last=False)
        return found

    def _planned(self, given: Sequence[Any]) -> Plan:
        shapes: list[tuple[int, ...]] | None = None
        pattern = self.given_pattern
        if pattern is None:
            pattern, shapes = detect(self.module, given, self.wrt.targets)
            pattern.sort_indices()
        colors, count = color_columns(pattern)
        if shapes is not None:
            by_rows, fewer = color_columns(pattern.T.tocsr())
            if 2 * fewer < count:
                return Plan(pattern, False, by_rows, fewer, shapes)
        return Plan(pattern, True, colors, count, shapes)

    # -- checks -----------------------------------------------------------------------------------

    def _of_width(self, found: Any, size: int, count: int) -> Any:
        if found.shape[1] != size:
            raise ArgumentError(
                f"the pattern has {size} rows, and {self.name}() returns {found.shape[1]} elements"
            )
        return found

    def _check(self, matrix: Any, vector: Any, product: Any) -> None:
        """The product with a random vector tells whether an entry is missing."""
        bound = abs(matrix) @ np.abs(vector)
        rounding = 1e-2 if np.asarray(product).dtype == np.float32 else _ROUNDING
        difference = np.abs(matrix @ vector - product)
        allowed = rounding * bound + 1e-12 * np.max(bound, initial=0.0, where=np.isfinite(bound))
        wrong = np.flatnonzero(
            np.isfinite(difference) & np.isfinite(bound) & (difference > allowed)
        )
        if len(wrong):
            whose = "found" if self.given_pattern is None else "given"
            raise ArgumentError(
                f"the pattern {whose} for {self.name}() lacks entries that are not zero: "
                f"{len(wrong)} of {len(product)} products with a random vector differ, the first "
                f"at {int(wrong[0])} ({float(product[wrong[0]])!r} for "
                f"{float((matrix @ vector)[wrong[0]])!r})"
            )


def _floats(value: Any) -> list[Any]:
    """The leaves of a tree that carry a derivative."""
    if is_differentiable(value):
        return [value]
    if isinstance(value, dict):
        return [leaf for part in value.values() for leaf in _floats(part)]
    if isinstance(value, tuple | list):
        return [leaf for part in value for leaf in _floats(part)]
    if hasattr(value, "__dataclass_fields__") and not isinstance(value, type):
        return [leaf for n in value.__dataclass_fields__ for leaf in _floats(getattr(value, n))]
    return []


def _key(given: Sequence[Any]) -> Any:
    """Equal for arguments of the same shapes whose ints, Booleans and index arrays are equal."""
    digest = hashlib.blake2b(digest_size=16)

    def add(value: Any) -> None:
        if isinstance(value, np.ndarray):
            digest.update(f"a{value.dtype}{value.shape}".encode())
            if value.dtype.kind not in "fc":
                digest.update(np.ascontiguousarray(value).tobytes())
        elif is_differentiable(value):
            digest.update(b"f")
        elif isinstance(value, dict):
            digest.update(f"d{len(value)}".encode())
            for key, part in value.items():
                digest.update(repr(key).encode())
                add(part)
        elif isinstance(value, tuple | list):
            digest.update(f"t{len(value)}".encode())
            for part in value:
                add(part)
        elif hasattr(value, "__dataclass_fields__") and not isinstance(value, type):
            digest.update(type(value).__qualname__.encode())
            for name in value.__dataclass_fields__:
                add(getattr(value, name))
        else:
            digest.update(repr(value).encode())

    for value in given:
        add(value)
    return digest.digest()


def _boolean(pattern: Any) -> Any:
    """A pattern of any sort as a Boolean CSR matrix."""
    import scipy.sparse

    made = scipy.sparse.csr_matrix(pattern, dtype=bool)
    made.sum_duplicates()
    made.sort_indices()
    return made
