"""Programs with dicts whose keys only the run knows."""

from __future__ import annotations

import collections

import numpy as np

from tests.programs import Table

TABLES = Table()
X3 = np.array([0.7, -1.2, 2.1])
Y3 = np.array([0.4, 1.1, -0.6])


def filled_and_summed(v, n):
    d = {}
    for i in range(n):
        d[i] = v[i] * v[0]
    total = 0.0
    for i in range(n):
        total += d[i] ** 2
    return total


def counted(v, keys):
    d = {}
    for k in keys:
        d[k] = d.get(k, 0.0) + v[k] ** 2
    return sum(d.values()) + sum(k * x for k, x in d.items()) * d[0]


def by_name(v, names):
    d = {"a": 0.0, "b": 1.0}
    for name, x in zip(names, v):
        d[name] += x * x
    return d["a"] * d["b"]


def memoised(x):
    cache = {}

    def fib(n):
        if n < 2:
            return x * n + 1.0
        if n in cache:
            return cache[n]
        cache[n] = fib(n - 1) * 0.5 + fib(n - 2)
        return cache[n]

    return fib(8)


def memoised_grid(x, n):
    best = {}
    for i in range(n):
        for j in range(n):
            if i == 0 or j == 0:
                best[i, j] = x * (i + j)
            else:
                best[i, j] = best[i - 1, j] * x + best[i, j - 1] ** 2
    return best[n - 1, n - 1]


def default_of_a_missing_key(v):
    d = collections.defaultdict(float)
    for i, a in enumerate(v):
        d[i % 2] += a * a
    return d[0] * d[1] + d[7]


def lists_by_key(v, keys):
    groups = collections.defaultdict(list)
    for k, a in zip(keys, v):
        groups[k] = groups[k] + [a * a]
    return sum(sum(g) ** 2 for g in groups.values()) * len(groups)


def comprehension_of_pairs(v):
    table = {i: x**2 for i, x in enumerate(v)}
    return table[0] * table[2] + sum(table[k] * k for k in table)


def deleted_keys(v, keys):
    d = {}
    for k, a in zip(keys, v):
        d[k] = a * a
    first = d.pop(keys[0])
    del d[keys[1]]
    missing = d.pop(keys[0], v[0])
    total = first * missing
    for k in d:
        total += d[k] * (k + 1.0)
    return total


def optional_lookup(v, keys):
    d = {}
    total = 0.0
    for k, a in zip(keys, v):
        old = d.get(k)
        if old is not None:
            total += old * a
        d[k] = a
    return total + d.setdefault(9, v[0]) * d.setdefault(9, v[1])


def arrays_by_key(v, keys):
    d = {}
    for k, a in zip(keys, v):
        if k not in d:
            d[k] = np.zeros(3)
        d[k] = d[k] + a * v
    return sum(np.sum(u**2) for u in d.values())


def in_a_branch(v, keys, c):
    d = {0: v[0]}
    if c > 0.5:
        for k in keys:
            d[k] = v[k] * 2.0
    else:
        d[keys[0]] = v[1] ** 2
    return sum(x * k for k, x in d.items()) + len(d)


def copied_tables(v, keys):
    d = {}
    for k, a in zip(keys, v):
        d[k] = a
    e = d.copy()
    e[keys[0]] = v[2] ** 2
    d.update({5: v[0]})
    return d[keys[0]] * e[keys[0]] + d[5] * len(d)


def inner_and_outer(v, keys):
    d = {}

    def note(k, a):
        d[k] = a * 2.0
        return d[k]

    total = 0.0
    for k, a in zip(keys, v):
        total += note(k, a) * a
    return total + sum(d.values())


def argument_looked_up(params, names):
    total = 1.0
    for name in names:
        total *= params[name] ** 2
    return total


def keys_that_are_floats(v):
    d = {}
    for a in v:
        d[a] = a * a
    return d[v[0]] * d[v[2]]


K3 = [0, 2, 0]
TABLES.exact(0, filled_and_summed, X3, 3)
TABLES.exact(0, counted, X3, [0, 2, 0, 1])
TABLES.exact(0, by_name, X3, ["a", "b", "a"])
TABLES.exact(0, memoised, 1.3)
TABLES.exact(0, memoised_grid, 0.6, 4)
TABLES.exact(0, default_of_a_missing_key, X3)
TABLES.exact(0, lists_by_key, X3, K3)
TABLES.exact(0, comprehension_of_pairs, X3)
TABLES.exact(0, deleted_keys, X3, [4, 2, 0])
TABLES.exact(0, optional_lookup, X3, K3)
TABLES.exact(0, arrays_by_key, X3, K3)
TABLES.exact(0, in_a_branch, X3, K3, 0.9)
TABLES.exact(0, in_a_branch, X3, K3, 0.1)
TABLES.exact(0, copied_tables, X3, K3)
TABLES.exact(0, inner_and_outer, X3, K3)
TABLES.exact(0, argument_looked_up, {"a": 0.7, "b": 1.3}, ["a", "b", "a"])
TABLES.exact(0, keys_that_are_floats, X3, no_tape="numbers on a tape cannot be hashed")
