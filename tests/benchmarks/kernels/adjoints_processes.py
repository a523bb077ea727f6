"""Adjoints of the processes, by hand.

Each function takes its kernel's arguments and returns the kernel's gradient. All are plain Python
that Numba compiles, but for the spectral steps, which are NumPy's Fourier transforms.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np


def bodies(
    x: np.ndarray, v: np.ndarray, mass: np.ndarray, dt: float, steps: int
) -> tuple[Any, ...]:
    # Each pair once. With d = x[j] - x[i] and w = dt / (d d + 0.01)^1.5, v[i] gains mass[j] w d
    # and v[j] loses mass[i] w d; h is what w d receives.
    n = len(mass)
    tape = np.empty((steps + 1, n, 3))
    tape[0] = x
    v = v.copy()
    for t in range(steps):
        now = tape[t]
        for i in range(n):
            for j in range(i + 1, n):
                dx, dy, dz = (
                    now[j, 0] - now[i, 0],
                    now[j, 1] - now[i, 1],
                    now[j, 2] - now[i, 2],
                )
                square = dx * dx + dy * dy + dz * dz + 0.01
                w = dt / (square * math.sqrt(square))
                a, b = mass[j] * w, mass[i] * w
                v[i, 0] += a * dx
                v[i, 1] += a * dy
                v[i, 2] += a * dz
                v[j, 0] -= b * dx
                v[j, 1] -= b * dy
                v[j, 2] -= b * dz
        tape[t + 1] = now + dt * v
    of_x, of_v, of_mass = np.zeros((n, 3)), np.empty((n, 3)), np.empty(n)
    for i in range(n):
        of_mass[i] = 0.5 * (v[i, 0] ** 2 + v[i, 1] ** 2 + v[i, 2] ** 2)
        of_v[i] = mass[i] * v[i]
    for t in range(steps - 1, -1, -1):
        now = tape[t]
        of_v += dt * of_x
        for i in range(n):
            for j in range(i + 1, n):
                dx, dy, dz = (
                    now[j, 0] - now[i, 0],
                    now[j, 1] - now[i, 1],
                    now[j, 2] - now[i, 2],
                )
                square = dx * dx + dy * dy + dz * dz + 0.01
                w = dt / (square * math.sqrt(square))
                along_i = of_v[i, 0] * dx + of_v[i, 1] * dy + of_v[i, 2] * dz
                along_j = of_v[j, 0] * dx + of_v[j, 1] * dy + of_v[j, 2] * dz
                of_mass[j] += w * along_i
                of_mass[i] -= w * along_j
                back = -3.0 * w / square * (mass[j] * along_i - mass[i] * along_j)
                hx = w * (mass[j] * of_v[i, 0] - mass[i] * of_v[j, 0]) + back * dx
                hy = w * (mass[j] * of_v[i, 1] - mass[i] * of_v[j, 1]) + back * dy
                hz = w * (mass[j] * of_v[i, 2] - mass[i] * of_v[j, 2]) + back * dz
                of_x[j, 0] += hx
                of_x[j, 1] += hy
                of_x[j, 2] += hz
                of_x[i, 0] -= hx
                of_x[i, 1] -= hy
                of_x[i, 2] -= hz
    return of_x, of_v, of_mass


def asian_option(params: np.ndarray, draws: np.ndarray, strike: float) -> tuple[Any, ...]:
    # The logarithm of a price is linear in the rate and has known slopes in sigma: the sums of a
    # path's prices, of these times time and times the sum of draws are all that is needed.
    spot, rate, sigma = params[0], params[1], params[2]
    paths, steps = draws.shape
    dt = 1.0 / steps
    drift, spread = (rate - 0.5 * sigma * sigma) * dt, sigma * math.sqrt(dt)
    payoff = of_spot = of_rate = of_sigma = 0.0
    for i in range(paths):
        price, walk = spot, 0.0
        prices = timed = walked = 0.0
        for t in range(steps):
            walk += draws[i, t]
            price *= math.exp(drift + spread * draws[i, t])
            prices += price
            timed += (t + 1) * price
            walked += walk * price
        if prices / steps > strike:
            payoff += prices / steps - strike
            of_spot += prices / spot
            of_rate += timed * dt
            of_sigma += math.sqrt(dt) * walked - sigma * dt * timed
    discount = math.exp(-rate) / paths
    scale = discount / steps
    return (np.array([scale * of_spot, scale * of_rate - discount * payoff, scale * of_sigma]),)


def hidden_markov(
    transition: np.ndarray, emission: np.ndarray, start: np.ndarray, seen: np.ndarray
) -> tuple[Any, ...]:
    # The transition matrix receives an outer product per step: together, a matrix product.
    n, length = len(start), len(seen)
    rows = emission.T.copy()
    alpha, norms = np.empty((length, n)), np.empty(length)
    moved = np.empty((length, n))
    alpha[0] = start * rows[seen[0]]
    for t in range(length):
        norms[t] = np.sum(alpha[t])
        alpha[t] /= norms[t]
        if t + 1 < length:
            moved[t + 1] = np.dot(alpha[t], transition)
            alpha[t + 1] = moved[t + 1] * rows[seen[t + 1]]
    of_rows = np.zeros(rows.shape)
    of_moved = np.empty((length, n))
    g = np.full(n, 1.0 / norms[length - 1])
    for t in range(length - 1, 0, -1):
        of_rows[seen[t]] += g * moved[t]
        of_moved[t] = g * rows[seen[t]]
        h = np.dot(transition, of_moved[t])
        g = (h + (1.0 - np.dot(h, alpha[t - 1]))) / norms[t - 1]
    of_rows[seen[0]] += g * start
    of_transition = np.dot(alpha[:-1].T, of_moved[1:])
    return of_transition, of_rows.T.copy(), g * rows[seen[0]]


def kalman(
    a: np.ndarray, q: np.ndarray, c: np.ndarray, r: np.ndarray, seen: np.ndarray
) -> tuple[Any, ...]:
    # With B = C P, S = B C' + R, W = S^-1 B and residual e, the mean gains W' e and P loses W' B.
    # The matrices are small: products by loops, S by its inverse. ``times`` has a flag for each
    # factor that is to be transposed, and adds to what it is given.
    n, m, length = len(a), len(c), len(seen)
    means, covs = np.zeros((length + 1, n)), np.zeros((length + 1, n, n))
    means_1, covs_1 = np.zeros((length, n)), np.zeros((length, n, n))
    b, w = np.zeros((length, m, n)), np.zeros((length, m, n))
    inverses, residuals = np.empty((length, m, m)), np.empty((length, m))
    covs[0] = np.eye(n)
    ap, s = np.empty((n, n)), np.empty((m, m))
    for t in range(length):
        apply(1.0, a, False, means[t], means_1[t])
        ap[:] = 0.0
        times(1.0, a, False, covs[t], False, ap)
        covs_1[t] = q
        times(1.0, ap, False, a, True, covs_1[t])
        residuals[t] = seen[t]
        apply(-1.0, c, False, means_1[t], residuals[t])
        times(1.0, c, False, covs_1[t], False, b[t])
        s[:] = r
        times(1.0, b[t], False, c, True, s)
        invert(s, inverses[t])
        times(1.0, inverses[t], False, b[t], False, w[t])
        means[t + 1] = means_1[t]
        apply(1.0, w[t], True, residuals[t], means[t + 1])
        covs[t + 1] = covs_1[t]
        times(-1.0, w[t], True, b[t], False, covs[t + 1])
    of_a, of_q, of_c, of_r = np.zeros((n, n)), np.zeros((n, n)), np.zeros((m, n)), np.zeros((m, m))
    of_mean, of_cov = np.zeros(n), np.zeros((n, n))
    of_w, of_b, solved = np.empty((m, n)), np.empty((m, n)), np.empty((m, n))
    of_s, of_e, z, z_1 = np.empty((m, m)), np.empty(m), np.empty(m), np.empty(m)
    for t in range(length - 1, -1, -1):
        e, inverse = residuals[t], inverses[t]
        for i in range(m):
            for j in range(n):
                of_w[i, j] = e[i] * of_mean[j]
        times(-1.0, b[t], False, of_cov, True, of_w)
        of_b[:] = 0.0
        times(-1.0, w[t], False, of_cov, False, of_b)
        solved[:] = 0.0
        times(1.0, inverse, True, of_w, False, solved)
        of_b += solved
        z[:] = 0.0
        apply(1.0, inverse, False, e, z)
        z_1[:] = 0.0
        apply(1.0, inverse, True, e, z_1)
        for i in range(m):
            of_e[i] = -0.5 * (z[i] + z_1[i])
            for j in range(m):
                of_s[i, j] = 0.5 * (z_1[i] * z[j] - inverse[j, i])
        apply(1.0, w[t], False, of_mean, of_e)
        times(-1.0, solved, False, w[t], True, of_s)
        of_r += of_s
        times(1.0, of_s, False, c, False, of_b)
        times(1.0, of_s, True, b[t], False, of_c)
        times(1.0, of_b, False, covs_1[t], True, of_c)
        times(1.0, c, True, of_b, False, of_cov)
        for i in range(m):
            for j in range(n):
                of_c[i, j] -= of_e[i] * means_1[t, j]
        apply(-1.0, c, True, of_e, of_mean)
        of_q += of_cov
        ap[:] = 0.0
        times(1.0, of_cov, False, a, False, ap)
        times(1.0, ap, False, covs[t], True, of_a)  # through the left factor of A P A'
        of_right = np.zeros((n, n))
        times(1.0, of_cov, True, a, False, of_right)
        times(1.0, of_right, False, covs[t], False, of_a)
        of_cov[:] = 0.0
        times(1.0, a, True, ap, False, of_cov)
        for i in range(n):
            for j in range(n):
                of_a[i, j] += of_mean[i] * means[t, j]
        z_n = of_mean.copy()
        of_mean[:] = 0.0
        apply(1.0, a, True, z_n, of_mean)
    return of_a, of_q, of_c, of_r


def times(
    by: float, a: np.ndarray, across_a: bool, b: np.ndarray, across_b: bool, out: np.ndarray
) -> None:
    inner = a.shape[0] if across_a else a.shape[1]
    for i in range(out.shape[0]):
        for j in range(out.shape[1]):
            s = 0.0
            for k in range(inner):
                left = a[k, i] if across_a else a[i, k]
                s += left * (b[j, k] if across_b else b[k, j])
            out[i, j] += by * s


def apply(by: float, a: np.ndarray, across: bool, x: np.ndarray, out: np.ndarray) -> None:
    for i in range(len(out)):
        s = 0.0
        for k in range(len(x)):
            s += (a[k, i] if across else a[i, k]) * x[k]
        out[i] += by * s


def invert(s: np.ndarray, out: np.ndarray) -> None:
    """The inverse of a positive definite matrix, by elimination; ``s`` is lost."""
    m = len(s)
    out[:] = 0.0
    for i in range(m):
        out[i, i] = 1.0
    for k in range(m):
        scale = 1.0 / s[k, k]
        for j in range(m):
            s[k, j] *= scale
            out[k, j] *= scale
        for i in range(m):
            if i != k:
                factor = s[i, k]
                for j in range(m):
                    s[i, j] -= factor * s[k, j]
                    out[i, j] -= factor * out[k, j]


def spectral_steps(u: np.ndarray, dt: float, steps: int) -> tuple[Any, ...]:
    # Half the spectrum of a real function is enough, and it stays transformed from step to step.
    # Real parts are taken in each step: at the highest frequency of an even length only the
    # cosine of the turn and nothing of the slope is left. The transpose of a multiplier is its
    # conjugate.
    n = len(u)
    k = 2.0 * np.pi * np.fft.rfftfreq(n, d=40.0 / n)
    turn = np.exp(1j * dt * k**3)
    slope = 3.0j * dt * k
    if n % 2 == 0:
        turn[-1], slope[-1] = turn[-1].real, 0.0
    tape = np.empty((steps, n))
    hat = np.fft.rfft(u)
    for t in range(steps):
        hat *= turn
        tape[t] = np.fft.irfft(hat, n)
        hat -= slope * np.fft.rfft(tape[t] * tape[t])
    back, slope_2 = np.conj(turn), 2.0 * slope
    hat = np.fft.rfft(4.0 * np.fft.irfft(hat, n) ** 3)
    for t in range(steps - 1, -1, -1):
        hat += np.fft.rfft(tape[t] * np.fft.irfft(slope_2 * hat, n))
        hat *= back
    return (np.fft.irfft(hat, n),)


def adaptive(x: float, mu: float, tolerance: float) -> tuple[Any, ...]:
    # Steps that are refused leave no trace; the size of a step is no smooth function of anything.
    y, v = x, 0.0
    t, h = 0.0, 0.01
    tape = np.empty((256, 3))
    used = 0
    while t < 10.0:
        a = mu * (1.0 - y * y) * v - y
        y1, v1 = y + h * v, v + h * a
        a1 = mu * (1.0 - y1 * y1) * v1 - y1
        y2, v2 = y + 0.5 * h * (v + v1), v + 0.5 * h * (a + a1)
        error = max(abs(y2 - y1), abs(v2 - v1))
        if error < tolerance:
            if used == len(tape):
                more = np.empty((2 * used, 3))
                more[:used] = tape
                tape = more
            tape[used, 0], tape[used, 1], tape[used, 2] = y, v, h
            used += 1
            t, y, v = t + h, y2, v2
            if error < 0.1 * tolerance:
                h *= 2.0
        else:
            h *= 0.5
    of_y, of_v, of_mu = 2.0 * y, 2.0 * v, 0.0
    for at in range(used - 1, -1, -1):
        y, v, h = tape[at, 0], tape[at, 1], tape[at, 2]
        a = mu * (1.0 - y * y) * v - y
        y1, v1 = y + h * v, v + h * a
        of_a = of_a1 = 0.5 * h * of_v
        of_v1 = 0.5 * h * of_y + of_a1 * mu * (1.0 - y1 * y1)
        of_y1 = -of_a1 * (2.0 * mu * y1 * v1 + 1.0)
        of_a += h * of_v1
        of_v += 0.5 * h * of_y + of_v1 + h * of_y1 + of_a * mu * (1.0 - y * y)
        of_y += of_y1 - of_a * (2.0 * mu * y * v + 1.0)
        of_mu += of_a * (1.0 - y * y) * v + of_a1 * (1.0 - y1 * y1) * v1
    return of_y, of_mu


def checksum(table: np.ndarray, data: np.ndarray) -> tuple[Any, ...]:
    n = len(data)
    crc = 0xFFFF
    out = 1.0
    entries, tape, cosines = np.empty(n, dtype=np.int64), np.empty(n), np.empty(n)
    for i in range(n):
        crc ^= data[i] << 8
        for _ in range(8):
            if crc & 0x8000:
                crc = ((crc << 1) ^ 0x1021) & 0xFFFF
            else:
                crc = (crc << 1) & 0xFFFF
        entries[i], tape[i], cosines[i] = crc & 0xFF, out, math.cos(out)
        out = 0.9 * out + table[crc & 0xFF] * cosines[i]
    of_table = np.zeros(len(table))
    g = 1.0
    for i in range(n - 1, -1, -1):
        of_table[entries[i]] += g * cosines[i]
        g *= 0.9 - table[entries[i]] * math.sin(tape[i])
    return (of_table,)


def escape(c: np.ndarray, turns: int) -> tuple[Any, ...]:
    # Point by point: one that has got outside stays where it is.
    _, n, m = c.shape
    of_c = np.empty(c.shape)
    xs, ys = np.empty(turns), np.empty(turns)
    for i in range(n):
        for j in range(m):
            x = y = 0.0
            count = 0
            while count < turns and x * x + y * y <= 4.0:
                xs[count], ys[count] = x, y
                x, y = x * x - y * y + c[0, i, j], 2.0 * x * y + c[1, i, j]
                count += 1
            scale = 2.0 / ((1.0 + x * x + y * y) * (n * m))
            g, h = scale * x, scale * y
            of_x = of_y = 0.0
            for t in range(count - 1, -1, -1):
                of_x += g
                of_y += h
                g, h = 2.0 * (xs[t] * g + ys[t] * h), 2.0 * (xs[t] * h - ys[t] * g)
            of_c[0, i, j], of_c[1, i, j] = of_x, of_y
    return (of_c,)
