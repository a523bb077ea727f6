"""Does the structure of a computation depend on floating-point values?

In: the SSA of a function. Out: True where a branch, a trip count, an index or a shape may follow
from the value of a float, so that another argument may take another path and have another
pattern. Where it is False, patterns are the same for all arguments of the same shapes whose ints,
Booleans and index arrays are the same.

    y = x[order]            order: an int array that is an argument   ->   False
    if x[0] > 0: ...                                                  ->   True
"""

from __future__ import annotations

from collections.abc import Sequence

from ..ir.kinds import Kind, Num, Opaque, carries_derivative
from ..ir.nodes import Atom, Call, For, Function, If, Module, Node, Op, Region, Value, While
from ..rules.batching import is_elementwise
from .movers import CONTAINERS, MOVERS
from .unions import RULES

__all__ = ["depends_on_values"]

#: Operations that read nothing but shapes and types.
_ABOUT = frozenset(
    {
        *("len", "shape", "np.size", "np.ndim", "np.iscomplexobj", "dtype", "zeros_like"),
        *("np.zeros_like", "np.ones_like", "np.empty_like", "trip_count", "is", "is_not"),
    }
)
#: Operations whose operands are sizes.
_SIZES = frozenset(
    f"np.{f}" for f in ("zeros", "ones", "empty", "eye", "identity", "tri", "arange")
)


def depends_on_values(module: Module) -> bool:
    """True where control flow, indices or shapes may depend on floats."""
    return _Search(module).function(module.entry)


class _Search:
    """Follows what comes from floats: ``values``, and ``shapes`` that come from such values."""

    def __init__(self, module: Module) -> None:
        self.module = module
        self.values: set[Value] = set()
        self.shapes: set[Value] = set()
        #: parts of arguments: what an int among them is does not come from a float
        self.pristine: set[Value] = set()
        self.found = False

    def function(self, function: Function) -> bool:
        self.pristine.update(function.params)
        self.values.update(p for p in function.params if _holds_floats(p.kind))
        while not self.found:
            before = len(self.values) + len(self.shapes) + len(self.pristine)
            self.region(function.body)
            if len(self.values) + len(self.shapes) + len(self.pristine) == before:
                break
        return self.found

    def region(self, region: Region) -> None:
        for node in region.ops:
            if not self.found:
                self.node(node)

    def comes(self, atom: Atom) -> bool:
        return isinstance(atom, Value) and atom in self.values

    def shaped(self, atom: Atom) -> bool:
        return isinstance(atom, Value) and atom in self.shapes

    def structural(self, atoms: Sequence[Atom]) -> None:
        """What decides on structure."""
        self.found = self.found or any(map(self.comes, atoms))

    def carry(self, sources: Sequence[Atom], targets: Sequence[Value]) -> None:
        for source, target in zip(sources, targets, strict=True):
            if self.comes(source):
                self.values.add(target)
            if self.shaped(source):
                self.shapes.add(target)

    def node(self, node: Node) -> None:
        match node:
            case Op():
                self.op(node)
            case Call():
                self.structural(node.args)
                if any(_holds_floats(a.kind) for a in node.args):
                    self.found = True
            case If():
                self.structural([node.cond])
                for arm in (node.then, node.orelse):
                    self.region(arm)
                    self.carry(arm.yields, node.results)
            case For():
                self.structural([node.start, node.stop, node.step])
                self.loop(node, node.body.params[1:])
            case While():
                self.carry(node.init, node.test.params)
                self.carry(node.body.yields[1:], node.test.params)
                self.region(node.test)
                self.structural(node.test.yields)
                self.loop(node, node.body.params)

    def loop(self, node: For | While, params: Sequence[Value]) -> None:
        self.carry(node.init, params)
        self.carry(node.init, node.results)
        self.region(node.body)
        self.structural(node.body.yields[:1])
        self.carry(node.body.yields[1:], params)
        self.carry(node.body.yields[1:], node.results)

    def op(self, node: Op) -> None:
        fn, args = node.fn, node.args
        comes = any(map(self.comes, args))
        shaped = any(map(self.shaped, args))
        if fn in _ABOUT:
            comes = shaped
        elif fn in ("item", "attr") and args[0] in self.pristine:
            self.structural(args[1:])
            comes = _holds_floats(node.results[0].kind)
            if not isinstance(node.results[0].kind, Num):
                self.pristine.update(node.results)
        elif fn in MOVERS:
            data = MOVERS[fn]
            self.structural([a for n, a in enumerate(args) if n not in data])
        elif fn in ("setitem", "accumulate", "insert"):
            self.structural(args[1:2])
        elif fn == "pop":
            self.structural(args[1:])
        elif fn in _SIZES:
            self.structural(args)
        elif fn not in RULES and fn not in CONTAINERS and not is_elementwise(fn):
            # the shape of what an unknown function gives may depend on the numbers it reads
            shaped = shaped or comes and not all(isinstance(r.kind, Num) for r in node.results)
        if comes:
            self.values.update(node.results)
        if shaped:
            self.shapes.update(node.results)


def _holds_floats(kind: Kind) -> bool:
    """True where a value of this kind holds floats, or may do so."""
    if isinstance(kind, Opaque):
        return False
    return carries_derivative(kind)
