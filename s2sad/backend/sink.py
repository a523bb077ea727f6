"""What replaces a value is computed when the old value is no longer needed.

In: a function in normal form and its storage facts. Out: the same function in which the op that
makes a carried value stands after the last reader of the old one, so that both can have one name;
and so does, within the reversal of one line, the op that makes an adjoint of the adjoint before.

    y2 = mul(y, c); x1 = accumulate(x, i, y)   ->   x1 = accumulate(x, i, y); y2 = mul(y, c)
"""

from __future__ import annotations

from dataclasses import replace

from ..ir.kinds import Num
from ..ir.mapping import with_nodes
from ..ir.nodes import (
    For,
    Function,
    If,
    Node,
    Op,
    Region,
    Value,
    While,
    operands_of,
    read_by,
    regions_of,
    walk,
)
from .ops import effect, has_memory, writes
from .storage import Places, Storage


def sink(function: Function, facts: Storage) -> Function:
    """The function with such ops moved down, where nothing they read is written in between."""
    body = _region(function.body, facts)
    return function if body is function.body else replace(function, body=body)


def _region(region: Region, facts: Storage) -> Region:
    ops = [_node(node, facts) for node in region.ops]
    for node in list(ops):
        if isinstance(node, Op) and len(node.results) == 1:
            (new,) = node.results
            for old in operands_of(node):
                if isinstance(old, Value) and old.name is not None and old.name == new.name:
                    _move(ops, old, new, facts, one_line=True)
    return with_nodes(region, ops)


def _node(node: Node, facts: Storage) -> Node:
    match node:
        case If():
            then, orelse = _region(node.then, facts), _region(node.orelse, facts)
            if then is node.then and orelse is node.orelse:
                return node
            return replace(node, then=then, orelse=orelse)
        case For():
            body = _loop_body(_region(node.body, facts), node.body.params[1:], facts)
            return node if body is node.body else replace(node, body=body)
        case While():
            body = _loop_body(_region(node.body, facts), node.body.params, facts)
            return node if body is node.body else replace(node, body=body)
        case _:
            return node


def _loop_body(region: Region, params: tuple[Value, ...], facts: Storage) -> Region:
    ops = list(region.ops)
    moved = False
    for p, y in zip(params, region.yields[1:], strict=True):
        if isinstance(y, Value) and y is not p:
            moved |= _move(ops, p, y, facts)
    return Region(region.params, tuple(ops), region.yields) if moved else region


def _move(
    ops: list[Node], old: Value, new: Value, facts: Storage, *, one_line: bool = False
) -> bool:
    """Move the op that makes ``new`` after the last that reads ``old``, if that is possible."""
    at = next((n for n, node in enumerate(ops) if new in node.results), None)
    if at is None or not _movable(ops[at]):
        return False
    after = ops[at + 1 :]
    last = _last_reader(ops, at, old)
    if last is None or any(new in read_by(node) for node in after[: last + 1]):
        return False
    crossed = after[: last + 1]
    if one_line and not all(_same_line(ops[at], node) for node in crossed):
        return False
    if _written(crossed, facts) & _read(ops[at], facts):
        return False
    if any(effect(node) for node in crossed):
        return False
    ops[at : at + 2 + last] = [*crossed, ops[at]]
    return True


def _same_line(a: Node, b: Node) -> bool:
    if a.span is None or b.span is None or not a.span.reverse:
        return False
    return (a.span.filename, a.span.line) == (b.span.filename, b.span.line)


def _last_reader(nodes: list[Node], at: int, value: Value) -> int | None:
    """The last node after ``at`` that reads ``value``, itself or through what it is written with;
    counted from there.
    """
    readers: dict[Value, None] = {value: None}
    last = None
    for n, node in enumerate(nodes):
        if n != at and not readers.keys().isdisjoint(read_by(node)):
            last = n - at - 1 if n > at else None
            if isinstance(node, Op) and writes(node) is None:
                readers.update((r, None) for r in node.results if r.name is None)
    return last


def _movable(node: Node) -> bool:
    return (
        isinstance(node, Op)
        and len(node.results) == 1
        and not effect(node)
        and (writes(node) is None or isinstance(node.results[0].kind, Num))
    )


def _read(node: Node, facts: Storage) -> Places:
    """Places whose content the op reads, through the nameless loads it is written with as well."""
    read = 0
    for a in operands_of(node):
        read |= facts.memory_of(a)
        maker = facts.definitions.get(a) if isinstance(a, Value) and a.name is None else None
        if isinstance(maker, Op) and any(has_memory(b.kind) for b in maker.args):
            read |= _read(maker, facts)
    return read


def _written(nodes: list[Node], facts: Storage) -> Places:
    written = 0
    for node in nodes:
        for inner in (node, *(n for r in regions_of(node) for n in walk(r))):
            if isinstance(inner, Op):
                target = writes(inner)
                if target is not None:
                    written |= facts.shell_of(inner.args[target])
    return written
