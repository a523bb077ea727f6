"""Windows that move with a loop, and how long they are.

In: a function. Out: for slices from a loop's index on, the length that they have in all
iterations, so that the loops over their elements need not ask for it in each of them::

    n = len(a)                                    if w < 0 or len(b) < n: raise Unforeseen
    for i in range(n - w + 1):               ->   a[i : i + w]: w elements
        total += np.sum(a[i : i + w] * b[i : i + w])    b[i : i + w]: w elements, too

A window lies in its array if its first and last elements do in the first and last iterations;
bounds and sizes being sums of numbers, that is a sum of numbers not being negative. Where the sum
is a constant, this is known. Where it says that a length is not negative, or that an array is as
long as another, it is assumed: a function that is called from Python alone makes sure of that
before it does anything else, and if it does not hold, code is compiled that assumes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

from ....ir.kinds import BOOL, INT, Array, Dim, Num, Sym
from ....ir.nodes import Atom, Const, For, Function, If, Node, Op, Region, Value, walk
from ....runtime import Unforeseen
from .extents import Sizes
from .views import Along, Definitions, parts_of

__all__ = ["find_windows"]

#: A sum of whole numbers, each so many times: arguments and the indices of loops by value, the
#: sizes of arrays by symbol, and 1 for what is constant.
_Sum: TypeAlias = "dict[Value | Sym | None, int]"
_DEEPEST = 12


def find_windows(f: Function, definitions: Definitions, sizes: Sizes, assuming: bool) -> None:
    """Tell ``sizes`` of the windows of a function, and write what is assumed of them.

    Only what is known is used unless ``assuming``.
    """
    finder = _Finder(f, definitions, sizes, assuming)
    for op in walk(f.body):
        if isinstance(op, Op) and op.fn in ("item", "setitem", "accumulate"):
            for dim, part in _slices(op, definitions):
                finder.window(dim, part)
    finder.assume()


def _slices(op: Op, definitions: Definitions) -> Iterator[tuple[Dim, Along]]:
    """The slices that an index has, each with the size of the axis that it is taken of."""
    kind = op.args[0].kind
    if not isinstance(kind, Array) or not kind.dims:
        return
    found = parts_of(op.args[1], len(kind.dims), definitions)
    for part, dim in zip(found[0] if found else (), kind.dims, strict=False):
        if isinstance(part, Along) and isinstance(part.start, Value):
            yield dim, part


@dataclass(slots=True)
class _Finder:
    """What is known of the whole numbers of a function, and ``assumed`` of its arguments."""

    f: Function
    definitions: Definitions
    sizes: Sizes
    assuming: bool
    assumed: list[_Sum] = field(default_factory=list)

    def window(self, dim: Dim, part: Along) -> None:
        """Find out how long a slice of an axis of that size is."""
        if part.start is None or part.stop is None:
            return
        start, stop = self.sum(part.start), self.sum(part.stop)
        whole = self.given(dim)
        if whole is None or start is None or stop is None or not any(map(self.is_index, start)):
            return
        length = _plus(stop, start, -1)
        if any(map(self.is_index, length)) or not all(map(self.is_given, length)):
            return
        assumed = []
        for part_of_it in (start, length, _plus({whole: 1}, stop, -1)):
            least = self.least(part_of_it)
            if least is None or not self.is_plausible(least):
                return
            if not self.is_known(least):
                assumed.append(least)
        if assumed and not self.assuming:
            return
        self.assumed += [s for s in assumed if s not in self.assumed]
        self.sizes.windows[part.start, part.stop, dim] = self.length(length)

    def assume(self) -> None:
        """Write that what is assumed is made sure of."""
        nodes = self.sizes.first
        wrong: Atom | None = None
        for total in self.assumed:
            more = {key: n for key, n in total.items() if n > 0}
            less = {key: -n for key, n in total.items() if n < 0}
            fails = Value(BOOL)
            nodes.append(Op((fails,), "lt", (self.written(more), self.written(less))))
            if wrong is not None:
                either = Value(BOOL)
                nodes.append(Op((either,), "or", (wrong, fails)))
                fails = either
            wrong = fails
        if wrong is not None:
            said = Const.of("windows reach beyond the ends of arrays")
            fail: Node = Op((), "raise", (Const.of(Unforeseen), said))
            nodes.append(If((), wrong, Region((), (fail,), ()), Region((), (), ())))

    # -- sums -------------------------------------------------------------------------------------

    def sum(self, a: Atom, depth: int = _DEEPEST) -> _Sum | None:
        """A whole number as a sum of what it is computed from."""
        if isinstance(a, Const):
            return {None: a.value} if type(a.value) is int else None
        if not isinstance(a.kind, Num) or a.kind.dtype != "int64" or depth == 0:
            return None
        node = self.definitions.get(a)
        if (given := self.given(a.kind.dim)) is not None:
            return {given: 1}
        if isinstance(node, For):
            return {a: 1} if node.body.params[0] is a else None
        if node is None:
            return {a: 1} if a in self.f.params else None
        if not isinstance(node, Op) or node.fn not in ("add", "sub", "neg", "mul"):
            return None
        parts = [self.sum(x, depth - 1) for x in node.args]
        x, y = parts[0], parts[-1]
        if x is None or y is None:
            return None
        if node.fn == "neg":
            return _plus({}, x, -1)
        if node.fn == "mul":
            x, y = (y, x) if set(x) <= {None} else (x, y)
            return _plus({}, x, y.get(None, 0)) if set(y) <= {None} else None
        return _plus(x, y, 1 if node.fn == "add" else -1)

    def given(self, dim: Dim | None) -> Value | Sym | None:
        """The argument that a size is, or the symbol of the size of one; None for others."""
        if not isinstance(dim, Sym) or dim.offset:
            return None
        if dim.base in self.sizes.params:
            return Sym(dim.base)
        return next((p for p in self.f.params if getattr(p.kind, "dim", None) == dim), None)

    def is_index(self, key: Value | Sym | None) -> bool:
        """Whether it is the index of a loop."""
        return isinstance(key, Value) and isinstance(self.definitions.get(key), For)

    def is_given(self, key: Value | Sym | None) -> bool:
        """Whether it is known before anything runs."""
        return not isinstance(key, Value) or key in self.f.params

    def least(self, total: _Sum) -> _Sum | None:
        """The least that a sum can be inside the loops whose indices it has."""
        for _ in range(_DEEPEST):
            index = next((key for key in total if self.is_index(key)), None)
            if index is None:
                return total
            loop = self.definitions[index]  # type: ignore[index]
            assert isinstance(loop, For)
            step = loop.step.value if isinstance(loop.step, Const) else None
            first, last = self.sum(loop.start), self.sum(loop.stop)
            if step not in (1, -1) or first is None or last is None:
                return None
            low, high = first, _plus(last, {None: step}, -1)
            if step == -1:
                low, high = high, low
            times = total[index]
            rest = {key: n for key, n in total.items() if key is not index}
            total = _plus(rest, low if times > 0 else high, times)
        return None

    def is_known(self, least: _Sum) -> bool:
        """Whether a sum is never negative."""
        return all(n >= 0 and not isinstance(key, Value) for key, n in least.items())

    def is_plausible(self, least: _Sum) -> bool:
        """Whether a sum is not negative if lengths are not, and arrays are equally long."""
        if not all(map(self.is_given, least)) or least.get(None, 0) < 0:
            return False
        less = [key for key, n in least.items() if n < 0]
        more = [key for key, n in least.items() if n > 0 and isinstance(key, Sym)]
        if len(less) != 1 or len(more) != 1 or not isinstance(less[0], Sym):
            return not less
        return least[less[0]] == -1 and least[more[0]] == 1

    # -- what is written --------------------------------------------------------------------------

    def length(self, total: _Sum) -> tuple[Dim, Atom]:
        """A length, and what stands for it in kinds."""
        match [*total.items()]:
            case []:
                return 0, Const.of(0)
            case [(None, n)]:
                return n, Const.of(n)
            case [(Sym() as size, 1)]:
                array, axis = self.sizes.params[size.base]
                return array.kind.dims[axis], self.written(total)  # type: ignore[attr-defined]
            case [(Value(kind=Num(dim=Sym() as dim)), 1)]:
                return dim, self.written(total)
        named = Sym(("window", frozenset(total.items())))
        return named, self.sizes.once(named, self.sizes.first, lambda: self.written(total))

    def written(self, total: _Sum) -> Atom:
        """Write a sum before all else."""
        found: Atom | None = None
        for key, n in total.items():
            term: Atom | None = Const.of(n)
            if key is not None:
                term = key if isinstance(key, Value) else self.sizes.of_params(key)
            assert term is not None
            if key is not None and n != 1:
                term = self.op("mul", Const.of(n), term)
            found = term if found is None else self.op("add", found, term)
        return Const.of(0) if found is None else found

    def op(self, fn: str, *args: Atom) -> Value:
        result = Value(INT)
        self.sizes.first.append(Op((result,), fn, args))
        return result


def _plus(x: _Sum, y: _Sum, times: int) -> _Sum:
    """``x + times * y``."""
    total = dict(x)
    for key, n in y.items():
        total[key] = total.get(key, 0) + times * n
    return {key: n for key, n in total.items() if n}
