"""``match`` on constants, tuples and captures, as a chain of branches.

In: a match statement. Out: the branches that it means.

    match n:                 if n == 0: ...
        case 0: ...          else: ...
        case _: ...
"""

from __future__ import annotations

import ast
from collections.abc import Sequence

from ..ir.nodes import TRUE, Atom, Const
from . import assignment, conditions, lower_expr, lower_stmt
from .context import Lowerer
from .refs import Ref


def match_statement(cx: Lowerer, node: ast.Match) -> None:
    """Lower ``match``."""
    subject = lower_expr.expr(cx, node.subject)
    _cases(cx, subject, node.cases)


def _cases(cx: Lowerer, subject: Ref, cases: Sequence[ast.match_case]) -> None:
    if not cases:
        return
    case, rest = cases[0], cases[1:]
    cond = _test(cx, subject, case.pattern)
    if cond is None:
        _cases(cx, subject, rest)
        return

    def body() -> None:
        _bind(cx, subject, case.pattern)
        if case.guard is None:
            lower_stmt.block(cx, case.body)
            return
        guard = conditions.truth(cx, lower_expr.expr(cx, case.guard))
        if isinstance(guard, Const):
            if guard.value:
                lower_stmt.block(cx, case.body)
            else:
                _cases(cx, subject, rest)
            return
        cx.branch(
            guard,
            lambda: lower_stmt.block(cx, case.body),
            lambda: _cases(cx, subject, rest),
        )

    if isinstance(cond, Const):
        if cond.value:
            body()
        else:
            _cases(cx, subject, rest)
        return
    cx.branch(cond, body, lambda: _cases(cx, subject, rest))


def _test(cx: Lowerer, subject: Ref, pattern: ast.pattern) -> Atom | None:
    """The condition of a pattern; None where it can never match."""
    match pattern:
        case ast.MatchValue(value):
            found = conditions.compare_two(cx, ast.Eq(), subject, lower_expr.expr(cx, value))
            return conditions.truth(cx, found)
        case ast.MatchSingleton(value):
            same = conditions.compare_two(cx, ast.Is(), subject, cx.constant(value))
            return conditions.truth(cx, same)
        case ast.MatchAs(None, _):
            return TRUE
        case ast.MatchAs(inner, _) if inner is not None:
            return _test(cx, subject, inner)
        case ast.MatchOr(patterns):
            out: Atom | None = None
            for p in patterns:
                cond = _test(cx, subject, p)
                if cond is None or (isinstance(cond, Const) and not cond.value):
                    continue
                if isinstance(cond, Const):
                    return TRUE
                out = cond if out is None else cx.op("or", out, cond)
            return out
        case ast.MatchSequence(patterns) if not any(
            isinstance(p, ast.MatchStar) for p in patterns
        ):
            parts = conditions.parts_of(cx, subject)
            if parts is None or len(parts) != len(patterns):
                return None
            out = TRUE
            for part, p in zip(parts, patterns, strict=True):
                cond = _test(cx, part, p)
                if cond is None:
                    return None
                if isinstance(cond, Const):
                    if not cond.value:
                        return None
                else:
                    out = cond if isinstance(out, Const) else cx.op("and", out, cond)
            return out
        case _:
            cx.fail(
                f"a '{type(pattern).__name__}' pattern is not supported",
                "match constants, tuples and names, or use 'if'",
                pattern,
            )


def _bind(cx: Lowerer, subject: Ref, pattern: ast.pattern) -> None:
    match pattern:
        case ast.MatchAs(inner, name):
            if inner is not None:
                _bind(cx, subject, inner)
            if name is not None:
                assignment.set_name(cx, name, subject)
        case ast.MatchSequence(patterns):
            parts = conditions.parts_of(cx, subject) or ()
            for part, p in zip(parts, patterns, strict=True):
                _bind(cx, part, p)
