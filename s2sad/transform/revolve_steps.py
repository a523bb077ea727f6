"""The steps of checkpointed loops as functions.

In: a module in which the stop of a ``For`` is marked ``checkpointed(stop, k)``. Out: the same,
where the body of each such loop is one call of a function that is a checkpoint; and for a loop
and what its adjoint reads, the call that computes no more than that.

    for t in range(checkpointed(n, 8)): u = f(u, t)   ->   ...: u = call main_step(u, t)
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import TypeGuard

from ..ir.clone import clone
from ..ir.mapping import map_regions
from ..ir.nodes import (
    UNDEFINED,
    Atom,
    Call,
    For,
    Function,
    Module,
    Node,
    Op,
    Region,
    Value,
    free_values,
    walk,
)
from ..rules.registry import primitive
from .assigned import absent, assigned
from .checkpoint import CHECKPOINT, silent, versions
from .results import in_a_row
from .reverse import Reverse
from .simplify import simplify

MARK = "checkpointed"


def outline_steps(module: Module) -> Module:
    """The module in which the body of every marked loop is the call of a function."""
    if not any(is_mark(n) for f in module.functions.values() for n in walk(f.body)):
        return module
    module = simplify(module, keep=[n for n, f in module.functions.items() if f.custom])
    outliner = _Outliner(dict(module.functions))
    for name, f in module.functions.items():
        outliner.functions[name] = replace(f, body=outliner.region(f.body, f.name, {}))
    return Module(outliner.functions)


def is_mark(node: Node) -> TypeGuard[Op]:
    """Whether this marks a loop."""
    return isinstance(node, Op) and node.fn == MARK


class _Outliner:
    """Makes functions of loop bodies, inner ones first."""

    def __init__(self, functions: dict[str, Function]) -> None:
        self.functions = functions

    def region(self, region: Region, name: str, marks: dict[Value, Op]) -> Region:
        ops: list[Node] = []
        for node in region.ops:
            match node:
                case Op() if is_mark(node):
                    marks[node.results[0]] = node
                case For(stop=Value() as stop) if stop in marks:
                    step = self.unused(f"{name}_step")
                    self.functions[step] = _function(step, (), Region((), (), ()), (), {})
                    node = replace(node, body=self.region(node.body, step, marks))
                    node = self.loop(node, step, marks[stop])
                case _:
                    node = map_regions(node, lambda inner: self.region(inner, name, marks))
            ops.append(node)
        return Region(region.params, tuple(ops), region.yields)

    def loop(self, node: For, step: str, mark: Op) -> For:
        """The loop with its body as a call of ``step``; unmarked if there is nothing to call."""
        body = node.body
        made = {r for n in body.ops for r in n.results}
        outs = list(dict.fromkeys(y for y in body.yields if y in made))
        if not outs:
            del self.functions[step]
            return replace(node, stop=mark.args[0])
        free = list(free_values(Region(body.params, body.ops, tuple(outs))))
        used = set(free_values(Region((), body.ops, ())))
        given = [*(p for p in body.params if p in used), *free]
        params = tuple(Value(v.kind, v.name, v.hint) for v in given)
        ops, yields = clone(
            Region((), body.ops, tuple(outs)), dict(zip(given, params, strict=True))
        )
        inner = assigned(Region((), ops, yields))
        carried = {q for v, q in zip(given, params, strict=True) if v in body.params[1:]}
        self.functions[step] = _function(step, params, inner, carried, self.functions)
        results = tuple(Value(v.kind, v.name, v.hint) for v in outs if isinstance(v, Value))
        known: dict[Atom, Atom] = dict(zip(outs, results, strict=True))
        call = Call(results, step, tuple(given), node.span)
        ends = tuple(known.get(y, y) for y in body.yields)
        # What the first step assigns is an argument of the call all the same.
        init = tuple(
            absent(p.kind) if a is UNDEFINED else a
            for a, p in zip(node.init, body.params[1:], strict=True)
        )
        return replace(node, init=init, body=Region(body.params, (call,), ends))

    def unused(self, name: str) -> str:
        new, n = name, 1
        while new in self.functions:
            n += 1
            new = f"{name}_{n}"
        return new


def _function(
    name: str,
    params: tuple[Value, ...],
    body: Region,
    carried: Collection[Value],
    functions: Mapping[str, Function],
) -> Function:
    """A step; it may write what it is given of ``carried`` to make the next."""
    first, mutates, left = versions(body, functions), [], set(carried)
    for k, y in enumerate(body.yields):
        root = first.get(y) if isinstance(y, Value) else None
        if root in left:
            left.discard(root)
            mutates.append((params.index(root), k))
    out = in_a_row(len(body.yields))
    return Function(name, params, body, out, tuple(mutates), None, CHECKPOINT)


def advancing(
    rev: Reverse, node: For, needs: Sequence[Value]
) -> tuple[Call, tuple[Atom, ...], list[int]]:
    """The call that advances no more than has to be, what it leaves, and which places those are.

    A running sum or a list of results, which no adjoint reads, is neither computed again nor
    kept in the snapshots; what is printed is printed once.
    """
    (call,) = node.body.ops
    assert isinstance(call, Call)
    params, ends = node.body.params[1:], node.body.yields[1:]
    step = rev.module.functions[call.callee]
    given = dict(zip(call.args, step.params, strict=True))
    made = dict(zip(call.results, step.body.yields, strict=True))
    places = [k for k, p in enumerate(params) if p in needs]
    name = rev.unused("_advance".join(step.name.rsplit("_step", 1)))
    while True:
        wanted = list(dict.fromkeys(e for k in places if (e := ends[k]) in made))
        ops = silent(step.body.ops)
        body = Region((), ops, tuple(made[e] for e in wanted))
        known = {n: f for n, f in rev.module.functions.items() if n != step.name}
        advance = simplify(
            Module({name: _function(name, step.params, body, (), known), **known})
        ).entry
        read = free_values(advance.body)
        grown = [
            k
            for k, p in enumerate(params)
            if k in places or given.get(p) in read or any(p is ends[j] for j in places)
        ]
        if grown == places:
            break
        places = grown
    whole = len(wanted) == len(call.results) and not _prints(step.body)
    if whole or not places:
        return call, tuple(ends[k] for k in places), places
    args = tuple(a for a in call.args if given[a] in read)
    inner = tuple(given[a] for a in args)
    carried = [given[p] for p in params if p in args]
    rev.extra_functions[name] = _function(name, inner, advance.body, carried, known)
    results = tuple(Value(e.kind, e.name, e.hint) for e in wanted if isinstance(e, Value))
    known_as: dict[Atom, Atom] = dict(zip(wanted, results, strict=True))
    again = Call(results, name, args, node.span)
    return again, tuple(known_as.get(ends[k], ends[k]) for k in places), places


def _prints(region: Region) -> bool:
    return any(isinstance(n, Op) and primitive(n.fn).effect == "prints" for n in walk(region))


__all__ = ["advancing", "is_mark", "outline_steps"]
