"""The adjoint of what a function saved: a tuple of the adjoints of its parts.

In: the tuple that a reverse function takes, and the adjoints that some of its items have. Out: a
tuple with an adjoint for every item, which goes back to the function that packed it. What a
recursion saved is a tree of tuples, and so is its adjoint.

    x = item saved 0; y = item saved 1      x: x_bar, y: none    ->    tuple(x_bar, 0.0)
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, TypeAlias

from ..errors import Problem, UnsupportedError
from ..ir.kinds import SAVED, ListOf, Num, carries_derivative
from ..ir.nodes import (
    Atom,
    Call,
    Const,
    For,
    Function,
    If,
    Module,
    Node,
    Op,
    Value,
    While,
    walk,
)
from .adjoints import Adjoint

if TYPE_CHECKING:
    from .reverse import Reverse

NOTHING = Const.of(None)


def whole_saved(rev: Reverse, saved: Value, g: dict[object, Adjoint]) -> Atom:
    """The adjoint of what a function saved, given those of its parts."""
    b = rev.builder
    packed = _packed(rev.module, rev.function, saved)
    if packed is None:
        raise UnsupportedError(
            Problem(
                "the derivative of a recursive function cannot be differentiated again here",
                b.span,
                "write it as a loop",
            )
        )
    parts: list[Atom] = []
    for n, kind in enumerate(a.kind for a in packed.args):
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


def _packed(module: Module, function: Function, saved: Value) -> Op | None:
    """The operation that packs ``saved``, a parameter of ``function``."""
    found = _Origins(module).of(function, saved, set())
    return next((op for _, op in found if op.fn == "tuple"), None)


_Place: TypeAlias = "tuple[str, Value]"
_Found: TypeAlias = "Iterator[tuple[Function, Op]]"


class _Origins:
    """Where containers are made: through branches, loops, calls, tapes and other containers."""

    def __init__(self, module: Module) -> None:
        self.module = module

    def of(self, function: Function, value: Atom, seen: set[_Place]) -> _Found:
        """The operations that make ``value`` or, where it is a list, add to it."""
        if not isinstance(value, Value):
            return
        node, carried = _definition(function, value)
        if isinstance(node, Op) and node.fn in ("tuple", "list", "append"):
            yield function, node
            return
        if (function.name, value) in seen:
            return
        seen.add((function.name, value))  # functions of one pair have values in common
        if value in function.params:
            yield from self._handed_over(function, function.params.index(value), seen)
        for source in carried:
            yield from self.of(function, source, seen)
        match node:
            case Op(fn="item", args=(base, Const(value=int(n)))) if not _is_list(base):
                for f, op in self.of(function, base, seen):
                    if op.fn == "tuple":
                        yield from self.of(f, op.args[n], seen)
            case Op(fn="item" | "pop", args=(base, *_)):
                for f, op in self.of(function, base, seen):
                    for element in op.args[1:] if op.fn == "append" else op.args:
                        yield from self.of(f, element, seen)
            case Call():
                callee = self.module.functions[node.callee]
                result = callee.body.yields[node.results.index(value)]
                yield from self.of(callee, result, seen)

    def _handed_over(self, function: Function, index: int, seen: set[_Place]) -> _Found:
        """What callers pass to ``function`` at that place."""
        for caller in self.module.functions.values():
            for node in walk(caller.body):
                if isinstance(node, Call) and node.callee == function.name:
                    yield from self.of(caller, node.args[index], seen)


def _is_list(base: Atom) -> bool:
    return isinstance(base.kind, ListOf)


def _definition(function: Function, value: Value) -> tuple[Node | None, list[Atom]]:
    """The node that defines ``value``, and what it may be a new name for."""
    for node in walk(function.body):
        params: tuple[Value, ...] = ()
        if isinstance(node, For | While):
            params = node.body.params[1:] if isinstance(node, For) else node.body.params
        if value in node.results:
            k = node.results.index(value)
            match node:
                case If():
                    return node, [node.then.yields[k], node.orelse.yields[k]]
                case For() | While():
                    return node, [node.body.yields[k + 1], node.init[k]]
                case Op(fn="zeros_like" | "add_to"):
                    return node, list(node.args)
            return node, []
        if isinstance(node, For | While) and value in params:
            k = params.index(value)
            return node, [node.init[k], node.body.yields[k + 1]]
    return None, []
