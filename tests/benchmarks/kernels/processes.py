"""Processes in time and chance: bodies, prices, states that are hidden, waves."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from . import adjoints_processes as adjoints
from .kernel import Kernel


def bodies(x: np.ndarray, v: np.ndarray, mass: np.ndarray, dt: float, steps: int) -> float:
    """The kinetic energy of bodies that attract one another, after some leapfrog steps."""
    x, v = x.copy(), v.copy()
    n = len(mass)
    for _ in range(steps):
        for i in range(n):
            for j in range(n):
                if i != j:
                    dx = x[j, 0] - x[i, 0]
                    dy = x[j, 1] - x[i, 1]
                    dz = x[j, 2] - x[i, 2]
                    square = dx * dx + dy * dy + dz * dz + 0.01
                    pull = dt * mass[j] / (square * math.sqrt(square))
                    v[i, 0] += pull * dx
                    v[i, 1] += pull * dy
                    v[i, 2] += pull * dz
        x += dt * v
    return 0.5 * np.sum(mass * np.sum(v * v, axis=1))


def asian_option(params: np.ndarray, draws: np.ndarray, strike: float) -> float:
    """The price of the right to a path's average price, by Monte Carlo."""
    spot, rate, sigma = params[0], params[1], params[2]
    paths, steps = draws.shape
    dt = 1.0 / steps
    payoff = 0.0
    for i in range(paths):
        price = spot
        average = 0.0
        for t in range(steps):
            price *= math.exp((rate - 0.5 * sigma**2) * dt + sigma * math.sqrt(dt) * draws[i, t])
            average += price
        payoff += max(average / steps - strike, 0.0)
    return math.exp(-rate) * payoff / paths


def hidden_markov(
    transition: np.ndarray, emission: np.ndarray, start: np.ndarray, seen: np.ndarray
) -> float:
    """The logarithm of the probability of what was seen."""
    alpha = start * emission[:, seen[0]]
    total = 0.0
    for t in range(1, len(seen)):
        norm = np.sum(alpha)
        total += np.log(norm)
        alpha = ((alpha / norm) @ transition) * emission[:, seen[t]]
    return total + np.log(np.sum(alpha))


def kalman(a: np.ndarray, q: np.ndarray, c: np.ndarray, r: np.ndarray, seen: np.ndarray) -> float:
    """The log-likelihood of observations of a linear system with noise."""
    n = len(a)
    mean = np.zeros(n)
    cov = np.eye(n)
    total = 0.0
    for t in range(len(seen)):
        mean = a @ mean
        cov = a @ cov @ a.T + q
        residual = seen[t] - c @ mean
        s = c @ cov @ c.T + r
        gain = np.linalg.solve(s, c @ cov).T
        total -= 0.5 * (np.log(np.linalg.det(s)) + residual @ np.linalg.solve(s, residual))
        mean = mean + gain @ residual
        cov = cov - gain @ c @ cov
    return total


def spectral_steps(u: np.ndarray, dt: float, steps: int) -> float:
    """Korteweg and de Vries' equation: the third derivative by Fourier transforms."""
    n = len(u)
    k = 2.0 * np.pi * np.fft.fftfreq(n, d=40.0 / n)
    turn = np.exp(1j * dt * k**3)
    for _ in range(steps):
        hat = turn * np.fft.fft(u)
        u = np.real(np.fft.ifft(hat))
        slope = np.real(np.fft.ifft(1j * k * np.fft.fft(0.5 * u**2)))
        u = u - 6.0 * dt * slope
    return np.sum(u**4)


def adaptive(x: float, mu: float, tolerance: float) -> float:
    """Van der Pol's oscillator by Heun's method; the step follows the error."""
    y, v = x, 0.0
    t, h = 0.0, 0.01
    while t < 10.0:
        a = mu * (1.0 - y * y) * v - y
        y1, v1 = y + h * v, v + h * a
        a1 = mu * (1.0 - y1 * y1) * v1 - y1
        y2, v2 = y + 0.5 * h * (v + v1), v + 0.5 * h * (a + a1)
        error = max(abs(y2 - y1), abs(v2 - v1))
        if error < tolerance:
            t, y, v = t + h, y2, v2
            if error < 0.1 * tolerance:
                h *= 2.0
        else:
            h *= 0.5
    return y * y + v * v


def checksum(table: np.ndarray, data: np.ndarray) -> float:
    """A cyclic checksum picks, byte after byte, the entries that are multiplied up."""
    crc = 0xFFFF
    out = 1.0
    for i in range(len(data)):
        crc ^= data[i] << 8
        for _ in range(8):
            if crc & 0x8000:
                crc = ((crc << 1) ^ 0x1021) & 0xFFFF
            else:
                crc = (crc << 1) & 0xFFFF
        out = 0.9 * out + table[crc & 0xFF] * math.cos(out)
    return out


def escape(c: np.ndarray, turns: int) -> float:
    """z := z² + c where |z| is at most 2; how far the points have got."""
    x = np.zeros(c.shape[1:])
    y = np.zeros(c.shape[1:])
    for _ in range(turns):
        inside = x * x + y * y <= 4.0
        x, y = (
            np.where(inside, x * x - y * y + c[0], x),
            np.where(inside, 2.0 * x * y + c[1], y),
        )
    return np.mean(np.log(1.0 + x * x + y * y))


def masked_escape(c: np.ndarray, turns: int) -> float:
    """The same by boolean masks on complex numbers."""
    c = c[0] + 1j * c[1]
    z = np.zeros(c.shape, dtype=complex)
    for _ in range(turns):
        inside = np.abs(z) <= 2.0
        z[inside] = z[inside] ** 2 + c[inside]
    return np.mean(np.log(1.0 + z.real**2 + z.imag**2))


def under_jax() -> dict[str, Any]:
    import jax.numpy as jnp
    from jax import lax

    def bodies(x, v, mass, dt, steps):
        def step(_, xv):
            x, v = xv
            d = x[None, :, :] - x[:, None, :]
            square = jnp.sum(d * d, axis=2) + 0.01
            pull = mass[None, :] / (square * jnp.sqrt(square))
            v = v + dt * jnp.sum(pull[:, :, None] * d, axis=1)
            return x + dt * v, v

        _, v = lax.fori_loop(0, steps, step, (x, v))
        return 0.5 * jnp.sum(mass * jnp.sum(v * v, axis=1))

    def asian_option(params, draws, strike):
        spot, rate, sigma = params
        paths, steps = draws.shape
        dt = 1.0 / steps

        def step(state, draw):
            price, total = state
            growth = (rate - 0.5 * sigma**2) * dt + sigma * jnp.sqrt(dt) * draw
            price = price * jnp.exp(growth)
            return (price, total + price), None

        start = jnp.full(paths, spot), jnp.zeros(paths)
        (_, total), _ = lax.scan(step, start, draws.T)
        return jnp.exp(-rate) * jnp.mean(jnp.maximum(total / steps - strike, 0.0))

    def hidden_markov(transition, emission, start, seen):
        def step(alpha, row):
            norm = jnp.sum(alpha)
            return ((alpha / norm) @ transition) * row, jnp.log(norm)

        rows = emission.T[seen]
        alpha, logs = lax.scan(step, start * rows[0], rows[1:])
        return jnp.sum(logs) + jnp.log(jnp.sum(alpha))

    def kalman(a, q, c, r, seen):
        def step(state, y):
            mean, cov = state
            mean, cov = a @ mean, a @ cov @ a.T + q
            residual = y - c @ mean
            s = c @ cov @ c.T + r
            gain = jnp.linalg.solve(s, c @ cov).T
            term = jnp.log(jnp.linalg.det(s)) + residual @ jnp.linalg.solve(s, residual)
            return (mean + gain @ residual, cov - gain @ c @ cov), -0.5 * term

        n = len(a)
        return jnp.sum(lax.scan(step, (jnp.zeros(n), jnp.eye(n)), seen)[1])

    def spectral_steps(u, dt, steps):
        n = len(u)
        k = 2.0 * jnp.pi * jnp.fft.fftfreq(n, d=40.0 / n)
        turn = jnp.exp(1j * dt * k**3)

        def step(_, u):
            u = jnp.real(jnp.fft.ifft(turn * jnp.fft.fft(u)))
            slope = jnp.real(jnp.fft.ifft(1j * k * jnp.fft.fft(0.5 * u**2)))
            return u - 6.0 * dt * slope

        return jnp.sum(lax.fori_loop(0, steps, step, u) ** 4)

    def checksum(table, data):
        def bit(_, crc):
            return jnp.where(crc & 0x8000, (crc << 1) ^ 0x1021, crc << 1) & 0xFFFF

        def byte(state, b):
            crc, out = state
            crc = lax.fori_loop(0, 8, bit, crc ^ (b << 8))
            return (crc, 0.9 * out + table[crc & 0xFF] * jnp.cos(out)), None

        start = jnp.asarray(0xFFFF, dtype=data.dtype), 1.0
        return lax.scan(byte, start, data)[0][1]

    def escape(c, turns):
        def turn(_, xy):
            x, y = xy
            inside = x * x + y * y <= 4.0
            return (
                jnp.where(inside, x * x - y * y + c[0], x),
                jnp.where(inside, 2.0 * x * y + c[1], y),
            )

        x, y = lax.fori_loop(0, turns, turn, (jnp.zeros(c.shape[1:]),) * 2)
        return jnp.mean(jnp.log(1.0 + x * x + y * y))

    masked_escape = escape
    return dict(locals())


def chain(r: np.random.Generator, n: int, m: int, length: int) -> tuple[Any, ...]:
    transition, emission = r.uniform(0.1, 1, (n, n)), r.uniform(0.1, 1, (n, m))
    return (
        transition / transition.sum(1, keepdims=True),
        emission / emission.sum(1, keepdims=True),
        np.full(n, 1 / n),
        r.integers(0, m, length),
    )


def system(r: np.random.Generator, length: int) -> tuple[Any, ...]:
    a = 0.9 * np.linalg.qr(r.normal(size=(4, 4)))[0]
    return a, 0.1 * np.eye(4), r.normal(size=(2, 4)), 0.2 * np.eye(2), r.normal(size=(length, 2))


def plane(r: np.random.Generator, n: int) -> np.ndarray:
    return np.stack([r.uniform(-2, 0.7, (n, n)), r.uniform(-1.2, 1.2, (n, n))])


KERNELS = [
    Kernel("bodies", bodies,
           lambda r, s: (r.normal(size=(int(25 * s), 3)), r.normal(size=(int(25 * s), 3)),
                         r.uniform(1, 2, int(25 * s)), 0.01, 20),
           argnums=(0, 1, 2), jax="bodies", static=(4,),
           by_hand=adjoints.bodies),
    Kernel("Asian option", asian_option,
           lambda r, s: (np.array([100.0, 0.05, 0.2]), r.normal(size=(int(1000 * s), 50)), 100.0),
           jax="asian_option",
           by_hand=adjoints.asian_option),
    Kernel("hidden Markov chain", hidden_markov, lambda r, s: chain(r, 20, 30, int(200 * s)),
           argnums=(0, 1, 2), jax="hidden_markov",
           by_hand=adjoints.hidden_markov),
    Kernel("Kalman filter", kalman, lambda r, s: system(r, int(100 * s)),
           argnums=(0, 1, 2, 3), jax="kalman",
           by_hand=adjoints.kalman),
    Kernel("spectral steps", spectral_steps,
           lambda r, s: (1.0 / np.cosh(np.linspace(-20, 20, int(256 * s))) ** 2, 1e-3, 50),
           jax="spectral_steps", static=(2,),
           by_hand=adjoints.spectral_steps, compiled=False),
    Kernel("adaptive steps", adaptive, lambda r, s: (1.0, 1.5, 1e-4), argnums=(0, 1), jax=None,
           remark="JAX has no reverse mode through `while_loop`",
           by_hand=adjoints.adaptive),
    Kernel("checksum", checksum,
           lambda r, s: (r.normal(size=256), r.integers(0, 256, int(2000 * s))), jax="checksum",
           by_hand=adjoints.checksum),
    Kernel("Mandelbrot, where", escape, lambda r, s: (plane(r, int(100 * s)), 12),
           jax="escape", static=(1,),
           by_hand=adjoints.escape),
    Kernel("Mandelbrot, masks", masked_escape, lambda r, s: (plane(r, int(100 * s)), 12),
           jax="masked_escape", static=(1,),
           by_hand=adjoints.escape),
]  # fmt: skip
