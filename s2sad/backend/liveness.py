"""Liveness on structured code, exact over branches and loops.

In: a plan. Out: calls of ``define(values, live)`` wherever names are assigned, with what is live
just after, and of ``at(node, live)`` for every statement with the values live after it. Both the
search for unsafe writes and the search for names that may be shared are such visitors.
"""

from __future__ import annotations

from collections.abc import Iterable

from ..ir.nodes import Atom, Call, For, If, Node, Op, Region, Value, While, regions_of
from .plan import Plan, branch_atoms

Live = set[Value]


class Liveness:
    """One backward walk over a function; subclasses override the two hooks."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self._free: dict[Node, Live] = {}

    def define(self, values: Iterable[Value], live: Live) -> None:
        """``values`` are assigned at once while the others in ``live`` must keep their names."""

    def at(self, node: Node, live: Live) -> None:
        """``live`` is what is read after this statement, its own results included."""

    def function(self) -> None:
        """Walk the whole function."""
        f = self.plan.function
        live = self.tail(f.body.ops, f.body.yields, set())
        self.define(f.params, live)

    def leaves(self, atoms: Iterable[Atom]) -> list[Value]:
        return [leaf for a in atoms for leaf in self.plan.leaves(a)]

    def tail(
        self,
        ops: tuple[Node, ...],
        yields: tuple[Atom, ...],
        base: Live,
        params: tuple[Value, ...] | None = None,
    ) -> Live:
        """The region of these ops, after which ``yields`` are read and ``base`` is live.

        At the end of a loop's body they move to ``params``, all but the first.
        """
        last = ops[-1] if ops else None
        if isinstance(last, If) and last in self.plan.tails:
            live: Live = set()
            for arm in (last.then, last.orelse):
                swap = dict(zip(last.results, arm.yields, strict=True))
                inner = tuple(swap.get(y, y) if isinstance(y, Value) else y for y in yields)
                live |= self.tail(arm.ops, inner, base, params)
            live.update(self.plan.leaves(last.cond))
            return self.region(ops[:-1], live)
        if params is not None:
            self.leaving(params, yields)
        return self.region(ops, base | set(self.leaves(yields)))

    def region(self, ops: tuple[Node, ...], live: Live) -> Live:
        """Values live before these ops; ``live`` is taken over."""
        for node in reversed(ops):
            if self.plan.skipped(node):
                continue
            match node:
                case Op() | Call():
                    self.at(node, live)
                    live.difference_update(node.results)
                    self.define(node.results, live)
                    live.update(self.leaves(node.args))
                case If() if node in self.plan.conditional:
                    live.difference_update(node.results)
                    self.define(node.results, live)
                    live.update(self.leaves(branch_atoms(node)))
                case If():
                    live = self.branch(node, live)
                case For():
                    live = self.loop_over(node, live)
                case While():
                    live = self.loop_while(node, live)
        return live

    def branch(self, node: If, live: Live) -> Live:
        live.difference_update(node.results)
        self.define(node.results, live)
        before: Live = set()
        for arm in (node.then, node.orelse):
            before |= self.region(arm.ops, live | set(self.leaves(arm.yields)))
        before.update(self.plan.leaves(node.cond))
        return before

    def loop_over(self, node: For, live: Live) -> Live:
        carried = node.body.params[1:]
        live.difference_update(node.results)
        self.define(node.results, live)
        base = live | self.free(node)
        head = self.tail(node.body.ops, node.body.yields, base | set(), carried)
        heads = self.plan.head_values(node)
        self.define((*heads, *carried), head.union(base).difference(heads, carried))
        header = set(self.leaves(self.plan.header(node)))
        for p, init in zip(carried, node.init, strict=True):
            self.define((p,), header.difference((init,)))  # what starts as init may be called so
        before = base
        before.update(self.leaves(self.plan.header(node)))
        before.update(self.leaves(node.init))
        return before

    def loop_while(self, node: While, live: Live) -> Live:
        live.difference_update(node.results)
        self.define(node.results, live)
        base = live | self.free(node)
        body = self.tail(node.body.ops, node.body.yields, base | set(), node.body.params)
        self.define(node.body.params, body.union(base).difference(node.body.params))
        # the loop's names are live in the test whatever the test itself reads
        after_test = base | set(self.leaves(node.test.yields)) | set(node.test.params)
        test = self.region(node.test.ops, after_test)
        self.define(node.test.params, test.union(base).difference(node.test.params))
        before = base
        before.update(self.leaves(node.init))
        return before

    def leaving(self, carried: tuple[Value, ...], yields: tuple[Atom, ...]) -> None:
        """What decides to leave is read after the moves at the end of an iteration."""
        read = self.plan.leaves(yields[0])
        if read:
            for p, y in zip(carried, yields[1:], strict=True):
                self.define((p,), {v for v in read if v is not y and v is not p})

    def free(self, node: For | While) -> Live:
        """Named values a loop reads but does not define: live all through it."""
        known = self._free.get(node)
        if known is None:
            read: Live = set()
            bound: Live = set()
            for r in regions_of(node):
                self._collect(r, read, bound)
            if isinstance(node, For):
                loop = self.plan.loops.get(node)
                if loop is not None:
                    read.update(self.leaves(loop.iterables))
                    bound.update(t for t in loop.targets if t is not None)
            known = self._free[node] = read - bound
        return known

    def _collect(self, region: Region, read: Live, bound: Live) -> None:
        bound.update(region.params)
        for node in region.ops:
            bound.update(node.results)
            if self.plan.skipped(node):
                continue
            match node:
                case Op() | Call():
                    read.update(self.leaves(node.args))
                case If() if node in self.plan.conditional:
                    read.update(self.leaves(branch_atoms(node)))
                    continue
                case If():
                    read.update(self.plan.leaves(node.cond))
                case For():
                    read.update(self.leaves((*self.plan.header(node), *node.init)))
                case While():
                    read.update(self.leaves(node.init))
            for inner in regions_of(node):
                self._collect(inner, read, bound)
        read.update(self.leaves(region.yields))
