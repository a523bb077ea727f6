"""The reverse of a call: a forward/reverse pair of the callee, made once per use pattern.

In: a ``Call`` of a function of the module. Out: the call replaced by one of ``callee_forward``,
which returns what it saved beside its results, and a call of ``callee_reverse(saved, g…)``.
Adjoints of arrays and lists are passed as accumulators, so that a helper that reads one element
costs O(1) in the reverse sweep too.

    y = call f(x, i)   ->   y, saved = call f_forward(x, i)
                            x_bar = call f_reverse(saved, y_bar, x_bar)

What a recursive function saves holds what its inner calls saved: the saved values of the whole
recursion are a tree of tuples, and every call adds its own tuple once.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..ir.kinds import SAVED, Array, Kind, ListOf, Mixed, Num
from ..ir.nodes import Atom, Call, Const, Function, Op, Region, Struct, Value, free_values
from .adjoints import Env, accumulators, adjoint_kind, bar, reversed_span
from .results import in_a_row
from .reverse import Reverse
from .target import is_for_compiler


@dataclass(slots=True)
class CalleePair:
    """Names and signature of the forward/reverse pair of one callee for one use pattern.

    ``accumulated`` are positions of parameters whose adjoints come in as accumulators; the
    reverse function returns the adjoints of the parameters ``active``, in that order. It is given
    the parameters ``handed`` again, which then need not be saved.
    """

    forward: str
    reverse: str
    active: tuple[int, ...]
    accumulated: tuple[int, ...]
    kinds: tuple[Kind, ...]
    handed: tuple[int, ...] = ()


def reverse_call(rev: Reverse, node: Call, env: Env) -> None:
    """Append the reverse call and register the forward one."""
    callee = rev.module.functions[node.callee]
    seeded = tuple(n for n, r in enumerate(node.results) if r in env)
    active = tuple(n for n, a in enumerate(node.args) if a in rev.active)
    if not active:
        for r in node.results:
            env.pop(r, None)
        return
    gs: list[Atom] = []
    for n in seeded:
        g = rev.take(env, node.results[n])
        assert g is not None
        gs.append(g)
    pair = pair_of(rev, callee, active, seeded)
    saved = Value(SAVED, "saved")
    rev.scope[saved] = rev.scope[node.results[0]]
    rev.rewritten[node] = (Call((*node.results, saved), pair.forward, node.args, node.span),)
    buffers: list[Atom] = []
    taken: set[Value] = set()
    own: set[int] = set()
    for n in pair.accumulated:
        arg = node.args[n]
        assert isinstance(arg, Value)
        have = env.get(arg)
        if have is None or arg in taken:
            buffers.append(rev.zero(arg))
            own.add(n)
        else:
            buffers.append(rev.whole(arg, have))
            taken.add(arg)
    results = tuple(
        Value(kind, bar(node.args[n].name if isinstance(node.args[n], Value) else None))
        for n, kind in zip(pair.active, pair.kinds, strict=True)
    )
    rev.builder.append(
        Call(
            results,
            pair.reverse,
            (saved, *(node.args[n] for n in pair.handed), *gs, *buffers),
            reversed_span(node.span),
        )
    )
    for n, r in zip(pair.active, results, strict=True):
        arg = node.args[n]
        assert isinstance(arg, Value)
        if n in pair.accumulated and n not in own:
            env[arg] = r
        else:
            rev.contribute(env, arg, r)


def pair_of(
    rev: Reverse, callee: Function, active: tuple[int, ...], seeded: tuple[int, ...]
) -> CalleePair:
    """The pair for this use pattern, made on first demand."""
    key = (callee.name, active, seeded)
    known = rev.pairs.get(key)
    if known is not None:
        return known
    written = {p for p, _ in callee.mutates}
    accumulated = tuple(
        n
        for n in active
        if isinstance(callee.params[n].kind, Array | ListOf | Mixed) and n not in written
    )

    base = callee.name
    sub = rev.of_callee(callee, active, seeded, packs=True)
    kinds = tuple(adjoint_kind(callee.params[n].kind, sub.weak) for n in active)
    pair = CalleePair(
        rev.unused(f"{base}_forward"), rev.unused(f"{base}_reverse"), active, accumulated, kinds
    )
    pairs, functions = dict(rev.pairs), dict(rev.extra_functions)
    rev.pairs[key] = pair
    needs = _build(sub, callee, pair, seeded)
    if is_for_compiler():
        # A caller has its arguments at hand again: once more, handing on what is needed of them.
        pair.handed = tuple(
            n
            for n, p in enumerate(callee.params)
            if p in needs and n not in written and _may_be_handed(sub, p)
        )
    if pair.handed:
        for known_now, before in ((rev.pairs, pairs), (rev.extra_functions, functions)):
            known_now.clear()
            known_now.update(before)  # type: ignore[arg-type]
        rev.pairs[key] = pair
        _build(rev.of_callee(callee, active, seeded, packs=True), callee, pair, seeded)
    return pair


def _may_be_handed(sub: Reverse, p: Value) -> bool:
    return isinstance(p.kind, Num) or (isinstance(p.kind, Array) and p not in sub.overwritten)


def _build(
    sub: Reverse, callee: Function, pair: CalleePair, seeded: tuple[int, ...]
) -> list[Value]:
    """Make both functions; what the reverse one needs of the forward sweep."""
    b = sub.builder
    env: Env = {}
    gs = [
        Value(adjoint_kind(callee.body.yields[n].kind, sub.weak), "g" if k == 0 else f"g_{k + 1}")
        for k, n in enumerate(seeded)
    ]
    buffers = accumulators(callee, pair.accumulated, env)
    with b.region() as nodes:
        for n, g in zip(seeded, gs, strict=True):
            sub.contribute(env, callee.body.yields[n], g)
        sub.region(callee.body.ops, env)
        b.span = None
        ends: list[Atom] = []
        for n in pair.active:
            p = callee.params[n]
            end = sub.take(env, p)
            ends.append(sub.zero(p) if end is None else end)
    body = Region((), tuple(nodes), tuple(ends))
    handed = tuple(callee.params[n] for n in pair.handed)
    known = {*gs, *buffers, *handed}
    needs = [v for v in free_values(body) if v not in known]
    saved_in = Value(SAVED, "saved")
    unpack = tuple(Op((v,), "item", (saved_in, Const.of(n))) for n, v in enumerate(needs))
    first_buffer = 1 + len(handed) + len(gs)
    sub.extra_functions[pair.reverse] = Function(
        pair.reverse,
        (saved_in, *handed, *gs, *buffers),
        Region((), (*unpack, *nodes), tuple(ends)),
        in_a_row(len(ends)),
        tuple((first_buffer + k, pair.active.index(n)) for k, n in enumerate(pair.accumulated)),
    )
    packed = Value(SAVED, "saved")
    kept = tuple(sub.twins.defined(v) for v in needs)
    forward_nodes = (*sub.forward(), Op((packed,), "tuple", kept))
    yields = (*callee.body.yields, packed)
    sub.extra_functions[pair.forward] = Function(
        pair.forward,
        callee.params,
        Region((), forward_nodes, yields),
        Struct("tuple", tuple(Struct("leaf", index=n) for n in range(len(yields)))),
        callee.mutates,
        callee.origin,
    )
    return needs
