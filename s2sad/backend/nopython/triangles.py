"""Products of each column with those after it, as one product of matrices.

In: a module whose reverse loops add to a matrix, in each iteration, what comes of the product of a
column (or row) of another matrix with those from there to the end. Out: the same module, in which
the loop only puts vectors into the rows of a square matrix, which is multiplied after it::

    for i in range(m - 1, -1, -1):                 p = np.zeros((m, m))
        w = …                                      for i in range(m - 1, -1, -1):
        x_bar[:, i:] += np.outer(x[:, i], w)   ->      w = …
        x_bar[:, i] += x[:, i:] @ w                    p[i, i:] += w
                                                   x_bar += x @ (p + p.T)

Each iteration would go through both matrices, which do not stay in the cache; their product does
twice the arithmetic, many times faster.

Why it is the same but for rounding. Column ``j`` of what the loop adds is the sum of ``x[:, i] *
w_i[j - i]`` over the ``i`` whose slice has ``j`` in it, and of ``x[:, j'] * w_j[j' - j]``: these
are the columns of ``x @ p`` and ``x @ p.T``, with terms besides that have a zero of ``p`` in them.
Such a term is zero, unless ``x`` has an element that is no number or not finite: this is asked
after the loop (``np.sum(x * 0.0) == 0.0``), and if so, a loop adds what the first one would have,
with the rows of ``p``. That is the same, too, for the loop neither reads nor writes what it adds
to in any other way, ``x`` is a value from before it, and vectors are as long as the slices: where
a product of matrices would have seen to that, the loop asks.

Nothing gets slower by it: slices begin at the loop's counter, or one or two further on, and end
where the matrix ends, the counter goes all the way (or one or two less), and the function has an
array with the size of ``p`` anyway. All that follows from the kinds.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from ...ir.kinds import BOOL, FLOAT, INT, Array, Num, Tuple
from ...ir.mapping import with_nodes
from ...ir.nodes import (
    FALSE,
    Atom,
    Const,
    For,
    Function,
    If,
    Module,
    Node,
    Op,
    Region,
    Value,
    walk,
)
from ...transform.dead_code import needed
from ...transform.delay import count_reads
from .shapes_only import stays
from .triangle_facts import Triangle, dims_of, find_triangle

__all__ = ["multiply_triangles"]


def multiply_triangles(module: Module) -> Module:
    """The module, whose entry multiplies matrices where its loops went through columns."""
    entry = module.entry
    functions = module.functions.items()
    return Module({n: _function(f) if f is entry else f for n, f in functions})


def _function(f: Function) -> Function:
    if not any(isinstance(n, Op) and n.fn == "np.outer" for n in walk(f.body)):
        return f
    count = count_reads(f.body)
    nodes: list[Node] = []
    for node in f.body.ops:
        nodes += _loop(node, f.body, count) if isinstance(node, For) else [node]
    body = with_nodes(f.body, nodes)
    if body is f.body:
        return f
    return replace(f, body=replace(body, ops=tuple(needed(body.ops, body.yields, stays))))


def _loop(node: For, body: Region, count: Counter[Atom]) -> list[Node]:
    """The loop, with what goes before and comes after it."""
    found = find_triangle(node, body, count)
    if found is None:
        return [node]
    before, filling, after = _rewritten(found)
    return [*before, *_loop(filling, body, count), *after]


def _rewritten(found: Triangle) -> tuple[list[Node], For, list[Node]]:
    """The loop that fills a matrix, with what goes before and comes after it."""
    loop, k, span = found.loop, found.k, found.loop.span
    array = loop.init[k]
    size = dims_of(found.matrix)[found.axis]
    kind = Array("float64", (size, size))
    empty, now, new, rows = (Value(kind, "products") for _ in range(4))
    shape, n, sizes = Value(Tuple((INT, INT))), Value(INT), Value(Tuple((INT, INT)))
    before: list[Node] = [
        Op((shape,), "shape", (found.matrix,), {}),
        Op((n,), "item", (shape, Const.of(found.axis)), {}),
        Op((sizes,), "tuple", (n, n), {}),
        Op((empty,), "np.zeros", (sizes,), {}),
    ]
    put: list[Node] = []
    index = _index_of_row(found, loop.body.params[0], put)
    if found.inner:
        _same_length(now, index, found.vector, put)
    put.append(Op((new,), "accumulate", (now, index, found.vector), {}, span))
    last = max(map(loop.body.ops.index, found.gone))
    ops = (*loop.body.ops[:last], *put, *loop.body.ops[last:])
    body = [op for op in ops if op not in found.gone]
    init, params, yields = list(loop.init), list(loop.body.params), list(loop.body.yields)
    results = list(loop.results)
    init[k], params[k + 1], yields[k + 1], results[k] = empty, now, new, rows
    filling = replace(
        loop,
        results=tuple(results),
        init=tuple(init),
        body=Region(tuple(params), tuple(body), tuple(yields)),
    )
    zeros, total, fits = Value(found.matrix.kind), Value(Num("float64", False)), Value(BOOL)
    asked: list[Node] = [
        Op((zeros,), "mul", (found.matrix, Const(0.0, FLOAT)), {}, span),
        Op((total,), "np.sum", (zeros,), {}, span),
        Op((fits,), "eq", (total, Const(0.0, FLOAT)), {}, span),
    ]
    arms = _multiplied(found, rows, array), _one_by_one(found, rows, array)
    return before, filling, [*asked, If((loop.results[k],), fits, *arms, span)]


def _index_of_row(found: Triangle, counter: Value, nodes: list[Node]) -> Value:
    """The index ``i, i:``."""
    cut = _cut(found, counter, nodes)
    index = Value(Tuple((counter.kind, cut.kind)))
    nodes.append(Op((index,), "tuple", (counter, cut), {}))
    return index


def _cut(found: Triangle, counter: Value, nodes: list[Node]) -> Value:
    """The slice from the counter, or a little after it."""
    old = next(
        n
        for n in found.loop.body.ops
        if isinstance(n, Op) and n.fn == "slice" and n.args[1] is found.slice.stop
    )
    start: Atom = counter
    if found.slice.after:
        start = Value(INT)
        nodes.append(Op((start,), "add", (counter, Const.of(found.slice.after)), {}))
    cut = Value(old.results[0].kind)
    nodes.append(Op((cut,), "slice", (start, found.slice.stop, Const.of(None)), {}))
    return cut


def _same_length(rows: Value, index: Value, vector: Value, nodes: list[Node]) -> None:
    """Raise where a product of the slice with the vector would have."""
    seen, width, length, differ = Value(vector.kind), Value(INT), Value(INT), Value(BOOL)
    said = Const.of("matmul: operands do not fit each other")
    fail = Op((), "raise", (Const.of(ValueError), said))
    nodes += [
        Op((seen,), "item", (rows, index), {}),
        Op((width,), "len", (seen,), {}),
        Op((length,), "len", (vector,), {}),
        Op((differ,), "ne", (width, length), {}),
        If((), differ, Region((), (fail,), ()), Region((), (), ())),
    ]


def _multiplied(found: Triangle, rows: Value, array: Atom) -> Region:
    """The product of matrices, added."""
    span = found.loop.span
    nodes: list[Node] = []
    square = rows
    if found.inner == (found.axis == 1) or found.outer and found.inner:
        turned = Value(rows.kind)
        nodes.append(Op((turned,), "np.transpose", (rows,), {}, span))
        square = turned
    if found.outer and found.inner:
        both = Value(rows.kind)
        nodes.append(Op((both,), "add", (rows, square), {}, span))
        square = both
    product, result = Value(found.matrix.kind), Value(found.matrix.kind)
    sides = (found.matrix, square) if found.axis == 1 else (square, found.matrix)
    nodes += [
        Op((product,), "matmul", sides, {}, span),
        Op((result,), "add_to", (array, product), {}, span),
    ]
    return Region((), tuple(nodes), (result,))


def _one_by_one(found: Triangle, rows: Value, array: Atom) -> Region:
    """What the loop added, with the vectors that it has put in rows."""
    loop, span, axis = found.loop, found.loop.span, found.axis
    counter = Value(loop.body.params[0].kind, loop.body.params[0].name)
    param = Value(found.matrix.kind, loop.body.params[found.k + 1].name)
    nodes: list[Node] = []
    vector = Value(found.vector.kind)
    index = _index_of_row(found, counter, nodes)
    nodes.append(Op((vector,), "item", (rows, index), {}, span))
    one, cut = _along(axis, counter, nodes), _along(axis, _cut(found, counter, nodes), nodes)
    long, (short,) = dims_of(found.matrix)[1 - axis], dims_of(vector)
    block_dims = (long, short) if axis == 1 else (short, long)
    held: Value = param
    if found.outer:
        column, product = Value(Array("float64", (long,))), Value(Array("float64", block_dims))
        nodes.append(Op((column,), "item", (found.matrix, one), {}, span))
        sides = (column, vector) if axis == 1 else (vector, column)
        nodes.append(Op((product,), "np.outer", sides, {}, span))
        new = Value(param.kind)
        nodes.append(Op((new,), "accumulate", (held, cut, product), {}, span))
        held = new
    if found.inner:
        block, product = Value(Array("float64", block_dims)), Value(Array("float64", (long,)))
        nodes.append(Op((block,), "item", (found.matrix, cut), {}, span))
        sides = (block, vector) if axis == 1 else (vector, block)
        nodes.append(Op((product,), "matmul", sides, {}, span))
        new = Value(param.kind)
        nodes.append(Op((new,), "accumulate", (held, one, product), {}, span))
        held = new
    result = Value(found.matrix.kind)
    again = replace(
        loop,
        results=(result,),
        init=(array,),
        body=Region((counter, param), tuple(nodes), (FALSE, held)),
    )
    return Region((), (again,), (result,))


def _along(axis: int, part: Value, nodes: list[Node]) -> Value:
    """The index of a part along an axis of a matrix."""
    if axis == 0:
        return part
    all_ = Const.of(slice(None))
    index = Value(Tuple((all_.kind, part.kind)))
    nodes.append(Op((index,), "tuple", (all_, part), {}))
    return index
