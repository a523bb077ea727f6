"""Functions that choose and order elements: take, sort, select, diff and what is built on them.

In: nothing. Out: records in the registry.

    np.sort(x):   x_bar[argsort(x)] = g
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..ir.kinds import Array, FixedList, Kind, Num, Size, Tuple
from ..ir.nodes import Atom, Const
from . import gather_helpers, helpers
from .declare import each, rule, sample, zero
from .examplekinds import by_example
from .kindrules import as_array
from .linear import rank
from .registry import KindError

if TYPE_CHECKING:
    from ..ir.builder import Builder

_A = np.array([[3.0, 1.0, 2.0], [0.5, 2.5, 1.5]])


def _index(axis: int, ndim: int, i: Atom, b: Builder) -> Atom:
    """The index that applies ``i`` along one axis."""
    before = axis % ndim
    if not before:
        return i
    full = Const.of(slice(None))
    return b.op("tuple", *[full] * before, i)


def take_vjp(b: Builder, g: Atom, out: Atom, a: Atom, indices: Atom, **o: Any) -> list[Any]:
    axis, mode = o.get("axis"), o.get("mode", "raise")
    size = b.op("np.size", a) if axis is None else _length(b, a, axis)
    if mode == "wrap":
        indices = b.op("mod", indices, size)
    elif mode == "clip":
        indices = b.op("np.clip", indices, Const.of(0), b.sub(size, Const.of(1)))
    zeros = b.op("zeros_like", a)
    if axis is None:
        flat = b.op("accumulate", b.op("np.ravel", zeros), indices, g)
        return [flat if rank(a) == 1 else b.op("np.reshape", flat, b.op("shape", a)), None]
    return [b.op("accumulate", zeros, _index(axis, rank(a), indices, b), g), None]


def _length(b: Builder, a: Atom, axis: int) -> Atom:
    return b.op("item", b.op("shape", a), Const.of(axis))


def take_kind(args: Sequence[Atom], attrs: Any) -> Kind:
    a, i = as_array(args[0].kind), as_array(args[1].kind)
    axis = attrs.get("axis")
    if not isinstance(a, Array) or a.dims is None or not isinstance(i, Num | Array):
        return Array(a.dtype, None)
    if isinstance(i, Array) and i.dims is None:
        return Array(a.dtype, None)
    inner = i.dims if isinstance(i, Array) and i.dims is not None else ()
    k = 0 if axis is None else axis % len(a.dims)
    dims = inner if axis is None else (*a.dims[:k], *inner, *a.dims[k + 1 :])
    return Array(a.dtype, dims) if dims else Num(a.dtype, False)


rule(
    np.take,
    "a indices",
    "axis=None, out=None, mode='raise'",
    kind=take_kind,
    vjp=take_vjp,
    jvp="linear",
    samples=[
        sample(np.arange(4.0), [0, 2, 2]),
        sample(_A, np.array([[0, 5], [1, 1]])),
        sample(_A, np.array([0, 0, 2]), axis=1),
        sample(_A, 1, axis=0),
        sample(np.arange(4.0), 2),
        sample(np.arange(4.0), [0, 5, -1], mode="wrap"),
        sample(_A, [0, 5, -1], axis=1, mode="clip"),
        sample(_A.astype("float32"), [0, 1], axis=1),
    ],
)


def along_vjp(b: Builder, g: Atom, out: Atom, arr: Atom, indices: Atom, **o: Any) -> list[Any]:
    return [b.op("scatter_along", g, indices, arr, axis=o.get("axis", -1)), None]


def _take_along_kind(args: Sequence[Atom], attrs: Any) -> Kind:
    a, i = as_array(args[0].kind), as_array(args[1].kind)
    axis = attrs.get("axis", -1)
    if not isinstance(a, Array) or not isinstance(i, Array) or None in (a.dims, i.dims):
        return Array(a.dtype, None)
    assert a.dims is not None
    assert i.dims is not None
    if axis is None:
        return Array(a.dtype, i.dims)
    dims = list(a.dims)
    dims[axis] = i.dims[axis]
    return Array(a.dtype, tuple(dims))


rule(
    np.take_along_axis,
    "arr indices",
    "axis=-1",
    vjp=along_vjp,
    jvp="linear",
    kind=_take_along_kind,
    samples=[
        sample(_A, np.array([[0, 0], [2, 1]]), axis=1),
        sample(_A, np.array([[0, 1, 1]]), axis=0),
    ],
)


rule(
    helpers.scatter_along,
    "v indices like",
    "axis=-1",
    name="scatter_along",
    kind=lambda args, attrs: args[2].kind,
    vjp=("take_along_axis(g, indices, axis=axis)", None, None),
    jvp=("scatter_along(v_dot, indices, like, axis=axis)", None, None),
    samples=[sample(np.ones((2, 2)), np.array([[0, 0], [2, 1]]), _A, axis=1)],
)

# -- order ---------------------------------------------------------------------------------------


def _order(b: Builder, a: Atom, o: Mapping[str, Any], axis: int) -> Atom:
    stable = o.get("stable") or o.get("kind") in ("stable", "mergesort")
    return b.op("np.argsort", a, axis=axis, **({"kind": "stable"} if stable else {}))


def sort_vjp(b: Builder, g: Atom, out: Atom, a: Atom, **o: Any) -> list[Any]:
    axis = o.get("axis", -1)
    if axis is None:
        order = _order(b, b.op("np.ravel", a), o, -1)
        back = b.op("scatter_along", g, order, g, axis=-1)
        return [b.op("np.reshape", back, b.op("shape", a))]
    order = _order(b, a, o, axis)
    if rank(a) == 1:
        return [b.op("accumulate", b.op("zeros_like", a), order, g)]
    return [b.op("scatter_along", g, order, a, axis=axis)]


def sort_jvp(b: Builder, dots: Sequence[Atom], out: Atom, a: Atom, **o: Any) -> Atom:
    axis, t = o.get("axis", -1), dots[0]
    if axis is None:
        a, t, axis = b.op("np.ravel", a), b.op("np.ravel", t), -1
    order = _order(b, a, o, axis)
    if rank(a) == 1:
        return b.op("item", t, order)
    return b.op("np.take_along_axis", t, order, axis=axis)


rule(
    np.sort,
    "a",
    "axis=-1, kind=None, order=None, *, stable=None",
    vjp=sort_vjp,
    jvp=sort_jvp,
    samples=[
        sample(np.array([3.0, 1.0, 2.0])),
        sample(_A),
        sample(_A, axis=0),
        sample(_A, axis=None),
        sample(np.stack([_A, _A[::-1]]), axis=1, kind="stable"),
        sample(np.array([3.0, 1.0, 2.0], "float32")),
        sample(np.zeros(0)),
        sample(np.asfortranarray(_A), axis=0),
        sample(_A[:, ::-1]),
    ],
)


def sort_complex_kind(args: Sequence[Atom], attrs: Any) -> Kind:
    k = as_array(args[0].kind)
    if not isinstance(k, Array):
        raise KindError("np.sort_complex needs an array")
    narrow = k.dtype in ("float32", "complex64")
    return Array("complex64" if narrow else "complex128", k.dims)


rule(
    np.sort_complex,
    "a",
    kind=sort_complex_kind,
    vjp=sort_vjp,
    jvp=sort_jvp,
    samples=[sample(np.array([3.0, 1.0, 2.0])), sample(np.array([2.0 + 1j, 1.0 - 1j]))],
)

# -- choices -------------------------------------------------------------------------------------


def _choices(b: Builder, condlist: Atom) -> list[Atom]:
    k = condlist.kind
    if not isinstance(k, Tuple | FixedList):
        raise KindError("the number of conditions is not known here")
    return [b.op("item", condlist, Const.of(n)) for n in range(len(k.items))]


def select_vjp(
    b: Builder, g: Atom, out: Atom, condlist: Atom, choicelist: Atom, default: Any = None
) -> list[Any]:
    """The first condition that holds gets the cotangent."""
    from .apply import conform

    zero_ = Const.of(0.0)
    conditions = _choices(b, condlist)
    rest = g
    bars = []
    for n, c in enumerate(conditions):
        choice = b.op("item", choicelist, Const.of(n))
        bars.append(conform(b, b.op("np.where", c, rest, zero_), choice))
        rest = b.op("np.where", c, zero_, rest)
    together = b.op("tuple" if isinstance(choicelist.kind, Tuple) else "list", *bars)
    return [None, together, rest]


def select_jvp(
    b: Builder, dots: Any, out: Atom, condlist: Atom, choicelist: Atom, default: Any = None
) -> Atom:
    choices = choicelist if dots[1] is None else dots[1]
    zeros = dots[1] is None
    last = Const.of(0.0) if len(dots) < 3 or dots[2] is None else dots[2]
    value: Atom = last
    for n, c in reversed(list(enumerate(_choices(b, condlist)))):
        t = Const.of(0.0) if zeros else b.op("item", choices, Const.of(n))
        value = b.op("np.where", c, t, value)
    return value


_C = np.array([True, False, False])
rule(
    np.select,
    "condlist choicelist default=0",
    vjp=select_vjp,
    jvp=select_jvp,
    samples=[
        sample([_C, ~_C & np.array([False, True, False])], [np.ones(3), np.arange(3.0)]),
        sample([_C, ~_C], [np.ones(3), np.arange(3.0)], 2.0),
        sample([_C], [np.ones(3)], np.arange(3.0)),
    ],
)

# -- zero derivative -----------------------------------------------------------------------------


def _unknown_sizes(rank_of: int | None = None) -> Any:
    def kind(args: Sequence[Atom], attrs: Any) -> Kind:
        k = as_array(args[0].kind)
        if not isinstance(k, Array) or k.dims is None:
            raise KindError("the number of axes is not known here")
        one = Array("int64", (Size(),))
        return one if rank_of == 1 else Tuple((one,) * len(k.dims))

    return kind


def _argwhere_kind(args: Sequence[Atom], attrs: Any) -> Kind:
    return Array("int64", (Size(), rank(args[0])))


_BOOL = Num("bool", True)
zero(np.nonzero, "a", kind=_unknown_sizes())
zero(gather_helpers.true_places, "mask a", name="true_places", kind=_unknown_sizes())
zero(np.flatnonzero, "a", kind=_unknown_sizes(1))
zero(np.argwhere, "a", kind=_argwhere_kind)
zero(np.searchsorted, "a v sorter=None", signature_of="a, v, side='left', sorter=None")
zero(np.digitize, "x bins", "right=False")
zero(np.lexsort, "keys", "axis=-1")
zero(np.isin, "element test_elements", "assume_unique=False, invert=False, *, kind=None")
zero(np.array_equal, "a1 a2", "equal_nan=False", kind=lambda args, attrs: _BOOL)
zero(np.array_equiv, "a1 a2", kind=lambda args, attrs: _BOOL)
zero(
    np.allclose,
    "a b",
    "rtol=1e-05, atol=1e-08, equal_nan=False",
    kind=lambda args, attrs: _BOOL,
)
for _f in each(np.may_share_memory, np.shares_memory):
    zero(_f, "a b", "max_work=None", kind=lambda args, attrs: _BOOL)
for _f in each(np.triu_indices, np.tril_indices):
    zero(_f, "n", "k=0, m=None", kind=by_example(_f, shapes_only=False))
for _f in each(np.triu_indices_from, np.tril_indices_from):
    zero(_f, "arr", "k=0", kind=by_example(_f, shapes_only=False))
zero(np.diag_indices, "n", "ndim=2", kind=by_example(np.diag_indices, shapes_only=False))
zero(np.diag_indices_from, "arr", kind=by_example(np.diag_indices_from, shapes_only=False))
zero(np.ix_, "*args", kind=by_example(np.ix_, shapes_only=False))
zero(np.indices, "dimensions", "dtype='int64', sparse=False")
zero(np.unravel_index, "indices shape", "order='C'")
zero(np.ravel_multi_index, "multi_index dims", "mode='raise', order='C'")
zero(np.broadcast_shapes, "*args")
