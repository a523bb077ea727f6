"""Applying rules: cotangents and tangents of one primitive, conformed to their operands.

In: a builder, the name of a primitive, its operands, result and the cotangent of the result.
Out: one cotangent per operand. This is the one place that undoes broadcasting, keeps dtypes and
takes real parts, for the adjoint, for the tape and for the checker of rules alike.

    cotangents(b, "mul", {}, (x, y), out, g, {0})   ->   (mul(g, y), None)
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from ..ir.facts import same_shape, shape_root
from ..ir.kinds import (
    Array,
    Dim,
    FixedList,
    Kind,
    ListOf,
    Mixed,
    Num,
    Opaque,
    Tuple,
    carries_derivative,
    same_dim,
)
from ..ir.kinds import not_one as dim_not_one
from ..ir.nodes import Atom, Const, Value
from .registry import KindError, Primitive, primitive
from .text import build_text, mentions

if TYPE_CHECKING:
    from ..ir.builder import Builder

#: The result, or the results, of a primitive; and their cotangents, None where they have none.
Out: TypeAlias = "Atom | tuple[Atom, ...]"
Cotangent: TypeAlias = "Atom | tuple[Atom | None, ...]"


class MissingRule(KindError):
    """The primitive has no derivative."""


def cotangents(
    builder: Builder,
    op_name: str,
    attrs: Mapping[str, Any],
    operands: Sequence[Atom],
    out: Out,
    g: Cotangent,
    wanted: Collection[int] | None = None,
    *,
    uniform: bool = False,
    masked: bool = False,
) -> tuple[Atom | None, ...]:
    """One cotangent per operand, of its shape and dtype; None where it is zero or not wanted.

    ``out`` and ``g`` are tuples for a primitive with several results. ``uniform`` tells that
    ``g`` is a scalar that stands for an array of equal elements, and that cotangents may do the
    same. ``masked`` tells that ``g`` is 0 at elements nobody selected, where operands may be nan:
    they contribute nothing there. Raises MissingRule where the primitive is active and has no
    derivative.
    """
    prim = primitive(op_name)
    count = len(operands)
    chosen = [
        (wanted is None or n in wanted) and carries_derivative(a.kind)
        for n, a in enumerate(operands)
    ]
    if prim.zero or not any(chosen):
        return (None,) * count
    with _Naming(prim):
        arrays = as_arrays(builder, prim, operands)
        raw = _raw_cotangents(builder, prim, attrs, arrays, out, g, chosen)
        found = [*raw[:count], *[None] * (count - len(raw))]
        if masked and not isinstance(g, tuple) and _may_spoil(prim, operands):
            found = [None if c is None else builder.op("unless_zero", g, c) for c in found]
        return tuple(
            None
            if c is None or not chosen[n]
            else c
            if uniform and isinstance(c.kind, Num)
            else conform(builder, c, operands[n], fresh=c is not g)
            for n, c in enumerate(found)
        )


#: Operands that NumPy takes for arrays whatever they are; those of other names are sequences.
_ARRAYS = frozenset(
    {
        *("a", "b", "x", "y", "z", "m", "v", "p", "f", "k", "q", "A", "X", "arr", "ar", "ary"),
        *("array", "values", "condition", "a_min", "a_max", "weights", "xp", "fp", "x1", "x2"),
        *("initial", "indices", "obj", "to_begin", "to_end", "prepend", "append", "start"),
        *("stop", "a1", "a2", "bins", "seq_of_zeros"),
    }
)


def as_arrays(
    builder: Builder, prim: Primitive, operands: Sequence[Atom], start: int = 0
) -> Sequence[Atom]:
    """The operands of a function of NumPy, lists of numbers among them as arrays."""
    if not prim.name.startswith(("np.", "scipy.")) or not any(
        isinstance(a.kind, Tuple | FixedList | ListOf) for a in operands
    ):
        return operands
    names = prim.operands
    return [
        builder.op("np.asarray", a)
        if isinstance(a.kind, Tuple | FixedList | ListOf)
        and (names[min(n, len(names) - 1)] in _ARRAYS or prim.name.startswith("scipy.stats."))
        else a
        for n, a in enumerate(operands, start)
    ]


class _Naming:
    """Adds the name of the primitive to errors raised while its rule is applied."""

    def __init__(self, prim: Primitive) -> None:
        self.name = prim.name

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        if isinstance(error, KindError):
            error.add_note(f"in the derivative of {self.name}")


def _raw_cotangents(
    b: Builder,
    prim: Primitive,
    attrs: Mapping[str, Any],
    operands: Sequence[Atom],
    out: Out,
    g: Cotangent,
    chosen: Sequence[bool],
) -> list[Atom | None]:
    family = prim.name.partition(".")[0]
    if prim.partials is not None and prim.vjp is None:
        assert not isinstance(out, tuple)
        assert not isinstance(g, tuple)
        names = _names(prim, operands, attrs, out)
        return [
            _seeded(b, text, names, g, family) if want and text is not None else None
            for text, want in zip(_per_operand(prim.partials, operands), chosen, strict=True)
        ]
    if prim.vjp is None:
        raise MissingRule(f"{prim.name} has no derivative")
    if isinstance(prim.vjp, tuple):
        names = {**_names(prim, operands, attrs, out), "g": g}
        return [
            build_text(b, text, names, family) if want and text is not None else None
            for text, want in zip(_per_operand(prim.vjp, operands), chosen, strict=True)
        ]
    found = prim.vjp(b, g, out, *operands, **attrs)
    return [
        c() if callable(c) and want else c if want else None
        for c, want in zip(found, chosen, strict=False)
    ]


def _may_spoil(prim: Primitive, operands: Sequence[Atom]) -> bool:
    """Whether a zero cotangent could become nan: the partials are not all constants."""
    if prim.name in ("add", "sub", "neg", "pos", "np.add", "np.subtract", "np.negative"):
        return False
    if prim.partials is not None and all(t is None or "ratio(" in t for t in prim.partials):
        return False
    elementwise = prim.partials is not None or prim.name in ("mul", "div", "pow")
    if prim.name in ("mul", "div", "np.multiply", "np.divide"):
        return not all(isinstance(a, Const) for a in operands[1:]) and not (
            prim.name in ("mul", "np.multiply") and isinstance(operands[0], Const)
        )
    return elementwise


def _per_operand(texts: Sequence[str | None], operands: Sequence[Atom]) -> list[str | None]:
    """Operands left out at the end of a call have no text to be evaluated."""
    return list(texts[: len(operands)]) + [None] * (len(operands) - len(texts))


def _names(
    prim: Primitive, operands: Sequence[Atom], attrs: Mapping[str, Any], out: Out
) -> dict[str, Any]:
    names: dict[str, Any] = {**prim.defaults, **attrs, "out": out}
    names.update(zip(prim.operands, operands, strict=False))
    return names


def _seeded(b: Builder, text: str, names: dict[str, Any], g: Atom, family: str) -> Atom:
    """``g`` times the partial, or the text itself where it mentions g."""
    if text == "1":
        return g
    if mentions(text, "g"):
        return build_text(b, text, {**names, "g": g}, family)
    return b.op("mul", g, build_text(b, text, names, family))


# -- forward -------------------------------------------------------------------------------------


def tangent(
    builder: Builder,
    op_name: str,
    attrs: Mapping[str, Any],
    operands: Sequence[Atom],
    out: Out,
    tangents: Sequence[Atom | None],
) -> Any:
    """The tangent of the result (a tuple for several results); None where it is zero.

    ``tangents`` holds one tangent per operand, of its shape and dtype, None where it is zero.
    """
    prim = primitive(op_name)
    if prim.zero or all(t is None for t in tangents):
        return None
    with _Naming(prim):
        dots = [
            None if t is None else as_arrays(builder, prim, (t,), n)[0]
            for n, t in enumerate(tangents)
        ]
        operands = as_arrays(builder, prim, operands)
        raw = _raw_tangent(builder, prim, attrs, operands, out, dots)
        if isinstance(out, tuple):
            return tuple(
                None if t is None else spread(builder, t, o) for t, o in zip(raw, out, strict=True)
            )
        return None if raw is None else spread(builder, raw, out)


def _raw_tangent(
    b: Builder,
    prim: Primitive,
    attrs: Mapping[str, Any],
    operands: Sequence[Atom],
    out: Out,
    tangents: Sequence[Atom | None],
) -> Any:
    family = prim.name.partition(".")[0]
    names = _names(prim, operands, attrs, out)
    if prim.partials is not None and prim.jvp is None:
        texts = _per_operand(prim.partials, operands)
        return _sum(
            b,
            [
                _seeded(b, text, names, t, family)
                for text, t in zip(texts, tangents, strict=True)
                if text is not None and t is not None
            ],
        )
    jvp = prim.jvp
    if jvp is None:
        raise MissingRule(f"{prim.name} has no derivative")
    if jvp == "linear":
        dots = [
            b.op("zeros_like", x) if t is None and carries_derivative(x.kind) else t or x
            for x, t in zip(operands, tangents, strict=True)
        ]
        many = isinstance(out, tuple)
        return b.ops(prim.name, *dots, **attrs) if many else b.op(prim.name, *dots, **attrs)
    if isinstance(jvp, tuple):
        terms = []
        for n, (text, t) in enumerate(zip(_per_operand(jvp, operands), tangents, strict=True)):
            if text is not None and t is not None:
                here = {**names, f"{prim.operands[n]}_dot": t}
                terms.append(build_text(b, text, here, family))
        return _sum(b, terms)
    if not isinstance(jvp, str):
        return jvp(b, tuple(tangents), out, *operands, **attrs)
    full = [
        b.op("zeros_like", x) if t is None and carries_derivative(x.kind) else t
        for x, t in zip(operands, tangents, strict=True)
    ]
    names.update({f"{n}_dot": t for n, t in zip(prim.operands, full, strict=False)})
    return build_text(b, jvp, names, family)


def _sum(b: Builder, terms: Sequence[Atom]) -> Atom | None:
    if not terms:
        return None
    total = terms[0]
    for t in terms[1:]:
        total = b.op("add", total, t)
    return total


# -- conforming ----------------------------------------------------------------------------------


def conform(builder: Builder, g: Atom, x: Atom, *, fresh: bool = False) -> Atom:
    """The cotangent ``g`` in the shape and dtype of the operand ``x``.

    ``fresh`` tells that nothing else needs ``g``: a product that is summed is then never made.
    """
    if isinstance(x.kind, Tuple | FixedList | ListOf) and isinstance(g.kind, Array):
        return builder.op("unstack", g, x)
    if not isinstance(x.kind, Num | Array | Mixed) or not isinstance(g.kind, Num | Array | Mixed):
        return g
    return _same_dtype(builder, _narrowed(builder, g, x, fresh), x.kind)


def spread(builder: Builder, t: Atom, out: Atom) -> Atom:
    """The tangent ``t`` in the shape and dtype of the result ``out``."""
    if not isinstance(out.kind, Num | Array | Mixed) or not isinstance(
        t.kind, Num | Array | Mixed
    ):
        return t
    if isinstance(out.kind, Num):
        if isinstance(t.kind, Array) and t.kind.dims == ():
            t = builder.op("item", t, Const.of(()))
    elif isinstance(out.kind, Array) and out.kind.dims == () and isinstance(t.kind, Num):
        t = builder.op("np.asarray", t)
    elif not _proved_as_wide(t.kind, out.kind):
        t = spread_like(builder, t, out)
    return _same_dtype(builder, t, out.kind)


def spread_like(builder: Builder, g: Atom, x: Atom) -> Atom:
    """``g`` broadcast to the shape of ``x``; a new array where g is a scalar."""
    if isinstance(x.kind, Array) and x.kind.dims != ():
        if isinstance(g.kind, Num) and (g.kind.weak or g.kind.dtype == x.kind.dtype):
            return builder.op("np.full_like", x, g)
        return builder.op("broadcast_like", g, x)
    return g if isinstance(x.kind, Num) else builder.op("broadcast_like", g, x)


def _proved_as_wide(t: Kind, out: Kind) -> bool:
    if not isinstance(t, Array) or not isinstance(out, Array):
        return isinstance(out, Array) and out.dims == ()
    if t.dims is None or out.dims is None or len(t.dims) != len(out.dims):
        return False
    return all(same_dim(a, b) or dim_not_one(a) for a, b in zip(t.dims, out.dims, strict=True))


def _narrowed(b: Builder, g: Atom, x: Atom, fresh: bool) -> Atom:
    wide, narrow = _dims(g.kind), _dims(x.kind)
    if isinstance(x.kind, Array) and isinstance(g.kind, Array) and same_shape(b, g, x):
        return g
    if wide is None or narrow is None or len(wide) < len(narrow):
        return b.op("unbroadcast", g, _in_shape(b, x))
    if wide == ():
        scalar = isinstance(x.kind, Num) and isinstance(g.kind, Array)
        return b.op("item", g, Const.of(())) if scalar else g
    if narrow == ():
        return _total(b, g) if fresh else b.op("np.sum", g)
    lead = len(wide) - len(narrow)
    inner = wide[lead:]
    if not all(
        m == 1 or dim_not_one(m) or same_dim(n, m) for n, m in zip(inner, narrow, strict=True)
    ):
        return b.op("unbroadcast", g, _in_shape(b, x))
    keep = [n for n, m in enumerate(narrow) if m == 1 and inner[n] != 1]
    if lead:
        axes = tuple(range(lead))
        g = b.op("np.sum", g, axis=axes[0] if lead == 1 else axes)
    if keep:
        g = b.op("np.sum", g, axis=keep[0] if len(keep) == 1 else tuple(keep), keepdims=True)
    return g


def _in_shape(b: Builder, x: Atom) -> Atom:
    """A value of the shape of ``x`` that costs no more to have at hand.

    That of a part of an array is the same part of any array of that shape.
    """
    root = shape_root(b, x)
    if not isinstance(root, Value):
        return root
    node = b.origin(root)
    if node is not None and node.fn == "item" and _is_part(*node.args):
        base, index = node.args
        whole = _in_shape(b, base)
        if whole is not base:
            return b.op("item", whole, index)
    return b.cheaper(root)


def _is_part(base: Atom, index: Atom) -> bool:
    """Whether an array is indexed by numbers and slices alone."""
    kinds = index.kind.items if isinstance(index.kind, Tuple) else (index.kind,)
    plain = all(k.dtype[0] in "iu" if isinstance(k, Num) else isinstance(k, Opaque) for k in kinds)
    return plain and isinstance(base.kind, Array)


def _total(b: Builder, g: Atom) -> Atom:
    """The sum of all elements; of a product of two arrays, their inner product."""
    if (node := b.defined_by(g, "neg")) is not None:
        return b.op("neg", _total(b, node.args[0]))
    if (node := b.defined_by(g, "mul")) is not None:
        x, y = node.args
        if isinstance(x, Const) and isinstance(x.kind, Num) and isinstance(y.kind, Array):
            return b.op("mul", x, _total(b, y))
        if _real_pair(x.kind, y.kind) and same_shape(b, x, y):
            return b.op("np.vdot", x, y)
    return b.op("np.sum", g)


def _real_pair(x: Kind, y: Kind) -> bool:
    if not isinstance(x, Array) or not isinstance(y, Array):
        return False
    return x.dtype == y.dtype and x.dtype in ("float64", "float32")


def _dims(k: Kind) -> tuple[Dim, ...] | None:
    return () if isinstance(k, Num) else k.dims if isinstance(k, Array) else None


def _same_dtype(b: Builder, g: Atom, want: Num | Array | Mixed) -> Atom:
    """Real where ``want`` is real, and of its dtype where both dtypes are certain."""
    have = g.kind
    assert isinstance(have, Num | Array | Mixed)
    if have.dtype[0] == "c" and want.dtype[0] != "c":
        g = b.op("np.real", g)
        have = g.kind
        assert isinstance(have, Num | Array | Mixed)
    certain = not (isinstance(want, Num) and want.weak is not False)
    weak = isinstance(have, Num) and have.weak
    if not certain or weak or have.dtype == want.dtype or want.dtype[0] not in "fc":
        return g
    return b.op("cast", g, like=want.dtype)
