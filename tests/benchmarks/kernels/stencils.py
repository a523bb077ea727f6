"""Stencils: what each point becomes depends on its neighbours; mostly written in place."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import adjoints_stencils as adjoints
from .kernel import Kernel


def jacobi_1d(a: np.ndarray, steps: int) -> float:
    """Two arrays that take turns."""
    a = a.copy()
    b = a.copy()
    for _ in range(steps):
        b[1:-1] = 0.33333 * (a[:-2] + a[1:-1] + a[2:])
        a[1:-1] = 0.33333 * (b[:-2] + b[1:-1] + b[2:])
    return np.sum(a * a)


def jacobi_2d(a: np.ndarray, steps: int) -> float:
    a = a.copy()
    b = a.copy()
    for _ in range(steps):
        b[1:-1, 1:-1] = 0.2 * (
            a[1:-1, 1:-1] + a[1:-1, :-2] + a[1:-1, 2:] + a[2:, 1:-1] + a[:-2, 1:-1]
        )
        a[1:-1, 1:-1] = 0.2 * (
            b[1:-1, 1:-1] + b[1:-1, :-2] + b[1:-1, 2:] + b[2:, 1:-1] + b[:-2, 1:-1]
        )
    return np.sum(a * a)


def heat_3d(u: np.ndarray, steps: int) -> float:
    u = u.copy()
    for _ in range(steps):
        c = 2.0 * u[1:-1, 1:-1, 1:-1]
        u[1:-1, 1:-1, 1:-1] += (
            0.125 * (u[2:, 1:-1, 1:-1] - c + u[:-2, 1:-1, 1:-1])
            + 0.125 * (u[1:-1, 2:, 1:-1] - c + u[1:-1, :-2, 1:-1])
            + 0.125 * (u[1:-1, 1:-1, 2:] - c + u[1:-1, 1:-1, :-2])
        )
    return np.sum(u * u)


def seidel_2d(a: np.ndarray, steps: int) -> float:
    """Each point uses the neighbours that were updated just before."""
    a = a.copy()
    n, m = a.shape
    for _ in range(steps):
        for i in range(1, n - 1):
            for j in range(1, m - 1):
                a[i, j] = (
                    a[i - 1, j - 1] + a[i - 1, j] + a[i - 1, j + 1]
                    + a[i, j - 1] + a[i, j] + a[i, j + 1]
                    + a[i + 1, j - 1] + a[i + 1, j] + a[i + 1, j + 1]
                ) / 9.0  # fmt: skip
    return np.sum(a * a)


def burgers(u: np.ndarray, nu: float, steps: int) -> float:
    """Advection by itself, upwind, with diffusion, on a ring."""
    dx = 1.0 / len(u)
    dt = 0.2 * dx
    for _ in range(steps):
        left, right = np.roll(u, 1), np.roll(u, -1)
        slope = np.where(u > 0.0, u - left, right - u) / dx
        u = u - dt * u * slope + dt * nu * (right - 2.0 * u + left) / dx**2
    return np.mean(u**2)


def cavity_flow(lid: float, n: int, steps: int, sweeps: int) -> float:
    """A viscous fluid in a box under a moving lid: pressure by sweeps in each time step."""
    dx = 2.0 / (n - 1)
    dt, rho, nu = 0.001, 1.0, 0.1
    u = np.zeros((n, n))
    v = np.zeros((n, n))
    p = np.zeros((n, n))
    b = np.zeros((n, n))
    for _ in range(steps):
        ux = (u[1:-1, 2:] - u[1:-1, :-2]) / (2 * dx)
        uy = (u[2:, 1:-1] - u[:-2, 1:-1]) / (2 * dx)
        vx = (v[1:-1, 2:] - v[1:-1, :-2]) / (2 * dx)
        vy = (v[2:, 1:-1] - v[:-2, 1:-1]) / (2 * dx)
        b[1:-1, 1:-1] = rho * ((ux + vy) / dt - ux**2 - 2.0 * uy * vx - vy**2)
        for _ in range(sweeps):
            pn = p.copy()
            p[1:-1, 1:-1] = (
                0.25 * (pn[1:-1, 2:] + pn[1:-1, :-2] + pn[2:, 1:-1] + pn[:-2, 1:-1])
                - 0.25 * dx**2 * b[1:-1, 1:-1]
            )
            p[:, -1] = p[:, -2]
            p[0, :] = p[1, :]
            p[:, 0] = p[:, 1]
            p[-1, :] = 0.0
        un = u.copy()
        vn = v.copy()
        c = dt / dx
        u[1:-1, 1:-1] = (
            un[1:-1, 1:-1]
            - un[1:-1, 1:-1] * c * (un[1:-1, 1:-1] - un[1:-1, :-2])
            - vn[1:-1, 1:-1] * c * (un[1:-1, 1:-1] - un[:-2, 1:-1])
            - dt / (2 * rho * dx) * (p[1:-1, 2:] - p[1:-1, :-2])
            + nu * c / dx * (un[1:-1, 2:] + un[1:-1, :-2] + un[2:, 1:-1] + un[:-2, 1:-1])
            - 4.0 * nu * c / dx * un[1:-1, 1:-1]
        )
        v[1:-1, 1:-1] = (
            vn[1:-1, 1:-1]
            - un[1:-1, 1:-1] * c * (vn[1:-1, 1:-1] - vn[1:-1, :-2])
            - vn[1:-1, 1:-1] * c * (vn[1:-1, 1:-1] - vn[:-2, 1:-1])
            - dt / (2 * rho * dx) * (p[2:, 1:-1] - p[:-2, 1:-1])
            + nu * c / dx * (vn[1:-1, 2:] + vn[1:-1, :-2] + vn[2:, 1:-1] + vn[:-2, 1:-1])
            - 4.0 * nu * c / dx * vn[1:-1, 1:-1]
        )
        u[0, :] = 0.0
        u[:, 0] = 0.0
        u[:, -1] = 0.0
        u[-1, :] = lid
    return np.sum(u * u) + np.sum(v * v)


def vertical_advection(w: np.ndarray, u: np.ndarray, dt: float) -> float:
    """An implicit step in each column: a tridiagonal system, solved by elimination."""
    nx, ny, nz = u.shape
    c = np.zeros_like(u)
    d = np.zeros_like(u)
    for k in range(nz):
        if k == 0:
            up = 0.25 * w[:, :, 1]
            b = 1.0 / dt + up
            c[:, :, 0] = up / b
            d[:, :, 0] = (u[:, :, 0] / dt) / b
        elif k < nz - 1:
            down = -0.25 * w[:, :, k]
            up = 0.25 * w[:, :, k + 1]
            b = 1.0 / dt - down + up - down * c[:, :, k - 1]
            c[:, :, k] = up / b
            d[:, :, k] = (u[:, :, k] / dt - down * d[:, :, k - 1]) / b
        else:
            down = -0.25 * w[:, :, k]
            b = 1.0 / dt - down - down * c[:, :, k - 1]
            d[:, :, k] = (u[:, :, k] / dt - down * d[:, :, k - 1]) / b
    x = d[:, :, nz - 1]
    total = np.sum(x**2)
    for k in range(nz - 2, -1, -1):
        x = d[:, :, k] - c[:, :, k] * x
        total += np.sum(x**2)
    return total


def limited_diffusion(field: np.ndarray, coeff: np.ndarray) -> float:
    """Horizontal diffusion of fourth order, whose fluxes never run uphill."""
    lap = 4.0 * field[1:-1, 1:-1] - (
        field[2:, 1:-1] + field[:-2, 1:-1] + field[1:-1, 2:] + field[1:-1, :-2]
    )
    fx = lap[1:, 1:-1] - lap[:-1, 1:-1]
    fx = np.where(fx * (field[2:-1, 2:-2] - field[1:-2, 2:-2]) > 0, 0.0, fx)
    fy = lap[1:-1, 1:] - lap[1:-1, :-1]
    fy = np.where(fy * (field[2:-2, 2:-1] - field[2:-2, 1:-2]) > 0, 0.0, fy)
    out = field[2:-2, 2:-2] - coeff * (fx[1:] - fx[:-1] + fy[:, 1:] - fy[:, :-1])
    return np.sum(out * out)


def under_jax() -> dict[str, Any]:
    """The kernels that JAX needs written anew."""
    import jax.numpy as jnp
    from jax import lax

    def jacobi_1d(a, steps):
        def half(_, now):
            inside = 0.33333 * (now[:-2] + now[1:-1] + now[2:])
            return jnp.concatenate([a[:1], inside, a[-1:]])

        return jnp.sum(lax.fori_loop(0, 2 * steps, half, a) ** 2)

    def jacobi_2d(a, steps):
        border = a - jnp.pad(a[1:-1, 1:-1], 1)

        def half(_, a):
            inside = a[1:-1, 1:-1] + a[1:-1, :-2] + a[1:-1, 2:] + a[2:, 1:-1] + a[:-2, 1:-1]
            return border + jnp.pad(0.2 * inside, 1)

        return jnp.sum(lax.fori_loop(0, 2 * steps, half, a) ** 2)

    def heat_3d(u, steps):
        border = u - jnp.pad(u[1:-1, 1:-1, 1:-1], 1)

        def step(_, u):
            c = 2.0 * u[1:-1, 1:-1, 1:-1]
            change = (
                0.125 * (u[2:, 1:-1, 1:-1] - c + u[:-2, 1:-1, 1:-1])
                + 0.125 * (u[1:-1, 2:, 1:-1] - c + u[1:-1, :-2, 1:-1])
                + 0.125 * (u[1:-1, 1:-1, 2:] - c + u[1:-1, 1:-1, :-2])
            )
            return border + jnp.pad(u[1:-1, 1:-1, 1:-1] + change, 1)

        u = lax.fori_loop(0, steps, step, u)
        return jnp.sum(u * u)

    def seidel_2d(a, steps):
        def point(left, others):
            new = (left + others) / 9.0
            return new, new

        def row(above, here_and_below):
            here, below = here_and_below
            others = sum(row[:-2] + row[1:-1] + row[2:] for row in (above, below))
            _, new = lax.scan(point, here[0], others + here[1:-1] + here[2:])
            here = here.at[1:-1].set(new)
            return here, here

        def step(_, a):
            _, inside = lax.scan(row, a[0], (a[1:-1], a[2:]))
            return a.at[1:-1].set(inside)

        a = lax.fori_loop(0, steps, step, a)
        return jnp.sum(a * a)

    def burgers(u, nu, steps):
        dx = 1.0 / len(u)
        dt = 0.2 * dx

        def step(_, u):
            left, right = jnp.roll(u, 1), jnp.roll(u, -1)
            slope = jnp.where(u > 0.0, u - left, right - u) / dx
            return u - dt * u * slope + dt * nu * (right - 2.0 * u + left) / dx**2

        return jnp.mean(lax.fori_loop(0, steps, step, u) ** 2)

    def cavity_flow(lid, n, steps, sweeps):
        dx = 2.0 / (n - 1)
        dt, rho, nu = 0.001, 1.0, 0.1
        c = dt / dx

        def around(a):
            return a[1:-1, 2:], a[1:-1, :-2], a[2:, 1:-1], a[:-2, 1:-1]

        def step(_, uvp):
            u, v, p = uvp
            ue, uw, un, us = around(u)
            ve, vw, vn, vs = around(v)
            ux, uy, vx, vy = (x / (2 * dx) for x in (ue - uw, un - us, ve - vw, vn - vs))
            b = rho * ((ux + vy) / dt - ux**2 - 2.0 * uy * vx - vy**2)

            def sweep(_, p):
                e, w, n, s = around(p)
                p = p.at[1:-1, 1:-1].set(0.25 * (e + w + n + s) - 0.25 * dx**2 * b)
                p = p.at[:, -1].set(p[:, -2]).at[0, :].set(p[1, :])
                return p.at[:, 0].set(p[:, 1]).at[-1, :].set(0.0)

            p = lax.fori_loop(0, sweeps, sweep, p)
            pe, pw, pn, ps = around(p)
            ui, vi = u[1:-1, 1:-1], v[1:-1, 1:-1]
            u_new = (
                ui - ui * c * (ui - uw) - vi * c * (ui - us)
                - dt / (2 * rho * dx) * (pe - pw)
                + nu * c / dx * (ue + uw + un + us - 4.0 * ui)
            )  # fmt: skip
            v_new = (
                vi - ui * c * (vi - vw) - vi * c * (vi - vs)
                - dt / (2 * rho * dx) * (pn - ps)
                + nu * c / dx * (ve + vw + vn + vs - 4.0 * vi)
            )  # fmt: skip
            u = u.at[1:-1, 1:-1].set(u_new).at[0, :].set(0.0)
            u = u.at[:, 0].set(0.0).at[:, -1].set(0.0).at[-1, :].set(lid)
            return u, v.at[1:-1, 1:-1].set(v_new), p

        zero = jnp.zeros((n, n))
        u, v, _ = lax.fori_loop(0, steps, step, (zero, zero, zero))
        return jnp.sum(u * u) + jnp.sum(v * v)

    def vertical_advection(w, u, dt):
        down = jnp.moveaxis(-0.25 * w, 2, 0).at[0].set(0.0)
        up = jnp.moveaxis(0.25 * w, 2, 0)
        up = jnp.concatenate([up[1:], jnp.zeros_like(up[:1])])
        right = jnp.moveaxis(u, 2, 0) / dt

        def eliminate(cd, level):
            c, d = cd
            down, up, right = level
            b = 1.0 / dt - down + up - down * c
            new = up / b, (right - down * d) / b
            return new, new

        zero = jnp.zeros_like(u[:, :, 0])
        _, (c, d) = lax.scan(eliminate, (zero, zero), (down, up, right))

        def substitute(x, cd):
            x = cd[1] - cd[0] * x
            return x, jnp.sum(x**2)

        return jnp.sum(lax.scan(substitute, zero, (c, d), reverse=True)[1])

    return dict(locals())


KERNELS = [
    Kernel("Jacobi, 1-D", jacobi_1d, lambda r, s: (r.normal(size=int(3200 * s)), 100),
           jax="jacobi_1d", static=(1,),
           by_hand=adjoints.jacobi_1d),
    Kernel("Jacobi, 2-D", jacobi_2d, lambda r, s: (r.normal(size=(int(150 * s),) * 2), 20),
           jax="jacobi_2d", static=(1,),
           by_hand=adjoints.jacobi_2d),
    Kernel("heat in place, 3-D", heat_3d, lambda r, s: (r.normal(size=(int(30 * s),) * 3), 20),
           jax="heat_3d", static=(1,),
           by_hand=adjoints.heat_3d),
    Kernel("Seidel, 2-D", seidel_2d, lambda r, s: (r.normal(size=(int(50 * s),) * 2), 8),
           jax="seidel_2d", static=(1,),
           by_hand=adjoints.seidel_2d),
    Kernel("Burgers, upwind", burgers,
           lambda r, s: (np.sin(np.linspace(0, 6, int(2000 * s))) + 0.3, 1e-4, 100),
           argnums=(0, 1), jax="burgers", static=(2,),
           by_hand=adjoints.burgers),
    Kernel("cavity flow", cavity_flow, lambda r, s: (1.0, int(41 * s), 25, 10),
           jax="cavity_flow", static=(1, 2, 3),
           by_hand=adjoints.cavity_flow),
    Kernel("vertical advection", vertical_advection,
           lambda r, s: (r.uniform(-1, 1, (int(30 * s), 30, 60)),
                         r.normal(size=(int(30 * s), 30, 60)), 0.15),
           argnums=(0, 1), jax="vertical_advection",
           by_hand=adjoints.vertical_advection),
    Kernel("limited diffusion", limited_diffusion,
           lambda r, s: (r.normal(size=(int(64 * s), 64, 30)),
                         r.uniform(0, 0.1, (int(64 * s) - 4, 60, 30))), argnums=(0, 1),
           by_hand=adjoints.limited_diffusion),
]  # fmt: skip
