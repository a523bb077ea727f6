"""The reverse of a branch: the same branch, each arm reversed.

In: an ``If`` whose results have adjoints. Out: an ``If`` on the same condition that yields the
adjoints its arms changed, and the forward branch rewritten to export what the arms' reverses read.

    if c: y = x * x        ->        if c: x_bar = 2.0 * (y_bar * x)
    else: y = x                      else: x_bar = y_bar
"""

from __future__ import annotations

from ..ir.nodes import UNDEFINED, Atom, If, Node, Region, Value, free_values, raises
from ..ir.rewrite import substitute_region
from .adjoints import Env, adjoint_kind, bar, repeat, reversed_span
from .alike import alike
from .dead_code import needed
from .reverse import Reverse
from .saves import Planner
from .twins import placeholder


def reverse_branch(rev: Reverse, node: If, env: Env) -> None:
    """Append the reverse of a branch and register its rewritten forward form."""
    seeds = {r: env.pop(r) for r in node.results if r in env}
    dead = [raises(arm) for arm in (node.then, node.orelse)]
    arms: list[tuple[list[Node], Env]] = []
    for arm, is_dead in zip((node.then, node.orelse), dead, strict=True):
        inner = dict(env)
        with rev.builder.region() as nodes:
            if not is_dead:
                for r, y in zip(node.results, arm.yields, strict=True):
                    if r in seeds:
                        rev.contribute(inner, y, seeds[r])
                rev.region(arm.ops, inner)
        arms.append((nodes, inner))
    scopes = [rev.region_scope[node.then], rev.region_scope[node.orelse]]
    changed: dict[Value, None] = {}
    for _, inner in arms:
        for v, g in inner.items():
            outside = not any(rev.is_inside(v, s) for s in scopes)
            if outside and env.get(v) is not g:
                changed.setdefault(v)
    if not changed:
        return
    yields: list[list[Atom]] = [[], []]
    results: list[Value] = []
    for v in changed:
        ends: list[Atom] = []
        for n, (nodes, inner) in enumerate(arms):
            end = inner.get(v)
            if end is None and _is_absent(rev, v, node.cond, n):
                ends.append(UNDEFINED)
                continue
            with rev.builder.region() as more:
                ends.append(rev.zero(v) if end is None else rev.whole(v, end))
            nodes.extend(more)
        kind = adjoint_kind(v.kind, rev.weak)
        results.append(Value(kind, bar(v.name)))
        for side, atom in zip(yields, ends, strict=True):
            side.append(atom)
    rev.builder.span = reversed_span(node.span)
    settled = _settle_arms(rev, node, arms, yields)
    if any(dead):
        nodes, ends = settled[1 if dead[0] else 0]
        rev.builder.nodes.extend(nodes)
        env.update(zip(changed, ends, strict=True))
        return
    then, orelse = settled
    span = reversed_span(node.span)
    joined: list[tuple[Value, Atom, Atom]] = []
    for v, r, a, b in zip(changed, results, then[1], orelse[1], strict=True):
        env[v] = a if a is b else r
        if a is not b:
            joined.append((r, a, b))
    rev.builder.append(
        If(
            tuple(r for r, _, _ in joined),
            node.cond,
            Region((), tuple(then[0]), tuple(a for _, a, _ in joined)),
            Region((), tuple(orelse[0]), tuple(b for _, _, b in joined)),
            span,
        )
    )


def _settle_arms(
    rev: Reverse, node: If, arms: list[tuple[list[Node], Env]], yields: list[list[Atom]]
) -> list[tuple[list[Node], list[Atom]]]:
    """See to it that what the arms' reverses read is known outside the forward branch."""
    exports: list[tuple[Value, Atom, Atom]] = []
    settled: list[tuple[list[Node], list[Atom]]] = []
    outer = rev.region_scope[node.then].parent
    assert outer is not None
    for side, (arm, (nodes, _)) in enumerate(zip((node.then, node.orelse), arms, strict=True)):
        scope = rev.region_scope[arm]
        body = Region((), tuple(needed(nodes, yields[side])), tuple(yields[side]))
        needs = [v for v in free_values(body) if rev.is_inside(v, scope)]
        same = alike(needs, rev.definition)
        body = substitute_region(body, dict(same))
        needs = [v for v in needs if v not in same]
        planner = Planner(
            lambda v, s=scope: rev.is_inside(v, s),  # type: ignore[misc]
            rev.definition,
            rev.position,
            rev.overwritten,
            rev.settled,
            rev.shape_of,
        )
        plan = planner.plan(needs, tape=False)
        mapping: dict[Value, Atom] = {}
        for v in plan.saved:
            twin = Value(v.kind, v.name)
            other: Atom = placeholder(v.kind) if outer.in_loop else UNDEFINED
            here = rev.twins.defined(v) if outer.in_loop else v
            exports.append((twin, here, other) if side == 0 else (twin, other, here))
            rev.scope[twin] = outer
            mapping[v] = twin
        again, renamed = repeat(plan.recomputed, mapping)
        region = substitute_region(body, renamed)
        settled.append(([*again, *region.ops], list(region.yields)))
    then, orelse = (rev.rebuilt(r) for r in (node.then, node.orelse))
    rev.rewritten[node] = (
        If(
            (*node.results, *(t for t, _, _ in exports)),
            node.cond,
            Region((), then, (*node.then.yields, *(a for _, a, _ in exports))),
            Region((), orelse, (*node.orelse.yields, *(b for _, _, b in exports))),
            node.span,
        ),
    )
    return settled


def _is_absent(rev: Reverse, value: Value, cond: Atom, side: int) -> bool:
    """Whether ``value`` is not assigned where ``cond`` takes this side."""
    node = rev.producer.get(value)
    if not isinstance(node, If) or node.cond is not cond:
        return False
    arm = (node.then, node.orelse)[side]
    return arm.yields[node.results.index(value)] is UNDEFINED
