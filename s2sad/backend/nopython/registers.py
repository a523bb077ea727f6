"""Sums of the reverse sweep that go to one element, in a register.

In: a module for Numba. Out: the same module, in which a loop that adds to an element of an array
in each iteration, the same one all the time, adds to a number, and once to the element::

    for j in range(n):                       t = 0.0
        a_bar[k, i] += g[j] * b[k, j]        for j in range(n):
                                       ->        t = plus(t, g[j] * b[k, j])
                                             if n > 0:
                                                 a_bar[k, i] += t

LLVM does not know which arrays share memory: with the element where it is, each addition would
wait for the one before to come back from memory, and none could be done beside another. A loop
that never runs says nothing of the element, which may not even exist.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from ...ir.kinds import BOOL, Array, Num, Tuple
from ...ir.mapping import Mapper
from ...ir.nodes import (
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
    While,
    is_of_reverse,
    operands_of,
    regions_of,
)
from .commuting import is_whole

__all__ = ["sum_in_registers"]

_FLOAT = Num("float64", False)
#: What places are computed by, which costs nothing to do again and raises nothing.
_OF_PLACES = frozenset({"tuple", "add", "sub", "mul", "neg"})


def sum_in_registers(module: Module) -> Module:
    """The module with such sums in registers."""
    return Module({name: _function(f) for name, f in module.functions.items()})


def _function(f: Function) -> Function:
    return replace(f, body=_InRegisters().region(f.body))


@dataclass(frozen=True, slots=True)
class _Sums:
    """What an innermost loop adds to elements of one array; ``constant`` always to the same."""

    position: int
    added: tuple[Op, ...]
    constant: tuple[Op, ...]


class _InRegisters(Mapper):
    """Copies a function; ``made`` is what the places of elements are computed by."""

    def __init__(self) -> None:
        super().__init__()
        self.made: dict[Value, Op] = {}

    def op(self, op: Op) -> Sequence[Node]:
        (new,) = super().op(op)
        assert isinstance(new, Op)
        if new.fn in _OF_PLACES and all(is_whole(r.kind) for r in new.results):
            self.made[new.results[0]] = new
        return [new]

    def loop(self, node: For | While) -> Sequence[Node]:
        (new,) = super().loop(node)
        if not isinstance(new, For) or any(map(regions_of, new.body.ops)):
            return [new]
        if not isinstance(new.step, Const) or not new.step.value:
            return [new]
        inside = _inside(new)
        found = [s for k in range(len(new.init)) if (s := self.sums(new, k, inside)) is not None]
        return self.taken_out(new, found) if found else [new]

    def sums(self, loop: For, position: int, inside: set[Value]) -> _Sums | None:
        """What the loop does to an array, if that is nothing but adding to it."""
        start, end = loop.body.params[position + 1], loop.body.yields[position + 1]
        kind = start.kind
        if not isinstance(kind, Array) or kind.dtype != "float64" or not kind.dims:
            return None
        uses = Counter(a for n in loop.body.ops for a in operands_of(n))
        uses.update(loop.body.yields)
        added: list[Op] = []
        version: Atom = start
        for node in loop.body.ops:
            if not isinstance(node, Op) or node.fn != "accumulate" or node.args[0] is not version:
                continue
            if uses[version] != 1 or not is_of_reverse(node):
                return None
            added.append(node)
            version = node.results[0]
        if version is not end or uses[version] != 1:
            return None
        constant = tuple(n for n in added if self.is_one_element(n, len(kind.dims), inside))
        return _Sums(position, tuple(added), constant) if constant else None

    def is_one_element(self, op: Op, rank: int, inside: set[Value]) -> bool:
        """Whether an op adds a number to an element that is the same in all iterations."""
        _, index, g = op.args
        count = len(index.kind.items) if isinstance(index.kind, Tuple) else 1
        return (
            isinstance(g.kind, Num)
            and g.kind.dtype == "float64"
            and is_whole(index.kind)
            and count == rank
            and self.is_known(index, inside)
        )

    def is_known(self, a: Atom, inside: set[Value]) -> bool:
        """Whether a place is the same in all iterations, or computed from what is."""
        if a not in inside:
            return True
        op = self.made.get(a) if isinstance(a, Value) else None
        return op is not None and all(self.is_known(x, inside) for x in op.args)

    def again(self, a: Atom, inside: set[Value], nodes: list[Node], known: Mapper) -> Atom:
        """The same place after the loop."""
        if isinstance(a, Value) and a in inside and a not in known.known:
            op = self.made[a]
            for x in op.args:
                self.again(x, inside, nodes, known)
            same = Value(a.kind)
            nodes.append(Op((same,), op.fn, known.atoms(op.args), {}, op.span))
            known.known[a] = same
        return known.atom(a)

    def taken_out(self, loop: For, found: Sequence[_Sums]) -> list[Node]:
        """The loop without its additions to such elements, and these after it."""
        constant = [op for sums in found for op in sums.constant]
        params, ends, totals = ([Value(_FLOAT) for _ in constant] for _ in range(3))
        less = Mapper()
        ops: list[Node] = []
        for node in loop.body.ops:
            if isinstance(node, Op) and node in constant:
                less.known[node.results[0]] = less.atom(node.args[0])
                n = constant.index(node)
                term = less.atom(node.args[2])
                ops.append(Op((ends[n],), "plus", (params[n], term), {}, node.span))
            else:
                ops += less.node(node)
        gone = {s.position for s in found if s.constant == s.added}
        kept = [k for k in range(len(loop.init)) if k not in gone]
        first = {s.position: loop.init[s.position] for s in found}
        first |= {k: Value(loop.results[k].kind) for k in first if k in kept}
        leave, *yields = less.atoms(loop.body.yields)
        index, *carried = loop.body.params
        body = Region(
            (index, *(carried[k] for k in kept), *params),
            tuple(ops),
            (leave, *(yields[k] for k in kept), *ends),
        )
        results = (*(first.get(k, loop.results[k]) for k in kept), *totals)
        init = (*(loop.init[k] for k in kept), *(Const(0.0, _FLOAT) for _ in constant))
        new = replace(loop, results=results, init=init, body=body)  # type: ignore[arg-type]
        return [new, *self.added(loop, found, first, dict(zip(constant, totals, strict=True)))]

    def added(
        self,
        loop: For,
        found: Sequence[_Sums],
        first: Mapping[int, Atom],
        totals: Mapping[Op, Value],
    ) -> list[Node]:
        """What adds the sums to the elements, if the loop runs."""
        inside = _inside(loop)
        nodes: list[Node] = []
        known = Mapper()
        last: list[Atom] = []
        for sums in found:
            version = first[sums.position]
            for op in sums.constant:
                index = self.again(op.args[1], inside, nodes, known)
                next_version = Value(version.kind)
                args = (version, index, totals[op])
                nodes.append(Op((next_version,), "accumulate", args, {}, op.span))
                version = next_version
            last.append(version)
        low, high = loop.start, loop.stop
        if loop.step.value < 0:  # type: ignore[union-attr]
            low, high = high, low
        runs = Value(BOOL)
        otherwise = Region((), (), tuple(first[s.position] for s in found))
        results = tuple(loop.results[s.position] for s in found)
        then = Region((), tuple(nodes), tuple(last))
        return [
            Op((runs,), "gt", (high, low), {}, loop.span),
            If(results, runs, then, otherwise, loop.span),
        ]


def _inside(loop: For) -> set[Value]:
    return {*loop.body.params, *(r for n in loop.body.ops for r in n.results)}
