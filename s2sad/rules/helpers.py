"""Helpers that emitted derivatives may call where NumPy has no single function; NumPy only.

In: arrays, or lists of numbers. Out: new ones. They are copied into exported modules, so that each
uses nothing but NumPy, ``math`` and others of this file.

    undiff([1.0, 4.0])   ->   [-1.0, -3.0, 4.0]
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..runtime import add, zeros_like


def prod_others(x: Any, axis: Any = None) -> Any:
    """For each element, the product of the others along ``axis``; exact where some are 0.

    >>> prod_others(np.array([2.0, 0.0, 3.0]))
    array([0., 6., 0.])
    """
    flat, undo = _on_last(x, axis)
    whole = np.prod(flat, axis=-1, keepdims=True)
    if _divisible(flat, whole):
        return undo(whole / flat)
    ones = np.ones_like(flat[..., :1])
    left = np.cumprod(np.concatenate([ones, flat[..., :-1]], axis=-1), axis=-1)
    right = np.cumprod(np.concatenate([ones, flat[..., :0:-1]], axis=-1), axis=-1)[..., ::-1]
    n = flat.shape[-1]
    return undo(left[..., :n] * right[..., right.shape[-1] - n :])


def _divisible(flat: Any, products: Any) -> bool:
    """Whether products may be divided by each factor: they are finite, and no factor is so small
    that what has underflowed to 0 would come back.
    """
    least = np.finfo(flat.dtype).eps if flat.dtype.kind in "fc" else 0.5
    return bool(flat.size and np.all(np.abs(flat) > least) and np.all(np.isfinite(products)))


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
    products = np.cumprod(flat, axis=-1)
    if _divisible(flat, products):
        terms = (seeds * products)[..., ::-1]
        return undo(np.cumsum(terms, axis=-1)[..., ::-1] / flat)
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
    products = np.cumprod(flat, axis=-1)
    if _divisible(flat, products):
        out = products * np.cumsum(dots.reshape(flat.shape) / flat, axis=-1)
        return out.reshape(-1) if axis is None else undo(out)
    value, out = np.ones_like(flat[..., 0]) if flat.size else 1, np.zeros_like(flat)
    change = np.zeros_like(value)
    for i in range(flat.shape[-1]):
        change = change * flat[..., i] + value * dots[..., i]
        value = value * flat[..., i]
        out[..., i] = change
    return out.reshape(-1) if axis is None else undo(out)


def cumprod_second(v: Any, t: Any, x: Any, axis: Any = None) -> Any:
    """The cotangent of ``x`` under ``sum(v * cumprod_dot(t, x, axis))``.

    Backwards through ``p = p x; d = d x + p t``, which are the product and its tangent.
    """
    flat, undo = _on_last(x, axis)
    seeds, dots = (_on_last(a, axis)[0].reshape(flat.shape) for a in (v, t))
    n = flat.shape[-1]
    kind = np.result_type(seeds, dots, flat)
    products, tangents = np.ones_like(flat), np.zeros(flat.shape, kind)  # before each element
    for i in range(1, n):
        products[..., i] = products[..., i - 1] * flat[..., i - 1]
        tangents[..., i] = (
            tangents[..., i - 1] * flat[..., i - 1] + products[..., i - 1] * dots[..., i - 1]
        )
    out = np.zeros(flat.shape, kind)
    d_bar: Any = 0
    p_bar: Any = 0
    for i in range(n - 1, -1, -1):
        d_bar = d_bar + seeds[..., i]
        out[..., i] = tangents[..., i] * d_bar + products[..., i] * p_bar
        p_bar = p_bar * flat[..., i] + dots[..., i] * d_bar
        d_bar = d_bar * flat[..., i]
    return undo(out)


def cumprod_cross(t: Any, s: Any, x: Any, axis: Any = None) -> Any:
    """The second derivative of ``np.cumprod(x, axis)`` along ``t`` and ``s``."""
    flat, undo = _on_last(x, axis)
    one, two = (_on_last(a, axis)[0] for a in (t, s))
    out = np.zeros_like(flat)
    start = flat[..., 0] if flat.size else np.zeros(flat.shape[:-1], flat.dtype)
    p, dt, ds, both = (np.full_like(start, c) for c in (1.0, 0.0, 0.0, 0.0))
    for i in range(flat.shape[-1]):
        x_i, t_i, s_i = flat[..., i], one[..., i], two[..., i]
        both = both * x_i + dt * s_i + ds * t_i
        dt, ds, p = dt * x_i + p * t_i, ds * x_i + p * s_i, p * x_i
        out[..., i] = both
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


def share(g: Any, chosen: Any, axis: Any = None) -> Any:
    """``g`` in equal shares to the elements chosen, along ``axis``.

    None is chosen where an extreme is nan: then every cotangent but a zero becomes nan.

    >>> share(1.0, np.array([True, False, True])), share(1.0, np.array([False, False]))
    (array([0.5, 0. , 0.5]), array([nan, nan]))
    """
    if axis is None and np.ndim(g) == 0 and (n := np.count_nonzero(chosen)):
        few = np.zeros(np.shape(chosen), np.result_type(g))
        few[chosen] = g / n
        return few
    n = np.sum(chosen, axis=axis, keepdims=axis is not None)
    out = np.where(chosen, g / np.maximum(n, 1), 0.0)
    if not np.all(n):
        out = np.where((n == 0) & np.not_equal(g, 0), np.nan, out)
    return out.astype(np.result_type(g), copy=False)


def share_ties(g: Any, best: Any, xs: Any) -> Any:
    """The cotangents of the elements of a list whose largest (or least) is ``best``.

    >>> share_ties(1.0, 2.0, [2.0, 1.0, 2.0])
    [0.5, 0.0, 0.5]
    """
    n = sum(1 for x in xs if x == best)
    if not n:  # a nan is equal to none of them
        return type(xs)([math.nan if g else 0.0 for _ in xs])
    return type(xs)([g / n if x == best else 0.0 for x in xs])


def gather_ties(g: Any, best: Any, xs: Any) -> Any:
    """The mean of the cotangents of the elements that are largest (or least)."""
    chosen = [a for a, x in zip(g, xs, strict=True) if x == best]
    return sum(chosen) / len(chosen) if chosen else math.nan


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
        tail += (
            bernoulli * math.factorial(2 * k + n - 1) / (math.factorial(2 * k) * x ** (2 * k + n))
        )
    return total + sign * tail


_BERNOULLI = (1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6, -3617 / 510)


def untile(g: Any, x: Any) -> Any:
    """``g`` summed over the tiles of shape ``x``."""
    shape = (1,) * (np.ndim(g) - np.ndim(x)) + np.shape(x)
    split = [s for n, m in zip(np.shape(g), shape, strict=True) for s in (n // m if m else 0, m)]
    total = np.sum(np.reshape(g, split), axis=tuple(range(0, len(split), 2)))
    return (
        np.reshape(total, np.shape(x))[()] if np.ndim(x) == 0 else np.reshape(total, np.shape(x))
    )


def repeat_tiles(v: Any, like: Any) -> Any:
    """``v`` repeated to the shape of ``like``, which is a whole number of tiles."""
    shape = (1,) * (np.ndim(like) - np.ndim(v)) + np.shape(v)
    reps = [n // m if m else 1 for n, m in zip(np.shape(like), shape, strict=True)]
    return np.tile(v, reps)


def unconcatenate(g: Any, arrays: Any, axis: Any = 0) -> Any:
    sizes = [np.size(x) if axis is None else np.shape(x)[axis] for x in arrays]
    parts = np.split(g, np.cumsum(sizes)[:-1], axis=axis or 0)
    return [np.reshape(p, np.shape(x)) for p, x in zip(parts, arrays, strict=True)]


def unstack(g: Any, x: Any) -> Any:
    """The array ``g`` in the nested lists of ``x``."""
    if isinstance(x, list | tuple):
        return type(x)([unstack(g[n], v) for n, v in enumerate(x)])
    return g


def undiagonal(g: Any, x: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    """``g`` on a diagonal of a zero array of the shape of ``x``."""
    out = np.zeros(np.shape(x), np.asarray(g).dtype)
    moved = np.moveaxis(out, (axis1, axis2), (-2, -1))
    up, right = max(-offset, 0), max(offset, 0)
    np.einsum("...ii->...i", _square(moved[..., up:, right:]))[...] = g
    return out


def _square(x: Any) -> Any:
    n = min(x.shape[-2:])
    return x[..., :n, :n]


def flatten(a: Any, order: str = "C") -> Any:
    return a.flatten(order)


def on_diagonal(v: Any, x: Any, subscripts: str = "ii") -> Any:
    """``v`` where the subscripts of ``x`` agree, 0 elsewhere."""
    out = np.zeros(np.shape(x), np.asarray(v).dtype)
    np.einsum(f"{subscripts}->{''.join(dict.fromkeys(subscripts))}", out)[...] = v
    return out


def cofactors(a: Any) -> Any:
    """The derivative of the determinant; finite also where the matrix is singular."""
    if a.shape[-1] > 1:
        try:
            inverse = np.linalg.inv(a)
        except np.linalg.LinAlgError:
            inverse = np.full_like(a, np.nan)
        size = np.sum(np.abs(a), axis=(-2, -1)) * np.sum(np.abs(inverse), axis=(-2, -1))
        if np.all(size < 1e-3 / np.finfo(a.dtype).eps):
            return np.linalg.det(a)[..., None, None] * np.swapaxes(inverse, -1, -2)
    u, s, vh = np.linalg.svd(a)
    n = s.shape[-1]
    others = np.ones_like(s)
    for k in range(n):
        others[..., k] = np.prod(np.delete(s, k, axis=-1), axis=-1)
    sign = np.linalg.det(u) * np.linalg.det(vh)
    return sign[..., None, None] * np.conj(u * others[..., None, :] @ vh)


def scatter_along(v: Any, indices: Any, like: Any, axis: Any = -1) -> Any:
    """``v`` added into zeros of the shape of ``like``, where ``take_along_axis`` read."""
    out = np.zeros(np.shape(like), np.asarray(v).dtype)
    if axis is None:
        np.add.at(out.reshape(-1), np.ravel(indices), np.ravel(v))
        return out
    places = list(np.ogrid[tuple(slice(n) for n in np.shape(indices))])
    places[axis] = indices
    np.add.at(out, tuple(places), v)
    return out


def sum_repeats(g: Any, x: Any) -> Any:
    n = len(x)
    total = zeros_like(x)
    for start in range(0, len(g), n or 1):
        total = add(total, g[start : start + n])
    return total


def batch_of(x: Any, n: int) -> Any:
    """An array of ``n`` times ``x``; 0 for None, which stands for what was not reached.

    >>> batch_of(2.0, 3)
    array([2., 2., 2.])
    """
    return np.float64(0.0) if x is None else np.broadcast_to(x, (n, *np.shape(x))).copy()


def cast(x: Any, *, like: str) -> Any:
    dtype = np.dtype(like)
    if dtype.kind != "c" and np.iscomplexobj(x):
        x = np.real(x)
    return x.astype(dtype, copy=False) if isinstance(x, np.ndarray) else dtype.type(x)


def broadcast_like(x: Any, like: Any) -> Any:
    return np.broadcast_to(x, np.shape(like)) if np.ndim(like) else x


def astype(a: Any, dtype: Any = "float64", copy: bool = True, **layout: Any) -> Any:
    return a.astype(dtype, copy=copy, **layout)


def tolist(a: Any) -> Any:
    return a.tolist()


def dtype(a: Any) -> Any:
    return a.dtype


def to_item(a: Any) -> Any:
    return a.item()


def meshgrid(*xi: Any, **options: Any) -> Any:
    return tuple(np.meshgrid(*xi, **options))


def bessel_i1(x: Any) -> Any:
    """The derivative of ``np.i0``: the modified Bessel function of the first kind, order 1.

    ``I1(x) = (1 / pi) * integral of exp(x cos t) cos t`` over half a turn (Abramowitz and
    Stegun, 9.6.19), by the midpoint rule, which is exact to rounding for periodic integrands with
    enough points; those of t and pi - t are taken together.

    >>> round(float(bessel_i1(1.0)), 12)
    0.565159103992
    """
    x = np.asarray(x)
    largest = float(np.max(np.abs(x), initial=0.0))
    n = 16 + 8 * int(min(largest, 700.0) ** 0.5)
    out = np.zeros(x.shape)
    for c in np.cos((np.arange(n) + 0.5) * (math.pi / (2 * n))):
        out += np.sinh(x * c) * c
    return (out / n).astype(np.result_type(x, np.float32) if x.dtype.kind == "f" else float)[()]
