"""Kinds: what the compiler knows of a value before it runs.

In: example arguments (``kind_of``) or the kinds of operands (the rules). Out: a lattice of
immutable descriptions compared by value, joined where control flow meets.

    kind_of(2.0)               -> Num("float64", weak=True)
    kind_of(np.ones((3, 1)))   -> Array("float64", (Sym(("x", 0), not_one=True), 1))

Sizes that are exactly 1 are part of a kind, because broadcasting makes them behave unlike any
other size: when two sizes meet and neither is 1, NumPy has already proved them equal.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Hashable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeAlias

import numpy as np


@dataclass(frozen=True, slots=True)
class Sym:
    """A symbolic size ``max(base + offset, 0)``; equal symbols are equal sizes."""

    base: Hashable
    offset: int = 0
    not_one: bool = False


@dataclass(frozen=True, slots=True)
class Size:
    """A size nothing is known of but, perhaps, that it is not one. Never the same as another."""

    not_one: bool = False


Dim: TypeAlias = int | Sym | Size


def same_dim(a: Dim, b: Dim) -> bool:
    """True only where the two sizes are proved equal."""
    return a == b and not isinstance(a, Size)


def not_one(d: Dim) -> bool:
    """True where the size is known to differ from one."""
    return d != 1 if isinstance(d, int) else d.not_one


def length_of(kind: Kind) -> Dim | None:
    """The size that an int is; None for others, and for those that may be below 0.

    >>> length_of(Num("int64", True, Sym("n"))), length_of(Num("int64", True, Sym("n", -1)))
    (Sym(base='n', offset=0, not_one=False), None)
    """
    dim = kind.dim if isinstance(kind, Num) else None
    exact = isinstance(dim, int) or (isinstance(dim, Sym) and dim.offset == 0)
    return dim if exact else None


def shift_dim(d: Dim, by: int) -> Dim:
    """The size ``max(d + by, 0)``."""
    match d:
        case int():
            return max(d + by, 0)
        case Sym():
            return d if by == 0 else Sym(d.base, d.offset + by) if d.offset + by <= 0 else Size()
        case _:
            return d if by == 0 else Size()


def join_dim(a: Dim, b: Dim) -> Dim:
    if same_dim(a, b):
        return a
    return Size(not_one(a) and not_one(b))


def broadcast_dim(a: Dim, b: Dim) -> Dim:
    """The size of one axis of the result when sizes ``a`` and ``b`` meet."""
    if a == 1 or same_dim(a, b):
        return b
    if b == 1 or not_one(a):
        return a
    if not_one(b):
        return b
    return Size()


class Kind:
    """Base of all kinds."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Num(Kind):
    """A scalar. ``weak``: True Python's own, False NumPy's, None either of them.

    ``dim`` names the size an int stands for, so that ``np.zeros(len(x))`` has x's length.
    """

    dtype: str
    weak: bool | None
    dim: Dim | None = None


@dataclass(frozen=True, slots=True)
class Array(Kind):
    """An ``ndarray``; ``dims`` is None where the rank is unknown."""

    dtype: str
    dims: tuple[Dim, ...] | None

    @property
    def rank(self) -> int | None:
        return None if self.dims is None else len(self.dims)


@dataclass(frozen=True, slots=True)
class Mixed(Kind):
    """A scalar or an array of any rank; code for it checks at run time."""

    dtype: str


@dataclass(frozen=True, slots=True)
class Tuple(Kind):
    """A tuple of known length; ``cls`` is the NamedTuple class, if it is one."""

    items: tuple[Kind, ...]
    cls: type | None = None


@dataclass(frozen=True, slots=True)
class FixedList(Kind):
    """A list of known length whose elements have their own kinds."""

    items: tuple[Kind, ...]


@dataclass(frozen=True, slots=True)
class ListOf(Kind):
    """A list of any length whose elements all have kind ``elem`` (None: it is still empty)."""

    elem: Kind | None


@dataclass(frozen=True, slots=True)
class Dict(Kind):
    """A dict with known keys, in their order."""

    items: tuple[tuple[Any, Kind], ...]


@dataclass(frozen=True, slots=True)
class Record(Kind):
    """An instance of a dataclass (or of a plain class read by attribute)."""

    cls: type
    fields: tuple[tuple[str, Kind], ...]


@dataclass(frozen=True, slots=True)
class Opaque(Kind):
    """A run-time object that is never differentiated: a string, None, a slice, a dtype, an RNG."""

    cls: type


@dataclass(frozen=True, slots=True)
class SliceOf(Opaque):
    """A slice whose bounds are known in part: an int, the size a bound stands for, or Size()."""

    start: Dim | None
    stop: Dim | None
    step: Dim | None


@dataclass(frozen=True, slots=True)
class Undef(Kind):
    """Not assigned on this path."""


@dataclass(frozen=True, slots=True)
class Unknown(Kind):
    """Inference ended here; nothing may be assumed."""


BOOL = Num("bool", True)
INT = Num("int64", True)
FLOAT = Num("float64", True)
COMPLEX = Num("complex128", True)
NONE = Opaque(type(None))
STR = Opaque(str)
SLICE = Opaque(slice)
#: What the forward sweep of a called function saved: a tuple only its reverse sweep looks into.
SAVED = Opaque(tuple)
UNDEF = Undef()
UNKNOWN = Unknown()

_PYTHON_SCALARS: dict[type, Num] = {bool: BOOL, int: INT, float: FLOAT, complex: COMPLEX}

#: Lists of arrays or of unlike elements up to this length keep their length in the kind.
FIXED_LIST_LIMIT = 16


@lru_cache(maxsize=4096)
def _array_kind(dtype: np.dtype[Any], shape_ones: tuple[bool, ...], path: Hashable) -> Array:
    dims: tuple[Dim, ...] = tuple(
        1 if one else Size(True) if path is None else Sym((path, axis), 0, True)
        for axis, one in enumerate(shape_ones)
    )
    return Array(dtype.name, dims)


def kind_of(value: Any, path: Hashable = None) -> Kind:
    """The kind of a run-time value; ``path`` names its sizes (None: sizes stay unknown).

    >>> kind_of(1.5)
    Num(dtype='float64', weak=True, dim=None)
    >>> kind_of([1.0, 2.0])
    ListOf(elem=Num(dtype='float64', weak=True, dim=None))
    """
    cls = type(value)
    if cls in _PYTHON_SCALARS:
        if cls is int and path is not None:
            return Num("int64", True, Sym(path))
        return _PYTHON_SCALARS[cls]
    if cls is np.ndarray:
        if value.dtype.kind not in "biufc":
            return Opaque(cls)
        return _array_kind(value.dtype, tuple(d == 1 for d in value.shape), path)
    if isinstance(value, np.generic):
        return Num(value.dtype.name, False) if value.dtype.kind in "biufc" else Opaque(cls)
    if isinstance(value, tuple):
        items = tuple(kind_of(v, _sub(path, i)) for i, v in enumerate(value))
        return Tuple(items, None if cls is tuple else cls)
    if cls is list:
        return _list_kind(value, path)
    if cls is dict:
        return Dict(tuple((k, kind_of(v, _sub(path, k))) for k, v in value.items()))
    if dataclasses.is_dataclass(cls):
        names = [f.name for f in dataclasses.fields(cls)]
        return Record(cls, tuple((n, kind_of(getattr(value, n), _sub(path, n))) for n in names))
    return Opaque(cls)


def slice_of(s: slice) -> Opaque:
    """The kind of a slice that is known now.

    >>> slice_of(slice(1, None))
    SliceOf(cls=<class 'slice'>, start=1, stop=None, step=None)
    """
    bounds = (s.start, s.stop, s.step)
    if any(isinstance(v, float | complex) for v in bounds):
        return SLICE  # of np.r_ and np.mgrid
    return SliceOf(slice, *(None if v is None else int(v) for v in bounds))


def _sub(path: Hashable, key: Hashable) -> Hashable:
    return None if path is None else (path, key)


def _list_kind(value: list[Any], path: Hashable) -> Kind:
    if not value:
        return ListOf(None)
    loose = [kind_of(v) for v in value]
    first = loose[0]
    if all(k == first for k in loose[1:]) and (
        isinstance(first, Num) or len(value) > FIXED_LIST_LIMIT
    ):
        return ListOf(first)
    if len(value) <= FIXED_LIST_LIMIT:
        return FixedList(tuple(kind_of(v, _sub(path, i)) for i, v in enumerate(value)))
    elem = first
    for k in loose[1:]:
        elem = join(elem, k)
    return ListOf(elem)


@lru_cache(maxsize=4096)
def promote(*kinds: Kind) -> str:
    """NumPy's result dtype of operands of these kinds (NEP 50: Python scalars are weak)."""
    operands: list[Any] = []
    for k in kinds:
        if isinstance(k, Num) and k.weak:
            operands.append({"bool": False, "int64": 0, "float64": 0.0}.get(k.dtype, 0j))
        elif isinstance(k, Num | Array | Mixed):
            operands.append(np.dtype(k.dtype))
        else:
            raise TypeError(f"no dtype for {k}")
    return np.result_type(*operands).name


def join(a: Kind, b: Kind) -> Kind:
    """The least kind that describes both."""
    if a == b:
        return a
    match a, b:
        case Undef(), _:
            return b
        case _, Undef():
            return a
        case Num(), Num():
            weak = a.weak if a.weak == b.weak else None
            dim = a.dim if a.dim is not None and b.dim is not None and a.dim == b.dim else None
            return Num(_join_dtype(a.dtype, b.dtype), weak, dim)
        case Array(), Array():
            dtype = _join_dtype(a.dtype, b.dtype)
            if a.dims is None or b.dims is None or len(a.dims) != len(b.dims):
                return Array(dtype, None)
            return Array(dtype, tuple(map(join_dim, a.dims, b.dims)))
        case ((Num() | Array() | Mixed()), (Num() | Array() | Mixed())):
            return Mixed(_join_dtype(a.dtype, b.dtype))
        case Tuple(), Tuple() if len(a.items) == len(b.items) and a.cls == b.cls:
            return Tuple(tuple(map(join, a.items, b.items)), a.cls)
        case ((FixedList() | ListOf()), (FixedList() | ListOf())):
            if isinstance(a, FixedList) and isinstance(b, FixedList):
                if len(a.items) == len(b.items):
                    return FixedList(tuple(map(join, a.items, b.items)))
            return join_lists(loosen(a), loosen(b))
        case Dict(), Dict() if [k for k, _ in a.items] == [k for k, _ in b.items]:
            return Dict(
                tuple((k, join(x, y)) for (k, x), (_, y) in zip(a.items, b.items, strict=True))
            )
        case Record(), Record() if a.cls is b.cls:
            return Record(
                a.cls,
                tuple((k, join(x, y)) for (k, x), (_, y) in zip(a.fields, b.fields, strict=True)),
            )
        case Opaque(), Opaque() if a.cls is b.cls:
            return Opaque(a.cls)
        case _:
            return UNKNOWN


def loosen(k: FixedList | ListOf) -> ListOf:
    """The same list with its length forgotten."""
    if isinstance(k, ListOf):
        return k
    elem: Kind | None = None
    for item in k.items:
        elem = forget_sizes(item) if elem is None else join(elem, forget_sizes(item))
    return ListOf(elem)


def join_lists(a: ListOf, b: ListOf) -> ListOf:
    if a.elem is None or b.elem is None:
        return a if b.elem is None else b
    return ListOf(join(a.elem, b.elem))


def forget_sizes(k: Kind) -> Kind:
    """The kind with every named size replaced by an unnamed one."""
    match k:
        case Array() if k.dims is not None:
            return Array(
                k.dtype, tuple(d if isinstance(d, int) else Size(d.not_one) for d in k.dims)
            )
        case Num():
            return Num(k.dtype, k.weak)
        case Tuple():
            return Tuple(tuple(map(forget_sizes, k.items)), k.cls)
        case FixedList():
            return FixedList(tuple(map(forget_sizes, k.items)))
        case ListOf():
            return ListOf(None if k.elem is None else forget_sizes(k.elem))
        case Dict():
            return Dict(tuple((key, forget_sizes(v)) for key, v in k.items))
        case Record():
            return Record(k.cls, tuple((n, forget_sizes(v)) for n, v in k.fields))
        case _:
            return k


def _join_dtype(a: str, b: str) -> str:
    return a if a == b else np.result_type(np.dtype(a), np.dtype(b)).name


def is_float(k: Kind) -> bool:
    """True for numbers and arrays that can carry a derivative."""
    return isinstance(k, Num | Array | Mixed) and k.dtype[0] in "fc"


def is_complex(k: Kind) -> bool:
    """True for complex numbers and arrays."""
    return isinstance(k, Num | Array | Mixed) and k.dtype[0] == "c"


def is_scalar(k: Kind) -> bool:
    return isinstance(k, Num)


def carries_derivative(k: Kind) -> bool:
    """True where some part of a value of this kind can carry a derivative."""
    match k:
        case Num() | Array() | Mixed():
            return k.dtype[0] in "fc"
        case Tuple() | FixedList():
            return any(map(carries_derivative, k.items))
        case ListOf():
            return k.elem is None or carries_derivative(k.elem)
        case Dict():
            return any(carries_derivative(v) for _, v in k.items)
        case Record():
            return any(carries_derivative(v) for _, v in k.fields)
        case Unknown() | Undef():
            return True
        case _:
            return k == SAVED
