"""Programs that use objects, formats, copies and collections as ordinary programs do."""

from __future__ import annotations

import collections
import copy

import numpy as np

from tests.programs import Table

LIBRARY = Table()
X3 = np.array([0.7, -1.2, 2.1])
Y3 = np.array([0.4, 1.1, -0.6])


def none_from_a_recursion(v, lim):
    def find(i):
        if i >= len(v):
            return None
        if v[i] > lim:
            return v[i]
        return find(i + 1)

    y = find(0)
    return v[0] if y is None else y * y


def queue_of_two_ends(v):
    q = collections.deque()
    for a in v:
        q.append(a * a)
    q.appendleft(v[0])
    t = 0.0
    while q:
        t = t * 0.5 + q.popleft()
    return t


def copied_objects(v):
    w = copy.copy(v)
    u = copy.deepcopy([v, w])
    w[0] *= 2
    u[0][1] *= v[0]
    return w @ v + u[0] @ u[1]


def formatted(x):
    s = f"{x:.3f}"
    t = "%s and %d" % (x, 3)
    u = "{} {}".format(x, 2)
    return x * x if s else x


def unzipped(v):
    pairs = [(a, a * a) for a in v]
    xs, ys = zip(*pairs)
    return sum(xs) * sum(ys)


def first_that_fits(v):
    y = next((a for a in v if a > 1.0), None)
    return v[0] if y is None else y * y


def stack(v):
    st = list(v)
    t = 0.0
    while len(st) > 1:
        a = st.pop()
        b = st.pop()
        st.append(a * b + 1.0)
    return st[0]


def united_dicts(v):
    a = {"x": v[0]}
    b = {"y": v[1]}
    c = a | b
    c |= {"z": v[2]}
    return c["x"] * c["y"] * c["z"]


def set_of_known_keys(v):
    seen = set()
    t = 0.0
    for i in [0, 1, 0]:
        if i in seen:
            continue
        seen.add(i)
        t += v[i] ** 2
    return t


def set_at_run_time(v, idx):
    seen = set()
    t = 0.0
    for i in idx:
        if i in seen:
            continue
        seen.add(i)
        t += v[i] ** 2
    return t * len(seen)


def index_of_the_largest(v):
    xs = [a for a in v]
    i = xs.index(max(xs))
    return v[i] ** 2


def imported_inside(v):
    import math as m
    from math import sin as s

    return m.exp(v[0]) * s(v[1])


def defaults_of_lambdas(x):
    fs = [lambda y, k=k: y * k for k in range(3)]
    return sum(f(x) * x for f in fs)


def branches_by_type(v):
    def f(a):
        if isinstance(a, (int, float)):
            return a * 2.0
        if isinstance(a, np.ndarray):
            return np.sum(a) * 3
        return 0.0

    return f(v) + f(2.0) + f(v[0])


def backwards_with_numbers(v):
    t = 0.0
    for i, a in reversed(list(enumerate(v))):
        t = t * a + i
    return t


def list_of_lists(v):
    m = [[a * b for b in v] for a in v]
    tr = 0.0
    for i in range(len(m)):
        tr += m[i][i] * m[0][i]
        m[i][0] = tr
    return tr * m[2][0]


def repeated_lists(v):
    z = [0.0] * len(v)
    for i in range(len(v)):
        z[i] += v[i] ** 2
    grid = [[0.0] * 2 for _ in range(len(v))]
    for i in range(len(v)):
        grid[i][i % 2] += v[i] * z[i]
    return sum(sum(r) for r in grid)


def guarded_sum(v):
    return np.sum(v) if np.all(np.isfinite(v)) else 0.0


class Acc:
    def __init__(self):
        self.total = 0.0
        self.n = 0

    def __enter__(self):
        return self

    def add(self, x):
        self.total += x
        self.n += 1
        return self

    def __iadd__(self, x):
        self.total += x * 2
        return self

    def __len__(self):
        return self.n

    def __getitem__(self, i):
        return self.total * i

    @property
    def mean(self):
        return self.total / self.n

    @staticmethod
    def sq(x):
        return x * x

    @classmethod
    def make(cls, x):
        a = cls()
        a.add(x)
        return a


def object_with_methods(v):
    a = Acc()
    for x in v:
        a.add(x * x).add(x)
    a += v[0]
    b = Acc.make(v[1])
    return a.mean * len(a) + a[2] * b.total + Acc.sq(v[0])


LOG: list[object] = []


def logged(x):
    y = x * x
    LOG.append(y)
    return y * x


def logged_in_a_loop(v):
    t = 0.0
    for i, a in enumerate(v):
        t += a * a
        LOG.append((i, t))
    return t


def one_of_two_lists(v, w):
    xs = [v[0]] if v[0] > 0 else [w[0], w[1]]
    return sum(xs) ** 2


def chained_in_a_filter(v):
    return sum(a for a in v if -1 < a < 2)


def table_of_functions(v):
    table = {"sin": np.sin, "cos": np.cos}
    return sum(np.sum(f(v)) for f in table.values()) + np.sum(table["sin"](v))


def function_by_name(x, name):
    return getattr(np, name)(x) * x


LIBRARY.exact(0, none_from_a_recursion, X3, 1.0)
LIBRARY.exact(0, queue_of_two_ends, X3)
LIBRARY.exact(0, copied_objects, X3)
LIBRARY.exact(0, formatted, 1.3)
LIBRARY.exact(0, unzipped, X3)
LIBRARY.exact(0, first_that_fits, X3)
LIBRARY.exact(0, stack, X3)
LIBRARY.exact(0, united_dicts, X3)
LIBRARY.exact(0, set_of_known_keys, X3)
LIBRARY.exact(0, set_at_run_time, X3, [0, 1, 0])
LIBRARY.exact(0, index_of_the_largest, X3)
LIBRARY.exact(0, imported_inside, X3)
LIBRARY.exact(0, defaults_of_lambdas, 1.3)
LIBRARY.exact(0, branches_by_type, X3)
LIBRARY.exact(0, backwards_with_numbers, X3)
LIBRARY.exact(0, list_of_lists, X3)
LIBRARY.exact(0, repeated_lists, X3)
LIBRARY.exact(0, guarded_sum, X3)
LIBRARY.exact(0, object_with_methods, X3)
LIBRARY.exact(0, logged, 1.3, no_tape="the tape writes its own numbers to the log")
LIBRARY.exact(0, logged_in_a_loop, X3, no_tape="the tape writes its own numbers to the log")
LIBRARY.exact(0, one_of_two_lists, X3, Y3)
LIBRARY.exact(0, chained_in_a_filter, X3)
LIBRARY.exact(0, table_of_functions, X3)
LIBRARY.exact(0, function_by_name, 1.3, "cos")


def reads_its_log(x):
    LOG.append(x)
    return x * len(LOG)


def logs_an_array(v):
    LOG.append(v)
    return np.sum(v)


LIBRARY.refused(0, reads_its_log, 1.3, reason="a log that is read", match="appended to and read")
LIBRARY.refused(0, logs_an_array, X3, reason="an array in a log", match="captured")
