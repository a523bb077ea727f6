"""Marks: operations that only tell a transform something are gone when text is written.

In: a module. Out: the same one without them; what read a mark reads what was marked.

    stop2 = checkpointed(stop, 8); for t in range(stop2)   ->   for t in range(stop)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ..ir.nodes import Atom, For, If, Module, Node, Op, Region, Value, While, walk
from ..ir.rewrite import resolve, substitute

__all__ = ["without_marks"]

MARKS = frozenset({"checkpointed", "stop_gradient"})


def without_marks(module: Module) -> Module:
    """The module without marks."""
    functions = {}
    for name, f in module.functions.items():
        marked = any(isinstance(n, Op) and n.fn in MARKS for n in walk(f.body))
        functions[name] = replace(f, body=_region(f.body, {})) if marked else f
    return Module(functions)


def _region(region: Region, known: dict[Value, Atom]) -> Region:
    ops = _nodes(region.ops, known)
    return Region(region.params, ops, resolve(region.yields, known))


def _nodes(nodes: Sequence[Node], known: dict[Value, Atom]) -> tuple[Node, ...]:
    kept: list[Node] = []
    for node in nodes:
        (new,) = substitute([node], known)
        match new:
            case Op() if new.fn in MARKS:
                known[new.results[0]] = new.args[0]
                continue
            case If():
                new = replace(
                    new, then=_region(new.then, known), orelse=_region(new.orelse, known)
                )
            case For():
                new = replace(new, body=_region(new.body, known))
            case While():
                new = replace(new, test=_region(new.test, known), body=_region(new.body, known))
        kept.append(new)
    return tuple(kept)
