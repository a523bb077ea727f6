"""Methods of ufuncs: ``np.add.at``, ``.reduce``, ``.accumulate``, ``.outer``.

In: a ufunc, a method's name and arguments. Out: what the method means in other functions.

    np.add.at(a, idx, v)      a1 = accumulate a0 idx v
    np.multiply.reduce(x)     np.prod x {axis: 0}
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..ir.kinds import Array, Num
from ..ir.nodes import Const
from ..rules.registry import lookup
from . import indexing, primitives
from .context import Lowerer
from .refs import ArrayRef, Ref, TupleRef, Val

_REDUCE: dict[Any, Any] = {
    np.add: np.sum, np.multiply: np.prod, np.maximum: np.max, np.minimum: np.min,
    np.logical_and: np.all, np.logical_or: np.any,
}  # fmt: skip
_ACCUMULATE: dict[Any, Any] = {np.add: np.cumsum, np.multiply: np.cumprod}


def method(
    cx: Lowerer, ufunc: np.ufunc, name: str, args: list[Ref], kwargs: dict[str, Ref]
) -> Ref:
    """``ufunc.name(*args, **kwargs)``."""
    match name:
        case "at" if ufunc in (np.add, np.subtract) and isinstance(args[0], ArrayRef):
            value = cx.atom(args[2])
            if ufunc is np.subtract:
                value = cx.op("neg", value)
            old = cx.read(args[0])
            indexing.check_fits(cx, old.kind, value)
            name_hint = getattr(old, "name", None)
            cx.write(args[0], cx.op("accumulate", old, cx.atom(args[1]), value, name=name_hint))
            return cx.constant(None)
        case "reduce" | "accumulate":
            table = _REDUCE if name == "reduce" else _ACCUMULATE
            record = lookup(table[ufunc]) if ufunc in table else None
            if record is not None:
                given = dict(zip(("axis", "dtype", "out", "keepdims"), args[1:], strict=False))
                options = {"axis": cx.constant(0), **given, **kwargs}
                return primitives.call(cx, record, args[:1], options)
        case "outer":
            a, b = (cx.kind(r) for r in args[:2])
            record = lookup(ufunc)
            ranks = [0 if isinstance(k, Num) else k.rank if isinstance(k, Array) else None
                     for k in (a, b)]  # fmt: skip
            if record is not None and ranks[0] is not None and ranks[1] is not None:
                left = args[0]
                if ranks[0] and ranks[1]:
                    parts = [Val(Const.of(...)), *[Val(Const.of(None))] * ranks[1]]
                    left = indexing.item(cx, left, TupleRef(tuple(parts)))
                return primitives.call(cx, record, [left, args[1]], kwargs)
    cx.fail(
        f"np.{ufunc.__name__}.{name}() is not supported here",
        "write it with np.sum, np.cumsum, broadcasting or a loop",
    )
