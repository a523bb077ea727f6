"""Arrays that are filled only to be asked for their shape are not filled.

In: a module. Out: the same module, in which the shape of what a loop has written is asked of what
the loop was given, where nobody reads what was written; the loop goes, or does less::

    for i in range(n):
        y[i] = x[i] * x[i]
    y_bar = np.ones_like(y)        ->   y_bar = np.ones_like(y)

A write into an array leaves its shape, its element type and its strides as they are (`_WRITES`
make another version of the same buffer), and so do loops and branches all of whose iterations and
arms do no more than that. What reads no more than these may read any version. A version is
exchanged for the one before only if what wrote it is gone as dead code then (`dead_code.py`, by
which effects stay), so that no copy of the one before has to be kept beside it.
"""

from __future__ import annotations

from dataclasses import replace

from ...ir.kinds import Array
from ...ir.mapping import Mapper
from ...ir.nodes import (
    Atom,
    Call,
    For,
    Function,
    If,
    Module,
    Node,
    Op,
    Region,
    Value,
    While,
    operands_of,
    regions_of,
    walk,
)
from ...transform.dead_code import needed, without_calls
from .fusion.elements import CONSTANTS, LIKE

__all__ = ["stays", "without_unread_writes"]

#: Ops whose result is another version of their first operand.
_WRITES = frozenset({"setitem", "accumulate", "add_to"})
#: Which operand is read for nothing but its shape, element type and strides.
_ASKED = dict.fromkeys((*CONSTANTS, "len", "shape", "np.size", "np.full_like"), 0)
_ASKED |= dict.fromkeys(LIKE, 1)


def without_unread_writes(module: Module) -> Module:
    """The module without what is written only because somebody asks for the shape."""
    return Module({name: _function(f) for name, f in module.functions.items()})


def _function(f: Function) -> Function:
    refused: set[Value] = set()
    while True:
        found = _first_candidate(f.body, refused)
        if found is None:
            return f
        v, before = found
        body = Mapper({v: before}).region(f.body)
        body = replace(body, ops=tuple(needed(body.ops, body.yields, stays)))
        if any(v in n.results for n in walk(body)):
            refused.add(v)
        else:
            f = replace(f, body=body)


def stays(node: Node) -> bool:
    """Whether a node must not go even if nobody reads its results."""
    inside = [n for r in regions_of(node) for n in walk(r)]
    return without_calls(node) or any(isinstance(n, Call) for n in (node, *inside))


def _first_candidate(body: Region, refused: set[Value]) -> tuple[Value, Atom] | None:
    """A written array that is only asked for its shape, and what had that shape before."""
    made = {r: n for n in walk(body) for r in n.results}
    asked: dict[Value, None] = {}
    read = set(body.yields)
    for node in walk(body):
        k = _ASKED.get(node.fn) if isinstance(node, Op) else None
        for j, a in enumerate(operands_of(node)):
            if j == k and isinstance(a, Value) and isinstance(a.kind, Array):
                asked[a] = None
            else:
                read.add(a)
        for region in regions_of(node):
            read.update(region.yields)
    for v in asked:
        if v in read or v in refused or v not in made:
            continue
        before = _before(v, made)
        if isinstance(before, Value) and before.kind == v.kind:
            return v, before
    return None


def _before(v: Value, made: dict[Value, Node]) -> Atom | None:
    """The version that a node has written into to make another; None where there is none."""
    node = made[v]
    match node:
        case Op():
            return node.args[0] if node.fn in _WRITES else None
        case For() | While():
            first = 1 if isinstance(node, For) else 0
            k = node.results.index(v)
            body = node.body
            is_same = _first_version(body.yields[k + 1], made) is body.params[k + first]
            return node.init[k] if is_same else None
        case If():
            k = node.results.index(v)
            one, other = (_first_version(a.yields[k], made, a) for a in (node.then, node.orelse))
            return one if one is other else None
        case _:
            return None


def _first_version(a: Atom, made: dict[Value, Node], inside: Region | None = None) -> Atom | None:
    """The oldest version of the buffer of ``a``, of those made in a region."""
    here = None if inside is None else {r for n in inside.ops for r in n.results}
    while isinstance(a, Value) and a in made and (here is None or a in here):
        before = _before(a, made)
        if before is None:
            return None
        a = before
    return a
