"""Solutions of ordinary differential equations: ``odeint`` and ``solve_ivp``.

In: nothing. Out: records in the registry. The derivative is that of the exact solution, by the
adjoint method (see `trajectories`), and is as exact as the solution is.

    odeint(f, y0, t, args=(p,))     y0_bar, t_bar, p_bar = ode_adjoint(g, out, y0, t[0], t, p)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from scipy import integrate

from ...ir.kinds import Kind, Num, Tuple, carries_derivative
from ...ir.nodes import Atom, Const
from ..declare import define
from ..registry import KindError
from . import trajectories
from .optimize import kind_in_attrs

if TYPE_CHECKING:
    from ...ir.builder import Builder


def solve_odeint(
    y0: Any, t: Any, *free: Any, function: Any, time_first: bool, kind: Any, options: Any = ()
) -> Any:
    """``odeint(function, y0, t, args=free)``."""
    more = {"tfirst": True} if time_first else {}
    return integrate.odeint(function, y0, t, args=free, **more, **dict(options))


def solve_ivp(
    t0: Any, t1: Any, y0: Any, ts: Any, *free: Any, function: Any, kind: Any, options: Any = ()
) -> Any:
    """``solve_ivp(function, (t0, t1), y0, t_eval=ts, args=free).y``."""
    found = integrate.solve_ivp(
        function, (t0, t1), y0, t_eval=ts, args=free or None, **dict(options)
    )
    return found.y


def _moving(free: Sequence[Atom]) -> tuple[int, ...]:
    """The parameters that may have a derivative."""
    return tuple(
        n for n, x in enumerate(free) if carries_derivative(x.kind) and not isinstance(x, Const)
    )


def _adjoint(
    b: Builder, g: Atom, states: Atom, y0: Atom, t0: Atom, ts: Atom, free: Sequence[Atom],
    function: Any, time_first: bool,
) -> tuple[Atom, Atom, Atom, list[Atom | None]]:  # fmt: skip
    """The cotangents of y0, t0, ts and the parameters."""
    moving = _moving(free)
    y_at = 1 if time_first else 0
    slopes = function.weighted().slopes(y_at, *(2 + n for n in moving))
    bars = b.op(
        "ode_adjoint", g, states, y0, t0, ts, *free,
        function=function, slopes=slopes, time_first=time_first, moving=moving,
    )  # fmt: skip
    parts: list[Atom | None] = [None] * len(free)
    for place, n in enumerate(moving):
        parts[n] = b.op("item", bars, Const.of(3 + place))
    of_y, of_t0, of_ts = (b.op("item", bars, Const.of(k)) for k in range(3))
    return of_y, of_t0, of_ts, parts


def odeint_vjp(
    b: Builder, g: Atom, out: Atom, y0: Atom, t: Atom, *free: Atom, **o: Any
) -> list[Any]:
    t0 = b.op("item", t, Const.of(0))
    of_y, of_t0, of_ts, parts = _adjoint(
        b, g, out, y0, t0, t, free, o["function"], o["time_first"]
    )
    return [of_y, lambda: b.op("accumulate", of_ts, Const.of(0), of_t0), *parts]


def ivp_vjp(
    b: Builder, g: Atom, out: Atom, t0: Atom, t1: Atom, y0: Atom, ts: Atom, *free: Atom, **o: Any
) -> list[Any]:
    rows, seeds = b.op("np.transpose", out), b.op("np.transpose", g)
    of_y, of_t0, of_ts, parts = _adjoint(b, seeds, rows, y0, t0, ts, free, o["function"], True)
    return [of_t0, None, of_y, of_ts, *parts]


def _tangent(
    b: Builder, dots: Mapping[str, Atom | None], states: Atom, y0: Atom, t0: Atom, ts: Atom,
    free: Sequence[Atom], free_dots: Sequence[Atom | None], function: Any, time_first: bool,
) -> Atom:  # fmt: skip
    moving = tuple(
        n for n, t in enumerate(free_dots) if t is not None and carries_derivative(free[n].kind)
    )
    given = [
        dots[name] or b.op("zeros_like", x) for name, x in (("y0", y0), ("t0", t0), ("ts", ts))
    ]
    tangents = [t for n in moving if (t := free_dots[n]) is not None]
    tangent = function.tangent(1 if time_first else 0, *(2 + n for n in moving))
    return b.op(
        "ode_tangent", states, y0, t0, ts, *given, *free, *tangents,
        function=function, tangent=tangent, time_first=time_first, count=len(free),
    )  # fmt: skip


def odeint_jvp(
    b: Builder, dots: Sequence[Atom | None], out: Atom, y0: Atom, t: Atom, *free: Atom, **o: Any
) -> Atom:
    y_dot, t_dot, *rest = dots
    first = None if t_dot is None else b.op("item", t_dot, Const.of(0))
    moved = {"y0": y_dot, "t0": first, "ts": t_dot}
    t0 = b.op("item", t, Const.of(0))
    return _tangent(b, moved, out, y0, t0, t, free, rest, o["function"], o["time_first"])


def ivp_jvp(
    b: Builder, dots: Sequence[Atom | None], out: Atom, t0: Atom, t1: Atom, y0: Atom, ts: Atom,
    *free: Atom, **o: Any,
) -> Atom:  # fmt: skip
    t0_dot, _, y_dot, ts_dot, *rest = dots
    moved = {"y0": y_dot, "t0": t0_dot, "ts": ts_dot}
    rows = b.op("np.transpose", out)
    t = _tangent(b, moved, rows, y0, t0, ts, free, rest, o["function"], True)
    return b.op("np.transpose", t)


def _once_only(*args: Any, **attrs: Any) -> Any:
    raise KindError(
        "solutions of differential equations have first derivatives here, and no second ones"
    )


def _adjoint_kind(args: Sequence[Atom], attrs: Mapping[str, Any]) -> Kind:
    y0, _, ts, *free = args[2:]
    moving = [free[n].kind for n in attrs["moving"]]
    numbers = [Num("float64", False) if isinstance(k, Num) else k for k in moving]
    return Tuple((y0.kind, Num("float64", False), ts.kind, *numbers))


define("odeint", solve_odeint, "y0 t *free", kind_in_attrs, vjp=odeint_vjp, jvp=odeint_jvp)
define("solve_ivp", solve_ivp, "t0 t1 y0 ts *free", kind_in_attrs, vjp=ivp_vjp, jvp=ivp_jvp)
define(
    "ode_adjoint", trajectories.ode_adjoint, "g states y0 t0 ts *free", _adjoint_kind,
    vjp=_once_only, jvp=_once_only,
)  # fmt: skip
define(
    "ode_tangent", trajectories.ode_tangent, "states y0 t0 ts y0_dot t0_dot ts_dot *rest",
    lambda args, attrs: args[0].kind, vjp=_once_only, jvp=_once_only,
)  # fmt: skip
