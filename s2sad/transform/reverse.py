"""The reverse sweep of a region: the adjoint of each statement in reverse statement order.

In: a function in SSA and its active values. Out: nodes that read forward values freely (whatever
they read is a need) and a forward body rewritten so that every need is at hand: branches export
what their reverse reads, loops carry a tape.

    y = mul x x        ->        x_bar = mul 2.0 x ; x_bar' = mul y_bar x_bar

``Reverse.region`` walks one region backwards; ``contribute`` adds a cotangent to an adjoint. An
adjoint is an atom, or for a tuple or dict of known structure a dict of adjoints. The adjoint of an
array may be a scalar as long as it is the same for all elements (the cotangent of a sum): it is
spread out only when someone needs the array.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, TypeAlias

from ..analysis.storage import Overwritten
from ..errors import Span
from ..ir.builder import Builder
from ..ir.kinds import Array, Dict, FixedList, Kind, ListOf, Num, Opaque, Record, Tuple, Undef, carries_derivative, same_dim
from ..ir.nodes import (
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
    Value,
    While,
    free_values,
    regions_of,
)
from ..ir.rewrite import substitute, substitute_region
from ..rules.apply import conform, cotangents
from . import reverse_ops
from .saves import Planner
from .simplify import needed
from .twins import Twins, placeholder

if TYPE_CHECKING:
    from .reverse_call import CalleePair

Adjoint: TypeAlias = "Atom | dict[object, Adjoint]"
Env: TypeAlias = dict[Value, Adjoint]


#: Functions that pass a cotangent on where they took an operand, and 0 elsewhere.
SELECTIONS = frozenset({"np.where", "np.select", "np.choose", "np.piecewise"})


class Scope:
    """Where a value is defined: the function, a loop body or an arm of a branch."""

    __slots__ = ("in_loop", "parent")

    def __init__(self, parent: Scope | None, in_loop: bool) -> None:
        self.parent = parent
        self.in_loop = in_loop


class Reverse:
    """Builds the reverse sweep of one function."""

    def __init__(
        self,
        module: Module,
        function: Function,
        active: set[Value],
        caller: Reverse | None = None,
        *,
        packs: bool = False,
    ) -> None:
        self.module = module
        self.function = function
        self.active = active
        self.builder = Builder(tidy=True)
        self.overwritten = Overwritten(function.body)
        self.definition: dict[Value, Op] = {}
        self.builder.outer = self.definition
        self.scope: dict[Value, Scope] = {}
        self.region_scope: dict[Region, Scope] = {}
        self.use_count: dict[Value, int] = {}
        #: what replaces a forward node: the node with its exports or its tape
        self.rewritten: dict[Node, tuple[Node, ...]] = {}
        self.producer: dict[Value, Node] = {}
        self.position: dict[Value, int] = {}
        self.twins = Twins(self)
        self.handled: set[Node] = set()
        #: adjoints that are 0 where ``np.where`` took the other arm
        self.masked: set[Atom] = set()
        #: forward/reverse pairs of callees, added to the module
        self.extra_functions: dict[str, Function] = {} if caller is None else caller.extra_functions
        self.pairs: dict[tuple[str, tuple[int, ...], tuple[int, ...]], CalleePair] = (
            {} if caller is None else caller.pairs
        )
        #: in a function NumPy has no part in, adjoints are Python's own numbers
        self.weak: bool | None = all(is_python_only(p.kind) for p in function.params) or None
        # where saved values are packed in a tuple, every one of them must exist on every path
        top = Scope(None, packs)
        for p in function.params:
            self.scope[p] = top
        self._survey(function.body, top)
        self._same_shape: dict[tuple[object, ...], Value] = {}
        for v in (*function.params, *(r for n in function.body.ops for r in n.results)):
            key = _shape_key(v.kind)
            if key is not None:
                self._same_shape.setdefault(key, v)

    def _survey(self, region: Region, scope: Scope) -> None:
        self.region_scope[region] = scope
        for p in region.params:
            self.scope[p] = scope
        for node in region.ops:
            for r in node.results:
                self.scope[r] = scope
                self.producer[r] = node
                self.position[r] = len(self.position)
                if self.weak and not is_python_only(r.kind):
                    self.weak = None
            if isinstance(node, Op):
                for r in node.results:
                    self.definition[r] = node
                for a in node.args:
                    if isinstance(a, Value):
                        self.use_count[a] = self.use_count.get(a, 0) + 1
            elif isinstance(node, Call):
                for a in node.args:
                    if isinstance(a, Value):
                        self.use_count[a] = self.use_count.get(a, 0) + 1
            else:
                if not isinstance(node, If):
                    self.twins.own(node)
                head = (node.cond,) if isinstance(node, If) else node.init
                for a in head:
                    if isinstance(a, Value):
                        self.use_count[a] = self.use_count.get(a, 0) + 1
            for inner in regions_of(node):
                self._survey(inner, Scope(scope, scope.in_loop or isinstance(node, For | While)))
        for a in region.yields:
            if isinstance(a, Value):
                self.use_count[a] = self.use_count.get(a, 0) + 1

    def is_inside(self, value: Value, scope: Scope) -> bool:
        at = self.scope.get(value)
        while at is not None:
            if at is scope:
                return True
            at = at.parent
        return False

    # -- adjoints -----------------------------------------------------------------------------

    def contribute(self, env: Env, target: Atom, g: Adjoint | None) -> None:
        """Add the cotangent ``g`` to the adjoint of ``target``, if that has one."""
        if g is None or not isinstance(target, Value) or target not in self.active:
            return
        old = env.get(target)
        if old is None:
            env[target] = g
            if target.name is not None and isinstance(g, Value):
                self.builder.label(g, f"{target.name}_bar")
        else:
            env[target] = self._sum(target, old, g)

    def _sum(self, target: Value, old: Adjoint, g: Adjoint) -> Adjoint:
        if isinstance(old, dict) or isinstance(g, dict):
            merged = dict(self._parts(target.kind, old))
            for key, part in self._parts(target.kind, g).items():
                have = merged.get(key)
                merged[key] = part if have is None else self._add(have, part)
            return merged
        name = bar(target.name)
        if isinstance(target.kind, Array) and isinstance(old.kind, Num):
            if isinstance(g.kind, Num):
                return self.builder.op("add", old, g, name=name)
            old, g = g, old
        if self._equal(old, g):
            return self.builder.op("mul", Const.of(2.0), old, name=name)
        total = self.builder.op("add_to", old, g, name=name)
        if old in self.masked and g in self.masked:
            self.masked.add(total)
        return total

    def _parts(self, kind: Kind, g: Adjoint) -> dict[object, Adjoint]:
        """An adjoint of a container by parts."""
        if isinstance(g, dict):
            return g
        return {
            key: part_of(self.builder, g, key)
            for key, k in parts_of(kind)
            if carries_derivative(k)
        }

    def _add(self, old: Adjoint, g: Adjoint) -> Adjoint:
        if isinstance(old, dict) and isinstance(g, dict):
            merged = dict(old)
            for key, part in g.items():
                have = merged.get(key)
                merged[key] = part if have is None else self._add(have, part)
            return merged
        assert not isinstance(old, dict) and not isinstance(g, dict)
        return self.builder.op("add_to", old, g)

    def take(self, env: Env, value: Value) -> Atom | None:
        """Remove and return the adjoint of ``value`` as one array or scalar."""
        g = env.pop(value, None)
        return None if g is None else self.whole(value, g)

    def whole(self, value: Value, g: Adjoint) -> Atom:
        """The adjoint as one atom: parts put together, a uniform one spread out."""
        if isinstance(g, dict):
            return self._assemble(value.kind, value, g)
        if isinstance(value.kind, Array) and isinstance(g.kind, Num):
            like = self.shape_of(value)
            if isinstance(g, Const) and g.value == 1.0:
                return self.builder.op("np.ones_like", like, name=bar(value.name))
            return self.builder.op("np.full_like", like, g, name=bar(value.name))
        return g

    def _assemble(self, kind: Kind, value: Atom, g: Adjoint | None) -> Atom:
        b = self.builder
        if not isinstance(g, dict):
            return self.zero_of(kind, value) if g is None else g
        parts = [(key, k, g.get(key)) for key, k in parts_of(kind)]
        atoms = [
            self._assemble(k, part_of(b, value, key), part)
            if part is None or isinstance(part, dict)
            else part
            for key, k, part in parts
        ]
        return build_like(b, kind, [key for key, _, _ in parts], atoms)

    def zero(self, value: Value) -> Atom:
        """A zero adjoint of ``value``, typed."""
        return self.zero_of(value.kind, value)

    def zero_of(self, kind: Kind, value: Atom) -> Atom:
        if isinstance(kind, Num):
            return Const.of(0j if kind.dtype[0] == "c" else 0.0)
        like = self.shape_of(value) if isinstance(value, Value) else value
        return self.builder.op("zeros_like", like, name=bar(getattr(value, "name", None)))

    def shape_of(self, value: Value) -> Value:
        """A value of the same shape and dtype that costs least to keep until the reverse sweep."""
        key = _shape_key(value.kind)
        if key is not None and key in self._same_shape:
            value = self._same_shape[key]
        return self.overwritten.latest(value)

    # -- regions ------------------------------------------------------------------------------

    def region(self, nodes: Sequence[Node], env: Env) -> None:
        """Append the adjoints of ``nodes``, last first."""
        for node in reversed(nodes):
            if node in self.handled or not any(r in env for r in node.results):
                continue
            self.builder.span = reversed_span(node.span)
            match node:
                case Op():
                    self._op(node, env)
                case If():
                    self._branch(node, env)
                case For() | While():
                    from .reverse_loop import reverse_loop

                    reverse_loop(self, node, env)
                case Call():
                    from .reverse_call import reverse_call

                    reverse_call(self, node, env)

    def _op(self, node: Op, env: Env) -> None:
        if not any(a in self.active for a in node.args):
            for r in node.results:
                env.pop(r, None)
            return
        handler = reverse_ops.HANDLERS.get(node.fn)
        if handler is not None:
            handler(self, node, env)
            return
        if len(node.results) == 1:
            (out,) = node.results
            g = env.pop(out)
            if isinstance(g, dict):
                g = self.whole(out, g)
            if isinstance(g.kind, Num) and not self._may_stay_uniform(node):
                g = self.whole(out, g)
            uniform = isinstance(g.kind, Num) and isinstance(out.kind, Array)
            self.spread(node, env, out, g, uniform=uniform)
        else:
            gs = tuple(self.take(env, r) for r in node.results)
            self.spread(node, env, node.results, gs)

    def _may_stay_uniform(self, node: Op) -> bool:
        """Elementwise, and no operand is broadcast: a scalar cotangent serves all elements."""
        out = node.results[0].kind
        if not isinstance(out, Array):
            return True
        if node.fn == "np.where":
            wide = node.args[0].kind
            return isinstance(wide, Array) and _shape_key(wide) is not None and wide.dims == out.dims
        return reverse_ops.is_elementwise(node.fn) and all(
            isinstance(a.kind, Num) and a not in self.active
            or isinstance(a.kind, Array)
            and a.kind.dims is not None
            and out.dims is not None
            and len(a.kind.dims) == len(out.dims)
            and all(map(same_dim, a.kind.dims, out.dims))
            for a in node.args
        )

    def spread(
        self,
        node: Op,
        env: Env,
        out: Value | tuple[Value, ...],
        g: Atom | tuple[Atom | None, ...],
        *,
        uniform: bool = False,
    ) -> None:
        """Contribute the cotangents the rule of ``node`` gives to its operands."""
        wanted = [n for n, a in enumerate(node.args) if a in self.active]
        masked = g in self.masked
        parts = cotangents(
            self.builder,
            node.fn,
            node.attrs,
            node.args,
            out,
            g,
            wanted,
            uniform=uniform,
            masked=masked,
        )
        if masked or node.fn in SELECTIONS:
            self.masked.update(p for p in parts if isinstance(p, Value))
        if len(parts) == 2 and node.args[0] is node.args[1]:
            first, second = parts
            if first is not None and second is not None and self._equal(first, second):
                # x * x, x @ x
                parts = (self.builder.op("mul", Const.of(2.0), first), None)
        for a, part in zip(node.args, parts, strict=True):
            self.contribute(env, a, part)

    def _equal(self, a: Atom, b: Atom) -> bool:
        """The same computation on the same values."""
        if a is b:
            return True
        if isinstance(a, Const) and isinstance(b, Const):
            return type(a.value) is type(b.value) is float and bool(a.value == b.value)
        if not isinstance(a, Value) or not isinstance(b, Value):
            return False
        x, y = (self.builder.definition.get(v) or self.definition.get(v) for v in (a, b))
        if x is None or y is None or x.fn != y.fn or x.attrs != y.attrs:
            return False
        if len(x.args) != len(y.args):
            return False
        if all(self._equal(p, q) for p, q in zip(x.args, y.args, strict=True)):
            return True
        if x.fn != "mul":
            return False
        (p, q), (r, s) = x.args, y.args
        return self._equal(p, s) and self._equal(q, r)

    # -- branches -----------------------------------------------------------------------------

    def _branch(self, node: If, env: Env) -> None:
        seeds = {r: env.pop(r) for r in node.results if r in env}
        dead = [_never_falls_through(arm) for arm in (node.then, node.orelse)]
        arms: list[tuple[list[Node], Env]] = []
        for arm, is_dead in zip((node.then, node.orelse), dead, strict=True):
            inner = dict(env)
            with self.builder.region() as nodes:
                if not is_dead:
                    for r, y in zip(node.results, arm.yields, strict=True):
                        if r in seeds:
                            self.contribute(inner, y, seeds[r])
                    self.region(arm.ops, inner)
            arms.append((nodes, inner))
        scopes = [self.region_scope[node.then], self.region_scope[node.orelse]]
        changed: dict[Value, None] = {}
        for _, inner in arms:
            for v, g in inner.items():
                outside = not any(self.is_inside(v, s) for s in scopes)
                if outside and env.get(v) is not g:
                    changed.setdefault(v)
        if not changed:
            return
        yields: list[list[Atom]] = [[], []]
        results: list[Value] = []
        for v in changed:
            ends: list[Atom] = []
            for nodes, inner in arms:
                with self.builder.region() as more:
                    g = inner.get(v)
                    ends.append(self.zero(v) if g is None else self.whole(v, g))
                nodes.extend(more)
            kind = adjoint_kind(v.kind, self.weak)
            results.append(Value(kind, bar(v.name)))
            for side, atom in zip(yields, ends, strict=True):
                side.append(atom)
        self._settle_arms(node, arms, yields)
        if any(dead):
            nodes, ends = self._settled[1 if dead[0] else 0]
            self.builder.nodes.extend(nodes)
            env.update(zip(changed, ends, strict=True))
            return
        then, orelse = self._settled
        span = reversed_span(node.span)
        joined: list[tuple[Value, Atom, Atom]] = []
        for v, r, a, b in zip(changed, results, then[1], orelse[1], strict=True):
            env[v] = a if a is b else r
            if a is not b:
                joined.append((r, a, b))
        self.builder.append(
            If(
                tuple(r for r, _, _ in joined),
                node.cond,
                Region((), tuple(then[0]), tuple(a for _, a, _ in joined)),
                Region((), tuple(orelse[0]), tuple(b for _, _, b in joined)),
                span,
            )
        )

    def _settle_arms(
        self, node: If, arms: list[tuple[list[Node], Env]], yields: list[list[Atom]]
    ) -> None:
        """See to it that what the arms' reverses read is known outside the forward branch."""
        exports: list[tuple[Value, Atom, Atom]] = []
        settled: list[tuple[list[Node], list[Atom]]] = []
        outer = self.region_scope[node.then].parent
        assert outer is not None
        for side, (arm, (nodes, _)) in enumerate(
            zip((node.then, node.orelse), arms, strict=True)
        ):
            scope = self.region_scope[arm]
            body = Region((), tuple(needed(nodes, yields[side])), tuple(yields[side]))
            needs = [v for v in free_values(body) if self.is_inside(v, scope)]
            planner = Planner(
                lambda v, s=scope: self.is_inside(v, s),  # type: ignore[misc]
                self.definition,
                self.position,
                self.overwritten,
            )
            plan = planner.plan(needs, tape=False)
            mapping: dict[Value, Atom] = {}
            for v in plan.saved:
                twin = Value(v.kind, v.name)
                other: Atom = placeholder(v.kind) if outer.in_loop else UNDEFINED
                here = self.twins.defined(v) if outer.in_loop else v
                exports.append((twin, here, other) if side == 0 else (twin, other, here))
                self.scope[twin] = outer
                mapping[v] = twin
            again, renamed = repeat(plan.recomputed, mapping)
            region = substitute_region(body, renamed)
            settled.append(([*again, *region.ops], list(region.yields)))
        self._settled = settled
        then, orelse = (self.rebuilt(r) for r in (node.then, node.orelse))
        self.rewritten[node] = (
            If(
                (*node.results, *(t for t, _, _ in exports)),
                node.cond,
                Region((), then, (*node.then.yields, *(a for _, a, _ in exports))),
                Region((), orelse, (*node.orelse.yields, *(b for _, _, b in exports))),
                node.span,
            ),
        )

    def rebuilt(self, region: Region) -> tuple[Node, ...]:
        """The forward nodes of a region, with inner branches and loops as rewritten."""
        return tuple(
            self.twins.apply(n, m) for n in region.ops for m in self.rewritten.get(n, (n,))
        )

    def conform(self, g: Atom, like: Atom) -> Atom:
        """``g`` summed and cast to the shape and dtype of ``like``."""
        return conform(self.builder, g, like)


def repeat(ops: Iterable[Op], mapping: dict[Value, Atom]) -> tuple[list[Node], dict[Value, Atom]]:
    """Copies of ``ops`` with new results; the mapping extended by them."""
    renamed = dict(mapping)
    nodes: list[Node] = []
    for op in ops:
        (copy,) = substitute([op], renamed)
        assert isinstance(copy, Op)
        result = Value(op.results[0].kind, op.results[0].name)
        nodes.append(Op((result,), copy.fn, copy.args, copy.attrs, reversed_span(op.span)))
        renamed[op.results[0]] = result
    return nodes, renamed


def bar(name: str | None) -> str | None:
    """The name of the adjoint of a value of that name."""
    return None if name is None else f"{name}_bar"


def reversed_span(span: Span | None) -> Span | None:
    """The same place, marked as belonging to the reverse sweep."""
    return None if span is None or span.reverse else dataclasses.replace(span, reverse=True)


def adjoint_kind(kind: Kind, weak: bool | None = None) -> Kind:
    """The kind of the adjoint of a value of that kind; ``weak`` is its scalars'."""
    match kind:
        case Num():
            return Num(kind.dtype if kind.dtype[0] in "fc" else "float64", weak)
        case ListOf():
            return ListOf(None if kind.elem is None else adjoint_kind(kind.elem, weak))
        case Tuple():
            return Tuple(tuple(adjoint_kind(k, weak) for k in kind.items), kind.cls)
        case FixedList():
            return FixedList(tuple(adjoint_kind(k, weak) for k in kind.items))
        case _:
            return kind


def is_python_only(kind: Kind) -> bool:
    """True for kinds that NumPy has no part in."""
    match kind:
        case Num():
            return kind.weak is True
        case ListOf():
            return kind.elem is None or is_python_only(kind.elem)
        case Tuple() | FixedList():
            return all(map(is_python_only, kind.items))
        case Opaque() | Undef():
            return True
        case _:
            return False


def parts_of(kind: Kind) -> list[tuple[object, Kind]]:
    """Keys and kinds of the parts of a container of known structure."""
    match kind:
        case Tuple() | FixedList():
            return list(enumerate(kind.items))
        case Dict():
            return list(kind.items)
        case Record():
            return [(name, k) for name, k in kind.fields]
        case _:
            raise TypeError(f"{kind} has no parts")


def part_of(b: Builder, value: Atom, key: object) -> Atom:
    """One part of a container, as a value."""
    if isinstance(value.kind, Record):
        return b.ops("attr", value, name=key)[0]
    return b.op("item", value, Const.of(key))


def build_like(b: Builder, kind: Kind, keys: Sequence[object], atoms: Sequence[Atom]) -> Atom:
    """A container of the given kind with the given parts."""
    match kind:
        case Tuple(cls=None):
            return b.op("tuple", *atoms)
        case Tuple():
            return b.op("record", *atoms, cls=kind.cls)
        case FixedList():
            return b.op("list", *atoms)
        case Dict():
            return b.op("dict", *atoms, keys=tuple(keys))
        case Record():
            return b.op("record", *atoms, cls=kind.cls, fields=tuple(keys))
        case _:
            raise TypeError(f"{kind} has no parts")


def _shape_key(kind: Kind) -> tuple[object, ...] | None:
    """Equal keys are equal dtypes and shapes; None where the shape is not known that well."""
    if isinstance(kind, Array) and kind.dims is not None:
        if all(same_dim(d, d) for d in kind.dims):
            return (kind.dtype, kind.dims)
    return None


def _never_falls_through(region: Region) -> bool:
    return any(isinstance(n, Op) and n.fn == "raise" for n in region.ops)


__all__ = ["Adjoint", "Env", "Reverse", "Scope"]
