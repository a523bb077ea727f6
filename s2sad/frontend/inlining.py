"""The user's functions: bodies lowered in place of their calls.

In: a function of the program, and the references of its arguments. Out: what its body returns.
The arguments are bound as Python binds them, and the body is walked with the references of the
caller, so that aliasing and mutation come out exactly. A function that is found calling itself
becomes a function of the module (``recursion``).

    def scale(a, k=2.0):                scale(x)   ->   x *= 2.0, and x is returned
        a *= k
        return a
"""

from __future__ import annotations

import ast
import types
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..errors import UnsupportedError
from ..ir.nodes import FALSE, Const
from . import leaving, lower_expr, lower_stmt
from .contents import Entries
from .context import Lowerer
from .position import Refuse, Unreachable
from .refs import UNASSIGNED, Frame, FuncRef, Lost, Ref, TupleRef, Val
from .source import find_source

#: Calls nested deeper than this are refused.
DEPTH_LIMIT = 60


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


def positional(parameters: ast.arguments, bound: Mapping[str, Ref]) -> list[Ref]:
    """What is bound to the positional parameters, those of ``*args`` last."""
    found = [bound[p.arg] for p in (*parameters.posonlyargs, *parameters.args)]
    if parameters.vararg is not None:
        rest = bound[parameters.vararg.arg]
        assert isinstance(rest, TupleRef)
        found += rest.items
    return found


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
