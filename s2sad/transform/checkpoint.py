"""The reverse of a checkpointed call: its body runs again, and is differentiated there.

In: a ``Call`` of a function marked ``Custom("checkpoint")``. Out: the same call in the forward
sweep, and in the reverse sweep a call of one function that runs the body and its adjoint. What is
saved is the arguments.

    y = call block(x, w)   ->   y = call block(x, w)
                                x_bar, w_bar = call block_reverse(x, w, y_bar, w_bar)

Such a function takes no saved values of unknown kind, so it can be differentiated once more, and
is a checkpoint again when it is.
"""

from __future__ import annotations

import types
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from ..errors import Problem, UnsupportedError
from ..ir.kinds import Array, Kind, ListOf, Mixed
from ..ir.mapping import map_regions, with_nodes
from ..ir.nodes import (
    Atom,
    Call,
    Const,
    Custom,
    For,
    Function,
    If,
    Module,
    Node,
    Op,
    Region,
    Value,
    While,
    free_values,
    walk,
)
from ..rules.registry import primitive
from .adjoints import Env, accumulators, adjoint_kind, bar, reversed_span
from .results import in_a_row
from .reverse import Reverse
from .simplify import simplify

CHECKPOINT = Custom("checkpoint")

#: Of a callee: parameters differentiated, results seeded, parameters with an accumulator.
Pattern: TypeAlias = tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]


@dataclass(slots=True)
class Again:
    """The function that runs a callee again and reverses it, for one use pattern.

    ``uses`` are the parameters of the callee it takes; then come the cotangents of the seeded
    results and the adjoints of the parameters ``accumulated``. It returns the adjoints of the
    parameters ``active``. ``uses`` is None while it is built.
    """

    name: str
    active: tuple[int, ...]
    accumulated: tuple[int, ...]
    kinds: tuple[Kind, ...]
    uses: tuple[int, ...] | None = None
    recursive: bool = False


def reverse_checkpoint(rev: Reverse, node: Call, env: Env) -> None:
    """Append the call that runs the callee again and reverses it."""
    callee = rev.module.functions[node.callee]
    seeded = tuple(n for n, r in enumerate(node.results) if r in env)
    active = tuple(n for n, a in enumerate(node.args) if a in rev.active)
    gs: list[Atom] = []
    for n in seeded:
        g = rev.take(env, node.results[n])
        assert g is not None
        gs.append(g)
    if not active:
        return
    written = {p for p, _ in callee.mutates}
    taken: dict[Atom, int] = {}
    for n in active:
        arg = node.args[n]
        if isinstance(arg.kind, Array | ListOf | Mixed) and n not in written and arg in env:
            taken.setdefault(arg, n)
    found = again(rev, callee, (active, seeded, tuple(taken.values())), node)
    uses = range(len(node.args)) if found.uses is None else found.uses
    taken = {arg: n for arg, n in taken.items() if n in found.accumulated}
    buffers = [rev.whole(arg, env[arg]) for arg in taken if isinstance(arg, Value)]
    results = tuple(
        Value(kind, bar(getattr(node.args[n], "name", None)))
        for n, kind in zip(found.active, found.kinds, strict=True)
    )
    args = (*(node.args[n] for n in uses), *gs, *buffers)
    rev.builder.append(Call(results, found.name, args, reversed_span(node.span)))
    for n, r in zip(found.active, results, strict=True):
        arg = node.args[n]
        assert isinstance(arg, Value)
        if taken.get(arg) == n:
            env[arg] = r
        else:
            rev.contribute(env, arg, r)


def again(rev: Reverse, callee: Function, pattern: Pattern, node: Call) -> Again:
    """The function for this use pattern, made on first demand."""
    active, seeded, accumulated = pattern
    key = (callee.name, pattern)
    known = rev.again.get(key)
    if known is not None:
        known.recursive = known.recursive or known.uses is None
        return known
    _refuse_draws(rev.module, callee, node)
    sub = rev.of_callee(callee, active, seeded, packs=False)
    kinds = tuple(adjoint_kind(callee.params[n].kind, sub.weak) for n in active)
    made = Again(rev.unused(f"{callee.name}_reverse"), active, accumulated, kinds)
    rev.again[key] = made
    _build(sub, callee, made, seeded)
    return made


def _build(sub: Reverse, callee: Function, again: Again, seeded: tuple[int, ...]) -> None:
    b = sub.builder
    env: Env = {}
    gs = [
        Value(adjoint_kind(y.kind, sub.weak), bar(getattr(y, "name", None)) or "g")
        for y in (callee.body.yields[n] for n in seeded)
    ]
    buffers = accumulators(callee, again.accumulated, env)
    with b.region() as nodes:
        for n, g in zip(seeded, gs, strict=True):
            sub.contribute(env, callee.body.yields[n], g)
        sub.region(callee.body.ops, env)
        b.span = None
        ends: list[Atom] = []
        reached: list[int] = []
        for n in again.active:
            p = callee.params[n]
            if not again.recursive and (p not in env or env[p] in buffers):
                continue  # it was said to be active, but nothing of it reaches a result
            end = sub.take(env, p)
            ends.append(sub.zero(p) if end is None else end)
            reached.append(n)
    if not again.recursive:
        again.kinds = tuple(again.kinds[again.active.index(n)] for n in reached)
        again.active = tuple(reached)
        gone = [n for n in again.accumulated if n not in reached]
        buffers = [q for n, q in zip(again.accumulated, buffers, strict=True) if n not in gone]
        again.accumulated = tuple(n for n in again.accumulated if n not in gone)
    body = Region((), (*silent(sub.forward()), *nodes), tuple(ends))
    params = (*callee.params, *gs, *buffers)
    function = Function(again.name, params, body, in_a_row(len(ends)), (), None, CHECKPOINT)
    unfinished = (made.name for made in sub.again.values() if made.uses is None)
    known = {name: Function(name, (), Region((), (), ())) for name in unfinished}
    known.update({**sub.module.functions, **sub.extra_functions})
    known.pop(again.name, None)
    function = simplify(Module({again.name: function, **known})).entry
    read = free_values(function.body)
    every = range(len(callee.params))
    again.uses = tuple(n for n in every if again.recursive or callee.params[n] in read)
    params = (*(callee.params[n] for n in again.uses), *gs, *buffers)
    consumed = _consumed(function.body, [*buffers, *gs], {**known, again.name: function})
    sub.extra_functions[again.name] = replace(
        function,
        params=params,
        mutates=tuple((params.index(p), k) for p, k in consumed),
    )


def _consumed(
    body: Region, given: Sequence[Value], functions: Mapping[str, Function]
) -> list[tuple[Value, int]]:
    """Adjoints that come in and leave as a new version of themselves: written in place."""
    origin = versions(body, functions)
    found: list[tuple[Value, int]] = []
    for k, end in enumerate(body.yields):
        first = origin.get(end) if isinstance(end, Value) else None
        if first in given and first not in [p for p, _ in found]:
            assert first is not None
            found.append((first, k))
    return found


def versions(body: Region, functions: Mapping[str, Function]) -> dict[Value, Value]:
    """Every array or list that is a version of another, with the first of them.

    ``functions`` are those that are called.
    """
    first: dict[Value, Value] = {}

    def root(a: Atom) -> Value | None:
        if not isinstance(a, Value) or not isinstance(a.kind, Array | ListOf):
            return None
        return first.get(a, a)

    def visit(region: Region) -> None:
        for node in region.ops:
            match node:
                case Op():
                    target = primitive(node.fn).writes
                    if target is not None and (base := root(node.args[target])) is not None:
                        first[node.results[0]] = base
                case Call():
                    for j, k in functions[node.callee].mutates:
                        if (base := root(node.args[j])) is not None:
                            first[node.results[k]] = base
                case If():
                    visit(node.then)
                    visit(node.orelse)
                    for r, x, y in zip(
                        node.results, node.then.yields, node.orelse.yields, strict=True
                    ):
                        if (base := root(x)) is not None and base is root(y):
                            first[r] = base
                case For() | While():
                    params = node.body.params[1:] if isinstance(node, For) else node.body.params
                    visit(node.body)
                    for r, p, a, y in zip(
                        node.results, params, node.init, node.body.yields[1:], strict=True
                    ):
                        if root(y) is p and (base := root(a)) is not None:
                            first[r] = base

    visit(body)
    return first


def silent(nodes: Sequence[Node]) -> tuple[Node, ...]:
    """The nodes without what prints: the forward sweep has printed it."""

    def region(r: Region) -> Region:
        return with_nodes(r, silent(r.ops))

    return tuple(
        map_regions(node, region)
        for node in nodes
        if not isinstance(node, Op) or primitive(node.fn).effect != "prints"
    )


def _refuse_draws(module: Module, callee: Function, call: Call) -> None:
    """Random numbers would be drawn again, and be others; so may be what unknown code returns."""
    seen: set[str] = set()
    ahead = [callee]
    while ahead:
        function = ahead.pop()
        if function.name in seen:
            continue
        seen.add(function.name)
        for node in walk(function.body):
            if isinstance(node, Call):
                ahead.append(module.functions[node.callee])
            elif isinstance(node, Op) and (changing := _may_change(node)):
                raise UnsupportedError(
                    Problem(
                        f"{changing} in what a checkpoint runs again: it may be another value "
                        "then",
                        node.span or call.span,
                        "do that before, and pass the value as an argument",
                    )
                )


def _may_change(op: Op) -> str:
    """What about an operation need not be the same the second time; nothing where it must be."""
    if primitive(op.fn).effect == "draws":
        return "a random number is drawn"
    called = op.args[0].value if op.fn == "call" and isinstance(op.args[0], Const) else None
    if op.fn == "call" and not isinstance(called, types.BuiltinFunctionType | type):
        return f"'{getattr(called, '__name__', 'a function')}' is called"
    if called is not None and getattr(called, "__module__", None) != "builtins":
        return f"'{getattr(called, '__name__', 'a function')}' is called"
    return ""


__all__ = ["CHECKPOINT", "Again", "again", "reverse_checkpoint", "silent", "versions"]
