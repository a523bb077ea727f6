"""Programs with values that may be None, and with values of unlike kinds on different paths."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tests.programs import Table

OPTIONAL = Table()
X3 = np.array([0.7, -1.2, 2.1])


@dataclass
class Pair:
    a: float
    b: float


def smallest(v):
    best = None
    for a in v:
        if best is None or a < best:
            best = a
    return best * best


def array_of_least_norm(v):
    best = None
    least = None
    for i in range(3):
        c = v * v[i]
        f = c @ c
        if least is None or f < least:
            best, least = c, f
    return np.sum(best) * least


def found_or_none(v, limit):
    for a in v:
        if a > limit:
            return a
    return None


def searched(v, limit):
    y = found_or_none(v, limit)
    if y is None:
        return v[0] * limit
    return y * y


def previous(v):
    last = None
    total = 0.0
    for a in v:
        if last is not None:
            total += (a - last) ** 2
        last = a
    return total


def previous_every_other(v):
    last = None
    total = 0.0
    for i, a in enumerate(v):
        if not (last is None or i % 2):
            total += (a - last) ** 3
        if i % 2 == 0:
            last = a * a
        elif a > 100.0:
            last = None
    return total


def object_made_in_the_loop(v):
    p = None
    for a in v:
        if p is None:
            p = Pair(a, a * a)
        else:
            p.a *= a
            p = Pair(p.a, p.b + a)
    return p.a * p.b


def pair_of_the_best(v):
    best = None
    for i, a in enumerate(v):
        if best is None or a * a < best[0]:
            best = (a * a, i)
    return best[0] * (best[1] + 1)


def fields_of_the_best(v):
    best = {"f": None, "x": None}
    for a in v:
        f = a * a
        if best["f"] is None or f < best["f"]:
            best = {"f": f, "x": a}
    return best["f"] * best["x"]


def by_a_conditional(v):
    best = None
    for a in v:
        best = a if best is None else max(best, a)
    return best * best


def with_or(x, c):
    y = x * x if c > 0.5 else None
    z = y or x
    return z * x if y else z + x


def compared_with_none(x, c):
    y = x * x if c > 0.5 else None
    if y == None:  # noqa: E711 - what people write
        return x
    return y * c if y != 3.0 else x


def list_of_options(v):
    parts = [None, None]
    for a in v:
        if a > 0:
            parts[0] = a if parts[0] is None else parts[0] * a
    if parts[1] is None and parts[0] is not None:
        return parts[0] ** 2
    return v[0]


def array_buffer(v, n):
    buffer = None
    for i in range(n):
        if buffer is None:
            buffer = np.zeros(3)
        buffer[i] += v[i] ** 2
        buffer *= v
    return np.sum(buffer)


def two_at_once(v):
    low = high = None
    for a in v:
        if low is None or a < low:
            low = a
        if high is None or a > high:
            high = a
    if low is None or high is None:
        return 0.0
    return high * high - low


def keyword_left_out(v, c):
    def scaled(u, weights=None):
        if weights is None:
            weights = np.ones(3) * c
        return u @ (weights * u)

    w = v * v if c > 0.5 else None
    return scaled(v, w) + scaled(v)


def reset_in_a_loop(v):
    run = None
    total = 0.0
    for a in v:
        if a > 0:
            run = a if run is None else run * a
        elif run is not None:
            total += run
            run = None
    if run is not None:
        total += run
    return total


OPTIONAL.exact(0, smallest, X3)
OPTIONAL.exact(0, array_of_least_norm, X3)
OPTIONAL.exact(0, searched, X3, 1.0)
OPTIONAL.exact(0, searched, X3, 5.0)
OPTIONAL.exact(0, previous, X3)
OPTIONAL.exact(0, previous_every_other, X3)
OPTIONAL.exact(0, object_made_in_the_loop, X3)
OPTIONAL.exact(0, pair_of_the_best, X3)
OPTIONAL.exact(0, fields_of_the_best, X3)
OPTIONAL.exact(0, by_a_conditional, X3)
OPTIONAL.exact(0, with_or, 1.3, 0.9)
OPTIONAL.exact(0, with_or, 1.3, 0.2)
OPTIONAL.exact(0, compared_with_none, 1.3, 0.9)
OPTIONAL.exact(0, compared_with_none, 1.3, 0.2)
OPTIONAL.exact(0, list_of_options, X3)
OPTIONAL.exact(0, array_buffer, X3, 3)
OPTIONAL.exact(0, two_at_once, X3)
OPTIONAL.exact(0, keyword_left_out, X3, 0.9)
OPTIONAL.exact(0, keyword_left_out, X3, 0.2)
OPTIONAL.exact(0, reset_in_a_loop, X3)


# Unlike kinds


def int_then_float(v, n):
    total = 0
    for i in range(n):
        total = total + v[i] if v[i] > 0 else total + 1
    return total * v[0]


def scalar_then_array(v, n):
    total = 0
    for i in range(n):
        total = total + v * i
    return np.sum(total**2)


def number_or_array(v, c):
    w = v if c > 0.5 else 2.0
    return np.sum(w * v) * c


OPTIONAL.exact(0, int_then_float, X3, 3)
OPTIONAL.exact(0, scalar_then_array, X3, 3)
OPTIONAL.exact(0, number_or_array, X3, 0.9)
OPTIONAL.exact(0, number_or_array, X3, 0.1)
