"""Cloning: a second copy of a region, to be put in another place.

In: a region and what its free values become there. Out: nodes with results of their own (values
are compared by identity, and two copies must not be taken for one), and the atoms they yield.

    y = mul x x; yield y    with x: a    ->    y' = mul a a; yields y'

Where a container is built before it is taken apart in the copy, nothing is left of either::

    y = item x 0; yield y   with x: tuple(a, b)    ->    yields a
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .mapping import Mapper
from .nodes import Atom, Const, Node, Op, Region, Value

__all__ = ["clone", "part_of"]


def clone(
    region: Region,
    mapping: Mapping[Value, Atom],
    definition: Mapping[Value, Op] | None = None,
) -> tuple[tuple[Node, ...], tuple[Atom, ...]]:
    """The nodes of ``region`` with new results and mapped operands, and what they yield.

    ``definition`` tells how containers among the mapped operands are built.
    """
    copier = _Copier(mapping, {} if definition is None else definition)
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


class _Copier(Mapper):
    """Gives every result a new value, and looks into containers that it knows."""

    def __init__(self, known: Mapping[Value, Atom], definition: Mapping[Value, Op]) -> None:
        super().__init__(dict(known))
        self.definition = definition
        self.containers: dict[Value, Op] = {}

    def value(self, value: Value) -> Value:
        new = self.known[value] = Value(value.kind, value.name, value.hint)
        return new

    def op(self, op: Op) -> Sequence[Node]:
        args = self.atoms(op.args)
        part = self.part(op, args)
        if part is not None:
            self.known[op.results[0]] = part
            return ()
        new = Op(self.values(op.results), op.fn, args, op.attrs, op.span)
        if op.fn in ("tuple", "list", "dict", "record"):
            self.containers[new.results[0]] = new
        return (new,)

    def part(self, op: Op, args: tuple[Atom, ...]) -> Atom | None:
        """The part that ``op`` reads of a container built before it."""
        match op.fn, args:
            case "item", (Value() as base, Const(value=key)):
                pass
            case "attr", (Value() as base,):
                key = op.attrs["name"]
            case _:
                return None
        return part_of(self.containers.get(base) or self.definition.get(base), key)
