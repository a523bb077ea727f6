"""Admission: tangents that come from inside a program are made to fit their parameters.

In: a module that takes tangents of the kinds of its parameters, and the kinds of those it will
get. Out: a module that takes these, casts them, and asserts what is known only when it runs.

    f_hvp(x: float64[n], x_dot: float64[m])   ->   assert shape(x_dot) == shape(x); ...

A caller outside a program has its tangents checked before anything runs: see `directional`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ..errors import Problem, Span, UnsupportedError
from ..ir.builder import Builder
from ..ir.kinds import Array, Dict, FixedList, Kind, ListOf, Num, Opaque, Record, Tuple, same_dim
from ..ir.nodes import Atom, Const, Module, Region, Value
from ..ir.rewrite import substitute_region
from .adjoints import build_like, part_of, parts_of
from .forward_values import zero


def admit(
    module: Module,
    pairs: Sequence[tuple[int, int]],
    kinds: Sequence[Kind],
    names: Sequence[str],
    span: Span | None,
) -> Module:
    """The module for tangents of other kinds.

    ``pairs`` are (parameter, tangent) by position; ``kinds`` and ``names`` are those of all
    parameters. Raises UnsupportedError where a tangent cannot be one of its parameter.
    """
    entry = module.entry
    b = Builder(tidy=True)
    b.span = span
    params = list(entry.params)
    mapping: dict[Value, Atom] = {}
    for k, n in pairs:
        new = params[n] = Value(kinds[n], entry.params[n].name)
        mapping[entry.params[n]] = _fitted(b, entry.params[k], new, names[k], span)
    body = substitute_region(entry.body, mapping)
    body = Region((), (*b.nodes, *body.ops), body.yields)
    functions = dict(module.functions)
    functions[entry.name] = replace(entry, params=tuple(params), body=body)
    return Module(functions)


def _fitted(b: Builder, x: Atom, t: Atom, name: str, span: Span | None) -> Atom:
    """The tangent ``t`` of ``x`` with its dtype, once its shape is known to be the same."""
    match x.kind, t.kind:
        case Num(), Num():
            if t.kind.dtype[0] == "c" and x.kind.dtype[0] != "c":
                raise _unfit(name, "is complex, and the argument is real", span)
            if t.kind.dtype[0] in "biu" and x.kind.weak is not False:
                return b.op("float", t)
            if x.kind.weak is False and t.kind.dtype != x.kind.dtype:
                return b.op("cast", t, like=x.kind.dtype)
            return t
        case Array(), Array():
            if t.kind.dtype[0] == "c" and x.kind.dtype[0] != "c":
                raise _unfit(name, "is complex, and the argument is real", span)
            if None not in (x.kind.rank, t.kind.rank) and x.kind.rank != t.kind.rank:
                raise _unfit(name, "has another number of axes than the argument", span)
            if not _same(x.kind, t.kind):
                same = b.op("eq", b.op("shape", t), b.op("shape", x))
                text = f"the tangent of {name!r} must have its shape"
                b.ops("assert", same, Const.of(text))
            return t if t.kind.dtype == x.kind.dtype else b.op("cast", t, like=x.kind.dtype)
        case (
            ((Tuple() | FixedList()), (Tuple() | FixedList()))
            | (Dict(), Dict())
            | (Record(), Record())
        ):
            mine, theirs = parts_of(x.kind), parts_of(t.kind)
            if [key for key, _ in mine] != [key for key, _ in theirs]:
                raise _unfit(name, "is not built like the argument", span)
            parts = [
                _fitted(b, part_of(b, x, key), part_of(b, t, key), name, span) for key, _ in mine
            ]
            return build_like(b, x.kind, [key for key, _ in mine], parts)
        case ListOf(), (ListOf() | FixedList()):
            same = b.op("eq", b.op("len", t), b.op("len", x))
            b.ops("assert", same, Const.of(f"the tangent of {name!r} must have its length"))
            return t
        case _, Opaque(cls) if cls is type(None):
            return zero(b, x)
        case Num(dtype), _ if dtype[0] not in "fc":
            return Const.of(0.0)
        case _:
            if x.kind == t.kind:
                return t
            raise _unfit(name, "is not built like the argument", span)


def _same(x: Array, t: Array) -> bool:
    if x.dims is None or t.dims is None:
        return False
    return len(x.dims) == len(t.dims) and all(map(same_dim, x.dims, t.dims))


def _unfit(name: str, how: str, span: Span | None) -> UnsupportedError:
    return UnsupportedError(Problem(f"the tangent of {name!r} {how}", span))
