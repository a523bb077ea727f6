"""Unpacking: parts of containers that were put together in the same function are read directly.

In: a region. Out: the same region in which ``item`` and ``attr`` of a tuple, list, dict or record
that the function itself built mean what was put there. Values have one meaning, so this holds
however the container is written to later: that makes another value.

    t = dict(a, b, keys=("w", "b"));  item(t, "w")   ->   a
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..ir.mapping import Mapper
from ..ir.nodes import Atom, Const, Node, Op, Region, Value

__all__ = ["unpacked"]


def unpacked(region: Region) -> Region:
    """The region with every read of a known part replaced by the part."""
    return _Unpacker().region(region)


class _Unpacker(Mapper):
    def __init__(self) -> None:
        super().__init__()
        self.built: dict[Value, Op] = {}

    def op(self, op: Op) -> Sequence[Node]:
        new = Op(op.results, op.fn, self.atoms(op.args), op.attrs, op.span)
        part = _part(new, self.built)
        if part is not None:
            self.known[op.results[0]] = part
            return ()
        if op.fn in ("tuple", "list", "dict", "record"):
            self.built[op.results[0]] = new
        return (new,)


def _part(node: Op, built: dict[Value, Op]) -> Atom | None:
    """What an ``item`` or ``attr`` of a container built here reads."""
    if node.fn not in ("item", "attr") or not isinstance(node.args[0], Value):
        return None
    whole = built.get(node.args[0])
    if whole is None:
        return None
    if node.fn == "attr":
        cls = whole.attrs.get("cls")
        names: Any = whole.attrs.get("fields") or getattr(cls, "_fields", ())
        name = node.attrs["name"]
        return whole.args[names.index(name)] if name in names else None
    index = node.args[1]
    if not isinstance(index, Const):
        return None
    if whole.fn == "dict":
        keys = whole.attrs["keys"]
        return whole.args[keys.index(index.value)] if index.value in keys else None
    if type(index.value) is int and -len(whole.args) <= index.value < len(whole.args):
        return whole.args[index.value]
    return None
