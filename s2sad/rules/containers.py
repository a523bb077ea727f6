"""The structural primitives on containers and values, and those with effects.

In: nothing. Out: records in the registry; ``fun`` has value semantics, as in ``structural``.

    append([1.0], 2.0)   ->   [1.0, 2.0], a new list
"""

from __future__ import annotations

import copy as copy_module
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from .. import runtime
from ..ir.kinds import (
    FLOAT,
    INT,
    NONE,
    STR,
    UNKNOWN,
    Array,
    Dict,
    FixedList,
    Kind,
    ListOf,
    Mixed,
    Num,
    Opaque,
    Record,
    Tuple,
    join,
)
from ..ir.nodes import Atom, Const
from . import helpers
from . import indexkinds as ik
from . import kindrules as kr
from .declare import define, points
from .registry import KindError, Sample

# -- containers ----------------------------------------------------------------------------------


def _tuple(*xs: Any) -> tuple[Any, ...]:
    return xs


def _list(*xs: Any) -> list[Any]:
    return list(xs)


def _dict(*vs: Any, keys: tuple[Any, ...]) -> dict[Any, Any]:
    return dict(zip(keys, vs, strict=True))


def _record(*vs: Any, cls: type, fields: tuple[str, ...] | None = None) -> Any:
    return cls(*vs) if fields is None else cls(**dict(zip(fields, vs, strict=True)))


def _record_kind(args: Sequence[Atom], attrs: Mapping[str, Any]) -> Kind:
    import dataclasses

    cls = attrs["cls"]
    kinds = [a.kind for a in args]
    names = attrs.get("fields")
    if issubclass(cls, tuple):
        return Tuple(tuple(kinds), None if cls is tuple else cls)
    if names is None:
        names = [f.name for f in dataclasses.fields(cls) if f.init]
    return Record(cls, tuple(zip(names, kinds, strict=True)))


def _attr(x: Any, *, name: str) -> Any:
    return getattr(x, name)


def _attr_kind(args: Sequence[Atom], attrs: Mapping[str, Any]) -> Kind:
    k, name = args[0].kind, attrs["name"]
    match k:
        case Record():
            for field, kind in k.fields:
                if field == name:
                    return kind
        case Tuple() if k.cls is not None:
            return k.items[k.cls._fields.index(name)]  # type: ignore[attr-defined]
    return UNKNOWN


def _list_kind(args: Sequence[Atom], attrs: Mapping[str, Any]) -> Kind:
    """A list display keeps its length until control flow forgets it."""
    return FixedList(tuple(a.kind for a in args)) if args else ListOf(None)


def _filled(b: Any, dots: Sequence[Any], xs: Sequence[Atom]) -> list[Atom]:
    """The tangents of the parts of a container, zeros spelled out."""
    return [b.op("zeros_like", x) if t is None else t for x, t in zip(xs, dots, strict=True)]


define(
    "tuple",
    _tuple,
    "*xs",
    lambda args, attrs: Tuple(tuple(a.kind for a in args)),
    vjp=lambda b, g, out, *xs: [b.op("item", g, Const.of(n)) for n in range(len(xs))],
    jvp=lambda b, dots, out, *xs: b.op("tuple", *_filled(b, dots, xs)),
)
define(
    "list",
    _list,
    "*xs",
    _list_kind,
    vjp=lambda b, g, out, *xs: [b.op("item", g, Const.of(n)) for n in range(len(xs))],
    jvp=lambda b, dots, out, *xs: b.op("list", *_filled(b, dots, xs)),
)
define(
    "dict",
    _dict,
    "*vs",
    lambda args, attrs: Dict(tuple(zip(attrs["keys"], (a.kind for a in args), strict=True))),
    vjp=lambda b, g, out, *vs, keys: [b.op("item", g, Const.of(k)) for k in keys],
    jvp=lambda b, dots, out, *vs, keys: b.op("dict", *_filled(b, dots, vs), keys=keys),
)
define("record", _record, "*vs", _record_kind)
define("attr", _attr, "x", _attr_kind, view_of=0)


def _append(lst: list[Any], x: Any) -> list[Any]:
    return [*lst, x]


def _append_kind(args: Sequence[Atom], attrs: Mapping[str, Any]) -> Kind:
    k, x = args[0].kind, args[1].kind
    match k:
        case FixedList():
            return FixedList((*k.items, x))
        case ListOf():
            return ListOf(x if k.elem is None else join(k.elem, x))
        case _:
            raise KindError(f"cannot append to {kr.describe(k)}")


def _pop(lst: list[Any], i: int = -1) -> tuple[list[Any], Any]:
    out = list(lst)
    x = out.pop(i)
    return out, x


def _pop_kind(args: Sequence[Atom], attrs: Mapping[str, Any]) -> tuple[Kind, ...]:
    k = args[0].kind
    match k:
        case FixedList() if len(args) == 1:
            if not k.items:
                raise KindError("pop from an empty list")
            return FixedList(k.items[:-1]), k.items[-1]
        case FixedList() if isinstance(args[1], Const):
            items = list(k.items)
            x = items.pop(args[1].value)
            return FixedList(tuple(items)), x
        case FixedList() | ListOf():
            from ..ir.kinds import loosen

            loose = loosen(k)
            return loose, UNKNOWN if loose.elem is None else loose.elem
        case _:
            raise KindError(f"cannot pop from {kr.describe(k)}")


def _extend(lst: list[Any], other: Any) -> list[Any]:
    return [*lst, *other]


def _extend_kind(args: Sequence[Atom], attrs: Mapping[str, Any]) -> Kind:
    a, b = args[0].kind, args[1].kind
    match b:
        case Tuple(items):
            b = FixedList(items)
        case Array() | Mixed():
            b = ListOf(ik.item((Const(None, b), Const.of(0)), {}))
    match a, b:
        case FixedList(), FixedList():
            return FixedList(a.items + b.items)
        case ((FixedList() | ListOf()), (FixedList() | ListOf())):
            from ..ir.kinds import join_lists, loosen

            return join_lists(loosen(a), loosen(b))
    raise KindError(f"cannot extend {kr.describe(a)} by {kr.describe(b)}")


def _insert(lst: list[Any], i: int, x: Any) -> list[Any]:
    out = list(lst)
    out.insert(i, x)
    return out


def _insert_kind(args: Sequence[Atom], attrs: Mapping[str, Any]) -> Kind:
    k, i, x = args
    if isinstance(k.kind, FixedList) and isinstance(i, Const):
        return FixedList(tuple(_insert(list(k.kind.items), i.value, x.kind)))
    return _append_kind((k, x), attrs)


define("append", _append, "lst x", _append_kind, writes=0)
define("pop", _pop, "lst i", _pop_kind, writes=0)
define("extend", _extend, "lst other", _extend_kind, writes=0)
define("insert", _insert, "lst i x", _insert_kind, writes=0)

# -- order: what a key function says of the elements of a list ------------------------------------

define("order_of", runtime.order_of, "keys reverse", lambda args, attrs: ListOf(INT), zero=True)
define("place_of_best", runtime.place_of_best, "keys largest", lambda args, attrs: INT, zero=True)

# -- dicts whose keys only the run knows: positions by key ----------------------------------------

define("positions", runtime.positions, "*keys", lambda args, attrs: Opaque(dict), zero=True)
define("without", runtime.without, "at key", lambda args, attrs: Opaque(dict), zero=True)

# -- values --------------------------------------------------------------------------------------


def _copy(a: Any) -> Any:
    return copy_module.copy(a) if not hasattr(a, "copy") else a.copy()


def zeros_kind(k: Kind) -> Kind:
    """The kind of a zero cotangent of a value of kind ``k``."""
    match k:
        case Num():
            if k.weak is not False:
                return FLOAT if k.dtype[0] in "biuf" else Num(k.dtype, True)
            return Num(k.dtype, False)
        case Tuple():
            return Tuple(tuple(map(zeros_kind, k.items)), k.cls)
        case FixedList():
            return FixedList(tuple(map(zeros_kind, k.items)))
        case ListOf():
            return ListOf(None if k.elem is None else zeros_kind(k.elem))
        case Dict():
            return Dict(tuple((key, zeros_kind(v)) for key, v in k.items))
        case Record():
            return Record(k.cls, tuple((n, zeros_kind(v)) for n, v in k.fields))
        case Array() | Mixed():
            return k
        case Opaque():
            return NONE
        case _:
            return UNKNOWN


def _cast_kind(args: Sequence[Atom], attrs: Mapping[str, Any]) -> Kind:
    match args[0].kind:
        case Num():
            return Num(attrs["like"], False)
        case Array(_, dims):
            return Array(attrs["like"], dims)
        case Mixed():
            return Mixed(attrs["like"])
        case k:
            raise KindError(f"{kr.describe(k)} has no dtype")


def _unbroadcast_kind(args: Sequence[Atom], attrs: Mapping[str, Any]) -> Kind:
    g, x = kr.numeric(args[0].kind), kr.numeric(args[1].kind)
    dims = kr.dims_of(x)
    if dims == ():
        return Num(g.dtype, None if isinstance(g, Num) else False)
    return Array(g.dtype, dims) if isinstance(x, Array) else Mixed(g.dtype)


define("copy", _copy, "a", kr.same())
define("zeros_like", runtime.zeros_like, "x", kr.mapped(zeros_kind), zero=True)
define(
    "cast",
    helpers.cast,
    "x",
    _cast_kind,
    vjp=lambda b, g, out, x, *, like: [g],
    jvp=lambda b, dots, out, x, *, like: b.op("cast", dots[0], like=like),
)
define(
    "unbroadcast",
    runtime.unbroadcast,
    "g x",
    _unbroadcast_kind,
    vjp=lambda b, g_bar, out, g, x: [b.op("broadcast_like", g_bar, g), None],
    jvp=("unbroadcast(g_dot, x)", None),
)


def _broadcast_like_kind(args: Sequence[Atom], attrs: Mapping[str, Any]) -> Kind:
    x, like = kr.numeric(args[0].kind), args[1].kind
    match like:
        case Array(_, dims):
            return Array(x.dtype, dims) if dims != () else x
        case Num():
            return x
        case _:
            return Mixed(x.dtype)


define(
    "broadcast_like",
    helpers.broadcast_like,
    "x like",
    _broadcast_like_kind,
    view_of=0,
    vjp=("unbroadcast(g, x)", None),
    jvp=("broadcast_like(x_dot, like)", None),
)


def _ratio_kind(args: Sequence[Atom], attrs: Mapping[str, Any]) -> Kind:
    kinds = [kr.numeric(a.kind) for a in args]
    if all(isinstance(k, Num) and k.weak for k in kinds):
        return kr.python_number(*(k for k in kinds if isinstance(k, Num)), least=2)
    return kr.elementwise_kind(kr.true_dtype(*kinds), kinds)


define(
    "ratio",
    runtime.ratio,
    "x y",
    _ratio_kind,
    partials=("ratio(g, y)", "-ratio(ratio(g, y) * x, y)"),
    samples=points(2, "positive"),
)

define(
    "power_slope",
    runtime.power_slope,
    "s x y",
    _ratio_kind,
    partials=(
        "power_slope(g, x, y)",
        "power_slope(g * s * y, x, y - 1)",
        "g * s * x ** (y - 1) * (1 + y * log_base(x))",
    ),
    samples=[Sample((1.5, 0.7, 2.5)), Sample((np.ones(2), np.array([0.5, 2.0]), 3))],
)
define(
    "log_base",
    runtime.log_base,
    "x",
    _ratio_kind,
    partials=("ratio(g, x)",),
    samples=points(1, "positive"),
)


define(
    "sum_repeats",
    helpers.sum_repeats,
    "v x",
    lambda args, attrs: zeros_kind(args[1].kind),
    vjp=lambda b, g, out, v, x: [
        b.op("mul", g, b.op("floordiv", b.op("len", v), b.op("len", x))),
        None,
    ],
    jvp=("sum_repeats(v_dot, x)", None),
    samples=[Sample(([1.0, 2.0, 3.0, 4.0], [0.0, 0.0]))],
)

# -- effects -------------------------------------------------------------------------------------


def _raise(error: Any, *args: Any) -> None:
    raise error(*args) if args or isinstance(error, type) else error


def _assert(cond: Any, message: Any = None) -> None:
    if not cond:
        raise AssertionError(*([] if message is None else [message]))


def _format(*xs: Any, template: str | None = None) -> str:
    """``template.format(*xs)``; without one, the parts put together."""
    return "".join(map(str, xs)) if template is None else template.format(*xs)


def _call(f: Callable[..., Any], *xs: Any, result: Kind | None = None, **options: Any) -> Any:
    return f(*xs, **options)


def _call_kind(args: Sequence[Atom], attrs: Mapping[str, Any]) -> Kind:
    known: Kind | None = attrs.get("result")
    return UNKNOWN if known is None else known


def _nothing(args: Sequence[Atom], attrs: Mapping[str, Any]) -> tuple[Kind, ...]:
    return ()


define("print", print, "*xs", _nothing, effect="prints", zero=True)
define("log", runtime.log, "append x", _nothing, effect="prints", zero=True)
define("raise", _raise, "*xs", _nothing, effect="raises", zero=True)
define("assert", _assert, "cond message", _nothing, effect="raises", zero=True)
define("format", _format, "*xs", kr.constant(STR), zero=True)
define("call", _call, "f *xs", _call_kind, zero=True)
