"""Derivatives called inside a function: their SSA is put in place of the call.

In: a derivative object and the references of its arguments. Out: the reference of its result,
with the nodes of its forward and reverse sweep appended. ``grad(f)`` itself makes the object, of
a function that is known now or of one of the program's own (see `inner`).

    def g(x): return x * grad(f)(x)      f = x ** 2   ->   t = mul 2.0 x; mul x t

The frontend knows derivative objects only by what they offer: ``__s2sad_layout__`` binds
arguments, ``__s2sad_program__(values, kinds)`` gives the SSA, and a function that makes such
objects has the attribute ``__s2sad_transform__``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

from ..errors import S2sadError, UnsupportedError
from ..ir.clone import clone
from ..ir.kinds import Num, carries_derivative
from ..ir.nodes import Atom, Const, Function
from . import inner as within
from .callees import adopt
from .contents import Entries, Fields, Items
from .context import Lowerer
from .directions import directed
from .position import Refuse
from .refs import Choice, Fetch, FuncRef, HeapRef, PartialRef, Ref, Static, TupleRef, Val
from .results import put_together

__all__ = [
    "arguments",
    "asked",
    "call",
    "called",
    "is_derivative",
    "is_transform",
    "made",
    "make",
    "operands",
]


class _Dynamic:
    """Stands for a value that is not known while lowering."""

    def __repr__(self) -> str:
        return "a value known only when it runs"


_DYNAMIC = _Dynamic()


def is_derivative(obj: Any) -> bool:
    """Whether ``obj`` is a derivative object."""
    return hasattr(type(obj), "__s2sad_program__")


def is_transform(obj: Any) -> bool:
    """Whether ``obj`` makes derivative objects: ``grad``, ``value_and_grad``."""
    return getattr(obj, "__s2sad_transform__", False) is True


def make(cx: Lowerer, func: Any, args: Sequence[Ref], kwargs: Mapping[str, Ref]) -> Ref:
    """``grad(f)``, where f is known now or a function of the program."""
    return Static(made(cx, func, args, kwargs))


def made(cx: Lowerer, func: Any, args: Sequence[Ref], kwargs: Mapping[str, Ref]) -> Any:
    """The derivative object that ``func`` makes; the same one for the same arguments."""
    values = [_given(cx, func, a) for a in args]
    named = {k: _given(cx, func, v) for k, v in kwargs.items()}
    key = (func, values, named)
    for known, derivative in cx.derived:
        if known == key:
            return derivative
    try:
        found = func(*values, **named)
    except S2sadError as error:
        raise _refused(cx, error) from None
    cx.derived.append((key, found))
    return found


def _given(cx: Lowerer, func: Any, ref: Ref) -> Any:
    """An argument of ``grad``: a function of the program is given by its stand-in."""
    if cx.known(ref):
        return cx.value(ref)
    match ref:
        case FuncRef() | PartialRef() | Choice() | HeapRef():
            return within.stand_in(cx, ref)
    cx.fail(
        f"this argument of '{func.__name__}' must be known when the derivative is built",
        "write it as a constant",
    )


@dataclass(frozen=True, slots=True)
class Bound:
    """A call of a derivative object: one reference per parameter.

    ``wrt`` are the parameters it is differentiated with respect to.
    """

    derivative: Any
    layout: Any
    refs: tuple[Ref, ...]
    wrt: frozenset[int]


def call(cx: Lowerer, derivative: Any, args: Sequence[Ref], kwargs: Mapping[str, Ref]) -> Ref:
    """The result of ``derivative(*args, **kwargs)``."""
    return called(cx, derivative, *directed(cx, derivative, args, kwargs))


def called(cx: Lowerer, derivative: Any, args: Sequence[Ref], kwargs: Mapping[str, Ref]) -> Ref:
    """The same where every tangent is under the name of its parameter."""
    bound = arguments(cx, derivative, args, kwargs)
    program = asked(cx, bound, "__s2sad_program__")
    (entry,) = adopt(cx, program.module, [program.module.entry.name])
    atoms = operands(cx, bound, program, entry)
    nodes, leaves = clone(entry.body, dict(zip(entry.params, atoms, strict=True)), cx.b.definition)
    for node in nodes:
        cx.b.append(node)
    return put_together(cx, entry.out, leaves)


def arguments(
    cx: Lowerer, derivative: Any, args: Sequence[Ref], kwargs: Mapping[str, Ref]
) -> Bound:
    """The parameters of a derivative object in a call of it."""
    layout = derivative.__s2sad_layout__
    try:
        values = layout.bind(args, kwargs)
    except S2sadError as error:
        raise _refused(cx, error) from None
    refs = [
        _reference(cx, layout, name, value)
        for name, value in zip(layout.names, values, strict=True)
    ]
    wrt = _differentiated(derivative)
    if wrt is None:
        wrt = frozenset(n for n, ref in enumerate(refs) if carries_derivative(cx.kind(ref)))
    refs = [_as_float(cx, ref) if n in wrt else ref for n, ref in enumerate(refs)]
    return Bound(derivative, layout, tuple(refs), wrt)


def asked(cx: Lowerer, bound: Bound, what: str) -> Any:
    """What a derivative object says to these arguments; its guards become this function's."""
    kinds = tuple(cx.kind(ref) for ref in bound.refs)
    values = tuple(_example(cx, ref) for ref in bound.refs)
    inner = within.inner_of(bound.derivative)
    try:
        with nullcontext() if inner is None else inner.called(bound.refs, bound.wrt):
            found = getattr(bound.derivative, what)(values, kinds)
    except S2sadError as error:
        raise _refused(cx, error) from None
    program = found[0] if isinstance(found, tuple) else found
    if inner is None:
        _take_guards(cx, bound.layout.function, program)
    if program.written:
        _check_apart(cx, bound.refs, program.written)
    return found


def operands(cx: Lowerer, bound: Bound, program: Any, entry: Function) -> list[Atom]:
    """The values of the entry's parameters."""
    refs = bound.refs
    inner = within.inner_of(bound.derivative)
    if inner is None:
        return [cx.atom(r) for r in refs] + [_captured(cx, fetch) for fetch in program.captures]
    # What a function of this program reads of it is passed as it is.
    own = len(inner.names())
    atoms = [
        cx.atom(r) if n in bound.wrt or n >= own else Const.of(None) for n, r in enumerate(refs)
    ]
    return [*atoms, *entry.params[len(refs) :]]


def _differentiated(derivative: Any) -> frozenset[int] | None:
    """The parameters that a derivative, or one it is made of, is with respect to.

    None: all that carry a derivative.
    """
    found: set[int] = set()
    while is_derivative(derivative):
        if not derivative.transform.argnums:
            return None
        found.update(derivative.__s2sad_wrt__)
        derivative = derivative.primal
    return frozenset(found)


def _refused(cx: Lowerer, error: S2sadError) -> Refuse:
    if isinstance(error, UnsupportedError):
        cx.problems.extend(p if p.span else p.at(cx.span()) for p in error.problems)  # type: ignore[arg-type]
        return Refuse(None)
    return cx.refuse(str(error))


def _reference(cx: Lowerer, layout: Any, name: str, value: Any) -> Ref:
    """A parameter's value as a reference; what is none is a default, or bound to the object."""
    if isinstance(value, Ref):
        return value
    if name == layout.variadic:
        return TupleRef(tuple(_reference(cx, layout, "", v) for v in value))
    if name == layout.keywords:
        return cx.new(Entries({k: _reference(cx, layout, "", v) for k, v in value.items()}))
    if name and layout.default(name) is value and name not in layout.bound_keywords:
        return cx.captures.ref(Fetch.of("default", layout.function, name), value)
    return cx.captures.ref(Fetch.of("object", value, name), value)


def _as_float(cx: Lowerer, ref: Ref) -> Ref:
    """A Python int that is differentiated is read as a float."""
    kind = cx.kind(ref)
    if isinstance(ref, Val) and isinstance(kind, Num) and kind.weak and kind.dtype == "int64":
        if isinstance(ref.atom, Const):
            return Val(Const.of(float(ref.atom.value)))
        return Val(cx.op("float", ref.atom))
    return ref


def _example(cx: Lowerer, ref: Ref) -> Any:
    """The value as far as it is known now."""
    match ref:
        case Val(atom):
            return atom.value if isinstance(atom, Const) else _DYNAMIC
        case Static():
            return ref.obj
        case TupleRef():
            parts = tuple(_example(cx, r) for r in ref.items)
            return parts if ref.cls is None else ref.cls(*parts)
        case HeapRef():
            content = cx.content(ref)
            match content:
                case Items():
                    return [_example(cx, r) for r in content.items]
                case Entries():
                    return {k: _example(cx, r) for k, r in content.items.items()}
                case Fields():
                    record: Any = object.__new__(content.cls)
                    for name, part in content.items.items():
                        object.__setattr__(record, name, _example(cx, part))
                    return record
    return _DYNAMIC


def _take_guards(cx: Lowerer, function: Any, program: Any) -> None:
    """The derivative's guards become those of this function; its captures bring their own."""
    code = Fetch.of("object", function).sub("__code__")
    cx.captures.guard(code, function.__code__)
    for guard in program.guards:
        fetch = guard.fetch
        value = getattr(guard, "value", None)
        if fetch.form == "param":
            if value is _DYNAMIC or hasattr(guard, "kind"):
                cx.fail(
                    "an argument of this derivative must be known when it is built",
                    "write it as a constant",
                )
            continue  # it is known here, too, and guarded if it has to be
        if not hasattr(guard, "kind"):
            cx.captures.guard(fetch, value, "eq" if hasattr(guard, "by_value") else "is")


def _check_apart(cx: Lowerer, refs: Sequence[Ref], written: Sequence[int]) -> None:
    roots = [cx.state.roots_of(ref) for ref in refs]
    for i in written:
        for j, others in enumerate(roots):
            if i != j and any(cx.state.may_share(a, b) for a in roots[i] for b in others):
                cx.fail(
                    "this derivative's function writes to an argument that is passed twice",
                    "pass a copy of one of them",
                )


def _captured(cx: Lowerer, fetch: Fetch) -> Atom:
    if fetch.form == "param":
        cx.fail("a derivative that reads attributes of its argument cannot be called in here")
    return cx.atom(cx.captures.ref(fetch, fetch.get()))
