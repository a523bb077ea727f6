"""Dead code: what nobody reads and has no effect goes.

In: nodes, and the atoms that are wanted of them. Out: the nodes that these need, in order, without
results of branches and carried values of loops that nobody reads.

    for i, (s, t) in ...: yield (s, t + 1)   ->   t goes where only its own next value reads it

Effects (draws, prints, raises) are never dropped, duplicated or reordered.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeAlias

from ..ir.mapping import carrying
from ..ir.nodes import (
    Atom,
    Call,
    For,
    If,
    Node,
    Op,
    Region,
    Value,
    While,
    operands_of,
    regions_of,
)
from ..rules.registry import primitive

Effect: TypeAlias = Callable[[Node], bool]


def has_effect(node: Node, impure: frozenset[str]) -> bool:
    """Whether a node does more than compute its results; calls of ``impure`` functions do."""
    match node:
        case Op():
            return primitive(node.fn).effect != "pure"
        case Call():
            return node.callee in impure
        case _:
            return any(has_effect(n, impure) for r in regions_of(node) for n in r.ops)


def without_calls(node: Node) -> bool:
    """Whether a node has an effect, calls counted as pure."""
    return has_effect(node, frozenset())


def needed(
    nodes: Sequence[Node], yields: Sequence[Atom], effect: Effect = without_calls
) -> list[Node]:
    """The nodes that ``yields`` or an effect need, in order."""
    live: set[Value] = set()
    _use(yields, live)
    return _sweep(nodes, live, effect)


def _use(atoms: Sequence[Atom], live: set[Value]) -> None:
    live.update(a for a in atoms if isinstance(a, Value))


def _sweep(nodes: Sequence[Node], live: set[Value], effect: Effect) -> list[Node]:
    """The nodes that are needed, in order; ``live`` grows by what they read."""
    kept: list[Node] = []
    for node in reversed(nodes):
        wanted = any(r in live for r in node.results)
        if not wanted and not effect(node):
            continue
        match node:
            case If():
                node = _sweep_branch(node, live, effect)
            case For() | While():
                node = _sweep_loop(node, live, effect)
        _use(operands_of(node), live)
        kept.append(node)
    kept.reverse()
    return kept


def _sweep_branch(node: If, live: set[Value], effect: Effect) -> If:
    keep = [k for k, r in enumerate(node.results) if r in live]
    arms: list[Region] = []
    for arm in (node.then, node.orelse):
        yields = tuple(arm.yields[k] for k in keep)
        _use(yields, live)
        arms.append(Region((), tuple(_sweep(arm.ops, live, effect)), yields))
    return If(tuple(node.results[k] for k in keep), node.cond, arms[0], arms[1], node.span)


def _sweep_loop(node: For | While, live: set[Value], effect: Effect) -> For | While:
    offset = 1 if isinstance(node, For) else 0
    params = node.body.params[offset:]
    keep = {k for k, r in enumerate(node.results) if r in live}
    while True:
        inner: set[Value] = set()
        yields = (node.body.yields[0], *(node.body.yields[k + 1] for k in sorted(keep)))
        _use(yields, inner)
        ops = _sweep(node.body.ops, inner, effect)
        test_ops: list[Node] = []
        if isinstance(node, While):
            _use(node.test.yields, inner)
            test_ops = _sweep(node.test.ops, inner, effect)
        grown = keep | {k for k, p in enumerate(params) if p in inner}
        if isinstance(node, While):
            grown |= {k for k, p in enumerate(node.test.params) if p in inner}
        if grown == keep:
            break
        keep = grown
    order = sorted(keep)
    live |= inner
    slim = carrying(node, order)
    body = replace(slim.body, ops=tuple(ops))
    if isinstance(slim, For):
        return replace(slim, body=body)
    return replace(slim, test=replace(slim.test, ops=tuple(test_ops)), body=body)
