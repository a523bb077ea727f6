"""Trees to text: astor's generator with comments, and a check that the text means the tree.

In: a list of statements, ``Comment`` nodes among them. Out: text whose parse is the same tree.

    [Comment("reverse sweep"), y = x * x]   ->   "# reverse sweep\\ny = x * x\\n"
"""

from __future__ import annotations

import ast
import warnings
from typing import Any

from .width import WIDTH, width

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    from astor.code_gen import SourceGenerator, set_precedence
    from astor.op_util import Precedence


class Comment(ast.stmt):
    """A line ``# text`` among the statements."""

    _fields = ("text",)

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text


class EmitError(Exception):
    """The text does not mean what it was written for: a bug in s2sad, never in user code."""


class _Generator(SourceGenerator):  # type: ignore[misc]
    def visit_Comment(self, node: Comment) -> None:
        self.statement(node, "# ", node.text)

    def visit_FunctionDef(self, node: ast.FunctionDef, is_async: bool = False) -> None:
        self.statement(node, f"def {node.name}(")
        self.visit_arguments(node.args)
        self.write("):")
        self.body(node.body)

    #: write ``x**2``, as formatters do, not ``x ** 2``
    tight = False
    #: keep every display on one line, whatever its width
    flat = False

    def visit_BinOp(self, node: ast.BinOp) -> None:
        tight = self.tight and _is_simple(node.left) and _is_simple(node.right)
        if not (tight and isinstance(node.op, ast.Pow)):
            super().visit_BinOp(node)
            return
        with self.delimit(node, node.op):
            set_precedence(Precedence.Pow + 1, node.left)
            set_precedence(Precedence.PowRHS, node.right)
            self.write(node.left, "**", node.right)

    def visit_Constant(self, node: ast.Constant) -> None:
        if node.value is Ellipsis:
            self.write("...")
        elif isinstance(node.value, int | float | complex):
            with self.delimit(node):
                self.write(repr(node.value))
        else:
            shown = repr(node.value)
            if isinstance(node.value, str) and '"' not in shown:
                shown = f'"{shown[1:-1]}"'
            self.write(shown)

    def visit_Dict(self, node: ast.Dict) -> None:
        if self.narrow_enough(node):
            super().visit_Dict(node)
            return
        parts = list(zip(node.keys, node.values, strict=True))
        self.spread("{}", [[k, ": ", v] for k, v in parts])

    def visit_List(self, node: ast.List) -> None:
        if self.narrow_enough(node):
            super().visit_List(node)
            return
        self.spread("[]", [[e] for e in node.elts])

    def visit_ListComp(self, node: ast.ListComp) -> None:
        set_precedence(Precedence.Comma, node.elt)
        super().visit_ListComp(node)

    def narrow_enough(self, node: ast.expr) -> bool:
        depth: int = self.indentation
        if self.flat or width(node) + 4 * depth + 8 <= WIDTH:
            return True
        line = "".join(self.result).rpartition("\n")[2]
        return len(line) + len(line_of(ast.Expr(node))) + 2 <= WIDTH

    def spread(self, brackets: str, entries: list[list[Any]]) -> None:
        """A display with one entry a line."""
        indent = "\n" + "    " * (self.indentation + 1)
        self.write(brackets[0])
        for entry in entries:
            for part in entry:
                if isinstance(part, ast.AST):
                    set_precedence(Precedence.Comma, part)
            self.write(indent, *entry, ",")
        self.write(indent[:-4], brackets[1])

    def visit_Return(self, node: ast.Return) -> None:
        if isinstance(node.value, ast.Tuple) and len(node.value.elts) == 1:
            set_precedence(Precedence.highest, node.value)  # ``return (x,)`` for a lone comma
            self.statement(node, "return ", node.value)
            return
        super().visit_Return(node)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        _tighten(node.value)
        super().visit_Attribute(node)

    def visit_Subscript(self, node: ast.Subscript) -> None:
        _tighten(node.value)
        super().visit_Subscript(node)

    def visit_Call(self, node: ast.Call) -> None:
        _tighten(node.func)
        super().visit_Call(node)


def _tighten(node: ast.expr) -> None:
    """What stands before a dot or a bracket binds tightest, numbers included."""
    set_precedence(Precedence.highest, node)


def _is_simple(node: ast.expr) -> bool:
    """True for names, attributes and numbers, which stand close to ``**``."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        node = node.operand
    while isinstance(node, ast.Attribute):
        node = node.value
    return isinstance(node, ast.Name | ast.Constant)


def to_text(statements: list[ast.stmt], *, tight: bool = False) -> str:
    """The text of these statements; ``tight``: powers of names and numbers as ``x**2``."""
    generator = _Generator("    ")
    generator.tight = tight
    for statement in statements:
        generator.visit(statement)
    generator.result.append("\n")
    return "".join(generator.result).lstrip("\n")


def line_of(statement: ast.stmt) -> str:
    """The first line of a statement's text, however long."""
    generator = _Generator("    ")
    generator.flat = True
    body = getattr(statement, "body", None)
    if isinstance(body, list):
        fields = {name: getattr(statement, name) for name in statement._fields}
        fields.update(body=[], orelse=[])
        statement = type(statement)(**fields)
    generator.visit(statement)
    return "".join(generator.result).lstrip("\n")


def check(text: str, statements: list[ast.stmt]) -> ast.Module:
    """Parse the text; raises EmitError unless that gives the tree it was written from."""
    parsed = ast.parse(text)
    if not _same(parsed.body, statements):
        raise EmitError(f"the emitted text does not parse to the intended tree:\n{text}")
    return parsed


_SKIP = frozenset({"ctx", "kind", "type_comment", "type_params", "type_ignores"})


def _same(a: Any, b: Any) -> bool:
    if isinstance(a, list):
        b = [x for x in b if not isinstance(x, Comment)]
        return len(a) == len(b) and all(map(_same, a, b))
    if isinstance(a, ast.AST):
        if type(a) is not type(b):
            return False
        return all(
            _same(getattr(a, name, None), getattr(b, name, None))
            for name in a._fields
            if name not in _SKIP
        )
    if isinstance(a, float | complex):
        return repr(a) == repr(b)
    return type(a) is type(b) and bool(a == b)
