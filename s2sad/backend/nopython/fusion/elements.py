"""What one element of an expression over arrays is.

In: values that need not exist as arrays, and the place of an element. Out: nodes that compute the
element from elements of arrays that do exist::

    t = mul(0.5, a[1:-1]);  t at i   ->   0.5 * a[i + 1]
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from ....ir.builder import Builder
from ....ir.facts import shape_root
from ....ir.kinds import Array, Kind, Num, Size, not_one
from ....ir.nodes import Atom, Const, Node, Op, Value
from .extents import Extent, Sizes, are_equal, axes_of, common, part_of
from .origins import axes_by_origin, before_loops
from .views import Along, At, Definitions, View, view
from .writing import ORIGIN, Place, Places, Unsure, Writing, apply

__all__ = [
    "CONSTANTS",
    "LIKE",
    "WHOLE",
    "Elements",
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
    | {"bitand", "bitor", "bitxor", "invert", "unless_zero"}
    | {"np.real", "np.imag", "np.conj", "np.conjugate", "cast"}
)

#: What makes complex numbers, and what makes real numbers of complex ones.
_TO_COMPLEX = frozenset(
    {"add", "sub", "mul", "neg", "pos", "add_to", "pow", "np.where", "cast", "np.square"}
    | {f"np.{f}" for f in ("add", "subtract", "multiply", "negative", "conj", "conjugate")}
)
_FROM_COMPLEX = frozenset({"np.real", "np.imag"})
#: What means nothing where no operand or result is complex, or is not done for numbers.
_COMPLEX_ONLY = frozenset({"np.real", "np.imag", "np.conj", "np.conjugate", "cast"})

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
_DTYPES = frozenset({"float64", "int64", "bool", "complex128"})


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
        root = before_loops(a, lambda v: shape_root(self.builder, v), self.definitions)
        for made in (a, root):
            if made in self.sizes.made:
                return self.sizes.made[made]
        node = self.definitions.get(root) if isinstance(root, Value) else None
        seen = view(node, self.definitions) if isinstance(node, Op) else None
        if seen is not None:
            return self.of_view(seen, root.kind)
        found = axes_of(a, root, self.sizes)
        if found is not None and any(isinstance(e.dim, Size) for e in found):
            found = self.by_origin(node, found)
        if found is None:
            raise Unsure
        return found

    def by_origin(self, node: Node | None, kind: tuple[Extent, ...]) -> tuple[Extent, ...]:
        """The axes of an array by what made it, where its kind does not say how long they are."""
        noted = len(self.compared), len(self.stretched)
        try:
            if isinstance(node, Op) and is_elementwise(node):
                made: tuple[Extent, ...] | None = self.joined(node.args)
            else:
                made = axes_by_origin(node, self.extents, self.definitions)
        except Unsure:
            return kind
        finally:  # what makes an array has made sure of it
            del self.compared[noted[0] :], self.stretched[noted[1] :]
        if made is None:
            return kind
        return tuple(m if isinstance(e.dim, Size) else e for m, e in zip(made, kind, strict=True))

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
    return op.fn in WHOLE and _dtype(op.results[0].kind) in ("float64", "complex128")


def is_elementwise(op: Op) -> bool:
    """Whether the op makes an array by computing with numbers, one element at a time."""
    if op.fn not in ELEMENTWISE or len(op.results) != 1:
        return False
    if op.attrs and op.fn != "cast":
        return False
    kind = op.results[0].kind
    if not isinstance(kind, Array) or not kind.dims or not is_plain(kind):
        return False
    if not all(is_plain(a.kind) for a in op.args):
        return False
    if any(_dtype(x) == "complex128" for x in (kind, *(a.kind for a in op.args))):
        return _is_complex_arithmetic(op, kind)
    if op.fn in _COMPLEX_ONLY:
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


def _is_complex_arithmetic(op: Op, kind: Array) -> bool:
    """Whether an op with complex numbers is done alike with single ones."""
    if kind.dtype == "float64":
        return op.fn in _FROM_COMPLEX
    if kind.dtype != "complex128" or op.fn not in _TO_COMPLEX | WHOLE:
        return False
    if op.fn == "np.where":
        return _is_bool(op.args[0].kind)
    if op.fn == "pow":
        exponent = op.args[1]
        return isinstance(exponent, Const) and bool(exponent.value == 2)
    return True


def _dtype(kind: Kind) -> str | None:
    return kind.dtype if isinstance(kind, Array | Num) else None


def _is_bool(kind: Kind) -> bool:
    return _dtype(kind) == "bool"
