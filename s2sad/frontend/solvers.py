"""Calls of SciPy that are given a function: roots, minima, integrals.

In: the function and the references of the other arguments. Out: an op whose attribute is the SSA
of the function. What the function reads of the program becomes operands after the others, so the
derivative with respect to it is the op's.

    brentq(lambda E: E - e * sin(E) - M, 0.0, 7.0)

    x = implicit_solution 0.0 7.0 e M {function: (E, e, M) -> sub (sub E (mul e (sin E))) M}
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ..function_values import FunctionValue
from ..ir.clone import clone
from ..ir.kinds import FLOAT, Array, FixedList, Kind, ListOf, Num, Tuple
from ..ir.nodes import Atom, Call, Const, Function, Module, Region, Value, free_values, walk
from ..rules.optional import is_scipys, load_rules_of
from . import inner as within
from . import iteration, lower_calls
from .contents import Fields
from .context import Lowerer
from .position import Refuse, Unreachable
from .prune import prune
from .refs import FuncRef, PartialRef, Ref, Static, TupleRef

__all__ = ["solver_of"]

Handler = Callable[[Lowerer, Any, Mapping[str, Ref]], Ref]


def solver_of(obj: Any) -> Callable[..., Ref] | None:
    """What lowers a call of ``obj``, one of SciPy's functions that take a function; else None."""
    handler = _HANDLERS.get(getattr(obj, "__name__", "")) if is_scipys(obj) else None
    if handler is None or not str(obj.__module__).startswith(handler[0]):
        return None
    lower = handler[1]

    def call(cx: Lowerer, args: Sequence[Ref], kwargs: Mapping[str, Ref]) -> Ref:
        load_rules_of(obj)
        try:
            bound = inspect.signature(obj).bind(*args, **kwargs)
        except TypeError as error:
            cx.fail(f"{obj.__name__}: {error}")
        return lower(cx, obj, bound.arguments)

    return call


# -- the function --------------------------------------------------------------------------------


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


# -- arguments -----------------------------------------------------------------------------------


def _split(
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


def _number(cx: Lowerer, ref: Ref) -> Atom:
    atom = cx.atom(ref)
    if not isinstance(atom.kind, Num):
        cx.fail("this must be a number")
    return atom


# -- roots and minima ----------------------------------------------------------------------------

_TOLERANCES = ("xtol", "rtol", "maxiter", "tol", "method", "options", "ftol", "gtol", "maxfev",
               "factor", "epsfcn", "k")  # fmt: skip


def _with_slope(
    cx: Lowerer,
    func: tuple[Ref, str],
    given: Mapping[str, Ref],
    slope: tuple[str, str],
    kinds: Sequence[Kind],
    more: Sequence[Ref],
) -> tuple[FunctionValue, list[Atom], tuple[tuple[str, Any], ...]]:
    """The function, what it reads, and its derivative as an option, where one is given.

    The solver alone uses that; the derivative of the solution does not.
    """
    name, like = slope
    ref = given.get(name)
    if ref is None or (cx.known(ref) and cx.value(ref) is None):
        function, free = lowered(cx, func[0], kinds, more, func[1])
        return function, free, ()
    if cx.known(ref) and not callable(cx.value(ref)):
        cx.fail(f"'{name}' must be a function here", "return the derivative in one of its own")
    (function, found), free = lowered_all(cx, [func, (ref, like)], kinds, more)
    entry = replace(found.module.entry, name=f"{function.__name__}_{name}")
    return function, free, ((name, FunctionValue(Module({entry.name: entry}))),)


def _bracketed(cx: Lowerer, obj: Any, given: Mapping[str, Ref]) -> Ref:
    """``brentq(f, a, b)`` and its like."""
    more, options = _split(cx, obj, given, ("f", "a", "b"), _TOLERANCES)
    function, free = lowered(cx, given["f"], [FLOAT], more, "number")
    limits = [_number(cx, given[n]) for n in ("a", "b")]
    return _solution(cx, obj, function, limits, free, options, FLOAT)


def _newton(cx: Lowerer, obj: Any, given: Mapping[str, Ref]) -> Ref:
    """``newton(f, x0)``, for a number."""
    more, options = _split(cx, obj, given, ("func", "x0", "fprime"), _TOLERANCES)
    kinds = [Num("float64", False)]
    function, free, slope = _with_slope(
        cx, (given["func"], "number"), given, ("fprime", "number"), kinds, more
    )
    options += slope
    start = [_number(cx, given["x0"])]
    return _solution(cx, obj, function, start, free, options, Num("float64", False))


def _fixed_point(cx: Lowerer, obj: Any, given: Mapping[str, Ref]) -> Ref:
    """``fixed_point(f, x0)``, for a number or a vector."""
    more, options = _split(cx, obj, given, ("func", "x0"), (*_TOLERANCES, "method"))
    start = cx.atom(given["x0"])
    if isinstance(start.kind, Num):
        function, free = lowered(cx, given["func"], [Num("float64", False)], more, "number")
        kind: Kind = Array("float64", ())
    else:
        kind = _vector(cx, start, obj)
        function, free = lowered(cx, given["func"], [kind], more, "array")
    return _solution(cx, obj, function, [start], free, options, kind, residual="fixed point")


def _vector(cx: Lowerer, start: Atom, obj: Any) -> Array:
    if isinstance(start.kind, Array) and start.kind.rank == 1 and start.kind.dtype == "float64":
        return Array("float64", start.kind.dims)
    cx.fail(
        f"{obj.__name__} has a derivative for a vector of unknowns",
        "start from a 1-d array of floats",
    )


def _start(cx: Lowerer, given: Mapping[str, Ref]) -> Atom:
    """The guess as SciPy takes it: a vector."""
    start = cx.atom(given["x0"])
    if isinstance(start.kind, Tuple | FixedList | ListOf):
        start = cx.op("np.asarray", start)
    if isinstance(start.kind, Num):
        start = cx.op("np.atleast_1d", start)
    if isinstance(start.kind, Array) and start.kind.dtype == "int64":
        start = cx.op("astype", start, dtype="float64")
    return start


def _root(cx: Lowerer, obj: Any, given: Mapping[str, Ref]) -> Ref:
    """``root(f, x0)`` and ``fsolve(f, x0)``, for a vector."""
    name = "fun" if obj.__name__ == "root" else "func"
    slope = "jac" if name == "fun" else "fprime"
    more, options = _split(cx, obj, given, (name, "x0", slope), _TOLERANCES)
    start = _start(cx, given)
    kind = _vector(cx, start, obj)
    function, free, found = _with_slope(
        cx, (given[name], "array"), given, (slope, "array"), [kind], more
    )
    options += found
    if name == "func":
        return _solution(cx, obj, function, [start], free, options, kind)
    x = _solution(cx, obj, function, [start], free, options, kind, field="x")
    return _result(cx, {"x": x, "fun": cx.ref(function.inline(cx.b, cx.atom(x), *free))})


def _minimize(cx: Lowerer, obj: Any, given: Mapping[str, Ref]) -> Ref:
    """``minimize(f, x0)`` without constraints: the gradient is 0."""
    more, options = _split(cx, obj, given, ("fun", "x0", "jac"), _TOLERANCES)
    start = _start(cx, given)
    kind = _vector(cx, start, obj)
    function, free, slope = _with_slope(
        cx, (given["fun"], "number"), given, ("jac", "array"), [kind], more
    )
    options += slope
    x = _solution(cx, obj, function, [start], free, options, kind, field="x", residual="gradient")
    return _result(cx, {"x": x, "fun": cx.ref(function.inline(cx.b, cx.atom(x), *free))})


def _minimize_scalar(cx: Lowerer, obj: Any, given: Mapping[str, Ref]) -> Ref:
    """``minimize_scalar(f)`` without bounds."""
    more, options = _split(cx, obj, given, ("fun",), (*_TOLERANCES, "bracket"))
    if dict(options).get("method") == "bounded":
        cx.fail("minimize_scalar(method='bounded') has no derivative: it may end at a bound")
    kind = Num("float64", False)
    function, free = lowered(cx, given["fun"], [kind], more, "number")
    x = _solution(cx, obj, function, [], free, options, kind, field="x", residual="gradient")
    return _result(cx, {"x": x, "fun": cx.ref(function.inline(cx.b, cx.atom(x), *free))})


def _solution(
    cx: Lowerer,
    obj: Any,
    function: FunctionValue,
    leading: Sequence[Atom],
    free: Sequence[Atom],
    options: tuple[tuple[str, Any], ...],
    kind: Kind,
    *,
    field: str | None = None,
    residual: str = "value",
) -> Ref:
    attrs: dict[str, Any] = {"options": options} if options else {}
    if field is not None:
        attrs["field"] = field
    return cx.ref(
        cx.op(
            "implicit_solution",
            *leading,
            *free,
            function=function,
            solver=f"scipy.optimize.{obj.__name__}",
            leading=len(leading),
            residual=residual,
            kind=kind,
            **attrs,
        )
    )


def _result(cx: Lowerer, fields: Mapping[str, Ref]) -> Ref:
    """What of an ``OptimizeResult`` can be differentiated."""
    import scipy.optimize

    return cx.new(Fields(scipy.optimize.OptimizeResult, dict(fields)))


# -- integrals -----------------------------------------------------------------------------------


def _quad(cx: Lowerer, obj: Any, given: Mapping[str, Ref]) -> Ref:
    """``quad(f, a, b)``: the integral, and the estimate of its error."""
    more, options = _split(
        cx, obj, given, ("func", "a", "b"), ("epsabs", "epsrel", "limit", "points")
    )
    function, free = lowered(cx, given["func"], [FLOAT], more, "number")
    limits = [_number(cx, given[n]) for n in ("a", "b")]

    def part(fn: str, field: int) -> Ref:
        return cx.ref(
            cx.op(
                fn,
                *limits,
                *free,
                function=function,
                solver="scipy.integrate.quad",
                leading=2,
                options=options,
                field=field,
                kind=FLOAT,
            )
        )

    return TupleRef((part("integral", 0), part("integral_error", 1)))


# -- differential equations ----------------------------------------------------------------------

_STEPS = ("rtol", "atol", "h0", "hmax", "hmin", "mxstep", "mxordn", "mxords", "method", "max_step",
          "first_step", "min_step")  # fmt: skip


def _state(cx: Lowerer, ref: Ref, obj: Any) -> Atom:
    """The initial state, a vector of floats."""
    return _start(cx, {"x0": ref})


def _times(cx: Lowerer, ref: Ref, obj: Any) -> Atom:
    atom = cx.atom(ref)
    if isinstance(atom.kind, Tuple | FixedList | ListOf):
        atom = cx.op("np.asarray", atom)
    if not isinstance(atom.kind, Array) or atom.kind.rank != 1:
        cx.fail(f"the times of {obj.__name__} must be a vector")
    return atom if atom.kind.dtype == "float64" else cx.op("astype", atom, dtype="float64")


def _odeint(cx: Lowerer, obj: Any, given: Mapping[str, Ref]) -> Ref:
    """``odeint(f, y0, t)``: a row for each time."""
    more, options = _split(cx, obj, given, ("func", "y0", "t", "tfirst"), _STEPS)
    time_first = "tfirst" in given and bool(cx.static(given["tfirst"], "the 'tfirst' of odeint"))
    y0, t = _state(cx, given["y0"], obj), _times(cx, given["t"], obj)
    kind = _vector(cx, y0, obj)
    number = Num("float64", False)
    kinds = [number, kind] if time_first else [kind, number]
    function, free = lowered(cx, given["func"], kinds, more, "array")
    assert isinstance(t.kind, Array)
    assert t.kind.dims is not None
    assert kind.dims is not None
    out = Array("float64", (*t.kind.dims, *kind.dims))
    attrs: dict[str, Any] = {"options": options} if options else {}
    return cx.ref(
        cx.op("odeint", y0, t, *free, function=function, time_first=time_first, kind=out, **attrs)
    )


def _solve_ivp(cx: Lowerer, obj: Any, given: Mapping[str, Ref]) -> Ref:
    """``solve_ivp(f, (t0, t1), y0, t_eval=t)``: a column for each time."""
    given = dict(given)
    named: Any = given.pop("options", {})
    for name, ref in named.items():
        if name not in _STEPS:
            cx.fail(f"solve_ivp with '{name}' has no derivative here", "leave it out")
        given[name] = ref
    if "t_eval" not in given or (cx.known(given["t_eval"]) and cx.value(given["t_eval"]) is None):
        cx.fail(
            "solve_ivp without 't_eval' stops where its steps end, which has no derivative",
            "say at which times: t_eval=np.array([t1])",
        )
    operands = ("fun", "t_span", "y0", "t_eval", *_STEPS)
    more, _ = _split(cx, obj, given, operands, ())
    options = tuple(
        (n, cx.static(given[n], f"the '{n}' of solve_ivp")) for n in _STEPS if n in given
    )
    span = iteration.static_items(cx, given["t_span"])
    if span is None or len(span) != 2:
        cx.fail("the 't_span' of solve_ivp must be a pair")
    y0, t = _state(cx, given["y0"], obj), _times(cx, given["t_eval"], obj)
    kind = _vector(cx, y0, obj)
    function, free = lowered(cx, given["fun"], [Num("float64", False), kind], more, "array")
    assert isinstance(t.kind, Array)
    assert t.kind.dims is not None
    assert kind.dims is not None
    out = Array("float64", (*kind.dims, *t.kind.dims))
    attrs: dict[str, Any] = {"options": options} if options else {}
    ends = [_number(cx, r) for r in span]
    y = cx.op("solve_ivp", *ends, y0, t, *free, function=function, kind=out, **attrs)
    return _result(cx, {"t": cx.ref(t), "y": cx.ref(y)})


_ROOTS = "scipy.optimize"
_HANDLERS: dict[str, tuple[str, Handler]] = {
    **dict.fromkeys(("brentq", "brenth", "ridder", "bisect", "toms748"), (_ROOTS, _bracketed)),
    "newton": (_ROOTS, _newton),
    "fixed_point": (_ROOTS, _fixed_point),
    "root": (_ROOTS, _root),
    "fsolve": (_ROOTS, _root),
    "minimize": (_ROOTS, _minimize),
    "minimize_scalar": (_ROOTS, _minimize_scalar),
    "quad": ("scipy.integrate", _quad),
    "odeint": ("scipy.integrate", _odeint),
    "solve_ivp": ("scipy.integrate", _solve_ivp),
}
