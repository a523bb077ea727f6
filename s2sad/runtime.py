"""Helpers that emitted code may call; they need NumPy only and are copied into exported modules.

Each is pure unless its docstring says that it changes its first argument.

    ratio(0.0, 0.0)   ->   0.0
    unbroadcast(np.ones((2, 3)), np.zeros(3))   ->   array([2., 2., 2.])
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np


def ratio(g: Any, d: Any) -> Any:
    """``g / d``, but 0 where ``g`` is 0, and NumPy's inf where only ``d`` is 0; never raises.

    >>> ratio(0.0, 0.0), ratio(1.0, 0.0), ratio(1.0, 4.0)
    (0.0, inf, 0.25)
    """
    if type(d) is float and type(g) is float:
        if d != 0.0:
            return g / d if g != 0.0 else 0.0 * g
        return float(np.copysign(np.inf, g) * np.copysign(1.0, d)) if g else 0.0
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        out = np.divide(g, d)
        if np.all(np.isfinite(out)):
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
    with np.errstate(all="ignore"):
        out = np.log(np.where(np.equal(x, 0), 1, x))
    return _like(out[()], x)


def _python(*xs: Any) -> bool:
    return all(type(x) in (int, float, bool, complex) for x in xs)


def _like(out: Any, *xs: Any) -> Any:
    """A Python number where all operands are."""
    return out.item() if _python(*xs) and isinstance(out, np.generic) else out


def unbroadcast(g: Any, x: Any) -> Any:
    """``g`` summed over the axes along which ``x`` was broadcast.

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
        return unbroadcast(np.broadcast_to(g, np.broadcast_shapes(have, shape)), x)
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


def prod_others(x: Any, axis: Any = None) -> Any:
    """For each element, the product of the others along ``axis``; exact where some are 0.

    >>> prod_others(np.array([2.0, 0.0, 3.0]))
    array([0., 6., 0.])
    """
    flat, undo = _on_last(x, axis)
    ones = np.ones_like(flat[..., :1])
    left = np.cumprod(np.concatenate([ones, flat[..., :-1]], axis=-1), axis=-1)
    right = np.cumprod(np.concatenate([ones, flat[..., :0:-1]], axis=-1), axis=-1)[..., ::-1]
    n = flat.shape[-1]
    return undo(left[..., :n] * right[..., right.shape[-1] - n :])


def prod_pairs(x: Any, g: Any, axis: Any = None) -> Any:
    """For each k, the sum over i != k of ``g[i]`` times the product of the x but i and k."""
    flat, undo = _on_last(x, axis)
    seeds, _ = _on_last(g, axis)
    out = np.zeros_like(flat)
    for i in range(flat.shape[-1]):
        rest = flat.copy()
        rest[..., i] = 1
        each = prod_others(rest, axis=-1) * seeds[..., i : i + 1]
        each[..., i] = 0
        out += each
    return undo(out)


def cumprod_bar(g: Any, x: Any, axis: Any = None) -> Any:
    """The cotangent of ``x`` under ``np.cumprod(x, axis)``; exact where elements are 0."""
    flat, undo = _on_last(x, axis)
    seeds = _on_last(g, axis)[0].reshape(flat.shape)
    before = np.concatenate([np.ones_like(flat[..., :1]), flat[..., :-1]], axis=-1)
    before = np.cumprod(before, axis=-1)[..., : flat.shape[-1]]
    out = np.zeros_like(flat, dtype=np.result_type(seeds, flat))
    later: Any = 0
    for i in range(flat.shape[-1] - 1, -1, -1):
        later = seeds[..., i] + (flat[..., i + 1] * later if i + 1 < flat.shape[-1] else 0)
        out[..., i] = before[..., i] * later
    return undo(out)


def cumprod_dot(x_dot: Any, x: Any, axis: Any = None) -> Any:
    """The tangent of ``np.cumprod(x, axis)``; exact where elements are 0."""
    flat, undo = _on_last(x, axis)
    dots = _on_last(x_dot, axis)[0]
    value, out = np.ones_like(flat[..., 0]) if flat.size else 1, np.zeros_like(flat)
    change = np.zeros_like(value)
    for i in range(flat.shape[-1]):
        change = change * flat[..., i] + value * dots[..., i]
        value = value * flat[..., i]
        out[..., i] = change
    return out.reshape(-1) if axis is None else undo(out)


def _on_last(x: Any, axis: Any) -> tuple[Any, Any]:
    """``x`` with the axes of ``axis`` flattened into the last one, and the way back."""
    x = np.asarray(x)
    if axis is None:
        return x.reshape(-1), lambda y: y.reshape(x.shape)
    axes = [a % x.ndim for a in (axis if isinstance(axis, tuple) else (axis,))]
    rest = [a for a in range(x.ndim) if a not in axes]
    order = rest + axes
    moved = np.transpose(x, order)
    flat = moved.reshape([x.shape[a] for a in rest] + [-1] if x.size else [0, 0])
    return flat, lambda y: np.transpose(y.reshape(moved.shape), np.argsort(order))


def share_ties(g: Any, best: Any, xs: Any) -> Any:
    """The cotangents of the elements of a list whose largest (or least) is ``best``.

    >>> share_ties(1.0, 2.0, [2.0, 1.0, 2.0])
    [0.5, 0.0, 0.5]
    """
    n = sum(1 for x in xs if x == best)
    return type(xs)([g / n if x == best else 0.0 for x in xs])


def polygamma(n: int, x: float) -> float:
    """The derivative of order ``n + 1`` of ``log(gamma(x))`` for a real number.

    By the recurrence up to 15 + n, then the asymptotic series (Abramowitz and Stegun, 6.4.11 and
    6.4.6); reflection for negative x through the cotangent's derivatives, for n = 0 and 1.

    >>> round(polygamma(0, 1.0), 12), round(polygamma(1, 1.0), 12)
    (-0.577215664902, 1.644934066848)
    """
    if x <= 0 and x == math.floor(x):
        return math.nan
    sign = -1.0 if n % 2 == 0 else 1.0
    total = 0.0
    factor = sign * math.factorial(n)
    while x < 15 + n:
        total += factor / x ** (n + 1)
        x += 1.0
    if n == 0:
        tail = math.log(x) - 0.5 / x
        for k, bernoulli in enumerate(_BERNOULLI, 1):
            tail -= bernoulli / (2 * k * x ** (2 * k))
        return total + tail
    tail = math.factorial(n - 1) / x**n + math.factorial(n) / (2 * x ** (n + 1))
    for k, bernoulli in enumerate(_BERNOULLI, 1):
        tail += bernoulli * math.factorial(2 * k + n - 1) / (
            math.factorial(2 * k) * x ** (2 * k + n)
        )
    return total + sign * tail


_BERNOULLI = (1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6, -3617 / 510)


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


def weighted_average(a: Any, weights: Any = None, axis: Any = None) -> Any:
    """``np.average`` with its operands first."""
    return np.average(a, axis=axis, weights=weights)
