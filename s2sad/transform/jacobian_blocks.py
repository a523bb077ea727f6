"""Blocks of a Jacobian: the derivatives of one leaf of the output by one leaf of the input.

In: the tangents of the output (or the cotangents of the input) for all directions. Out: an array
of shape ``(*output.shape, *input.shape)``, a float for a number by a number.

    y_dot: float64[n, m]   ->   np.moveaxis(y_dot, 0, -1)
"""

from __future__ import annotations

from ..errors import Problem, UnsupportedError
from ..ir.builder import Builder
from ..ir.kinds import (
    FLOAT,
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
from ..ir.nodes import FALSE, Atom, Const, Function
from ..rules.batching_forms import Each, Form, any_batched, expand
from ..rules.batching_shape import joined_shapes
from .adjoints import part_of, parts_of
from .jacobian_seeds import listed, no_lists, slice_of
from .jacobian_trees import Leaf, Tree, Wrt, one_number


def _shape(b: Builder, leaf: Leaf) -> Atom:
    if isinstance(leaf.kind, Num):
        return Const.of(())
    return b.op("shape", leaf.value)


def _scalar(b: Builder, kind: Kind, x: Atom) -> Atom:
    """A number as the output's own type."""
    if isinstance(kind, Num) and kind.weak:
        wanted = "complex" if kind.dtype[0] == "c" else "float"
        return b.op(wanted, x)
    return x


def forward_block(b: Builder, y: Atom, t: Atom | None, form: Form, x: Leaf, inputs: Tree) -> Atom:
    """The derivatives of one leaf of the output by one leaf of the input, axes of y first."""
    kind = y.kind
    if isinstance(kind, ListOf):
        return _forward_list(b, y, t, form, x, inputs)
    if one_number(inputs) and t is not None:
        return t
    if t is None or not any_batched(form):
        return _zeros(b, Leaf(y, kind, FALSE, FALSE, FALSE), x)
    rank = 0 if isinstance(kind, Num) else kind.rank if isinstance(kind, Array) else None
    moved = t if rank == 0 else b.op("np.moveaxis", t, source=0, destination=-1)

    def part(at: Atom) -> Atom:
        if rank == 0:
            found = b.op("item", moved, at)
            return _scalar(b, kind, found) if isinstance(found.kind, Num) else found
        return b.op("item", moved, _last(b, at))

    if isinstance(x.kind, ListOf):
        element = FLOAT if rank == 0 else kind
        return listed(b, x, ListOf(element), part)
    if isinstance(x.kind, Num):
        return part(x.start)
    if not x.alone:
        moved = part(slice_of(b, x.start, x.stop))
    if isinstance(x.kind, Array) and x.kind.rank == 1:
        return moved
    sizes = _shape(b, x) if rank == 0 else joined_shapes(b, b.op("shape", y), _shape(b, x))
    return b.op("np.reshape", moved, sizes)


def _last(b: Builder, at: Atom) -> Atom:
    if isinstance(at, Const):
        return Const.of((..., at.value))
    return b.op("tuple", Const.of(...), at)


def _forward_list(b: Builder, y: Atom, t: Atom | None, form: Form, x: Leaf, inputs: Tree) -> Atom:
    """A list of blocks, one for each number of a list."""
    kind = y.kind
    assert isinstance(kind, ListOf)
    if not isinstance(kind.elem, Num) or t is None:
        raise UnsupportedError(
            Problem("the Jacobian of a long list of arrays has no layout", None, "stack them")
        )
    inner = expand(form, kind)
    each = inner.form if isinstance(inner, Each) else False
    columns = ListOf(FLOAT)
    if isinstance(x.kind, ListOf):
        columns = ListOf(ListOf(FLOAT))
    elif not isinstance(x.kind, Num):
        columns = ListOf(x.kind)
    whole = Leaf(y, kind, Const.of(0), b.op("len", y), FALSE)
    return listed(
        b,
        whole,
        columns,
        lambda at: forward_block(b, b.op("item", y, at), b.op("item", t, at), each, x, inputs),
    )


def _zeros(b: Builder, y: Leaf, x: Leaf) -> Atom:
    """The block of an output that does not depend on an input."""
    if isinstance(x.kind, ListOf):
        raise no_lists()
    if isinstance(x.kind, Num) and isinstance(y.kind, Num):
        return Const.of(0.0)
    dtype = getattr(y.kind, "dtype", "float64")
    options = {} if dtype == "float64" else {"dtype": dtype}
    if isinstance(y.kind, Num):
        return b.op("np.zeros", _shape(b, x), **options)
    if isinstance(x.kind, Num):
        return b.op("np.zeros", _shape(b, y), **options)
    return b.op("np.zeros", joined_shapes(b, _shape(b, y), _shape(b, x)), **options)


def gradient_of(
    b: Builder,
    gradients: dict[int, tuple[Atom, Form]],
    function: Function,
    wrt: Wrt,
    place: int,
) -> tuple[Atom, Form]:
    """The cotangents of input leaf ``place``, and whether they are batched."""
    seen = 0
    for parameter, key in wrt.targets:
        kind = function.params[parameter].kind
        bar, form = gradients[parameter]
        if key is not None:
            position = [k for k, _ in parts_of(kind)].index(key)
            given = expand(form, kind)
            form = given[position] if isinstance(given, tuple) else False
            bar, kind = part_of(b, bar, key), parts_of(kind)[position][1]
        for path, leaf_form in _leaf_paths(kind, form):
            if seen == place:
                for step in path:
                    bar = part_of(b, bar, step)
                return bar, leaf_form
            seen += 1
    raise AssertionError(place)


def _leaf_paths(kind: Kind, form: Form) -> list[tuple[tuple[object, ...], Form]]:
    """The paths to the leaves that carry a derivative, each with its form."""
    if not carries_derivative(kind):
        return []
    if not isinstance(kind, Tuple | FixedList | Dict | Record):
        return [((), form)]
    given = expand(form, kind)
    assert isinstance(given, tuple)
    return [
        ((key, *path), leaf)
        for (key, k), f in zip(parts_of(kind), given, strict=True)
        for path, leaf in _leaf_paths(k, f)
    ]


def reverse_block(b: Builder, bar: Atom, form: Form, x: Leaf, y: Leaf) -> Atom:
    """The derivatives of one leaf of the output by one leaf of the input."""
    if isinstance(x.kind, ListOf):
        if y.alone and isinstance(y.kind, Num):
            return bar
        if not any_batched(form):
            raise no_lists()
        element = _kind_of_blocks(x, y)
        whole = Leaf(x.value, x.kind, Const.of(0), x.size, x.size)
        inner = Leaf(x.value, FLOAT, FALSE, FALSE, FALSE)
        return listed(
            b, whole, element, lambda at: reverse_block(b, b.op("item", bar, at), True, inner, y)
        )
    if y.alone and isinstance(y.kind, Num):
        return bar
    if not any_batched(form):
        return _zeros(b, y, x)
    if isinstance(y.kind, Num):
        row = b.op("item", bar, y.start)
        return _scalar(b, y.kind, row) if isinstance(x.kind, Num) else _cast(b, row, y.kind)
    rows = bar
    if not y.alone:
        rows = b.op("item", bar, slice_of(b, y.start, y.stop))
    if not isinstance(y.kind, Array) or y.kind.rank != 1:
        sizes = _shape(b, y)
        if not isinstance(x.kind, Num):
            sizes = joined_shapes(b, sizes, _shape(b, x))
        rows = b.op("np.reshape", rows, sizes)
    return _cast(b, rows, y.kind)


def _cast(b: Builder, rows: Atom, kind: Kind) -> Atom:
    """The block in the dtype of the output, as forward mode gives it."""
    want, have = getattr(kind, "dtype", None), getattr(rows.kind, "dtype", None)
    return b.op("cast", rows, like=want) if want and have and want != have else rows


def _kind_of_blocks(x: Leaf, y: Leaf) -> Kind:
    """The kind of the list of blocks of a list of numbers."""
    if isinstance(y.kind, Num):
        return ListOf(FLOAT)
    return ListOf(y.kind)
