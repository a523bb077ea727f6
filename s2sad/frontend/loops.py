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
from ..ir.nodes import FALSE, TRUE, Atom, Const, For, Value
from . import indexing, join_values, leaving, loop_carried, unrolling, while_loops
from . import iteration as iterables
from .contents import Data
from .context import Lowerer
from .position import NeedsUnrolling, Refuse
from .refs import HeapRef, IterRef, Ref, Root, Val
from .state import State

FALSE_REF, TRUE_REF = Val(FALSE), Val(TRUE)


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
    if isinstance(iterable, IterRef) and iterable.form == "checkpointed":
        rolled(cx, iterables.loop_over(cx, iterable), bind, body, nodes, orelse, target)
        return
    if unrolling.unrolls(cx, iterable):
        unrolling.unrolled(cx, iterable, bind, body, orelse)
        return
    count = unrolling.count(cx, iterable)
    short = count is not None and count <= unrolling.UNROLL_LIMIT
    mark = unrolling.Mark(cx)
    cx.unrollable += short
    try:
        try:
            looper = iterables.loop_over(cx, iterable)
            rolled(cx, looper, bind, body, nodes, orelse, target, strict=True, count=count)
        except loop_carried.Mismatch as mismatch:
            mark.restore()
            if mismatch.grows and short:
                unrolling.unrolled(cx, iterable, bind, body, orelse)
                return
            looper = iterables.loop_over(cx, iterable)
            if mismatch.grows:
                rolled(cx, looper, bind, body, nodes, orelse, target)
            else:
                unrolling.peeled(cx, looper, bind, body, nodes, orelse, target)
    except _Growing:
        mark.restore()
        if not isinstance(iterable, HeapRef):
            cx.fail("a list is changed while it is looped over", "loop over a copy: list(xs)")
        _growing(cx, iterable, bind, body, nodes, orelse)
    except NeedsUnrolling:
        if not short:
            raise
        mark.restore()
        cx.unrollable -= 1
        try:
            unrolling.unrolled(cx, iterable, bind, body, orelse)
        except Refuse:
            # It has no number of elements that is known: then it is no reason to unroll.
            mark.restore()
            outer, cx.unrollable = cx.unrollable, 0
            try:
                rolled(cx, iterables.loop_over(cx, iterable), bind, body, nodes, orelse, target)
            finally:
                cx.unrollable = outer
        finally:
            cx.unrollable += 1
    finally:
        cx.unrollable -= short


class _Growing(Exception):
    """A list is changed while it is looped over."""


def _growing(
    cx: Lowerer,
    ref: HeapRef,
    bind: Callable[[Ref], None],
    body: Callable[[], None],
    nodes: Sequence[ast.stmt],
    orelse: Callable[[], None] | None,
) -> None:
    """Python goes by index, and looks at the length before every step: so does this ``while``."""
    slot, frame = f"$i{cx.fresh_id()}", cx.frame
    cx.state.set(frame, slot, Val(Const.of(0)))

    def index() -> Atom:
        return cx.atom(cx.state.get(frame, slot))

    def step() -> None:
        element = indexing.item(cx, ref, Val(index()))
        cx.state.set(frame, slot, Val(cx.op("add", index(), Const.of(1))))
        bind(element)
        body()

    def test() -> Atom:
        return cx.op("lt", index(), iterables.length(cx, ref))

    while_loops.while_loop(cx, test, step, nodes=nodes, orelse=orelse)
    cx.state.frames[frame].pop(slot, None)


def pass_on(cx: Lowerer) -> None:
    """After an inner loop: if the function has returned, the enclosing loop is left too."""
    returned = cx.state.get(cx.frame, "$ret")
    if cx.loops and isinstance(returned, Val) and returned.atom is not FALSE:
        cx.state.set(cx.frame, f"$leave{cx.loops[-1]}", returned)
        cx.state.set(cx.frame, f"$skip{cx.loops[-1]}", returned)


def rolled(
    cx: Lowerer,
    looper: iterables.Looper,
    bind: Callable[[Ref], None],
    body: Callable[[], None],
    nodes: Sequence[ast.stmt],
    orelse: Callable[[], None] | None,
    target: ast.expr | None,
    *,
    strict: bool = False,
    count: int | None = None,
) -> None:
    """One ``For``; with ``strict``, `Mismatch` where peeling or unrolling would do better."""
    start, stop, step = (_int(cx, a) for a in (looper.start, looper.stop, looper.step))
    looper = iterables.Looper(start, stop, step, looper.get, looper.lists)
    loop = loop_carried.Loop(cx, nodes, orelse is not None)
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
            leave = iteration(cx, loop, lambda i=i: bind(looper.get(i)), body)  # type: ignore[misc]
        cx.b.span = span
        back = cx.state
        for root, before in zip(looper.lists, lengths, strict=True):
            if _list_size(back, root) is not before and _grew(cx, ops, head, back, root):
                raise _Growing
        settled = loop.settle(back)
        if strict:
            loop.check(count)
        if settled:
            break
        loop.next_round()
    finish(cx, loop, back, ops, carried, leave, orelse, lambda init, body_region, results: For(
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


def iteration(
    cx: Lowerer, loop: loop_carried.Loop, first: Callable[[], None], body: Callable[[], None]
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
    return flag.atom if isinstance(flag, Val) else FALSE


def finish(
    cx: Lowerer,
    loop: loop_carried.Loop,
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
    init = join_values.extract(plan, loop.base, 0, cx.read_any)
    cx.state = back
    outer, cx.b.nodes = cx.b.nodes, ops
    try:
        side = -1 if back.raised else 1
        yields = join_values.extract(plan, back, side, cx.read_any)
    finally:
        cx.b.nodes = outer
    after = loop.base.copy()
    join_values.merge_shares(after, back)
    results = join_values.instantiate(plan, after, Value)
    after.forget_shares()
    region = Builder.close(ops, (leave, *yields), (*extra, *carried))
    cx.state = after
    cx.b.append(node(tuple(init), region, tuple(results)))
    if endless and not while_loops.breaks(
        ops, leave, after.get(cx.frame, "$ret"), yields, results
    ):
        if isinstance(after.get(cx.frame, "$ret"), Val):
            after.set(cx.frame, "$ret", TRUE_REF)
    pass_on(cx)
    if orelse is not None:
        broke = cx.state.get(cx.frame, f"$broke{loop.id}")
        leaving.unless(cx, broke, orelse)
        cx.state.frames[cx.frame].pop(f"$broke{loop.id}", None)
