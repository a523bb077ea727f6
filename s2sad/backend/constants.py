"""Named constants: numbers that the user's program calls by a name keep it.

In: a plan, and the names that mean something else. Out: the constants that are assigned at the top
of the function, by name. A name that is a variable's too, or that stands for two numbers, is not
kept.

    h = 0.05; y = y + 0.05 * k   ->   h = 0.05
                                      y = y + h * k
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator, Mapping

from ..ir.nodes import Atom, Const, Region, operands_of, regions_of
from .plan import Plan


def named_constants(made: Plan, reserved: Collection[str]) -> dict[str, Const]:
    """The constants that have a name of their own in this function, in order of use."""
    taken = {v.name for v in made.facts.order} | set(reserved)
    found: dict[str, Const] = {}
    shared: set[str] = set()
    for atom in _atoms(made.function.body):
        if not isinstance(atom, Const) or atom.name is None or atom.name in taken:
            continue
        if atom.name.isidentifier():
            first = found.setdefault(atom.name, atom)
            if repr(first.value) != repr(atom.value):
                shared.add(atom.name)
    return {name: atom for name, atom in found.items() if name not in shared}


def is_kept(constants: Mapping[str, Const], atom: Const) -> bool:
    """True where the atom is written by its name."""
    return atom.name in constants


def names_read(body: list[ast.stmt]) -> set[str]:
    """The names that statements read."""
    return {
        n.id
        for statement in body
        for n in ast.walk(statement)
        if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)
    }


def _atoms(region: Region) -> Iterator[Atom]:
    for node in region.ops:
        yield from operands_of(node)
        for inner in regions_of(node):
            yield from _atoms(inner)
    yield from region.yields
