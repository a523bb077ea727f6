"""Helpers that emitted code may call; they need NumPy only and are copied into exported modules.

Each is pure unless its docstring says that it changes its first argument.

    ratio(0.0, 0.0)   ->   0.0
    unbroadcast(np.ones((2, 3)), np.zeros(3))   ->   array([2., 2., 2.])
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np


class Unforeseen(Exception):
    """Arguments do not fit each other as compiled code takes for granted that they do."""


def ratio(g: Any, d: Any) -> Any:
    """``g / d``, but 0 where ``g`` is 0, and NumPy's inf where only ``d`` is 0; never raises.

    >>> ratio(0.0, 0.0), ratio(1.0, 0.0), ratio(1.0, 4.0)
    (0.0, inf, 0.25)
    """
    if isinstance(d, float | int) and isinstance(g, float | int):  # NumPy's float64 among them
        if g:
            return g / d if d else g * (math.copysign(math.inf, d) + d)
        zero = 0.0 * g + 0.0
        return zero if type(d) in (float, int) else np.float64(zero)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        out = np.divide(g, d)
        if np.isfinite(out).all():
            return out
        zero = np.equal(g, 0)
        if np.ndim(out) == 0:
            return out * 0 if zero and np.isfinite(out) else out.dtype.type(0) if zero else out
        return np.where(zero, out.dtype.type(0), out)


def power_slope(s: Any, x: Any, y: Any) -> Any:
    """``s * y * x ** (y - 1)``, but 0 where ``s`` or ``y`` is 0; never raises.

    >>> power_slope(1.0, 3.0, 2.0), power_slope(0.0, 0.0, 0.5), power_slope(1.0, 0.0, 0)
    (6.0, 0.0, 0.0)
    """
    if type(x) is float and 1e-75 < x < 1e75 and type(y) in (float, int) and -3 < y < 4:
        return s * (y * x ** (y - 1))
    with np.errstate(all="ignore"):
        seed = s * y
        out = seed * np.float_power(x, y - 1) if _python(x, y) else seed * np.power(x, y - 1.0)
        if np.ndim(out) == 0:
            return (seed * 0 if np.isfinite(seed) else 0.0) if seed == 0 else _like(out, s, x, y)
        return out if np.all(np.isfinite(out)) else np.where(np.equal(seed, 0), 0, out)


def log_base(x: Any) -> Any:
    """``log(x)``, but 0 at 0 and nan below; never raises.

    >>> log_base(1.0), log_base(0.0)
    (0.0, 0.0)
    """
    if type(x) is float:
        return math.log(x) if x > 0 else 0.0 if x == 0 else math.nan
    with np.errstate(all="ignore"):
        out = np.log(np.where(np.equal(x, 0), 1, x))
    return _like(out[()], x)


def _python(*xs: Any) -> bool:
    return all(type(x) in (int, float, bool, complex) for x in xs)


def _like(out: Any, *xs: Any) -> Any:
    """A Python number where all operands are."""
    return out.item() if _python(*xs) and isinstance(out, np.generic) else out


def unbroadcast(g: Any, x: Any) -> Any:
    """``g`` summed over the axes along which ``x`` was broadcast, repeated where it is smaller.

    What is repeated is a new array: a broadcast view could not be written.

    >>> unbroadcast(np.ones((2, 3)), np.zeros((2, 1)))
    array([[3.],
           [3.]])
    """
    shape = np.shape(x)
    have = np.shape(g)
    if have == shape:
        return g
    if len(have) < len(shape) or any(
        n != m and n == 1 for n, m in zip(have[::-1], shape[::-1], strict=False)
    ):
        g = np.broadcast_to(g, np.broadcast_shapes(have, shape))
        return g.copy() if g.shape == shape else unbroadcast(g, x)
    extra = len(have) - len(shape)
    if extra:
        g = np.sum(g, axis=tuple(range(extra)))
    axes = tuple(
        i for i, (n, m) in enumerate(zip(np.shape(g), shape, strict=True)) if m == 1 and n != 1
    )
    return np.sum(g, axis=axes, keepdims=True) if axes else g


def zeros_like(x: Any) -> Any:
    """A zero of the structure, shape and dtype of ``x``; an int counts as a float.

    >>> zeros_like([1.0, (2, np.ones(2))])
    [0.0, (0.0, array([0., 0.]))]
    """
    if isinstance(x, np.ndarray):
        return np.zeros_like(x)
    if isinstance(x, np.generic):
        return x.dtype.type(0)
    if isinstance(x, bool | int | float):
        return 0.0
    if isinstance(x, complex):
        return 0j
    if isinstance(x, tuple):
        items = [zeros_like(v) for v in x]
        return type(x)(*items) if hasattr(x, "_fields") else tuple(items)
    if isinstance(x, list):
        return [zeros_like(v) for v in x]
    if isinstance(x, dict):
        return {k: zeros_like(v) for k, v in x.items()}
    if hasattr(x, "__dataclass_fields__"):
        return type(x)(**{n: zeros_like(getattr(x, n)) for n in x.__dataclass_fields__})
    return None


def typed_like(g: Any, x: Any) -> Any:
    """``g`` with Python's numbers where ``x`` has them, and NumPy's of its dtype elsewhere.

    >>> typed_like([np.float64(2.0), 1.0], [0.5, np.float32(0.5)])
    [2.0, np.float32(1.0)]
    """
    if isinstance(x, tuple):
        items = [typed_like(a, b) for a, b in zip(g, x, strict=True)]
        return type(x)(*items) if hasattr(x, "_fields") else tuple(items)
    if isinstance(x, list):
        return [typed_like(a, b) for a, b in zip(g, x, strict=True)]
    if isinstance(x, dict):
        return {k: typed_like(g[k], v) for k, v in x.items()}
    if isinstance(x, np.generic):
        return x.dtype.type(g) if x.dtype.kind in "fc" else g
    if isinstance(x, bool | int | float):
        return float(g)
    return complex(g) if isinstance(x, complex) else g


def add(a: Any, b: Any) -> Any:
    """The sum of two cotangents of one structure; None counts as zero.

    >>> add([1.0, (2.0,)], [1.0, (3.0,)])
    [2.0, (5.0,)]
    """
    if a is None:
        return b
    if b is None:
        return a
    if isinstance(a, list):
        return [add(x, y) for x, y in zip(a, b, strict=True)]
    if isinstance(a, tuple):
        items = [add(x, y) for x, y in zip(a, b, strict=True)]
        return type(a)(*items) if hasattr(a, "_fields") else tuple(items)
    if isinstance(a, dict):
        return {k: add(v, b[k]) for k, v in a.items()}
    if hasattr(a, "__dataclass_fields__"):
        names = a.__dataclass_fields__
        return type(a)(**{n: add(getattr(a, n), getattr(b, n)) for n in names})
    return a + b


def accumulate(buf: Any, i: Any, g: Any) -> Any:
    """Add ``g`` to ``buf[i]`` in place, where repeated indices add up; returns ``buf``.

    >>> accumulate(np.zeros(3), [0, 0, 2], np.ones(3))
    array([2., 0., 1.])
    """
    if isinstance(buf, np.ndarray):
        np.add.at(buf, i, g)
    else:
        buf[i] = add(buf[i], g)
    return buf


def gather_written(g: Any, i: Any) -> Any:
    """``g[i]``, with 0 where a later repetition of an index in ``i`` overwrote the element.

    >>> gather_written(np.array([1.0, 2.0]), [0, 0, 1])
    array([0., 1., 2.])
    """
    picked = g[i]
    number = np.arange(np.size(picked)).reshape(np.shape(picked))
    last = np.zeros(np.shape(g), dtype=np.intp)
    last[i] = number
    return np.where(last[i] == number, picked, np.zeros((), picked.dtype))


def insertion_point(i: int, size: int) -> int:
    """Where ``list.insert(i, x)`` puts x in a list of that size.

    >>> insertion_point(-1, 3), insertion_point(9, 3)
    (2, 3)
    """
    return max(0, i + size) if i < 0 else min(i, size)


def next_snapshot(start: int, stop: int, free: int) -> int:
    """Where to take the next snapshot so that steps ``start`` to ``stop`` are reversed cheapest.

    There is one of the state before ``start``, and room for ``free`` more. With s = free + 1 and
    r the least with comb(s + r, s) >= stop - start, the steps before it and after it can be
    reversed with s and s - 1 snapshots in r - 1 and r repetitions (Griewank and Walther 2000).

    >>> next_snapshot(0, 10, 2), next_snapshot(0, 10, 9), next_snapshot(0, 10, 0)
    (4, 1, 9)
    """
    steps, s = stop - start, free + 1
    if s < 2 or steps < 3:
        return stop - 1
    r, most = 0, 1
    while most < steps:
        r += 1
        most = most * (s + r) // r
    before = math.comb(s + r - 2, s) if r > 1 else 0
    return start + max(1, before, steps - math.comb(s + r - 1, r))


def snapshots_within(memory: int, *state: Any) -> int:
    """How many snapshots of a state fit into ``memory`` bytes.

    >>> snapshots_within(10**6, np.zeros(1000))
    125
    """
    size = sum(map(_size_of, state))
    if size > memory:
        raise ValueError(f"one snapshot takes {size} bytes, more than memory={memory}")
    return memory // max(size, 1)


def _size_of(x: Any) -> int:
    if isinstance(x, list | tuple):
        return 8 * len(x) + sum(map(_size_of, x))
    if isinstance(x, dict):
        return sum(map(_size_of, x.values()))
    return x.nbytes if isinstance(x, np.ndarray) else 8


def same_shape(g: Any, x: Any) -> Any:
    """``g``, which a rule of the user's has returned as the cotangent of ``x``."""
    if np.shape(g) != np.shape(x):
        raise ValueError(
            f"a rule returned a cotangent of shape {np.shape(g)} for an argument of shape "
            f"{np.shape(x)}"
        )
    return g


def at_least_one(snapshots: int) -> int:
    """The number of snapshots; raises where there are none."""
    if snapshots < 1:
        raise ValueError(f"checkpointed() needs at least one snapshot, not {snapshots}")
    return snapshots


def order_of(keys: Any, reverse: bool = False) -> list[int]:
    """The indices of ``keys`` in the order in which ``sorted`` puts them.

    >>> order_of([2.0, 1.0, 2.0])
    [1, 0, 2]
    """
    return sorted(range(len(keys)), key=keys.__getitem__, reverse=reverse)


def place_of_best(keys: Any, largest: bool = False) -> int:
    """The index of the first key that ``min`` (``max`` if ``largest``) would choose.

    >>> place_of_best([2.0, 1.0, 2.0]), place_of_best([2.0, 1.0, 2.0], True)
    (1, 0)
    """
    return (max if largest else min)(range(len(keys)), key=keys.__getitem__)


def log(append: Callable[[Any], None], x: Any) -> None:
    """Append to a list of the program's that no derivative looks at.

    >>> seen = []
    >>> log(seen.append, 2.0)
    >>> seen
    [2.0]
    """
    append(x)


def positions(*keys: Any) -> dict[Any, int]:
    """Where each key is.

    >>> positions("a", "b")
    {'a': 0, 'b': 1}
    """
    return {key: n for n, key in enumerate(keys)}


def without(at: dict[Any, int], key: Any) -> dict[Any, int]:
    """The positions when one key is gone.

    >>> without({"a": 0, "b": 1}, "a")
    {'b': 0}
    """
    return positions(*(k for k in at if k != key))


def copied(x: Any) -> Any:
    """A copy that shares no array, list or dict with ``x``.

    >>> a = [np.zeros(1)]
    >>> copied(a)[0] is a[0]
    False
    """
    if isinstance(x, np.ndarray):
        return x.copy(order="K")
    if isinstance(x, tuple):
        items = [copied(v) for v in x]
        return type(x)(*items) if hasattr(x, "_fields") else tuple(items)
    if isinstance(x, list):
        return [copied(v) for v in x]
    if isinstance(x, dict):
        return {k: copied(v) for k, v in x.items()}
    if hasattr(x, "__dataclass_fields__") and not isinstance(x, type):
        out = object.__new__(type(x))
        for name, v in vars(x).items():
            object.__setattr__(out, name, copied(v))
        return out
    return x


def is_view(x: Any, y: Any) -> bool:
    """Whether ``y``, which was made from the elements of ``x``, shares memory with it.

    >>> a = np.zeros((2, 3))
    >>> is_view(a, a.reshape(-1)), is_view(a.T, a.T.reshape(-1))
    (True, False)
    """
    return np.may_share_memory(x, y)


def copy_with_strides(x: Any) -> Any:
    """A copy of an array with the same strides: what is a view of it is a view of the copy.

    An array whose elements share memory, as after broadcasting, gets elements of their own.

    >>> copy_with_strides(np.zeros((4, 4))[::2, 1:3]).strides
    (64, 8)
    """
    if not x.size or x.flags.forc:
        return x.copy(order="K")
    first, room = 0, x.itemsize
    axes = sorted((abs(s), s, n) for s, n in zip(x.strides, x.shape, strict=True) if n > 1)
    for step, stride, n in axes:
        if step < room:
            return x.copy(order="K")
        room += step * (n - 1)
        first -= min(0, stride * (n - 1))
    out: Any = np.ndarray(x.shape, x.dtype, np.empty(room, dtype=np.uint8), first, x.strides)
    out[...] = x
    return out


def unless_zero(g: Any, c: Any) -> Any:
    """``c``, but 0 where ``g`` is 0, even if c is nan or inf there.

    >>> unless_zero(np.array([0.0, 2.0]), np.array([np.nan, 3.0]))
    array([0., 3.])
    """
    if isinstance(c, float) and not isinstance(c, np.generic):
        return c if g else 0.0
    out = np.where(np.equal(g, 0), np.zeros((), np.asarray(c).dtype), c)
    return out if out.ndim or isinstance(c, np.ndarray) else out[()]


def grown(tape: Any, room: int) -> Any:
    """A longer array that begins with the numbers of ``tape``: twice as long, or ``room``.

    >>> len(grown(np.zeros(4), 5))
    8
    """
    longer = np.empty(max(2 * len(tape), room), tape.dtype)
    longer[: len(tape)] = tape
    return longer


def in_place(f: Callable[..., Any], x: Any) -> Any:
    """``f`` of every element of an array, in the place of it.

    >>> x = np.array([0.0, 1.0])
    >>> in_place(np.exp, x)
    array([1.        , 2.71828183])
    """
    if isinstance(f, np.ufunc):
        return f(x, out=x)
    x[...] = [f(v) for v in x]
    return x


def plus(total: float, x: float) -> float:
    """``total + x`` as a step of a sum that may be added up in any order.

    >>> plus(1.0, 2.0)
    3.0
    """
    return total + x


def chosen(condition: bool, then: Any, otherwise: Any) -> Any:
    """One of two numbers that are both there.

    >>> chosen(2.0 > 1.0, 3.0, 4.0)
    3.0
    """
    return then if condition else otherwise


def real_fft(z: np.ndarray) -> np.ndarray:
    """``np.real(np.fft.fft(z))`` of a vector.

    >>> real_fft(np.array([1.0, 1.0j]))
    array([1., 1.])
    """
    found: np.ndarray = np.real(np.fft.fft(z))
    return found


def real_ifft(z: np.ndarray) -> np.ndarray:
    """``np.real(np.fft.ifft(z))`` of a vector.

    >>> real_ifft(np.array([1.0, 1.0j]))
    array([0.5, 0.5])
    """
    found: np.ndarray = np.real(np.fft.ifft(z))
    return found


def moduli(z: np.ndarray) -> np.ndarray:
    """``np.abs(z)`` of an array of complex numbers.

    >>> moduli(np.array([3.0 + 4.0j]))
    array([5.])
    """
    found: np.ndarray = np.abs(z)
    return found
