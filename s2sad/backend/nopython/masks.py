"""Masks of several axes are places: Numba takes no other mask than one of one axis.

In: a module. Out: a module in which what was chosen by such a mask is chosen by the indices of its
true elements, which raise where the mask does not fit::

    y = item z, mask   ->   t = true_places mask, z; y = item z, t

Numba does not look whether a mask of one axis is as long as the array. Unless the kinds say so,
the code does, and raises as NumPy does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ...ir.kinds import BOOL, INT, Array, Size, Tuple, same_dim
from ...ir.mapping import Mapper
from ...ir.nodes import Atom, Const, If, Module, Node, Op, Region, Value

__all__ = ["masks_as_places"]

#: Ops that choose by their second operand, and what they are when nothing is chosen twice.
_CHOOSING = {
    "item": "item",
    "setitem": "setitem",
    "accumulate": "accumulate",
    "gather_written": "item",
}


def masks_as_places(module: Module) -> Module:
    """The module without masks of two axes or more as indices."""
    return Module(
        {name: replace(f, body=_Places().region(f.body)) for name, f in module.functions.items()}
    )


class _Places(Mapper):
    def __init__(self) -> None:
        super().__init__()
        #: by mask, and by the array or all that matters of it: its shape
        self.found: dict[tuple[Atom, object], Value] = {}

    def region(self, region: Region) -> Region:
        outside = dict(self.found)
        made = super().region(region)
        self.found = outside  # what a branch finds is not at hand after it
        return made

    def op(self, op: Op) -> Sequence[Node]:
        if op.fn in _CHOOSING and _may_be_short(op):
            return (*self.checked(op), *super().op(op))
        if op.fn not in _CHOOSING or not _is_mask(op.args[1]):
            return super().op(op)
        array, mask, *rest = op.args
        made: list[Node] = []
        key = (mask, _sizes(array))
        places = self.found.get(key)
        if places is None:
            rank = mask.kind.rank if isinstance(mask.kind, Array) else None
            places = Value(Tuple((Array("int64", (Size(),)),) * (rank or 0)))
            self.found[key] = places
            made.append(Op((places,), "true_places", (mask, array), {}, op.span))
        fn = _CHOOSING[op.fn]
        made.append(Op(op.results, fn, (array, places, *rest), op.attrs, op.span))
        return made

    def checked(self, op: Op) -> Sequence[Node]:
        """What raises if a mask is not as long as the first axis of the array."""
        array, mask = self.atoms(op.args[:2])
        key = (mask, ("checked", _sizes(array)))
        if key in self.found:
            return ()
        wide, long = Value(INT), Value(INT)
        self.found[key] = wide
        said = Const.of("boolean index did not match indexed array along axis 0")
        differ = Value(BOOL)
        fail = Op((), "raise", (Const.of(IndexError), said), {}, op.span)
        return (
            Op((wide,), "len", (mask,), {}, op.span),
            Op((long,), "len", (array,), {}, op.span),
            Op((differ,), "ne", (wide, long), {}, op.span),
            If((), differ, Region((), (fail,), ()), Region((), (), ()), op.span),
        )


def _sizes(array: Atom) -> object:
    """What arrays of the same shape have in common, as far as that is known."""
    dims = array.kind.dims if isinstance(array.kind, Array) else None
    unknown = dims is None or any(isinstance(d, Size) for d in dims)
    return array if unknown else dims


def _may_be_short(op: Op) -> bool:
    """Whether the op takes a mask of one axis, and nobody knows whether it is as long as that."""
    array, mask = op.args[0].kind, op.args[1].kind
    if not isinstance(array, Array) or not isinstance(mask, Array) or mask.dtype != "bool":
        return False
    if mask.rank != 1 or not mask.dims or not array.dims:
        return False
    return not same_dim(mask.dims[0], array.dims[0])


def _is_mask(index: Atom) -> bool:
    kind = index.kind
    return isinstance(kind, Array) and kind.dtype == "bool" and (kind.rank or 0) > 1
