"""Functions of the program as attributes of an op: what ``brentq`` or ``quad`` is given.

In: the SSA of a function. Out: something to call, and its derivatives, which are such functions
again; and the SSA put in place, at atoms.

    FunctionValue(f).slope(0)      df / dx      of  f(x, *captured)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from .ir.builder import Builder
from .ir.clone import clone
from .ir.kinds import Array
from .ir.nodes import Atom, Module, Node, Region, Value

if TYPE_CHECKING:
    from .backend.emit import Emitted
    from .backend.literals import Namespace

__all__ = ["FunctionValue"]


class FunctionValue:
    """A function whose SSA is known; compared by identity, and called with flat arguments."""

    __slots__ = ("_made", "_run", "module")

    def __init__(self, module: Module) -> None:
        self.module = module
        self._made: dict[Any, FunctionValue] = {}
        self._run: Callable[..., Any] | None = None

    def __repr__(self) -> str:
        return f"<function {self.module.entry.name}>"

    @property
    def __name__(self) -> str:  # what emitted text calls it
        return self.module.entry.name

    @property
    def result(self) -> Any:
        """The kind of what it returns."""
        return self.module.entry.body.yields[0].kind

    def __call__(self, *args: Any) -> Any:
        if self._run is None:
            from .backend.compile import compile_module

            self._run = compile_module(self.emitted(self.module.entry.name))
        return self._run(*args)

    def emitted(self, name: str, namespace: Namespace | None = None) -> Emitted:
        """Its text, under a name, as a part of a text with this namespace."""
        from .backend.emit import emit

        entry = replace(self.module.entry, name=name)
        return emit(Module({name: entry}), fresh_results=True, namespace=namespace)

    def inline(self, b: Any, *atoms: Atom) -> Atom:
        """Its result at these atoms, computed by nodes appended to the builder."""
        if not isinstance(b, Builder):  # one that computes
            found: Atom = b.const(self(*(a.value for a in atoms)))  # type: ignore[union-attr]
            return found
        entry = self.module.entry
        nodes, leaves = clone(entry.body, dict(zip(entry.params, atoms, strict=True)))
        for node in nodes:
            b.append(node)
        return leaves[0]

    # -- derivatives ------------------------------------------------------------------------------

    def slope(self, n: int) -> FunctionValue:
        """Of a function that returns a number: its gradient with respect to a parameter."""

        def make() -> Module:
            from .transform.adjoint import gradient

            return gradient(self.module, [n], value=False)

        return self._once(("slope", n), make)

    def slopes(self, *wrt: int) -> FunctionValue:
        """The same with respect to several parameters: a tuple, to be called and not inlined."""

        def make() -> Module:
            from .transform.adjoint import gradient

            return gradient(self.module, wrt, value=False, single=False)

        return self._once(("slopes", wrt), make)

    def jacobian(self, n: int) -> FunctionValue:
        """Of a function of vectors: its Jacobian with respect to a parameter."""

        def make() -> Module:
            from .transform.jacobian import Wrt, jacobian_forward

            return jacobian_forward(self.module, Wrt(((n, None),), True))

        return self._once(("jacobian", n), make)

    def tangent(self, *wrt: int) -> FunctionValue:
        """The tangent of the result; the tangents of these parameters come after all of them."""

        def make() -> Module:
            from .transform.forward import forward

            return forward(self.module, list(wrt), value=False)

        return self._once(("tangent", wrt), make)

    def weighted(self) -> FunctionValue:
        """The sum of the result times one more parameter, which is as the result is."""

        def make() -> Module:
            b = Builder(tidy=True)
            with b.region() as nodes:
                result = self.inline(b, *self.module.entry.params)
                weights = Value(result.kind, "weights")
                product = b.op("mul", result, weights)
                total = b.op("np.sum", product) if isinstance(product.kind, Array) else product
            return self._like("weighted", nodes, total, weights)

        return self._once("weighted", make)

    def changed(self, key: str, change: Callable[[Builder, Sequence[Atom], Atom], Atom]) -> Any:
        """The function whose result is made of the parameters and this one's result."""

        def make() -> Module:
            b = Builder(tidy=True)
            with b.region() as nodes:
                params = self.module.entry.params
                new = change(b, params, self.inline(b, *params))
            return self._like(key, nodes, new)

        return self._once(key, make)

    def _like(self, suffix: str, nodes: Sequence[Node], result: Atom, *more: Value) -> Module:
        """A function of the same parameters, and ``more``, with another body."""
        entry = self.module.entry
        name, params = f"{entry.name}_{suffix}", (*entry.params, *more)
        body = Region((), tuple(nodes), (result,))
        return Module({name: replace(entry, name=name, params=params, body=body)})

    def _once(self, key: Any, make: Callable[[], Module]) -> FunctionValue:
        if key not in self._made:
            self._made[key] = FunctionValue(make())
        return self._made[key]
