"""Solvers and simulations written with plain loops."""

import math

import numpy as np

from tests.programs import Table

NUMERICS = Table()
X3 = np.array([0.7, -1.2, 2.1])
SPD = np.array([[4.0, 1.0, 0.5], [1.0, 3.0, -0.7], [0.5, -0.7, 2.0]])
LOWER = np.array([[2.0, 0.0, 0.0], [0.6, 1.5, 0.0], [-0.4, 0.9, 1.8]])


def taylor_sine(x):
    term = x
    total = x
    n = 1
    while abs(term) > 1e-12:
        term = -term * x * x / ((2 * n) * (2 * n + 1))
        total += term
        n += 1
    return total


NUMERICS.exact(0, taylor_sine, 1.3)


def heating(params, steps):
    T = np.full(6, params["ambient"])
    T[0] = params["source"]
    for _ in range(steps):
        flow = params["conductivity"] * (T[2:] - 2.0 * T[1:-1] + T[:-2])
        T[1:-1] += flow
        T[3] += params["power"] * (1.0 - T[3] / params["limit"])
        T[-1] = T[-2]
    return np.mean(T)


HEATING = {
    "ambient": 0.2,
    "source": 1.0,
    "conductivity": 0.21,
    "power": 0.05,
    "limit": 3.0,
}
NUMERICS.exact(0, heating, HEATING, 20)


def lotka(state, a, b):
    return np.array([a * state[0] - b * state[0] * state[1], -state[1] + state[0] * state[1]])


def runge_kutta(y0, a, b):
    y = y0
    h = 0.1
    for _ in range(5):
        k1 = lotka(y, a, b)
        k2 = lotka(y + 0.5 * h * k1, a, b)
        k3 = lotka(y + 0.5 * h * k2, a, b)
        k4 = lotka(y + h * k3, a, b)
        y = y + h / 6.0 * (k1 + 2.0 * k2 + 2.0 * k3 + k4)
    return y[0] * y[1]


NUMERICS.exact(0, runge_kutta, np.array([1.2, 0.8]), 0.9, 0.6)


def cholesky_logdet(A):
    n = len(A)
    L = np.zeros_like(A)
    for j in range(n):
        s = A[j, j]
        for k in range(j):
            s -= L[j, k] ** 2
        L[j, j] = math.sqrt(s)
        for i in range(j + 1, n):
            s = A[i, j]
            for k in range(j):
                s -= L[i, k] * L[j, k]
            L[i, j] = s / L[j, j]
    total = 0.0
    for i in range(n):
        total += 2.0 * math.log(L[i, i])
    return total


NUMERICS.exact(0, cholesky_logdet, SPD)


def forward_substitution(L, b):
    x = np.zeros_like(b)
    for i in range(len(b)):
        x[i] = (b[i] - L[i, :i] @ x[:i]) / L[i, i]
    return x @ x


NUMERICS.exact(0, forward_substitution, LOWER, X3)


def gauss_seidel(A, b, sweeps):
    x = np.zeros_like(b)
    for _ in range(sweeps):
        for i in range(len(b)):
            s = b[i]
            for j in range(len(b)):
                if j != i:
                    s -= A[i, j] * x[j]
            x[i] = s / A[i, i]
    return np.sum(x**2)


NUMERICS.exact(0, gauss_seidel, SPD, X3, 3)


def k_means(points, centres, rounds):
    for _ in range(rounds):
        nearest = np.array([np.argmin(np.sum((p - centres) ** 2, axis=1)) for p in points])
        centres = np.stack([points[nearest == k].mean(axis=0) for k in range(len(centres))])
    loss = 0.0
    for p, k in zip(points, nearest, strict=True):
        loss += np.sum((p - centres[k]) ** 2)
    return loss


POINTS = np.array([[0.1, 0.3], [2.1, 1.7], [0.4, -0.2], [1.8, 2.2], [-0.3, 0.1]])
NUMERICS.exact(0, k_means, POINTS, POINTS[:2].copy(), 2, argnums=0)


def kalman(measurements, q, r):
    x, p = 0.0, 1.0
    cost = 0.0
    for z in measurements:
        p = p + q
        innovation = z - x
        s = p + r
        gain = p / s
        x = x + gain * innovation
        p = (1.0 - gain) * p
        cost += 0.5 * (innovation**2 / s + math.log(s))
    return cost


NUMERICS.exact(0, kalman, [0.4, 0.9, 0.3, 1.2], 0.1, 0.5)


def conjugate_gradient(A, b):
    x = np.zeros_like(b)
    r = b - A @ x
    p = r
    for _ in range(2):
        q = A @ p
        step = (r @ r) / (p @ q)
        x = x + step * p
        new = r - step * q
        p = new + (new @ new) / (r @ r) * p
        r = new
    return x @ x


NUMERICS.exact(0, conjugate_gradient, SPD, X3)


def power_iteration(A, v, steps):
    for _ in range(steps):
        v = A @ v
        v = v / np.sqrt(v @ v)
    return v @ A @ v


NUMERICS.exact(0, power_iteration, SPD, X3, 4)


def n_body(positions, velocities, masses):
    q = positions.copy()
    v = velocities.copy()
    for _ in range(3):
        for i in range(len(q)):
            for j in range(len(q)):
                if i == j:
                    continue
                d = q[j] - q[i]
                v[i] += 0.02 * masses[j] * d / (d @ d + 0.1) ** 1.5
        q += 0.02 * v
    return 0.5 * np.sum(masses * np.sum(v**2, axis=1)) + np.sum(q**2)


NUMERICS.exact(
    0,
    n_body,
    POINTS[:3],
    np.array([[0.1, 0.0], [0.0, -0.2], [0.3, 0.1]]),
    np.array([1.0, 0.7, 0.4]),
)


def black_scholes(s, k, t, rate, vol):
    d1 = (math.log(s / k) + (rate + 0.5 * vol**2) * t) / (vol * math.sqrt(t))
    d2 = d1 - vol * math.sqrt(t)
    n1 = 0.5 * (1.0 + math.erf(d1 / math.sqrt(2.0)))
    n2 = 0.5 * (1.0 + math.erf(d2 / math.sqrt(2.0)))
    return s * n1 - k * math.exp(-rate * t) * n2


NUMERICS.exact(0, black_scholes, 100.0, 95.0, 0.5, 0.02, 0.3)
