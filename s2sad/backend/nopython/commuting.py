"""Iterations that do not depend on each other.

In: a loop, and the index of this loop or of one inside it. Out: for each array and number that the
loop carries, whether iterations with different values of that index may run in any order: each has
elements of the array to itself, or only adds to them::

    for i in range(n): x_bar[i, 0] += y_bar[i] * h; y_bar[i] = 0.0     x_bar, y_bar: yes
    for i in range(1, n): x[i] = x[i - 1] * h                          x: no
    for i in range(n): y_bar[0] += x[i]                                y_bar: yes

What the reverse sweep only adds to comes out rounded another way; sums of the program do not.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

from ...analysis.indices import Indices, Order
from ...ir.kinds import Array, Kind, Num, Tuple
from ...ir.nodes import (
    Atom,
    Call,
    Const,
    For,
    If,
    Node,
    Op,
    Region,
    Value,
    While,
    is_int,
    is_of_reverse,
    never_leaves,
    regions_of,
    walk,
)
from ...rules.registry import has_primitive, primitive

__all__ = ["OF_SIZES", "Facts", "Family", "Sum", "histories", "is_of_sizes", "is_pure", "is_whole"]

#: Where an access is: the axes at which its index is the loop's plus something, and what.
Places: TypeAlias = frozenset[tuple[int, object]]


# -- what is known of whole numbers ---------------------------------------------------------------

#: What lengths are computed with.
OF_SIZES = frozenset({"add", "sub", "mul", "max", "min", "tuple", "len", "shape", "item"})


def is_whole(kind: Kind) -> bool:
    """Whether something is a whole number, or a tuple of them: an index or a shape."""
    if isinstance(kind, Tuple):
        return all(map(is_whole, kind.items))
    return isinstance(kind, Num) and kind.dtype == "int64"


def is_of_sizes(node: Node | None) -> bool:
    """Whether a node computes lengths or shapes: it may be computed even if nothing else is."""
    if not isinstance(node, Op) or node.fn not in OF_SIZES or node.attrs:
        return False
    if node.fn == "item" and not isinstance(node.args[0].kind, Tuple):
        return False
    return all(isinstance(r.kind, Tuple) or is_whole(r.kind) for r in node.results)


class Facts:
    """Who defines a value, and how small a whole number can be."""

    def __init__(self, body: Region) -> None:
        self.definition: dict[Value, Op] = {}
        self.index_of: dict[Value, For] = {}
        self.tapes: dict[int, Op] = {}
        self._body = body
        self._indices: Indices | None = None
        for node in walk(body):
            if isinstance(node, Op):
                self.definition.update(dict.fromkeys(node.results, node))
                if node.fn == "tape_new":
                    self.tapes[node.attrs["tape"]] = node
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
            if is_int(loop.step, -1):
                return self._sum(loop.stop, 1)
            return self.least(loop.start) if is_int(loop.step, 1) else None
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

    def never_meet(self, x: Op | None, y: Op | None, loop: For) -> bool:
        """Whether two accesses inside a loop are to different elements, in any two iterations."""
        if x is None or y is None or "add_to" in (x.fn, y.fn):
            return False
        if self._indices is None:
            self._indices = Indices(self._body, self.definition)
        first, second = map(self._indices.spans, (x.args[1], y.args[1]))
        if first is None or second is None:
            return False
        return self._indices.differ(x, first, y, second, loop, Order(frozenset()))

    def is_placed(self, op: Op) -> bool:
        """Whether what a tape holds is found by the number of the iteration, whoever comes first.

        So are numbers. Arrays come off a list, last first. What is both put on a tape and taken
        off inside a loop is put there anew in each iteration.
        """
        made = self.tapes.get(op.attrs["tape"])
        return made is not None and all(dtype is not None for _, dtype in made.attrs["fields"])

    def _sum(self, a: Atom, by: int) -> int | None:
        least = self.least(a)
        return None if least is None else least + by

    def _is_shape(self, a: Atom) -> bool:
        op = self.op(a)
        return op is not None and op.fn == "shape"


def is_pure(op: Op) -> bool:
    """Whether an op computes its results and does nothing else, as far as is known."""
    if op.fn in ("copied", "unpack"):  # of the backend's own making
        return True
    return has_primitive(op.fn) and primitive(op.fn).effect == "pure"


# -- whether iterations may run in any order ------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Access:
    """A read of an array or a write to it; ``op`` is None where all elements are read.

    ``places`` are where its index follows that of the loop.
    """

    op: Op | None
    places: Places = frozenset()

    @property
    def adds(self) -> bool:
        """Whether it adds to elements."""
        return self.op is not None and self.op.fn in ("accumulate", "add_to")

    @property
    def writes(self) -> bool:
        """Whether it changes elements."""
        return self.op is not None and self.op.fn != "item"


@dataclass(slots=True)
class Family:
    """The versions of one array that a loop carries, and what happens to its elements."""

    nest: For
    facts: Facts
    accesses: list[Access] = field(default_factory=list)

    def pairs(self) -> Iterator[tuple[int, int]]:
        """Accesses, by number, whose order matters where they are to the same element."""
        for n, x in enumerate(self.accesses):
            for m in range(n + 1):
                if x.writes or self.accesses[m].writes:
                    yield m, n

    def is_apart(self, m: int, n: int) -> bool:
        """Whether two accesses are to different elements in iterations of different index."""
        x, y = self.accesses[m], self.accesses[n]
        return not x.places.isdisjoint(y.places) or self.facts.never_meet(x.op, y.op, self.nest)

    @property
    def commutes(self) -> bool:
        """Whether iterations of different index may run in any order."""
        if all(x.adds and is_of_reverse(x.op) for x in self.accesses):
            return True
        return all(self.is_apart(m, n) for m, n in self.pairs())


@dataclass(slots=True)
class Sum:
    """The versions of one number that a loop adds to, none of which may be read but for that."""

    read: bool = False

    @property
    def commutes(self) -> bool:
        return not self.read


@dataclass(slots=True)
class _Body:
    """One pass through the body of a loop."""

    facts: Facts
    index: Value
    inside: set[Value]
    family: dict[Atom, Family] = field(default_factory=dict)
    sums: dict[Atom, Sum] = field(default_factory=dict)

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
                family.accesses.append(Access(None))
            if (total := self.sums.get(a)) is not None:
                total.read = True

    def op(self, op: Op) -> bool:
        if op.fn in ("tape_get", "tape_put") and not self.facts.is_placed(op):
            return False
        if op.fn == "tape_get":
            return True
        if op.fn == "tape_put":
            self.read(op.args)
            return True
        if not is_pure(op):
            return False
        if op.fn in ("shape", "len"):
            return True
        if not op.args:
            return True
        first, *rest = op.args
        if op.fn in ("item", "setitem", "accumulate", "add_to"):
            if (family := self.family.get(first)) is not None:
                places: Places = frozenset() if op.fn == "add_to" else self.places(op.args[1])
                family.accesses.append(Access(op, places))
                if op.fn != "item":
                    self.family[op.results[0]] = family
                self.read(rest)
                return True
        if op.fn == "add" and rest[0] in self.sums:
            first, rest = rest[0], [first]
        if op.fn == "plus" or (op.fn in ("add", "sub", "add_to") and is_of_reverse(op)):
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


def histories(loop: For, index: Value, nest: For, facts: Facts) -> list[Family | Sum] | None:
    """What becomes of each array or number that ``loop`` changes; None if that is not known.

    ``index`` is the loop's own or that of a loop inside it. ``nest`` is the loop that the facts
    know, or one around it: what is outside it is the same in all iterations.
    """
    if not never_leaves(loop):
        return None
    inside = {*loop.body.params}
    for node in walk(loop.body):
        inside.update(node.results)
        for region in regions_of(node):
            inside.update(region.params)
    body = _Body(facts, index, inside)
    carried = [
        (p, y)
        for p, y in zip(loop.body.params[1:], loop.body.yields[1:], strict=True)
        if p is not y
    ]
    for p, _ in carried:
        if isinstance(p.kind, Array):
            body.family[p] = Family(nest, facts)
        elif isinstance(p.kind, Num):
            body.sums[p] = Sum()
        else:
            return None
    own: dict[Atom, Family | Sum] = {**body.family, **body.sums}
    if not body.region(loop.body):
        return None
    ends: dict[Atom, Family | Sum] = {**body.family, **body.sums}
    return [own[p] for p, y in carried] if all(ends.get(y) is own[p] for p, y in carried) else None
