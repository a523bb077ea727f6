"""Parts of one result, read once.

In: a region. Out: the region in which the same item of the same tuple, and the shape of the same
array, are one value: reverse sweeps ask for what the forward sweep has taken apart already.

    w = item t 0; …; w2 = item t 0; f(w2)   ->   w = item t 0; …; f(w)
"""

from __future__ import annotations

from collections.abc import Hashable

from ..ir.kinds import Array, Tuple
from ..ir.nodes import Const, Op, Region, Value
from .sharing import Sharing


def share_parts(region: Region) -> Region:
    """The region with such values shared, those of inner regions with the outer ones."""
    return _Parts().region(region)


class _Parts(Sharing):
    def key(self, op: Op) -> Hashable:
        """Equal for reads of the same part; None for anything else."""
        x = op.args[0] if op.args else None
        if not isinstance(x, Value) or op.attrs:
            return None
        if op.fn == "shape" and isinstance(x.kind, Array):
            return ("shape", x)
        if op.fn == "item" and isinstance(x.kind, Tuple):
            i = op.args[1]
            return ("item", x, i.value) if isinstance(i, Const) and type(i.value) is int else None
        return None
