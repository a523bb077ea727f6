"""Calls of functions with a rule of their own.

In: a ``Call`` of a function marked ``Custom``. Out: for a vjp, the call of its forward function in
the forward sweep, which returns residuals too, and the call of its backward function in the
reverse sweep. For a jvp, the call as it was, and the rule for tangents reversed with respect to
the tangents, in which it is linear. In forward mode, the call of the rule for tangents.

    y = call f(x)   ->   y, residuals = call fwd(x)
                         x_bar = call bwd(residuals, y_bar)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..errors import Problem, UnsupportedError
from ..ir.builder import Builder
from ..ir.kinds import Array, Kind, ListOf, carries_derivative
from ..ir.nodes import Atom, Call, Const, Custom, Value
from .adjoints import Env, adjoint_kind, bar, reversed_span
from .checkpoint import again
from .forward_values import dot
from .reverse import Reverse

if TYPE_CHECKING:
    from .forward import Forward


def reverse_custom(rev: Reverse, node: Call, env: Env) -> None:
    """Append the reverse of the call and register the forward one."""
    custom = rev.module.functions[node.callee].custom
    assert custom is not None
    if not any(a in rev.active for a in node.args):
        for r in node.results:
            env.pop(r, None)
    elif custom.how == "vjp":
        _by_vjp(rev, node, env, custom)
    else:
        _by_jvp(rev, node, env, custom)


def _by_vjp(rev: Reverse, node: Call, env: Env, custom: Custom) -> None:
    b = rev.builder
    forward, backward = (rev.module.functions[name] for name in custom.functions)
    (fwd_first, fwd_last), (bwd_first, bwd_last) = custom.inputs
    args = tuple(node.args[n] for n in (*fwd_first, *fwd_last))
    kept = tuple(
        Value(y.kind, getattr(y, "name", None)) for y in forward.body.yields[len(node.results) :]
    )
    for v in kept:
        rev.scope[v] = rev.scope[node.results[0]]
    call = Call((*node.results, *kept), forward.name, args, node.span)
    rev.rewritten[node] = (call,)
    gs: list[Atom] = []
    for r in node.results:
        if carries_derivative(r.kind):
            g = rev.take(env, r)
            gs.append(rev.zero(r) if g is None else g)
    heads = [node.args[n] for n in bwd_first]
    tails = [node.args[n] for n in bwd_last]
    names = {at: bar(getattr(node.args[n], "name", None)) for n, at in custom.cotangents}
    results = tuple(Value(y.kind, names.get(k)) for k, y in enumerate(backward.body.yields))
    b.append(Call(results, backward.name, (*heads, *kept, *gs, *tails), reversed_span(node.span)))
    for place, at in custom.cotangents:
        arg = node.args[place]
        if isinstance(arg, Value) and arg in rev.active:
            g = _picked(b, results, at)
            rev.contribute(env, arg, _checked(rev, g, arg))


def _picked(b: Builder, results: Sequence[Atom], at: int | tuple[int, ...]) -> Atom:
    """What a rule returned for one leaf."""
    return results[at] if isinstance(at, int) else b.op("list", *(results[k] for k in at))


def _checked(rev: Reverse, g: Atom, arg: Value) -> Atom:
    """A cotangent that the user's code has made: of the shape and the type of the argument."""
    if isinstance(arg.kind, Array | ListOf):
        return rev.conform(rev.builder.op("same_shape", g, arg), arg)
    return rev.conform(g, arg)


def _by_jvp(rev: Reverse, node: Call, env: Env, custom: Custom) -> None:
    callee = rev.module.functions[custom.functions[0]]
    ((first, last),) = custom.inputs
    moving = [n for n in custom.given if node.args[n] in rev.active]
    zeros = [rev.zero_of(node.args[n].kind, node.args[n]) for n in custom.given]
    args = (*(node.args[n] for n in first), *zeros, *(node.args[n] for n in last))
    seeded, gs = [], []
    for place, at in custom.cotangents:
        r = node.results[place]
        if r in env:
            g = rev.take(env, r)
            assert g is not None
            for n, k in enumerate((at,) if isinstance(at, int) else at):
                seeded.append(k)
                part = g if isinstance(at, int) else rev.builder.op("item", g, Const.of(n))
                gs.append(part)
    for r in node.results:
        env.pop(r, None)
    active = tuple(len(first) + custom.given.index(n) for n in moving)
    made = again(rev, callee, (active, tuple(seeded), ()), node)
    uses = made.uses
    assert uses is not None, "a rule for tangents does not call itself with tangents"
    kinds: tuple[Kind, ...] = made.kinds
    sources = [node.args[custom.given[n - len(first)]] for n in made.active]
    results = tuple(
        Value(adjoint_kind(kind), bar(getattr(a, "name", None)))
        for kind, a in zip(kinds, sources, strict=True)
    )
    rev.builder.append(
        Call(results, made.name, (*(args[n] for n in uses), *gs), reversed_span(node.span))
    )
    for a, r in zip(sources, results, strict=True):
        assert isinstance(a, Value)
        rev.contribute(env, a, rev.conform(r, a))


def forward_custom(run: Forward, node: Call, env: Env, custom: Custom) -> None:
    """Append the call of the rule for tangents in place of the call."""
    if custom.how == "vjp":
        name = node.callee.removesuffix("_call")
        raise UnsupportedError(
            Problem(
                f"forward mode cannot differentiate '{name}', which has a rule for reverse mode",
                node.span,
                "give it a custom_jvp instead: that serves both modes",
            )
        )
    callee = run.module.functions[custom.functions[0]]
    ((first, last),) = custom.inputs
    dots = [run.whole(env, node.args[n]) for n in custom.given]
    args = (*(node.args[n] for n in first), *dots, *(node.args[n] for n in last))
    names = {at: dot(node.results[n].name) for n, at in custom.cotangents}
    count = len(node.results)
    more = tuple(
        Value(y.kind, names.get(k)) for k, y in enumerate(callee.body.yields[count:], count)
    )
    every = (*node.results, *more)
    run.keep(Call(every, callee.name, args, node.span))
    for place, at in custom.cotangents:
        r, t = node.results[place], _picked(run.builder, every, at)
        if r in run.active:
            checked = isinstance(r.kind, Array | ListOf)
            env[r] = run.builder.op("same_shape", t, r) if checked else t


__all__ = ["forward_custom", "reverse_custom"]
