"""Programs in which a name is one of two arrays, as the run has it, and is written."""

from __future__ import annotations

import numpy as np

from tests.programs import Table

ALIASES = Table()
X3 = np.array([0.7, -1.2, 2.1])
Y3 = np.array([0.4, 1.1, -0.6])


# One of two arrays


def either_written(v, w, c):
    u, z = v * 1.0, w * 1.0
    a = u if c > 0.5 else z
    a[0] = 5.0 * c
    a[1] *= 2.0
    return u @ z + a @ a


def either_written_in_a_loop(v, w, c):
    u, z = v * 1.0, w * 1.0
    if c > 0.5:
        a = u
    else:
        a = z
    for i in range(3):
        a[i] *= c + u[i]
        z[i] += a[i] * u[0]
    return u @ z + a @ a


def either_view(v, c):
    u = v * 1.0
    a = u[:2] if c > 0.5 else u[1:]
    a *= 2.0
    u[1] += a[0] * c
    return np.sum(u * v) + a[1] * u[1]


def either_then_the_original(v, w, c):
    u, z = v * 1.0, w * 1.0
    a = u if c > 0.5 else z
    u[0] = c
    z *= 3.0
    b = a * a
    a[...] = 2.0 * w
    return np.sum(b * u * z) + np.sum(a * v)


def either_of_three(v, w, c):
    x, y, z = v * 1.0, w * 1.0, v * w
    a = x if c > 0.8 else y if c > 0.4 else z
    a[0] += 1.0
    a[1:] *= w[1:]
    return x @ y + y @ z + a @ a


def matrix_rows_by_condition(v, c):
    m = np.outer(v, v)
    row = m[0] if c > 0.5 else m[2]
    row += v * c
    row[1] = 0.0
    return np.sum(m @ v) + row @ v


def passed_on(v, w, c):
    def bump(t):
        t[0] *= 3.0
        return t

    u, z = v * 1.0, w * 1.0
    a = bump(u if c > 0.5 else z)
    return u @ v + z @ w + a[0] * u[0]


ALIASES.exact(0, either_written, X3, Y3, 0.9)
ALIASES.exact(0, either_written, X3, Y3, 0.1)
ALIASES.exact(0, either_written_in_a_loop, X3, Y3, 0.9)
ALIASES.exact(0, either_written_in_a_loop, X3, Y3, 0.1)
ALIASES.exact(0, either_view, X3, 0.9)
ALIASES.exact(0, either_view, X3, 0.1)
ALIASES.exact(0, either_then_the_original, X3, Y3, 0.9)
ALIASES.exact(0, either_then_the_original, X3, Y3, 0.1)
ALIASES.refused(
    0, either_of_three, X3, Y3, 0.9, reason="one of more than two", match="may share memory"
)
ALIASES.exact(0, matrix_rows_by_condition, X3, 0.9)
ALIASES.exact(0, matrix_rows_by_condition, X3, 0.1)
ALIASES.exact(0, passed_on, X3, Y3, 0.9)
ALIASES.exact(0, passed_on, X3, Y3, 0.1)
