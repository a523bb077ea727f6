"""Scans and differences along an axis, for Numba, and the helpers of their derivatives.

In: nothing; `install` is called once. Out: Numba knows ``np.diff`` along any axis, ``np.gradient``
along one, and the cotangents of running products, running extremes and differences::

    undiff(v, axis=0)   ->   for each column: out[:, j] = undiff(v[:, j])
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numba import types

from ...rules import grid_helpers, helpers, order_helpers
from .lanes import Lanes, axis_of, by_rows, common, known_axes
from .written import compiled, declare, dtype_text, is_none, written

__all__ = ["install"]

# -- vectors --------------------------------------------------------------------------------------


@compiled
def _undiff(v: Any) -> Any:
    out = np.zeros(len(v) + 1, v.dtype)
    for n in range(len(v)):
        out[n] -= v[n]
        out[n + 1] += v[n]
    return out


@compiled
def _cumprod_bar(v: Any, x: Any) -> Any:
    out = np.empty(len(x), (v[:1] * x[:1]).dtype)
    product = x.dtype.type(1)
    for i in range(len(x)):
        out[i] = product
        product *= x[i]
    later = out.dtype.type(0)
    for i in range(len(x) - 1, -1, -1):
        later = v[i] + (x[i + 1] * later if i + 1 < len(x) else later)
        out[i] *= later
    return out


@compiled
def _cumprod_dot(t: Any, x: Any) -> Any:
    out = np.empty(len(x), (t[:1] * x[:1]).dtype)
    value, change = x.dtype.type(1), out.dtype.type(0)
    for i in range(len(x)):
        change = change * x[i] + value * t[i]
        value = value * x[i]
        out[i] = change
    return out


@compiled
def _cumprod_second(v: Any, t: Any, x: Any) -> Any:
    n = len(x)
    out = np.empty(n, (v[:1] * t[:1] * x[:1]).dtype)
    products, tangents = np.ones(n, x.dtype), np.zeros(n, out.dtype)
    for i in range(1, n):
        products[i] = products[i - 1] * x[i - 1]
        tangents[i] = tangents[i - 1] * x[i - 1] + products[i - 1] * t[i - 1]
    d_bar, p_bar = out.dtype.type(0), out.dtype.type(0)
    for i in range(n - 1, -1, -1):
        d_bar = d_bar + v[i]
        out[i] = tangents[i] * d_bar + products[i] * p_bar
        p_bar = p_bar * x[i] + t[i] * d_bar
        d_bar = d_bar * x[i]
    return out


@compiled
def _cumprod_cross(t: Any, s: Any, x: Any) -> Any:
    out = np.empty(len(x), (t[:1] * s[:1] * x[:1]).dtype)
    zero = out.dtype.type(0)
    p, dt, ds, both = zero + 1, zero, zero, zero
    for i in range(len(x)):
        both = both * x[i] + dt * s[i] + ds * t[i]
        dt, ds, p = dt * x[i] + p * t[i], ds * x[i] + p * s[i], p * x[i]
        out[i] = both
    return out


@compiled
def _kept(x: Any, best: Any, i: int) -> Any:
    """How much of a running extreme is the one before."""
    if i == 0:
        return 0.0
    if x[i] != best[i]:
        return 1.0
    return 0.5 if best[i] == best[i - 1] else 0.0


@compiled
def _running_extreme(x: Any, largest: bool) -> Any:
    out = x.copy()
    for i in range(1, len(x)):
        before = out[i - 1]
        if before != before or (before > out[i] if largest else before < out[i]):
            out[i] = before
    return out


@compiled
def _running_bar(v: Any, x: Any, best: Any) -> Any:
    out = np.empty(len(v), v.dtype)
    later = v.dtype.type(0)
    for i in range(len(v) - 1, -1, -1):
        later = v[i] + later
        kept = _kept(x, best, i)
        out[i] = later * (1.0 - kept)
        later = v.dtype.type(later * kept)
    return out


@compiled
def _running_dot(v: Any, x: Any, best: Any) -> Any:
    out = np.empty(len(v), v.dtype)
    before = v.dtype.type(0)
    for i in range(len(v)):
        kept = _kept(x, best, i)
        before = v.dtype.type(before * kept + v[i] * (1.0 - kept))
        out[i] = before
    return out


@compiled
def _gradient_bar(v: Any, edge_order: int) -> Any:
    n = len(v)
    out = np.zeros(n, v.dtype)
    for i in range(1, n - 1):
        out[i + 1] += 0.5 * v[i]
        out[i - 1] -= 0.5 * v[i]
    ends = (-1.0, 1.0, 0.0) if edge_order == 1 else (-1.5, 2.0, -0.5)
    for i in range(edge_order + 1):
        out[i] += ends[i] * v[0]
        out[n - 1 - i] -= ends[i] * v[n - 1]
    return out


@compiled
def _gradient(f: Any, h: Any, edge_order: int) -> Any:
    """Differences with the distances ``h`` to the next."""
    n = len(f)
    if n < edge_order + 1:
        raise ValueError("too few elements for a numerical gradient")
    out = np.empty(n, f.dtype)
    for i in range(1, n - 1):
        a, b = h[i - 1], h[i]
        if a == b:
            out[i] = (f[i + 1] - f[i - 1]) / (2.0 * a)
        else:
            left, right = -b / (a * (a + b)), a / (b * (a + b))
            out[i] = left * f[i - 1] + (b - a) / (a * b) * f[i] + right * f[i + 1]
    if edge_order == 1:
        out[0] = (f[1] - f[0]) / h[0]
        out[n - 1] = (f[n - 1] - f[n - 2]) / h[n - 2]
        return out
    a, b = h[0], h[1]
    out[0] = -(2.0 * a + b) / (a * (a + b)) * f[0] + (a + b) / (a * b) * f[1]
    out[0] -= a / (b * (a + b)) * f[2]
    a, b = h[n - 3], h[n - 2]
    out[n - 1] = (2.0 * b + a) / (b * (a + b)) * f[n - 1] - (a + b) / (a * b) * f[n - 2]
    out[n - 1] += b / (a * (a + b)) * f[n - 3]
    return out


@compiled
def _prod_pairs(x: Any, g: Any) -> Any:
    out = np.zeros(len(x), (x[:1] * g[:1]).dtype)
    for i in range(len(x)):
        for k in range(len(x)):
            if k != i:
                rest = g[i]
                for j in range(len(x)):
                    if j not in (i, k):
                        rest = rest * x[j]
                out[k] += rest
    return out


# -- along axes -----------------------------------------------------------------------------------


def _are_arrays(*given: Any) -> bool:
    return all(isinstance(t, types.Array) and t.ndim for t in given)


def _undiff_along(v: Any, axis: Any = -1) -> Any:
    along = axis_of(axis, v.ndim) if _are_arrays(v) else None
    if along is None:
        return None
    lanes = Lanes(v.ndim, along)
    return written(
        "def impl(v, axis=-1):\n"
        f"    made = np.empty({lanes.shape('v', f'v.shape[{along}] + 1')}, v.dtype)\n"
        + lanes.walk("v", "made[{lane}] = undiff(v[{lane}])")
        + "    return made",
        undiff=_undiff,
    )


def _diff(a: Any, n: Any = 1, axis: Any = -1, prepend: Any = None, append: Any = None) -> Any:
    """``np.diff`` once along any axis; more often, where the number is a constant."""
    along = axis_of(axis, a.ndim) if _are_arrays(a) else None
    times = getattr(n, "literal_value", n.value if isinstance(n, types.Omitted) else n)
    if along is None or not isinstance(times, int) or times < 0:
        return None
    lanes = Lanes(a.ndim, along)
    ends = []
    for name, end in (("prepend", prepend), ("append", append)):
        if is_none(end):
            continue
        if isinstance(end, types.Array) and end.ndim == a.ndim:
            ends.append((name, f"{name}.shape[{along}]", f"{name}[{{lane}}]"))
        elif not isinstance(end, types.Array) or not end.ndim:
            value = f"{name}[()]" if isinstance(end, types.Array) else name
            ends.append((name, "1", value))
        else:
            return None
    size = f"a.shape[{along}]"
    kinds = [a, *(t for t in (prepend, append) if not is_none(t))]
    text = "def impl(a, n=1, axis=-1, prepend=None, append=None):\n"
    text += "    before = 0\n    x = a\n"
    if ends:
        total = " + ".join([size, *(s for _, s, _ in ends)])
        before = next((s for name, s, _ in ends if name == "prepend"), "0")
        text += f"    before = {before}\n"
        text += f"    x = np.empty({lanes.shape('a', total)}, {common(*kinds)})\n"
        parts = {"prepend": ":before", "append": f"before + {size}:"}
        steps = [f"x[{lanes.at(f'before:before + {size}')}] = a[{{lane}}]"]
        steps += [f"x[{lanes.at(parts[name])}] = {value}" for name, _, value in ends]
        text += lanes.walk("a", *steps)
    high = ", ".join("1:" if k == along else ":" for k in range(a.ndim))
    low = ", ".join(":-1" if k == along else ":" for k in range(a.ndim))
    now = "x"
    for k in range(times):
        sign = "!=" if isinstance(a.dtype, types.Boolean) else "-"
        text += f"    x{k} = {now}[{high}] {sign} {now}[{low}]\n"
        now = f"x{k}"
    return written(text + f"    return {now if times or ends else 'a.copy()'}")


def _along(kernel: Any, names: str, last: str, *, flat: bool = False) -> Callable[..., Any]:
    """Helpers with operands ``names`` and an axis, applied to rows."""
    by_name = names.split()

    def by_types(*given: Any, axis: Any) -> Any:
        if not _are_arrays(*given):
            return None
        arrays = dict(zip(by_name, given, strict=True))
        is_known, axes = known_axes(axis, arrays[last].ndim)
        if not is_known or (axes is not None and len({t.ndim for t in given}) > 1):
            return None
        dtype = common(given[0]) if kernel in (_running_bar, _running_dot) else common(*given)
        default = "0" if kernel in (_running_bar, _running_dot) else "None"
        parameters = f"{', '.join(by_name)}, axis={default}"
        return by_rows(parameters, arrays, last, axes, dtype, kernel, flat=flat and axes is None)

    if by_name == ["g", "x"]:
        return lambda g, x, axis=None: by_types(g, x, axis=axis)
    if by_name == ["x_dot", "x"]:
        return lambda x_dot, x, axis=None: by_types(x_dot, x, axis=axis)
    if by_name == ["x", "g"]:
        return lambda x, g, axis=None: by_types(x, g, axis=axis)
    if by_name == ["v", "t", "x"]:
        return lambda v, t, x, axis=None: by_types(v, t, x, axis=axis)
    if by_name == ["t", "s", "x"]:
        return lambda t, s, x, axis=None: by_types(t, s, x, axis=axis)
    return lambda v, x, out_, axis=0: by_types(v, x, out_, axis=axis)


def _extreme_along(x: Any, axis: Any = 0, largest: Any = True) -> Any:
    along = axis_of(axis, x.ndim) if _are_arrays(x) else None
    if along is None:
        return None
    dtype = dtype_text(x.dtype)
    return by_rows(
        "x, axis=0, largest=True",
        {"x": x},
        "x",
        (along,),
        dtype,
        _running_extreme,
        more=", largest",
    )


def _gradient_bar_along(v: Any, axis: Any = 0, edge_order: Any = 1) -> Any:
    along = axis_of(axis, v.ndim) if _are_arrays(v) else None
    if along is None:
        return None
    return by_rows(
        "v, axis=0, edge_order=1",
        {"v": v},
        "v",
        (along,),
        dtype_text(v.dtype),
        _gradient_bar,
        more=", edge_order",
    )


def _gradient_along(f: Any, varargs: Any = None, axis: Any = None, edge_order: Any = 1) -> Any:
    """``np.gradient`` along one axis; the distances are one number or the coordinates."""
    if not _are_arrays(f) or isinstance(f.dtype, types.Integer | types.Boolean):
        return None
    along = 0 if is_none(axis) and f.ndim == 1 else axis_of(axis, f.ndim)
    if along is None:
        return None
    if is_none(varargs):
        steps = f"np.ones(f.shape[{along}])"
    elif isinstance(varargs, types.Array) and varargs.ndim == 1:
        steps = "varargs[1:] - varargs[:-1]"
    elif isinstance(varargs, types.Number):
        steps = f"np.full(f.shape[{along}], varargs * 1.0)"
    else:
        return None
    lanes = Lanes(f.ndim, along)
    return written(
        "def impl(f, varargs=None, axis=None, edge_order=1):\n"
        f"    h = {steps}\n    made = np.empty_like(f)\n"
        + lanes.walk("f", "made[{lane}] = gradient(f[{lane}], h, edge_order)")
        + "    return made",
        gradient=_gradient,
    )


_TABLE: dict[Any, Callable[..., Any]] = {
    np.diff: _diff,
    np.gradient: _gradient_along,
    grid_helpers.undiff: _undiff_along,
    grid_helpers.gradient_bar: _gradient_bar_along,
    helpers.cumprod_bar: _along(_cumprod_bar, "g x", "x"),
    helpers.cumprod_dot: _along(_cumprod_dot, "x_dot x", "x", flat=True),
    helpers.cumprod_second: _along(_cumprod_second, "v t x", "x"),
    helpers.cumprod_cross: _along(_cumprod_cross, "t s x", "x", flat=True),
    helpers.prod_pairs: _along(_prod_pairs, "x g", "x"),
    order_helpers.running_extreme: _extreme_along,
    order_helpers.running_bar: _along(_running_bar, "v x out_", "v"),
    order_helpers.running_dot: _along(_running_dot, "v x out_", "v"),
}


def install() -> None:
    """Tell Numba about them."""
    declare(_TABLE, prefer_literal=True)
