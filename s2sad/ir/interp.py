"""The reference interpreter: what a module means, with pure value semantics.

In: a module and run-time values, one per parameter of its entry. Out: the value it returns. The
functions of the registry write to copies, so no version of anything is ever lost; everything the
backend does to write in place is checked against this.

    run(module, 3.0)   ->   9.0          for  f(x) = mul(x, x)
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from ..rules.registry import primitive
from .nodes import (
    UNDEFINED,
    Atom,
    Call,
    Const,
    For,
    Function,
    If,
    Module,
    Node,
    Op,
    Region,
    Struct,
    Value,
    While,
)
from .tree import unflatten


def run(module: Module, *args: Any) -> Any:
    """The value the module's entry returns for these arguments, which stay as they are.

    Yields after the leaves of the entry's result (saved values, new versions of consumed
    buffers) are given back beside it: ``(out, *rest)``.
    """
    function = module.entry
    leaves = call(module, function, args)
    count = leaf_count(function.out)
    out = unflatten(function.out, leaves[:count])
    return (out, *leaves[count:]) if len(leaves) > count else out


def call(module: Module, function: Function, args: Sequence[Any]) -> list[Any]:
    """Everything the function's body yields, flat."""
    if len(args) != len(function.params):
        raise TypeError(f"{function.name} takes {len(function.params)} values, not {len(args)}")
    env: dict[Value, Any] = dict(zip(function.params, args, strict=True))
    return _region(module, function.body, env)


def leaf_count(struct: Struct) -> int:
    """How many of a function's yields its result is made of."""
    if struct.form == "leaf":
        return struct.index + 1
    return max((leaf_count(child) for child in struct.children), default=0)


def _region(module: Module, region: Region, env: dict[Value, Any]) -> list[Any]:
    for node in region.ops:
        _node(module, node, env)
    return [_atom(a, env) for a in region.yields]


def _atom(atom: Atom, env: dict[Value, Any]) -> Any:
    return atom.value if isinstance(atom, Const) else env[atom]


def _node(module: Module, node: Node, env: dict[Value, Any]) -> None:
    match node:
        case Op():
            results = _op(node, [_atom(a, env) for a in node.args])
        case Call():
            args = [_atom(a, env) for a in node.args]
            results = call(module, module.functions[node.callee], args)
        case If():
            arm = node.then if _atom(node.cond, env) else node.orelse
            results = _region(module, arm, env)
        case For():
            bounds = [_atom(a, env) for a in (node.start, node.stop, node.step)]
            results = [_atom(a, env) for a in node.init]
            for i in range(*bounds):
                env.update(zip(node.body.params, [i, *results], strict=True))
                leave, *results = _region(module, node.body, env)
                if leave is not UNDEFINED.value and leave:
                    break
        case While():
            results = [_atom(a, env) for a in node.init]
            while True:
                env.update(zip(node.test.params, results, strict=True))
                if not _region(module, node.test, env)[0]:
                    break
                env.update(zip(node.body.params, results, strict=True))
                leave, *results = _region(module, node.body, env)
                if leave is not UNDEFINED.value and leave:
                    break
    env.update(zip(node.results, results, strict=True))


def _op(op: Op, args: list[Any]) -> Iterable[Any]:
    record = primitive(op.fn)
    out = record.fun(*args, **op.attrs)
    if len(op.results) == 1:
        return [out]
    return [] if not op.results else list(out)
