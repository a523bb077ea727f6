"""The verifier: what every module must satisfy between passes.

In: a module. Out: the module itself, or ``InvalidIR`` naming the function and the node.

Checked: each value is assigned once and used only where its definition dominates; regions take
and yield as many values as their node wants; kinds are there; primitives and callees exist.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..rules.registry import has_primitive, primitive
from .kinds import Kind
from .nodes import (
    Atom,
    Call,
    Const,
    For,
    Function,
    If,
    Module,
    Node,
    Op,
    Region,
    Value,
    While,
    operands_of,
    walk,
)


class InvalidIR(Exception):
    """A pass produced IR that breaks the rules of the IR: a bug in s2sad, not in user code."""


def verify(module: Module) -> Module:
    """Check every function of the module; gives the module back, so that passes can be chained."""
    for name, function in module.functions.items():
        if name != function.name:
            raise InvalidIR(f"{function.name} is filed under {name}")
        _Checker(module, function).check()
    return module


class _Checker:
    def __init__(self, module: Module, function: Function) -> None:
        self.module = module
        self.function = function
        self.assigned: set[Value] = set()

    def check(self) -> None:
        function = self.function
        scope: set[Value] = set()
        self.define(function.params, scope, "parameters")
        self.arity(function.body.params, 0, "the body's parameters")
        self.region(function.body, scope, None)
        for index, position in function.mutates:
            if not 0 <= index < len(function.params):
                self.fail(f"mutates parameter {index}, which does not exist")
            if not 0 <= position < len(function.body.yields):
                self.fail(f"mutates refers to yield {position}, which does not exist")

    def fail(self, message: str) -> None:
        raise InvalidIR(f"{self.function.name}: {message}")

    def define(self, values: Sequence[Value], scope: set[Value], what: str) -> None:
        for value in values:
            if not isinstance(value, Value):
                self.fail(f"{what}: {value!r} is not a value")
            if value in self.assigned:
                self.fail(f"{what}: {value.name or 'a value'} is assigned twice")
            if not isinstance(value.kind, Kind):
                self.fail(f"{what}: {value.name or 'a value'} has no kind")
            self.assigned.add(value)
            scope.add(value)

    def use(self, atoms: Sequence[Atom], scope: set[Value], what: str) -> None:
        for atom in atoms:
            if isinstance(atom, Const):
                continue
            if not isinstance(atom, Value):
                self.fail(f"{what}: {atom!r} is not an atom")
            if atom not in scope:
                known = "is out of scope" if atom in self.assigned else "is not assigned yet"
                self.fail(f"{what}: {atom.name or 'a value'} {known}")

    def arity(self, found: Sequence[object], wanted: int, what: str) -> None:
        if len(found) != wanted:
            self.fail(f"{what}: {len(found)} where {wanted} are wanted")

    def region(self, region: Region, outer: set[Value], wanted: int | None) -> None:
        scope = set(outer)
        self.define(region.params, scope, "region parameters")
        for node in region.ops:
            self.node(node, scope)
        self.use(region.yields, scope, "yields")
        if wanted is not None:
            self.arity(region.yields, wanted, "yields")

    def node(self, node: Node, scope: set[Value]) -> None:
        what = node.fn if isinstance(node, Op) else type(node).__name__
        self.use(operands_of(node), scope, what)
        match node:
            case Op():
                if not has_primitive(node.fn):
                    self.fail(f"no primitive {node.fn!r}")
                writes = primitive(node.fn).writes
                if writes is not None and not (writes < len(node.args) and node.results):
                    self.fail(f"{what}: nothing to write to")
            case Call():
                callee = self.module.functions.get(node.callee)
                if callee is None:
                    self.fail(f"no function {node.callee!r}")
                else:
                    self.arity(node.args, len(callee.params), f"arguments of {node.callee}")
                    self.arity(node.results, len(callee.body.yields), f"results of {node.callee}")
            case If():
                for arm in (node.then, node.orelse):
                    self.arity(arm.params, 0, "parameters of an arm")
                    self.region(arm, scope, len(node.results))
            case For():
                self.arity(node.results, len(node.init), "loop results")
                self.arity(node.body.params, len(node.init) + 1, "loop parameters")
                self.region(node.body, scope, len(node.init) + 1)
            case While():
                self.arity(node.results, len(node.init), "loop results")
                self.arity(node.test.params, len(node.init), "test parameters")
                self.arity(node.body.params, len(node.init), "loop parameters")
                self.region(node.test, scope, 1)
                self.region(node.body, scope, len(node.init) + 1)
                for inner in walk(node.test):
                    if isinstance(inner, Op) and primitive(inner.fn).effect != "pure":
                        self.fail(f"{inner.fn} has an effect inside a loop's test")
        self.define(node.results, scope, what)
