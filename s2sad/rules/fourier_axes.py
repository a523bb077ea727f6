"""Fourier transforms of several axes: one axis after the other, the last first where it is real.

In: nothing. Out: records in the registry. The cotangent of ``fftn(a)`` is ``fftn(g)``; a real
transform goes back along its last axis as that of one axis does.

    np.fft.fft2(a):    a_bar = fft2(g)
    np.fft.rfftn(a):   a_bar = rfft_bar(fftn(g over the other axes), a)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..ir.kinds import Array, Dim, Kind, Tuple
from ..ir.nodes import Atom, Const, is_none
from .declare import complexes, reals, rule, sample
from .fourier import double, half, is_given, same_length, sized_array
from .kindrules import dim_of_kind
from .linear import rank
from .pieces import complex_dtype, real_dtype
from .registry import KindError, Sample

if TYPE_CHECKING:
    from ..ir.builder import Builder

_r = reals(12)
_c = complexes(_r)


def _sizes(s: Atom | None) -> list[Dim | None] | None:
    """The sizes given as ``s``; None where there are none."""
    if s is None or is_none(s):
        return None
    if isinstance(s, Const):
        return [None if n is None else int(n) for n in s.value]
    if isinstance(s.kind, Tuple):
        return [dim_of_kind(k) for k in s.kind.items]
    raise KindError("the sizes of a Fourier transform must be a tuple")


def _axes(ndim: int, attrs: Any, s: Atom | None, default: Any) -> list[int]:
    axes = attrs.get("axes", default)
    sizes = _sizes(s)
    if axes is None:
        axes = range(-len(sizes), 0) if sizes is not None else range(ndim)
    return [k % ndim for k in axes]


def several_axes_kind(result: Any, last: Any, default: Any) -> Any:
    def kind(args: Sequence[Atom], attrs: Any) -> Kind:
        dtype, dims = sized_array(args[0])
        s = args[1] if len(args) > 1 else None
        axes = _axes(len(dims), attrs, s, default)
        found = list(dims)
        sizes = _sizes(s)
        for place, k in enumerate(axes):
            size = sizes[place] if sizes is not None else None
            end = place == len(axes) - 1
            n = dims[k] if size is None else size
            found[k] = last(n, size is not None) if end else n
        return Array(result(dtype), tuple(found))

    return kind


def several_vjp(name: str, inner: str | None, back: str | None, default: Any) -> Any:
    """The cotangent under an n-dimensional transform.

    ``inner`` transforms all axes, or for a real transform all but the last, ``back`` the last.
    """

    def vjp(b: Builder, g: Atom, out: Atom, a: Atom, s: Atom | None = None, **o: Any) -> list[Any]:
        axes = _axes(rank(a), o, s, default)
        norm = {"norm": o["norm"]} if o.get("norm") is not None else {}
        if back is None:
            bar = b.op(str(inner), g, axes=tuple(axes), **norm)
            fits = all(same_length(a, out, k) for k in axes)
            return [bar if fits else b.op("fitted", bar, a, axes=tuple(axes)), None]
        others = tuple(axes[:-1])
        n: list[Atom] = []
        if s is not None and is_given(s):
            n = [b.op("item", s, Const.of(-1))]
        if back == "rfft_bar":
            # rfft of the last axis came first; its result has the other sizes of a
            before = b.op(str(inner), g, axes=others, **norm) if others else g
            if others and not all(same_length(a, out, k) for k in others):
                bar_last = b.op("rfft_bar", before, _like_last(b, a, before, axes[-1]), *n,
                                axis=axes[-1], **norm)  # fmt: skip
                return [b.op("fitted", bar_last, a, axes=others), None]
            return [b.op("rfft_bar", before, a, *n, axis=axes[-1], **norm), None]
        bar = b.op("irfft_bar", g, _like_last(b, a, g, axes[-1]), *n, axis=axes[-1], **norm)
        if others:
            bar = b.op(str(inner), bar, axes=others, **norm)
            if not all(same_length(a, out, k) for k in others):
                bar = b.op("fitted", bar, a, axes=others)
        return [bar, None]

    return vjp


def _like_last(b: Builder, a: Atom, g: Atom, axis: int) -> Atom:
    """Something that is as long as ``a`` along the axis, and else has the shape of ``g``."""
    return b.op("fitted", g, a, axes=(axis,))


def _several_samples(x: Any, last: Any = None) -> Any:
    def samples() -> list[Sample]:
        cube = np.stack([x, 2.0 * x[::-1]])
        narrow = "complex64" if np.iscomplexobj(x) else "float32"
        return [
            sample(x),
            sample(x, norm="ortho"),
            sample(x, norm="forward"),
            sample(x, (4, 5)),
            sample(x, (2, 4), axes=(1, 0)),
            sample(cube, axes=(0, 2)),
            sample(cube, axes=(1, 2)),
            sample(x, axes=(-2, -1)),
            sample(x.T),
            sample(x.astype(narrow)),
        ]

    return samples


def _whole(n: Dim, given: bool) -> Dim:
    return n


for _suffix, _default in (("2", (-2, -1)), ("n", None)):
    for _way, _kind, _inner, _back, _x in (
        ("fft", (complex_dtype, _whole), "np.fft.fftn", None, _c(3, 4)),
        ("ifft", (complex_dtype, _whole), "np.fft.ifftn", None, _c(3, 4)),
        ("rfft", (complex_dtype, lambda n, given: half(n)), "np.fft.fftn", "rfft_bar", _r(3, 4)),
        (
            "irfft",
            (real_dtype, lambda n, given: n if given else double(n)),
            "np.fft.ifftn",
            "irfft_bar",
            _c(3, 4),
        ),
    ):
        _name = f"np.fft.{_way}{_suffix}"
        rule(
            getattr(np.fft, _way + _suffix),
            "a s=None",
            f"axes={_default}, norm=None",
            name=_name,
            kind=several_axes_kind(_kind[0], _kind[1], _default),
            vjp=several_vjp(_name, _inner, _back, _default),
            jvp="linear",
            samples=_several_samples(_x),
        )
