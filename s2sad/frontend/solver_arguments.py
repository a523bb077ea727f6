"""What SciPy's solvers are given: a function of the program, its operands, and options.

In: the reference of a function, and the kinds of the parameters the solver calls it with. Out: the
SSA of the function as an attribute of the solver's op, and what it reads of the program, which
become operands of the op. What has no place in the derivative is refused by name.

    brentq(f, a, b, args=(c,), xtol=1e-9)   ->   f: (x, c) -> ...; operands a b c; {xtol: 1e-9}
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from typing import Any

from ..function_values import FunctionValue
from ..ir.clone import clone
from ..ir.kinds import Array, FixedList, Kind, ListOf, Num, Tuple
from ..ir.nodes import Atom, Call, Const, Function, Module, Region, Value, free_values, walk
from . import inner as within
from . import lower_calls
from .contents import Fields
from .context import Lowerer
from .position import Refuse, Unreachable
from .prune import prune
from .refs import FuncRef, PartialRef, Ref, Static, TupleRef

__all__ = [
    "arguments",
    "lowered",
    "lowered_all",
    "number",
    "result_object",
    "start_vector",
    "vector",
]


def lowered(
    cx: Lowerer, func: Ref, kinds: Sequence[Kind], more: Sequence[Ref], like: str
) -> tuple[FunctionValue, list[Atom]]:
    """The function of parameters of these kinds, ``more`` being its other arguments.

    ``like`` says what it is to return: a "number", or an "array". The atoms are what it reads of
    the program, which are its parameters after the first ones.
    """
    (function,), free = lowered_all(cx, [(func, like)], kinds, more)
    return function, free


def lowered_all(
    cx: Lowerer, functions: Sequence[tuple[Ref, str]], kinds: Sequence[Kind], more: Sequence[Ref]
) -> tuple[list[FunctionValue], list[Atom]]:
    """Several functions of the same parameters; each takes what any of them reads."""
    bodies = [_body(cx, func, kinds, more, like) for func, like in functions]
    free: dict[Atom, None] = {}
    for params, body in bodies:
        free |= dict.fromkeys(v for v in free_values(body) if v not in params)
    made = []
    for (func, _), (params, body) in zip(functions, bodies, strict=True):
        inner = {v: Value(v.kind, v.name, v.hint) for v in free if isinstance(v, Value)}
        nodes, leaves = clone(body, inner)
        entry = Function(_name(func), (*params, *inner.values()), Region((), nodes, leaves))
        made.append(FunctionValue(Module({entry.name: entry})))
    return made, list(free)


def _body(
    cx: Lowerer, func: Ref, kinds: Sequence[Kind], more: Sequence[Ref], like: str
) -> tuple[list[Value], Region]:
    """The parameters and the nodes of one function."""
    names = _parameter_names(cx, func, len(kinds))
    params = [Value(kind, name) for kind, name in zip(kinds, names, strict=True)]
    before, problems = cx.state, len(cx.problems)
    cx.state = before.copy()
    try:
        with cx.b.region() as nodes:
            inputs = [cx.ref(p, p.name) for p in params]
            result = lower_calls.apply(cx, func, [*inputs, *more], {})
            leaf = _as(cx, result, like)
        if len(cx.problems) > problems:
            raise Refuse(None)
        within.Inner(cx, func, None, cx.span()).check_outside(before, cx.state)  # type: ignore[arg-type]
    except Unreachable:
        cx.fail("this function always raises an exception")
    finally:
        cx.state = before
    body = prune(Region((), tuple(nodes), (leaf,)))
    if any(isinstance(n, Call) for n in walk(body)):
        cx.fail("a recursive function cannot be given to SciPy here", "write it as a loop")
    return params, body


def _as(cx: Lowerer, result: Ref, like: str) -> Atom:
    """The result as a number or an array of floats; lists are arrays, as SciPy takes them."""
    atom = cx.atom(result)
    if isinstance(atom.kind, Tuple | FixedList | ListOf):
        atom = cx.op("np.asarray", atom)
    if like == "array" and isinstance(atom.kind, Num):
        atom = cx.op("np.atleast_1d", atom)
    if like == "number" and isinstance(atom.kind, Array) and atom.kind.rank is not None:
        if any(d != 1 for d in atom.kind.dims or ()):
            cx.fail("this function must return a number")
        atom = cx.op("item", atom, Const.of((0,) * atom.kind.rank))
    kind = atom.kind
    if not isinstance(kind, Num if like == "number" else Array) or kind.dtype[0] not in "fi":
        cx.fail(f"this function must return {'a number' if like == 'number' else 'an array'}")
    return atom


def _parameter_names(cx: Lowerer, func: Ref, count: int) -> list[str | None]:
    """The user's names of the first parameters, for reading."""
    node: Any = None
    skip = 0
    while isinstance(func, PartialRef):
        skip, func = skip + len(func.args), func.func
    if isinstance(func, FuncRef):
        node = func.node
        given = [a.arg for a in (*node.args.posonlyargs, *node.args.args)]
    elif isinstance(func, Static) and inspect.isfunction(func.obj):
        given = list(inspect.signature(func.obj).parameters)
    else:
        given = []
    found: list[str | None] = [*given[skip : skip + count]]
    return found + [None] * (count - len(found))


def _name(func: Ref) -> str:
    while isinstance(func, PartialRef):
        func = func.func
    name = ""
    if isinstance(func, FuncRef):
        name = getattr(func.node, "name", "")
    elif isinstance(func, Static):
        name = getattr(func.obj, "__name__", "")
    return name if name.isidentifier() else "function"


def arguments(
    cx: Lowerer,
    obj: Any,
    given: Mapping[str, Ref],
    operands: Sequence[str],
    options: Sequence[str],
) -> tuple[list[Ref], tuple[tuple[str, Any], ...]]:
    """The arguments that go on to the function, and the options; others are refused."""
    more: list[Ref] = []
    found: list[tuple[str, Any]] = []
    for name, ref in given.items():
        if name in operands:
            continue
        if name == "args":
            more = list(ref.items) if isinstance(ref, TupleRef) else [ref]
        elif name in ("kwargs", "options") and isinstance(ref, Mapping):
            cx.fail(f"{obj.__name__} with {', '.join(ref)} has no derivative here")
        elif name in options:
            found.append((name, cx.static(ref, f"the '{name}' of {obj.__name__}")))
        elif _is_default(cx, obj, name, ref):
            continue
        else:
            cx.fail(f"{obj.__name__} with '{name}' has no derivative here", "leave it out")
    return more, tuple(found)


def _is_default(cx: Lowerer, obj: Any, name: str, ref: Ref) -> bool:
    default = inspect.signature(obj).parameters[name].default
    if not cx.known(ref):
        return False
    value = cx.value(ref)
    return value is default or (
        isinstance(value, int | float | str | bool | tuple) and bool(value == default)
    )


def number(cx: Lowerer, ref: Ref) -> Atom:
    atom = cx.atom(ref)
    if not isinstance(atom.kind, Num):
        cx.fail("this must be a number")
    return atom


def vector(cx: Lowerer, start: Atom, obj: Any) -> Array:
    if isinstance(start.kind, Array) and start.kind.rank == 1 and start.kind.dtype == "float64":
        return Array("float64", start.kind.dims)
    cx.fail(
        f"{obj.__name__} has a derivative for a vector of unknowns",
        "start from a 1-d array of floats",
    )


def start_vector(cx: Lowerer, given: Mapping[str, Ref]) -> Atom:
    """The guess as SciPy takes it: a vector."""
    start = cx.atom(given["x0"])
    if isinstance(start.kind, Tuple | FixedList | ListOf):
        start = cx.op("np.asarray", start)
    if isinstance(start.kind, Num):
        start = cx.op("np.atleast_1d", start)
    if isinstance(start.kind, Array) and start.kind.dtype == "int64":
        start = cx.op("astype", start, dtype="float64")
    return start


def result_object(cx: Lowerer, fields: Mapping[str, Ref]) -> Ref:
    """What of an ``OptimizeResult`` can be differentiated."""
    import scipy.optimize

    return cx.new(Fields(scipy.optimize.OptimizeResult, dict(fields)))
