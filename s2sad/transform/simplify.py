"""Simplification: what nobody needs goes, what does not change in a loop leaves it.

In: a function. Out: the same function without dead pure operations, dead loop-carried values,
dead results of branches, and without carried values that every iteration hands on unchanged.

    for i, (s, t) in ...: yield (s, t + 1)   ->   s is used from outside the loop, t is dropped

Effects (draws, prints, raises) are never dropped, duplicated or reordered.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ..ir.nodes import (
    Atom,
    Call,
    For,
    Function,
    If,
    Module,
    Node,
    Region,
    Value,
    While,
    walk,
)
from ..ir.rewrite import resolve, substitute
from .dead_code import has_effect, needed
from .delay import delay
from .share_parts import share_parts
from .signs import settle_signs
from .start import start_from_the_whole
from .uniform import unfold_uniform


def simplify(module: Module, keep: Sequence[str] = ()) -> Module:
    """Every function simplified; those that the entry and ``keep`` do not reach are dropped."""
    impure = _impure_functions(module)
    simple: dict[str, Function] = {}
    work = [module.entry.name, *keep]
    while work:
        name = work.pop(0)
        if name not in simple:
            simple[name] = _function(module.functions[name], impure)
            work.extend(n.callee for n in walk(simple[name].body) if isinstance(n, Call))
            custom = simple[name].custom
            work.extend(custom.functions if custom is not None else ())
    return Module(simple)


def _function(function: Function, impure: frozenset[str]) -> Function:
    body = settle_signs(unfold_uniform(share_parts(function.body)))
    nodes, yields = _hoist(body.ops, body.yields, {})
    kept = needed(nodes, yields, lambda node: has_effect(node, impure))
    body = start_from_the_whole(Region((), tuple(kept), yields))
    return replace(function, body=delay(body))


# -- carried values that do not change ----------------------------------------------------------


def _hoist(
    nodes: Sequence[Node], yields: Sequence[Atom], known: dict[Value, Atom]
) -> tuple[list[Node], tuple[Atom, ...]]:
    out: list[Node] = []
    for node in nodes:
        (node,) = substitute([node], known) if known else (node,)
        match node:
            case If():
                node = _hoist_branch(node, known)
            case For() | While():
                node = _hoist_loop(node, known)
        out.append(node)
    return out, resolve(yields, known)


def _hoist_branch(node: If, known: dict[Value, Atom]) -> If:
    then_nodes, then_yields = _hoist(node.then.ops, node.then.yields, known)
    else_nodes, else_yields = _hoist(node.orelse.ops, node.orelse.yields, known)
    keep: list[int] = []
    for k, (r, a, b) in enumerate(zip(node.results, then_yields, else_yields, strict=True)):
        if a is b:
            known[r] = a
        else:
            keep.append(k)
    return If(
        tuple(node.results[k] for k in keep),
        node.cond,
        Region((), tuple(then_nodes), tuple(then_yields[k] for k in keep)),
        Region((), tuple(else_nodes), tuple(else_yields[k] for k in keep)),
        node.span,
    )


def _hoist_loop(node: For | While, known: dict[Value, Atom]) -> For | While:
    offset = 1 if isinstance(node, For) else 0
    params = node.body.params[offset:]
    same = [k for k, (p, y) in enumerate(zip(params, node.body.yields[1:], strict=True)) if p is y]
    for k in same:
        known[params[k]] = known[node.results[k]] = node.init[k]
        if isinstance(node, While):
            known[node.test.params[k]] = node.init[k]
    ops, yields = _hoist(node.body.ops, node.body.yields, known)
    positions = [k for k in range(len(params)) if k not in same]
    body = Region(
        (*node.body.params[:offset], *(params[k] for k in positions)),
        tuple(ops),
        (yields[0], *(yields[k + 1] for k in positions)),
    )
    results = tuple(node.results[k] for k in positions)
    init = tuple(node.init[k] for k in positions)
    if isinstance(node, For):
        return For(results, node.start, node.stop, node.step, init, body, node.span)
    test_ops, test_yields = _hoist(node.test.ops, node.test.yields, known)
    test = Region(tuple(node.test.params[k] for k in positions), tuple(test_ops), test_yields)
    return While(results, init, test, body, node.span)


# -- effects --------------------------------------------------------------------------------------


def _impure_functions(module: Module) -> frozenset[str]:
    """Functions that have an effect, themselves or through what they call."""
    impure: frozenset[str] = frozenset()
    while True:
        found = frozenset(
            name
            for name, f in module.functions.items()
            if any(has_effect(n, impure) for n in f.body.ops)
        )
        if found == impure:
            return impure
        impure = found
