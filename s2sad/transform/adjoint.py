"""The reverse transform: from a function to its gradient or to a forward/reverse pair.

In: a module whose entry is a function in SSA, and the parameters to differentiate. Out: a module
whose entry runs the forward sweep (the user's program, dead code removed, saving what is needed)
and then the reverse sweep; for ``vjp`` the two are separate functions.

    def f(x):                        def f_grad(x):
        y = sin x              ->        x_bar = mul (cos x) 1.0
        return y                         return x_bar
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..analysis.activity import active_values
from ..errors import OutputError
from ..ir.kinds import (
    Array,
    Dict,
    FixedList,
    Kind,
    ListOf,
    Mixed,
    Num,
    Record,
    Tuple,
    carries_derivative,
)
from ..ir.nodes import (
    Atom,
    Const,
    Function,
    Module,
    Region,
    Struct,
    Value,
    free_values,
)
from .adjoints import Adjoint, Env, build_like, parts_of
from .forward import forward
from .results import as_scalar, compact, count, is_typed, kind_of_struct, paths, plain, shift
from .reverse import Reverse
from .revolve_steps import outline_steps
from .simplify import simplify


@dataclass(frozen=True, slots=True)
class Pair:
    """A module with a forward and a reverse function, by name."""

    module: Module
    forward: str
    reverse: str
    saved: int

    def apart(self) -> tuple[Function, Function, dict[str, Function]]:
        """The forward function, the reverse function, and those that they call, by name."""
        others = dict(self.module.functions)
        return others.pop(self.forward), others.pop(self.reverse), others


def gradient(
    module: Module, wrt: Sequence[int], *, value: bool, has_aux: bool = False, single: bool = True
) -> Module:
    """A module whose entry returns the gradient, or ``(value, gradient)``.

    ``wrt`` are indices of parameters of the entry; with ``single`` the gradient of the first is
    returned bare, otherwise a tuple of them. With ``has_aux`` the function returns ``(value,
    aux)``; aux is passed through: ``(gradient, aux)`` or ``((value, aux), gradient)``.

    Raises OutputError if the output cannot be a scalar.
    """
    module = outline_steps(module)
    function = module.entry
    primary = function.out.children[0] if has_aux else function.out
    seed_at = _scalar_output(function, primary, has_aux)
    target = function.body.yields[seed_at]
    rev = _reverse(module, function, wrt, [target])
    b = rev.builder
    with b.region() as nodes:
        env: Env = {}
        if target in rev.active and isinstance(target, Value):
            env[target] = (
                b.op("np.ones_like", target)
                if isinstance(target.kind, Array)
                else Const.of(1.0 if target.kind.dtype[0] != "c" else 1.0 + 0j)  # type: ignore[attr-defined]
            )
        rev.region(function.body.ops, env)
        b.span = None
        gradients = [_result(rev, function.params[k], env) for k in wrt]
    leaves: list[Atom] = []
    grads = [_leaf(leaves, g) for g in gradients]
    grad_struct = grads[0] if single else Struct("tuple", tuple(grads))
    if value:
        offset = len(leaves)
        leaves.extend(function.body.yields[: count(function.out)])
        out = Struct("tuple", (shift(function.out, offset), grad_struct))
    elif has_aux:
        offset = len(leaves)
        leaves.extend(function.body.yields[: count(function.out)])
        out = Struct("tuple", (grad_struct, shift(function.out.children[1], offset)))
        leaves, out = compact(leaves, out)
    else:
        out = grad_struct
    name = f"{plain(function.name)}_{'value_and_grad' if value else 'grad'}"
    body = Region((), (*rev.forward(), *nodes), tuple(leaves))
    entry = Function(name, function.params, body, out, (), function.origin)
    return simplify(_module(entry, rev))


def forward_and_reverse(module: Module, wrt: Sequence[int]) -> Pair:
    """The pair behind ``vjp``: forward returns ``(out, saved)``, reverse takes ``(saved, g)``."""
    module = outline_steps(module)
    function = module.entry
    shown = count(function.out)
    targets = function.body.yields[:shown]
    rev = _reverse(module, function, wrt, targets, packs=True)
    b = rev.builder
    kind = kind_of_struct(function.out, targets)
    g = Value(kind, "g")
    with b.region() as nodes:
        env: Env = {}
        for path, leaf in paths(function.out):
            target = targets[leaf]
            if target in rev.active:
                rev.contribute(env, target, _follow(rev, g, kind, path))
        rev.region(function.body.ops, env)
        b.span = None
        gradients = [_result(rev, function.params[k], env) for k in wrt]
    reverse_body = Region((), tuple(nodes), tuple(gradients))
    base = plain(function.name)
    reverse = Function(
        f"{base}_reverse",
        (),
        reverse_body,
        Struct("tuple", tuple(Struct("leaf", index=n) for n in range(len(gradients)))),
    )
    reverse = simplify(Module({reverse.name: reverse, **_module(function, rev).functions})).entry
    saved = tuple(v for v in free_values(reverse.body) if v is not g)
    reverse = Function(reverse.name, (*saved, g), reverse.body, reverse.out)
    kept = [rev.twins.defined(v) for v in saved]
    out = Struct(
        "tuple",
        (
            function.out,
            Struct("tuple", tuple(Struct("leaf", index=shown + n) for n in range(len(saved)))),
        ),
    )
    forward = Function(
        f"{base}_forward",
        function.params,
        Region((), rev.forward(), (*targets, *kept)),
        out,
        (),
        function.origin,
    )
    functions = dict(_module(forward, rev).functions)
    functions[reverse.name] = reverse
    simple = simplify(Module(functions), keep=(reverse.name,))
    return Pair(simple, forward.name, reverse.name, len(saved))


def gauss_newton(module: Module, wrt: Sequence[int], *, at: int, single: bool) -> Module:
    """A module whose entry takes tangents at ``at`` and returns ``J.T @ (J @ tangents)``.

    J is the Jacobian of all the output with respect to the parameters ``wrt``: the tangent of the
    output is its own cotangent.
    """
    base = module.entry.name
    inputs = list(dict.fromkeys(wrt))
    both = forward(module, inputs, at=at)
    function = both.entry
    out, out_dot = function.out.children
    leaves = dict(paths(out))
    dots = dict(paths(out_dot))
    targets = [function.body.yields[leaf] for leaf in leaves.values()]
    rev = _reverse(both, function, wrt, targets)
    with rev.builder.region() as nodes:
        env: Env = {}
        for path, leaf in leaves.items():
            if path in dots:
                rev.contribute(env, function.body.yields[leaf], function.body.yields[dots[path]])
        rev.region(function.body.ops, env)
        rev.builder.span = None
        products = [_result(rev, function.params[k], env) for k in wrt]
    parts = tuple(Struct("leaf", index=n) for n in range(len(products)))
    name = f"{plain(base)}_gauss_newton_product"
    body = Region((), (*rev.forward(), *nodes), tuple(products))
    struct = parts[0] if single else Struct("tuple", parts)
    entry = Function(name, function.params, body, struct, (), function.origin)
    return simplify(_module(entry, rev))


def _reverse(
    module: Module,
    function: Function,
    wrt: Sequence[int],
    seeded: Sequence[Atom],
    *,
    packs: bool = False,
) -> Reverse:
    inputs = [function.params[k] for k in wrt]
    active = active_values(module, function, inputs, seeded)
    return Reverse(module, function, active, packs=packs)


def _module(entry: Function, rev: Reverse) -> Module:
    functions = {entry.name: entry}
    for name, f in rev.module.functions.items():
        if f is not rev.function:
            functions.setdefault(name, f)
    functions.update(rev.extra_functions)
    return Module(functions)


def _scalar_output(function: Function, out: Struct, has_aux: bool) -> int:
    if has_aux and (function.out.form != "tuple" or len(function.out.children) != 2):
        raise OutputError("has_aux=True needs a function that returns (value, aux)")
    if out.form == "const":
        raise OutputError(
            f"{function.name} returns {out.cls!r}; a gradient needs a number (return one)"
        )
    if out.form != "leaf":
        raise OutputError(
            f"{function.name} returns a {out.form}; a gradient needs a scalar: "
            "use s2sad.vjp for other outputs, or has_aux=True for (value, aux)"
        )
    atom = function.body.yields[out.index]
    match atom.kind:
        case Num():
            return out.index
        case Array(dims=dims) if dims is None or all(
            d == 1 or not isinstance(d, int) and not d.not_one for d in dims
        ):
            return out.index
        case Array(dims=dims):
            assert dims is not None
            raise OutputError(
                f"{function.name} returns an array with {len(dims)} axes; a gradient needs a "
                "scalar: use s2sad.vjp for other outputs"
            )
        case Mixed():
            raise OutputError(
                f"{function.name} returns a number on one path and an array on another; "
                "a gradient needs one real number: sum it up"
            )
        case kind:
            raise OutputError(
                f"{function.name} returns {kind}, which is not a number; a gradient needs a scalar"
            )


def _result(rev: Reverse, param: Value, env: Env) -> Atom:
    """The gradient with respect to ``param``, in its structure, shape and dtype."""
    return _conformed(rev, param.kind, param, env.get(param))


def _conformed(rev: Reverse, kind: Kind, value: Atom, g: Adjoint | None) -> Atom:
    b = rev.builder
    match kind:
        case Tuple() | FixedList() | Dict() | Record():
            assert g is None or isinstance(g, dict)
            keys, atoms = [], []
            for key, k in parts_of(kind):
                part = None if g is None else g.get(key)
                keys.append(key)
                atoms.append(_conformed(rev, k, _lazy_part(rev, value, key, k, part), part))
            return build_like(b, kind, keys, atoms)
        case Num() if carries_derivative(kind):
            if g is None:
                g = rev.zero_of(kind, value)
            assert not isinstance(g, dict)
            return as_scalar(rev.builder, kind, g)
        case _:
            if not carries_derivative(kind):
                return Const.of(None)
            if g is None:
                return rev.zero_of(kind, value)
            whole = rev.whole(value, g) if isinstance(value, Value) else g
            assert not isinstance(whole, dict)
            if isinstance(kind, ListOf) and not is_typed(whole.kind, kind):
                return rev.builder.op("typed_like", whole, value)
            return whole


def _lazy_part(rev: Reverse, value: Atom, key: object, kind: Kind, part: Adjoint | None) -> Atom:
    from .adjoints import part_of

    needs_value = not isinstance(kind, Num) and carries_derivative(kind)
    return part_of(rev.builder, value, key) if needs_value else value


# -- structures ---------------------------------------------------------------------------------


def _leaf(leaves: list[Atom], atom: Atom) -> Struct:
    leaves.append(atom)
    return Struct("leaf", index=len(leaves) - 1)


def _follow(rev: Reverse, g: Atom, kind: Kind, path: Sequence[object]) -> Atom:
    from .adjoints import part_of

    for key in path:
        g = part_of(rev.builder, g, key)
    return g


__all__ = ["Pair", "forward_and_reverse", "gauss_newton", "gradient"]
