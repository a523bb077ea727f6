"""Scalar programs: straight lines, branches, loops and every way out of them."""

import math

from tests.programs import Table

SCALARS = Table()


def cost(w, b, x, y):
    a = w * x + b
    return 0.5 * (a - y) ** 2


SCALARS.exact(0, cost, 1.3, 0.4, 2.0, -0.7, argnums=(0, 1))


def bell(x):
    return math.exp(math.sin(x**2))


SCALARS.exact(0, bell, 1.3)


def distance(x, y, z):
    r = math.sqrt(x * x + y * y + z * z)
    return 1.0 / r - 2.0 / r**2


SCALARS.exact(0, distance, 1.0, -0.5, 0.3)


def huber(x, delta):
    if abs(x) <= delta:
        return 0.5 * x * x
    return delta * (abs(x) - 0.5 * delta)


SCALARS.exact(0, huber, 0.7, 1.0)


def piecewise_tax(income, rate):
    if income < 1.0:
        tax = 0.0
    elif income < 3.0:
        tax = rate * (income - 1.0)
    else:
        tax = 2.0 * rate + 2.0 * rate * (income - 3.0) ** 1.5
    return tax * (1.0 - 0.01 * income)


SCALARS.exact(0, piecewise_tax, 3.6, 0.2)


def settle(x, k):
    y = x
    for i in range(100):
        if y < 1.0:
            step = 0.1 * y
        else:
            step = k / y
        y = y - step
        if step < 0.02:
            break
    return y


SCALARS.exact(0, settle, 2.3, 0.4)


def horner(x, a, b, c, d):
    y = a
    for coefficient in (b, c, d):
        y = y * x + coefficient
    return y


SCALARS.exact(0, horner, 0.8, 1.0, -2.0, 0.5, 3.0)


def continued_fraction(x, n):
    y = x
    for k in range(n, 0, -1):
        y = k + x / y
    return y


SCALARS.exact(0, continued_fraction, 1.7, 6)


def double_sum(x, y, n):
    total = 0.0
    for i in range(n):
        for j in range(i):
            total += (x - i) * (y + j) / (1.0 + i + j)
        total *= x
    return total


SCALARS.exact(0, double_sum, 0.6, 1.4, 4)


def newton_cube_root(a):
    x = a
    while abs(x**3 - a) > 1e-12:
        x = x - (x**3 - a) / (3.0 * x**2)
    return x


SCALARS.exact(0, newton_cube_root, 2.0, rtol=1e-5)


def bisect(c):
    low, high = 0.0, 2.0 + c
    for _ in range(8):
        middle = 0.5 * (low + high)
        if middle * middle > c:
            high = middle
        else:
            low = middle
    return low * high


SCALARS.exact(0, bisect, 1.6)


def first_passage(x, drift):
    t = 0.0
    while True:
        x = x + drift * (1.0 - 0.1 * x)
        t += 0.5
        if x > 2.0:
            return t * x
        if t > 20.0:
            return -x


SCALARS.exact(0, first_passage, 0.3, 0.4)


def skip_negative(x, y):
    total = 0.0
    for i in range(8):
        v = x * math.sin(i * y)
        if v < 0.0:
            continue
        total += v * v
    return total


SCALARS.exact(0, skip_negative, 1.2, 0.9)


def search_or_default(x, limit):
    y = x
    for i in range(6):
        y = y * 1.4 + 0.1 * i
        if y > limit:
            result = y / limit
            break
    else:
        result = x * y
    return result


SCALARS.exact(0, search_or_default, 0.5, 40.0)


def leapfrog(q, p, steps):
    energy = 0.0
    for _ in range(steps):
        p = p - 0.05 * q
        q = q + 0.1 * p
        p = p - 0.05 * q
        energy += 0.5 * (p * p + q * q)
    return energy / steps


SCALARS.exact(0, leapfrog, 1.0, 0.2, 10)
