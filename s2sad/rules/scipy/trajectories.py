"""The adjoint and the tangent of an ordinary differential equation, integrated by SciPy.

In: the right-hand side as a function value, the solution at given times, a cotangent of it. Out:
cotangents of the initial state, of the times and of the parameters.

The adjoint a of the state obeys ``a' = -a df/dy`` backwards in time, and jumps by the cotangent of
the solution wherever that is asked for; parameters gather ``a df/dp``: Pontryagin et al., "The
Mathematical Theory of Optimal Processes", 1962; Cao, Li, Petzold and Serban, "Adjoint sensitivity
analysis for differential-algebraic equations", SIAM J. Sci. Comput. 24, 2003. The state is
integrated backwards along with it, and is set right at each of the given times.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from scipy import integrate

__all__ = ["ode_adjoint", "ode_tangent"]

#: How exactly the sensitivities are integrated, whatever the solution was.
_RTOL, _ATOL = 1e-10, 1e-12


def ode_adjoint(
    g: Any,
    states: Any,
    y0: Any,
    t0: Any,
    ts: Any,
    *free: Any,
    function: Any,
    slopes: Any,
    time_first: bool,
    moving: tuple[int, ...],
) -> tuple[Any, ...]:
    """Cotangents of y0, t0 and ts, and of the parameters whose numbers are in ``moving``.

    ``g`` and ``states`` have a row for each of the times. ``slopes`` takes the adjoint after the
    arguments of the right-hand side: the derivatives of ``a f`` in y and in the parameters.
    """
    n, sizes = len(y0), [np.size(free[k]) for k in moving]
    ends = np.cumsum([2 * n, *sizes])

    def rhs(t: float, y: Any) -> Any:
        return _rhs(function, time_first, t, y, free)

    def backward(t: float, z: Any) -> Any:
        y, a = z[:n], z[n : 2 * n]
        bars = slopes(*((t, y) if time_first else (y, t)), *free, a)
        return np.concatenate([rhs(t, y), *(-np.ravel(b) for b in bars)])

    z = np.zeros(ends[-1])
    times = np.zeros(len(ts))
    for k in range(len(ts) - 1, -1, -1):
        z[:n] = states[k]
        z[n : 2 * n] += g[k]
        times[k] = np.dot(g[k], rhs(ts[k], states[k]))
        z = _carried(backward, z, ts[k], ts[k - 1] if k else t0)
    y_bar = z[n : 2 * n].copy()
    start = -np.dot(y_bar, rhs(t0, np.asarray(y0, float)))
    shares = [
        z[i:j].reshape(np.shape(free[k]))[()]
        for k, i, j in zip(moving, ends[:-1], ends[1:], strict=True)
    ]
    return (y_bar, start, times, *shares)


def ode_tangent(
    states: Any,
    y0: Any,
    t0: Any,
    ts: Any,
    y0_dot: Any,
    t0_dot: Any,
    ts_dot: Any,
    *rest: Any,
    function: Any,
    tangent: Any,
    time_first: bool,
    count: int,
) -> Any:
    """The tangent of the states; ``rest`` are the parameters, then the tangents of some.

    ``tangent`` takes the tangents after the arguments of the right-hand side.
    """
    free, dots = rest[:count], rest[count:]
    n = len(y0)

    def rhs(t: float, y: Any) -> Any:
        return _rhs(function, time_first, t, y, free)

    def forward(t: float, z: Any) -> Any:
        y, s = z[:n], z[n:]
        given = (t, y) if time_first else (y, t)
        return np.concatenate([rhs(t, y), tangent(*given, *free, s, *dots)])

    y0 = np.asarray(y0, float)
    z = np.concatenate([y0, y0_dot - rhs(t0, y0) * t0_dot])
    out = np.zeros((len(ts), n))
    before = t0
    for k, t in enumerate(ts):
        z = _carried(forward, z, before, t)
        z[:n] = states[k]
        out[k] = z[n:] + rhs(t, states[k]) * ts_dot[k]
        before = t
    return out


def _rhs(function: Any, time_first: bool, t: float, y: Any, free: Sequence[Any]) -> Any:
    return np.asarray(function(*((t, y) if time_first else (y, t)), *free))


def _carried(f: Callable[..., Any], z: Any, start: float, stop: float) -> Any:
    """The integral from ``start`` to ``stop``, begun with z."""
    if start == stop:
        return z
    found = integrate.solve_ivp(f, (start, stop), z, method="LSODA", rtol=_RTOL, atol=_ATOL)
    if not found.success:
        raise ArithmeticError(f"the sensitivities could not be integrated: {found.message}")
    return found.y[:, -1].copy()
