"""NumPy's functions that take functions, write into arrays, or make what is known now.

In: references. Out: what the call returns, in terms of loops, writes and functions with rules.

    np.vectorize(f)(x, y)          np.array([f(a, b) for a, b in zip(x.flat, y.flat)]).reshape(...)
    np.put_along_axis(a, i, v, 0)  a[i, np.arange(a.shape[1])] = v
"""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np

from ..ir.kinds import Array, Mixed, Num
from ..ir.nodes import Const, If, Node, Region, walk
from ..rules.registry import primitive
from . import (
    comprehensions,
    expansions,
    indexing,
    inlining,
    iteration,
    lower_calls,
    primitives,
    storing,
)
from .context import Lowerer
from .handlers import handles
from .refs import ArrayRef, HeapRef, PartialRef, Ref, Static, TupleRef, Val

Args = list[Ref]
Kwargs = dict[str, Ref]


def _bound(
    cx: Lowerer, name: str, names: Sequence[str], args: Args, kwargs: Kwargs
) -> dict[str, Ref]:
    """The arguments by name; what is not in ``names`` is refused."""
    found = dict(zip(names, args, strict=False))
    for key, value in kwargs.items():
        if key not in names or key in found:
            cx.fail(f"{name}: unexpected argument '{key}'")
        found[key] = value
    if len(args) > len(names):
        cx.fail(f"{name}: too many positional arguments")
    return found


def call_named(cx: Lowerer, name: str, *args: Ref, **options: Any) -> Ref:
    """The call of a function that has a rule of that name."""
    given = {k: v if isinstance(v, Ref) else cx.constant(v) for k, v in options.items()}
    return primitives.call(cx, primitive(name), args, given)


def rank_of(cx: Lowerer, ref: Ref, what: str) -> int:
    """The number of axes; refused if it is not known."""
    kind = cx.kind(ref)
    if isinstance(kind, Num):
        return 0
    if isinstance(kind, Array) and kind.rank is not None:
        return kind.rank
    cx.fail(f"{what} needs an array whose number of axes is known")


def _is_none(cx: Lowerer, ref: Ref | None) -> bool:
    return ref is None or (cx.known(ref) and cx.value(ref) is None)


@handles(np.ndarray)
def _ndarray(cx: Lowerer, args: Args, kwargs: Kwargs) -> Ref:
    """``np.ndarray(shape, dtype)``: an array nothing has been written to."""
    names = ("shape", "dtype", "buffer", "offset", "strides", "order")
    found = _bound(cx, "np.ndarray", names, args, kwargs)
    if "shape" not in found:
        cx.fail("np.ndarray needs a shape")
    for name in ("buffer", "offset", "strides"):
        if not _is_none(cx, found.pop(name, None)):
            cx.fail(f"np.ndarray with '{name}' is not supported", "make a view by slicing")
    return call_named(cx, "np.empty", found.pop("shape"), **found)


# -- functions that take functions ---------------------------------------------------------------


@handles(np.vectorize)
def _vectorize(cx: Lowerer, args: Args, kwargs: Kwargs) -> Ref:
    found = _bound(
        cx,
        "np.vectorize",
        ("pyfunc", "otypes", "doc", "excluded", "cache", "signature"),
        args,
        kwargs,
    )
    for name in ("excluded", "signature"):
        if not _is_none(cx, found.get(name)):
            cx.fail(f"np.vectorize with '{name}' is not supported", "write it as a loop")
    types = {} if _is_none(cx, found.get("otypes")) else {"otypes": found["otypes"]}
    return PartialRef(Static(vectorized), (found["pyfunc"],), types)


def vectorized(f: Any, *arrays: Any) -> Any:
    """What a call of ``np.vectorize(f)`` is handled as."""
    return np.vectorize(f)(*arrays)


@handles(vectorized)
def _vectorized(cx: Lowerer, args: Args, kwargs: Kwargs) -> Ref:
    types = kwargs.pop("otypes", None)
    if kwargs:
        cx.fail("a vectorized function takes its arguments by position here")
    f, *arrays = args
    if all(isinstance(cx.kind(a), Num) for a in arrays):
        made = lower_calls.apply(cx, f, arrays, {})
        return call_named(cx, "np.asarray", made)
    expanded: dict[int, Any] = {
        1: expansions.over_one,
        2: expansions.over_two,
        3: expansions.over_three,
    }
    if len(arrays) not in expanded:
        cx.fail("a vectorized function of more than three arrays is not supported")
    before = len(cx.b.nodes)
    result = inlining.inline(cx, expanded[len(arrays)], [f, *arrays], {})
    if not isinstance(cx.kind(result), Array):
        cx.fail("a vectorized function must give one number", "write it as a loop")
    if types is None:
        if _mixes_numbers(cx.b.nodes[before:]):
            cx.fail(
                "np.vectorize takes the dtype of its first result for all of them, and this "
                "function may give whole numbers and others",
                "pass otypes=[float]",
            )
        return result
    known = cx.static(types, "the 'otypes' of np.vectorize")
    dtype = known if isinstance(known, str) else known[0]
    return call_named(cx, "astype", result, dtype=np.dtype(dtype).name)


def _mixes_numbers(nodes: Sequence[Node]) -> bool:
    """Whether a branch gives a whole number on one path and another number on the other."""
    for node in walk(Region((), tuple(nodes), ())):
        if isinstance(node, If):
            for a, b in zip(node.then.yields, node.orelse.yields, strict=True):
                if isinstance(a.kind, Num) and isinstance(b.kind, Num):
                    if (a.kind.dtype[0] in "fc") != (b.kind.dtype[0] in "fc"):
                        return True
    return False


def vectorized_object(cx: Lowerer, obj: np.vectorize, args: Args, kwargs: Kwargs) -> Ref:
    """A call of an ``np.vectorize`` that the program found, not made."""
    if obj.excluded or obj.signature is not None:
        cx.fail("np.vectorize with 'excluded' or 'signature' is not supported")
    types = {} if obj.otypes is None else {"otypes": cx.constant(obj.otypes)}
    return _vectorized(cx, [Static(obj.pyfunc), *args], {**kwargs, **types})


@handles(np.apply_along_axis)
def _apply_along_axis(cx: Lowerer, args: Args, kwargs: Kwargs) -> Ref:
    names = ("func1d", "axis", "arr")
    found = dict(zip(names, args, strict=False))
    found.update({k: kwargs.pop(k) for k in names if k in kwargs})
    arr, rank = found["arr"], rank_of(cx, found["arr"], "np.apply_along_axis")
    axis = cx.static(found["axis"], "the 'axis'") % rank
    f: Ref = found["func1d"]
    along: Any = expansions.along_last
    if len(args) > 3 or kwargs:
        f = PartialRef(Static(expansions.with_more), (f, *args[3:]), kwargs)
    result = inlining.inline(
        cx,
        along,
        [f, call_named(cx, "np.moveaxis", arr, source=axis, destination=-1)],
        {},
    )
    made = rank_of(cx, result, "np.apply_along_axis") - (rank - 1)
    if made == 0 or axis == rank - 1:
        return result
    source = tuple(range(rank - 1, rank - 1 + made))
    return call_named(
        cx,
        "np.moveaxis",
        result,
        source=source,
        destination=tuple(range(axis, axis + made)),
    )


@handles(expansions.with_more)
def _with_more(cx: Lowerer, args: Args, kwargs: Kwargs) -> Ref:
    f, *more, row = args
    return lower_calls.apply(cx, f, [row, *more], kwargs)


@handles(np.apply_over_axes)
def _apply_over_axes(cx: Lowerer, args: Args, kwargs: Kwargs) -> Ref:
    found = _bound(cx, "np.apply_over_axes", ("func", "a", "axes"), args, kwargs)
    axes = cx.static(found["axes"], "the axes of np.apply_over_axes")
    result = found["a"]
    rank = rank_of(cx, result, "np.apply_over_axes")
    for axis in (axes,) if isinstance(axes, int) else axes:
        result = lower_calls.apply(cx, found["func"], [result, cx.constant(axis % rank)], {})
        if rank_of(cx, result, "np.apply_over_axes") < rank:
            result = call_named(cx, "np.expand_dims", result, axis=axis % rank)
    return result


@handles(np.fromiter)
def _fromiter(cx: Lowerer, args: Args, kwargs: Kwargs) -> Ref:
    found = _bound(cx, "np.fromiter", ("iter", "dtype", "count"), args, kwargs)
    items = comprehensions.to_list(cx, found["iter"])
    count = cx.static(found["count"], "the 'count'") if "count" in found else -1
    if count >= 0:
        items = indexing.item(cx, items, cx.constant(slice(count)))
    return call_named(cx, "np.array", items, dtype=found["dtype"])


@handles(np.piecewise)
def _piecewise(cx: Lowerer, args: Args, kwargs: Kwargs) -> Ref:
    """Each function is called with the elements where its condition holds."""
    x, conditions, functions, *more = args
    if rank_of(cx, x, "np.piecewise") == 0:
        cx.fail("np.piecewise of a number is not supported", "use 'if', or np.where")
    conds = [conditions]
    if isinstance(conditions, HeapRef | TupleRef):
        conds = _items(cx, conditions, "conditions")
        if conds and isinstance(cx.kind(conds[0]), Num):
            conds = [conditions]
    funcs = _items(cx, functions, "functions")
    masks = [call_named(cx, "np.asarray", c) for c in conds]
    if len(funcs) == len(masks) + 1:
        together = masks[0]
        for m in masks[1:]:
            together = Val(cx.op("bitor", cx.atom(together), cx.atom(m)))
        masks.append(Val(cx.op("invert", cx.atom(together))))
    if len(funcs) != len(masks):
        cx.fail(f"np.piecewise has {len(conds)} conditions for {len(funcs)} functions")
    out = cx.ref(cx.op("np.zeros_like", cx.atom(x)))
    for mask, f in zip(masks, funcs, strict=True):
        value = f
        if not isinstance(f, Val):
            chosen = indexing.item(cx, x, mask)
            value = lower_calls.apply(cx, f, [chosen, *more], kwargs)
        storing.set_item(cx, out, mask, value)
    return out


def _items(cx: Lowerer, ref: Ref, what: str) -> list[Ref]:
    items = iteration.static_items(cx, ref)
    if items is None:
        cx.fail(f"np.piecewise needs to know how many {what} there are")
    return list(items)


# -- functions that write ------------------------------------------------------------------------


@handles(np.put_along_axis)
def _put_along_axis(cx: Lowerer, args: Args, kwargs: Kwargs) -> Ref:
    names = ("arr", "indices", "values", "axis")
    found = _bound(cx, "np.put_along_axis", names, args, kwargs)
    arr, indices = found["arr"], found["indices"]
    if not isinstance(arr, ArrayRef):
        cx.fail("np.put_along_axis writes to an array")
    axis = cx.static(found["axis"], "the 'axis'") if "axis" in found else None
    rank = rank_of(cx, arr, "np.put_along_axis")
    if axis is None:
        return _put(cx, [arr, indices, found["values"]], {})
    grid: list[Ref] = [
        indices if k == axis % rank else Val(cx.op("open_grid", cx.atom(indices), axis=k))
        for k in range(rank)
    ]
    storing.set_item(cx, arr, TupleRef(tuple(grid)), found["values"])
    return cx.constant(None)


@handles(np.put)
def _put(cx: Lowerer, args: Args, kwargs: Kwargs) -> Ref:
    found = _bound(cx, "np.put", ("a", "ind", "v"), args, kwargs)
    a, places = found["a"], found["ind"]
    if not isinstance(a, ArrayRef):
        cx.fail("np.put writes to an array")
    if rank_of(cx, a, "np.put") != 1:
        shape = Val(cx.op("shape", cx.atom(a)))
        places = cx.ref(cx.op("np.unravel_index", cx.atom(places), cx.atom(shape)))
    storing.set_item(cx, a, places, found["v"])
    return cx.constant(None)


@handles(np.fill_diagonal)
def _fill_diagonal(cx: Lowerer, args: Args, kwargs: Kwargs) -> Ref:
    found = _bound(cx, "np.fill_diagonal", ("a", "val", "wrap"), args, kwargs)
    a = found["a"]
    rank = rank_of(cx, a, "np.fill_diagonal") if isinstance(a, ArrayRef) else 0
    if rank < 2 or ("wrap" in found and cx.static(found["wrap"], "the 'wrap'")):
        cx.fail("np.fill_diagonal is supported for matrices and more axes, without 'wrap'")
    shape = cx.op("shape", cx.atom(a))
    sizes = [cx.op("item", shape, Const.of(k)) for k in range(rank)]
    index = cx.ref(cx.op("np.arange", cx.op("min", *sizes)))
    storing.set_item(cx, a, TupleRef((index,) * rank), found["val"])
    return cx.constant(None)


@handles(np.copyto)
def _copyto(cx: Lowerer, args: Args, kwargs: Kwargs) -> Ref:
    found = _bound(cx, "np.copyto", ("dst", "src", "casting", "where"), args, kwargs)
    dst, src = found["dst"], found["src"]
    if not isinstance(dst, ArrayRef):
        cx.fail("np.copyto writes to an array")
    if "casting" in found and cx.static(found["casting"], "the 'casting'") != "same_kind":
        cx.fail("np.copyto is supported with casting='same_kind' only")
    if "where" in found:
        src = call_named(cx, "np.where", found["where"], src, dst)
    storing.set_item(cx, dst, cx.constant(...), src)
    return cx.constant(None)


# -- other spellings -----------------------------------------------------------------------------


@handles(np.where)
def _where(cx: Lowerer, args: Args, kwargs: Kwargs) -> Ref:
    if len(args) == 1 and not kwargs:
        return call_named(cx, "np.nonzero", args[0])
    return primitives.call(cx, primitive("np.where"), args, kwargs)


@handles(np.clip)
def clip(cx: Lowerer, args: Args, kwargs: Kwargs) -> Ref:
    """The bounds have two names each."""
    names = {"min": "a_min", "max": "a_max"}
    given = {names.get(k, k): v for k, v in kwargs.items()}
    if len(given) < len(kwargs):
        cx.fail("np.clip: a bound is given twice")
    if len(args) < 3:
        given.setdefault("a_max", cx.constant(None))
    return primitives.call(cx, primitive("np.clip"), args, given)


def _limits(info: Any) -> Any:
    def handler(cx: Lowerer, args: Args, kwargs: Kwargs) -> Ref:
        (ref,) = args
        kind = cx.kind(ref) if not cx.known(ref) else None
        dtype = (
            kind.dtype if isinstance(kind, Num | Array | Mixed) else cx.static(ref, "the dtype")
        )
        limits = info(dtype)
        if info is np.iinfo:
            return Static(SimpleNamespace(min=limits.min, max=limits.max, bits=limits.bits))
        return Static(limits)

    return handler


handles(np.finfo)(_limits(np.finfo))
handles(np.iinfo)(_limits(np.iinfo))

if hasattr(np, "unstack"):

    @handles(np.unstack)
    def _unstack(cx: Lowerer, args: Args, kwargs: Kwargs) -> Ref:
        axis = kwargs.get("axis", cx.constant(0))
        moved = call_named(cx, "np.moveaxis", args[0], source=axis, destination=0)
        items = iteration.static_items(cx, moved)
        if items is not None:
            return TupleRef(tuple(items))
        return comprehensions.to_list(cx, moved)
