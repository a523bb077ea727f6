"""Seeds of a Jacobian: the rows of the identity matrix, in the shapes of the leaves.

In: the leaves of a tree. Out: for each leaf the tangents (or cotangents) of all directions at
once, one more axis in front; and the whole cotangent of an output around them.

    leaves x: float64[3], s: float   ->   identity[:, 0:3], identity[3]
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..errors import Problem, UnsupportedError
from ..ir.builder import Builder
from ..ir.kinds import (
    INT,
    Array,
    Dict,
    FixedList,
    Kind,
    ListOf,
    Num,
    Record,
    Tuple,
    carries_derivative,
)
from ..ir.nodes import FALSE, Atom, Const, For, Function, Region, Struct, Value
from ..rules.batching_forms import Form, full_form
from ..rules.batching_shape import joined_shapes
from .adjoints import build_like, part_of, parts_of
from .forward_values import Tangent
from .jacobian_trees import Leaf, Tree, Wrt
from .results import kind_of_struct, paths

_ALL = slice(None)


def seed_of(
    function: Function, inputs: Tree, dots: Sequence[Value], wrt: Wrt, parameter: int
) -> Tangent:
    """The tangent of one parameter: its leaves' tangents in its structure."""
    structs = [inputs.struct] if wrt.single else inputs.struct.children
    found: dict[object, Tangent] = {}
    for (number, key), struct in zip(wrt.targets, structs, strict=True):
        if number != parameter:
            continue
        tree = _dots_in(struct, dots)
        if key is None:
            return tree if tree is not None else {}
        found[key] = tree if tree is not None else {}
    return found


def _dots_in(struct: Struct, dots: Sequence[Value]) -> Tangent | None:
    if struct.form == "leaf":
        return dots[struct.index]
    if struct.form == "const":
        return None
    keys = struct.keys or range(len(struct.children))
    found: dict[object, Tangent] = {}
    for key, child in zip(keys, struct.children, strict=True):
        part = _dots_in(child, dots)
        if part is not None:
            found[key] = part
    return found


def identity_rows(b: Builder, tree: Tree, kinds: Sequence[Kind]) -> list[Atom]:
    """Every leaf's rows of the identity matrix, in the leaf's shape behind the batch."""
    if not tree.leaves:
        return []
    blocks: list[Atom] = []
    whole = b.op("np.eye", tree.total)
    if isinstance(whole, Value):
        b.label(whole, None if tree.leaves[0].alone else "identity", "identity", whole)
    for leaf, kind in zip(tree.leaves, kinds, strict=True):
        match leaf.kind:
            case Num():
                block: Atom = _picked(b, whole, leaf.start)
            case ListOf():
                blocks.append(_rows(b, whole, leaf, kind))
                continue
            case _:
                block = whole if leaf.alone else _columns(b, whole, leaf)
                if not isinstance(leaf.kind, Array) or leaf.kind.rank != 1:
                    sizes = joined_shapes(b, b.op("tuple", tree.total), b.op("shape", leaf.value))
                    block = b.op("np.reshape", block, sizes)
        block = _typed(b, block, kind)
        b.narrow(block, kind)
        blocks.append(block)
    return blocks


def _typed(b: Builder, block: Atom, kind: Kind) -> Atom:
    dtype = getattr(kind, "dtype", "float64")
    return block if dtype == "float64" else b.op("cast", block, like=dtype)


def _columns(b: Builder, whole: Atom, leaf: Leaf) -> Atom:
    cut = slice_of(b, leaf.start, leaf.stop)
    index = b.op("tuple", Const.of(_ALL), cut)
    if isinstance(cut, Const):
        index = Const.of((_ALL, cut.value))
    return b.op("item", whole, index)


def slice_of(b: Builder, start: Atom, stop: Atom) -> Atom:
    if isinstance(start, Const) and isinstance(stop, Const):
        return Const.of(slice(start.value or None, stop.value))
    first = Const.of(None) if isinstance(start, Const) and start.value == 0 else start
    return b.op("slice", first, stop, Const.of(None))


def _picked(b: Builder, whole: Atom, at: Atom) -> Atom:
    """One row of the identity matrix."""
    return b.op("item", whole, at)


def _rows(b: Builder, whole: Atom, leaf: Leaf, kind: Kind) -> Atom:
    """A list with a row of the identity matrix for each number of a list."""
    return listed(b, leaf, kind, lambda at: b.op("item", whole, at))


def listed(b: Builder, leaf: Leaf, kind: Kind, make: Callable[[Atom], Atom]) -> Atom:
    """A list with what ``make`` gives for every place of a list among all elements."""
    n, out, after = Value(INT, None, "n"), Value(kind, None, "rows"), Value(kind, None, "rows")
    with b.region() as nodes:
        grown = b.ops("append", out, make(n))[0]
    empty = b.ops("list")[0]
    body = Region((n, out), tuple(nodes), (FALSE, grown))
    b.append(For((after,), leaf.start, leaf.stop, Const.of(1), (empty,), body, b.span))
    return after


def ones_like(b: Builder, leaf: Leaf) -> Atom:
    if isinstance(leaf.kind, Num):
        return Const.of(1.0)
    if isinstance(leaf.kind, ListOf):
        raise no_lists()
    return b.op("np.ones_like", leaf.value)


def no_lists() -> UnsupportedError:
    return UnsupportedError(
        Problem(
            "a list of unknown length has no cotangents in a Jacobian",
            None,
            "return an array, or use mode='forward'",
        )
    )


def check_output_leaf(function: Function, kind: Kind) -> None:
    if isinstance(kind, ListOf):
        raise no_lists()
    if getattr(kind, "dtype", "f")[0] == "c":
        raise UnsupportedError(
            Problem(
                f"{function.name} returns complex numbers, whose Jacobian takes forward mode",
                None,
                "use mode='forward'",
            )
        )


def cotangent_of(
    b: Builder, out: Struct, primary: Struct, yields: Sequence[Atom], seeds: Any
) -> Atom:
    """The cotangent of the whole output: seeds for the value, zeros for the rest."""
    kept = {index for _, index in paths(primary)}

    def inside(y: Atom, seeded: bool) -> Atom:
        if not carries_derivative(y.kind):
            return Const.of(None)
        if isinstance(y.kind, Tuple | FixedList | Dict | Record):
            keys = [key for key, _ in parts_of(y.kind)]
            return build_like(
                b, y.kind, keys, [inside(part_of(b, y, key), seeded) for key in keys]
            )
        return next(seeds) if seeded else b.op("zeros_like", y)

    def visit(s: Struct) -> Atom:
        match s.form:
            case "leaf":
                return inside(yields[s.index], s.index in kept)
            case "const":
                return Const.of(None)
        kind = kind_of_struct(s, yields)
        keys = list(s.keys or range(len(s.children)))
        return build_like(b, kind, keys, [visit(c) for c in s.children])

    return visit(out)


def cotangent_form(out: Struct, primary: Struct, yields: Sequence[Atom]) -> Form:
    kept = {index for _, index in paths(primary)}

    def visit(s: Struct) -> Form:
        if s.form == "leaf":
            return full_form(yields[s.index].kind) if s.index in kept else False
        if s.form == "const":
            return False
        return tuple(map(visit, s.children))

    return visit(out)
