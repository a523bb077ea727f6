"""Functions that make arrays, and conversions of dtype.

In: nothing. Out: records in the registry. Most have no active operand; ``array``, ``full``,
``linspace`` and the conversions are linear in theirs.

    np.array([a, b]):   a_bar, b_bar = g[0], g[1]
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from . import helpers
from ..ir.kinds import Array, Dim, FixedList, Kind, ListOf, Mixed, Num, Opaque, Size, Tuple, UNKNOWN
from ..ir.nodes import Atom, Const
from .apply import spread_like
from .declare import rule, sample, zero
from .examplekinds import by_example
from .kindrules import as_array, broadcast_dims, describe, dim_of, dim_of_kind, dims_of
from .linear import rank
from .registry import KindError, KindRule

if TYPE_CHECKING:
    from ..ir.builder import Builder

_A = np.arange(6.0).reshape(2, 3) + 1.0


def dtype_name(dtype: Any) -> str:
    """The name of a dtype given as a type, a string or a dtype."""
    return np.dtype(dtype).name


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


for _f in (np.zeros, np.ones, np.empty):
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


for _f in (np.zeros_like, np.ones_like, np.empty_like):
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

# -- conversions ---------------------------------------------------------------------------------


def array_kind(args: Sequence[Atom], attrs: Any) -> Kind:
    """Scalars become 0-d arrays, nested lists arrays of their depth."""
    k = as_array(args[0].kind)
    dtype = attrs.get("dtype")
    name = k.dtype if dtype is None else dtype_name(dtype)
    least = attrs.get("ndmin") or 0
    dims = dims_of(k)
    if dims is not None and len(dims) < least:
        dims = (1,) * (least - len(dims)) + dims
    return Mixed(name) if isinstance(k, Mixed) else Array(name, dims)


def array_vjp(b: Builder, g: Atom, out: Atom, object: Atom, **o: Any) -> list[Any]:
    if isinstance(object.kind, Num):
        return [b.op("item", g, Const.of((0,) * rank(g)))]
    if o.get("ndmin"):
        return [b.op("np.reshape", g, b.op("shape", object))]
    return [_listed(b, g, object)]


def _listed(b: Builder, g: Atom, x: Atom) -> Atom:
    """The cotangent of an array in the nested lists the array was made of."""
    if isinstance(x.kind, Tuple | FixedList):
        parts = [
            _listed(b, b.op("item", g, Const.of(n)), b.op("item", x, Const.of(n)))
            for n in range(len(x.kind.items))
        ]
        return b.op("tuple" if isinstance(x.kind, Tuple) else "list", *parts)
    if isinstance(x.kind, ListOf):
        return b.op("unstack", g, x)
    return g


_ARRAY_SAMPLES = [
    sample([1.0, 2.0]),
    sample([[1.0, 2.0], [3.0, 4.0]]),
    sample((1.0, np.float64(2.0))),
    sample([np.ones(2), np.zeros(2)]),
    sample(2.0),
    sample(_A),
    sample(_A, dtype="float32"),
]
rule(
    np.array,
    "object",
    "dtype=None, copy=True, ndmin=0",
    kind=array_kind,
    vjp=array_vjp,
    jvp="linear",
    samples=_ARRAY_SAMPLES,
)
for _f in (np.asarray, np.ascontiguousarray, np.asfortranarray, np.asanyarray):
    rule(
        _f,
        "object",
        "dtype=None",
        kind=array_kind if _f in (np.asarray, np.asanyarray) else by_example(_f),
        vjp=array_vjp,
        jvp="linear",
        view_of=0,
        samples=_ARRAY_SAMPLES[:-2] if _f is not np.ascontiguousarray else [sample(_A)],
    )
rule(
    np.copy,
    "a",
    kind=array_kind,
    vjp=array_vjp,
    jvp="linear",
    samples=[sample(_A), sample([1.0, 2.0])],
)


def _astype_kind(args: Sequence[Atom], attrs: Any) -> Kind:
    name = dtype_name(attrs.get("dtype", "float64"))
    match args[0].kind:
        case Array(_, dims):
            return Array(name, dims)
        case Num():
            return Num(name, False)
        case Mixed():
            return Mixed(name)
        case k:
            raise KindError(f"{describe(k)} has no astype")


def astype_vjp(b: Builder, g: Atom, out: Atom, a: Atom, dtype: Any = "float64", **o: Any) -> Any:
    if np.dtype(dtype).kind not in "fc":
        return [None]
    return [g]


rule(
    helpers.astype,
    "a",
    "dtype, copy=True",
    name="astype",
    kind=_astype_kind,
    vjp=astype_vjp,
    jvp="linear",
    samples=[sample(_A, dtype="float32"), sample(_A, dtype="complex128"), sample(np.float64(2.0), dtype="float32")],
)


def _scalar_type(name: str) -> None:
    scalar_type = getattr(np, name)

    def kind(args: Sequence[Atom], attrs: Any) -> Kind:
        k = as_array(args[0].kind)
        dims = dims_of(k)
        if dims == ():
            return Num(name, False)
        return Array(name, dims) if isinstance(k, Array) else Mixed(name)

    if name[0] in "fc":
        rule(
            scalar_type,
            "x",
            name=f"np.{name}",
            kind=kind,
            vjp="g",
            jvp="linear",
            samples=[sample(1.5), sample(_A)],
        )
    else:
        zero(scalar_type, "x", name=f"np.{name}", kind=kind)


for _name in ("float64", "float32", "complex128", "complex64"):
    _scalar_type(_name)
for _name in ("int64", "int32", "int16", "int8", "uint8", "uint16", "uint32", "uint64"):
    _scalar_type(_name)


def meshgrid_vjp(b: Builder, g: Sequence[Atom | None], out: Any, *xi: Atom, **o: Any) -> list[Any]:
    """Each vector gathers the cotangent of its grid over the other axes."""
    n = len(xi)
    order = list(range(n))
    if o.get("indexing", "xy") == "xy" and n > 1:
        order[0], order[1] = 1, 0
    bars: list[Any] = []
    for k in range(n):
        bar = g[k] if isinstance(g, tuple | list) else b.op("item", g, Const.of(k))
        over = tuple(axis for axis in range(n) if axis != order[k])
        bars.append(bar if bar is None or not over else b.op("np.sum", bar, axis=over))
    return bars


def _meshgrid_kind(args: Sequence[Atom], attrs: Any) -> Kind:
    kind = by_example(helpers.meshgrid)(args, attrs)
    assert isinstance(kind, Kind)
    return kind


rule(
    np.meshgrid,
    "*xi",
    "indexing='xy'",
    fun=helpers.meshgrid,
    name="np.meshgrid",
    kind=_meshgrid_kind,
    vjp=meshgrid_vjp,
    jvp="linear",
    samples=[sample(np.ones(2), np.ones(3)), sample(np.ones(2), np.ones(3), indexing="ij")],
)


def _arrays_kind(args: Sequence[Atom], attrs: Any) -> Kind:
    kinds = [as_array(a.kind) for a in args]
    dims = broadcast_dims(*map(dims_of, kinds))
    return Tuple(tuple(Array(k.dtype, dims) for k in kinds))


rule(
    np.broadcast_arrays,
    "*args",
    kind=_arrays_kind,
    vjp=lambda b, g, out, *args: [b.op("item", g, Const.of(n)) for n in range(len(args))],
    jvp="linear",
    samples=[sample(np.ones((2, 1)), np.ones(3)), sample(1.0, np.ones(3))],
)

# -- what an array is ----------------------------------------------------------------------------


def _size_kind(args: Sequence[Atom], attrs: Any) -> Kind:
    dims = dims_of(as_array(args[0].kind))
    if dims is not None and len(dims) == 1:
        from .kindrules import int_of_dim

        return int_of_dim(dims[0])
    return Num("int64", True)


zero(np.size, "a", kind=_size_kind)
zero(np.ndim, "a", kind=lambda args, attrs: Num("int64", True))
zero(np.iscomplexobj, "x", kind=lambda args, attrs: Num("bool", True))
zero(np.isscalar, "x", kind=lambda args, attrs: Num("bool", True))


def _dtype_kind(args: Sequence[Atom], attrs: Any) -> Kind:
    return Opaque(np.dtype)


zero(np.result_type, "*xs", kind=_dtype_kind)


def _item_kind(args: Sequence[Atom], attrs: Any) -> Kind:
    k = args[0].kind
    if not isinstance(k, Num | Array | Mixed):
        raise KindError(f"{describe(k)} has no item")
    python = {"b": "bool", "i": "int64", "u": "int64", "f": "float64", "c": "complex128"}
    return Num(python[k.dtype[0]], True)


rule(
    helpers.to_item,
    "a",
    name="to_item",
    kind=_item_kind,
    vjp=lambda b, g, out, a: [spread_like(b, g, a)],
    jvp="linear",
    samples=[sample(np.array(1.5)), sample(np.ones((1, 1))), sample(np.float32(0.5))],
)


def _tolist_kind(args: Sequence[Atom], attrs: Any) -> Kind:
    k = args[0].kind
    each = _item_kind(args, attrs)
    if not isinstance(k, Array) or k.dims is None:
        return each if isinstance(k, Num) else UNKNOWN
    for _ in k.dims:
        each = ListOf(each)
    return each


rule(
    helpers.tolist,
    "a",
    name="tolist",
    kind=_tolist_kind,
    vjp=("array(g)",),
    jvp="linear",
    samples=[sample(_A), sample(np.ones(2))],
)


zero(helpers.dtype, "a", name="dtype", kind=_dtype_kind)
