"""Calls of SciPy that integrate: quadrature, and initial value problems.

In: the function and the references of the other arguments. Out: an op whose attribute is the SSA
of the function. Times at which a solution is wanted are operands: where the steps end is chosen by
the solver, and has no derivative.

    quad(lambda t: exp(-a * t), 0.0, 1.0)

    y = integral 0.0 1.0 a {function: (t, a) -> exp (mul (neg a) t)}
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..ir.kinds import FLOAT, Array, FixedList, ListOf, Num, Tuple
from ..ir.nodes import Atom
from . import iteration
from .context import Lowerer
from .refs import Ref, TupleRef
from .solver_arguments import arguments, lowered, number, result_object, start_vector, vector

__all__ = ["odeint", "quad", "solve_ivp"]


def quad(cx: Lowerer, obj: Any, given: Mapping[str, Ref]) -> Ref:
    """``quad(f, a, b)``: the integral, and the estimate of its error."""
    more, options = arguments(
        cx, obj, given, ("func", "a", "b"), ("epsabs", "epsrel", "limit", "points")
    )
    function, free = lowered(cx, given["func"], [FLOAT], more, "number")
    limits = [number(cx, given[n]) for n in ("a", "b")]

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


_STEPS = ("rtol", "atol", "h0", "hmax", "hmin", "mxstep", "mxordn", "mxords", "method", "max_step",
          "first_step", "min_step")  # fmt: skip


def _state(cx: Lowerer, ref: Ref, obj: Any) -> Atom:
    """The initial state, a vector of floats."""
    return start_vector(cx, {"x0": ref})


def _times(cx: Lowerer, ref: Ref, obj: Any) -> Atom:
    atom = cx.atom(ref)
    if isinstance(atom.kind, Tuple | FixedList | ListOf):
        atom = cx.op("np.asarray", atom)
    if not isinstance(atom.kind, Array) or atom.kind.rank != 1:
        cx.fail(f"the times of {obj.__name__} must be a vector")
    return atom if atom.kind.dtype == "float64" else cx.op("astype", atom, dtype="float64")


def odeint(cx: Lowerer, obj: Any, given: Mapping[str, Ref]) -> Ref:
    """``odeint(f, y0, t)``: a row for each time."""
    more, options = arguments(cx, obj, given, ("func", "y0", "t", "tfirst"), _STEPS)
    time_first = "tfirst" in given and bool(cx.static(given["tfirst"], "the 'tfirst' of odeint"))
    y0, t = _state(cx, given["y0"], obj), _times(cx, given["t"], obj)
    kind = vector(cx, y0, obj)
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


def solve_ivp(cx: Lowerer, obj: Any, given: Mapping[str, Ref]) -> Ref:
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
    more, _ = arguments(cx, obj, given, operands, ())
    options = tuple(
        (n, cx.static(given[n], f"the '{n}' of solve_ivp")) for n in _STEPS if n in given
    )
    span = iteration.static_items(cx, given["t_span"])
    if span is None or len(span) != 2:
        cx.fail("the 't_span' of solve_ivp must be a pair")
    y0, t = _state(cx, given["y0"], obj), _times(cx, given["t_eval"], obj)
    kind = vector(cx, y0, obj)
    function, free = lowered(cx, given["fun"], [Num("float64", False), kind], more, "array")
    assert isinstance(t.kind, Array)
    assert t.kind.dims is not None
    assert kind.dims is not None
    out = Array("float64", (*kind.dims, *t.kind.dims))
    attrs: dict[str, Any] = {"options": options} if options else {}
    ends = [number(cx, r) for r in span]
    y = cx.op("solve_ivp", *ends, y0, t, *free, function=function, kind=out, **attrs)
    return result_object(cx, {"t": cx.ref(t), "y": cx.ref(y)})
