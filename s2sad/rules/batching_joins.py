"""Batch rules of functions that put arrays together and take them apart.

In: a list or tuple some of whose arrays carry the axis of the batch, or one array that does. Out:
the same along the axis one further, every array of the list brought to the batch.

    np.concatenate([a: float64[B, m], b: float64[n]])   ->   np.concatenate([a, b_batch], axis=1)
    np.split(g: float64[B, n], 2)                       ->   np.split(g, 2, axis=1)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..ir.kinds import Array, FixedList, Kind, ListOf, Num, Tuple
from ..ir.nodes import Atom, Const
from .batching import Batching, NoBatchRule, Operand, Results, batch_rule
from .batching_forms import Each, expand


def _parts(t: Batching, x: Operand) -> tuple[Atom, list[int]]:
    """A list (or tuple) of arrays all brought to the batch, and their ranks."""
    kinds: Sequence[Kind | None]
    match x.kind:
        case Tuple() | FixedList():
            kinds = x.kind.items
            atom = t.conform(x, (True,) * len(kinds))
        case ListOf():
            kinds = [x.kind.elem]
            atom = t.conform(x, Each(True))
        case _:
            raise NoBatchRule
    if not kinds:
        raise NoBatchRule
    return atom, [Operand(atom, k, True).rank for k in kinds if k is not None]


@batch_rule(
    "np.concatenate", "np.stack", "np.vstack", "np.hstack", "np.column_stack", options="axis"
)
def join(
    t: Batching, fn: str, xs: Sequence[Operand], attrs: Mapping[str, Any], out: Kind
) -> Results:
    """Arrays put together along an axis behind the batch."""
    atom, ranks = _parts(t, xs[0])
    if not ranks or len(set(ranks)) > 1 or len(xs) > 1:
        raise NoBatchRule
    rank = ranks[0]
    axis = attrs.get("axis", 0)
    if fn == "np.stack":
        return t.b.op(fn, atom, axis=axis % (rank + 1) + 1)
    if fn == "np.concatenate":
        if axis is None:
            if rank != 1:
                raise NoBatchRule
            axis = 0
        return t.b.op(fn, atom, axis=axis % rank + 1)
    if fn == "np.hstack" and rank:
        return t.b.op("np.concatenate", atom, axis=1 if rank == 1 else 2)
    if fn == "np.vstack":
        if rank == 0:
            raise NoBatchRule
        return t.b.op("np.stack" if rank == 1 else "np.concatenate", atom, axis=1)
    if fn == "np.column_stack" and rank in (1, 2):
        return t.b.op("np.stack" if rank == 1 else "np.concatenate", atom, axis=2)
    raise NoBatchRule


@batch_rule("np.split", "np.array_split", "np.hsplit", "np.vsplit", options="axis")
def split(
    t: Batching, fn: str, xs: Sequence[Operand], attrs: Mapping[str, Any], out: Kind
) -> Results:
    """Pieces of every member at the same places."""
    x = xs[0]
    if len(xs) > 2 or (len(xs) == 2 and xs[1].batched) or not isinstance(x.kind, Array):
        raise NoBatchRule
    axis = attrs.get("axis", 0)
    if fn == "np.hsplit":
        axis = 0 if x.rank == 1 else 1
    name = fn if fn == "np.array_split" else "np.split"
    made = t.b.op(name, x.atom, *(y.atom for y in xs[1:]), axis=axis % x.rank + 1)
    return [(made, expand(True, out))]


@batch_rule("unconcatenate", options="axis")
def unconcatenate(
    t: Batching, fn: str, xs: Sequence[Operand], attrs: Mapping[str, Any], out: Kind
) -> Results:
    """The pieces of a cotangent, one for each of the arrays that were joined."""
    v, arrays = xs
    axis = attrs.get("axis", 0)
    if not v.batched or not isinstance(arrays.kind, Tuple | FixedList) or axis is None:
        raise NoBatchRule
    b = t.b
    whole = t.conform(arrays, (True,) * len(arrays.kind.items))
    if any(not isinstance(k, Array) for k in arrays.kind.items):
        raise NoBatchRule
    made = b.op(fn, v.atom, whole, axis=axis % v.rank + 1)
    return [(made, (True,) * len(arrays.kind.items))]


@batch_rule("unstack")
def unstack(
    t: Batching, fn: str, xs: Sequence[Operand], attrs: Mapping[str, Any], out: Kind
) -> Results:
    """The array in the nested lists of another value, read along the axis of the list."""
    v, x = xs
    if v.rank == 0 or not isinstance(x.kind, Tuple | FixedList):
        raise NoBatchRule
    if not all(isinstance(k, Num | Array) for k in x.kind.items):
        raise NoBatchRule
    items = [t.b.op("item", v.atom, Const.of((slice(None), n))) for n in range(len(x.kind.items))]
    made = t.b.op("tuple" if isinstance(x.kind, Tuple) else "list", *items)
    return [(made, (True,) * len(items))]
