"""Sums of what a mask chooses, without gathering it.

In: a module whose tapes are stacked. Out: the same module, in which elements that a mask chooses,
that are only added up, counted, or written back where they came from, are added up and counted
where they stand; a gathered array that holds one number everywhere is that number::

    v = z[m]                               s = np.sum(np.where(m, z, 0.0))
    s = v.sum(); n = v.size                n = int(np.sum(np.where(m, 1.0, 0.0)))
    z_bar[m] += np.full_like(v, c)   ->    z_bar[m] += c

Loops over elements can do that, and the mask need not exist, if it is cheap to compare again.

Why these are the same numbers. The mask is known to have the shape of the array it chooses from
(equal dimensions in the kinds, which every call checks), so that choosing cannot raise. All that
is known to come of it (`_Found`) is arithmetic that cannot raise, and has one element for each
that the mask chooses. What is computed where the mask does not choose goes nowhere: ``np.where``
takes 0.0 instead, whatever it is. Ones add up exactly to any length of an array there can be.
Values have no storage here, so that an array or a mask written later is another value.

A mask is left alone unless all that is chosen by it is used in these ways alone, in the loop in
which it is chosen: otherwise it would be gathered all the same, or fewer elements would be read.
What is written back, `masked.py` chooses by ``np.where``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from ...ir.kinds import FLOAT, INT, Array, Num, same_dim
from ...ir.mapping import Mapper, map_regions, with_nodes
from ...ir.nodes import (
    Atom,
    Const,
    For,
    Function,
    If,
    Module,
    Node,
    Op,
    Region,
    Value,
    While,
    operands_of,
    regions_of,
    walk,
)
from .fusion.common import computed_once
from .fusion.elements import CONSTANTS, is_elementwise, is_filled

__all__ = ["sums_where_they_stand"]

#: Arithmetic that cannot raise, and may be done for nothing.
_CHEAP = frozenset({"add", "sub", "mul", "div", "neg", "add_to", "ratio", "abs", "np.abs"})
_CHEAP |= {f"np.{f}" for f in ("add", "subtract", "multiply", "negative", "square", "where")}
_CHEAP |= {"lt", "le", "gt", "ge", "eq", "ne", "pow"}
#: Of these, what is the same for two numbers as for arrays of them.
_OF_NUMBERS = frozenset({"add", "sub", "mul", "div", "neg", "add_to", "ratio"})
_SUMS = frozenset({"np.sum", "np.mean", "np.vdot"})
_COUNTS = frozenset({"np.size", "len"})


def sums_where_they_stand(module: Module) -> Module:
    """The module without gathered arrays that are only added up, counted or written back."""
    return Module({name: _function(f) for name, f in module.functions.items()})


def _function(f: Function) -> Function:
    if not any(isinstance(n, Op) and n.fn == "item" and is_mask(n) for n in walk(f.body)):
        return f
    whole, f = f, computed_once(f, _may_be_shared)
    found = _Found()
    found.region(f.body, ())
    masks = found.good(f.body)
    if not masks:
        return whole
    gone = {v for v, mask in found.mask.items() if mask in masks}
    body = _InPlace(found, masks, _read_in_full(found, f.body)).region(f.body)
    return replace(f, body=_without_unread(body, gone))


def _may_be_shared(op: Op) -> bool:
    """Arithmetic of numbers, by which masks are compared, and what is chosen by a mask."""
    if op.fn == "item":
        return is_mask(op)
    return op.fn in _OF_NUMBERS and not op.attrs and isinstance(op.results[0].kind, Num)


def is_mask(op: Op) -> bool:
    """Whether the op's index is a mask that is known to have the shape of the array."""
    array, mask = op.args[0].kind, op.args[1].kind
    if not isinstance(array, Array) or not isinstance(mask, Array) or mask.dtype != "bool":
        return False
    if not mask.dims or array.dims is None or len(mask.dims) != len(array.dims):
        return False
    return isinstance(op.args[1], Value) and all(map(same_dim, array.dims, mask.dims))


@dataclass(slots=True)
class _Found:
    """What has one element for each that a mask chooses.

    ``mask`` says of each such value which mask, ``fills`` are those of one number all over,
    ``loops`` the loops around each value.
    """

    mask: dict[Value, Value] = field(default_factory=dict)
    fills: set[Value] = field(default_factory=set)
    loops: dict[Value, tuple[Node, ...]] = field(default_factory=dict)
    where: dict[Node, tuple[Node, ...]] = field(default_factory=dict)

    def region(self, region: Region, loops: tuple[Node, ...]) -> None:
        for node in region.ops:
            self.where[node] = loops
            inside = (*loops, node) if isinstance(node, For | While) else loops
            for inner in regions_of(node):
                self.region(inner, inside)
            if isinstance(node, Op) and len(node.results) == 1:
                self.op(node, loops)
            elif isinstance(node, If):
                self.branch(node, loops)

    def note(self, v: Value, mask: Value, loops: tuple[Node, ...], fill: bool) -> None:
        self.mask[v] = mask
        self.loops[v] = loops
        if fill:
            self.fills.add(v)

    def op(self, op: Op, loops: tuple[Node, ...]) -> None:
        (v,) = op.results
        if not isinstance(v.kind, Array) or v.kind.dtype not in ("float64", "bool"):
            return
        if op.fn == "item":
            if is_mask(op) and isinstance(op.args[1], Value):
                self.note(v, op.args[1], loops, False)
            return
        arrays = [a for a in op.args if not isinstance(a.kind, Num)]
        masks = {self.mask.get(a) if isinstance(a, Value) else None for a in arrays}
        mask = masks.pop() if len(masks) == 1 else None
        if mask is None:
            return
        if op.fn in CONSTANTS or is_filled(op):
            if v.kind.dtype == "float64" and not op.attrs:
                self.note(v, mask, loops, True)
        elif op.fn == "broadcast_like" and isinstance(op.args[0].kind, Num):
            if op.args[0].kind.dtype == "float64" == v.kind.dtype and op.args[1] in arrays:
                self.note(v, mask, loops, True)
        elif op.fn in ("unbroadcast", "copied"):
            self.note(v, mask, loops, op.args[0] in self.fills)
        elif op.fn in _CHEAP and is_elementwise(op):
            fill = all(a in self.fills for a in arrays)
            if not fill or (op.fn in _OF_NUMBERS and v.kind.dtype == "float64"):
                self.note(v, mask, loops, fill)

    def branch(self, node: If, loops: tuple[Node, ...]) -> None:
        """What is filled with a number in either arm is filled with one of two numbers."""
        for v, a, b in zip(node.results, node.then.yields, node.orelse.yields, strict=True):
            if a in self.fills and b in self.fills and isinstance(a, Value):
                if isinstance(b, Value) and self.mask[a] is self.mask[b]:
                    self.note(v, self.mask[a], loops, True)

    def good(self, body: Region) -> set[Value]:
        """The masks all of whose choices are used where they stand, and some by sums."""
        bad: set[Value | None] = set()
        wanted: set[Value] = set()
        for node in walk(body):
            for a in operands_of(node):
                if isinstance(a, Value) and a in self.mask:
                    if not isinstance(node, Op) or not self.is_use(node, a):
                        bad.add(self.mask[a])
                    elif node.fn in _SUMS | _COUNTS or a in self.fills:
                        wanted.add(self.mask[a])
            for region in regions_of(node):
                for k, y in enumerate(region.yields):
                    if not isinstance(y, Value) or y not in self.mask:
                        continue
                    if not isinstance(node, If) or node.results[k] not in self.fills:
                        bad.add(self.mask[y])
        bad |= {self.mask.get(y) for y in body.yields if isinstance(y, Value)}
        return wanted - bad

    def is_use(self, op: Op, v: Value) -> bool:
        """Whether an op uses what is chosen in one of the ways that are known."""
        if self.where[op] != self.loops[v]:
            return False
        if any(r in self.mask for r in op.results):
            return op.fn != "item"
        if op.fn in _COUNTS:
            return not op.attrs
        if op.fn in _SUMS:
            whole = not op.attrs and op.results[0].kind == Num("float64", False)
            return whole and all(self.is_term(a, self.mask[v]) for a in op.args)
        if op.fn in ("setitem", "accumulate"):
            array = op.args[0].kind
            floats = isinstance(array, Array) and array.dtype == "float64"
            return floats and op.args[1] is self.mask[v] and op.args[2] is v and is_mask(op)
        return False

    def is_term(self, a: Atom, mask: Value) -> bool:
        if not isinstance(a, Value) or a in self.fills or self.mask.get(a) is not mask:
            return False
        return isinstance(a.kind, Array) and a.kind.dtype == "float64"


def _read_in_full(found: _Found, body: Region) -> set[Value]:
    """What must be computed of all elements: what is added up, and what that is computed from."""
    made = {r: n for n in walk(body) for r in n.results}
    full: set[Value] = set()
    ahead: list[Atom] = []
    for n in walk(body):
        if isinstance(n, Op) and n.fn in _SUMS:
            ahead += n.args
    while ahead:
        v = ahead.pop()
        if isinstance(v, Value) and v in found.mask and v not in full:
            full.add(v)
            ahead += operands_of(made[v])
    return full


class _InPlace(Mapper):
    """Computes sums and counts with whole arrays; puts numbers where arrays are full of them."""

    def __init__(self, found: _Found, masks: set[Value], full: set[Value]) -> None:
        super().__init__()
        self.found = found
        self.masks = masks
        self.full = full
        #: the arrays that values are chosen of
        self.whole: dict[Atom, Atom] = {}
        self.counts: dict[Value, Value] = {}

    def region(self, region: Region) -> Region:
        outside = dict(self.counts)
        made = super().region(region)
        self.counts = outside  # what a branch counts is not at hand after it
        return made

    def mask(self, a: Atom) -> Value | None:
        """The mask that has chosen a value, if it is one of those that gather nothing."""
        mask = self.found.mask.get(a) if isinstance(a, Value) else None
        return mask if mask in self.masks else None

    def value(self, value: Value) -> Value:
        """The result of a branch is the number that it would be filled with."""
        if self.mask(value) is None or value not in self.found.fills:
            return value
        number = Value(Num("float64", False), value.name)
        self.known[value] = number
        return number

    def op(self, op: Op) -> Sequence[Node]:
        mask = next((m for a in (*op.results, *op.args) if (m := self.mask(a)) is not None), None)
        if mask is None:
            return super().op(op)
        if op.fn in _SUMS:
            return self.total(op, mask)
        if op.fn in _COUNTS:
            nodes: list[Node] = []
            self.known[op.results[0]] = self.count(mask, nodes, op)
            return nodes
        if any(r in self.found.fills for r in op.results):
            return self.number(op)
        args = self.atoms(op.args)
        if op.fn == "add_to" and isinstance(args[0].kind, Num):
            op = replace(op, fn="add")
        if op.fn in ("setitem", "accumulate"):
            return (replace(op, args=args),)
        if op.fn == "unbroadcast":
            self.known[op.results[0]] = args[0]
            self.whole[op.results[0]] = self.whole.get(op.args[0], args[0])
            return ()
        new = replace(op, args=args)
        return (new, *self.computed(op, args)) if op.results[0] in self.full else (new,)

    def number(self, op: Op) -> Sequence[Node]:
        """The number in the place of an array that is filled with it."""
        (v,) = op.results
        args = self.atoms(op.args)
        if op.fn in CONSTANTS:
            self.known[v] = Const(CONSTANTS[op.fn], FLOAT)
        elif is_filled(op):
            self.known[v] = args[1]
        elif op.fn in ("broadcast_like", "unbroadcast", "copied"):
            self.known[v] = args[0]
        else:
            made = self.value(v)
            fn = "add" if op.fn == "add_to" else op.fn
            return (Op((made,), fn, args, op.attrs, op.span),)
        return ()

    def computed(self, op: Op, args: tuple[Atom, ...]) -> Sequence[Node]:
        """The same of whole arrays."""
        (v,) = op.results
        if op.fn == "item":
            self.whole[v] = args[0]
            return ()
        parts = tuple(self.whole.get(a, new) for a, new in zip(op.args, args, strict=True))
        if op.fn == "copied":
            self.whole[v] = parts[0]
            return ()
        mask = self.found.mask[v]
        assert isinstance(v.kind, Array)
        assert isinstance(mask.kind, Array)
        made = Value(Array(v.kind.dtype, mask.kind.dims), v.name)
        self.whole[v] = made
        fn = "add" if op.fn == "add_to" else op.fn
        return (Op((made,), fn, parts, op.attrs, op.span),)

    def total(self, op: Op, mask: Value) -> Sequence[Node]:
        """The sum of what stands where the mask is true."""
        nodes: list[Node] = []
        terms = tuple(self.whole[a] for a in op.args)
        kind = Array("float64", mask.kind.dims)  # type: ignore[attr-defined]
        term = terms[0]
        if op.fn == "np.vdot":
            term = Value(kind)
            nodes.append(Op((term,), "mul", terms, {}, op.span))
        chosen = Value(kind)
        zero = Const(0.0, FLOAT)
        nodes.append(Op((chosen,), "np.where", (mask, term, zero), {}, op.span))
        if op.fn != "np.mean":
            return (*nodes, Op(op.results, "np.sum", (chosen,), {}, op.span))
        total = Value(op.results[0].kind)
        nodes.append(Op((total,), "np.sum", (chosen,), {}, op.span))
        count = self.count(mask, nodes, op)
        return (*nodes, Op(op.results, "div", (total, count), {}, op.span))

    def count(self, mask: Value, nodes: list[Node], op: Op) -> Value:
        """How many elements the mask chooses."""
        known = self.counts.get(mask)
        if known is None:
            ones = Value(Array("float64", mask.kind.dims))  # type: ignore[attr-defined]
            total = Value(Num("float64", False))
            known = self.counts[mask] = Value(INT, "count")
            one, zero = Const(1.0, FLOAT), Const(0.0, FLOAT)
            nodes += [
                Op((ones,), "np.where", (mask, one, zero), {}, op.span),
                Op((total,), "np.sum", (ones,), {}, op.span),
                Op((known,), "int", (total,), {}, op.span),
            ]
        return known


def _without_unread(body: Region, gone: set[Value]) -> Region:
    """The region without those of the values that nobody reads any more."""
    while True:
        used = {a for n in walk(body) for a in operands_of(n)}
        used |= {y for n in walk(body) for r in regions_of(n) for y in r.yields}
        used |= set(body.yields)
        unread = {
            n for n in walk(body) if n.results and gone.difference(used).issuperset(n.results)
        }
        if not unread:
            return body
        body = _without(body, unread)


def _without(region: Region, nodes: set[Node]) -> Region:
    kept = [map_regions(n, lambda r: _without(r, nodes)) for n in region.ops if n not in nodes]
    return with_nodes(region, kept)
