"""Where and how many snapshots a checkpointed loop takes.

In: numbers of steps and snapshots, or the state of the loop. Out: the number of a step, or of
snapshots::

    next_snapshot(0, 10, 2)                  ->   4
    snapshots_within(10**6, np.zeros(1000))  ->   125
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np


def next_snapshot(start: int, stop: int, free: int) -> int:
    """Where to take the next snapshot so that steps ``start`` to ``stop`` are reversed cheapest.

    There is one of the state before ``start``, and room for ``free`` more. With s = free + 1 and
    r the least with comb(s + r, s) >= stop - start, the steps before it and after it can be
    reversed with s and s - 1 snapshots in r - 1 and r repetitions (Griewank and Walther 2000).

    >>> next_snapshot(0, 10, 2), next_snapshot(0, 10, 9), next_snapshot(0, 10, 0)
    (4, 1, 9)
    """
    steps, s = stop - start, free + 1
    if s < 2 or steps < 3:
        return stop - 1
    r, most = 0, 1
    while most < steps:
        r += 1
        most = most * (s + r) // r
    before = math.comb(s + r - 2, s) if r > 1 else 0
    return start + max(1, before, steps - math.comb(s + r - 1, r))


def snapshots_within(memory: int, *state: Any) -> int:
    """How many snapshots of a state fit into ``memory`` bytes.

    >>> snapshots_within(10**6, np.zeros(1000))
    125
    """
    size = sum(map(_size_of, state))
    if size > memory:
        raise ValueError(f"one snapshot takes {size} bytes, more than memory={memory}")
    return memory // max(size, 1)


def at_least_one(snapshots: int) -> int:
    """The number of snapshots; raises where there are none."""
    if snapshots < 1:
        raise ValueError(f"checkpointed() needs at least one snapshot, not {snapshots}")
    return snapshots


def _size_of(x: Any) -> int:
    if isinstance(x, list | tuple):
        return 8 * len(x) + sum(map(_size_of, x))
    if isinstance(x, dict):
        return sum(map(_size_of, x.values()))
    return x.nbytes if isinstance(x, np.ndarray) else 8
