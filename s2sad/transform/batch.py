"""The batch pass: a function of one tangent becomes a function of many.

In: a module, and the parameters that get one more axis in front. Out: a module in which every
value that depends on them has that axis, while everything else is computed once. What is batched
is tangents and cotangents, which flow through linear code: conditions, trip counts and indices
are the same for the whole batch. Where that, or a rule, fails, the pass writes a loop over the
batch (``batch_loop``), so the result is always right.

    def df(x, x_dot):                   def df_batch(x: float64[n], x_dot: float64[B, n]):
        a = cos x                           a = cos x
        y_dot = mul a x_dot       ->        y_dot = mul a x_dot
        s_dot = np.sum y_dot                s_dot = np.sum y_dot axis=1
        return s_dot                        return s_dot
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from ..errors import Problem, UnsupportedError
from ..ir.kinds import UNDEF, Array, Dim, Sym
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
    Region,
    Value,
    While,
    free_values,
    operands_of,
    regions_of,
    walk,
)
from ..ir.rewrite import substitute
from ..rules import (
    batching_containers,
    batching_index,
    batching_joins,
    batching_products,
    batching_shape,
)
from ..rules.batching import NoBatchRule, Operand, find_rule
from ..rules.batching_forms import Form, any_batched, expand, full_form
from ..rules.batching_forms import join_forms as join
from ..rules.kindrules import int_of_dim
from ..rules.registry import KindError, primitive
from .batch_loop import loop_over_members
from .batch_values import BatchValues, Callee, Shared, canonical
from .simplify import simplify

__all__ = ["Batched", "batch"]

#: The modules whose import enters the batch rules.
TABLES = (
    batching_containers,
    batching_index,
    batching_joins,
    batching_products,
    batching_shape,
)


@dataclass(frozen=True, slots=True)
class Batched:
    """A batched module, and for every yield of its entry which parts are batched."""

    module: Module
    forms: tuple[Form, ...]


def batch(
    module: Module, batched: Sequence[int] | Mapping[int, Form], dim: Dim | None = None
) -> Batched:
    """The module whose entry takes one more axis in front of the parameters ``batched``.

    Whatever carries a derivative in these parameters gets the axis, or what a form says; numbers
    become arrays. Values that do not depend on them stay as they are; the forms of the result say
    which of the entry's yields have the axis. ``dim`` is what is known of the size of the batch.
    """
    function = module.entry
    shared = Shared(module, Sym(("batch", _level(module))) if dim is None else dim)
    given = batched if isinstance(batched, Mapping) else {}
    forms = [
        canonical(given.get(n, full_form(p.kind)), p.kind) if n in batched else False
        for n, p in enumerate(function.params)
    ]
    inner = _Pass(shared, function)
    params = inner.parameters(forms)
    inner.measure(params, forms)
    nodes, yields = inner.body()
    if shared.unsettled:
        raise UnsupportedError(
            Problem(
                f"{function.name} saves more than can be batched",
                None,
                "take one direction after the other: jvp, hvp or vjp",
            )
        )
    body = Region((), (*inner.prologue(), *nodes), tuple(y.atom for y in yields))
    entry = Function(
        f"{function.name}_batch", tuple(params), body, function.out, (), function.origin
    )
    functions = {entry.name: entry}
    functions.update((c.function.name, c.function) for c in shared.callees.values() if c.function)
    for name, f in module.functions.items():
        if f is not function:
            functions.setdefault(name, f)
    return Batched(simplify(Module(functions)), tuple(y.form for y in yields))


def _level(module: Module) -> int:
    """A number that no size of a batch in this module goes by: transforms nest."""
    level = 0
    for f in module.functions.values():
        values = [*f.params, *(r for n in walk(f.body) for r in n.results)]
        for v in values:
            if isinstance(v.kind, Array) and v.kind.dims:
                d = v.kind.dims[0]
                if isinstance(d, Sym) and isinstance(d.base, tuple) and d.base[0] == "batch":
                    level = max(level, d.base[1])
    return level + 1


class _Pass(BatchValues):
    """Batches one function."""

    # -- regions ----------------------------------------------------------------------------------

    def body(self) -> tuple[list[Node], list[Operand]]:
        with self.b.region() as nodes:
            yields = self.region(self.function.body)
        return nodes, yields

    def region(self, region: Region) -> list[Operand]:
        """Builds the region's nodes into the open region; what it yields."""
        for node in region.ops:
            self.node(node)
        return [self.look(a) for a in region.yields]

    def node(self, node: Node) -> None:
        self.b.span = node.span
        changed = {v: self.known[v] for v in _read(node) if v in self.known}
        if not any(x.batched for x in changed.values()):
            # what is the same for the whole batch stays as it is
            (same,) = substitute([node], {v: x.atom for v, x in changed.items()})
            self.b.append(same)
            return
        mark, known, unsettled = len(self.b.nodes), dict(self.known), self.shared.unsettled
        try:
            match node:
                case Op():
                    self.op(node)
                case Call():
                    self.call(node)
                case If():
                    self.branch(node)
                case For() | While():
                    self.loop(node)
        except (NoBatchRule, KindError):
            del self.b.nodes[mark:]
            self.known, self.shared.unsettled = known, unsettled
            self.each_member(node)
        finally:
            self.b.span = node.span

    def each_member(self, node: Node) -> None:
        """The node once for each member of the batch."""
        batched = [v for v in _read(node) if v in self.known]
        operands = {v: self.known[v] for v in batched}
        for old, atom, form in loop_over_members(self.b, self.size(), self.dim, node, operands):
            self.known[old] = Operand(atom, old.kind, form)

    def op(self, node: Op) -> None:
        rule = find_rule(node.fn, node.attrs)
        if rule is None or primitive(node.fn).effect != "pure":
            raise NoBatchRule
        xs = [self.look(a) for a in node.args]
        kinds = tuple(r.kind for r in node.results)
        made = rule(self, node.fn, xs, node.attrs, kinds[0] if len(kinds) == 1 else kinds)  # type: ignore[arg-type]
        results = [(made, True)] if isinstance(made, Value | Const) else list(made)
        if len(results) != len(node.results):
            raise NoBatchRule
        for old, (atom, form) in zip(node.results, results, strict=True):
            self.bind(old, atom, form)

    # -- control flow -----------------------------------------------------------------------------

    def branch(self, node: If) -> None:
        cond = self.look(node.cond)
        if cond.batched:
            raise NoBatchRule
        arms: list[tuple[list[Node], list[Operand]]] = []
        for arm in (node.then, node.orelse):
            with self.b.region() as nodes:
                arms.append((nodes, self.region(arm)))
        forms = [
            canonical(join(_form_for(x, r), _form_for(y, r)), r.kind)
            for x, y, r in zip(arms[0][1], arms[1][1], node.results, strict=True)
        ]
        regions = [
            Region((), tuple(nodes), self._conformed(nodes, yields, forms, node.results))
            for nodes, yields in arms
        ]
        regions = [replace(r, ops=tuple(arm[0])) for r, arm in zip(regions, arms, strict=True)]
        results = tuple(self.fresh(r, f) for r, f in zip(node.results, forms, strict=True))
        self.b.append(If(results, cond.atom, regions[0], regions[1], node.span))

    def _conformed(
        self,
        nodes: list[Node],
        yields: Sequence[Operand],
        forms: Sequence[Form],
        wanted: Sequence[Value],
    ) -> tuple[Atom, ...]:
        """What a region yields in these forms; ``nodes`` grow by what that takes."""
        with self.b.region() as more:
            atoms = tuple(
                self.conform(y, f, getattr(v.kind, "dtype", None))
                for y, f, v in zip(yields, forms, wanted, strict=True)
            )
        nodes.extend(more)
        return atoms

    def loop(self, node: For | While) -> None:
        offset = 1 if isinstance(node, For) else 0
        if isinstance(node, For) and any(
            self.look(a).batched for a in (node.start, node.stop, node.step)
        ):
            raise NoBatchRule
        params = node.body.params[offset:]
        init = [self.look(a) for a in node.init]
        forms = [canonical(_form_for(x, p), p.kind) for x, p in zip(init, params, strict=True)]
        mark = self.shared.unsettled
        while True:
            with self.b.region() as nodes:
                carried = [self.fresh(p, f) for p, f in zip(params, forms, strict=True)]
                leave, *yields = self.region(node.body)
            if leave.batched:
                raise NoBatchRule
            grown = [
                canonical(join(f, _form_for(y, p)), p.kind)
                for f, y, p in zip(forms, yields, params, strict=True)
            ]
            if grown == forms:
                break
            forms = grown
            self.shared.unsettled = mark
        atoms = self._conformed(nodes, yields, forms, params)
        start = tuple(
            self.conform(x, f, getattr(p.kind, "dtype", None))
            for x, f, p in zip(init, forms, params, strict=True)
        )
        body = Region((*node.body.params[:offset], *carried), tuple(nodes), (leave.atom, *atoms))
        made: For | While
        if isinstance(node, For):
            made = For((), node.start, node.stop, node.step, start, body, node.span)
        else:
            with self.b.region() as tests:
                tested = tuple(
                    self.fresh(p, f) for p, f in zip(node.test.params, forms, strict=True)
                )
                (test,) = self.region(node.test)
            if test.batched:
                raise NoBatchRule
            made = While((), start, Region(tested, tuple(tests), (test.atom,)), body, node.span)
        results = tuple(self.fresh(r, f) for r, f in zip(node.results, forms, strict=True))
        self.b.append(replace(made, results=results))

    # -- calls ------------------------------------------------------------------------------------

    def call(self, node: Call) -> None:
        callee = self.shared.module.functions[node.callee]
        if callee.custom is not None and callee.custom.how != "checkpoint":
            raise NoBatchRule  # a rule of the user's own is about one call
        xs = [self.look(a) for a in node.args]
        forms = [
            canonical(_form_for(x, p), p.kind) for x, p in zip(xs, callee.params, strict=True)
        ]
        while True:
            made = self._callee(callee, tuple(forms))
            grown = list(forms)
            for parameter, result in callee.mutates:
                grown[parameter] = canonical(
                    join(forms[parameter], made.forms[result]), callee.params[parameter].kind
                )
            if grown == forms:
                break
            forms = grown
        args = [self.conform(x, f) for x, f in zip(xs, forms, strict=True)]
        results = tuple(
            self.fresh(r, canonical(f, r.kind))
            for r, f in zip(node.results, made.forms, strict=True)
        )
        self.b.append(Call(results, made.name, (*args, self.size()), node.span))

    def _callee(self, callee: Function, forms: tuple[Form, ...]) -> Callee:
        """The batched version of a function for arguments of these forms."""
        key = (callee.name, forms)
        found = self.shared.callees.get(key)
        if found is not None:
            return found
        start: tuple[Form, ...] = (False,) * len(callee.body.yields)
        made = Callee(self.shared.new_name(f"{callee.name}_batch"), start)
        self.shared.callees[key] = made
        mark = self.shared.unsettled
        while True:
            inner = _Pass(self.shared, callee)
            params = inner.parameters(forms)
            size = Value(int_of_dim(self.dim), "size")
            inner.given_size(size)
            nodes, yields = inner.body()
            grown = tuple(
                canonical(join(f, y.form), y.kind) for f, y in zip(made.forms, yields, strict=True)
            )
            if grown == made.forms:
                break
            made.forms = grown
            self.shared.unsettled = mark
        atoms = inner._conformed(nodes, yields, grown, [Value(y.kind) for y in yields])
        body = Region((), tuple(nodes), atoms)
        made.function = replace(callee, name=made.name, params=(*params, size), body=body)
        return made


def _form_for(x: Operand, wanted: Value) -> Form:
    """The form of an operand, as one of a value of another kind (a list of any length, say)."""
    if x.kind == UNDEF or not any_batched(x.form):
        return False
    return expand(x.form, wanted.kind)


def _read(node: Node) -> list[Value]:
    """Values from outside that the node or its regions read, in order."""
    found: dict[Value, None] = {a: None for a in operands_of(node) if isinstance(a, Value)}
    for region in regions_of(node):
        found.update(free_values(region))
    return list(found)
