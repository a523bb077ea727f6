"""Adjoints of the stencils, by hand.

Each function takes its kernel's arguments and returns the kernel's gradient. They are plain
Python that Numba compiles; what is constant in time needs no tape, and where each point spreads
its cotangent to neighbours, each point gathers instead, so that inner loops are free of stores
that wait for one another.
"""

from __future__ import annotations

from typing import Any

import numpy as np


def jacobi_1d(a: np.ndarray, steps: int) -> tuple[Any, ...]:
    # Linear, and its own transpose inside. The ends never change, so what they receive at any
    # time goes straight to the result, and the cotangents in flight have zero ends.
    c = 0.33333
    n = len(a)
    now = a.copy()
    then = a.copy()
    for _ in range(2 * steps):
        for i in range(1, n - 1):
            then[i] = c * (now[i - 1] + now[i] + now[i + 1])
        now, then = then, now
    out = 2.0 * now
    g = out.copy()
    g[0] = g[n - 1] = 0.0
    h = np.zeros(n)
    for _ in range(2 * steps):
        out[0] += c * g[1]
        out[n - 1] += c * g[n - 2]
        for i in range(1, n - 1):
            h[i] = c * (g[i - 1] + g[i] + g[i + 1])
        g, h = h, g
    for i in range(1, n - 1):
        out[i] = g[i]
    return (out,)


def jacobi_2d(a: np.ndarray, steps: int) -> tuple[Any, ...]:
    # As in one dimension.
    n, m = a.shape
    now = a.copy()
    then = a.copy()
    for _ in range(2 * steps):
        cross(now, then)
        now, then = then, now
    out = 2.0 * now
    g = np.zeros((n, m))
    inside(out, g)
    h = np.zeros((n, m))
    for _ in range(2 * steps):
        for j in range(1, m - 1):
            out[0, j] += 0.2 * g[1, j]
            out[n - 1, j] += 0.2 * g[n - 2, j]
        for i in range(1, n - 1):
            out[i, 0] += 0.2 * g[i, 1]
            out[i, m - 1] += 0.2 * g[i, m - 2]
        cross(g, h)
        g, h = h, g
    inside(g, out)
    return (out,)


def cross(a: np.ndarray, b: np.ndarray) -> None:
    """The mean of a point and its four neighbours, of ``a`` into the inside of ``b``."""
    n, m = a.shape
    for i in range(1, n - 1):
        for j in range(1, m - 1):
            b[i, j] = 0.2 * (a[i, j] + a[i, j - 1] + a[i, j + 1] + a[i + 1, j] + a[i - 1, j])


def inside(a: np.ndarray, b: np.ndarray) -> None:
    """Copies all but the border of ``a`` into ``b``."""
    n, m = a.shape
    for i in range(1, n - 1):
        for j in range(1, m - 1):
            b[i, j] = a[i, j]


def heat_3d(u: np.ndarray, steps: int) -> tuple[Any, ...]:
    # u := u / 4 + (the six neighbours) / 8 inside: again its own transpose there.
    n, m, l = u.shape
    now = u.copy()
    then = u.copy()
    for _ in range(steps):
        star(now, then)
        now, then = then, now
    out = 2.0 * now
    g = np.zeros(u.shape)
    inside_3d(out, g)
    h = np.zeros(u.shape)
    for _ in range(steps):
        for j in range(1, m - 1):
            for k in range(1, l - 1):
                out[0, j, k] += 0.125 * g[1, j, k]
                out[n - 1, j, k] += 0.125 * g[n - 2, j, k]
        for i in range(1, n - 1):
            for k in range(1, l - 1):
                out[i, 0, k] += 0.125 * g[i, 1, k]
                out[i, m - 1, k] += 0.125 * g[i, m - 2, k]
            for j in range(1, m - 1):
                out[i, j, 0] += 0.125 * g[i, j, 1]
                out[i, j, l - 1] += 0.125 * g[i, j, l - 2]
        star(g, h)
        g, h = h, g
    inside_3d(g, out)
    return (out,)


def star(u: np.ndarray, v: np.ndarray) -> None:
    """One step of diffusion, of ``u`` into the inside of ``v``."""
    n, m, l = u.shape
    for i in range(1, n - 1):
        for j in range(1, m - 1):
            for k in range(1, l - 1):
                v[i, j, k] = 0.25 * u[i, j, k] + 0.125 * (
                    u[i - 1, j, k] + u[i + 1, j, k]
                    + u[i, j - 1, k] + u[i, j + 1, k]
                    + u[i, j, k - 1] + u[i, j, k + 1]
                )  # fmt: skip


def inside_3d(a: np.ndarray, b: np.ndarray) -> None:
    n, m, l = a.shape
    for i in range(1, n - 1):
        for j in range(1, m - 1):
            for k in range(1, l - 1):
                b[i, j, k] = a[i, j, k]


def seidel_2d(a: np.ndarray, steps: int) -> tuple[Any, ...]:
    # Going back, point by point, a point's share is a ninth of what it has received so far: from
    # the points after it in this sweep, from itself and the points before it in the last one. In
    # place that is the same stencil, run backwards, over shares that are zero on the border.
    now = a.copy()
    n, m = a.shape
    for _ in range(steps):
        for i in range(1, n - 1):
            for j in range(1, m - 1):
                now[i, j] = (
                    now[i - 1, j - 1] + now[i - 1, j] + now[i - 1, j + 1]
                    + now[i, j - 1] + now[i, j] + now[i, j + 1]
                    + now[i + 1, j - 1] + now[i + 1, j] + now[i + 1, j + 1]
                ) / 9.0  # fmt: skip
    out = 2.0 * now
    g = np.zeros((n, m))
    for sweep in range(steps):
        for i in range(n - 2, 0, -1):
            for j in range(m - 2, 0, -1):
                seed = out[i, j] if sweep == 0 else 0.0
                g[i, j] = (
                    (g[i + 1, j + 1] + g[i + 1, j] + g[i + 1, j - 1])
                    + (g[i, j] + g[i, j - 1] + seed)
                    + (g[i - 1, j + 1] + g[i - 1, j] + g[i - 1, j - 1])
                    + g[i, j + 1]
                ) / 9.0
        for j in range(1, m - 1):
            for near in range(j - 1, j + 2):
                out[0, near] += g[1, j]
                out[n - 1, near] += g[n - 2, j]
        for i in range(1, n - 1):
            out[i, 0] += g[i - 1, 1] + g[i, 1] + g[i + 1, 1]
            out[i, m - 1] += g[i - 1, m - 2] + g[i, m - 2] + g[i + 1, m - 2]
    if steps > 0:  # what each point has received since its share was taken
        for i in range(1, n - 1):
            for j in range(1, m - 1):
                before = g[i - 1, j - 1] + g[i - 1, j] + g[i - 1, j + 1] + g[i, j - 1]
                out[i, j] = g[i, j] + before
    return (out,)


def burgers(u: np.ndarray, nu: float, steps: int) -> tuple[Any, ...]:
    # u'[i] = u[i] - c u[i] s[i] + k (u[i+1] - 2 u[i] + u[i-1]) with s[i] = u[i] - u[i-1] where
    # u[i] > 0, else u[i+1] - u[i]. Rows have a copy of the ring's other end on each side.
    n = len(u)
    dx = 1.0 / n
    dt = 0.2 * dx
    c, k = dt / dx, dt * nu / dx**2
    tape = np.empty((steps + 1, n + 2))
    tape[0, 1:-1] = u
    for t in range(steps):
        now, then = tape[t], tape[t + 1]
        now[0], now[n + 1] = now[n], now[1]
        for i in range(1, n + 1):
            left, here, right = now[i - 1], now[i], now[i + 1]
            push = max(here, 0.0) * (here - left) + min(here, 0.0) * (right - here)
            then[i] = here - c * push + k * (right - 2.0 * here + left)
    g = tape[steps] * (2.0 / n)
    h = np.empty(n + 2)
    of_k = np.zeros(n + 2)
    for t in range(steps - 1, -1, -1):
        g[0], g[n + 1] = g[n], g[1]
        burgers_back(tape[t], g, h, of_k, c, k)
        g, h = h, g
    return g[1:-1].copy(), np.sum(of_k) * dt / dx**2


def burgers_back(
    now: np.ndarray, g: np.ndarray, h: np.ndarray, of_k: np.ndarray, c: float, k: float
) -> None:
    for i in range(1, len(now) - 1):
        left, here, right = now[i - 1], now[i], now[i + 1]
        back, ahead = 2.0 * here - left, right - 2.0 * here
        own = back if here > 0.0 else ahead
        h[i] = (
            g[i] * (1.0 - 2.0 * k - c * own)
            + g[i + 1] * (k + c * max(right, 0.0))
            + g[i - 1] * (k - c * min(left, 0.0))
        )
        of_k[i] += g[i] * (right - 2.0 * here + left)


def cavity_flow(lid: float, n: int, steps: int, sweeps: int) -> tuple[Any, ...]:
    # One number goes in: tangents, which need no tape. In each array's name, d is its tangent.
    dx = 2.0 / (n - 1)
    dt, rho, nu = 0.001, 1.0, 0.1
    c = dt / dx
    half, push, thick = 1.0 / (2 * dx), dt / (2 * rho * dx), nu * c / dx
    u, v, p, b = np.zeros((n, n)), np.zeros((n, n)), np.zeros((n, n)), np.zeros((n, n))
    du, dv, dp, db = np.zeros((n, n)), np.zeros((n, n)), np.zeros((n, n)), np.zeros((n, n))
    un, vn, pn = u.copy(), v.copy(), p.copy()
    dun, dvn, dpn = u.copy(), v.copy(), p.copy()
    for _ in range(steps):
        for i in range(1, n - 1):
            for j in range(1, n - 1):
                ux, dux = half * (u[i, j + 1] - u[i, j - 1]), half * (du[i, j + 1] - du[i, j - 1])
                uy, duy = half * (u[i + 1, j] - u[i - 1, j]), half * (du[i + 1, j] - du[i - 1, j])
                vx, dvx = half * (v[i, j + 1] - v[i, j - 1]), half * (dv[i, j + 1] - dv[i, j - 1])
                vy, dvy = half * (v[i + 1, j] - v[i - 1, j]), half * (dv[i + 1, j] - dv[i - 1, j])
                b[i, j] = rho * ((ux + vy) / dt - ux * ux - 2.0 * uy * vx - vy * vy)
                db[i, j] = rho * (
                    (dux + dvy) / dt - 2.0 * (ux * dux + duy * vx + uy * dvx + vy * dvy)
                )
        for _ in range(sweeps):
            p, pn = pn, p
            dp, dpn = dpn, dp
            pressure(p, pn, b, dx)
            pressure(dp, dpn, db, dx)
        u, un = un, u
        v, vn = vn, v
        du, dun = dun, du
        dv, dvn = dvn, dv
        for i in range(1, n - 1):
            for j in range(1, n - 1):
                x, dx_ = c * un[i, j], c * dun[i, j]
                y, dy_ = c * vn[i, j], c * dvn[i, j]
                west, south = un[i, j] - un[i, j - 1], un[i, j] - un[i - 1, j]
                dwest, dsouth = dun[i, j] - dun[i, j - 1], dun[i, j] - dun[i - 1, j]
                u[i, j] = un[i, j] - x * west - y * south - push * (p[i, j + 1] - p[i, j - 1])
                u[i, j] += thick * round_about(un, i, j)
                du[i, j] = dun[i, j] - dx_ * west - x * dwest - dy_ * south - y * dsouth
                du[i, j] += thick * round_about(dun, i, j) - push * (dp[i, j + 1] - dp[i, j - 1])
                west, south = vn[i, j] - vn[i, j - 1], vn[i, j] - vn[i - 1, j]
                dwest, dsouth = dvn[i, j] - dvn[i, j - 1], dvn[i, j] - dvn[i - 1, j]
                v[i, j] = vn[i, j] - x * west - y * south - push * (p[i + 1, j] - p[i - 1, j])
                v[i, j] += thick * round_about(vn, i, j)
                dv[i, j] = dvn[i, j] - dx_ * west - x * dwest - dy_ * south - y * dsouth
                dv[i, j] += thick * round_about(dvn, i, j) - push * (dp[i + 1, j] - dp[i - 1, j])
        u[-1, :] = lid
        du[-1, :] = 1.0
    return (2.0 * (np.sum(u * du) + np.sum(v * dv)),)


def pressure(p: np.ndarray, pn: np.ndarray, b: np.ndarray, dx: float) -> None:
    """One sweep, of ``pn`` into ``p``; linear, so that tangents are swept by it as well."""
    n = len(p)
    for i in range(1, n - 1):
        for j in range(1, n - 1):
            p[i, j] = (
                0.25 * (pn[i, j + 1] + pn[i, j - 1] + pn[i + 1, j] + pn[i - 1, j])
                - 0.25 * dx * dx * b[i, j]
            )
        p[i, n - 1] = p[i, n - 2]
    p[0, :] = p[1, :]
    for i in range(n - 1):
        p[i, 0] = p[i, 1]
    p[n - 1, :] = 0.0


def round_about(u: np.ndarray, i: int, j: int) -> float:
    return u[i, j + 1] + u[i, j - 1] + u[i + 1, j] + u[i - 1, j] - 4.0 * u[i, j]


def vertical_advection(w: np.ndarray, u: np.ndarray, dt: float) -> tuple[Any, ...]:
    # In each column M x = u / dt, with row k of M: down, 1/dt - down + up, up, where
    # down = -w[k]/4 (0 at the bottom) and up = w[k+1]/4 (0 at the top). Elimination factors
    # M = L U with L: down and pivot, U: 1 and c. The adjoint solves U' y = 2 x, then L' s = y;
    # then u receives s / dt, and M receives -s x'. A plane of columns at a time, transposed: the
    # columns do not wait for one another. ``up`` has a row of zeros below and above.
    nx, ny, nz = u.shape
    of_w = np.zeros(w.shape)
    of_u = np.empty(u.shape)
    up = np.zeros((nz + 1, ny))
    c, pivot = np.empty((nz, ny)), np.empty((nz, ny))
    x, s = np.empty((nz, ny)), np.empty((nz, ny))
    for i in range(nx):
        for j in range(ny):
            for k in range(1, nz):
                up[k, j] = 0.25 * w[i, j, k]
            for k in range(nz):
                x[k, j] = u[i, j, k] / dt
        for j in range(ny):
            pivot[0, j] = 1.0 / (1.0 / dt + up[1, j])
            c[0, j] = up[1, j] * pivot[0, j]
            x[0, j] *= pivot[0, j]
        for k in range(1, nz):
            for j in range(ny):
                pivot[k, j] = 1.0 / (1.0 / dt + up[k, j] + up[k + 1, j] + up[k, j] * c[k - 1, j])
                c[k, j] = up[k + 1, j] * pivot[k, j]
                x[k, j] = (x[k, j] + up[k, j] * x[k - 1, j]) * pivot[k, j]
        for k in range(nz - 2, -1, -1):
            for j in range(ny):
                x[k, j] -= c[k, j] * x[k + 1, j]
        for j in range(ny):
            s[0, j] = 2.0 * x[0, j]
        for k in range(1, nz):
            for j in range(ny):
                s[k, j] = 2.0 * x[k, j] - c[k - 1, j] * s[k - 1, j]
        for j in range(ny):
            s[nz - 1, j] *= pivot[nz - 1, j]
        for k in range(nz - 2, -1, -1):
            for j in range(ny):
                s[k, j] = (s[k, j] + up[k + 1, j] * s[k + 1, j]) * pivot[k, j]
        for j in range(ny):
            for k in range(1, nz):
                of_down = s[k, j] * (x[k, j] - x[k - 1, j])
                of_w[i, j, k] = -0.25 * (of_down + s[k - 1, j] * (x[k - 1, j] + x[k, j]))
            for k in range(nz):
                of_u[i, j, k] = s[k, j] / dt
    return of_w, of_u


def limited_diffusion(field: np.ndarray, coeff: np.ndarray) -> tuple[Any, ...]:
    # All indices are the field's: fx[i, j] flows from (i, j) to (i + 1, j); q is what the sum of
    # a point's fluxes receives, zero in the margin of two.
    nx, ny, nz = field.shape
    lap = np.empty(field.shape)
    for i in range(1, nx - 1):
        for j in range(1, ny - 1):
            for k in range(nz):
                lap[i, j, k] = 4.0 * field[i, j, k] - (
                    field[i + 1, j, k] + field[i - 1, j, k]
                    + field[i, j + 1, k] + field[i, j - 1, k]
                )  # fmt: skip
    of_field = np.zeros(field.shape)
    of_coeff = np.empty(coeff.shape)
    q = np.zeros(field.shape)
    for i in range(2, nx - 2):
        for j in range(2, ny - 2):
            for k in range(nz):
                flow = limited(lap, field, i, j, i + 1, j, k) - limited(
                    lap, field, i - 1, j, i, j, k
                )
                flow += limited(lap, field, i, j, i, j + 1, k) - limited(
                    lap, field, i, j - 1, i, j, k
                )
                weight = coeff[i - 2, j - 2, k]
                g = 2.0 * (field[i, j, k] - weight * flow)
                of_field[i, j, k] = g
                of_coeff[i - 2, j - 2, k] = -g * flow
                q[i, j, k] = -weight * g
    of_lap = np.zeros(field.shape)
    for i in range(1, nx - 2):
        for j in range(2, ny - 2):
            for k in range(nz):
                flux = lap[i + 1, j, k] - lap[i, j, k]
                stops = flux * (field[i + 1, j, k] - field[i, j, k]) > 0
                g = 0.0 if stops else q[i, j, k] - q[i + 1, j, k]
                of_lap[i + 1, j, k] += g
                of_lap[i, j, k] -= g
    for i in range(2, nx - 2):
        for j in range(1, ny - 2):
            for k in range(nz):
                flux = lap[i, j + 1, k] - lap[i, j, k]
                stops = flux * (field[i, j + 1, k] - field[i, j, k]) > 0
                g = 0.0 if stops else q[i, j, k] - q[i, j + 1, k]
                of_lap[i, j + 1, k] += g
                of_lap[i, j, k] -= g
    for i in range(1, nx - 1):
        for j in range(1, ny - 1):
            for k in range(nz):
                g = of_lap[i, j, k]
                of_field[i, j, k] += 4.0 * g
                of_field[i + 1, j, k] -= g
                of_field[i - 1, j, k] -= g
                of_field[i, j + 1, k] -= g
                of_field[i, j - 1, k] -= g
    return of_field, of_coeff


def limited(
    lap: np.ndarray, field: np.ndarray, i: int, j: int, to_i: int, to_j: int, k: int
) -> float:
    """The flux between two neighbours, zero where it runs uphill."""
    flux = lap[to_i, to_j, k] - lap[i, j, k]
    return 0.0 if flux * (field[to_i, to_j, k] - field[i, j, k]) > 0 else flux
