"""Objects of NumPy that are indexed to make arrays: ``np.r_``, ``np.c_``, ``np.mgrid`` and others.

In: the object and what stands between the brackets. Out: the array, by what it means.

    np.r_[a, 1.0]            np.concatenate((a, np.atleast_1d(1.0)))
    np.mgrid[0:n, 0:m]       np.stack(np.meshgrid(np.arange(0, n), np.arange(0, m), indexing="ij"))
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..ir.kinds import Num
from ..ir.nodes import Atom, Const, Op, Value
from .context import Lowerer
from .numpy_calls import call_named, rank_of
from .refs import Ref, TupleRef, Val


def index_object(cx: Lowerer, obj: Any, i: Ref) -> Ref:
    """``np.r_[...]``, ``np.c_[...]``, ``np.mgrid[...]``: by what they mean."""
    if obj is np.s_ or obj is np.index_exp:
        return i
    parts = list(i.items) if isinstance(i, TupleRef) else [i]
    if obj in (np.mgrid, np.ogrid):
        return _grid(cx, obj, parts, isinstance(i, TupleRef))
    axis = -1 if obj is np.c_ else 0
    if parts and cx.known(parts[0]) and isinstance(text := cx.value(parts[0]), str):
        if obj is np.c_ or not text.lstrip("-").isdigit():
            cx.fail(f"the text {text!r} in np.r_ is not supported", "use np.concatenate")
        axis = int(text)
        parts = parts[1:]
    arrays = [_part(cx, part) for part in parts]
    ranks = [rank_of(cx, a, "np.r_") for a in arrays]
    together = TupleRef(tuple(arrays))
    if obj is np.c_ and max(ranks) < 3:
        return call_named(cx, "np.column_stack", together)
    if len(set(ranks)) > 1:
        cx.fail("arrays of different numbers of axes in np.r_ are not supported")
    return call_named(cx, "np.concatenate", together, **({"axis": axis} if axis else {}))


def _part(cx: Lowerer, part: Ref) -> Ref:
    if cx.known(part) and isinstance(value := cx.value(part), slice):
        return _range(cx, value)
    if isinstance(cx.kind(part), Num):
        return call_named(cx, "np.atleast_1d", part)
    return part


def _range(cx: Lowerer, s: slice) -> Ref:
    """The numbers a slice in square brackets stands for."""
    start = s.start or 0
    if isinstance(s.step, complex):
        return call_named(
            cx, "np.linspace", cx.constant(start), cx.constant(s.stop), num=int(abs(s.step))
        )
    return call_named(cx, "np.arange", *map(cx.constant, (start, s.stop, s.step or 1)))


def _grid(cx: Lowerer, obj: Any, parts: Sequence[Ref], many: bool) -> Ref:
    """Only whole numbers: with others NumPy computes the points in a way of its own."""
    ranges = [_points(cx, part, many and obj is np.mgrid) for part in parts]
    if not many:
        return ranges[0]
    sparse: Mapping[str, Any] = {"sparse": True} if obj is np.ogrid else {}
    made = call_named(cx, "np.meshgrid", *ranges, indexing="ij", **sparse)
    return made if obj is np.ogrid else call_named(cx, "np.stack", made)


def _points(cx: Lowerer, part: Ref, counted: bool) -> Ref:
    """The numbers of one axis; where they are counted, there are not less than none."""
    start, stop, step = _bounds(cx, part)
    whole = all(isinstance(a.kind, Num) and a.kind.dtype == "int64" for a in (start, stop))
    if not whole or not isinstance(step, Const) or type(step.value) is not int:
        cx.fail("np.mgrid and np.ogrid are supported with whole numbers", "use np.meshgrid")
    if counted and isinstance(start, Const) and isinstance(stop, Const):
        if (stop.value - start.value) * step.value <= -(step.value**2):
            cx.fail("np.mgrid raises here: negative dimensions are not allowed")
    elif counted:
        first = cx.op("sub", start, step)
        enough = cx.op("gt" if step.value > 0 else "lt", stop, first)
        cx.ops("assert", enough, Const.of("negative dimensions are not allowed"))
    return call_named(cx, "np.arange", Val(start), Val(stop), step=step.value)


def _bounds(cx: Lowerer, part: Ref) -> tuple[Atom, Atom, Atom]:
    """Start, stop and step of a slice; the start is 0 and the step 1 unless they are given."""
    given: Sequence[Atom] = ()
    if cx.known(part) and isinstance(value := cx.value(part), slice):
        given = tuple(map(Const.of, (value.start, value.stop, value.step)))
    elif isinstance(part, Val) and isinstance(part.atom, Value):
        maker = cx.b.definition.get(part.atom)
        if isinstance(maker, Op) and maker.fn == "slice":
            given = maker.args
    if not given:
        cx.fail("np.mgrid and np.ogrid take slices here", "write their bounds in the brackets")
    start, stop, step = given
    return _or(start, 0), stop, _or(step, 1)


def _or(bound: Atom, default: int) -> Atom:
    """A bound, or what it is if it is not given."""
    return Const.of(default) if isinstance(bound, Const) and bound.value is None else bound
