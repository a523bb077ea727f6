"""The reverse of a loop: the same loop run backwards, fed by a tape where it needs one.

In: a ``For`` or ``While`` whose results have adjoints. Out: a ``For`` that walks the iterations
backwards and carries the adjoints of what the loop carried and of what it read from outside, and
the forward loop rewritten to append what each iteration must remember.

    for i in range(n):            for i in range(n):         for i, y in tape[::-1]:
        y = y * x[i]       ->         tape.append((i, y))        x_bar[i] += y_bar * y
                                      y = y * x[i]               y_bar = y_bar * x[i]
"""

from __future__ import annotations

from dataclasses import dataclass

from ..ir.clone import clone
from ..ir.kinds import INT, Array, Kind, Num, join
from ..ir.nodes import (
    FALSE,
    Atom,
    Const,
    For,
    If,
    Node,
    Op,
    Region,
    Value,
    While,
    free_values,
    is_unit,
    never_leaves,
)
from ..ir.rewrite import substitute_region
from .adjoints import Env, adjoint_kind, bar, repeat, reversed_span
from .alike import alike
from .dead_code import needed
from .early import asked_early
from .rerun import rerun
from .reverse import Reverse
from .reverse_loop_compiled import (
    at_iteration,
    constant_over,
    inductions,
    iterations_before,
)
from .reverse_loop_tape import Guard, leading_guard, with_tape
from .revolve import mark_of, reverse_scheduled
from .saves import Plan, Planner
from .target import is_for_compiler


@dataclass(slots=True)
class _Carried:
    """One adjoint the reverse loop carries."""

    primal: Value
    init: Atom
    param: Value
    next: Atom


def reverse_loop(rev: Reverse, node: For | While, env: Env) -> None:
    """Append the reverse of a loop and register its rewritten forward form."""
    guard = leading_guard(rev, node)
    body = node.body if guard is None else guard.passed
    params = body.params[1:] if isinstance(node, For) else body.params
    seeds = {r: env.pop(r) for r in node.results if r in env}
    through = {
        k: seeds[r]
        for k, (r, p) in enumerate(zip(node.results, params, strict=True))
        if r in seeds and p in rev.active and _only_adds(rev, node.body.yields[k + 1], p)
    }
    positions = [
        k
        for k, (r, p) in enumerate(zip(node.results, params, strict=True))
        if k not in through and (r in seeds or p in rev.active)
    ]
    outers = [
        v
        for v in free_values(body)
        if v in rev.active and not rev.is_inside(v, rev.region_scope[node.body])
    ]
    carried = [_new_carried(v, v.kind, rev.weak) for v in outers]
    for k in positions:
        r, p = node.results[k], params[k]
        c = _new_carried(p, join(r.kind, p.kind), rev.weak, p.name or r.name)
        c.init = rev.whole(r, seeds[r]) if r in seeds else rev.zero(r)
        carried.append(c)
    looped = carried[len(outers) :]

    inner: Env = {c.primal: c.param for c in carried[: len(outers)]}
    with rev.builder.region() as nodes:
        for k, g in through.items():
            rev.contribute(inner, body.yields[k + 1], g)
        for c, k in zip(looped, positions, strict=True):
            rev.contribute(inner, body.yields[k + 1], c.param)
        rev.region(body.ops, inner)
        for k, g in through.items():
            if inner.pop(params[k], None) is not g:
                raise AssertionError("the adjoint of a running sum changed inside its loop")
        for c in looped:
            end = rev.take(inner, c.primal)
            c.next = _nothing(rev, node, c) if end is None else end
        touched = [c for c in carried[: len(outers)] if inner[c.primal] is not c.param]
        for c in touched:
            c.next = rev.whole(c.primal, inner[c.primal])
    rev.builder.span = reversed_span(node.span)
    for c in touched:
        old = env.get(c.primal)
        c.init = rev.zero(c.primal) if old is None else rev.whole(c.primal, old)

    results = _emit(rev, node, guard, nodes, [*touched, *looped])
    env.update((c.primal, r) for c, r in zip(touched, results, strict=False))
    for k, g in through.items():
        rev.contribute(env, node.init[k], g)
    for k, r in zip(positions, results[len(touched) :], strict=True):
        rev.contribute(env, node.init[k], r)


def _new_carried(
    primal: Value, kind: Kind, weak: bool | None, name: str | None = None
) -> _Carried:
    param = Value(adjoint_kind(kind, weak), bar(name or primal.name))
    return _Carried(primal, param, param, param)


def _nothing(rev: Reverse, node: For | While, c: _Carried) -> Atom:
    """The adjoint of what the body does not read."""
    if mark_of(rev, node) is not None and isinstance(c.param.kind, Array):
        return rev.builder.op("zeros_like", c.param)  # what is carried may be unassigned
    return rev.zero(c.primal)


def _only_adds(rev: Reverse, value: Atom, param: Value) -> bool:
    """Whether all that a loop does to ``param`` is to add to it, on the way to ``value``."""
    uses = _uses_through(rev, value, param)
    return uses is not None and uses == rev.use_count.get(param)


def _uses_through(rev: Reverse, value: Atom, param: Value) -> int | None:
    """How often ``param`` is used on the way to ``value`` if all that happens to it is addition.

    Then its adjoint is the adjoint of ``value``, unchanged, and need not be carried by the loop.
    """
    if value is param:
        return 1
    if (
        not isinstance(value, Value)
        or rev.use_count.get(value) != 1
        or not isinstance(value.kind, Num)
    ):
        return None
    node = rev.producer.get(value)
    match node:
        case Op(fn="add" | "sub" | "add_to", args=(x, y)):
            uses = _uses_through(rev, x, param)
            return _uses_through(rev, y, param) if uses is None and node.fn != "sub" else uses
        case If():
            k = node.results.index(value)
            arms = [_uses_through(rev, r.yields[k], param) for r in (node.then, node.orelse)]
            return None if None in arms else sum(a for a in arms if a is not None)
        case For() | While():
            k = node.results.index(value)
            own = node.body.params[1:][k] if isinstance(node, For) else node.body.params[k]
            if not _only_adds(rev, node.body.yields[k + 1], own):
                return None
            return _uses_through(rev, node.init[k], param)
        case _:
            return None


def _emit(
    rev: Reverse,
    node: For | While,
    guard: Guard | None,
    nodes: list[Node],
    carried: list[_Carried],
) -> list[Value]:
    b = rev.builder
    body = node.body
    mark = mark_of(rev, node)
    if mark is not None:
        assert isinstance(node, For)
        steps = [(c.param, c.init, c.next) for c in carried]
        return reverse_scheduled(rev, node, mark, nodes, steps)
    index = body.params[0] if isinstance(node, For) else None
    ends = tuple(c.next for c in carried)
    region = Region((), tuple(needed(nodes, ends)), ends)

    def needs_of(region: Region) -> list[Value]:
        return [v for v in free_values(region) if rev.is_inside(v, rev.region_scope[body])]

    region = substitute_region(region, dict(alike(needs_of(region), rev.definition)))
    counted = isinstance(node, For) and never_leaves(node)
    compiled = is_for_compiler() and counted and guard is None and is_unit(node)
    steady = inductions(rev, node) if compiled else {}
    planner = Planner(
        lambda v: rev.is_inside(v, rev.region_scope[body]) and v not in steady,
        rev.definition,
        rev.position,
        rev.overwritten,
        rev.settled,
        rev.shape_of,
        index,
    )

    def planned(region: Region) -> Plan:
        needs = needs_of(region)
        rest = [v for v in needs if v is not index]
        return planner.plan(rest, tape=True, keep_index=index in needs)

    plan = planned(region)
    if guard is None:
        region, plan = asked_early(rev, body, region, plan, planned)
    needs = needs_of(region)
    keep_index = index in needs
    again_ops: tuple[Node, ...] = ()
    repeated: tuple[Value, ...] = ()
    buffers: tuple[tuple[Value, Value], ...] = ()
    exports: list[tuple[Value, Value]] = []
    if compiled:
        if (found := rerun(rev, node, plan.saved)) is not None:
            again_ops, plan.saved, buffers = found.nodes, found.saved, found.buffers
            repeated = (*found.values, *(last for _, last in buffers))
            keep_index |= found.uses_index
        exports = constant_over(rev, node, plan)
    read = {a for op in plan.recomputed for a in op.args} | {*needs, *free_values(region)}
    read |= free_values(Region((), again_ops, ())).keys()
    steady = {v: step for v, step in steady.items() if v in read}
    wants_index = index is not None and (keep_index or plan.uses_index or bool(steady))
    if plan.saved and wants_index and not compiled:
        assert index is not None
        plan.saved.insert(0, index)
    rev.rewritten[node], tape = with_tape(rev, node, guard, plan, counted, exports)

    params = body.params[1:] if isinstance(node, For) else body.params
    starts = dict(zip(params, node.init, strict=True))
    scratch = [
        (Value(p.kind, p.name), b.op("zeros_like", rev.shape_of(starts[p]), name=p.name))  # type: ignore[arg-type]
        for p, _ in buffers
    ]
    results = [Value(c.param.kind, c.param.name) for c in carried]
    span = reversed_span(node.span)
    mapping: dict[Value, Atom] = dict(exports)
    mapping.update((p, own) for (p, _), (own, _) in zip(buffers, scratch, strict=True))
    head: list[Node] = []
    if compiled:
        assert isinstance(node, For)
        assert index is not None
        k = Value(INT, index.name)
        start, stop, step, _ = _backwards(rev, node, None)
        with b.region() as head:
            mapping[index] = k
            if tape is not None:
                _read_tape(rev, tape, iterations_before(b, node, k), plan, mapping)
            for v, by in steady.items():
                mapping[v] = at_iteration(b, node, k, v, by)
            if again_ops:
                copies, atoms = clone(Region((), again_ops, repeated), mapping)
                for copy in copies:
                    b.append(copy)
                mapping.update(zip(repeated, atoms, strict=True))
    elif tape is not None and plan.saved:
        k = Value(INT)
        size = b.op("len", tape)
        start, stop, step = b.op("sub", size, Const.of(1)), Const.of(-1), Const.of(-1)
        with b.region() as head:
            _read_tape(rev, tape, k, plan, mapping)
    else:
        k = Value(INT, index.name if index is not None else None)
        start, stop, step, shift = _backwards(rev, node, tape)
        with b.region() as head:
            if wants_index and index is not None:
                mapping[index] = shift(k) if shift is not None else k
    again, renamed = repeat(plan.recomputed, mapping)
    region = substitute_region(region, renamed)
    loop = For(
        (*results, *(Value(own.kind, own.name) for own, _ in scratch)),
        start,
        stop,
        step,
        (*(c.init for c in carried), *(zeros for _, zeros in scratch)),
        Region(
            (k, *(c.param for c in carried), *(own for own, _ in scratch)),
            (*head, *again, *region.ops),
            (FALSE, *region.yields, *(mapping[last] for _, last in buffers)),
        ),
        span,
    )
    b.append(loop)
    return results


def _read_tape(rev: Reverse, tape: Value, k: Atom, plan: Plan, mapping: dict[Value, Atom]) -> None:
    b = rev.builder
    entry = b.op("item", tape, k, name=plan.saved[0].name if len(plan.saved) == 1 else None)
    if len(plan.saved) == 1:
        mapping[plan.saved[0]] = entry
        return
    for n, v in enumerate(plan.saved):
        mapping[v] = b.op("item", entry, Const.of(n), name=v.name)


def _backwards(rev: Reverse, node: For | While, trips: Value | None):  # type: ignore[no-untyped-def]
    """Start, stop and step of the loop run backwards, and how to get the index from them."""
    b = rev.builder
    one, minus = Const.of(1), Const.of(-1)
    if isinstance(node, While):
        assert trips is not None
        return b.op("sub", trips, one), minus, minus, None
    step = node.step
    if trips is None and isinstance(step, Const) and step.value in (1, -1):
        by = -step.value
        return _shifted(rev, node.stop, by), _shifted(rev, node.start, by), Const.of(by), None
    if trips is None:
        (trips,) = b.ops("trip_count", node.start, node.stop, step)

    def shift(k: Value) -> Atom:
        return b.op("add", node.start, b.op("mul", k, step))

    return b.op("sub", trips, one), minus, minus, shift


def _shifted(rev: Reverse, x: Atom, by: int) -> Atom:
    """``x + by`` as a person writes it: ``n - 1`` less 1 is ``n - 2``."""
    op = rev.definition.get(x) if isinstance(x, Value) else None
    if op is not None and op.fn in ("add", "sub") and isinstance(op.args[1], Const):
        if type(op.args[1].value) is int:
            by += op.args[1].value if op.fn == "add" else -op.args[1].value
            x = op.args[0]
    if by == 0:
        return x
    return rev.builder.op("add" if by > 0 else "sub", x, Const.of(abs(by)))


__all__ = ["reverse_loop"]
