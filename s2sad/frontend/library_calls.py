"""Calls of ``functools``, ``operator`` and what NumPy does to references.

In: references. Out: what the call returns, in terms of the language: loops, operators, elements.

    operator.mul(a, b)      a * b      functools.reduce(f, (a, b, c))      f(f(a, b), c)
"""

from __future__ import annotations

import ast
import functools
import operator

import numpy as np

from ..ir.kinds import Num
from . import (
    assignment,
    attributes,
    comprehensions,
    conditions,
    einsum_calls,  # noqa: F401 (enters its handler)
    indexing,
    iteration,
    lower_calls,
    operators,
    primitives,
    storing,
)
from .context import Lowerer
from .handlers import Handler, handlers, handles
from .refs import ArrayRef, PartialRef, Ref, Static, TupleRef, Val


@handles(functools.partial)
def _partial(cx: Lowerer, args: list[Ref], kwargs: dict[str, Ref]) -> Ref:
    return PartialRef(args[0], tuple(args[1:]), kwargs)


@handles(functools.reduce)
def _reduce(cx: Lowerer, args: list[Ref], kwargs: dict[str, Ref]) -> Ref:
    func, ref = args[0], args[1]
    items = iteration.static_items(cx, ref)
    if items is None:
        first, rest = (args[2], ref) if len(args) > 2 else iteration.split_first(cx, ref)
        return comprehensions.fold(
            cx, rest, first, lambda total, x: lower_calls.apply(cx, func, [total, x], {})
        )
    if len(args) > 2:
        items = [args[2], *items]
    if not items:
        cx.fail("reduce() of nothing")
    total = items[0]
    for item in items[1:]:
        total = lower_calls.apply(cx, func, [total, item], {})
    return total


_OPERATORS = {
    operator.add: ast.Add, operator.sub: ast.Sub, operator.mul: ast.Mult,
    operator.truediv: ast.Div, operator.floordiv: ast.FloorDiv, operator.mod: ast.Mod,
    operator.pow: ast.Pow, operator.matmul: ast.MatMult,
}  # fmt: skip
_COMPARISONS = {
    operator.lt: ast.Lt, operator.le: ast.LtE, operator.gt: ast.Gt, operator.ge: ast.GtE,
    operator.eq: ast.Eq, operator.ne: ast.NotEq, operator.is_: ast.Is, operator.is_not: ast.IsNot,
}  # fmt: skip


def _operator(op: type[ast.operator]) -> Handler:
    return lambda cx, args, kwargs: operators.binary(cx, op(), args[0], args[1])


def _comparison(op: type[ast.cmpop]) -> Handler:
    return lambda cx, args, kwargs: conditions.compare_two(cx, op(), args[0], args[1])


for _f, _op in _OPERATORS.items():
    handlers[_f] = _operator(_op)
for _f, _cmp in _COMPARISONS.items():
    handlers[_f] = _comparison(_cmp)
handlers[operator.getitem] = lambda cx, args, kwargs: indexing.item(cx, args[0], args[1])
handlers[operator.neg] = lambda cx, args, kwargs: cx.ref(cx.op("neg", cx.atom(args[0])))
handlers[operator.pos] = lambda cx, args, kwargs: cx.ref(cx.op("pos", cx.atom(args[0])))
handlers[operator.contains] = lambda cx, args, kwargs: conditions.compare_two(
    cx, ast.In(), args[1], args[0]
)
handlers[operator.not_] = lambda cx, args, kwargs: Val(
    operators.negate(cx, conditions.truth(cx, args[0]))
)


@handles(operator.setitem)
def _setitem(cx: Lowerer, args: list[Ref], kwargs: dict[str, Ref]) -> Ref:
    storing.set_item(cx, *args)
    return cx.constant(None)


_IN_PLACE = {
    operator.iadd: ast.Add, operator.isub: ast.Sub, operator.imul: ast.Mult,
    operator.itruediv: ast.Div, operator.ipow: ast.Pow, operator.imatmul: ast.MatMult,
}  # fmt: skip


def _in_place(op: type[ast.operator]) -> Handler:
    return lambda cx, args, kwargs: assignment.in_place(cx, op(), args[0], args[1])


for _f, _op in _IN_PLACE.items():
    handlers[_f] = _in_place(_op)


@handles(operator.itemgetter)
def _itemgetter(cx: Lowerer, args: list[Ref], kwargs: dict[str, Ref]) -> Ref:
    return PartialRef(Static(_items_of), (TupleRef(tuple(args)),))


@handles(operator.attrgetter)
def _attrgetter(cx: Lowerer, args: list[Ref], kwargs: dict[str, Ref]) -> Ref:
    return PartialRef(Static(_attributes_of), (TupleRef(tuple(args)),))


@handles(operator.methodcaller)
def _methodcaller(cx: Lowerer, args: list[Ref], kwargs: dict[str, Ref]) -> Ref:
    return PartialRef(
        Static(_method_of), (TupleRef((args[0], TupleRef(tuple(args[1:])))),), kwargs
    )


def _items_of() -> None:  # pragma: no cover - stands for calls of an itemgetter
    raise NotImplementedError


def _attributes_of() -> None:  # pragma: no cover - stands for calls of an attrgetter
    raise NotImplementedError


def _method_of() -> None:  # pragma: no cover - stands for calls of a methodcaller
    raise NotImplementedError


@handles(_items_of)
def _get_items(cx: Lowerer, args: list[Ref], kwargs: dict[str, Ref]) -> Ref:
    found = tuple(indexing.item(cx, args[1], key) for key in iteration.parts(args[0]))
    return found[0] if len(found) == 1 else TupleRef(found)


@handles(_attributes_of)
def _get_attributes(cx: Lowerer, args: list[Ref], kwargs: dict[str, Ref]) -> Ref:
    found: list[Ref] = []
    for key in iteration.parts(args[0]):
        ref = args[1]
        for name in cx.static(key, "an attribute's name").split("."):
            ref = attributes.attribute(cx, ref, name)
        found.append(ref)
    return found[0] if len(found) == 1 else TupleRef(tuple(found))


@handles(_method_of)
def _call_method(cx: Lowerer, args: list[Ref], kwargs: dict[str, Ref]) -> Ref:
    name, given = iteration.parts(args[0])
    method = attributes.attribute(cx, args[1], cx.static(name, "a method's name"))
    return lower_calls.apply(cx, method, iteration.parts(given), kwargs)


@handles(np.shape)
def _shape(cx: Lowerer, args: list[Ref], kwargs: dict[str, Ref]) -> Ref:
    return attributes.shape(cx, args[0])


@handles(np.ndim)
def _ndim(cx: Lowerer, args: list[Ref], kwargs: dict[str, Ref]) -> Ref:
    kind = cx.kind(args[0])
    if isinstance(kind, Num):
        return cx.constant(0)
    return attributes.attribute(cx, args[0], "ndim")


@handles(np.size)
def _size(cx: Lowerer, args: list[Ref], kwargs: dict[str, Ref]) -> Ref:
    if isinstance(cx.kind(args[0]), Num):
        return cx.constant(1)
    if len(args) == 1 and not kwargs and isinstance(args[0], ArrayRef):
        return attributes.size(cx, args[0])
    from ..rules.registry import primitive

    return primitives.call(cx, primitive("np.size"), args, kwargs)
