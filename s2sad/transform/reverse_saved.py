"""The adjoint of what a function saved: a tuple of the adjoints of its parts.

In: the tuple that a reverse function takes, and the adjoints that some of its items have. Out: a
tuple with an adjoint for every item, which goes back to the function that packed it. What a
recursion saved is a tree of tuples, and so is its adjoint.

    x = item saved 0; y = item saved 1      x: x_bar, y: none    ->    tuple(x_bar, 0.0)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import Problem, UnsupportedError
from ..ir.kinds import SAVED, Num, carries_derivative
from ..ir.nodes import Atom, Call, Const, For, Function, If, Module, Op, Value, While, walk
from .adjoints import Adjoint

if TYPE_CHECKING:
    from .reverse import Reverse

NOTHING = Const.of(None)


def whole_saved(rev: Reverse, saved: Value, g: dict[object, Adjoint]) -> Atom:
    """The adjoint of what a function saved, given those of its parts."""
    b = rev.builder
    packed = _packed(rev.module, rev.function, saved, set())
    if packed is None:
        raise UnsupportedError(
            Problem(
                "the derivative of a recursive function cannot be differentiated again here",
                b.span,
                "write it as a loop",
            )
        )
    parts: list[Atom] = []
    for n, kind in enumerate(a.kind for a in packed[1].args):
        part = g.get(n)
        if part is not None and not isinstance(part, dict):
            parts.append(part)
        elif not carries_derivative(kind):
            parts.append(NOTHING)
        elif isinstance(kind, Num):
            parts.append(rev.zero_of(kind, saved))
        else:
            value = Value(kind)
            b.append(Op((value,), "item", (saved, Const.of(n)), {}, b.span))
            parts.append(rev.zero(value) if part is None else rev.whole(value, part))
    made = Value(SAVED)
    b.append(Op((made,), "tuple", tuple(parts), {}, b.span))
    return made


def _packed(
    module: Module, function: Function, value: Atom, seen: set[tuple[str, Value]]
) -> tuple[Function, Op] | None:
    """The operation that packed ``value``, a tuple, and the function that did."""
    if not isinstance(value, Value):
        return None
    node = next((n for n in walk(function.body) if value in n.results), None)
    if isinstance(node, Op) and node.fn == "tuple":
        return function, node
    if (function.name, value) in seen:
        return None
    seen.add((function.name, value))  # functions of one pair have values in common
    if value in function.params:
        return _handed_over(module, function, function.params.index(value), seen)
    match node:
        case Op(fn="item", args=(base, Const(value=n))):
            outer = _packed(module, function, base, seen)
            return None if outer is None else _packed(module, outer[0], outer[1].args[n], seen)
        case Op(fn="zeros_like" | "add_to"):
            sources = list(node.args)
        case Call():
            callee = module.functions[node.callee]
            return _packed(module, callee, callee.body.yields[node.results.index(value)], seen)
        case If():
            k = node.results.index(value)
            sources = [node.then.yields[k], node.orelse.yields[k]]
        case For() | While():
            k = node.results.index(value)
            sources = [node.body.yields[k + 1], node.init[k]]
        case _:
            return None
    found = (_packed(module, function, source, seen) for source in sources)
    return next((f for f in found if f is not None), None)


def _handed_over(
    module: Module, function: Function, index: int, seen: set[tuple[str, Value]]
) -> tuple[Function, Op] | None:
    """What some caller passes to ``function`` at that place."""
    for caller in module.functions.values():
        for node in walk(caller.body):
            if isinstance(node, Call) and node.callee == function.name:
                found = _packed(module, caller, node.args[index], seen)
                if found is not None:
                    return found
    return None
