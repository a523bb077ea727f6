"""Conversions: lists to arrays, arrays to numbers, one dtype to another.

In: nothing. Out: records in the registry. All are linear; nested lists get nested cotangents.

    np.array([a, b]):   a_bar, b_bar = g[0], g[1]
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..ir.kinds import (
    UNKNOWN,
    Array,
    FixedList,
    Kind,
    ListOf,
    Mixed,
    Num,
    Opaque,
    Tuple,
)
from ..ir.nodes import Atom, Const
from . import helpers
from .apply import spread_like
from .creation import dtype_name
from .declare import each, rule, sample, zero
from .examplekinds import by_example
from .kindrules import as_array, broadcast_dims, describe, dims_of
from .linear import rank
from .registry import KindError

if TYPE_CHECKING:
    from ..ir.builder import Builder

_A = np.arange(6.0).reshape(2, 3) + 1.0

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
    "dtype=None, *, copy=True, order='K', subok=False, ndmin=0",
    kind=array_kind,
    vjp=array_vjp,
    jvp="linear",
    samples=_ARRAY_SAMPLES,
)
for _f in each(np.asarray, np.ascontiguousarray, np.asfortranarray, np.asanyarray):
    rule(
        _f,
        "object",
        "dtype=None"
        if "order" in _f.__name__ or "contig" in _f.__name__
        else "dtype=None, order=None, *, device=None, copy=None",
        kind=array_kind if _f in (np.asarray, np.asanyarray) else by_example(_f),
        vjp=array_vjp,
        jvp="linear",
        view_of=0,
        samples=_ARRAY_SAMPLES[:-2] if _f is not np.ascontiguousarray else [sample(_A)],
    )
rule(
    np.copy,
    "a",
    "order='K', subok=False",
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
    "dtype, order='K', casting='unsafe', subok=True, copy=True",
    name="astype",
    aliases=(np.astype,) if hasattr(np, "astype") else (),
    kind=_astype_kind,
    vjp=astype_vjp,
    jvp="linear",
    samples=[
        sample(_A, dtype="float32"),
        sample(_A, dtype="complex128"),
        sample(np.float64(2.0), dtype="float32"),
    ],
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


def meshgrid_vjp(b: Builder, g: Any, out: Any, *xi: Atom, **o: Any) -> list[Any]:
    """Each vector gathers the cotangent of its grid over the other axes."""
    n = len(xi)
    order = list(range(n))
    if o.get("indexing", "xy") == "xy" and n > 1:
        order[0], order[1] = 1, 0
    bars: list[Any] = []
    if o.get("sparse"):
        parts = [
            g[k] if isinstance(g, tuple | list) else b.op("item", g, Const.of(k)) for k in range(n)
        ]
        return [
            p
            if p is None
            else b.op("np.reshape", p, b.op("shape", x))
            if not isinstance(x.kind, Num)
            else b.op("np.sum", p)
            for p, x in zip(parts, xi, strict=True)
        ]
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
    "copy=True, sparse=False, indexing='xy'",
    fun=helpers.meshgrid,
    name="np.meshgrid",
    kind=_meshgrid_kind,
    vjp=meshgrid_vjp,
    jvp="linear",
    samples=[
        sample(np.ones(2), np.ones(3)),
        sample(np.ones(2), np.ones(3), indexing="ij"),
        sample(np.ones(2), np.ones(3), np.ones(4)),
        sample(np.ones(2), np.ones(3), sparse=True),
        sample(np.ones(2), 1.5),
    ],
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
    if dims is not None and isinstance(axis := attrs.get("axis"), int):
        dims = (dims[axis],)
    if dims is not None and len(dims) == 1:
        from .kindrules import int_of_dim

        return int_of_dim(dims[0])
    return Num("int64", True)


zero(np.size, "a", "axis=None", kind=_size_kind)
zero(np.ndim, "a", kind=lambda args, attrs: Num("int64", True))
zero(np.iscomplexobj, "x", kind=lambda args, attrs: Num("bool", True))
zero(np.isrealobj, "x", kind=lambda args, attrs: Num("bool", True))
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
