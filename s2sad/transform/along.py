"""Many directions at once: tangents along given directions, cotangents for given weights.

In: a module and what is differentiated. Out: a module whose entry takes, after the function's own
parameters, an array of directions for each leaf, one more axis in front, and returns for each
leaf of the other side its tangents (or cotangents).

    def f(x):                  def f_along(x, x_dot: float64[B, n]):
        return np.sin(x)   ->      return ((np.cos(x) * x_dot, None),)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ..ir.builder import Builder
from ..ir.kinds import Array, Kind, ListOf, Num, Sym
from ..ir.nodes import Atom, Const, Function, Module, Region, Struct, Value
from ..rules.batching_forms import Form, any_batched
from .adjoint import forward_and_reverse
from .batch import batch
from .forward import forward
from .forward_values import tangent_kind
from .jacobian import inline, others_of, with_entry
from .jacobian_blocks import gradient_of
from .jacobian_seeds import check_output_leaf, cotangent_form, cotangent_of, no_lists, seed_of
from .jacobian_trees import (
    Tree,
    Wrt,
    dot_name,
    input_tree,
    output_parts,
    output_struct,
    tree_of,
    weak_of,
)
from .results import plain
from .simplify import simplify
from .unpack import unpacked

__all__ = ["cotangents_along", "tangents_along"]


def tangents_along(module: Module, wrt: Wrt) -> Module:
    """The entry takes ``(*params, *directions)`` and returns ``((tangents, None), ...)``.

    For a leaf of the output that does not depend on the input it is ``(None, shape)``.
    """
    function = module.entry
    b = Builder(tidy=True)
    inputs = _inputs(b, function, wrt)
    dots = [
        Value(tangent_kind(x.kind, weak_of(x.kind)), dot_name(function, x)) for x in inputs.leaves
    ]
    numbers = list(dict.fromkeys(parameter for parameter, _ in wrt.targets))
    made_forward = forward(
        module, numbers, seeds=[seed_of(function, inputs, dots, wrt, n) for n in numbers]
    )
    entry = replace(made_forward.entry, params=(*made_forward.entry.params, *dots))
    many = len(function.params)
    made = batch(with_entry(made_forward, entry), range(many, many + len(dots)))
    inner = made.module.entry
    leaves: list[Atom] = []
    with b.region() as nodes:
        yields = inline(b, inner, inner.params)
        out, out_dot = inner.out.children
        pairs: list[Struct] = []

        def pair(path: Sequence[object], y: Atom, t: Atom | None, form: Form) -> Struct:
            if isinstance(y.kind, ListOf):
                raise no_lists()
            if t is not None and any_batched(form):
                leaves.extend((t, Const.of(None)))
            else:
                shape = Const.of(()) if isinstance(y.kind, Num) else b.op("shape", y)
                leaves.extend((Const.of(None), shape))
            n = len(leaves)
            both = (Struct("leaf", index=n - 2), Struct("leaf", index=n - 1))
            pairs.append(Struct("tuple", both))
            return pairs[-1]

        output_struct(b, out, out_dot, yields, made.forms, pair)
    return _finished(function, made.module, inner.params, nodes, leaves, tuple(pairs))


def cotangents_along(module: Module, wrt: Wrt) -> Module:
    """The entry takes ``(*params, *weights)``, one array of weights for each leaf of the output,
    and returns the cotangents of each leaf of the input, None where there are none.
    """
    function = module.entry
    numbers = list(dict.fromkeys(parameter for parameter, _ in wrt.targets))
    pair = forward_and_reverse(module, numbers)
    sweep, reverse, rest = pair.apart()
    b = Builder(tidy=True)
    with b.region() as nodes:
        inputs = _inputs(b, function, wrt)
        yields = inline(b, sweep, function.params)
        outputs = tree_of(b, output_parts(b, function.out, yields), function.out)
        saved = yields[len(yields) - pair.saved :] if pair.saved else ()
        form = cotangent_form(function.out, function.out, yields)
        made = batch(Module({reverse.name: reverse, **rest}), {len(reverse.params) - 1: form})
        for leaf in outputs.leaves:
            check_output_leaf(function, leaf.kind)
        weights = [Value(_many(leaf.kind), "weights") for leaf in outputs.leaves]
        whole = cotangent_of(b, function.out, function.out, yields, iter(weights))
        bars = inline(b, made.module.entry, (*saved, whole))
        gradients = {n: (g, f) for n, g, f in zip(numbers, bars, made.forms, strict=True)}
        leaves: list[Atom] = []
        for place in range(len(inputs.leaves)):
            bar, bar_form = gradient_of(b, gradients, function, wrt, place)
            leaves.append(bar if any_batched(bar_form) else Const.of(None))
    parts = tuple(Struct("leaf", index=n) for n in range(len(leaves)))
    params = (*function.params, *weights)
    holder = Module({"": function, **rest, **dict(others_of(made.module))})
    return _finished(function, holder, params, nodes, leaves, parts)


def _many(kind: Kind) -> Kind:
    """The kind of many weights of a leaf."""
    assert isinstance(kind, Num | Array)
    dims = kind.dims if isinstance(kind, Array) else ()
    return Array(kind.dtype, None if dims is None else (Sym(("batch", 0)), *dims))


def _inputs(b: Builder, function: Function, wrt: Wrt) -> Tree:
    inputs = input_tree(b, function, wrt)
    if any(isinstance(leaf.kind, ListOf) for leaf in inputs.leaves):
        raise no_lists()
    return inputs


def _finished(
    function: Function,
    holder: Module,
    params: Sequence[Value],
    nodes: Sequence[object],
    leaves: Sequence[Atom],
    parts: tuple[Struct, ...],
) -> Module:
    name = f"{plain(function.name)}_along"
    body = unpacked(Region((), tuple(nodes), tuple(leaves)))  # type: ignore[arg-type]
    entry = Function(name, tuple(params), body, Struct("tuple", parts), (), function.origin)
    return simplify(Module({name: entry, **dict(others_of(holder))}))
