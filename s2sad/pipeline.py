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
from typing import TYPE_CHECKING, Any, TypeAlias

from .binding import Layout, layout_of
from .checks import header, refuse_overlaps, same_objects, targets_of
from .collecting import without_collecting
from .dispatch import Specialization
from .errors import ArgumentError, Problem, UnsupportedError
from .guards import Guard, Is, KindIs, ValueIs
from .ir.kinds import Kind
from .recipes import Request, recipe_of
from .transform.target import for_compiler

if TYPE_CHECKING:
    from .frontend.refs import Fetch
    from .ir.nodes import Module
    from .transform.adjoint import Pair
from .runners import checked_runner, picker, vjp_runner

__all__ = [
    "Backend",
    "Numba",
    "Text",
    "Transform",
    "backend_of",
    "build",
    "compiled",
    "compiled_text",
    "differentiate",
    "primal_ir",
    "ssa_text",
]


@dataclass(frozen=True, slots=True)
class Transform:
    """Which derivative: ``name`` is "vjp" or the name of a recipe: see `recipes.RECIPES`.

    ``many``: argnums was a sequence, so that the gradient is a tuple. ``holomorphic``: of a
    complex function of complex numbers. ``backend``: who compiles it; None for Python and NumPy.
    """

    name: str
    argnums: tuple[int | str, ...]
    many: bool = False
    has_aux: bool = False
    holomorphic: bool = False
    backend: Numba | None = None

    @property
    def spelled(self) -> Any:
        """``argnums`` as the user wrote them; None for all."""
        return None if not self.argnums else self.argnums if self.many else self.argnums[0]


@dataclass(frozen=True, slots=True)
class Numba:
    """The Numba backend, with the options that are passed to ``numba.njit``.

    ``boundscheck`` is on: an index that is out of bounds raises IndexError, as in NumPy. Without
    it such a read gives whatever is there; loops over elements may be twice as fast.
    """

    fastmath: bool = False
    parallel: bool = False
    boundscheck: bool = True


#: How a backend is named: None for Python and NumPy, "numba", or `Numba` with options.
Backend: TypeAlias = "Numba | str | None"


def backend_of(named: Backend) -> Numba | None:
    """The backend of that name.

    Raises ArgumentError for a name that is none, UnsupportedError if it is not installed.
    """
    if named is None or isinstance(named, Numba):
        found = named
    elif named == "numba":
        found = Numba()
    else:
        raise ArgumentError(f"backend is None, 'numba' or s2sad.Numba(...), not {named!r}")
    if found is not None:
        from .backend.nopython.compile import require_numba

        require_numba()
    return found


def for_compiled(transform: Transform, f: Any) -> Transform:
    """The transform, with the Numba backend where ``f`` is compiled by Numba.

    So is the derivative of a derivative that is compiled.
    """
    inner = getattr(f, "_transform", None)
    if transform.backend is None and isinstance(inner, Transform):
        transform = dataclasses.replace(transform, backend=inner.backend)
    if transform.backend is None and type(f).__module__.startswith("numba."):
        from .frontend.source import is_numba_dispatcher

        if is_numba_dispatcher(f):
            transform = dataclasses.replace(transform, backend=Numba())
    if transform.backend is not None:
        from .backend.nopython.calling import install

        install()  # so that compiled code can call the derivative
    return transform


class Text(str):
    """A string that the interactive prompt shows as it is."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


@dataclass(frozen=True, slots=True, eq=False)
class Program:
    """SSA of a function, and what it takes besides its parameters.

    ``captures`` are read at each call and passed after the parameters; ``guards`` must hold;
    ``written`` are the parameters whose contents it writes; those of a group in ``aliases`` are
    one object.
    """

    module: Module
    captures: tuple[Fetch, ...]
    guards: tuple[Guard, ...]
    written: tuple[int, ...]
    aliases: tuple[tuple[int, ...], ...] = ()

    def specialization(
        self, run: Callable[..., Any], kinds: tuple[Kind, ...], text: str, ir: Module
    ) -> Specialization:
        """What ``run``, a derivative of the program with that text and IR, is dispatched by."""
        return Specialization(
            run, kinds, self.captures, self.guards, self.written, self.aliases, text, ir
        )


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
    try:
        with without_collecting(), for_compiler(transform.backend is not None):
            return _build(f, transform, layout, values, kinds, skip)
    except UnsupportedError as error:
        if type(error) is not UnsupportedError or all(p.span for p in error.problems):
            raise
        place = header(primal_layout(f))  # in a lambda, statements have no places
        raise UnsupportedError(p.at(place) for p in error.problems) from error


def _build(
    f: Callable[..., Any],
    transform: Transform,
    layout: Layout,
    values: Sequence[Any],
    kinds: tuple[Kind, ...],
    skip: int,
) -> Specialization:
    inner = primal_layout(f)
    count = len(inner.names)
    values, given = values[:count], kinds[:count]
    targets = targets_of(inner, transform.argnums, values, given, skip)
    program = lower_program(f, inner, values, given)
    name = layout.function.__qualname__
    if transform.name == "vjp":
        from .transform.adjoint import forward_and_reverse

        wrt = sorted({target.parameter for target in targets})
        pair = forward_and_reverse(program.module, wrt)
        module = pair.module
        saved_from = len(module.functions[pair.forward].body.yields) - pair.saved
        forward, text = _compile(module, pair.forward, transform.backend, saved_from)
        reverse, reverse_text = _compile(module, pair.reverse, transform.backend)
        text = f"{text}\n\n{reverse_text}"
        run = vjp_runner(name, forward, reverse, layout, wrt, skip)
    else:
        made = recipe_of(transform.name).make(program.module, Request(inner, transform, targets))
        module, finish = made.module, picker(transform, targets)
        run, text = _compile(module, module.entry.name, transform.backend)
        if made.checked or finish is not None:
            run = checked_runner(name, run, transform, made.checked, finish)
    return program.specialization(run, kinds, text, module)


def primal_ir(f: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Module:
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


def _compile(
    module: Module, name: str, backend: Numba | None = None, saved_from: int | None = None
) -> tuple[Callable[..., Any], str]:
    """The function ``name`` of a module as a callable, with its text.

    Nothing it returns shares memory with its arguments; yields from ``saved_from`` on share none
    with what is returned before them.
    """
    from .backend.compile import compile_module
    from .backend.emit import emit
    from .transform.finish import finish

    if backend is not None:
        from .backend.nopython.compile import compile_nopython

        made = compile_nopython(
            _reachable(module, name),
            fastmath=backend.fastmath,
            parallel=backend.parallel,
            boundscheck=backend.boundscheck,
            private_from=saved_from,
        )
        return made.run, made.text
    finished = finish(_reachable(module, name))
    emitted = emit(finished, fresh_results=True, private_from=saved_from)
    return compile_module(emitted), emitted.text


def compiled(module: Module, name: str, backend: Numba | None = None) -> Callable[..., Any]:
    """The function ``name`` of a module, to be called with values of its parameters."""
    return _compile(module, name, backend)[0]


def compiled_text(module: Module, name: str) -> tuple[Callable[..., Any], str]:
    """The function ``name`` of a module and its text."""
    return _compile(module, name)


def _reachable(module: Module, name: str) -> Module:
    """The module of what ``name`` calls, itself first."""
    from .ir.nodes import Call, walk
    from .ir.nodes import Module as IRModule

    found: dict[str, Any] = {}
    ahead = [name]
    while ahead:
        callee = ahead.pop()
        if callee not in found:
            found[callee] = module.functions[callee]
            nodes = walk(found[callee].body)
            ahead += [node.callee for node in nodes if isinstance(node, Call)]
    return IRModule(found)


def lower_program(
    f: Callable[..., Any], layout: Layout, values: Sequence[Any], kinds: tuple[Kind, ...]
) -> Program:
    """The SSA of ``f``; if that is a derivative object, the SSA of the derivative."""
    from .derivative import Derivative, Method

    if isinstance(f, Method):
        return differentiate(f.derivative, layout, values, kinds)
    if isinstance(f, Derivative):
        return differentiate(f, layout, values, kinds)
    inner = getattr(layout.function, "__s2sad_inner__", None)
    if inner is not None:
        # It stands for a function of a program that is being lowered: see frontend.inner.
        module, written = inner.lower(kinds)
        return Program(module, (), (), written)
    from .frontend.lower import lower

    lowered = lower(layout.function, kinds, tuple(values))
    aliases = same_objects(values) if lowered.mutated else ()
    if aliases:
        # A write through one name is seen through the others: lowered again, knowing that.
        lowered = lower(layout.function, kinds, tuple(values), aliases=aliases)
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
    written = tuple(sorted(lowered.mutated))
    refuse_overlaps(layout, written, captures, values, aliases)
    return Program(lowered.module, captures, tuple(guards), written, aliases)


def differentiate(
    derivative: Any, layout: Layout, values: Sequence[Any], kinds: tuple[Kind, ...]
) -> Program:
    """The SSA of a derivative object, to be differentiated once more."""
    from .transform.admit import admit

    transform = derivative.transform
    inner = primal_layout(derivative.primal)
    count = len(inner.names)
    targets = targets_of(inner, transform.argnums, values[:count], kinds[:count], derivative.skip)
    program = lower_program(derivative.primal, inner, values[:count], kinds[:count])
    request = Request(inner, transform, targets)
    made = recipe_of(transform.name).make(program.module, request)
    if made.checked or picker(transform, targets) is not None:
        raise UnsupportedError(
            Problem(
                "this derivative cannot be differentiated again: it is with respect to an element "
                "of *args or **kwargs, or its function returns an array",
                header(layout),
            )
        )
    module = made.module
    if recipe_of(transform.name).tangents:
        pairs = [(k, count + n) for n, k in enumerate(request.wrt)]
        module = admit(module, pairs, kinds, layout.names, header(layout))
    return dataclasses.replace(program, module=module)


def pair_of(
    derivative: Any, layout: Layout, values: Sequence[Any], kinds: tuple[Kind, ...]
) -> tuple[Program, Pair, list[int]]:
    """The forward and the reverse sweep of a ``vjp``, and its parameters with cotangents."""
    from .transform.adjoint import forward_and_reverse

    targets = targets_of(layout, derivative.transform.argnums, values, kinds, derivative.skip)
    program = lower_program(derivative.primal, layout, values, kinds)
    wrt = sorted({target.parameter for target in targets})
    return program, forward_and_reverse(program.module, wrt), wrt


def primal_layout(f: Callable[..., Any]) -> Layout:
    """The parameters of what is differentiated: a function, a derivative, a bound one."""
    from .derivative import inner_function, own_tangents

    layout = layout_of(inner_function(f))
    tangents = own_tangents(f)
    return dataclasses.replace(layout, tangents=tangents) if tangents else layout
