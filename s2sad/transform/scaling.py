"""Products of whole arrays in the order that costs least.

In: a region of a derivative. Out: the region in which the reverse sweep multiplies what is small
before it multiplies what is large, and does not sum again what it has summed::

    2.0 * (c * x)                       ->   2.0 * c * x
    2.0 * ((0.5 * w)[:, None] * x)      ->   w[:, None] * x
    t = np.sum(x); np.sum(c * x)        ->   t = np.sum(x); c * t
    np.sum(a @ b, axis=0)               ->   np.sum(a, axis=0) @ b
    np.sum(w[:, None] * x, axis=0)      ->   w @ x

``c`` is a number, or the same all along the axis that is summed. The user's own statements stay as
they are, to the last bit; sums of the reverse sweep are rounded in another order.
"""

from __future__ import annotations

from collections import ChainMap, Counter
from collections.abc import Hashable, Sequence

from ..ir.kinds import Array, Dim, Num, same_dim
from ..ir.mapping import Mapper
from ..ir.nodes import (
    Atom,
    Const,
    Node,
    Op,
    Region,
    Value,
    is_of_reverse,
    operands_of,
    regions_of,
    walk,
)

__all__ = ["small_factors_first"]


def small_factors_first(region: Region, *, sums_of_rows: bool = True) -> Region:
    """The region with such products and sums in another order.

    ``sums_of_rows`` makes products of matrices of weighted sums of rows: a compiler adds them up
    in a loop, and needs no array for what is in it.
    """
    uses: Counter[Atom] = Counter(region.yields)
    for node in walk(region):
        uses.update(operands_of(node))
        for inner in regions_of(node):
            uses.update(inner.yields)
    return _Scaling(uses, sums_of_rows).region(region)


class _Scaling(Mapper):
    def __init__(self, uses: Counter[Atom], sums_of_rows: bool) -> None:
        super().__init__()
        self.uses = uses
        self.sums_of_rows = sums_of_rows
        self.made: dict[Atom, Op] = {}
        self.sums: ChainMap[Hashable, Value] = ChainMap()

    def region(self, region: Region) -> Region:
        outer = self.sums
        self.sums = outer.new_child()
        new = super().region(region)
        self.sums = outer
        return new

    def op(self, op: Op) -> Sequence[Node]:
        (new,) = super().op(op)
        assert isinstance(new, Op)
        nodes = [new]
        if is_of_reverse(new) and len(new.results) == 1:
            for rewrite in (self.product, self.scaled_sum, self.sum_of_matmul, self.sum_of_rows):
                if (better := rewrite(new)) is not None:
                    nodes = better
                    break
        for node in nodes:
            self.made.update(dict.fromkeys(node.results, node))
        last = nodes[-1]
        if last.fn == "np.sum" and isinstance(last.args[0], Value):
            self.sums.setdefault(_key(last, last.args[0]), last.results[0])
        return nodes

    def alone(self, a: Atom, fn: str) -> Op | None:
        """The op of the reverse sweep that makes ``a`` for one reader, if it is of that sort."""
        op = self.made.get(a)
        if op is None or op.fn != fn or self.uses[a] != 1 or not is_of_reverse(op):
            return None
        return op

    # -- products ---------------------------------------------------------------------------------

    def product(self, op: Op) -> list[Op] | None:
        """``c * (p * q)`` as ``(c * p) * q``, where p is the smaller."""
        if op.fn != "mul" or len(op.args) != 2:
            return None
        by, whole = op.args
        if isinstance(whole, Const):
            by, whole = whole, by
        inner = self.alone(whole, "mul")
        if inner is None or not isinstance(by, Const) or type(by.value) is not float:
            return None
        if not isinstance(whole.kind, Array) or whole.kind != op.results[0].kind:
            return None
        p, q = inner.args
        if _is_smaller(q, whole):
            p, q = q, p
        if not _is_smaller(p, whole) or _is_smaller(q, whole):
            return None
        nodes: list[Op] = []
        scaled = self.scaled(by.value, p, op, nodes)
        return [*nodes, Op(op.results, "mul", (scaled, q), {}, op.span)]

    def scaled(self, by: float, x: Atom, op: Op, nodes: list[Op]) -> Atom:
        """``by * x``, multiplied where x is smallest."""
        if isinstance(x, Const):
            return Const.of(by * x.value)
        view = self.alone(x, "item")
        if view is not None and _is_float(view.args[0]) and isinstance(view.args[0].kind, Array):
            inside = self.scaled(by, view.args[0], op, nodes)
            new = Value(x.kind)
            nodes.append(Op((new,), "item", (inside, *view.args[1:]), view.attrs, view.span))
            return new
        product = self.alone(x, "mul")
        if product is not None:
            c, rest = product.args
            if isinstance(c, Const) and type(c.value) is float and _is_float(rest):
                by, x = by * c.value, rest
        if by == 1.0:
            return x
        new = Value(_plain(x))
        if by == -1.0:
            nodes.append(Op((new,), "neg", (x,), {}, op.span))
        else:
            nodes.append(Op((new,), "mul", (Const.of(by), x), {}, op.span))
        return new

    # -- sums -------------------------------------------------------------------------------------

    def scaled_sum(self, op: Op) -> list[Op] | None:
        """``sum(c * x)`` as ``c * sum(x)``, where the latter is known."""
        if op.fn != "np.sum" or len(op.args) != 1 or not _is_float(op.results[0]):
            return None
        product = self.made.get(op.args[0])
        if product is None or product.fn != "mul":
            return None
        for c, x in (product.args, product.args[::-1]):
            if not isinstance(x, Value) or x.kind != op.args[0].kind or not _is_float(c):
                continue
            total = self.sums.get(_key(op, x))
            if total is None or not _constant_along(c, x, op) or total.kind != op.results[0].kind:
                continue
            return [Op(op.results, "mul", (c, total), {}, op.span)]
        return None

    def sum_of_matmul(self, op: Op) -> list[Op] | None:
        """``sum(a @ b)`` over the rows as ``sum(a) @ b``."""
        if op.fn != "np.sum" or len(op.args) != 1 or not _is_float(op.results[0]):
            return None
        product = self.alone(op.args[0], "matmul")
        if product is None or not set(op.attrs) <= {"axis", "keepdims"}:
            return None
        a, b = product.args
        rank, rank_a, rank_b = _rank(op.args[0]), _rank(a), _rank(b)
        if rank is None or rank_a is None or rank_b is None or rank_a < 2 or rank_b < 2:
            return None
        keepdims = op.attrs.get("keepdims") is True
        if op.attrs.get("axis") not in (rank - 2, -2) or not (keepdims or rank_b == 2):
            return None
        if (
            not isinstance(a.kind, Array)
            or a.kind.dims is None
            or _dtype(a) != _dtype(op.results[0])
        ):
            return None
        rows: tuple[Dim, ...] = (1,) if keepdims else ()
        total = Value(Array(a.kind.dtype, (*a.kind.dims[:-2], *rows, a.kind.dims[-1])))
        attrs = {**op.attrs, "axis": rank_a - 2}
        rows_summed = Op((total,), "np.sum", (a,), attrs, op.span)
        return [
            *(self.sum_of_rows(rows_summed) or [rows_summed]),
            Op(op.results, "matmul", (total, b), product.attrs, op.span),
        ]

    def sum_of_rows(self, op: Op) -> list[Op] | None:
        """The sum of rows, each times its weight, as a product of the weights with the matrix."""
        if not self.sums_of_rows or op.fn != "np.sum" or len(op.args) != 1:
            return None
        rank, product = _rank(op.args[0]), self.made.get(op.args[0])
        if rank is None or product is None:
            return None
        keepdims = op.attrs == {"axis": rank - 2, "keepdims": True}
        if not keepdims and (rank != 2 or op.attrs != {"axis": 0}):
            return None
        for column, x in (product.args, product.args[::-1]) if product.fn == "mul" else ():
            view = self.made.get(column)
            if view is None or view.fn != "item" or not _is_column(view.args[1], rank):
                continue
            w = view.args[0]
            if not isinstance(w.kind, Array) or not isinstance(x.kind, Array):
                continue
            if w.kind.dims is None or x.kind.dims is None or x.kind.rank != rank:
                continue
            if w.kind.rank != rank - 1 or not same_dim(w.kind.dims[-1], x.kind.dims[-2]):
                continue
            if w.kind.dtype != x.kind.dtype or not _is_float(x):
                continue
            if not keepdims:
                return [Op(op.results, "matmul", (w, x), {}, op.span)]
            row = Value(Array(w.kind.dtype, (*w.kind.dims[:-1], 1, w.kind.dims[-1])))
            across = Const.of((slice(None),) * (rank - 2) + (None, slice(None)))
            return [
                Op((row,), "item", (w, across), {}, op.span),
                Op(op.results, "matmul", (row, x), {}, op.span),
            ]
        return None


def _key(op: Op, x: Atom) -> Hashable:
    return x, tuple(sorted((name, repr(v)) for name, v in op.attrs.items()))


def _dtype(a: Atom) -> str | None:
    return a.kind.dtype if isinstance(a.kind, Num | Array) else None


def _rank(a: Atom) -> int | None:
    return a.kind.rank if isinstance(a.kind, Array) else None


def _is_column(index: Atom, rank: int) -> bool:
    """Whether an index only adds an axis at the end, and makes them ``rank``."""
    parts = index.value if isinstance(index, Const) else None
    if not isinstance(parts, tuple) or len(parts) != rank or parts[-1] is not None:
        return False
    return all(isinstance(part, slice) and part == slice(None) for part in parts[:-1])


def _is_float(a: Atom) -> bool:
    return isinstance(a.kind, Num | Array) and a.kind.dtype.startswith("float")


def _plain(x: Atom) -> Num | Array:
    """The kind of a multiple of ``x``."""
    assert isinstance(x.kind, Num | Array)
    return Num(x.kind.dtype, x.kind.weak) if isinstance(x.kind, Num) else x.kind


def _is_smaller(x: Atom, whole: Atom) -> bool:
    """Whether ``x`` is a number, or an array of fewer axes that are not known to be one long."""
    if not _is_float(x) or not isinstance(whole.kind, Array) or whole.kind.dims is None:
        return False
    if isinstance(x.kind, Num):
        return True
    assert isinstance(x.kind, Array)
    if not x.kind.dims or x.kind.dtype != whole.kind.dtype:
        return False  # what is computed of an array without axes is a number
    return sum(d != 1 for d in x.kind.dims) < sum(d != 1 for d in whole.kind.dims)


def _constant_along(c: Atom, x: Atom, op: Op) -> bool:
    """Whether ``c`` is the same all along what ``op`` sums ``x`` over."""
    if isinstance(c.kind, Num):
        return True
    axis, rank, own = op.attrs.get("axis"), _rank(x), _rank(c)
    if type(axis) is not int or rank is None or own is None or op.attrs.get("keepdims"):
        return False
    return own < rank and axis in (0, -rank)
