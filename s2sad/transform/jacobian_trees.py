"""Trees of a Jacobian: what it is with respect to, and what the output is made of.

In: parameters, or values of the output. Out: their leaves (numbers, arrays, lists of numbers) with
their places among all elements, counted from left to right, and the structures around them.

    x: float64[3], s: float   ->   leaves x (elements 0 to 3) and s (element 3)
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ..errors import Problem, UnsupportedError
from ..ir.builder import Builder
from ..ir.kinds import (
    Array,
    Dict,
    Dim,
    FixedList,
    Kind,
    ListOf,
    Mixed,
    Num,
    Record,
    Size,
    Sym,
    Tuple,
    carries_derivative,
    same_dim,
)
from ..ir.nodes import Atom, Const, Function, Struct, Value
from ..rules.batching_forms import Form, expand
from .adjoints import part_of, parts_of
from .results import paths


@dataclass(frozen=True, slots=True)
class Wrt:
    """What is differentiated: parameters, or elements of one; ``single``: not a tuple of them."""

    targets: tuple[tuple[int, int | str | None], ...]
    single: bool


@dataclass(slots=True)
class Leaf:
    """A number, an array or a list of numbers inside a tree: its value, and its place among all.

    ``start`` and ``stop`` are the first and the last but one of its elements, counted through
    all leaves.
    """

    value: Atom
    kind: Kind
    start: Atom
    stop: Atom
    size: Atom
    alone: bool = False


@dataclass(frozen=True, slots=True)
class Tree:
    """The leaves of a value that carry a derivative, and the structure around them."""

    struct: Struct
    leaves: tuple[Leaf, ...]
    total: Atom


def one_number(tree: Tree) -> bool:
    """Whether there is but one direction: no batch is needed."""
    return len(tree.leaves) == 1 and isinstance(tree.leaves[0].kind, Num)


def name_it(b: Builder, atom: Atom, name: str | None) -> None:
    if isinstance(atom, Value) and name is not None:
        b.label(atom, name, None, atom)


def weak_of(kind: Kind) -> bool | None:
    return kind.weak if isinstance(kind, Num) else None


def dot_name(function: Function, leaf: Leaf) -> str | None:
    name = getattr(leaf.value, "name", None)
    return f"{name}_dot" if name is not None else None


def input_tree(b: Builder, function: Function, wrt: Wrt) -> Tree:
    """The leaves of everything that is differentiated."""
    parts: list[tuple[Atom, Kind]] = []
    structs: list[Struct] = []
    for parameter, key in wrt.targets:
        value: Atom = function.params[parameter]
        if key is not None:
            value = part_of(b, value, key)
        structs.append(struct_of(b, value, parts))
    struct = structs[0] if wrt.single else Struct("tuple", tuple(structs))
    for _, kind in parts:
        if getattr(kind, "dtype", "f")[0] == "c":
            raise UnsupportedError(
                Problem(
                    f"{function.name} has no Jacobian with respect to complex numbers",
                    None,
                    "pass real and imaginary parts as two arguments",
                )
            )
    return tree_of(b, parts, struct)


def struct_of(b: Builder, value: Atom, parts: list[tuple[Atom, Kind]]) -> Struct:
    """The structure of a value; its leaves are appended to ``parts``."""
    kind = value.kind
    if not carries_derivative(kind):
        return Struct("const", cls=None)
    match kind:
        case Tuple() | FixedList() | Dict() | Record():
            children = tuple(
                struct_of(b, part_of(b, value, key), parts) for key, _ in parts_of(kind)
            )
            keys = tuple(key for key, _ in parts_of(kind))
            match kind:
                case Tuple():
                    return Struct("tuple", children, cls=kind.cls)
                case FixedList():
                    return Struct("list", children)
                case Dict():
                    return Struct("dict", children, keys, dict)
                case _:
                    return Struct("record", children, keys, kind.cls)
        case Num() | Array() | Mixed():
            pass
        case ListOf() if isinstance(kind.elem, Num):
            pass
        case _:
            raise UnsupportedError(
                Problem(
                    "a Jacobian with respect to a long list of arrays or tuples has no layout",
                    None,
                    "stack them into one array",
                )
            )
    parts.append((value, kind))
    return Struct("leaf", index=len(parts) - 1)


def tree_of(
    b: Builder, parts: Sequence[tuple[Atom, Kind]], struct: Struct, params: Sequence[Value] = ()
) -> Tree:
    """The leaves with their places among all elements."""
    leaves = []
    start: Atom = Const.of(0)
    for value, kind in parts:
        size = _size_of(b, value, kind, params)
        stop = b.add(start, size)
        leaves.append(Leaf(value, kind, start, stop, size, alone=len(parts) == 1))
        start = stop
    return Tree(struct, tuple(leaves), start)


def _size_of(b: Builder, value: Atom, kind: Kind, params: Sequence[Value]) -> Atom:
    match kind:
        case Array() if kind.rank == 1 and (same := _as_long(kind, params)) is not None:
            return b.op("len", same)
        case Num():
            return Const.of(1)
        case Array() if kind.dims is not None and all(isinstance(d, int) for d in kind.dims):
            return Const.of(math.prod(d for d in kind.dims if isinstance(d, int)))
        case ListOf():
            return b.op("len", value)
        case Array() if kind.rank == 1:
            return b.op("len", value)
        case _:
            return b.op("np.size", value)


def _as_long(kind: Array, params: Sequence[Value]) -> Value | None:
    """A parameter whose first axis is proved to have the size of a vector."""
    for p in params:
        if isinstance(p.kind, Array) and p.kind.dims and kind.dims:
            if same_dim(p.kind.dims[0], kind.dims[0]):
                return p
    return None


def total_dim(tree: Tree) -> Dim:
    """What is known of the number of all elements; equal for trees of equal sizes only."""
    factors: list[Dim] = []
    for leaf in tree.leaves:
        match leaf.kind:
            case Num():
                factors.append(1)
            case Array() if leaf.kind.dims is not None and leaf.alone and leaf.kind.rank == 1:
                return leaf.kind.dims[0]
            case Array() if leaf.kind.dims is not None:
                factors.append(_product(leaf.kind.dims))
            case _:
                factors.append(Size())
    if all(isinstance(d, int) for d in factors):
        return sum(d for d in factors if isinstance(d, int))
    if any(isinstance(d, Size) for d in factors):
        return Sym(("size", object()))  # the same as no other
    return Sym(("sum", tuple(factors)))


def _product(dims: Sequence[Dim]) -> Dim:
    if all(isinstance(d, int) for d in dims):
        return math.prod(d for d in dims if isinstance(d, int))
    return Size() if any(isinstance(d, Size) for d in dims) else Sym(("product", tuple(dims)))


def output_parts(b: Builder, struct: Struct, yields: Sequence[Atom]) -> list[tuple[Atom, Kind]]:
    """The leaves of the output that carry a derivative, in order."""
    parts: list[tuple[Atom, Kind]] = []
    for _, index in paths(struct):
        struct_of(b, yields[index], parts)
    return parts


def input_struct(
    b: Builder, inputs: Tree, leaves: list[Atom], make: Callable[[Leaf], Atom]
) -> Struct:
    """The tree of the inputs with a block of the Jacobian in the place of each leaf."""

    def visit(struct: Struct) -> Struct:
        if struct.form == "leaf":
            leaves.append(make(inputs.leaves[struct.index]))
            return Struct("leaf", index=len(leaves) - 1)
        return Struct(struct.form, tuple(map(visit, struct.children)), struct.keys, struct.cls)

    return visit(inputs.struct)


def output_struct(
    b: Builder,
    out: Struct,
    out_dot: Struct,
    yields: Sequence[Atom],
    forms: Sequence[Form],
    rows: Callable[[Sequence[object], Atom, Atom | None, Form], Struct],
) -> Struct:
    """The tree of the output with a tree of blocks in the place of each leaf."""

    def inside(y: Atom, t: Atom | None, form: Form) -> Struct:
        kind = y.kind
        if not carries_derivative(kind):
            return Struct("const", cls=None)
        if not isinstance(kind, Tuple | FixedList | Dict | Record):
            return rows((), y, t, form)
        given = expand(form, kind)
        assert isinstance(given, tuple)
        children = tuple(
            inside(part_of(b, y, key), None if t is None else part_of(b, t, key), f)
            for (key, _), f in zip(parts_of(kind), given, strict=True)
        )
        empty = struct_of(b, y, [])
        return Struct(empty.form, children, empty.keys, empty.cls)

    def visit(s: Struct, d: Struct) -> Struct:
        if s.form == "leaf":
            y = yields[s.index]
            if d.form != "leaf":
                return Struct("const", cls=None)
            return inside(y, yields[d.index], forms[d.index])
        if s.form == "const":
            return Struct("const", cls=None)
        children = tuple(visit(x, y) for x, y in zip(s.children, d.children, strict=True))
        return Struct(s.form, children, s.keys, s.cls)

    return visit(out, out_dot)


def moved(struct: Struct, yields: Sequence[Atom], leaves: list[Atom]) -> Struct:
    """A part of the output passed through."""
    if struct.form == "leaf":
        leaves.append(yields[struct.index])
        return Struct("leaf", index=len(leaves) - 1)
    children = tuple(moved(c, yields, leaves) for c in struct.children)
    return Struct(struct.form, children, struct.keys, struct.cls)
