"""Loops that count down, run upwards where their order does not matter.

In: a module for Numba. Out: the same module in which a loop of step -1 counts up if its iterations
may run in any order: each has elements of the arrays it changes to itself, or only adds to them.
So are the reverses of loops whose iterations did not depend on each other::

    for i in range(n - 1, -1, -1):            for i in range(n):
        t = y_bar[i] * h                  ->      t = y_bar[i] * h
        k_bar[i] += t                             k_bar[i] += t

LLVM proves of an index that grows from 0 that it is in bounds and never counts from the end, and
computes several iterations at once; of one that falls it does not (two to six times as slow). The
sums of a loop come out in another order, which is as good as the first.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from ...ir.kinds import Array, Num
from ...ir.mapping import map_regions, with_nodes
from ...ir.nodes import (
    Atom,
    Call,
    Const,
    For,
    Function,
    If,
    Module,
    Node,
    Op,
    Region,
    Value,
    While,
    read_in,
    regions_of,
    walk,
)
from ...rules.registry import primitive

__all__ = ["count_upwards"]

#: Where an access is: the axes at which its index is the loop's plus something, and what.
Places: TypeAlias = frozenset[tuple[int, object]]


def count_upwards(module: Module) -> Module:
    """The module with such loops counting upwards."""
    return Module({name: _function(f) for name, f in module.functions.items()})


def _function(f: Function) -> Function:
    loops = [n for n in walk(f.body) if isinstance(n, For) and _is(n.step, -1)]
    if not loops:
        return f
    facts = _Facts(f.body)
    chosen = {n for n in loops if _any_order(n, facts)}
    if not chosen:
        return f
    body = _turned(f.body, chosen, facts)
    return replace(f, body=_without_unread(body, {n.start for n in chosen}))


def _is(a: Atom, number: int) -> bool:
    return isinstance(a, Const) and type(a.value) is int and a.value == number


# -- what is known of whole numbers ---------------------------------------------------------------


class _Facts:
    """Who defines a value, and how small a whole number can be."""

    def __init__(self, body: Region) -> None:
        self.definition: dict[Value, Op] = {}
        self.index_of: dict[Value, For] = {}
        for node in walk(body):
            if isinstance(node, Op):
                self.definition.update(dict.fromkeys(node.results, node))
            elif isinstance(node, For):
                self.index_of[node.body.params[0]] = node

    def op(self, a: Atom) -> Op | None:
        return self.definition.get(a) if isinstance(a, Value) else None

    def least(self, a: Atom) -> int | None:
        """A number that ``a`` is never below; None where none is known."""
        if isinstance(a, Const):
            return a.value if type(a.value) is int else None
        loop = self.index_of.get(a)
        if loop is not None:
            if _is(loop.step, -1):
                return self._sum(loop.stop, 1)
            return self.least(loop.start) if _is(loop.step, 1) else None
        op = self.definition.get(a)
        if op is None:
            return None
        if op.fn == "len" or (op.fn == "item" and self._is_shape(op.args[0])):
            return 0
        if op.fn == "add":
            left, right = map(self.least, op.args)
            return None if left is None or right is None else left + right
        if op.fn == "sub" and isinstance(op.args[1], Const) and type(op.args[1].value) is int:
            return self._sum(op.args[0], -op.args[1].value)
        return None

    def _sum(self, a: Atom, by: int) -> int | None:
        least = self.least(a)
        return None if least is None else least + by

    def _is_shape(self, a: Atom) -> bool:
        op = self.op(a)
        return op is not None and op.fn == "shape"


# -- whether iterations may run in any order ------------------------------------------------------


@dataclass(slots=True)
class _Family:
    """The versions of one array that a loop carries, and what happens to its elements.

    ``places`` are those all accesses have in common; None before the first.
    """

    only_adds: bool = True
    places: Places | None = None

    def access(self, places: Places, adds: bool = False) -> None:
        self.only_adds &= adds
        self.places = places if self.places is None else self.places & places

    @property
    def commutes(self) -> bool:
        return self.only_adds or bool(self.places)


@dataclass(slots=True)
class _Sum:
    """The versions of one number that a loop adds to, none of which may be read but for that."""

    read: bool = False

    @property
    def commutes(self) -> bool:
        return not self.read


@dataclass(slots=True)
class _Body:
    """One pass through the body of a loop."""

    facts: _Facts
    index: Value
    inside: set[Value]
    family: dict[Atom, _Family] = field(default_factory=dict)
    sums: dict[Atom, _Sum] = field(default_factory=dict)

    def region(self, region: Region) -> bool:
        return all(map(self.node, region.ops))

    def node(self, node: Node) -> bool:
        match node:
            case Op():
                return self.op(node)
            case Call() | While():
                return False
            case If():
                if not (self.region(node.then) and self.region(node.orelse)):
                    return False
                self.read((node.cond,))
                ends = zip(node.then.yields, node.orelse.yields, strict=True)
                return all(self.join(r, e) for r, e in zip(node.results, ends, strict=True))
            case For():
                self.read((node.start, node.stop, node.step))
                params = node.body.params[1:]
                if not all(self.join(p, (a,)) for p, a in zip(params, node.init, strict=True)):
                    return False
                if not self.region(node.body):
                    return False
                self.read(node.body.yields[:1])
                for p, y, r in zip(params, node.body.yields[1:], node.results, strict=True):
                    if not self.join(r, (p, y)):
                        return False
                return True

    def join(self, result: Value, atoms: tuple[Atom, ...]) -> bool:
        """Whether ``result`` is the next version of what all ``atoms`` are, or of nothing."""
        families, sums = map(self.family.get, atoms), map(self.sums.get, atoms)
        family, *others = families
        total, *further = sums
        if any(f is not family for f in others) or any(t is not total for t in further):
            return False
        if family is not None:
            self.family[result] = family
        if total is not None:
            self.sums[result] = total
        return True

    def read(self, atoms: Iterable[Atom]) -> None:
        """Reads of whole values: of an array, all elements; of a sum, what it is in between."""
        for a in atoms:
            if (family := self.family.get(a)) is not None:
                family.access(frozenset())
            if (total := self.sums.get(a)) is not None:
                total.read = True

    def op(self, op: Op) -> bool:
        if op.fn == "tape_get":  # arrays come off a list, last first; numbers by their place
            return all(isinstance(r.kind, Num) for r in op.results)
        if primitive(op.fn).effect != "pure":
            return False
        if op.fn in ("shape", "len"):
            return True
        if not op.args:
            return True
        first, *rest = op.args
        if op.fn in ("item", "setitem", "accumulate", "add_to"):
            if (family := self.family.get(first)) is not None:
                places: Places = frozenset() if op.fn == "add_to" else self.places(op.args[1])
                family.access(places, adds=op.fn in ("accumulate", "add_to"))
                if op.fn != "item":
                    self.family[op.results[0]] = family
                self.read(rest)
                return True
        if op.fn == "add" and rest[0] in self.sums:
            first, rest = rest[0], [first]
        if op.fn in ("add", "sub", "add_to"):
            if (total := self.sums.get(first)) is not None:
                self.sums[op.results[0]] = total
                self.read(rest)
                return True
        self.read(op.args)
        return True

    def places(self, index: Atom) -> Places:
        """The axes at which an element's index is that of the loop plus something constant."""
        op = self.facts.op(index)
        parts = op.args if op is not None and op.fn == "tuple" else (index,)
        found: set[tuple[int, object]] = set()
        for axis, part in enumerate(parts):
            if not _takes_one_axis(part):
                break
            if (offset := self.offset(part)) is not None:
                found.add((axis, offset))
        return frozenset(found)

    def offset(self, a: Atom) -> object:
        """What is added to the loop's index to make ``a``, which is never negative; or None."""
        least = self.facts.least(a)
        if least is None or least < 0:
            return None  # one that counts from the end may meet one that does not
        if a is self.index:
            return 0
        op = self.facts.op(a)
        if op is None or op.fn not in ("add", "sub"):
            return None
        x, by = op.args
        if op.fn == "add" and by is self.index:
            x, by = by, x
        if x is not self.index or by in self.inside:
            return None
        if isinstance(by, Const):
            return by.value if op.fn == "add" else -by.value
        return (op.fn, by)


def _takes_one_axis(a: Atom) -> bool:
    """Whether an index is a number or a slice, so that the next one is of the next axis."""
    if isinstance(a, Const):
        return type(a.value) in (int, slice)
    return isinstance(a.kind, Num) and a.kind.dtype.startswith(("int", "uint"))


def _any_order(loop: For, facts: _Facts) -> bool:
    """Whether the iterations of a loop may run in any order, but for how sums are rounded."""
    if not (isinstance(loop.body.yields[0], Const) and loop.body.yields[0].value is False):
        return False
    inside = {*loop.body.params}
    for node in walk(loop.body):
        inside.update(node.results)
        for region in regions_of(node):
            inside.update(region.params)
    body = _Body(facts, loop.body.params[0], inside)
    carried = [
        (p, y)
        for p, y in zip(loop.body.params[1:], loop.body.yields[1:], strict=True)
        if p is not y
    ]
    for p, _ in carried:
        if isinstance(p.kind, Array):
            body.family[p] = _Family()
        elif isinstance(p.kind, Num):
            body.sums[p] = _Sum()
        else:
            return False
    own: dict[Atom, _Family | _Sum] = {**body.family, **body.sums}
    if not body.region(loop.body):
        return False
    ends: dict[Atom, _Family | _Sum] = {**body.family, **body.sums}
    return all(ends.get(y) is own[p] and own[p].commutes for p, y in carried)


# -- turning them round ---------------------------------------------------------------------------


def _turned(region: Region, chosen: set[For], facts: _Facts) -> Region:
    nodes: list[Node] = []
    for node in region.ops:
        new = map_regions(node, lambda inner: _turned(inner, chosen, facts))
        if isinstance(new, For) and node in chosen:
            start = _one_more(new.stop, facts, nodes)
            stop = _one_more(new.start, facts, nodes)
            new = replace(new, start=start, stop=stop, step=Const.of(1))
        nodes.append(new)
    return with_nodes(region, nodes)


def _one_more(a: Atom, facts: _Facts, nodes: list[Node]) -> Atom:
    if isinstance(a, Const):
        return Const.of(a.value + 1)
    op = facts.op(a)
    if op is not None and op.fn == "sub" and _is(op.args[1], 1):
        return op.args[0]
    more = Value(a.kind)
    nodes.append(Op((more,), "add", (a, Const.of(1))))
    return more


def _without_unread(region: Region, bounds: set[Atom]) -> Region:
    """The region without what computed the old bounds and nothing else."""
    read = read_in(region)

    def kept(node: Node) -> bool:
        return not (isinstance(node, Op) and bounds.issuperset(node.results) and node.results) or (
            not read.isdisjoint(node.results)
        )

    def swept(region: Region) -> Region:
        return with_nodes(region, [map_regions(n, swept) for n in region.ops if kept(n)])

    return swept(region)
