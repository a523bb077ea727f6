"""Calls: binding of arguments, inlining of the user's functions, and primitives.

In: a callable's reference and the references of its arguments. Out: what the call returns. The
user's own functions are inlined, so that aliasing and mutation of arguments come out exactly.

    def half(t): return 0.5 * t         half(x) + 1.0   ->   mul 0.5 x; add
"""

from __future__ import annotations

import ast
import functools
import types
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from ..checkpointing import is_checkpoint
from ..controls import custom_rule
from ..errors import UnsupportedError
from ..ir.nodes import FALSE, Const
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
    iterators,  # noqa: F401
    leaving,
    library_calls,  # noqa: F401
    lower_expr,
    lower_stmt,
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
from .position import Refuse, Unreachable
from .refs import (
    UNASSIGNED,
    BoundRef,
    Choice,
    Frame,
    FuncRef,
    HeapRef,
    Lost,
    PartialRef,
    Pulled,
    Ref,
    Static,
    TupleRef,
    Val,
)
from .source import find_source

#: Calls nested deeper than this are refused.
DEPTH_LIMIT = 60


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
            return inline(cx, func, args, kwargs)
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
            return scipy_calls.through(cx, obj, lambda: inline(cx, obj, args, kwargs))
        case types.FunctionType():
            return inline(cx, obj, args, kwargs)
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
        return inline(cx, inner_function, args, kwargs)
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


# -- the user's functions ------------------------------------------------------------------------


def inline(
    cx: Lowerer,
    func: FuncRef | types.FunctionType,
    args: Sequence[Ref],
    kwargs: Mapping[str, Ref],
) -> Ref:
    """Lower the body of a function in place of its call."""
    from . import recursion

    if isinstance(func, FuncRef):
        source, node, outer = func.source, func.node, func.frame
    else:
        try:
            source = find_source(func)
        except UnsupportedError as error:
            problem = error.problems[0]
            cx.fail(problem.message, problem.help or "register a rule for it")
        node, outer = source.node, None
    key = recursion.key_of(func)

    def called() -> Ref:
        return recursion.call(cx, func, source, node, outer, args, kwargs)

    if key in cx.recursive:
        return called()
    if key in cx.stack:
        raise recursion.Recursive(key)
    if len(cx.stack) >= DEPTH_LIMIT:
        cx.fail(f"calls are nested more than {DEPTH_LIMIT} deep here")
    return recursion.guarded(
        cx, key, lambda: body(cx, key, func, source, node, outer, args, kwargs), called
    )


def body(
    cx: Lowerer,
    key: Any,
    func: FuncRef | types.FunctionType,
    source: Any,
    node: ast.FunctionDef | ast.Lambda,
    outer: Frame | None,
    args: Sequence[Ref],
    kwargs: Mapping[str, Ref],
) -> Ref:
    """Bind the arguments, lower the body, give back what it returns."""
    frame = Frame(source, node, outer)
    names = bind(cx, func, source, node, args, kwargs)
    for name, ref in names.items():
        lower_expr.suggest(cx, ref, name)
    caller = (cx.frame, cx.loops, cx.b.span, cx.node)
    cx.state.frames[frame] = {**names, "$ret": Val(FALSE)}
    cx.frame, cx.loops = frame, []
    cx.stack.append(key)
    try:
        result = function_body(cx, node)
    finally:
        cx.stack.pop()
        cx.frame, cx.loops, cx.b.span, cx.node = caller
    if not frame.closed:
        cx.state.frames.pop(frame, None)
    return result


def function_body(cx: Lowerer, node: ast.FunctionDef | ast.Lambda) -> Ref:
    """Lower the statements of the present frame's function; what it returns."""
    frame = cx.frame
    if isinstance(node, ast.Lambda):
        return lower_expr.expr(cx, node.body)
    found = first_yield(node.body)
    if found is not None:
        cx.fail("'yield' has no derivative", "collect the values in a list and return it", found)
    statements: list[ast.stmt] = list(node.body)
    lower_stmt.block(cx, statements)
    if cx.state.raised:
        raise Unreachable
    returned = cx.state.get(frame, "$ret")
    if isinstance(returned, Val) and not (
        isinstance(returned.atom, Const) and returned.atom.value
    ):
        leaving.unless(cx, returned, lambda: leaving.leave_function(cx, Val(Const.of(None))))
    value = cx.state.get(frame, "$val")
    if value is UNASSIGNED:
        return Val(Const.of(None))
    if isinstance(value, Lost):
        raise Refuse(None) if value.quiet else _unlike(cx, value)
    return value


def _unlike(cx: Lowerer, value: Lost) -> Refuse:
    return cx.refuse(
        "this function returns different kinds of things on different paths",
        "return the same kind of thing on every path",
        cx.frame.node,
    )


def first_yield(nodes: Iterable[ast.AST]) -> ast.AST | None:
    """The `yield` that makes a function with these nodes a generator, if there is one."""
    for node in nodes:
        if isinstance(node, ast.Yield | ast.YieldFrom):
            return node
        if not isinstance(node, ast.FunctionDef | ast.Lambda | ast.ClassDef):
            found = first_yield(ast.iter_child_nodes(node))
            if found is not None:
                return found
    return None


def bind(
    cx: Lowerer,
    func: FuncRef | types.FunctionType,
    source: Any,
    node: ast.FunctionDef | ast.Lambda,
    args: Sequence[Ref],
    kwargs: Mapping[str, Ref],
) -> dict[str, Ref]:
    """What every parameter refers to."""
    a = node.args
    name = getattr(node, "name", "<lambda>")
    positional = [p.arg for p in (*a.posonlyargs, *a.args)]
    only = {p.arg for p in a.posonlyargs}
    found: dict[str, Ref] = dict(zip(positional, args, strict=False))
    extra = list(args[len(positional) :])
    if extra and a.vararg is None:
        cx.fail(f"{name}() takes {len(positional)} arguments, and {len(args)} are given")
    if a.vararg is not None:
        found[a.vararg.arg] = TupleRef(tuple(extra))
    rest: dict[str, Ref] = {}
    for key, value in kwargs.items():
        if (key in positional and key not in only) or any(p.arg == key for p in a.kwonlyargs):
            if key in found:
                cx.fail(f"{name}() is given '{key}' twice")
            found[key] = value
        elif a.kwarg is not None:
            rest[key] = value
        else:
            cx.fail(f"{name}() has no parameter '{key}'")
    if a.kwarg is not None:
        found[a.kwarg.arg] = cx.new(Entries(rest))
    for key in (*positional, *(p.arg for p in a.kwonlyargs)):
        if key not in found:
            found[key] = default(cx, func, source, positional, key, name)
    return found


def default(
    cx: Lowerer,
    func: FuncRef | types.FunctionType,
    source: Any,
    positional: list[str],
    key: str,
    name: str,
) -> Ref:
    from .refs import Fetch

    if isinstance(func, FuncRef):
        if key in func.kwdefaults:
            return func.kwdefaults[key]
        first = len(positional) - len(func.defaults)
        if key in positional and positional.index(key) >= first:
            return func.defaults[positional.index(key) - first]
    else:
        if key in source.kwdefaults:
            return cx.captures.ref(Fetch.of("default", func, key), source.kwdefaults[key])
        first = len(positional) - len(source.defaults)
        if key in positional and positional.index(key) >= first:
            value = source.defaults[positional.index(key) - first]
            return cx.captures.ref(Fetch.of("default", func, key), value)
    cx.fail(f"{name}() needs an argument '{key}'")


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
    return numpy_calls.index_object(cx, obj, i)
