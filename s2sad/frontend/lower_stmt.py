"""Statements: assignments, control flow and exits.

In: a list of statements. Out: nodes in the builder and a new state. Leaving is a matter of flags:
``$ret`` (the function has returned), ``$skip`` (the rest of the iteration is skipped) and
``$leave`` (the loop ends). Where one arm of an ``if`` always leaves, the rest of the list is sunk
into the other; where an arm may leave, the rest is guarded by the flag.

    if c: return a          if c: $val = a
    b = f(a)                else: b = f(a); $val = b
    return b
"""

from __future__ import annotations

import ast
import importlib
from collections.abc import Callable, Sequence

from ..errors import Problem
from ..ir.nodes import FALSE, TRUE, Atom, Const
from . import (
    assignment,
    conditions,
    indexing,
    leaving,
    loops,
    lower_calls,
    lower_expr,
    matching,
    storing,
    while_loops,
)
from .context import Lowerer
from .position import Refuse, Unreachable
from .refs import UNASSIGNED, Fetch, Lost, Ref, Static, Val

FALSE_REF, TRUE_REF = Val(FALSE), Val(TRUE)


# -- lists of statements -------------------------------------------------------------------------


def block(cx: Lowerer, nodes: Sequence[ast.stmt]) -> None:
    """Lower a list of statements."""
    for n, node in enumerate(nodes):
        if cx.state.raised:
            return
        rest = nodes[n + 1 :]
        if isinstance(node, ast.If) and rest and leaving.may_leave([node]):
            then, orelse = list(node.body), list(node.orelse)
            if leaving.always_leaves(then):
                statement(cx, node, then, [*orelse, *rest])
                return
            if orelse and leaving.always_leaves(orelse):
                statement(cx, node, [*then, *rest], orelse)
                return
        statement(cx, node)
        if isinstance(node, ast.Return | ast.Break | ast.Continue):
            return
        flag = cx.state.get(cx.frame, leaving.guard_flag(cx))
        if isinstance(flag, Val) and flag.atom is not FALSE and not cx.state.raised:
            leaving.unless(cx, flag, lambda rest=rest: block(cx, rest))  # type: ignore[misc]
            return


def statement(
    cx: Lowerer,
    node: ast.stmt,
    then: Sequence[ast.stmt] | None = None,
    orelse: Sequence[ast.stmt] | None = None,
) -> None:
    """Lower one statement; what is wrong with it is noted, and its names are lost."""
    outer = cx.node
    cx.node = node
    cx.b.span = cx.span(node)
    loops_open = len(cx.loops)
    frame, stack = cx.frame, len(cx.stack)
    try:
        _statement(cx, node, then, orelse)
    except Unreachable:
        cx.frame = frame
        del cx.stack[stack:]
        del cx.loops[loops_open:]
        cx.state.raised = True
    except Refuse as error:
        problem = error.problem
        if problem is None and not cx.problems:
            problem = Problem("what this does cannot be told", cx.span(node))
        if problem is not None:
            cx.problems.append(problem)
        cx.frame = frame
        del cx.stack[stack:]
        del cx.loops[loops_open:]
        for name in _bound(node):
            cx.state.set(cx.frame, name, Lost("", quiet=True))
        if isinstance(node, ast.Return):
            leaving.leave_function(cx, Lost("", quiet=True))
    finally:
        cx.node = outer


def _bound(node: ast.stmt) -> list[str]:
    return [
        n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
    ]


def _statement(
    cx: Lowerer,
    node: ast.stmt,
    then: Sequence[ast.stmt] | None,
    orelse: Sequence[ast.stmt] | None,
) -> None:
    match node:
        case ast.Assign():
            assignment.assign_all(cx, node)
        case ast.AugAssign():
            assignment.augmented(cx, node)
        case ast.AnnAssign():
            if node.value is not None:
                assignment.assign(
                    cx, node.target, lower_expr.expr(cx, node.value, hint(node.target))
                )
        case ast.Expr():
            if not isinstance(node.value, ast.Constant):
                lower_expr.expr(cx, node.value)
        case ast.Return():
            value: Ref = Val(Const.of(None))
            if node.value is not None:
                value = lower_expr.expr(cx, node.value)
            leaving.leave_function(cx, value)
        case ast.If():
            _if(cx, node, node.body if then is None else then,
                node.orelse if orelse is None else orelse)  # fmt: skip
        case ast.For():
            _for(cx, node)
        case ast.While():
            _while(cx, node)
        case ast.Break():
            leaving.leave_loop(cx, True)
        case ast.Continue():
            leaving.leave_loop(cx, False)
        case ast.Pass():
            pass
        case ast.FunctionDef():
            _def(cx, node)
        case ast.Raise():
            _raise(cx, node)
        case ast.Assert():
            _assert(cx, node)
        case ast.Delete():
            for target in node.targets:
                _delete(cx, target)
        case ast.Import():
            for alias in node.names:
                module = importlib.import_module(alias.name)
                top = alias.name.partition(".")[0]
                name = alias.asname or top
                obj = module if alias.asname else importlib.import_module(top)
                cx.state.set(cx.frame, name, Static(obj, Fetch.of("object", obj, name)))
        case ast.ImportFrom():
            _import_from(cx, node)
        case ast.With():
            _with(cx, node)
        case ast.Match():
            matching.match_statement(cx, node)
        case ast.Global() | ast.Nonlocal():
            _outer_names(cx, node)
        case ast.Try():
            cx.fail(
                "'try' around differentiated code is not supported",
                "test for the condition with 'if' instead of catching the error",
            )
        case ast.ClassDef():
            cx.fail("a class defined inside a function is not supported", "define it outside")
        case ast.AsyncFunctionDef() | ast.AsyncFor() | ast.AsyncWith():
            cx.fail("'async' has no derivative", "make it plain Python")
        case _:
            cx.fail(f"a '{type(node).__name__}' statement is not supported")


def hint(target: ast.expr) -> str | None:
    return target.id.partition("$")[0] if isinstance(target, ast.Name) else None


# -- control flow --------------------------------------------------------------------------------


def _if(cx: Lowerer, node: ast.If, then: Sequence[ast.stmt], orelse: Sequence[ast.stmt]) -> None:
    cond = conditions.condition(cx, node.test)
    if isinstance(cond, Const):
        block(cx, then if cond.value else orelse)
        return

    def side(nodes: Sequence[ast.stmt]) -> Callable[[], None]:
        return lambda: block(cx, nodes)

    cx.branch(cond, side(then), side(orelse))


def _for(cx: Lowerer, node: ast.For) -> None:
    iterable = lower_expr.expr(cx, node.iter)
    orelse = (lambda: block(cx, node.orelse)) if node.orelse else None
    loops.for_loop(
        cx,
        iterable,
        lambda ref: assignment.assign(cx, node.target, ref),
        lambda: block(cx, node.body),
        nodes=[node],
        orelse=orelse,
        target=node.target,
    )


def _while(cx: Lowerer, node: ast.While) -> None:
    orelse = (lambda: block(cx, node.orelse)) if node.orelse else None
    while_loops.while_loop(
        cx,
        lambda: conditions.condition(cx, node.test),
        lambda: block(cx, node.body),
        nodes=node.body,
        orelse=orelse,
    )


# -- the rest ------------------------------------------------------------------------------------


def _def(cx: Lowerer, node: ast.FunctionDef) -> None:
    ref = lower_expr.closure(cx, node)
    for decorator in reversed(node.decorator_list):
        wrapper = lower_expr.expr(cx, decorator)
        if isinstance(wrapper, Static) and getattr(wrapper.obj, "__name__", "") in (
            "njit", "jit", "lru_cache", "cache", "wraps", "staticmethod",
        ):  # fmt: skip
            continue
        ref = lower_calls.apply(cx, wrapper, [ref], {})
    assignment.set_name(cx, node.name, ref)


def _raise(cx: Lowerer, node: ast.Raise) -> None:
    args: list[Atom] = []
    match node.exc:
        case None:
            cx.fail("'raise' without an exception has no meaning here")
        case ast.Call(func, given, []):
            cls = lower_expr.expr(cx, func)
            args = [
                cx.atom(cls),
                *(lower_expr.printable(cx, lower_expr.expr(cx, a)) for a in given),
            ]
        case exc:
            args = [cx.atom(lower_expr.expr(cx, exc))]
    cx.ops("raise", *args)
    cx.state.raised = True


def _assert(cx: Lowerer, node: ast.Assert) -> None:
    cond = conditions.condition(cx, node.test)
    if isinstance(cond, Const) and cond.value:
        return
    if node.msg is None:
        cx.ops("assert", cond)
        return
    before = cx.state.copy()
    with cx.b.region() as nodes:
        message = lower_expr.printable(cx, lower_expr.expr(cx, node.msg))
    if isinstance(message, Const):
        cx.ops("assert", cond, message)
        return
    cx.state = before
    del nodes

    def fails() -> None:
        text = lower_expr.printable(cx, lower_expr.expr(cx, node.msg))  # type: ignore[arg-type]
        cx.ops("raise", Const.of(AssertionError), text)
        cx.state.raised = True

    cx.branch(cond, lambda: None, fails)


def _delete(cx: Lowerer, target: ast.expr) -> None:
    match target:
        case ast.Name(id):
            lower_expr.name_of(cx, target)
            cx.state.set(cx.frame, id, UNASSIGNED)
        case ast.Tuple(elts) | ast.List(elts):
            for t in elts:
                _delete(cx, t)
        case ast.Subscript():
            base = lower_expr.expr(cx, target.value)
            storing.delete_item(cx, base, indexing.index(cx, target.slice))
        case _:
            cx.fail("attributes cannot be deleted")


def _import_from(cx: Lowerer, node: ast.ImportFrom) -> None:
    if node.level:
        package = cx.frame.source.globals.get("__package__") or ""
        module = importlib.import_module("." * node.level + (node.module or ""), package)
    else:
        module = importlib.import_module(node.module or "")
    for alias in node.names:
        obj = getattr(module, alias.name)
        fetch = Fetch.of("object", module).sub(alias.name)
        cx.state.set(cx.frame, alias.asname or alias.name, cx.captures.ref(fetch, obj))


def _with(cx: Lowerer, node: ast.With) -> None:
    import numpy as np

    for item in node.items:
        call = item.context_expr
        manager = lower_expr.expr(cx, call.func) if isinstance(call, ast.Call) else None
        harmless = isinstance(manager, Static) and manager.obj in (np.errstate, np.printoptions)
        if not harmless:
            cx.fail(
                "only 'with np.errstate(...)' is supported",
                "do what needs the context manager outside the differentiated function",
                item.context_expr,
            )
    block(cx, node.body)


def _outer_names(cx: Lowerer, node: ast.Global | ast.Nonlocal) -> None:
    """``nonlocal`` of a variable of this very call is like any other; all else is refused."""
    frame = cx.frame
    if isinstance(node, ast.Nonlocal) and all(_is_outer(cx, n) for n in node.names):
        cx.outer_names[frame] = {*cx.outer_names.get(frame, ()), *node.names}
        return
    word = "global" if isinstance(node, ast.Global) else "nonlocal"
    assigned = {
        n.id
        for n in ast.walk(frame.node)
        if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
    }
    if assigned & set(node.names):
        cx.fail(f"writing {word} variables has no derivative", "return the value instead")


def _is_outer(cx: Lowerer, name: str) -> bool:
    outer = cx.frame.outer
    while outer is not None:
        if name in cx.state.frames.get(outer, {}):
            return outer.stands_for is None
        outer = outer.outer
    return False
