"""Integrals: ``quad``, with respect to its limits and to what the integrand depends on.

In: nothing. Out: records in the registry. Leibniz's rule: the limits contribute the integrand
there, parameters the integral of the integrand's derivative.

    quad(f, a, b, args=(p,))     p_bar = g * quad(df_dp, a, b, args=(p,))
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ...ir.kinds import Array, Num, carries_derivative
from ...ir.nodes import Atom
from ..declare import define
from ..staged import total
from .optimize import kind_in_attrs

if TYPE_CHECKING:
    from ...ir.builder import Builder

_VECTOR_OPTIONS = ("epsabs", "epsrel", "limit")


def integrate(
    *operands: Any,
    function: Any,
    solver: str,
    leading: int,
    options: tuple[tuple[str, Any], ...] = (),
    field: int = 0,
    kind: Any = None,
) -> Any:
    """``solver(function, a, b, args=...)[field]``."""
    module, _, name = solver.rpartition(".")
    call = getattr(importlib.import_module(module), name)
    args = {"args": tuple(operands[leading:])} if len(operands) > leading else {}
    return call(function, *operands[:leading], **args, **dict(options))[field]


def _integral(b: Builder, function: Any, operands: Sequence[Atom], o: Any) -> Atom:
    """The integral of another function between the same limits."""
    result = function.result
    options = dict(o["options"])
    if isinstance(result, Num):
        solver, kind = "scipy.integrate.quad", Num("float64", True)
    else:
        solver, kind = "scipy.integrate.quad_vec", result
        options = {k: v for k, v in options.items() if k in _VECTOR_OPTIONS}
    return b.op(
        "integral", *operands, function=function, solver=solver, leading=2,
        options=tuple(options.items()), field=0, kind=kind,
    )  # fmt: skip


def integral_vjp(b: Builder, g: Atom, out: Atom, lo: Atom, hi: Atom, *free: Atom, **o: Any) -> Any:
    f = o["function"]
    number = isinstance(out.kind, Num)

    def limit(t: Atom) -> Atom:
        product = b.mul(g, f.inline(b, t, *free))
        return b.op("np.sum", product) if isinstance(product.kind, Array) else product

    def along(n: int) -> Any:
        if number:
            return lambda: b.mul(g, _integral(b, f.slope(1 + n), (lo, hi, *free), o))
        return lambda: _integral(b, f.weighted().slope(1 + n), (lo, hi, *free, g), o)

    return [
        lambda: b.neg(limit(lo)),
        lambda: limit(hi),
        *(along(n) for n in range(len(free))),
    ]


def integral_jvp(
    b: Builder, dots: Sequence[Any], out: Atom, lo: Atom, hi: Atom, *free: Atom, **o: Any
) -> Atom | None:
    f = o["function"]
    lo_dot, hi_dot, *free_dots = dots
    moving = [
        n for n, t in enumerate(free_dots) if t is not None and carries_derivative(free[n].kind)
    ]
    terms: list[Atom | None] = [
        None if lo_dot is None else b.neg(b.mul(f.inline(b, lo, *free), lo_dot)),
        None if hi_dot is None else b.mul(f.inline(b, hi, *free), hi_dot),
    ]
    if moving:
        tangents = [free_dots[n] for n in moving]
        change = f.tangent(*(1 + n for n in moving))
        terms.append(_integral(b, change, (lo, hi, *free, *tangents), o))
    return total(b, terms)


define("integral", integrate, "*operands", kind_in_attrs, vjp=integral_vjp, jvp=integral_jvp)
define("integral_error", integrate, "*operands", kind_in_attrs, zero=True)
