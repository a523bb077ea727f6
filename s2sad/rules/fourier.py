"""Fourier transforms of one axis: each is linear, so that its cotangent is a transform too.

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

from ..ir.kinds import Array, Dim, Kind, Size, not_one, same_dim
from ..ir.nodes import Atom, Const, is_none
from . import matrices
from .declare import complexes, each, reals, rule, sample
from .kindrules import as_array, dim_of
from .pieces import complex_dtype, real_dtype
from .registry import KindError, Sample

if TYPE_CHECKING:
    from ..ir.builder import Builder

_r = reals(6)
_c = complexes(_r)


def sized_array(x: Atom) -> tuple[str, tuple[Dim, ...]]:
    k = as_array(x.kind)
    if not isinstance(k, Array) or k.dims is None:
        raise KindError("the number of axes is not known here")
    return (k.dtype if k.dtype in ("float32", "complex64") else "float64"), k.dims


def half(n: Dim) -> Dim:
    return n // 2 + 1 if isinstance(n, int) else Size(not_one(n))


def double(n: Dim) -> Dim:
    return 2 * (n - 1) if isinstance(n, int) else Size(not_one=True)


def is_given(n: Atom | None) -> bool:
    return n is not None and not is_none(n)


# -- one axis ------------------------------------------------------------------------------------


def one_axis_kind(result: Any, size: Any) -> Any:
    """The kind of a transform: ``result`` of the dtype, ``size`` of the length along the axis."""

    def kind(args: Sequence[Atom], attrs: Any) -> Kind:
        dtype, dims = sized_array(args[0])
        axis = attrs.get("axis", -1) % len(dims)
        given = is_given(args[1]) if len(args) > 1 else False
        n = size(dim_of(args[1]) if given else dims[axis], given)
        return Array(result(dtype), (*dims[:axis], n, *dims[axis + 1 :]))

    return kind


def whole_vjp(name: str) -> Any:
    """The cotangent under ``fft`` or ``ifft``: the same transform, of the length of the result."""

    def vjp(b: Builder, g: Atom, out: Atom, a: Atom, n: Atom | None = None, **o: Any) -> list[Any]:
        bar = b.op(name, g, **o)
        if not same_length(a, out, o.get("axis", -1)):
            bar = b.op("fitted", bar, a, axes=(o.get("axis", -1),))
        return [bar, None]

    return vjp


def same_length(a: Atom, out: Atom, axis: int) -> bool:
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
        jvp="linear",
        samples=lambda: [*_lengths(_c(5), _c(6)), *_lengths(_r(5)), sample(_r(1))],
    )


def real_vjp(name: str) -> Any:
    """The cotangent under ``rfft`` or ``irfft``, which ``name`` goes back by."""

    def vjp(b: Builder, g: Atom, out: Atom, a: Atom, *n: Atom, **o: Any) -> list[Any]:
        return [b.op(name, g, a, *n, **o), None]

    return vjp


def first_jvp(name: str) -> Any:
    """The tangent of what is linear in its first operand and takes a size from the others."""

    def jvp(b: Builder, dots: Any, out: Atom, x: Atom, *rest: Atom, **o: Any) -> Atom | None:
        return None if dots[0] is None else b.op(name, dots[0], *rest, **o)

    return jvp


def _bar_kind(result: Any) -> Any:
    """The kind of what goes back: ``result`` of the dtype, the shape of the second operand."""

    def kind(args: Sequence[Atom], attrs: Any) -> Kind:
        g, like = map(sized_array, args[:2])
        return Array(result(g[0]), like[1])

    return kind


def rfft_bar_vjp(
    b: Builder, g: Atom, out: Atom, g_: Atom, like: Atom, n: Atom | None = None, **o: Any
) -> list[Any]:
    return [b.op("np.fft.rfft", g, *([] if n is None else [n]), **o), None, None]


def irfft_bar_vjp(
    b: Builder, g: Atom, out: Atom, g_: Atom, like: Atom, n: Atom | None = None, **o: Any
) -> list[Any]:
    length = n if n is not None and is_given(n) else _length(b, g_, o.get("axis", -1))
    return [b.op("np.fft.irfft", g, length, **o), None, None]


def _length(b: Builder, x: Atom, axis: int) -> Atom:
    return b.op("item", b.op("shape", x), Const.of(axis))


rule(
    np.fft.rfft,
    "a n=None",
    "axis=-1, norm=None",
    kind=one_axis_kind(complex_dtype, lambda n, given: half(n)),
    vjp=real_vjp("rfft_bar"),
    jvp="linear",
    samples=lambda: [*_lengths(_r(5), _r(6)), sample(_r(1)), sample(_r(2))],
)
rule(
    np.fft.irfft,
    "a n=None",
    "axis=-1, norm=None",
    kind=one_axis_kind(real_dtype, lambda n, given: n if given else double(n)),
    vjp=real_vjp("irfft_bar"),
    jvp="linear",
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
    kind=_bar_kind(real_dtype),
    vjp=rfft_bar_vjp,
    jvp=first_jvp("rfft_bar"),
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
    kind=_bar_kind(complex_dtype),
    vjp=irfft_bar_vjp,
    jvp=first_jvp("irfft_bar"),
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
    jvp=first_jvp("fitted"),
    samples=[
        sample(_r(3), np.arange(4)),
        sample(_r(3, 4), np.ones((2, 4), dtype=int), axes=(0,)),
    ],
)


def _fitted_dims(args: Sequence[Atom], attrs: Any) -> tuple[Dim, ...]:
    x, like = (sized_array(a)[1] for a in args)
    axes = attrs.get("axes")
    chosen = range(len(x)) if axes is None else [k % len(x) for k in axes]
    return tuple(like[k] if k in chosen else n for k, n in enumerate(x))


# The Hermitian transforms are real ones of the conjugate, with the scales of the other way.
_OTHER_WAY = {None: "forward", "backward": "forward", "ortho": "ortho", "forward": "backward"}


def _hermitian_options(o: dict[str, Any]) -> dict[str, Any]:
    return {**o, "norm": _OTHER_WAY[o.get("norm")]}


def hfft_vjp(b: Builder, g: Atom, out: Atom, a: Atom, *n: Atom, **o: Any) -> list[Any]:
    return [b.op("np.conj", b.op("irfft_bar", g, a, *n, **_hermitian_options(o))), None]


def ihfft_vjp(b: Builder, g: Atom, out: Atom, a: Atom, *n: Atom, **o: Any) -> list[Any]:
    return [b.op("rfft_bar", b.op("np.conj", g), a, *n, **_hermitian_options(o)), None]


rule(
    np.fft.hfft,
    "a n=None",
    "axis=-1, norm=None",
    kind=one_axis_kind(real_dtype, lambda n, given: n if given else double(n)),
    vjp=hfft_vjp,
    jvp="linear",
    samples=lambda: [*_lengths(_c(3), _c(4)), sample(_c(4), 6)],
)
rule(
    np.fft.ihfft,
    "a n=None",
    "axis=-1, norm=None",
    kind=one_axis_kind(complex_dtype, lambda n, given: half(n)),
    vjp=ihfft_vjp,
    jvp="linear",
    samples=lambda: _lengths(_r(5), _r(6)),
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


def frequencies_kind(*, is_half: bool) -> Any:
    def kind(args: Sequence[Atom], attrs: Any) -> Kind:
        n = dim_of(args[0])
        return Array("float64", (half(n) if is_half else n,))

    return kind


for _f, _is_half in ((np.fft.fftfreq, False), (np.fft.rfftfreq, True)):
    rule(
        _f,
        "n d=1.0",
        kind=frequencies_kind(is_half=_is_half),
        vjp=(None, "-g * out / d"),
        jvp=(None, "-out * d_dot / d"),
        samples=[sample(5, 0.5), sample(6, 0.1), sample(4)],
    )
