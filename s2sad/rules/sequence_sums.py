"""Sums and products of the numbers of a sequence: ``sum``, and those of ``math``.

In: nothing. Out: records in the registry.

    math.prod(xs):   x_bar = g * the product of the others
"""

from __future__ import annotations

import builtins
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..ir.kinds import (
    FLOAT,
    INT,
    Array,
    FixedList,
    Kind,
    ListOf,
    Num,
    Tuple,
    join,
)
from ..ir.nodes import Atom, Const
from . import kindrules as kr
from .apply import spread_like
from .declare import rule, sample
from .indexkinds import item as item_kind
from .reductions import given
from .registry import KindError

if TYPE_CHECKING:
    from ..ir.builder import Builder


def elements(k: Kind) -> Kind:
    """The kind of one element of an iterable."""
    match k:
        case Tuple(items) | FixedList(items) if items:
            out = items[0]
            for i in items[1:]:
                out = join(out, i)
            return out
        case ListOf(elem) if elem is not None:
            return elem
        case Array():
            return item_kind((Const(None, k), Const(0, INT)), {})
        case ListOf() | Tuple() | FixedList():
            return INT
    raise KindError(f"expected a list, a tuple or an array, got {kr.describe(k)}")


def _sum_kind(args: Sequence[Atom], attrs: Any) -> Kind:
    k = args[0].kind
    start = args[1] if len(args) > 1 else Const.of(0)
    if isinstance(k, Tuple | FixedList):
        total: Kind = start.kind
        for i in k.items:
            total = kr.add_kind((Const(None, total), Const(None, i)), {})
        return total
    each = Const(None, elements(k))
    if isinstance(each.kind, Num) and isinstance(start.kind, Num):
        added = kr.python_number if each.kind.weak else None
        if added is not None:
            return added(each.kind, start.kind)
    once = kr._number_add((Const(None, plain(start.kind)), each), {})
    assert isinstance(once, Kind)
    return once


def plain(k: Kind) -> Kind:
    """The kind of a number that is nobody's size."""
    return Num(k.dtype, k.weak) if isinstance(k, Num) else k


def _each(b: Builder, g: Atom, xs: Atom) -> Atom:
    """``g`` once for each element of ``xs``."""
    from .apply import conform

    match xs.kind:
        case Array():
            if xs.kind.rank == 1:
                return spread_like(b, g, xs)
            return b.op("broadcast_like", g, xs)
        case Tuple(items) | FixedList(items):
            parts = [conform(b, g, b.op("item", xs, Const.of(n))) for n in range(len(items))]
            return b.op("tuple" if isinstance(xs.kind, Tuple) else "list", *parts)
        case _:
            return b.mul(b.op("list", g), b.op("len", xs))


def sum_vjp(b: Builder, g: Atom, out: Atom, xs: Atom, start: Atom | None = None) -> list[Any]:
    return [lambda: _each(b, g, xs), lambda: g]


def sum_jvp(b: Builder, dots: Any, out: Atom, xs: Atom, start: Atom | None = None) -> Any:
    more = [] if len(dots) < 2 or dots[1] is None else [dots[1]]
    if dots[0] is None:
        return more[0]
    return b.op("sum", dots[0], *more)


rule(
    builtins.sum,
    "iterable start=0",
    kind=_sum_kind,
    vjp=sum_vjp,
    jvp=sum_jvp,
    samples=[
        sample([1.0, 2.0]),
        sample((1.0, 2.0), 3.0),
        sample(np.ones(3)),
        sample([np.ones(2), np.ones(2)]),
        sample(np.ones((2, 3))),
    ],
)
rule(
    math.fsum,
    "seq",
    kind=lambda args, attrs: FLOAT,
    vjp=lambda b, g, out, xs: [_each(b, g, xs)],
    jvp="linear",
    samples=[sample([1.0, 2.0, 1e-3]), sample(np.ones(3))],
)


def math_prod_vjp(b: Builder, g: Atom, out: Atom, xs: Atom, start: Any = None) -> list[Any]:
    array = b.op("np.array", xs)
    first = given(start)

    def wrt_xs() -> Atom:
        seed = g if first is None else b.mul(g, first)
        return b.op("unstack", b.mul(seed, b.op("prod_others", array)), xs)

    return [wrt_xs, lambda: b.mul(g, b.op("np.prod", array))]


def math_prod_jvp(b: Builder, dots: Any, out: Atom, xs: Atom, start: Any = None) -> Atom:
    array = b.op("np.array", xs)
    first = given(start)
    terms = []
    if dots[0] is not None:
        term = b.op("np.dot", b.op("prod_others", array), b.op("np.array", dots[0]))
        terms.append(term if first is None else b.mul(first, term))
    if len(dots) > 1 and dots[1] is not None:
        terms.append(b.mul(dots[1], b.op("np.prod", array)))
    return terms[0] if len(terms) == 1 else b.add(*terms)


def _prod_kind(args: Sequence[Atom], attrs: Any) -> Kind:
    each = elements(args[0].kind)
    if len(args) > 1 and isinstance(each, Num) and isinstance(args[1].kind, Num):
        return kr.python_number(each, args[1].kind) if each.weak else each
    return each


rule(
    math.prod,
    "iterable start=None",
    signature_of="iterable, *, start=None",
    kind=_prod_kind,
    vjp=math_prod_vjp,
    jvp=math_prod_jvp,
    samples=[
        sample([2.0, 0.5, 3.0]),
        sample((2.0, 0.0, 3.0)),
        sample([2.0, 0.5], 3.0),
    ],
)


def dist_vjp(b: Builder, g: Atom, out: Atom, p: Atom, q: Atom) -> list[Any]:
    def one(x: Atom, y: Atom) -> Atom:
        apart = b.sub(b.op("np.array", x), b.op("np.array", y))
        return b.op("unstack", b.op("ratio", b.mul(g, apart), out), x)

    return [lambda: one(p, q), lambda: one(q, p)]


def dist_jvp(b: Builder, dots: Any, out: Atom, p: Atom, q: Atom) -> Atom:
    apart = b.sub(b.op("np.array", p), b.op("np.array", q))
    terms = []
    for sign, t in ((1.0, dots[0]), (-1.0, dots[1])):
        if t is not None:
            terms.append(b.mul(Const.of(sign), b.op("np.dot", apart, b.op("np.array", t))))
    up = terms[0] if len(terms) == 1 else b.add(*terms)
    return b.op("ratio", up, out)


rule(
    math.dist,
    "p q",
    kind=lambda args, attrs: FLOAT,
    vjp=dist_vjp,
    jvp=dist_jvp,
    samples=[
        sample((1.0, 2.0), (3.0, 5.0)),
        sample([1.0, 1.0], [1.0, 1.0], expect=([0.0] * 2, [0.0] * 2)),
    ],
)
