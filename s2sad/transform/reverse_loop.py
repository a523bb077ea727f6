"""The reverse of a loop: the same loop run backwards, fed by a tape where it needs one.

In: a ``For`` or ``While`` whose results have adjoints. Out: a ``For`` that walks the iterations
backwards and carries the adjoints of what the loop carried and of what it read from outside, and
the forward loop rewritten to append what each iteration must remember.

    for i in range(n):            for i in range(n):         for i, y in tape[::-1]:
        y = y * x[i]       ->         tape.append((i, y))        x_bar[i] += y_bar * y
                                      y = y * x[i]               y_bar = y_bar * x[i]
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ..ir.builder import Builder
from ..ir.clone import clone
from ..ir.kinds import INT, Array, Kind, ListOf, Num, Tuple, join
from ..ir.nodes import (
    FALSE,
    UNDEFINED,
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
)
from ..ir.rewrite import resolve, substitute_region
from ..rules.registry import primitive
from .adjoints import Env, adjoint_kind, bar, repeat, reversed_span
from .dead_code import needed
from .rerun import rerun
from .reverse import Reverse
from .revolve import mark_of, reverse_scheduled
from .saves import Plan, Planner
from .target import is_for_compiler
from .twins import placeholder


@dataclass(slots=True)
class _Guard:
    """A branch at the end of a body, one arm of which leaves the loop with nothing changed.

    The iteration that leaves has no reverse, so it is neither recorded nor walked back:
    ``passed`` is the body of all other iterations.
    """

    branch: If
    leaves_first: bool
    passed: Region

    def with_record(
        self,
        rev: Reverse,
        body: Region,
        extra: list[Node],
        saved: list[Value],
        now: Value,
        after: Value,
        end: Value,
    ) -> tuple[Node, ...]:
        """The forward body with ``extra`` in the arm that stays."""
        ops = rev.rebuilt(body)
        stays = self.branch.orelse if self.leaves_first else self.branch.then
        leaves = self.branch.then if self.leaves_first else self.branch.orelse
        known = (*body.params, *(r for n in ops[:-1] for r in n.results))
        staying = Region(
            (), _insert(rev.rebuilt(stays), extra, saved, known), (*stays.yields, after)
        )
        leaving = Region((), leaves.ops, (*leaves.yields, now))
        then, orelse = (leaving, staying) if self.leaves_first else (staying, leaving)
        results = (*self.branch.results, end)
        branch = If(results, self.branch.cond, then, orelse, self.branch.span)
        rev.twins.stands_for[branch] = self.branch
        return (*ops[:-1], branch)


def _leading_guard(rev: Reverse, node: For | While) -> _Guard | None:
    body = node.body
    branch = body.ops[-1] if body.ops else None
    leave = body.yields[0]
    if not isinstance(branch, If) or leave not in branch.results:
        return None
    params = body.params[1:] if isinstance(node, For) else body.params
    at = {r: n for n, r in enumerate(branch.results)}
    for leaves_first, arm, other in (
        (True, branch.then, branch.orelse),
        (False, branch.orelse, branch.then),
    ):
        flag = arm.yields[at[leave]]
        if not isinstance(flag, Const) or flag.value is not True:
            continue
        if any(
            y in rev.active and (y not in at or arm.yields[at[y]] is not p)
            for p, y in zip(params, body.yields[1:], strict=True)
            if y is not p
        ):
            continue
        staying: dict[Value, Atom] = dict(zip(branch.results, other.yields, strict=True))
        passed = Region(body.params, (*body.ops[:-1], *other.ops), resolve(body.yields, staying))
        return _Guard(branch, leaves_first, passed)
    return None


@dataclass(slots=True)
class _Carried:
    """One adjoint the reverse loop carries."""

    primal: Value
    init: Atom
    param: Value
    next: Atom


def reverse_loop(rev: Reverse, node: For | While, env: Env) -> None:
    """Append the reverse of a loop and register its rewritten forward form."""
    guard = _leading_guard(rev, node)
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
    guard: _Guard | None,
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
    needs = [v for v in free_values(region) if rev.is_inside(v, rev.region_scope[body])]
    counted = isinstance(node, For) and _never_leaves(node)
    compiled = is_for_compiler() and counted and guard is None and _is_unit(node)
    steady = _inductions(rev, node) if compiled else {}
    planner = Planner(
        lambda v: rev.is_inside(v, rev.region_scope[body]) and v not in steady,
        rev.definition,
        rev.position,
        rev.overwritten,
        index,
    )
    keep_index = index in needs
    plan = planner.plan([v for v in needs if v is not index], tape=True, keep_index=keep_index)
    again_ops: tuple[Node, ...] = ()
    repeated: tuple[Value, ...] = ()
    exports: list[tuple[Value, Value]] = []
    if compiled:
        if (found := rerun(rev, node, plan.saved)) is not None:
            again_ops, repeated, plan.saved = found.nodes, found.values, found.saved
            keep_index |= found.uses_index
        exports = _constant_over(rev, node, plan)
    read = {a for op in plan.recomputed for a in op.args} | {*needs, *free_values(region)}
    read |= free_values(Region((), again_ops, ())).keys()
    steady = {v: step for v, step in steady.items() if v in read}
    wants_index = index is not None and (keep_index or plan.uses_index or bool(steady))
    if plan.saved and wants_index and not compiled:
        assert index is not None
        plan.saved.insert(0, index)
    rev.rewritten[node], tape = _rewrite(rev, node, guard, plan, counted, exports)

    results = [Value(c.param.kind, c.param.name) for c in carried]
    span = reversed_span(node.span)
    mapping: dict[Value, Atom] = dict(exports)
    head: list[Node] = []
    if compiled:
        assert isinstance(node, For)
        assert index is not None
        k = Value(INT, index.name)
        start, stop, step, _ = _backwards(rev, node, None)
        with b.region() as head:
            mapping[index] = k
            if tape is not None:
                place: Atom = k
                if not (isinstance(node.start, Const) and node.start.value == 0):
                    first, last = (k, node.start) if is_one(node.step) else (node.start, k)
                    place = b.op("sub", first, last)
                _read_tape(rev, tape, place, plan, mapping)
            for v, by in steady.items():
                mapping[v] = _at_iteration(b, node, k, v, by)
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
        tuple(results),
        start,
        stop,
        step,
        tuple(c.init for c in carried),
        Region(
            (k, *(c.param for c in carried)),
            (*head, *again, *region.ops),
            (FALSE, *region.yields),
        ),
        span,
    )
    b.append(loop)
    return results


def is_one(a: Atom) -> bool:
    return isinstance(a, Const) and bool(a.value == 1)


def _is_unit(node: For | While) -> bool:
    return isinstance(node, For) and isinstance(node.step, Const) and node.step.value in (1, -1)


def _inductions(rev: Reverse, node: For | While) -> dict[Value, tuple[Atom, Atom]]:
    """Ints to which every iteration adds the same: where they start, and what is added."""
    assert isinstance(node, For)
    found: dict[Value, tuple[Atom, Atom]] = {}
    inner = rev.region_scope[node.body]
    for p, init, y in zip(node.body.params[1:], node.init, node.body.yields[1:], strict=True):
        op = rev.definition.get(y) if isinstance(y, Value) else None
        if not isinstance(p.kind, Num) or p.kind.dtype != "int64" or op is None:
            continue
        if init is UNDEFINED or op.fn not in ("add", "add_to") or op not in node.body.ops:
            continue
        by = op.args[1] if op.args[0] is p else op.args[0] if op.args[1] is p else None
        if by is None or by is p or not isinstance(by.kind, Num) or by.kind.dtype != "int64":
            continue
        if isinstance(by, Const) or not rev.is_inside(by, inner):
            found[p] = (init, by)
    return found


def _at_iteration(b: Builder, node: For, k: Value, p: Value, step: tuple[Atom, Atom]) -> Atom:
    """The value of an int at the iteration whose index is ``k``, by how it grows."""
    init, by = step
    first, last = (k, node.start) if is_one(node.step) else (node.start, k)
    zero = isinstance(node.start, Const) and node.start.value == 0
    passed = k if zero and is_one(node.step) else b.op("sub", first, last)
    grown = passed if is_one(by) else b.op("mul", passed, by)
    if isinstance(init, Const) and init.value == 0:
        return grown
    return b.op("add", init, grown, name=p.name)


def _constant_over(rev: Reverse, node: For | While, plan: Plan) -> list[tuple[Value, Value]]:
    """Values every iteration would save alike, each with what it is called after the loop."""
    inner = rev.region_scope[node.body]
    outer = inner.parent
    assert outer is not None
    found = []
    for v in list(plan.saved):
        op = rev.definition.get(v)
        if op is None or op not in node.body.ops or not isinstance(v.kind, Num):
            continue
        if primitive(op.fn).effect != "pure" or len(op.results) != 1:
            continue
        if any(isinstance(a, Value) and rev.is_inside(a, inner) for a in op.args):
            continue
        after = Value(v.kind, v.name, v.hint)
        rev.scope[after] = outer
        rev.position[after] = rev.position[v]
        plan.saved.remove(v)
        found.append((v, after))
    return found


def _never_leaves(node: For | While) -> bool:
    leave = node.body.yields[0]
    return isinstance(leave, Const) and leave.value is False


def _rewrite(
    rev: Reverse,
    node: For | While,
    guard: _Guard | None,
    plan: Plan,
    counted: bool,
    exports: Sequence[tuple[Value, Value]] = (),
) -> tuple[tuple[Node, ...], Value | None]:
    """The forward loop with its tape, or with a trip count where it has no tape but may leave.

    ``exports`` are values that are the same in every iteration, and what they are after the loop.
    """
    body = node.body
    kept = [rev.twins.defined(v) for v in plan.saved]
    if not plan.saved and counted:
        plain = _replace_body(node, rev.rebuilt(body))
        return (_exporting(plain, exports),), None
    outer = rev.region_scope[body].parent
    assert outer is not None
    extra: list[Node]
    if plan.saved:
        elem: Kind
        entry: Atom
        kinds = tuple(v.kind for v in plan.saved)
        if len(kept) == 1:
            extra, entry, elem = [], kept[0], kinds[0]
        else:
            elem = Tuple(kinds)
            packed = Value(elem)
            extra, entry = [Op((packed,), "tuple", tuple(kept))], packed
        kind: Kind = ListOf(elem)
        empty, now, after, last = (Value(k, "tape") for k in (ListOf(None), kind, kind, kind))
        extra.append(Op((after,), "append", (now, entry)))
        prelude: list[Node] = [Op((empty,), "list", ())]
        init: Atom = empty
    else:
        now, after, last = (Value(INT, "trips") for _ in range(3))
        extra = [Op((after,), "add", (now, Const.of(1)))]
        prelude, init = [], Const.of(0)
    rev.scope[last] = outer
    end = after
    if guard is None:
        ops = _insert(rev.rebuilt(body), extra, plan.saved, body.params)
    else:
        end = Value(after.kind, after.name)
        ops = guard.with_record(rev, body, extra, plan.saved, now, after, end)
    new_body = Region((*body.params, now), ops, (*body.yields, end))
    results, inits = (*node.results, last), (*node.init, init)
    new: For | While
    if isinstance(node, For):
        new = For(results, node.start, node.stop, node.step, inits, new_body, node.span)
    else:
        twin = Value(now.kind, now.name)
        test = Region((*node.test.params, twin), node.test.ops, node.test.yields)
        new = While(results, inits, test, new_body, node.span)
    return (*prelude, _exporting(new, exports)), last


def _exporting(node: For | While, exports: Sequence[tuple[Value, Value]]) -> For | While:
    """The loop with further results: values of its last iteration."""
    if not exports:
        return node
    assert isinstance(node, For)
    body = node.body
    params = tuple(Value(v.kind, v.name) for v, _ in exports)
    return replace(
        node,
        results=(*node.results, *(after for _, after in exports)),
        init=(*node.init, *(placeholder(v.kind) for v, _ in exports)),
        body=Region((*body.params, *params), body.ops, (*body.yields, *(v for v, _ in exports))),
    )


def _replace_body(node: For | While, ops: tuple[Node, ...]) -> For | While:
    body = Region(node.body.params, ops, node.body.yields)
    if isinstance(node, For):
        return For(node.results, node.start, node.stop, node.step, node.init, body, node.span)
    return While(node.results, node.init, node.test, body, node.span)


def _insert(
    ops: tuple[Node, ...], extra: list[Node], saved: list[Value], known: tuple[Value, ...]
) -> tuple[Node, ...]:
    """``extra`` put in at the first place where everything to be saved is known."""
    missing = set(saved) - set(known)
    for n, node in enumerate(ops):
        if not missing:
            return (*ops[:n], *extra, *ops[n:])
        missing.difference_update(node.results)
    assert not missing, "a saved value is not defined at its own level"
    return (*ops, *extra)


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
