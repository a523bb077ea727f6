"""Single statements as loops.

In: an op on arrays whose operands may be expressions. Out: a nest of loops that computes it,
merged with the nest before it where that can be::

    y = add(mul(2.0, x), b)   ->   for i in range(n): y[i] = 2.0 * x[i] + b[i]
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ....ir.kinds import BOOL, INT, Array, Kind
from ....ir.nodes import Atom, Const, Node, Op, Region, Value, operands_of, version
from ....rules.registry import primitive
from .elements import LIKE, Elements, is_elementwise, is_plain, is_whole, through
from .extents import Extent, Sizes, are_equal, is_first_of, more
from .facts import SUMS, Facts
from .gathering import WIDER
from .loops import Carried, Counters, Nest, compare, counters_for, merged
from .parts import (
    element_stored,
    has_sizes,
    is_about_sizes,
    is_tape,
    keeping_last,
    name_of,
    new_array,
)
from .views import View, parts_of
from .writing import Apart, Place, Places, Unsure, Writing

__all__ = ["Statements"]


class Statements:
    """What is written of a region so far, and how to write more."""

    def __init__(
        self,
        facts: Facts,
        region: Region,
        proved: frozenset[frozenset[object]],
        sizes: Sizes,
    ) -> None:
        self.facts = facts
        self.region = region
        self.out: list[Node | Nest] = []
        self.lazy: dict[Value, Op] = {}
        #: sums that will be added to an array, term by term
        self.delayed: dict[Value, Op] = {}
        #: what is the same as a value that is there
        self.same: dict[Value, Atom] = {}
        #: arrays made in this region, which nobody else knows
        self.fresh: set[Atom] = set()
        self.mine = {r for node in region.ops for r in node.results}
        self.made: set[Value] = set()
        #: ops that have been looked at, and those of them that nothing is left to do for
        self.done: set[Node] = set()
        self.written_out: set[Node] = set()
        #: pairs of axes that have been compared
        self.proved = set(proved)
        self.sizes = sizes
        #: what is noted of extents that meet, for all `Elements` of the region
        self.marks: tuple[list[Any], list[Any], dict[Any, Atom]] = ([], [], {})
        self.elements = self.elements_of(self.lazy)

    def need(self, a: Atom) -> None:
        """Write what makes the value exist as an array."""
        raise NotImplementedError

    def before_write(self, array: Atom) -> None:
        """Compute now what reads an array that is going to be written."""
        raise NotImplementedError

    def leaves(self, a: Atom) -> set[Value]:
        """The arrays from which an expression takes its elements."""
        raise NotImplementedError

    # -- statements -------------------------------------------------------------------------------

    def computed(self, op: Op) -> None:
        """A new array, element by element."""
        (result,) = op.results
        if is_whole(op) and op.args[0] not in self.lazy and op.args[0].kind == result.kind:
            own = self.reusable(op, self.elements.extents(op.args[0]))
            if own is None:
                own = version(result)
                self.out.append(Op((own,), "copy", op.args, {}, op.span))
            self.whole(op, own)
            self.fresh.add(result)
            return
        lazy = {**self.lazy, result: op}
        elements = self.elements_of(lazy)
        axes = elements.extents(result)
        nodes: list[Node] = []
        self.compared(nodes)
        sizes = [e.length(nodes) for e in axes]
        whole = is_whole(op)
        filled = version(result) if whole else result
        own = self.reusable(op, axes)
        empty = version(result) if own is None else own

        def write(counters: Counters, writing: Writing) -> list[Carried]:
            places = tuple(map(Place, counters.places))
            inner = version(result)
            if own is not None:
                writing.carried = {own: (inner, places)}
            value = elements.element(op.args[0] if whole else result, places, writing)
            return [
                element_stored(writing, "setitem", empty, inner, filled, places, value, op.span)
            ]

        if own is not None:
            try:
                write(counters_for(sizes), Writing(apart=self.apart(op)))
            except Unsure:  # it is read elsewhere than where it would be written
                own, empty = None, version(result)
        if own is None:
            new_array(empty, sizes, op.span, nodes)
        self.out += nodes
        self.fresh.add(result)
        self.sizes.made[result] = axes
        self.loop(sizes, write, op)
        if whole:
            self.whole(op, filled)

    def reusable(self, op: Op, axes: Sequence[Extent]) -> Value | None:
        """An array made here, of the result's shape, that nothing but ``op`` reads any more."""
        parts = [self.lazy[v] for v in self.parts(op)]
        readers = {op, *parts, *self.written_out}
        for part in (op, *parts):
            for a in part.args:
                if a not in self.fresh or a in self.facts.kept or a.kind != op.results[0].kind:
                    continue
                assert isinstance(a, Value)
                free = all(n in readers and _lets_go(n) for n, _ in self.facts.uses[a])
                if free and all(map(are_equal, self.elements.extents(a), axes)):
                    return a
        return None

    def whole(self, op: Op, filled: Value) -> None:
        """Apply a function to all of a buffer, in its place."""
        f = Const.of(primitive(op.fn).fun)
        self.out.append(Op(op.results, "in_place", (f, filled), {}, op.span))

    def padded(self, op: Op) -> None:
        """Zeros that are so many elements wider along each axis than an array."""
        nodes: list[Node] = []
        sizes = [e.length(nodes) for e in self.elements.extents(op.args[0])]
        wide = [more(n, by, nodes) for n, by in zip(sizes, op.attrs[WIDER], strict=True)]
        new_array(op.results[0], wide, op.span, nodes, "np.zeros")
        self.out += nodes

    def stored(self, op: Op) -> None:
        """``x[i] = v`` and ``x[i] += v``, where i is a slice."""
        array, index, value = op.args
        kind = array.kind
        if not isinstance(kind, Array) or not kind.dims or not is_plain(kind):
            raise Unsure
        if not is_plain(value.kind) or not _fits(value.kind, kind):
            raise Unsure
        found = parts_of(index, len(kind.dims), self.facts.definitions)
        if found is None or not found[1]:
            raise Unsure
        seen_kind = primitive("item").kind((array, index), {})
        assert isinstance(seen_kind, Array)
        self.written(op, View(array, *found), seen_kind, op.fn)

    def added(self, op: Op) -> None:
        """``x += v`` of whole arrays."""
        array, value = op.args
        kind = op.results[0].kind
        assert isinstance(kind, Array)
        if array.kind != kind or kind.dims is None or not _fits(value.kind, kind):
            raise Unsure
        found = parts_of(Const.of(...), len(kind.dims), self.facts.definitions)
        assert found is not None
        self.written(op, View(array, *found), kind, "accumulate")

    def written(self, op: Op, seen: View, seen_kind: Kind, fn: str) -> None:
        array, value = op.args[0], op.args[-1]
        assert isinstance(array, Value)
        self.need(array)
        # What reads the array is computed before, but for the op itself.
        own = self.parts(op)
        for v in reversed(list(self.lazy)):
            shared = v in self.lazy and v not in own and is_elementwise(self.lazy[v])
            if shared and array in self.leaves(v):
                self.need(v)
        reading = {v: self.lazy[v] for v in self.parts(op)}
        for v in reading:
            del self.lazy[v]
        self.before_write(array)
        self.lazy.update(reading)
        (result,) = op.results
        axes = self.elements.of_view(seen, seen_kind)
        self.elements.align(value, axes)
        nodes: list[Node] = []
        self.compared(nodes)
        sizes = [e.length(nodes) for e in axes]
        self.out += nodes

        def write(counters: Counters, writing: Writing) -> list[Carried]:
            inner = version(array)
            inside = through(seen, tuple(map(Place, counters.places)))
            writing.carried = {array: (inner, inside)}
            places = tuple(map(Place, counters.places))
            element = self.elements.element(value, places, writing)
            return [element_stored(writing, fn, array, inner, result, inside, element, op.span)]

        try:
            write(counters_for(sizes), Writing(apart=self.apart(op)))
        except Unsure:
            # It reads the array elsewhere than where it is written: all of it is computed first.
            if not isinstance(value, Value) or value not in self.lazy:
                raise
            self.need(value)
        self.loop(sizes, write, op)

    def parts(self, op: Op) -> list[Value]:
        """The expressions that an op is made of, and that nothing else will read."""
        found: list[Value] = []
        readers: set[Node] = {op, *self.written_out}
        ahead = list(op.args)
        while ahead:
            a = ahead.pop(0)
            if not isinstance(a, Value) or a not in self.lazy or a in found:
                continue
            if all(n in readers for n, _ in self.facts.uses[a]):
                found.append(a)
                readers.add(self.lazy[a])
                ahead += self.lazy[a].args
        return found

    def loop(
        self,
        sizes: Sequence[Atom],
        write: Callable[[Counters, Writing], list[Carried]],
        op: Op,
    ) -> None:
        """Add a nest, or what it does to the nest before it."""
        apart = self.apart(op)
        at = self.last()
        last = self.out[at] if at >= 0 else None
        if isinstance(last, Nest) and has_sizes(last.counters.sizes, sizes, self.sizes):
            made = {c.result for c in last.carried}
            before, after = keeping_last(self.out[at + 1 :], made)
            both = None
            if all(map(is_tape, after)):
                both = merged(last, write, op.span, lambda v: self.is_wanted(v, op), apart)
            if both is not None:
                # What is kept must not be written again before it is.
                lost = {c.init for c in both.carried} | made - {c.result for c in both.carried}
                if not _reads_any(after, lost):
                    self.out[at:] = [*before, both, *after]
                    return
        counters, writing = counters_for(sizes), Writing(apart=apart)
        carried = write(counters, writing)
        nodes, known, turns = writing.nodes, writing.known, writing.turns
        self.out.append(Nest(counters, nodes, carried, writing.reads, op.span, known, turns))

    def apart(self, op: Op) -> Apart:
        """What tells places that are never the same, by indices that do not depend on counters."""
        are_apart = self.facts.indices.are_apart

        def apart(a: Places, b: Places) -> bool:
            return len(a) == len(b) and any(
                p.exact and q.exact and are_apart(p.counter, q.counter, op)
                for p, q in zip(a, b, strict=True)
            )

        return apart

    def last(self) -> int:
        """Where the last node is that does anything but make room, or keep what there is."""
        at = len(self.out) - 1
        while at >= 0 and (is_about_sizes(self.out[at]) or is_tape(self.out[at])):
            at -= 1
        return at

    def is_at_hand(self, op: Op) -> bool:
        """Whether the loop before makes what the op adds up."""
        at = self.last()
        last = self.out[at] if at >= 0 else None
        made = isinstance(last, Nest) and op.args[0] in {
            c.result for c in last.carried if c.places
        }
        return made and op.args[0] in self.fresh

    def is_wanted(self, v: Value, op: Op) -> bool:
        """Whether anything but ``op``, and the expressions it is made of, still reads a value."""
        parts = {self.lazy[x] for x in self.parts(op)}
        rest = {n for n, _ in self.facts.uses.get(v, ())} - parts - {op} - self.written_out
        return v in self.facts.kept or bool(rest)

    def elements_of(self, lazy: dict[Value, Op]) -> Elements:
        shared = self.marks
        return Elements(self.facts.definitions, lazy, self.facts.builder, self.sizes, *shared)

    def compared(self, nodes: list[Node]) -> None:
        """Raise where axes that have to be equal are not; find out which have length 1."""
        for a, b in self.elements.compared:
            pair = frozenset((name_of(a), name_of(b)))
            if pair not in self.proved:
                self.proved.add(pair)
                first, second = a.length(nodes), b.length(nodes)
                if self.sizes.same(first) is not self.sizes.same(second):
                    nodes += compare(first, second)
                    self.sizes.now_equal(first, second)
        for a, b in self.elements.stretched:
            long = Value(BOOL)
            pair = frozenset((name_of(a), name_of(b)))
            if b.key in self.elements.scales and pair in self.proved:
                continue
            size = b.length(nodes)
            nodes.append(Op((long,), "ne", (size, Const.of(1))))
            if pair not in self.proved and not is_first_of(a, b):
                self.proved.add(pair)
                nodes += compare(a.length(nodes), size, unless=long)
            scale = Value(INT)
            nodes.append(Op((scale,), "int", (long,)))
            self.elements.scales[b.key] = scale
        self.elements.forget()


def _reads_any(nodes: Sequence[Node | Nest], values: set[Atom]) -> bool:
    return any(values.intersection(operands_of(n)) for n in nodes if not isinstance(n, Nest))


def _lets_go(user: Node) -> bool:
    """Whether a node neither keeps what it reads, as a tape does, nor makes a view of it."""
    if not isinstance(user, Op):
        return False
    return is_elementwise(user) or user.fn in SUMS or user.fn in _LET_GO


_LET_GO = frozenset({"len", "shape", "np.size", "matmul", "np.dot", "np.max", "np.min", *LIKE})


def _fits(value: Kind, array: Array) -> bool:
    """Whether elements can be written without changing their type."""
    dtype = getattr(value, "dtype", None)
    wide = {"float64": ("int64", "bool"), "complex128": ("float64", "int64", "bool")}
    return dtype == array.dtype or dtype in wide.get(array.dtype, ())
