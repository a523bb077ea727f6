"""``vjp(f, *args)`` inside a function, and the pullback it returns.

In: the function and the references of its arguments. Out: the reference of the value, with the
nodes of the forward sweep appended, and a `Pulled`: what the forward sweep saved, and the reverse
sweep, whose nodes are appended where the pullback is called.

    out, pull = vjp(f, x)      forward sweep of f
    (x_bar,) = pull(2.0)       reverse sweep of f with g = 2.0
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..ir.clone import clone
from ..ir.kinds import Array, Kind, Num, Opaque, carries_derivative
from ..ir.nodes import Const, Struct
from . import derivatives
from .callees import adopt
from .contents import Entries, Fields, Items
from .context import Lowerer
from .describe import describe_ref
from .refs import ArrayRef, HeapRef, Pulled, Ref, TupleRef, Val
from .results import put_together

NONE_REF = Val(Const.of(None))


def vjp(cx: Lowerer, func: Any, args: Sequence[Ref], kwargs: Mapping[str, Ref]) -> Ref:
    """``(out, pullback)``."""
    if not args or kwargs:
        cx.fail("vjp takes a function and its arguments, by position")
    derivative = derivatives.made(cx, func.__s2sad_derivative__, args[:1], {})
    call = derivatives.arguments(cx, derivative, args[1:], {})
    program, pair, wrt = derivatives.asked(cx, call, "__s2sad_pair__")
    forward, reverse = adopt(cx, pair.module, [pair.forward, pair.reverse])
    atoms = derivatives.operands(cx, call, program, forward)
    nodes, leaves = clone(
        forward.body, dict(zip(forward.params, atoms, strict=True)), cx.b.definition
    )
    for node in nodes:
        cx.b.append(node)
    kept = len(leaves) - pair.saved
    out = put_together(cx, forward.out.children[0], leaves[:kept])
    layout = derivative.__s2sad_layout__
    place = {parameter: n for n, parameter in enumerate(wrt)}
    given = range(len(layout.bound_args), len(layout.bound_args) + len(args) - 1)
    if layout.variadic:
        cx.fail("vjp of a function with *args is not supported in here", "name its arguments")
    return TupleRef(
        (
            out,
            Pulled(
                reverse,
                leaves[kept:],
                forward.out.children[0],
                leaves[:kept],
                tuple(place.get(n) for n in given),
            ),
        )
    )


def pull(cx: Lowerer, pulled: Pulled, args: Sequence[Ref], kwargs: Mapping[str, Ref]) -> Ref:
    """The cotangents of the arguments."""
    if len(args) != 1 or kwargs:
        cx.fail("a pullback takes one cotangent")
    g = cx.atom(_conformed(cx, pulled, pulled.out, args[0]))
    reverse = pulled.reverse
    atoms = dict(zip(reverse.params, (*pulled.saved, g), strict=True))
    nodes, leaves = clone(reverse.body, atoms, cx.b.definition)
    for node in nodes:
        cx.b.append(node)
    found = put_together(cx, reverse.out, leaves)
    assert isinstance(found, TupleRef)
    parts = [NONE_REF if n is None else found.items[n] for n in pulled.spread]
    return TupleRef(tuple(parts))


def _conformed(cx: Lowerer, pulled: Pulled, out: Struct, g: Ref) -> Ref:
    """The cotangent as the reverse sweep takes it; None stands for zero."""
    nothing = isinstance(g, Val) and g.kind == Opaque(type(None))
    parts: list[Ref] = [NONE_REF] * len(out.children)
    if out.form == "leaf":
        return _number(cx, pulled, out.index, NONE_REF if nothing else g, nothing)
    if out.form == "const":
        return NONE_REF
    if not nothing:
        content = cx.content(g) if isinstance(g, HeapRef) else None
        match out.form, g, content:
            case "tuple", TupleRef(items), _ if len(items) == len(parts):
                parts = list(items)
            case "list", _, Items(items) if len(items) == len(parts):
                parts = list(items)
            case "dict", _, Entries(entries) if set(entries) == set(out.keys):
                parts = [entries[k] for k in out.keys]
            case "record", _, Fields(cls, fields) if cls is out.cls:
                parts = [fields[k] for k in out.keys]
            case _:
                cx.fail("the cotangent must have the structure of the function's value")
    made = [_conformed(cx, pulled, c, p) for c, p in zip(out.children, parts, strict=True)]
    match out.form:
        case "tuple":
            return TupleRef(tuple(made), out.cls)
        case "list":
            return cx.new(Items(tuple(made)))
        case "dict":
            return cx.new(Entries(dict(zip(out.keys, made, strict=True))))
        case _:
            return cx.new(Fields(out.cls, dict(zip(out.keys, made, strict=True))))


def _number(cx: Lowerer, pulled: Pulled, index: int, g: Ref, nothing: bool) -> Ref:
    """The cotangent of a number or an array of the value."""
    value = pulled.values[index]
    kind = value.kind
    if not carries_derivative(kind):
        return Val(Const.of(0.0)) if isinstance(kind, Num) else NONE_REF
    if nothing:
        return Val(cx.op("zeros_like", value))
    given = cx.kind(g)
    match kind, given:
        case Num(), Num() if _castable(given, kind):
            return Val(_as_number(cx, kind, g))
        case Array(), Array() if given.rank == kind.rank and _castable(given, kind):
            assert isinstance(g, ArrayRef)
            atom = cx.atom(g)
            if given.dims != kind.dims:
                same = cx.op("eq", cx.op("shape", atom), cx.op("shape", value))
                cx.ops("assert", same, Const.of("the cotangent has another shape than the value"))
            if given.dtype != kind.dtype:
                atom = cx.op("cast", atom, like=kind.dtype)
            return cx.ref(atom)
    cx.fail(
        f"the cotangent of {describe_ref(cx.ref(value))} cannot be {describe_ref(g)}",
        "give a number for a number, an array of its shape for an array",
    )


def _castable(given: Num | Array, wanted: Num | Array) -> bool:
    return given.dtype[0] in "biufc" and (given.dtype[0] != "c" or wanted.dtype[0] == "c")


def _as_number(cx: Lowerer, kind: Num, g: Ref) -> Any:
    atom = cx.atom(g)
    given: Kind = atom.kind
    if kind.weak:
        wanted = "complex" if kind.dtype[0] == "c" else "float"
        if isinstance(atom, Const):
            return Const.of(complex(atom.value) if wanted == "complex" else float(atom.value))
        same = isinstance(given, Num) and given.weak and given.dtype == kind.dtype
        return atom if same else cx.op(wanted, atom)
    if isinstance(given, Num) and given.weak is False and given.dtype == kind.dtype:
        return atom
    return cx.op("cast", atom, like=kind.dtype)
