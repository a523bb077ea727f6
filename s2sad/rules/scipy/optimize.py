"""Solutions of equations and minima, by the implicit function theorem.

In: nothing. Out: records in the registry. Where ``r(x, p) = 0``, ``dx = -inv(dr/dx) dr/dp dp``
(Griewank and Walther, "Evaluating Derivatives", 2nd ed., chapter 15; Krantz and Parks, "The
Implicit Function Theorem", 2002): one linear system, however the solver got there. At a minimum, r
is the gradient. Guesses and brackets have no influence on the solution, so their derivative is 0.

    E = brentq(kepler, a, b, args=(e, M))     g / (1 - e cos E), times minus the slopes in e and M
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import optimize

from ...ir.kinds import Array, Kind, Num, carries_derivative
from ...ir.nodes import Atom, Const
from ..declare import define, rule, sample
from ..kindrules import as_array
from ..registry import KindError
from .declare import refusal

if TYPE_CHECKING:
    from ...ir.builder import Builder


def solve(
    *operands: Any,
    function: Any,
    solver: str,
    leading: int,
    options: tuple[tuple[str, Any], ...] = (),
    field: str | None = None,
    residual: str = "value",
    kind: Any = None,
) -> Any:
    """``solver(function, *operands[:leading], args=operands[leading:])``, or a field of it."""
    module, _, name = solver.rpartition(".")
    call = getattr(importlib.import_module(module), name)
    args = {"args": tuple(operands[leading:])} if len(operands) > leading else {}
    found = call(function, *operands[:leading], **args, **dict(options))
    return found if field is None else getattr(found, field)


def _residual(o: Mapping[str, Any]) -> Any:
    """The function that is 0 at the solution."""
    function = o["function"]
    match o["residual"]:
        case "gradient":
            return function.slope(0)
        case "fixed point":
            return function.changed("residual", lambda b, params, out: b.sub(out, params[0]))
    return function


def is_number(x: Atom) -> bool:
    """A number, or an array without axes, which ``fixed_point`` returns."""
    return isinstance(x.kind, Num) or (isinstance(x.kind, Array) and x.kind.dims == ())


def _as_number(b: Builder, x: Atom) -> Atom:
    """The number in an array without axes."""
    if isinstance(x.kind, Array) and x.kind.dims == ():
        return b.op("item", x, Const.of(()))
    return x


def _over_slope(
    b: Builder, r: Any, x: Atom, free: Sequence[Atom], g: Atom, *, transposed: bool
) -> Atom:
    """``inv(dr/dx) g``, or with the transpose."""
    if is_number(x):
        return b.op("ratio", g, r.slope(0).inline(b, x, *free))
    jacobian = r.jacobian(0).inline(b, x, *free)
    if transposed:
        jacobian = b.op("np.transpose", jacobian)
    return b.op("np.linalg.solve", jacobian, g)


def solve_vjp(b: Builder, g: Atom, out: Atom, *operands: Atom, **o: Any) -> list[Any]:
    leading = o["leading"]
    free, r = operands[leading:], _residual(o)
    out, g = _as_number(b, out), _as_number(b, g)
    made: list[Atom] = []

    def seed() -> Atom:
        if not made:
            made.append(b.neg(_over_slope(b, r, out, free, g, transposed=True)))
        return made[0]

    def along(n: int) -> Any:
        def along_it() -> Atom:
            if is_number(out):
                return b.mul(seed(), r.slope(1 + n).inline(b, out, *free))
            found: Atom = r.weighted().slope(1 + n).inline(b, out, *free, seed())
            return found

        return along_it

    return [*[None] * leading, *(along(n) for n in range(len(free)))]


def solve_jvp(
    b: Builder, dots: Sequence[Atom | None], out: Atom, *operands: Atom, **o: Any
) -> Atom | None:
    leading = o["leading"]
    free, r = operands[leading:], _residual(o)
    out = _as_number(b, out)
    moving = [
        n
        for n, t in enumerate(dots[leading:])
        if t is not None and carries_derivative(free[n].kind)
    ]
    if not moving:
        return None
    tangents = [dots[leading + n] for n in moving]
    change = r.tangent(*(1 + n for n in moving)).inline(b, out, *free, *tangents)
    return b.neg(_over_slope(b, r, out, free, change, transposed=False))


def kind_in_attrs(args: Sequence[Atom], attrs: Mapping[str, Any]) -> Kind:
    """The kind that was found when the call was read."""
    kind = attrs["kind"]
    assert isinstance(kind, Kind)
    return kind


def _rosen_kind(args: Sequence[Atom], attrs: Mapping[str, Any]) -> Kind:
    _rosen_der_kind(args, attrs)
    return Num("float64", False)


def _rosen_der_kind(args: Sequence[Atom], attrs: Mapping[str, Any]) -> Kind:
    x = as_array(args[-1].kind)
    if not isinstance(x, Array) or x.rank != 1:
        raise KindError("scipy.optimize.rosen has a rule for a vector")
    return Array("float64", x.dims)


define("implicit_solution", solve, "*operands", kind_in_attrs, vjp=solve_vjp, jvp=solve_jvp)

# -- Rosenbrock's function, which SciPy has with its derivatives ---------------------------------

rule(
    optimize.rosen,
    "x",
    name="scipy.optimize.rosen",
    kind=_rosen_kind,
    vjp="g * scipy.optimize.rosen_der(x)",
    jvp="np.sum(scipy.optimize.rosen_der(x) * x_dot)",
    samples=[sample(np.array([0.3, 1.2, -0.7])), sample(np.array([1.0, 1.0]))],
)
rule(
    optimize.rosen_der,
    "x",
    name="scipy.optimize.rosen_der",
    kind=_rosen_der_kind,
    vjp="scipy.optimize.rosen_hess_prod(x, g)",
    jvp="scipy.optimize.rosen_hess_prod(x, x_dot)",
    samples=[sample(np.array([0.3, 1.2, -0.7])), sample(np.array([1.0, 1.0]))],
)
rule(
    optimize.rosen_hess_prod,
    "x p",
    name="scipy.optimize.rosen_hess_prod",
    kind=_rosen_der_kind,
    vjp=(refusal("scipy.optimize.rosen has two derivatives here"),
         "scipy.optimize.rosen_hess_prod(x, g)"),
    jvp=(refusal("scipy.optimize.rosen has two derivatives here"),
         "scipy.optimize.rosen_hess_prod(x, p_dot)"),
    samples=[sample(np.array([1, 2, 3]), np.array([0.3, 1.2, -0.7]))],
)  # fmt: skip
