"""Functions whose result is made of elements of their operands: resize, delete, insert, choose ...

In: nothing. Out: records in the registry. The same function applied to the places 0, 1, 2, ...
tells where each element came from; there its cotangent is added.

    np.delete(x, 1):   x_bar[np.delete(np.arange(x.size), 1)] = g
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..ir.kinds import Array, Kind, Num, Size
from ..ir.nodes import Atom, Const
from . import gather_helpers as helpers
from .declare import rule, sample
from .examplekinds import by_example
from .kindrules import as_array
from .linear import rank
from .registry import KindError

if TYPE_CHECKING:
    from ..ir.builder import Builder

_A = np.array([[3.0, 1.0, 2.0], [0.5, 2.5, 1.5]])
_V = np.array([3.0, 1.0, 2.0, 0.5])


def places_of(b: Builder, a: Atom) -> Atom:
    """0, 1, 2, ... in the shape of ``a``."""
    count = b.op("np.arange", b.op("np.size", a))
    return count if rank(a) == 1 else b.op("np.reshape", count, b.op("shape", a))


def scattered(b: Builder, a: Atom, places: Atom, g: Atom) -> Atom:
    """Zeros of the shape of ``a`` with ``g`` added at places of the flattened array."""
    if isinstance(a.kind, Num):
        return b.op("np.sum", g)
    zeros = b.op("zeros_like", a)
    if rank(a) == 1:
        return b.op("accumulate", zeros, places, g)
    flat = b.op("accumulate", b.op("np.ravel", zeros), places, g)
    return b.op("np.reshape", flat, b.op("shape", a))


def moved(fn: str, at: int = 0) -> Callable[..., list[Any]]:
    """The vjp of ``fn``, which copies elements of its operand number ``at``."""

    def vjp(b: Builder, g: Atom, out: Atom, *operands: Atom, **o: Any) -> list[Any]:
        a = operands[at]
        if isinstance(a.kind, Num):
            return [None] * at + [b.op("np.sum", g)]
        rest = [*operands[:at], places_of(b, a), *operands[at + 1 :]]
        return [None] * at + [lambda: scattered(b, a, b.op(fn, *rest, **o), g)]

    return vjp


def _loose(fun: Callable[..., Any]) -> Callable[..., Kind]:
    """The rank and dtype of the result; sizes depend on values."""
    exact = by_example(fun, shapes_only=False)

    def kind(args: Sequence[Atom], attrs: Any) -> Kind:
        found = exact(args, attrs)
        assert isinstance(found, Kind)
        return found

    return kind


def _of_rank(at: int = 0, flat: bool = False) -> Callable[..., Kind]:
    """An array of the rank of an operand, or a vector; nothing is known of its sizes."""

    def kind(args: Sequence[Atom], attrs: Any) -> Kind:
        k = as_array(args[at].kind)
        n = rank(args[at])
        vector = flat or attrs.get("axis") is None or n == 0
        return Array(k.dtype, (Size(),) * (1 if vector else n))

    return kind


rule(
    np.resize,
    "a new_shape",
    kind=by_example(np.resize),
    vjp=moved("np.resize"),
    jvp="linear",
    samples=[
        sample(_V, 6),
        sample(_V, 2),
        sample(_A, (3, 3)),
        sample(_A, (2, 2)),
        sample(_A.astype("float32"), 7),
        sample(2.0, 3),
    ],
)
rule(
    np.delete,
    "arr obj",
    "axis=None",
    kind=_of_rank(),
    vjp=moved("np.delete"),
    jvp="linear",
    samples=[
        sample(_V, 1),
        sample(_V, -1),
        sample(_V, [0, 2]),
        sample(_V, slice(1, 3)),
        sample(_V, np.array([True, False, False, True])),
        sample(_A, 1, axis=1),
        sample(_A, [0, 2], axis=-1),
        sample(_A, 3),
        sample(_V.astype("float32"), 0),
    ],
)
rule(
    np.compress,
    "condition a",
    "axis=None, out=None",
    kind=_of_rank(1),
    vjp=moved("np.compress", 1),
    jvp="linear",
    samples=[
        sample([True, False, True, True], _V),
        sample(np.array([False, True]), _A, axis=0),
        sample([True, False, True], _A, axis=1),
        sample([True, False, True], _A),
        sample(np.array([False, False]), _V),
    ],
)
rule(
    np.extract,
    "condition arr",
    kind=_of_rank(1, flat=True),
    vjp=moved("np.extract", 1),
    jvp="linear",
    samples=[sample(_V > 0.7, _V), sample(_A > 1.2, _A), sample([True, False, True, True], _V)],
)

# -- insert --------------------------------------------------------------------------------------


def insert_vjp(
    b: Builder, g: Atom, out: Atom, arr: Atom, obj: Atom, values: Atom, **o: Any
) -> list[Any]:
    """Which elements came from where: the same insertion among places, and places among it."""

    def wrt_arr() -> Atom:
        new: Atom = Const.of(-1)
        if not isinstance(values.kind, Num):
            new = b.op("np.full", b.op("shape", values), new)
        places = b.op("np.insert", places_of(b, arr), obj, new, **o)
        old = b.op("ge", places, Const.of(0))
        return scattered(b, arr, b.op("item", places, old), b.op("item", g, old))

    def wrt_values() -> Atom:
        if isinstance(values.kind, Num):
            none = b.op("np.zeros", b.op("shape", arr), dtype="bool")
            new = b.op("np.insert", none, obj, Const.of(True), **o)
            return b.op("np.sum", b.op("item", g, new))
        none = b.op("np.full", b.op("shape", arr), Const.of(-1))
        places = b.op("np.insert", none, obj, places_of(b, values), **o)
        new = b.op("ge", places, Const.of(0))
        return scattered(b, values, b.op("item", places, new), b.op("item", g, new))

    return [wrt_arr, None, wrt_values]


def insert_jvp(
    b: Builder, dots: Any, out: Atom, arr: Atom, obj: Atom, values: Atom, **o: Any
) -> Atom:
    base = dots[0] if dots[0] is not None else b.op("zeros_like", arr)
    new = dots[2]
    if new is None:
        new = Const.of(0.0) if isinstance(values.kind, Num) else b.op("np.zeros_like", values)
    return b.op("np.insert", base, obj, new, **o)


rule(
    np.insert,
    "arr obj values",
    "axis=None",
    kind=_of_rank(),
    vjp=insert_vjp,
    jvp=insert_jvp,
    samples=[
        sample(_V, 1, 2.5),
        sample(_V, -1, 2.5),
        sample(_V, 2, np.array([0.5, 1.5])),
        sample(_V, [1, 3], np.array([0.5, 1.5])),
        sample(_V, [3, 1], np.array([0.5, 1.5])),
        sample(_V, slice(0, 2), 1.5),
        sample(_A, 1, np.array([0.5, 1.5, 2.5]), axis=0),
        sample(_A, 1, 0.5, axis=1),
        sample(_A, 1, 0.5),
        sample(_A, [0, 2], _A[:, :2] * 2.0, axis=1),
        sample(_V.astype("float32"), 1, np.float32(2.5)),
    ],
)

# -- order ---------------------------------------------------------------------------------------


def _matched(b: Builder, out: Atom, a: Atom, axis: Any) -> Atom:
    return b.op("matching_places", out, a, **({} if axis == -1 else {"axis": axis}))


def partition_vjp(b: Builder, g: Atom, out: Atom, a: Atom, kth: Atom, **o: Any) -> list[Any]:
    axis = o.get("axis", -1)
    if axis is None:
        return [scattered(b, a, _matched(b, out, b.op("np.ravel", a), -1), g), None]
    return [b.op("scatter_along", g, _matched(b, out, a, axis), a, axis=axis), None]


def partition_jvp(b: Builder, dots: Any, out: Atom, a: Atom, kth: Atom, **o: Any) -> Atom:
    axis, t = o.get("axis", -1), dots[0]
    if axis is None:
        t, a, axis = b.op("np.ravel", t), b.op("np.ravel", a), -1
    return b.op("np.take_along_axis", t, _matched(b, out, a, axis), axis=axis)


rule(
    np.partition,
    "a kth",
    "axis=-1, kind='introselect'",
    vjp=partition_vjp,
    jvp=partition_jvp,
    kind=lambda args, attrs: by_example(np.sort)(
        args[:1], {"axis": attrs["axis"]} if "axis" in attrs else {}
    ),
    samples=[
        sample(_V, 2),
        sample(_A, 1),
        sample(_A, 1, axis=0),
        sample(_A, 3, axis=None),
        sample(_V, [0, 2]),
        sample(_V.astype("float32"), 1),
    ],
)
rule(
    helpers.matching_places,
    "out_ a",
    "axis=-1",
    name="matching_places",
    kind=lambda args, attrs: by_example(np.argsort)(args[:1], attrs),
    zero=True,
)

# -- choose --------------------------------------------------------------------------------------


def _chosen_by(b: Builder, a: Atom, count: int, mode: str) -> Callable[[int], Atom]:
    """Where each choice was made."""
    if mode == "wrap":
        a = b.op("mod", a, Const.of(count))
    elif mode == "clip":
        a = b.op("np.clip", a, Const.of(0), Const.of(count - 1))
    return lambda n: b.op("eq", a, Const.of(n))


def choose_vjp(
    b: Builder, g: Atom, out: Atom, a: Atom, choices: Atom, mode: str = "raise", **o: Any
) -> list[Any]:
    from ..ir.kinds import FixedList, Tuple
    from .apply import conform

    zero = Const.of(0.0)
    a = b.op("np.asarray", a) if not isinstance(a.kind, Array | Num) else a
    if isinstance(choices.kind, Tuple | FixedList):
        count = len(choices.kind.items)
        here = _chosen_by(b, a, count, mode)
        bars = [
            conform(b, b.op("np.where", here(n), g, zero), b.op("item", choices, Const.of(n)))
            for n in range(count)
        ]
        return [None, b.op("tuple" if isinstance(choices.kind, Tuple) else "list", *bars)]
    if mode != "raise" or not isinstance(choices.kind, Array) or rank(choices) - 1 != rank(a):
        raise KindError("np.choose has a derivative for lists and tuples of choices")
    index = b.op("tuple", a, *[b.op("open_grid", a, axis=k) for k in range(rank(a))])
    return [None, b.op("accumulate", b.op("zeros_like", choices), index, g)]


rule(
    np.choose,
    "a choices",
    "out=None, mode='raise'",
    vjp=choose_vjp,
    jvp="linear",
    kind=lambda args, attrs: by_example(helpers.chosen)(args, {}),
    samples=[
        sample(np.array([0, 1, 1, 0]), [_V, _V * 2.0]),
        sample(np.array([0, 2, 1, 0]), (_V, 1.5, np.float64(2.0)), mode="clip"),
        sample(np.array([0, 3, -1, 0]), (_V, _V * 2.0), mode="wrap"),
        sample(np.array([[0], [1]]), (_A, _A[0])),
        sample(np.array([0, 1, 1]), _A),
    ],
)
rule(
    helpers.open_grid,
    "a",
    "axis",
    name="open_grid",
    kind=by_example(helpers.open_grid),
    zero=True,
)

# -- blocks --------------------------------------------------------------------------------------

rule(
    np.block,
    "arrays",
    vjp="unblock(g, arrays)",
    jvp="linear",
    samples=[
        sample([_V, _V * 2.0]),
        sample([[_A, _A], [_A * 2.0, _A]]),
        sample([[1.0, 2.0], [3.0, 4.0]]),
        sample([_A, np.ones((2, 1))]),
        sample([[_A], [np.ones(3)]]),
        sample(_A),
    ],
)
rule(
    helpers.unblock,
    "v arrays",
    name="unblock",
    kind=lambda args, attrs: args[1].kind,
    vjp=("block(g)", None),
    jvp=("unblock(v_dot, arrays)", None),
    samples=[sample(_V, [1.0, 2.0, np.ones(2)])],
)
