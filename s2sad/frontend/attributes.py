"""Attributes: of arrays, modules, records and the user's objects.

In: a reference and a name. Out: what ``x.name`` stands for.

    x.T         np.transpose of x, a view        x.shape[0]     len x
    self.w      a field, or a captured value     np.sin         a constant
"""

from __future__ import annotations

import types
from collections.abc import Sequence

from ..ir.kinds import Array, Mixed, Num, Tuple, Unknown
from ..ir.nodes import Atom, Const
from ..rules.optional import frozen_parts, is_distribution
from ..rules.registry import array_method, has_primitive
from . import lower_calls, optional, scipy_calls
from .contents import Fields
from .context import Lowerer
from .describe import describe_ref
from .refs import (
    ArrayRef,
    BoundRef,
    FuncRef,
    HeapRef,
    Lost,
    PartialRef,
    Ref,
    Static,
    Super,
    TupleRef,
    Val,
)

#: Array attributes that are read, not called, and the primitive behind them.
_PROPERTIES = {"T": "np.transpose", "mT": "np.matrix_transpose", "real": "np.real",
               "imag": "np.imag", "flat": "np.ravel"}  # fmt: skip


def attribute(cx: Lowerer, base: Ref, name: str) -> Ref:
    """``base.name``."""
    base = optional.present(cx, base)
    if name in ("T", "dot") and scipy_calls.is_sparse(cx, base):
        found = scipy_calls.sparse_attribute(cx, base, name)
        if found is not None:
            return found
    match base:
        case Static():
            return _of_static(cx, base, name)
        case ArrayRef():
            return _of_array(cx, base, name)
        case Val():
            return _of_value(cx, base, name)
        case TupleRef() if base.cls is not None:
            fields = getattr(base.cls, "_fields", ())
            if name in fields:
                return base.items[fields.index(name)]
            if name in ("_replace", "_asdict", "index", "count"):
                return BoundRef(base, name)
            return _of_class(cx, base, base.cls, name)
        case HeapRef():
            content = cx.content(base)
            if isinstance(content, Fields):
                if name in content.items:
                    found = content.items[name]
                    if isinstance(found, Lost):
                        raise cx.lost(found)
                    return found
                return _of_class(cx, base, content.cls, name)
            return BoundRef(base, name)
        case Lost():
            raise cx.lost(base)
        case Super():
            return _of_super(cx, base, name)
        case FuncRef() if name == "__name__":
            return cx.constant(getattr(base.node, "name", "<lambda>"))
        case _:
            return BoundRef(base, name)


def _of_super(cx: Lowerer, base: Super, name: str) -> Ref:
    """``super().name``: what the classes after ``base.cls`` define."""
    receiver = base.receiver
    content = cx.content(receiver) if isinstance(receiver, HeapRef) else None
    if isinstance(content, Fields):
        whole = content.cls
    elif isinstance(receiver, Static):
        whole = receiver.obj if isinstance(receiver.obj, type) else type(receiver.obj)
    else:
        cx.fail(f"super() of {describe_ref(receiver)} is not supported")
    mro = whole.__mro__
    after = mro[mro.index(base.cls) + 1 :]
    if name == "__init__" and next(c for c in after if name in c.__dict__) is object:
        return Static(_nothing)
    return _of_class(cx, receiver, whole, name, after)


def _nothing() -> None:
    """What ``object.__init__`` does."""


def _of_class(
    cx: Lowerer, receiver: Ref, cls: type, name: str, mro: Sequence[type] | None = None
) -> Ref:
    """A method, property or class attribute."""
    for base in cls.__mro__ if mro is None else mro:
        if name in base.__dict__:
            found = base.__dict__[name]
            break
    else:
        cx.fail(f"a {cls.__name__} has no attribute '{name}' here")
    match found:
        case types.FunctionType():
            return PartialRef(Static(found), (receiver,))
        case property() if found.fget is not None:
            return lower_calls.apply(cx, Static(found.fget), [receiver], {})
        case staticmethod():
            return Static(found.__func__)
        case classmethod():
            return PartialRef(Static(found.__func__), (Static(cls),))
        case _:
            if hasattr(type(found), "__get__"):
                if isinstance(receiver, TupleRef):
                    return BoundRef(receiver, name)
                cx.fail(f"the attribute '{name}' of {cls.__name__} is computed by a descriptor")
            from .refs import Fetch

            return cx.captures.ref(Fetch.of("object", cls, cls.__name__).sub(name), found)


def _of_static(cx: Lowerer, base: Static, name: str) -> Ref:
    obj = base.obj
    if isinstance(obj, types.FunctionType) and name != "__name__":
        return BoundRef(base, name)
    try:
        found = getattr(obj, name)
    except AttributeError as error:
        cx.fail(str(error))
    if isinstance(obj, types.ModuleType):
        if lower_calls.is_library(obj):
            if isinstance(found, float | int | str | type(None)) and not isinstance(found, bool):
                return Val(Const.of(found))
            return Static(found, base.fetch.sub(name) if base.fetch is not None else None)
        if base.fetch is not None:
            return cx.captures.ref(base.fetch.sub(name), found)
        return Static(found)
    if isinstance(obj, type):
        from .refs import Fetch

        if isinstance(found, types.FunctionType | types.BuiltinFunctionType | types.MethodType):
            return Static(found)
        fetch = base.fetch or Fetch.of("object", obj, obj.__name__)
        return cx.captures.ref(fetch.sub(name), found)
    if is_distribution(obj) and isinstance(found, types.MethodType):
        return Static(found)
    if (frozen := frozen_parts(obj)) is not None and isinstance(found, types.MethodType):
        return scipy_calls.method_of_frozen(cx, *frozen, name)
    if isinstance(found, types.MethodType) and found.__self__ is obj:
        return PartialRef(Static(found.__func__), (base,))
    cls_attr = getattr(type(obj), name, None)
    if isinstance(cls_attr, property) and cls_attr.fget is not None:
        try:
            return lower_calls.apply(cx, Static(cls_attr.fget), [base], {})
        except RecursionError:  # pragma: no cover
            raise
    if callable(found) and not isinstance(found, type) and base.fetch is None:
        return Static(found)
    if base.fetch is not None:
        return cx.captures.ref(base.fetch.sub(name), found)
    from .refs import Fetch

    return cx.captures.ref(Fetch.of("object", obj, type(obj).__name__).sub(name), found)


def _of_array(cx: Lowerer, base: ArrayRef, name: str) -> Ref:
    kind = cx.kind(base)
    if name == "shape":
        return shape(cx, base)
    if name == "ndim":
        if isinstance(kind, Array) and kind.rank is not None:
            return cx.constant(kind.rank)
        return cx.ref(cx.op("len", cx.op("shape", cx.read(base))))
    if name == "size":
        return size(cx, base)
    if name == "dtype" and isinstance(kind, Array | Mixed):
        import numpy as np

        return Static(np.dtype(kind.dtype))
    if name in ("itemsize", "nbytes", "strides", "flags", "base", "data"):
        cx.fail(f"'.{name}' is about memory, which derivatives do not follow")
    if name == "real" and isinstance(kind, Array) and kind.dtype[0] != "c":
        return base
    if name in _PROPERTIES and has_primitive(_PROPERTIES[name]):
        if name == "T" and isinstance(kind, Array) and kind.rank == 1:
            return base
        if name == "flat":
            return lower_calls.primitive_by_name(cx, "np.ravel", [base])
        return lower_calls.primitive_by_name(cx, _PROPERTIES[name], [base])
    if name == "mT":
        return lower_calls.primitive_by_name(
            cx, "np.swapaxes", [base, cx.constant(-1), cx.constant(-2)]
        )
    return BoundRef(base, name)


def shape(cx: Lowerer, base: Ref) -> Ref:
    """``x.shape``; where the rank is known, a tuple of ints."""
    kind = cx.kind(base)
    if isinstance(kind, Num):
        return TupleRef(())
    if (
        isinstance(kind, Array)
        and kind.dims is not None
        and all(isinstance(d, int) for d in kind.dims)
    ):
        return TupleRef(tuple(cx.constant(d) for d in kind.dims))
    value = cx.op("shape", cx.atom(base))
    if isinstance(value.kind, Tuple):
        count = len(value.kind.items)
        return TupleRef(tuple(Val(cx.op("item", value, Const.of(n))) for n in range(count)))
    return cx.ref(value)


def size(cx: Lowerer, base: Ref) -> Ref:
    kind = cx.kind(base)
    if isinstance(kind, Array) and kind.rank == 1:
        return Val(cx.op("len", cx.atom(base)))
    if has_primitive("np.size"):
        return cx.ref(cx.op("np.size", cx.atom(base)))
    parts = shape(cx, base)
    assert isinstance(parts, TupleRef)
    total: Atom = Const.of(1)
    for part in parts.items:
        total = cx.op("mul", total, cx.atom(part))
    return Val(total)


def _of_value(cx: Lowerer, base: Val, name: str) -> Ref:
    kind = base.kind
    if isinstance(kind, Num):
        match name:
            case "shape":
                return TupleRef(())
            case "ndim":
                return cx.constant(0)
            case "size":
                return cx.constant(1)
            case "T":
                return base
            case "dtype" if kind.weak is False:
                import numpy as np

                return Static(np.dtype(kind.dtype))
            case "real" if kind.dtype[0] != "c":
                return base
            case "imag" if kind.dtype[0] != "c":
                return cx.constant(0.0)
            case "real" | "imag" if has_primitive(f"np.{name}"):
                return lower_calls.primitive_by_name(cx, f"np.{name}", [base])
            case _:
                return BoundRef(base, name)
    if isinstance(base.atom, Const) and not isinstance(base.atom.value, str | bytes):
        try:
            found = getattr(base.atom.value, name)
        except AttributeError as error:
            cx.fail(str(error))
        return cx.constant(found) if not callable(found) else BoundRef(base, name)
    if isinstance(kind, Unknown) and array_method(name) is None:
        cx.fail(f"what '.{name}' is cannot be told: {describe_ref(base)} may be several things")
    return BoundRef(base, name)


def set_attribute(cx: Lowerer, base: Ref, name: str, value: Ref) -> None:
    """``base.name = value``."""
    match base:
        case HeapRef():
            content = cx.content(base)
            if isinstance(content, Fields):
                setter = getattr(content.cls, name, None)
                if isinstance(setter, property):
                    if setter.fset is None:
                        cx.fail(f"'{name}' is read only")
                    lower_calls.apply(cx, Static(setter.fset), [base, value], {})
                    return
                params = getattr(content.cls, "__dataclass_params__", None)
                if params is not None and params.frozen and not cx.building:
                    cx.fail(f"a {content.cls.__name__} is frozen: its fields cannot be assigned")
                cx.set_content(base, Fields(content.cls, {**content.items, name: value}))
                return
        case ArrayRef() if name == "shape":
            cx.fail("assigning to '.shape' is not supported", "use x.reshape(...)")
        case ArrayRef() if name == "T" or name == "flat":
            from .storing import set_item

            set_item(cx, _of_array(cx, base, name), cx.constant(...), value)
            return
        case Static():
            cx.fail(
                f"'{name}' of a captured object is written",
                "pass the object's data as arguments, or make it a dataclass argument",
            )
    cx.fail(f"attributes of {describe_ref(base)} cannot be assigned")
