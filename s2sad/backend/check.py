"""The last look before text is written: every read finds the value it wants.

In: a plan and its names. Out: nothing, or ``EmitError``. A forward walk follows which values each
name holds, and forgets a value when its buffer is written in place; it shares nothing with the
backward walk by which names and copies were chosen.

    a[0] = v; use(old a)   ->   EmitError
"""

from __future__ import annotations

from collections.abc import Iterable

from ..ir.kinds import Undef
from ..ir.nodes import Atom, Call, Const, For, If, Node, Op, Region, Value, While
from .ops import writes
from .plan import Plan, branch_atoms
from .text import EmitError

State = dict[str, frozenset[Value]]


def check_names(made: Plan, functional: frozenset[Op], names: dict[Value, str]) -> None:
    """Raise EmitError if a name would hold another value than the one that is read."""
    _Check(made, functional, names).function()


class _Check:
    def __init__(self, made: Plan, functional: frozenset[Op], names: dict[Value, str]) -> None:
        self.made = made
        self.functional = functional
        self.names = names
        self.exits: list[list[State]] = []

    def function(self) -> None:
        f = self.made.function
        state: State = {}
        self.define(f.params, state)
        self.tail(f.body.ops, f.body.yields, state, None)

    # -- state --------------------------------------------------------------------------------

    def define(self, values: Iterable[Value], state: State) -> None:
        for v in values:
            state[self.names[v]] = frozenset((v,))

    def read(self, atoms: Iterable[Atom], state: State) -> None:
        for a in atoms:
            for leaf in self.made.leaves(a):
                if leaf not in state.get(self.names.get(leaf, ""), ()):
                    name = self.names.get(leaf, leaf.name)
                    raise EmitError(
                        f"{self.made.function.name}: {name} no longer holds what is read"
                    )

    def move(self, values: tuple[Value, ...], atoms: tuple[Atom, ...], state: State) -> None:
        """All at once, as the emitted moves are made to be."""
        moved = []
        for v, a in zip(values, atoms, strict=True):
            if v not in self.names:
                continue
            if isinstance(a.kind, Undef):  # nobody reads it on this path
                moved.append((self.names[v], state.get(self.names[v], frozenset()) | {v}))
                continue
            self.read((a,), state)
            held = frozenset((v,))
            if isinstance(a, Value) and a in self.names:
                held |= state[self.names[a]]
            moved.append((self.names[v], held))
        state.update(moved)

    def destroy(self, buffer: Atom, result: Value, state: State) -> None:
        """The buffer is written: whoever shares it loses its old content."""
        facts = self.made.facts
        places = facts.shell_of(buffer)
        for name, values in list(state.items()):
            lost = [v for v in values if facts.memory_of(v) & places]
            if lost:
                state[name] = values.difference(lost)
        if isinstance(buffer, Value):
            name = self.names[buffer]
            state[name] = state.get(name, frozenset()) | {result}
        state[self.names[result]] = frozenset((result,))

    @staticmethod
    def meet(a: State | None, b: State | None) -> State | None:
        if a is None or b is None:
            return a if b is None else b
        return {name: a[name] & b[name] for name in a if name in b}

    # -- code ---------------------------------------------------------------------------------

    def region(self, ops: tuple[Node, ...], state: State | None) -> State | None:
        for node in ops:
            if state is None:
                return None
            if not self.made.skipped(node):
                state = self.node(node, state)
        return state

    def tail(
        self,
        ops: tuple[Node, ...],
        yields: tuple[Atom, ...],
        state: State,
        params: tuple[Value, ...] | None,
    ) -> State | None:
        """A region whose end moves to ``params`` (None: returns); the state for another round."""
        last = ops[-1] if ops else None
        if isinstance(last, If) and last in self.made.tails:
            before = self.region(ops[:-1], state)
            if before is None:
                return None
            self.read((last.cond,), before)
            out: State | None = None
            for arm in (last.then, last.orelse):
                swap = dict(zip(last.results, arm.yields, strict=True))
                inner = tuple(swap.get(y, y) if isinstance(y, Value) else y for y in yields)
                out = self.meet(out, self.tail(arm.ops, inner, dict(before), params))
            return out
        after = self.region(ops, state)
        if after is None:
            return None
        if params is None:
            self.read((y for y in yields if not isinstance(y.kind, Undef)), after)
            return after
        leave, *carried = yields
        self.move(params, tuple(carried), after)
        self.read((leave,), after)
        if isinstance(leave, Const):
            if leave.value is True:
                self.exits[-1].append(after)
                return None
        else:
            self.exits[-1].append(dict(after))
        return after

    def node(self, node: Node, state: State) -> State | None:
        match node:
            case Op():
                self.read(node.args, state)
                if node.fn == "raise":
                    return None
                target = None if node in self.functional else writes(node)
                if target is None or not self.made.facts.shell_of(node.args[target]):
                    self.define(node.results, state)
                else:
                    self.destroy(node.args[target], node.results[0], state)
                    self.define(node.results[1:], state)
            case Call():
                self.read(node.args, state)
                consumed = self.made.mutates.get(node.callee, ())
                for i, k in consumed:
                    self.destroy(node.args[i], node.results[k], state)
                for i, k in consumed:  # all at once: one of them may hold another
                    for v in (node.args[i], node.results[k]):
                        if isinstance(v, Value):
                            name = self.names[v]
                            state[name] = state.get(name, frozenset()) | {node.results[k]}
                new = {k for _, k in consumed}
                self.define((r for k, r in enumerate(node.results) if k not in new), state)
            case If() if node in self.made.conditional:
                self.read(branch_atoms(node), state)
                self.define(node.results, state)
            case If():
                self.read((node.cond,), state)
                out: State | None = None
                for arm in (node.then, node.orelse):
                    after = self.region(arm.ops, dict(state))
                    if after is not None:
                        self.move(node.results, arm.yields, after)
                        out = self.meet(out, after)
                return out
            case For():
                params = node.body.params[1:]
                self.move(params, node.init, state)
                self.read(self.made.header(node), state)
                return self.loop(node, params, node.body, state)
            case While():
                self.move(node.body.params, node.init, state)
                return self.loop(node, node.body.params, node.body, state)
        return state

    def loop(
        self, node: For | While, params: tuple[Value, ...], body: Region, entry: State
    ) -> State | None:
        head: State = entry
        while True:
            self.exits.append([])
            state = dict(head)
            leaving: State | None = head
            if isinstance(node, For):
                self.define(self.made.head_values(node), state)
            else:
                for p, q in zip(node.test.params, params, strict=True):
                    name = self.names[p]
                    state[name] = state.get(name, frozenset()) | {p, q}
                after_test = self.region(node.test.ops, state)
                assert after_test is not None
                self.read(node.test.yields, after_test)
                leaving, state = dict(after_test), after_test
            again = self.tail(body.ops, body.yields, state, params)
            exits = self.exits.pop()
            new = self.meet(dict(entry), again)
            if new == head or again is None:
                break
            assert new is not None
            head = new
        out = leaving
        for e in exits:
            out = self.meet(out, e)
        assert out is not None
        for p, r in zip(params, node.results, strict=True):
            if r in self.names:
                held = out.get(self.names[p], frozenset()) | {r}
                out[self.names[p]] = held
                out[self.names[r]] = held
        return out
