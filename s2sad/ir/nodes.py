"""The IR: structured SSA with regions and value semantics.

There is no goto, so there is no control-flow graph and no phi: an ``If`` yields its results from
two regions, a loop carries values through the parameters of its body. Every value is assigned
once, and a write makes a new version: ``a[i] = v`` is ``a1 = setitem(a0, i, v)``. Whether a write
happens in place is decided when the IR becomes text, never here.

    def f(x):                     f(x: float):
        y = x * x                   y = mul x x
        return y                    return y
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from ..errors import Span
from .kinds import UNDEF, Kind, kind_of, slice_of


@dataclass(frozen=True, slots=True, eq=False)
class Value:
    """Something computed once; compared by identity. ``name`` is the user's name for it.

    ``hint`` is what to call a value without a name, should it need one; ``primal`` the value
    whose adjoint ("bar") or tangent ("dot") this is.
    """

    kind: Kind
    name: str | None = None
    hint: str | None = None
    primal: Value | None = None
    mark: str = "bar"


@dataclass(frozen=True, slots=True, eq=False)
class Const:
    """A value known now: a number, a string, a slice of numbers, a dtype, a function.

    ``name`` is the user's name for it, where it has one; it says nothing about the value.
    """

    value: Any
    kind: Kind
    name: str | None = None

    @staticmethod
    def of(value: Any) -> Const:
        return Const(value, slice_of(value) if type(value) is slice else kind_of(value))


Atom: TypeAlias = Value | Const


class _Undefined:
    def __repr__(self) -> str:
        return "undef"


#: The atom yielded where a name is not assigned on a path.
UNDEFINED = Const(_Undefined(), UNDEF)
FALSE = Const.of(False)
TRUE = Const.of(True)


@dataclass(frozen=True, slots=True, eq=False)
class Region:
    """A list of nodes with parameters and the atoms it yields."""

    params: tuple[Value, ...]
    ops: tuple[Node, ...]
    yields: tuple[Atom, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Op:
    """``results = fn(args, **attrs)``; ``fn`` names a primitive of the registry."""

    results: tuple[Value, ...]
    fn: str
    args: tuple[Atom, ...]
    attrs: Mapping[str, Any] = field(default_factory=dict)
    span: Span | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Call:
    """``results = callee(args)``: a function of the same module, by its name there."""

    results: tuple[Value, ...]
    callee: str
    args: tuple[Atom, ...]
    span: Span | None = None


@dataclass(frozen=True, slots=True, eq=False)
class If:
    """Both regions (without parameters) yield the results."""

    results: tuple[Value, ...]
    cond: Atom
    then: Region
    orelse: Region
    span: Span | None = None


@dataclass(frozen=True, slots=True, eq=False)
class For:
    """``for i in range(start, stop, step)``.

    ``body`` takes ``(i, *carried)`` and yields ``(leave, *carried)``: when ``leave`` is true the
    loop ends after this iteration. ``init`` are the carried values before the first iteration,
    ``results`` those after the last.
    """

    results: tuple[Value, ...]
    start: Atom
    stop: Atom
    step: Atom
    init: tuple[Atom, ...]
    body: Region
    span: Span | None = None


@dataclass(frozen=True, slots=True, eq=False)
class While:
    """``while test: body``; ``test`` takes the carried values and yields one bool.

    ``body`` takes the carried values and yields ``(leave, *carried)`` as in ``For``.
    """

    results: tuple[Value, ...]
    init: tuple[Atom, ...]
    test: Region
    body: Region
    span: Span | None = None


Node: TypeAlias = Op | Call | If | For | While


@dataclass(frozen=True, slots=True)
class Struct:
    """The shape of a Python object over flat leaves: how results are put together.

    ``form`` is "leaf" (``index`` counts leaves from 0), "tuple", "list", "dict", "record" or
    "const" (``cls`` then holds the constant itself); ``keys`` are dict keys or field names.
    """

    form: str
    children: tuple[Struct, ...] = ()
    keys: tuple[Any, ...] = ()
    cls: Any = None
    index: int = -1


LEAF0 = Struct("leaf", index=0)


@dataclass(frozen=True, slots=True)
class Custom:
    """How calls of a function are differentiated, where not through its forward/reverse pair.

    ``how`` is "checkpoint" (its body runs again in the reverse sweep), "vjp" or "jvp" (by other
    functions of the module). Then ``functions`` names them: forward and backward, or the one of
    tangents. ``inputs`` has for each of them the arguments of the call that it takes first (then
    come residuals and cotangents, or tangents) and those that it takes last, by position;
    ``given`` the arguments that have a tangent; ``cotangents`` pairs arguments with the results
    of the backward function, or the results of the call with those that are their tangents; a
    list of numbers may be several results.
    """

    how: str
    functions: tuple[str, ...] = ()
    inputs: tuple[tuple[tuple[int, ...], tuple[int, ...]], ...] = ()
    given: tuple[int, ...] = ()
    cotangents: tuple[tuple[int, int | tuple[int, ...]], ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Function:
    """A function in SSA. ``body`` has no parameters and yields the flat leaves of ``out``.

    ``mutates`` pairs (parameter index, yield index): the parameter's buffer is consumed by a
    call and the yield is its new version. Yields after the leaves of ``out`` are such versions
    or saved values. ``origin`` is the user's Python function, or None for a generated one.
    ``custom`` says how calls of it are differentiated, where that is not the usual way.
    """

    name: str
    params: tuple[Value, ...]
    body: Region
    out: Struct = LEAF0
    mutates: tuple[tuple[int, int], ...] = ()
    origin: Any = None
    custom: Custom | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Module:
    """Functions by name; the first is the entry, the others are what it calls."""

    functions: Mapping[str, Function]

    @property
    def entry(self) -> Function:
        return next(iter(self.functions.values()))


def regions_of(node: Node) -> tuple[Region, ...]:
    """The regions inside a node, in the order they run."""
    match node:
        case If():
            return (node.then, node.orelse)
        case For():
            return (node.body,)
        case While():
            return (node.test, node.body)
        case _:
            return ()


def raises(region: Region) -> bool:
    """Whether a region ends in an exception, so that nothing comes after it."""
    return any(isinstance(n, Op) and n.fn == "raise" for n in region.ops)


def is_int(atom: Atom, number: int) -> bool:
    """Whether an atom is that whole number; True and 1.0 are not 1."""
    return isinstance(atom, Const) and type(atom.value) is int and atom.value == number


def is_one(atom: Atom) -> bool:
    """Whether an atom is 1, of whatever type."""
    return isinstance(atom, Const) and bool(atom.value == 1)


def is_none(atom: Atom) -> bool:
    """Whether an atom is None."""
    return isinstance(atom, Const) and atom.value is None


def is_unit(loop: For | While) -> bool:
    """Whether a loop counts up or down by one."""
    return isinstance(loop, For) and isinstance(loop.step, Const) and loop.step.value in (1, -1)


def never_leaves(loop: For | While) -> bool:
    """Whether a loop has no ``break``: it ends where its range or its test ends."""
    leave = loop.body.yields[0]
    return isinstance(leave, Const) and leave.value is False


def is_of_reverse(node: Node | None) -> bool:
    """Whether a node is of the reverse sweep, whose sums may be added up in any order."""
    return node is not None and node.span is not None and node.span.reverse


def version(v: Value) -> Value:
    """Another value of the same name and kind."""
    return Value(v.kind, v.name, v.hint, v.primal, v.mark)


def operands_of(node: Node) -> tuple[Atom, ...]:
    """The atoms a node reads itself, not those its regions read."""
    match node:
        case Op() | Call():
            return node.args
        case If():
            return (node.cond,)
        case For():
            return (node.start, node.stop, node.step, *node.init)
        case While():
            return node.init


def walk(region: Region) -> Iterator[Node]:
    """Every node of a region and of the regions inside it, in program order."""
    for node in region.ops:
        yield node
        if type(node) is not Op:
            for inner in regions_of(node):
                yield from walk(inner)


def regions_in(region: Region) -> Iterator[Region]:
    """A region and the regions inside it, in program order."""
    yield region
    for node in walk(region):
        yield from regions_of(node)


def free_values(region: Region) -> dict[Value, None]:
    """Values a region reads but does not define, in order of first use."""
    free: dict[Value, None] = {}
    bound: set[Value] = set()

    def visit(r: Region) -> None:
        bound.update(r.params)
        for node in r.ops:
            for atom in operands_of(node):
                if isinstance(atom, Value) and atom not in bound:
                    free.setdefault(atom)
            for inner in regions_of(node):
                visit(inner)
            bound.update(node.results)
        for atom in r.yields:
            if isinstance(atom, Value) and atom not in bound:
                free.setdefault(atom)

    visit(region)
    return free


def defined_in(region: Region) -> set[Value]:
    """The values that a region and the regions inside it define, their parameters among them."""
    found: set[Value] = set()
    for inner in regions_in(region):
        found.update(inner.params, *(node.results for node in inner.ops))
    return found


def read_by(node: Node) -> list[Atom]:
    """What a node reads, and what its regions read that is defined outside of them."""
    return [*operands_of(node), *(v for r in regions_of(node) for v in free_values(r))]


def read_in(region: Region) -> set[Atom]:
    """Everything that a region and the regions inside it read or yield."""
    found: set[Atom] = set(region.yields)
    for node in walk(region):
        found.update(operands_of(node))
        for inner in regions_of(node):
            found.update(inner.yields)
    return found
