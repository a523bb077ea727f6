"""Rewriting: the same nodes with other operands.

In: nodes and a mapping from values to atoms. Out: nodes whose operands went through the mapping;
results keep their identity, so facts about them stay valid.

    substitute([y = mul x x], {x: a})   ->   [y = mul a a]
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from .mapping import Mapper
from .nodes import Atom, Node, Region, Value

__all__ = ["resolve", "substitute", "substitute_region"]


def substitute(nodes: Iterable[Node], mapping: dict[Value, Atom]) -> tuple[Node, ...]:
    """The nodes with every operand found in ``mapping`` replaced, regions included."""
    return Mapper(mapping).nodes(nodes) if mapping else tuple(nodes)


def substitute_region(region: Region, mapping: dict[Value, Atom]) -> Region:
    """The region with free values found in ``mapping`` replaced."""
    return Mapper(mapping).region(region) if mapping else region


def resolve(atoms: Iterable[Atom], mapping: Mapping[Value, Atom]) -> tuple[Atom, ...]:
    """The atoms themselves, mapped."""
    return tuple([mapping.get(a, a) if isinstance(a, Value) else a for a in atoms])
