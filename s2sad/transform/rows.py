"""Rows: a sum of outer products over a loop is one matrix product after it.

In: a region of a derivative. Out: the region in which loops backwards over a tape, which add an
outer product an iteration to a matrix, only note down the two vectors; the product of the
matrices they make is added when the loop is done.

    for t, h in tape[::-1]:                    for t, h in tape[::-1]:
        W_bar += np.outer(t, h)         ->         ts.append(t); hs.append(h)
                                               W_bar += np.transpose(ts) @ np.array(hs)

A matrix written in each iteration costs its whole size in memory traffic, two vectors next to
nothing. They take as much memory as the tape does, so a loop without a tape, which was promised
to need none, is left alone; and so are the sums that the user writes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from ..ir.kinds import Array, ListOf, Size, not_one, same_dim
from ..ir.mapping import map_regions, with_nodes
from ..ir.nodes import Atom, For, Node, Op, Region, Value
from .delay import count_reads

_SUMS = frozenset({"add", "add_to", "sub"})


def sum_outer_products_once(region: Region) -> Region:
    """The region, and those inside it, with such loops rewritten."""
    return _region(region, count_reads(region))


def _region(region: Region, count: Counter[Atom]) -> Region:
    ops: list[Node] = []
    for node in region.ops:
        node = map_regions(node, lambda inner: _region(inner, count))
        ops.extend(_loop(node, count) if isinstance(node, For) else (node,))
    return with_nodes(region, ops)


@dataclass(slots=True)
class OuterSum:
    """The outer products that one carried matrix is the sum of, and the nodes that add them."""

    position: int
    products: list[tuple[Op, bool]]
    gone: set[Node]


def _loop(node: For, count: Counter[Atom]) -> list[Node]:
    """The loop, with what goes before and comes after it."""
    found = outer_sum(node, count)
    if found is None:
        return [node]
    before, rest, after = _rewritten(node, found)
    return [*before, *_loop(rest, count), *after]


def outer_sum(node: For, count: Counter[Atom]) -> OuterSum | None:
    """The first matrix that a reverse loop over a tape only adds outer products to.

    ``count`` says how often each value is read.
    """
    if node.span is None or not node.span.reverse or not _walks_a_tape(node):
        return None
    made = {r: op for op in node.body.ops for r in op.results if isinstance(op, Op)}
    sums = (_sum(node, k, made, count) for k in range(len(node.results)))
    return next((found for found in sums if found is not None), None)


def _walks_a_tape(node: For) -> bool:
    index = node.body.params[0]
    return any(
        isinstance(op, Op)
        and op.fn == "item"
        and isinstance(op.args[0].kind, ListOf)
        and op.args[1] is index
        for op in node.body.ops
    )


def _sum(node: For, k: int, made: dict[Value, Op], count: Counter[Atom]) -> OuterSum | None:
    param, last = node.body.params[k + 1], node.body.yields[k + 1]
    op = made.get(last) if isinstance(last, Value) else None
    if op is None or op.fn != "add_to" or op.args[0] is not param:
        return None
    if count[param] != 1 or count[last] != 1:
        return None
    found = OuterSum(k, [], {op})
    return found if _collect(op.args[1], False, param, made, count, found) else None


def _collect(
    a: Atom,
    negative: bool,
    matrix: Value,
    made: dict[Value, Op],
    count: Counter[Atom],
    found: OuterSum,
) -> bool:
    """Whether ``a`` is a sum of outer products that nobody else reads."""
    op = made.get(a) if isinstance(a, Value) else None
    if op is None or count[a] != 1 or op.span is None or not op.span.reverse:
        return False
    found.gone.add(op)
    if op.fn == "np.outer":
        found.products.append((op, negative))
        return not op.attrs and all(_is_side(op.args[n], n, matrix) for n in (0, 1))
    if op.fn not in _SUMS and op.fn != "neg":
        return False
    signs = (negative is not (op.fn == "neg"), negative is not (op.fn == "sub"))
    return all(
        _collect(x, minus, matrix, made, count, found)
        for x, minus in zip(op.args, signs, strict=False)
    )


def _is_side(a: Atom, axis: int, matrix: Value) -> bool:
    """Whether ``a`` is a vector as long as that axis of the matrix, and of the same dtype."""
    x, whole = a.kind, matrix.kind
    if not isinstance(x, Array) or not isinstance(whole, Array) or x.dtype != whole.dtype:
        return False
    if x.rank != 1 or whole.rank != 2 or x.dims is None or whole.dims is None:
        return False
    # two sizes that meet are equal, unless one of them may be 1
    return same_dim(x.dims[0], whole.dims[axis]) or (
        not_one(x.dims[0]) and not_one(whole.dims[axis])
    )


def _rewritten(node: For, found: OuterSum) -> tuple[list[Node], For, list[Node]]:
    """What goes before the loop, the loop that notes vectors down, and what comes after it."""
    span, k = node.span, found.position
    result, total = node.results[k], node.init[k]
    assert isinstance(result.kind, Array)
    assert result.kind.dims is not None
    dtype, dims = result.kind.dtype, result.kind.dims
    before: list[Node] = []
    after: list[Node] = []
    body: list[Node] = [op for op in node.body.ops if op not in found.gone]
    lists: list[tuple[Value, Value, Value, Value]] = []  # result, init, parameter, next
    matrices: list[Value] = []
    for side in (0, 1):
        vector = Array(dtype, (dims[side],))
        many = ListOf(vector)
        name = plural(op.args[side] for op, _ in found.products)
        empty, now, end = Value(ListOf(None), name), Value(many, name), Value(many, name)
        before.append(Op((empty,), "list", (), {}, span))
        held = now
        for op, negative in found.products:
            a = op.args[side]
            if side == 0 and negative:
                minus = Value(vector)
                body.append(Op((minus,), "neg", (a,), {}, op.span))
                a = minus
            longer = Value(many, name)
            body.append(Op((longer,), "append", (held, a), {}, op.span))
            held = longer
        lists.append((end, empty, now, held))
        matrices.append(Value(Array(dtype, (Size(), dims[side]))))
        after.append(Op((matrices[-1],), "np.array", (end,), {}, span))
    turned, product = Value(Array(dtype, (dims[0], Size()))), Value(Array(dtype, dims))
    after += [
        Op((turned,), "np.transpose", (matrices[0],), {}, span),
        Op((product,), "matmul", (turned, matrices[1]), {}, span),
        Op((result,), "add_to", (total, product), {}, span),
    ]
    kept = [n for n in range(len(node.results)) if n != k]
    loop = For(
        (*(node.results[n] for n in kept), *(end for end, *_ in lists)),
        node.start,
        node.stop,
        node.step,
        (*(node.init[n] for n in kept), *(empty for _, empty, *_ in lists)),
        Region(
            (
                node.body.params[0],
                *(node.body.params[n + 1] for n in kept),
                *(now for _, _, now, _ in lists),
            ),
            tuple(body),
            (
                node.body.yields[0],
                *(node.body.yields[n + 1] for n in kept),
                *(held for *_, held in lists),
            ),
        ),
        span,
    )
    return before, loop, after


def plural(atoms: Iterable[Atom]) -> str:
    """What a list of such vectors is called: as the first of them that has a name."""
    named = (a.name for a in atoms if isinstance(a, Value) and a.name is not None)
    name = next(named, None)
    return f"{name}s" if name is not None else "rows"


__all__ = ["OuterSum", "outer_sum", "plural", "sum_outer_products_once"]
