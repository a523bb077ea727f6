"""Programs of several functions: helpers, recursion, closures, lambdas, methods, callables."""

import math
from functools import reduce

import numpy as np

from tests.programs import Table

CALLS = Table()
X4 = np.array([0.5, 1.5, -0.8, 2.2])
DAMPING = 0.3


def spring(x, i, k):
    d = x[i + 1] - x[i] - 1.0
    return 0.5 * k * d * d


def chain(x, k):
    e = 0.0
    for i in range(len(x) - 1):
        e += spring(x, i, k[i])
    return e


CALLS.exact(0, chain, X4, np.array([1.0, 2.0, 0.7]))


def sigmoid(z):
    return 1.0 / (1.0 + np.exp(-z))


def logistic_loss(w, X, y):
    p = sigmoid(X @ w)
    return -np.mean(y * np.log(p) + (1.0 - y) * np.log(1.0 - p))


CALLS.exact(
    0,
    logistic_loss,
    np.array([0.4, -0.6]),
    np.array([[0.5, 1.2], [-0.7, 0.1], [1.5, -1.1]]),
    np.array([1.0, 0.0, 1.0]),
    argnums=0,
)


def power(x, n):
    if n == 0:
        return 1.0
    half = power(x, n // 2)
    return half * half * x if n % 2 else half * half


CALLS.exact(0, power, 1.3, 7)


def collatz_like(x, depth):
    if depth == 0 or x < 0.5:
        return x
    return 0.5 * collatz_like(x * 0.6, depth - 1) + collatz_like(x - 0.4, depth - 1) ** 2


CALLS.exact(0, collatz_like, 1.4, 4)


def simpson(f, a, b, n):
    h = (b - a) / n
    total = f(a) + f(b)
    for i in range(1, n):
        total += (4.0 if i % 2 else 2.0) * f(a + i * h)
    return total * h / 3.0


def gaussian_integral(a, b, width):
    return simpson(lambda t: math.exp(-((t / width) ** 2)), a, b, 6)


CALLS.exact(0, gaussian_integral, -0.4, 1.3, 0.8)


def damped(x, v):
    def force(q, rate):
        return -q - DAMPING * rate

    for _ in range(5):
        v = v + 0.1 * force(x, v)
        x = x + 0.1 * v
    return x * v


CALLS.exact(0, damped, 1.0, 0.5)


def make_polynomial(coefficients):
    def polynomial(x):
        y = 0.0
        for c in coefficients:
            y = y * x + c
        return y

    return polynomial


polynomial = make_polynomial((1.0, -2.0, 0.5, 3.0))
CALLS.exact(0, polynomial, 0.8)


def composed(x):
    steps = [math.sin, lambda v: v * v + x, math.exp]
    for step in steps:
        x = step(x)
    return x


CALLS.exact(0, composed, 0.6)


def folded(xs):
    return reduce(lambda total, x: total * 0.5 + x * x, xs, 1.0)


CALLS.exact(0, folded, [0.5, 1.5, -0.8])


class Oscillator:
    """A pendulum with its constants as attributes."""

    def __init__(self, length, dt):
        self.length = length
        self.dt = dt

    @property
    def rate(self):
        return 9.81 / self.length

    def step(self, angle, speed):
        speed = speed - self.dt * self.rate * math.sin(angle)
        return angle + self.dt * speed, speed

    def swing(self, angle, speed):
        for _ in range(8):
            angle, speed = self.step(angle, speed)
        return 0.5 * speed**2 - self.rate * math.cos(angle)


swing = Oscillator(1.2, 0.05).swing
CALLS.exact(0, swing, 0.7, -0.2)


def with_defaults(x, /, scale=2.0, *rest, shift=0.5, **named):
    total = scale * x + shift
    for r in rest:
        total += r * x**2
    return total * named.get("factor", 1.5)


def keyword_calls(x, y):
    return with_defaults(x, 3.0, y, 0.7, shift=y * x) + with_defaults(y, factor=x)


CALLS.exact(0, keyword_calls, 0.8, 1.3)
