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
from ..ir.kinds import INT, Mixed, Num, Unknown
from ..ir.nodes import FALSE, TRUE, Atom, Const, For, If, Node, Op, Value, While
from ..rules.registry import primitive
from . import indexing, join_values, joins, leaving
from .context import Lowerer, NeedsUnrolling
from .iteration import Looper, arith, length, loop_over, stepper
from .joins import Place, Plan
from .refs import (
    UNASSIGNED,
    ArrayRef,
    Data,
    HeapRef,
    IterRef,
    Lost,
    Ref,
    Root,
    Stale,
    TupleRef,
    Val,
)
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
            join_values.merge_shares(head, self.shares)
        values = join_values.instantiate(self.plan, head, Value)
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
    count = _count(cx, iterable)
    short = count is not None and count <= UNROLL_LIMIT
    mark = _Mark(cx)
    cx.unrollable += short
    try:
        try:
            looper = loop_over(cx, iterable)
            _rolled(cx, looper, bind, body, nodes, orelse, target, strict=True, count=count)
        except Mismatch as mismatch:
            mark.restore()
            if mismatch.grows and short:
                unrolled(cx, iterable, bind, body, orelse)
                return
            looper = loop_over(cx, iterable)
            if mismatch.grows:
                _rolled(cx, looper, bind, body, nodes, orelse, target)
            else:
                _peeled(cx, looper, bind, body, nodes, orelse, target)
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
            unrolled(cx, iterable, bind, body, orelse)
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
        return cx.op("lt", index(), length(cx, ref))

    while_loop(cx, test, step, nodes=nodes, orelse=orelse)
    cx.state.frames[frame].pop(slot, None)


class Mismatch(Exception):
    """What a loop carries is one kind of thing before it and another after an iteration.

    ``grows``: a tuple that gets longer, so that no iteration is like the next.
    """

    def __init__(self, grows: bool) -> None:
        super().__init__(grows)
        self.grows = grows


class _Mark:
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


def _peeled(
    cx: Lowerer,
    looper: Looper,
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
        rest = Looper(
            arith(cx, "add", looper.start, looper.step),
            looper.stop,
            looper.step,
            looper.get,
            looper.lists,
        )
        _rolled(cx, rest, bind, body, nodes, orelse, target)

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
    pass_on(cx)


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
    pass_on(cx)


def pass_on(cx: Lowerer) -> None:
    """After an inner loop: if the function has returned, the enclosing loop is left too."""
    returned = cx.state.get(cx.frame, "$ret")
    if cx.loops and isinstance(returned, Val) and returned.atom is not FALSE:
        cx.state.set(cx.frame, f"$leave{cx.loops[-1]}", returned)
        cx.state.set(cx.frame, f"$skip{cx.loops[-1]}", returned)


def _rolled(
    cx: Lowerer,
    looper: Looper,
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
                raise _Growing
        settled = loop.settle(back)
        if strict:
            loop.check(count)
        if settled:
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
    return flag.atom if isinstance(flag, Val) else FALSE


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
    region = Builder.close(ops, (leave, *yields), (*extra, *carried))
    cx.state = after
    cx.b.append(node(tuple(init), region, tuple(results)))
    if endless and not _breaks(ops, leave, after.get(cx.frame, "$ret"), yields, results):
        if isinstance(after.get(cx.frame, "$ret"), Val):
            after.set(cx.frame, "$ret", TRUE_REF)
    pass_on(cx)
    if orelse is not None:
        broke = cx.state.get(cx.frame, f"$broke{loop.id}")
        leaving.unless(cx, broke, orelse)
        cx.state.frames[cx.frame].pop(f"$broke{loop.id}", None)


def _breaks(
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
            i, j = node.results.index(a), node.results.index(b)  # type: ignore[arg-type]
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
    mark = _Mark(cx)
    try:
        _while(cx, test, body, nodes, orelse, strict=True)
    except Mismatch as mismatch:
        mark.restore()
        if mismatch.grows:
            _while(cx, test, body, nodes, orelse)
            return

        def others() -> None:
            _while(cx, test, body, nodes, orelse)

        def some() -> None:
            flag = once(cx, lambda: None, body)
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
        pass_on(cx)


def _while(
    cx: Lowerer,
    test: Callable[[], Atom],
    body: Callable[[], None],
    nodes: Sequence[ast.stmt],
    orelse: Callable[[], None] | None,
    *,
    strict: bool = False,
) -> None:
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
        settled = loop.settle(back)
        if strict:
            loop.check(None)
        if settled:
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
