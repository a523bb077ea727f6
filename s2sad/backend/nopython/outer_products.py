"""Sums of outer products as one product of matrices, for Numba.

In: a module whose reverse loops add an outer product to a matrix in each iteration. Out: the same
module, in which they fill rows of two matrices of which the product is taken after the loop::

    for t in range(n - 1, -1, -1):               for t in range(n - 1, -1, -1):
        w_bar += np.outer(x[t], z_bar)     ->        xs[t] = x[t]
                                                     zs[t] = z_bar
                                                 w_bar += xs.T @ zs

`transform/rows.py` says which loops these are, and why; there, rows are lists. Loops inside others
stay as they are: they would make matrices in each iteration.
"""

from __future__ import annotations

import operator
from collections import Counter
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from ...ir.kinds import INT, Array, Size, Tuple
from ...ir.mapping import map_regions, with_nodes
from ...ir.nodes import (
    Atom,
    Const,
    For,
    If,
    Module,
    Node,
    Op,
    Region,
    Value,
    is_unit,
    never_leaves,
)
from ...transform.delay import count_reads
from ...transform.rows import OuterSum, outer_sum, plural

__all__ = ["multiply_outside"]


def multiply_outside(module: Module) -> Module:
    """The module, whose entry multiplies matrices where its loops added outer products."""
    entry = module.entry
    body = _region(entry.body, count_reads(entry.body))
    functions = module.functions.items()
    return Module({n: replace(f, body=body) if f is entry else f for n, f in functions})


def _region(region: Region, count: Counter[Atom]) -> Region:
    nodes: list[Node] = []
    for node in region.ops:
        if isinstance(node, If):
            node = map_regions(node, lambda inner: _region(inner, count))
        nodes.extend(_loop(node, count) if isinstance(node, For) else (node,))
    return with_nodes(region, nodes)


#: Vectors by which iterations fill a matrix, in which order, and whether they change sign.
_Vectors: TypeAlias = tuple[tuple[Atom, bool], ...]


def _loop(
    node: For, count: Counter[Atom], known: dict[_Vectors, Value] | None = None
) -> list[Node]:
    """The loop, with what goes before and comes after it; ``known`` are the matrices it fills."""
    known = {} if known is None else known
    found = outer_sum(node, count) if _counts(node) else None
    if found is None or not _is_float(node.results[found.position]):
        return [node]
    before, rest, after = _rewritten(node, found, known)
    return [*before, *_loop(rest, count, known), *after]


def _counts(node: For) -> bool:
    """Whether the number of iterations is known when the loop begins."""
    return is_unit(node) and never_leaves(node)


def _is_float(a: Value) -> bool:
    return isinstance(a.kind, Array) and a.kind.dtype == "float64"


def _rewritten(
    node: For, found: OuterSum, known: dict[_Vectors, Value]
) -> tuple[list[Node], For, list[Node]]:
    span, k = node.span, found.position
    result, total, matrix = node.results[k], node.init[k], node.body.params[k + 1]
    assert isinstance(result.kind, Array)
    assert result.kind.dims is not None
    before: list[Node] = []
    body: list[Node] = [op for op in node.body.ops if op not in found.gone]
    filled: list[_Filled] = []
    sides: list[Value] = []
    for side, dim in enumerate(result.kind.dims):
        vectors = tuple((op.args[side], negative and side == 0) for op, negative in found.products)
        if vectors not in known:
            name = plural(v for v, _ in vectors)
            made = _Filled(*(Value(Array("float64", (Size(), dim)), name) for _ in range(4)))
            rows = _rows(node, len(vectors), before)
            _made(made.empty, rows, total, side, before)
            _fill(node, made, vectors, body)
            filled.append(made)
            known[vectors] = made.end
        sides.append(known[vectors])
    turned = Value(Array("float64", (result.kind.dims[0], Size())))
    product = Value(result.kind)
    after: list[Node] = [
        Op((turned,), "np.transpose", (sides[0],), {}, span),
        Op((product,), "matmul", (turned, sides[1]), {}, span),
        Op((result,), "add_to", (total, product), {}, span),
    ]
    kept = [n for n in range(len(node.results)) if n != k]
    params, yields = node.body.params, node.body.yields
    loop = replace(
        node,
        results=(*(node.results[n] for n in kept), *(m.end for m in filled)),
        init=(*(node.init[n] for n in kept), *(m.empty for m in filled)),
        body=Region(
            (*(p for p in params if p is not matrix), *(m.now for m in filled)),
            tuple(body),
            (yields[0], *(yields[n + 1] for n in kept), *(m.next for m in filled)),
        ),
    )
    return before, loop, after


@dataclass(frozen=True, slots=True)
class _Filled:
    """A matrix that a loop fills: before it, as an iteration begins and ends, and after it."""

    empty: Value
    now: Value
    next: Value
    end: Value


def _rows(node: For, each: int, nodes: list[Node]) -> Atom:
    """How many rows all iterations fill."""
    down = _step(node) < 0
    first, last = (node.stop, node.start) if down else (node.start, node.stop)
    if isinstance(first, Const):
        trips = _int(nodes, "add", last, Const.of(-first.value), node)
    else:
        trips = _int(nodes, "sub", last, first, node)
    trips = _int(nodes, "max", trips, Const.of(0), node)
    return _int(nodes, "mul", trips, Const.of(each), node)


def _made(empty: Value, rows: Atom, total: Atom, side: int, nodes: list[Node]) -> None:
    """Room for ``rows`` vectors as long as one side of ``total``."""
    shape, sizes = Value(Tuple((INT, INT))), Value(Tuple((INT, INT)))
    length = Value(INT)
    nodes += [
        Op((shape,), "shape", (total,), {}),
        Op((length,), "item", (shape, Const.of(side)), {}),
        Op((sizes,), "tuple", (rows, length), {}),
        Op((empty,), "np.empty", (sizes,), {}),
    ]


def _fill(node: For, made: _Filled, vectors: _Vectors, body: list[Node]) -> None:
    """Put the vectors of an iteration where it is its turn."""
    counter = node.body.params[0]
    if _step(node) < 0:
        row = _int(body, "sub", counter, _int(body, "add", node.stop, Const.of(1), node), node)
    else:
        row = _int(body, "sub", counter, node.start, node)
    row = _int(body, "mul", row, Const.of(len(vectors)), node)
    held = made.now
    for n, (vector, negative) in enumerate(vectors):
        if negative:
            minus = Value(vector.kind)
            body.append(Op((minus,), "neg", (vector,), {}, node.span))
            vector = minus
        last = n == len(vectors) - 1
        new = made.next if last else Value(made.now.kind, made.now.name)
        at = _int(body, "add", row, Const.of(n), node)
        body.append(Op((new,), "setitem", (held, at, vector), {}, node.span))
        held = new


def _step(node: For) -> int:
    assert isinstance(node.step, Const)
    return int(node.step.value)


def _int(nodes: list[Node], fn: str, a: Atom, b: Atom, node: For) -> Atom:
    """An op of two integers, done at once where that is possible."""
    if isinstance(b, Const) and b.value == _NEUTRAL.get(fn):
        return a
    if isinstance(a, Const) and isinstance(b, Const):
        return Const.of(_DONE[fn](a.value, b.value))
    new = Value(INT)
    nodes.append(Op((new,), fn, (a, b), {}, node.span))
    return new


_NEUTRAL = {"add": 0, "sub": 0, "mul": 1}
_DONE: dict[str, Any] = {"add": operator.add, "sub": operator.sub, "mul": operator.mul, "max": max}
