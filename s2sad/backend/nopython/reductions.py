"""Reductions along axes, for Numba: NumPy's meaning of ``axis`` and ``keepdims``.

In: nothing; `install` is called once. Out: Numba knows ``np.sum(x, axis=(0, 2), keepdims=True)``
and its like, each compiled as loops written for the rank and the axes at hand; what Numba itself
compiles stays Numba's::

    np.max(x, axis=1)   ->   for i0 …: for i1 …: out[i0, 0] = max(out[i0, 0], x[i0, i1])
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numba import types

from .ufunc_loops import row_reduction
from .written import axes_of, declare, dtype_text, is_true, written

__all__ = ["install"]


class _Loops:
    """The text of a reduction of one array along fixed axes."""

    def __init__(self, a: Any, axis: Any, keepdims: Any) -> None:
        self.rank = a.ndim
        self.axes = axes_of(axis, a.ndim) or ()
        self.keepdims = is_true(keepdims)

    @property
    def shape(self) -> str:
        parts = ("1" if n in self.axes else f"a.shape[{n}]" for n in range(self.rank))
        return "(" + "".join(f"{p}, " for p in parts) + ")"

    @property
    def count(self) -> str:
        return " * ".join(f"a.shape[{n}]" for n in self.axes) or "1"

    @property
    def at(self) -> str:
        return ", ".join("0" if n in self.axes else f"i{n}" for n in range(self.rank)) or "()"

    @property
    def first(self) -> str:
        return " and ".join(f"i{n} == 0" for n in self.axes) or "True"

    @property
    def place(self) -> str:
        """The flat number of an element among those that are reduced together."""
        text = "0"
        for n in self.axes:
            text = f"({text} * a.shape[{n}] + i{n})" if text != "0" else f"i{n}"
        return text

    def each(self, *statements: str) -> str:
        """The statements for every element ``x``, whose result is ``out[at]``."""
        lines, indent = [], "    "
        for n in range(self.rank):
            lines.append(f"{indent}for i{n} in range(a.shape[{n}]):")
            indent += "    "
        inner = ", ".join(f"i{n}" for n in range(self.rank)) or "()"
        lines.append(f"{indent}x = a[{inner}]")
        lines += [indent + line for s in statements for line in s.splitlines()]
        return "\n".join(lines) + "\n"

    def made(self, name: str = "out") -> str:
        """How the result, which has all axes so far, is returned."""
        if self.keepdims:
            return name
        rest = [f"a.shape[{n}], " for n in range(self.rank) if n not in self.axes]
        if not rest:
            return f"{name}[{', '.join('0' * self.rank) or '()'}]"
        return f"{name}.reshape(({''.join(rest)}))"

    def nonempty(self) -> str:
        return (
            f"    if {self.count} == 0:\n"
            '        raise ValueError("zero-size array to a reduction without identity")\n'
        )


def _sum_dtype(dtype: Any) -> str:
    if isinstance(dtype, types.Boolean):
        return "np.int64"
    if isinstance(dtype, types.Integer):
        return "np.int64" if dtype.signed else "np.uint64"
    return dtype_text(dtype)


def _float_dtype(dtype: Any) -> str:
    if isinstance(dtype, types.Boolean | types.Integer):
        return "np.float64"
    return dtype_text(dtype)


def _ok(a: Any, axis: Any, keepdims: Any) -> bool:
    return (
        isinstance(a, types.Array)
        and axes_of(axis, a.ndim) is not None
        and is_true(keepdims) is not None
    )


_HEAD = "def impl(a, axis=None, keepdims=False):\n"


def _by_rows(ufunc: Any, start: str, loops: _Loops, a: Any) -> Any:
    """NumPy's loop for each run of elements that are reduced together, where that can be."""
    last = tuple(range(loops.rank - len(loops.axes), loops.rank))
    if a.dtype != types.float64 or a.layout != "C" or loops.axes != last or not last:
        return None
    run = row_reduction(ufunc)
    if run is None:
        return None
    return written(
        _HEAD + ("" if start else loops.nonempty()) + f"    out = np.empty({loops.shape})\n"
        "    flat = out.reshape(out.size)\n"
        f"    size = np.intp({loops.count})\n"
        "    to, row = np.intp(flat.ctypes.data), np.intp(a.ctypes.data)\n"
        "    values = a.reshape(a.size)\n"
        "    step, stay = np.intp(8), np.intp(0)\n"
        "    for i in range(out.size):\n"
        f"        flat[i] = {start or 'values[i * size]'}\n"
        "        run(size, to, stay, row, step, to, stay)\n"
        "        to += 8\n"
        "        row += 8 * size\n"
        f"    return {loops.made()}",
        run=run,
    )


def _running(
    start: str, step: str, dtype_of: Callable[[Any], str], ufunc: Any = None
) -> Callable[..., Any]:
    def by_types(a: Any, axis: Any = None, keepdims: Any = False) -> Any:
        if not _ok(a, axis, keepdims):
            return None
        loops = _Loops(a, axis, keepdims)
        by_rows = _by_rows(ufunc, "0.0", loops, a) if ufunc is not None else None
        if by_rows is not None:
            return by_rows
        return written(
            _HEAD
            + f"    out = np.full({loops.shape}, {start}, {dtype_of(a.dtype)})\n"
            + loops.each(step.format(at=loops.at))
            + f"    return {loops.made()}"
        )

    return by_types


def _boolean(_: Any) -> str:
    return "np.bool_"


def _count_dtype(_: Any) -> str:
    return "np.int64"


def _extreme(sign: str, ufunc: Any) -> Callable[..., Any]:
    def by_types(a: Any, axis: Any = None, keepdims: Any = False) -> Any:
        if not _ok(a, axis, keepdims) or isinstance(a.dtype, types.Complex):
            return None
        loops = _Loops(a, axis, keepdims)
        by_rows = _by_rows(ufunc, "", loops, a)
        if by_rows is not None:
            return by_rows
        at = loops.at
        return written(
            _HEAD
            + loops.nonempty()
            + f"    out = np.empty({loops.shape}, {dtype_text(a.dtype)})\n"
            + loops.each(
                f"if ({loops.first}) or x {sign} out[{at}] or x != x:",
                f"    out[{at}] = x",
            )
            + f"    return {loops.made()}"
        )

    return by_types


def _place(sign: str) -> Callable[..., Any]:
    def by_types(a: Any, axis: Any = None, keepdims: Any = False) -> Any:
        if not _ok(a, axis, keepdims) or isinstance(a.dtype, types.Complex):
            return None
        loops = _Loops(a, axis, keepdims)
        at = loops.at
        return written(
            _HEAD
            + loops.nonempty()
            + f"    best = np.empty({loops.shape}, {dtype_text(a.dtype)})\n"
            + f"    out = np.empty({loops.shape}, np.int64)\n"
            + loops.each(
                f"if ({loops.first}) or (best[{at}] == best[{at}] and "
                f"(x {sign} best[{at}] or x != x)):",
                f"    best[{at}] = x",
                f"    out[{at}] = {loops.place}",
            )
            + f"    return {loops.made()}"
        )

    return by_types


def _mean(a: Any, axis: Any = None, keepdims: Any = False) -> Any:
    if not _ok(a, axis, keepdims):
        return None
    loops = _Loops(a, axis, keepdims)
    return written(
        _HEAD
        + f"    out = np.full({loops.shape}, 0, {_float_dtype(a.dtype)})\n"
        + loops.each(f"out[{loops.at}] += x")
        + f"    out /= {loops.count}\n"
        + f"    return {loops.made()}"
    )


def _spread(root: bool) -> Callable[..., Any]:
    def by_types(a: Any, axis: Any = None, ddof: Any = 0, keepdims: Any = False) -> Any:
        if not _ok(a, axis, keepdims) or isinstance(a.dtype, types.Complex):
            return None
        loops = _Loops(a, axis, keepdims)
        dtype = _float_dtype(a.dtype)
        return written(
            "def impl(a, axis=None, ddof=0, keepdims=False):\n"
            f"    mean = np.full({loops.shape}, 0, {dtype})\n"
            + loops.each(f"mean[{loops.at}] += x")
            + f"    mean /= {loops.count}\n"
            + f"    out = np.full({loops.shape}, 0, {dtype})\n"
            + loops.each(f"out[{loops.at}] += (x - mean[{loops.at}]) ** 2")
            + f"    out /= max({loops.count} - ddof, 0)\n"
            + ("    out = np.sqrt(out)\n" if root else "")
            + f"    return {loops.made()}"
        )

    return by_types


def _cumulative(sign: str) -> Callable[..., Any]:
    def by_types(a: Any, axis: Any = None) -> Any:
        axes = axes_of(axis, a.ndim) if isinstance(a, types.Array) else None
        if axes is None or len(axes) != 1:
            return None
        (along,) = axes
        at = ", ".join(f"i{n}" for n in range(a.ndim))
        before = ", ".join(f"i{n} - 1" if n == along else f"i{n}" for n in range(a.ndim))
        return written(
            "def impl(a, axis=None):\n"
            f"    out = np.empty(a.shape, {_sum_dtype(a.dtype)})\n"
            + _Loops(a, types.none, types.literal(False)).each(
                f"if i{along} == 0:",
                f"    out[{at}] = x",
                "else:",
                f"    out[{at}] = out[{before}] {sign} x",
            )
            + "    return out"
        )

    return by_types


def _norm(x: Any, ord: Any = None, axis: Any = None, keepdims: Any = False) -> Any:
    if not _ok(x, axis, keepdims):
        return None
    loops = _Loops(x, axis, keepdims)
    whole = len(loops.axes) == x.ndim and axes_of(axis, 99) is not None
    order = getattr(ord, "literal_value", None)
    plain = ord is None or isinstance(ord, types.NoneType | types.Omitted)
    vectors = len(loops.axes) == 1
    if not (plain or (vectors and isinstance(ord, types.Number))) or not whole and not vectors:
        if not plain:
            return None
    dtype = _float_dtype(x.dtype)
    dtype = {"np.complex128": "np.float64", "np.complex64": "np.float32"}.get(dtype, dtype)
    head = (
        "def impl(x, ord=None, axis=None, keepdims=False):\n"
        "    a = x\n"
        f"    out = np.full({loops.shape}, 0, {dtype})\n"
    )
    at = loops.at
    squares = loops.each(f"out[{at}] += abs(x) ** 2").replace("x = a[", "x_ = a[")
    squares = squares.replace("abs(x)", "abs(x_)")
    made = loops.made()
    if plain or order == 2:
        return written(f"{head}{squares}    out = np.sqrt(out)\n    return {made}")
    powers = {
        "ord == 2": (f"out[{at}] += abs(x_) ** 2", "np.sqrt(out)"),
        "ord == 1": (f"out[{at}] += abs(x_)", "out"),
        "ord == np.inf": (f"if not abs(x_) <= out[{at}]:\n    out[{at}] = abs(x_)", "out"),
        "ord > 0": (f"out[{at}] += abs(x_) ** ord", "out ** (1.0 / ord)"),
    }
    text = head
    for n, (case, (step, last)) in enumerate(powers.items()):
        body = loops.each(step).replace("x = a[", "x_ = a[")
        text += f"    {'el' if n else ''}if {case}:\n"
        text += "".join(f"    {line}\n" for line in body.splitlines())
        text += f"        out = {last}\n"
    text += '    else:\n        raise ValueError("a norm of this order is not compiled")\n'
    return written(f"{text}    return {made}")


def install() -> None:
    """Tell Numba about reductions along axes."""
    table: dict[str, Callable[..., Any]] = {
        "sum": _running("0", "out[{at}] += x", _sum_dtype, np.add),
        "prod": _running("1", "out[{at}] *= x", _sum_dtype),
        "any": _running("False", "if x != 0:\n    out[{at}] = True", _boolean),
        "all": _running("True", "if x == 0:\n    out[{at}] = False", _boolean),
        "count_nonzero": _running("0", "if x != 0:\n    out[{at}] += 1", _count_dtype),
        "max": _extreme(">", np.maximum),
        "min": _extreme("<", np.minimum),
        "argmax": _place(">"),
        "argmin": _place("<"),
        "mean": _mean,
        "var": _spread(False),
        "std": _spread(True),
        "cumsum": _cumulative("+"),
        "cumprod": _cumulative("*"),
    }
    named = {getattr(np, name): by_types for name, by_types in table.items()}
    others = {np.amax: table["max"], np.amin: table["min"], np.linalg.norm: _norm}
    declare({**named, **others}, prefer_literal=True)
