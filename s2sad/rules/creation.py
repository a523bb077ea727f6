"""Functions that make arrays, and conversions of dtype.

In: nothing. Out: records in the registry. Most have no active operand; ``array``, ``full``,
``linspace`` and the conversions are linear in theirs.

    np.array([a, b]):   a_bar, b_bar = g[0], g[1]
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..ir.kinds import (
    Array,
    Dim,
    FixedList,
    Kind,
    Mixed,
    Num,
    Size,
    Tuple,
)
from ..ir.nodes import Atom, Const, is_none
from .apply import conform
from .declare import each, rule, sample, zero
from .derived import derived
from .examplekinds import by_example
from .kindrules import as_array, dim_of, dim_of_kind, dims_of
from .linear import rank
from .reductions import given
from .registry import KindError, KindRule

if TYPE_CHECKING:
    from ..ir.builder import Builder

_A = np.arange(6.0).reshape(2, 3) + 1.0


def dtype_name(dtype: Any) -> str:
    """The name of a dtype given as a type, a string or a dtype."""
    return str(np.dtype(dtype).name)


def dims_of_shape(shape: Atom) -> tuple[Dim, ...] | None:
    """The dims that a shape operand spells."""
    k = shape.kind
    if isinstance(shape, Const):
        items = shape.value if isinstance(shape.value, tuple | list) else (shape.value,)
        return tuple(int(n) for n in items)
    if isinstance(k, Num):
        return (dim_of(shape),)
    if isinstance(k, Tuple | FixedList):
        return tuple(map(dim_of_kind, k.items))
    return None


def _made(default: str = "float64") -> KindRule:
    """An array of a shape and dtype; of 0 axes it is still an array."""

    def kind(args: Sequence[Atom], attrs: Any) -> Kind:
        dtype = attrs.get("dtype")
        return Array(default if dtype is None else dtype_name(dtype), dims_of_shape(args[0]))

    return kind


for _f in each(np.zeros, np.ones, np.empty):
    zero(_f, "shape", "dtype=None, order='C'", kind=_made())


def _full_kind(args: Sequence[Atom], attrs: Any) -> Kind:
    dtype = attrs.get("dtype")
    value = as_array(args[1].kind)
    return Array(value.dtype if dtype is None else dtype_name(dtype), dims_of_shape(args[0]))


rule(
    np.full,
    "shape fill_value",
    "dtype=None, order='C'",
    kind=_full_kind,
    vjp=(None, "g"),
    jvp="linear",
    samples=[
        sample(3, 2.0),
        sample((2, 3), 1.5),
        sample((2, 3), np.ones(3)),
        sample(2, 1.5, dtype="float32"),
    ],
)


def _like_kind(args: Sequence[Atom], attrs: Any) -> Kind:
    k = as_array(args[0].kind)
    dtype, shape = attrs.get("dtype"), attrs.get("shape")
    name = k.dtype if dtype is None else dtype_name(dtype)
    if shape is not None:
        return Array(name, dims_of_shape(Const.of(shape)))
    return Mixed(name) if isinstance(k, Mixed) else Array(name, dims_of(k))


for _f in each(np.zeros_like, np.ones_like, np.empty_like):
    zero(_f, "a", "dtype=None, order='K', subok=True, shape=None", kind=_like_kind)
rule(
    np.full_like,
    "a fill_value",
    "dtype=None, order='K', subok=True, shape=None",
    kind=_like_kind,
    vjp=(None, "g"),
    jvp=(None, "full_like(a, fill_value_dot, dtype=dtype, shape=shape)"),
    samples=[
        sample(_A, 2.0),
        sample(_A, np.ones(3)),
        sample(_A.astype("float32"), 2.0),
        sample(_A, 2.0, shape=(2, 2)),
    ],
)


def _range_size(args: Sequence[Atom]) -> Dim:
    if len(args) == 1 or (isinstance(args[0], Const) and args[0].value == 0 and len(args) == 2):
        return dim_of(args[-1])
    return Size()


def _arange_kind(args: Sequence[Atom], attrs: Any) -> Kind:
    kinds = [a.kind for a in args if not (isinstance(a, Const) and a.value is None)]
    nums = [k for k in kinds if isinstance(k, Num)]
    if len(nums) < len(kinds):
        raise KindError("arange needs numbers")
    if all(isinstance(a, Const) for a in args):
        exact = by_example(np.arange)(args, attrs)
        assert isinstance(exact, Kind)
        return exact
    dtype = attrs.get("dtype")
    if dtype is not None:
        name = dtype_name(dtype)
    else:
        name = np.result_type(*[np.dtype(k.dtype) for k in nums]).name
    ints = all(k.dtype[0] in "iu" for k in nums)
    return Array(name, (_range_size(args) if ints else Size(),))


def arange_vjp(b: Builder, g: Atom, out: Atom, start: Atom, *more: Atom) -> list[Any]:
    """``start + k * step``: the size is piecewise constant."""
    if not more or is_none(more[0]):
        return [None] * (1 + len(more))
    step = more[1] if len(more) > 1 else None
    k = b.op("np.arange", b.op("len", g))
    return [
        lambda: b.op("np.sum", g),
        None,
        *([lambda: b.op("np.sum", b.mul(g, k))] if step is not None else []),
    ]


def arange_jvp(b: Builder, dots: Sequence[Atom | None], out: Atom, *args: Atom, **o: Any) -> Any:
    if len(args) < 2 or is_none(args[1]):
        return None
    total = b.op("np.zeros_like", out)
    if dots[0] is not None:
        total = b.add(total, dots[0])
    if len(dots) > 2 and dots[2] is not None:
        total = b.add(total, b.mul(dots[2], b.op("np.arange", b.op("len", out))))
    return total


rule(
    np.arange,
    "start stop=None step=None",
    "dtype=None",
    kind=_arange_kind,
    vjp=arange_vjp,
    jvp=arange_jvp,
    samples=[
        sample(4),
        sample(1, 5),
        sample(0.5, 3.7, 0.6),
        sample(5, 0, -2),
    ],
)


# -- points between two ends ---------------------------------------------------------------------


def _steps(b: Builder, out: Atom, o: Mapping[str, Any]) -> Atom:
    """The weight of ``stop`` in each point, in a shape that broadcasts against them."""
    num, axis = o.get("num", 50), o.get("axis", 0) % max(rank(out), 1)
    below = max(num - 1, 1) if o.get("endpoint", True) else num
    t = b.op("div", b.op("np.arange", Const.of(num)), Const.of(float(max(below, 1))))
    after = rank(out) - 1 - axis
    return b.op("item", t, Const.of((slice(None), *[None] * after))) if after else t


def _ends(b: Builder, out: Atom, x: Atom, o: Mapping[str, Any]) -> Atom:
    """One end in a shape that broadcasts against the points."""
    after = rank(out) - 1 - o.get("axis", 0) % max(rank(out), 1)
    return b.op("np.expand_dims", x, axis=rank(x) - after) if rank(x) > after else x


def _back(b: Builder, out: Atom, bar: Atom, o: Mapping[str, Any]) -> Atom:
    """The cotangent of an end, summed over the points."""
    axis = o.get("axis", 0) % max(rank(out), 1)
    return b.op("np.sum", bar, axis=axis) if axis else bar


def _step_weight(o: Mapping[str, Any]) -> Const:
    """How the step that ``retstep`` asks for depends on the distance of the ends."""
    below = o.get("num", 50) - (1 if o.get("endpoint", True) else 0)
    return Const.of(1.0 / below if below else float("nan"))


def linspace_vjp(b: Builder, g: Any, out: Any, start: Atom, stop: Atom, **o: Any) -> list[Any]:
    step_bar = None
    if isinstance(out, tuple):
        (g, step_bar), (out, _) = g, out
    scaled = None if step_bar is None else b.mul(step_bar, _step_weight(o))

    def wrt(weight: Any, end: Atom | None) -> Atom | None:
        if g is None:
            return end
        bar = _back(b, out, b.mul(g, weight()), o)
        if end is None:
            return bar
        return b.add(conform(b, bar, start if weight is from_start else stop), end)

    def from_start() -> Atom:
        return b.sub(Const.of(1.0), _steps(b, out, o))

    def from_stop() -> Atom:
        return _steps(b, out, o)

    return [
        lambda: wrt(from_start, None if scaled is None else conform(b, b.neg(scaled), start)),
        lambda: wrt(from_stop, None if scaled is None else conform(b, scaled, stop)),
    ]


def linspace_jvp(b: Builder, dots: Any, out: Any, start: Atom, stop: Atom, **o: Any) -> Any:
    points = out[0] if isinstance(out, tuple) else out
    t = _steps(b, points, o)
    terms, steps = [], []
    if dots[0] is not None:
        terms.append(b.mul(b.sub(Const.of(1.0), t), _ends(b, points, dots[0], o)))
        steps.append(b.neg(b.mul(_step_weight(o), dots[0])))
    if dots[1] is not None:
        terms.append(b.mul(t, _ends(b, points, dots[1], o)))
        steps.append(b.mul(_step_weight(o), dots[1]))
    total = terms[0] if len(terms) == 1 else b.add(*terms)
    if not isinstance(out, tuple):
        return total
    return total, steps[0] if len(steps) == 1 else b.add(*steps)


def _linspace_kind(args: Sequence[Atom], attrs: Any) -> Any:
    found = by_example(np.linspace)(args, attrs)
    return found.items if isinstance(found, Tuple) else found


rule(
    np.linspace,
    "start stop",
    "num=50, endpoint=True, retstep=False, dtype=None, axis=0",
    kind=_linspace_kind,
    vjp=linspace_vjp,
    jvp=linspace_jvp,
    samples=[
        sample(0.5, 2.0, num=4),
        sample(0.5, 2.0, num=4, endpoint=False),
        sample(np.ones(3), 2.0, num=5),
        sample(0.5, 2.0, num=1),
        sample(np.ones(3), 2.0, num=4, axis=-1),
        sample(np.ones((2, 3)), np.arange(3.0), num=4, axis=1),
        sample(0.5, 2.0, num=4, retstep=True),
        sample(np.ones(3), 2.0, num=4, retstep=True, endpoint=False),
        sample(np.float32(0.5), np.float32(2.0), num=4),
    ],
)


def _logspace(b: Builder, start: Atom, stop: Atom, base: Any = None, **o: Any) -> Atom:
    o.pop("dtype", None)
    exponents = b.op("np.linspace", start, stop, **o)
    if given(base) is None:
        return b.op("np.power", Const.of(10.0), exponents)
    axis = o.get("axis", 0) % max(rank(exponents), 1)
    wide = b.op("np.expand_dims", base, axis=axis) if rank(base) else base
    return b.op("np.power", wide, exponents)


def _call_logspace(start: Any, stop: Any, base: Any = None, **o: Any) -> Any:
    return np.logspace(start, stop, base=10.0 if base is None else base, **o)


_vjp, _jvp = derived(_logspace)
rule(
    np.logspace,
    "start stop base=None",
    signature_of="start, stop, num=50, endpoint=True, base=None, dtype=None, axis=0",
    kind=by_example(_call_logspace),
    vjp=_vjp,
    jvp=_jvp,
    samples=[
        sample(0.5, 1.5, num=4),
        sample(0.5, 1.5, num=4, endpoint=False),
        sample(np.array([0.1, 0.2, 0.3]), 1.0, num=5),
        sample(0.5, 1.5, 2.0, num=4),
        sample(np.array([0.1, 0.2, 0.3]), 1.0, num=4, axis=-1),
    ],
)


def _shares(b: Builder, out: Atom, end: Atom, weight: Atom, o: Mapping[str, Any]) -> Atom:
    """``d out / d end`` of a geometric progression."""
    return b.div(b.mul(out, weight), _ends(b, out, end, o))


def geomspace_vjp(b: Builder, g: Atom, out: Atom, start: Atom, stop: Atom, **o: Any) -> list[Any]:
    """``start * (stop / start) ** t`` has the logarithmic derivatives 1 - t and t."""
    t = _steps(b, out, o)
    rest = b.sub(Const.of(1.0), t)
    return [
        lambda: _back(b, out, b.mul(g, _shares(b, out, start, rest, o)), o),
        lambda: _back(b, out, b.mul(g, _shares(b, out, stop, t, o)), o),
    ]


def geomspace_jvp(b: Builder, dots: Any, out: Atom, start: Atom, stop: Atom, **o: Any) -> Any:
    t = _steps(b, out, o)
    total: Any = None
    for dot, end, w in ((dots[0], start, b.sub(Const.of(1.0), t)), (dots[1], stop, t)):
        if dot is not None:
            term = b.mul(_shares(b, out, end, w, o), _ends(b, out, dot, o))
            total = term if total is None else b.add(total, term)
    return total


rule(
    np.geomspace,
    "start stop",
    "num=50, endpoint=True, dtype=None, axis=0",
    vjp=geomspace_vjp,
    jvp=geomspace_jvp,
    samples=[
        sample(0.5, 1.5, num=4),
        sample(-0.5, -1.5, num=4),
        sample(0.5, 1.5, num=4, endpoint=False),
        sample(np.array([0.1, 0.2, 0.3]), 1.0, num=5),
        sample(np.array([0.1, 0.2, 0.3]), 1.0, num=4, axis=1),
    ],
)
zero(np.eye, "N M=None", "k=0, dtype='float64', order='C'")
zero(np.identity, "n", "dtype='float64'")
zero(np.tri, "N M=None", "k=0, dtype='float64'")
