"""Storage: which versions of a buffer a later write takes over.

In: a region in value semantics. Out: ``Overwritten``, which answers two questions the reverse
sweep asks. ``v in overwritten``: will the buffer behind v be written after v was computed, so that
keeping v means copying it? ``latest(v)``: the last version of the same buffer, whose shape is
v's and which costs nothing to keep.

    u1 = setitem u0 i x        u0 is overwritten, latest(u0) is u1
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..ir.kinds import Array, ListOf, Mixed
from ..ir.nodes import Atom, Call, For, If, Node, Op, Region, Value, While, raises, regions_of
from ..rules.registry import primitive


class Overwritten:
    """Facts about one function body."""

    def __init__(
        self, body: Region, mutates: Mapping[str, Sequence[tuple[int, int]]] | None = None
    ) -> None:
        """``mutates``: of each callee, which parameters it writes and which result is the new
        version.
        """
        self._mutates = mutates or {}
        #: value -> values whose buffer becomes its own (loop and branch results, views)
        self._sources: dict[Value, list[Value]] = {}
        self._views: dict[Value, list[Value]] = {}
        #: value -> the results of branches and loops that it becomes
        self._targets: dict[Value, list[Value]] = {}
        self._next: dict[Value, Value] = {}
        #: version -> the first version of its buffer
        self._first: dict[Value, Value] = {}
        self._overwritten: set[Value] = set()
        #: the regions around the definition of a value, outermost first
        self._around: dict[Value, tuple[Region, ...]] = {}
        self._collect(body, (body,))
        self._close()

    def __contains__(self, value: Value) -> bool:
        return value in self._overwritten

    def latest(self, value: Value) -> Value:
        """The last version of the buffer of ``value`` that is known to have its shape.

        It is defined in the same region or around it: it can be read where ``value`` can.
        """
        around = self._around.get(value, ())
        last, seen = value, {value}
        while (following := self._next.get(value)) is not None and following not in seen:
            value = following
            seen.add(value)
            outer = self._around.get(value, ())
            if outer == around[: len(outer)]:
                last = value
        return last

    def _collect(self, region: Region, around: tuple[Region, ...]) -> None:
        for p in region.params:
            self._around[p] = around
        for node in region.ops:
            for r in node.results:
                self._around[r] = around
            match node:
                case Op():
                    self._collect_op(node)
                case Call():
                    for j, k in self._mutates.get(node.callee, ()):
                        buffer = node.args[j]
                        if isinstance(buffer, Value):
                            self._overwritten.add(buffer)
                            if isinstance(buffer.kind, Array):
                                self._renew(buffer, node.results[k])
                case If():
                    for r, a, b in zip(
                        node.results, node.then.yields, node.orelse.yields, strict=True
                    ):
                        self._flows(r, a)
                        self._flows(r, b)
                case For() | While():
                    params = node.body.params[1:] if isinstance(node, For) else node.body.params
                    for r, p, first, last in zip(
                        node.results, params, node.init, node.body.yields[1:], strict=True
                    ):
                        self._flows(p, first)
                        self._flows(p, last)
                        self._flows(r, last)
                        self._flows(r, first)
            for inner in regions_of(node):
                self._collect(inner, (*around, inner))
            self._link(node)

    def _collect_op(self, node: Op) -> None:
        record = primitive(node.fn)
        if record.writes is not None:
            buffer = node.args[record.writes]
            if isinstance(buffer, Value) and isinstance(buffer.kind, Array | ListOf | Mixed):
                self._overwritten.add(buffer)
                if isinstance(buffer.kind, Array):
                    self._renew(buffer, node.results[0])
        if record.view_of is not None and node.args:
            base = node.args[record.view_of]
            if isinstance(base, Value):
                for r in node.results:
                    self._views.setdefault(base, []).append(r)
                    self._sources.setdefault(r, []).append(base)

    def _renew(self, buffer: Value, version: Value) -> None:
        self._next[buffer] = version
        self._first[version] = self._first.get(buffer, buffer)

    def _flows(self, target: Value, source: Atom) -> None:
        if isinstance(source, Value) and source is not target:
            self._sources.setdefault(target, []).append(source)
            self._targets.setdefault(source, []).append(target)

    def _link(self, node: Node) -> None:
        """Versions that leave a region live on as the result outside."""
        if isinstance(node, If):
            for r, *arms in zip(node.results, node.then.yields, node.orelse.yields, strict=True):
                # Another array in the other arm may have another shape.
                live = [
                    y
                    for y, arm in zip(arms, (node.then, node.orelse), strict=True)
                    if not raises(arm)
                ]
                firsts = {self._first.get(y, y) if isinstance(y, Value) else None for y in live}
                if len(firsts) != 1 or None in firsts:
                    continue
                for y in live:
                    if isinstance(y, Value) and isinstance(y.kind, Array):
                        self._next.setdefault(y, r)
                        self._first[r] = self._first.get(y, y)
        if isinstance(node, For | While):
            params = node.body.params[1:] if isinstance(node, For) else node.body.params
            for first, p, last, r in zip(
                node.init, params, node.body.yields[1:], node.results, strict=True
            ):
                if isinstance(p.kind, Array) and p is not last and self._reaches(p, last):
                    assert isinstance(last, Value)
                    self._next.setdefault(last, r)
                    if isinstance(first, Value):
                        self._next.setdefault(first, r)
                        self._first[r] = self._first.get(first, first)

    def _reaches(self, param: Value, last: Atom) -> bool:
        """Whether ``last`` is a version of the buffer that came in as ``param``."""
        value, steps = param, 0
        while value is not last:
            following = self._next.get(value)
            if following is None or steps > 1000:
                return False
            value, steps = following, steps + 1
        return True

    def _close(self) -> None:
        """A source of something overwritten is overwritten, and so is every view of it.

        A view that leaves a branch or a loop is one outside, too.
        """
        seen = set[Value]()
        work = [(v, False) for v in self._overwritten]
        while work:
            v, is_view = work.pop()
            after = self._targets.get(v, ()) if is_view else ()
            for others, are_views in (
                (self._sources.get(v, ()), False),
                (self._views.get(v, ()), True),
                (after, True),
            ):
                for other in others:
                    if other not in self._overwritten or (are_views and other not in seen):
                        self._overwritten.add(other)
                        seen |= {other} if are_views else set()
                        work.append((other, are_views))
