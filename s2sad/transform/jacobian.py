"""Jacobians: all tangents, or all cotangents, in one sweep.

In: a module and what is differentiated. Out: a module whose entry runs the function once beside
the tangents of all directions at once (``jacobian_forward``), or runs it once forward and once
backward with the cotangents of all elements of the output (``jacobian_reverse``). The sweeps are
those of ``forward`` and ``adjoint``, put through ``batch``; what is added here is the identity
matrix that seeds them and the shapes of the result: axes of the output first, then those of the
input, trees of the output first, then those of the input.

    def f(x):                        def f_jacobian(x):
        y = np.sin(x) * 2.0    ->        x_dot = np.eye(len(x))
        return y                         y_dot = x_dot * np.cos(x) * 2.0
                                         return np.moveaxis(y_dot, 0, -1)
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..errors import OutputError, Problem, UnsupportedError
from ..ir.builder import Builder
from ..ir.clone import clone
from ..ir.kinds import (
    FLOAT,
    INT,
    Array,
    Dict,
    FixedList,
    Kind,
    ListOf,
    Mixed,
    Num,
    Record,
    Tuple,
    carries_derivative,
    same_dim,
)
from ..ir.nodes import FALSE, Atom, Const, For, Function, Module, Region, Struct, Value
from ..rules.batching_forms import Each, Form, any_batched, expand, full_form
from .adjoint import forward_and_reverse
from .adjoints import build_like, part_of, parts_of
from .batch import Batched, batch
from .forward import forward
from .forward_values import Tangent, tangent_kind
from .results import compact, kind_of_struct, paths, plain
from .simplify import simplify
from .unpack import unpacked

__all__ = ["Wrt", "elementwise_gradient", "jacobian_forward", "jacobian_reverse"]

_ALL = slice(None)


@dataclass(frozen=True, slots=True)
class Wrt:
    """What is differentiated: parameters, or elements of one; ``single``: not a tuple of them."""

    targets: tuple[tuple[int, int | str | None], ...]
    single: bool


@dataclass(slots=True)
class _Leaf:
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
class _Tree:
    """The leaves of a value that carry a derivative, and the structure around them."""

    struct: Struct
    leaves: tuple[_Leaf, ...]
    total: Atom


# -- the two modes --------------------------------------------------------------------------------


def jacobian_forward(
    module: Module, wrt: Wrt, *, has_aux: bool = False, suffix: str = "jacobian", base: str = ""
) -> Module:
    """The module whose entry returns the Jacobian, or ``(jacobian, aux)``, in forward mode.

    Raises UnsupportedError where a tangent has no rule or an argument is complex.
    """
    function = module.entry
    b = Builder(tidy=True)
    with b.region() as top:
        inputs = _input_tree(b, function, wrt)
    dots = [
        Value(tangent_kind(x.kind, _weak(x.kind)), _dot_name(function, x), None)
        for x in inputs.leaves
    ]
    numbers = list(dict.fromkeys(parameter for parameter, _ in wrt.targets))
    tangents = forward(
        module,
        numbers,
        value=True,
        has_aux=has_aux,
        seeds=[_seed(function, inputs, dots, wrt, n) for n in numbers],
    )
    entry = replace(tangents.entry, params=(*tangents.entry.params, *dots))
    many = len(function.params)
    alone = _one_number(inputs)
    made = Batched(_with_entry(tangents, entry), (False,) * len(entry.body.yields))
    if not alone:
        made = batch(made.module, range(many, many + len(dots)))
    inner = made.module.entry
    with b.region() as bottom:
        seeds: list[Atom] = [Const.of(1.0)]
        if not alone:
            seeds = _identity(b, inputs, [p.kind for p in inner.params[many:]])
            for seed, d in zip(seeds, dots, strict=True):
                _name(b, seed, d.name)
        yields = _inline(b, inner, (*function.params, *seeds))
        out, out_dot, *aux = inner.out.children
        leaves: list[Atom] = []

        def rows(path: Sequence[object], y: Atom, t: Atom | None, form: Form) -> Struct:
            return _input_struct(
                b, inputs, leaves, lambda x: _forward_block(b, y, t, form, x, inputs)
            )

        struct = _output_struct(b, out, out_dot, yields, made.forms, rows)
        if aux:
            struct = Struct("tuple", (struct, _moved(aux[0], yields, leaves)))
    return _finished(function, made.module, struct, leaves, (*top, *bottom), suffix, base)


def jacobian_reverse(
    module: Module, wrt: Wrt, *, has_aux: bool = False, suffix: str = "jacobian", base: str = ""
) -> Module:
    """The module whose entry returns the Jacobian, or ``(jacobian, aux)``, in reverse mode.

    Raises UnsupportedError where an output is complex or a list of unknown length.
    """
    return _reverse(module, wrt, has_aux, suffix, base, elementwise=False)


def elementwise_gradient(
    module: Module, wrt: Wrt, *, has_aux: bool = False, suffix: str = "elementwise_grad"
) -> Module:
    """The module whose entry returns the gradient of the sum of all elements of the output."""
    return _reverse(module, wrt, has_aux, suffix, "", elementwise=True)


def _reverse(
    module: Module, wrt: Wrt, has_aux: bool, suffix: str, base: str, *, elementwise: bool
) -> Module:
    function = module.entry
    primary, aux = _parted(function, has_aux)
    numbers = list(dict.fromkeys(parameter for parameter, _ in wrt.targets))
    pair = forward_and_reverse(module, numbers)
    sweep = pair.module.functions[pair.forward]
    reverse = pair.module.functions[pair.reverse]
    others = {n: f for n, f in pair.module.functions.items() if f not in (sweep, reverse)}
    b = Builder(tidy=True)
    with b.region() as nodes:
        inputs = _input_tree(b, function, wrt)
        yields = _inline(b, sweep, function.params)
        outputs = _tree_of(b, _output_parts(b, primary, yields), primary, function.params)
        for leaf in outputs.leaves:
            _check_output_leaf(function, leaf.kind)
        saved = yields[len(yields) - pair.saved :] if pair.saved else ()
        made = Batched(Module({reverse.name: reverse, **others}), (False,) * len(numbers))
        if elementwise or _one_number(outputs):
            seeds = [_ones(b, leaf) for leaf in outputs.leaves]
        else:
            form = _cotangent_form(function.out, primary, yields)
            made = batch(made.module, {len(reverse.params) - 1: form})
            seeds = _identity(b, outputs, [leaf.kind for leaf in outputs.leaves])
        whole = _cotangent(b, function.out, primary, yields, iter(seeds))
        bars = _inline(b, made.module.entry, (*saved, whole))
        forms, functions = made.forms, dict(_others(made.module))
        gradients = {n: (bar, f) for n, bar, f in zip(numbers, bars, forms, strict=True)}
        leaves: list[Atom] = []

        def block(x: _Leaf, place: int, y: _Leaf) -> Atom:
            bar, form = _gradient_of(b, gradients, function, wrt, place)
            return _reverse_block(b, bar, form, x, y)

        def rows(path: Sequence[object], y: Atom, t: Atom | None, form: Form) -> Struct:
            leaf = next(left)
            places = iter(range(len(inputs.leaves)))
            return _input_struct(b, inputs, leaves, lambda x: block(x, next(places), leaf))

        if elementwise:
            places = iter(range(len(inputs.leaves)))
            struct = _input_struct(
                b,
                inputs,
                leaves,
                lambda x: _gradient_of(b, gradients, function, wrt, next(places))[0],
            )
        else:
            left = iter(outputs.leaves)
            struct = _output_struct(b, primary, primary, yields, (False,) * len(yields), rows)
        if aux is not None:
            struct = Struct("tuple", (struct, _moved(aux, yields, leaves)))
    holder = Module({"": function, **functions})
    return _finished(function, holder, struct, leaves, nodes, suffix, base)


def _finished(
    function: Function,
    holder: Module,
    struct: Struct,
    leaves: Sequence[Atom],
    nodes: Sequence[Any],
    suffix: str,
    base: str,
) -> Module:
    leaves, struct = compact(leaves, struct)
    name = f"{plain(base or function.name)}_{suffix}"
    body = unpacked(Region((), tuple(nodes), tuple(leaves)))
    entry = Function(name, function.params, body, struct, (), function.origin)
    return simplify(Module({name: entry, **dict(_others(holder))}))


def _with_entry(module: Module, entry: Function) -> Module:
    return Module({entry.name: entry, **dict(_others(module))})


def _inline(b: Builder, function: Function, args: Sequence[Atom]) -> tuple[Atom, ...]:
    """The function's body in the open region; what it yields."""
    nodes, yields = clone(function.body, dict(zip(function.params, args, strict=True)))
    for node in nodes:
        b.append(node)
    b.span = None
    return yields


def _one_number(tree: _Tree) -> bool:
    """Whether there is but one direction: no batch is needed."""
    return len(tree.leaves) == 1 and isinstance(tree.leaves[0].kind, Num)


def _name(b: Builder, atom: Atom, name: str | None) -> None:
    if isinstance(atom, Value) and name is not None:
        b.label(atom, name, None, atom)


def _others(module: Module) -> list[tuple[str, Function]]:
    return [(n, f) for n, f in module.functions.items() if f is not module.entry]


def _parted(function: Function, has_aux: bool) -> tuple[Struct, Struct | None]:
    if not has_aux:
        return function.out, None
    if function.out.form != "tuple" or len(function.out.children) != 2:
        raise OutputError("has_aux=True needs a function that returns (value, aux)")
    return function.out.children[0], function.out.children[1]


# -- trees ----------------------------------------------------------------------------------------


def _weak(kind: Kind) -> bool | None:
    return kind.weak if isinstance(kind, Num) else None


def _dot_name(function: Function, leaf: _Leaf) -> str | None:
    name = getattr(leaf.value, "name", None)
    return f"{name}_dot" if name is not None else None


def _input_tree(b: Builder, function: Function, wrt: Wrt) -> _Tree:
    """The leaves of everything that is differentiated."""
    parts: list[tuple[Atom, Kind]] = []
    structs: list[Struct] = []
    for parameter, key in wrt.targets:
        value: Atom = function.params[parameter]
        if key is not None:
            value = part_of(b, value, key)
        structs.append(_struct_of(b, value, parts))
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
    return _tree_of(b, parts, struct)


def _struct_of(b: Builder, value: Atom, parts: list[tuple[Atom, Kind]]) -> Struct:
    """The structure of a value; its leaves are appended to ``parts``."""
    kind = value.kind
    if not carries_derivative(kind):
        return Struct("const", cls=None)
    match kind:
        case Tuple() | FixedList() | Dict() | Record():
            children = tuple(
                _struct_of(b, part_of(b, value, key), parts) for key, _ in parts_of(kind)
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


def _tree_of(
    b: Builder, parts: Sequence[tuple[Atom, Kind]], struct: Struct, params: Sequence[Value] = ()
) -> _Tree:
    """The leaves with their places among all elements."""
    leaves = []
    start: Atom = Const.of(0)
    for value, kind in parts:
        size = _size_of(b, value, kind, params)
        stop = b.add(start, size)
        leaves.append(_Leaf(value, kind, start, stop, size, alone=len(parts) == 1))
        start = stop
    return _Tree(struct, tuple(leaves), start)


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


def _output_parts(b: Builder, struct: Struct, yields: Sequence[Atom]) -> list[tuple[Atom, Kind]]:
    """The leaves of the output that carry a derivative, in order."""
    parts: list[tuple[Atom, Kind]] = []
    for _, index in paths(struct):
        _struct_of(b, yields[index], parts)
    return parts


def _input_struct(
    b: Builder, inputs: _Tree, leaves: list[Atom], make: Callable[[_Leaf], Atom]
) -> Struct:
    """The tree of the inputs with a block of the Jacobian in the place of each leaf."""

    def visit(struct: Struct) -> Struct:
        if struct.form == "leaf":
            leaves.append(make(inputs.leaves[struct.index]))
            return Struct("leaf", index=len(leaves) - 1)
        return Struct(struct.form, tuple(map(visit, struct.children)), struct.keys, struct.cls)

    return visit(inputs.struct)


def _output_struct(
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
        empty = _struct_of(b, y, [])
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


def _moved(struct: Struct, yields: Sequence[Atom], leaves: list[Atom]) -> Struct:
    """A part of the output passed through."""
    if struct.form == "leaf":
        leaves.append(yields[struct.index])
        return Struct("leaf", index=len(leaves) - 1)
    children = tuple(_moved(c, yields, leaves) for c in struct.children)
    return Struct(struct.form, children, struct.keys, struct.cls)


# -- seeds ----------------------------------------------------------------------------------------


def _seed(
    function: Function, inputs: _Tree, dots: Sequence[Value], wrt: Wrt, parameter: int
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


def _identity(b: Builder, tree: _Tree, kinds: Sequence[Kind]) -> list[Atom]:
    """Every leaf's rows of the identity matrix, in the leaf's shape behind the batch."""
    if not tree.leaves:
        return []
    blocks: list[Atom] = []
    whole = b.op("np.eye", tree.total)
    if not tree.leaves[0].alone:
        _name(b, whole, "identity")
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
                    sizes = b.op("add", b.op("tuple", tree.total), b.op("shape", leaf.value))
                    block = b.op("np.reshape", block, sizes)
        block = _typed(b, block, kind)
        b.narrow(block, kind)
        blocks.append(block)
    return blocks


def _typed(b: Builder, block: Atom, kind: Kind) -> Atom:
    dtype = getattr(kind, "dtype", "float64")
    return block if dtype == "float64" else b.op("cast", block, like=dtype)


def _columns(b: Builder, whole: Atom, leaf: _Leaf) -> Atom:
    cut = _slice(b, leaf.start, leaf.stop)
    index = b.op("tuple", Const.of(_ALL), cut)
    if isinstance(cut, Const):
        index = Const.of((_ALL, cut.value))
    return b.op("item", whole, index)


def _slice(b: Builder, start: Atom, stop: Atom) -> Atom:
    if isinstance(start, Const) and isinstance(stop, Const):
        return Const.of(slice(start.value or None, stop.value))
    first = Const.of(None) if isinstance(start, Const) and start.value == 0 else start
    return b.op("slice", first, stop, Const.of(None))


def _picked(b: Builder, whole: Atom, at: Atom) -> Atom:
    """One row of the identity matrix."""
    return b.op("item", whole, at)


def _rows(b: Builder, whole: Atom, leaf: _Leaf, kind: Kind) -> Atom:
    """A list with a row of the identity matrix for each number of a list."""
    return _listed(b, leaf, kind, lambda at: b.op("item", whole, at))


def _listed(b: Builder, leaf: _Leaf, kind: Kind, make: Callable[[Atom], Atom]) -> Atom:
    """A list with what ``make`` gives for every place of a list among all elements."""
    n, out, after = Value(INT, None, "n"), Value(kind, None, "rows"), Value(kind, None, "rows")
    with b.region() as nodes:
        grown = b.ops("append", out, make(n))[0]
    empty = b.ops("list")[0]
    body = Region((n, out), tuple(nodes), (FALSE, grown))
    b.append(For((after,), leaf.start, leaf.stop, Const.of(1), (empty,), body, b.span))
    return after


def _ones(b: Builder, leaf: _Leaf) -> Atom:
    if isinstance(leaf.kind, Num):
        return Const.of(1.0)
    if isinstance(leaf.kind, ListOf):
        raise _no_lists()
    return b.op("np.ones_like", leaf.value)


def _no_lists() -> UnsupportedError:
    return UnsupportedError(
        Problem(
            "a list of unknown length has no cotangents in a Jacobian",
            None,
            "return an array, or use mode='forward'",
        )
    )


def _check_output_leaf(function: Function, kind: Kind) -> None:
    if isinstance(kind, ListOf):
        raise _no_lists()
    if getattr(kind, "dtype", "f")[0] == "c":
        raise UnsupportedError(
            Problem(
                f"{function.name} returns complex numbers, whose Jacobian takes forward mode",
                None,
                "use mode='forward'",
            )
        )


def _cotangent(
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


def _cotangent_form(out: Struct, primary: Struct, yields: Sequence[Atom]) -> Form:
    kept = {index for _, index in paths(primary)}

    def visit(s: Struct) -> Form:
        if s.form == "leaf":
            return full_form(yields[s.index].kind) if s.index in kept else False
        if s.form == "const":
            return False
        return tuple(map(visit, s.children))

    return visit(out)


# -- blocks ---------------------------------------------------------------------------------------


def _shape(b: Builder, leaf: _Leaf) -> Atom:
    if isinstance(leaf.kind, Num):
        return Const.of(())
    return b.op("shape", leaf.value)


def _scalar(b: Builder, kind: Kind, x: Atom) -> Atom:
    """A number as the output's own type."""
    if isinstance(kind, Num) and kind.weak:
        wanted = "complex" if kind.dtype[0] == "c" else "float"
        return b.op(wanted, x)
    return x


def _forward_block(
    b: Builder, y: Atom, t: Atom | None, form: Form, x: _Leaf, inputs: _Tree
) -> Atom:
    """The derivatives of one leaf of the output by one leaf of the input, axes of y first."""
    kind = y.kind
    if isinstance(kind, ListOf):
        return _forward_list(b, y, t, form, x, inputs)
    if _one_number(inputs) and t is not None:
        return t
    if t is None or not any_batched(form):
        return _zeros(b, _Leaf(y, kind, FALSE, FALSE, FALSE), x)
    rank = 0 if isinstance(kind, Num) else kind.rank if isinstance(kind, Array) else None
    moved = t if rank == 0 else b.op("np.moveaxis", t, source=0, destination=-1)

    def part(at: Atom) -> Atom:
        if rank == 0:
            found = b.op("item", moved, at)
            return _scalar(b, kind, found) if isinstance(found.kind, Num) else found
        return b.op("item", moved, _last(b, at))

    if isinstance(x.kind, ListOf):
        element = FLOAT if rank == 0 else kind
        return _listed(b, x, ListOf(element), part)
    if isinstance(x.kind, Num):
        return part(x.start)
    if not x.alone:
        moved = part(_slice(b, x.start, x.stop))
    if isinstance(x.kind, Array) and x.kind.rank == 1:
        return moved
    sizes = _shape(b, x) if rank == 0 else b.op("add", b.op("shape", y), _shape(b, x))
    return b.op("np.reshape", moved, sizes)


def _last(b: Builder, at: Atom) -> Atom:
    if isinstance(at, Const):
        return Const.of((..., at.value))
    return b.op("tuple", Const.of(...), at)


def _forward_list(
    b: Builder, y: Atom, t: Atom | None, form: Form, x: _Leaf, inputs: _Tree
) -> Atom:
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
    whole = _Leaf(y, kind, Const.of(0), b.op("len", y), FALSE)
    return _listed(
        b,
        whole,
        columns,
        lambda at: _forward_block(b, b.op("item", y, at), b.op("item", t, at), each, x, inputs),
    )


def _zeros(b: Builder, y: _Leaf, x: _Leaf) -> Atom:
    """The block of an output that does not depend on an input."""
    if isinstance(x.kind, ListOf):
        raise _no_lists()
    if isinstance(x.kind, Num) and isinstance(y.kind, Num):
        return Const.of(0.0)
    dtype = getattr(y.kind, "dtype", "float64")
    options = {} if dtype == "float64" else {"dtype": dtype}
    if isinstance(y.kind, Num):
        return b.op("np.zeros", _shape(b, x), **options)
    if isinstance(x.kind, Num):
        return b.op("np.zeros", _shape(b, y), **options)
    return b.op("np.zeros", b.op("add", _shape(b, y), _shape(b, x)), **options)


def _gradient_of(
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


def _reverse_block(b: Builder, bar: Atom, form: Form, x: _Leaf, y: _Leaf) -> Atom:
    """The derivatives of one leaf of the output by one leaf of the input."""
    if isinstance(x.kind, ListOf):
        if y.alone and isinstance(y.kind, Num):
            return bar
        if not any_batched(form):
            raise _no_lists()
        element = _kind_of_blocks(x, y)
        whole = _Leaf(x.value, x.kind, Const.of(0), x.size, x.size)
        inner = _Leaf(x.value, FLOAT, FALSE, FALSE, FALSE)
        return _listed(
            b, whole, element, lambda at: _reverse_block(b, b.op("item", bar, at), True, inner, y)
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
        rows = b.op("item", bar, _slice(b, y.start, y.stop))
    if not isinstance(y.kind, Array) or y.kind.rank != 1:
        sizes = _shape(b, y)
        if not isinstance(x.kind, Num):
            sizes = b.op("add", sizes, _shape(b, x))
        rows = b.op("np.reshape", rows, sizes)
    return _cast(b, rows, y.kind)


def _cast(b: Builder, rows: Atom, kind: Kind) -> Atom:
    """The block in the dtype of the output, as forward mode gives it."""
    want, have = getattr(kind, "dtype", None), getattr(rows.kind, "dtype", None)
    return b.op("cast", rows, like=want) if want and have and want != have else rows


def _kind_of_blocks(x: _Leaf, y: _Leaf) -> Kind:
    """The kind of the list of blocks of a list of numbers."""
    if isinstance(y.kind, Num):
        return ListOf(FLOAT)
    return ListOf(y.kind)
