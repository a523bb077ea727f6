"""What the reverse of a loop need not save, where it is written for a compiler.

In: a loop over a range whose step is 1 or -1, and the plan of what its reverse reads. Out: what an
iteration knows by its index alone: where its entry of the tape is, and what counters stood at; and
the values every iteration would save alike, which are saved once, after the loop. In Python these
lines would cost more than an entry of the tape; compiled, they cost nothing.

    for i in range(n):                     for i in range(n - 1, -1, -1):
        tape.append((k, a, x[i] * a))  ->      k = 2 * i
        k += 2                                 y = tape[i] / a
"""

from __future__ import annotations

from ..ir.builder import Builder
from ..ir.kinds import Num
from ..ir.nodes import UNDEFINED, Atom, Const, For, Value, While, is_one
from ..rules.registry import primitive
from .reverse import Reverse
from .saves import Plan

__all__ = ["at_iteration", "constant_over", "inductions", "iterations_before"]


def inductions(rev: Reverse, node: For | While) -> dict[Value, tuple[Atom, Atom]]:
    """Ints to which every iteration adds the same: where they start, and what is added."""
    assert isinstance(node, For)
    found: dict[Value, tuple[Atom, Atom]] = {}
    inner = rev.region_scope[node.body]
    for p, init, y in zip(node.body.params[1:], node.init, node.body.yields[1:], strict=True):
        op = rev.definition.get(y) if isinstance(y, Value) else None
        if not isinstance(p.kind, Num) or p.kind.dtype != "int64" or op is None:
            continue
        if init is UNDEFINED or op.fn not in ("add", "add_to") or op not in node.body.ops:
            continue
        by = op.args[1] if op.args[0] is p else op.args[0] if op.args[1] is p else None
        if by is None or by is p or not isinstance(by.kind, Num) or by.kind.dtype != "int64":
            continue
        if isinstance(by, Const) or not rev.is_inside(by, inner):
            found[p] = (init, by)
    return found


def iterations_before(b: Builder, node: For, k: Value) -> Atom:
    """How many iterations there are before the one whose index is ``k``."""
    if not is_one(node.step):
        return b.op("sub", node.start, k)
    if isinstance(node.start, Const) and node.start.value == 0:
        return k
    return b.op("sub", k, node.start)


def at_iteration(b: Builder, node: For, k: Value, p: Value, step: tuple[Atom, Atom]) -> Atom:
    """The value of an int at the iteration whose index is ``k``, by how it grows."""
    init, by = step
    passed = iterations_before(b, node, k)
    grown = passed if is_one(by) else b.op("mul", passed, by)
    if isinstance(init, Const) and init.value == 0:
        return grown
    return b.op("add", init, grown, name=p.name)


def constant_over(rev: Reverse, node: For | While, plan: Plan) -> list[tuple[Value, Value]]:
    """Values every iteration would save alike, each with what it is called after the loop."""
    inner = rev.region_scope[node.body]
    outer = inner.parent
    assert outer is not None
    found = []
    for v in list(plan.saved):
        op = rev.definition.get(v)
        if op is None or op not in node.body.ops or not isinstance(v.kind, Num):
            continue
        if primitive(op.fn).effect != "pure" or len(op.results) != 1:
            continue
        if any(isinstance(a, Value) and rev.is_inside(a, inner) for a in op.args):
            continue
        after = Value(v.kind, v.name, v.hint)
        rev.scope[after] = outer
        rev.position[after] = rev.position[v]
        plan.saved.remove(v)
        found.append((v, after))
    return found
