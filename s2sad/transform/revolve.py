"""Checkpointed loops: few snapshots of the state, from which steps are repeated.

In: a ``For`` whose stop is marked ``checkpointed(stop, k)`` and whose body is one call of a
function (see ``revolve_steps``), and the nodes that reverse that call. Out: a forward loop that
takes snapshots, and a reverse loop that goes back to the newest one, advances from there (taking
others where there is room) and reverses one step.

    for t in range(n):                 for t in range(n):
        u = step(t, u)         ->          if t == keep: snapshots.append((t, u)); keep = ...
                                           u = step(t, u)
                                       for t in range(n - 1, -1, -1):
                                           start, u = snapshots[-1]
                                           if start == t: snapshots.pop()
                                           for s in range(start, t): (as above)
                                           u_bar = step_reverse(t, u, u_bar)

``runtime.next_snapshot`` says where snapshots go: A. Griewank, A. Walther, Algorithm 799: revolve,
ACM TOMS 26 (2000). The state before the last step is one snapshot more, in place of what that
algorithm holds when it turns round.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ..errors import Problem, UnsupportedError
from ..ir.builder import Builder
from ..ir.clone import clone
from ..ir.kinds import INT, Array, ListOf, Tuple
from ..ir.nodes import (
    FALSE,
    Atom,
    Call,
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
from .adjoints import reversed_span
from .dead_code import needed
from .reverse import Reverse
from .revolve_steps import advancing, is_mark


def mark_of(rev: Reverse, node: For | While) -> Op | None:
    """The mark of a loop that is checkpointed."""
    if not isinstance(node, For) or not isinstance(node.stop, Value):
        return None
    mark = rev.definition.get(node.stop)
    return mark if mark is not None and is_mark(mark) else None


class _Schedule:
    """One checkpointed loop: its state, and the pieces its two sweeps share.

    ``steps`` counts from 0 whatever the range is.
    """

    def __init__(self, rev: Reverse, node: For, mark: Op, needs: Sequence[Value]) -> None:
        self.rev, self.node = rev, node
        (call,) = node.body.ops
        assert isinstance(call, Call)
        self.call = call
        params = node.body.params[1:]
        self.again, self.next, self.places = advancing(rev, node, needs)
        self.state = [params[k] for k in self.places]
        self.kind = ListOf(Tuple((INT, *(p.kind for p in self.state))))
        functions = {**rev.module.functions, **rev.extra_functions}
        #: of the state, what the steps that are repeated write in place
        self.written = {self.again.args[j] for j, _ in functions[self.again.callee].mutates}
        self._refuse_unassigned()
        self.plain = _is(node.start, 0) and _is(node.step, 1)
        self.stop = mark.args[0]
        self.prelude = Builder()
        self.prelude.span = node.span
        self.trips = self.stop
        if not self.plain:
            (self.trips,) = self.prelude.ops(
                "trip_count", node.start, self.stop, node.step, names=["trips"]
            )
        self.room = self._room(mark)

    def _refuse_unassigned(self) -> None:
        """What a step is given must be there, whether the step reads it or not."""
        node = self.node
        inits = dict(zip(node.body.params[1:], node.init, strict=True))
        for v in self.call.args:
            first = inits.get(v, v) if isinstance(v, Value) else v
            if isinstance(first, Const):  # None where nothing is assigned: it can't be copied
                lacks = first.value is None and v in self.written and v in self.state
            else:
                lacks = self.rev.twins.may_lack(first)
            if lacks:
                raise UnsupportedError(
                    Problem(
                        f"'{getattr(v, 'name', None)}' is read in a checkpointed loop, but need "
                        "not be assigned before it",
                        node.span,
                        "assign it before the loop",
                    )
                )

    def _room(self, mark: Op) -> Atom:
        """How many snapshots there may be."""
        if mark.attrs["memory"] is not None:
            inits = [self.node.init[k] for k in self.places]
            memory = Const.of(mark.attrs["memory"])
            (room,) = self.prelude.ops("snapshots_within", memory, *inits, names=["room"])
            return room
        if isinstance(mark.args[1], Const):
            return mark.args[1]
        (room,) = self.prelude.ops("at_least_one", mark.args[1], names=["room"])
        return room

    def counter(self) -> Value:
        """A number of a step, called as the user calls the loop's variable."""
        name = self.node.body.params[0].name if self.plain else None
        return Value(INT, "step" if name in (None, "_") else name)

    def index(self, b: Builder, n: Atom) -> Atom:
        """The element of the range at step ``n``."""
        if self.plain:
            return n
        return b.op("add", self.node.start, b.op("mul", n, self.node.step))

    def advance(
        self, b: Builder, n: Value, end: Atom, state: Sequence[Atom], given: Sequence[Atom]
    ) -> tuple[Value, Value]:
        """Take a snapshot before step ``n`` where one is due: ``snapshots`` and ``keep`` after.

        ``end``: the steps before it are those that are to be reversed next.
        """
        snapshots, keep = given
        due = b.op("eq", n, keep)
        with b.region() as then:
            more = b.op("append", snapshots, b.op("tuple", n, *state), name="snapshots")
            free = b.op("sub", self.room, b.op("len", more))
            next_keep = b.op("next_snapshot", n, end, free, name="keep")
        after = (Value(self.kind, "snapshots"), Value(INT, "keep"))
        arms = (Region((), tuple(then), (more, next_keep)), Region((), (), tuple(given)))
        b.append(If(after, due, *arms, self.node.span))
        return after

    def forward(self) -> tuple[tuple[Node, ...], Value, Atom]:
        """The forward loop, the snapshots it takes and the number of steps it has made.

        Where the adjoint of a step needs no state there are no snapshots.
        """
        node, body = self.node, self.node.body
        leaves = not _is(body.yields[0], False)
        empty = self.prelude.ops("list")[0]
        snapshots, keep, count = Value(self.kind, "snapshots"), Value(INT, "keep"), Value(INT)
        params: list[Value]
        inits: list[Atom]
        yields: list[Atom]
        steps: Atom
        b = Builder()
        b.span = node.span
        n = self.counter()
        params, inits, yields = [], [], []
        if self.places:
            params, inits = [snapshots, keep], [empty, Const.of(0)]
            yields = [*self.advance(b, n, self.trips, self.state, params)]
        known: dict[Value, Atom] = {body.params[0]: self.index(b, n)}
        b.append(replace(self.call, args=resolve(self.call.args, known)))
        ends = resolve(body.yields, known)
        last, steps = Value(self.kind, "snapshots"), self.trips
        results = [*node.results]
        if self.places:
            results += [last, Value(INT)]
        if leaves:
            params.append(count)
            inits.append(Const.of(0))
            (more,) = b.ops("add", count, Const.of(1), names=["steps"])
            yields.append(more)
            steps = Value(INT, "steps")
            results.append(steps)
        loop = For(
            tuple(results),
            Const.of(0),
            self.trips,
            Const.of(1),
            (*node.init, *inits),
            Region((n, *body.params[1:], *params), tuple(b.nodes), (*ends, *yields)),
            node.span,
        )
        outer = self.rev.region_scope[body].parent
        assert outer is not None
        made = [r for op in self.prelude.nodes for r in op.results]
        for v in (*made, *results):
            self.rev.scope.setdefault(v, outer)
        return (*self.prelude.nodes, loop), last, steps

    def backward(self, b: Builder, n: Value, snapshots: Value) -> tuple[list[Atom], Value]:
        """The state before step ``n``, from the newest snapshot; the snapshots left."""
        entry = b.op("item", snapshots, Const.of(-1))
        start = b.op("item", entry, Const.of(0), name="start")
        state = [
            b.op("item", entry, Const.of(j), name=p.name) for j, p in enumerate(self.state, 1)
        ]
        # Here, so that the steps from here on can work in place.
        state = [
            b.op("copy", v, name=p.name) if p in self.written and _is_buffer(p) else v
            for v, p in zip(state, self.state, strict=True)
        ]
        with b.region() as used_up:
            rest = b.ops("pop", snapshots, names=["snapshots"])[0]
        left = Value(self.kind, "snapshots")
        arms = (Region((), tuple(used_up), (rest,)), Region((), (), (snapshots,)))
        b.append(If((left,), b.op("eq", start, n), *arms, b.span))
        end = b.op("add", n, Const.of(1))
        free = b.op("sub", self.room, b.op("len", left))
        keep = b.op("next_snapshot", start, end, free, name="keep")
        inner = [Value(p.kind, p.name) for p in self.state]
        s, kept = Value(INT, "s"), (Value(self.kind, "snapshots"), Value(INT, "keep"))
        with b.region() as steps:
            after = self.advance(b, s, end, inner, kept)
            known: dict[Value, Atom] = dict(zip(self.state, inner, strict=True))
            index = self.node.body.params[0]
            known[index] = self.index(b, s)
            (call,), ends = clone(Region((), (self.again,), self.next), known)
            if call.results:
                b.append(replace(call, span=b.span))
        results = (*(Value(p.kind, p.name) for p in self.state), Value(self.kind, "snapshots"))
        unused = Value(INT)
        b.append(
            For(
                (*results, unused),
                start,
                n,
                Const.of(1),
                (*state, left, keep),
                Region((s, *inner, *kept), tuple(steps), (FALSE, *ends, *after)),
                b.span,
            )
        )
        return list(results[:-1]), results[-1]


def reverse_scheduled(
    rev: Reverse,
    node: For,
    mark: Op,
    nodes: Sequence[Node],
    carried: Sequence[tuple[Value, Atom, Atom]],
) -> list[Value]:
    """Append the reverse loop and register the forward one; the adjoints after it.

    ``nodes`` reverse one step; ``carried`` are the adjoints that the loop carries: parameter, what
    it is before the loop, what it is after a step.
    """
    b = rev.builder
    ends = tuple(end for _, _, end in carried)
    region = Region((), tuple(needed(nodes, ends)), ends)
    inside = rev.region_scope[node.body]
    needs = [v for v in free_values(region) if rev.is_inside(v, inside)]
    schedule = _Schedule(rev, node, mark, needs)
    rev.rewritten[node], snapshots, steps = schedule.forward()
    index = node.body.params[0]
    n, kept = schedule.counter(), Value(schedule.kind, "snapshots")
    b.span = reversed_span(node.span)
    with b.region() as head:
        state, left = schedule.backward(b, n, kept) if schedule.places else ([], kept)
        mapping: dict[Value, Atom] = dict(zip(schedule.state, state, strict=True))
        mapping[index] = schedule.index(b, n)
    region = substitute_region(region, mapping)
    results = [Value(p.kind, p.name) for p, _, _ in carried]
    held = (Value(schedule.kind, "snapshots"), snapshots, kept, left) if schedule.places else ()
    loop = For(
        (*results, *held[:1]),
        b.op("sub", steps, Const.of(1)),
        Const.of(-1),
        Const.of(-1),
        (*(init for _, init, _ in carried), *held[1:2]),
        Region(
            (n, *(p for p, _, _ in carried), *held[2:3]),
            (*head, *region.ops),
            (FALSE, *region.yields, *held[3:]),
        ),
        reversed_span(node.span),
    )
    b.append(loop)
    return results


def _is(a: Atom, value: object) -> bool:
    return isinstance(a, Const) and type(a.value) is type(value) and bool(a.value == value)


def _is_buffer(v: Value) -> bool:
    return isinstance(v.kind, Array | ListOf)


__all__ = ["mark_of", "reverse_scheduled"]
