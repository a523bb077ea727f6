"""How wide an expression is, without writing it.

In: an expression tree. Out: about the columns its text takes.

    a + b   ->   7
"""

from __future__ import annotations

import ast

#: Emitted lines are no wider.
WIDTH = 99


def width(node: ast.AST | None) -> int:
    """About how many columns an expression takes, rather too many than too few."""
    match node:
        case None:
            return 0
        case ast.Name(id=name):
            return len(name)
        case ast.Constant(value=value):
            return len(repr(value))
        case ast.Attribute(value=value, attr=attr):
            return width(value) + 1 + len(attr)
        case ast.BinOp(left=left, right=right):
            return width(left) + width(right) + 5
        case ast.Call(func=func, args=args, keywords=keywords):
            inner = [width(a) for a in args]
            inner += [width(k.value) + len(k.arg or "") + 1 for k in keywords]
            return width(func) + 2 + sum(inner) + 2 * max(len(inner) - 1, 0)
        case _:
            children = list(ast.iter_child_nodes(node))
            return 2 + sum(width(c) + 2 for c in children if isinstance(c, ast.expr))
