"""Functions that make arrays, and conversions of dtype.

In: nothing. Out: records in the registry. Most have no active operand; ``array``, ``full``,
``linspace`` and the conversions are linear in theirs.

    np.array([a, b]):   a_bar, b_bar = g[0], g[1]
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..ir.kinds import (
    Array,
    Dim,
    FixedList,
    Kind,
    Mixed,
    Num,
    Size,
    Tuple,
)
from ..ir.nodes import Atom, Const
from .declare import each, rule, sample, zero
from .examplekinds import by_example
from .kindrules import as_array, dim_of, dim_of_kind, dims_of
from .linear import rank
from .registry import KindError, KindRule

if TYPE_CHECKING:
    from ..ir.builder import Builder

_A = np.arange(6.0).reshape(2, 3) + 1.0


def dtype_name(dtype: Any) -> str:
    """The name of a dtype given as a type, a string or a dtype."""
    return str(np.dtype(dtype).name)


def dims_of_shape(shape: Atom) -> tuple[Dim, ...] | None:
    """The dims that a shape operand spells."""
    k = shape.kind
    if isinstance(shape, Const):
        items = shape.value if isinstance(shape.value, tuple | list) else (shape.value,)
        return tuple(int(n) for n in items)
    if isinstance(k, Num):
        return (dim_of(shape),)
    if isinstance(k, Tuple | FixedList):
        return tuple(map(dim_of_kind, k.items))
    return None


def _made(default: str = "float64") -> KindRule:
    """An array of a shape and dtype; of 0 axes it is still an array."""

    def kind(args: Sequence[Atom], attrs: Any) -> Kind:
        dtype = attrs.get("dtype")
        return Array(default if dtype is None else dtype_name(dtype), dims_of_shape(args[0]))

    return kind


for _f in each(np.zeros, np.ones, np.empty):
    zero(_f, "shape", "dtype=None", kind=_made())


def _full_kind(args: Sequence[Atom], attrs: Any) -> Kind:
    dtype = attrs.get("dtype")
    value = as_array(args[1].kind)
    return Array(value.dtype if dtype is None else dtype_name(dtype), dims_of_shape(args[0]))


rule(
    np.full,
    "shape fill_value",
    "dtype=None",
    kind=_full_kind,
    vjp=(None, "g"),
    jvp="linear",
    samples=[
        sample(3, 2.0),
        sample((2, 3), 1.5),
        sample((2, 3), np.ones(3)),
        sample(2, 1.5, dtype="float32"),
    ],
)


def _like_kind(args: Sequence[Atom], attrs: Any) -> Kind:
    k = as_array(args[0].kind)
    dtype = attrs.get("dtype")
    name = k.dtype if dtype is None else dtype_name(dtype)
    return Mixed(name) if isinstance(k, Mixed) else Array(name, dims_of(k))


for _f in each(np.zeros_like, np.ones_like, np.empty_like):
    zero(_f, "a", "dtype=None", kind=_like_kind)
rule(
    np.full_like,
    "a fill_value",
    "dtype=None",
    kind=_like_kind,
    vjp=(None, "g"),
    jvp=(None, "full_like(a, fill_value_dot, dtype=dtype)"),
    samples=[sample(_A, 2.0), sample(_A, np.ones(3)), sample(_A.astype("float32"), 2.0)],
)


def _range_size(args: Sequence[Atom]) -> Dim:
    if len(args) == 1 or (isinstance(args[0], Const) and args[0].value == 0 and len(args) == 2):
        return dim_of(args[-1])
    return Size()


def _arange_kind(args: Sequence[Atom], attrs: Any) -> Kind:
    kinds = [a.kind for a in args if not (isinstance(a, Const) and a.value is None)]
    nums = [k for k in kinds if isinstance(k, Num)]
    if len(nums) < len(kinds):
        raise KindError("arange needs numbers")
    if all(isinstance(a, Const) for a in args):
        exact = by_example(np.arange)(args, attrs)
        assert isinstance(exact, Kind)
        return exact
    dtype = attrs.get("dtype")
    if dtype is not None:
        name = dtype_name(dtype)
    else:
        name = np.result_type(*[np.dtype(k.dtype) for k in nums]).name
    ints = all(k.dtype[0] in "iu" for k in nums)
    return Array(name, (_range_size(args) if ints else Size(),))


def arange_vjp(b: Builder, g: Atom, out: Atom, start: Atom, *more: Atom) -> list[Any]:
    """``start + k * step``: the size is piecewise constant."""
    if not more or is_none_atom(more[0]):
        return [None] * (1 + len(more))
    step = more[1] if len(more) > 1 else None
    k = b.op("np.arange", b.op("len", g))
    return [
        lambda: b.op("np.sum", g),
        None,
        *([lambda: b.op("np.sum", b.mul(g, k))] if step is not None else []),
    ]


def arange_jvp(b: Builder, dots: Sequence[Atom | None], out: Atom, *args: Atom, **o: Any) -> Any:
    if len(args) < 2 or is_none_atom(args[1]):
        return None
    total = b.op("np.zeros_like", out)
    if dots[0] is not None:
        total = b.add(total, dots[0])
    if len(dots) > 2 and dots[2] is not None:
        total = b.add(total, b.mul(dots[2], b.op("np.arange", b.op("len", out))))
    return total


def is_none_atom(a: Atom) -> bool:
    return isinstance(a, Const) and a.value is None


rule(
    np.arange,
    "start stop=None step=None",
    "dtype=None",
    kind=_arange_kind,
    vjp=arange_vjp,
    jvp=arange_jvp,
    samples=[
        sample(4),
        sample(1, 5),
        sample(0.5, 3.7, 0.6),
        sample(5, 0, -2),
    ],
)


def _steps(b: Builder, out: Atom, num: int, endpoint: bool) -> Atom:
    """The weight of ``stop`` in each point."""
    below = max(num - 1, 1) if endpoint else num
    t = b.op("div", b.op("np.arange", Const.of(num)), Const.of(float(below)))
    if rank(out) > 1:
        t = b.op("item", t, Const.of((slice(None), *[None] * (rank(out) - 1))))
    return t


def linspace_vjp(
    b: Builder, g: Atom, out: Atom, start: Atom, stop: Atom, num: Any = 50, endpoint: Any = True
) -> list[Any]:
    t = _steps(b, out, num, endpoint)
    return [lambda: b.mul(g, b.sub(Const.of(1.0), t)), lambda: b.mul(g, t)]


def linspace_jvp(
    b: Builder, dots: Any, out: Atom, start: Atom, stop: Atom, num: Any = 50, endpoint: Any = True
) -> Any:
    t = _steps(b, out, num, endpoint)
    terms = []
    if dots[0] is not None:
        terms.append(b.mul(b.sub(Const.of(1.0), t), dots[0]))
    if dots[1] is not None:
        terms.append(b.mul(t, dots[1]))
    return terms[0] if len(terms) == 1 else b.add(*terms)


rule(
    np.linspace,
    "start stop",
    "num=50, endpoint=True",
    vjp=linspace_vjp,
    jvp=linspace_jvp,
    samples=[
        sample(0.5, 2.0, num=4),
        sample(0.5, 2.0, num=4, endpoint=False),
        sample(np.ones(3), 2.0, num=5),
        sample(0.5, 2.0, num=1),
    ],
)
zero(np.eye, "N M=None", "k=0, dtype=float".replace("float", "'float64'"))
zero(np.identity, "n", "dtype='float64'")
zero(np.tri, "N M=None", "k=0, dtype='float64'")
