"""What is cleared and then added to is stored.

In: a function. Out: the same in which what would be added to a part of an array that has been
filled with zeros is stored there; what is read of the array in between is read before it is
written::

    g = item(a, s); b = setitem(a, s, 0.0); t = f(g); c = accumulate(b, s, t)
    ->
    g = item(a, s); t = f(g); c = setitem(a, s, t)

Otherwise ``g`` would have to be a copy, and ``t`` an array. A zero may change its sign, so this is
done in the reverse sweep only.
"""

from __future__ import annotations

from dataclasses import replace

from ....ir.kinds import Array, Num
from ....ir.mapping import map_regions
from ....ir.nodes import Const, Function, Op, Region, is_of_reverse, read_by
from .facts import Facts
from .views import Definitions, parts_of, same_parts

__all__ = ["stored_where_cleared"]


def stored_where_cleared(f: Function) -> Function:
    """The function that stores what it would add to zeros."""
    definitions = Facts(f).definitions
    return replace(f, body=_region(f.body, definitions))


def _region(region: Region, definitions: Definitions) -> Region:
    ops = [map_regions(n, lambda r: _region(r, definitions)) for n in region.ops]
    for clear in reversed(ops[:]):
        if not isinstance(clear, Op) or not _clears(clear):
            continue
        (cleared,) = clear.results
        readers = [n for n in ops if cleared in read_by(n)]
        if len(readers) != 1 or cleared in region.yields:
            continue
        (add,) = readers
        if isinstance(add, Op) and _adds_there(add, clear, definitions):
            array, index, _ = clear.args
            store = Op(add.results, "setitem", (array, index, add.args[-1]), {}, add.span)
            ops[ops.index(add)] = store
            ops.remove(clear)
    return replace(region, ops=tuple(ops))


def _clears(op: Op) -> bool:
    if op.fn != "setitem" or not is_of_reverse(op):
        return False
    array, _, value = op.args
    is_zero = isinstance(value, Const) and isinstance(value.kind, Num) and not value.value
    return is_zero and isinstance(array.kind, Array) and array.kind.dtype == "float64"


def _adds_there(add: Op, clear: Op, definitions: Definitions) -> bool:
    """Whether an op adds to all that is cleared, and to nothing else."""
    (cleared,) = clear.results
    if add.fn not in ("accumulate", "add_to") or add.args[0] is not cleared:
        return False
    if not is_of_reverse(add):
        return False
    value, kind = add.args[-1], cleared.kind
    if value is cleared or getattr(value.kind, "dtype", None) != "float64":
        return False
    assert isinstance(kind, Array)
    if kind.rank is None or add.results[0].kind != kind:
        return False
    index = Const.of(...) if add.fn == "add_to" else add.args[1]
    here = parts_of(clear.args[1], kind.rank, definitions)
    there = parts_of(index, kind.rank, definitions)
    return here is not None and there is not None and same_parts(here[0], there[0])
