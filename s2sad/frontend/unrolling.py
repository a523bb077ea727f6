"""Unrolling: loops of which every iteration, or just the first one, is lowered on its own.

In: the elements of an iterable of known length. Out: a copy of the body for each; what follows a
``break`` is guarded by a flag.

    for f in (sin, cos): s = f(s)      s = sin s; s = cos s
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence

from ..ir.kinds import Array
from ..ir.nodes import FALSE, TRUE, Const
from . import iteration, leaving, loops
from .contents import Data, Table
from .context import Lowerer
from .refs import ArrayRef, HeapRef, IterRef, Ref, TupleRef, Val
from .stepping import stepper

FALSE_REF, TRUE_REF = Val(FALSE), Val(TRUE)


#: Loops over this many elements may be unrolled where they must be.
UNROLL_LIMIT = 200


class Mark:
    """A point in the lowering to go back to."""

    def __init__(self, cx: Lowerer) -> None:
        self.cx = cx
        self.state = cx.state.copy()
        self.problems, self.nodes, self.ops = len(cx.problems), cx.b.nodes, len(cx.b.nodes)
        self.place = (cx.frame, cx.node, cx.b.span, list(cx.loops), list(cx.stack))

    def restore(self) -> None:
        cx = self.cx
        cx.state = self.state.copy()
        cx.b.nodes = self.nodes
        del cx.problems[self.problems :]
        del cx.b.nodes[self.ops :]
        cx.frame, cx.node, cx.b.span, loops, stack = self.place
        cx.loops, cx.stack = list(loops), list(stack)


def once(cx: Lowerer, first: Callable[[], None], body: Callable[[], None]) -> Ref:
    """Lower an iteration as plain statements; the flag that says that the loop has been left."""
    loop, frame = cx.fresh_id(), cx.frame
    leave, skip = f"$leave{loop}", f"$skip{loop}"
    cx.state.set(frame, leave, FALSE_REF)
    cx.state.set(frame, skip, FALSE_REF)
    cx.loops.append(loop)
    try:
        first()
        body()
    finally:
        cx.loops.pop()
    flag = cx.state.get(frame, leave)
    for name in (leave, skip):
        cx.state.frames[frame].pop(name, None)
    return flag


def peeled(
    cx: Lowerer,
    looper: iteration.Looper,
    bind: Callable[[Ref], None],
    body: Callable[[], None],
    nodes: Sequence[ast.stmt],
    orelse: Callable[[], None] | None,
    target: ast.expr | None,
) -> None:
    """The first iteration on its own, then a loop over the others."""
    step = looper.step.value if isinstance(looper.step, Const) else None
    if step is None:
        cx.fail("the direction of this range cannot be told", "use a step that is constant")

    def others() -> None:
        rest = iteration.Looper(
            iteration.arith(cx, "add", looper.start, looper.step),
            looper.stop,
            looper.step,
            looper.get,
            looper.lists,
        )
        loops.rolled(cx, rest, bind, body, nodes, orelse, target)

    def some() -> None:
        flag = once(cx, lambda: bind(looper.get(looper.start)), body)
        if not cx.state.raised:
            leaving.unless(cx, flag, others)

    def none() -> None:
        if orelse is not None:
            orelse()

    bounds = (looper.start, looper.stop)
    if all(isinstance(b, Const) for b in bounds):
        a, b = (b.value for b in bounds if isinstance(b, Const))
        (some if (a < b if step > 0 else a > b) else none)()
    else:
        cx.branch(cx.op("lt" if step > 0 else "gt", *bounds), some, none)
    loops.pass_on(cx)


def unrolls(cx: Lowerer, ref: Ref) -> bool:
    """Whether the iterable is a container whose elements have their own references."""
    match ref:
        case TupleRef():
            return True
        case HeapRef():
            return not isinstance(cx.content(ref), Data | Table)
        case IterRef("range"):
            return False
        case IterRef(form) if form in ("keys", "values", "items"):
            return True
        case IterRef():
            parts = [r for r in ref.args if not isinstance(r, Val)]
            return any(unrolls(cx, r) for r in parts) and all(_countable(cx, r) for r in parts)
        case Val():
            return isinstance(ref.atom, Const)
    return False


def _countable(cx: Lowerer, ref: Ref) -> bool:
    """Whether the number of elements is known now."""
    match ref:
        case HeapRef():
            return not isinstance(cx.content(ref), Data | Table)
        case ArrayRef():
            kind = cx.kind(ref)
            return isinstance(kind, Array) and bool(kind.dims) and isinstance(kind.dims[0], int)  # type: ignore[index]
        case IterRef("range"):
            return all(map(cx.known, ref.args))
        case IterRef():
            return all(_countable(cx, r) for r in ref.args if not isinstance(r, Val))
    return True


def count(cx: Lowerer, ref: Ref) -> int | None:
    """The number of elements of a range of constants."""
    match ref:
        case IterRef("range") if all(map(cx.known, ref.args)):
            return len(range(*map(cx.value, ref.args)))
        case IterRef("enumerate" | "reversed"):
            return count(cx, ref.args[0])
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

    def step(n: int) -> None:
        item = element(n)
        if item is None:
            if orelse is not None:
                orelse()
            return
        if n > 1000:
            cx.fail("this loop over a growing list does not end")
        flag = once(cx, lambda: bind(item), body)
        if not cx.state.raised:
            leaving.unless(cx, flag, lambda: step(n + 1))

    step(0)
    loops.pass_on(cx)
