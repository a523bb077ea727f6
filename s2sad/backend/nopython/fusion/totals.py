"""Sums as loops, and lengths of what need not exist.

In: an op that adds up elements of expressions, or asks how many there are. Out: a nest of loops,
merged with the nest before it where that can be::

    s = sum(mul(x, x))   ->   for i in range(n): s += x[i] * x[i]

NumPy says nothing of the order in which it adds, and LLVM may add in any; over a window, that is
short, it had better not, since vector code takes longer to get going than the additions.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from ....ir.kinds import Array, Num, not_one
from ....ir.nodes import Atom, Const, Node, Op, Value, version
from ....rules.registry import primitive
from .elements import through
from .extents import Extent, are_equal, total
from .facts import is_sum_along, summed_axes
from .loops import Carried, Counters, counters_for
from .parts import element_stored, has_sizes, loops_around, new_array
from .statements import Statements
from .views import View, parts_of
from .writing import ORIGIN, Place, Unsure, Writing, element_kind

__all__ = ["Totals"]


class Totals(Statements):
    """Statements that add up, too."""

    def summed(self, op: Op) -> None:
        """``np.sum``, ``np.mean`` and ``np.vdot`` of all elements."""
        (result,) = op.results
        axes = self.elements.joined(op.args)
        nodes: list[Node] = []
        self.compared(nodes)
        sizes = [e.length(nodes) for e in axes]
        self.out += nodes
        is_mean = op.fn == "np.mean"
        whole = version(result) if is_mean else result

        def write(counters: Counters, writing: Writing) -> list[Carried]:
            places = tuple(map(Place, counters.places))
            parts = [self.elements.element(a, places, writing) for a in op.args]
            kind = result.kind
            term = parts[0] if len(parts) == 1 else writing.op("mul", kind, *parts)
            before = version(result)
            after = writing.op(adding(axes), kind, before, term)
            zero = Const(0.0, Num("float64", False))
            return [Carried(zero, before, after, whole)]

        self.loop(sizes, write, op)
        if is_mean:
            count: list[Node] = []
            size = total(axes, count)
            self.out += [*count, Op((result,), "div", (whole, size), {}, op.span)]

    def asked(self, op: Op) -> None:
        """``len``, ``np.size`` and ``shape`` of what need not exist."""
        axes = self.elements.extents(op.args[0])
        nodes: list[Node] = []
        self.compared(nodes)
        if op.fn == "shape":
            lengths = tuple(e.length(nodes) for e in axes)
            self.out += [*nodes, Op(op.results, "tuple", lengths, {}, op.span)]
        elif set(op.attrs):
            raise Unsure
        else:
            size = axes[0].length(nodes) if op.fn == "len" else total(axes, nodes)
            self.out += [*nodes, Op(op.results, "int", (size,), {}, op.span)]

    def summed_along(self, op: Op) -> None:
        """``np.sum`` along axes, and ``unbroadcast``: elements are added to an array of zeros."""
        (result,) = op.results
        own, axes, kept = self.axes_of_sum(op)
        nodes: list[Node] = []
        self.compared(nodes)
        sizes = [e.length(nodes) for e in own]
        zeros = version(result)
        self.sizes.made[result] = axes
        depth = loops_around(counters_for(sizes), kept)
        is_scaled = any(e.key in self.elements.scales for e in axes)
        fn = "np.empty" if depth and not is_scaled else "np.zeros"
        new_array(zeros, [e.length(nodes) for e in axes], op.span, nodes, fn)
        self.out += nodes
        number = element_kind(result.kind)
        nothing = np.dtype(number.dtype).type(0).item()
        start = None if is_scaled else Const(nothing, number)
        self.loop(sizes, self.adding_up(op, zeros, result, axes, kept, depth, start), op)

    def summed_into(self, op: Op, part: Op) -> None:
        """``x += np.sum(v, axis)``: the elements of ``v`` are added where their sum would be."""
        array, (result,) = op.args[0], op.results
        kind = array.kind
        if not isinstance(array, Value) or not isinstance(kind, Array) or not kind.dims:
            raise Unsure
        if kind.dtype != "float64" or array in self.leaves(part.args[0]):
            raise Unsure
        index = Const.of(...) if op.fn == "add_to" else op.args[1]
        found = parts_of(index, len(kind.dims), self.facts.definitions)
        if found is None or not found[1]:
            raise Unsure
        seen_kind = kind if op.fn == "add_to" else primitive("item").kind((array, index), {})
        assert isinstance(seen_kind, Array)
        seen = View(array, *found)
        self.need(array)
        self.before_write(array)
        own, axes, kept = self.axes_of_sum(part)
        there = self.elements.of_view(seen, seen_kind)
        nodes: list[Node] = []
        self.compared(nodes)
        sizes = [e.length(nodes) for e in own]
        lengths = [e.length(nodes) for e in axes]
        if not has_sizes(lengths, [e.length(nodes) for e in there], self.sizes):
            raise Unsure
        self.out += nodes
        depth = loops_around(counters_for(sizes), kept)
        self.loop(sizes, self.adding_up(part, array, result, axes, kept, depth, None, seen), op)

    def adding_up(
        self,
        op: Op,
        array: Value,
        result: Value,
        axes: Sequence[Extent],
        kept: Sequence[int | None],
        depth: int,
        start: Atom | None,
        seen: View | None = None,
    ) -> Callable[[Counters, Writing], list[Carried]]:
        """What writes the terms of a sum to the array, or to a part of it."""
        fn = adding(self.elements.extents(op.args[0]))

        def write(counters: Counters, writing: Writing) -> list[Carried]:
            places = tuple(map(Place, counters.places))
            value = self.elements.element(op.args[0], places, writing)
            to = [Place(ORIGIN) if k is None else places[k] for k in kept]
            at = tuple(self.elements.along(e, p) for e, p in zip(axes, to, strict=True))
            if seen is not None:
                at = through(seen, at)
            if depth:
                number = element_kind(result.kind)
                before = Value(number)
                after = writing.op(fn, number, before, value)
                spot = tuple(map(writing.place, at))
                return [Carried(array, before, after, result, (), None, depth, spot, start)]
            inner = version(array)
            sums = element_stored(writing, "accumulate", array, inner, result, at, value, op.span)
            # Only the end of the loops makes it whole.
            return [replace(sums, places=())]

        return write

    def axes_of_sum(
        self, op: Op
    ) -> tuple[tuple[Extent, ...], tuple[Extent, ...], list[int | None]]:
        """The axes of what is summed, those of the sum, and for each of these the one it was."""
        if op.fn != "unbroadcast" and not is_sum_along(op):
            raise Unsure
        own = self.elements.extents(op.args[0])
        if op.fn == "unbroadcast":
            axes = self.elements.extents(op.args[1])
            return own, axes, self.places_below(own, axes)
        gone = summed_axes(op)
        assert gone is not None
        one = Extent(1, "one", lambda nodes: Const.of(1))
        keep = bool(op.attrs.get("keepdims", False))
        kept = [None if k in gone else k for k in range(len(own)) if keep or k not in gone]
        return own, tuple(one if k is None else own[k] for k in kept), kept

    def places_below(self, own: Sequence[Extent], axes: Sequence[Extent]) -> list[int | None]:
        """For each axis of the shape that ``unbroadcast`` sums down to, the axis it comes from."""
        first = len(own) - len(axes)
        kept: list[int | None] = []
        for k, x in enumerate(axes):
            e = own[first + k] if first >= 0 else None
            if e is None or (e.is_one() and not x.is_one()):
                raise Unsure
            is_known = x.is_one() or are_equal(e, x) or not_one(e.dim) or x.key in e.among
            if not is_known:
                raise Unsure
            self.elements.must_equal(e, [x])
            kept.append(None if x.is_one() else first + k)
        return kept


def adding(axes: Sequence[Extent]) -> str:
    """How the elements of an array are added up."""
    return "add" if axes and axes[-1].is_window else "plus"
