"""Activity: which values carry derivative from an input to an output.

In: a function, the parameters that are differentiated, the yields that are seeded. Out: the set of
*active* values: varied (they depend on such an input) and useful (such an output depends on them).

    def f(x, n):            active, wrt x:  x, y   (n and i carry none)
        y = x ** n
        return y

An extreme that is subtracted for the sake of rounding alone carries none (`shifts.py`).
"""

from __future__ import annotations

from collections.abc import Iterable

from ..ir.kinds import carries_derivative, is_complex
from ..ir.nodes import Atom, Call, For, Function, If, Module, Node, Op, Region, Value, While
from ..rules.registry import primitive
from .shifts import idle_shifts


def active_values(
    module: Module, function: Function, wrt: Iterable[Value], seeded: Iterable[Atom]
) -> set[Value]:
    """Values of ``function`` that are both varied and useful."""
    varied = set(wrt)
    _forward(function.body, varied, idle_shifts(function.body))
    useful = {a for a in seeded if isinstance(a, Value)}
    _backward(function.body, useful)
    return {v for v in varied & useful if carries_derivative(v.kind)}


def passes_derivative(node: Op) -> bool:
    """False for operations whose derivative is zero everywhere."""
    record = primitive(node.fn)
    if record.zero_if_real and not any(is_complex(a.kind) for a in node.args):
        return False
    return not record.zero and record.effect in ("pure", "draws")


def _forward(region: Region, varied: set[Value], idle: set[Value]) -> None:
    for node in region.ops:
        _forward_node(node, varied, idle)


def _mark(targets: Iterable[Value], sources: Iterable[Atom], varied: set[Value]) -> bool:
    """Targets become varied with their sources; True if that is news."""
    news = False
    for target, source in zip(targets, sources, strict=True):
        if source in varied and target not in varied and carries_derivative(target.kind):
            varied.add(target)
            news = True
    return news


def _carries(result: Value, idle: set[Value]) -> bool:
    return result not in idle and carries_derivative(result.kind)


def _forward_node(node: Node, varied: set[Value], idle: set[Value]) -> None:
    match node:
        case Op():
            if any(a in varied for a in node.args) and passes_derivative(node):
                varied.update(r for r in node.results if _carries(r, idle))
        case Call():
            if any(a in varied for a in node.args):
                varied.update(r for r in node.results if carries_derivative(r.kind))
        case If():
            _forward(node.then, varied, idle)
            _forward(node.orelse, varied, idle)
            _mark(node.results, node.then.yields, varied)
            _mark(node.results, node.orelse.yields, varied)
        case For() | While():
            params = node.body.params[1:] if isinstance(node, For) else node.body.params
            _mark(params, node.init, varied)
            while True:
                _forward(node.body, varied, idle)
                if not _mark(params, node.body.yields[1:], varied):
                    break
            _mark(node.results, node.init, varied)
            _mark(node.results, node.body.yields[1:], varied)


def _backward(region: Region, useful: set[Value]) -> None:
    for node in reversed(region.ops):
        _backward_node(node, useful)


def _need(targets: Iterable[Atom], results: Iterable[Value], useful: set[Value]) -> bool:
    news = False
    for target, result in zip(targets, results, strict=True):
        if result in useful and isinstance(target, Value) and target not in useful:
            useful.add(target)
            news = True
    return news


def _backward_node(node: Node, useful: set[Value]) -> None:
    match node:
        case Op():
            if any(r in useful for r in node.results) and passes_derivative(node):
                useful.update(a for a in node.args if isinstance(a, Value))
        case Call():
            if any(r in useful for r in node.results):
                useful.update(a for a in node.args if isinstance(a, Value))
        case If():
            _need(node.then.yields, node.results, useful)
            _need(node.orelse.yields, node.results, useful)
            _backward(node.then, useful)
            _backward(node.orelse, useful)
        case For() | While():
            params = node.body.params[1:] if isinstance(node, For) else node.body.params
            yields = node.body.yields[1:]
            _need(yields, node.results, useful)
            while True:
                _backward(node.body, useful)
                if not _need(yields, params, useful):
                    break
            _need(node.init, params, useful)
            _need(node.init, node.results, useful)
