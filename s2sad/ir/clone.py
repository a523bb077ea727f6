"""Cloning: a second copy of a region, to be put in another place.

In: a region and what its free values become there. Out: nodes with results of their own (values
are compared by identity, and two copies must not be taken for one), and the atoms they yield.

    y = mul x x; yield y    with x: a    ->    y' = mul a a; yields y'
"""

from __future__ import annotations

from collections.abc import Mapping

from .nodes import Atom, Call, For, If, Node, Op, Region, Value, While

__all__ = ["clone"]


def clone(
    region: Region, mapping: Mapping[Value, Atom]
) -> tuple[tuple[Node, ...], tuple[Atom, ...]]:
    """The nodes of ``region`` with new results and mapped operands, and what they yield."""
    copier = _Copier(dict(mapping))
    nodes = tuple(map(copier.node, region.ops))
    return nodes, copier.atoms(region.yields)


class _Copier:
    """Copies nodes in program order; ``known`` says what every value has become."""

    def __init__(self, known: dict[Value, Atom]) -> None:
        self.known = known

    def atoms(self, atoms: tuple[Atom, ...]) -> tuple[Atom, ...]:
        return tuple(map(self.atom, atoms))

    def atom(self, atom: Atom) -> Atom:
        return self.known.get(atom, atom) if isinstance(atom, Value) else atom

    def fresh(self, values: tuple[Value, ...]) -> tuple[Value, ...]:
        new = tuple(Value(v.kind, v.name, v.hint) for v in values)
        self.known.update(zip(values, new, strict=True))
        return new

    def region(self, region: Region) -> Region:
        params = self.fresh(region.params)
        ops = tuple(map(self.node, region.ops))
        return Region(params, ops, self.atoms(region.yields))

    def node(self, node: Node) -> Node:
        match node:
            case Op():
                args = self.atoms(node.args)
                return Op(self.fresh(node.results), node.fn, args, node.attrs, node.span)
            case Call():
                args = self.atoms(node.args)
                return Call(self.fresh(node.results), node.callee, args, node.span)
            case If():
                cond = self.atom(node.cond)
                then, orelse = self.region(node.then), self.region(node.orelse)
                return If(self.fresh(node.results), cond, then, orelse, node.span)
            case For():
                start, stop, step = self.atoms((node.start, node.stop, node.step))
                init, body = self.atoms(node.init), self.region(node.body)
                results = self.fresh(node.results)
                return For(results, start, stop, step, init, body, node.span)
            case While():
                init = self.atoms(node.init)
                test, body = self.region(node.test), self.region(node.body)
                return While(self.fresh(node.results), init, test, body, node.span)
