"""Which integers of a function are never negative.

In: the typed IR of a function that Numba compiles. Out: names of variables; an index that is one
of them needs no look at its sign::

    for i in range(n): x[i + 1]   ->   i, i + 1
    for i in range(n - 1, -1, -1): x[i]   ->   i

Sums and products of integers that are not negative are not: one that overflows is no index.
"""

from __future__ import annotations

import operator
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from numba import types
from numba.core import ir

__all__ = ["constant", "nonnegative"]

_GROWING = (operator.add, operator.mul, operator.iadd, operator.imul)
_DIVIDING = (operator.floordiv, operator.mod, operator.ifloordiv, operator.imod)


def constant(kind: Any) -> int | None:
    """The integer a type stands for; None where it stands for many."""
    value = getattr(kind, "literal_value", None)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def nonnegative(func_ir: Any, kinds: Mapping[str, Any]) -> set[str]:
    """The variables of integers that are never negative, whichever way the function runs."""
    defined: dict[str, list[Any]] = defaultdict(list)
    for block in func_ir.blocks.values():
        for inst in block.body:
            if isinstance(inst, ir.Assign):
                defined[inst.target.name].append(inst.value)
    known = {name for name in defined if isinstance(kinds.get(name), types.Integer)}
    changed = True
    while changed:
        wrong = {
            name
            for name in known
            if not all(_holds(value, known, defined, kinds) for value in defined[name])
        }
        known -= wrong
        changed = bool(wrong)
    return known


def _holds(value: Any, known: set[str], defined: Any, kinds: Mapping[str, Any]) -> bool:
    """Whether a value is not negative if those of ``known`` are not."""
    match value:
        case ir.Const() | ir.Global() | ir.FreeVar():
            return isinstance(value.value, int) and value.value >= 0
        case ir.Var():
            return _is_known(value, known, kinds)
        case ir.Expr():
            return _result_holds(value, known, defined, kinds)
    return False


def _is_known(var: Any, known: set[str], kinds: Mapping[str, Any]) -> bool:
    fixed = constant(kinds.get(var.name))
    if fixed is not None:
        return fixed >= 0
    return var.name in known or isinstance(kinds.get(var.name), types.Boolean)


def _result_holds(expr: Any, known: set[str], defined: Any, kinds: Mapping[str, Any]) -> bool:
    if expr.op in ("binop", "inplace_binop"):
        both = _is_known(expr.lhs, known, kinds) and _is_known(expr.rhs, known, kinds)
        return both and expr.fn in (*_GROWING, *_DIVIDING)
    if expr.op == "cast":
        return _is_known(expr.value, known, kinds)
    if expr.op == "static_getitem":
        source = _source(expr.value.name, defined)
        if getattr(source, "op", None) == "exhaust_iter":
            source = _source(source.value.name, defined)
        return getattr(source, "op", None) == "getattr" and source.attr == "shape"
    if expr.op == "pair_first":
        return _counts_upwards(expr.value.name, known, defined, kinds)
    if expr.op != "call" or expr.kws or expr.vararg:
        return False
    called = getattr(kinds.get(expr.func.name), "typing_key", None)
    if called is len:
        return True
    holds = [_is_known(v, known, kinds) for v in expr.args]
    if called is max:
        return any(holds)
    return called in (min, int) and len(holds) > 0 and all(holds)


def _counts_upwards(pair: str, known: set[str], defined: Any, kinds: Mapping[str, Any]) -> bool:
    """Whether a pair is from a range from what is not negative up, or down to what is not."""
    found = pair
    for op in ("iternext", "getiter"):
        source = _source(found, defined)
        if getattr(source, "op", None) != op:
            return False
        found = source.value.name
    call = _source(found, defined)
    if getattr(call, "op", None) != "call" or call.kws or call.vararg:
        return False
    if getattr(kinds.get(call.func.name), "typing_key", None) is not range:
        return False
    if len(call.args) == 1:
        return True
    start, stop = call.args[:2]
    step = constant(kinds.get(call.args[2].name)) if len(call.args) == 3 else 1
    if step is None:
        return False
    if step > 0:
        return _is_known(start, known, kinds)
    fixed = constant(kinds.get(stop.name))
    return (fixed is not None and fixed >= -1) or _is_known(stop, known, kinds)


def _source(name: str, defined: Any) -> Any:
    """What a variable with one definition is, through copies; None where there are more."""
    while len(values := defined[name]) == 1:
        if not isinstance(values[0], ir.Var):
            return values[0]
        name = values[0].name
    return None
