"""Exponentials of a loop, all at once.

In: a module for Numba. Out: the same module, in which a loop that takes an exponential (a
logarithm, ...) of something that no iteration has to wait for finds it in an array. A loop before
it computes the arguments, and NumPy's own loop, which is vector code, all the values::

    for t in range(n):                         for t in range(n):
        price *= math.exp(a + b * x[t])            exp_tape[t] = a + b * x[t]
                                       ->      in_place(math.exp, exp_tape)
                                               for t in range(n):
                                                   price *= exp_tape[t]

Numba calls a function of C for each number, which takes two to five times as long. The array is
made once, before all loops in which it has the same length.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from ...ir.clone import clone
from ...ir.kinds import INT, Num, Tuple, length_of
from ...ir.mapping import Mapper
from ...ir.nodes import (
    FALSE,
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
    is_int,
    never_leaves,
    regions_of,
    walk,
)
from ...transform.dead_code import needed
from .commuting import is_of_sizes, is_pure
from .counting import text_only
from .fusion.elements import WHOLE

__all__ = ["functions_at_once"]

#: tape_apply(f): a function of all that is on a tape, in its place.
text_only("tape_apply")

#: What functions of numbers, of which NumPy has loops, are called in `math`.
_FUNCTIONS = {
    name: getattr(math, of_math)
    for ufunc in WHOLE - {"np.exp2"}
    for of_math in [ufunc.removeprefix("np.").replace("arc", "a")]
    for name in (ufunc, f"math.{of_math}")
}
#: What may be computed once more for an argument.
_CHEAP = frozenset({"item", "tuple", "add", "sub", "mul", "neg", "pos", "div", "ratio"})
_CHEAP |= {"abs", "float", "int", "min", "max", "math.sqrt", "np.sqrt", "np.abs", "np.square"}
#: Loops of fewer iterations stay what they are; most arguments that are computed beforehand.
_FEWEST, _LONGEST = 16, 24


def functions_at_once(module: Module) -> Module:
    """The module with such loops distributed."""
    return Module({name: _function(f) for name, f in module.functions.items()})


def _function(f: Function) -> Function:
    if not any(isinstance(n, Op) and n.fn in _FUNCTIONS for n in walk(f.body)):
        return f
    numbers = [n.attrs["tape"] for n in walk(f.body) if isinstance(n, Op) and "tape" in n.attrs]
    return replace(f, body=_Distributing(max(numbers, default=-1) + 1).region(f.body))


@dataclass(frozen=True, slots=True)
class _Buffer:
    """An array that is to be made before some loop: where its length is known."""

    bounds: frozenset[Atom]
    made: tuple[Node, ...]


class _Distributing(Mapper):
    """Copies a function; ``waiting`` are the arrays that the nodes copied so far ask for."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number
        self.waiting: list[_Buffer] = []
        self.depth = 0

    def region(self, region: Region) -> Region:
        own: set[Atom] = {*region.params, *(r for n in region.ops for r in n.results)}
        outer, self.waiting = self.waiting, []
        self.depth += 1
        sizes = {r: n for n in region.ops if _is_length(n) for r in n.results}
        nodes: list[Node] = []
        for node in region.ops:
            before, self.waiting = self.waiting, []
            made = self.node(node)
            for buffer in self.waiting:
                lifted = None if self.depth == 1 else _lifted(buffer, own, sizes)
                if lifted is None:
                    nodes += buffer.made
                else:
                    before.append(lifted)
            nodes += made
            self.waiting = before
        self.depth -= 1
        self.waiting = outer + self.waiting
        return Region(region.params, tuple(nodes), self.atoms(region.yields))

    def loop(self, node: For | While) -> Sequence[Node]:
        (new,) = super().loop(node)
        return self.distributed(new) if isinstance(new, For) and _is_plain(new) else [new]

    def distributed(self, loop: For) -> list[Node]:
        """What computes the functions of a loop beforehand, and the rest of the loop."""
        before: list[Node] = []
        while (found := _function_of(loop)) is not None:
            op, part = found
            tape, self.number = self.number, self.number + 1
            self.waiting.append(_buffer(loop, op, tape))
            before += _applied(loop, op, part, tape)
            ops: list[Node] = []
            for node in loop.body.ops:
                if node is op:
                    at, (place,) = _place(loop, loop.body.params[0])
                    attrs = {"tape": tape, "axes": 1}
                    ops += [*at, Op(op.results, "tape_get", (place,), attrs, op.span)]
                else:
                    ops.append(node)
            kept = needed(ops, loop.body.yields, _has_effect)
            loop = replace(loop, body=replace(loop.body, ops=tuple(kept)))
        return [*before, loop]


def _is_plain(loop: For) -> bool:
    """Whether a loop has nothing but statements, and its iterations are counted from 0."""
    if any(regions_of(n) and not isinstance(n, If) for n in loop.body.ops):
        return False
    if not never_leaves(loop):
        return False
    if isinstance(loop.start, Const) and isinstance(loop.stop, Const):
        if abs(loop.stop.value - loop.start.value) < _FEWEST:
            return False
    if any(isinstance(n, Op) and n.fn in _ENDS for n in walk(loop.body)):
        return False
    return is_int(loop.step, 1) or (is_int(loop.step, -1) and is_int(loop.stop, -1))


def _has_effect(node: Node) -> bool:
    if isinstance(node, Op):
        return not is_pure(node)
    return isinstance(node, Call) or any(_has_effect(n) for r in regions_of(node) for n in r.ops)


#: What may keep later iterations from running.
_ENDS = frozenset({"raise", "assert"})


def _function_of(loop: For) -> tuple[Op, tuple[Op, ...]] | None:
    """A function of a number that no iteration has to wait for, and what computes the number."""
    made = {r: n for n in loop.body.ops for r in n.results}
    waits: set[Atom] = set(loop.body.params[1:])
    put = {n.attrs["tape"] for n in walk(loop.body) if isinstance(n, Op) and n.fn == "tape_put"}
    for op in loop.body.ops:
        if not isinstance(op, Op) or op.fn not in _FUNCTIONS or op.attrs or len(op.args) != 1:
            continue
        if not all(_is_number(a, "float64") for a in (*op.args, *op.results)):
            continue
        part: dict[Op, None] = {}
        if _collect(op.args[0], made, waits, put, part) and _varies(part, loop.body.params[0]):
            ordered = tuple(n for n in loop.body.ops if n in part)
            return op, ordered
    return None


def _is_number(a: Atom, dtype: str) -> bool:
    return isinstance(a.kind, Num) and a.kind.dtype == dtype


def _collect(
    a: Atom,
    made: dict[Value, Node],
    waits: set[Atom],
    put: set[int],
    part: dict[Op, None],
) -> bool:
    """Add to ``part`` what computes ``a``; False where it has to wait, or is no number."""
    if a in waits:
        return False
    node = made.get(a) if isinstance(a, Value) else None
    if node is None or node in part:
        return True
    if not isinstance(node, Op) or len(part) >= _LONGEST or node.fn in _FUNCTIONS:
        return False
    if not all(isinstance(r.kind, Num | Tuple) for r in node.results):
        return False
    if node.fn == "tape_get":
        if node.attrs["tape"] in put:
            return False
    elif node.fn not in _CHEAP and not _is_power(node):
        return False
    part[node] = None
    return all(_collect(x, made, waits, put, part) for x in node.args)


def _is_power(op: Op) -> bool:
    return op.fn == "pow" and isinstance(op.args[1], Const) and type(op.args[1].value) is int


def _varies(part: dict[Op, None], index: Value) -> bool:
    return any(index in op.args for op in part)


# -- where arrays are made ------------------------------------------------------------------------


def _is_length(node: Node) -> bool:
    """Whether it may be computed again before the loops: a length, or what it is computed from."""
    return isinstance(node, Op) and node.fn != "tuple" and is_of_sizes(node)


def _lifted(buffer: _Buffer, own: set[Atom], sizes: Mapping[Value, Node]) -> _Buffer | None:
    """The array, made outside a region that defines ``own``; None where that cannot be."""
    first: dict[Node, None] = {}
    bounds: set[Atom] = set()

    def needs(a: Atom) -> bool:
        if a not in own:
            bounds.add(a)
            return True
        op = sizes.get(a) if isinstance(a, Value) else None
        if not isinstance(op, Op) or not all(map(needs, op.args)):
            return False
        first[op] = None
        return True

    if not all(map(needs, buffer.bounds)):
        return None
    again, _ = clone(Region((), (*first, *buffer.made), ()), {})
    return _Buffer(frozenset(bounds), again)


# -- what is written ------------------------------------------------------------------------------


def _buffer(loop: For, op: Op, tape: int) -> _Buffer:
    """The array of the values of a function."""
    made: list[Op] = []
    count: Atom = loop.stop
    if not is_int(loop.start, 0) or not is_int(loop.step, 1) or length_of(count.kind) is None:
        count = Value(INT, None, "trips")
        bounds = (loop.start, loop.stop, loop.step)
        made.append(Op((count,), "trip_count", bounds))
    name = op.fn.partition(".")[2]
    fields = ((name, "float64"),)
    made.append(Op((), "tape_new", (count,), {"tape": tape, "fields": fields, "counter": False}))
    return _Buffer(frozenset((loop.start, loop.stop)), tuple(made))


def _place(loop: For, index: Value) -> tuple[list[Node], tuple[Atom]]:
    """Where the value of an iteration is, with what computes that."""
    if is_int(loop.start, 0) or is_int(loop.step, -1):
        return [], (index,)
    place = Value(INT)
    return [Op((place,), "sub", (index, loop.start))], (place,)


def _applied(loop: For, op: Op, part: tuple[Op, ...], tape: int) -> list[Node]:
    """The loop that computes the arguments of a function, and the call of NumPy's loop."""
    index = Value(loop.body.params[0].kind, loop.body.params[0].name)
    nodes, (argument,) = clone(Region((), part, op.args), {loop.body.params[0]: index})
    at, (place,) = _place(loop, index)
    put = Op((), "tape_put", (place, argument), {"tape": tape, "axes": 1}, op.span)
    body = Region((index,), (*nodes, *at, put), (FALSE,))
    filling = For((), loop.start, loop.stop, loop.step, (), body, loop.span)
    function = Const.of(_FUNCTIONS[op.fn])
    return [filling, Op((), "tape_apply", (function,), {"tape": tape}, op.span)]
