"""The structural primitives: operators, indexing, containers and effects.

In: nothing. Out: records in the registry. ``fun`` has value semantics everywhere: ``setitem``
returns a changed copy. That is what the reference interpreter runs and what emitted code must
agree with, whatever it does in place.

    setitem(a, 0, 5.0)   ->   a copy of a with a[0] = 5.0
"""

from __future__ import annotations

import copy as copy_module
import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from .. import runtime
from ..ir.kinds import (
    BOOL,
    FLOAT,
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
from . import helpers, indexkinds as ik
from . import kindrules as kr
from . import linear, staged
from .registry import KindError, KindRule, Primitive, Sample, primitive, register

Attrs = Mapping[str, Any]
Atoms = Sequence[Atom]


def _define(
    name: str, fun: Callable[..., Any], operands: str, kind: KindRule, **more: Any
) -> Primitive:
    answers_to = more.pop("answers_to", (fun,))
    return register(Primitive(name, fun, tuple(operands.split()), kind, **more), *answers_to)


def _points(count: int, domain: str = "real") -> Callable[[], Sequence[Sample]]:
    def samples() -> Sequence[Sample]:
        from .samples import elementwise_samples

        return elementwise_samples("", count, domain, ())

    return samples


# -- arithmetic ----------------------------------------------------------------------------------

_define("add", operator.add, "x y", kr.add_kind, partials=("1", "1"), vjp=staged.add_vjp, jvp=staged.add_jvp, samples=staged.add_samples)
_define(
    "sub", operator.sub, "x y", kr.sized_arithmetic(np.subtract, -1), partials=("1", "-1"), samples=_points(2)
)
_define("mul", operator.mul, "x y", kr.mul_kind, partials=("y", "x"), vjp=staged.mul_vjp, jvp=staged.mul_jvp, samples=staged.mul_samples)
_define(
    "div",
    operator.truediv,
    "x y",
    kr.arithmetic(np.true_divide, least=2),
    partials=("ratio(g, y)", "-ratio(ratio(g, y) * x, y)"),
    vjp=staged.div_vjp,
    jvp=staged.div_jvp,
    samples=_points(2, "positive"),
)
_define("floordiv", operator.floordiv, "x y", kr.arithmetic(np.floor_divide), zero=True)
_define("mod", operator.mod, "x y", kr.arithmetic(np.remainder), partials=("1", "-(x // y)"), samples=_points(2, "apart"))
_define(
    "pow", operator.pow, "x y", kr.pow_kind, partials=("power_slope(g, x, y)", "g * out * log_base(x)"), vjp=staged.pow_vjp, jvp=staged.pow_jvp, samples=staged.pow_samples
)
_define("neg", operator.neg, "x", kr.arithmetic(np.negative), partials=("-1",), samples=_points(1))
_define("pos", operator.pos, "x", kr.arithmetic(np.positive), partials=("1",), samples=_points(1))
_define("invert", operator.invert, "x", kr.arithmetic(np.invert), zero=True)
_define("lshift", operator.lshift, "x y", kr.arithmetic(np.left_shift), zero=True)
_define("rshift", operator.rshift, "x y", kr.arithmetic(np.right_shift), zero=True)
_define("bitand", operator.and_, "x y", kr.bitwise(np.bitwise_and), zero=True)
_define("bitor", operator.or_, "x y", kr.bitwise(np.bitwise_or), zero=True)
_define("bitxor", operator.xor, "x y", kr.bitwise(np.bitwise_xor), zero=True)
_define(
    "matmul",
    operator.matmul,
    "x y",
    kr.matmul_kind,
    vjp=linear.matmul_vjp,
    jvp=("x_dot @ y", "x @ y_dot"),
    samples=lambda: primitive("np.matmul").samples,
)

# -- comparisons and truth -----------------------------------------------------------------------

for _name, _fun, _ufunc in (
    ("lt", operator.lt, np.less),
    ("le", operator.le, np.less_equal),
    ("gt", operator.gt, np.greater),
    ("ge", operator.ge, np.greater_equal),
    ("eq", operator.eq, np.equal),
    ("ne", operator.ne, np.not_equal),
):
    _define(_name, _fun, "x y", kr.compare_kind(_ufunc), zero=True)

_define("is", operator.is_, "x y", kr.constant(BOOL), zero=True)
_define("is_not", operator.is_not, "x y", kr.constant(BOOL), zero=True)
_define("in", lambda x, y: x in y, "x y", kr.constant(BOOL), zero=True)
_define("not_in", lambda x, y: x not in y, "x y", kr.constant(BOOL), zero=True)
_define("not", operator.not_, "x", kr.constant(BOOL), zero=True)
_define("and", lambda x, y: x and y, "x y", kr.joined, zero=True)
_define("or", lambda x, y: x or y, "x y", kr.joined, zero=True)

# -- indexing ------------------------------------------------------------------------------------


def _item(x: Any, i: Any) -> Any:
    return x[i]


def _changed(a: Any) -> Any:
    """A copy deep enough for one level of item assignment."""
    return a.copy(order="K") if isinstance(a, np.ndarray) else copy_module.copy(a)


def _setitem(a: Any, i: Any, v: Any) -> Any:
    out = _changed(a)
    out[i] = v
    return out


def _accumulate(buf: Any, i: Any, g: Any) -> Any:
    return runtime.accumulate(_changed(buf), i, g)


def _accumulate_kind(args: Atoms, attrs: Attrs) -> Kind:
    """Arrays keep their kind; an element of a list may become what is added to it."""
    k = args[0].kind
    return ik.setitem(args, attrs) if isinstance(k, ListOf | FixedList) else k


def _add_to_kind(args: Atoms, attrs: Attrs) -> Kind:
    buf, g = args[0].kind, args[1].kind
    if isinstance(buf, Num) and isinstance(g, Num):
        return kr.add_kind(args, attrs)
    return buf


_define("item", _item, "x i", ik.item, view_of=0, answers_to=(operator.getitem,))
_define("setitem", _setitem, "a i v", ik.setitem, writes=0)
_define("accumulate", _accumulate, "buf i g", _accumulate_kind, writes=0)
_define("add_to", runtime.add, "buf g", _add_to_kind, writes=0)
_define("slice", slice, "start stop step", ik.slice_kind, zero=True)
_define("len", len, "x", ik.length, zero=True)
_define("shape", np.shape, "x", ik.shape, zero=True)

# -- containers ----------------------------------------------------------------------------------


def _tuple(*xs: Any) -> tuple[Any, ...]:
    return xs


def _list(*xs: Any) -> list[Any]:
    return list(xs)


def _dict(*vs: Any, keys: tuple[Any, ...]) -> dict[Any, Any]:
    return dict(zip(keys, vs, strict=True))


def _record(*vs: Any, cls: type, fields: tuple[str, ...] | None = None) -> Any:
    return cls(*vs) if fields is None else cls(**dict(zip(fields, vs, strict=True)))


def _record_kind(args: Atoms, attrs: Attrs) -> Kind:
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


def _attr_kind(args: Atoms, attrs: Attrs) -> Kind:
    k, name = args[0].kind, attrs["name"]
    match k:
        case Record():
            for field, kind in k.fields:
                if field == name:
                    return kind
        case Tuple() if k.cls is not None:
            return k.items[getattr(k.cls, "_fields").index(name)]
    return UNKNOWN


def _list_kind(args: Atoms, attrs: Attrs) -> Kind:
    """A list display keeps its length until control flow forgets it."""
    return FixedList(tuple(a.kind for a in args)) if args else ListOf(None)


_define(
    "tuple",
    _tuple,
    "*xs",
    lambda args, attrs: Tuple(tuple(a.kind for a in args)),
    vjp=lambda b, g, out, *xs: [b.op("item", g, Const.of(n)) for n in range(len(xs))],
    jvp=lambda b, dots, out, *xs: b.op("tuple", *dots),
)
_define(
    "list",
    _list,
    "*xs",
    _list_kind,
    vjp=lambda b, g, out, *xs: [b.op("item", g, Const.of(n)) for n in range(len(xs))],
    jvp=lambda b, dots, out, *xs: b.op("list", *dots),
)
_define(
    "dict",
    _dict,
    "*vs",
    lambda args, attrs: Dict(
        tuple(zip(attrs["keys"], (a.kind for a in args), strict=True))
    ),
    vjp=lambda b, g, out, *vs, keys: [b.op("item", g, Const.of(k)) for k in keys],
    jvp=lambda b, dots, out, *vs, keys: b.op("dict", *dots, keys=keys),
)
_define("record", _record, "*vs", _record_kind)
_define("attr", _attr, "x", _attr_kind, view_of=0)


def _append(lst: list[Any], x: Any) -> list[Any]:
    return [*lst, x]


def _append_kind(args: Atoms, attrs: Attrs) -> Kind:
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


def _pop_kind(args: Atoms, attrs: Attrs) -> tuple[Kind, ...]:
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


def _extend_kind(args: Atoms, attrs: Attrs) -> Kind:
    a, b = args[0].kind, args[1].kind
    match b:
        case Tuple(items):
            b = FixedList(items)
        case Array() | Mixed():
            b = ListOf(ik.item((Const(None, b), Const.of(0)), {}))
    match a, b:
        case FixedList(), FixedList():
            return FixedList(a.items + b.items)
        case (FixedList() | ListOf()), (FixedList() | ListOf()):
            from ..ir.kinds import join_lists, loosen

            return join_lists(loosen(a), loosen(b))
    raise KindError(f"cannot extend {kr.describe(a)} by {kr.describe(b)}")


def _insert(lst: list[Any], i: int, x: Any) -> list[Any]:
    out = list(lst)
    out.insert(i, x)
    return out


def _insert_kind(args: Atoms, attrs: Attrs) -> Kind:
    k, i, x = args
    if isinstance(k.kind, FixedList) and isinstance(i, Const):
        return FixedList(tuple(_insert(list(k.kind.items), i.value, x.kind)))
    return _append_kind((k, x), attrs)


_define("append", _append, "lst x", _append_kind, writes=0)
_define("pop", _pop, "lst i", _pop_kind, writes=0)
_define("extend", _extend, "lst other", _extend_kind, writes=0)
_define("insert", _insert, "lst i x", _insert_kind, writes=0)

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


def _cast_kind(args: Atoms, attrs: Attrs) -> Kind:
    match args[0].kind:
        case Num():
            return Num(attrs["like"], False)
        case Array(_, dims):
            return Array(attrs["like"], dims)
        case Mixed():
            return Mixed(attrs["like"])
        case k:
            raise KindError(f"{kr.describe(k)} has no dtype")


def _unbroadcast_kind(args: Atoms, attrs: Attrs) -> Kind:
    g, x = kr.numeric(args[0].kind), kr.numeric(args[1].kind)
    dims = kr.dims_of(x)
    if dims == ():
        return Num(g.dtype, None if isinstance(g, Num) else False)
    return Array(g.dtype, dims) if isinstance(x, Array) else Mixed(g.dtype)


_define("copy", _copy, "a", kr.same())
_define("zeros_like", runtime.zeros_like, "x", kr.mapped(zeros_kind), zero=True)
_define(
    "cast",
    helpers.cast,
    "x",
    _cast_kind,
    vjp=lambda b, g, out, x, *, like: [g],
    jvp=lambda b, dots, out, x, *, like: b.op("cast", dots[0], like=like),
)
_define(
    "unbroadcast",
    runtime.unbroadcast,
    "g x",
    _unbroadcast_kind,
    vjp=lambda b, g_bar, out, g, x: [b.op("broadcast_like", g_bar, g), None],
    jvp=lambda b, dots, out, g, x: b.op("unbroadcast", dots[0], x),
)


def _broadcast_like_kind(args: Atoms, attrs: Attrs) -> Kind:
    x, like = kr.numeric(args[0].kind), args[1].kind
    match like:
        case Array(_, dims):
            return Array(x.dtype, dims) if dims != () else x
        case Num():
            return x
        case _:
            return Mixed(x.dtype)


_define(
    "broadcast_like",
    helpers.broadcast_like,
    "x like",
    _broadcast_like_kind,
    view_of=0,
    vjp=("unbroadcast(g, x)", None),
    jvp="broadcast_like(x_dot, like)",
)


def _ratio_kind(args: Atoms, attrs: Attrs) -> Kind:
    kinds = [kr.numeric(a.kind) for a in args]
    if all(isinstance(k, Num) and k.weak for k in kinds):
        return kr.python_number(*(k for k in kinds if isinstance(k, Num)), least=2)
    return kr.elementwise_kind(kr.true_dtype(*kinds), kinds)


_define(
    "ratio",
    runtime.ratio,
    "x y",
    _ratio_kind,
    partials=("ratio(g, y)", "-ratio(ratio(g, y) * x, y)"),
    samples=_points(2, "positive"),
)

_define(
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
_define("log_base", runtime.log_base, "x", _ratio_kind, partials=("ratio(g, x)",), samples=_points(1, "positive"))


_define("sum_repeats", helpers.sum_repeats, "g x", lambda args, attrs: zeros_kind(args[1].kind))

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


def _call_kind(args: Atoms, attrs: Attrs) -> Kind:
    known: Kind | None = attrs.get("result")
    return UNKNOWN if known is None else known


def _nothing(args: Atoms, attrs: Attrs) -> tuple[Kind, ...]:
    return ()


_define("print", print, "*xs", _nothing, effect="prints", zero=True)
_define("raise", _raise, "*xs", _nothing, effect="raises", zero=True)
_define("assert", _assert, "cond message", _nothing, effect="raises", zero=True)
_define("format", _format, "*xs", kr.constant(STR), zero=True)
_define("call", _call, "f *xs", _call_kind, zero=True)
