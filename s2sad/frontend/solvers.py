"""Calls of SciPy that are given a function: roots and minima; integrals are in ``integrators``.

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
from ..ir.kinds import FLOAT, Array, Kind, Num
from ..ir.nodes import Atom, Module
from ..rules.optional import is_scipys, load_rules_of
from .context import Lowerer
from .integrators import odeint, quad, solve_ivp
from .refs import Ref
from .solver_arguments import (
    arguments,
    lowered,
    lowered_all,
    number,
    result_object,
    start_vector,
    vector,
)

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
    more, options = arguments(cx, obj, given, ("f", "a", "b"), _TOLERANCES)
    function, free = lowered(cx, given["f"], [FLOAT], more, "number")
    limits = [number(cx, given[n]) for n in ("a", "b")]
    return _solution(cx, obj, function, limits, free, options, FLOAT)


def _newton(cx: Lowerer, obj: Any, given: Mapping[str, Ref]) -> Ref:
    """``newton(f, x0)``, for a number."""
    more, options = arguments(cx, obj, given, ("func", "x0", "fprime"), _TOLERANCES)
    kinds = [Num("float64", False)]
    function, free, slope = _with_slope(
        cx, (given["func"], "number"), given, ("fprime", "number"), kinds, more
    )
    options += slope
    start = [number(cx, given["x0"])]
    return _solution(cx, obj, function, start, free, options, Num("float64", False))


def _fixed_point(cx: Lowerer, obj: Any, given: Mapping[str, Ref]) -> Ref:
    """``fixed_point(f, x0)``, for a number or a vector."""
    more, options = arguments(cx, obj, given, ("func", "x0"), (*_TOLERANCES, "method"))
    start = cx.atom(given["x0"])
    if isinstance(start.kind, Num):
        function, free = lowered(cx, given["func"], [Num("float64", False)], more, "number")
        kind: Kind = Array("float64", ())
    else:
        kind = vector(cx, start, obj)
        function, free = lowered(cx, given["func"], [kind], more, "array")
    return _solution(cx, obj, function, [start], free, options, kind, residual="fixed point")


def _root(cx: Lowerer, obj: Any, given: Mapping[str, Ref]) -> Ref:
    """``root(f, x0)`` and ``fsolve(f, x0)``, for a vector."""
    name = "fun" if obj.__name__ == "root" else "func"
    slope = "jac" if name == "fun" else "fprime"
    more, options = arguments(cx, obj, given, (name, "x0", slope), _TOLERANCES)
    start = start_vector(cx, given)
    kind = vector(cx, start, obj)
    function, free, found = _with_slope(
        cx, (given[name], "array"), given, (slope, "array"), [kind], more
    )
    options += found
    if name == "func":
        return _solution(cx, obj, function, [start], free, options, kind)
    x = _solution(cx, obj, function, [start], free, options, kind, field="x")
    return result_object(cx, {"x": x, "fun": cx.ref(function.inline(cx.b, cx.atom(x), *free))})


def _minimize(cx: Lowerer, obj: Any, given: Mapping[str, Ref]) -> Ref:
    """``minimize(f, x0)`` without constraints: the gradient is 0."""
    more, options = arguments(cx, obj, given, ("fun", "x0", "jac"), _TOLERANCES)
    start = start_vector(cx, given)
    kind = vector(cx, start, obj)
    function, free, slope = _with_slope(
        cx, (given["fun"], "number"), given, ("jac", "array"), [kind], more
    )
    options += slope
    x = _solution(cx, obj, function, [start], free, options, kind, field="x", residual="gradient")
    return result_object(cx, {"x": x, "fun": cx.ref(function.inline(cx.b, cx.atom(x), *free))})


def _minimize_scalar(cx: Lowerer, obj: Any, given: Mapping[str, Ref]) -> Ref:
    """``minimize_scalar(f)`` without bounds."""
    more, options = arguments(cx, obj, given, ("fun",), (*_TOLERANCES, "bracket"))
    if dict(options).get("method") == "bounded":
        cx.fail("minimize_scalar(method='bounded') has no derivative: it may end at a bound")
    kind = Num("float64", False)
    function, free = lowered(cx, given["fun"], [kind], more, "number")
    x = _solution(cx, obj, function, [], free, options, kind, field="x", residual="gradient")
    return result_object(cx, {"x": x, "fun": cx.ref(function.inline(cx.b, cx.atom(x), *free))})


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


_ROOTS = "scipy.optimize"
_HANDLERS: dict[str, tuple[str, Handler]] = {
    **dict.fromkeys(("brentq", "brenth", "ridder", "bisect", "toms748"), (_ROOTS, _bracketed)),
    "newton": (_ROOTS, _newton),
    "fixed_point": (_ROOTS, _fixed_point),
    "root": (_ROOTS, _root),
    "fsolve": (_ROOTS, _root),
    "minimize": (_ROOTS, _minimize),
    "minimize_scalar": (_ROOTS, _minimize_scalar),
    "quad": ("scipy.integrate", quad),
    "odeint": ("scipy.integrate", odeint),
    "solve_ivp": ("scipy.integrate", solve_ivp),
}
