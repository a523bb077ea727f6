"""Programs about sequences and the functions of the standard library that go through them."""

from __future__ import annotations

import dataclasses
import functools
import itertools
import operator
from dataclasses import dataclass

import numpy as np

from tests.programs import Table

SEQUENCES = Table()
X3 = np.array([0.7, -1.2, 2.1])
Y3 = np.array([0.4, 1.1, -0.6])


def star_array_call(v):
    def f(a, b, c):
        return a * b + c

    return f(*v)


def star_unpack_array(v):
    first, *_, last = v
    return first * last


def star_unpack_middle(v):
    first, *mid, last = v
    return first * last + sum(mid) * mid[0]


def star_unpack_list(xs):
    first, *_, last = xs
    return first * last


def del_unknown(v):
    xs = [a * a for a in v]
    del xs[0]
    return xs[0] * len(xs)


def pop0_unknown(v):
    xs = [a * a for a in v]
    t = 0.0
    while xs:
        t = t * 0.5 + xs.pop(0)
    return t


def pop_mid(v):
    xs = [a * a for a in v]
    y = xs.pop(1)
    return y * xs[1]


def sorted_key(v):
    xs = [a * a for a in v]
    ys = sorted(xs, key=lambda t: -t)
    return ys[0] * ys[1] + 2 * ys[2]


def sorted_plain(v):
    ys = sorted(v, key=abs, reverse=True)
    return ys[0] * ys[1] + 2 * ys[2]


def max_key(v):
    xs = [a for a in v]
    return max(xs, key=lambda t: abs(t)) ** 2


def min_key(v):
    return min(v, key=lambda t: (t - 1.0) ** 2) ** 2


def least_by_second(ps):
    return min(ps, key=lambda p: p[1])[0] ** 2


class Base:
    def __init__(self, k):
        self.k = k

    def energy(self, x):
        return self.k * x * x

    def __call__(self, x):
        return self.energy(x)


class Derived(Base):
    def __init__(self, k):
        super().__init__(k)
        self.j = k * 2

    def energy(self, x):
        return super().energy(x) + self.j * x

    def __call__(self, x):
        return super().__call__(x) * 2.0


def methods_of_base_classes(x, k):
    d = Derived(k)
    return d(x) + d.energy(x)


@dataclass
class Pt:
    a: float
    b: float


def replaced_fields(p, x):
    q = dataclasses.replace(p, a=x * p.b)
    return q.a * q.b + p.a


def memo_of_known_keys(x):
    cache = {0: 1.0, 1: x}
    for n in range(2, 8):
        cache[n] = cache[n - 1] * 0.5 + cache[n - 2] * x
    return cache[7]


def captured_by_a_recursion(x, n):
    k = x * x

    def h(m):
        def leaf(z):
            return z * k

        if m == 0:
            return leaf(x)
        return leaf(h(m - 1)) + 0.1 * k

    return h(n)


def reshape_loop(v):
    a = np.zeros(6)
    for i in range(3):
        b = a.reshape(2, 3)
        b[i % 2, i] = v[i] ** 2
        b[0] += v[i]
    return a @ a


def match_on_constants(x):
    t = 0.0
    for k in (0, 1, "a", (1, 2), None):
        match k:
            case 0:
                t += x
            case 1 | 2:
                t += x * x
            case "a":
                t *= x
            case (1, b):
                t += b * x
            case _:
                t += 1.0
    return t


def match_at_run_time(x, n):
    t = 0.0
    for i in range(n + 2):
        match i:
            case 0:
                t += x
            case 1 | 2:
                t += x * x
            case k if k > 2:
                t += k * x**3
            case _:
                t -= x
    return t


def match_on_tuples(x, y):
    match (x, y):
        case (a, 0.0):
            return a
        case (a, b) if a > b:
            return a * b * a
        case _:
            return y


def reduced(v):
    return functools.reduce(lambda a, b: a * b + a, v, 1.0) + functools.reduce(
        operator.mul, [a for a in v]
    )


def accumulated(v):
    return (
        sum(itertools.accumulate(v))
        + list(itertools.accumulate(v, lambda a, b: a * b))[2]
        + list(itertools.accumulate([v[0], v[1]], initial=2.0))[1]
    )


def chained(v):
    t = 0.0
    for a in itertools.chain(v, [1.0, v[0]], v * v):
        t = t * 0.9 + a**2
    return t


def products(v, n):
    t = 0.0
    for i, j in itertools.product(range(n), range(2)):
        t += v[i] * v[j] ** 2
    for a, b in itertools.product(v, v):
        t += a * b * b
    return t


def combinations(v, n):
    t = 0.0
    for i, j in itertools.combinations(range(n), 2):
        t += v[i] * v[j] ** 2
    return t


def neighbours(v, n):
    t = 0.0
    for i, j in itertools.pairwise(v):
        t += i * j * j
    return t


def operators_as_functions(v):
    return (
        operator.add(v[0], operator.mul(v[1], v[2]))
        + operator.itemgetter(1)(v) * operator.getitem(v, 2)
        + operator.neg(v[0])
        + operator.truediv(v[0], v[1])
        + operator.pow(v[2], 2)
    )


def element_by_element(v):
    out = np.empty(3)
    for i, a in enumerate(v):
        out[i] = a * a if a > 0 else -a
    return out.sum()


def counted_from(v):
    return sum(i * a * a for i, a in enumerate(v, start=2)) + sum(
        i * a for i, a in enumerate(v, 1)
    )


def zip_strict(v, w):
    return sum(a * b for a, b in zip(v, w, strict=True))


def walrus_in_a_comprehension(v):
    ys = [y * y for a in v if (y := a * 2.0) > 0]
    return sum(ys) * y


def inserted_and_reversed(xs):
    ys = list(xs)
    ys.insert(0, xs[1] * 2)
    ys.remove(ys[1]) if False else None
    ys.reverse()
    return ys[0] * ys[3] + ys[1]


def slice_assign(xs):
    ys = list(xs)
    ys[1:] = [y * y for y in ys[1:]]
    ys += [ys[0]]
    return sum(ys) * ys[-1]


def sort_inplace(v):
    xs = [a * a for a in v]
    xs.sort()
    xs.sort(key=lambda t: -t)
    return xs[0] * xs[1]


def any_and_all(v):
    if any(a > 2 for a in v) and all(a < 5 for a in v):
        return v[0] * v[1]
    return v[2]


def adds_outside(x):
    t = 0.0

    def add(y):
        nonlocal t
        t += y * x

    for i in range(3):
        add(x * i)
    return t


def index_of_the_least(v):
    i = min(range(3), key=lambda k: (v[k] - 1.0) ** 2)
    return v[i] ** 2


def map_filter(v):
    return sum(map(lambda a, b: a * b, v, v[::-1])) + sum(filter(lambda a: a > 0, v))


def fields_in_a_loop(v):
    p = Pt(0.0, 1.0)
    for a in v:
        p.a += a * a
        p.b *= a
    return p.a * p.b


SEQUENCES.exact(0, star_array_call, X3)
SEQUENCES.exact(0, star_unpack_array, X3)
SEQUENCES.exact(0, star_unpack_middle, X3)
SEQUENCES.exact(0, star_unpack_list, [1.0, 2.0, 3.0])
SEQUENCES.exact(0, del_unknown, X3)
SEQUENCES.exact(0, pop0_unknown, X3)
SEQUENCES.exact(0, pop_mid, X3)
SEQUENCES.exact(0, sorted_key, X3)
SEQUENCES.exact(0, sorted_plain, X3)
SEQUENCES.exact(0, max_key, X3)
SEQUENCES.exact(0, min_key, X3)
SEQUENCES.exact(0, least_by_second, [(1.0, 2.0), (3.0, 0.5)])
SEQUENCES.exact(0, methods_of_base_classes, 1.3, 0.5)
SEQUENCES.exact(0, replaced_fields, Pt(1.3, 0.4), 0.7)
SEQUENCES.exact(0, memo_of_known_keys, 1.3)
SEQUENCES.exact(0, captured_by_a_recursion, 1.3, 4)
SEQUENCES.exact(0, reshape_loop, X3)
SEQUENCES.exact(0, match_on_constants, 1.3)
SEQUENCES.exact(0, match_at_run_time, 1.3, 2)
SEQUENCES.exact(0, match_on_tuples, 1.3, 0.4)
SEQUENCES.exact(0, reduced, X3)
SEQUENCES.exact(0, accumulated, X3)
SEQUENCES.exact(0, chained, X3)
SEQUENCES.exact(0, products, X3, 3)
SEQUENCES.exact(0, combinations, X3, 3)
SEQUENCES.exact(0, neighbours, X3, 3)
SEQUENCES.exact(0, operators_as_functions, X3)
SEQUENCES.exact(0, element_by_element, X3)
SEQUENCES.exact(0, counted_from, X3)
SEQUENCES.exact(0, zip_strict, X3, Y3)
SEQUENCES.exact(0, walrus_in_a_comprehension, X3)
SEQUENCES.exact(0, inserted_and_reversed, [1.0, 2.0, 3.0])
SEQUENCES.exact(0, slice_assign, [1.0, 2.0, 3.0])
SEQUENCES.exact(0, sort_inplace, X3)
SEQUENCES.exact(0, any_and_all, X3)
SEQUENCES.exact(0, adds_outside, 1.3)
SEQUENCES.exact(0, index_of_the_least, X3)
SEQUENCES.exact(0, map_filter, X3)
SEQUENCES.exact(0, fields_in_a_loop, X3)


def star_in_a_list(v, x):
    xs = [x, *v, *(a * a for a in v)]
    return sum(a * i for i, a in enumerate(xs))


def star_to_min(v):
    return min(*v) * max(*v)


def best_or_default(v, w):
    return max((a for a in v if a > 5.0), default=w[0]) * min(v, key=abs, default=1.0)


def sorted_rows(m):
    rows = [r.copy() for r in sorted(m, key=lambda r: -r[0], reverse=True)]
    rows[0][0] *= 2.0
    return rows[0] @ rows[1] + m[0, 0]


def writes_sorted_rows(m):
    rows = sorted(m, key=lambda r: -r[0])
    rows[0][0] *= 2.0
    return rows[0] @ rows[1] + m[0, 0]


def sorted_pairs(v):
    pairs = sorted(((a * a, i) for i, a in enumerate(v)), key=lambda p: p[0])
    return sum(f * (k + 1) + i * f for k, (f, i) in enumerate(pairs))


def starmapped(v):
    return sum(itertools.starmap(lambda a, b: a * b, zip(v, v[::-1])))


def sliced_iterators(v):
    t = 0.0
    for a, b in itertools.zip_longest([1.0, 2.0], [v[0], v[1]]) if False else zip(v, v):
        t += a * b
    return t + sum(itertools.islice(v, 1, 3)) + sum(itertools.repeat(v[0], 2))


def deleted_slices(v):
    xs = [a * a for a in v]
    ys = list(xs)
    del xs[:1]
    del ys[1:]
    return xs[0] * ys[0] + len(xs)


def queue(v):
    todo = [a for a in v]
    total = 0.0
    while todo:
        a = todo.pop(0)
        total = total * 0.5 + a * a
        if a > 2.0:
            todo.append(a - 2.0)
            del todo[0:]
    return total


SEQUENCES.exact(0, star_in_a_list, X3, 0.3)
SEQUENCES.exact(0, star_to_min, X3)
SEQUENCES.exact(0, best_or_default, X3, Y3)
SEQUENCES.exact(0, sorted_rows, np.array([[0.3, -1.4], [1.1, 0.6]]))
SEQUENCES.refused(
    0,
    writes_sorted_rows,
    np.array([[0.3, -1.4], [1.1, 0.6]]),
    reason="which row is written depends on the values",
    match="may share memory",
)
SEQUENCES.exact(0, sorted_pairs, X3)
SEQUENCES.exact(0, starmapped, X3)
SEQUENCES.exact(0, sliced_iterators, X3)
SEQUENCES.exact(0, deleted_slices, X3)
SEQUENCES.exact(0, queue, X3)
