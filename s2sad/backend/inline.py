"""Inlining: which values are written where they are used.

In: a plan that knows the forms of loops and branches. Out: its ``inline`` values.

    t = mul(x, x); y = add(t, b)   ->   t inline:  y = x * x + b

An op is written where it is used only if that moves it across no effect and across no write to
storage it reads. Indices (tuples, slices, small integer sums) are written at every use.
"""

from __future__ import annotations

from ..ir.kinds import Array, Num
from ..ir.nodes import (
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
    operands_of,
    read_in,
    regions_of,
    walk,
)
from .ops import effect, has_memory, writes
from .plan import Plan, branch_atoms
from .storage import Places

#: Expressions larger than this many nodes, or deeper, are split.
LARGEST = 28
DEEPEST = 14


def inline_expressions(made: Plan) -> None:
    """Enter the values that are parts of expressions, none of which grows too large."""
    _Inline(made).region(made.function.body, True)
    _split(made, made.function.body)


class _Inline:
    def __init__(self, made: Plan) -> None:
        self.made = made
        self.facts = made.facts
        self.ops: tuple[Node, ...] = ()
        self.written: Places = self.barrier(made.function.body.ops)[1]

    def region(self, region: Region, function: bool = False) -> None:
        """Decide for the ops of one region, from its end backwards."""
        made, ops = self.made, region.ops
        outer, self.ops = self.ops, ops
        #: statement at which each node is written
        place: dict[Node, int] = {}
        #: per value, the node of this region that reads it in expression position
        reader: dict[Value, int] = {}
        barriers = [(n, *self.barrier((node,))) for n, node in enumerate(ops)]
        barriers = [b for b in barriers if b[1] or b[2]]
        if function and not (ops and ops[-1] in made.tails):
            for y in region.yields:
                if isinstance(y, Value):
                    reader[y] = len(ops)
        leave = region.yields[0] if region.yields else None
        if not function and isinstance(leave, Value):
            if region.params and self.leave_is_plain(region):
                reader[leave] = len(ops)
        for y in region.yields:
            if isinstance(y, Value) and y in made.leaving:
                reader[y] = len(ops)
        for n in range(len(ops) - 1, -1, -1):
            node = ops[n]
            if node in made.gone:
                continue
            self.decide(node, n, place, reader, barriers)
            at = place.setdefault(node, n)
            for a in self.expressions(node):
                if isinstance(a, Value):
                    reader[a] = at
            for inner in regions_of(node):
                if node not in made.conditional:
                    is_test = isinstance(node, While) and inner is node.test
                    self.region(inner, is_test)
        self.ops = outer

    def leave_is_plain(self, region: Region) -> bool:
        """True if what decides to leave may be computed after the carried values have moved."""
        carried = region.params[len(region.params) - len(region.yields) + 1 :]
        moved = {p for p, y in zip(carried, region.yields[1:], strict=True) if p is not y}

        def reads_moved(atom: Atom) -> bool:
            if isinstance(atom, Const):
                return False
            node = self.facts.definitions.get(atom)
            if atom in moved or node not in region.ops or atom.name is not None:
                return atom in moved
            if isinstance(node, If):  # may be written as ``a and b``
                arms = read_in(node.then) | read_in(node.orelse)
                return any(map(reads_moved, {node.cond, *arms}))
            return isinstance(node, Op) and any(map(reads_moved, node.args))

        return len(region.yields) > 1 and not reads_moved(region.yields[0])

    def decide(
        self,
        node: Node,
        n: int,
        place: dict[Node, int],
        reader: dict[Value, int],
        barriers: list[tuple[int, bool, Places]],
    ) -> None:
        made = self.made
        if len(node.results) != 1:
            return
        value = node.results[0]
        if isinstance(node, Op) and self.is_index(node):
            made.inline[value] = node
            place[node] = reader.get(value, n)
            return
        if value not in reader or made.uses[value] != 1:
            return
        if value.name is not None and not self.is_passing(node, value, reader):
            return
        if isinstance(node, If):
            if node not in made.conditional:
                return
        elif not isinstance(node, Op) or effect(node) or writes(node) is not None:
            return
        at = reader[value]
        read = self.read_by(node)
        for place_of, has_effect, written in barriers:
            if n < place_of < at and (has_effect or written & read):
                return
        made.inline[value] = node
        place[node] = at

    def is_passing(self, node: Node, value: Value, reader: dict[Value, int]) -> bool:
        """True for an adjoint that is used up by the reversal of the very same line."""
        span = node.span
        if span is None or not span.reverse or not (value.name or "").endswith("_bar"):
            return False
        at = reader[value]
        if not isinstance(node, Op) or at >= len(self.ops):
            return False
        user = self.ops[at]
        if not isinstance(user, Op) or user.span is None:
            return False
        return (span.filename, span.line) == (user.span.filename, user.span.line)

    def is_index(self, node: Op) -> bool:
        """Indices are written at every use: they cost nothing and name no storage."""
        if node.fn == "slice":
            return True
        uses = self.made.uses[node.results[0]]
        if node.fn == "tuple":
            return uses != 1 and not has_memory(node.results[0].kind)
        if node.results[0].name is not None or uses == 1:
            return False
        if node.fn == "len" and isinstance(node.args[0].kind, Array):
            # the last use of an array must not come after it was overwritten
            return not self.facts.shell_of(node.args[0]) & self.written
        integer = isinstance(node.results[0].kind, Num) and node.results[0].kind.dtype == "int64"
        return (
            node.fn in ("add", "sub") and integer and any(isinstance(a, Const) for a in node.args)
        )

    def expressions(self, node: Node) -> tuple[Atom, ...]:
        """Atoms in whose place an expression can be written."""
        match node:
            case Op():
                target = writes(node)
                return tuple(a for k, a in enumerate(node.args) if k != target)
            case Call():
                consumed = {i for i, _ in self.made.mutates.get(node.callee, ())}
                return tuple(a for k, a in enumerate(node.args) if k not in consumed)
            case If():
                return operands_of(node)
            case For():
                return self.made.header(node)
            case _:
                return ()

    def read_by(self, node: Node) -> Places:
        """Storage whose content the node reads."""
        match node:
            case If():
                atoms: tuple[Atom, ...] = branch_atoms(node)
            case _:
                atoms = operands_of(node)
        read = 0
        for a in atoms:
            read |= self.facts.memory_of(a)
            inner = self.made.inline.get(a) if isinstance(a, Value) else None
            if inner is not None:
                read |= self.read_by(inner)
        return read

    def barrier(self, nodes: tuple[Node, ...]) -> tuple[bool, Places]:
        """Whether nodes have an effect, and the places they write."""
        written = 0
        for node in nodes:
            for inner in (node, *(m for r in regions_of(node) for m in walk(r))):
                if isinstance(inner, Op) and (target := writes(inner)) is not None:
                    written |= self.facts.shell_of(inner.args[target])
        return any(map(effect, nodes)), written


def _split(made: Plan, region: Region) -> None:
    """Give names to parts of expressions that would grow too large."""
    size: dict[Value, tuple[int, int]] = {}

    def measure(atom: Atom) -> tuple[int, int]:
        if isinstance(atom, Const) or atom not in made.inline:
            return (1, 0)
        return size.get(atom, (1, 0))

    for node in (n for n in walk(region) if isinstance(n, Op)):
        while True:
            parts = [measure(a) for a in node.args]
            total = 1 + sum(p[0] for p in parts)
            depth = 1 + max((p[1] for p in parts), default=0)
            if total <= LARGEST and depth <= DEEPEST:
                break
            worst = max(
                (
                    a
                    for a in node.args
                    if isinstance(a, Value) and a in made.inline and a not in made.locked
                ),
                key=measure,
                default=None,
            )
            if worst is None or measure(worst)[0] <= 2:
                break
            del made.inline[worst]
        if len(node.results) == 1:
            size[node.results[0]] = (total, depth)
    made._leaves.clear()
