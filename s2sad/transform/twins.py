"""Twins: what a tape may hold where the user's variable may be unassigned.

In: a forward value that has to be saved. Out: a value that exists on every path. A variable that
only one arm of a branch assigns has no value on the other path; the user's variable stays so, but
its *twin*, a further result of the same branch or loop, is a placeholder there.

    z = if c: yield z1 else: yield undef   ->   z, z' = if c: yield z1, z1 else: yield undef, 0.0
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ..ir.kinds import Kind, Num
from ..ir.nodes import UNDEFINED, Atom, Const, For, If, Node, Region, Value, While

if TYPE_CHECKING:
    from .reverse import Reverse


def placeholder(kind: Kind) -> Const:
    """Stands on a tape for a value that was not computed."""
    match kind:
        case Num(dtype="bool"):
            return Const.of(False)
        case Num() if kind.dtype[0] in "iu":
            return Const.of(0)
        case Num():
            return Const.of(0.0)
        case _:
            return Const.of(None)


class Twins:
    """Makes twins on demand and adds them to the forward nodes when those are rebuilt."""

    def __init__(self, reverse: Reverse) -> None:
        self._reverse = reverse
        self._twin: dict[Value, Value] = {}
        self._branch: dict[Node, list[tuple[Value, Atom, Atom]]] = {}
        #: per loop: result, init, parameter, what the body yields
        self._loop: dict[Node, list[tuple[Value, Atom, Value, Atom]]] = {}
        self._owner: dict[Value, tuple[For | While, int]] = {}
        #: the user's node behind a rewritten one
        self.stands_for: dict[Node, Node] = {}

    def own(self, loop: For | While) -> None:
        """Remember whose the parameters of a loop body are."""
        params = loop.body.params[1:] if isinstance(loop, For) else loop.body.params
        for k, p in enumerate(params):
            self._owner[p] = (loop, k)

    def defined(self, value: Value) -> Value:
        """``value`` itself if it exists on every path, otherwise its twin."""
        if value in self._twin:
            return self._twin[value]
        if not self._may_lack(value, set()):
            return value
        rev = self._reverse
        if value in self._owner:
            loop, k = self._owner[value]
            self._carry(loop, k)
            return self._twin[value]
        node = rev.producer[value]
        if isinstance(node, For | While):
            self._carry(node, node.results.index(value))
            return self._twin[value]
        assert isinstance(node, If)
        k = node.results.index(value)
        twin = self._new(value)
        then, orelse = (self._atom(arm.yields[k], value.kind) for arm in (node.then, node.orelse))
        self._branch.setdefault(node, []).append((twin, then, orelse))
        return twin

    def may_lack(self, value: Value) -> bool:
        """Whether ``value`` is unassigned on some path."""
        return self._may_lack(value, set())

    def _new(self, value: Value) -> Value:
        twin = Value(value.kind, value.name)
        self._twin[value] = twin
        self._reverse.scope[twin] = self._reverse.scope[value]
        return twin

    def _atom(self, atom: Atom, kind: Kind) -> Atom:
        if atom is UNDEFINED:
            return placeholder(kind)
        return self.defined(atom) if isinstance(atom, Value) else atom

    def _carry(self, loop: For | While, k: int) -> None:
        params = loop.body.params[1:] if isinstance(loop, For) else loop.body.params
        result, param = self._new(loop.results[k]), self._new(params[k])
        init = self._atom(loop.init[k], param.kind)
        last = self._atom(loop.body.yields[k + 1], param.kind)
        self._loop.setdefault(loop, []).append((result, init, param, last))

    def _may_lack(self, value: Value, seen: set[Value]) -> bool:
        """Whether ``value`` is unassigned on some path."""
        if value in seen or value in self._reverse.assigned:
            return False
        seen.add(value)
        if value in self._owner:
            loop, k = self._owner[value]
            sources = [loop.init[k], loop.body.yields[k + 1]]
        else:
            node = self._reverse.producer.get(value)
            match node:
                case If():
                    k = node.results.index(value)
                    sources = [node.then.yields[k], node.orelse.yields[k]]
                case For() | While():
                    k = node.results.index(value)
                    sources = [node.init[k], node.body.yields[k + 1]]
                case _:
                    return False
        return any(
            a is UNDEFINED or isinstance(a, Value) and self._may_lack(a, seen) for a in sources
        )

    def weave(self, nodes: tuple[Node, ...]) -> tuple[Node, ...]:
        """The forward nodes with the twins asked for, in inner regions too."""
        if not self._twin:
            return nodes
        for original, made in self._reverse.rewritten.items():
            self.stands_for[made[-1]] = original
        return self._weave(nodes)

    def _weave(self, nodes: tuple[Node, ...]) -> tuple[Node, ...]:
        return tuple(self._apply(self.stands_for.get(n, n), self._inside(n)) for n in nodes)

    def _inside(self, node: Node) -> Node:
        match node:
            case If():
                return replace(
                    node,
                    then=replace(node.then, ops=self._weave(node.then.ops)),
                    orelse=replace(node.orelse, ops=self._weave(node.orelse.ops)),
                )
            case For() | While():
                return replace(node, body=replace(node.body, ops=self._weave(node.body.ops)))
            case _:
                return node

    def _apply(self, original: Node, node: Node) -> Node:
        if isinstance(node, If) and (branch := self._branch.get(original)):
            then = Region((), node.then.ops, (*node.then.yields, *(a for _, a, _ in branch)))
            orelse = Region((), node.orelse.ops, (*node.orelse.yields, *(b for *_, b in branch)))
            return If(
                (*node.results, *(t for t, _, _ in branch)), node.cond, then, orelse, node.span
            )
        if not isinstance(node, For | While) or not (carried := self._loop.get(original)):
            return node
        body = Region(
            (*node.body.params, *(p for _, _, p, _ in carried)),
            node.body.ops,
            (*node.body.yields, *(y for *_, y in carried)),
        )
        results = (*node.results, *(r for r, *_ in carried))
        init = (*node.init, *(i for _, i, _, _ in carried))
        if isinstance(node, For):
            return For(results, node.start, node.stop, node.step, init, body, node.span)
        params = (*node.test.params, *(Value(p.kind, p.name) for _, _, p, _ in carried))
        test = Region(params, node.test.ops, node.test.yields)
        return While(results, init, test, body, node.span)
