"""Which constructs a program's text really contains: ``syntax(source)`` names them from its AST.

The generator counts the features it was asked for; this counts what is written, as a check on it.
"""

from __future__ import annotations

import ast

CONSTRUCTS = (
    "for", "while", "nested loop", "for else", "while else", "break", "continue", "return in loop",
    "early return", "if", "else", "ternary", "chained comparison", "walrus", "element write",
    "slice write", "augmented write", "scalar augmented", "name alias", "slice view", "transpose",
    "mask or fancy write", "lambda", "nested function", "comprehension", "dict comprehension",
    "generator expression", "tuple unpacking", "starred", "dict", "list", "append", "pop", "call of helper",
    "recursion", "keyword argument", "bool operator", "assert", "int division or modulo", "matmul",
)  # fmt: skip
"""Every construct that ``syntax`` looks for."""


def syntax(source: str) -> set[str]:
    """Names of the constructs in a module."""
    tree = ast.parse(source)
    found: set[str] = set()
    functions = {n.name for n in tree.body if isinstance(n, ast.FunctionDef)}
    for function in tree.body:
        if isinstance(function, ast.FunctionDef):
            _visit(function, found, functions, function.name, loop=False, top=True)
    return found


def _visit(
    node: ast.AST, found: set[str], functions: set[str], owner: str, loop: bool, top: bool
) -> None:
    found.update(_named(node, functions, owner, loop, top))
    inside = loop or isinstance(node, (ast.For, ast.While))
    for child in ast.iter_child_nodes(node):
        direct = top and isinstance(node, ast.FunctionDef)
        _visit(child, found, functions, owner, inside, direct)


def _named(node: ast.AST, functions: set[str], owner: str, loop: bool, top: bool) -> list[str]:
    match node:
        case ast.For(orelse=orelse):
            return ["for", *["nested loop"] * loop, *["for else"] * bool(orelse)]
        case ast.While(orelse=orelse):
            return ["while", *["nested loop"] * loop, *["while else"] * bool(orelse)]
        case ast.Return():
            return ["return in loop"] if loop else [] if top else ["early return"]
        case ast.If(orelse=orelse):
            return ["if", *["else"] * bool(orelse)]
        case ast.Compare(ops=ops):
            return ["chained comparison"] if len(ops) > 1 else []
        case ast.Assign(targets=[ast.Subscript(slice=where)]):
            return [_place(where)]
        case ast.AugAssign(target=ast.Subscript(slice=where)):
            return ["augmented write", _place(where)]
        case ast.AugAssign():
            return ["scalar augmented"]
        case ast.Assign(targets=[ast.Name()], value=ast.Name()):
            return ["name alias"]
        case ast.Assign(targets=[ast.Name()], value=ast.Subscript(slice=ast.Slice())):
            return ["slice view"]
        case ast.Assign(targets=[ast.Tuple()]):
            return ["tuple unpacking"]
        case ast.FunctionDef(name=name):
            return [] if name in functions else ["nested function"]
        case ast.Call(func=ast.Name(id=name), keywords=keywords):
            return [
                *["call of helper"] * (name in functions),
                *["recursion"] * (name == owner),
                *["keyword argument"] * bool(keywords),
            ]
        case ast.Call(func=ast.Attribute(attr=("append" | "pop") as name)):
            return [name]
        case ast.Attribute(attr="T"):
            return ["transpose"]
        case ast.BinOp(op=ast.FloorDiv() | ast.Mod()):
            return ["int division or modulo"]
        case ast.BinOp(op=ast.MatMult()):
            return ["matmul"]
    simple = {
        ast.Break: "break", ast.Continue: "continue", ast.IfExp: "ternary", ast.Assert: "assert",
        ast.NamedExpr: "walrus", ast.Lambda: "lambda", ast.ListComp: "comprehension",
        ast.DictComp: "dict comprehension", ast.GeneratorExp: "generator expression",
        ast.Starred: "starred", ast.Dict: "dict", ast.List: "list", ast.BoolOp: "bool operator",
    }  # fmt: skip
    name = simple.get(type(node))  # type: ignore[arg-type]
    return [name] if name else []


def _place(where: ast.expr) -> str:
    nodes = list(ast.walk(where))
    if any(isinstance(n, ast.Slice) for n in nodes):
        return "slice write"
    if isinstance(where, (ast.Compare, ast.List)) or (
        isinstance(where, ast.Name) and where.id.startswith("mask")
    ):
        return "mask or fancy write"
    return "element write"
