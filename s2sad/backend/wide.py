"""Long lines: parts of a statement that is too wide get names of their own.

In: a statement and the depth it stands at. Out: the same computation in lines below 99 columns.

    y = <90 columns> + <60 columns>   ->   t = <90 columns>
                                           y = t + <60 columns>
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator

from .text import line_of
from .width import WIDTH, width

_PARTS = (ast.BinOp, ast.Call, ast.Compare, ast.List, ast.Tuple, ast.Dict, ast.Subscript)


def narrow(statement: ast.stmt, indent: int, fresh: Callable[[str], str]) -> list[ast.stmt]:
    """The statement after assignments of its largest parts, if it is too wide."""
    room = WIDTH - 4 * indent
    before: list[ast.stmt] = []
    for _ in range(50):
        total = _statement_width(statement)
        if total <= room or max(map(len, line_of(statement).splitlines())) <= room:
            break
        parts = [(w, n) for n, w in _candidates(statement) if w >= 12]
        if not parts:
            break
        # the widest part that fits a line by itself, or the widest there is
        fitting = [p for p in parts if p[0] <= room - 8]
        width, part = max(fitting or parts, key=lambda p: p[0])
        if width < 12:
            break
        name = fresh("t")
        _Replace(part, ast.Name(name, ast.Load())).visit_once(statement)
        before.extend(narrow(ast.Assign([ast.Name(name, ast.Store())], part), indent, fresh))
    return [*before, statement]


def _expressions(statement: ast.stmt) -> list[ast.expr]:
    match statement:
        case ast.Assign(targets=targets, value=value):
            return [value] if isinstance(targets[0], ast.Name) else [value, *targets]
        case ast.AugAssign(target=target, value=value):
            return [value, target]
        case ast.Expr(value=value):
            return [value]
        case ast.Return(value=ast.Dict(values=values) | ast.List(elts=values)):
            return [max(values, key=width)] if values else []
        case ast.Return(value=value):
            return [] if value is None else [value]
        case ast.If(test=test):
            return [test]
        case ast.For(iter=iterable):
            return [iterable]
        case ast.Assert(test=test, msg=msg):
            return [test] if msg is None else [test, msg]
        case ast.Raise(exc=exc):
            return [] if exc is None else [exc]
        case _:
            return []


def _statement_width(statement: ast.stmt) -> int:
    extra = {ast.Return: 7, ast.If: 4, ast.For: 12, ast.Assert: 9, ast.Raise: 6}
    total = extra.get(type(statement), 4) + sum(map(width, _expressions(statement)))
    if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
        total += len(statement.targets[0].id)
    return total


def _candidates(statement: ast.stmt) -> Iterator[tuple[ast.expr, int]]:
    """Parts that are always evaluated, and may be evaluated earlier, with their widths."""
    for expression in _expressions(statement):
        if isinstance(getattr(expression, "ctx", None), ast.Store):
            continue
        yield from _inside(expression, top=True)


def _inside(node: ast.expr, top: bool = False) -> Iterator[tuple[ast.expr, int]]:
    if not top and isinstance(node, _PARTS):
        yield node, width(node)
    match node:
        case ast.BoolOp(values=values):
            yield from _inside(values[0])
        case ast.IfExp(test=test):
            yield from _inside(test)
        case ast.Lambda():
            return
        case ast.Call(args=args, keywords=keywords):
            for a in args:
                yield from _inside(a)
            for k in keywords:
                yield from _inside(k.value)
            if isinstance(node.func, ast.Attribute):
                yield from _inside(node.func.value)
        case ast.Subscript(value=value, slice=index):
            yield from _inside(value, top=isinstance(value, ast.Subscript))
            if not isinstance(index, ast.Slice | ast.Tuple):
                yield from _inside(index)
        case _:
            for child in ast.iter_child_nodes(node):
                if isinstance(child, ast.expr) and not isinstance(child, ast.Slice):
                    yield from _inside(child)


class _Replace(ast.NodeTransformer):
    def __init__(self, old: ast.expr, new: ast.expr) -> None:
        self.old = old
        self.new = new

    def visit_once(self, statement: ast.stmt) -> None:
        """Replace in the statement's own expressions, not in nested statements."""
        for name, value in ast.iter_fields(statement):
            if isinstance(value, ast.expr):
                setattr(statement, name, self.visit(value))
            elif name == "targets":
                statement.targets = [self.visit(t) for t in value]  # type: ignore[attr-defined]

    def visit(self, node: ast.AST) -> ast.AST:
        return self.new if node is self.old else self.generic_visit(node)
