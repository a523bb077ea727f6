"""Loops over rings: what is read of a rolled array is read of the array itself.

In: a nest that reads `np.roll(a, 1)` at the counter. Out: two nests, one for the inside, where the
neighbours are next to the element, and one for the ends, whose neighbours are at the other end::

    for i in range(n):                        for i in range(1, n):
        b[i] = a[(i - 1) % n]          ->         b[i] = a[i - 1]
                                              inside = max(n - 1, 0)
                                              for end in range(n - inside):
                                                  i = end if end < 1 else end + inside
                                                  b[i] = a[(i - 1) % n]
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ....ir.clone import clone
from ....ir.kinds import BOOL, INT
from ....ir.mapping import Mapper
from ....ir.nodes import Atom, Const, If, Node, Op, Region, Value, version
from .loops import Carried, Counters, Nest

__all__ = ["as_nodes"]


def as_nodes(nest: Nest) -> list[Node]:
    """The nest as loops."""
    made = {r for node in nest.nodes for r in node.results}
    turns = {v: turn for turn, v in nest.turns.items() if v in made}
    if not turns:
        return [nest.loop()]
    counter = next(iter(turns.values()))[0]
    shifts = [shift for _, shift in turns.values()]
    before, behind = max(0, *shifts), max(0, *(-s for s in shifts))
    size = next(n for c, n in nest.counters.loops if c is counter)
    nodes: list[Node] = []
    stop = _int(nodes, "sub", size, Const.of(behind)) if behind else size
    half = [version(c.result) for c in nest.carried]
    inside = replace(
        nest, carried=[replace(c, result=h) for c, h in zip(nest.carried, half, strict=True)]
    )
    nodes.append(inside.loop({counter: (Const.of(before), stop)}))
    less = _int(nodes, "sub", size, Const.of(before + behind))
    gap = _int(nodes, "max", less, Const.of(0), hint="inside")
    rest = _int(nodes, "sub", size, gap)
    ends = _ends(nest, counter, turns, before, gap, size, half)
    (param,) = (
        new
        for (new, _), (old, _) in zip(ends.counters.loops, nest.counters.loops, strict=True)
        if old is counter
    )
    nodes.append(ends.loop({param: (Const.of(0), rest)}))
    return nodes


def _ends(
    nest: Nest,
    counter: Value,
    turns: dict[Value, tuple[Value, int]],
    before: int,
    gap: Atom,
    size: Atom,
    init: Sequence[Value],
) -> Nest:
    """The nest for the ends of the ring, with values of its own."""
    nodes: list[Node] = []
    end = Value(INT, None, "end")
    moved = _int(nodes, "add", end, gap)
    at: Atom = moved
    if before:
        at, is_first = Value(INT, None, counter.hint), Value(BOOL)
        nodes.append(Op((is_first,), "lt", (end, Const.of(before))))
        arms = Region((), (), (end,)), Region((), (), (moved,))
        nodes.append(If((at,), is_first, *arms))
    for node in nest.nodes:
        if isinstance(node, Op) and node.results[0] in turns:
            straight = _int(nodes, node.fn, *node.args)
            nodes.append(Op(node.results, "mod", (straight, size)))
        else:
            nodes.append(node)
    nodes = list(Mapper({counter: at}).nodes(nodes))
    known: dict[Value, Atom] = {}
    loops: list[tuple[Value, Atom]] = []
    for old, length in nest.counters.loops:
        param = end if old is counter else old
        known[param] = new = version(param)
        loops.append((new, length))
    inner = [version(c.inner) for c in nest.carried]
    known |= {c.inner: v for c, v in zip(nest.carried, inner, strict=True)}
    yields = [at if a is counter else a for c in nest.carried for a in (c.end, *c.spot)]
    copied, atoms = clone(Region((), tuple(nodes), tuple(yields)), known)
    left = iter(atoms)
    depth = 1 + next(k for k, (c, _) in enumerate(nest.counters.loops) if c is counter)
    carried: list[Carried] = []
    for c, start, v in zip(nest.carried, init, inner, strict=True):
        last, spot = next(left), tuple(next(left) for _ in c.spot)
        # Where the ring is what is summed along, the inside has been added up before.
        first = c.start if c.depth >= depth else None
        carried.append(replace(c, init=start, inner=v, end=last, spot=spot, start=first))
    counters = Counters((), tuple(loops), nest.counters.sizes)
    return Nest(counters, list(copied), carried, [], nest.span)


def _int(nodes: list[Node], fn: str, *args: Atom, hint: str | None = None) -> Value:
    made = Value(INT, None, hint)
    nodes.append(Op((made,), fn, args))
    return made
