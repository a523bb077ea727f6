"""What one element of an expression over arrays is.

In: values that need not exist as arrays, and the place of an element. Out: nodes that compute the
element from elements of arrays that do exist::

    t = mul(0.5, a[1:-1]);  t at i   ->   0.5 * a[i + 1]
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

import numpy as np

from ....ir.builder import Builder
from ....ir.facts import shape_root
from ....ir.kinds import BOOL, FLOAT, INT, Array, Kind, Num, Tuple, not_one
from ....ir.nodes import Atom, Const, If, Node, Op, Region, Value
from .extents import Extent, Sizes, are_equal, axes_of, common, part_of
from .views import Along, At, Definitions, View, view

__all__ = [
    "CONSTANTS",
    "LIKE",
    "ORIGIN",
    "WHOLE",
    "Elements",
    "Place",
    "Places",
    "Unsure",
    "Writing",
    "element_kind",
    "is_elementwise",
    "is_filled",
    "is_plain",
    "is_whole",
    "through",
]

#: Functions of numbers that are applied to each element.
ELEMENTWISE = frozenset(
    {"add", "sub", "mul", "div", "pow", "neg", "pos", "abs", "ratio", "add_to"}
    | {"lt", "le", "gt", "ge", "eq", "ne", "np.where"}
    | {
        f"np.{f}"
        for f in ("abs", "fabs", "square", "sqrt", "exp", "log", "log1p", "expm1", "exp2")
    }
    | {f"np.{f}" for f in ("sin", "cos", "tan", "sinh", "cosh", "tanh", "arcsin", "arccos")}
    | {f"np.{f}" for f in ("arctan", "arctan2", "hypot", "maximum", "minimum", "sign")}
    | {f"np.{f}" for f in ("logical_and", "logical_or", "logical_not", "isnan", "isfinite")}
    | {f"np.{f}" for f in ("add", "subtract", "multiply", "divide", "negative", "log2", "log10")}
    | {f"np.{f}" for f in ("less", "less_equal", "greater", "greater_equal", "equal", "not_equal")}
    | {"bitand", "bitor", "bitxor", "invert"}
)

#: Those that NumPy's loops compute many times faster for whole arrays than calls for each element.
WHOLE = frozenset(
    {f"np.{f}" for f in ("exp", "expm1", "exp2", "log", "log1p", "log2", "log10", "tan")}
    | {f"np.{f}" for f in ("sinh", "cosh", "tanh", "arcsin", "arccos", "arctan")}
)

#: Arrays all of whose elements are one number, and that number.
CONSTANTS: dict[str, float] = {
    "zeros_like": 0.0,
    "np.zeros_like": 0.0,
    "np.ones_like": 1.0,
}

#: Ops that broadcast to the shape of their second operand, whose elements they do not read.
LIKE = frozenset({"broadcast_like", "unbroadcast"})

#: Element types whose arithmetic is the same for numbers as for arrays.
_DTYPES = frozenset({"float64", "int64", "bool"})


class Unsure(Exception):
    """Shapes, types or order of memory are not known well enough for a loop."""


@dataclass(frozen=True, slots=True)
class Place:
    """An index along one axis: a loop's counter and what is added to it, or any atom.

    ``scale`` is 0 where the axis has length 1 and the loop goes along another, else 1. ``exact``:
    the program's own index of one element. ``turn``: so many places before the counter, on a ring.
    ``sliced``: it is one of a part of the axis.
    """

    counter: Atom
    start: Atom | None = None
    scale: Atom | None = None
    exact: bool = False
    turn: int = 0
    sliced: bool = False


Places: TypeAlias = tuple[Place, ...]

#: The index along an axis of length 1.
ORIGIN = Const.of(0)


def element_kind(kind: Kind) -> Num:
    """The kind of one element of an array."""
    assert isinstance(kind, Array)
    return Num(kind.dtype, False)


@dataclass(slots=True)
class Elements:
    """Extents and elements of values; ``lazy`` are those that do not exist as arrays.

    ``compared`` collects pairs of extents that have to be equal for the program to be right,
    ``stretched`` those whose second may also be 1; ``scales`` has what counters along these are
    multiplied by, once that is known.
    """

    definitions: Definitions
    lazy: Mapping[Value, Op]
    builder: Builder
    sizes: Sizes
    compared: list[tuple[Extent, Extent]] = field(default_factory=list)
    stretched: list[tuple[Extent, Extent]] = field(default_factory=list)
    scales: dict[Hashable, Atom] = field(default_factory=dict)

    # -- extents ----------------------------------------------------------------------------------

    def extents(self, a: Atom) -> tuple[Extent, ...]:
        """The axes of a number (none) or an array. Raises Unsure."""
        if isinstance(a.kind, Num):
            return ()
        op = self.lazy.get(a) if isinstance(a, Value) else None
        if op is None:
            return self.of_array(a)
        seen = view(op, self.definitions)
        if seen is not None:
            return self.of_view(seen, op.results[0].kind)
        if op.fn in CONSTANTS or is_filled(op):
            return self.extents(op.args[0])
        if op.fn in LIKE:
            like = self.extents(op.args[1])
            self.align(op.args[0], like)
            return like
        return self.joined(op.args)

    def of_array(self, a: Atom) -> tuple[Extent, ...]:
        """The axes of an array that exists. Raises Unsure."""
        root = shape_root(self.builder, a)
        for made in (a, root):
            if made in self.sizes.made:
                return self.sizes.made[made]
        node = self.definitions.get(root) if isinstance(root, Value) else None
        seen = view(node, self.definitions) if isinstance(node, Op) else None
        found = axes_of(a, root, self.sizes) if seen is None else self.of_view(seen, root.kind)
        if found is None:
            raise Unsure
        return found

    def of_view(self, seen: View, kind: Kind) -> tuple[Extent, ...]:
        """The axes of a view of that kind. Raises Unsure."""
        dims = _dims(kind)
        base = self.extents(seen.base)
        found: list[Extent | None] = [None] * seen.rank
        for part, whole in zip(seen.parts, base, strict=True):
            if isinstance(part, Along):
                dim = dims[part.axis]
                found[part.axis] = part_of(whole, part, dim, self.sizes, self.definitions)
        one = Extent(1, "one", lambda nodes: Const.of(1))
        return tuple(one if e is None else e for e in found)

    def joined(self, atoms: Sequence[Atom]) -> tuple[Extent, ...]:
        """The axes of the result of an elementwise function."""
        shapes = [self.extents(a) for a in atoms]
        rank = max(map(len, shapes))
        result: list[Extent] = []
        for k in range(-rank, 0):
            axis: Extent | None = None
            meeting = [s[k] for s in shapes if len(s) >= -k]
            for e in meeting:
                axis = e if axis is None else common(axis, e, self.sizes)
            assert axis is not None
            self.must_equal(axis, meeting)
            result.append(axis)
        return tuple(result)

    def must_equal(self, axis: Extent, others: Sequence[Extent]) -> None:
        """Note what is to be made sure of where axes are gone through by one counter."""
        for e in others:
            if e.is_one() or are_equal(axis, e):
                continue
            (self.compared if not_one(e.dim) else self.stretched).append((axis, e))

    def align(self, a: Atom, axes: Sequence[Extent]) -> None:
        """Make sure that ``a`` can be broadcast to ``axes``. Raises Unsure."""
        own = self.extents(a)
        if len(own) > len(axes):
            raise Unsure
        for e, axis in zip(own[::-1], axes[::-1], strict=False):
            if axis.is_one() and not e.is_one():
                raise Unsure
            self.must_equal(axis, [e])

    def forget(self) -> None:
        """Drop what has been noted of extents that meet."""
        self.compared.clear()
        self.stretched.clear()

    # -- elements ---------------------------------------------------------------------------------

    def element(self, a: Atom, places: Places, writing: Writing) -> Atom:
        """The element of ``a``, broadcast to as many axes as there are places. Raises Unsure."""
        if isinstance(a.kind, Num):
            return a
        own = self.extents(a)
        rest = places[len(places) - len(own) :]
        return self.at(a, tuple(map(self.along, own, rest)), writing)

    def at(self, a: Atom, mine: Places, writing: Writing) -> Atom:
        """The element of ``a`` at places along its own axes. Raises Unsure."""
        known = writing.known.get((a, mine))
        if known is None:
            known = self.computed(a, mine, writing)
            writing.known[a, mine] = known
        return known

    def along(self, e: Extent, p: Place) -> Place:
        """The place along an axis of an operand of what has a place along the result's."""
        if p.exact:
            return p
        if e.is_one():
            return Place(ORIGIN)
        scale = self.scales.get(e.key)
        if scale is None:
            return p
        if p.start is not None or p.turn or (p.sliced and p.scale is not None):
            raise Unsure
        # Where this axis is long, so are those that it has been broadcast to.
        return replace(p, scale=scale)

    def computed(self, a: Atom, places: Places, writing: Writing) -> Atom:
        op = self.lazy.get(a) if isinstance(a, Value) else None
        if op is None:
            return writing.load(a, places)
        seen = view(op, self.definitions)
        if seen is not None:
            return self.at(seen.base, through(seen, places), writing)
        if op.fn in CONSTANTS:
            kind = op.results[0].kind
            assert isinstance(kind, Array)
            number = np.dtype(kind.dtype).type(CONSTANTS[op.fn]).item()
            return Const(number, Num(kind.dtype, False))
        if is_filled(op):
            return op.args[1]
        places = tuple(replace(p, exact=False) if p.exact else p for p in places)
        if op.fn in LIKE:
            return self.element(op.args[0], places, writing)
        return apply(op, [self.element(x, places, writing) for x in op.args], writing)


def through(seen: View, places: Places) -> Places:
    """Places in the base of a view. Raises Unsure where two starts would have to be added."""
    found = []
    for part in seen.parts:
        if isinstance(part, At):
            found.append(Place(part.atom, exact=True))
            continue
        place = places[part.axis]
        if not part.is_whole:
            place = replace(place, sliced=True)
        if part.turn and place != Place(ORIGIN):
            if place != Place(place.counter) or isinstance(place.counter, Const):
                raise Unsure
            found.append(replace(place, turn=part.turn))
            continue
        if place.turn and not part.is_whole:
            raise Unsure
        if part.start is None or (isinstance(part.start, Const) and part.start.value == 0):
            found.append(place)
        elif place.start is None:
            moved = place.counter
            if isinstance(moved, Const) and isinstance(part.start, Const):
                found.append(Place(Const.of(moved.value + part.start.value)))
            else:
                found.append(replace(place, start=part.start))
        elif isinstance(place.start, Const) and isinstance(part.start, Const):
            found.append(replace(place, start=Const.of(place.start.value + part.start.value)))
        else:
            raise Unsure
    return tuple(found)


def apply(op: Op, elements: Sequence[Atom], writing: Writing) -> Atom:
    """The op of numbers."""
    result = op.results[0]
    kind = element_kind(result.kind)
    if op.fn == "np.where":
        cond, then, orelse = elements
        made = Value(kind)
        arms = Region((), (), (then,)), Region((), (), (orelse,))
        writing.nodes.append(If((made,), cond, *arms))
        return made
    if op.fn == "pow" and isinstance(op.args[1].kind, Num) and kind.dtype == "float64":
        return _power(elements[0], op.args[1], kind, writing)
    fn = {"add_to": "add", "invert": "not" if kind.dtype == "bool" else "invert"}.get(op.fn, op.fn)
    return writing.op(fn, kind, *elements)


def _power(base: Atom, exponent: Atom, kind: Num, writing: Writing) -> Atom:
    """What NumPy makes of the power of an array: for 0.5 the root, of which -inf has none.

    A whole exponent below 0 must not be one for numbers: 0 would raise ZeroDivisionError.
    """
    if isinstance(exponent, Const):
        if exponent.value == 0.5:
            return writing.op("np.sqrt", kind, base)
        real = Const.of(float(exponent.value)) if exponent.value < 0 else exponent
        return writing.op("pow", kind, base, real)
    if not isinstance(exponent.kind, Num) or exponent.kind.dtype != "float64":
        return writing.op("pow", kind, base, writing.op("float", FLOAT, exponent))
    half, made = writing.op("eq", BOOL, exponent, Const.of(0.5)), Value(kind)
    root, power = Value(kind), Value(kind)
    then = Region((), (Op((root,), "np.sqrt", (base,)),), (root,))
    orelse = Region((), (Op((power,), "pow", (base, exponent)),), (power,))
    writing.nodes.append(If((made,), half, then, orelse))
    return made


@dataclass(slots=True)
class Writing:
    """The body of a loop that is being written.

    ``carried`` maps an array to its version in the loop and the places at which the loop writes
    it: reading the array elsewhere than where it is written next would see new elements. ``reads``
    are the elements of other arrays that it reads.
    """

    carried: Mapping[Value, tuple[Value, Places]] = field(default_factory=dict)
    nodes: list[Node] = field(default_factory=list)
    known: dict[tuple[Atom, Places], Atom] = field(default_factory=dict)
    reads: list[tuple[Atom, Places]] = field(default_factory=list)
    negated: dict[Atom, Atom] = field(default_factory=dict)
    turns: dict[tuple[Value, int], Value] = field(default_factory=dict)

    def op(self, fn: str, kind: Kind, *args: Atom, **attrs: Any) -> Atom:
        simple = self.simpler(fn, kind, args)
        if simple is not None:
            return simple
        made = Value(kind)
        self.nodes.append(Op((made,), fn, args, attrs))
        return made

    def simpler(self, fn: str, kind: Kind, args: Sequence[Atom]) -> Atom | None:
        """``1.0 * x`` is x, ``x + -y`` is ``x - y``, and ``x and True`` is x."""
        if fn == "ne" and all(isinstance(a, Const) for a in args):
            return Const(bool(args[0].value != args[1].value), kind)  # type: ignore[union-attr]
        if fn == "bitand" and kind == Num("bool", False):
            for true, x in (args, args[::-1]):
                if isinstance(true, Const) and true.value is True:
                    return x
        if fn == "mul" and kind == Num("float64", False):
            for one, x in (args, args[::-1]):
                if isinstance(one, Const) and one.value == 1 and x.kind == kind:
                    return x
        if fn == "add":
            for x, y in (args, args[::-1]):
                if y in self.negated:
                    return self.op("sub", kind, x, self.negated[y])
        if fn == "neg" and isinstance(args[0], Value):
            made = Value(kind)
            self.nodes.append(Op((made,), fn, tuple(args)))
            self.negated[made] = args[0]
            return made
        return None

    def load(self, array: Atom, places: Places) -> Atom:
        if isinstance(array, Value) and array in self.carried:
            now, written = self.carried[array]
            if not same_places(written, places):
                raise Unsure
            array = now
        else:
            self.reads.append((array, places))
        return self.op("item", element_kind(array.kind), array, self.index(places))

    def index(self, places: Places) -> Atom:
        """The places as an index."""
        atoms = [self.place(p) for p in places]
        if len(atoms) == 1:
            return atoms[0]
        return self.op("tuple", Tuple(tuple(a.kind for a in atoms)), *atoms)

    def place(self, p: Place) -> Atom:
        counter = p.counter
        if p.turn:
            assert isinstance(counter, Value)
            return self.turned(counter, p.turn)
        if p.scale is not None and not isinstance(counter, Const):
            counter = self.op("mul", INT, counter, p.scale)
        if p.start is None:
            return counter
        first, second = (counter, p.start) if isinstance(p.start, Const) else (p.start, counter)
        return self.op("add", INT, first, second)

    def turned(self, counter: Value, by: int) -> Atom:
        """The index of a neighbour. Raises Unsure if there are rings along several axes."""
        if any(c is not counter for c, _ in self.turns):
            raise Unsure
        if (counter, by) not in self.turns:
            fn = "sub" if by > 0 else "add"
            made = self.op(fn, INT, counter, Const.of(abs(by)))
            assert isinstance(made, Value)
            self.turns[counter, by] = made
        return self.turns[counter, by]


def same_places(a: Places, b: Places) -> bool:
    return len(a) == len(b) and all(
        _same(p.counter, q.counter)
        and _same(p.start, q.start)
        and p.scale is q.scale
        and p.turn == q.turn
        for p, q in zip(a, b, strict=True)
    )


def _same(a: Atom | None, b: Atom | None) -> bool:
    if isinstance(a, Const) and isinstance(b, Const):
        return bool(a.value == b.value)
    return a is b


def _dims(kind: Kind) -> tuple[Any, ...]:
    if not isinstance(kind, Array) or kind.dims is None:
        raise Unsure
    return kind.dims


def is_plain(kind: Kind) -> bool:
    """Whether it is a number, or an array of numbers, of the types that loops compute with."""
    if isinstance(kind, Num):
        return kind.dtype in _DTYPES
    return isinstance(kind, Array) and kind.dims is not None and kind.dtype in _DTYPES


def is_filled(op: Op) -> bool:
    """Whether all elements of the op's result are its second operand, a number."""
    if op.fn != "np.full_like" or op.attrs or len(op.args) != 2:
        return False
    kind = op.results[0].kind
    number = op.args[1].kind
    return isinstance(kind, Array) and isinstance(number, Num) and number.dtype == kind.dtype


def is_whole(op: Op) -> bool:
    """Whether the op had better be computed for the whole array at once."""
    return op.fn in WHOLE and getattr(op.results[0].kind, "dtype", None) == "float64"


def is_elementwise(op: Op) -> bool:
    """Whether the op makes an array by computing with numbers, one element at a time."""
    if op.fn not in ELEMENTWISE or op.attrs or len(op.results) != 1:
        return False
    kind = op.results[0].kind
    if not isinstance(kind, Array) or not kind.dims or not is_plain(kind):
        return False
    if not all(is_plain(a.kind) for a in op.args):
        return False
    if kind.dtype == "bool":
        return op.fn in _OF_TRUTH
    if kind.dtype == "int64":
        # NumPy's rules for powers and divisions of whole numbers are not those of numbers.
        return op.fn in _OF_INTS and not any(_is_bool(a.kind) for a in op.args)
    return True


_OF_TRUTH = frozenset(
    {"lt", "le", "gt", "ge", "eq", "ne", "bitand", "bitor", "bitxor", "invert", "np.where"}
    | {f"np.{f}" for f in ("less", "less_equal", "greater", "greater_equal", "equal", "not_equal")}
    | {f"np.{f}" for f in ("logical_and", "logical_or", "logical_not", "isnan", "isfinite")}
)
_OF_INTS = frozenset({"add", "sub", "mul", "neg", "abs", "np.abs", "add_to"})


def _is_bool(kind: Kind) -> bool:
    return isinstance(kind, Array | Num) and kind.dtype == "bool"
