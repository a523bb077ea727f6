"""Methods of arrays.

In: an array's reference, a method's name and references of arguments. Out: what the call returns;
methods that change the array write to its root.

    x.sum()      np.sum of x          x.fill(0.0)      x[...] = 0.0
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..ir.kinds import Array, Num
from ..ir.nodes import Const
from ..rules.registry import array_method, has_primitive, lookup, primitive
from . import (
    assignment,
    indexing,
    lower_calls,
    methods,
    numpy_calls,
    primitives,
    storing,
)
from .context import Lowerer
from .refs import (
    ArrayRef,
    Ref,
    Static,
    TupleRef,
)


def call(
    cx: Lowerer, base: ArrayRef, name: str, args: methods.Args, kwargs: methods.Kwargs
) -> Ref:
    """``base.name(*args, **kwargs)``."""
    mutator = _MUTATORS.get(name)
    if mutator is not None:
        return mutator(cx, base, args, kwargs)
    match name:
        case "copy":
            new = cx.ref(cx.op("copy", cx.read(base)))
            if isinstance(new, ArrayRef):
                new.root.contiguous = not args and not kwargs
            return new
        case "reshape":
            shape = args[0] if len(args) == 1 else TupleRef(tuple(args))
            return primitives.call(cx, primitive("np.reshape"), [base, shape], kwargs)
        case "transpose" if args:
            axes = args[0] if len(args) == 1 else TupleRef(tuple(args))
            return primitives.call(cx, primitive("np.transpose"), [base, axes], kwargs)
        case "astype" if has_primitive("cast") and array_method("astype") is None:
            dtype = np.dtype(cx.static(args[0], "the dtype of astype"))
            return cx.ref(cx.op("cast", cx.read(base), like=dtype.name))
        case "item":
            return _item(cx, base, args)
        case "tolist":
            from .comprehensions import to_list

            return to_list(cx, base)
        case "view" | "tobytes" | "tofile" | "dump" | "setflags" | "byteswap" | "resize":
            cx.fail(f"'.{name}()' is about memory, which derivatives do not follow")
    if name == "clip":
        return numpy_calls.clip(cx, [base, *args], dict(kwargs))
    if name == "compress":
        return primitives.call(cx, primitive("np.compress"), [*args[:1], base, *args[1:]], kwargs)
    record = array_method(name)
    if record is None and hasattr(np.ndarray, name):
        for candidate in (getattr(np, name, None),):
            record = lookup(candidate) if candidate is not None else None
    if record is None:
        cx.fail(f"the array method '.{name}()' is not supported")
    return primitives.call(cx, record, [base, *args], kwargs, method_call=True)


def _item(cx: Lowerer, base: ArrayRef, args: methods.Args) -> Ref:
    """``a.item()``: a Python number."""
    kind = cx.kind(base)
    if args:
        index = args[0] if len(args) == 1 else TupleRef(tuple(args))
        flat = len(args) == 1 and isinstance(cx.kind(index), Num)
        if flat and isinstance(kind, Array) and kind.rank != 1:
            shape = cx.op("shape", cx.atom(base))
            index = cx.ref(cx.op("np.unravel_index", cx.atom(index), shape))
        value = indexing.item(cx, base, index)
    elif isinstance(kind, Array) and kind.rank is not None:
        value = indexing.item(cx, base, TupleRef(tuple([cx.constant(0)] * kind.rank)))
        if kind.dims is not None and any(d != 1 for d in kind.dims):
            one = cx.op("eq", cx.atom(_size(cx, base)), Const.of(1))
            cx.ops("assert", one, Const.of("item() needs an array of size 1"))
    else:
        cx.fail("'.item()' of an array of unknown rank is not supported")
    return python_number(cx, value)


def _size(cx: Lowerer, base: ArrayRef) -> Ref:
    from .attributes import size

    return size(cx, base)


def python_number(cx: Lowerer, value: Ref) -> Ref:
    kind = cx.kind(value)
    if isinstance(kind, Num) and kind.weak:
        return value
    if isinstance(kind, Num):
        fn = {"f": float, "i": int, "u": int, "b": bool, "c": complex}[kind.dtype[0]]
        return lower_calls.apply(cx, Static(fn), [value], {})
    cx.fail("this cannot be made a Python number")


def _fill(cx: Lowerer, base: ArrayRef, args: methods.Args, kwargs: methods.Kwargs) -> Ref:
    storing.set_array(cx, base, Const.of(...), cx.atom(args[0]))
    return cx.constant(None)


def _sort(cx: Lowerer, base: ArrayRef, args: methods.Args, kwargs: methods.Kwargs) -> Ref:
    new = primitives.call(cx, primitive("np.sort"), [base, *args], kwargs)
    assignment.write_all(cx, base, cx.read(base), cx.atom(new))
    return cx.constant(None)


def _partition(cx: Lowerer, base: ArrayRef, args: methods.Args, kwargs: methods.Kwargs) -> Ref:
    new = primitives.call(cx, primitive("np.partition"), [base, *args], kwargs)
    assignment.write_all(cx, base, cx.read(base), cx.atom(new))
    return cx.constant(None)


def _put(cx: Lowerer, base: ArrayRef, args: methods.Args, kwargs: methods.Kwargs) -> Ref:
    return lower_calls.apply(cx, Static(np.put), [base, *args], kwargs)


_MUTATORS: dict[str, Callable[[Lowerer, ArrayRef, methods.Args, methods.Kwargs], Ref]] = {
    "fill": _fill,
    "sort": _sort,
    "partition": _partition,
    "put": _put,
}
