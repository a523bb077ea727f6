"""Fourier transforms: each is linear, so that its cotangent is a transform too.

In: nothing. Out: records in the registry. The matrix of a discrete Fourier transform is symmetric:
the cotangent of ``fft(a)`` is ``fft(g)``, with the same ``norm``, cut or filled up to the length
of ``a``. Real transforms of any length go back by the transform the other way.

    np.fft.fft(a):    a_bar = fft(g)
    np.fft.rfft(a):   a_bar = rfft_bar(g, a)     one irfft
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..ir.kinds import Array, Dim, Kind, Size, Tuple, not_one, same_dim
from ..ir.nodes import Atom, Const
from . import matrices
from .declare import each, rule, sample
from .kindrules import as_array, dim_of, dim_of_kind
from .linear import rank
from .pieces import complex_dtype, real_dtype
from .registry import KindError, Sample
from .staged import is_none

if TYPE_CHECKING:
    from ..ir.builder import Builder

_RNG = np.random.default_rng(6)


def _r(*shape: int) -> Any:
    return _RNG.uniform(-1.0, 1.0, shape)


def _c(*shape: int) -> Any:
    return _r(*shape) + 1j * _r(*shape)


def _array(x: Atom) -> tuple[str, tuple[Dim, ...]]:
    k = as_array(x.kind)
    if not isinstance(k, Array) or k.dims is None:
        raise KindError("the number of axes is not known here")
    return (k.dtype if k.dtype in ("float32", "complex64") else "float64"), k.dims


def _half(n: Dim) -> Dim:
    return n // 2 + 1 if isinstance(n, int) else Size(not_one(n))


def _double(n: Dim) -> Dim:
    return 2 * (n - 1) if isinstance(n, int) else Size(not_one=True)


def _given(n: Atom | None) -> bool:
    return n is not None and not is_none(n)


# -- one axis ------------------------------------------------------------------------------------


def one_axis_kind(result: Any, size: Any) -> Any:
    """The kind of a transform: ``result`` of the dtype, ``size`` of the length along the axis."""

    def kind(args: Sequence[Atom], attrs: Any) -> Kind:
        dtype, dims = _array(args[0])
        axis = attrs.get("axis", -1) % len(dims)
        given = _given(args[1]) if len(args) > 1 else False
        n = size(dim_of(args[1]) if given else dims[axis], given)
        return Array(result(dtype), (*dims[:axis], n, *dims[axis + 1 :]))

    return kind


def whole_vjp(name: str) -> Any:
    """The cotangent under ``fft`` or ``ifft``: the same transform, of the length of the result."""

    def vjp(b: Builder, g: Atom, out: Atom, a: Atom, n: Atom | None = None, **o: Any) -> list[Any]:
        bar = b.op(name, g, **o)
        if not _same_length(a, out, o.get("axis", -1)):
            bar = b.op("fitted", bar, a, axes=(o.get("axis", -1),))
        return [bar, None]

    return vjp


def _same_length(a: Atom, out: Atom, axis: int) -> bool:
    x: Any = as_array(a.kind)
    y: Any = out.kind
    return same_dim(x.dims[axis], y.dims[axis])


def _lengths(*arrays: Any) -> list[Sample]:
    """Odd and even lengths, cut and filled up, every norm, other axes, single precision."""
    points = []
    for x in arrays:
        points += [sample(x), sample(x, norm="ortho"), sample(x, norm="forward")]
        points += [sample(x, 4), sample(x, 7), sample(x, 3, norm="backward")]
    matrix = np.stack([arrays[0], 2.0 * arrays[0]])
    narrow = "complex64" if np.iscomplexobj(matrix) else "float32"
    points += [
        sample(matrix.T, axis=0),
        sample(matrix, 3, axis=0),
        sample(matrix[:, ::2]),
        sample(matrix.astype(narrow)),
        sample(np.stack([matrix] * 2), axis=1, norm="ortho"),
    ]
    return points


for _name, _fft in (("np.fft.fft", np.fft.fft), ("np.fft.ifft", np.fft.ifft)):
    rule(
        _fft,
        "a n=None",
        "axis=-1, norm=None",
        kind=one_axis_kind(complex_dtype, lambda n, given: n),
        vjp=whole_vjp(_name),
        jvp=lambda b, dots, out, a, n=None, _name=_name, **o: b.op(
            _name, dots[0], *([] if n is None else [n]), **o
        ),
        samples=lambda: [*_lengths(_c(5), _c(6)), *_lengths(_r(5)), sample(_r(1))],
    )


def rfft_bar_vjp(
    b: Builder, g: Atom, out: Atom, g_: Atom, like: Atom, n: Atom | None = None, **o: Any
) -> list[Any]:
    return [b.op("np.fft.rfft", g, *([] if n is None else [n]), **o), None, None]


def irfft_bar_vjp(
    b: Builder, g: Atom, out: Atom, g_: Atom, like: Atom, n: Atom | None = None, **o: Any
) -> list[Any]:
    length = n if n is not None and _given(n) else _length(b, g_, o.get("axis", -1))
    return [b.op("np.fft.irfft", g, length, **o), None, None]


def _length(b: Builder, x: Atom, axis: int) -> Atom:
    return b.op("item", b.op("shape", x), Const.of(axis))


rule(
    np.fft.rfft,
    "a n=None",
    "axis=-1, norm=None",
    kind=one_axis_kind(complex_dtype, lambda n, given: _half(n)),
    vjp=lambda b, g, out, a, n=None, **o: [
        b.op("rfft_bar", g, a, *([] if n is None else [n]), **o),
        None,
    ],
    jvp=lambda b, dots, out, a, n=None, **o: b.op(
        "np.fft.rfft", dots[0], *([] if n is None else [n]), **o
    ),
    samples=lambda: [*_lengths(_r(5), _r(6)), sample(_r(1)), sample(_r(2))],
)
rule(
    np.fft.irfft,
    "a n=None",
    "axis=-1, norm=None",
    kind=one_axis_kind(real_dtype, lambda n, given: n if given else _double(n)),
    vjp=lambda b, g, out, a, n=None, **o: [
        b.op("irfft_bar", g, a, *([] if n is None else [n]), **o),
        None,
    ],
    jvp=lambda b, dots, out, a, n=None, **o: b.op(
        "np.fft.irfft", dots[0], *([] if n is None else [n]), **o
    ),
    samples=lambda: [
        *_lengths(_c(3), _c(4)),
        *_lengths(_r(4)),
        sample(_c(4), 6),
        sample(_c(1), 1),
    ],
)
rule(
    matrices.rfft_bar,
    "g_ like n=None",
    "axis=-1, norm=None",
    name="rfft_bar",
    kind=lambda args, attrs: Array(real_dtype(_array(args[0])[0]), _array(args[1])[1]),
    vjp=rfft_bar_vjp,
    jvp=lambda b, dots, out, g_, like, *n, **o: (
        None if dots[0] is None else b.op("rfft_bar", dots[0], like, *n, **o)
    ),
    samples=lambda: [
        sample(_c(3), np.arange(5), norm="ortho"),
        sample(_c(4), np.arange(6)),
        sample(_c(3), np.arange(6), 4, norm="forward"),
        sample(_c(2, 3, 2), np.ones((2, 4, 2), dtype=int), axis=1),
    ],
)
rule(
    matrices.irfft_bar,
    "g_ like n=None",
    "axis=-1, norm=None",
    name="irfft_bar",
    kind=lambda args, attrs: Array(complex_dtype(_array(args[0])[0]), _array(args[1])[1]),
    vjp=irfft_bar_vjp,
    jvp=lambda b, dots, out, g_, like, *n, **o: (
        None if dots[0] is None else b.op("irfft_bar", dots[0], like, *n, **o)
    ),
    samples=lambda: [
        sample(_r(4), np.arange(3), norm="ortho"),
        sample(_r(5), np.arange(3), 5),
        sample(_r(7), np.arange(3), 7, norm="forward"),
        sample(_r(2, 4, 2), np.ones((2, 3, 2), dtype=int), axis=1),
    ],
)
rule(
    matrices.fitted,
    "x like",
    "axes=None",
    name="fitted",
    kind=lambda args, attrs: Array(as_array(args[0].kind).dtype, _fitted_dims(args, attrs)),
    vjp=lambda b, g, out, x, like, axes=None: [b.op("fitted", g, x, axes=axes), None],
    jvp=lambda b, dots, out, x, like, axes=None: (
        None if dots[0] is None else b.op("fitted", dots[0], like, axes=axes)
    ),
    samples=[
        sample(_r(3), np.arange(4)),
        sample(_r(3, 4), np.ones((2, 4), dtype=int), axes=(0,)),
    ],
)


def _fitted_dims(args: Sequence[Atom], attrs: Any) -> tuple[Dim, ...]:
    x, like = (_array(a)[1] for a in args)
    axes = attrs.get("axes")
    chosen = range(len(x)) if axes is None else [k % len(x) for k in axes]
    return tuple(like[k] if k in chosen else n for k, n in enumerate(x))


# The Hermitian transforms are real ones of the conjugate, with the scales of the other way.
_OTHER_WAY = {None: "forward", "backward": "forward", "ortho": "ortho", "forward": "backward"}


def _hermitian_options(o: dict[str, Any]) -> dict[str, Any]:
    return {**o, "norm": _OTHER_WAY[o.get("norm")]}


rule(
    np.fft.hfft,
    "a n=None",
    "axis=-1, norm=None",
    kind=one_axis_kind(real_dtype, lambda n, given: n if given else _double(n)),
    vjp=lambda b, g, out, a, n=None, **o: [
        b.op(
            "np.conj",
            b.op("irfft_bar", g, a, *([] if n is None else [n]), **_hermitian_options(o)),
        ),
        None,
    ],
    jvp=lambda b, dots, out, a, n=None, **o: b.op(
        "np.fft.hfft", dots[0], *([] if n is None else [n]), **o
    ),
    samples=lambda: [*_lengths(_c(3), _c(4)), sample(_c(4), 6)],
)
rule(
    np.fft.ihfft,
    "a n=None",
    "axis=-1, norm=None",
    kind=one_axis_kind(complex_dtype, lambda n, given: _half(n)),
    vjp=lambda b, g, out, a, n=None, **o: [
        b.op(
            "rfft_bar",
            b.op("np.conj", g),
            a,
            *([] if n is None else [n]),
            **_hermitian_options(o),
        ),
        None,
    ],
    jvp=lambda b, dots, out, a, n=None, **o: b.op(
        "np.fft.ihfft", dots[0], *([] if n is None else [n]), **o
    ),
    samples=lambda: _lengths(_r(5), _r(6)),
)

# -- several axes --------------------------------------------------------------------------------


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
        dtype, dims = _array(args[0])
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
            fits = all(_same_length(a, out, k) for k in axes)
            return [bar if fits else b.op("fitted", bar, a, axes=tuple(axes)), None]
        others = tuple(axes[:-1])
        n: list[Atom] = []
        if s is not None and _given(s):
            n = [b.op("item", s, Const.of(-1))]
        if back == "rfft_bar":
            # rfft of the last axis came first; its result has the other sizes of a
            before = b.op(str(inner), g, axes=others, **norm) if others else g
            if others and not all(_same_length(a, out, k) for k in others):
                bar_last = b.op("rfft_bar", before, _like_last(b, a, before, axes[-1]), *n,
                                axis=axes[-1], **norm)  # fmt: skip
                return [b.op("fitted", bar_last, a, axes=others), None]
            return [b.op("rfft_bar", before, a, *n, axis=axes[-1], **norm), None]
        bar = b.op("irfft_bar", g, _like_last(b, a, g, axes[-1]), *n, axis=axes[-1], **norm)
        if others:
            bar = b.op(str(inner), bar, axes=others, **norm)
            if not all(_same_length(a, out, k) for k in others):
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
        ("rfft", (complex_dtype, lambda n, given: _half(n)), "np.fft.fftn", "rfft_bar", _r(3, 4)),
        (
            "irfft",
            (real_dtype, lambda n, given: n if given else _double(n)),
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
            jvp=lambda b, dots, out, a, s=None, _name=_name, **o: b.op(
                _name, dots[0], *([] if s is None else [s]), **o
            ),
            samples=_several_samples(_x),
        )

# -- shifts --------------------------------------------------------------------------------------

for _f, _back in each(
    (np.fft.fftshift, "np.fft.ifftshift"), (np.fft.ifftshift, "np.fft.fftshift")
):
    rule(
        _f,
        "x",
        "axes=None",
        kind=lambda args, attrs: as_array(args[0].kind),
        vjp=lambda b, g, out, x, _back=_back, **o: [b.op(_back, g, **o)],
        jvp="linear",
        samples=[
            sample(_r(5)),
            sample(_r(4)),
            sample(_c(3, 4), axes=1),
            sample(_r(3, 5), axes=(0, 1)),
            sample(_r(3, 5)),
        ],
    )


def frequencies_kind(half: bool) -> Any:
    def kind(args: Sequence[Atom], attrs: Any) -> Kind:
        n = dim_of(args[0])
        return Array("float64", (_half(n) if half else n,))

    return kind


for _f, _is_half in ((np.fft.fftfreq, False), (np.fft.rfftfreq, True)):
    rule(
        _f,
        "n d=1.0",
        kind=frequencies_kind(_is_half),
        vjp=(None, "-g * out / d"),
        jvp=(None, "-out * d_dot / d"),
        samples=[sample(5, 0.5), sample(6, 0.1), sample(4)],
    )
