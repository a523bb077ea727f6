"""Unpacking: reads of all items of a tuple as one statement.

In: a function in normal form. Out: the same function in which reads ``x[0]``, ``x[1]``, … of one
tuple are a single op ``unpack`` with a result for each item, at the place of the first of them.

    W = item(p, 0); b = item(p, 1)   ->   W, b = unpack(p)
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ..ir.kinds import FixedList, Opaque, Tuple
from ..ir.mapping import map_regions
from ..ir.nodes import (
    Call,
    Const,
    Function,
    Module,
    Node,
    Op,
    Region,
    Value,
    operands_of,
    regions_of,
    walk,
)

#: No more names than this on the left of one assignment.
WIDEST = 12


def unpack_items(function: Function, sizes: Mapping[Value, int]) -> Function:
    """The function with runs of reads as one; ``sizes`` are those of tuples of any items."""
    return replace(function, body=_region(function.body, sizes))


def saved_sizes(module: Module) -> dict[Value, int]:
    """How many items are in the tuples that one function packs and another takes.

    The first caller of such a pair hands the one's last result to the other.
    """
    made: dict[Value, int] = {}
    for f in module.functions.values():
        for node in walk(f.body):
            if isinstance(node, Call):
                last = module.functions[node.callee].body
                maker = last.ops[-1] if last.ops else None
                if (
                    isinstance(maker, Op)
                    and maker.fn == "tuple"
                    and maker.results[0] is last.yields[-1]
                ):
                    made[node.results[-1]] = len(maker.args)
    sizes: dict[Value, int] = {}
    for f in module.functions.values():
        for node in walk(f.body):
            if isinstance(node, Call):
                params = module.functions[node.callee].params
                for p, a in zip(params, node.args, strict=True):
                    if isinstance(a, Value) and a in made and p.kind == Opaque(tuple):
                        sizes[p] = made[a]
    return sizes


def _region(region: Region, sizes: Mapping[Value, int]) -> Region:
    reads: dict[Value, dict[int, Op]] = {}
    for node in region.ops:
        place = _place(node)
        if place is not None:
            base, n = place
            reads.setdefault(base, {}).setdefault(n, node)  # type: ignore[arg-type]
    first: dict[Node, Op] = {}
    gone: set[Node] = set()
    for base, ops in reads.items():
        count = sizes.get(base)
        if isinstance(base.kind, Tuple | FixedList):
            count = len(base.kind.items)
        if count is None or count < 2 or set(ops) != set(range(count)):
            continue
        begin = next(iter(ops.values()))
        results = tuple(ops[n].results[0] for n in range(count))
        first[begin] = Op(results, "unpack", (base,), {}, begin.span)
        gone.update(ops.values())
    _nest(region, first)
    new: list[Node] = []
    for node in region.ops:
        if node in first:
            if first[node].results:
                new.append(first[node])
        elif node not in gone:
            new.append(map_regions(node, lambda inner: _region(inner, sizes)))
    return Region(region.params, tuple(new), region.yields)


def _nest(region: Region, first: dict[Node, Op]) -> None:
    """Unpack what is unpacked from a tuple along with it: ``(a, b), c = x``."""
    uses = Counter(a for n in walk(region) for a in operands_of(n) if isinstance(a, Value))
    uses.update(
        a for n in walk(region) for r in regions_of(n) for a in r.yields if isinstance(a, Value)
    )
    uses.update(a for a in region.yields if isinstance(a, Value))
    places = {op.args[0]: begin for begin, op in first.items()}
    for begin, op in reversed(list(first.items())):
        parts: list[Any] = []
        flat: list[Value] = []
        for r in op.results:
            inner = first[places[r]] if r in places else None
            if (
                inner is not None
                and uses[r] == len(set(inner.results))
                and len(flat) + len(inner.results) <= WIDEST
            ):
                parts.append(inner.attrs.get("pattern", (None,) * len(inner.results)))
                flat.extend(inner.results)
                first[places[r]] = Op((), "unpack", ())
            else:
                parts.append(None)
                flat.append(r)
        if any(parts):
            first[begin] = Op(tuple(flat), "unpack", op.args, {"pattern": tuple(parts)}, op.span)


def _place(node: Node) -> tuple[Value, int] | None:
    """The tuple and the place in it that a node reads."""
    if not isinstance(node, Op) or node.fn != "item":
        return None
    base, index = node.args
    if isinstance(base, Value) and isinstance(index, Const) and type(index.value) is int:
        return (base, index.value)
    return None
