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

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from ....ir.facts import shape_root
from ....ir.kinds import Array, Dim, Sym
from ....ir.mapping import map_regions
from ....ir.nodes import Atom, Const, Function, Node, Op, Region, Value, read_by, walk
from ...ops import OWN, writes
from .elements import CONSTANTS
from .facts import Facts
from .spreading import FEWEST, Link, chains_of, is_part, is_read_once, longer_by

__all__ = ["WIDER", "gathered"]

#: What marks zeros of the shape of an array, or wider by so many elements along each axis.
WIDER = "wider"


def gathered(f: Function) -> Function:
    """The function in which elements gather what would be spread to them."""
    if sum(isinstance(n, Op) and n.fn == "accumulate" for n in walk(f.body)) < FEWEST:
        return f
    return replace(f, body=_region(f.body, Facts(f)))


@dataclass(frozen=True, slots=True)
class _Padded:
    """A cotangent with zeros around it; ``low`` are the places of its first element."""

    array: Value
    low: tuple[int, ...]
    widths: tuple[int, ...]


def _region(region: Region, facts: Facts) -> Region:
    ops = tuple(map_regions(n, lambda r: _region(r, facts)) for n in region.ops)
    chains = chains_of(ops, facts)
    if not chains:
        return replace(region, ops=ops)
    order = _Order(ops, facts)
    for chain in chains:
        order.gather(chain)
    return replace(region, ops=_read(order.ops(), region.yields, facts))


def _read(ops: Sequence[Node], yields: Sequence[Atom], facts: Facts) -> tuple[Node, ...]:
    """The nodes without arithmetic that only served what is gathered in another way now."""
    read: set[Atom] = set(yields)
    kept: list[Node] = []
    for node in reversed(ops):
        may_go = isinstance(node, Op) and is_part(node, facts)
        if not may_go or not read.isdisjoint(node.results):
            kept.append(node)
            read.update(read_by(node))
    return tuple(kept[::-1])


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

    def gather(self, chain: Sequence[Link]) -> None:
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
        if is_zero and is_read_once(array, self.facts):
            return None, None
        return array, array

    def padded(self, link: Link, like: Value, starts: Sequence[tuple[int, ...]]) -> _Padded:
        """The cotangent with zeros around it, for places that are so far from each other."""
        low = tuple(map(max, *starts)) if len(starts) > 1 else starts[0]
        first = tuple(map(min, *starts)) if len(starts) > 1 else starts[0]
        widths = tuple(a - b for a, b in zip(low, first, strict=True))
        assert isinstance(like.kind, Array)
        assert isinstance(link.value.kind, Array)
        dims, more, inside = list[Dim](), list[int](), list[slice]()
        for k, d in enumerate(like.kind.dims or ()):
            margin = longer_by(d, (link.value.kind.dims or ())[k])
            assert margin is not None
            cut = 0 if isinstance(d, int) else -d.offset  # type: ignore[union-attr]
            dims.append(_wider(d, widths[k]))
            more.append(widths[k] + cut)
            inside.append(_slice(low[k], widths[k] + cut + margin - low[k]))
        zeros = Value(Array("float64", tuple(dims)), None, "padded")
        full = Value(zeros.kind, None, "padded")
        root = shape_root(self.facts.builder, like)
        made = self.facts.definitions.get(root) if isinstance(root, Value) else None
        if isinstance(made, Op) and made.fn == "accumulate":
            root = like  # what is between two additions may be gone
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
            if not isinstance(op, Op) or not is_part(op, self.facts):
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
                if not leaves.isdisjoint(read_by(node)):
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


def _seen(padded: _Padded, link: Link, like: Value, nodes: list[Node]) -> Value:
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
