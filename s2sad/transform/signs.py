"""Signs: a minus that only one term of a sum reads is written as a subtraction.

In: a region of a derivative. Out: the region in which the sign of such a factor is the term's.

    s = neg(y); t = mul(0.1, s); x1 = add_to(x, t)   ->   t = mul(0.1, y); x1 = add_to(x, neg(t))

The forward sweep stays as the user wrote it.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from ..ir.mapping import map_regions, with_nodes
from ..ir.nodes import Atom, Node, Op, Region, Value
from .delay import count_reads


def settle_signs(region: Region) -> Region:
    """The region, and those inside it, rewritten; what is not read any more stays as dead code."""
    return _region(region, count_reads(region), {})


def _region(region: Region, count: Counter[Atom], defined: dict[Value, Op]) -> Region:
    ops: list[Node] = []
    for node in region.ops:
        if isinstance(node, Op):
            ops += _term(node, count, defined)
        else:
            ops.append(map_regions(node, lambda inner: _region(inner, count, defined)))
        if isinstance(ops[-1], Op) and ops[-1].span is not None and ops[-1].span.reverse:
            defined.update(dict.fromkeys(ops[-1].results, ops[-1]))
    return with_nodes(region, ops)


def _term(node: Op, count: Counter[Atom], defined: dict[Value, Op]) -> list[Op]:
    """The op, after those that its term is rewritten to."""
    if node.fn != "add_to":
        return [node]
    base, g = node.args
    term = _once(g, count, defined)
    if term is None:
        return [node]
    if term.fn == "neg":
        # written as a subtraction only if it has no name
        return [node] if term.results[0].name is None else [*_negated(node, base, term.args[0])]
    if term.fn != "mul":
        return [node]
    for k, factor in enumerate(term.args):
        minus = _once(factor, count, defined)
        if minus is not None and minus.fn == "neg":
            args = (*term.args[:k], minus.args[0], *term.args[k + 1 :])
            product = Op((Value(term.results[0].kind, None),), "mul", args, {}, term.span)
            return [product, *_negated(node, base, product.results[0])]
    return [node]


def _once(atom: Atom, count: Counter[Atom], defined: dict[Value, Op]) -> Op | None:
    """The op of the reverse sweep that makes ``atom``, if that is read here alone."""
    if not isinstance(atom, Value) or count[atom] != 1:
        return None
    return defined.get(atom)


def _negated(node: Op, base: Atom, y: Atom) -> tuple[Op, Op]:
    minus = Op((Value(y.kind, None),), "neg", (y,), {}, node.span)
    return minus, replace(node, args=(base, minus.results[0]))
