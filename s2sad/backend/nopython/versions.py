"""Where new versions of arrays are written, and which old ones tapes need copies of.

In: a region in which new versions of arrays are choices, expressions of the old ones. Out: the
region in which they are stored in the place of the old ones, and what tapes keep is copied before
it is written over::

    z1 = np.where(m, w, z)         t = np.where(m, w, z)
    np.sort(z1)              ->    z1 = setitem(z, ..., t)
                                   np.sort(z1)
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from ...analysis.storage import Overwritten
from ...ir.mapping import map_nodes
from ...ir.nodes import Atom, Const, Node, Op, Region, Value, operands_of, regions_in, walk
from .fusion.elements import is_elementwise
from .tapes import PUTS

__all__ = ["copied_to_tapes", "written_over"]


def written_over(body: Region, written: Collection[Value]) -> Region:
    """With new versions written over the old ones, unless these are kept or are expressions."""
    choices = {r: n for n in walk(body) if isinstance(n, Op) for r in n.results if r in written}
    made = {r: n for n in walk(body) for r in n.results}
    taped = {a for n in walk(body) if isinstance(n, Op) and n.fn in PUTS for a in n.args}
    pure = {v for v in choices if _is_expression(v, body)}

    def first(a: Atom) -> Atom:
        while isinstance(a, Value) and a in pure:
            a = choices[a].args[2]
        return a

    def change(node: Node) -> list[Node]:
        if not isinstance(node, Op) or node not in choices.values() or node.results[0] in pure:
            return [node]
        old = first(node.args[2])
        source = made.get(old) if isinstance(old, Value) else None
        if old in taped or (isinstance(source, Op) and is_elementwise(source)):
            return [node]
        chosen = Value(node.results[0].kind)
        return [
            replace(node, results=(chosen,)),
            Op(node.results, "setitem", (old, Const.of(...), chosen), {}, node.span),
        ]

    return map_nodes(body, change)


def _is_expression(v: Value, body: Region) -> bool:
    """Whether all that reads a value computes with its elements, where the value is made."""
    for region in regions_in(body):
        if any(v in n.results for n in region.ops):
            here = [n for n in region.ops if v in operands_of(n)]
            everywhere = [n for n in walk(body) if v in operands_of(n)]
            kept = any(v in r.yields for r in regions_in(body))
            plain = all(isinstance(n, Op) and is_elementwise(n) for n in here)
            return plain and not kept and len(here) == len(everywhere)
    return False


def _known_copy(node: Node) -> list[Node]:
    if isinstance(node, Op) and node.fn == "copied":
        return [replace(node, fn="copy")]
    return [node]


def copied_to_tapes(body: Region, more: Collection[Value]) -> Region:
    """With copies of what has been put on tapes and is written later."""
    overwritten = Overwritten(map_nodes(body, _known_copy))

    def change(node: Node) -> list[Node]:
        if not isinstance(node, Op) or node.fn not in PUTS:
            return [node]
        copies: dict[Atom, Value] = {
            a: Value(a.kind)
            for a in node.args
            if isinstance(a, Value) and a in more and a in overwritten
        }
        args = tuple(copies.get(a, a) for a in node.args)
        ops = [Op((c,), "copied", (a,), {}, node.span) for a, c in copies.items()]
        return [*ops, replace(node, args=args)]

    return map_nodes(body, change)
