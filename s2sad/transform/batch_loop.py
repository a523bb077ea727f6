"""Loops over the batch: what always works where no batch rule does.

In: a node and what its batched operands have become. Out: a loop in the IR that runs the node for
one member after the other and puts the results together.

    y = interp_scatter(v, x, xp)    v: float64[B, n]
    ->
    for k in range(B): ys = append(ys, interp_scatter(item(v, k), x, xp))
    y = np.stack(ys)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from ..errors import Problem, UnsupportedError
from ..ir.builder import Builder
from ..ir.clone import clone
from ..ir.kinds import (
    INT,
    SAVED,
    Array,
    Dict,
    Dim,
    FixedList,
    Kind,
    ListOf,
    Mixed,
    Num,
    Opaque,
    Record,
    Tuple,
)
from ..ir.nodes import FALSE, Atom, Const, For, Node, Op, Region, Value
from ..rules.batching import Operand
from ..rules.batching_forms import Each, Form, any_batched, batched_kind, expand, full_form
from .adjoints import build_like, part_of, parts_of

__all__ = ["for_each_element", "loop_over_members"]


def loop_over_members(
    b: Builder, size: Atom, dim: Dim, node: Node, operands: Mapping[Value, Operand]
) -> Iterator[tuple[Value, Atom, Form]]:
    """The results of ``node``, each with what it has become and its form.

    Raises UnsupportedError where members of the batch have results that no array can hold.
    """
    places: list[tuple[Value, tuple[object, ...], Kind]] = [
        (result, path, kind) for result in node.results for path, kind in _leaves(result.kind)
    ]
    opaque = any(x.batched and x.kind == SAVED for x in operands.values())
    for kind in [kind for _, _, kind in places] or [INT]:
        if opaque or not isinstance(kind, Num | Array | Mixed | ListOf):
            what = node.fn if isinstance(node, Op) else "this statement"
            raise UnsupportedError(
                Problem(
                    f"{what} cannot be done for many tangents at once",
                    node.span,
                    "take one direction after the other: jvp, hvp or vjp",
                )
            )
    k = Value(INT, None, "k")
    lists = [Value(ListOf(kind), None, "each") for _, _, kind in places]
    with b.region() as nodes:
        mapping = {old: _member(b, x.atom, x.kind, x.form, k) for old, x in operands.items()}
        copies, results = clone(Region((), (node,), node.results), mapping)
        for copy in copies:
            b.append(copy)
        made = dict(zip(node.results, results, strict=True))
        grown = []
        for (result, path, _), each in zip(places, lists, strict=True):
            leaf = made[result]
            for key in path:
                leaf = part_of(b, leaf, key)
            grown.append(b.ops("append", each, leaf)[0])
    body = Region((k, *lists), tuple(nodes), (FALSE, *grown))
    after = tuple(Value(ListOf(kind), None, "each") for _, _, kind in places)
    empty = tuple(b.ops("list")[0] for _ in places)
    zero, one = Const.of(0), Const.of(1)
    b.append(For(after, zero, size, one, empty, body, node.span))
    stacks = {
        (result, path): _stacked(b, each, kind, dim)
        for (result, path, kind), each in zip(places, after, strict=True)
    }
    for result in node.results:
        own = {path: atom for (of, path), atom in stacks.items() if of is result}
        atom, form = _rebuilt(b, result.kind, own.__getitem__)
        yield result, atom, form


def _leaves(
    kind: Kind, path: tuple[object, ...] = ()
) -> Iterator[tuple[tuple[object, ...], Kind]]:
    """The paths and kinds of the parts of a value that are no containers of known structure."""
    match kind:
        case Tuple() | FixedList() | Dict() | Record():
            for key, part in parts_of(kind):
                yield from _leaves(part, (*path, key))
        case Opaque() if kind.cls is type(None):
            return
        case _:
            yield path, kind


def _rebuilt(
    b: Builder,
    kind: Kind,
    leaf: Callable[[tuple[object, ...]], Atom],
    path: tuple[object, ...] = (),
) -> tuple[Atom, Form]:
    """The container around its leaves, all of which are batched."""
    match kind:
        case Tuple() | FixedList() | Dict() | Record():
            keys = [key for key, _ in parts_of(kind)]
            parts = [_rebuilt(b, k, leaf, (*path, key)) for key, k in parts_of(kind)]
            made = build_like(b, kind, keys, [atom for atom, _ in parts])
            return made, tuple(form for _, form in parts)
        case Opaque() if kind.cls is type(None):
            return Const.of(None), False
        case ListOf():
            return leaf(path), full_list_form(kind)
        case _:
            return leaf(path), True


def full_list_form(kind: ListOf) -> Form:
    """Every element of the list has been stacked."""
    if isinstance(kind.elem, ListOf):
        return Each(full_list_form(kind.elem))
    return Each(True) if isinstance(kind.elem, Num | Array | Mixed) else full_form(kind)


def _stacked(b: Builder, each: Value, kind: Kind, dim: Dim) -> Atom:
    """One array of the values of all members; of lists, a list of such arrays."""
    if isinstance(kind, ListOf):
        return _stacked_lists(b, each, kind, dim)
    made = b.ops("np.array" if isinstance(kind, Num) else "np.stack", each)[0]
    b.narrow(made, batched_kind(kind, True, dim))
    return made


def _stacked_lists(b: Builder, each: Value, kind: ListOf, dim: Dim) -> Atom:
    """Lists of one length, one per member, as one list of stacks."""
    if not isinstance(kind.elem, Num | Array | Mixed | ListOf):
        raise UnsupportedError(
            Problem("a list of containers cannot be made for many tangents at once", b.span)
        )
    first = b.op("item", each, Const.of(0))
    position = Value(INT, None, "j")
    whole = batched_kind(kind, full_list_form(kind), dim)
    out, after = Value(whole, None, "columns"), Value(whole, None, "columns")
    row = Value(INT, None, "k")
    column = Value(ListOf(kind.elem), None, "column")
    with b.region() as nodes:
        with b.region() as inner:
            value = b.ops("item", b.op("item", each, row), position)[0]
            longer = b.ops("append", column, value)[0]
        done = Value(ListOf(kind.elem), None, "column")
        start = b.ops("list")[0]
        body = Region((row, column), tuple(inner), (FALSE, longer))
        zero, one = Const.of(0), Const.of(1)
        b.append(For((done,), zero, b.op("len", each), one, (start,), body, b.span))
        grown = b.ops("append", out, _stacked(b, done, kind.elem, dim))[0]
    empty = b.ops("list")[0]
    count = b.op("len", first)
    outer = Region((position, out), tuple(nodes), (FALSE, grown))
    b.append(For((after,), Const.of(0), count, Const.of(1), (empty,), outer, b.span))
    return after


def _member(b: Builder, x: Atom, kind: Kind, form: Form, k: Value) -> Atom:
    """What member ``k`` of the batch has in the place of ``x``; of its logical kind."""
    if not any_batched(form):
        return x
    match kind:
        case Num():
            number = b.op("item", x, k)
            if kind.weak and kind.dtype[0] in "fc":
                number = b.op("complex" if kind.dtype[0] == "c" else "float", number)
            return number
        case Array() if kind.rank == 0:
            return b.op("item", x, b.op("tuple", k, Const.of(...)))
        case Array() | Mixed():
            made = b.op("item", x, k)
            b.narrow(made, kind)
            return made
        case ListOf():
            inner = expand(form, kind)
            assert isinstance(inner, Each)
            assert kind.elem is not None
            element, elements = kind.elem, inner.form
            return for_each_element(b, x, kind, lambda a: _member(b, a, element, elements, k))
        case _:
            forms = expand(form, kind)
            assert isinstance(forms, tuple)
            keys = [key for key, _ in parts_of(kind)]
            parts = [
                _member(b, part_of(b, x, key), part, f, k)
                for (key, part), f in zip(parts_of(kind), forms, strict=True)
            ]
            return build_like(b, kind, keys, parts)


def for_each_element(b: Builder, x: Atom, kind: Kind, change: Callable[[Atom], Atom]) -> Atom:
    """A list of what ``change`` makes of every element of the list ``x``; it has that kind."""
    n, out, after = Value(INT, None, "n"), Value(kind, None, "each"), Value(kind, None, "each")
    with b.region() as nodes:
        grown = b.ops("append", out, change(b.op("item", x, n)))[0]
    empty = b.ops("list")[0]
    body = Region((n, out), tuple(nodes), (FALSE, grown))
    count = b.op("len", x)
    b.append(For((after,), Const.of(0), count, Const.of(1), (empty,), body, b.span))
    return after
