"""Patterns by propagation: which elements of the input each element of a value depends on.

In: the SSA of a function, its arguments, and what is differentiated. Out: a Boolean CSR matrix
with a row for each element of the output and a column for each element of the input. The program
runs once, on the path these arguments take; beside every value go the sets of input elements it
may depend on. A set may be too large, never too small: what no rule knows depends on everything
that goes in (Griewank and Walther, Evaluating Derivatives, 2008, section 7.1).

    y = x[1:] - x[:-1]    ->    row k: {k, k + 1}
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..errors import Problem, UnsupportedError
from ..ir.interp import leaf_count
from ..ir.nodes import (
    UNDEFINED,
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
)
from ..ir.tree import is_differentiable
from ..rules.registry import primitive
from .sets import Deps, Sets

__all__ = ["detect"]


def detect(
    module: Module, given: Sequence[Any], targets: Sequence[tuple[int, int | str | None]]
) -> tuple[Any, list[tuple[int, ...]]]:
    """The pattern of the Jacobian at these arguments, and the shapes of the output's leaves.

    Raises UnsupportedError where the function draws random numbers: it cannot be run on the side.
    """
    run = _Run(module)
    function = module.entry
    deps = run.seeded(given, targets)
    leaves = run.call(function, list(zip(given, deps, strict=True)))
    rows: list[Any] = []
    shapes: list[tuple[int, ...]] = []
    for value, dep in leaves[: leaf_count(function.out)]:
        for part, inner in run.sets.leaves(value, dep):
            rows.append(run.sets.matrix(inner, np.size(part)))
            shapes.append(np.shape(part))
    return run.sets.stacked(rows), shapes


Pair = tuple[Any, Deps]


class _Run:
    """The reference interpreter, with sets beside values."""

    def __init__(self, module: Module) -> None:
        self.module = module
        self.sets = Sets(0)

    def seeded(
        self, given: Sequence[Any], targets: Sequence[tuple[int, int | str | None]]
    ) -> list[Deps]:
        """The sets of the arguments: every element that is differentiated depends on itself."""
        count = 0
        wanted: dict[int, dict[Any, Any]] = {}
        for parameter, key in targets:
            value = given[parameter] if key is None else given[parameter][key]
            found, count = _numbered(value, count)
            wanted.setdefault(parameter, {})[key] = found
        self.sets = Sets(count)
        deps: list[Deps] = [None] * len(given)
        for parameter, parts in wanted.items():
            if None in parts:
                deps[parameter] = self.sets.from_numbers(parts[None])
                continue
            whole = self.sets.opened(given[parameter], None)
            for key, numbers in parts.items():
                whole[key] = self.sets.from_numbers(numbers)
            deps[parameter] = whole
        return deps

    def call(self, function: Function, pairs: Sequence[Pair]) -> list[Pair]:
        return self.region(function.body, dict(zip(function.params, pairs, strict=True)))

    def region(self, region: Region, env: dict[Value, Pair]) -> list[Pair]:
        for node in region.ops:
            self.node(node, env)
        return [_atom(a, env) for a in region.yields]

    def node(self, node: Node, env: dict[Value, Pair]) -> None:
        results: list[Pair]
        match node:
            case Op():
                results = self.op(node, [_atom(a, env) for a in node.args])
            case Call():
                args = [_atom(a, env) for a in node.args]
                results = self.call(self.module.functions[node.callee], args)
            case If():
                arm = node.then if _atom(node.cond, env)[0] else node.orelse
                results = self.region(arm, env)
            case For():
                bounds = [_atom(a, env)[0] for a in (node.start, node.stop, node.step)]
                results = [_atom(a, env) for a in node.init]
                for i in range(*bounds):
                    env.update(zip(node.body.params, [(i, None), *results], strict=True))
                    leave, *results = self.region(node.body, env)
                    if leave[0] is not UNDEFINED.value and leave[0]:
                        break
            case While():
                results = [_atom(a, env) for a in node.init]
                while True:
                    env.update(zip(node.test.params, results, strict=True))
                    if not self.region(node.test, env)[0][0]:
                        break
                    env.update(zip(node.body.params, results, strict=True))
                    leave, *results = self.region(node.body, env)
                    if leave[0] is not UNDEFINED.value and leave[0]:
                        break
        env.update(zip(node.results, results, strict=True))

    def op(self, node: Op, args: Sequence[Pair]) -> list[Pair]:
        record = primitive(node.fn)
        if record.effect == "draws":
            raise UnsupportedError(
                Problem(
                    "the pattern of a function that draws random numbers cannot be found",
                    node.span,
                    "give it: sparse_jacobian(f, pattern=...)",
                )
            )
        if record.effect == "prints":
            return []
        values = [value for value, _ in args]
        out = record.fun(*values, **node.attrs)
        results = [out] if len(node.results) == 1 else list(out) if node.results else []
        deps = [dep for _, dep in args]
        if record.zero or all(map(self.sets.is_empty, deps)):
            return [(r, None) for r in results]
        made = self.sets.of_op(node.fn, values, deps, node.attrs, results)
        return list(zip(results, made, strict=True))


def _atom(atom: Atom, env: dict[Value, Pair]) -> Pair:
    return (atom.value, None) if isinstance(atom, Const) else env[atom]


def _numbered(value: Any, count: int) -> tuple[Any, int]:
    """The tree of an argument with the numbers of its elements in the place of its leaves."""
    if is_differentiable(value):
        size = np.size(value)
        return np.arange(count, count + size).reshape(np.shape(value)), count + size
    if isinstance(value, dict):
        keys, parts = list(value), list(value.values())
    elif isinstance(value, tuple | list):
        keys, parts = [], list(value)
    elif hasattr(value, "__dataclass_fields__") and not isinstance(value, type):
        keys = list(value.__dataclass_fields__)
        parts = [getattr(value, key) for key in keys]
    else:
        return None, count
    made = []
    for part in parts:
        found, count = _numbered(part, count)
        made.append(found)
    return (dict(zip(keys, made, strict=True)) if keys else type_of(value)(made)), count


def type_of(value: Any) -> Any:
    """List or tuple, as the value is."""
    return list if isinstance(value, list) else tuple
