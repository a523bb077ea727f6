"""Construction: instances of the user's classes.

In: a class and references to arguments. Out: a reference to a new object with its fields.

    Point(x, 2.0)      Fields(Point, x=x, y=2.0), as its __init__ or its dataclass sets them
"""

from __future__ import annotations

import dataclasses
import inspect
import types
from collections.abc import Mapping, Sequence
from typing import Any

from . import (
    attributes,
    builtin_calls,  # noqa: F401 (enters its handlers)
    library_calls,  # noqa: F401
    lower_calls,
    primitives,
    type_calls,  # noqa: F401
)
from .contents import Fields
from .context import Lowerer
from .handlers import handles
from .refs import HeapRef, Ref, Static, TupleRef


def construct(cx: Lowerer, cls: type, args: Sequence[Ref], kwargs: Mapping[str, Ref]) -> Ref:
    """An instance of a class of the user's."""
    if issubclass(cls, tuple) and hasattr(cls, "_fields"):
        names = list(cls._fields)
        found = dict(zip(names, args, strict=False)) | dict(kwargs)
        for name, value in getattr(cls, "_field_defaults", {}).items():
            found.setdefault(name, cx.constant(value))
        if set(found) != set(names):
            cx.fail(f"{cls.__name__}() takes {', '.join(names)}")
        return TupleRef(tuple(found[n] for n in names), cls)
    if issubclass(cls, BaseException):
        return Static(cls(*[cx.value(a) for a in args if cx.known(a)]))
    if dataclasses.is_dataclass(cls) and "__init__" in cls.__dict__ and _generated(cls):
        return _dataclass(cx, cls, args, kwargs)
    init = getattr(cls, "__init__", None)
    if isinstance(init, types.FunctionType):
        ref = cx.new(Fields(cls, {}))
        outer, cx.building = cx.building, True
        try:
            lower_calls.apply(cx, Static(init), [ref, *args], kwargs)
        finally:
            cx.building = outer
        return ref
    if init is object.__init__ and not args and not kwargs and cls.__module__ != "builtins":
        return cx.new(Fields(cls, {}))
    return primitives.opaque(cx, Static(cls), args, kwargs)


@handles(dataclasses.replace)
def _replace(cx: Lowerer, args: list[Ref], kwargs: dict[str, Ref]) -> Ref:
    """A new object with some fields changed."""
    (ref,) = args
    if isinstance(ref, Static) and dataclasses.is_dataclass(ref.obj):
        fields = {
            f.name: attributes.attribute(cx, ref, f.name) for f in dataclasses.fields(ref.obj)
        }
        return construct(cx, type(ref.obj), [], {**fields, **kwargs})
    content = cx.content(ref) if isinstance(ref, HeapRef) else None
    if not (isinstance(content, Fields) and dataclasses.is_dataclass(content.cls)):
        cx.fail("dataclasses.replace() takes an instance of a dataclass")
    given = {f.name for f in dataclasses.fields(content.cls) if f.init}
    kept = {n: r for n, r in content.items.items() if n in given}
    return construct(cx, content.cls, [], {**kept, **kwargs})


def _generated(cls: type) -> bool:
    init = cls.__dict__["__init__"]
    return isinstance(init, types.FunctionType) and init.__code__.co_filename == "<string>"


def _dataclass(cx: Lowerer, cls: Any, args: Sequence[Ref], kwargs: Mapping[str, Ref]) -> Ref:
    fields = [f for f in dataclasses.fields(cls) if f.init]
    try:
        bound = inspect.signature(cls).bind(*args, **kwargs)
    except TypeError as error:
        cx.fail(f"{cls.__name__}(): {error}")
    found: dict[str, Ref] = {}
    for f in dataclasses.fields(cls):
        if f.name in bound.arguments:
            found[f.name] = bound.arguments[f.name]
        elif f.default is not dataclasses.MISSING:
            found[f.name] = lower_calls.value_ref(cx, f.default)
        elif f.default_factory is not dataclasses.MISSING:
            found[f.name] = lower_calls.apply(cx, Static(f.default_factory), [], {})
    del fields
    ref = cx.new(Fields(cls, found))
    if hasattr(cls, "__post_init__"):
        outer, cx.building = cx.building, True
        try:
            lower_calls.apply(cx, Static(cls.__post_init__), [ref], {})
        finally:
            cx.building = outer
    return ref
