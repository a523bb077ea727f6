"""Statements on whole arrays become loops over their elements.

Numba compiles a loop over elements many times faster than a statement with slices, and LLVM makes
vector code of it; intermediate arrays need not exist. In: a module in the forms of nopython mode.
Out: the same module in which arithmetic on arrays, stores into slices and sums are loops::

    b[1:-1] = 0.5 * (a[:-2] + a[2:])   ->   for i in range(len(a) - 2):
                                                b[i + 1] = 0.5 * (a[i] + a[i + 2])

A value exists as an array only where it is used more than once, or by something that is no loop. A
statement whose shapes are not known to fit (an axis may or may not be 1), or whose elements are
not of 64 bits, stays as it is.

Values have no storage here: that reads of an array come before the writes that follow them is made
sure of by computing what reads it before it is written (`_Region.before_write`), and where that
fails, by the copies that the backend puts in.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from ....ir.kinds import Array, not_one
from ....ir.mapping import map_regions
from ....ir.nodes import Atom, Function, Module, Node, Op, Region, Value, is_of_reverse, read_by
from ....ir.rewrite import substitute_region
from ...ops import OWN, writes
from .clearing import stored_where_cleared
from .common import computed_once
from .costs import is_cheap, readings
from .delaying import cleared_late
from .elements import CONSTANTS, LIKE, is_elementwise, is_filled, is_plain, is_whole
from .extents import Sizes, are_equal
from .facts import (
    SHAPES,
    SUMS,
    Facts,
    is_added_to,
    is_sum_along,
    is_whole_sum,
    reads_elements,
    takes_elements,
)
from .gathering import WIDER, gathered
from .loops import Nest
from .outers import outers_as_products
from .rings import as_nodes
from .ties import ties_as_choices
from .totals import Totals
from .unread import without_unread
from .views import view
from .windows import find_windows
from .writing import Unsure

__all__ = ["fuse_loops"]


def fuse_loops(module: Module, assuming: bool = False) -> Module:
    """The module with loops in the place of statements on whole arrays.

    ``assuming``: the entry may be made for arguments that fit each other as they usually do
    (`windows`).
    """
    functions = {
        name: _function(f, assuming and f is module.entry) for name, f in module.functions.items()
    }
    return Module(functions)


def _function(f: Function, assuming: bool) -> Function:
    f = computed_once(ties_as_choices(outers_as_products(f)))
    f = cleared_late(gathered(stored_where_cleared(f)))
    facts = Facts(f)
    sizes = Sizes(f.params)
    find_windows(f, facts.definitions, sizes, assuming)
    body = _Region(facts, f.body, frozenset(), sizes).run()
    return replace(f, body=replace(body, ops=(*sizes.first, *body.ops)))


class _Region(Totals):
    """Rewrites one region; those inside it have objects of their own."""

    def run(self) -> Region:
        for node in self.region.ops:
            if node not in self.done:
                self.node(node)
        for y in self.region.yields:
            self.need(y)
        out = without_unread(self.out, (*self.region.yields, *self.same.values()))
        ops = tuple(m for n in out for m in (as_nodes(n) if isinstance(n, Nest) else (n,)))
        made = Region(self.region.params, ops, self.region.yields)
        return substitute_region(made, self.same) if self.same else made

    # -- what stays an expression -----------------------------------------------------------------

    def stays(self, op: Op) -> bool:
        """Whether the result need not exist: all that use it go through its elements."""
        if len(op.results) != 1:
            return False
        (v,) = op.results
        uses = self.facts.uses.get(v, [])
        if v in self.facts.kept or not uses:
            return False
        here = all(set(n.results) <= self.mine and n.results for n, _ in uses)
        as_sum = op.fn == "unbroadcast" and v not in self.facts.kept and self.sums_nothing(op)
        if not here or not all(
            takes_elements(n, k, self.facts) or (as_sum and is_added_to(n, k)) for n, k in uses
        ):
            return False
        reading = [n for n, k in uses if reads_elements(n, k)]
        if is_elementwise(op):
            if not reading or is_whole(op):
                return not reading
            times = sum(readings(n, self.facts) for n in reading)
            return times == 1 or is_cheap(op, times, self.lazy)
        if op.fn in CONSTANTS or is_filled(op):
            return is_plain(v.kind) and bool(getattr(v.kind, "dims", None))
        if op.fn in LIKE:
            return is_plain(v.kind) and (op.fn != "unbroadcast" or self.sums_nothing(op))
        is_view = is_plain(v.kind) and view(op, self.facts.definitions) is not None
        return is_view and not self.is_across(op)

    def is_across(self, op: Op) -> bool:
        """Whether the op is a row, say, of an array of which more is written with its help.

        A copy of it costs little, and what is written need not be computed before all of it.
        """
        (v,), array = op.results, op.args[0]
        if not isinstance(array, Value):
            return False
        for n, k in self.facts.uses.get(array, ()):
            if not isinstance(n, Op) or k != 0 or n.fn not in ("setitem", "accumulate"):
                continue
            written = n.args[2]
            is_more = (_rank(written) or 0) > (_rank(v) or 0) and set(n.results) <= self.mine
            if is_more and v in self.computed_from(written):
                return True
        return False

    def computed_from(self, a: Atom) -> set[Value]:
        """The arrays that an expression is made of."""
        found: set[Value] = set()
        ahead = [a]
        while ahead:
            v = ahead.pop()
            op = self.facts.definitions.get(v) if isinstance(v, Value) else None
            if (
                isinstance(v, Value)
                and isinstance(v.kind, Array)
                and v in self.mine
                and v not in found
            ):
                found.add(v)
                if isinstance(op, Op):
                    ahead += op.args[:1] if op.fn in LIKE else op.args
        return found

    def sums_nothing(self, op: Op) -> bool:
        """Whether ``unbroadcast`` gives back what it is given, or repeats it."""
        try:
            own, like = map(self.elements.extents, op.args)
        except Unsure:
            return False
        finally:
            self.elements.forget()
        return len(own) <= len(like) and all(
            e.is_one() or are_equal(e, x) or not_one(x.dim)
            for e, x in zip(own[::-1], like[::-1], strict=False)
        )

    def changes_nothing(self, op: Op) -> bool:
        """Whether ``unbroadcast``, which sums nothing, gives back what it is given."""
        array, (result,) = op.args[0], op.results
        try:
            own, like = map(self.elements.extents, op.args)
        except Unsure:
            return False
        finally:
            self.elements.forget()
        if not isinstance(array.kind, Array) or not isinstance(result.kind, Array):
            return False
        alike = len(own) == len(like) and all(map(are_equal, own, like))
        return alike and array.kind.dtype == result.kind.dtype

    # -- nodes ------------------------------------------------------------------------------------

    def node(self, node: Node) -> None:
        self.done.add(node)
        if isinstance(node, Op):
            self.op(node)
        else:
            self.block(node)
        self.made.update(node.results)

    def op(self, op: Op) -> None:
        if op.fn in ("accumulate", "add_to") and op.args[-1] in self.delayed:
            part = self.delayed.pop(op.args[-1])
            if not self.stays(op) and self.tried(lambda op: self.summed_into(op, part), op):
                self.finished(part)
                return
            self.made_now(part)
        if self.stays(op):
            self.lazy[op.results[0]] = op
        elif self.is_added_once(op):
            self.delayed[op.results[0]] = op
        else:
            self.made_now(op)

    def is_added_once(self, op: Op) -> bool:
        """Whether a sum of the reverse sweep only serves to be added to an array."""
        if op.fn not in ("unbroadcast", "np.sum") or op.args[0] not in self.lazy:
            return False
        if not is_of_reverse(op) or not is_plain(op.results[0].kind):
            return False
        if self.sums_nothing(op) if op.fn == "unbroadcast" else not is_sum_along(op):
            return False
        (v,) = op.results
        uses = self.facts.uses.get(v, [])
        if len(uses) != 1 or v in self.facts.kept:
            return False
        ((user, k),) = uses
        if not isinstance(user, Op) or user.fn not in ("accumulate", "add_to"):
            return False
        return k == len(user.args) - 1 and set(user.results) <= self.mine

    def made_now(self, op: Op) -> None:
        """Write the op as a loop, or as it is."""
        loop = None
        if is_elementwise(op):
            is_sum = op.fn != "add_to" or op.args[0] in self.lazy
            loop = self.computed if is_sum else self.added
        elif op.fn == "np.roll" and is_plain(op.results[0].kind):
            loop = self.computed if view(op, self.facts.definitions) is not None else None
        elif op.fn == "np.zeros" and WIDER in op.attrs:
            loop = self.padded
        elif op.fn in ("setitem", "accumulate"):
            loop = self.stored
        elif op.fn == "unbroadcast" and is_plain(op.results[0].kind):
            if not self.sums_nothing(op):
                loop = self.summed_along
            elif op.args[0] in self.lazy:
                loop = self.computed
            elif self.changes_nothing(op):
                self.same[op.results[0]] = op.args[0]
                self.finished(op)
                return
        elif op.fn in SHAPES and op.args[0] in self.lazy:
            loop = self.asked
        elif op.fn in SUMS and (
            op.fn == "np.vdot" or any(a in self.lazy for a in op.args) or self.is_at_hand(op)
        ):
            loop = self.summed if is_whole_sum(op) else self.summed_along
        if loop is not None and (self.tried(loop, op) or self.tried_unrolled(loop, op)):
            return
        for a in op.args:
            self.need(a)
        at = None if op.fn in OWN else writes(op)
        if at is not None:
            self.before_write(op.args[at])
        self.out.append(op)
        self.finished(op)

    def tried_unrolled(self, loop: Callable[[Op], None], op: Op) -> bool:
        """The same, where what is rolled along several axes, or twice, is computed before."""
        rolled: list[Value] = []
        ahead = [*op.args]
        while ahead:
            a = ahead.pop()
            part = self.lazy.get(a) if isinstance(a, Value) else None
            if part is not None:
                ahead += part.args
                rolled += part.results if part.fn == "np.roll" else ()
        for v in rolled:
            self.need(v)
        return bool(rolled) and self.tried(loop, op)

    def tried(self, loop: Callable[[Op], None], op: Op) -> bool:
        """Write the op as a loop; False, and nothing written, if that cannot be done."""
        out, lazy, delayed = list(self.out), dict(self.lazy), dict(self.delayed)
        done, values = set(self.done), set(self.made)
        proved, written_out = set(self.proved), set(self.written_out)
        known, scales = dict(self.sizes.known), dict(self.elements.scales)
        made, fresh, equal = dict(self.sizes.made), set(self.fresh), dict(self.sizes.equal)
        try:
            loop(op)
        except Unsure:
            self.out[:] = out
            self.proved, self.written_out = proved, written_out
            self.sizes.known, self.sizes.made, self.fresh = known, made, fresh
            self.sizes.equal, self.delayed = equal, delayed
            self.done, self.made = done, values
            self.elements.scales.clear()
            self.elements.scales.update(scales)
            self.lazy.clear()
            self.lazy.update(lazy)
            return False
        finally:
            self.elements.forget()
        self.finished(op)
        return True

    def finished(self, op: Op) -> None:
        """Drop the expressions that the op was the last to read."""
        self.written_out.add(op)
        for a in op.args:
            if isinstance(a, Value) and a in self.lazy:
                if all(n in self.written_out for n, _ in self.facts.uses[a]):
                    self.finished(self.lazy.pop(a))

    def block(self, node: Node) -> None:
        """A branch, a loop or a call: what it reads must exist, and may be written in it."""
        reads = read_by(node)
        for a in reads:
            self.need(a)
        for a in reads:
            self.before_write(a)
        self.out.append(map_regions(node, self.inner))

    def inner(self, region: Region) -> Region:
        """What a region inside this one becomes."""
        return _Region(self.facts, region, frozenset(self.proved), self.sizes.inside()).run()

    # -- making values exist ----------------------------------------------------------------------

    def need(self, a: Atom) -> None:
        """Write what makes the value exist as an array."""
        if not isinstance(a, Value):
            return
        if a in self.delayed:
            self.made_now(self.delayed.pop(a))
        if a not in self.lazy:
            return
        op = self.lazy.pop(a)
        is_new = is_elementwise(op) or op.fn in LIKE or op.fn == "np.roll"
        if is_new and self.tried(self.computed, op):
            return
        for x in op.args:
            self.need(x)
        if op.fn == "np.roll" and self.tried(self.computed, op):
            return
        self.out.append(op)
        self.finished(op)

    def before_write(self, array: Atom) -> None:
        """Compute now what reads an array that is going to be written."""
        if not isinstance(array, Value) or not isinstance(array.kind, Array):
            return
        for v in [v for v, op in self.delayed.items() if array in self.leaves(op.args[0])]:
            self.need(v)
        reading = [v for v in self.lazy if array in self.leaves(v)]
        for v in reversed(reading):  # what is part of another need not exist then
            if v in self.lazy and is_elementwise(self.lazy[v]):
                self.need(v)
        for v in reading:
            if v in self.lazy:
                self.compute_users(v)
                self.need(v)

    def compute_users(self, v: Value) -> None:
        """Compute now the elementwise ops that read a view, if all else they read is there."""
        for n, _ in self.facts.uses[v]:
            if n in self.done or not isinstance(n, Op) or not is_elementwise(n):
                continue
            ready = all(
                not isinstance(a, Value) or a not in self.mine or a in self.made for a in n.args
            )
            if ready and n.fn != "add_to" and self.tried(self.computed, n):
                self.done.add(n)
                self.made.update(n.results)

    def leaves(self, a: Atom) -> set[Value]:
        """The arrays from which an expression takes its elements."""
        if not isinstance(a, Value):
            return set()
        op = self.lazy.get(a)
        if op is None:
            return {a}
        read = op.args[:1] if op.fn in LIKE else op.args
        return {leaf for x in read for leaf in self.leaves(x)}


def _rank(a: Atom) -> int | None:
    return a.kind.rank if isinstance(a.kind, Array) else None
