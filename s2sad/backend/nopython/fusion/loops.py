"""Loops over elements, and their merging.

In: lengths of axes and what is done at each place. Out: a `Nest`, which `For` nodes are made of in
the end. Two nests of the same lengths that follow each other become one where nobody can tell:
what the second reads of the arrays that the first writes, it reads where the first has just
written::

    for i in range(n): t[i] = 2.0 * a[i]        for i in range(n):
    for i in range(n): b[i] += t[i]        ->       b[i] += 2.0 * a[i]      (t is not needed)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from ....errors import Span
from ....ir.kinds import BOOL, INT, Array, Kind, Tuple
from ....ir.mapping import Mapper
from ....ir.nodes import (
    FALSE,
    Atom,
    Const,
    For,
    If,
    Node,
    Op,
    Region,
    Value,
    is_one,
    operands_of,
    read_by,
    version,
)
from .writing import ORIGIN, Apart, Places, Unsure, Writing, same_places

__all__ = ["Carried", "Counters", "Nest", "compare", "counters_for", "merged", "version"]

_NAMES = "ijklmn"

#: LLVM compares the addresses of arrays before it runs vector code, but no more than this many.
_COMPARISONS = 8


@dataclass(frozen=True, slots=True)
class Carried:
    """What a nest carries: an array that it writes, or a sum.

    ``inner`` is it at the start of an iteration, ``end`` at the end; ``stored`` is the element
    that is written at ``places``, where that is known. ``also`` are the places written before.

    ``depth``: the loops inside so many others all add to one element, the one at ``spot``. They
    carry that number, from ``start`` on (None: from what the array has there); ``inner`` and
    ``end`` are numbers then.
    """

    init: Atom
    inner: Value
    end: Atom
    result: Value
    places: Places = ()
    stored: Atom | None = None
    depth: int = 0
    spot: tuple[Atom, ...] = ()
    start: Atom | None = None
    also: tuple[Places, ...] = ()


@dataclass(frozen=True, slots=True)
class Counters:
    """The index along each axis, and the loops that there are."""

    places: tuple[Atom, ...]
    loops: tuple[tuple[Value, Atom], ...]
    sizes: tuple[Atom, ...]


def counters_for(sizes: Sequence[Atom]) -> Counters:
    """A counter for each length. An axis of length 1 needs no loop, unless that leaves none."""
    places: list[Atom] = []
    loops: list[tuple[Value, Atom]] = []
    for k, size in enumerate(sizes):
        if is_one(size) and (loops or k < len(sizes) - 1):
            places.append(ORIGIN)
        else:
            counter = Value(INT, None, _NAMES[len(loops) % len(_NAMES)])
            loops.append((counter, size))
            places.append(counter)
    return Counters(tuple(places), tuple(loops), tuple(sizes))


@dataclass(slots=True)
class Nest:
    """Nested loops, the last axis innermost; ``reads`` are elements of arrays it leaves alone.

    ``known`` are the elements that the body has computed, ``turns`` the indices of neighbours on a
    ring: the counter less a constant.
    """

    counters: Counters
    nodes: list[Node]
    carried: list[Carried]
    reads: list[tuple[Atom, Places]]
    span: Span | None
    known: dict[tuple[Atom, Places], Atom] = field(default_factory=dict)
    turns: dict[tuple[Value, int], Value] = field(default_factory=dict)

    def loop(self, bounds: Mapping[Value, tuple[Atom, Atom]] | None = None) -> For:
        """The nest as nodes; ``bounds`` of counters that do not go through all of an axis."""
        levels = _levels(self)
        results = [c.result for c in self.carried]
        return self._level(0, levels, [c.init for c in self.carried], results, bounds or {})

    def _level(
        self,
        k: int,
        levels: list[list[Node]],
        init: Sequence[Atom],
        results: Sequence[Value],
        bounds: Mapping[Value, tuple[Atom, Atom]],
    ) -> For:
        counter, size = self.counters.loops[k]
        nodes = levels[k]
        if k == len(self.counters.loops) - 1:
            params = [c.inner for c in self.carried]
            yields = [c.end for c in self.carried]
        else:
            params = [version(r) for r in results]
            inner: list[Atom] = []
            made: list[Value] = []
            yields = []
            after: list[Node] = []
            for c, p in zip(self.carried, params, strict=True):
                if c.depth == k + 1:
                    inner.append(_started(c, p, nodes))
                    made.append(version(c.inner))
                    yields.append(_put(c, p, made[-1], after))
                else:
                    inner.append(p)
                    made.append(version(p))
                    yields.append(made[-1])
            nodes = [*nodes, self._level(k + 1, levels, inner, made, bounds), *after]
        region = Region((counter, *params), tuple(nodes), (FALSE, *yields))
        start, stop = bounds.get(counter, (ORIGIN, size))
        span = None if k else self.span
        return For(tuple(results), start, stop, Const.of(1), tuple(init), region, span)


def _started(c: Carried, array: Value, nodes: list[Node]) -> Atom:
    """The number that is added to."""
    if c.start is not None:
        return c.start
    found = version(c.inner)
    nodes.append(Op((found,), "item", (array, _spot(c, nodes))))
    return found


def _put(c: Carried, array: Value, number: Value, nodes: list[Node]) -> Value:
    """The array with the sum in it."""
    new = version(array)
    nodes.append(Op((new,), "setitem", (array, _spot(c, nodes), number)))
    return new


def _spot(c: Carried, nodes: list[Node]) -> Atom:
    if len(c.spot) == 1:
        return c.spot[0]
    index = Value(Tuple(tuple(a.kind for a in c.spot)))
    nodes.append(Op((index,), "tuple", c.spot))
    return index


def _levels(nest: Nest) -> list[list[Node]]:
    """The nodes of each loop: what does not depend on the counters inside is done outside."""
    loops = nest.counters.loops
    last = len(loops)
    depth: dict[Value, int] = {counter: k + 1 for k, (counter, _) in enumerate(loops)}
    depth |= dict.fromkeys((c.inner for c in nest.carried), last)
    at: list[int] = []
    for node in nest.nodes:
        deepest = max([1, *(depth.get(a, 0) for a in read_by(node) if isinstance(a, Value))])
        at.append(last if isinstance(node, Op) and node.fn in _WRITES else deepest)
        depth |= dict.fromkeys(node.results, at[-1])
    spots = {a for c in nest.carried for a in c.spot}
    # Arithmetic on indices is part of the index, unless something further out needs it.
    for n in range(len(at) - 1, -1, -1):
        node = nest.nodes[n]
        if isinstance(node, If) or at[n] == last or spots.intersection(node.results):
            continue
        if all(_is_index(r.kind) for r in node.results):
            users = [at[m] for m, u in enumerate(nest.nodes) if _reads(u, node)]
            at[n] = max(at[n], min(users, default=last))
    return [[n for n, d in zip(nest.nodes, at, strict=True) if d == k + 1] for k in range(last)]


_WRITES = frozenset({"setitem", "accumulate"})


def _is_index(kind: Kind) -> bool:
    return kind == INT or isinstance(kind, Tuple)


def _reads(user: Node, node: Node) -> bool:
    read = read_by(user)
    return any(r in read for r in node.results)


def merged(
    first: Nest,
    write: Callable[[Counters, Writing], list[Carried]],
    span: Span | None,
    is_wanted: Callable[[Value], bool],
    apart: Apart,
) -> Nest | None:
    """One nest that does what ``first`` does and then what ``write`` writes, or None.

    ``write`` gets the counters and an empty body, in which it writes what is done at each place.
    ``is_wanted``: somebody else reads this version of an array, which must not be overwritten.
    """
    writing = Writing({}, known=dict(first.known), turns=dict(first.turns), apart=apart)
    try:
        second = write(first.counters, writing)
    except Unsure:  # they go round rings along different axes
        return None
    sums = {c.result for c in first.carried if not isinstance(c.result.kind, Array)}
    if any(a in sums for node in writing.nodes for a in read_by(node)):
        return None  # a sum that is read has to be complete
    written = {c.result: c for c in first.carried}
    old = {c.init: c for c in first.carried}
    nodes = list(first.nodes)
    mapping: dict[Value, Atom] = {}
    # What the second reads of arrays that the first writes must be what has just been written, or
    # what the first does not write.
    for array, places in writing.reads:
        if isinstance(array, Value) and array in written:
            if not _is_clear(written[array], places, apart):
                return None
        elif array in old:
            if not all(apart(p, places) for p in _written_at(old[array])):
                return None
            if isinstance(array, Value):
                mapping[array] = old[array].end
    carried = list(first.carried)
    for new in second:
        before = written.get(new.init) if isinstance(new.init, Value) else None
        if before is None:
            if new.init in old or not _reads_only(first, new.init, new, apart):
                return None
            nodes = (
                list(Mapper({new.init: new.inner}).nodes(nodes))
                if isinstance(new.init, Value)
                else nodes
            )
            carried.append(new)
        else:
            if not new.places or not _is_clear(before, new.places, apart):
                return None
            if is_wanted(before.result) or not _reads_only(first, before.init, new, apart):
                return None
            mapping[new.inner] = before.end
            at = carried.index(before)
            also = tuple(p for p in _written_at(before) if not same_places(p, new.places))
            carried[at] = replace(new, init=before.init, inner=before.inner, also=also)
    known = dict(mapping)
    more = _forwarded(writing, written, known)
    carried = [_known(c, known) for c in carried]
    more_reads = ((written[a].init if a in written else a, p) for a, p in writing.reads)
    reads = [*first.reads, *more_reads]
    now = {k: known.get(a, a) if isinstance(a, Value) else a for k, a in writing.known.items()}
    nest = Nest(
        first.counters, [*nodes, *more], carried, reads, first.span or span, now, writing.turns
    )
    elements: set[Atom] = {c.stored for c in first.carried if isinstance(c.stored, Value)}
    elements |= {a for (array, _), a in first.known.items() if array in written}
    is_read = any(elements.intersection(operands_of(n)) for n in more)
    return nest if is_read or _is_worth_it(first, nest, writing) else None


def _written_at(made: Carried) -> tuple[Places, ...]:
    return (made.places, *made.also)


def _is_clear(made: Carried, places: Places, apart: Apart) -> bool:
    """Whether an element is what the iteration itself has written, or what none writes."""
    return bool(made.places) and all(
        same_places(p, places) or apart(p, places) for p in _written_at(made)
    )


def _reads_only(first: Nest, array: Atom, new: Carried, apart: Apart) -> bool:
    """Whether the first nest reads what the second writes only where it writes it."""
    return all(
        a is not array
        or (bool(new.places) and (same_places(new.places, p) or apart(new.places, p)))
        for a, p in first.reads
    )


def _forwarded(
    writing: Writing, written: dict[Value, Carried], known: dict[Value, Atom]
) -> list[Node]:
    """The nodes of the second nest, with what the first has stored in the place of reading it.

    ``known`` has what the arrays that both write are at the start of the second; it is told what
    values have become.
    """
    stored = {c.end: c for c in written.values()}
    known.update({r: c.end for r, c in written.items()})
    kept: list[Node] = []
    for node in writing.nodes:
        if isinstance(node, Op) and node.fn == "item":
            array = node.args[0]
            now = known.get(array) if isinstance(array, Value) else None
            made = stored.get(now) if now is not None else None
            places = writing.loaded[node.results[0]]
            if made is not None and made.stored is not None and same_places(made.places, places):
                known[node.results[0]] = made.stored
                continue
        kept.append(node)
    return list(Mapper(known).nodes(kept))


def _known(c: Carried, known: dict[Value, Atom]) -> Carried:
    """The same after values have become others."""
    stored = known.get(c.stored, c.stored) if isinstance(c.stored, Value) else c.stored
    end = known.get(c.end, c.end) if isinstance(c.end, Value) else c.end
    return replace(c, stored=stored, end=end)


def _is_worth_it(first: Nest, nest: Nest, writing: Writing) -> bool:
    """Whether an array need not be read again, or LLVM makes vector code now as before."""
    read_again = {c.result for c in first.carried}
    if any(a in read_again for a, _ in writing.reads):
        return True
    writes = {id(c.init) for c in nest.carried if isinstance(c.init.kind, Array)}
    inner = nest.counters.loops[-1][0]
    everywhere = [p for _, p in nest.reads] + [p for c in nest.carried for p in _written_at(c)]
    if any(p.counter is inner for places in everywhere for p in places[:-1]):
        return True  # elements are not next to each other
    along = [a for a, places in nest.reads if any(p.counter is inner for p in places)]
    reads = set(map(id, along)) - writes
    return len(writes) * (len(writes) - 1) // 2 + len(writes) * len(reads) <= _COMPARISONS


def compare(a: Atom, b: Atom, unless: Value | None = None) -> list[Node]:
    """``if a != b: raise ValueError``, as NumPy does where shapes do not fit.

    With ``unless`` only where that is true, too: the second axis is longer than 1.
    """
    differ = Value(BOOL)
    said = Const.of("operands could not be broadcast together")
    fail = Op((), "raise", (Const.of(ValueError), said))
    nodes: list[Node] = [Op((differ,), "ne", (a, b))]
    if unless is not None:
        both = Value(BOOL)
        nodes.append(Op((both,), "and", (unless, differ)))
        differ = both
    return [*nodes, If((), differ, Region((), (fail,), ()), Region((), (), ()))]
