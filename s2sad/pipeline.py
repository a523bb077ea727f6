"""The pipeline: from a function and the arguments of one call to compiled code.

In: a function, which derivative of it, and the values and kinds of all its parameters. Out: a
``Specialization``: code for arguments of those kinds, with the guards under which it may run::

    frontend.lower      Python -> SSA, specialised by kinds
    transform.adjoint   SSA -> SSA of the gradient, or of the forward and the reverse sweep
    backend             SSA -> text -> function

A derivative of a derivative goes through the frontend once and through the transform twice.
"""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from .binding import Layout, Target, layout_of
from .dispatch import Specialization
from .errors import ArgumentError, OutputError, UnsupportedError
from .guards import Guard, Is, KindIs, ValueIs, buffers, do_share, may_share
from .ir.kinds import Array, Dict, Kind, ListOf, Mixed, Num, Opaque, Tuple, carries_derivative

if TYPE_CHECKING:
    from .frontend.refs import Fetch
    from .ir.nodes import Function, Module

__all__ = ["Text", "Transform", "build", "differentiate", "primal_ir", "ssa_text"]


@dataclass(frozen=True, slots=True)
class Transform:
    """Which derivative: ``name`` is "grad", "value_and_grad" or "vjp".

    ``many``: argnums was a sequence, so that the gradient is a tuple.
    """

    name: str
    argnums: tuple[int | str, ...]
    many: bool = False
    has_aux: bool = False

    @property
    def spelled(self) -> Any:
        """``argnums`` as the user wrote them; None for all."""
        return None if not self.argnums else self.argnums if self.many else self.argnums[0]


class Text(str):
    """A string that the interactive prompt shows as it is."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


@dataclass(frozen=True, slots=True, eq=False)
class Program:
    """SSA of a function, and what it takes besides its parameters.

    ``captures`` are read at each call and passed after the parameters; ``guards`` must hold;
    ``written`` are the parameters whose contents it writes.
    """

    module: Module
    captures: tuple[Fetch, ...]
    guards: tuple[Guard, ...]
    written: tuple[int, ...]


def build(
    f: Callable[..., Any],
    transform: Transform,
    layout: Layout,
    values: Sequence[Any],
    kinds: tuple[Kind, ...],
    *,
    skip: int = 0,
) -> Specialization:
    """Compile a derivative of ``f`` for these arguments.

    Raises `ArgumentError`, `OutputError` or `UnsupportedError`; nothing has run then.
    """
    targets = targets_of(transform, layout, values, kinds, skip)
    program = lower_program(f, layout, values, kinds)
    aliases = refuse_overlaps(layout, program, values)
    from .backend.compile import compile_module

    finish = _picker(transform, targets)
    wrt = sorted({target.parameter for target in targets})
    if transform.name == "vjp":
        from .transform.adjoint import forward_and_reverse

        pair = forward_and_reverse(program.module, wrt)
        compiled = compile_module(pair.module)
        run = _vjp_runner(
            layout.function.__qualname__,
            compiled.functions[pair.forward],
            compiled.functions[pair.reverse],
            layout,
            wrt,
            skip,
        )
        module = pair.module
    else:
        module, checked = gradient_of(layout, program.module, transform, targets)
        compiled = compile_module(module)
        run = compiled.functions[module.entry.name]
        if checked or finish is not None:
            run = _checked_runner(layout.function.__qualname__, run, transform, checked, finish)
    return Specialization(
        run,
        kinds,
        program.captures,
        program.guards,
        program.written,
        aliases,
        compiled.text,
        module,
    )


def primal_ir(
    f: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> Module:
    """The SSA of ``f`` for arguments of these kinds."""
    from .ir.kinds import kind_of

    layout = layout_of(f)
    values = layout.bind(args, kwargs)
    kinds = tuple(kind_of(v, n) for v, n in zip(values, layout.names, strict=True))
    return lower_program(f, layout, values, kinds).module


def ssa_text(module: Module) -> Text:
    """A module as text."""
    from .ir.text import text

    return Text(text(module))


# ------------------------------------------------------------------------------- the stages


def lower_program(
    f: Callable[..., Any], layout: Layout, values: Sequence[Any], kinds: tuple[Kind, ...]
) -> Program:
    """The SSA of ``f``; if that is a derivative object, the SSA of the derivative."""
    from .derivative import Derivative, Method

    if isinstance(f, Method):
        return differentiate(f.derivative, layout, values, kinds)
    if isinstance(f, Derivative):
        return differentiate(f, layout, values, kinds)
    from .frontend.lower import lower

    lowered = lower(layout.function, kinds, tuple(values))
    captures = tuple(capture.fetch for capture in lowered.captures)
    guards: list[Guard] = [
        KindIs(c.fetch, c.kind, ("captured", c.fetch)) for c in lowered.captures
    ]
    for guard in lowered.guards:
        if guard.how == "eq":
            guards.append(ValueIs(guard.fetch, guard.value))
            continue
        guards.append(Is(guard.fetch, guard.value))
        if isinstance(guard.value, types.FunctionType):
            # Its code can be replaced while it stays the same object: reloaders do that.
            guards.append(Is(guard.fetch.sub("__code__"), guard.value.__code__))
    return Program(lowered.module, captures, tuple(guards), tuple(sorted(lowered.mutated)))


def differentiate(
    derivative: Any, layout: Layout, values: Sequence[Any], kinds: tuple[Kind, ...]
) -> Program:
    """The SSA of a derivative object, to be differentiated once more."""
    transform = derivative.transform
    targets = targets_of(transform, layout, values, kinds, derivative.skip)
    program = lower_program(derivative.primal, layout, values, kinds)
    refuse_overlaps(layout, program, values)
    module, checked = gradient_of(layout, program.module, transform, targets)
    if checked or _picker(transform, targets) is not None:
        raise UnsupportedError(
            f"{layout.function.__qualname__}: this derivative cannot be differentiated again; "
            "only scalar functions of plain parameters can"
        )
    return dataclasses.replace(program, module=module)


def gradient_of(
    layout: Layout, module: Module, transform: Transform, targets: tuple[Target, ...]
) -> tuple[Module, bool]:
    """The SSA of the gradient, and whether the size of the output is left to be checked."""
    from .transform.adjoint import gradient

    name = layout.function.__qualname__
    checked = check_output(name, module.entry, transform.has_aux)
    wrt = [target.parameter for target in targets]
    return (
        gradient(
            module,
            wrt,
            value=checked or transform.name == "value_and_grad",
            has_aux=transform.has_aux,
            single=not transform.many,
        ),
        checked,
    )


# ------------------------------------------------------------------------------- what is refused


def targets_of(
    transform: Transform,
    layout: Layout,
    values: Sequence[Any],
    kinds: tuple[Kind, ...],
    skip: int,
) -> tuple[Target, ...]:
    """What is differentiated; `ArgumentError` where there is nothing to differentiate."""
    if transform.argnums:
        targets = layout.targets(transform.argnums, values, skip=skip)
        for target in targets:
            kind, value, name = kinds[target.parameter], values[target.parameter], ""
            name = repr(layout.names[target.parameter])
            if target.key is not None:
                kind, value, name = _element(kind, target.key), value[target.key], repr(target.key)
            check_argument(layout.function.__qualname__, name, kind, value)
        return targets
    found = tuple(
        Target(i) for i, kind in enumerate(kinds) if i >= skip and carries_derivative(kind)
    )
    if not found:
        raise ArgumentError(
            f"no argument of {layout.function.__qualname__}() carries a derivative: "
            "write 3.0 instead of 3, x.astype(float) for an array of integers"
        )
    return found


def _element(kind: Kind, key: int | str) -> Kind:
    if isinstance(kind, Tuple) and isinstance(key, int):
        return kind.items[key]
    assert isinstance(kind, Dict)
    return dict(kind.items)[key]


def check_argument(function: str, name: str, kind: Kind, value: Any) -> None:
    """Raise `ArgumentError` if an argument of this kind cannot be differentiated."""
    if carries_derivative(kind) and kind != ListOf(None):
        return
    what = f"{function}() cannot be differentiated with respect to {name}: "
    match kind:
        case Num(dtype="bool"):
            raise ArgumentError(what + "it is a bool")
        case Num():
            raise ArgumentError(
                what + f"it is an integer of NumPy's ({kind.dtype}); pass float({name[1:-1]})"
            )
        case Array(dtype="bool"):
            raise ArgumentError(what + "it is an array of bools")
        case Array():
            raise ArgumentError(
                what + f"it is an array of integers ({kind.dtype}); "
                f"pass {name[1:-1]}.astype(float)"
            )
        case Opaque(cls) if issubclass(cls, np.ndarray) and cls is not np.ndarray:
            raise ArgumentError(what + f"it is a {cls.__name__}; pass np.asarray({name[1:-1]})")
        case Opaque(cls) if cls is np.ndarray:
            raise ArgumentError(what + f"it is an array of dtype {value.dtype}")
        case Opaque():
            raise ArgumentError(what + f"it is {_a(value)}")
        case _:
            raise ArgumentError(what + f"there is no floating-point number in this {_cls(value)}")


def check_output(name: str, function: Function, has_aux: bool) -> bool:
    """Raise `OutputError` unless the function returns a real scalar (and aux).

    True where that is an array whose size is known only when it has run.
    """
    out = function.out
    if has_aux:
        if out.form != "tuple" or len(out.children) != 2:
            raise OutputError(
                f"has_aux=True is for functions that return (value, aux); "
                f"{name}() returns {_describe_output(function)}"
            )
        out = out.children[0]
    if out.form == "leaf":
        kind = function.body.yields[out.index].kind
        match kind:
            case Num(dtype) if dtype[0] == "f":
                return False
            case Array(dtype, dims) if dtype[0] == "f":
                if dims is not None and all(d == 1 for d in dims):
                    return False
                if dims is None or not any(d != 1 and not_one_or_zero(d) for d in dims):
                    return True
            case Mixed(dtype) if dtype[0] == "f":
                return True
    elif out.form == "tuple" and not has_aux:
        raise OutputError(
            f"{name}() returns {_describe_output(function)}; a gradient needs one number: "
            "use s2sad.vjp, or has_aux=True if it returns (value, aux)"
        )
    raise OutputError(
        f"{name}() returns {_describe_output(function, out)}; a gradient needs one real number"
        + _advice(function, out)
    )


def not_one_or_zero(dim: Any) -> bool:
    """Whether a size is known to differ from one (an int, or a size that says so)."""
    return dim != 1 if isinstance(dim, int) else bool(dim.not_one)


def _describe_output(function: Function, out: Any = None) -> str:
    out = function.out if out is None else out
    if out.form == "const":
        return "None" if out.cls is None else f"{_cls(out.cls)} {out.cls!r:.40}"
    if out.form == "tuple":
        return f"a tuple of {len(out.children)}"
    if out.form == "record":
        return f"a {out.cls.__name__}"
    if out.form != "leaf":
        return f"a {out.form}"
    match function.body.yields[out.index].kind:
        case Num(dtype):
            names = {"i": "an int", "u": "an int", "b": "a bool", "c": "a complex number"}
            return names.get(dtype[0], "a number")
        case Array(dtype, dims):
            axes = "" if dims is None else f" with {len(dims)} axes" if len(dims) != 1 else ""
            return f"an array of {dtype}{axes}"
        case Opaque(cls):
            return "None" if cls is type(None) else f"a {cls.__name__}"
        case ListOf():
            return "a list"
        case kind:
            return type(kind).__name__.lower()


def _advice(function: Function, out: Any) -> str:
    if out.form in ("list", "dict", "record"):
        return ": use s2sad.vjp for other outputs"
    if out.form != "leaf":
        return ""
    match function.body.yields[out.index].kind:
        case Num(dtype) if dtype[0] == "c":
            return ": return its real part, or its absolute value"
        case Num():
            return ": its derivative would be zero everywhere"
        case Array(dtype) if dtype[0] in "fc":
            return ": sum it up, or use s2sad.vjp for other outputs"
        case _:
            return ""


def refuse_overlaps(
    layout: Layout, program: Program, values: Sequence[Any]
) -> tuple[tuple[int, ...], ...]:
    """Refuse arguments that share memory with one that the function writes.

    Returns the groups of parameters that may be one object (none: values have no identity yet
    where the frontend resolves names).
    """
    names = layout.names
    hidden = [(c.name or "a captured value", c.get(tuple(values))) for c in program.captures]
    for i in program.written:
        if _is_default(layout, names[i], values[i]):
            raise UnsupportedError(
                f"{layout.function.__qualname__}() writes to the default of {names[i]!r}, "
                "which then differs at the next call"
            )
        mine = buffers(values[i])
        others = [(names[j], v) for j, v in enumerate(values) if j != i] + hidden
        for name, other in others:
            for a in mine:
                for b in buffers(other):
                    if may_share(a, b) and do_share(a, b):
                        raise UnsupportedError(
                            f"{layout.function.__qualname__}() writes to {names[i]!r}, "
                            f"which shares memory with {name!r}: pass a copy of one of them"
                        )
        for k, a in enumerate(mine):
            if any(may_share(a, b) and do_share(a, b) for b in mine[k + 1 :]):
                raise UnsupportedError(
                    f"{layout.function.__qualname__}() writes to {names[i]!r}, "
                    "parts of which share memory: pass copies"
                )
    return ()


def _is_default(layout: Layout, name: str, value: Any) -> bool:
    if name in (layout.variadic, layout.keywords) or not buffers(value):
        return False
    return layout.default(name) is value


# ------------------------------------------------------------------------- around compiled code


def _picker(
    transform: Transform, targets: tuple[Target, ...]
) -> Callable[[Any], Any] | None:
    """Picks elements of ``*args`` and ``**kwargs`` out of the gradient; None if there are none."""
    keys = [target.key for target in targets]
    if all(key is None for key in keys):
        return None

    def pick(gradient: Any) -> Any:
        parts = gradient if transform.many else (gradient,)
        picked = tuple(
            part if key is None else part[key] for part, key in zip(parts, keys, strict=True)
        )
        return picked if transform.many else picked[0]

    return pick


def _checked_runner(
    name: str,
    run: Callable[..., Any],
    transform: Transform,
    checked: bool,
    finish: Callable[[Any], Any] | None,
) -> Callable[..., Any]:
    """Runs the compiled code, looks at the size of the value, picks the gradient's parts."""
    with_value = checked or transform.name == "value_and_grad"

    def checked_run(*values: Any) -> Any:
        result = run(*values)
        value: Any = None
        aux: Any = None
        if with_value:
            value, gradient = result
            if checked:
                scalar = value[0] if transform.has_aux else value
                if np.size(scalar) != 1:
                    raise OutputError(
                        f"{name}() returned an array of shape {np.shape(scalar)}; a gradient "
                        "needs one number: sum it up, or use s2sad.vjp for other outputs"
                    )
        elif transform.has_aux:
            gradient, aux = result
        else:
            gradient = result
        if finish is not None:
            gradient = finish(gradient)
        if transform.name == "value_and_grad":
            return value, gradient
        if transform.has_aux:
            return gradient, value[1] if with_value else aux
        return gradient

    return checked_run


def _vjp_runner(
    name: str,
    forward: Callable[..., Any],
    reverse: Callable[..., Any],
    layout: Layout,
    wrt: Sequence[int],
    skip: int,
) -> Callable[..., Any]:
    """Runs the forward sweep and makes a pullback of the reverse sweep."""
    from .pullback import Pullback

    bound = max(len(layout.bound_args), skip)
    last = len(layout.positional)
    variadic = layout.names.index(layout.variadic) if layout.variadic else -1
    place = {parameter: n for n, parameter in enumerate(wrt)}

    def run(*values: Any) -> Any:
        out, saved = forward(*values)
        extra = len(values[variadic]) - max(0, bound - last) if variadic >= 0 else 0

        def spread(cotangents: tuple[Any, ...]) -> tuple[Any, ...]:
            # One for each argument the caller passed, in their order; None without a derivative.
            found = [cotangents[place[i]] if i in place else None for i in range(bound, last)]
            if extra:
                some = cotangents[place[variadic]] if variadic in place else [None] * extra
                found += some[-extra:]
            return tuple(found)

        return out, Pullback(name, out, saved, reverse, spread)

    return run


def _cls(value: Any) -> str:
    return type(value).__name__


def _a(value: Any) -> str:
    if value is None:
        return "None"
    article = "an" if _cls(value)[0] in "aeiou" else "a"
    return f"{article} {_cls(value)}"
