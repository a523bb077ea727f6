"""Functions that join arrays and split them.

In: nothing. Out: records in the registry. Each array gets its slice of the cotangent.

    np.concatenate((a, b)):   a_bar, b_bar = g[:len(a)], g[len(a):]
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..ir.kinds import Array, Dim, FixedList, Kind, ListOf, Num, Size, Tuple
from ..ir.nodes import Atom, Const, Value
from . import helpers
from .apply import conform
from .declare import each, rule, sample
from .examplekinds import by_example
from .kindrules import as_array
from .linear import rank
from .registry import KindError

if TYPE_CHECKING:
    from ..ir.builder import Builder

_A = np.arange(6.0).reshape(2, 3) + 1.0

# -- joining -------------------------------------------------------------------------------------


def pieces(seq: Atom) -> tuple[Kind, ...]:
    """The kinds of the arrays in a tuple or list operand of known length."""
    k = seq.kind
    if isinstance(k, Tuple | FixedList):
        return k.items
    raise KindError("the number of arrays is not known here")


def _put_together(b: Builder, seq: Atom, parts: Sequence[Atom]) -> Atom:
    return b.op("tuple" if isinstance(seq.kind, Tuple) else "list", *parts)


def concatenate_vjp(b: Builder, g: Atom, out: Atom, arrays: Atom, **o: Any) -> list[Any]:
    """Each array gets its slice of the cotangent."""
    axis = o.get("axis", 0)
    if isinstance(arrays.kind, ListOf):
        return [b.op("unconcatenate", g, arrays, axis=axis)]
    if isinstance(arrays.kind, Array) and axis in (0, None):
        return [b.op("np.reshape", g, b.op("shape", arrays))]
    kinds = pieces(arrays)
    parts: list[Atom] = []
    start: Atom = Const.of(0)
    for n in range(len(kinds)):
        x = b.op("item", arrays, Const.of(n))
        size = b.op("np.size", x) if axis is None else _size(b, x, axis)
        stop = b.add(start, size)
        part = b.op("item", g, _along(b, axis or 0, start, stop, rank(out), n == len(kinds) - 1))
        if axis is None and rank(x) != 1:
            part = b.op("np.reshape", part, b.op("shape", x))
        parts.append(conform(b, part, x))
        start = stop
    return [_put_together(b, arrays, parts)]


def _size(b: Builder, x: Atom, axis: int) -> Atom:
    return b.op("len", x) if axis == 0 else b.op("item", b.op("shape", x), Const.of(axis))


def _along(b: Builder, axis: int, start: Atom, stop: Atom, ndim: int, last: bool) -> Atom:
    """The index ``[..., start:stop, ...]`` along one axis."""
    none = Const.of(None)
    first = isinstance(start, Const) and start.value == 0
    bounds = (none if first else start, none if last else stop, none)
    if all(isinstance(x, Const) for x in bounds):
        part: Atom = Const.of(slice(*(x.value for x in bounds if isinstance(x, Const))))
    else:
        part = b.op("slice", *bounds)
    before = axis % ndim
    if not before:
        return part
    return b.op("tuple", *[Const.of(slice(None))] * before, part)


def joined_kind(fun: Any) -> Any:
    """The kind by example, or rank and dtype for a list of unknown length."""
    exact = by_example(fun)
    loose = by_example(fun, shapes_only=False)

    def kind(args: Sequence[Atom], attrs: Any) -> Any:
        if isinstance(args[0].kind, ListOf):
            return loose(args, attrs)
        return exact((_agreed(fun, args[0], attrs), *args[1:]), attrs)

    return kind


def _agreed(fun: Any, arrays: Atom, attrs: Any) -> Atom:
    """The operands with the sizes NumPy makes them have: a number, where one of them has it."""
    kind = arrays.kind
    axis = attrs.get("axis", 0)
    if fun not in (np.stack, np.concatenate) or not isinstance(axis, int):
        return arrays
    if isinstance(arrays, Const) or not isinstance(kind, Tuple | FixedList):
        return arrays
    known = [(k.dtype, k.dims) for k in kind.items if isinstance(k, Array) and k.dims is not None]
    ranks = {len(dims) for _, dims in known}
    if len(known) != len(kind.items) or len(ranks) != 1:
        return arrays
    (rank,) = ranks
    joined = axis % rank if fun is np.concatenate and rank else None
    common: dict[int, Dim] = {
        n: dims[n]
        for _, dims in known
        for n in range(rank)
        if n != joined and isinstance(dims[n], int)
    }
    items = tuple(
        Array(
            dtype, tuple(d if isinstance(d, int) else common.get(n, d) for n, d in enumerate(ds))
        )
        for dtype, ds in known
    )
    return Value(dataclasses.replace(kind, items=items))


rule(
    np.concatenate,
    "arrays",
    "axis=0, out=None, *, dtype=None, casting='same_kind'",
    kind=joined_kind(np.concatenate),
    vjp=concatenate_vjp,
    jvp="linear",
    aliases=(np.concat,),
    samples=[
        sample((np.ones(2), np.ones(3))),
        sample([_A, _A[:1]]),
        sample((_A, _A), axis=1),
        sample((_A, _A[:, :1], _A), axis=-1),
        sample((_A, np.ones(2)), axis=None),
        sample((np.ones(2, "float32"), np.ones(3))),
        sample((np.zeros(0), np.ones(3))),
        sample(_A),
        sample((np.ones(2, "float32"), np.ones(3, "float32")), dtype="float64"),
    ],
)
rule(
    helpers.unconcatenate,
    "v arrays",
    "axis=0",
    name="unconcatenate",
    view_of=0,
    kind=lambda args, attrs: args[1].kind,
    vjp=lambda b, g, out, v, arrays, **o: [b.op("np.concatenate", g, **o), None],
    jvp=("unconcatenate(v_dot, arrays, axis=axis)", None),
    samples=[sample(np.ones(5), [np.ones(2), np.ones(3)])],
)


def stack_vjp(b: Builder, g: Atom, out: Atom, arrays: Atom, **o: Any) -> list[Any]:
    axis = o.get("axis", 0) % rank(out)
    if isinstance(arrays.kind, Array):
        return [b.op("np.moveaxis", g, source=axis, destination=0)]
    if isinstance(arrays.kind, ListOf):
        return [
            b.op(
                "unstack",
                g if axis == 0 else b.op("np.moveaxis", g, source=axis, destination=0),
                arrays,
            )
        ]
    before = (slice(None),) * axis
    parts = [
        conform(
            b,
            b.op("item", g, Const.of((*before, n) if before else n)),
            b.op("item", arrays, Const.of(n)),
        )
        for n in range(len(pieces(arrays)))
    ]
    return [_put_together(b, arrays, parts)]


rule(
    np.stack,
    "arrays",
    "axis=0, out=None, *, dtype=None, casting='same_kind'",
    kind=joined_kind(np.stack),
    vjp=stack_vjp,
    jvp="linear",
    samples=[
        sample((np.ones(2), np.ones(2))),
        sample([_A, _A], axis=1),
        sample((_A, _A, _A), axis=-1),
        sample((1.0, 2.0)),
        sample(_A, axis=1),
    ],
)


def _unstack_kind(args: Sequence[Atom], attrs: Any) -> Kind:
    g = as_array(args[0].kind)

    def like(k: Kind) -> Kind:
        match k:
            case Num():
                return Num(g.dtype, False)
            case Array():
                return Array(g.dtype, k.dims)
            case Tuple():
                return Tuple(tuple(map(like, k.items)))
            case FixedList():
                return FixedList(tuple(map(like, k.items)))
            case ListOf():
                return ListOf(None if k.elem is None else like(k.elem))
            case _:
                return k

    return like(args[1].kind)


rule(
    helpers.unstack,
    "v x",
    name="unstack",
    view_of=0,
    kind=_unstack_kind,
    vjp=("array(g)", None),
    jvp=("unstack(v_dot, x)", None),
    samples=[sample(_A, [np.ones(3), np.ones(3)]), sample(np.ones(2), (1.0, 2.0))],
)


def _via(change: Any, join: str, axis: Any) -> Any:
    """Joins written as another join of changed arrays: their cotangent, changed back."""

    def vjp(b: Builder, g: Atom, out: Atom, tup: Atom, **o: Any) -> list[Any]:
        if isinstance(tup.kind, Array) and axis == 0:
            return [b.op("np.reshape", g, b.op("shape", tup))]
        shaped = [b.op(change, b.op("item", tup, Const.of(n))) for n in range(len(pieces(tup)))]
        inner = b.op("tuple", *shaped)
        over = axis(shaped) if callable(axis) else axis
        cut = concatenate_vjp(b, g, out, inner, axis=over)[0]
        parts = []
        for n, x in enumerate(pieces(tup)):
            part = b.op("item", cut, Const.of(n))
            here = b.op("item", tup, Const.of(n))
            if isinstance(x, Num):
                part = b.op("item", part, Const.of((0,) * rank(part)))
            elif rank(here) != rank(part):
                part = b.op("np.reshape", part, b.op("shape", here))
            parts.append(conform(b, part, here))
        return [_put_together(b, tup, parts)]

    return vjp


def _hstack_axis(shaped: Sequence[Atom]) -> int:
    return 0 if rank(shaped[0]) == 1 else 1


_PAIRS = [sample((np.ones(3), np.ones(3))), sample([_A, _A]), sample((1.0, 2.0))]
for _f, _vjp, _options in (
    (np.vstack, _via("np.atleast_2d", "concatenate", 0), "*, dtype=None, casting='same_kind'"),
    (
        np.hstack,
        _via("np.atleast_1d", "concatenate", _hstack_axis),
        "*, dtype=None, casting='same_kind'",
    ),
    (np.dstack, _via("np.atleast_3d", "concatenate", 2), ""),
):
    rule(
        _f,
        "tup",
        _options,
        kind=joined_kind(_f),
        vjp=_vjp,
        jvp="linear",
        samples=[*_PAIRS, *([sample(np.stack([_A, _A]))] if _f is np.vstack else [])],
    )


def column_stack_vjp(b: Builder, g: Atom, out: Atom, tup: Atom) -> list[Any]:
    parts = []
    start: Atom = Const.of(0)
    for n in range(len(pieces(tup))):
        x = b.op("item", tup, Const.of(n))
        if rank(x) == 1:
            stop = b.add(start, Const.of(1))
            index = b.op("tuple", Const.of(slice(None)), start)
            at = Const.of((slice(None), start.value)) if isinstance(start, Const) else index
            parts.append(b.op("item", g, at))
        else:
            stop = b.add(start, _size(b, x, 1))
            parts.append(b.op("item", g, _along(b, 1, start, stop, 2, False)))
        start = stop
    return [_put_together(b, tup, parts)]


rule(
    np.column_stack,
    "tup",
    kind=joined_kind(np.column_stack),
    vjp=column_stack_vjp,
    jvp="linear",
    samples=[sample((np.ones(2), _A)), sample((_A, np.ones(2), np.ones(2)))],
)


def append_vjp(b: Builder, g: Atom, out: Atom, arr: Atom, values: Atom, **o: Any) -> list[Any]:
    pair = b.op("tuple", arr, values)
    if any(isinstance(x.kind, Num) for x in (arr, values)):
        pair = b.op("tuple", b.op("np.ravel", arr), b.op("np.ravel", values))
    cut = concatenate_vjp(b, g, out, pair, axis=o.get("axis"))[0]
    parts = [b.op("item", cut, Const.of(n)) for n in range(2)]
    return [
        b.op("item", p, Const.of(0)) if isinstance(x.kind, Num) else p
        for p, x in zip(parts, (arr, values), strict=True)
    ]


rule(
    np.append,
    "arr values",
    "axis=None",
    vjp=append_vjp,
    jvp="linear",
    samples=[
        sample(np.ones(2), 3.0),
        sample(np.ones(2), np.ones(3)),
        sample(_A, _A, axis=0),
        sample(_A, np.ones(2)),
    ],
)

# -- splitting -----------------------------------------------------------------------------------


def split_kind(args: Sequence[Atom], attrs: Any) -> Kind:
    """A list of parts, whose number must be known."""
    return _parts_kind(args, attrs.get("axis", 0))


def _parts_kind(args: Sequence[Atom], axis: int) -> Kind:
    a, parts = as_array(args[0].kind), args[1]
    if not isinstance(a, Array) or a.dims is None or not a.dims:
        raise KindError("the number of axes is not known here")
    if isinstance(parts, Const):
        count = parts.value if isinstance(parts.value, int) else len(parts.value) + 1
    elif isinstance(parts.kind, Tuple | FixedList):
        count = len(parts.kind.items) + 1
    else:
        raise KindError("the number of parts is not known here")
    dims = list(a.dims)
    size = dims[axis]
    even = isinstance(size, int) and isinstance(parts, Const) and isinstance(parts.value, int)
    dims[axis] = size // count if even and size % count == 0 else Size()  # type: ignore[operator]
    return FixedList((Array(a.dtype, tuple(dims)),) * count)


def split_vjp(b: Builder, g: Atom, out: Atom, ary: Atom, parts: Atom, **o: Any) -> list[Any]:
    return [b.op("np.concatenate", g, axis=o.get("axis", 0)), None]


for _f in each(np.split, np.array_split):
    rule(
        _f,
        "ary indices_or_sections",
        "axis=0",
        kind=split_kind,
        vjp=split_vjp,
        jvp="linear",
        view_of=0,
        samples=[sample(np.ones(6), 3), sample(_A, 3, axis=1), sample(np.ones(6), [1, 4])],
    )


def _hsplit_axis(ary: Atom) -> int:
    return min(1, rank(ary) - 1)


for _f, _axis in each(
    (np.vsplit, lambda ary: 0), (np.hsplit, _hsplit_axis), (np.dsplit, lambda ary: 2)
):
    rule(
        _f,
        "ary indices_or_sections",
        kind=lambda args, attrs, _axis=_axis: _parts_kind(args, _axis(args[0])),
        vjp=lambda b, g, out, ary, parts, _axis=_axis: split_vjp(
            b, g, out, ary, parts, axis=_axis(ary)
        ),
        jvp="linear",
        view_of=0,
        samples=[sample(np.ones((6, 6, 6)), 3), sample(np.ones((3, 3, 3)), [1, 2])]
        + ([sample(np.ones(4), 2)] if _f is np.hsplit else []),
    )
