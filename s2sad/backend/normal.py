"""Normal form for writing out: dead code dropped, indexed writes as one op each.

In: a function. Out: the same function in which ``setitem`` and ``accumulate`` have become
``store``, so that what a person writes as one statement is one node.

    t = item(u, i); s = add(t, v); u1 = setitem(u, i, s)   ->   u1 = store(u, i, v, how="+=")
    r = item(a, i); r1 = setitem(r, j, v); a1 = setitem(a, i, r1)   ->   a1 = store(a, i, j, v)
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ..analysis.distinct import repeats_nothing
from ..ir.kinds import Array, FixedList, ListOf, Num
from ..ir.nodes import (
    FALSE,
    TRUE,
    Atom,
    Const,
    For,
    Function,
    If,
    Node,
    Op,
    Region,
    Value,
    While,
)
from ..transform.dead_code import needed
from ..transform.target import is_for_compiler
from .ops import ARITHMETIC, effect, fits_in_place, is_basic_index, is_mask, same_index


def normalize(function: Function) -> Function:
    """The function with stores fused and dead ops dropped."""
    body = _Fuse().region(function.body)
    kept = needed(body.ops, body.yields, effect)
    return replace(function, body=Region((), tuple(kept), body.yields))


# -- stores ---------------------------------------------------------------------------------------


class _Fuse:
    def __init__(self) -> None:
        self.definitions: dict[Value, Node] = {}

    def region(self, region: Region) -> Region:
        ops = []
        for node in region.ops:
            new = self.node(node)
            ops.append(new)
            for r in new.results:
                self.definitions[r] = new
        return Region(region.params, tuple(ops), region.yields)

    def node(self, node: Node) -> Node:
        match node:
            case Op(fn="setitem"):
                return self.setitem(node)
            case Op(fn="accumulate"):
                return self.accumulate(node)
            case If():
                then, orelse = self.region(node.then), self.region(node.orelse)
                return If(node.results, node.cond, then, orelse, node.span)
            case For():
                return replace(node, body=_decided(self.region(node.body)))
            case While():
                body = _decided(self.region(node.body))
                return replace(node, test=self.region(node.test), body=body)
            case _:
                return node

    def defined(self, atom: Atom) -> Op | None:
        node = self.definitions.get(atom) if isinstance(atom, Value) else None
        return node if isinstance(node, Op) else None

    def setitem(self, node: Op) -> Op:
        root, index, value = node.args
        source = self.defined(value)
        if source is not None and source.fn == "store":
            inner = self.defined(source.args[0])
            if self.reads(inner, root, index) and isinstance(root.kind, Array):
                if is_basic_index(index, self.definitions):
                    return _store(node, source.attrs["how"], root, index, *source.args[1:])
        if source is not None and source.fn in ARITHMETIC and _unnamed(value, node):
            left, right = source.args
            whole = isinstance(index, Const) and index.value is Ellipsis
            if left is root and whole and fits_in_place(root.kind, right.kind, value.kind):
                return _store(node, ARITHMETIC[source.fn] + "=", root, right)
            inner = self.defined(left)
            if inner is not None and self.reads(inner, root, index):
                scalar = isinstance(left.kind, Num)
                if scalar or fits_in_place(left.kind, right.kind, value.kind):
                    if scalar or isinstance(root.kind, Array):
                        return _store(node, ARITHMETIC[source.fn] + "=", root, index, right)
        return _store(node, "=", root, index, value)

    def accumulate(self, node: Op) -> Op:
        root, index, g = node.args
        how = "+="
        source = self.defined(g)
        if isinstance(root.kind, Array):
            if not is_basic_index(index, self.definitions) and not self.is_once(index):
                how = "at"
            elif source is not None and source.fn == "neg" and g.name is None:
                how, g = "-=", source.args[0]
        elif isinstance(root.kind, ListOf | FixedList) and isinstance(g.kind, Num):
            how = "+="
        else:
            how = "helper"
        return _store(node, how, root, index, g)

    def is_once(self, index: Atom) -> bool:
        """Whether NumPy may add by this index without minding repetitions."""
        if is_mask(index):
            return True
        return not is_for_compiler() and repeats_nothing(index, self.definitions)

    def reads(self, inner: Op | None, root: Atom, index: Atom) -> bool:
        """True if ``inner`` is ``item(root, index)``."""
        if inner is None or inner.fn != "item" or inner.args[0] is not root:
            return False
        return same_index(inner.args[1], index, self.definitions)


def _unnamed(value: Atom, node: Op) -> bool:
    """True for a value without a name of its own: the user wrote an augmented assignment."""
    return isinstance(value, Value) and (value.name is None or value.name == node.results[0].name)


def _store(node: Op, how: str, *args: Atom) -> Op:
    attrs: dict[str, Any] = {"how": how}
    return Op(node.results, "store", args, attrs, node.span)


# -- leaving --------------------------------------------------------------------------------------


def _decided(body: Region) -> Region:
    """Inside ``if c`` it is known what c says about leaving."""
    last = body.ops[-1] if body.ops else None
    leave = body.yields[0]
    if not isinstance(last, If) or leave not in last.results:
        return body
    at = last.results.index(leave)
    new = _decide(last, at, {})
    return body if new is last else Region(body.params, (*body.ops[:-1], new), body.yields)


def _decide(node: If, at: int, known: dict[Atom, Atom]) -> If:
    arms = []
    for arm, truth in ((node.then, TRUE), (node.orelse, FALSE)):
        facts = {**known, node.cond: truth}
        yields = list(arm.yields)
        yields[at] = facts.get(yields[at], yields[at])
        ops = list(arm.ops)
        last = ops[-1] if ops else None
        if isinstance(last, If) and yields[at] in last.results:
            ops[-1] = _decide(last, last.results.index(yields[at]), facts)
        arms.append(Region((), tuple(ops), tuple(yields)))
    return If(node.results, node.cond, arms[0], arms[1], node.span)
