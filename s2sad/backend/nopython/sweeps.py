"""The loop of the forward sweep and that of the reverse sweep, as one.

In: a module for Numba, whose tapes are arrays. Out: the same module, in which iterations that do
not depend on each other are run and reversed one after the other, with a tape for one of them::

    for i in range(n):                             for i in range(n):
        for t in range(m):                             for t in range(m):
            tape[i, t] = ...                               tape[t] = ...
        loss += r[i] ** 2                 ->           loss += r[i] ** 2
    for i in range(n):                                 for t in range(m):
        for t in range(m - 1, -1, -1):                     ... = tape[t]
            ... = tape[i, t]

What the first loop comes to must not matter to the second, but for a number that its sums start
from: these then start from 0, and the number is added in the end. The first loop runs as before,
in its order; the second may run in any (`commuting`), or it would not count upwards. Loops without
loops inside stay apart: LLVM computes several of their iterations at once, if the other lets it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from ...ir.kinds import Num
from ...ir.mapping import Mapper
from ...ir.nodes import (
    FALSE,
    Atom,
    Call,
    Const,
    For,
    Function,
    Module,
    Node,
    Op,
    Region,
    Value,
    While,
    free_values,
    is_int,
    never_leaves,
    read_by,
    regions_of,
    walk,
)
from ...ir.rewrite import substitute_region
from .commuting import Facts, Sum, histories, is_pure
from .fusion.views import same_atom

__all__ = ["join_sweeps"]


def join_sweeps(module: Module) -> Module:
    """The module with such loops joined."""
    return Module({name: _function(f) for name, f in module.functions.items()})


def _function(f: Function) -> Function:
    while any(isinstance(n, Op) and n.fn == "tape_new" for n in walk(f.body)):
        tapes, facts = _tapes(f.body), Facts(f.body)
        found = next(_pairs(f.body, tapes, facts), None)
        if found is None:
            break
        region, pair = found
        f = replace(f, body=_Joining(region, pair).region(f.body))
    return f


@dataclass(slots=True)
class _Tape:
    """Where one tape is made, written and read."""

    made: Op
    puts: list[Op]
    gets: list[Op]


def _tapes(body: Region) -> dict[int, _Tape]:
    """The tapes whose entries are numbers, and found by the numbers of iterations."""
    found: dict[int, _Tape] = {}
    for node in walk(body):
        if isinstance(node, Op) and node.fn == "tape_new" and not node.attrs["counter"]:
            if all(dtype is not None for _, dtype in node.attrs["fields"]):
                found[node.attrs["tape"]] = _Tape(node, [], [])
    for node in walk(body):
        if isinstance(node, Op) and node.attrs.get("tape") in found:
            tape = found[node.attrs["tape"]]
            if node.fn in ("tape_put", "tape_get"):
                (tape.puts if node.fn == "tape_put" else tape.gets).append(node)
    return found


# -- which loops ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Pair:
    """Two loops of a region that are to be joined.

    ``later`` are the nodes between them that need the first, ``sums`` the positions of what the
    second starts from that these compute, ``tapes`` what the first leaves to the second.
    """

    first: For
    second: For
    later: tuple[Node, ...]
    sums: tuple[int, ...]
    tapes: tuple[_Tape, ...]


def _pairs(
    region: Region, tapes: dict[int, _Tape], facts: Facts
) -> Iterator[tuple[Region, _Pair]]:
    loops = [n for n, node in enumerate(region.ops) if isinstance(node, For)]
    for p in loops:
        for q in loops:
            if p < q and (pair := _pair(region.ops[p : q + 1], tapes, facts)) is not None:
                yield region, pair
    for node in region.ops:
        for inner in regions_of(node):
            yield from _pairs(inner, tapes, facts)


def _pair(nodes: Sequence[Node], tapes: dict[int, _Tape], facts: Facts) -> _Pair | None:
    """The first and the last of some nodes as a pair of loops; None where they stay apart."""
    first, *between, second = nodes
    assert isinstance(first, For)
    assert isinstance(second, For)
    if not (_is_sweep(first, tapes) and _is_sweep(second, tapes) and _same_range(first, second)):
        return None
    left = _left(first, second, tapes)
    if not left or not _touched([first]).isdisjoint(_touched(between)):
        return None
    needing: set[Atom] = set(first.results)
    later: list[Node] = []
    for node in between:
        if not needing.isdisjoint(read_by(node)):
            if not _is_pure(node):
                return None
            later.append(node)
            needing |= set(node.results)
    if not needing.isdisjoint(free_values(second.body)):
        return None
    sums = tuple(n for n, a in enumerate(second.init) if a in needing)
    if sums and not _only_sums(second, sums, facts):
        return None
    return _Pair(first, second, tuple(later), sums, left)


def _is_sweep(loop: For, tapes: dict[int, _Tape]) -> bool:
    """Whether a loop runs to its end, has loops inside, and does nothing but compute and tape."""
    if not (is_int(loop.step, 1) and never_leaves(loop)):
        return False
    if not any(isinstance(n, For | While) for n in walk(loop.body)):
        return False
    return all(
        _is_pure_itself(n)
        or (isinstance(n, Op) and n.fn in ("tape_put", "tape_get") and n.attrs["tape"] in tapes)
        for n in walk(loop.body)
    )


def _is_pure_itself(node: Node) -> bool:
    if isinstance(node, Op):
        return is_pure(node)
    return not isinstance(node, Call)


def _is_pure(node: Node) -> bool:
    return _is_pure_itself(node) and all(
        _is_pure_itself(n) for region in regions_of(node) for n in walk(region)
    )


def _same_range(a: For, b: For) -> bool:
    return same_atom(a.start, b.start) and same_atom(a.stop, b.stop)


def _touched(nodes: Sequence[Node]) -> set[object]:
    """The tapes that are written or read."""
    inside = [n for node in nodes for region in regions_of(node) for n in walk(region)]
    ops = [n for n in (*nodes, *inside) if isinstance(n, Op) and n.fn != "tape_new"]
    return {op.attrs["tape"] for op in ops if "tape" in op.attrs}


def _left(first: For, second: For, tapes: dict[int, _Tape]) -> tuple[_Tape, ...]:
    """What one loop leaves to the other, each iteration to the one of the same number; or ()."""
    down, up = set(walk(first.body)), set(walk(second.body))
    left: list[_Tape] = []
    for tape in tapes.values():
        if down.isdisjoint(tape.puts) or up.isdisjoint(tape.gets):
            continue
        if not (down.issuperset(tape.puts) and up.issuperset(tape.gets)):
            return ()
        own = first.body.params[0], second.body.params[0]
        if not is_int(first.start, 0) or not (
            all(op.args[0] is own[0] for op in tape.puts)
            and all(op.args[0] is own[1] for op in tape.gets)
        ):
            return ()
        left.append(tape)
    return tuple(left)


def _only_sums(loop: For, positions: Sequence[int], facts: Facts) -> bool:
    """Whether a loop only adds to the numbers that it carries in these positions."""
    found = histories(loop, loop.body.params[0], loop, facts)
    if found is None:
        return False
    pairs = zip(loop.body.params[1:], loop.body.yields[1:], strict=True)
    changed = [n for n, (p, y) in enumerate(pairs) if p is not y]
    by_position = dict(zip(changed, found, strict=True))
    return all(
        isinstance(h := by_position.get(n), Sum)
        and h.commutes
        and isinstance(k := loop.results[n].kind, Num)
        and k.dtype == "float64"
        for n in positions
    )


# -- joining --------------------------------------------------------------------------------------


class _Joining(Mapper):
    """Copies a function, in one region of which two loops are one."""

    def __init__(self, at: Region, pair: _Pair) -> None:
        super().__init__()
        self.at = at
        self.pair = pair
        #: tapes whose entries are values of the iteration in which they are read
        self.gone = {
            t.made.attrs["tape"]: t.puts[0]
            for t in pair.tapes
            if len(t.puts) == 1 and t.puts[0] in pair.first.body.ops
        }
        self.shorter = {t.made.attrs["tape"] for t in pair.tapes} - self.gone.keys()

    def region(self, region: Region) -> Region:
        if region is not self.at:
            return super().region(region)
        return super().region(replace(region, ops=self.merged(region.ops)))

    def merged(self, nodes: Sequence[Node]) -> tuple[Node, ...]:
        """The nodes of the region, the two loops in the place of the second."""
        pair = self.pair
        made: list[Node] = []
        for node in nodes:
            if node is pair.second:
                made += [self.one_loop(), *pair.later, *self.sums]
            elif node is not pair.first and node not in pair.later:
                made.append(node)
        return tuple(made)

    def one_loop(self) -> For:
        first, second = self.pair.first, self.pair.second
        index = second.body.params[0]
        down = substitute_region(first.body, {first.body.params[0]: index})
        init, results = list(second.init), list(second.results)
        self.sums: list[Node] = []
        for n in self.pair.sums:
            init[n], results[n] = Const(0.0, second.results[n].kind), Value(second.results[n].kind)
            args = (second.init[n], results[n])
            self.sums.append(Op((second.results[n],), "add", args, {}, second.span))
        body = Region(
            (index, *first.body.params[1:], *second.body.params[1:]),
            (*down.ops, *second.body.ops),
            (FALSE, *down.yields[1:], *second.body.yields[1:]),
        )
        return replace(
            second,
            results=(*first.results, *results),
            init=(*first.init, *init),
            body=body,
        )

    def op(self, op: Op) -> Sequence[Node]:
        (new,) = super().op(op)
        assert isinstance(new, Op)
        tape = op.attrs.get("tape")
        if tape in self.gone:
            if op.fn == "tape_get":
                put = self.gone[tape]
                held = self.atoms(put.args[put.attrs["axes"] :])
                self.known.update(zip(op.results, held, strict=True))
            return []
        if tape in self.shorter:
            attrs = dict(new.attrs)
            if op.fn != "tape_new":
                attrs["axes"] -= 1
            return [replace(new, args=new.args[1:], attrs=attrs)]
        return [new]
