"""What the reverse of a stencil spreads to neighbours, each element gathers.

In: a function. Out: the same in which a cotangent that is added to an array at several places,
each so many elements from the other, is put into an array with a margin of zeros; every element
then adds up what it is due, in one go::

    b = accumulate(a, [:-2], g)          p = zeros(len(a) + 2); p[2:-2] = g
    c = accumulate(b, [1:-1], g)   ->    d = a + p[2:] + p[1:-1] + p[:-2]
    d = accumulate(c, [2:], g)

There is one loop instead of three, without stores that wait for one another, and without borders:
beyond the ends of ``g`` there are zeros. Numbers are added in the order in which they were. A zero
may change its sign, so this is done in the reverse sweep only.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from ....ir.facts import shape_root
from ....ir.kinds import Array, Dim, Kind, Sym, same_dim
from ....ir.mapping import map_regions
from ....ir.nodes import (
    Atom,
    Const,
    Function,
    Node,
    Op,
    Region,
    Value,
    free_values,
    operands_of,
    regions_of,
    walk,
)
from ....rules.registry import primitive
from ...ops import OWN, writes
from .elements import CONSTANTS, is_elementwise
from .facts import Facts
from .views import Along, parts_of, view

__all__ = ["WIDER", "gathered"]

#: What marks zeros of the shape of an array, or wider by so many elements along each axis.
WIDER = "wider"

#: How many elements wider an array may be than what is added to it.
_MARGIN = 16

#: Fewer additions than this are as fast one after the other.
_FEWEST = 3


def gathered(f: Function) -> Function:
    """The function in which elements gather what would be spread to them."""
    if sum(isinstance(n, Op) and n.fn == "accumulate" for n in walk(f.body)) < _FEWEST:
        return f
    return replace(f, body=_region(f.body, Facts(f)))


@dataclass(frozen=True, slots=True)
class _Link:
    """One addition: of ``value`` (of its negative) from the elements ``starts`` on.

    ``factor`` is what a padded value is multiplied by that several links have in common.
    """

    op: Op
    value: Value
    negated: bool
    starts: tuple[int, ...]
    factor: Const | None = None


@dataclass(frozen=True, slots=True)
class _Padded:
    """A cotangent with zeros around it; ``low`` are the places of its first element."""

    array: Value
    low: tuple[int, ...]
    widths: tuple[int, ...]


def _region(region: Region, facts: Facts) -> Region:
    ops = tuple(map_regions(n, lambda r: _region(r, facts)) for n in region.ops)
    order = _Order(ops, facts)
    for chain in _chains(ops, facts):
        chain = _with_factors(chain, facts)
        if _pays(chain):
            order.gather(chain)
    return replace(region, ops=order.ops())


# -- what is added to one array, one after the other ----------------------------------------------


def _chains(ops: Sequence[Node], facts: Facts) -> list[list[_Link]]:
    """Additions, each to what the one before has made, which nobody else reads."""
    chains: dict[Value, list[_Link]] = {}
    for op in ops:
        link = _link(op, facts) if isinstance(op, Op) else None
        if link is None:
            continue
        before = chains.pop(link.op.args[0], None)  # type: ignore[arg-type]
        if before is not None and not _is_read_once(link.op.args[0], facts):
            before = None
        chains[link.op.results[0]] = [*(before or ()), link]
    return list(chains.values())


def _is_read_once(a: Atom, facts: Facts) -> bool:
    assert isinstance(a, Value)
    return a not in facts.kept and len(facts.uses.get(a, ())) == 1


def _link(op: Op, facts: Facts) -> _Link | None:
    """An addition of the reverse sweep to as good as all of an array."""
    if op.fn != "accumulate" or op.span is None or not op.span.reverse:
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
        margin = _difference(whole, (value.kind.dims or ())[k])
        if start is None or margin is None or start > margin or margin > _MARGIN:
            return None
        starts.append(start)
    inner = facts.definitions.get(value)
    if not isinstance(inner, Op) or not (
        is_elementwise(inner) or view(inner, facts.definitions) is not None
    ):
        return None  # it may as well be added where it is summed
    negated = inner.fn == "neg" and isinstance(inner.args[0], Value)
    if negated:
        (value,) = inner.args
        assert isinstance(value, Value)
    return _Link(op, value, negated, tuple(starts))


def _with_factors(chain: list[_Link], facts: Facts) -> list[_Link]:
    """The links, of which those that are multiples of one value are links to that value."""
    parts = {link.value: _factor(link.value, facts) for link in chain}
    bases = [base for base, _ in parts.values()]
    found: list[_Link] = []
    for link in chain:
        base, factor = parts[link.value]
        shared = bases.count(base) > 1
        found.append(replace(link, value=base, factor=factor) if shared else link)
    return found


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


def _difference(whole: Dim, part: Dim) -> int | None:
    """By how much an axis is longer than another, unless that is as short as can be."""
    if isinstance(whole, int) and isinstance(part, int):
        return whole - part
    if isinstance(whole, Sym) and isinstance(part, Sym) and whole.base == part.base:
        return whole.offset - part.offset
    return None


def _pays(chain: Sequence[_Link]) -> bool:
    """Whether there are enough additions, and several places that are due the same."""
    return len(chain) >= _FEWEST and len({link.value for link in chain}) < len(chain)


# -- in one go ------------------------------------------------------------------------------------


class _Order:
    """The ops of a region, in the order in which they are going to be."""

    def __init__(self, ops: Sequence[Node], facts: Facts) -> None:
        self.facts = facts
        self.nodes = ops
        self.at: dict[Value, int] = {}
        for n, node in enumerate(ops):
            self.at |= dict.fromkeys(node.results, n)
        #: where a node is to be, and in which order those are that are at one place
        self.place: dict[Node, tuple[int, int, float]] = {
            node: (n, 1, 0.0) for n, node in enumerate(ops)
        }

    def ops(self) -> tuple[Node, ...]:
        return tuple(sorted(self.place, key=self.place.__getitem__))

    def gather(self, chain: Sequence[_Link]) -> None:
        """Put one sum in the place of a chain of additions."""
        last = chain[-1].op
        array, (result,) = chain[0].op.args[0], last.results
        assert isinstance(array, Value)
        padded: dict[Value, _Padded] = {}
        for link in chain:
            if link.value not in padded:
                same = [x for x in chain if x.value is link.value]
                padded[link.value] = self.padded(link, array, [x.starts for x in same])
        total, begins = self.begins(array)
        made: list[Node] = []
        for link in chain:
            seen = _seen(padded[link.value], link, array, made)
            if link.factor is not None:
                times, seen = (link.factor, seen), Value(result.kind)
                made.append(Op((seen,), "mul", times, {}, last.span))
            if total is None and not link.negated:
                total = seen
                continue
            fn = "sub" if link.negated else "add"
            args = (seen,) if total is None else (total, seen)
            total = Value(result.kind)
            made.append(Op((total,), fn if len(args) == 2 else "neg", args, {}, last.span))
        assert total is not None
        if begins is None:
            made[-1] = replace(made[-1], results=(result,))
        else:
            everywhere = Const.of(...)
            made.append(Op((result,), "setitem", (array, everywhere, total), {}, last.span))
        n = self.place[last][0]
        for link in chain:
            del self.place[link.op]
        self.place |= {node: (n, 1, float(k)) for k, node in enumerate(made)}

    def begins(self, array: Value) -> tuple[Atom | None, Atom | None]:
        """What is added to, and the array it is stored in: none for an array of zeros."""
        made = self.facts.definitions.get(array)
        is_zero = isinstance(made, Op) and made.fn in CONSTANTS and not CONSTANTS[made.fn]
        if is_zero and _is_read_once(array, self.facts):
            return None, None
        return array, array

    def padded(self, link: _Link, like: Value, starts: Sequence[tuple[int, ...]]) -> _Padded:
        """The cotangent with zeros around it, for places that are so far from each other."""
        low = tuple(map(max, *starts)) if len(starts) > 1 else starts[0]
        first = tuple(map(min, *starts)) if len(starts) > 1 else starts[0]
        widths = tuple(a - b for a, b in zip(low, first, strict=True))
        assert isinstance(like.kind, Array)
        assert isinstance(link.value.kind, Array)
        dims, more, inside = list[Dim](), list[int](), list[slice]()
        for k, d in enumerate(like.kind.dims or ()):
            margin = _difference(d, (link.value.kind.dims or ())[k])
            assert margin is not None
            cut = 0 if isinstance(d, int) else -d.offset  # type: ignore[union-attr]
            dims.append(_wider(d, widths[k]))
            more.append(widths[k] + cut)
            inside.append(_slice(low[k], widths[k] + cut + margin - low[k]))
        zeros = Value(Array("float64", tuple(dims)), None, "padded")
        full = Value(zeros.kind, None, "padded")
        root = shape_root(self.facts.builder, like)
        index = Const.of(inside[0] if len(inside) == 1 else tuple(inside))
        nodes = [
            Op((zeros,), "np.zeros", (root,), {WIDER: tuple(more)}, link.op.span),
            Op((full,), "setitem", (zeros, index, link.value), {}, link.op.span),
        ]
        self.early(link.value, root, nodes)
        return _Padded(full, low, widths)

    def early(self, value: Value, root: Atom, nodes: Sequence[Node]) -> None:
        """Place nodes, and what makes the value, before what it is made of is written."""
        tree, leaves = self.tree(value)
        first = max([self.at.get(a, -1) for a in (*leaves, root)], default=-1) + 1  # type: ignore[arg-type]
        at = min([self.at.get(value, -1) + 1, *self.written(leaves, first)])
        at = max(at, first)
        for node in tree:
            place, n = self.place[node], self.at[node.results[0]]
            if place[:2] > (at, 0):
                self.place[node] = (at, 0, float(n))
        n = self.at.get(value, -1)
        self.place |= {
            node: (at, 0, n + (k + 1.0) / (len(nodes) + 1)) for k, node in enumerate(nodes)
        }

    def tree(self, value: Value) -> tuple[list[Op], set[Value]]:
        """The ops of this region that make a value of its elements, and what these are of."""
        found: list[Op] = []
        leaves: set[Value] = set()
        ahead: list[Atom] = [value]
        while ahead:
            a = ahead.pop()
            if not isinstance(a, Value):
                continue
            op = self.nodes[self.at[a]] if a in self.at else None
            is_seen = isinstance(op, Op) and (
                is_elementwise(op) or view(op, self.facts.definitions) is not None
            )
            if not is_seen or not isinstance(op, Op):
                leaves.add(a)
            elif op not in found:
                found.append(op)
                ahead += op.args
        return found, leaves

    def written(self, leaves: set[Value], first: int) -> Iterator[int]:
        """Where arrays are written, if at all."""
        for n, node in enumerate(self.nodes[first:], first):
            if isinstance(node, Op):
                at = None if node.fn in OWN else writes(node)
                if at is not None and node.args[at] in leaves:
                    yield n
            else:
                read = {*operands_of(node), *(v for r in regions_of(node) for v in free_values(r))}
                if not leaves.isdisjoint(read):
                    yield n


def _wider(d: Dim, by: int) -> Dim:
    """The size of a padded axis.

    Where an axis is ``max(n - 2, 0)`` long, the padded one has room for n, and is said to be of
    that length. It is longer where n is less than 2, but then all that is taken of it is empty.
    """
    if isinstance(d, int):
        return d + by
    assert isinstance(d, Sym)
    return Sym(d.base, by)


def _seen(padded: _Padded, link: _Link, like: Value, nodes: list[Node]) -> Value:
    """For each element of an array what it is due from one addition."""
    parts = []
    assert isinstance(like.kind, Array)
    for k, d in enumerate(like.kind.dims or ()):
        by = padded.low[k] - link.starts[k]
        cut = 0 if isinstance(d, int) else -d.offset  # type: ignore[union-attr]
        parts.append(_slice(by, padded.widths[k] + cut - by))
    index = Const.of(parts[0] if len(parts) == 1 else tuple(parts))
    seen = Value(like.kind)
    nodes.append(Op((seen,), "item", (padded.array, index), {}, link.op.span))
    return seen


def _slice(first: int, rest: int) -> slice:
    return slice(first or None, -rest if rest else None)
