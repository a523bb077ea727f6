"""Loops that sum in each iteration, a strip of iterations at a time.

In: a module for Numba. Out: the same module, in which a loop whose iterations have loops of their
own, over elements that lie beside those of the next iteration, becomes the innermost of them. The
numbers that one of these loops leaves to another are kept in rows, an element an iteration::

    for j in range(n):                         for j0 in range(0, n, 64):
        s = 0.0                                    m = min(n - j0, 64)
        for k in range(w):                         for j in range(m): s_row[j] = 0.0
            s += a[k, j]                ->         for k in range(w):
        t = f(s)                                       for j in range(m): s_row[j] += a[k, j0 + j]
        for k in range(w):                         for j in range(m): t_row[j] = f(s_row[j])
            b[k, j] += t * a[k, j]                 for k in range(w):
                                                       for j in range(m): b[k, j0 + j] += ...

A sum has to wait for each of its terms, one after the other; sixty-four sums that have nothing to
do with each other are vector code. Each is added up in the order in which it was, from the same
numbers. The iterations must not depend on each other (`commuting`), and read nothing that any of
them writes; what the reverse sweep adds to an array comes in another order. This is loop
distribution with scalar expansion, and interchange, within strips that stay in the fastest memory
(Allen and Kennedy, *Optimizing Compilers for Modern Architectures*, 2001, chapters 5 and 6).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from ...ir.clone import clone
from ...ir.kinds import INT
from ...ir.mapping import map_regions, with_nodes
from ...ir.nodes import (
    FALSE,
    Atom,
    Const,
    For,
    Function,
    Module,
    Node,
    Op,
    Region,
    Value,
    read_by,
    version,
    walk,
)
from ...transform.dead_code import needed
from .commuting import Facts
from .stages import Nest, Plan, kept_numbers, planned

__all__ = ["sum_in_strips"]

#: How many iterations a strip has.
_LENGTH = 64
_EFFECTS = frozenset({"tape_put"})


def sum_in_strips(module: Module) -> Module:
    """The module with such loops in strips."""
    return Module({name: _function(f) for name, f in module.functions.items()})


def _function(f: Function) -> Function:
    loops = [n for n in walk(f.body) if isinstance(n, For)]
    if not any(isinstance(n, For) for loop in loops for n in loop.body.ops):
        return f
    numbers = [n.attrs["tape"] for n in walk(f.body) if isinstance(n, Op) and "tape" in n.attrs]
    rows, facts = _Rows(max(numbers, default=-1) + 1), Facts(f.body)
    nodes: list[Node] = []
    for node in f.body.ops:
        (new,) = _region(Region((), (node,), ()), facts, rows).ops
        nodes += [*rows.made, new]
        rows.made.clear()
    return replace(f, body=with_nodes(f.body, nodes))


def _region(region: Region, facts: Facts, rows: _Rows) -> Region:
    nodes: list[Node] = []
    for node in region.ops:
        found = planned(node, facts) if isinstance(node, For) else None
        if found is not None:
            nodes.append(_Writer(found, rows).loop())
        else:
            nodes.append(map_regions(node, lambda inner: _region(inner, facts, rows)))
    return with_nodes(region, nodes)


# -- what is written ------------------------------------------------------------------------------


@dataclass(slots=True)
class _Rows:
    """Arrays of as many numbers as a strip has iterations."""

    number: int
    made: list[Op] = field(default_factory=list)

    def new(self, v: Value) -> int:
        """A row for the values of a number."""
        attrs = {"tape": self.number, "counter": False, "called": "row"}
        attrs["fields"] = ((v.name or v.hint or "", "float64"),)
        self.made.append(Op((), "tape_new", (Const.of(_LENGTH),), attrs))
        self.number += 1
        return self.number - 1


class _Writer:
    """Writes one loop in strips.

    ``row`` has the row of each number that is kept, ``now`` the arrays as they are by now,
    ``same`` what the loop carries without changing it.
    """

    def __init__(self, plan: Plan, rows: _Rows) -> None:
        self.plan = plan
        self.rows = rows
        self.row: dict[Atom, int] = {v: rows.new(v) for v in kept_numbers(plan)}
        for nest in (nest for stage in plan.nests for nest in stage):
            for inner, result in zip(nest.inner, nest.outer.results, strict=True):
                if result in self.row:
                    self.row[inner] = self.row[result]
        self.now: dict[Atom, Value] = {}
        self.index = plan.loop.body.params[0]
        self.first = Value(INT, None, f"{self.index.name or 'i'}0")
        self.count = Value(INT, None, "count")
        self.same: dict[Value, Atom] = {}
        self.out: list[Node] = []

    def loop(self) -> For:
        """The loop over the strips."""
        plan, loop = self.plan, self.plan.loop
        arrays = loop.body.params[1:]
        params = tuple(map(version, arrays))
        self.now.update(zip(arrays, params, strict=True))
        carried = zip(arrays, loop.body.yields[1:], params, strict=True)
        self.same = {p: new for p, y, new in carried if p is y}
        rest = Value(INT)
        self.out.append(Op((rest,), "sub", (loop.stop, self.first)))
        self.out.append(Op((self.count,), "min", (rest, Const.of(_LENGTH))))
        self.out += plan.sizes
        for stage, (rows, nests) in enumerate(zip(plan.rows, plan.nests, strict=True)):
            self.numbers(rows, nests, plan.ordered if stage == plan.last else ())
            alike: dict[tuple[object, ...], list[Nest]] = {}
            for nest in nests:
                bounds = [a for n in nest.loops for a in (n.start, n.stop)]
                key = tuple(a.value if isinstance(a, Const) else a for a in bounds)
                alike.setdefault(key, []).append(nest)
            for group in alike.values():
                self.group(group)
        ends = tuple(self.now[y] for y in loop.body.yields[1:])
        body = Region((self.first, *params), tuple(self.out), (FALSE, *ends))
        return replace(loop, step=Const.of(_LENGTH), body=body)

    def numbers(
        self,
        nodes: Sequence[Node],
        nests: Sequence[Nest],
        ordered: Sequence[tuple[Value, Atom]],
    ) -> None:
        """A loop that computes numbers, and what the sums of the next nests start from."""
        arrays: dict[Value, Value] = {}
        for node in nodes:
            if isinstance(node, Op) and node.fn in ("setitem", "accumulate"):
                array = node.args[0]
                first = next((f for f, last in arrays.items() if last is array), array)
                arrays[first] = node.results[0]  # type: ignore[index]
        kept: list[tuple[int, Atom]] = [
            (self.row[r], r) for node in nodes for r in node.results if r in self.row
        ]
        kept += [
            (self.row[inner], a)
            for nest in nests
            for inner, a in zip(nest.inner, nest.outer.init, strict=True)
            if inner in self.row
        ]
        carried: list[tuple[Atom, Value, Atom, Value]] = [
            (first, first, last, last) for first, last in arrays.items()
        ]
        carried += [(p, p, y, y) for p, y in ordered if isinstance(y, Value) and y is not p]
        self.write((), nodes, kept, carried)

    def group(self, nests: Sequence[Nest]) -> None:
        """Nests that go over the same ranges, as one."""
        loops = nests[0].loops
        same: dict[Value, Atom] = {}
        kept: list[tuple[int, Atom]] = []
        arrays: list[tuple[Atom, Value, Atom, Value]] = []
        for nest in nests:
            for mine, other in zip(loops, nest.loops, strict=True):
                same[other.body.params[0]] = mine.body.params[0]
            carried = zip(nest.outer.init, nest.inner, nest.ends, nest.outer.results, strict=True)
            for init, inner, end, result in carried:
                if inner in self.row:
                    kept.append((self.row[inner], end))
                else:
                    arrays.append((init, inner, end, result))
        self.write(loops, [op for nest in nests for op in nest.ops], kept, arrays, same)

    def write(
        self,
        loops: Sequence[For],
        nodes: Sequence[Node],
        kept: Sequence[tuple[int, Atom]],
        arrays: Sequence[tuple[Atom, Value, Atom, Value]],
        same: Mapping[Value, Atom] | None = None,
    ) -> None:
        """Loops with one along the strip inside, in which are ``nodes``.

        ``kept`` are the numbers that are put into rows. Of each array that is written, and each
        number that goes on, there is the version before the loops, those before and after an
        iteration, and that after all.
        """
        if not (kept or arrays or any(isinstance(n, Op) and n.fn in _EFFECTS for n in nodes)):
            return
        place, index = Value(INT, self.index.name), Value(INT)
        made = {r for node in nodes for r in node.results}
        read = dict.fromkeys(a for node in nodes for a in read_by(node))
        read.update(dict.fromkeys(a for _, a in kept))
        body: list[Node] = [*self.plan.indices]
        for a in read:
            if a in self.row and a not in made:
                attrs = {"tape": self.row[a], "axes": 1}
                body.append(Op((a,), "tape_get", (place,), attrs))  # type: ignore[arg-type]
        body += nodes
        for row, a in kept:
            body.append(Op((), "tape_put", (place, a), {"tape": row, "axes": 1}))
        params = [version(result) for _, _, _, result in arrays]
        here: dict[Value, Atom] = {self.index: index, **self.same, **(same or {})}
        here.update((inner, p) for (_, inner, _, _), p in zip(arrays, params, strict=True))
        ends = tuple(end for _, _, end, _ in arrays)
        body = needed(body, ends)
        ops, yields = clone(Region((), tuple(body), ends), here)
        if any(self.index in read_by(node) for node in body):
            ops = (Op((index,), "add", (self.first, place)), *ops)
        ranges = [(n.body.params[0], n.start, n.stop, n.span) for n in loops]
        ranges.append((place, Const.of(0), self.count, None if loops else self.plan.loop.span))
        made_of = Region((place, *params), ops, (FALSE, *yields))
        while True:
            _, start, stop, span = ranges.pop()
            outer = [version(p) for p in params] if ranges else [self.now[a[0]] for a in arrays]
            results = tuple(map(version, params))
            one = Const.of(1)
            node = For(results, start, stop, one, tuple(outer), made_of, span)
            if not ranges:
                break
            made_of = Region((ranges[-1][0], *outer), (node,), (FALSE, *results))
        self.out.append(node)
        self.now.update((a[3], new) for a, new in zip(arrays, results, strict=True))
