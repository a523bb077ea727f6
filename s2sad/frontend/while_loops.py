"""``while`` loops: their tests, and loops that end only by being left.

In: the test and a way to lower the body once. Out: a ``While``; a test with effects of its own
becomes an ``if`` in the body.

    while abs(r) > tol:      while r = r0; test: c = gt (abs r) tol:
        r = 0.5 * r              r' = mul 0.5 r; yield r'
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from typing import Any

from ..ir.builder import Builder
from ..ir.nodes import FALSE, TRUE, Atom, Const, If, Node, Op, Value, While
from ..rules.registry import primitive
from . import leaving, loop_carried, loops, unrolling
from .context import Lowerer
from .refs import Ref, Val
from .state import State

FALSE_REF, TRUE_REF = Val(FALSE), Val(TRUE)


def breaks(
    ops: Sequence[Node], leave: Atom, ret: Ref, yields: list[Atom], results: list[Value]
) -> bool:
    """Whether an endless loop can be left other than by returning."""
    if leave is FALSE:
        return False
    if isinstance(ret, Val):
        for y, r in zip(yields, results, strict=True):
            if ret.atom is r:
                return not _equal(ops, y, leave)
    return True


def _equal(nodes: Sequence[Node], a: Atom, b: Atom) -> bool:
    """Whether two flags always have the same value."""
    if a is b or isinstance(a, Const) and isinstance(b, Const):
        return a is b or bool(a.value == b.value)  # type: ignore[union-attr]
    for node in nodes:
        if isinstance(node, If) and a in node.results and b in node.results:
            i, j = node.results.index(a), node.results.index(b)
            arms = (node.then, node.orelse)
            return all(_equal(arm.ops, arm.yields[i], arm.yields[j]) for arm in arms)
    return False


def while_loop(
    cx: Lowerer,
    test: Callable[[], Atom],
    body: Callable[[], None],
    *,
    nodes: Sequence[ast.stmt] = (),
    orelse: Callable[[], None] | None = None,
) -> None:
    """``while test: body``; a test with effects of its own becomes an ``if`` in the body."""
    mark = unrolling.Mark(cx)
    try:
        _while(cx, test, body, nodes, orelse, strict=True)
    except loop_carried.Mismatch as mismatch:
        mark.restore()
        if mismatch.grows:
            _while(cx, test, body, nodes, orelse)
            return

        def others() -> None:
            _while(cx, test, body, nodes, orelse)

        def some() -> None:
            flag = unrolling.once(cx, lambda: None, body)
            if not cx.state.raised:
                leaving.unless(cx, flag, others)

        def none() -> None:
            if orelse is not None:
                orelse()

        cond = test()
        if isinstance(cond, Const):
            (some if cond.value else none)()
        else:
            cx.branch(cond, some, none)
        loops.pass_on(cx)


def _while(
    cx: Lowerer,
    test: Callable[[], Atom],
    body: Callable[[], None],
    nodes: Sequence[ast.stmt],
    orelse: Callable[[], None] | None,
    *,
    strict: bool = False,
) -> None:
    loop = loop_carried.Loop(cx, nodes, orelse is not None)
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
            leave = loops.iteration(cx, loop, lambda: None, inner)
        cx.b.span = span
        back = cx.state
        settled = loop.settle(back)
        if strict:
            loop.check(None)
        if settled:
            break
        loop.next_round()
    test_region = Builder.close(test_ops, (cond,), test_params)
    endless = simple and isinstance(cond, Const) and bool(cond.value)
    loops.finish(cx, loop, back, ops, carried, leave, orelse, lambda init, region, results: While(
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
