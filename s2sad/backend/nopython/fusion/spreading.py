"""What the reverse of a stencil adds to one array at several places.

In: the ops of a region. Out: chains of additions, each to what the one before has made, of
cotangents that cover as good as all of the array::

    b = accumulate(a, [:-2], g); c = accumulate(b, [2:], mul(2.0, g))
    ->   g from 0 on; g from 2 on, times 2.0
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace

from ....ir.kinds import Array, Dim, Kind, Sym, same_dim
from ....ir.nodes import Atom, Const, Node, Op, Value, is_of_reverse
from ....rules.registry import primitive
from .elements import is_elementwise
from .facts import Facts
from .views import Along, parts_of, view

__all__ = ["FEWEST", "Link", "chains_of", "is_part", "is_read_once", "longer_by"]

#: How many elements wider an array may be than what is added to it.
_MARGIN = 8

#: How deep expressions are looked into that may be the same.
_DEEPEST = 6

#: Fewer additions than this are as fast one after the other.
FEWEST = 3


@dataclass(frozen=True, slots=True)
class Link:
    """One addition: of ``value`` (of its negative) from the elements ``starts`` on.

    ``factor`` is what a padded value is multiplied by that several links have in common.
    """

    op: Op
    value: Value
    negated: bool
    starts: tuple[int, ...]
    factor: Const | None = None


def chains_of(ops: Sequence[Node], facts: Facts) -> list[list[Link]]:
    """Additions, each to what the one before has made, which nobody else reads.

    Those of which there are enough, where several places are due the same.
    """
    chains: dict[Atom, list[Link]] = {}
    for op in ops:
        link = _link(op, facts) if isinstance(op, Op) else None
        if link is not None:
            array = link.op.args[0]
            before = chains.pop(array, []) if is_read_once(array, facts) else []
            chains[link.op.results[0]] = [*before, link]
    found = [_with_factors(chain, facts) for chain in chains.values() if len(chain) >= FEWEST]
    return [chain for chain in found if len({link.value for link in chain}) < len(chain)]


def is_read_once(a: Atom, facts: Facts) -> bool:
    """Whether one op has a value as its operand, and nothing else does."""
    return isinstance(a, Value) and a not in facts.kept and len(facts.uses.get(a, ())) == 1


def _link(op: Op, facts: Facts) -> Link | None:
    """An addition of the reverse sweep to as good as all of an array."""
    if op.fn != "accumulate" or not is_of_reverse(op):
        return None
    array, index, value = op.args
    kind = array.kind
    if not _is_real(kind) or not _is_real(value.kind) or not isinstance(value, Value):
        return None
    assert isinstance(kind, Array)
    assert isinstance(value.kind, Array)
    found = parts_of(index, len(kind.dims or ()), facts.definitions)
    if found is None or op.results[0].kind != kind:
        return None
    seen = primitive("item").kind((array, index), {})
    if not isinstance(seen, Array) or not _same_dims(seen, value.kind):
        return None
    if len(found[0]) != len(value.kind.dims or ()):
        return None
    starts: list[int] = []
    for k, (part, whole) in enumerate(zip(found[0], kind.dims or (), strict=True)):
        start = _start(part.start) if isinstance(part, Along) and part.axis == k else None
        margin = longer_by(whole, (value.kind.dims or ())[k])
        if start is None or margin is None or start > margin or margin > _MARGIN:
            return None
        starts.append(start)
    inner = facts.definitions.get(value)
    if not isinstance(inner, Op) or not is_part(inner, facts):
        return None  # it may as well be added where it is summed
    negated = inner.fn == "neg" and isinstance(inner.args[0], Value)
    if negated:
        (value,) = inner.args
        assert isinstance(value, Value)
    return Link(op, value, negated, tuple(starts))


def _with_factors(chain: list[Link], facts: Facts) -> list[Link]:
    """The links, of which those that are multiples of one value are links to that value.

    Values that are computed alike are one.
    """
    first: dict[Hashable, Value] = {}
    chain = [
        replace(link, value=first.setdefault(_written(link.value, facts), link.value))
        for link in chain
    ]
    parts = {link.value: _factor(link.value, facts) for link in chain}
    bases = [base for base, _ in parts.values()]
    found: list[Link] = []
    for link in chain:
        base, factor = parts[link.value]
        shared = bases.count(base) > 1
        found.append(replace(link, value=base, factor=factor) if shared else link)
    return found


def _written(a: Atom, facts: Facts, depth: int = _DEEPEST) -> Hashable:
    """Equal for arrays that are computed in the same way of the same values."""
    if isinstance(a, Const):
        return type(a.value), repr(a.value)
    op = facts.definitions.get(a)
    if not isinstance(op, Op) or not depth or not is_elementwise(op) or op.attrs:
        return a
    return (op.fn, *(_written(x, facts, depth - 1) for x in op.args))


def _factor(value: Value, facts: Facts) -> tuple[Value, Const | None]:
    """What is multiplied by a finite constant to make the value, if anything is.

    Zeros stay zeros then.
    """
    op = facts.definitions.get(value)
    if isinstance(op, Op) and op.fn == "mul":
        for factor, base in (op.args, op.args[::-1]):
            is_known = isinstance(factor, Const) and type(factor.value) in (int, float)
            if is_known and isinstance(base, Value) and base.kind == value.kind:
                assert isinstance(factor, Const)
                return (base, factor) if math.isfinite(factor.value) else (value, None)
    return value, None


def _is_real(kind: Kind) -> bool:
    return isinstance(kind, Array) and bool(kind.dims) and kind.dtype == "float64"


def _same_dims(a: Array, b: Array) -> bool:
    mine, others = a.dims or (), b.dims or ()
    return len(mine) == len(others) and all(map(same_dim, mine, others))


def _start(a: Atom | None) -> int | None:
    if a is None:
        return 0
    known = isinstance(a, Const) and type(a.value) is int and a.value >= 0
    return a.value if known else None  # type: ignore[union-attr]


def longer_by(whole: Dim, part: Dim) -> int | None:
    """By how much an axis is longer than another, unless that is as short as can be."""
    if isinstance(whole, int) and isinstance(part, int):
        return whole - part
    if isinstance(whole, Sym) and isinstance(part, Sym) and whole.base == part.base:
        return whole.offset - part.offset
    return None


def is_part(op: Op, facts: Facts) -> bool:
    """Whether an op computes with elements, or is a view."""
    return is_elementwise(op) or view(op, facts.definitions) is not None
