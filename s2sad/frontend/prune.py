"""Pruning: what lowering made and nothing needs.

In: a region. Out: the region without pure nodes whose results are unused, without results of
branches and loops that are unused, and without carried values that never change.

    for i in range(n), t = undef, s = 0.0:      for i in range(n), s = 0.0:
        t' = item x i                               t' = item x i
        yield (False, t', add s t')                 yield (False, add s t')
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..ir.kinds import BOOL
from ..ir.mapping import Mapper, carrying, yielding
from ..ir.nodes import (
    Atom,
    Call,
    Const,
    For,
    If,
    Node,
    Op,
    Region,
    Value,
    While,
    operands_of,
    regions_of,
)
from ..rules.registry import primitive


def prune(body: Region) -> Region:
    """The region without what its yields and its effects do not need."""
    body = _Invariant().region(body)
    live = _live(body)
    return _Sweep(live).region(body)


class _Invariant(Mapper):
    """Carried values that every iteration yields unchanged are what they were before the loop."""

    def branch(self, node: If) -> Sequence[Node]:
        (new,) = super().branch(node)
        assert isinstance(new, If)
        keep = []
        flags: dict[tuple[Any, Any], Value] = {}
        for n, r in enumerate(new.results):
            a, b = new.then.yields[n], new.orelse.yields[n]
            if a is b and isinstance(a, Value) and a.kind == r.kind:
                self.known[r] = a
                continue
            if isinstance(a, Const) and isinstance(b, Const) and r.kind == BOOL:
                same = flags.setdefault((a.value, b.value), r)
                if same is not r:  # two flags set at one place
                    self.known[r] = same
                    continue
            keep.append(n)
        return (yielding(new, keep),)

    def loop(self, node: For | While) -> Sequence[Node]:
        params = node.body.params[1 if isinstance(node, For) else 0 :]
        keep = []
        for n, (p, y) in enumerate(zip(params, node.body.yields[1:], strict=True)):
            before = self.atom(node.init[n])
            if y is p and (isinstance(before, Value) and before.kind == p.kind):
                self.known[p] = self.known[node.results[n]] = before
                if isinstance(node, While):
                    self.known[node.test.params[n]] = before
            else:
                keep.append(n)
        return super().loop(carrying(node, keep))


def _live(body: Region) -> set[Value]:
    """Values that the yields of ``body`` or an effect need, through all regions."""
    live: set[Value] = set()
    todo: list[Atom] = list(body.yields)
    defined: dict[Value, Node] = {}
    #: what a result or parameter of a structured node stands for
    feeds: dict[Value, list[Atom]] = {}
    conditions: dict[Node, list[Atom]] = {}
    enclosing: dict[Node, Node | None] = {}
    effects: list[Node] = []

    def visit(region: Region, outer: Node | None) -> None:
        for node in region.ops:
            enclosing[node] = outer
            for r in node.results:
                defined[r] = node
            match node:
                case If():
                    for r, a, b in zip(
                        node.results, node.then.yields, node.orelse.yields, strict=True
                    ):
                        feeds[r] = [a, b]
                    conditions[node] = [node.cond]
                case For() | While():
                    first = 1 if isinstance(node, For) else 0
                    params = node.body.params[first:]
                    for n, (r, p) in enumerate(zip(node.results, params, strict=True)):
                        feeds[r] = feeds[p] = [node.init[n], node.body.yields[n + 1]]
                        defined[p] = node
                        if isinstance(node, While):
                            feeds[node.test.params[n]] = feeds[p]
                            defined[node.test.params[n]] = node
                    if isinstance(node, For):
                        conditions[node] = [node.start, node.stop, node.step, node.body.yields[0]]
                        defined[node.body.params[0]] = node
                    else:
                        conditions[node] = [*node.test.yields, node.body.yields[0]]
                        effects.append(node)  # it may never end
                case Op() if primitive(node.fn).effect != "pure":
                    effects.append(node)
                case Call():
                    effects.append(node)
            for inner in regions_of(node):
                visit(inner, node)

    visit(body, None)
    needed: set[Node] = set()

    def need(node: Node | None) -> None:
        while node is not None and node not in needed:
            needed.add(node)
            if node in conditions:
                todo.extend(conditions[node])
            else:
                todo.extend(operands_of(node))
            node = enclosing[node]

    for node in effects:
        need(node)
    while todo:
        atom = todo.pop()
        if not isinstance(atom, Value) or atom in live:
            continue
        live.add(atom)
        if atom in feeds:
            todo.extend(feeds[atom])
        if atom in defined:
            need(defined[atom])
    return live


class _Sweep(Mapper):
    """Rebuilds regions with what is live."""

    def __init__(self, live: set[Value]) -> None:
        super().__init__()
        self.live = live

    def op(self, op: Op) -> Sequence[Node]:
        pure = primitive(op.fn).effect == "pure"
        return () if pure and not any(r in self.live for r in op.results) else (op,)

    def branch(self, node: If) -> Sequence[Node]:
        keep = [n for n, r in enumerate(node.results) if r in self.live]
        (new,) = super().branch(yielding(node, keep))
        empty = not keep and not any(r.ops for r in regions_of(new))
        return () if empty else (new,)

    def loop(self, node: For | While) -> Sequence[Node]:
        params = node.body.params[1 if isinstance(node, For) else 0 :]
        tests = node.test.params if isinstance(node, While) else params
        keep = [
            n
            for n, (r, p, t) in enumerate(zip(node.results, params, tests, strict=True))
            if r in self.live or p in self.live or t in self.live
        ]
        (new,) = super().loop(carrying(node, keep))
        empty = isinstance(new, For) and not keep and not new.body.ops
        return () if empty else (new,)
