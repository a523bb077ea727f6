"""The forward form of a loop that is reversed: the same loop, and a tape of what it must remember.

In: the loop as the user has it, and the plan of what its reverse reads. Out: the loop with one
more result: the list of what every iteration saves or, where nothing is saved but the loop may
leave early, how many iterations there were.

    for i in range(n):            tape = []
        y = y * x[i]       ->     for i in range(n):
                                      tape.append((i, y))
                                      y = y * x[i]
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ..ir.kinds import INT, Kind, ListOf, Tuple
from ..ir.nodes import Atom, Const, For, If, Node, Op, Region, Value, While
from ..ir.rewrite import resolve
from .early import with_early
from .reverse import Reverse
from .saves import Plan
from .twins import placeholder

__all__ = ["Guard", "leading_guard", "with_tape"]


@dataclass(slots=True)
class Guard:
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


def leading_guard(rev: Reverse, node: For | While) -> Guard | None:
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
            (y in rev.active or p in rev.active or r in rev.active)
            and (y not in at or arm.yields[at[y]] is not p)
            for r, p, y in zip(node.results, params, body.yields[1:], strict=True)
            if y is not p
        ):
            continue
        staying: dict[Value, Atom] = dict(zip(branch.results, other.yields, strict=True))
        passed = Region(body.params, (*body.ops[:-1], *other.ops), resolve(body.yields, staying))
        return Guard(branch, leaves_first, passed)
    return None


def with_tape(
    rev: Reverse,
    node: For | While,
    guard: Guard | None,
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
        ops = with_early(rev.rebuilt(body), plan.early)
        ops = _insert(ops, extra, plan.saved, body.params)
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
