"""Twice the work is about twice the work, in both sweeps."""

from __future__ import annotations

import sys

import numpy as np

import s2sad


def lines_run(run):
    """How many lines of Python ``run`` executes."""
    count = 0

    def trace(frame, event, arg):
        nonlocal count
        count += event == "line"
        return trace

    sys.settrace(trace)
    try:
        run()
    finally:
        sys.settrace(None)
    return count


def pick(x, i):
    return x[i] * x[i + 1]


def helper_in_a_loop(x):
    s = 0.0
    for i in range(len(x) - 1):
        s += pick(x, i)
    return s


def recursive_sum(x, i):
    if i == len(x):
        return 0.0
    return x[i] * x[i] + recursive_sum(x, i + 1)


def sum_from_start(x):
    return recursive_sum(x, 0)


def grows_linearly(f, sizes):
    df = s2sad.grad(f)
    counts = []
    for n in sizes:
        x = np.linspace(0.0, 1.0, n)
        df(x)
        counts.append(lines_run(lambda x=x: df(x)))
    small, large = counts
    assert large <= 1.1 * small * sizes[1] / sizes[0]


def test_a_helper_called_in_a_loop_is_constant_a_call():
    grows_linearly(helper_in_a_loop, (100, 200))


def test_a_recursive_helper_is_constant_a_call():
    grows_linearly(sum_from_start, (100, 200))
