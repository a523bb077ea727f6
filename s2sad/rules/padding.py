"""``np.pad`` in every mode.

In: nothing. Out: records in the registry. Modes that copy elements send cotangents back to where
the elements came from; the others are differentiated through what they put on either side.

    np.pad(x, 1):   x_bar = g[1:-1]
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..ir.kinds import Num
from ..ir.nodes import Atom, Const
from .axes import part
from .declare import rule, sample
from .derived import derived
from .gathers import places_of, scattered
from .linear import rank
from .registry import KindError, Sample

if TYPE_CHECKING:
    from ..ir.builder import Builder

_STATISTICS = {"mean": "np.mean", "median": "np.median", "maximum": "np.max", "minimum": "np.min"}
_COPIES = ("edge", "reflect", "symmetric", "wrap")


def _pairs(given_: Any, ndim: int) -> list[tuple[Any, Any]]:
    """An option for both ends of every axis."""
    if given_ is None:
        return [(None, None)] * ndim
    return [(lo.item(), hi.item()) for lo, hi in np.broadcast_to(np.asarray(given_), (ndim, 2))]


def _interior(array: Atom, o: dict[str, Any]) -> Const:
    index = tuple(slice(lo or None, -hi or None) for lo, hi in _pairs(o["pad_width"], rank(array)))
    return Const.of(index if len(index) > 1 else index[0])


# -- modes by definition -------------------------------------------------------------------------


def _side(b: Builder, x: Atom, axis: int, width: int, end: bool, mode: str, option: Any) -> Atom:
    """What is put before (or, at the ``end``, after) the elements along one axis."""
    if mode == "linear_ramp":
        edge = part(b, x, axis, -1, None) if end else part(b, x, axis, 0, 1)
        weights = np.arange(width) / width
        shape = [1] * rank(x)
        shape[axis] = width
        t = Const.of((weights[::-1] if end else weights).reshape(shape))
        start = float(option or 0.0)
        return b.text("start + (edge - start) * t", start=Const.of(start), edge=edge, t=t)
    if option is not None:
        x = part(b, x, axis, -option, None) if end else part(b, x, axis, 0, option)
    block = b.op(_STATISTICS[mode], x, axis=axis, keepdims=True)
    return b.op("np.repeat", block, Const.of(width), axis=axis)


def _padded(b: Builder, x: Atom, pad_width: Any, mode: str, **o: Any) -> Atom:
    """One axis after the other, as NumPy does it."""
    n = rank(x)
    option = o.get("end_values") if mode == "linear_ramp" else o.get("stat_length")
    for axis, ((lo, hi), ends) in enumerate(
        zip(_pairs(pad_width, n), _pairs(option, n), strict=True)
    ):
        if o.get("reflect_type") == "odd":
            x = _reflected(b, x, axis, (lo, hi), mode)
            continue
        pieces = [x]
        if lo:
            pieces.insert(0, _side(b, x, axis, lo, False, mode, ends[0]))
        if hi:
            pieces.append(_side(b, x, axis, hi, True, mode, ends[1]))
        if len(pieces) > 1:
            x = b.op("np.concatenate", b.op("tuple", *pieces), axis=axis)
    return x


def _reflected(b: Builder, x: Atom, axis: int, width: tuple[int, int], mode: str) -> Atom:
    """Odd reflection, as often as it takes: the same linear map as of the unit vectors."""
    size = b.op("item", b.op("shape", x), Const.of(axis))
    unit = b.op("np.eye", size)
    matrix = b.op("np.pad", unit, pad_width=(width, (0, 0)), mode=mode, reflect_type="odd")
    found = b.op("np.tensordot", matrix, x, axes=((1,), (axis,)))
    return b.op("np.moveaxis", found, source=0, destination=axis) if axis else found


_by_definition_vjp, _by_definition_jvp = derived(
    lambda b, array, *_, **o: _padded(b, array, o.pop("pad_width"), o.pop("mode"), **o)
)


# -- all modes -----------------------------------------------------------------------------------


def pad_vjp(
    b: Builder, g: Atom, out: Atom, array: Atom, constant_values: Any = None, **o: Any
) -> list[Any]:
    mode = o.get("mode", "constant")
    if mode in ("constant", "empty"):
        inner = _interior(array, o)

        def wrt_constant() -> Atom:
            if not isinstance(constant_values.kind, Num):
                raise KindError("np.pad has a derivative for one constant value only")
            return b.sub(b.op("np.sum", g), b.op("np.sum", b.op("item", g, inner)))

        return [lambda: b.op("item", g, inner), wrt_constant]
    if mode in _COPIES and o.get("reflect_type", "even") == "even":
        return [scattered(b, array, b.op("np.pad", places_of(b, array), **o), g)]
    if mode in _COPIES or mode in _STATISTICS or mode == "linear_ramp":
        found: list[Any] = _by_definition_vjp(b, g, out, array, **o)
        return found
    raise KindError(f"np.pad with mode={mode!r} has no derivative here")


def pad_jvp(
    b: Builder, dots: Sequence[Any], out: Atom, array: Atom, constant_values: Any = None, **o: Any
) -> Any:
    mode = o.get("mode", "constant")
    if mode in ("constant", "empty"):
        inner = dots[0] if dots[0] is not None else b.op("zeros_like", array)
        more = [dots[1]] if len(dots) > 1 and dots[1] is not None else []
        return b.op("np.pad", inner, *more, pad_width=o["pad_width"])
    if mode in _COPIES:
        return b.op("np.pad", dots[0], **o)
    return _by_definition_jvp(b, dots, out, array, **o)


_V = np.array([3.0, 1.0, 2.0, 0.5])
_A = np.array([[3.0, 1.0, 2.25], [0.5, 2.7, 1.5]])


def _samples() -> Sequence[Sample]:
    points = [
        sample(_V, pad_width=1),
        sample(np.ones((2, 3)), pad_width=((1, 0), (0, 2))),
        sample(_V, 5.0, pad_width=(2, 1)),
        sample(_A, 5.0, pad_width=1),
        sample(_V.astype("float32"), pad_width=1),
        sample(_A, pad_width=2, mode="linear_ramp", end_values=3.0),
        sample(_A, pad_width=((1, 1), (2, 2)), mode="mean", stat_length=2),
        sample(_A, pad_width=((1, 1), (2, 2)), mode="maximum", stat_length=((1, 2), (2, 1))),
        sample(_V, pad_width=2, mode="reflect", reflect_type="odd"),
        sample(_V, pad_width=(3, 6), mode="symmetric", reflect_type="odd"),
        sample(_A, pad_width=1, mode="reflect", reflect_type="odd"),
    ]
    for mode in (*_COPIES, *_STATISTICS, "linear_ramp"):
        points.append(sample(_V, pad_width=(1, 2), mode=mode))
        points.append(sample(_A, pad_width=((1, 0), (2, 1)), mode=mode))
    points += [sample(_V, pad_width=(1, 6), mode=mode) for mode in _COPIES]
    return points


rule(
    np.pad,
    "array constant_values=None",
    signature_of="array, pad_width, mode='constant', *, constant_values=None, end_values=None,"
    " stat_length=None, reflect_type='even'",
    vjp=pad_vjp,
    jvp=pad_jvp,
    samples=_samples,
)
