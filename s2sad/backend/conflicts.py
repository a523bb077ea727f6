"""Conflicts: the writes that are not safe to do in place.

In: a plan. Out: for each unsafe write what stands in its way: someone outside who owns the
buffer, or a value that shares it and is read later.

    b = setitem(a, 0, v); use(a)   ->   a conflict of setitem with a
"""

from __future__ import annotations

from dataclasses import dataclass

from ..ir.nodes import (
    Atom,
    Call,
    Const,
    For,
    Node,
    Op,
    Value,
    While,
)
from .liveness import Live, Liveness
from .ops import fits_in_place, has_memory, rank, writes
from .plan import Plan
from .storage import Places, Storage


@dataclass(frozen=True, slots=True, eq=False)
class Conflict:
    """One unsafe write: the operand written, and who else is concerned."""

    node: Op | Call
    operand: int
    places: Places
    other: Value | None  # None: someone outside owns the buffer
    loops: tuple[For | While, ...]
    in_branch: bool


class Search(Liveness):
    """Finds the writes that are not safe yet."""

    def __init__(self, made: Plan, functional: frozenset[Op]) -> None:
        super().__init__(made)
        self.facts: Storage = made.facts
        self.functional = functional
        self.conflicts: list[Conflict] = []
        self.overlapping: list[Op] = []
        self.loops: list[For | While] = []
        self.depth = 0

    def region(self, ops: tuple[Node, ...], live: Live) -> Live:
        self.depth += 1
        live = super().region(ops, live)
        self.depth -= 1
        return live

    def loop_over(self, node: For, live: Live) -> Live:
        self.loops.append(node)
        live = super().loop_over(node, live)
        self.loops.pop()
        return live

    def loop_while(self, node: While, live: Live) -> Live:
        self.loops.append(node)
        live = super().loop_while(node, live)
        self.loops.pop()
        return live

    def at(self, node: Node, live: Live) -> None:
        if isinstance(node, Call):
            for k, _ in self.plan.mutates.get(node.callee, ()):
                others = {v for n, a in enumerate(node.args) if n != k for v in self.leaves([a])}
                self.check(node, k, (live | others).difference(node.results))
        elif isinstance(node, Op) and node not in self.functional:
            k_write = writes(node)
            if k_write is None:
                return
            held: Live = set()
            if node.fn == "store" and node.attrs["how"] == "at":
                held.update(self.leaves(node.args[1:]))  # numpy reads them while it writes
            elif node.fn in ("append", "extend", "insert"):
                held.update(self.leaves(node.args[1:]))
            elif node.fn == "store" and self.overlaps(node):
                self.overlapping.append(node)
            self.check(node, k_write, (live | held).difference(node.results))

    def overlaps(self, node: Op) -> bool:
        """True where NumPy would read a part of the buffer after writing it.

        It takes care of overlapping operands except for one-dimensional ones that advance by
        different steps, as in ``a[::2] = a[:3]``.
        """
        facts, value = self.facts, node.args[-1]
        if node.attrs["how"] != "=" or rank(value.kind) not in (1, None):
            return False
        if not facts.shell_of(value) & facts.shell_of(node.args[0]):
            return False
        maker = facts.definitions.get(value) if isinstance(value, Value) else None
        if isinstance(maker, Op) and maker.fn == "item" and maker.args[0] is node.args[0]:
            return not (self.plain(maker.args[1]) and self.plain(node.args[-2]))
        return True

    def plain(self, index: Atom) -> bool:
        """True for a slice that goes from one element to the next."""
        if isinstance(index, Const):
            return isinstance(index.value, slice) and index.value.step in (None, 1)
        maker = self.facts.definitions.get(index)
        if not isinstance(maker, Op) or maker.fn != "slice":
            return False
        step = maker.args[2]
        return isinstance(step, Const) and step.value in (None, 1)

    def check(self, node: Op | Call, k: int, live: Live) -> None:
        facts = self.facts
        buffer = node.args[k]
        places = facts.shell_of(buffer)
        loops = tuple(self.loops)
        branch = self.depth > 1 + len(loops)

        def conflict(at: Places, other: Value | None) -> None:
            self.conflicts.append(Conflict(node, k, at, other, loops, branch))

        if isinstance(node, Op) and node.fn == "add_to":
            if not fits_in_place(buffer.kind, node.args[1].kind, node.results[0].kind):
                conflict(0, None)
                return
        if not has_memory(buffer.kind):
            return
        if isinstance(buffer, Const) or places & facts.foreign:
            conflict(places & facts.foreign, None)
            return
        if buffer in live:
            conflict(places, buffer)
            return
        sharing = [v for v in live if places & facts.memory_of(v)]
        if sharing:
            other = min(sharing, key=facts.order.__getitem__)
            conflict(places & facts.memory_of(other), other)
