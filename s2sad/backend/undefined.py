"""Names that may not be assigned when they are read by bookkeeping.

In: a plan and its names. Out: the names that are set to None on the paths that leave them
unassigned: those saved on a tape or moved to another name there. A user's own read of such a name
stays what it is in Python, an ``UnboundLocalError``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ..ir.kinds import Undef
from ..ir.nodes import (
    Atom,
    Const,
    For,
    If,
    Node,
    Op,
    Region,
    Value,
    While,
    regions_of,
    walk,
)
from .ops import has_memory
from .plan import Plan

_SAVING = frozenset({"tuple", "append", "list", "insert", "copied"})


def may_be_absent(body: Region) -> set[Atom]:
    """Values that are unassigned, or None in place of something that was not made, on some path.

    A value that is read wherever it exists, in its own region, is there.
    """
    moves = [m for node in walk(body) for m in _moves(node)]
    if not any(_is_absent(v, a) for v, a in moves):
        return set()
    there = _read_where_made(body)
    absent: set[Atom] = {v for v, a in moves if _is_absent(v, a) and v not in there}
    before = -1
    while len(absent) != before:
        before = len(absent)
        absent.update(v for v, a in moves if a in absent and v not in there)
    return absent


def unset_names(made: Plan, names: dict[Value, str]) -> frozenset[str]:
    """Names to be given the value None where they would be unassigned."""
    body = made.function.body
    moves = [m for node in walk(body) for m in _moves(node)]
    if not any(isinstance(a.kind, Undef) for _, a in moves):
        return frozenset()
    unset = may_be_absent(body)
    found: set[str] = set()
    for v, a in moves:
        if a in unset and a in names and v in names and names[a] != names[v]:
            found.add(names[a])
    for node in walk(body):
        if isinstance(node, Op) and node.fn in _SAVING:
            for arg in node.args:
                found.update(names[leaf] for leaf in made.leaves(arg) if leaf in unset)
    return frozenset(found)


def _is_absent(value: Value, atom: Atom) -> bool:
    if isinstance(atom.kind, Undef):
        return True
    return isinstance(atom, Const) and atom.value is None and has_memory(value.kind)


def _read_where_made(region: Region) -> set[Atom]:
    """Values an op reads unconditionally in the region that defines them."""
    found: set[Atom] = set()
    here: set[Atom] = set(region.params)
    for node in region.ops:
        if isinstance(node, Op) and node.fn not in _SAVING:
            found.update(a for a in node.args if a in here)
        for inner in regions_of(node):
            found |= _read_where_made(inner)
        here.update(node.results)
    return found


def _moves(node: Node) -> Iterator[tuple[Value, Atom]]:
    match node:
        case If():
            for arm in (node.then, node.orelse):
                yield from _pairs(node.results, arm)
        case For():
            yield from zip(node.body.params[1:], node.init, strict=True)
            yield from zip(node.body.params[1:], node.body.yields[1:], strict=True)
            yield from zip(node.results, node.body.params[1:], strict=True)
        case While():
            for faces in (node.test.params, node.body.params, node.results):
                yield from zip(faces, node.init, strict=True)
                yield from zip(faces, node.body.yields[1:], strict=True)


def _pairs(results: tuple[Value, ...], arm: Region) -> Iterable[tuple[Value, Atom]]:
    return zip(results, arm.yields, strict=True)
