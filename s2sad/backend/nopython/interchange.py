"""Loops of a nest in the order in which arrays lie in memory.

In: a module for Numba. Out: the same module, in which the innermost loop of a nest goes along rows
where it went down columns, if another loop of the nest may be the innermost::

    for i in range(m):                            for i in range(m):
        for j in range(n):                            for k in range(p):
            for k in range(p):               ->           for j in range(n):
                c[i, j] += a[i, k] * b[k, j]                  c[i, j] += a[i, k] * b[k, j]

LLVM computes several elements of a row at once; those of a column it takes one by one. Two loops
are exchanged where the elements of each array belong to one iteration of either (`commuting`): all
that happens to an element happens in the order in which it did, and no number changes. Only what
the reverse sweep adds up is rounded another way (Allen and Kennedy, *Optimizing Compilers for
Modern Architectures*, 2001, chapter 5).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ...ir.kinds import Array, same_dim
from ...ir.mapping import Mapper, carrying, map_regions, with_nodes
from ...ir.nodes import (
    Atom,
    For,
    Function,
    Module,
    Node,
    Op,
    Region,
    Value,
    While,
    is_of_reverse,
    never_leaves,
    operands_of,
    regions_of,
    walk,
)
from ...ir.rewrite import substitute, substitute_region
from .commuting import Facts, Family, histories, is_of_sizes

__all__ = ["by_rows", "is_strided"]

#: What reads or writes elements by an index.
_ACCESSES = frozenset({"item", "setitem", "accumulate"})


def by_rows(module: Module) -> Module:
    """The module with the loops of such nests exchanged."""
    return Module({name: _function(f) for name, f in module.functions.items()})


def _function(f: Function) -> Function:
    body = _Aligned().region(f.body)
    if not any(isinstance(n, For) and _inner(n) is not None for n in walk(body)):
        return f
    return replace(f, body=_region(body, Facts(body)))


class _Aligned(Mapper):
    """Copies a function, whose loops carry what they change, in the order of the loop inside."""

    def loop(self, node: For | While) -> Sequence[Node]:
        (new,) = super().loop(node)
        if not isinstance(new, For):
            return [new]
        params, yields = new.body.params[1:], new.body.yields[1:]
        carried = zip(params, yields, new.init, strict=True)
        same: dict[Value, Atom] = {p: a for p, y, a in carried if p is y and isinstance(a, Value)}
        changed = [n for n, p in enumerate(params) if p not in same]
        if same:
            for n, result in enumerate(new.results):
                if n not in changed:
                    self.known[result] = new.init[n]
            new = carrying(new, changed)
            assert isinstance(new, For)
            new = replace(new, body=substitute_region(new.body, same))
        inner = new.body.ops[-1] if new.body.ops else None
        params = new.body.params[1:]
        if isinstance(inner, For) and len(inner.init) == len(params) == len(set(inner.init)):
            if set(inner.init) == set(params):
                return [carrying(new, [params.index(a) for a in inner.init])]
        return [new]


def _region(region: Region, facts: Facts) -> Region:
    nodes: list[Node] = []
    for node in region.ops:
        turned = _turned(node, facts) if isinstance(node, For) else None
        nodes += turned or [map_regions(node, lambda inner: _region(inner, facts))]
    return with_nodes(region, nodes)


# -- nests ----------------------------------------------------------------------------------------


def _inner(loop: For) -> For | None:
    """The loop that is all there is in another, but for what has to do with sizes."""
    *before, last = loop.body.ops or (None,)
    if not isinstance(last, For) or not all(map(is_of_sizes, before)):
        return None
    if last.init != loop.body.params[1:] or loop.body.yields[1:] != last.results:
        return None
    if not (never_leaves(loop) and never_leaves(last)):
        return None
    if not all(isinstance(r.kind, Array) for r in last.results):
        return None
    return last


def _turned(loop: For, facts: Facts) -> list[Node] | None:
    """The nest with its loops in a better order, and what is computed before it."""
    nest = [loop]
    while (inner := _inner(nest[-1])) is not None:
        nest.append(inner)
    last = nest[-1].body
    if len(nest) == 1 or any(regions_of(n) for n in last.ops):
        return None
    accesses = [n for n in last.ops if isinstance(n, Op) and n.fn in _ACCESSES]
    strides = [sum(is_strided(op, n.body.params[0], last, facts) for op in accesses) for n in nest]
    for strided, depth in sorted((s, len(nest) - 1 - n) for n, s in enumerate(strides)):
        if strided >= strides[-1]:
            return None
        *around, chosen = nest[: len(nest) - depth]
        made = _sunk(chosen, depth, chosen, facts)
        if made is None:
            continue
        nodes: list[Node] = made
        for outer in reversed(around):
            *before, _ = outer.body.ops
            body = Region(outer.body.params, (*before, *nodes), outer.body.yields)
            nodes = [replace(outer, body=body)]
        return nodes
    return None


def is_strided(op: Op, index: Value, body: Region, facts: Facts) -> bool:
    """Whether the elements of an array by which a loop goes are not beside each other."""
    array, at = op.args[:2]
    if not isinstance(array.kind, Array):
        return False
    made = facts.op(at)
    parts: tuple[Atom, ...] = made.args if made is not None and made.fn == "tuple" else (at,)
    *others, last = parts
    if any(_depends(a, index, facts) for a in others):
        return True
    if not _depends(last, index, facts):
        return False
    return len(parts) != len(array.kind.dims or ()) or not _is_shifted(last, index, facts)


def _depends(a: Atom, index: Value, facts: Facts) -> bool:
    if a is index:
        return True
    op = facts.op(a)
    if op is None:
        return False
    return any(_depends(x, index, facts) for x in op.args)


def _is_shifted(a: Atom, index: Value, facts: Facts) -> bool:
    """Whether a number is the index plus something else."""
    if a is index:
        return True
    op = facts.op(a)
    if op is None or op.fn not in ("add", "sub"):
        return False
    x, y = op.args
    if op.fn == "add" and _depends(y, index, facts):
        x, y = y, x
    return _is_shifted(x, index, facts) and not _depends(y, index, facts)


# -- exchanging -----------------------------------------------------------------------------------


def _sunk(loop: For, depth: int, nest: For, facts: Facts) -> list[Node] | None:
    """The nest in which a loop is as many levels further in, where its iterations may be.

    ``nest`` is the loop around all that moves, as the facts know it.
    """
    nodes = _exchanged(loop, nest, facts)
    if nodes is None or depth == 1:
        return nodes
    *before, outer = nodes
    assert isinstance(outer, For)
    (inner,) = outer.body.ops
    assert isinstance(inner, For)
    further = _sunk(inner, depth - 1, nest, facts)
    if further is None:
        return None
    body = Region(outer.body.params, tuple(further), outer.body.yields)
    return [*before, replace(outer, body=body)]


def _exchanged(outer: For, nest: For, facts: Facts) -> list[Node] | None:
    """A loop and the one inside it the other way round, or None where that is another program."""
    inner = _inner(outer)
    assert inner is not None
    index = outer.body.params[0]
    before = outer.body.ops[:-1]
    if any(_depends(a, index, facts) for a in (inner.start, inner.stop, inner.step)):
        return None
    if not _may_exchange(outer, inner, nest, facts):
        return None
    sizes = [n for n in before if not any(_depends(a, index, facts) for a in operands_of(n))]
    first = _before_loop(sizes, outer)
    if first is None:
        return None
    later = [n for n in before if n not in sizes]
    body = Region((index, *inner.body.params[1:]), (*later, *inner.body.ops), inner.body.yields)
    new_inner = replace(
        inner, start=outer.start, stop=outer.stop, step=outer.step, body=body, span=outer.span
    )
    new_outer = replace(
        outer,
        start=inner.start,
        stop=inner.stop,
        step=inner.step,
        body=Region(
            (inner.body.params[0], *outer.body.params[1:]), (new_inner,), outer.body.yields
        ),
        span=inner.span,
    )
    return [*first, new_outer]


def _before_loop(nodes: Sequence[Node], loop: For) -> list[Node] | None:
    """What each iteration of a loop computes alike, before the loop; None where that is not known.

    The arrays that it carries keep their shape where their kinds say so.
    """
    known: dict[Value, Atom] = {}
    for param, init in zip(loop.body.params[1:], loop.init, strict=True):
        dims, of_init = getattr(param.kind, "dims", None), getattr(init.kind, "dims", None)
        if dims and of_init and len(dims) == len(of_init) and all(map(same_dim, dims, of_init)):
            known[param] = init
    first = list(substitute(nodes, known))
    inside = set(loop.body.params)
    return None if any(inside.intersection(operands_of(n)) for n in first) else first


def _may_exchange(outer: For, inner: For, nest: For, facts: Facts) -> bool:
    """Whether all that happens to an element is in one iteration of one of the loops.

    The loop that goes inwards must be one whose iterations need not wait for each other: else
    nothing is gained.
    """
    by_outer = histories(outer, outer.body.params[0], nest, facts)
    by_inner = histories(outer, inner.body.params[0], nest, facts)
    if by_outer is None or by_inner is None:
        return False
    for x, y in zip(by_outer, by_inner, strict=True):
        if not isinstance(x, Family) or not isinstance(y, Family) or not x.commutes:
            return False
        adds = [is_of_reverse(a.op) and a.adds for a in x.accesses]
        for m, n in x.pairs():
            if not (adds[m] and adds[n]) and not x.is_apart(m, n) and not y.is_apart(m, n):
                return False
    return True
