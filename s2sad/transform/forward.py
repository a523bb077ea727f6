"""The forward transform: from a function to one that computes values and tangents together.

In: a module whose entry is a function in SSA, and the parameters that have tangents. Out: a
module whose entry takes these tangents after its parameters and returns ``(out, out_dot)``. The
tangent of each statement stands beside the statement; a loop carries tangents beside values, and
there is no tape.

    def f(x):                        def f_jvp(x, x_dot):
        y = sin x              ->        y_dot = mul x_dot (cos x)
        return y                         y = sin x
                                         return y, y_dot

A tangent that does not need the result comes before the statement, so that ``y = y * x`` and its
tangent read the same y and no second name is needed. Where no tangent is, there is a zero, which
is written only where someone needs it: the other arm of a branch, a loop, a container.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..analysis.activity import active_values, passes_derivative
from ..errors import OutputError, Problem, UnsupportedError
from ..ir.builder import Builder
from ..ir.kinds import Array, Kind, Num, carries_derivative
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
    Struct,
    Value,
    While,
    walk,
)
from ..rules.apply import tangent
from ..rules.registry import KindError
from . import forward_ops
from .adjoints import is_python_only
from .forward_values import Env, Tangent, dot, tangent_kind, whole
from .parted import parted
from .results import compact, conformed, count, in_a_row, paths, plain
from .simplify import simplify


def forward(
    module: Module,
    wrt: Sequence[int],
    *,
    at: int | None = None,
    value: bool = True,
    seeds: Sequence[Tangent] | None = None,
    has_aux: bool = False,
    suffix: str = "jvp",
    base: str | None = None,
) -> Module:
    """A module whose entry returns ``(out, out_dot)``, or ``out_dot`` alone without ``value``.

    ``wrt`` are indices of parameters of the entry. Their tangents, in that order, are parameters
    of the new entry from position ``at`` on (None: after all others), unless ``seeds`` gives them.
    Parts of the output that carry no derivative have None for their tangent. With ``has_aux`` the
    function returns ``(out, aux)``, and the new one ``(out, out_dot, aux)`` or ``(out_dot, aux)``.
    The entry is called ``base`` (the function's name) and ``suffix``.

    Raises UnsupportedError where an active primitive has no derivative.
    """
    function = module.entry
    kept = function.body.yields[: count(function.out)]
    primary, aux = function.out, Struct("const")
    if has_aux:
        if function.out.form != "tuple" or len(function.out.children) != 2:
            raise OutputError("has_aux=True needs a function that returns (value, aux)")
        primary, aux = function.out.children
    inputs = [function.params[k] for k in wrt]
    targets = [kept[leaf] for _, leaf in paths(primary)]
    run = Forward(module, function, active_values(module, function, inputs, targets), {})
    b = run.builder
    dots = [Value(_parameter_kind(p.kind), dot(p.name), None, p, "dot") for p in inputs]
    env: Env = dict(zip(inputs, dots if seeds is None else seeds, strict=True))
    with b.region() as nodes:
        run.region(function.body.ops, env)
        b.span = None
        leaves: list[Atom] = list(kept)
        out_dot = _output(b, primary, kept, env, leaves)
    parts = (*((primary,) if value else ()), out_dot, *((aux,) if has_aux else ()))
    leaves, out = compact(leaves, parts[0] if len(parts) == 1 else Struct("tuple", parts))
    at = len(function.params) if at is None else at
    taken = tuple(dots) if seeds is None else ()
    params = (*function.params[:at], *taken, *function.params[at:])
    name = f"{plain(base or function.name)}_{suffix}"
    body = Region((), tuple(nodes), tuple(leaves))
    functions = {name: Function(name, params, body, out, (), function.origin)}
    for other, f in module.functions.items():
        if f is not function:
            functions.setdefault(other, f)
    for made in run.made.values():
        functions[made.function.name] = made.function
    return simplify(Module(functions))


def _parameter_kind(kind: Kind) -> Kind:
    """Of a parameter's tangent: as the parameter's, where it is a number of its own dtype."""
    match kind:
        case Num() if kind.dtype[0] in "fc":
            return Num(kind.dtype, kind.weak)
        case _:
            return tangent_kind(kind, None if not is_python_only(kind) else True)


def _output(
    b: Builder, out: Struct, yields: Sequence[Atom], env: Env, leaves: list[Atom]
) -> Struct:
    """The structure of the output's tangent; its leaves are appended to ``leaves``."""
    match out.form:
        case "leaf":
            y = yields[out.index]
            if not carries_derivative(y.kind):
                return Struct("const", cls=None)
            t = env.get(y) if isinstance(y, Value) else None
            leaves.append(conformed(b, y.kind, y, t))
            return Struct("leaf", index=len(leaves) - 1)
        case "const":
            return Struct("const", cls=None)
    parts = tuple(_output(b, child, yields, env, leaves) for child in out.children)
    return Struct(out.form, parts, out.keys, out.cls)


@dataclass(slots=True)
class _Callee:
    """The forward function of a callee for one pattern of active arguments.

    ``order`` gives for each of its results the index of the callee's yield and whether it is that
    yield's tangent.
    """

    function: Function
    order: tuple[tuple[int, bool], ...]


class Forward:
    """Writes one function with its tangents."""

    def __init__(
        self,
        module: Module,
        function: Function,
        active: set[Value],
        made: dict[tuple[str, tuple[int, ...]], _Callee],
    ) -> None:
        self.module = module
        self.function = function
        self.active = active
        self.builder = Builder(tidy=True)
        #: forward functions of callees, added to the module
        self.made = made
        #: in a function NumPy has no part in, tangents are Python's own numbers
        values = [*function.params, *(r for n in walk(function.body) for r in n.results)]
        self.weak: bool | None = all(is_python_only(v.kind) for v in values) or None

    # -- regions ------------------------------------------------------------------------------

    def region(self, nodes: Sequence[Node], env: Env) -> None:
        """Append the nodes, each with its tangent; ``env`` gets the tangents of their results."""
        for node in nodes:
            self.builder.span = node.span
            match node:
                case Op():
                    self._op(node, env)
                case If():
                    self._branch(node, env)
                case For() | While():
                    self._loop(node, env)
                case Call():
                    self._call(node, env)

    def keep(self, node: Node) -> None:
        """Append a node of the primal, which peepholes may look at but not look through."""
        b = self.builder
        b.nodes.append(node)
        if isinstance(node, Op):
            b.outer.update(dict.fromkeys(node.results, node))

    def set(self, env: Env, value: Value, t: Tangent | None) -> None:
        """The tangent of ``value`` is ``t``, if it matters."""
        if t is None or value not in self.active:
            return
        if self.weak and isinstance(value.kind, Num) and not isinstance(t, dict):
            if isinstance(t.kind, Num) and t.kind.weak is not True:
                t = self.builder.op("complex" if value.kind.dtype[0] == "c" else "float", t)
        env[value] = t
        if isinstance(t, Value):
            self.builder.label(t, dot(value.name), dot(value.hint), value, "dot")

    def get(self, env: Env, atom: Atom) -> Tangent | None:
        """The tangent of an operand; None for zero."""
        return env.get(atom) if isinstance(atom, Value) else None

    def whole(self, env: Env, atom: Atom) -> Atom:
        """The tangent of an operand as one atom."""
        return whole(self.builder, atom, self.get(env, atom))

    # -- statements ---------------------------------------------------------------------------

    def _op(self, node: Op, env: Env) -> None:
        moves = passes_derivative(node) and any(a in env for a in node.args)
        if not moves or not any(r in self.active for r in node.results):
            self.keep(node)
            return
        b = self.builder
        with b.region() as nodes:
            b.outer.update(dict.fromkeys(node.results, node))
            handler = forward_ops.HANDLERS.get(node.fn)
            if handler is None or not handler(self, node, env):
                self._by_rule(node, env)
        before, after = parted(nodes, node.results)
        b.nodes.extend(before)
        self.keep(node)
        b.nodes.extend(after)

    def _by_rule(self, node: Op, env: Env) -> None:
        b = self.builder
        dots = [whole(b, a, env[a]) if a in env else None for a in node.args]
        if is_square(node):
            square = node.results[0]
            half = tangent(b, node.fn, node.attrs, node.args, square, (dots[0], None))
            self.set(env, square, b.op("mul", Const.of(2.0), half))
            return
        many = len(node.results) != 1
        out = node.results if many else node.results[0]
        try:
            found = tangent(b, node.fn, node.attrs, node.args, out, dots)
        except KindError as error:
            hint = "write it with other functions, or register a rule for it"
            raise UnsupportedError(Problem(str(error), node.span, hint)) from error
        parts = found if many and found is not None else [found] * len(node.results)
        for r, t in zip(node.results, parts, strict=True):
            self.set(env, r, t)

    def _branch(self, node: If, env: Env) -> None:
        b = self.builder
        arms: list[tuple[list[Node], Env]] = []
        for arm in (node.then, node.orelse):
            inner = dict(env)
            with b.region() as nodes:
                self.region(arm.ops, inner)
            arms.append((nodes, inner))
        moving = [
            k
            for k, r in enumerate(node.results)
            if r in self.active
            and any(
                self.get(inner, arm.yields[k]) is not None
                for arm, (_, inner) in zip((node.then, node.orelse), arms, strict=True)
            )
        ]
        ends: list[list[Atom]] = []
        for arm, (nodes, inner) in zip((node.then, node.orelse), arms, strict=True):
            with b.region() as more:
                ends.append([self.whole(inner, arm.yields[k]) for k in moving])
            nodes.extend(more)
        regions = [
            Region((), tuple(nodes), (*arm.yields, *end))
            for arm, (nodes, _), end in zip((node.then, node.orelse), arms, ends, strict=True)
        ]
        dots = [self._new(node.results[k]) for k in moving]
        results = (*node.results, *dots)
        self.keep(If(results, node.cond, regions[0], regions[1], node.span))
        for k, t in zip(moving, dots, strict=True):
            env[node.results[k]] = t

    def _loop(self, node: For | While, env: Env) -> None:
        b = self.builder
        params = node.body.params[1:] if isinstance(node, For) else node.body.params
        moving = [
            k
            for k, (p, r) in enumerate(zip(params, node.results, strict=True))
            if p in self.active or r in self.active
        ]
        inits = [self.whole(env, node.init[k]) for k in moving]
        inner = dict(env)
        starts = [self._new(params[k]) for k in moving]
        inner.update((params[k], t) for k, t in zip(moving, starts, strict=True))
        with b.region() as nodes:
            self.region(node.body.ops, inner)
            ends = [self.whole(inner, node.body.yields[k + 1]) for k in moving]
        body = Region((*node.body.params, *starts), tuple(nodes), (*node.body.yields, *ends))
        dots = [self._new(node.results[k], params[k]) for k in moving]
        results, init = (*node.results, *dots), (*node.init, *inits)
        if isinstance(node, For):
            self.keep(For(results, node.start, node.stop, node.step, init, body, node.span))
        else:
            faces = tuple(Value(t.kind, t.name) for t in starts)
            test = Region((*node.test.params, *faces), node.test.ops, node.test.yields)
            self.keep(While(results, init, test, body, node.span))
        for k, t in zip(moving, dots, strict=True):
            if node.results[k] in self.active:
                env[node.results[k]] = t

    def _new(self, value: Value, other: Value | None = None) -> Value:
        """A tangent of ``value`` that is a parameter or a result of a branch or loop."""
        name = value.name or (other.name if other is not None else None)
        hint = value.hint or (other.hint if other is not None else None)
        return Value(tangent_kind(value.kind, self.weak), dot(name), dot(hint), value, "dot")

    # -- calls --------------------------------------------------------------------------------

    def _call(self, node: Call, env: Env) -> None:
        pattern = tuple(n for n, a in enumerate(node.args) if a in env)
        if not pattern or not any(r in self.active for r in node.results):
            self.keep(node)
            return
        custom = self.module.functions[node.callee].custom
        if custom is not None and custom.how != "checkpoint":
            from .custom import forward_custom

            forward_custom(self, node, env, custom)
            return
        callee = self._callee(self.module.functions[node.callee], pattern)
        dots = tuple(self.whole(env, node.args[n]) for n in pattern)
        results: list[Value] = []
        for k, is_tangent in callee.order:
            r = node.results[k]
            t = self._new(r) if is_tangent else r
            results.append(t)
            if is_tangent and r in self.active:
                env[r] = t
        name = callee.function.name
        self.keep(Call(tuple(results), name, (*node.args, *dots), node.span))

    def _callee(self, callee: Function, pattern: tuple[int, ...]) -> _Callee:
        """The forward function of ``callee`` where these arguments have tangents."""
        key = (callee.name, pattern)
        known = self.made.get(key)
        if known is not None:
            return known
        yields = callee.body.yields
        moving = [carries_derivative(y.kind) for y in yields]
        leaves = count(callee.out)
        order = tuple(
            (k, is_tangent)
            for part in (range(leaves), range(leaves, len(yields)))
            for is_tangent in (False, True)
            for k in part
            if not is_tangent or moving[k]
        )
        name = self._fresh(f"{plain(callee.name)}_jvp")
        # Known before it is written, because it calls itself.
        made = self.made[key] = _Callee(Function(name, (), callee.body), order)
        inputs = [callee.params[n] for n in pattern]
        active = active_values(self.module, callee, inputs, yields)
        run = Forward(self.module, callee, active, self.made)
        dots = tuple(
            Value(tangent_kind(p.kind, run.weak), dot(p.name), None, p, "dot") for p in inputs
        )
        env: Env = dict(zip(inputs, dots, strict=True))
        with run.builder.region() as nodes:
            run.region(callee.body.ops, env)
            run.builder.span = None
            ends = tuple(run.whole(env, yields[k]) if t else yields[k] for k, t in order)
        place = {pair: n for n, pair in enumerate(order)}
        mutates = [(i, place[k, False]) for i, k in callee.mutates]
        mutates += [
            (len(callee.params) + pattern.index(i), place[k, True])
            for i, k in callee.mutates
            if i in pattern and (k, True) in place
        ]
        shown = sum(1 for k, _ in order if k < leaves)
        out = in_a_row(shown) if shown else callee.out
        body = Region((), tuple(nodes), ends)
        made.function = Function(
            name,
            (*callee.params, *dots),
            body,
            out,
            tuple(mutates),
            callee.origin,
            callee.custom,
        )
        return made

    def _fresh(self, name: str) -> str:
        """The name, or the first with a number that no function of the module has."""
        taken = {*self.module.functions, *(made.function.name for made in self.made.values())}
        return unused(name, taken)


def is_square(node: Op) -> bool:
    """``x * x`` or ``x @ x``, whose two tangents are equal."""
    if len(node.args) != 2 or node.args[0] is not node.args[1] or node.attrs:
        return False
    match node.args[0].kind:
        case Num():
            return node.fn in ("mul", "np.multiply")
        case Array(_, dims):
            flat = dims is not None and len(dims) == 1
            products = ("matmul", "np.matmul", "np.dot", "np.inner") if flat else ()
            return node.fn in ("mul", "np.multiply", *products)
    return False


__all__ = ["Forward", "forward"]
