"""Shifts: extremes that are subtracted for the sake of rounding, and change nothing else.

In: the body of a function. Out: the values ``c`` made by `np.max` or `np.min` of which nothing
that the function returns depends, whatever they are. Such a value carries no derivative::

    c = np.max(x)
    e = np.exp(x - c)               # a multiple of exp(-c)
    return np.log(np.sum(e)) + c    # the same for every c; so is e / np.sum(e)

It is followed through the program: what depends on it is ``u + a * c`` (*shifted*) or
``u * exp(a * c)`` (*scaled*), with ``u`` independent of it and ``a`` a known number. Where all
that reads such values leads to others, and in the end to ``a = 0``, it has no effect. Anything
else that reads one (another function, a loop, a result) decides that it has.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ..ir.kinds import Array, Num
from ..ir.nodes import Atom, Const, Node, Op, Region, Value, operands_of, read_in, regions_of
from ..rules.registry import primitive

__all__ = ["idle_shifts"]

_EXTREMES = frozenset({"np.max", "np.min"})


@dataclass(frozen=True, slots=True)
class _Form:
    """How a value depends on c; ``axes`` are the axes of c that run along its own."""

    is_scaled: bool
    by: float
    axes: tuple[int | None, ...]


def idle_shifts(region: Region) -> set[Value]:
    """The extremes in a region, and in those inside it, that have no effect."""
    found: set[Value] = set()
    for n, node in enumerate(region.ops):
        for inner in regions_of(node):
            found |= idle_shifts(inner)
        if isinstance(node, Op) and node.fn in _EXTREMES and len(node.args) == 1:
            start = _extreme(node)
            if start is not None and _fades(node.results[0], start, region, n + 1):
                found.add(node.results[0])
    return found


def _fades(c: Value, start: _Form, region: Region, first: int) -> bool:
    """Whether the nodes from ``first`` on lead all that depends on c to what does not."""
    forms: dict[Atom, _Form] = {c: start}
    for node in region.ops[first:]:
        if isinstance(node, Op):
            if not any(a in forms for a in node.args) or primitive(node.fn).zero:
                continue
            form = _form(node, [forms.get(a) for a in node.args])
            if form is None:
                return False
            if form.by != 0:
                forms[node.results[0]] = form
        elif _reads(node) & forms.keys():
            return False
    return not any(a in forms for a in region.yields)


def _reads(node: Node) -> set[Atom]:
    return set(operands_of(node)).union(*(read_in(r) for r in regions_of(node)))


# -- forms ---------------------------------------------------------------------------------------


def _extreme(op: Op) -> _Form | None:
    """How c depends on itself: along the axes that are kept."""
    (x,), (c,) = op.args, op.results
    if not isinstance(c.kind, Num | Array) or not c.kind.dtype.startswith("float"):
        return None
    rank = _rank(x)
    if rank is None:
        return None
    return _reduced(op, _Form(False, 1.0, tuple(range(rank))), start=True)


def _form(op: Op, given: Sequence[_Form | None]) -> _Form | None:
    """The form of the result; None where it is neither of them."""
    match op.fn, given:
        case "add" | "np.add" | "sub" | "np.subtract", (left, right):
            sign = -1.0 if op.fn in ("sub", "np.subtract") else 1.0
            return _sum(_wide(op, 0, left), _wide(op, 1, right), sign)
        case "mul" | "np.multiply" | "div" | "np.divide", (left, right):
            sign = -1.0 if op.fn in ("div", "np.divide") else 1.0
            return _product(op, _wide(op, 0, left), _wide(op, 1, right), sign)
        case "neg" | "np.negative", (_Form() as x,):
            return x if x.is_scaled else replace(x, by=-x.by)
        case "np.exp" | "math.exp", (_Form(is_scaled=False) as x,):
            return replace(x, is_scaled=True)
        case "np.log" | "math.log", (_Form(is_scaled=True) as x,):
            return replace(x, is_scaled=False)
        case fn, (_Form() as x,) if fn in _EXTREMES or fn == "np.mean":
            return _reduced(op, x)
        case "np.sum", (_Form(is_scaled=True) as x,):
            return _reduced(op, x)
        case "item", (_Form() as x, None):
            return _viewed(op.args[1], x)
    return None


def _wide(op: Op, n: int, form: _Form | None) -> _Form | None:
    """A form with as many axes as the result has."""
    rank = _rank(op.results[0])
    if form is None or rank is None:
        return form
    return replace(form, axes=(None,) * (rank - len(form.axes)) + form.axes)


def _sum(x: _Form | None, y: _Form | None, sign: float) -> _Form | None:
    if x is None or y is None:
        one = x or y
        if one is None or one.is_scaled:
            return None
        return one if y is None else replace(one, by=sign * one.by)
    if x.axes != y.axes or x.is_scaled != y.is_scaled:
        return None
    if x.is_scaled:
        return x if x.by == y.by else None
    return replace(x, by=x.by + sign * y.by)


def _product(op: Op, x: _Form | None, y: _Form | None, sign: float) -> _Form | None:
    if x is not None and y is not None:
        if x.axes != y.axes or not (x.is_scaled and y.is_scaled):
            return None
        return replace(x, by=x.by + sign * y.by)
    if x is not None:
        if x.is_scaled:
            return x
        factor = _number(op.args[1])
        if factor is None or (sign < 0 and factor == 0):
            return None
        return replace(x, by=x.by * factor if sign > 0 else x.by / factor)
    if y is not None:
        if y.is_scaled:
            return replace(y, by=sign * y.by)
        factor = _number(op.args[0]) if sign > 0 else None
        return None if factor is None else replace(y, by=y.by * factor)
    return None


def _number(a: Atom) -> float | None:
    value = a.value if isinstance(a, Const) else None
    return float(value) if isinstance(value, int | float) else None


def _reduced(op: Op, x: _Form, start: bool = False) -> _Form | None:
    """A sum, a mean or an extreme along axes on which c is the same."""
    if len(op.args) != 1 or not set(op.attrs) <= {"axis", "keepdims"}:
        return None
    axis, keepdims = op.attrs.get("axis"), op.attrs.get("keepdims", False)
    rank = len(x.axes)
    given = range(rank) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    if not all(type(a) is int for a in given) or type(keepdims) is not bool:
        return None
    over = {a % rank for a in given} if rank else set()
    if not start and any(x.axes[a] is not None for a in over):
        return None
    if keepdims:
        return replace(x, axes=tuple(None if n in over else a for n, a in enumerate(x.axes)))
    return replace(x, axes=tuple(a for n, a in enumerate(x.axes) if n not in over))


def _viewed(index: Atom, x: _Form) -> _Form | None:
    """``x[:, None]`` and its like: whole axes, new ones, parts of axes on which c is the same."""
    parts = index.value if isinstance(index, Const) else None
    parts = parts if isinstance(parts, tuple) else (parts,)
    if not all(p is None or p is ... or type(p) in (int, slice) for p in parts):
        return None
    known = sum(p is not None and p is not ... for p in parts)
    whole = (slice(None),) * (len(x.axes) - known)
    if ... in parts:
        at = parts.index(...)
        parts = (*parts[:at], *whole, *parts[at + 1 :])
    else:
        parts = (*parts, *whole)
    rest = iter(x.axes)
    axes: list[int | None] = []
    for part in parts:
        if part is None:
            axes.append(None)
            continue
        axis = next(rest)
        if axis is not None and part != slice(None):
            return None
        if type(part) is slice:
            axes.append(axis)
    return replace(x, axes=tuple(axes))


def _rank(a: Atom) -> int | None:
    if isinstance(a.kind, Num):
        return 0
    return a.kind.rank if isinstance(a.kind, Array) else None
