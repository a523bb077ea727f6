"""Calls: what is called, and who lowers it.

In: a callable's reference and the references of its arguments. Out: what the call returns. The
user's own functions are inlined (``inlining``), so that aliasing and mutation of arguments come
out exactly.

    def half(t): return 0.5 * t         half(x) + 1.0   ->   mul 0.5 x; add
"""

from __future__ import annotations

import ast
import functools
import types
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..checkpointing import is_checkpoint
from ..controls import custom_rule
from ..rules.optional import is_curve, is_distribution, is_scipys, maker
from ..rules.registry import lookup, primitive
from . import (
    builtin_calls,  # noqa: F401 (enters its handlers)
    construction,
    controls,
    copies,  # noqa: F401
    custom,
    derivatives,
    directions,
    draws,
    handlers,
    index_objects,
    inlining,
    iterators,  # noqa: F401
    library_calls,  # noqa: F401
    lower_expr,
    methods,
    numpy_calls,
    ordering,  # noqa: F401
    primitives,
    pullbacks,
    scipy_calls,
    solvers,
    spreading,
    type_calls,  # noqa: F401
    ufuncs,
)
from .contents import Entries, Fields
from .context import Lowerer
from .describe import describe_ref
from .position import Unreachable
from .refs import BoundRef, Choice, FuncRef, HeapRef, Lost, PartialRef, Pulled, Ref, Static


def call(cx: Lowerer, node: ast.Call) -> Ref:
    """Lower a call expression."""
    func = lower_expr.expr(cx, node.func)
    special = handlers.lazy(cx, func, node)
    if special is not None:
        return special
    args: list[Ref] = []
    for arg in node.args:
        if isinstance(arg, ast.Starred):
            args.extend(spreading.spread(cx, func, lower_expr.expr(cx, arg.value), arg, node))
        else:
            args.append(lower_expr.expr(cx, arg))
    kwargs: dict[str, Ref] = {}
    for keyword in node.keywords:
        value = lower_expr.expr(cx, keyword.value)
        if keyword.arg is not None:
            kwargs[keyword.arg] = value
            continue
        content = cx.content(value) if isinstance(value, HeapRef) else None
        if not isinstance(content, Entries):
            cx.fail("only a dict with known keys can be spread with '**'", node=keyword.value)
        kwargs.update(content.items)
    with cx.at(node):
        return apply(cx, func, args, kwargs)


def apply(cx: Lowerer, func: Ref, args: Sequence[Ref], kwargs: Mapping[str, Ref]) -> Ref:
    """The result of a call."""
    match func:
        case PartialRef():
            return apply(cx, func.func, [*func.args, *args], {**func.kwargs, **kwargs})
        case BoundRef():
            return method(cx, func.receiver, func.name, args, kwargs)
        case FuncRef():
            return inlining.inline(cx, func, args, kwargs)
        case Choice():
            found = cx.branch(
                func.cond,
                lambda: apply(cx, func.first, args, kwargs),
                lambda: apply(cx, func.second, args, kwargs),
            )
            if found is None:
                raise Unreachable
            return found
        case Static():
            return apply_static(cx, func, args, kwargs)
        case Pulled():
            return pullbacks.pull(cx, func, args, kwargs)
        case HeapRef() if isinstance(cx.content(func), Fields):
            from .attributes import attribute

            return apply(cx, attribute(cx, func, "__call__"), args, kwargs)
        case Lost():
            raise cx.lost(func)
        case _:
            cx.fail(f"{describe_ref(func)} cannot be called")


def apply_static(cx: Lowerer, func: Static, args: Sequence[Ref], kwargs: Mapping[str, Ref]) -> Ref:
    obj = func.obj
    if derivatives.is_derivative(obj):
        return derivatives.call(cx, obj, args, kwargs)
    if derivatives.is_transform(obj):
        return derivatives.make(cx, obj, args, kwargs)
    if hasattr(obj, "__s2sad_linearizes__"):
        return directions.linearize(cx, obj, args, kwargs)
    if hasattr(obj, "__s2sad_derivative__"):
        return pullbacks.vjp(cx, obj, args, kwargs)
    if directions.is_jvp(obj):
        return directions.jvp(cx, obj, args, kwargs)
    handler = handlers.handler(obj)
    if handler is not None:
        return handler(cx, list(args), dict(kwargs))
    if custom_rule(obj) is not None:
        return custom.call(cx, obj, args, kwargs)
    if is_checkpoint(obj):
        return controls.call_checkpoint(cx, obj, args, kwargs)
    solver = solvers.solver_of(obj)
    if solver is not None:
        return solver(cx, args, kwargs)
    record = lookup(obj)
    if record is not None:
        return primitives.call(cx, record, args, kwargs)
    drawn = draws.call(cx, obj, args, kwargs)
    if drawn is not None:
        return drawn
    match obj:
        case types.FunctionType() if is_scipys(obj):
            return scipy_calls.through(cx, obj, lambda: inlining.inline(cx, obj, args, kwargs))
        case types.FunctionType():
            return inlining.inline(cx, obj, args, kwargs)
        case types.MethodType() if is_distribution(obj.__self__):
            raise scipy_calls.unread(cx, obj)
        case functools.partial():
            inner = Static(obj.func, func.fetch.sub("func") if func.fetch else None)
            given = [_held(cx, func, "args", n, v) for n, v in enumerate(obj.args)]
            named = {k: _held(cx, func, "keywords", k, v) for k, v in obj.keywords.items()}
            return apply(cx, inner, [*given, *args], {**named, **kwargs})
        case types.MethodType():
            receiver = Static(obj.__self__, func.fetch.sub("__self__") if func.fetch else None)
            return apply(cx, Static(obj.__func__), [receiver, *args], kwargs)
        case type() if (made := maker(obj, args, kwargs)) is not None:
            return PartialRef(Static(made[0]), tuple(made[1]), made[2])
        case type() if is_scipys(obj):
            return primitives.opaque(cx, func, args, kwargs)
        case type():
            return construction.construct(cx, obj, args, kwargs)
        case functools._lru_cache_wrapper():
            return apply(cx, Static(obj.__wrapped__), args, kwargs)
        case np.vectorize():
            return numpy_calls.vectorized_object(cx, obj, list(args), dict(kwargs))
        case np.ufunc():
            name = obj.__name__
            what = f"np.{name}" if getattr(np, name, None) is obj else f"the ufunc '{name}'"
            cx.fail(f"{what} has no rule", "register one, or write it with other functions")
    if isinstance(getattr(obj, "__self__", None), np.ufunc):
        return ufuncs.method(cx, obj.__self__, obj.__name__, list(args), dict(kwargs))
    inner_function = getattr(obj, "py_func", None)
    if isinstance(inner_function, types.FunctionType):
        return inlining.inline(cx, inner_function, args, kwargs)
    if is_distribution(obj):
        return PartialRef(func, tuple(args), kwargs)
    if is_curve(obj):
        return scipy_calls.curve(cx, obj, args, kwargs)
    if not isinstance(obj, type) and isinstance(
        getattr(type(obj), "__call__", None),  # noqa: B004 - what kind of callable it is
        types.FunctionType,
    ):
        return apply(cx, Static(type(obj).__call__), [func, *args], kwargs)
    return primitives.opaque(cx, func, args, kwargs)


def _held(cx: Lowerer, func: Static, where: str, key: Any, value: Any) -> Ref:
    """An argument that a ``functools.partial`` holds."""
    from .refs import Fetch

    fetch = func.fetch or Fetch.of("object", func.obj, "partial")
    return cx.captures.ref(fetch.sub(where).sub(("item", key)), value)


# -- objects -------------------------------------------------------------------------------------


def value_ref(cx: Lowerer, value: Any) -> Ref:
    """A reference to a constant that is not written in the function."""
    if isinstance(value, bool | int | float | complex | str | tuple | type(None)):
        return cx.constant(value)
    return Static(value)


# -- methods and primitives ----------------------------------------------------------------------


def method(
    cx: Lowerer, receiver: Ref, name: str, args: Sequence[Ref], kwargs: Mapping[str, Ref]
) -> Ref:
    """``receiver.name(*args, **kwargs)``."""
    return methods.call(cx, receiver, name, list(args), dict(kwargs))


def primitive_by_name(cx: Lowerer, name: str, args: Sequence[Ref]) -> Ref:
    return primitives.call(cx, primitive(name), args, {})


def is_library(module: types.ModuleType) -> bool:
    """Modules whose contents do not change: NumPy, SciPy, the standard library's mathematics."""
    top = module.__name__.partition(".")[0]
    return top in ("numpy", "scipy", "math", "cmath", "operator", "functools", "itertools")


def is_index_object(obj: Any) -> bool:
    """Objects of NumPy that are indexed to make arrays."""
    objects = (np.r_, np.c_, np.s_, np.index_exp, np.mgrid, np.ogrid)
    return not isinstance(obj, np.ndarray) and obj in objects


def index_object(cx: Lowerer, obj: Any, i: Ref) -> Ref:
    """``np.r_[...]``, ``np.c_[...]``: by what they mean."""
    return index_objects.index_object(cx, obj, i)
