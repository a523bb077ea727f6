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

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..analysis.activity import active_values
from ..analysis.settled import Settled
from ..analysis.storage import Overwritten
from ..errors import Problem, UnsupportedError
from ..ir.builder import Builder
from ..ir.kinds import (
    SAVED,
    Array,
    Kind,
    Num,
    same_dim,
)
from ..ir.naming import unused
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
    walk,
)
from ..rules.apply import conform, cotangents
from ..rules.registry import KindError
from . import reverse_ops
from .adding import added
from .adjoints import (
    Adjoint,
    Env,
    bar,
    build_like,
    is_python_only,
    part_of,
    parts_of,
    reversed_span,
    shape_key,
)
from .survey import Scope, Survey
from .terms import sum_of_like
from .twins import Twins

if TYPE_CHECKING:
    from .checkpoint import Again, Pattern
    from .reverse_call import CalleePair

#: Functions that pass a cotangent on where they took an operand, and 0 elsewhere.
SELECTIONS = frozenset({"np.where", "np.select", "np.choose", "np.piecewise"})

#: Products of matrices and vectors.
PRODUCTS = frozenset({"matmul", "np.matmul", "np.dot"})

#: Operations that only copy an array.
COPIES = frozenset({"copy", "np.copy", "copy_with_strides"})


class Reverse(Survey):
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
        mutates = {name: f.mutates for name, f in module.functions.items() if f.mutates}
        self.overwritten = Overwritten(function.body, mutates)
        # where saved values are packed in a tuple, every one of them must exist on every path
        super().__init__(function, Scope(None, packs))
        self.settled = Settled(function.body, self.definition, self.overwritten)
        self.builder.outer = self.definition
        self.builder.cheaper = self.shape_of
        #: what replaces a forward node: the node with its exports or its tape
        self.rewritten: dict[Node, tuple[Node, ...]] = {}
        self.twins = Twins(self)
        self.handled: set[Node] = set()
        #: adjoints that are 0 where ``np.where`` took the other arm
        self.masked: set[Atom] = set()
        #: forward/reverse pairs of callees, added to the module
        self.extra_functions: dict[str, Function] = (
            {} if caller is None else caller.extra_functions
        )
        self.pairs: dict[tuple[str, tuple[int, ...], tuple[int, ...]], CalleePair] = (
            {} if caller is None else caller.pairs
        )
        #: functions that run a checkpointed callee again and reverse it
        self.again: dict[tuple[str, Pattern], Again] = {} if caller is None else caller.again
        #: in a function NumPy has no part in, adjoints are Python's own numbers
        values = (*function.params, *self.position)
        self.weak: bool | None = all(is_python_only(v.kind) for v in values) or None
        for loop in (n for n in walk(function.body) if isinstance(n, For | While)):
            self.twins.own(loop)
        self._same_shape: dict[tuple[object, ...], Value] = {}
        # a parameter that is only copied on entry gives its name to the copy
        copied = {
            n.args[0]
            for n in function.body.ops
            if isinstance(n, Op) and n.fn in COPIES and self.use_count.get(n.args[0]) == 1  # type: ignore[arg-type]
        }
        for v in (*function.params, *(r for n in function.body.ops for r in n.results)):
            key = shape_key(v.kind)
            if key is not None and v not in copied and self.is_array(v):
                self._same_shape.setdefault(key, v)

    def of_callee(
        self, callee: Function, active: Sequence[int], seeded: Sequence[int], *, packs: bool
    ) -> Reverse:
        """The sweep of a callee whose parameters ``active`` are differentiated.

        ``seeded`` are the results with adjoints.
        """
        inputs = [callee.params[n] for n in active]
        outputs = [callee.body.yields[n] for n in seeded]
        values = active_values(self.module, callee, inputs, outputs)
        return Reverse(self.module, callee, values, self, packs=packs)

    def unused(self, name: str) -> str:
        """The name, or the first with a number, that no function has."""
        pairs = {n for pair in self.pairs.values() for n in (pair.forward, pair.reverse)}
        again = {made.name for made in self.again.values()}
        taken = {*self.module.functions, *self.extra_functions, *pairs, *again}
        return unused(name, taken)

    # -- adjoints -----------------------------------------------------------------------------

    def contribute(self, env: Env, target: Atom, g: Adjoint | None) -> None:
        """Add the cotangent ``g`` to the adjoint of ``target``, if that has one."""
        if g is None or not isinstance(target, Value) or target not in self.active:
            return
        old = env.get(target)
        if old is None:
            env[target] = g
            if isinstance(g, Value):
                self.builder.label(g, bar(target.name), bar(target.hint), target)
        else:
            total = env[target] = added(self, target, old, g)
            if isinstance(total, Value):
                self.builder.label(total, None, bar(target.hint), target)

    def take(self, env: Env, value: Value) -> Atom | None:
        """Remove and return the adjoint of ``value`` as one array or scalar."""
        g = env.pop(value, None)
        return None if g is None else self.whole(value, g)

    def whole(self, value: Value, g: Adjoint) -> Atom:
        """The adjoint as one atom: parts put together, a uniform one spread out."""
        if isinstance(g, dict) and value.kind == SAVED:
            from .reverse_saved import whole_saved

            return whole_saved(self, value, g)
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
            else b.op("np.full_like", part_of(b, value, key), part)
            if isinstance(k, Array) and isinstance(part.kind, Num)  # the same for all elements
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
        scope = self.scope.get(like) if isinstance(like, Value) else None
        if scope is not None and not scope.in_loop:
            # A branch that has nothing to say about a variable may be one that does not assign it.
            like = self.twins.defined(like)  # type: ignore[arg-type]
        return self.builder.op("zeros_like", like, name=bar(getattr(value, "name", None)))

    def shape_of(self, value: Value) -> Value:
        """A value of the same shape and dtype that costs least to keep until the reverse sweep."""
        key = shape_key(value.kind)
        if key is not None and key in self._same_shape:
            value = self._same_shape[key]
        return self.overwritten.latest(value)

    # -- regions ------------------------------------------------------------------------------

    def region(self, nodes: Sequence[Node], env: Env) -> None:
        """Append the adjoints of ``nodes``, last first."""
        with self.builder.knowing(nodes):
            for node in reversed(nodes):
                if node not in self.handled and any(r in env for r in node.results):
                    self._node(node, env)

    def _node(self, node: Node, env: Env) -> None:
        self.builder.span = reversed_span(node.span)
        match node:
            case Op():
                self._op(node, env)
            case If():
                from .reverse_branch import reverse_branch

                reverse_branch(self, node, env)
            case For() | While():
                from .reverse_loop import reverse_loop

                reverse_loop(self, node, env)
            case Call():
                self._call(node, env)

    def _call(self, node: Call, env: Env) -> None:
        from .checkpoint import reverse_checkpoint
        from .custom import reverse_custom
        from .reverse_call import reverse_call

        custom = self.module.functions[node.callee].custom
        if custom is None:
            reverse_call(self, node, env)
        elif custom.how == "checkpoint":
            reverse_checkpoint(self, node, env)
        else:
            reverse_custom(self, node, env)

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
        """Whether a scalar cotangent serves all elements: no operand is broadcast, or a matrix."""
        out = node.results[0].kind
        if not isinstance(out, Array):
            return True
        if node.fn in PRODUCTS:
            return all(isinstance(a.kind, Array) and a.kind.rank in (1, 2) for a in node.args)
        if node.fn == "np.where":
            wide = node.args[0].kind
            return (
                isinstance(wide, Array) and shape_key(wide) is not None and wide.dims == out.dims
            )
        if not reverse_ops.is_elementwise(node.fn):
            return False
        arrays = {a for a in node.args if isinstance(a.kind, Array)}
        alone = len(arrays) == 1  # then its shape is that of the result, known or not
        return all(
            isinstance(a.kind, Num)
            and a not in self.active
            or isinstance(a.kind, Array)
            and a.kind.dims is not None
            and out.dims is not None
            and len(a.kind.dims) == len(out.dims)
            and (alone or all(map(same_dim, a.kind.dims, out.dims)))
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
        try:
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
        except KindError as error:
            hint = "write it with other functions, or register a rule for it"
            raise UnsupportedError(Problem(str(error), node.span, hint)) from error
        if masked or node.fn in SELECTIONS:
            self.masked.update(p for p in parts if isinstance(p, Value))
        if len(parts) == 2 and node.args[0] is node.args[1]:
            first, second = parts
            if first is not None and second is not None:
                # x * x, x @ x
                both = sum_of_like(self.builder, first, second)
                parts = parts if both is None else (both, None)
        for a, part in zip(node.args, parts, strict=True):
            self.contribute(env, a, part)

    def rebuilt(self, region: Region) -> tuple[Node, ...]:
        """The forward nodes of a region, with inner branches and loops as rewritten."""
        return tuple(m for n in region.ops for m in self.rewritten.get(n, (n,)))

    def forward(self) -> tuple[Node, ...]:
        """The forward sweep: the function's nodes as rewritten, with the twins asked for."""
        return self.twins.weave(self.rebuilt(self.function.body))

    def conform(self, g: Atom, like: Atom) -> Atom:
        """``g`` summed and cast to the shape and dtype of ``like``."""
        return conform(self.builder, g, like)


__all__ = ["Adjoint", "Env", "Reverse"]
