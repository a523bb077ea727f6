"""Kinds by example: run the function on small stand-ins and read the kind off the result.

In: any NumPy function whose result's shape depends on shapes and static options only. Out: its
kind rule. Every symbolic size is stood for by a different prime in each of two runs; a size of the
result that equals the same symbol's prime in both runs is that symbol.

    by_example(np.outer)((x: Array(float64, (n,)), y: Array(float64, (m,))))
        runs np.outer(zeros(11), zeros(13)), np.outer(zeros(17), zeros(19))
        -> Array(float64, (n, m))
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from ..ir.kinds import (
    UNKNOWN,
    Array,
    Dim,
    FixedList,
    Kind,
    ListOf,
    Mixed,
    Num,
    Opaque,
    Size,
    SliceOf,
    Sym,
    Tuple,
    kind_of,
    promote,
)
from ..ir.nodes import Atom, Const
from .registry import KindError, KindRule

_PRIMES = ((11, 13, 17, 19, 23, 29, 31, 37, 41, 43), (47, 53, 59, 61, 67, 71, 73, 79, 83, 89))
_SMALL = ((7, 11, 13, 17, 19), (13, 7, 19, 11, 17))
_SMALLEST = ((5, 7, 3, 2, 11, 13, 17, 19), (7, 3, 5, 11, 2, 17, 13, 23))
_WEAK: dict[str, Any] = {"bool": True, "int64": 1, "float64": 1.0, "complex128": 1j}


class _NoStandIn(Exception):
    """There is no run-time value that stands for this kind."""


class _Sizes:
    """Which number stands for which size in one run."""

    def __init__(self, run: int, uniform: int, count: int = 1) -> None:
        """``count``: how many sizes there are; an array with an axis of each must stay small."""
        primes = _PRIMES if count < 4 else _SMALL if count < 6 else _SMALLEST
        self.primes: Iterator[int] = iter(primes[run])
        self.uniform = uniform
        self.any_int = self.uniform or (2, 3)[run]
        self.bases: dict[Any, int] = {}
        self.meaning: dict[int, Dim] = {}

    def number(self, d: Dim) -> int:
        """The number that stands for ``d``."""
        if isinstance(d, int):
            return d
        if self.uniform:
            return self.uniform
        if isinstance(d, Size):
            return next(self.primes, 97)
        base = self.bases.get(d.base)
        if base is None:
            base = self.bases[d.base] = next(self.primes, 97)
        n = max(base + d.offset, 0)
        self.meaning[n] = d
        return n


def by_example(
    fun: Callable[..., Any], *, shapes_only: bool = True, fill: float = 1.0
) -> KindRule:
    """A kind rule that runs ``fun``; with ``shapes_only=False`` sizes of the result are unknown.

    ``fill`` is what stand-ins hold: 1 unless the function cannot take it.
    """

    def rule(args: Sequence[Atom], attrs: Mapping[str, Any]) -> Kind | tuple[Kind, ...]:
        key = tuple(_key(a) for a in args)
        try:
            return _cached(fun, key, tuple(sorted(attrs.items())), shapes_only, fill)
        except TypeError:  # something unhashable among the options
            return _infer(fun, key, attrs, shapes_only, fill)

    return rule


def _key(a: Atom) -> Any:
    """What the kind depends on: a constant that is no array, or else the kind."""
    if isinstance(a, Const) and not isinstance(a.value, np.ndarray | list | dict):
        return (a.value, a.kind)
    return a.kind


@lru_cache(maxsize=4096)
def _cached(
    fun: Callable[..., Any],
    key: tuple[Any, ...],
    attrs: tuple[tuple[str, Any], ...],
    shapes_only: bool,
    fill: float,
) -> Kind | tuple[Kind, ...]:
    return _infer(fun, key, dict(attrs), shapes_only, fill)


def _infer(
    fun: Callable[..., Any],
    key: tuple[Any, ...],
    attrs: Mapping[str, Any],
    shapes_only: bool,
    fill: float,
) -> Kind | tuple[Kind, ...]:
    problem: Exception | None = None
    # Sizes that are not known may have to be equal, or to equal one that is a number.
    count = max(len(_symbols(key)), _axes(key))
    attempts = [(3, 4), *((n, n) for n in sorted({1, *_numbers(key)}, reverse=True))]
    if count <= len(_SMALLEST[0]):
        attempts.insert(0, (0, 0))
    for attempt in attempts:
        runs = []
        try:
            for run in (0, 1):
                sizes = _Sizes(run, attempt[run], count)
                args = [_stand_in(k, sizes, fill) for k in key]
                with warnings.catch_warnings(), np.errstate(all="ignore"):
                    warnings.simplefilter("ignore")
                    runs.append((fun(*args, **attrs), sizes.meaning))
        except _NoStandIn:
            return _without_example(fun, key, attrs, fill)
        except Exception as e:  # whatever the user's call would raise
            problem = e
            continue
        (first, meant), (second, meant_again) = runs
        told = shapes_only and attempt[0] in (0, 3) and attempt[1] in (0, 4)
        return _read(first, second, meant, meant_again, told)
    raise KindError(str(problem))


def _symbols(key: Any) -> list[Any]:
    """The sizes among the operands that are not numbers, each of one name once."""
    match key:
        case Array(_, dims):
            named = {d.base for d in dims or () if isinstance(d, Sym)}
            return [*named, *(d for d in dims or () if isinstance(d, Size))]
        case tuple():
            found = [x for k in key for x in _symbols(k)]
            named = {x for x in found if not isinstance(x, Size)}
            return [*named, *(x for x in found if isinstance(x, Size))]
        case Tuple(items) | FixedList(items):
            return _symbols(items)
        case ListOf(elem):
            return _symbols(elem)
        case _:
            return []


def _axes(key: Any) -> int:
    """The most axes of sizes that are not numbers that an operand has."""
    match key:
        case Array(_, dims):
            return sum(not isinstance(d, int) for d in dims or ())
        case tuple():
            return max(map(_axes, key), default=0)
        case Tuple(items) | FixedList(items):
            return _axes(items)
        case ListOf(elem):
            return _axes(elem)
        case _:
            return 0


def _numbers(key: Any) -> set[int]:
    """The sizes among the operands that are numbers."""
    match key:
        case Array(_, dims):
            return {d for d in dims or () if isinstance(d, int)}
        case tuple():
            return set().union(*map(_numbers, key))
        case Tuple(items) | FixedList(items):
            return set().union(*map(_numbers, items))
        case ListOf(elem):
            return _numbers(elem)
        case _:
            return set()


def _without_example(
    fun: Callable[..., Any], key: tuple[Any, ...], attrs: Mapping[str, Any], fill: float
) -> Kind:
    """An operand of unknown rank: what all ranks agree on (the sum of anything is a number)."""
    kinds = [k for k in key if isinstance(k, Kind)]
    if not all(isinstance(k, Num | Array | Mixed) for k in kinds):
        return UNKNOWN
    unranked = [n for n, k in enumerate(key) if isinstance(k, Mixed | Array) and not _ranked(k)]
    if len(unranked) == 1:
        (n,) = unranked
        found = set()
        for rank in range(isinstance(key[n], Array), 4):
            stand_in = Array(key[n].dtype, (Size(),) * rank) if rank else Num(key[n].dtype, False)
            try:
                found.add(_infer(fun, (*key[:n], stand_in, *key[n + 1 :]), attrs, True, fill))
            except KindError:  # this function does not take every rank
                continue
        if len(found) == 1 and isinstance(kind := found.pop(), Num):
            return kind
    return Mixed(promote(*kinds))


def _ranked(k: Mixed | Array) -> bool:
    return isinstance(k, Array) and k.dims is not None


def _stand_in(k: Any, sizes: _Sizes, fill: float) -> Any:
    match k:
        case (value, Kind()):
            return value
        case Num():
            if k.dim is not None:
                return sizes.number(k.dim)
            if k.weak:
                return sizes.any_int if k.dtype == "int64" else _WEAK[k.dtype]
            return np.dtype(k.dtype).type(1)
        case Array() if k.dims is not None:
            return np.full(tuple(map(sizes.number, k.dims)), fill, k.dtype)
        case Tuple():
            items = tuple(_stand_in(i, sizes, fill) for i in k.items)
            return items if k.cls is None else k.cls(*items)
        case FixedList():
            return [_stand_in(i, sizes, fill) for i in k.items]
        case ListOf():
            if k.elem is None:
                return []
            return [_stand_in(k.elem, sizes, fill)] * sizes.number(Size())
        case SliceOf():
            bounds = (None if b is None else sizes.number(b) for b in (k.start, k.stop, k.step))
            return slice(*bounds)
        case Opaque() if k.cls is type(None):
            return None
    raise _NoStandIn


def _read(
    a: Any, b: Any, meant: dict[int, Dim], meant_again: dict[int, Dim], shapes_only: bool
) -> Kind | Any:
    """The kind that both results have."""
    if isinstance(a, np.ndarray):
        if a.ndim != b.ndim:
            return Array(a.dtype.name, None)
        dims = (
            _dim(n, m, meant, meant_again) if shapes_only else Size()
            for n, m in zip(a.shape, b.shape, strict=True)
        )
        return Array(a.dtype.name, tuple(dims))
    if type(a) is tuple:
        return Tuple(
            tuple(_read(x, y, meant, meant_again, shapes_only) for x, y in zip(a, b, strict=True))
        )
    if isinstance(a, list):
        if len(a) != len(b):
            return ListOf(_read(a[0], b[0], meant, meant_again, False)) if a and b else UNKNOWN
        return FixedList(
            tuple(_read(x, y, meant, meant_again, shapes_only) for x, y in zip(a, b, strict=True))
        )
    if type(a) is int:
        d = _dim(a, b, meant, meant_again)
        return Num("int64", True, d if isinstance(d, Sym) else None)
    return kind_of(a)


def _dim(n: int, m: int, meant: dict[int, Dim], meant_again: dict[int, Dim]) -> Dim:
    d = meant.get(n)
    if d is not None and meant_again.get(m) == d:
        return d
    return n if n == m else Size()
