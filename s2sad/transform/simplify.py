"""Simplification: what nobody needs goes, what does not change in a loop leaves it.

In: a function. Out: the same function without dead pure operations, dead loop-carried values,
dead results of branches, and without carried values that every iteration hands on unchanged.

    for i, (s, t) in ...: yield (s, t + 1)   ->   s is used from outside the loop, t is dropped

Effects (draws, prints, raises) are never dropped, duplicated or reordered.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ..ir.mapping import Mapper, carrying, yielding
from ..ir.nodes import (
    Call,
    For,
    Function,
    If,
    Module,
    Node,
    Region,
    While,
    walk,
)
from .dead_code import has_effect, needed
from .delay import delay
from .share_parts import share_parts
from .signs import settle_signs
from .start import start_from_the_whole
from .uniform import unfold_uniform


def simplify(module: Module, keep: Sequence[str] = ()) -> Module:
    """Every function simplified; those that the entry and ``keep`` do not reach are dropped."""
    impure = _impure_functions(module)
    simple: dict[str, Function] = {}
    work = [module.entry.name, *keep]
    while work:
        name = work.pop(0)
        if name not in simple:
            simple[name] = _function(module.functions[name], impure)
            work.extend(n.callee for n in walk(simple[name].body) if isinstance(n, Call))
            custom = simple[name].custom
            work.extend(custom.functions if custom is not None else ())
    return Module(simple)


def _function(function: Function, impure: frozenset[str]) -> Function:
    body = settle_signs(unfold_uniform(share_parts(function.body)))
    body = _Hoist().region(body)
    kept = needed(body.ops, body.yields, lambda node: has_effect(node, impure))
    body = start_from_the_whole(Region((), tuple(kept), body.yields))
    return replace(function, body=delay(body))


# -- carried values that do not change ----------------------------------------------------------


class _Hoist(Mapper):
    """Branches without results that are the same in both arms, loops without such values."""

    def branch(self, node: If) -> Sequence[Node]:
        (new,) = super().branch(node)
        assert isinstance(new, If)
        differing: list[int] = []
        for k, (r, a, b) in enumerate(
            zip(new.results, new.then.yields, new.orelse.yields, strict=True)
        ):
            if a is b:
                self.known[r] = a
            else:
                differing.append(k)
        return (yielding(new, differing),)

    def loop(self, node: For | While) -> Sequence[Node]:
        first = 1 if isinstance(node, For) else 0
        carried = zip(node.body.params[first:], node.body.yields[1:], strict=True)
        changing: list[int] = []
        for k, (p, y) in enumerate(carried):
            if p is not y:
                changing.append(k)
                continue
            before = self.atom(node.init[k])
            self.known[p] = self.known[node.results[k]] = before
            if isinstance(node, While):
                self.known[node.test.params[k]] = before
        return super().loop(carrying(node, changing))


# -- effects --------------------------------------------------------------------------------------


def _impure_functions(module: Module) -> frozenset[str]:
    """Functions that have an effect, themselves or through what they call."""
    impure: frozenset[str] = frozenset()
    while True:
        found = frozenset(
            name
            for name, f in module.functions.items()
            if any(has_effect(n, impure) for n in f.body.ops)
        )
        if found == impure:
            return impure
        impure = found
