"""Batch rules of indexing: a ``:`` for the batch in front of every index.

In: operands of ``item``, ``setitem`` and ``accumulate``, whose indices are the same for the whole
batch. Out: the same on arrays with one more axis. Where index arrays are parted by slices NumPy
puts their axes first, in front of the batch, and they are moved back.

    item(g, i)                          ->   item(g, (:, i))
    accumulate(x_bar, i, g: float64[B]) ->   accumulate(x_bar: float64[B, n], (:, i), g)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..ir.kinds import SAVED, Array, FixedList, Kind, ListOf, Mixed, Num, Tuple
from ..ir.nodes import Atom, Const, Op, Value
from .batching import Batching, NoBatchRule, Operand, Results, batch_rule, lifted
from .batching_containers import element_form, joined
from .batching_forms import Each, batched_kind, expand, full_form, join_forms
from .indexkinds import advanced
from .indexkinds import item as item_kind

_ALL = slice(None)


def _behind_batch(t: Batching, i: Atom) -> Atom:
    """The index with a ``:`` in front."""
    if isinstance(i, Const):
        rest = i.value if isinstance(i.value, tuple) else (i.value,)
        return Const.of((_ALL, *rest))
    node = t.b.origin(i)
    parts: Sequence[Atom] = (i,)
    if node is not None and node.fn == "tuple":
        parts = node.args
    elif isinstance(i.kind, Tuple):
        parts = [t.b.op("item", i, Const.of(n)) for n in range(len(i.kind.items))]
    return t.b.op("tuple", Const.of(_ALL), *parts)


def _parted(i: Operand) -> int:
    """The number of axes that index arrays put in front of the batch."""
    found = advanced(i.atom)
    return found[0] if found is not None and found[1] else 0


@batch_rule("item")
def item(
    t: Batching, fn: str, xs: Sequence[Operand], attrs: Mapping[str, Any], out: Kind
) -> Results:
    """``x[i]`` of an array, or a part of a container."""
    x, i = xs
    if i.batched:
        raise NoBatchRule
    if not isinstance(x.kind, Num | Array | Mixed):
        if x.kind == SAVED:
            form = full_form(out)
            made = Value(batched_kind(out, form, t.dim))
            t.b.append(Op((made,), "item", (x.atom, i.atom), {}, t.b.span))
            return [(made, form)]
        form, whole = element_form(x, i)
        return [(t.b.op("item", t.conform(x, whole), i.atom), form)]
    if isinstance(out, Num) and x.rank == 0:
        return x.atom
    front = _parted(i)
    found = t.b.op("item", x.atom, _behind_batch(t, i.atom))
    return t.b.op("np.moveaxis", found, source=front, destination=0) if front else found


@batch_rule("setitem", "accumulate")
def setitem(
    t: Batching, fn: str, xs: Sequence[Operand], attrs: Mapping[str, Any], out: Kind
) -> Results:
    """``a[i] = v`` and ``a[i] += v``; the array gets the axis where the value has it."""
    a, i, v = xs
    if i.batched:
        raise NoBatchRule
    if not isinstance(a.kind, Num | Array | Mixed):
        return _set_in_list(t, fn, a, i, v)
    whole = t.conform(a, True)
    if a.rank == 0:
        raise NoBatchRule
    selected = item_kind((Const(None, a.kind), i.atom), {})
    if isinstance(selected, Array) and selected.rank is not None:
        rank = selected.rank
    elif isinstance(selected, Num):
        rank = 0
    else:
        raise NoBatchRule
    if isinstance(v.kind, Tuple | FixedList | ListOf) or v.rank > rank:
        raise NoBatchRule
    front = _parted(i)
    if front:
        wide = lifted(t, Operand(t.conform(v, True), v.kind, True), rank)
        value = t.b.op("np.moveaxis", wide, source=0, destination=front)
    else:
        value = lifted(t, v, rank)
    return t.b.op(fn, whole, _behind_batch(t, i.atom), value)


def _set_in_list(t: Batching, fn: str, a: Operand, i: Operand, v: Operand) -> Results:
    """An element of a list takes the form of what is put there."""
    form = expand(a.form, a.kind)
    if not isinstance(a.kind, FixedList | ListOf):
        if isinstance(form, tuple) and isinstance(i.atom, Const):
            keys = [k for k, _ in a.kind.items]  # type: ignore[attr-defined]
            at = keys.index(i.atom.value)
            new = v.form if fn == "setitem" else join_forms(form[at], v.form)
            parts = (*form[:at], new, *form[at + 1 :])
            return [(t.b.op(fn, t.conform(a, parts), i.atom, v.atom), parts)]
        raise NoBatchRule
    if isinstance(form, tuple) and isinstance(i.atom, Const) and isinstance(i.atom.value, int):
        at = i.atom.value % len(form)
        new = v.form if fn == "setitem" else join_forms(form[at], v.form)
        parts = (*form[:at], new, *form[at + 1 :])
        base = t.conform(a, parts) if fn == "accumulate" else a.atom
        return [(t.b.op(fn, base, i.atom, v.atom), parts)]
    if getattr(i.kind, "cls", None) is slice:
        return _set_slice_of_list(t, fn, a, i, v)
    if isinstance(form, Each):
        whole = join_forms(form, Each(v.form))
        assert isinstance(whole, Each)
        element = whole.form
    else:
        assert isinstance(form, tuple)
        element = join_forms(v.form, joined(form))
        whole = (element,) * len(form)
    value = t.conform(v, element) if fn == "setitem" else v.atom
    return [(t.b.op(fn, t.conform(a, whole), i.atom, value), whole)]


def _set_slice_of_list(t: Batching, fn: str, a: Operand, i: Operand, v: Operand) -> Results:
    """Part of a list replaced by, or added to, another list."""
    form, new = expand(a.form, a.kind), expand(v.form, v.kind)
    if not isinstance(a.kind, ListOf) or not isinstance(new, Each | tuple):
        raise NoBatchRule
    whole = join_forms(form, new if isinstance(new, Each) else Each(joined(new)))
    assert isinstance(whole, Each)
    value = t.conform(v, whole if isinstance(new, Each) else (whole.form,) * len(new))
    return [(t.b.op(fn, t.conform(a, whole), i.atom, value), whole)]


@batch_rule("np.take", options="axis")
def take(
    t: Batching, fn: str, xs: Sequence[Operand], attrs: Mapping[str, Any], out: Kind
) -> Results:
    """Elements by index arrays, along an axis or of the flattened array."""
    x, i = xs
    if i.batched:
        raise NoBatchRule
    axis = attrs.get("axis")
    if axis is not None:
        return t.b.op(fn, x.atom, i.atom, axis=axis % x.rank + 1)
    flat = x.atom
    if x.rank != 1:
        flat = t.b.op("np.reshape", flat, t.b.op("tuple", t.size(), Const.of(-1)))
    return t.b.op(fn, flat, i.atom, axis=1)


@batch_rule("np.take_along_axis", options="axis")
def take_along_axis(
    t: Batching, fn: str, xs: Sequence[Operand], attrs: Mapping[str, Any], out: Kind
) -> Results:
    """The index array is broadcast over the batch."""
    x, i = xs
    axis = attrs.get("axis", -1)
    if i.batched or axis is None or x.rank == 0:
        raise NoBatchRule
    index = t.b.op("item", i.atom, Const.of(None))
    return t.b.op(fn, x.atom, index, axis=axis % x.rank + 1)
