"""Rule text to IR: derivatives are written as expressions and built where they are needed.

In: ``"g * cos(x)"`` and the atoms its names stand for. Out: the atom of its value, with the nodes
appended to the builder. Text is parsed once; a function name means the structural primitive of
that name, else ``np.name`` (or ``math.name`` in the rule of a ``math`` function).

    build_text(b, "2.0 * x + 1", {"x": x})   ->   add(mul(2.0, x), 1)
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, TypeAlias

from ..ir.nodes import Atom, Const, Value
from .registry import has_primitive

if TYPE_CHECKING:
    from ..ir.builder import Builder

_BINARY: dict[type[ast.operator], str] = {
    ast.Add: "add",
    ast.Sub: "sub",
    ast.Mult: "mul",
    ast.Div: "div",
    ast.FloorDiv: "floordiv",
    ast.Mod: "mod",
    ast.Pow: "pow",
    ast.MatMult: "matmul",
    ast.BitAnd: "bitand",
    ast.BitOr: "bitor",
}
_UNARY: dict[type[ast.unaryop], str] = {ast.USub: "neg", ast.Invert: "invert", ast.Not: "not"}
_COMPARE: dict[type[ast.cmpop], str] = {
    ast.Lt: "lt",
    ast.LtE: "le",
    ast.Gt: "gt",
    ast.GtE: "ge",
    ast.Eq: "eq",
    ast.NotEq: "ne",
}
_ATTRIBUTES = {
    "T": "np.transpose",
    "mT": "np.matrix_transpose",
    "real": "np.real",
    "imag": "np.imag",
    "shape": "shape",
    "size": "np.size",
    "ndim": "np.ndim",
}

#: ("const", value) | ("name", n) | ("op", fn, operands, keywords) | ("tuple", items)
#: | ("slice", start, stop, step)
Tree: TypeAlias = tuple[Any, ...]


@cache
def parse(source: str) -> Tree:
    """The tree of an expression; SyntaxError for what rule text does not have."""
    return _tree(ast.parse(source.strip(), mode="eval").body)


@cache
def mentions(source: str, name: str) -> bool:
    """True where the text uses the name."""
    return any(
        isinstance(n, ast.Name) and n.id == name for n in ast.walk(ast.parse(source.strip()))
    )


def _tree(e: ast.expr) -> Tree:
    match e:
        case ast.Constant(value):
            return ("const", value)
        case ast.Name(name):
            return ("name", name)
        case ast.UnaryOp(ast.USub(), ast.Constant(value)):
            return ("const", -value)  # type: ignore[operator]
        case ast.UnaryOp(op, x):
            return ("op", _UNARY[type(op)], (_tree(x),), ())
        case ast.BinOp(x, op, y):
            return ("op", _BINARY[type(op)], (_tree(x), _tree(y)), ())
        case ast.Compare(x, [op], [y]):
            return ("op", _COMPARE[type(op)], (_tree(x), _tree(y)), ())
        case ast.Call(f, args, keywords):
            fn = ast.unparse(f)
            named = tuple((k.arg, _tree(k.value)) for k in keywords)
            return ("call", fn, tuple(map(_tree, args)), named)
        case ast.Attribute(x, name) if name in _ATTRIBUTES:
            return ("op", _ATTRIBUTES[name], (_tree(x),), ())
        case ast.Subscript(x, i):
            return ("op", "item", (_tree(x), _tree(i)), ())
        case ast.Slice(start, stop, step):
            bounds = (("const", None) if s is None else _tree(s) for s in (start, stop, step))
            return ("slice", *bounds)
        case ast.Tuple(items):
            return ("tuple", tuple(map(_tree, items)))
    raise SyntaxError(f"rule text cannot say {ast.unparse(e)}")


def build_text(
    builder: Builder, source: str, names: Mapping[str, Any], family: str = "np"
) -> Atom:
    """Append the nodes of rule text to the builder and give the atom of its value.

    ``names`` maps names to atoms or to static Python values; keywords of calls in the text must
    be static. ``family`` is the module that plain function names are looked for in first.
    """
    value = _build(builder, parse(source), names, family)
    return value if isinstance(value, Value | Const) else Const.of(value)


def function_name(name: str, family: str) -> str:
    """The primitive that a function name in rule text means."""
    if family == "scipy":
        if has_primitive(f"scipy.special.{name}"):
            return f"scipy.special.{name}"
        family = "np"
    candidates = [f"{family}.{name}", name, f"np.{name}", f"np.linalg.{name}", f"math.{name}"]
    for candidate in candidates:
        if has_primitive(candidate):
            return candidate
    raise KeyError(f"rule text calls {name}, which is not registered")


def _build(b: Builder, tree: Tree, names: Mapping[str, Any], family: str) -> Any:
    match tree:
        case ("const", value):
            return value
        case ("name", name):
            return names[name]
        case ("op", fn, operands, _):
            return _op(b, fn, [_build(b, t, names, family) for t in operands], {})
        case ("call", fn, operands, keywords):
            attrs = {k: _static(_build(b, t, names, family)) for k, t in keywords}
            args = [_build(b, t, names, family) for t in operands]
            return _op(b, function_name(fn, family), args, attrs)
        case ("tuple", items):
            built = [_build(b, t, names, family) for t in items]
            if any(isinstance(x, Value | Const) for x in built):
                return b.op("tuple", *map(_atom, built))
            return tuple(built)
        case ("slice", *bounds):
            built = [_build(b, t, names, family) for t in bounds]
            if any(isinstance(x, Value | Const) for x in built):
                return b.op("slice", *map(_atom, built))
            return slice(*built)
    raise AssertionError(tree)


def _op(b: Builder, fn: str, args: list[Any], attrs: dict[str, Any]) -> Atom:
    return b.op(fn, *map(_atom, args), **attrs)


def _atom(x: Any) -> Atom:
    return x if isinstance(x, Value | Const) else Const.of(x)


def _static(x: Any) -> Any:
    if isinstance(x, Value):
        raise TypeError("keywords in rule text must be static")
    return x.value if isinstance(x, Const) else x
