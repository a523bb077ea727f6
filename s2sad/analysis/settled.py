"""Settled elements: loads that give the same before or after a whole loop nest.

In: a function body. Out: ``Settled``, which gives for a load from an array that loops write to the
load from the array as it is after the loops (nothing writes there later), or as it was before them
(nothing has written there yet). Then the reverse sweep loads again, and needs no tape.

    for i in range(n):
        for j in range(i): s -= l[i, j] * x[j]      x[j] has its last value: load it from x after
        x[i] = s                                    the loops, whoever wants it

The proof compares a load with each write that would come between: their indices (`indices.py`)
differ in all iterations concerned. Iterations are compared loop by loop, outermost first, as in
tests of dependences (Allen and Kennedy, *Optimizing Compilers for Modern Architectures*, 2001,
chapter 3).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..ir.kinds import Array
from ..ir.nodes import Atom, Call, For, If, Node, Op, Region, Value, While, raises
from ..rules.registry import primitive
from .indices import Indices, Order, direction
from .storage import Overwritten

__all__ = ["Settled"]


@dataclass(frozen=True, slots=True)
class _History:
    """The versions of an array that a loop carries, and the operations that write to it."""

    versions: frozenset[Value]
    writes: tuple[Op, ...]


class Settled:
    """Facts about one function body; ``definition`` gives the operation behind a value."""

    def __init__(
        self,
        body: Region,
        definition: Mapping[Value, Op],
        overwritten: Overwritten,
    ) -> None:
        self._definition = definition
        self._overwritten = overwritten
        self._indices = Indices(body, definition)
        self._histories: dict[tuple[Node, int], _History | None] = {}
        self._found: dict[Value, Op | None] = {}

    def load(self, value: Value) -> Op | None:
        """The load from another version of its array that gives ``value``, if there is one."""
        if value not in self._found:
            op = self._definition.get(value)
            known = op is not None and op.fn == "item" and op in self._indices.path
            self._found[value] = self._search(op) if known and op is not None else None
        return self._found[value]

    def _search(self, load: Op) -> Op | None:
        base = load.args[0]
        if not isinstance(base, Value) or not isinstance(base.kind, Array):
            return None
        for loop, _ in self._indices.path[load]:
            if not isinstance(loop, For | While):
                continue
            for k, (result, init) in enumerate(zip(loop.results, loop.init, strict=True)):
                history = self._history(loop, k)
                if history is None or base not in history.versions:
                    continue
                for source, later in ((result, True), (self._unwritten(init), False)):
                    if (
                        source is not None
                        and source not in self._overwritten
                        and _alike(source, base)
                        and all(self._apart(load, w, loop, later) for w in history.writes)
                    ):
                        return Op(
                            load.results, "item", (source, load.args[1]), load.attrs, load.span
                        )
        return None

    def _unwritten(self, init: Atom) -> Value | None:
        """What a loop starts from, or what that is a copy of."""
        op = self._definition.get(init) if isinstance(init, Value) else None
        if op is not None and op.fn in ("copy", "np.copy") and isinstance(op.args[0], Value):
            return op.args[0]
        return init if isinstance(init, Value) else None

    # -- the program ----------------------------------------------------------------------------

    def _history(self, loop: For | While, k: int) -> _History | None:
        """What happens to the ``k``-th array a loop carries; None if that is not all known."""
        key = (loop, k)
        if key not in self._histories:
            start = _parameters(loop)[k]
            versions, writes = {start}, list[Op]()
            current = self._follow(loop.body, {start}, versions, writes)
            known = isinstance(start.kind, Array) and loop.body.yields[k + 1] in current
            self._histories[key] = _History(frozenset(versions), tuple(writes)) if known else None
        return self._histories[key]

    def _follow(
        self, region: Region, current: set[Value], versions: set[Value], writes: list[Op]
    ) -> set[Value]:
        """The names that the latest version of an array has at the end of a region.

        ``current`` are those at its beginning. Empty if the versions are not one line: where an
        array is put back to what it was, or written by what is not known.
        """
        for node in region.ops:
            before = current
            match node:
                case Op(fn="setitem", args=(Value() as base, *_)) if base in current:
                    writes.append(node)
                    current = {node.results[0]}
                case Op():
                    record = primitive(node.fn)
                    if record.writes is not None and node.args[record.writes] in current:
                        return set()
                case Call():
                    if not current.isdisjoint(a for a in node.args if isinstance(a, Value)):
                        return set()
                case If():
                    arms = [a for a in (node.then, node.orelse) if not raises(a)]
                    ends = [self._follow(arm, current, versions, writes) for arm in arms]
                    joined = {
                        r
                        for n, r in enumerate(node.results)
                        if all(a.yields[n] in end for a, end in zip(arms, ends, strict=True))
                    }
                    if all(end == current for end in ends):
                        current = current | joined
                    elif joined:
                        current = joined
                    else:
                        return set()
                case For() | While():
                    carried = [k for k, init in enumerate(node.init) if init in current]
                    if not carried:
                        ends = [self._follow(node.body, current, versions, writes)]
                        if ends[0] != current:
                            return set()
                    elif len(carried) == 1:
                        (k,) = carried
                        start = _parameters(node)[k]
                        versions.add(start)
                        end = self._follow(node.body, {start}, versions, writes)
                        if node.body.yields[k + 1] not in end:
                            return set()
                        current = {node.results[k]} | (current if end == {start} else set())
                    else:
                        return set()
            if current is not before:
                versions |= current
        return current

    # -- the proof ------------------------------------------------------------------------------

    def _apart(self, load: Op, write: Op, outermost: Node, later: bool) -> bool:
        """Whether no write after the load, or before it if not ``later``, is to what it reads."""
        mine, other = self._indices.path[load], self._indices.path[write]
        first = next(n for n, (node, _) in enumerate(mine) if node is outermost)
        reads, writes = self._indices.spans(load.args[1]), self._indices.spans(write.args[1])
        if reads is None or writes is None:
            return False
        equal: frozenset[Value] = frozenset()
        for (node, arm), theirs in zip(mine[first:], other[first:], strict=False):
            if theirs[0] is not node:
                break
            if isinstance(node, If):
                if theirs[1] != arm:
                    return True  # the other arm: never in the same iteration
                continue
            index, by = None, 0
            if isinstance(node, For):
                index = node.body.params[0]
                by = direction(node) * (1 if later else -1)
            order = Order(equal, index if by else None, by)
            if by and self._indices.never(load, write, outermost, order):
                pass
            elif not self._indices.differ(load, reads, write, writes, outermost, order):
                return False
            if index is not None:
                equal |= {index}
        read_version = load.args[0]
        assert isinstance(read_version, Value)
        is_before = self._indices.order[write.results[0]] <= self._indices.order[read_version]
        if is_before == later:
            return True
        return self._indices.differ(load, reads, write, writes, outermost, Order(equal))


def _parameters(loop: For | While) -> tuple[Value, ...]:
    return loop.body.params[1:] if isinstance(loop, For) else loop.body.params


def _alike(source: Value, base: Value) -> bool:
    return (
        isinstance(source.kind, Array)
        and isinstance(base.kind, Array)
        and source.kind.dtype == base.kind.dtype
        and source.kind.rank == base.kind.rank
    )
