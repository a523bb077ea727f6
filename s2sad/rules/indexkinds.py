"""Kind rules of indexing: what ``x[i]`` and ``x[i] = v`` give for every form of index.

In: the atoms of the container and of the index. Out: the kind of the element, view or copy.

    x: Array(float64, (n, 3)),  x[1:, 0]   ->   Array(float64, (n - 1,))
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import EllipsisType
from typing import Any

from ..ir.kinds import (
    INT,
    STR,
    UNKNOWN,
    Array,
    Dict,
    Dim,
    FixedList,
    Kind,
    ListOf,
    Mixed,
    Num,
    Opaque,
    Record,
    Size,
    SliceOf,
    Sym,
    Tuple,
    join,
    kind_of,
    shift_dim,
    slice_of,
)
from ..ir.nodes import Atom, Const
from .kindrules import as_array, broadcast_dims, describe, int_of_dim
from .registry import KindError


@dataclass(frozen=True, slots=True)
class _Int:
    """An integer index."""


@dataclass(frozen=True, slots=True)
class _Fancy:
    """An index array: ``consumes`` axes and contributes ``dims`` to the broadcast."""

    dims: tuple[Dim, ...] | None
    consumes: int = 1


_Entry = _Int | _Fancy | SliceOf | None | EllipsisType


def slice_kind(args: Sequence[Atom], attrs: Mapping[str, Any]) -> Kind:
    """A slice remembers constant bounds and bounds that stand for sizes."""
    return SliceOf(slice, *map(_bound, args))


def _bound(a: Atom) -> Dim | None:
    if isinstance(a, Const):
        return None if a.value is None else int(a.value)
    if a.kind == Opaque(type(None)):
        return None
    return a.kind.dim if isinstance(a.kind, Num) and a.kind.dim is not None else Size()


def _entry(kind: Kind) -> _Entry:
    match kind:
        case Num():
            if kind.dtype == "bool":
                return _Fancy((Size(),), 0)
            if kind.dtype[0] in "iu":
                return _Int()
        case SliceOf():
            return kind
        case Opaque():
            if kind.cls is slice:
                return SliceOf(slice, Size(), Size(), Size())
            if kind.cls is EllipsisType:
                return ...
            if kind.cls is type(None):
                return None
        case Array() if kind.dtype == "bool":
            return _Fancy(None if kind.rank is None else (Size(),), kind.rank or 0)
        case Array() if kind.dtype[0] in "iu":
            return _Fancy(kind.dims)
        case FixedList() | ListOf() | Tuple():
            if kind == ListOf(None):
                return _Fancy((0,))
            return _entry(as_array(kind))
    raise KindError(f"{describe(kind)} is not an index")


def _entries(i: Atom) -> list[_Entry]:
    if isinstance(i, Const):
        value = i.value if isinstance(i.value, tuple) else (i.value,)
        return [_entry(slice_of(v) if isinstance(v, slice) else kind_of(v)) for v in value]
    if isinstance(i.kind, Tuple):
        return [_entry(k) for k in i.kind.items]
    return [_entry(i.kind)]


def advanced(i: Atom) -> tuple[int, bool] | None:
    """How many axes index arrays in ``i`` give, and whether others part them; None without any.

    Where they are parted, NumPy puts their axes first; otherwise they stay in their place.
    """
    entries = _entries(i)
    arrays = [e for e in entries if isinstance(e, _Fancy)]
    if not arrays:
        return None
    ranks = []
    for e in arrays:
        if e.dims is None:
            raise KindError("the number of axes of an index is not known here")
        ranks.append(len(e.dims))
    places = [n for n, e in enumerate(entries) if isinstance(e, _Fancy | _Int)]
    return max(ranks), places[-1] - places[0] + 1 != len(places)


def slice_dim(d: Dim, s: SliceOf) -> Dim:
    """The size of an axis of size ``d`` after slicing."""
    start, stop, step = s.start, s.stop, s.step
    if step is None:
        step = 1
    if not isinstance(step, int):
        return Size()
    constant = all(b is None or isinstance(b, int) for b in (start, stop))
    if isinstance(d, int) and constant:
        return len(range(*slice(start, stop, step).indices(d)))
    if start is None and stop is None and abs(step) == 1:
        return d
    if step != 1:
        return Size()
    lo = 0 if start is None else start
    if isinstance(lo, int) and lo >= 0:
        if stop is None:
            return shift_dim(d, -lo)
        if isinstance(stop, int) and stop < 0:
            return shift_dim(d, stop - lo)
        if isinstance(stop, Sym) and isinstance(d, Sym) and stop.base == d.base:
            if stop.offset <= d.offset <= 0:
                return shift_dim(stop, -lo)
    return Size()


def item_of_array(k: Array, entries: list[_Entry]) -> Kind:
    """The kind of an array indexed by these."""
    if any(isinstance(e, _Fancy) and e.dims is None for e in entries):
        return Array(k.dtype, None)
    consumed = sum(
        e.consumes if isinstance(e, _Fancy) else not (e is None or e is ...) for e in entries
    )
    if k.dims is None:
        ints = all(isinstance(e, _Int) for e in entries)
        return Mixed(k.dtype) if ints else Array(k.dtype, None)
    if consumed > len(k.dims):
        raise KindError(f"{consumed} indices for {describe(k)}")
    ellipses = sum(e is ... for e in entries)
    if ellipses > 1:
        raise KindError("an index can have one Ellipsis")
    full = SliceOf(slice, None, None, None)
    rest: list[_Entry] = [full] * (len(k.dims) - consumed)
    flat: list[_Entry] = []
    for e in entries:
        # the Ellipsis itself stays: even of no axes it parts what stands around it
        flat.extend((..., *rest) if e is ... else (e,))
    if not ellipses:
        flat.extend(rest)
    dims, fancy = _index_axes(k.dims, flat)
    if dims is None:
        return Array(k.dtype, None)
    if not dims and (fancy or not ellipses):
        return Num(k.dtype, False)
    return Array(k.dtype, dims)


def _index_axes(dims: tuple[Dim, ...], flat: list[_Entry]) -> tuple[tuple[Dim, ...] | None, bool]:
    """Dims of the result, and whether an index array took part."""
    fancy = any(isinstance(e, _Fancy) for e in flat)
    out: list[Dim] = []
    advanced: list[tuple[Dim, ...]] = []
    places: list[int] = []
    axis, at = 0, None
    for n, e in enumerate(flat):
        match e:
            case None:
                out.append(1)
            case SliceOf():
                out.append(slice_dim(dims[axis], e))
                axis += 1
            case _Int():
                if fancy:
                    places.append(n)
                    at = len(out) if at is None else at
                axis += 1
            case _Fancy():
                advanced.append(e.dims or ())
                places.append(n)
                at = len(out) if at is None else at
                axis += e.consumes
    if not fancy:
        return tuple(out), False
    together = broadcast_dims(*advanced)
    if together is None or at is None:
        return None, True
    if places[-1] - places[0] + 1 != len(places):
        at = 0
    return (*out[:at], *together, *out[at:]), True


def item(args: Sequence[Atom], attrs: Mapping[str, Any]) -> Kind:
    """The kind of ``x[i]``."""
    x, i = args
    k = x.kind
    match k:
        case Array():
            return item_of_array(k, _entries(i))
        case Num() if k.weak is not True:
            return item_of_array(Array(k.dtype, ()), _entries(i))
        case Mixed():
            return Mixed(k.dtype)
        case Tuple() | FixedList():
            return _item_of_fixed(k, i)
        case ListOf():
            if _is_slice(i):
                return k
            return UNKNOWN if k.elem is None else forget_sizes_of_element(k.elem)
        case Dict():
            return _lookup(k.items, i)
        case Record():
            if issubclass(k.cls, tuple):
                return _item_of_fixed(Tuple(tuple(v for _, v in k.fields)), i)
        case Opaque() if k.cls is str:
            return STR
        case Opaque() if k.cls is dict:  # of positions by key
            return INT
    if isinstance(k, Num):
        raise KindError(f"{describe(k)} cannot be indexed")
    return UNKNOWN


def forget_sizes_of_element(k: Kind) -> Kind:
    """Elements of one list may differ in sizes that are not named."""
    return k


def _is_slice(i: Atom) -> bool:
    return isinstance(i.kind, Opaque) and i.kind.cls is slice


def _item_of_fixed(k: Tuple | FixedList, i: Atom) -> Kind:
    if isinstance(i, Const):
        if isinstance(i.value, slice):
            return type(k)(k.items[i.value])
        try:
            found: Kind = k.items[i.value]
            return found
        except (IndexError, TypeError) as e:
            raise KindError(f"index {i.value!r} of {len(k.items)} items") from e
    if _is_slice(i):
        return UNKNOWN if isinstance(k, Tuple) else ListOf(_join_all(k.items))
    return _join_all(k.items) if k.items else UNKNOWN


def _join_all(items: Sequence[Kind]) -> Kind:
    out = items[0]
    for k in items[1:]:
        out = join(out, k)
    return out


def _lookup(items: tuple[tuple[Any, Kind], ...], i: Atom) -> Kind:
    if isinstance(i, Const):
        for key, v in items:
            if key == i.value:
                return v
        raise KindError(f"no key {i.value!r}")
    return _join_all([v for _, v in items]) if items else UNKNOWN


def setitem(args: Sequence[Atom], attrs: Mapping[str, Any]) -> Kind:
    """The kind of ``a`` after ``a[i] = v``."""
    a, i, v = args
    k = a.kind
    match k:
        case Array():
            if isinstance(v.kind, Num | Array | Mixed):
                if v.kind.dtype[0] == "c" and k.dtype[0] != "c":
                    raise KindError("complex numbers do not fit into a real array")
            item_of_array(k, _entries(i))
            return k
        case FixedList():
            if isinstance(i, Const) and isinstance(i.value, int):
                n = len(k.items)
                if not -n <= i.value < n:
                    raise KindError(f"index {i.value} of {n} items")
                items = list(k.items)
                items[i.value] = v.kind
                return FixedList(tuple(items))
            if _is_slice(i):
                return UNKNOWN
            return FixedList(tuple(join(e, v.kind) for e in k.items))
        case ListOf():
            if _is_slice(i):
                return join(k, v.kind)
            return ListOf(v.kind if k.elem is None else join(k.elem, v.kind))
        case Dict():
            if isinstance(i, Const):
                return Dict(tuple({**dict(k.items), i.value: v.kind}.items()))
            return Dict(tuple((key, join(e, v.kind)) for key, e in k.items))
    if isinstance(k, Num | Tuple):
        raise KindError(f"items of {describe(k)} cannot be assigned")
    return k


def length(args: Sequence[Atom], attrs: Mapping[str, Any]) -> Kind:
    """``len(x)``: an int that stands for a size."""
    match args[0].kind:
        case Array(_, dims) if dims is not None:
            if not dims:
                raise KindError("a 0-d array has no len")
            return int_of_dim(dims[0])
        case Tuple(items) | FixedList(items):
            return int_of_dim(len(items))
        case Dict(entries):
            return int_of_dim(len(entries))
        case Num() as k:
            raise KindError(f"{describe(k)} has no len")
        case _:
            return int_of_dim(Size())


def shape(args: Sequence[Atom], attrs: Mapping[str, Any]) -> Kind:
    """``x.shape``: ints that stand for sizes."""
    k = as_array(args[0].kind)
    match k:
        case Array(_, dims) if dims is not None:
            return Tuple(tuple(map(int_of_dim, dims)))
        case Num():
            return Tuple(())
        case _:
            return ListOf(int_of_dim(Size()))
