"""Small questions and answers about statement and expression trees.

negated(a == b)   ->   a != b
signed(+=, -2.0 * t)   ->   -=, 2.0 * t
"""

from __future__ import annotations

import ast

from .expr import BINARY
from .ops import ARITHMETIC
from .width import width

Block = list[ast.stmt]


def leaves(block: Block) -> bool:
    """True if control does not go on after the block."""
    if not block:
        return False
    last = block[-1]
    if isinstance(last, ast.Break | ast.Return | ast.Raise | ast.Continue):
        return True
    return isinstance(last, ast.If) and leaves(last.body) and leaves(last.orelse)


def heads_block(text: str) -> bool:
    """True for a line that only opens a block; there is nothing in it to reverse."""
    return text.startswith(("for ", "while ")) and text.endswith(":")


def negated(test: ast.expr) -> ast.expr:
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        return test.operand
    if isinstance(test, ast.Compare) and type(test.ops[0]) in OPPOSITE:
        return ast.Compare(test.left, [OPPOSITE[type(test.ops[0])]()], test.comparators)
    return ast.UnaryOp(ast.Not(), test)


#: Comparisons whose negation is a comparison, whatever the operands (``<`` is not: NaN).
OPPOSITE: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}


def collect(before: ast.stmt, loop: ast.stmt, room: int) -> ast.stmt | None:
    """``t = [...]`` for a loop that appends to an empty list and does nothing else."""
    match before, loop:
        case (
            ast.Assign([ast.Name(id=name)], ast.List([])),
            ast.For(target, iterable, [statement], []),
        ):
            pass
        case _:
            return None
    tests: list[ast.expr] = []
    while isinstance(statement, ast.If) and len(statement.body) == 1 and not statement.orelse:
        tests.append(statement.test)
        statement = statement.body[0]
    match statement:
        case ast.Expr(ast.Call(ast.Attribute(ast.Name(id=own), "append"), [element], [])):
            pass
        case _:
            return None
    test = ast.BoolOp(ast.And(), tests) if len(tests) > 1 else tests[0] if tests else None
    parts = [element, iterable, *tests]
    if own != name or any(
        isinstance(n, ast.Name) and n.id == name for p in parts for n in ast.walk(p)
    ):
        return None
    if len(name) + sum(map(width, [target, *parts])) + 20 > room:
        return None
    source = ast.comprehension(target, iterable, [] if test is None else [test], 0)
    return assign(name, ast.ListComp(element, [source]))


def is_true(test: ast.expr) -> bool:
    return isinstance(test, ast.Constant) and test.value is True


def only_breaks(statement: ast.If) -> bool:
    return len(statement.body) == 1 and isinstance(statement.body[0], ast.Break)


def is_bare_return(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Return) and statement.value is None


def assign(name: str, value: ast.expr) -> ast.stmt:
    return ast.Assign([ast.Name(name, ast.Store())], value)


def signed(operator: ast.operator, value: ast.expr) -> tuple[ast.operator, ast.expr]:
    """``+= -2.0 * t`` as ``-= 2.0 * t``, which is the same to the last bit."""
    if not isinstance(operator, ast.Add | ast.Sub):
        return operator, value
    positive = _positive(value)
    if positive is None:
        return operator, value
    return ast.Sub() if isinstance(operator, ast.Add) else ast.Add(), positive


def _positive(value: ast.expr) -> ast.expr | None:
    """The expression without its leading minus, if it has one."""
    if isinstance(value, ast.UnaryOp) and isinstance(value.op, ast.USub):
        return value.operand
    if isinstance(value, ast.BinOp) and isinstance(value.op, ast.Mult | ast.Div):
        left = _positive(value.left)
        return None if left is None else ast.BinOp(left, value.op, value.right)
    return None


def operator(how: str) -> ast.operator:
    symbol = how[:-1]
    return BINARY[next(fn for fn, s in ARITHMETIC.items() if s == symbol)]()
