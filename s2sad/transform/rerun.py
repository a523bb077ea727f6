"""Running part of an iteration again, so that the tapes of its inner loops need not be kept.

In: the body of a loop and what its reverse wants saved. Out: the nodes that compute most of it
from what is at hand in the reverse sweep, and the little that must be saved for them.

    for i: r = …                                for i (backwards): r = …
        for j: tape.append(p); p *= t    ->         for j: tape.append(p); p *= t
        tapes.append(tape)                          for p in tape[::-1]: …

Arrays that the loop carries are either written from end to end before the inner loops read them:
then any array of that shape will do to write them to again. Or they are saved whole, where several
inner tapes as long as they are go away for it.

An inner tape is then as long as one run of its loop and stays in the cache; the outer loop has a
short tape or none. Each level of nesting is run at most once more (Griewank and Walther,
*Evaluating Derivatives*, section 12.2: recomputation by levels).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..ir.kinds import Array, ListOf, Mixed, Num, same_dim
from ..ir.nodes import (
    Call,
    Const,
    For,
    Node,
    Op,
    Region,
    Value,
    While,
    free_values,
    never_leaves,
    read_by,
    walk,
)
from ..rules.registry import primitive
from .reverse import Reverse

__all__ = ["Rerun", "rerun"]


@dataclass(slots=True)
class Rerun:
    """``nodes`` compute ``values``; ``saved`` is what goes on the tape all the same.

    ``buffers`` are carried arrays whose content is of no account, each with its last version.
    """

    nodes: tuple[Node, ...]
    values: tuple[Value, ...]
    saved: list[Value]
    uses_index: bool
    buffers: tuple[tuple[Value, Value], ...] = ()


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
    arrays = [v for v in body.params if v in inputs and isinstance(v.kind, Array)]
    buffers: list[tuple[Value, Value]] = []
    for p in arrays:
        found = _rewritten_whole(p, body, chosen) if _starts_alike(node, p) else None
        if found is not None:
            last, unwritten = found
            if unwritten.intersection(saved):
                return None  # somebody wants it as it was before it was written
            buffers.append((p, last))
    whole = [p for p in arrays if all(p is not q for q, _ in buffers)]
    if whole and not _worth_saving(whole, tapes, made):
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
    gone = {index, *(p for p, _ in buffers)}
    kept += [v for v in body.params if v in inputs and v not in kept and v not in gone]
    ordered = [n for n in body.ops if n in chosen]
    nodes = tuple(m for n in ordered for m in rev.rewritten.get(n, (n,)))
    known = {*inputs, *(r for n in nodes for r in n.results)}
    scope = rev.region_scope[body]
    for v in free_values(Region((), nodes, tuple(values))):
        if v not in known and (v not in rev.scope or rev.is_inside(v, scope)):
            return None
    for n in ordered:
        rev.rewritten.pop(n, None)
    return Rerun(nodes, tuple(values), kept, index in inputs, tuple(buffers))


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
                if not isinstance(v.kind, Num | Array):
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


def _worth_saving(whole: Sequence[Value], tapes: Sequence[Value], made: dict[Value, Node]) -> bool:
    """Whether arrays take less room than the tapes, whose loops go from end to end of them."""
    for v in tapes:
        loop = made[v]
        if not isinstance(loop, For) or not all(_goes_through(loop, a) for a in whole):
            return False
    return 2 * len(whole) <= len(tapes)


def _goes_through(loop: For, array: Value) -> bool:
    """Whether a loop has an iteration for each element, but for a few at the beginning."""
    if (
        not isinstance(array.kind, Array)
        or array.kind.rank != 1
        or not isinstance(loop.start, Const)
    ):
        return False
    size = loop.stop.kind.dim if isinstance(loop.stop.kind, Num) else None
    if size is None or not isinstance(loop.step, Const) or loop.step.value != 1:
        return False
    assert array.kind.dims is not None
    return same_dim(size, array.kind.dims[0])


def _starts_alike(node: For | While, p: Value) -> bool:
    """Whether what a carried array starts as is of its kind, so that a copy of it would do."""
    params = node.body.params[1:] if isinstance(node, For) else node.body.params
    init = node.init[params.index(p)]
    return isinstance(init, Value) and init.kind == p.kind


def _rewritten_whole(
    array: Value, body: Region, chosen: set[Node]
) -> tuple[Value, set[Value]] | None:
    """The last version of an array all of whose elements are written before any is read.

    They are written in their order, by single statements and then a loop. The versions before the
    loop's come with it. None if an element may be read before it is written.
    """
    written, version, unwritten, covered = 0, array, {array}, False
    for node in body.ops:
        reads = set(read_by(node)) if node in chosen else set()
        if not covered and reads & (unwritten - {version}) or covered and reads & unwritten:
            return None
        if version not in reads:
            continue
        match node:
            case Op(fn="setitem", args=(base, Const(value=int() as at), v)) if base is version:
                if v is version or (not covered and at != written):
                    return None
                version, written = node.results[0], at + 1
                if not covered:
                    unwritten.add(version)
            case For() if (k := _carries(node, version)) is not None:
                first = node.start.value if isinstance(node.start, Const) else None
                if not covered and not (
                    type(first) is int and 0 <= first <= written and _fills(node, k, version)
                ):
                    return None
                version, covered = node.results[k], True
            case _ if not covered:
                return None
    return (version, unwritten) if covered else None


def _carries(loop: For, version: Value) -> int | None:
    """Which of a loop's carried values starts as ``version``, if only that is done with it."""
    if loop.init.count(version) != 1 or version in _reads_inside(loop):
        return None
    return loop.init.index(version)


def _reads_inside(loop: For) -> set[Value]:
    return {*free_values(loop.body), *(a for a in (loop.start, loop.stop) if isinstance(a, Value))}


def _fills(loop: For, k: int, version: Value) -> bool:
    """Whether a loop writes an element in each iteration, and reads none, to the array's end."""
    body = loop.body
    index, own, end = body.params[0], body.params[k + 1], body.yields[k + 1]
    if not _goes_through(loop, version) or not never_leaves(loop):
        return False
    users = [n for n in body.ops if own in read_by(n)]
    if len(users) != 1 or own in body.yields:
        return False
    match users[0]:
        case Op(fn="setitem", args=(base, at, v), results=(new,)):
            once = sum(new in read_by(n) for n in body.ops) == 0 and body.yields.count(new) == 1
            return base is own and at is index and v is not own and new is end and once
    return False


def _inside(node: Node) -> list[Node]:
    from ..ir.nodes import regions_of

    return [n for r in regions_of(node) for n in walk(r)]


def _may_repeat(node: Node) -> bool:
    if isinstance(node, Call):
        return False
    return not isinstance(node, Op) or primitive(node.fn).effect == "pure"
