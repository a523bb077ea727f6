"""Bounds of indices: where two index expressions name different elements of an array.

In: the body of a function. Out: ``Indices``, which tells of a read and a write, in iterations that
relate in a known way, whether along some axis they are never at the same element::

    for i in range(n):
        for j in range(i): x[j]      at most i - 1
        x[i] = ...                   in this iteration of i and later ones: i or more

An index is at least and at most what the ranges of the loops around it, the conditions of the
branches and constant distances say; an index that might be negative proves nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from ..ir.kinds import Num, length_of
from ..ir.nodes import Atom, Const, For, If, Node, Op, Region, Value, While, is_none, regions_of

__all__ = ["Indices", "Order", "Path", "Span", "direction"]

#: A node's surroundings: loops, and branches with the number of the arm, outermost first.
Path: TypeAlias = "tuple[tuple[Node, int], ...]"
#: ``base + offset``; the base is a size or the index of a loop, None for a constant
_Linear: TypeAlias = "tuple[Value | None, int]"
#: first and last element along an axis, and what is added to the last; None for no bound
Span: TypeAlias = "tuple[Atom | None, Atom | None, int]"

_DEEPEST = 8
_OPPOSITE = {"lt": "ge", "ge": "lt", "gt": "le", "le": "gt", "eq": "ne", "ne": "eq"}


@dataclass(frozen=True, slots=True)
class Order:
    """How the iterations of a load and of a write relate.

    The loops ``equal`` are in the same iteration; in that with the index ``moved`` the write's
    index is larger (``by`` is 1) or smaller (-1).
    """

    equal: frozenset[Value]
    moved: Value | None = None
    by: int = 0


class Indices:
    """Facts about one function body; ``definition`` gives the operation behind a value."""

    def __init__(self, body: Region, definition: Mapping[Value, Op]) -> None:
        self._definition = definition
        self.producer: dict[Value, Node] = {}
        self.path: dict[Node, Path] = {}
        #: values in the order in which they come to be
        self.order: dict[Value, int] = {}
        #: the loop whose index or parameter a value is
        self._loop: dict[Value, For | While] = {}
        self._survey(body, ())

    def _survey(self, region: Region, path: Path) -> None:
        for node in region.ops:
            self.path[node] = path
            for n, inner in enumerate(regions_of(node)):
                if isinstance(node, For | While):
                    self._loop.update(dict.fromkeys(inner.params, node))
                for p in inner.params:
                    self.order[p] = len(self.order)
                self._survey(inner, (*path, (node, n)))
            for r in node.results:
                self.producer[r] = node
                self.order[r] = len(self.order)

    def differ(
        self,
        load: Op,
        reads: list[Span],
        write: Op,
        writes: list[Span],
        outermost: Node,
        order: Order,
    ) -> bool:
        """Whether along some axis the elements read and those written are different ones."""
        for mine, other in zip(reads, writes, strict=False):
            if not (self._is_counted(mine, load) and self._is_counted(other, write)):
                continue
            for low, high, low_at, high_at, by in (
                (other, mine, write, load, 1),
                (mine, other, load, write, -1),
            ):
                above = list(self._bounds(low[0], 0, False, low_at, outermost, order))
                below = list(self._bounds(high[1], high[2], True, high_at, outermost, order))
                if any(_less(b, a, order, by) for a in above for b in below):
                    return True
        return False

    def never(self, load: Op, write: Op, outermost: Node, order: Order) -> bool:
        """Whether the conditions around the two rule out that they are in such iterations.

        A write where ``i == 0`` is in no iteration after one that reads.
        """
        low, high = (load, write) if order.by > 0 else (write, load)
        fixed = Order(order.equal)
        above = list(self._bounds(order.moved, 0, False, low, outermost, fixed))
        below = list(self._bounds(order.moved, 0, True, high, outermost, fixed))
        return any(a is b and d <= c for a, c in above for b, d in below)

    def are_apart(self, a: Atom, b: Atom, at: Node) -> bool:
        """Whether two whole numbers, where ``at`` is, are never indices of one element."""
        if isinstance(a, Const) and isinstance(b, Const):
            return bool(a.value != b.value and (a.value < 0) == (b.value < 0))
        if not all(self._is_counted((x, x, 0), at) for x in (a, b)):
            return False
        around = (n.body.params[0] for n, _ in self.path[at] if isinstance(n, For))
        order = Order(frozenset(around))
        for low, high in ((a, b), (b, a)):
            above = list(self._bounds(high, 0, False, at, None, order))
            below = list(self._bounds(low, 0, True, at, None, order))
            if any(_less(x, y, order, 1) for x in below for y in above):
                return True
        return False

    def spans(self, index: Atom) -> list[Span] | None:
        """The elements that an index chooses along each axis; None if it is not made of ints."""
        parts: tuple[object, ...]
        op = self._definition.get(index) if isinstance(index, Value) else None
        if op is not None and op.fn == "tuple":
            parts = op.args
        elif isinstance(index, Const) and isinstance(index.value, tuple):
            parts = tuple(map(Const.of, index.value))
        else:
            parts = (index,)
        spans = [self._span(part) for part in parts]
        return None if None in spans else [s for s in spans if s is not None]

    def _span(self, part: object) -> Span | None:
        if isinstance(part, Const):
            chosen = part.value
            if type(chosen) is int:
                return part, part, 0
            if isinstance(chosen, slice) and chosen.step in (None, 1):
                stop = None if chosen.stop is None else Const.of(chosen.stop)
                return Const.of(chosen.start or 0), stop, -1
            return None
        if not isinstance(part, Value):
            return None
        if isinstance(part.kind, Num):
            return (part, part, 0) if _is_whole(part) else None
        op = self._definition.get(part)
        if op is None or op.fn != "slice":
            return None
        first, last, step = (None if is_none(a) else a for a in op.args)
        if step is not None and not (isinstance(step, Const) and step.value == 1):
            return None
        return first or Const.of(0), last, -1

    def _is_counted(self, span: Span, at: Node) -> bool:
        """Whether both ends count from the beginning: neither may be negative."""
        return all(
            any(
                offset >= 0 and (base is None or length_of(base.kind) is not None)
                for base, offset in self._bounds(end, 0, False, at, None, Order(frozenset()))
            )
            for end in span[:2]
            if end is not None
        )

    def _bounds(
        self,
        atom: Atom | None,
        offset: int,
        upper: bool,
        at: Node,
        outermost: Node | None,
        order: Order,
        depth: int = 0,
    ) -> Iterator[_Linear]:
        """What ``atom + offset`` is at most, or at least, where ``at`` is.

        The bounds are constants, values from outside the loop ``outermost``, and indices of loops
        that ``order`` speaks of.
        """
        if isinstance(atom, Const):
            if type(atom.value) is int:
                yield None, atom.value + offset
            return
        if not isinstance(atom, Value) or depth > _DEEPEST or not _is_whole(atom):
            return
        if atom in order.equal or atom is order.moved or self._is_outside(atom, outermost):
            yield atom, offset
        further: list[tuple[Atom, int]] = list(self._said(atom, upper, at))
        loop = self._loop.get(atom)
        if isinstance(loop, For) and atom is loop.body.params[0] and direction(loop):
            ahead = direction(loop) > 0
            if upper:
                further.append((loop.stop, -1) if ahead else (loop.start, 0))
            else:
                further.append((loop.start, 0) if ahead else (loop.stop, 1))
        match self._definition.get(atom):
            case (
                Op(fn="add", args=(x, Const(value=int(c))))
                | Op(fn="add", args=(Const(value=int(c)), x))
            ):
                further.append((x, c))
            case Op(fn="sub", args=(x, Const(value=int(c)))):
                further.append((x, -c))
        for x, c in further:
            yield from self._bounds(x, offset + c, upper, at, outermost, order, depth + 1)

    def _is_outside(self, value: Value, loop: Node | None) -> bool:
        if loop is None:
            return length_of(value.kind) is not None
        producer = self._loop.get(value) or self.producer.get(value)
        if producer is None:
            return True  # a parameter of the function
        return producer is not loop and all(n is not loop for n, _ in self.path[producer])

    def _said(self, value: Value, upper: bool, at: Node) -> Iterator[tuple[Atom, int]]:
        """Bounds that the conditions of the branches around ``at`` set."""
        for node, arm in self.path[at]:
            if not isinstance(node, If) or not isinstance(node.cond, Value):
                continue
            op = self._definition.get(node.cond)
            if op is None or op.fn not in _OPPOSITE:
                continue
            relation = op.fn if arm == 0 else _OPPOSITE[op.fn]
            left, right = op.args
            if left is value:
                yield from self._implied(relation, right, value, upper, at)
            elif right is value:
                turned = {"lt": "gt", "gt": "lt", "le": "ge", "ge": "le"}.get(relation, relation)
                yield from self._implied(turned, left, value, upper, at)

    def _implied(
        self, relation: str, other: Atom, value: Value, upper: bool, at: Node
    ) -> Iterator[tuple[Atom, int]]:
        """What ``value <relation> other`` says of ``value``."""
        match relation, upper:
            case ("eq", _) | ("le", True) | ("ge", False):
                yield other, 0
            case ("lt", True):
                yield other, -1
            case ("gt", False):
                yield other, 1
            case ("ne", False):
                # what counts from 0, or down to it, and is not 0 is 1 or more
                loop = self._loop.get(value)
                if isinstance(loop, For) and value is loop.body.params[0]:
                    ahead = direction(loop)
                    last = loop.start if ahead > 0 else loop.stop
                    if ahead and isinstance(last, Const) and isinstance(other, Const):
                        if other.value == last.value + (ahead < 0):
                            yield other, 1


def _less(below: _Linear, above: _Linear, order: Order, by: int) -> bool:
    """Whether the largest of one span is below the smallest of the other.

    ``by`` is 1 where the write is the one above, -1 where it is the one below.
    """
    (low, c), (high, d) = below, above
    if low is not high:
        return False
    if low is None or low is not order.moved:
        return c < d
    return order.by == by and c <= d


def direction(loop: For) -> int:
    """1 for a loop that counts up, -1 for one that counts down, 0 where that is not known."""
    step = loop.step.value if isinstance(loop.step, Const) else None
    return (step > 0) - (step < 0) if type(step) is int else 0


def _is_whole(value: Value) -> bool:
    """Whether it is a whole number; another's bounds are no next ones, and nan has none."""
    return isinstance(value.kind, Num) and value.kind.dtype == "int64"
