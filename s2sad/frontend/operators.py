"""Operators of one and two operands, by what their operands are.

In: an operator of the syntax and references. Out: the reference to the result: computed now where
all is known, the user's own method where a class defines one, parts put together for tuples and
lists of known length, else an op.

    x + y      add x y              (1, a) + (b,)      (1, a, b)
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable
from typing import Any

from ..ir.kinds import STR
from ..ir.nodes import FALSE, TRUE, Atom, Const
from . import attributes, conditions, indexing, lower_calls, lower_expr, optional, scipy_calls
from .contents import Entries, Fields, Items
from .context import Lowerer
from .refs import HeapRef, Ref, TupleRef, Val

_BINARY: dict[type[ast.operator], tuple[str, Callable[[Any, Any], Any]]] = {
    ast.Add: ("add", operator.add),
    ast.Sub: ("sub", operator.sub),
    ast.Mult: ("mul", operator.mul),
    ast.Div: ("div", operator.truediv),
    ast.FloorDiv: ("floordiv", operator.floordiv),
    ast.Mod: ("mod", operator.mod),
    ast.Pow: ("pow", operator.pow),
    ast.MatMult: ("matmul", operator.matmul),
    ast.LShift: ("lshift", operator.lshift),
    ast.RShift: ("rshift", operator.rshift),
    ast.BitAnd: ("bitand", operator.and_),
    ast.BitOr: ("bitor", operator.or_),
    ast.BitXor: ("bitxor", operator.xor),
}


def _foldable(value: Any) -> bool:
    """Constants that may be computed now: never floats, whose arithmetic stays the program's."""
    return isinstance(value, int | str | bytes | type(None) | type)


def binary(cx: Lowerer, op: ast.operator, left: Ref, right: Ref) -> Ref:
    """``left op right``."""
    fn, fun = _BINARY[type(op)]
    return operate(cx, fn, fun, left, right)


def operate(cx: Lowerer, fn: str, fun: Callable[..., Any], left: Ref, right: Ref) -> Ref:
    left, right = optional.present(cx, left), optional.present(cx, right)
    if scipy_calls.is_sparse(cx, left) or scipy_calls.is_sparse(cx, right):
        return scipy_calls.sparse_operator(cx, fn, left, right)
    sequence = _sequences(cx, fn, left, right)
    if sequence is not None:
        return sequence
    if cx.known(left) and cx.known(right):
        a, b = cx.value(left), cx.value(right)
        if _foldable(a) and _foldable(b) and fn != "div":
            try:
                folded = fun(a, b)
            except Exception as error:
                cx.fail(f"this raises {type(error).__name__}: {error}")
            if _foldable(folded) and not (isinstance(folded, int) and abs(folded) > 2**63):
                return cx.constant(folded)
    if fn == "mod" and cx.kind(left) == STR:
        parts = lower_expr.printable(cx, right)
        made = cx.op("call", Const.of(str.__mod__), cx.atom(left), parts, result=STR)
        return Val(made)
    user = _special(cx, fn, left, right)
    if user is not None:
        return user
    result = cx.ref(cx.op(fn, cx.atom(left), cx.atom(right)))
    if isinstance(result, HeapRef) and indexing.holds_memory(cx.kind(result)):
        for part in (left, right):
            if isinstance(part, HeapRef):
                indexing.hold(cx, result, part)
                result.root.twice |= fn == "mul" or part.root.twice
    return result


def _special(cx: Lowerer, fn: str, left: Ref, right: Ref) -> Ref | None:
    """An operator that a class of the user's defines."""
    methods = {"add": "add", "sub": "sub", "mul": "mul", "div": "truediv", "matmul": "matmul",
               "pow": "pow", "mod": "mod", "floordiv": "floordiv"}  # fmt: skip
    if fn not in methods:
        return None
    for ref, other, prefix in ((left, right, "__"), (right, left, "__r")):
        cls = user_class(cx, ref)
        if cls is not None and hasattr(cls, f"{prefix}{methods[fn]}__"):
            return lower_calls.apply(
                cx, attributes.attribute(cx, ref, f"{prefix}{methods[fn]}__"), [other], {}
            )
    return None


def user_class(cx: Lowerer, ref: Ref) -> type | None:
    """The user's class of an object in the heap."""
    if isinstance(ref, HeapRef):
        content = cx.state.content(ref.root)
        if isinstance(content, Fields):
            return content.cls
    return None


def _sequences(cx: Lowerer, fn: str, left: Ref, right: Ref) -> Ref | None:
    """``+`` and ``*`` of tuples and lists of known length."""
    if fn == "add":
        match left, right:
            case TupleRef(), TupleRef():
                return TupleRef((*left.items, *right.items))
            case HeapRef(), HeapRef():
                a, b = cx.content(left), cx.content(right)
                if isinstance(a, Items) and isinstance(b, Items):
                    return cx.new(Items((*a.items, *b.items)), fresh=True)
    if fn == "bitor":
        match left, right:
            case HeapRef(), HeapRef():
                x, y = cx.content(left), cx.content(right)
                if isinstance(x, Entries) and isinstance(y, Entries):
                    return cx.new(Entries({**x.items, **y.items}), fresh=True)
    if fn == "mul":
        for seq, n in ((left, right), (right, left)):
            if isinstance(n, Val) and isinstance(n.atom, Const) and type(n.atom.value) is int:
                if isinstance(seq, TupleRef):
                    return TupleRef(seq.items * n.atom.value)
                if isinstance(seq, HeapRef):
                    content = cx.content(seq)
                    if isinstance(content, Items) and n.atom.value * len(content.items) <= 64:
                        return cx.new(Items(content.items * n.atom.value), fresh=True)
    return None


_UNARY: dict[type[ast.unaryop], tuple[str, Callable[[Any], Any]]] = {
    ast.USub: ("neg", operator.neg),
    ast.UAdd: ("pos", operator.pos),
    ast.Invert: ("invert", operator.invert),
}


def unary(cx: Lowerer, node: ast.UnaryOp) -> Ref:
    if isinstance(node.op, ast.Not):
        return Val(negate(cx, conditions.condition(cx, node.operand)))
    fn, fun = _UNARY[type(node.op)]
    operand = lower_expr.expr(cx, node.operand)
    if isinstance(operand, Val) and isinstance(operand.atom, Const):
        v = operand.atom.value
        if isinstance(v, int) or (isinstance(v, float) and fn != "invert"):
            return cx.constant(fun(v))  # -1.5 is a constant to its reader, and exact
    return cx.ref(cx.op(fn, cx.atom(optional.present(cx, operand))))


def negate(cx: Lowerer, cond: Atom) -> Atom:
    if isinstance(cond, Const):
        return FALSE if cond.value else TRUE
    return cx.op("not", cond)
