"""Starred arguments and elements whose number is known only when the program runs.

In: what is starred, and where. Out: its elements, as many as the function called takes, with a
check of their number; or a list.

    f(*v), f takes a and b      if len(v) != 2: raise TypeError; f(v[0], v[1])
    [1.0, *v]                   t = [1.0]; t.extend(v)
"""

from __future__ import annotations

import ast
import builtins
import types
from collections.abc import Sequence

import numpy as np

from ..errors import UnsupportedError
from ..ir.kinds import ListOf, Tuple
from ..ir.nodes import Const
from . import comprehensions, counts, indexing, iteration, lower_calls, lower_expr
from .contents import Items
from .context import Lowerer
from .refs import ArrayRef, FuncRef, HeapRef, PartialRef, Ref, Static, TupleRef, Val
from .source import find_source

#: What takes one iterable in place of several arguments.
_FOLDS = (builtins.min, builtins.max)


def spread(
    cx: Lowerer, func: Ref, ref: Ref, starred: ast.Starred, call: ast.Call
) -> tuple[Ref, ...]:
    """The arguments that ``*ref`` stands for in a call of ``func``."""
    known = iteration.static_items(cx, ref) if not isinstance(ref, ArrayRef) else None
    if known is not None:
        return tuple(known)
    if isinstance(ref, ArrayRef | HeapRef):
        stars = sum(isinstance(a, ast.Starred) for a in call.args)
        if isinstance(func, Static) and func.obj in _FOLDS and len(call.args) == 1:
            many = cx.op("gt", iteration.length(cx, ref), Const.of(1))
            counts.demand(cx, many, TypeError, f"{func.obj.__name__}(*xs) of one number")
            return (ref,)
        takes = _takes(func)
        if takes is not None and stars == 1:
            named = {k.arg for k in call.keywords}
            rest = [n for n in takes[len(call.args) - 1 :] if n not in named]
            same = cx.op("eq", iteration.length(cx, ref), Const.of(len(rest)))
            what = f"the call takes {len(rest)} arguments in place of the starred one"
            counts.demand(cx, same, TypeError, what)
            return tuple(indexing.item(cx, ref, Val(Const.of(n))) for n in range(len(rest)))
    return lower_expr.spread(cx, ref, starred)


def _takes(func: Ref) -> tuple[str, ...] | None:
    """The positional parameters of a function that has no others; None where it may have."""
    match func:
        case FuncRef():
            a = func.node.args
        case Static(np.ufunc() as obj):
            return tuple(map(str, range(obj.nin)))
        case Static(types.FunctionType() as obj):
            try:
                a = find_source(obj).node.args
            except UnsupportedError:
                return None
        case PartialRef(kwargs={}):
            inner = _takes(func.func)
            return None if inner is None else inner[len(func.args) :]
        case _:
            return None
    if a.vararg is not None or a.defaults:
        return None
    return tuple(p.arg for p in (*a.posonlyargs, *a.args))


def listed(cx: Lowerer, nodes: Sequence[ast.expr]) -> Ref:
    """A list display, starred elements spread out."""
    result = cx.new(Items(()), fresh=True)
    for node in nodes:
        if isinstance(node, ast.Starred):
            ref = lower_expr.expr(cx, node.value)
            lower_calls.method(cx, result, "extend", [ref], {})
        else:
            lower_calls.method(cx, result, "append", [lower_expr.expr(cx, node)], {})
    return result


def unzipped(cx: Lowerer, starred: ast.Starred) -> Ref:
    """``zip(*rows)``: a list for each place in the rows."""
    ref = lower_expr.expr(cx, starred.value)
    rows = iteration.static_items(cx, ref) if not isinstance(ref, ArrayRef) else None
    if rows is not None:
        return lower_calls.apply(cx, Static(zip), rows, {})
    kind = cx.kind(ref)
    if not (isinstance(kind, ListOf) and isinstance(kind.elem, Tuple)):
        return lower_calls.apply(cx, Static(zip), lower_expr.spread(cx, ref, starred), {})
    some = cx.op("gt", iteration.length(cx, ref), Const.of(0))
    counts.demand(cx, some, ValueError, "zip(*rows) of no rows")

    def column(n: int) -> Ref:
        return comprehensions.collect(cx, ref, lambda row: indexing.item(cx, row, cx.constant(n)))

    return TupleRef(tuple(map(column, range(len(kind.elem.items)))))
