"""Running part of an iteration again, so that the tapes of its inner loops need not be kept.

In: the body of a loop and what its reverse wants saved. Out: the nodes that compute most of it
from what is at hand in the reverse sweep, and the little that must be saved for them.

    for i: r = …                                for i (backwards): r = …
        for j: tape.append(p); p *= t    ->         for j: tape.append(p); p *= t
        tapes.append(tape)                          for p in tape[::-1]: …

An inner tape is then as long as one run of its loop and stays in the cache; the outer loop has a
short tape or none. Each level of nesting is run at most once more (Griewank and Walther,
*Evaluating Derivatives*, section 12.2: recomputation by levels).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..ir.kinds import Array, ListOf, Mixed, Num
from ..ir.nodes import Call, For, Node, Op, Region, Value, While, free_values, walk
from ..rules.registry import primitive
from .reverse import Reverse

__all__ = ["Rerun", "rerun"]


@dataclass(slots=True)
class Rerun:
    """``nodes`` compute ``values``; ``saved`` is what goes on the tape all the same."""

    nodes: tuple[Node, ...]
    values: tuple[Value, ...]
    saved: list[Value]
    uses_index: bool


def rerun(rev: Reverse, node: For | While, saved: Sequence[Value]) -> Rerun | None:
    """How to do without the tapes among ``saved``; None where they are needed."""
    body = node.body
    tapes = [v for v in saved if isinstance(v.kind, ListOf)]
    if not tapes:
        return None
    made = {r: n for n in body.ops for r in n.results}
    for n in body.ops:
        for new in rev.rewritten.get(n, ()):
            made.update(dict.fromkeys(new.results, n))
    chosen: set[Node] = set()
    inputs: set[Value] = set()
    if not _trace(rev, body, made, tapes, chosen, inputs):
        return None
    values, kept = list(tapes), []
    for v in saved:
        if v in tapes:
            continue
        also, more = set(chosen), set(inputs)
        if _trace(rev, body, made, [v], also, more) and also <= chosen and more <= inputs:
            values.append(v)
        else:
            kept.append(v)
    index = body.params[0] if isinstance(node, For) else None
    kept += [v for v in body.params if v in inputs and v not in kept and v is not index]
    ordered = [n for n in body.ops if n in chosen]
    nodes = tuple(m for n in ordered for m in rev.rewritten.get(n, (n,)))
    known = {*inputs, *(r for n in nodes for r in n.results)}
    scope = rev.region_scope[body]
    for v in free_values(Region((), nodes, tuple(values))):
        if v not in known and (v not in rev.scope or rev.is_inside(v, scope)):
            return None
    for n in ordered:
        rev.rewritten.pop(n, None)
    return Rerun(nodes, tuple(values), kept, index in inputs)


def _trace(
    rev: Reverse,
    body: Region,
    made: dict[Value, Node],
    wanted: Sequence[Value],
    chosen: set[Node],
    inputs: set[Value],
) -> bool:
    """Collect the nodes that compute ``wanted``; False where they cannot be run again."""
    scope = rev.region_scope[body]
    ahead = list(wanted)
    while ahead:
        v = ahead.pop()
        node = made.get(v)
        if node is None:
            if v in body.params:
                if not isinstance(v.kind, Num):
                    return False
                inputs.add(v)
            elif v in rev.scope and rev.is_inside(v, scope):
                return False
            elif isinstance(v.kind, Array | ListOf | Mixed) and v in rev.overwritten:
                return False  # by then it holds something else
            continue
        if node in chosen:
            continue
        if not all(map(_may_repeat, (node, *_inside(node)))):
            return False
        chosen.add(node)
        new = rev.rewritten.get(node, (node,))
        ahead += free_values(Region((), new, ()))
    return True


def _inside(node: Node) -> list[Node]:
    from ..ir.nodes import regions_of

    return [n for r in regions_of(node) for n in walk(r)]


def _may_repeat(node: Node) -> bool:
    if isinstance(node, Call):
        return False
    return not isinstance(node, Op) or primitive(node.fn).effect == "pure"
