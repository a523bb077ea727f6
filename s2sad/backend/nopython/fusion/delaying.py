"""What the reverse sweep clears is cleared after it has been read.

In: a function. Out: the same in which zeros are stored into a part of an array after all that is
computed from what was there, unless the array is needed before::

    g = item(a, s)                           g = item(a, s)
    b = setitem(a, s, 0.0)              ->   d = accumulate(c, s, mul(g, k))
    d = accumulate(c, s, mul(g, k))          b = setitem(a, s, 0.0)

Otherwise ``g`` would have to be a copy. One loop may do both now. What is next added to the array
is added before if that is to another row, say: ``a[1] += a[0]; a[0] = 0.0``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from ....ir.kinds import Array
from ....ir.mapping import map_regions
from ....ir.nodes import (
    Atom,
    Const,
    Function,
    Node,
    Op,
    Region,
    Value,
    is_of_reverse,
    read_by,
    version,
    walk,
)
from .elements import is_elementwise
from .facts import SUMS, Facts
from .views import At, Definitions, parts_of, view

__all__ = ["cleared_late"]


def cleared_late(f: Function) -> Function:
    """The function that clears as late as it has to."""
    if not any(isinstance(n, Op) and _clears(n) for n in walk(f.body)):
        return f
    definitions = Facts(f).definitions
    return replace(f, body=_region(f.body, definitions))


def _region(region: Region, definitions: Definitions) -> Region:
    ops = [map_regions(n, lambda r: _region(r, definitions)) for n in region.ops]
    clears = [n for n in ops if isinstance(n, Op) and _clears(n)]
    read = {n: set(read_by(n)) for n in ops} if clears else {}
    for k, clear in enumerate(clears):
        if clear.results[0] not in region.yields:
            clears[k] = _swapped(ops, clear, read, definitions)
    for clear in clears:
        at = ops.index(clear)
        to = _last_reader(ops, at, read, definitions)
        ops[at : to + 1] = [*ops[at + 1 : to + 1], clear]
    return replace(region, ops=tuple(ops))


def _clears(op: Op) -> bool:
    if op.fn != "setitem" or not is_of_reverse(op):
        return False
    value = op.args[2]
    return isinstance(value, Const) and type(value.value) is float and value.value == 0.0


def _swapped(
    ops: list[Node], clear: Op, read: dict[Node, set[Atom]], definitions: Definitions
) -> Op:
    """Add to another part of an array before one is cleared, if nothing else comes between."""
    (cleared,) = clear.results
    readers = [n for n in ops if cleared in read[n]]
    add = readers[0] if len(readers) == 1 else None
    if not isinstance(add, Op) or add.fn != "accumulate" or add.args[0] is not cleared:
        return clear
    array, index, value = add.args
    if value is cleared or not _are_apart(array, clear.args[1], index, definitions):
        return clear
    added = version(cleared)
    first = replace(add, results=(added,), args=(clear.args[0], index, value))
    then = replace(clear, results=add.results, args=(added, *clear.args[1:]))
    at = ops.index(add)
    ops[at : at + 1] = [first, then]
    ops.remove(clear)
    read |= {n: set(read_by(n)) for n in (first, then)}
    return then


def _are_apart(array: Atom, a: Atom, b: Atom, definitions: Definitions) -> bool:
    """Whether two indices are of different rows, say, counted from the same end."""
    rank = array.kind.rank if isinstance(array.kind, Array) else None
    if rank is None:
        return False
    first, second = parts_of(a, rank, definitions), parts_of(b, rank, definitions)
    if first is None or second is None:
        return False
    return any(
        isinstance(x, At)
        and isinstance(y, At)
        and isinstance(x.atom, Const)
        and isinstance(y.atom, Const)
        and x.atom.value != y.atom.value
        and (x.atom.value < 0) == (y.atom.value < 0)
        for x, y in zip(first[0], second[0], strict=True)
    )


def _last_reader(
    ops: Sequence[Node], at: int, read: Mapping[Node, set[Atom]], definitions: Definitions
) -> int:
    """Where the last node is that needs what is cleared.

    Where it is cleared already if the cleared array is needed before: then what has to be kept
    had better be the part itself, and nothing that is computed from it.
    """
    clear = ops[at]
    assert isinstance(clear, Op)
    derived = {a for a in clear.args[:1] if isinstance(a, Value)}
    (cleared,) = clear.results
    last, is_needed = at, False
    for n, node in enumerate(ops):
        is_needed |= cleared in read[node]
        if node is clear or derived.isdisjoint(read[node]):
            continue
        if isinstance(node, Op) and _may_wait(node, definitions):
            derived.update(node.results)
        elif n > at:
            if is_needed or not _only_takes(node, derived):
                return at
            last = n
    return last


def _may_wait(op: Op, definitions: Definitions) -> bool:
    """Whether an op may be computed later, where its result is used."""
    return is_elementwise(op) or op.fn in SUMS or view(op, definitions) is not None


def _only_takes(node: Node, derived: set[Value]) -> bool:
    """Whether a node puts elements of values elsewhere, and keeps nothing of their memory."""
    if not isinstance(node, Op) or node.fn not in ("setitem", "accumulate", "add_to"):
        return False
    return derived.isdisjoint(a for a in node.args[:-1] if isinstance(a, Value))
