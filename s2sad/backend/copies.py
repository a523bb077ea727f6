"""Copies: a function with copies put in where they were decided on.

In: a function and ``Edits``. Out: the function with ``copy`` ops before operands, after values,
before loops or at entry.

    b = setitem(a, 0, v)   ->   c = copy(a); b = setitem(c, 0, v)
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from ..ir.kinds import SAVED, Array, Kind, Num, Record, Tuple
from ..ir.nodes import (
    Atom,
    Call,
    Const,
    For,
    Function,
    If,
    Node,
    Op,
    Region,
    Value,
    While,
    regions_of,
)
from ..rules.layout import copy_in_layout
from ..transform.target import is_for_compiler
from .ops import view_of, writes
from .undefined import may_be_absent

_BY_STRIDES = frozenset({"is_view", "copy_with_strides"})


@dataclass(slots=True)
class Edits:
    """Copies to be put in: before an operand is read, after a value is made, at entry."""

    operands: set[tuple[Node, int]] = field(default_factory=set)
    init: set[tuple[Node, int]] = field(default_factory=set)
    values: set[Value] = field(default_factory=set)
    entry: set[Value] = field(default_factory=set)
    yields: set[int] = field(default_factory=set)

    def keys(self) -> set[tuple[object, int]]:
        """What was decided, so that nothing is tried twice."""
        whole = {(v, -1) for v in self.values} | {(p, -2) for p in self.entry}
        loops = {(node, -3 - k) for node, k in self.init}
        return {*self.operands, *whole, *loops}

    def __bool__(self) -> bool:
        return bool(self.operands or self.init or self.values or self.entry or self.yields)


class Insert:
    """Rebuilds a function with copies put in: stride by stride where the layout matters."""

    def __init__(self, edits: Edits, function: Function) -> None:
        self.edits = edits
        #: the function asks for the layout, or its arguments had one of their own
        self.asks = any(op.fn in _BY_STRIDES for op in all_ops(function.body))
        self.absent = may_be_absent(function.body)
        self.by_strides = _reversed_views(function.body) | _strided_factors(function.body)
        self.swapped: dict[Node, Node] = {}
        self.renamed: dict[Value, Value] = {}

    def function(self, function: Function) -> tuple[Function, dict[Node, Node]]:
        ops: list[Node] = []
        for p in function.params:
            if p in self.edits.entry:
                copied = Value(p.kind, p.name)
                ops.append(Op((copied,), self.copy_of(p.kind), (p,)))
                self.renamed[p] = copied
        body = self.region(function.body)
        yields = list(body.yields)
        tail: list[Node] = []
        for k in sorted(self.edits.yields):
            source = yields[k]
            copied = Value(source.kind, None)
            fn = (
                "copied" if not isinstance(source.kind, Array) or source in self.absent else "copy"
            )
            tail.append(Op((copied,), fn, (source,)))
            yields[k] = copied
        body = Region(body.params, (*ops, *body.ops, *tail), tuple(yields))
        return replace(function, body=body), self.swapped

    def atom(self, a: Atom) -> Atom:
        return self.renamed.get(a, a) if isinstance(a, Value) else a

    def atoms(self, atoms: Iterable[Atom]) -> tuple[Atom, ...]:
        return tuple(map(self.atom, atoms))

    def region(self, region: Region) -> Region:
        ops: list[Node] = []
        for node in region.ops:
            new = self.node(node, ops)
            if new is not node:
                self.swapped[node] = new
            ops.append(new)
            for n, r in enumerate(new.results):
                if r in self.edits.values:
                    # the copy takes the value's place, the view goes into the copy's expression
                    view = Value(r.kind, None)
                    results = (*new.results[:n], view, *new.results[n + 1 :])
                    ops[-1] = replace(new, results=results)
                    self.swapped[node] = ops[-1]
                    ops.append(Op((r,), self.copy_of(r.kind, r), (view,), {}, new.span))
        return Region(region.params, tuple(ops), self.atoms(region.yields))

    def copy_of(self, kind: Kind, value: Atom | None = None) -> str:
        """What copies a value of that kind; a tuple is copied with all that is in it."""
        whole = isinstance(kind, Tuple | Record) or kind == SAVED
        asks = self.asks or (value in self.by_strides and not is_for_compiler())
        return "copied" if whole else copy_in_layout(kind, asks)

    def copied(self, a: Atom, name: str | None, node: Node, ops: list[Node]) -> Atom:
        value = Value(a.kind, name)
        fn = "copied" if a in self.absent else self.copy_of(a.kind, a)
        ops.append(Op((value,), fn, (a,), {}, node.span))
        return value

    def node(self, node: Node, ops: list[Node]) -> Node:
        edits = self.edits
        match node:
            case Op() | Call():
                args = list(self.atoms(node.args))
                for k in range(len(args)):
                    if (node, k) in edits.operands:
                        target = writes(node) if isinstance(node, Op) else k
                        name = node.results[0].name if k == target and node.results else None
                        args[k] = self.copied(args[k], name, node, ops)
                if all(a is b for a, b in zip(args, node.args, strict=True)):
                    return node
                return replace(node, args=tuple(args))
            case If():
                then, orelse = self.region(node.then), self.region(node.orelse)
                return If(node.results, self.atom(node.cond), then, orelse, node.span)
            case For() | While():
                init = list(self.atoms(node.init))
                params = node.body.params[1:] if isinstance(node, For) else node.body.params
                for k, p in enumerate(params):
                    if (node, k) in edits.init:
                        init[k] = self.copied(init[k], p.name, node, ops)
                body = self.region(node.body)
                if isinstance(node, For):
                    start, stop, step = self.atoms((node.start, node.stop, node.step))
                    return For(node.results, start, stop, step, tuple(init), body, node.span)
                test = self.region(node.test)
                return While(node.results, tuple(init), test, body, node.span)


def _reversed_views(region: Region) -> set[Atom]:
    """Views that go backwards along an axis: NumPy computes their last digits in another way.

    Its vector code for powers and exponentials takes arrays that go forwards only.
    """
    steps: set[Atom] = set()
    found: set[Atom] = set()
    for op in all_ops(region):
        if op.fn in ("slice", "tuple"):
            if any(a in steps or _goes_back(a) for a in op.args) or _is_reverse(op):
                steps.update(op.results)
        elif op.fn == "item":
            base, index = op.args
            if base in found or index in steps or _goes_back(index):
                found.update(op.results)
        elif op.fn in _FLIPS or ((k := view_of(op)) is not None and op.args[k] in found):
            found.update(op.results)
    return found


def _strided_factors(region: Region) -> set[Atom]:
    """Columns and the like that are multiplied: BLAS sums them in an order of their own."""
    found: set[Atom] = set()
    views: set[Atom] = set()
    columns: set[Atom] = set()
    for op in all_ops(region):
        if op.fn == "tuple" and op.args and isinstance(op.args[-1].kind, Num):
            columns.update(op.results)
        elif op.fn == "item" and isinstance(op.args[0].kind, Array):
            index = op.args[1]
            last = (
                index.value[-1:]
                if isinstance(index.kind, Tuple) and isinstance(index, Const)
                else ()
            )
            if index in columns or any(type(v) is int for v in last):
                views.update(r for r in op.results if getattr(r.kind, "rank", None) == 1)
        elif op.fn in _PRODUCTS:
            found.update(a for a in op.args if a in views)
    return found


_PRODUCTS = frozenset({"matmul", "np.dot", "np.vdot", "np.inner", "np.matmul", "np.einsum"})
_FLIPS = frozenset({"np.flip", "np.flipud", "np.fliplr", "np.rot90"})


def _is_reverse(op: Op) -> bool:
    """Whether it makes a slice whose step is known to be below 0."""
    step = op.args[2] if op.fn == "slice" else None
    return isinstance(step, Const) and type(step.value) is int and step.value < 0


def _goes_back(index: Atom) -> bool:
    """Whether a constant index has a slice that goes backwards."""
    if not isinstance(index, Const):
        return False
    parts = index.value if type(index.value) is tuple else (index.value,)
    return any(isinstance(p, slice) and p.step is not None and p.step < 0 for p in parts)


def all_ops(region: Region) -> Iterable[Op]:
    for node in region.ops:
        if isinstance(node, Op):
            yield node
        for inner in regions_of(node):
            yield from all_ops(inner)
