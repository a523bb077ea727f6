"""What a loop carries: settled by comparing the end of an iteration with its start.

In: the state before a loop and the state after one iteration. Out: a plan of what differs and the
state at the head of an iteration, in which fresh values stand for what is carried.

    s = s + x[i]      s: Leaf(float); head: s = s1, s1 fresh
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import Any

from ..ir.kinds import Mixed, Unknown
from ..ir.nodes import FALSE, TRUE, Value
from . import join_values, joins
from .contents import Stale
from .context import Lowerer
from .joins import Place, Plan
from .refs import UNASSIGNED, ArrayRef, Lost, Root, TupleRef, Val
from .state import State

FALSE_REF, TRUE_REF = Val(FALSE), Val(TRUE)


#: After this many rounds sizes are forgotten; after the second number the loop is refused.
_WIDEN, _GIVE_UP = 3, 12


class Loop:
    """One loop while it is lowered."""

    def __init__(self, cx: Lowerer, body_nodes: Sequence[ast.stmt], has_else: bool) -> None:
        self.cx = cx
        self.frame = cx.frame
        self.id = cx.fresh_id()
        self.has_else = has_else
        self.base = cx.state
        if has_else:
            cx.state.set(cx.frame, f"$broke{self.id}", FALSE_REF)
        self.forced = _assigned(cx, body_nodes)
        self.plan = joins.make_plan(self.base, self.base, self.forced)
        self.shares: State | None = None

    # flags: $leave ends the loop, $skip the iteration, $ret the function
    def head(self) -> tuple[State, list[Value]]:
        """The state at the start of an iteration, and the carried values in it."""
        head = self.base.copy()
        if self.shares is not None:
            join_values.merge_shares(head, self.shares)
        values = join_values.instantiate(self.plan, head, Value)
        head.held |= join_values.stood_for(self.plan)
        head.forget_shares()
        head.set(self.frame, "$ret", FALSE_REF)
        if "$val" in head.frames[self.frame]:
            head.set(self.frame, "$val", UNASSIGNED)
        return head, values

    def settle(self, back: State) -> bool:
        """Compare the end of an iteration with its start; True if the plan covered it all."""
        for flag in ("$skip", "$leave"):
            back.frames[self.frame].pop(f"{flag}{self.id}", None)
        if back.raised:
            return True
        new = joins.make_plan(self.base, back, self.forced | set(self.plan.places))
        new, covered = joins.widened(self.plan, new, forget=self.rounds >= _WIDEN)
        old_shares = self._signature(self.plan, self.shares)
        covered = covered and self._signature(new, back) == old_shares
        if not covered:
            self.plan, self.shares = new, back
        return covered

    rounds = 0

    def next_round(self) -> None:
        """Count a round that did not settle; too many are refused."""
        self.rounds += 1
        if self.rounds > _GIVE_UP:
            self.cx.state = self.base
            self.cx.fail("the kinds of what this loop carries do not settle")

    def check(self, count: int | None) -> None:
        """Raise `Mismatch` where the first iteration is unlike the others."""
        for place, template in self.plan.places.items():
            if isinstance(place, Root):
                if isinstance(template, joins.Same) and isinstance(template.ref, Stale):
                    if template.ref.why == joins.OTHER_KEYS:
                        raise Mismatch(False)
                continue
            before = self.base.get(*place)
            if before is UNASSIGNED or isinstance(before, Lost) or place[1].startswith("$"):
                continue
            match template:
                case joins.Same(Lost(quiet=False) as lost) if lost.reason.startswith("'"):
                    raise Mismatch(isinstance(before, TupleRef))
                case joins.Leaf(Unknown()) if not isinstance(self.cx.kind(before), Unknown):
                    raise Mismatch(False)
                case joins.FreshArray(Mixed()) if isinstance(before, Val) and count:
                    raise Mismatch(False)

    def _signature(self, plan: Plan, shares: State | None) -> Any:
        """Which of the carried and the outer roots may share memory."""
        if not plan.slots and shares is None:
            return frozenset((a, b) for a in self.base.heap for b in self.base.shares.get(a, ()))
        head = self.base.copy()
        if shares is not None:
            join_values.merge_shares(head, shares)
        before = set(head.heap)
        join_values.instantiate(plan, head, Value)
        number = {r: n for n, r in enumerate(r for r in head.heap if r not in before)}
        return frozenset(
            (number.get(a, a), number.get(b, b))
            for a in head.heap
            for b in head.shares.get(a, ())
            if b in head.heap
        )


def _assigned(cx: Lowerer, nodes: Sequence[ast.stmt]) -> set[Place]:
    """What the body assigns, by its text: carried from the start, which saves rounds."""
    found: set[Place] = set()
    frame, state = cx.frame, cx.state
    names = state.frames[frame]

    def target(node: ast.expr) -> None:
        match node:
            case ast.Name(id):
                if isinstance(names.get(id), Val):
                    found.add((frame, id))
            case ast.Tuple(elts) | ast.List(elts):
                for e in elts:
                    target(e)
            case ast.Subscript() | ast.Attribute():
                inner: ast.expr = node
                while isinstance(inner, ast.Subscript | ast.Attribute):
                    inner = inner.value
                if isinstance(inner, ast.Name):
                    ref = names.get(inner.id)
                    if isinstance(ref, ArrayRef):
                        found.add(ref.root)

    for statement in nodes:
        for node in ast.walk(statement):
            match node:
                case ast.Assign(targets):
                    for t in targets:
                        target(t)
                case ast.AugAssign(t) | ast.AnnAssign(t) | ast.For(t):
                    target(t)
    return found


class Mismatch(Exception):
    """What a loop carries is one kind of thing before it and another after an iteration.

    ``grows``: a tuple that gets longer, so that no iteration is like the next.
    """

    def __init__(self, grows: bool) -> None:
        super().__init__(grows)
        self.grows = grows
