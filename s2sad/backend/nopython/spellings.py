"""Calls spelled so that Numba sees what it has to know: axes as constants, elements in order.

In: a node, and what made the values. Out: the nodes that stand for it::

    y = np.squeeze x             ->   y = np.squeeze x {axis=(1,)}
    y = np.reshape x, n          ->   t = np.ascontiguousarray x; y = np.reshape t, n

Numba types ``axes=((1,), (0,))`` as a tuple of tuples of integers whose values it forgets; in the
text of an einsum they are known.
"""

from __future__ import annotations

import string
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from ...ir.kinds import Array, Tuple
from ...ir.nodes import Atom, Const, Node, Op, Value, is_none
from ...rules.registry import has_primitive, primitive

__all__ = ["is_in_order", "spelled", "with_shape"]

#: Views whose elements are in order if those of what they are views of are.
_IN_ORDER = frozenset({"np.reshape", "np.ravel", "np.expand_dims", "np.squeeze"})


def spelled(node: Op, made: Mapping[Value, Node]) -> list[Node]:
    """The nodes that Numba compiles in the place of one."""
    match node.fn:
        case "np.squeeze":
            return [_with_axes(node)]
        case "np.tensordot":
            return [_as_einsum(node)]
        case "np.matvec" | "np.vecmat":
            return [_as_product(node)]
        case "np.sum" | "np.prod" | "np.mean":
            return _of_chosen(node)
        case "np.reshape":
            return _in_order(node, made)
        case "abs" | "np.abs":
            return [_as_moduli(node)]
        case _:
            largest = node.fn.startswith("np.maximum")
            return [replace(node, fn="running_extreme", attrs={**_axis(node), "largest": largest})]


#: Functions that take a shape, and where.
_SHAPED = {
    **dict.fromkeys(("np.zeros", "np.ones", "np.empty", "np.full"), 0),
    **dict.fromkeys(("np.reshape", "np.broadcast_to"), 1),
}


def with_shape(node: Node, made: Mapping[Value, Node]) -> list[Node]:
    """A node whose shape is a tuple where it was a list."""
    place = _SHAPED.get(node.fn) if isinstance(node, Op) else None
    if place is None or not isinstance(node, Op):
        return [node]
    shape = node.args[place]
    maker = made.get(shape) if isinstance(shape, Value) else None
    if not isinstance(maker, Op) or maker.fn != "list":
        return [node]
    kind = Tuple(tuple(a.kind for a in maker.args))
    sizes = Value(kind, None)
    args = (*node.args[:place], sizes, *node.args[place + 1 :])
    return [Op((sizes,), "tuple", maker.args, {}, node.span), replace(node, args=args)]


def _axis(node: Op) -> dict[str, Any]:
    return {"axis": node.attrs.get("axis", 0)}


def _with_axes(node: Op) -> Op:
    """With the axes that are known to have one element, if those are all."""
    kind, result = node.args[0].kind, node.results[0].kind
    if node.attrs.get("axis") is not None or not isinstance(kind, Array) or kind.dims is None:
        return node
    axes = tuple(n for n, size in enumerate(kind.dims) if size == 1)
    rank = result.rank if isinstance(result, Array) else 0
    if rank != len(kind.dims) - len(axes):
        return node
    return replace(node, attrs={**node.attrs, "axis": axes})


def _as_moduli(node: Op) -> Op:
    """Of complex arrays by NumPy's own loop: no other computes the same bits, or as fast."""
    kind = node.args[0].kind
    is_array = isinstance(kind, Array) and kind.dtype == "complex128" and bool(kind.dims)
    return replace(node, fn="moduli") if is_array and not node.attrs else node


def _as_product(node: Op) -> Op:
    """A single matrix or vector, and a real one where it would be conjugated."""
    one, two = (a.kind for a in node.args[:2])
    if not isinstance(one, Array) or not isinstance(two, Array):
        return node
    if node.fn == "np.matvec":
        fits = two.rank == 1
    else:
        fits = two.rank == 2 and not one.dtype.startswith("complex")
    return replace(node, fn="np.matmul") if fits else node


def _of_chosen(node: Op) -> list[Node]:
    """A reduction of what a mask chooses: of all, where the others count for nothing."""
    at = 1 if node.fn == "np.mean" else 2
    if len(node.args) <= at or isinstance(node.args[at], Const):
        return [node]
    a, where = node.args[0], node.args[at]
    if node.fn != "np.mean" and not is_none(node.args[1]):
        return [node]
    others = Const.of(1.0 if node.fn == "np.prod" else 0.0)
    chosen = Value(a.kind)
    nodes: list[Node] = [Op((chosen,), "np.where", (where, a, others), {}, node.span)]
    if node.fn != "np.mean":
        return [*nodes, replace(node, args=(chosen,))]
    ones, counted = Value(a.kind), Value(a.kind)
    total, count = (Value(node.results[0].kind) for _ in range(2))
    return [
        *nodes,
        Op((ones,), "np.ones_like", (a,), {}, node.span),
        Op((counted,), "np.where", (where, ones, others), {}, node.span),
        Op((total,), "np.sum", (chosen,), node.attrs, node.span),
        Op((count,), "np.sum", (counted,), node.attrs, node.span),
        Op(node.results, "div", (total, count), {}, node.span),
    ]


def _as_einsum(node: Op) -> Op:
    axes = node.attrs.get("axes", 2)
    if isinstance(axes, int):
        return node
    ranks = [a.kind.rank if isinstance(a.kind, Array) else None for a in node.args[:2]]
    if ranks[0] is None or ranks[1] is None:
        return node
    sides = [side if isinstance(side, tuple | list) else (side,) for side in axes]
    left, right = (
        [n % rank for n in side] for side, rank in zip(sides, ranks, strict=True) if rank
    )
    letters = iter(string.ascii_lowercase)
    first = [next(letters) for _ in range(ranks[0])]
    second = [
        first[left[right.index(n)]] if n in right else next(letters) for n in range(ranks[1])
    ]
    out = [c for n, c in enumerate(first) if n not in left]
    out += [c for n, c in enumerate(second) if n not in right]
    text = f"{''.join(first)},{''.join(second)}->{''.join(out)}"
    return Op(node.results, "np.einsum", (Const.of(text), *node.args[:2]), {}, node.span)


def _in_order(node: Op, made: Mapping[Value, Node]) -> list[Node]:
    """A view with gaps is copied before it is reshaped, as NumPy does."""
    x = node.args[0]
    source = made.get(x) if isinstance(x, Value) else None
    if not isinstance(source, Op) or source.fn in _IN_ORDER or not has_primitive(source.fn):
        return [node]
    if primitive(source.fn).view_of is None or not isinstance(x.kind, Array):
        return [node]
    ordered = Value(x.kind)
    copied = Op((ordered,), "np.ascontiguousarray", (x,), {}, node.span)
    return [copied, replace(node, args=(ordered, *node.args[1:]))]


#: Ops whose arrays have their elements in order, whatever the operands are.
_FRESH = frozenset({"copy", "np.zeros", "np.ones", "np.empty", "np.full", "np.eye", "np.arange"})


def is_in_order(a: Atom, made: Mapping[Value, Node], params: Sequence[Value]) -> bool:
    """Whether NumPy has the elements of an array in order where Numba's type says so.

    What is computed from a transposed array is transposed in NumPy, and not in compiled code.
    Parameters are what their types say.
    """
    kind = a.kind
    if not isinstance(kind, Array) or (kind.rank is not None and kind.rank < 2):
        return True
    if not isinstance(a, Value):
        return False
    node = made.get(a)
    if node is None:
        return a in params
    if not isinstance(node, Op):
        return False
    if node.fn in _FRESH:
        return True
    record = primitive(node.fn) if has_primitive(node.fn) else None
    if record is None:
        return False
    if record.partials is not None or node.fn == "np.reshape":
        return all(is_in_order(x, made, params) for x in node.args)
    if record.writes is not None:
        return is_in_order(node.args[record.writes], made, params)
    return False
