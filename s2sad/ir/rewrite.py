"""Rewriting: the same nodes with other operands.

In: nodes and a mapping from values to atoms. Out: nodes whose operands went through the mapping;
results keep their identity, so facts about them stay valid.

    substitute([y = mul x x], {x: a})   ->   [y = mul a a]
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from .nodes import Atom, Call, For, If, Node, Op, Region, Value, While


def substitute(nodes: Iterable[Node], mapping: Mapping[Value, Atom]) -> tuple[Node, ...]:
    """The nodes with every operand found in ``mapping`` replaced, regions included."""
    if not mapping:
        return tuple(nodes)
    return tuple(_node(n, mapping) for n in nodes)


def substitute_region(region: Region, mapping: Mapping[Value, Atom]) -> Region:
    """The region with free values found in ``mapping`` replaced."""
    if not mapping:
        return region
    return Region(region.params, substitute(region.ops, mapping), resolve(region.yields, mapping))


def resolve(atoms: Iterable[Atom], mapping: Mapping[Value, Atom]) -> tuple[Atom, ...]:
    """The atoms themselves, mapped."""
    return tuple([mapping.get(a, a) if isinstance(a, Value) else a for a in atoms])


def _node(node: Node, mapping: Mapping[Value, Atom]) -> Node:
    match node:
        case Op():
            args = resolve(node.args, mapping)
            if all(a is b for a, b in zip(args, node.args, strict=True)):
                return node
            return Op(node.results, node.fn, args, node.attrs, node.span)
        case Call():
            return replace(node, args=resolve(node.args, mapping))
        case If():
            (cond,) = resolve((node.cond,), mapping)
            return If(
                node.results,
                cond,
                substitute_region(node.then, mapping),
                substitute_region(node.orelse, mapping),
                node.span,
            )
        case For():
            start, stop, step = resolve((node.start, node.stop, node.step), mapping)
            return For(
                node.results,
                start,
                stop,
                step,
                resolve(node.init, mapping),
                substitute_region(node.body, mapping),
                node.span,
            )
        case While():
            return While(
                node.results,
                resolve(node.init, mapping),
                substitute_region(node.test, mapping),
                substitute_region(node.body, mapping),
                node.span,
            )
