"""Batch rules: what a primitive becomes when some of its operands carry an extra axis in front.

In: the operands of one node, each with its logical kind and its form, and the pass that asks
(for a builder and the size of the batch). Out: the batched result. A rule that meets a case it
was not written for raises `NoBatchRule`, and the pass loops over the batch instead, which is
always right; so a rule says only what it can say well.

    mul(g: float64[B], x: float64[n])    ->   mul(item(g, (:, None)), x)
    np.sum(g: float64[B, n])             ->   np.sum(g, axis=1)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

import numpy as np

from ..ir.kinds import Array, Dim, FixedList, Kind, ListOf, Mixed, Num, Tuple
from ..ir.nodes import Atom, Const
from .batching_forms import Form, any_batched
from .registry import has_primitive, primitive

if TYPE_CHECKING:
    from ..ir.builder import Builder

__all__ = [
    "Batching",
    "NoBatchRule",
    "Operand",
    "Results",
    "batch_rule",
    "find_rule",
    "is_elementwise",
    "lifted",
    "shifted",
]


class NoBatchRule(Exception):
    """The rule does not cover this case: the pass loops over the batch."""


@dataclass(frozen=True, slots=True)
class Operand:
    """One operand: the atom it has become, the kind it had, and which parts are batched."""

    atom: Atom
    kind: Kind
    form: Form

    @property
    def batched(self) -> bool:
        return any_batched(self.form)

    @property
    def rank(self) -> int:
        """The number of axes without that of the batch; `NoBatchRule` where it is unknown."""
        match self.kind:
            case Num():
                return 0
            case Array() if self.kind.rank is not None:
                return self.kind.rank
        raise NoBatchRule


class Batching(Protocol):
    """What a rule may ask of the pass."""

    b: Builder
    dim: Dim

    def size(self) -> Atom:
        """The number of members of the batch."""

    def conform(self, x: Operand, form: Form) -> Atom:
        """The operand brought to a form."""


#: The results with their forms; a bare atom is one result, batched.
Results: TypeAlias = "Atom | Sequence[tuple[Atom, Form]]"
Rule: TypeAlias = Callable[[Batching, str, Sequence[Operand], Mapping[str, Any], Kind], Results]

_rules: dict[str, tuple[Rule, frozenset[str]]] = {}


def batch_rule(*names: str, options: str = "") -> Callable[[Rule], Rule]:
    """Enter a rule for primitives of these names; it is asked where only ``options`` are set."""
    allowed = frozenset(options.split())

    def enter(rule: Rule) -> Rule:
        for name in names:
            _rules[name] = rule, allowed
        return rule

    return enter


def find_rule(name: str, attrs: Mapping[str, Any]) -> Rule | None:
    """The batch rule of a primitive that knows these attributes, or None."""
    found = _rules.get(name)
    if found is None and is_elementwise(name):
        found = elementwise, _ELEMENTWISE_OPTIONS
    return found[0] if found is not None and found[1].issuperset(attrs) else None


# -- elementwise ---------------------------------------------------------------------------------

#: Elementwise, though they have no partials and are no ufuncs.
_ELEMENTWISE = frozenset(
    [
        "lt",
        "le",
        "gt",
        "ge",
        "eq",
        "ne",
        "bitand",
        "bitor",
        "bitxor",
        "invert",
        "pow",
        "floordiv",
        "mod",
        "cast",
        "astype",
        "copy",
        "np.copy",
        "copy_with_strides",
        "np.where",
        "np.clip",
        "np.abs",
        "np.conj",
        "np.real",
        "np.imag",
        "np.angle",
        "unless_zero",
        "np.float64",
        "np.float32",
        "np.complex128",
        "np.complex64",
        "np.round",
        "np.fix",
        "np.isclose",
        "np.nan_to_num",
        "np.power",
        "np.float_power",
        "np.ascontiguousarray",
        "np.real_if_close",
        "np.sinc",
        "zeros_like",
        "np.zeros_like",
        "np.ones_like",
        "np.empty_like",
    ]
)


_ELEMENTWISE_OPTIONS = frozenset(
    ["dtype", "copy", "like", "order", "decimals", "rtol", "atol", "equal_nan"]
)


def is_elementwise(name: str) -> bool:
    """Whether each element of the result depends on the elements that meet by broadcasting."""
    if name in _ELEMENTWISE:
        return True
    if not has_primitive(name) or name.startswith("math."):
        return False
    record = primitive(name)
    if isinstance(record.fun, np.ufunc):
        return record.fun.nout == 1 and record.fun.signature is None
    return record.partials is not None


def lifted(t: Batching, x: Operand, rank: int) -> Atom:
    """A batched operand with axes of size 1 put in, so that it lines up with ``rank`` axes."""
    if not x.batched or x.rank >= rank:
        return x.atom
    full = slice(None)
    index = (full, *[None] * (rank - x.rank), *[full] * x.rank)
    return t.b.op("item", x.atom, Const.of(index[: 1 + rank - x.rank]))


def elementwise(
    t: Batching, fn: str, xs: Sequence[Operand], attrs: Mapping[str, Any], out: Kind
) -> Results:
    """Broadcasting does it, once ranks are lined up."""
    if any(isinstance(x.kind, Tuple | FixedList | ListOf) for x in xs):
        if fn in ("copy", "zeros_like") and len(xs) == 1:
            return [(t.b.op(fn, xs[0].atom, **attrs), xs[0].form)]
        raise NoBatchRule
    rank = max(x.rank for x in xs if isinstance(x.kind, Num | Array | Mixed))
    if rank == 0 and fn == "np.copy":
        fn = "copy"
    return t.b.op(fn, *(lifted(t, x, rank) for x in xs), **attrs)


@batch_rule(
    "float", "complex", "to_item", "np.asarray", "np.array", "abs", options="dtype copy ndmin"
)
def scalar(
    t: Batching, fn: str, xs: Sequence[Operand], attrs: Mapping[str, Any], out: Kind
) -> Results:
    """Conversions of a number (or of an array of one element) to another."""
    x = xs[0]
    if len(xs) != 1:
        raise NoBatchRule
    if isinstance(x.kind, FixedList | Tuple | ListOf):
        return _array_of_list(t, fn, x, attrs)
    if fn == "abs":
        return t.b.op("np.abs", x.atom)
    if attrs.get("ndmin"):
        raise NoBatchRule
    if x.rank and isinstance(out, Num):
        return t.b.op("np.reshape", x.atom, t.b.op("tuple", t.size()))
    if fn == "np.array" and x.rank:
        return t.b.op(fn, x.atom, **attrs)
    return x.atom


def _array_of_list(t: Batching, fn: str, x: Operand, attrs: Mapping[str, Any]) -> Results:
    """A list of numbers or arrays: the axis of the list comes after that of the batch."""
    if fn not in ("np.asarray", "np.array") or attrs.get("ndmin"):
        raise NoBatchRule
    elements: tuple[Kind | None, ...] = ()
    if isinstance(x.kind, FixedList | Tuple):
        elements = x.kind.items
    elif isinstance(x.kind, ListOf):
        elements = (x.kind.elem,)
    if not elements or not all(isinstance(k, Num | Array) for k in elements):
        raise NoBatchRule
    whole = t.conform(x, _all_true(x.kind))
    return t.b.op("np.stack", whole, axis=1)


def _all_true(kind: Kind) -> Form:
    from .batching_forms import Each

    return Each(True) if isinstance(kind, ListOf) else (True,) * len(kind.items)  # type: ignore[attr-defined]


# -- reductions and others along an axis ----------------------------------------------------------

_REDUCTIONS = [
    "np.sum",
    "np.mean",
    "np.var",
    "np.std",
    "np.max",
    "np.min",
    "np.ptp",
    "np.any",
    "np.all",
    "np.prod",
    "np.nansum",
    "np.nanmean",
    "np.nanmax",
    "np.nanmin",
    "np.median",
    "np.quantile",
    "np.percentile",
    "np.count_nonzero",
]


def shifted(axis: Any, rank: int) -> Any:
    """Axes of an array of that rank, counted with the axis of the batch in front.

    >>> shifted(0, 2), shifted(-1, 2), shifted((0, -1), 3)
    (1, 2, (1, 3))
    """
    if isinstance(axis, tuple | list):
        return tuple(shifted(a, rank) for a in axis)
    return int(axis) % rank + 1 if rank else int(axis) + 1


@batch_rule(*_REDUCTIONS, options="axis keepdims ddof correction initial q")
def reduction(
    t: Batching, fn: str, xs: Sequence[Operand], attrs: Mapping[str, Any], out: Kind
) -> Results:
    """All axes but the batch's, or the given ones."""
    x = xs[0]
    if len(xs) != 1:
        raise NoBatchRule
    axis, rank = attrs.get("axis"), x.rank
    if np.ndim(attrs.get("q", 0)):
        raise NoBatchRule
    if rank == 0:
        if fn in ("np.sum", "np.mean", "np.max", "np.min", "np.prod", "np.median") and not (
            set(attrs) - {"keepdims", "axis"}
        ):
            return x.atom
        raise NoBatchRule
    if axis is None:
        axes: Any = 1 if rank == 1 else tuple(range(1, rank + 1))
    else:
        axes = shifted(axis, rank)
    return t.b.op(fn, x.atom, **{**attrs, "axis": axes})


#: Functions along one axis, with its default; None: of the flattened array.
_ALONG: dict[str, int | None] = {
    "np.cumsum": None,
    "np.cumprod": None,
    "np.sort": -1,
    "np.diff": -1,
    "undiff": -1,
    "np.trapezoid": -1,
    "np.argmax": None,
    "np.argmin": None,
    "np.argsort": -1,
    "np.fft.fft": -1,
    "np.fft.ifft": -1,
    "np.fft.rfft": -1,
    "np.fft.irfft": -1,
}


@batch_rule(*_ALONG, options="axis n dx norm")
def along(
    t: Batching, fn: str, xs: Sequence[Operand], attrs: Mapping[str, Any], out: Kind
) -> Results:
    """The axis moves by one; a function of the flattened array flattens all but the batch."""
    x = xs[0]
    if (
        x.rank == 0
        or any(y.batched for y in xs[1:])
        or any(isinstance(y.kind, Array) and y.rank > 1 for y in xs[1:])
    ):
        raise NoBatchRule
    axis = attrs.get("axis", _ALONG[fn])
    atom = x.atom
    if axis is None:
        if x.rank != 1:
            atom = t.b.op("np.reshape", atom, t.b.op("tuple", t.size(), Const.of(-1)))
        axis = 0 if x.rank <= 1 else None
        place = 1
    else:
        place = shifted(axis, x.rank)
    return t.b.op(fn, atom, *(y.atom for y in xs[1:]), **{**attrs, "axis": place})


# -- what does not depend on the batch -----------------------------------------------------------


@batch_rule("len", "shape", "np.size", "np.ndim", "np.iscomplexobj", "is", "is_not", "dtype")
def about(
    t: Batching, fn: str, xs: Sequence[Operand], attrs: Mapping[str, Any], out: Kind
) -> Results:
    """Sizes and identities are those of one member."""
    x, b = xs[0], t.b
    if isinstance(x.kind, Array):
        if fn in ("len", "shape"):
            sizes = b.op("shape", x.atom)
            at = Const.of(1) if fn == "len" else Const.of(slice(1, None))
            return [(b.op("item", sizes, at), False)]
        if fn == "np.size":
            return [(b.op("np.size", b.op("item", x.atom, Const.of(0))), False)]
        if fn == "np.ndim":
            return [(Const.of(x.rank), False)]
    elif isinstance(x.kind, Num) and fn in ("shape", "np.size", "np.ndim", "len"):
        if fn == "shape":
            return [(Const.of(()), False)]
        return [(Const.of(int(fn == "np.size")), False)]
    elif fn not in ("is", "is_not") and not (fn == "len" and not isinstance(x.kind, Mixed)):
        # of unknown rank, or a list whose elements have the axis
        one = b.op("item", x.atom, Const.of(0)) if isinstance(x.kind, Mixed) else None
        if one is None:
            raise NoBatchRule
        return [(b.op(fn, one, **attrs), False)]
    return [(b.op(fn, *(y.atom for y in xs), **attrs), False)]


@batch_rule("typed_like")
def typed_like(
    t: Batching, fn: str, xs: Sequence[Operand], attrs: Mapping[str, Any], out: Kind
) -> Results:
    """Numbers of a batch are arrays already."""
    return [(xs[0].atom, xs[0].form)]
