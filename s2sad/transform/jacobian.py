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

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from ..errors import OutputError
from ..ir.builder import Builder
from ..ir.clone import clone
from ..ir.nodes import Atom, Const, Function, Module, Region, Struct, Value
from ..rules.batching_forms import Form, batched_kind
from .adjoint import forward_and_reverse
from .batch import Batched, batch
from .forward import forward
from .forward_values import tangent_kind
from .jacobian_blocks import forward_block, gradient_of, reverse_block
from .jacobian_seeds import (
    check_output_leaf,
    cotangent_form,
    cotangent_of,
    identity_rows,
    ones_like,
    seed_of,
)
from .jacobian_trees import (
    Leaf,
    Wrt,
    dot_name,
    input_struct,
    input_tree,
    moved,
    name_it,
    one_number,
    output_parts,
    output_struct,
    total_dim,
    tree_of,
    weak_of,
)
from .results import compact, plain
from .simplify import simplify
from .unpack import unpacked

__all__ = ["Wrt", "elementwise_gradient", "jacobian_forward", "jacobian_reverse"]


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
        inputs = input_tree(b, function, wrt)
    dots = [
        Value(tangent_kind(x.kind, weak_of(x.kind)), dot_name(function, x), None)
        for x in inputs.leaves
    ]
    numbers = list(dict.fromkeys(parameter for parameter, _ in wrt.targets))
    tangents = forward(
        module,
        numbers,
        value=True,
        has_aux=has_aux,
        seeds=[seed_of(function, inputs, dots, wrt, n) for n in numbers],
    )
    entry = replace(tangents.entry, params=(*tangents.entry.params, *dots))
    many = len(function.params)
    alone = one_number(inputs)
    made = Batched(with_entry(tangents, entry), (False,) * len(entry.body.yields))
    if not alone:
        made = batch(made.module, range(many, many + len(dots)), total_dim(inputs))
    inner = made.module.entry
    with b.region() as bottom:
        seeds: list[Atom] = [Const.of(1.0)]
        if not alone:
            seeds = identity_rows(b, inputs, [p.kind for p in inner.params[many:]])
            for seed, d in zip(seeds, dots, strict=True):
                name_it(b, seed, d.name)
        yields = inline(b, inner, (*function.params, *seeds))
        out, out_dot, *aux = inner.out.children
        leaves: list[Atom] = []

        def rows(path: Sequence[object], y: Atom, t: Atom | None, form: Form) -> Struct:
            return input_struct(
                b, inputs, leaves, lambda x: forward_block(b, y, t, form, x, inputs)
            )

        struct = output_struct(b, out, out_dot, yields, made.forms, rows)
        if aux:
            struct = Struct("tuple", (struct, moved(aux[0], yields, leaves)))
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
    sweep, reverse, others = pair.apart()
    b = Builder(tidy=True)
    with b.region() as nodes:
        inputs = input_tree(b, function, wrt)
        yields = inline(b, sweep, function.params)
        outputs = tree_of(b, output_parts(b, primary, yields), primary, function.params)
        for leaf in outputs.leaves:
            check_output_leaf(function, leaf.kind)
        saved = yields[len(yields) - pair.saved :] if pair.saved else ()
        made = Batched(Module({reverse.name: reverse, **others}), (False,) * len(numbers))
        if elementwise or one_number(outputs):
            seeds = [ones_like(b, leaf) for leaf in outputs.leaves]
        else:
            form = cotangent_form(function.out, primary, yields)
            dim = total_dim(outputs)
            made = batch(made.module, {len(reverse.params) - 1: form}, dim)
            kinds = [batched_kind(leaf.kind, True, dim) for leaf in outputs.leaves]
            seeds = identity_rows(b, outputs, kinds)
        whole = cotangent_of(b, function.out, primary, yields, iter(seeds))
        bars = inline(b, made.module.entry, (*saved, whole))
        forms, functions = made.forms, {**others, **dict(others_of(made.module))}
        gradients = {n: (bar, f) for n, bar, f in zip(numbers, bars, forms, strict=True)}
        leaves: list[Atom] = []

        def block(x: Leaf, place: int, y: Leaf) -> Atom:
            bar, form = gradient_of(b, gradients, function, wrt, place)
            return reverse_block(b, bar, form, x, y)

        def rows(path: Sequence[object], y: Atom, t: Atom | None, form: Form) -> Struct:
            leaf = next(left)
            places = iter(range(len(inputs.leaves)))
            return input_struct(b, inputs, leaves, lambda x: block(x, next(places), leaf))

        if elementwise:
            places = iter(range(len(inputs.leaves)))
            struct = input_struct(
                b,
                inputs,
                leaves,
                lambda x: gradient_of(b, gradients, function, wrt, next(places))[0],
            )
        else:
            left = iter(outputs.leaves)
            struct = output_struct(b, primary, primary, yields, (False,) * len(yields), rows)
        if aux is not None:
            struct = Struct("tuple", (struct, moved(aux, yields, leaves)))
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
    return simplify(Module({name: entry, **dict(others_of(holder))}))


def with_entry(module: Module, entry: Function) -> Module:
    return Module({entry.name: entry, **dict(others_of(module))})


def inline(b: Builder, function: Function, args: Sequence[Atom]) -> tuple[Atom, ...]:
    """The function's body in the open region; what it yields."""
    nodes, yields = clone(function.body, dict(zip(function.params, args, strict=True)))
    for node in nodes:
        b.append(node)
    b.span = None
    return yields


def others_of(module: Module) -> list[tuple[str, Function]]:
    return [(n, f) for n, f in module.functions.items() if f is not module.entry]


def _parted(function: Function, has_aux: bool) -> tuple[Struct, Struct | None]:
    if not has_aux:
        return function.out, None
    if function.out.form != "tuple" or len(function.out.children) != 2:
        raise OutputError("has_aux=True needs a function that returns (value, aux)")
    return function.out.children[0], function.out.children[1]
