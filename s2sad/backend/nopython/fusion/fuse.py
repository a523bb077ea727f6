"""Statements on whole arrays become loops over their elements.

Numba compiles a loop over elements many times faster than a statement with slices, and LLVM makes
vector code of it; intermediate arrays need not exist. In: a module in the forms of nopython mode.
Out: the same module in which arithmetic on arrays, stores into slices and sums are loops::

    b[1:-1] = 0.5 * (a[:-2] + a[2:])   ->   for i in range(len(a) - 2):
                                                b[i + 1] = 0.5 * (a[i] + a[i + 2])

A value exists as an array only where it is used more than once, or by something that is no loop. A
statement whose shapes are not known to fit (an axis may or may not be 1), or whose elements are
not of 64 bits, stays as it is.

Values have no storage here: that reads of an array come before the writes that follow them is made
sure of by computing what reads it before it is written (`_Region.before_write`), and where that
fails, by the copies that the backend puts in.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from ....errors import Span
from ....ir.builder import Builder
from ....ir.kinds import BOOL, INT, Array, Kind, Num, Sym, Tuple, not_one
from ....ir.mapping import map_regions
from ....ir.nodes import (
    Atom,
    Const,
    For,
    Function,
    If,
    Module,
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
from .common import computed_once
from .elements import (
    CONSTANTS,
    LIKE,
    Elements,
    Place,
    Places,
    Unsure,
    Writing,
    is_elementwise,
    is_plain,
    is_whole,
    through,
)
from .extents import Extent, Sizes, are_equal, total
from .loops import Carried, Counters, Nest, compare, counters_for, merged, version
from .views import View, parts_of, view

__all__ = ["fuse_loops"]


def fuse_loops(module: Module) -> Module:
    """The module with loops in the place of statements on whole arrays."""
    return Module({name: _function(f) for name, f in module.functions.items()})


def _function(f: Function) -> Function:
    f = computed_once(f)
    facts = _Facts(f)
    sizes = Sizes(f.params)
    body = _Region(facts, f.body, frozenset(), sizes).run()
    return replace(f, body=replace(body, ops=(*sizes.first, *body.ops)))


class _Facts:
    """What defines and what uses each value of a function."""

    def __init__(self, f: Function) -> None:
        self.definitions: dict[Value, Node] = {}
        self.uses: dict[Value, list[tuple[Node, int]]] = {}
        self.kept: set[Value] = set()  # yielded, carried, or used by nodes that are no ops
        for node in walk(f.body):
            for r in node.results:
                self.definitions[r] = node
            if isinstance(node, For):
                self.definitions[node.body.params[0]] = node
            if isinstance(node, Op):
                for k, a in enumerate(node.args):
                    if isinstance(a, Value):
                        self.uses.setdefault(a, []).append((node, k))
            else:
                self.kept.update(a for a in operands_of(node) if isinstance(a, Value))
            for region in regions_of(node):
                self.kept.update(a for a in region.yields if isinstance(a, Value))
        self.kept.update(a for a in f.body.yields if isinstance(a, Value))
        self.builder = Builder()
        self.builder.outer = {v: n for v, n in self.definitions.items() if isinstance(n, Op)}


def _takes_elements(node: Node, k: int, facts: _Facts) -> bool:
    """Whether the operand may be an expression: what reads it goes through its elements."""
    if not isinstance(node, Op):
        return False
    if is_elementwise(node):
        return node.fn != "add_to" or k == 1 or _is_computed(node.args[0], facts)
    if node.fn in ("setitem", "accumulate"):
        return k == 2 and is_plain(node.args[0].kind)
    if node.fn in LIKE:
        return is_plain(node.results[0].kind)
    if node.fn in _SUMS:
        return _is_whole_sum(node) or _is_sum_along(node)
    if node.fn in CONSTANTS:
        return False
    return k == 0 and view(node, facts.definitions) is not None


_SUMS = frozenset({"np.sum", "np.mean", "np.vdot"})


def _is_whole_sum(op: Op) -> bool:
    """A sum of all elements."""
    (result,) = op.results
    if op.attrs or not isinstance(result.kind, Num) or result.kind.dtype != "float64":
        return False
    return all(is_plain(a.kind) and isinstance(a.kind, Array) for a in op.args)


def _is_sum_along(op: Op) -> bool:
    """A sum along axes that are known."""
    (result,) = op.results
    return (
        op.fn == "np.sum"
        and set(op.attrs) <= {"axis", "keepdims"}
        and isinstance(result.kind, Array)
        and bool(result.kind.dims)
        and all(getattr(k, "dtype", None) == "float64" for k in (result.kind, op.args[0].kind))
        and _axes(op) is not None
    )


def _axes(op: Op) -> tuple[int, ...] | None:
    """The axes of a sum, counted from the first."""
    axis, kind = op.attrs.get("axis"), op.args[0].kind
    axes = axis if isinstance(axis, tuple) else (axis,)
    if not isinstance(kind, Array) or not kind.dims or not all(type(a) is int for a in axes):
        return None
    return tuple(a % len(kind.dims) for a in axes)


def _reads_elements(node: Node, k: int) -> bool:
    """Whether the operand is read, or only asked for its shape."""
    return not (isinstance(node, Op) and node.fn in LIKE and k == 1)


def _is_computed(a: Atom, facts: _Facts) -> bool:
    """Whether ``add_to(a, …)`` may as well be ``a + …``: nothing is gained by adding in place."""
    node = facts.definitions.get(a) if isinstance(a, Value) else None
    if not isinstance(node, Op) or len(facts.uses.get(a, ())) != 1 or a in facts.kept:  # type: ignore[arg-type]
        return False
    return is_elementwise(node) or node.fn in CONSTANTS


class _Region:
    """Rewrites one region; those inside it have objects of their own."""

    def __init__(
        self,
        facts: _Facts,
        region: Region,
        proved: frozenset[frozenset[object]],
        sizes: Sizes,
    ) -> None:
        self.facts = facts
        self.region = region
        self.out: list[Node | Nest] = []
        self.lazy: dict[Value, Op] = {}
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

    def run(self) -> Region:
        for node in self.region.ops:
            if node not in self.done:
                self.node(node)
        for y in self.region.yields:
            self.need(y)
        ops = tuple(n.loop() if isinstance(n, Nest) else n for n in self.out)
        return Region(self.region.params, ops, self.region.yields)

    # -- what stays an expression -----------------------------------------------------------------

    def stays(self, op: Op) -> bool:
        """Whether the result need not exist: all that use it go through its elements."""
        if len(op.results) != 1:
            return False
        (v,) = op.results
        uses = self.facts.uses.get(v, [])
        if v in self.facts.kept or not uses:
            return False
        here = all(set(n.results) <= self.mine and n.results for n, _ in uses)
        if not here or not all(_takes_elements(n, k, self.facts) for n, k in uses):
            return False
        reading = [n for n, k in uses if _reads_elements(n, k)]
        if is_elementwise(op):
            once = len(reading) == 1 and self.is_read_once(reading[0])
            return not reading or (once and not is_whole(op))
        if op.fn in CONSTANTS:
            return is_plain(v.kind) and bool(getattr(v.kind, "dims", None))
        if op.fn in LIKE:
            return is_plain(v.kind) and (op.fn != "unbroadcast" or self.sums_nothing(op))
        return is_plain(v.kind) and view(op, self.facts.definitions) is not None

    def is_read_once(self, user: Node) -> bool:
        """Whether what uses a value does so once for each element."""
        assert isinstance(user, Op)
        if view(user, self.facts.definitions) is None and user.fn not in LIKE:
            return True
        after = self.facts.uses.get(user.results[0], [])
        if user.fn == "broadcast_like" or len(after) != 1 or user.results[0] in self.facts.kept:
            return False
        return self.is_read_once(after[0][0])

    def sums_nothing(self, op: Op) -> bool:
        """Whether ``unbroadcast`` gives back what it is given, or repeats it."""
        try:
            own, like = map(self.elements.extents, op.args)
        except Unsure:
            return False
        finally:
            self.elements.forget()
        return len(own) <= len(like) and all(
            e.is_one() or are_equal(e, x) or not_one(x.dim)
            for e, x in zip(own[::-1], like[::-1], strict=False)
        )

    # -- nodes ------------------------------------------------------------------------------------

    def node(self, node: Node) -> None:
        self.done.add(node)
        if isinstance(node, Op):
            self.op(node)
        else:
            self.block(node)
        self.made.update(node.results)

    def op(self, op: Op) -> None:
        if self.stays(op):
            self.lazy[op.results[0]] = op
            return
        loop = None
        if is_elementwise(op):
            loop = self.computed if op.fn != "add_to" or self.is_sum(op) else self.added
        elif op.fn in ("setitem", "accumulate"):
            loop = self.stored
        elif op.fn == "unbroadcast" and is_plain(op.results[0].kind):
            if not self.sums_nothing(op):
                loop = self.summed_along
            elif op.args[0] in self.lazy:
                loop = self.computed
        elif op.fn in _SUMS and any(a in self.lazy for a in op.args):
            loop = self.summed if _is_whole_sum(op) else self.summed_along
        if loop is not None and self.tried(loop, op):
            return
        for a in op.args:
            self.need(a)
        at = None if op.fn in OWN else writes(op)
        if at is not None:
            self.before_write(op.args[at])
        self.out.append(op)
        self.finished(op)

    def is_sum(self, op: Op) -> bool:
        return _is_computed(op.args[0], self.facts)

    def tried(self, loop: Callable[[Op], None], op: Op) -> bool:
        """Write the op as a loop; False, and nothing written, if that cannot be done."""
        out, lazy = list(self.out), dict(self.lazy)
        proved, written_out = set(self.proved), set(self.written_out)
        known, scales = dict(self.sizes.known), dict(self.elements.scales)
        try:
            loop(op)
        except Unsure:
            self.out[:] = out
            self.proved, self.written_out = proved, written_out
            self.sizes.known = known
            self.elements.scales.clear()
            self.elements.scales.update(scales)
            self.lazy.clear()
            self.lazy.update(lazy)
            return False
        finally:
            self.elements.forget()
        self.finished(op)
        return True

    def finished(self, op: Op) -> None:
        """Drop the expressions that the op was the last to read."""
        self.written_out.add(op)
        for a in op.args:
            if isinstance(a, Value) and a in self.lazy:
                if all(n in self.written_out for n, _ in self.facts.uses[a]):
                    self.finished(self.lazy.pop(a))

    def block(self, node: Node) -> None:
        """A branch, a loop or a call: what it reads must exist, and may be written in it."""
        reads = [*operands_of(node), *(v for r in regions_of(node) for v in free_values(r))]
        for a in reads:
            self.need(a)
        for a in reads:
            self.before_write(a)
        self.out.append(map_regions(node, self.inner))

    def inner(self, region: Region) -> Region:
        """What a region inside this one becomes."""
        return _Region(self.facts, region, frozenset(self.proved), self.sizes.inside()).run()

    # -- making values exist ----------------------------------------------------------------------

    def need(self, a: Atom) -> None:
        """Write what makes the value exist as an array."""
        if not isinstance(a, Value) or a not in self.lazy:
            return
        op = self.lazy.pop(a)
        if (is_elementwise(op) or op.fn in LIKE) and self.tried(self.computed, op):
            return
        for x in op.args:
            self.need(x)
        self.out.append(op)
        self.finished(op)

    def before_write(self, array: Atom) -> None:
        """Compute now what reads an array that is going to be written."""
        if not isinstance(array, Value) or not isinstance(array.kind, Array):
            return
        reading = [v for v in self.lazy if array in self.leaves(v)]
        for v in reading:
            if v in self.lazy and is_elementwise(self.lazy[v]):
                self.need(v)
        for v in reading:
            if v in self.lazy:
                self.compute_users(v)
                self.need(v)

    def compute_users(self, v: Value) -> None:
        """Compute now the elementwise ops that read a view, if all else they read is there."""
        for n, _ in self.facts.uses[v]:
            if n in self.done or not isinstance(n, Op) or not is_elementwise(n):
                continue
            ready = all(
                not isinstance(a, Value) or a not in self.mine or a in self.made for a in n.args
            )
            if ready and n.fn != "add_to" and self.tried(self.computed, n):
                self.done.add(n)
                self.made.update(n.results)

    def leaves(self, a: Atom) -> set[Value]:
        """The arrays from which an expression takes its elements."""
        if not isinstance(a, Value):
            return set()
        op = self.lazy.get(a)
        if op is None:
            return {a}
        read = op.args[:1] if op.fn in LIKE else op.args
        return {leaf for x in read for leaf in self.leaves(x)}

    # -- statements -------------------------------------------------------------------------------

    def computed(self, op: Op) -> None:
        """A new array, element by element."""
        (result,) = op.results
        lazy = {**self.lazy, result: op}
        elements = self.elements_of(lazy)
        axes = elements.extents(result)
        nodes: list[Node] = []
        self.compared(op.span, nodes)
        sizes = [e.length(nodes) for e in axes]
        empty = version(result)
        _new(empty, sizes, op.span, nodes)
        self.out += nodes
        whole = is_whole(op)
        filled = version(result) if whole else result

        def write(counters: Counters, writing: Writing) -> list[Carried]:
            places = tuple(map(Place, counters.places))
            value = elements.element(op.args[0] if whole else result, places, writing)
            return [_stored(writing, "setitem", empty, version(empty), filled, places, value)]

        self.loop(sizes, write, op)
        if whole:
            f = Const.of(primitive(op.fn).fun)
            self.out.append(Op((result,), "in_place", (f, filled), {}, op.span))

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
        (result,) = op.results
        axes = self.elements.of_view(seen, seen_kind)
        self.elements.align(value, axes)
        nodes: list[Node] = []
        self.compared(op.span, nodes)
        sizes = [e.length(nodes) for e in axes]
        self.out += nodes

        def write(counters: Counters, writing: Writing) -> list[Carried]:
            inner = version(array)
            inside = through(seen, tuple(map(Place, counters.places)))
            writing.carried = {array: (inner, inside)}
            places = tuple(map(Place, counters.places))
            element = self.elements.element(value, places, writing)
            return [_stored(writing, fn, array, inner, result, inside, element)]

        try:
            write(counters_for(sizes), Writing())
        except Unsure:
            # It reads the array elsewhere than where it is written: all of it is computed first.
            if not isinstance(value, Value) or value not in self.lazy:
                raise
            self.need(value)
        # What reads the array is computed before, but for the op itself.
        reading = {v: self.lazy[v] for v in self.below(value)}
        for v in reading:
            del self.lazy[v]
        self.before_write(array)
        self.lazy.update(reading)
        self.loop(sizes, write, op)

    def below(self, a: Atom) -> list[Value]:
        """The expressions that an expression is made of, and that nothing else will read."""
        if not isinstance(a, Value) or a not in self.lazy:
            return []
        if any(n not in self.done for n, _ in self.facts.uses[a]):
            return []
        return [a, *(v for x in self.lazy[a].args for v in self.below(x))]

    def summed(self, op: Op) -> None:
        """``np.sum``, ``np.mean`` and ``np.vdot`` of all elements."""
        (result,) = op.results
        axes = self.elements.joined(op.args)
        nodes: list[Node] = []
        self.compared(op.span, nodes)
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
            after = writing.op("add", kind, before, term)
            return [Carried(Const(0.0, Num("float64", False)), before, after, whole)]

        self.loop(sizes, write, op)
        if is_mean:
            count: list[Node] = []
            size = total(axes, count)
            self.out += [*count, Op((result,), "div", (whole, size), {}, op.span)]

    def summed_along(self, op: Op) -> None:
        """``np.sum`` along axes, and ``unbroadcast``: elements are added to an array of zeros."""
        if op.fn != "unbroadcast" and not _is_sum_along(op):
            raise Unsure
        (result,) = op.results
        own = self.elements.extents(op.args[0])
        if op.fn == "unbroadcast":
            axes = self.elements.extents(op.args[1])
            kept = self.places_below(own, axes)
        else:
            gone = _axes(op)
            assert gone is not None
            one = Extent(1, "one", lambda nodes: Const.of(1))
            keep = bool(op.attrs.get("keepdims", False))
            kept = [None if k in gone else k for k in range(len(own)) if keep or k not in gone]
            axes = tuple(one if k is None else own[k] for k in kept)
        nodes: list[Node] = []
        self.compared(op.span, nodes)
        sizes = [e.length(nodes) for e in own]
        zeros = version(result)
        _new(zeros, [e.length(nodes) for e in axes], op.span, nodes, "np.zeros")
        self.out += nodes

        def write(counters: Counters, writing: Writing) -> list[Carried]:
            places = tuple(map(Place, counters.places))
            value = self.elements.element(op.args[0], places, writing)
            to = [Place(Const.of(0)) if k is None else places[k] for k in kept]
            at = tuple(self.elements.along(e, p) for e, p in zip(axes, to, strict=True))
            sums = _stored(writing, "accumulate", zeros, version(zeros), result, at, value)
            return [replace(sums, places=())]  # only the end of the loops makes it whole

        self.loop(sizes, write, op)

    def places_below(self, own: Sequence[Extent], axes: Sequence[Extent]) -> list[int | None]:
        """For each axis of the shape that ``unbroadcast`` sums down to, the axis it comes from."""
        first = len(own) - len(axes)
        kept: list[int | None] = []
        for k, x in enumerate(axes):
            e = own[first + k] if first >= 0 else None
            if e is None or (e.is_one() and not x.is_one()):
                raise Unsure
            if not x.is_one() and not are_equal(e, x) and not not_one(e.dim):
                raise Unsure
            self.elements.must_equal(e, [x])
            kept.append(None if x.is_one() else first + k)
        return kept

    def loop(
        self,
        sizes: Sequence[Atom],
        write: Callable[[Counters, Writing], list[Carried]],
        op: Op,
    ) -> None:
        """Add a nest, or what it does to the nest before it."""
        at = len(self.out) - 1
        while at >= 0 and _is_about_sizes(self.out[at]):
            at -= 1
        last = self.out[at] if at >= 0 else None
        if isinstance(last, Nest) and _same_sizes(last.counters.sizes, sizes):
            between = self.out[at + 1 :]
            made = {c.result for c in last.carried}
            if not any(made.intersection(n.args) for n in between if isinstance(n, Op)):
                both = merged(last, write, op.span, lambda v: self.is_wanted(v, op))
                if both is not None:
                    self.out[at:] = [*between, both]
                    return
        counters, writing = counters_for(sizes), Writing()
        carried = write(counters, writing)
        self.out.append(Nest(counters, writing.nodes, carried, writing.reads, op.span))

    def is_wanted(self, v: Value, op: Op) -> bool:
        """Whether anything but ``op``, and the expressions it is made of, still reads a value."""
        parts = {self.lazy[x] for a in op.args for x in self.below(a)}
        rest = {n for n, _ in self.facts.uses.get(v, ())} - parts - {op} - self.written_out
        return v in self.facts.kept or bool(rest)

    def elements_of(self, lazy: dict[Value, Op]) -> Elements:
        shared = self.marks
        return Elements(self.facts.definitions, lazy, self.facts.builder, self.sizes, *shared)

    def compared(self, span: Span | None, nodes: list[Node]) -> None:
        """Raise where axes that have to be equal are not; find out which have length 1."""
        for a, b in self.elements.compared:
            pair = frozenset((_name(a), _name(b)))
            if pair not in self.proved:
                self.proved.add(pair)
                nodes += compare(a.length(nodes), b.length(nodes), span)
        for a, b in self.elements.stretched:
            long = Value(BOOL)
            pair = frozenset((_name(a), _name(b)))
            if b.key in self.elements.scales and pair in self.proved:
                continue
            size = b.length(nodes)
            nodes.append(Op((long,), "ne", (size, Const.of(1)), {}, span))
            if pair not in self.proved:
                self.proved.add(pair)
                nodes += compare(a.length(nodes), size, span, unless=long)
            scale = Value(INT)
            nodes.append(Op((scale,), "int", (long,), {}, span))
            self.elements.scales[b.key] = scale
        self.elements.forget()


def _new(
    empty: Value,
    sizes: Sequence[Atom],
    span: Span | None,
    nodes: list[Node],
    fn: str = "np.empty",
) -> None:
    """``np.empty(sizes)`` or ``np.zeros(sizes)``."""
    assert isinstance(empty.kind, Array)
    if len(sizes) == 1:
        shape = sizes[0]
    else:
        shape = Value(Tuple(tuple(s.kind for s in sizes)))
        nodes.append(Op((shape,), "tuple", tuple(sizes), {}, span))
    attrs = {} if empty.kind.dtype == "float64" else {"dtype": empty.kind.dtype}
    nodes.append(Op((empty,), fn, (shape,), attrs, span))


def _stored(
    writing: Writing,
    fn: str,
    array: Value,
    inner: Value,
    result: Value,
    places: Places,
    value: Atom,
) -> Carried:
    """Write an element of an array; what a loop carries for it."""
    new = version(array)
    writing.nodes.append(Op((new,), fn, (inner, writing.index(places), value)))
    return Carried(array, inner, new, result, places, value if fn == "setitem" else None)


def _is_about_sizes(node: Node | Nest) -> bool:
    """Whether a node only has to do with lengths: it may as well come earlier."""
    if isinstance(node, If):
        return not node.results and all(_is_about_sizes(n) for n in node.then.ops)
    return (
        isinstance(node, Op)
        and node.fn in _OF_SIZES
        and not any(isinstance(r.kind, Array) and node.fn != "np.empty" for r in node.results)
    )


_NEW = frozenset({"np.empty", "np.zeros"})
_OF_SIZES = _NEW | {"len", "shape", "item", "sub", "max", "min", "mul", "tuple", "ne", "and"}
_OF_SIZES |= {"raise", "int"}


def _name(e: Extent) -> object:
    """What stands for an axis in what has been compared: its symbol, if it has one."""
    return e.dim if isinstance(e.dim, Sym) else e.key


def _same_sizes(a: Sequence[Atom], b: Sequence[Atom]) -> bool:
    return len(a) == len(b) and all(
        x is y or (isinstance(x, Const) and isinstance(y, Const) and x.value == y.value)
        for x, y in zip(a, b, strict=True)
    )


def _fits(value: Kind, array: Array) -> bool:
    """Whether elements can be written without changing their type."""
    dtype = getattr(value, "dtype", None)
    return dtype == array.dtype or (array.dtype == "float64" and dtype in ("int64", "bool"))
