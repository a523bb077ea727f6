"""Calls that ask about types and attributes: ``isinstance``, ``type``, ``hasattr``, ``getattr``.

In: references. Out: a constant where the kind tells, an op where it depends on the value.

    isinstance(x, np.ndarray)      True      getattr(p, "mass")      p.mass
"""

from __future__ import annotations

import builtins
from typing import Any

from ..ir.kinds import Num
from ..ir.nodes import Const
from . import attributes, lower_expr
from .contents import Fields
from .context import Lowerer
from .describe import describe_ref
from .handlers import handles
from .refs import BoundRef, Choice, Frame, FuncRef, HeapRef, PartialRef, Ref, Static, Super, Val


@handles(builtins.isinstance)
def _isinstance(cx: Lowerer, args: list[Ref], kwargs: dict[str, Ref]) -> Ref:
    classes = cx.static(args[1], "the class of isinstance()")
    answer = is_instance(cx, args[0], classes)
    if answer is None:
        cx.fail(
            f"what {describe_ref(args[0])} is an instance of cannot be told here",
            "give it one kind on every path",
        )
    return cx.constant(answer)


def is_instance(cx: Lowerer, ref: Ref, classes: Any) -> bool | None:
    """``isinstance``, by the kind; None where it depends."""
    from .context import python_type

    if isinstance(ref, Static):
        return isinstance(ref.obj, classes)
    if isinstance(ref, FuncRef | PartialRef | BoundRef | Choice):
        return isinstance(is_instance, classes)
    if isinstance(ref, Val) and isinstance(ref.atom, Const):
        return isinstance(ref.atom.value, classes)
    if isinstance(ref, HeapRef):
        content = cx.content(ref)
        if isinstance(content, Fields):
            return issubclass(content.cls, classes)
    cls = python_type(cx.kind(ref))
    if cls is None:
        kind = cx.kind(ref)
        if isinstance(kind, Num):  # Python's or NumPy's: both may agree
            import numpy as np

            a = python_type(Num(kind.dtype, True)) if kind.dtype in _WEAK else None
            b = np.dtype(kind.dtype).type
            if a is not None and issubclass(a, classes) == issubclass(b, classes):
                return issubclass(a, classes)
        return None
    return issubclass(cls, classes)


_WEAK = {"bool", "int64", "float64", "complex128"}


@handles(builtins.super)
def _super(cx: Lowerer, args: list[Ref], kwargs: dict[str, Ref]) -> Ref:
    """``super()`` in a method of a class: of its first parameter."""
    if args:
        return Super(cx.static(args[0], "the class of super()"), args[1])
    frame: Frame | None = cx.frame
    cell = None
    while frame is not None and cell is None:
        cell = frame.source.closure.get("__class__")
        holder, frame = frame, frame.outer
    if cell is None:
        cx.fail("super() is called outside of a method")
    a = holder.node.args
    first = [*a.posonlyargs, *a.args][0].arg
    return Super(cell.cell_contents, cx.state.get(holder, first))


@handles(builtins.issubclass)
def _issubclass(cx: Lowerer, args: list[Ref], kwargs: dict[str, Ref]) -> Ref:
    return cx.constant(issubclass(cx.static(args[0], "a class"), cx.static(args[1], "a class")))


@handles(builtins.callable)
def _callable(cx: Lowerer, args: list[Ref], kwargs: dict[str, Ref]) -> Ref:
    return cx.constant(lower_expr.is_callable(args[0]) or isinstance(args[0], BoundRef))


@handles(builtins.type)
def _type(cx: Lowerer, args: list[Ref], kwargs: dict[str, Ref]) -> Ref:
    from .context import python_type

    if isinstance(args[0], Static):
        return Static(type(args[0].obj))
    cls = python_type(cx.kind(args[0]))
    if cls is None:
        cx.fail(f"the type of {describe_ref(args[0])} cannot be told here")
    return Static(cls)


@handles(builtins.hasattr)
def _hasattr(cx: Lowerer, args: list[Ref], kwargs: dict[str, Ref]) -> Ref:
    from .context import python_type

    name = cx.static(args[1], "the name")
    ref = args[0]
    if isinstance(ref, Static):
        return cx.constant(hasattr(ref.obj, name))
    if isinstance(ref, HeapRef):
        content = cx.content(ref)
        if isinstance(content, Fields):
            return cx.constant(name in content.items or hasattr(content.cls, name))
    cls = python_type(cx.kind(ref))
    if cls is None:
        cx.fail(f"what {describe_ref(ref)} has cannot be told here")
    return cx.constant(hasattr(cls, name))


@handles(builtins.getattr)
def _getattr(cx: Lowerer, args: list[Ref], kwargs: dict[str, Ref]) -> Ref:
    name = cx.static(args[1], "the name")
    if len(args) > 2:
        has = _hasattr(cx, args[:2], {})
        if not cx.value(has):
            return args[2]
    return attributes.attribute(cx, args[0], name)


@handles(builtins.setattr)
def _setattr(cx: Lowerer, args: list[Ref], kwargs: dict[str, Ref]) -> Ref:
    attributes.set_attribute(cx, args[0], cx.static(args[1], "the name"), args[2])
    return cx.constant(None)
