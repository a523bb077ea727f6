"""Adding: what becomes of an adjoint when another cotangent arrives.

In: the adjoint of a value so far, and a cotangent. Out: their sum, in place where it is an array.

    x_bar, g               ->   add_to x_bar g
    add_to(x_bar, g), g    ->   add_to x_bar (2.0 * g)
    {"W": a}, {"b": c}     ->   {"W": a, "b": c}
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..ir.builder import Builder
from ..ir.facts import same_shape
from ..ir.kinds import Array, Kind, Num, carries_derivative
from ..ir.nodes import Atom, Op, Value
from .adjoints import Adjoint, bar, part_of, parts_of
from .terms import sum_of_like

if TYPE_CHECKING:
    from .reverse import Reverse

#: How far back a term of the same kind is looked for.
SHORT = 20


def added(rev: Reverse, target: Value, old: Adjoint, g: Adjoint) -> Adjoint:
    """``old`` and ``g``, cotangents of ``target``, in one."""
    b = rev.builder
    if isinstance(old, dict) or isinstance(g, dict):
        return _merged(b, _parts(b, target.kind, old), _parts(b, target.kind, g))
    name = bar(target.name)
    if isinstance(target.kind, Array) and isinstance(old.kind, Num):
        if isinstance(g.kind, Num):
            return b.op("add", old, g, name=name)
        old, g = g, old
    if (like := sum_of_like(b, old, g)) is not None:
        if isinstance(like, Value):
            b.label(like, name, None, target)
        return like
    if (before := _last_sum(b, old)) is not None:
        like = sum_of_like(b, before.args[1], g)
        if like is not None:
            old, g = before.args[0], like
    total = b.op("add_to", old, _not_spread(b, g, target), name=name)
    if old in rev.masked and g in rev.masked:
        rev.masked.add(total)
    return total


def _not_spread(b: Builder, g: Atom, target: Value) -> Atom:
    """What NumPy spreads by itself over an array of the shape of ``target``."""
    for fn, at in (("broadcast_like", 0), ("np.full_like", 1)):
        node = b.defined_by(g, fn)
        if node is not None and same_shape(b, node.args[1 - at], target):
            return node.args[at]
    return g


def _last_sum(b: Builder, total: Atom) -> Op | None:
    """The op of the region being built that made ``total`` by adding to an adjoint."""
    node = b.definition.get(total) if isinstance(total, Value) else None
    here = node is not None and node.fn == "add_to" and node in b.nodes[-SHORT:]
    return node if here else None


def _merged(
    b: Builder, old: dict[object, Adjoint], g: dict[object, Adjoint]
) -> dict[object, Adjoint]:
    merged = dict(old)
    for key, part in g.items():
        have = merged.get(key)
        if have is None:
            merged[key] = part
        elif isinstance(have, dict) and isinstance(part, dict):
            merged[key] = _merged(b, have, part)
        else:
            assert not isinstance(have, dict)
            assert not isinstance(part, dict)
            merged[key] = b.op("add_to", have, part)
    return merged


def _parts(b: Builder, kind: Kind, g: Adjoint) -> dict[object, Adjoint]:
    """An adjoint of a container by parts."""
    if isinstance(g, dict):
        return g
    return {key: part_of(b, g, key) for key, k in parts_of(kind) if carries_derivative(k)}
