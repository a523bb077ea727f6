"""A loop in stages: what each iteration computes, and the loops in it that use that.

In: a loop whose iterations do not depend on each other, with loops inside. Out: a `Plan`, by which
stage after stage may be done for many iterations before the next; None where that is not known::

    for j in range(n):
        s = 0.0                                     stage 0: nothing but sums to start
        for k in range(w): s += a[k, j]                      then for k: s
        t = f(s)                            ->      stage 1: t
        for k in range(w): b[k, j] += t                      then for k: b
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field, replace

from ...ir.kinds import Array, Kind, Num, Tuple
from ...ir.mapping import carrying
from ...ir.nodes import (
    Atom,
    For,
    If,
    Node,
    Op,
    Value,
    is_int,
    never_leaves,
    read_by,
    regions_of,
    walk,
)
from ...ir.rewrite import substitute_region
from ...transform.dead_code import needed
from .commuting import Facts, Family, histories, is_pure, is_whole
from .interchange import is_strided

__all__ = ["Nest", "Plan", "is_float", "kept_numbers", "planned"]

#: What indices and lengths are computed by, which is done again wherever they are needed.
_OF_INDICES = frozenset({"add", "sub", "mul", "neg", "pos", "tuple", "min", "max", "int", "item"})
_ACCESSES = frozenset({"item", "setitem", "accumulate"})


@dataclass(frozen=True, slots=True)
class Nest:
    """Loops inside each other; ``ops`` are done in the innermost, the indices of all included.

    What it carries is called ``inner`` and ``ends`` there.
    """

    loops: tuple[For, ...]
    ops: tuple[Op, ...]
    inner: tuple[Value, ...]
    ends: tuple[Atom, ...]

    @property
    def outer(self) -> For:
        return self.loops[0]


@dataclass(slots=True)
class Plan:
    """A loop in stages: what is computed for each iteration, and the nests that come after it.

    ``ready`` is the first stage at which a value may be used, ``indices`` compute the indices and
    ``sizes`` what is the same in all iterations. ``ordered`` are the numbers that go from one
    iteration to the next, at their start and at their end, all of them at the stage ``last``.
    """

    loop: For
    rows: list[list[Node]] = field(default_factory=list)
    nests: list[list[Nest]] = field(default_factory=list)
    ready: dict[Atom, int] = field(default_factory=dict)
    indices: list[Op] = field(default_factory=list)
    sizes: list[Op] = field(default_factory=list)
    ordered: list[tuple[Value, Atom]] = field(default_factory=list)
    last: int = 0

    def stage(self, atoms: Iterable[Atom]) -> int:
        """The first stage at which all of these are known."""
        return max((self.ready.get(a, 0) for a in atoms), default=0)

    def put(self, node: Node | Nest, stage: int) -> None:
        """Do something at a stage."""
        while len(self.rows) <= stage:
            self.rows.append([])
            self.nests.append([])
        if isinstance(node, Nest):
            self.nests[stage].append(node)
            self.ready.update(dict.fromkeys(node.outer.results, stage + 1))
        else:
            self.rows[stage].append(node)
            self.ready.update(dict.fromkeys(node.results, stage))


def planned(loop: For, facts: Facts) -> Plan | None:
    """The stages of a loop; None where it stays as it is."""
    if not is_int(loop.step, 1) or not never_leaves(loop):
        return None
    if not any(isinstance(n, For) for n in loop.body.ops) or not _may_be_apart(loop, facts):
        return None
    loop = _simpler(loop)
    plan = Plan(loop)
    index, *carried = loop.body.params
    moving: set[Atom] = {index}
    ordered: set[Atom] = {p for p in carried if is_float(p.kind)}
    last: list[Node] = []
    for node in loop.body.ops:
        read = read_by(node)
        if isinstance(node, For):
            nest = _nest(node)
            bounds = {a for n in nest.loops for a in (n.start, n.stop)} if nest else set()
            if nest is None or not bounds.isdisjoint(moving | plan.ready.keys()):
                return None
            if not ordered.isdisjoint(read):
                return None
            plan.put(nest, plan.stage(read))
        elif isinstance(node, Op) and _is_index(node) and plan.ready.keys().isdisjoint(read):
            if moving.isdisjoint(read):
                plan.sizes.append(node)
            else:
                plan.indices.append(node)
                moving.update(node.results)
        elif not _is_of_numbers(node) and not _is_of_tape(node, facts):
            return None
        elif ordered.isdisjoint(read):
            plan.put(node, plan.stage(read))
        else:
            last.append(node)
            ordered.update(node.results)
    stage = plan.stage(a for node in last for a in read_by(node))
    for node in last:
        plan.put(node, stage)
    ends = zip(carried, loop.body.yields[1:], strict=True)
    plan.ordered = [(p, y) for p, y in ends if is_float(p.kind)]
    plan.last = stage
    if not all(y in ordered for _, y in plan.ordered) or _puts_and_gets(loop):
        return None
    if not all(is_float(v.kind) for v in kept_numbers(plan)):
        return None
    return plan if _pays(plan, facts) else None


def _simpler(loop: For) -> For:
    """The loop without what nobody reads, and with indices and lengths that are computed once."""
    made: dict[Hashable, Value] = {}
    same: dict[Value, Atom] = {}
    for node in loop.body.ops:
        if isinstance(node, Op) and _is_index(node):
            args = tuple(same.get(a, a) if isinstance(a, Value) else a.value for a in node.args)
            first = made.setdefault((node.fn, args), node.results[0])
            if first is not node.results[0]:
                same[node.results[0]] = first
    body = substitute_region(loop.body, same)
    ops = needed(body.ops, body.yields)
    return replace(loop, body=replace(body, ops=tuple(ops)))


def kept_numbers(plan: Plan) -> list[Value]:
    """The sums, and the numbers of one stage that another reads, or a nest."""
    stage: dict[Atom, int] = {}
    for k, rows in enumerate(plan.rows):
        stage |= {r: k for node in rows for r in node.results if isinstance(r.kind, Num)}
    found: dict[Value, None] = {}
    for k, (rows, nests) in enumerate(zip(plan.rows, plan.nests, strict=True)):
        read = [a for node in rows for a in read_by(node) if stage.get(a, k) != k]
        for nest in nests:
            found.update((r, None) for r in nest.outer.results if isinstance(r.kind, Num))
            read += [a for a in nest.outer.init if stage.get(a, k) != k]
            read += [a for op in nest.ops for a in op.args if a in stage]
            read += [a for a in nest.ends if a in stage]
        found.update((a, None) for a in read if isinstance(a, Value))
    return list(found)


def _may_be_apart(loop: For, facts: Facts) -> bool:
    """Whether iterations depend on none before, and read no array that any of them writes.

    But for numbers, which may go from one iteration to the next.
    """
    arrays = [k for k, r in enumerate(loop.results) if not is_float(r.kind)]
    found = histories(carrying(loop, arrays), loop.body.params[0], loop, facts)  # type: ignore[arg-type]
    return found is not None and all(
        isinstance(h, Family) and h.commutes and all(a.writes for a in h.accesses) for h in found
    )


def _is_of_tape(node: Node, facts: Facts) -> bool:
    """Whether a node puts numbers in their places on a tape, or gets them from there."""
    if not isinstance(node, Op) or node.fn not in ("tape_put", "tape_get"):
        return False
    return facts.is_placed(node) and all(
        is_float(a.kind) or is_whole(a.kind) for a in (*node.args, *node.results)
    )


def _puts_and_gets(loop: For) -> bool:
    """Whether the loop gets anything from a tape that it writes."""
    ops = [n for n in walk(loop.body) if isinstance(n, Op)]
    put = {n.attrs["tape"] for n in ops if n.fn == "tape_put"}
    return any(n.fn == "tape_get" and n.attrs["tape"] in put for n in ops)


def _nest(loop: For) -> Nest | None:
    """The loops of a nest, if all there is but for indices is in the innermost."""
    loops, ops = [loop], list[Op]()
    while True:
        last = loops[-1]
        if not is_int(last.step, 1) or not never_leaves(last):
            return None
        *before, inner = last.body.ops or (None,)
        if not isinstance(inner, For):
            break
        if inner.init != last.body.params[1:] or last.body.yields[1:] != inner.results:
            return None
        if not all(isinstance(n, Op) and _is_index(n) for n in before):
            return None
        own = {*last.body.params, *(r for n in before if n is not None for r in n.results)}
        if own.intersection((inner.start, inner.stop)):
            return None
        ops += before  # type: ignore[arg-type]
        loops.append(inner)
    for node in last.body.ops:
        if not isinstance(node, Op) or not (_is_index(node) or _is_of_numbers(node)):
            return None
        ops.append(node)
    if not all(isinstance(r.kind, Array) or is_float(r.kind) for r in loop.results):
        return None
    return Nest(tuple(loops), tuple(ops), last.body.params[1:], last.body.yields[1:])


def _is_index(op: Op) -> bool:
    if op.fn not in _OF_INDICES or op.attrs:
        return False
    return all(is_whole(a.kind) for a in (*op.args, *op.results))


def is_float(kind: Kind) -> bool:
    """Whether it is a number that a row can hold."""
    return isinstance(kind, Num) and kind.dtype == "float64"


def _is_of_numbers(node: Node) -> bool:
    """Whether a node computes numbers, or reads or writes one element, and does nothing else."""
    if isinstance(node, If):
        inside = (n for r in regions_of(node) for n in r.ops)
        return all(is_float(r.kind) for r in node.results) and all(map(_is_of_numbers, inside))
    if not isinstance(node, Op) or not is_pure(node):
        return False
    if node.fn in _ACCESSES:
        value = node.args[2] if node.fn != "item" else node.results[0]
        return isinstance(node.args[0].kind, Array) and isinstance(value.kind, Num)
    return all(isinstance(a.kind, Num | Tuple) for a in (*node.args, *node.results))


def _pays(plan: Plan, facts: Facts) -> bool:
    """Whether there are sums that have to wait, and all elements lie beside those of the next.

    A sum along a row that may be added up in any order is vector code as it is.
    """
    nests = [nest for stage in plan.nests for nest in stage]
    index, waits = plan.loop.body.params[0], False
    for nest in nests:
        accesses = [op for op in nest.ops if op.fn in _ACCESSES]
        if any(is_strided(op, index, plan.loop.body, facts) for op in accesses):
            return False
        if any(is_float(r.kind) for r in nest.outer.results):
            along = nest.loops[-1].body
            ordered = not any(op.fn == "plus" for op in nest.ops)
            if not ordered and not any(
                is_strided(op, along.params[0], along, facts) for op in accesses
            ):
                return False
            waits = True
    return waits
