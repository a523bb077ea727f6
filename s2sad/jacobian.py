"""Jacobians and Hessians as the user meets them.

In: a function with any inputs and outputs. Out: a derivative object that returns all partial
derivatives at once::

    jacobian(lambda x: x ** 2)(np.array([1.0, 2.0]))   ->   [[2., 0.], [0., 4.]]

The sweeps are written by ``transform.jacobian``; here a mode is chosen by the sizes of the
arguments of each call.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, overload

import numpy as np

from .binding import Argnums
from .checks import targets_of
from .derivative import Derivative
from .dispatch import Specialization, Values
from .errors import ArgumentError, UnsupportedError
from .ir.kinds import (
    Array,
    Dict,
    Dim,
    FixedList,
    Kind,
    ListOf,
    Mixed,
    Num,
    Record,
    Sym,
    Tuple,
    carries_derivative,
)
from .ir.nodes import Module, Op, Struct, walk
from .ir.tree import flatten
from .making import Decorator, derive
from .pipeline import (
    Backend,
    build,
    compiled,
    lower_program,
    primal_layout,
)

__all__ = ["Jacobian", "elementwise_grad", "hessian", "jacfwd", "jacobian", "jacrev"]

_MODES = {"auto": "jacobian", "forward": "jacfwd", "reverse": "jacrev"}


@overload
def jacobian(
    f: Callable[..., Any],
    argnums: int | str | Sequence[int | str] = ...,
    mode: str = ...,
    *,
    has_aux: bool = ...,
    backend: Backend = ...,
) -> Derivative: ...


@overload
def jacobian(
    *,
    argnums: int | str | Sequence[int | str] = ...,
    mode: str = ...,
    has_aux: bool = ...,
    backend: Backend = ...,
) -> Decorator: ...


def jacobian(
    f: Callable[..., Any] | None = None,
    argnums: Argnums = 0,
    mode: str = "auto",
    *,
    has_aux: bool = False,
    backend: Backend = None,
) -> Derivative | Decorator:
    """All first derivatives of ``f``, as a function of the same arguments.

    The result has the structure of the output; in the place of each number or array stands the
    structure of the argument, and there an array of shape ``(*output.shape, *argument.shape)``
    with the dtype of the output; of a number by a number, a float. With a sequence of ``argnums``
    a tuple stands in the place of the argument. Parts that are not floating point have None.

    ``mode`` is "forward" (one sweep with a tangent for each element of the argument), "reverse"
    (one sweep there and one back with a cotangent for each element of the output) or "auto": the
    one with fewer directions at each call, forward where the size of the output is not known.
    Either way the primal is computed once and all directions go through NumPy together.

    With ``has_aux`` the function returns ``(value, aux)``, and this ``(jacobian, aux)``. Other
    arguments and errors are those of `grad`; also a decorator.

    >>> jacobian(lambda x: x * x)(np.array([1.0, 2.0]))
    array([[2., 0.],
           [0., 4.]])
    >>> jacobian(lambda x, y: (x * y, {"s": x + y}), argnums=(0, 1))(2.0, 5.0)
    ((5.0, 2.0), {'s': (1.0, 1.0)})
    """
    if mode not in _MODES:
        raise ArgumentError(f"mode is 'auto', 'forward' or 'reverse', not {mode!r}")
    name = _MODES[mode]
    kind = Jacobian if name == "jacobian" else Derivative
    return derive(name, f, argnums, has_aux, backend=backend, kind=kind)


def jacfwd(
    f: Callable[..., Any] | None = None,
    argnums: Argnums = 0,
    *,
    has_aux: bool = False,
    backend: Backend = None,
) -> Any:
    """`jacobian` in forward mode: best where the argument has no more elements than the output.

    Shapes and errors are those of `jacobian`.

    >>> jacfwd(lambda t: [t, t * t])(3.0)
    [1.0, 6.0]
    """
    return derive("jacfwd", f, argnums, has_aux, backend=backend)


def jacrev(
    f: Callable[..., Any] | None = None,
    argnums: Argnums = 0,
    *,
    has_aux: bool = False,
    backend: Backend = None,
) -> Any:
    """`jacobian` in reverse mode: best where the output has few elements.

    Shapes and errors are those of `jacobian`.

    >>> jacrev(lambda x: x @ x)(np.array([1.0, 2.0]))
    array([2., 4.])
    """
    return derive("jacrev", f, argnums, has_aux, backend=backend)


def hessian(
    f: Callable[..., Any] | None = None,
    argnums: Argnums = 0,
    *,
    has_aux: bool = False,
    backend: Backend = None,
) -> Any:
    """All second derivatives of a scalar function, as a function of the same arguments.

    For an array x of shape s the Hessian has shape ``(*s, *s)``; for trees and for a sequence of
    ``argnums`` it is a tree (or tuple) of trees, rows first, as ``jacobian(grad(f))`` has it.
    Forward over reverse: the gradient runs once, with tangents in all directions at once.

    With ``has_aux`` the function returns ``(value, aux)``, and this ``(hessian, aux)``. Other
    arguments and errors are those of `grad`. See `hvp` for products that never form the matrix.

    >>> hessian(lambda x: x[0] ** 2 * x[1])(np.array([3.0, 5.0]))
    array([[10.,  6.],
           [ 6.,  0.]])
    """
    return derive("hessian", f, argnums, has_aux, backend=backend)


def elementwise_grad(
    f: Callable[..., Any] | None = None,
    argnums: Argnums = 0,
    *,
    has_aux: bool = False,
    backend: Backend = None,
) -> Any:
    """The gradient of the sum of all elements of the output: f' where ``f`` acts elementwise.

    For a function whose output elements each depend on one element of the argument this is the
    diagonal of the Jacobian, at the cost of one reverse sweep; for others the sums of its columns.
    The result has the structure and shapes of the argument. Arguments and errors are those of
    `grad`, but the output may be an array.

    >>> elementwise_grad(lambda x: x ** 3)(np.array([1.0, 2.0]))
    array([ 3., 12.])
    """
    return derive("elementwise_grad", f, argnums, has_aux, backend=backend)


# Inside a function that is differentiated, these are called while it is compiled.
_makers: tuple[Any, ...] = (jacobian, jacfwd, jacrev, hessian, elementwise_grad)
for _maker in _makers:
    _maker.__s2sad_transform__ = True


class Jacobian(Derivative):
    """A Jacobian that chooses its mode at every call: that of fewer directions."""

    def _build(self, values: Values, kinds: tuple[Kind, ...]) -> Specialization:
        inner = primal_layout(self._primal)
        count = len(inner.names)
        argnums = self._transform.argnums
        targets = targets_of(inner, argnums, values[:count], kinds[:count], self._skip)
        program = lower_program(self._primal, inner, values[:count], kinds[:count])
        sizes = _Sizes(program.module, inner.names, self._transform.has_aux)

        def mode(given: Sequence[Any]) -> str:
            inputs = 0
            for target in targets:
                value = given[target.parameter]
                value = value if target.key is None else value[target.key]
                inputs += sum(np.size(leaf) for leaf in flatten(value)[0])
            size = sizes.of(given)
            return "jacfwd" if size is None or inputs <= size else "jacrev"

        captured = [fetch.get(values) for fetch in program.captures]
        first = mode((*values, *captured))
        made = self._made(first, values, kinds)
        runs = {first: made.run}

        def run(*given: Any) -> Any:
            chosen = mode(given)
            found = runs.get(chosen)
            if found is None:
                found = runs[chosen] = self._made(chosen, given[: len(kinds)], kinds).run
            return found(*given)

        fixed = all(isinstance(kinds[t.parameter], Num) and t.key is None for t in targets)
        return made if fixed and sizes.known else dataclasses.replace(made, run=run)

    def _made(self, name: str, values: Sequence[Any], kinds: tuple[Kind, ...]) -> Specialization:
        """The code of one mode; that of the other where this one has no rule for something."""
        other = "jacrev" if name == "jacfwd" else "jacfwd"
        try:
            return self._of_mode(name, values, kinds)
        except UnsupportedError as error:
            try:
                return self._of_mode(other, values, kinds)
            except UnsupportedError:
                raise error from None

    def _of_mode(
        self, name: str, values: Sequence[Any], kinds: tuple[Kind, ...]
    ) -> Specialization:
        transform = dataclasses.replace(self._transform, name=name)
        return build(self._primal, transform, self._layout, values, kinds, skip=self._skip)


# -- sizes ----------------------------------------------------------------------------------------


class _Sizes:
    """The number of elements of a function's output, for the arguments of a call.

    Where kinds do not tell it, the function runs once for arguments of these shapes, unless
    that would be noticed.
    """

    def __init__(self, module: Module, names: Sequence[str], has_aux: bool) -> None:
        function = module.entry
        out = function.out.children[0] if has_aux and function.out.children else function.out
        leaves = [function.body.yields[n] for n in _indices(out)]
        self.shapes = [
            shape
            for leaf in leaves
            if carries_derivative(leaf.kind)
            for shape in _shapes(leaf.kind)
        ]
        self.names = names
        self.known = all(isinstance(d, int) for shape in self.shapes for d in shape)
        self.module = module
        self.has_aux = has_aux
        self._run: Callable[..., Any] | None = None
        self._seen: dict[Any, int | None] = {}

    def of(self, given: Sequence[Any]) -> int | None:
        """The size for these arguments and captures; None where it cannot be told."""
        size = _total(self.shapes, dict(zip(self.names, given, strict=False)))
        if size is not None:
            return size
        key = tuple(np.shape(leaf) for leaf in flatten(tuple(given))[0])
        if key not in self._seen:
            if len(self._seen) >= _KEPT:
                self._seen.clear()
            self._seen[key] = self._measured(given)
        return self._seen[key]

    def _measured(self, given: Sequence[Any]) -> int | None:
        from .rules.registry import primitive
        from .runtime import copied

        nodes = (node for f in self.module.functions.values() for node in walk(f.body))
        if any(isinstance(n, Op) and primitive(n.fn).effect in ("prints", "draws") for n in nodes):
            return None
        if self._run is None:
            self._run = compiled(self.module, self.module.entry.name)
        out = self._run(*copied(tuple(given)))
        return sum(np.size(leaf) for leaf in flatten(out[0] if self.has_aux else out)[0])


#: Shapes of arguments whose output sizes are remembered.
_KEPT = 256


def _indices(struct: Struct) -> list[int]:
    if struct.form == "leaf":
        return [struct.index]
    return [n for child in struct.children for n in _indices(child)]


def _shapes(kind: Kind) -> Iterator[Sequence[Dim | None]]:
    """The shape of every leaf; None for a size that cannot be told."""
    match kind:
        case Num():
            yield (1,)
        case Array() if kind.dims is not None:
            yield kind.dims
        case Tuple() | FixedList():
            for k in kind.items:
                if carries_derivative(k):
                    yield from _shapes(k)
        case Dict():
            for _, k in kind.items:
                if carries_derivative(k):
                    yield from _shapes(k)
        case Record():
            for _, k in kind.fields:
                if carries_derivative(k):
                    yield from _shapes(k)
        case ListOf() | Mixed() | Array():
            yield (None,)


def _total(shapes: Sequence[Sequence[Dim | None]], values: Mapping[str, Any]) -> int | None:
    """The number of elements of the output for these arguments, where their sizes tell it."""
    total = 0
    for shape in shapes:
        size = 1
        for d in shape:
            n = d if isinstance(d, int) else _size(d, values) if isinstance(d, Sym) else None
            if n is None:
                return None
            size *= n
        total += size
    return total


def _size(d: Sym, values: Mapping[str, Any]) -> int | None:
    """The size a symbol stands for: an axis of an argument, or an int that is one."""
    try:
        base: Any = d.base
        path, axis = base
        if isinstance(axis, int):
            found = _at(path, values)
            if isinstance(found, np.ndarray):
                return max(int(found.shape[axis]) + d.offset, 0)
        found = _at(base, values)
        return max(found + d.offset, 0) if type(found) is int else None
    except (LookupError, TypeError, ValueError, AttributeError):
        return None


def _at(path: Any, values: Mapping[str, Any]) -> Any:
    if isinstance(path, str):
        return values[path]
    outer, key = path
    inside = _at(outer, values)
    if isinstance(key, str) and not isinstance(inside, dict):
        return getattr(inside, key)
    return inside[key]
