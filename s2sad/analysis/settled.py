"""Settled elements: loads that give the same before or after a whole loop nest.

In: a function body. Out: ``Settled``, which gives for a load from an array that loops write to the
load from the array as it is after the loops (nothing writes there later), or as it was before them
(nothing has written there yet). Then the reverse sweep loads again, and needs no tape.

    for i in range(n):
        for j in range(i): s -= l[i, j] * x[j]      x[j] has its last value: load it from x after
        x[i] = s                                    the loops, whoever wants it

The proof compares a load with each write that would come between: two index expressions, linear
in the indices of the loops around them, that differ for all iterations concerned. Iterations are
compared loop by loop, outermost first, as in tests of dependences (Allen and Kennedy, *Optimizing
Compilers for Modern Architectures*, chapter 3); an index that might be negative proves nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from ..ir.kinds import Array, Num, length_of
from ..ir.nodes import Atom, Call, Const, For, If, Node, Op, Region, Value, While, regions_of
from ..rules.registry import primitive
from .storage import Overwritten

__all__ = ["Settled"]

#: A node's surroundings: loops, and branches with the number of the arm, outermost first.
_Path: TypeAlias = "tuple[tuple[Node, int], ...]"
#: ``base + offset``; the base is a size or the index of a loop, None for a constant
_Linear: TypeAlias = "tuple[Value | None, int]"
#: first and last element along an axis; None where there is no bound
_Span: TypeAlias = "tuple[Atom | None, Atom | None, int]"

_DEEPEST = 8
_OPPOSITE = {"lt": "ge", "ge": "lt", "gt": "le", "le": "gt", "eq": "ne", "ne": "eq"}


@dataclass(frozen=True, slots=True)
class _Order:
    """How the iterations of a load and of a write relate.

    The loops ``equal`` are in the same iteration; in that with the index ``moved`` the write's
    index is larger (``by`` is 1) or smaller (-1).
    """

    equal: frozenset[Value]
    moved: Value | None = None
    by: int = 0


@dataclass(frozen=True, slots=True)
class _History:
    """The versions of an array that a loop carries, and the operations that write to it."""

    versions: frozenset[Value]
    writes: tuple[Op, ...]


class Settled:
    """Facts about one function body; ``definition`` gives the operation behind a value."""

    def __init__(
        self,
        body: Region,
        definition: Mapping[Value, Op],
        overwritten: Overwritten,
    ) -> None:
        self._definition = definition
        self._overwritten = overwritten
        self._producer: dict[Value, Node] = {}
        self._path: dict[Node, _Path] = {}
        #: values in the order in which they come to be
        self._order: dict[Value, int] = {}
        #: the loop whose index or parameter a value is
        self._loop: dict[Value, For | While] = {}
        self._histories: dict[tuple[Node, int], _History | None] = {}
        self._found: dict[Value, Op | None] = {}
        self._survey(body, ())

    def load(self, value: Value) -> Op | None:
        """The load from another version of its array that gives ``value``, if there is one."""
        if value not in self._found:
            op = self._definition.get(value)
            known = op is not None and op.fn == "item" and op in self._path
            self._found[value] = self._search(op) if known and op is not None else None
        return self._found[value]

    def _search(self, load: Op) -> Op | None:
        base = load.args[0]
        if not isinstance(base, Value) or not isinstance(base.kind, Array):
            return None
        for loop, _ in self._path[load]:
            if not isinstance(loop, For | While):
                continue
            for k, (result, init) in enumerate(zip(loop.results, loop.init, strict=True)):
                history = self._history(loop, k)
                if history is None or base not in history.versions:
                    continue
                for source, later in ((result, True), (self._unwritten(init), False)):
                    if (
                        source is not None
                        and source not in self._overwritten
                        and _alike(source, base)
                        and all(self._apart(load, w, loop, later) for w in history.writes)
                    ):
                        return Op(
                            load.results, "item", (source, load.args[1]), load.attrs, load.span
                        )
        return None

    def _unwritten(self, init: Atom) -> Value | None:
        """What a loop starts from, or what that is a copy of."""
        op = self._definition.get(init) if isinstance(init, Value) else None
        if op is not None and op.fn in ("copy", "np.copy") and isinstance(op.args[0], Value):
            return op.args[0]
        return init if isinstance(init, Value) else None

    # -- the program ----------------------------------------------------------------------------

    def _survey(self, region: Region, path: _Path) -> None:
        for node in region.ops:
            self._path[node] = path
            for n, inner in enumerate(regions_of(node)):
                if isinstance(node, For | While):
                    self._loop.update(dict.fromkeys(inner.params, node))
                for p in inner.params:
                    self._order[p] = len(self._order)
                self._survey(inner, (*path, (node, n)))
            for r in node.results:
                self._producer[r] = node
                self._order[r] = len(self._order)

    def _history(self, loop: For | While, k: int) -> _History | None:
        """What happens to the ``k``-th array a loop carries; None if that is not all known."""
        key = (loop, k)
        if key not in self._histories:
            start = _parameters(loop)[k]
            versions, writes = {start}, list[Op]()
            current = self._follow(loop.body, {start}, versions, writes)
            known = isinstance(start.kind, Array) and loop.body.yields[k + 1] in current
            self._histories[key] = _History(frozenset(versions), tuple(writes)) if known else None
        return self._histories[key]

    def _follow(
        self, region: Region, current: set[Value], versions: set[Value], writes: list[Op]
    ) -> set[Value]:
        """The names that the latest version of an array has at the end of a region.

        ``current`` are those at its beginning. Empty if the versions are not one line: where an
        array is put back to what it was, or written by what is not known.
        """
        for node in region.ops:
            before = current
            match node:
                case Op(fn="setitem", args=(Value() as base, *_)) if base in current:
                    writes.append(node)
                    current = {node.results[0]}
                case Op():
                    record = primitive(node.fn)
                    if record.writes is not None and node.args[record.writes] in current:
                        return set()
                case Call():
                    if not current.isdisjoint(a for a in node.args if isinstance(a, Value)):
                        return set()
                case If():
                    arms = [a for a in (node.then, node.orelse) if not _raises(a)]
                    ends = [self._follow(arm, current, versions, writes) for arm in arms]
                    joined = {
                        r
                        for n, r in enumerate(node.results)
                        if all(a.yields[n] in end for a, end in zip(arms, ends, strict=True))
                    }
                    if all(end == current for end in ends):
                        current = current | joined
                    elif joined:
                        current = joined
                    else:
                        return set()
                case For() | While():
                    carried = [k for k, init in enumerate(node.init) if init in current]
                    if not carried:
                        ends = [self._follow(node.body, current, versions, writes)]
                        if ends[0] != current:
                            return set()
                    elif len(carried) == 1:
                        (k,) = carried
                        start = _parameters(node)[k]
                        versions.add(start)
                        end = self._follow(node.body, {start}, versions, writes)
                        if node.body.yields[k + 1] not in end:
                            return set()
                        current = {node.results[k]} | (current if end == {start} else set())
                    else:
                        return set()
            if current is not before:
                versions |= current
        return current

    # -- the proof ------------------------------------------------------------------------------

    def _apart(self, load: Op, write: Op, outermost: Node, later: bool) -> bool:
        """Whether no write after the load, or before it if not ``later``, is to what it reads."""
        mine, other = self._path[load], self._path[write]
        first = next(n for n, (node, _) in enumerate(mine) if node is outermost)
        reads, writes = self._spans(load.args[1]), self._spans(write.args[1])
        if reads is None or writes is None:
            return False
        equal: frozenset[Value] = frozenset()
        for (node, arm), theirs in zip(mine[first:], other[first:], strict=False):
            if theirs[0] is not node:
                break
            if theirs[1] != arm:
                return True  # the other arm of a branch: never in the same iteration
            if isinstance(node, If):
                continue
            index, direction = None, 0
            if isinstance(node, For):
                index = node.body.params[0]
                direction = _direction(node) * (1 if later else -1)
            order = _Order(equal, index if direction else None, direction)
            if not self._differ(load, reads, write, writes, outermost, order):
                return False
            if index is not None:
                equal |= {index}
        read_version = load.args[0]
        assert isinstance(read_version, Value)
        is_before = self._order[write.results[0]] <= self._order[read_version]
        if is_before == later:
            return True
        return self._differ(load, reads, write, writes, outermost, _Order(equal))

    def _differ(
        self,
        load: Op,
        reads: list[_Span],
        write: Op,
        writes: list[_Span],
        outermost: Node,
        order: _Order,
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

    def _spans(self, index: Atom) -> list[_Span] | None:
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

    def _span(self, part: object) -> _Span | None:
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
            return (part, part, 0) if part.kind.dtype == "int64" else None
        op = self._definition.get(part)
        if op is None or op.fn != "slice":
            return None
        first, last, step = (None if _is_none(a) else a for a in op.args)
        if step is not None and not (isinstance(step, Const) and step.value == 1):
            return None
        return first or Const.of(0), last, -1

    def _is_counted(self, span: _Span, at: Op) -> bool:
        """Whether both ends count from the beginning: neither may be negative."""
        return all(
            any(
                offset >= 0 and (base is None or length_of(base.kind) is not None)
                for base, offset in self._bounds(end, 0, False, at, None, _Order(frozenset()))
            )
            for end in span[:2]
            if end is not None
        )

    def _bounds(
        self,
        atom: Atom | None,
        offset: int,
        upper: bool,
        at: Op,
        outermost: Node | None,
        order: _Order,
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
        if not isinstance(atom, Value) or depth > _DEEPEST:
            return
        if atom in order.equal or atom is order.moved or self._is_outside(atom, outermost):
            yield atom, offset
        further: list[tuple[Atom, int]] = list(self._said(atom, upper, at))
        loop = self._loop.get(atom)
        if isinstance(loop, For) and atom is loop.body.params[0] and _direction(loop):
            ahead = _direction(loop) > 0
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
        producer = self._loop.get(value) or self._producer.get(value)
        if producer is None:
            return True  # a parameter of the function
        return producer is not loop and all(n is not loop for n, _ in self._path[producer])

    def _said(self, value: Value, upper: bool, at: Op) -> Iterator[tuple[Atom, int]]:
        """Bounds that the conditions of the branches around ``at`` set."""
        for node, arm in self._path[at]:
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
        self, relation: str, other: Atom, value: Value, upper: bool, at: Op
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
                # what counts from 0 and is not 0 is 1 or more
                loop = self._loop.get(value)
                if (
                    isinstance(loop, For)
                    and value is loop.body.params[0]
                    and _direction(loop) > 0
                    and isinstance(loop.start, Const)
                    and isinstance(other, Const)
                    and loop.start.value == other.value
                ):
                    yield other, 1


def _less(below: _Linear, above: _Linear, order: _Order, by: int) -> bool:
    """Whether the largest of one span is below the smallest of the other.

    ``by`` is 1 where the write is the one above, -1 where it is the one below.
    """
    (low, c), (high, d) = below, above
    if low is not high:
        return False
    if low is None or low is not order.moved:
        return c < d
    return order.by == by and c <= d


def _parameters(loop: For | While) -> tuple[Value, ...]:
    return loop.body.params[1:] if isinstance(loop, For) else loop.body.params


def _direction(loop: For) -> int:
    """1 for a loop that counts up, -1 for one that counts down, 0 where that is not known."""
    step = loop.step.value if isinstance(loop.step, Const) else None
    return (step > 0) - (step < 0) if type(step) is int else 0


def _is_none(atom: Atom) -> bool:
    return isinstance(atom, Const) and atom.value is None


def _raises(region: Region) -> bool:
    return any(isinstance(n, Op) and n.fn == "raise" for n in region.ops)


def _alike(source: Value, base: Value) -> bool:
    return (
        isinstance(source.kind, Array)
        and isinstance(base.kind, Array)
        and source.kind.dtype == base.kind.dtype
        and source.kind.rank == base.kind.rank
    )
