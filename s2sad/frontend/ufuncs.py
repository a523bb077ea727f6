"""Ufuncs: their options and their methods ``.at``, ``.reduce``, ``.accumulate``, ``.outer``.

In: a ufunc, a method's name and arguments. Out: what the call means in other functions.

    np.add.at(a, idx, v)      a1 = accumulate a0 idx v
    np.multiply.reduce(x)     np.prod x {axis: 0}
    np.log(x, where=m, out=y) y[m] = np.log(x[m])
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..ir.kinds import Array, Mixed, Num
from ..ir.nodes import Const
from ..rules.registry import Primitive, lookup, primitive
from . import indexing, primitives, storing
from .context import Lowerer
from .refs import ArrayRef, Ref, Static, TupleRef, Val

_REDUCE: dict[Any, Any] = {
    np.add: np.sum, np.multiply: np.prod, np.maximum: np.max, np.minimum: np.min,
    np.logical_and: np.all, np.logical_or: np.any, np.fmax: np.nanmax, np.fmin: np.nanmin,
}  # fmt: skip
_ACCUMULATE: dict[Any, Any] = {
    np.add: np.cumsum, np.multiply: np.cumprod,
    np.maximum: np.maximum.accumulate, np.minimum: np.minimum.accumulate,
}  # fmt: skip


#: Options that say how NumPy goes about it, and what they are if nothing is said.
_PLAIN: dict[str, tuple[Any, ...]] = {
    "casting": ("same_kind", "safe"), "order": ("K", "C"), "subok": (True, False),
}  # fmt: skip


def with_options(
    cx: Lowerer, record: Primitive, args: Sequence[Ref], kwargs: dict[str, Ref], out: Ref | None
) -> Ref:
    """``ufunc(*args, out=out, where=mask, dtype=...)``."""
    kwargs = dict(kwargs)
    for name, values in _PLAIN.items():
        if name in kwargs and cx.static(kwargs[name], f"the '{name}'") in values:
            del kwargs[name]
    args = list(args)
    if "dtype" in kwargs:
        dtype = cx.static(kwargs.pop("dtype"), f"the 'dtype' of {record.name}")
        if dtype is not None:
            args = [_of_dtype(cx, ref, np.dtype(dtype).name) for ref in args]
    mask = kwargs.pop("where", None)
    if mask is None or cx.known(mask) and cx.value(mask) is True:
        result = primitives.call(cx, record, args, kwargs)
        return result if out is None else primitives.into(cx, record, out, result)
    if not isinstance(out, ArrayRef):
        cx.fail(
            f"{record.name}(where=...) without 'out' leaves elements undefined",
            "use np.where, or give it an 'out'",
        )
    mask = Val(cx.op("broadcast_like", cx.atom(mask), cx.read(out)))
    chosen = [_chosen(cx, ref, mask, out) for ref in args]
    storing.set_item(cx, out, mask, primitives.call(cx, record, chosen, kwargs))
    return out


def _chosen(cx: Lowerer, ref: Ref, mask: Ref, out: ArrayRef) -> Ref:
    """The elements of an operand that the mask chooses; a number is the same everywhere."""
    kind = cx.kind(ref)
    if isinstance(kind, Num):
        return ref
    full = cx.op("broadcast_like", cx.atom(ref), cx.read(out))
    return Val(cx.op("item", full, cx.atom(mask)))


def _of_dtype(cx: Lowerer, ref: Ref, dtype: str) -> Ref:
    """An operand as the loop of that dtype takes it."""
    kind = cx.kind(ref)
    if not isinstance(kind, Num | Array | Mixed) or kind.dtype == dtype:
        return ref
    if isinstance(kind, Num) and kind.weak and np.dtype(dtype).kind == "f":
        return Val(cx.op(f"np.{dtype}", cx.atom(ref)))
    return Val(cx.op("astype", cx.atom(ref), dtype=dtype))


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
            storing.check_fits(cx, old.kind, value)
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
            if ufunc.nin == 2 and lookup(ufunc) is not None and len(args) <= 2:
                return _in_order(cx, ufunc, name, args, kwargs)
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


def _in_order(
    cx: Lowerer, ufunc: np.ufunc, name: str, args: list[Ref], kwargs: dict[str, Ref]
) -> Ref:
    """Any other ufunc of two operands, one element after the other."""
    from . import expansions, inlining

    what = f"np.{ufunc.__name__}.{name}"
    options = dict(zip(("axis",), args[1:], strict=False)) | kwargs
    axis = cx.static(options.pop("axis", cx.constant(0)), f"the 'axis' of {what}")
    keep = name == "reduce" and cx.static(options.pop("keepdims", cx.constant(False)), "keepdims")
    array = primitives.call(cx, primitive("np.asarray"), args[:1], {})
    kind = cx.kind(array)
    rank = kind.rank if isinstance(kind, Array) else None
    if options or not rank or (axis is None and rank > 1) or isinstance(axis, tuple):
        cx.fail(f"{what}() is not supported with these arguments", "write it as a loop")
    axis = (axis or 0) % rank

    def call(fn: str, ref: Ref, **given: Any) -> Ref:
        refs = {k: cx.constant(v) for k, v in given.items()}
        return primitives.call(cx, primitive(fn), [ref], refs)

    if axis:
        array = call("np.moveaxis", array, source=axis, destination=0)
    expansion: Any = expansions.reduced if name == "reduce" else expansions.accumulated
    result = inlining.inline(cx, expansion, [Static(ufunc), array], {})
    if name == "accumulate":
        return call("np.moveaxis", result, source=0, destination=axis) if axis else result
    return call("np.expand_dims", result, axis=axis) if keep else result
