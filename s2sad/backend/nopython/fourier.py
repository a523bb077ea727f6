"""Discrete Fourier transforms, for Numba, which has none.

In: nothing; `install` is called once. Out: Numba knows those functions of ``np.fft`` that take one
axis, those that take several for complex transforms, and the helpers of their derivatives::

    np.fft.fft(a, axis=0)   ->   for each column: out[:, j] = spectrum(a[:, j])

Where NumPy has loops for them (`fourier_loops`) these do it: they are there already, while
`spectrum` takes seconds to compile. Of real vectors they transform half.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numba import types

from ... import runtime
from ...rules import matrices
from .fourier_loops import is_there, loop, register
from .lanes import Lanes, axis_of
from .spectrum import planned, spectrum
from .written import axes_of, declare, is_none, written

__all__ = ["install"]

_SCOPE = {"planned": planned, "spectrum": spectrum, "sqrt": math.sqrt}
_SIZE = '    if size < 1:\n        raise ValueError("no transform of no points")\n'


def _norm_of(norm: Any) -> str | None:
    """The name of a norm that is a constant."""
    if is_none(norm):
        return "backward"
    value = norm.value if isinstance(norm, types.Omitted) else norm
    value = getattr(value, "literal_value", value)
    return value if value in ("backward", "ortho", "forward") else None


def _scale(norm: str, forward: bool) -> str:
    if norm == "ortho":
        return "1.0 / sqrt(size)"
    return "1.0" if (norm == "backward") == forward else "1.0 / size"


def _is_narrow(dtype: Any) -> bool:
    return dtype in (types.float32, types.complex64)


def _known(a: Any, axis: Any, norm: Any, out: Any = None) -> tuple[Lanes, str] | None:
    along = axis_of(axis, a.ndim) if isinstance(a, types.Array) and a.ndim else None
    name = _norm_of(norm)
    if along is None or name is None or not is_none(out):
        return None
    return Lanes(a.ndim, along), name


def _to_complex(forward: bool, half: bool = False) -> Callable[..., Any]:
    """``fft`` and ``ifft``; with ``half`` ``rfft``, which keeps what the rest follows from."""

    def by_types(a: Any, n: Any = None, axis: Any = -1, norm: Any = None, out: Any = None) -> Any:
        known = _known(a, axis, norm, out)
        if known is None or (half and isinstance(a.dtype, types.Complex)):
            return None
        lanes, name = known
        dtype = "np.complex64" if _is_narrow(a.dtype) else "np.complex128"
        size = f"a.shape[{lanes.axis}]" if is_none(n) else "int(n)"
        kept = "size // 2 + 1" if half else "size"
        if is_there():
            name = "rfft" if half else "fft" if forward else "ifft"
            scale = _scale(known[1], forward)
            return _by_numpy(name, a, lanes, size, kept, dtype, scale)
        return written(
            "def impl(a, n=None, axis=-1, norm=None, out=None):\n"
            f"    size = {size}\n{_SIZE}"
            f"    made = np.empty({lanes.shape('a', kept)}, {dtype})\n"
            f"    plan = planned(size, {forward})\n"
            f"    scale = {_scale(name, forward)}\n"
            + lanes.walk(
                "a", f"made[{{lane}}] = spectrum(a[{{lane}}], size, plan)[: {kept}] * scale"
            )
            + "    return made",
            **_SCOPE,
        )

    return by_types


def _by_numpy(
    name: str, a: Any, lanes: Lanes, size: str, kept: str, dtype: str, scale: str
) -> Any:
    """A transform by NumPy's loop; one of a real vector by the loop for these."""
    narrow = _is_narrow(a.dtype)
    is_real = not isinstance(a.dtype, types.Complex)
    mirrored = is_real and name in ("fft", "ifft") and a.ndim == 1
    run = loop("rfft" if mirrored else name, lanes.axis, narrow)
    shape = kept if a.ndim == 1 else lanes.shape("a", kept)
    given = "a" if a.ndim == 1 or a.layout == "C" else "np.ascontiguousarray(a)"
    if is_real and not (mirrored or name == "rfft"):
        given += f".astype({'np.complex64' if narrow else 'np.complex128'})"
    elif is_real and not isinstance(a.dtype, types.Float):
        given += ".astype(np.float64)"
    lines = f"    run({given}, made, size, {scale})\n"
    if name == "irfft":
        lines = f"    if a.size == 0:\n        made[:] = 0.0\n    else:\n    {lines}"
    if mirrored:
        # What belongs to a frequency below 0 is the conjugate of what belongs to that above.
        lines += (
            "    for k in range(1, (size + 1) // 2):\n"
            "        number = made[k]\n"
            "        made[size - k] = np.conj(number)\n"
        )
        if name == "ifft":
            lines = lines.replace("np.conj(number)", "number")
            lines += "        made[k] = np.conj(number)\n"
    return written(
        "def impl(a, n=None, axis=-1, norm=None, out=None):\n"
        f"    size = {size}\n{_SIZE}"
        f"    made = np.empty({shape}, {dtype})\n{lines}"
        "    return made",
        **_SCOPE,
        run=run,
    )


def _several(one: Callable[..., Any], everything: bool) -> Callable[..., Any]:
    """``fft2``, ``fftn`` and their inverses: one axis after the other, the last one first."""

    def by_axes(a: Any, s: Any, axes: Any, norm: Any, out: Any) -> Any:
        if not isinstance(a, types.Array) or not is_none(s) or not is_none(out):
            return None
        if isinstance(axes, types.Omitted):
            axes = axes.value
        if is_none(axes):
            chosen: Any = tuple(range(a.ndim)) if everything else None
        elif isinstance(axes, tuple):
            chosen = tuple(n % a.ndim for n in axes) if a.ndim >= len(axes) else None
        else:
            parts = [axis_of(t, a.ndim) for t in getattr(axes, "types", (axes,))]
            chosen = None if None in parts else tuple(parts)
        name = _norm_of(norm)
        if not chosen or name is None:
            return None
        default = "None" if everything else "(-2, -1)"
        lines = [f"def impl(a, s=None, axes={default}, norm=None, out=None):", "    made = a"]
        lines += [f"    made = one(made, None, {n}, {name!r})" for n in reversed(chosen)]
        return written("\n".join([*lines, "    return made"]), one=one)

    if everything:
        return lambda a, s=None, axes=None, norm=None, out=None: by_axes(a, s, axes, norm, out)
    return lambda a, s=None, axes=(-2, -1), norm=None, out=None: by_axes(a, s, axes, norm, out)


def _irfft(a: Any, n: Any = None, axis: Any = -1, norm: Any = None, out: Any = None) -> Any:
    known = _known(a, axis, norm, out)
    if known is None:
        return None
    lanes, name = known
    dtype = "np.float32" if _is_narrow(a.dtype) else "np.float64"
    size = f"2 * (a.shape[{lanes.axis}] - 1)" if is_none(n) else "int(n)"
    if is_there():
        return _by_numpy("irfft", a, lanes, size, "size", dtype, _scale(name, False))
    return written(
        "def impl(a, n=None, axis=-1, norm=None, out=None):\n"
        f"    size = {size}\n{_SIZE}"
        f"    made = np.empty({lanes.shape('a', 'size')}, {dtype})\n"
        "    plan = planned(size, False)\n"
        f"    scale = {_scale(name, False)}\n"
        + lanes.walk(
            "a",
            "half = a[{lane}]",
            "whole = np.zeros(size, np.complex128)",
            "for k in range(min(len(half), size // 2 + 1)):",
            "    if k == 0 or 2 * k == size:",
            "        whole[k] = half[k].real",
            "    else:",
            "        whole[k] = half[k]",
            "        whole[size - k] = np.conj(half[k])",
            "made[{lane}] = spectrum(whole, size, plan).real * scale",
        )
        + "    return made",
        **_SCOPE,
    )


def _hfft(a: Any, n: Any = None, axis: Any = -1, norm: Any = None, out: Any = None) -> Any:
    name = _norm_of(norm)
    if _known(a, axis, norm, out) is None or name is None:
        return None
    along = axis_of(axis, a.ndim)
    return written(
        "def impl(a, n=None, axis=-1, norm=None, out=None):\n"
        f"    return np.fft.irfft(np.conj(a), n, {along}, {matrices._SWAPPED[name]!r})"
    )


def _ihfft(a: Any, n: Any = None, axis: Any = -1, norm: Any = None, out: Any = None) -> Any:
    name = _norm_of(norm)
    if _known(a, axis, norm, out) is None or name is None:
        return None
    along = axis_of(axis, a.ndim)
    return written(
        "def impl(a, n=None, axis=-1, norm=None, out=None):\n"
        f"    return np.conj(np.fft.rfft(a, n, {along}, {matrices._SWAPPED[name]!r}))"
    )


def _real_part(forward: bool) -> Callable[..., Any]:
    """The real part of ``fft`` or ``ifft`` of a vector: that of what is symmetric in it."""

    def by_types(z: Any) -> Any:
        if z.ndim != 1 or z.dtype not in (types.complex128, types.float64):
            return None
        if not is_there():
            name = "fft" if forward else "ifft"
            return written(f"def impl(z): return np.real(np.fft.{name}(z)).copy()")
        first, second = ("b", "a") if forward else ("a", "b")
        return written(
            "def impl(z):\n"
            f"    size = len(z)\n{_SIZE}"
            "    half = np.empty(size // 2 + 1, np.complex128)\n"
            "    half[0] = z[0].real\n"
            "    for k in range(1, size // 2 + 1):\n"
            "        a, b = z[k], z[size - k]\n"
            "        even = 0.5 * a.real + 0.5 * b.real\n"
            f"        half[k] = complex(even, 0.5 * {first}.imag - 0.5 * {second}.imag)\n"
            "    made = np.empty(size)\n"
            f"    run(half, made, size, {_scale('backward', forward)})\n"
            "    return made",
            run=loop("irfft", 0, False),
        )

    return by_types


# -- cotangents -----------------------------------------------------------------------------------


def _rfft_bar(g: Any, like: Any, n: Any = None, axis: Any = -1, norm: Any = None) -> Any:
    known = _known(g, axis, norm)
    if known is None or not isinstance(like, types.Array):
        return None
    lanes, name = known
    size = f"like.shape[{lanes.axis}]" if is_none(n) else "int(n)"
    return written(
        "def impl(g, like, n=None, axis=-1, norm=None):\n"
        f"    size = {size}\n"
        "    y = np.conj(g)\n"
        + lanes.walk("g", "for k in range(1, (size + 1) // 2):", f"    y[{lanes.at('k')}] *= 0.5")
        + f"    x = np.fft.irfft(y, size, {lanes.axis}, {matrices._SWAPPED[name]!r})\n"
        + _cut(lanes, "x", "like")
    )


def _irfft_bar(g: Any, like: Any, n: Any = None, axis: Any = -1, norm: Any = None) -> Any:
    known = _known(g, axis, norm)
    if known is None or not isinstance(like, types.Array):
        return None
    lanes, name = known
    size = f"2 * (like.shape[{lanes.axis}] - 1)" if is_none(n) else "int(n)"
    return written(
        "def impl(g, like, n=None, axis=-1, norm=None):\n"
        f"    size = {size}\n"
        f"    y = np.conj(np.fft.rfft(g, size, {lanes.axis}, {matrices._SWAPPED[name]!r}))\n"
        + lanes.walk("g", "for k in range(1, (size + 1) // 2):", f"    y[{lanes.at('k')}] *= 2.0")
        + _cut(lanes, "y", "like")
    )


def _fitted(x: Any, like: Any, axes: Any = None) -> Any:
    if not isinstance(x, types.Array) or not isinstance(like, types.Array) or x.ndim != like.ndim:
        return None
    chosen = axes_of(axes, x.ndim)
    if chosen is None:
        return None
    want = [f"like.shape[{n}]" if n in chosen else f"x.shape[{n}]" for n in range(x.ndim)]
    both = ", ".join(f":min(x.shape[{n}], {size})" for n, size in enumerate(want))
    return written(
        "def impl(x, like, axes=None):\n"
        f"    made = np.zeros(({', '.join(want)},), x.dtype)\n"
        f"    made[{both}] = x[{both}]\n"
        "    return made"
    )


def _cut(lanes: Lanes, x: str, like: str) -> str:
    """Returns ``x`` cut or filled up with zeros to the size of ``like`` along the axis."""
    return (
        f"    want, have = {like}.shape[{lanes.axis}], {x}.shape[{lanes.axis}]\n"
        "    if want == have:\n"
        f"        return {x}\n"
        f"    made = np.zeros({lanes.shape(x, 'want')}, {x}.dtype)\n"
        "    both = min(want, have)\n"
        + lanes.walk(x, f"made[{lanes.at(':both')}] = {x}[{lanes.at(':both')}]")
        + "    return made"
    )


# -- frequencies ----------------------------------------------------------------------------------


def _fftfreq(n: Any, d: Any = 1.0) -> Any:
    def impl(n: Any, d: Any = 1.0) -> Any:
        made = np.empty(n)
        step = 1.0 / (n * d)
        first = (n - 1) // 2 + 1
        for k in range(n):
            made[k] = (k if k < first else k - n) * step
        return made

    return impl


def _rfftfreq(n: Any, d: Any = 1.0) -> Any:
    return lambda n, d=1.0: np.arange(n // 2 + 1) * (1.0 / (n * d))


def _shift(back: bool) -> Callable[..., Any]:
    def by_types(x: Any, axes: Any = None) -> Any:
        chosen = axes_of(axes, x.ndim) if isinstance(x, types.Array) else None
        if chosen is None:
            return None
        half = "-(x.shape[{0}] // 2)" if back else "x.shape[{0}] // 2"
        lines = ["def impl(x, axes=None):", "    made = np.empty_like(x)"]
        lines += [f"    h{n} = {half.format(n)}" for n in chosen]
        to = ", ".join(
            f"(at[{n}] + h{n}) % x.shape[{n}]" if n in chosen else f"at[{n}]"
            for n in range(x.ndim)
        )
        lines += ["    for at in np.ndindex(x.shape):", f"        made[{to}] = x[at]"]
        return written("\n".join([*lines, "    return made"]))

    return by_types


_TABLE: dict[Any, Callable[..., Any]] = {
    np.fft.fft: _to_complex(True),
    np.fft.ifft: _to_complex(False),
    np.fft.fft2: _several(np.fft.fft, False),
    np.fft.ifft2: _several(np.fft.ifft, False),
    np.fft.fftn: _several(np.fft.fft, True),
    np.fft.ifftn: _several(np.fft.ifft, True),
    np.fft.rfft: _to_complex(True, half=True),
    np.fft.irfft: _irfft,
    np.fft.hfft: _hfft,
    np.fft.ihfft: _ihfft,
    np.fft.fftfreq: _fftfreq,
    np.fft.rfftfreq: _rfftfreq,
    np.fft.fftshift: _shift(False),
    np.fft.ifftshift: _shift(True),
    runtime.real_fft: _real_part(True),
    runtime.real_ifft: _real_part(False),
    matrices.rfft_bar: _rfft_bar,
    matrices.irfft_bar: _irfft_bar,
    matrices.fitted: _fitted,
}


def install() -> None:
    """Tell Numba about them."""
    register()
    declare(_TABLE, prefer_literal=True)
