"""Mapping: the one walk by which passes copy nodes.

In: nodes, regions, and what some values have become. Out: the same nodes in the same order, whose
operands are what those values have become. A pass says what differs, by overriding the method for
it: which results get new values (`Mapper.value`), what an op becomes (`Mapper.op`), what becomes
of a branch or a loop::

    class WithoutCopies(Mapper):              y = copy x
        def op(self, op):                     z = add y y
            if op.fn != "copy":
                return super().op(op)                 ->
            self.known[op.results[0]] = self.atom(op.args[0])
            return ()                         z = add x x
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from .nodes import Atom, Call, For, If, Node, Op, Region, Value, While

__all__ = ["Mapper", "carrying", "map_nodes", "map_regions", "with_nodes", "yielding"]


class Mapper:
    """Copies nodes in program order; ``known`` says what values have become.

    As it stands, results keep their identity, so that facts about them stay valid, and an op that
    nothing is known about is returned itself.
    """

    def __init__(self, known: dict[Value, Atom] | None = None) -> None:
        self.known: dict[Value, Atom] = {} if known is None else known

    # -- values -----------------------------------------------------------------------------------

    def atom(self, atom: Atom) -> Atom:
        """What an operand has become."""
        return self.known.get(atom, atom) if isinstance(atom, Value) else atom

    def atoms(self, atoms: Iterable[Atom]) -> tuple[Atom, ...]:
        """What the operands of a node or the yields of a region have become."""
        known = self.known
        return tuple([known.get(a, a) if isinstance(a, Value) else a for a in atoms])

    def value(self, value: Value) -> Value:
        """What is defined in the place of a result or a parameter: itself."""
        return value

    def values(self, values: Iterable[Value]) -> tuple[Value, ...]:
        """What is defined in the place of all the results or parameters."""
        return tuple(map(self.value, values))

    # -- regions and nodes ------------------------------------------------------------------------

    def region(self, region: Region) -> Region:
        """The region, copied."""
        params = self.values(region.params)
        nodes = self.nodes(region.ops)
        return Region(params, nodes, self.atoms(region.yields))

    def nodes(self, nodes: Iterable[Node]) -> tuple[Node, ...]:
        """The nodes of a region, copied."""
        made: list[Node] = []
        for node in nodes:
            made += self.node(node)
        return tuple(made)

    def node(self, node: Node) -> Sequence[Node]:
        """What stands in the place of one node; nothing where it is known what it computes."""
        match node:
            case Op():
                return self.op(node)
            case Call():
                return self.call(node)
            case If():
                return self.branch(node)
            case For() | While():
                return self.loop(node)

    def op(self, op: Op) -> Sequence[Node]:
        args, results = self.atoms(op.args), self.values(op.results)
        if args == op.args and results == op.results:
            return (op,)
        return (Op(results, op.fn, args, op.attrs, op.span),)

    def call(self, call: Call) -> Sequence[Node]:
        args = self.atoms(call.args)
        return (replace(call, args=args, results=self.values(call.results)),)

    def branch(self, node: If) -> Sequence[Node]:
        cond = self.atom(node.cond)
        then, orelse = self.region(node.then), self.region(node.orelse)
        return (If(self.values(node.results), cond, then, orelse, node.span),)

    def loop(self, node: For | While) -> Sequence[Node]:
        if isinstance(node, While):
            init = self.atoms(node.init)
            test, body = self.region(node.test), self.region(node.body)
            return (While(self.values(node.results), init, test, body, node.span),)
        start, stop, step = self.atoms((node.start, node.stop, node.step))
        init, body = self.atoms(node.init), self.region(node.body)
        results = self.values(node.results)
        return (For(results, start, stop, step, init, body, node.span),)


def map_regions(node: Node, change: Callable[[Region], Region]) -> Node:
    """The node around what ``change`` makes of its regions; itself where it changes none."""
    match node:
        case If():
            then, orelse = change(node.then), change(node.orelse)
            if then is node.then and orelse is node.orelse:
                return node
            return replace(node, then=then, orelse=orelse)
        case For():
            body = change(node.body)
            return node if body is node.body else replace(node, body=body)
        case While():
            test, body = change(node.test), change(node.body)
            if test is node.test and body is node.body:
                return node
            return replace(node, test=test, body=body)
        case _:
            return node


def map_nodes(region: Region, change: Callable[[Node], Sequence[Node]]) -> Region:
    """The region with what ``change`` makes of each node, the nodes inside it first."""

    def inside(inner: Region) -> Region:
        return map_nodes(inner, change)

    nodes = [new for node in region.ops for new in change(map_regions(node, inside))]
    return with_nodes(region, nodes)


def with_nodes(region: Region, nodes: Sequence[Node]) -> Region:
    """The region with other nodes; itself where they are its own."""
    if len(nodes) == len(region.ops) and all(map(operator.is_, nodes, region.ops)):
        return region
    return Region(region.params, tuple(nodes), region.yields)


def yielding(node: If, positions: Sequence[int]) -> If:
    """The branch with no results but those in ``positions``."""
    then, orelse = (
        Region((), arm.ops, tuple(arm.yields[n] for n in positions))
        for arm in (node.then, node.orelse)
    )
    return If(tuple(node.results[n] for n in positions), node.cond, then, orelse, node.span)


def carrying(node: For | While, positions: Sequence[int]) -> For | While:
    """The loop with no carried values but those in ``positions``."""
    first = 1 if isinstance(node, For) else 0
    params, yields = node.body.params, node.body.yields
    body = Region(
        (*params[:first], *(params[n + first] for n in positions)),
        node.body.ops,
        (yields[0], *(yields[n + 1] for n in positions)),
    )
    results = tuple(node.results[n] for n in positions)
    init = tuple(node.init[n] for n in positions)
    if isinstance(node, For):
        return replace(node, results=results, init=init, body=body)
    test = replace(node.test, params=tuple(node.test.params[n] for n in positions))
    return replace(node, results=results, init=init, test=test, body=body)
