"""Calls of ``functools``, ``itertools``, ``operator`` and what NumPy does to references.

In: references. Out: what the call returns, in terms of the language: loops, operators, elements.

    operator.mul(a, b)      a * b      functools.reduce(f, (a, b, c))      f(f(a, b), c)
"""

from __future__ import annotations

import ast
import functools
import itertools
import operator

import numpy as np

from ..ir.kinds import Array, Num
from . import (
    attributes,
    comprehensions,
    conditions,
    einsum_calls,  # noqa: F401 (enters its handler)
    indexing,
    iteration,
    lower_calls,
    operators,
    primitives,
)
from .context import Lowerer
from .handlers import Handler, handlers, handles
from .refs import ArrayRef, Items, PartialRef, Ref, TupleRef


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


@handles(itertools.product)
def _product(cx: Lowerer, args: list[Ref], kwargs: dict[str, Ref]) -> Ref:
    repeat = cx.static(kwargs["repeat"], "the 'repeat'") if "repeat" in kwargs else 1
    parts = [_known_items(cx, a, "itertools.product") for a in args] * repeat
    rows = [TupleRef(tuple(row)) for row in itertools.product(*parts)]
    return cx.new(Items(tuple(rows)))


@handles(itertools.chain)
def _chain(cx: Lowerer, args: list[Ref], kwargs: dict[str, Ref]) -> Ref:
    rows = [r for a in args for r in _known_items(cx, a, "itertools.chain")]
    return cx.new(Items(tuple(rows)))


@handles(itertools.combinations)
def _combinations(cx: Lowerer, args: list[Ref], kwargs: dict[str, Ref]) -> Ref:
    items = _known_items(cx, args[0], "itertools.combinations")
    size = cx.static(args[1], "the size of the combinations")
    rows = [TupleRef(tuple(row)) for row in itertools.combinations(items, size)]
    return cx.new(Items(tuple(rows)))


@handles(itertools.accumulate)
def _accumulate(cx: Lowerer, args: list[Ref], kwargs: dict[str, Ref]) -> Ref:
    func = args[1] if len(args) > 1 else kwargs.get("func")
    if "initial" in kwargs:
        cx.fail("accumulate(initial=...) is not supported", "write it as a loop")

    def combine(a: Ref, b: Ref) -> Ref:
        if func is None:
            return operators.operate(cx, "add", operator.add, a, b)
        return lower_calls.apply(cx, func, [a, b], {})

    items = iteration.static_items(cx, args[0])
    if items is not None:
        found: list[Ref] = []
        for item in items:
            found.append(combine(found[-1], item) if found else item)
        return cx.new(Items(tuple(found)))
    first, rest = iteration.split_first(cx, args[0])
    result = cx.new(Items((first,)))

    def step(total: Ref, x: Ref) -> Ref:
        new = combine(total, x)
        lower_calls.method(cx, result, "append", [new], {})
        return new

    comprehensions.fold(cx, rest, first, step)
    return result


def _known_items(cx: Lowerer, ref: Ref, what: str) -> list[Ref]:
    items = iteration.static_items(cx, ref)
    if items is None:
        cx.fail(f"{what} needs data whose length is known when the derivative is built")
    return items


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


@handles(operator.itemgetter, operator.attrgetter)
def _getter(cx: Lowerer, args: list[Ref], kwargs: dict[str, Ref]) -> Ref:
    cx.fail("operator.itemgetter and attrgetter are not supported", "write a lambda")


@handles(np.fill_diagonal)
def _fill_diagonal(cx: Lowerer, args: list[Ref], kwargs: dict[str, Ref]) -> Ref:
    kind = cx.kind(args[0])
    if kwargs or not (
        isinstance(args[0], ArrayRef) and isinstance(kind, Array) and kind.rank == 2
    ):
        cx.fail("np.fill_diagonal is supported for matrices, without 'wrap'")
    size = cx.op("min", *[cx.atom(r) for r in iteration.parts(attributes.shape(cx, args[0]))])
    index = cx.ref(cx.op("np.arange", size))
    indexing.set_item(cx, args[0], TupleRef((index, index)), args[1])
    return cx.constant(None)


@handles(np.copyto)
def _copyto(cx: Lowerer, args: list[Ref], kwargs: dict[str, Ref]) -> Ref:
    if kwargs or not isinstance(args[0], ArrayRef):
        cx.fail("np.copyto is supported with two arrays only", "write a[...] = b")
    indexing.set_item(cx, args[0], cx.constant(...), args[1])
    return cx.constant(None)


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
