"""Batch rules of containers: lists, tuples, dicts and records hold batched parts.

In: operands with the forms of their parts. Out: containers of the same structure; a list whose
elements differ in form is brought to one form first.

    append(tape, (x, x_dot: float64[B]))   ->   the same, elements of form (False, True)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..ir.kinds import SAVED, Array, Dict, FixedList, Kind, ListOf, Mixed, Num, Record, Tuple
from ..ir.nodes import Const, Op, Value
from .batching import Batching, NoBatchRule, Operand, Results, batch_rule
from .batching_forms import Each, Form, any_batched, expand, full_form, join_forms

__all__ = ["element_form", "joined"]


@batch_rule("tuple", "list", "dict", "record", options="keys cls fields")
def build(
    t: Batching, fn: str, xs: Sequence[Operand], attrs: Mapping[str, Any], out: Kind
) -> Results:
    """A container of parts, each of its own form; of what is saved, all that can be batched is."""
    if out == SAVED:
        packed = Value(SAVED)
        parts = tuple(t.conform(x, full_form(x.kind)) for x in xs)
        t.b.append(Op((packed,), fn, parts, attrs, t.b.span))
        return [(packed, True)]
    return [(t.b.op(fn, *(x.atom for x in xs), **attrs), tuple(x.form for x in xs))]


@batch_rule("attr", options="name")
def attribute(
    t: Batching, fn: str, xs: Sequence[Operand], attrs: Mapping[str, Any], out: Kind
) -> Results:
    """One field of a record."""
    (x,) = xs
    form = expand(x.form, x.kind)
    if not isinstance(form, tuple):
        raise NoBatchRule
    match x.kind:
        case Record():
            names = [n for n, _ in x.kind.fields]
        case Tuple() if x.kind.cls is not None:
            names = list(x.kind.cls._fields)  # type: ignore[attr-defined]
        case _:
            raise NoBatchRule
    return [(t.b.op(fn, x.atom, **attrs), form[names.index(attrs["name"])])]


def element_form(x: Operand, i: Operand) -> tuple[Form, Form]:
    """The form of ``x[i]``, and the form ``x`` must be brought to for it."""
    form = expand(x.form, x.kind)
    if isinstance(form, Each):
        return (form, form) if _is_slice(i) else (form.form, form)
    if not isinstance(form, tuple):
        raise NoBatchRule
    if isinstance(i.atom, Const):
        key = i.atom.value
        if isinstance(x.kind, Dict):
            return form[[k for k, _ in x.kind.items].index(key)], form
        return form[key], form
    element = joined(form)
    return (Each(element) if _is_slice(i) else element), (element,) * len(form)


def joined(forms: Sequence[Form]) -> Form:
    """The form that all of these can be brought to."""
    out: Form = False
    for form in forms:
        out = join_forms(out, form)
    return out


def _is_slice(i: Operand) -> bool:
    if isinstance(i.atom, Const):
        return isinstance(i.atom.value, slice)
    return getattr(i.kind, "cls", None) is slice


@batch_rule("append", "insert")
def append(
    t: Batching, fn: str, xs: Sequence[Operand], attrs: Mapping[str, Any], out: Kind
) -> Results:
    """The element's form is added at its place, or joined to that of all."""
    lst, value = xs[0], xs[-1]
    middle = [x.atom for x in xs[1:-1]]
    form = expand(lst.form, lst.kind)
    if isinstance(form, tuple) and isinstance(out, FixedList):
        new = list(form)
        if fn == "append":
            new.append(value.form)
        else:
            at = xs[1].atom
            if not isinstance(at, Const):
                raise NoBatchRule
            new.insert(at.value, value.form)
        return [(t.b.op(fn, lst.atom, *middle, value.atom), tuple(new))]
    whole = join_forms(form, Each(value.form))
    if not isinstance(whole, Each):
        raise NoBatchRule
    element = whole.form
    base = t.conform(lst, whole if isinstance(form, Each) else (element,) * len(form))  # type: ignore[arg-type]
    return [(t.b.op(fn, base, *middle, t.conform(value, element)), whole)]


@batch_rule("pop")
def pop(
    t: Batching, fn: str, xs: Sequence[Operand], attrs: Mapping[str, Any], out: Kind
) -> Results:
    """The list without one element, and the element."""
    lst = xs[0]
    form = expand(lst.form, lst.kind)
    at = xs[1].atom if len(xs) > 1 else Const.of(-1)
    if isinstance(form, Each):
        rest, value = t.b.ops(fn, *(x.atom for x in xs))
        return [(rest, form), (value, form.form)]
    if not isinstance(form, tuple) or not isinstance(at, Const):
        raise NoBatchRule
    rest, value = t.b.ops(fn, *(x.atom for x in xs))
    left = list(form)
    taken = left.pop(at.value)
    return [(rest, tuple(left)), (value, taken)]


@batch_rule("extend")
def extend(
    t: Batching, fn: str, xs: Sequence[Operand], attrs: Mapping[str, Any], out: Kind
) -> Results:
    """Two lists one after the other."""
    return joined_lists(t, fn, xs)


def joined_lists(t: Batching, fn: str, xs: Sequence[Operand]) -> Results:
    """Concatenation (``+`` or ``extend``) of lists or of tuples."""
    if not all(isinstance(x.kind, Tuple | FixedList | ListOf) for x in xs):
        raise NoBatchRule
    forms = [expand(x.form, x.kind) for x in xs]
    if all(isinstance(f, tuple) for f in forms):
        total: tuple[Form, ...] = sum(forms, ())  # type: ignore[arg-type]
        return [(t.b.op(fn, *(x.atom for x in xs)), total)]
    element = joined([f.form if isinstance(f, Each) else joined(_tuple(f)) for f in forms])
    whole = Each(element)
    atoms = [
        t.conform(x, whole if isinstance(f, Each) else (element,) * len(_tuple(f)))
        for x, f in zip(xs, forms, strict=True)
    ]
    return [(t.b.op(fn, *atoms), whole)]


def _tuple(form: Form) -> tuple[Form, ...]:
    assert isinstance(form, tuple)
    return form


def repeated_list(t: Batching, xs: Sequence[Operand]) -> Results:
    """``lst * n``."""
    lst, n = xs if any_batched(xs[0].form) else (xs[1], xs[0])
    if n.batched or not isinstance(lst.kind, Tuple | FixedList | ListOf):
        raise NoBatchRule
    form = expand(lst.form, lst.kind)
    if isinstance(form, tuple):
        form = form * n.atom.value if isinstance(n.atom, Const) else Each(joined(form))
        if isinstance(form, Each):
            raise NoBatchRule
    return [(t.b.op("mul", *(x.atom for x in xs)), form)]


@batch_rule("add", "np.add", "mul", "np.multiply", "sum")
def arithmetic(
    t: Batching, fn: str, xs: Sequence[Operand], attrs: Mapping[str, Any], out: Kind
) -> Results:
    """``+`` and ``*`` of numbers and arrays, or of lists; the sum of a list."""
    from .batching import elementwise

    if fn == "sum":
        return _sum_of_list(t, xs, attrs)
    if any(isinstance(x.kind, Num | Array | Mixed) for x in xs) and isinstance(
        out, Num | Array | Mixed
    ):
        return elementwise(t, fn, xs, attrs, out)
    return joined_lists(t, fn, xs) if fn.endswith("add") else repeated_list(t, xs)


def _sum_of_list(t: Batching, xs: Sequence[Operand], attrs: Mapping[str, Any]) -> Results:
    lst = xs[0]
    if len(xs) > 1 or not isinstance(lst.kind, FixedList | Tuple) or not lst.kind.items:
        raise NoBatchRule
    if not all(isinstance(k, Num) for k in lst.kind.items):
        raise NoBatchRule
    b = t.b
    total = b.op("item", lst.atom, Const.of(0))
    for n in range(1, len(lst.kind.items)):
        total = b.add(total, b.op("item", lst.atom, Const.of(n)))
    return [(total, True)]


@batch_rule("add_to")
def add_to(
    t: Batching, fn: str, xs: Sequence[Operand], attrs: Mapping[str, Any], out: Kind
) -> Results:
    """The buffer gets the axis where what is added has it."""
    from .batching import lifted

    buffer, g = xs
    if isinstance(buffer.kind, Num | Array | Mixed) or isinstance(g.kind, Num | Array | Mixed):
        whole = Operand(t.conform(buffer, True), buffer.kind, True)
        return t.b.op(fn, whole.atom, lifted(t, g, whole.rank))
    form = join_forms(expand(buffer.form, buffer.kind), expand(g.form, g.kind))
    return [(t.b.op(fn, t.conform(buffer, form), g.atom), form)]
