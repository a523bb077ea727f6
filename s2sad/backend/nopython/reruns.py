"""Loops that compute again what another computes, merged with it.

In: a module for Numba. Out: the same module, in which a loop that runs a recurrence once more, as
the reverse sweep does that has no tape of it, is part of the loop that runs it anyway::

    for t in range(n):                        for t in range(n):
        p *= r[t]                                 tape[t] = p
        total += p                                p *= r[t]
    for t in range(n):                 ->         total += p
        tape[t] = p
        p *= r[t]

Both have to be in one region, as they are once the sweeps are joined (`sweeps`). That the numbers
that they carry are the same is assumed and then proved: they start from the same, and if they are
the same before an iteration they are computed alike in it.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import replace
from typing import Any

from ...ir.kinds import Array
from ...ir.mapping import Mapper, map_regions, with_nodes
from ...ir.nodes import (
    Atom,
    Const,
    For,
    If,
    Module,
    Node,
    Op,
    Region,
    Value,
    free_values,
    never_leaves,
    operands_of,
    regions_of,
    walk,
)
from .commuting import is_pure

__all__ = ["share_reruns"]


def share_reruns(module: Module) -> Module:
    """The module with such loops merged."""
    functions = {name: replace(f, body=_region(f.body)) for name, f in module.functions.items()}
    return Module(functions)


def _region(region: Region) -> Region:
    region = with_nodes(region, [map_regions(n, _region) for n in region.ops])
    loops = [n for n, node in enumerate(region.ops) if isinstance(node, For)]
    for p in loops:
        for q in loops:
            if p < q and (merged := _merged(region, p, q)) is not None:
                return _region(merged)
    return region


def _merged(region: Region, p: int, q: int) -> Region | None:
    """The region with its nodes p and q as one loop, in the place of p; None if they stay two."""
    first, *between, again = region.ops[p : q + 1]
    assert isinstance(first, For)
    assert isinstance(again, For)
    if not (_is_simple(first) and _is_simple(again)):
        return None
    again = _with_same_sizes(region.ops[:q], again)
    if not _same_range(first, again):
        return None
    made = {r for node in (first, *between) for r in node.results}
    if not made.isdisjoint({*operands_of(again), *free_values(again.body)}):
        return None
    own, others = _tapes([again]), _tapes([first, *between])
    if not own.isdisjoint(others):
        return None
    shared = _shared(first, again)
    if shared is None:
        return None
    loop, same = shared
    rest = Region((), (*between, *region.ops[q + 1 :]), region.yields)
    mapper = Mapper(same)
    tail = mapper.nodes(rest.ops)
    return Region(region.params, (*region.ops[:p], loop, *tail), mapper.atoms(region.yields))


def _is_simple(loop: For) -> bool:
    """Whether a loop of statements runs to its end and only computes, or puts on a tape."""
    return never_leaves(loop) and all(
        isinstance(n, If) or (isinstance(n, Op) and (n.fn == "tape_put" or is_pure(n)))
        for n in walk(loop.body)
    )


def _with_same_sizes(before: Sequence[Node], loop: For) -> For:
    """The loop, with sizes that are computed more than once by their first names."""
    first: dict[Hashable, Node] = {}
    same: dict[Value, Atom] = {}
    for node in before:
        if isinstance(node, Op) and node.fn in ("item", "shape", "len"):
            key = _computation(node)
            if key is not None and not isinstance(node.results[0].kind, Array):
                known = first.setdefault(key, node)
                same.update(zip(node.results, known.results, strict=True))
    (new,) = Mapper(same).node(loop)
    assert isinstance(new, For)
    return new


def _same_range(a: For, b: For) -> bool:
    bounds = ((a.start, b.start), (a.stop, b.stop), (a.step, b.step))
    return all(x is y or _key(x) == _key(y) for x, y in bounds)


def _tapes(nodes: Sequence[Node]) -> set[object]:
    inside = [n for node in nodes for r in regions_of(node) for n in walk(r)]
    return {n.attrs["tape"] for n in (*nodes, *inside) if isinstance(n, Op) and "tape" in n.attrs}


# -- what two loops have in common ----------------------------------------------------------------


def _shared(a: For, b: For) -> tuple[For, dict[Value, Atom]] | None:
    """Both loops as one, and what the results of ``b`` are that ``a`` has anyway.

    None where none of what they carry is the same.
    """
    pairs = {}
    for n, (init, result) in enumerate(zip(b.init, b.results, strict=True)):
        alike = [
            m
            for m, other in enumerate(a.init)
            if _key(other) == _key(init) and a.results[m].kind == result.kind
        ]
        named = [m for m in alike if a.body.params[m + 1].name == b.body.params[n + 1].name]
        if alike:
            pairs[n] = (named or alike)[0]
    while pairs:
        mapper = Mapper({b.body.params[0]: a.body.params[0]})
        mapper.known.update({b.body.params[n + 1]: a.body.params[m + 1] for n, m in pairs.items()})
        ops = _common(a.body.ops, b.body.ops, mapper)
        ends = mapper.atoms(b.body.yields[1:])
        wrong = [n for n, m in pairs.items() if _key(ends[n]) != _key(a.body.yields[m + 1])]
        if not wrong:
            rest = [n for n in range(len(b.init)) if n not in pairs]
            body = Region(
                (*a.body.params, *(b.body.params[n + 1] for n in rest)),
                (*a.body.ops, *ops),
                (*a.body.yields, *(ends[n] for n in rest)),
            )
            loop = replace(
                a,
                results=(*a.results, *(b.results[n] for n in rest)),
                init=(*a.init, *(b.init[n] for n in rest)),
                body=body,
            )
            return loop, {b.results[n]: a.results[m] for n, m in pairs.items()}
        for n in wrong:
            del pairs[n]
    return None


def _common(first: Sequence[Node], nodes: Sequence[Node], mapper: Mapper) -> list[Node]:
    """Those of ``nodes`` that compute what ``first`` does not; the mapper learns of the others."""
    computed = {key: n for n in first if (key := _computation(n)) is not None}
    kept: list[Node] = []
    for node in nodes:
        (new,) = mapper.node(node)
        key = _computation(new)
        known = computed.get(key) if key is not None else None
        if known is not None:
            mapper.known.update(zip(new.results, known.results, strict=True))
        else:
            kept.append(new)
            if key is not None:
                computed[key] = new
    return kept


def _computation(node: Node) -> Hashable:
    """Equal for nodes that compute the same; None where nothing is known."""
    if not isinstance(node, Op) or not is_pure(node):
        return None
    if not all(map(_is_plain, node.attrs.values())):
        return None
    attrs = tuple(sorted((name, repr(v)) for name, v in node.attrs.items()))
    kinds = tuple(r.kind for r in node.results)
    return node.fn, attrs, kinds, tuple(map(_key, node.args))


def _key(a: Atom) -> Hashable:
    if isinstance(a, Const) and _is_plain(a.value):
        return type(a.value), repr(a.value), a.kind
    return a


def _is_plain(value: Any) -> bool:
    """Whether it is written in full, so that two that are written alike are equal."""
    if isinstance(value, tuple):
        return all(map(_is_plain, value))
    return value is None or isinstance(value, bool | int | float | complex | str)
