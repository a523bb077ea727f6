"""The body of a loop over elements, as it is written.

In: places along the axes of arrays, and ops of numbers. Out: the nodes that load elements and
compute with them, each once::

    a at i + 1, twice   ->   t = a[i + 1]
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np

from ....ir.kinds import BOOL, FLOAT, INT, Array, Kind, Num, Tuple
from ....ir.nodes import Atom, Const, If, Node, Op, Region, Value
from .views import same_atom

__all__ = [
    "ORIGIN",
    "Apart",
    "Place",
    "Places",
    "Unsure",
    "Writing",
    "apply",
    "element_kind",
    "same_places",
]


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

#: Whether two places are never the same, whatever the counters are.
Apart: TypeAlias = Callable[[Places, Places], bool]

#: The index along an axis of length 1.
ORIGIN = Const.of(0)


def element_kind(kind: Kind) -> Num:
    """The kind of one element of an array."""
    assert isinstance(kind, Array)
    return Num(kind.dtype, False)


def apply(op: Op, elements: Sequence[Atom], writing: Writing) -> Atom:
    """The op of numbers."""
    result = op.results[0]
    kind = element_kind(result.kind)
    if op.fn == "np.where":
        cond, then, orelse = elements
        arms = [_as(kind, arm, writing) for arm in (then, orelse)]
        return writing.op("chosen", kind, cond, *arms)
    if op.fn == "pow" and isinstance(op.args[1].kind, Num) and kind.dtype == "float64":
        return _power(elements[0], op.args[1], kind, writing)
    if op.fn == "cast":  # what it is computed with makes it complex
        return elements[0]
    if op.fn == "pow" and kind.dtype == "complex128":
        return writing.op("mul", kind, elements[0], elements[0])
    fn = {"add_to": "add", "invert": "not" if kind.dtype == "bool" else "invert"}.get(op.fn, op.fn)
    return writing.op(fn, kind, *elements)


def _as(kind: Num, a: Atom, writing: Writing) -> Atom:
    """A number as one of another dtype that holds it."""
    dtype = getattr(a.kind, "dtype", kind.dtype)
    if dtype == kind.dtype:
        return a
    if isinstance(a, Const):
        return Const.of(np.dtype(kind.dtype).type(a.value).item())
    if kind.dtype == "float64":
        return writing.op("float", kind, a)
    zero = Const.of(np.zeros((), kind.dtype).item())
    return writing.op("add", kind, zero, a)


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
    are the elements of other arrays that it reads, and those that are ``apart`` from what it
    writes; ``loaded`` are the places of all that it loads.
    """

    carried: Mapping[Value, tuple[Value, Places]] = field(default_factory=dict)
    nodes: list[Node] = field(default_factory=list)
    known: dict[tuple[Atom, Places], Atom] = field(default_factory=dict)
    reads: list[tuple[Atom, Places]] = field(default_factory=list)
    negated: dict[Atom, Atom] = field(default_factory=dict)
    turns: dict[tuple[Value, int], Value] = field(default_factory=dict)
    apart: Apart = field(default=lambda a, b: False)
    loaded: dict[Atom, Places] = field(default_factory=dict)

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
                if not self.apart(written, places):
                    raise Unsure
                self.reads.append((array, places))
            array = now
        else:
            self.reads.append((array, places))
        made = self.op("item", element_kind(array.kind), array, self.index(places))
        self.loaded[made] = places
        return made

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
        same_atom(p.counter, q.counter)
        and same_atom(p.start, q.start)
        and p.scale is q.scale
        and p.turn == q.turn
        for p, q in zip(a, b, strict=True)
    )
