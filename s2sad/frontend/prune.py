"""Pruning: what lowering made and nothing needs.

In: a region. Out: the region without pure nodes whose results are unused, without results of
branches and loops that are unused, and without carried values that never change.

    for i in range(n), t = undef, s = 0.0:      for i in range(n), s = 0.0:
        t' = item x i                               t' = item x i
        yield (False, t', add s t')                 yield (False, add s t')
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from ..ir.kinds import BOOL
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


class _Invariant:
    """Carried values that every iteration yields unchanged are what they were before the loop."""

    def __init__(self) -> None:
        self.mapping: dict[Value, Atom] = {}

    def region(self, r: Region) -> Region:
        ops = tuple(self.node(n) for n in r.ops)
        return Region(r.params, ops, self.atoms(r.yields))

    def atoms(self, atoms: Sequence[Atom]) -> tuple[Atom, ...]:
        out = []
        for a in atoms:
            while isinstance(a, Value) and a in self.mapping:
                a = self.mapping[a]
            out.append(a)
        return tuple(out)

    def node(self, node: Node) -> Node:
        match node:
            case Op():
                args = self.atoms(node.args)
                if all(a is b for a, b in zip(args, node.args, strict=True)):
                    return node
                return replace(node, args=args)
            case Call():
                return replace(node, args=self.atoms(node.args))
            case If():
                (cond,) = self.atoms((node.cond,))
                then, orelse = self.region(node.then), self.region(node.orelse)
                keep = []
                flags: dict[tuple[Any, Any], Value] = {}
                for n, r in enumerate(node.results):
                    a, b = then.yields[n], orelse.yields[n]
                    if a is b and isinstance(a, Value) and a.kind == r.kind:
                        self.mapping[r] = a
                        continue
                    if isinstance(a, Const) and isinstance(b, Const) and r.kind == BOOL:
                        same = flags.setdefault((a.value, b.value), r)
                        if same is not r:  # two flags set at one place
                            self.mapping[r] = same
                            continue
                    keep.append(n)
                if len(keep) < len(node.results):
                    then = Region((), then.ops, tuple(then.yields[n] for n in keep))
                    orelse = Region((), orelse.ops, tuple(orelse.yields[n] for n in keep))
                results = tuple(node.results[n] for n in keep)
                return replace(node, cond=cond, then=then, orelse=orelse, results=results)
            case For():
                start, stop, step = self.atoms((node.start, node.stop, node.step))
                node = replace(node, start=start, stop=stop, step=step, init=self.atoms(node.init))
                return self.loop(node, 1)
            case While():
                return self.loop(replace(node, init=self.atoms(node.init)), 0)

    def loop(self, node: For | While, first: int) -> For | While:
        params = node.body.params[first:]
        keep = []
        for n, (p, y) in enumerate(zip(params, node.body.yields[1:], strict=True)):
            init = node.init[n]
            if y is p and (isinstance(init, Value) and init.kind == p.kind):
                self.mapping[p] = init
                self.mapping[node.results[n]] = init
                if isinstance(node, While):
                    self.mapping[node.test.params[n]] = init
            else:
                keep.append(n)
        body = Region(
            (*node.body.params[:first], *(params[n] for n in keep)),
            node.body.ops,
            (node.body.yields[0], *(node.body.yields[n + 1] for n in keep)),
        )
        node = replace(
            node,
            init=tuple(node.init[n] for n in keep),
            results=tuple(node.results[n] for n in keep),
        )
        if isinstance(node, While):
            test = replace(node.test, params=tuple(node.test.params[n] for n in keep))
            node = replace(node, test=self.region(test))
        return replace(node, body=self.region(body))


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


class _Sweep:
    """Rebuilds regions with what is live."""

    def __init__(self, live: set[Value]) -> None:
        self.live = live

    def region(self, r: Region) -> Region:
        ops = [kept for n in r.ops if (kept := self.node(n)) is not None]
        return Region(r.params, tuple(ops), r.yields)

    def node(self, node: Node) -> Node | None:
        match node:
            case Op():
                pure = primitive(node.fn).effect == "pure"
                return None if pure and not any(r in self.live for r in node.results) else node
            case Call():
                return node
            case If():
                keep = [n for n, r in enumerate(node.results) if r in self.live]
                then, orelse = (
                    self.region(Region((), r.ops, tuple(r.yields[n] for n in keep)))
                    for r in (node.then, node.orelse)
                )
                if not keep and not then.ops and not orelse.ops:
                    return None
                results = tuple(node.results[n] for n in keep)
                return replace(node, results=results, then=then, orelse=orelse)
            case For() | While():
                return self.loop(node)

    def loop(self, node: For | While) -> Node | None:
        first = 1 if isinstance(node, For) else 0
        params = node.body.params[first:]
        tests = node.test.params if isinstance(node, While) else params
        keep = [
            n
            for n, (r, p, t) in enumerate(zip(node.results, params, tests, strict=True))
            if r in self.live or p in self.live or t in self.live
        ]
        body = self.region(
            Region(
                (*node.body.params[:first], *(params[n] for n in keep)),
                node.body.ops,
                (node.body.yields[0], *(node.body.yields[n + 1] for n in keep)),
            )
        )
        if isinstance(node, For) and not keep and not body.ops:
            return None
        node = replace(
            node,
            results=tuple(node.results[n] for n in keep),
            init=tuple(node.init[n] for n in keep),
            body=body,
        )
        if isinstance(node, While):
            test = replace(node.test, params=tuple(node.test.params[n] for n in keep))
            node = replace(node, test=self.region(test))
        return node
