"""Loops: lowered again and again until what they carry, and its kinds, no longer change.

In: a way to lower one iteration. Out: one ``For`` or ``While``; the state after it.

    s = 0.0                      for i in range(n), s = 0.0:
    for i in range(n):               s' = add s (item x i)
        s = s + x[i]                 yield (False, s')
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from typing import Any

from ..ir.builder import Builder
from ..ir.kinds import INT, Num
from ..ir.nodes import FALSE, TRUE, Atom, Const, For, Op, Value, While
from ..rules.registry import primitive
from . import joins, lower_stmt
from .context import Lowerer, NeedsUnrolling
from .iteration import Looper, loop_over, stepper
from .joins import Place, Plan
from .refs import UNASSIGNED, ArrayRef, Data, HeapRef, Items, IterRef, Ref, Root, TupleRef, Val
from .state import State

#: After this many rounds sizes are forgotten; after the second number the loop is refused.
_WIDEN, _GIVE_UP = 3, 12
#: Loops over this many elements may be unrolled where they must be.
UNROLL_LIMIT = 200


class _Loop:
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
            joins.merge_shares(head, self.shares)
        values = joins.instantiate(self.plan, head, Value)
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

    def _signature(self, plan: Plan, shares: State | None) -> Any:
        """Which of the carried and the outer roots may share memory."""
        if not plan.slots and shares is None:
            return frozenset(
                (a, b) for a in self.base.heap for b in self.base.shares.get(a, ())
            )
        head = self.base.copy()
        if shares is not None:
            joins.merge_shares(head, shares)
        before = set(head.heap)
        joins.instantiate(plan, head, Value)
        number = {r: n for n, r in enumerate(r for r in head.heap if r not in before)}
        return frozenset(
            (number.get(a, a), number.get(b, b))
            for a in head.heap
            for b in head.shares.get(a, ())
            if b in head.heap
        )


FALSE_REF, TRUE_REF = Val(FALSE), Val(TRUE)


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


def for_loop(
    cx: Lowerer,
    iterable: Ref,
    bind: Callable[[Ref], None],
    body: Callable[[], None],
    *,
    nodes: Sequence[ast.stmt] = (),
    orelse: Callable[[], None] | None = None,
    target: ast.expr | None = None,
) -> None:
    """``for target in iterable: body``; unrolled over short containers of known structure."""
    if _unrolls(cx, iterable):
        unrolled(cx, iterable, bind, body, orelse)
        return
    static = _count(cx, iterable)
    if static is not None and static <= UNROLL_LIMIT:
        mark = (cx.state.copy(), len(cx.problems), len(cx.b.nodes))
        cx.unrollable += 1
        try:
            _rolled(cx, iterable, bind, body, nodes, orelse, target)
            return
        except NeedsUnrolling:
            state, problems, ops = mark
            cx.state = state
            del cx.problems[problems:]
            del cx.b.nodes[ops:]
        finally:
            cx.unrollable -= 1
        unrolled(cx, iterable, bind, body, orelse)
        return
    _rolled(cx, iterable, bind, body, nodes, orelse, target)


def _unrolls(cx: Lowerer, ref: Ref) -> bool:
    """Whether the iterable is a container whose elements have their own references."""
    match ref:
        case TupleRef():
            return True
        case HeapRef():
            return not isinstance(cx.content(ref), Data)
        case IterRef("range"):
            return False
        case IterRef(form) if form in ("keys", "values", "items"):
            return True
        case IterRef():
            return any(_unrolls(cx, r) for r in ref.args if not isinstance(r, Val))
        case Val():
            return isinstance(ref.atom, Const)
    return False


def _count(cx: Lowerer, ref: Ref) -> int | None:
    """The number of elements of a range of constants."""
    match ref:
        case IterRef("range") if all(map(cx.known, ref.args)):
            return len(range(*map(cx.value, ref.args)))
        case IterRef("enumerate" | "reversed"):
            return _count(cx, ref.args[0])
    return None


def unrolled(
    cx: Lowerer,
    iterable: Ref,
    bind: Callable[[Ref], None],
    body: Callable[[], None],
    orelse: Callable[[], None] | None,
) -> None:
    """One copy of the body for each element."""
    element = stepper(cx, iterable)
    loop = cx.fresh_id()
    frame = cx.frame
    leave, skip = f"$leave{loop}", f"$skip{loop}"

    def step(n: int) -> None:
        item = element(n)
        if item is None:
            if orelse is not None:
                orelse()
            return
        if n > 1000:
            cx.fail("this loop over a growing list does not end")
        cx.state.set(frame, leave, FALSE_REF)
        cx.state.set(frame, skip, FALSE_REF)
        cx.loops.append(loop)
        try:
            bind(item)
            body()
        finally:
            cx.loops.pop()
        if cx.state.raised:
            return
        flag = cx.state.get(frame, leave)
        lower_stmt.unless(cx, flag, lambda: step(n + 1))

    step(0)
    for flag in (leave, skip):
        cx.state.frames[frame].pop(flag, None)
    pass_on(cx)


def pass_on(cx: Lowerer) -> None:
    """After an inner loop: if the function has returned, the enclosing loop is left too."""
    returned = cx.state.get(cx.frame, "$ret")
    if cx.loops and isinstance(returned, Val) and returned.atom is not FALSE:
        cx.state.set(cx.frame, f"$leave{cx.loops[-1]}", returned)
        cx.state.set(cx.frame, f"$skip{cx.loops[-1]}", returned)


def _rolled(
    cx: Lowerer,
    iterable: Ref,
    bind: Callable[[Ref], None],
    body: Callable[[], None],
    nodes: Sequence[ast.stmt],
    orelse: Callable[[], None] | None,
    target: ast.expr | None,
) -> None:
    looper = loop_over(cx, iterable)
    start, stop, step = (_int(cx, a) for a in (looper.start, looper.stop, looper.step))
    looper = Looper(start, stop, step, looper.get, looper.lists)
    loop = _Loop(cx, nodes, orelse is not None)
    span = cx.b.span
    problems = len(cx.problems)
    name = target.id if isinstance(target, ast.Name) else None
    while True:
        head, carried = loop.head()
        lengths = [_list_size(head, r) for r in looper.lists]
        i = Value(INT, name if looper.get is Val else None)
        cx.state = head
        del cx.problems[problems:]
        with cx.b.region() as ops:
            leave = _iteration(cx, loop, lambda i=i: bind(looper.get(i)), body)  # type: ignore[misc]
        cx.b.span = span
        back = cx.state
        for root, before in zip(looper.lists, lengths, strict=True):
            if _list_size(back, root) is not before and _grew(cx, ops, head, back, root):
                cx.state = head
                cx.fail("a list is changed while it is looped over", "loop over a copy: list(xs)")
        if loop.settle(back):
            break
        loop.rounds += 1
        if loop.rounds > _GIVE_UP:
            cx.state = loop.base
            cx.fail("the kinds of what this loop carries do not settle")
    _finish(cx, loop, back, ops, carried, leave, orelse, lambda init, body_region, results: For(
        results, looper.start, looper.stop, looper.step, init, body_region, span
    ), (i,))  # fmt: skip


def _int(cx: Lowerer, a: Atom) -> Atom:
    if isinstance(a.kind, Num) and a.kind.dtype[0] not in "iub":
        cx.fail("the bounds of a range must be ints")
    return a


def _list_size(state: State, root: Root) -> Any:
    return state.heap.get(root)


def _grew(cx: Lowerer, ops: list[Any], head: State, back: State, root: Root) -> bool:
    """Whether the body may have changed the length of a list (setting items does not)."""
    content = back.heap.get(root)
    while isinstance(content, Data):
        first = head.heap.get(root)
        if isinstance(first, Data) and content.atom is first.atom:
            return False
        node = cx.b.definition.get(content.atom) if isinstance(content.atom, Value) else None
        if node is None or node.fn != "setitem":
            return True
        content = Data(node.args[0])
    return True


def _iteration(
    cx: Lowerer, loop: _Loop, first: Callable[[], None], body: Callable[[], None]
) -> Atom:
    """Lower one iteration in the present state; the atom that says whether the loop ends."""
    frame = cx.frame
    cx.state.set(frame, f"$leave{loop.id}", FALSE_REF)
    cx.state.set(frame, f"$skip{loop.id}", FALSE_REF)
    if loop.has_else:
        cx.state.set(frame, f"$broke{loop.id}", FALSE_REF)
    cx.loops.append(loop.id)
    try:
        first()
        body()
    finally:
        cx.loops.pop()
    flag = cx.state.get(frame, f"$leave{loop.id}")
    leave = flag.atom if isinstance(flag, Val) else FALSE
    return leave


def _finish(
    cx: Lowerer,
    loop: _Loop,
    back: State,
    ops: list[Any],
    carried: list[Value],
    leave: Atom,
    orelse: Callable[[], None] | None,
    node: Callable[..., Any],
    extra: tuple[Value, ...] = (),
    *,
    endless: bool = False,
) -> None:
    """Append the loop and make the state after it."""
    plan = loop.plan
    cx.state = loop.base
    init = joins.extract(plan, loop.base, 0, cx.read_any)
    cx.state = back
    outer, cx.b.nodes = cx.b.nodes, ops
    try:
        side = -1 if back.raised else 1
        yields = joins.extract(plan, back, side, cx.read_any)
    finally:
        cx.b.nodes = outer
    after = loop.base.copy()
    joins.merge_shares(after, back)
    results = joins.instantiate(plan, after, Value)
    region = Builder.close(ops, (leave, *yields), (*extra, *carried))
    cx.state = after
    cx.b.append(node(tuple(init), region, tuple(results)))
    if endless and not _breaks(leave, after.get(cx.frame, "$ret"), yields, results):
        if isinstance(after.get(cx.frame, "$ret"), Val):
            after.set(cx.frame, "$ret", TRUE_REF)
    pass_on(cx)
    if orelse is not None:
        broke = cx.state.get(cx.frame, f"$broke{loop.id}")
        lower_stmt.unless(cx, broke, orelse)
        cx.state.frames[cx.frame].pop(f"$broke{loop.id}", None)


def _breaks(leave: Atom, ret: Ref, yields: list[Atom], results: list[Value]) -> bool:
    """Whether an endless loop can be left other than by returning."""
    if leave is FALSE:
        return False
    if isinstance(ret, Val):
        for y, r in zip(yields, results, strict=True):
            if ret.atom is r:
                return y is not leave
    return True


def while_loop(
    cx: Lowerer,
    test: Callable[[], Atom],
    body: Callable[[], None],
    *,
    nodes: Sequence[ast.stmt] = (),
    orelse: Callable[[], None] | None = None,
) -> None:
    """``while test: body``; a test with effects of its own becomes an ``if`` in the body."""
    loop = _Loop(cx, nodes, orelse is not None)
    span = cx.b.span
    problems = len(cx.problems)
    simple = True
    while True:
        del cx.problems[problems:]
        head, test_params = loop.head()
        cx.state = head.copy()
        test_ops: list[Any] = []
        cond: Atom = TRUE
        if simple:
            with cx.b.region() as test_ops:
                cond = test()
            same = all(cx.state.frames[f] == v for f, v in head.frames.items())
            if not (same and _same_heap(cx.state, head) and all(map(_pure, test_ops))):
                simple, test_ops, cond = False, [], TRUE
        head, carried = loop.head()
        cx.state = head
        with cx.b.region() as ops:
            inner = body if simple else (lambda: _tested(cx, loop.id, test, body))
            leave = _iteration(cx, loop, lambda: None, inner)
        cx.b.span = span
        back = cx.state
        if loop.settle(back):
            break
        loop.rounds += 1
        if loop.rounds > _GIVE_UP:
            cx.state = loop.base
            cx.fail("the kinds of what this loop carries do not settle")
    test_region = Builder.close(test_ops, (cond,), test_params)
    endless = simple and isinstance(cond, Const) and bool(cond.value)
    _finish(cx, loop, back, ops, carried, leave, orelse, lambda init, region, results: While(
        results, init, test_region, region, span
    ), endless=endless)  # fmt: skip


def _tested(cx: Lowerer, loop: int, test: Callable[[], Atom], body: Callable[[], None]) -> None:
    """A test with effects of its own, inside the body."""
    cond = test()

    def leave() -> None:
        cx.state.set(cx.frame, f"$leave{loop}", TRUE_REF)
        cx.state.set(cx.frame, f"$skip{loop}", TRUE_REF)

    if isinstance(cond, Const):
        (body if cond.value else leave)()
    else:
        cx.branch(cond, body, leave)


def _pure(node: Any) -> bool:
    return isinstance(node, Op) and primitive(node.fn).effect == "pure"


def _same_heap(a: State, b: State) -> bool:
    return all(a.heap.get(r) is c for r, c in b.heap.items())

