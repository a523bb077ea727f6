"""Cloning: a second copy of a region, to be put in another place.

In: a region and what its free values become there. Out: nodes with results of their own (values
are compared by identity, and two copies must not be taken for one), and the atoms they yield.

    y = mul x x; yield y    with x: a    ->    y' = mul a a; yields y'

Where a container is built before it is taken apart in the copy, nothing is left of either::

    y = item x 0; yield y   with x: tuple(a, b)    ->    yields a
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .nodes import Atom, Call, Const, For, If, Node, Op, Region, Value, While

__all__ = ["clone", "part_of"]


def clone(
    region: Region,
    mapping: Mapping[Value, Atom],
    definition: Mapping[Value, Op] | None = None,
) -> tuple[tuple[Node, ...], tuple[Atom, ...]]:
    """The nodes of ``region`` with new results and mapped operands, and what they yield.

    ``definition`` tells how containers among the mapped operands are built.
    """
    copier = _Copier(dict(mapping), {} if definition is None else definition)
    nodes = copier.nodes(region.ops)
    return nodes, copier.atoms(region.yields)


def part_of(container: Op | None, key: Any) -> Atom | None:
    """The part ``key`` of a container that ``container`` builds; None if it does not."""
    match container:
        case Op(fn="tuple" | "list") if isinstance(key, int):
            parts = container.args
            return parts[key] if 0 <= key < len(parts) else None
        case Op(fn="dict"):
            keys = container.attrs["keys"]
        case Op(fn="record") if "fields" in container.attrs:
            keys = container.attrs["fields"]
        case Op(fn="record") if isinstance(key, int):
            return container.args[key]
        case _:
            return None
    return container.args[keys.index(key)] if key in keys else None


class _Copier:
    """Copies nodes in program order; ``known`` says what every value has become."""

    def __init__(self, known: dict[Value, Atom], definition: Mapping[Value, Op]) -> None:
        self.known = known
        self.definition = definition
        self.containers: dict[Value, Op] = {}

    def nodes(self, nodes: tuple[Node, ...]) -> tuple[Node, ...]:
        made = map(self.node, nodes)
        return tuple(node for node in made if node is not None)

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
        ops = self.nodes(region.ops)
        return Region(params, ops, self.atoms(region.yields))

    def part(self, node: Op, args: tuple[Atom, ...]) -> Atom | None:
        """The part that ``node`` reads of a container built before it."""
        match node.fn, args:
            case "item", (Value() as base, Const(value=key)):
                pass
            case "attr", (Value() as base,):
                key = node.attrs["name"]
            case _:
                return None
        return part_of(self.containers.get(base) or self.definition.get(base), key)

    def node(self, node: Node) -> Node | None:
        match node:
            case Op():
                args = self.atoms(node.args)
                part = self.part(node, args)
                if part is not None:
                    self.known[node.results[0]] = part
                    return None
                new = Op(self.fresh(node.results), node.fn, args, node.attrs, node.span)
                if node.fn in ("tuple", "list", "dict", "record"):
                    self.containers[new.results[0]] = new
                return new
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
