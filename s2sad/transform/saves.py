"""Saves: what the reverse sweep keeps of the forward sweep, and what it computes again.

In: the values of a forward region that its reverse reads (the rules' free variables *are* the
needs). Out: a ``Plan``: which of them are saved, and which cheap operations are repeated.

    needs {y < 1.0, y}, y carried by the loop   ->   save y, compute y < 1.0 again
    needs {x[i]}, nobody writes x               ->   save nothing, load again

Index arithmetic, shapes, views and loads of elements nobody overwrites are repeated; a whole tape
is avoided where a few scalar operations replace it; everything else is saved.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

import numpy as np

from ..analysis.settled import Settled
from ..analysis.storage import Overwritten
from ..ir.kinds import Array, ListOf, Mixed, Num, Opaque, Tuple
from ..ir.nodes import Atom, Const, Op, Value
from ..rules.registry import primitive
from .target import is_for_compiler

#: Operations that cost next to nothing whatever they work on.
_FREE = frozenset({"slice", "tuple", "len", "shape", "attr"})
_CHEAP_SCALAR = frozenset(
    {
        "add",
        "sub",
        "mul",
        "div",
        "neg",
        "pos",
        "floordiv",
        "mod",
        "not",
        "and",
        "or",
        "is",
        "is_not",
    }
    | {"lt", "le", "gt", "ge", "eq", "ne"}
)
_NEVER = 1e9
#: Repeating at most this much scalar work is preferred to having a tape at all.
_TAPE_FREE_BUDGET = 8.0
#: Where more operations than this would be repeated, the search for a loop without a tape ends.
_MOST_OPS = 40
#: Repeating at most this much is preferred to saving one more value on a tape; compiled code would
#: rather do arithmetic than go to memory.
_SINGLE_BUDGET = 2.0
_COMPILED_BUDGET = 6.0
#: Arithmetic on arrays that compiled code does in the loop that needs it.
_CHEAP_ARRAY = frozenset(
    {"add", "sub", "mul", "div", "neg", "pos", "np.where", "np.roll", "np.add.outer"}
    | {"lt", "le", "gt", "ge", "eq", "ne", "bitand", "bitor", "bitxor", "invert"}
    | {f"np.{f}" for f in ("logical_and", "logical_or", "logical_not")}
    | {f"np.{f}" for f in ("add", "subtract", "multiply", "negative", "square", "divide")}
)


@dataclass(slots=True)
class Plan:
    """What to do about the needs of one region.

    ``early`` are operations of the reverse that are done in the forward sweep.
    """

    saved: list[Value] = field(default_factory=list)
    recomputed: list[Op] = field(default_factory=list)
    uses_index: bool = False
    early: list[Op] = field(default_factory=list)


@dataclass(slots=True)
class Planner:
    """Plans saves for one forward region.

    ``inside`` tells whether a value is defined in the region; ``definition`` gives the node of a
    value, ``position`` its place in the program; ``index`` is the loop index, which the reverse
    loop knows anyway. ``settled`` knows loads that may be done from another version of an array,
    ``same_shape`` arrays of the same shape that are better known.
    """

    inside: Callable[[Value], bool]
    definition: dict[Value, Op]
    position: dict[Value, int]
    overwritten: Overwritten
    settled: Settled
    same_shape: Callable[[Value], Value]
    index: Value | None = None

    def plan(self, needs: Iterable[Value], *, tape: bool, keep_index: bool = False) -> Plan:
        """Split the needs.

        ``tape`` tells that saving nothing at all is worth some work, ``keep_index`` that the
        loop index is needed anyway.
        """
        needs = list(needs)
        if not needs:
            return Plan()
        if tape:
            ops = self._closure(needs, frozenset(), limit=_MOST_OPS)
            if ops is not None and sum(map(_weight, ops)) <= _TAPE_FREE_BUDGET:
                return self._finish([], ops, keep_index)
        budget = _COMPILED_BUDGET if is_for_compiler() else _SINGLE_BUDGET
        saved = {v for v in needs if self._cost(v, frozenset()) > budget}
        if is_for_compiler():
            saved = self._sources(saved)
            needs += [v for v in saved if v not in needs]
        for v in needs:
            if v not in saved and self._cost(v, frozenset(saved)) > budget:
                saved.add(v)
        # what is saved may make other saves superfluous
        for v in [v for v in needs if v in saved]:
            if self._cost(v, frozenset(saved - {v})) <= budget:
                saved.discard(v)
        ops = self._closure([v for v in needs if v not in saved], frozenset(saved))
        assert ops is not None
        return self._finish([v for v in needs if v in saved], ops, keep_index)

    def _finish(self, saved: list[Value], ops: list[Op], keep_index: bool) -> Plan:
        indexed = [op for op in ops if any(self.index is a for a in op.args)]
        if (
            saved
            and not keep_index
            and len(indexed) == 1
            and indexed[0].fn == "item"
            and indexed[0] is self.definition[indexed[0].results[0]]
        ):
            # the index would be saved for one load alone: save what it loads
            saved = [*saved, *indexed[0].results]
            ops = [op for op in ops if op is not indexed[0]]
            indexed = []
        saved.sort(key=lambda v: self.position.get(v, -1))
        return Plan(saved, ops, bool(indexed))

    def _sources(self, saved: set[Value]) -> set[Value]:
        """Fewer arrays from which those to be saved can be computed, if there are."""
        kept: set[Value] = set()
        sources: set[Value] = set()
        for v in saved:
            found = self._sources_of(v)
            if isinstance(v.kind, Array) and found is not None:
                sources |= found
            else:
                kept.add(v)
        new = kept | sources
        return new if room(new) < room(saved) else saved

    def _sources_of(self, v: Value) -> set[Value] | None:
        """What a value is computed from by cheap operations; None if they are too many."""
        found: set[Value] = set()
        ops: set[Op] = set()

        def visit(v: Value) -> None:
            if self._known(v, frozenset()):
                return
            op = self._repeatable(v)
            if op is None:
                found.add(v)
            elif op not in ops:
                ops.add(op)
                for a in op.args:
                    if isinstance(a, Value):
                        visit(a)

        visit(v)
        return found if sum(map(_weight, ops)) <= _COMPILED_BUDGET else None

    def _known(self, atom: Atom, saved: frozenset[Value]) -> bool:
        return (
            not isinstance(atom, Value)
            or atom in saved
            or atom is self.index
            or not self.inside(atom)
        )

    def _repeatable(self, value: Value) -> Op | None:
        op = self.definition.get(value)
        if op is None or len(op.results) != 1 or primitive(op.fn).effect != "pure":
            return None
        if op.fn in ("len", "shape") and isinstance(base := op.args[0], Value):
            if isinstance(base.kind, Array) and (other := self.same_shape(base)) is not base:
                return replace(op, args=(other, *op.args[1:]))
        for a in op.args:
            if isinstance(a, Value) and a in self.overwritten and _has_buffer(a):
                return self.settled.load(value)
        if op.fn in _FREE:
            return op
        if op.fn == "item" and isinstance(op.args[0], Value):
            kind = op.args[0].kind
            return op if isinstance(kind, Array | ListOf | Mixed | Tuple) else None
        if primitive(op.fn).view_of is not None:
            return op
        if op.fn == "pow" and isinstance(op.results[0].kind, Num) and _is_square(op):
            return op
        if op.fn in _CHEAP_SCALAR and all(isinstance(a.kind, Num | Opaque) for a in op.args):
            return op
        if op.fn in _CHEAP_ARRAY and is_for_compiler() and isinstance(op.results[0].kind, Array):
            return op
        return None

    def _cost(self, value: Value, saved: frozenset[Value], depth: int = 0) -> float:
        if self._known(value, saved):
            return 0.0
        op = self._repeatable(value)
        if op is None or depth > 8:
            return _NEVER
        return _weight(op) + sum(
            self._cost(a, saved, depth + 1) for a in op.args if isinstance(a, Value)
        )

    def _closure(
        self, values: Iterable[Value], saved: frozenset[Value], limit: int | None = None
    ) -> list[Op] | None:
        """The operations that compute ``values``, in order.

        None if some cannot be repeated, or if they are more than ``limit``.
        """
        done: dict[Value, Op] = {}

        def visit(v: Value) -> bool:
            if v in done or self._known(v, saved):
                return True
            op = self._repeatable(v)
            if op is None or (limit is not None and len(done) > limit):
                return False
            if not all(visit(a) for a in op.args if isinstance(a, Value)):
                return False
            done[v] = op
            return True

        return list(done.values()) if all(visit(v) for v in values) else None


def _is_square(op: Op) -> bool:
    exponent = op.args[1]
    return isinstance(exponent, Const) and bool(exponent.value == 2)


def room(values: Iterable[Value]) -> tuple[int, ...]:
    """Bytes an element of arrays of three axes or more, of two, of one, and other values."""
    total = [0, 0, 0, 0]
    for v in values:
        if isinstance(v.kind, Array):
            total[max(3 - len(v.kind.dims or ()), 0)] += np.dtype(v.kind.dtype).itemsize
        else:
            total[3] += 1
    return tuple(total)


def _has_buffer(value: Value) -> bool:
    return isinstance(value.kind, Array | ListOf | Mixed)


def _weight(op: Op) -> float:
    if op.fn in _FREE or primitive(op.fn).zero:
        return 0.5
    result = op.results[0].kind
    if isinstance(result, Num) and result.dtype[0] in "biu":
        return 0.5
    return 1.0
