"""Colouring: columns of a sparse matrix that share no row can be computed together.

In: a pattern. Out: a colour for every column, such that columns of one colour have no row in
common; each colour costs one direction (Curtis, Powell and Reid, On the estimation of sparse
Jacobian matrices, 1974). Finding the fewest is a graph colouring problem; the greedy algorithm in
the order of decreasing degree comes close (Coleman and Moré, Estimation of sparse Jacobian
matrices and graph coloring problems, 1983).

    a tridiagonal matrix of any size   ->   3 colours: 0 1 2 0 1 2 ...
"""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["color_columns"]


def color_columns(pattern: Any) -> tuple[Any, int]:
    """A colour for every column of a CSR pattern, and how many there are.

    >>> import scipy.sparse
    >>> color_columns(scipy.sparse.csr_matrix(np.tri(4, k=1) - np.tri(4, k=-2)))
    (array([0, 1, 2, 0]), 3)
    """
    columns = pattern.tocsc()
    widest = int(np.diff(pattern.tocsr().indptr).max(initial=0))
    degrees = np.diff(columns.indptr)
    best, count = _greedy(columns, np.arange(columns.shape[1]))
    if count > max(widest, 1):
        found, fewer = _greedy(columns, np.argsort(-degrees, kind="stable"))
        if fewer < count:
            best, count = found, fewer
    return best, count


def _greedy(columns: Any, order: Any) -> tuple[Any, int]:
    """Every column in turn gets the least colour that none of its rows has seen.

    A row's colours are bits of a few words, so a column costs one gather and one scatter.
    """
    rows, count = columns.shape
    unite: Any = np.bitwise_or.reduce
    starts, indices = columns.indptr, columns.indices
    words = 1
    seen = np.zeros((rows, words), dtype=np.uint64)
    colors = np.zeros(count, dtype=np.int64)
    used = 0
    for j in order:
        at = indices[starts[j] : starts[j + 1]]
        if len(at) == 0:
            continue
        taken: list[int] = [int(unite(seen[at, w])) for w in range(words)]
        color = _first_free(taken)
        if color >= 64 * words:
            seen = np.concatenate([seen, np.zeros((rows, words), dtype=np.uint64)], axis=1)
            words *= 2
        seen[at, color // 64] |= np.uint64(1 << color % 64)
        colors[j] = color
        used = max(used, color + 1)
    return colors, used


def _first_free(taken: list[int]) -> int:
    """The number of the least bit that is not set."""
    for n, word in enumerate(taken):
        free = ~word & 0xFFFFFFFFFFFFFFFF
        if free:
            return 64 * n + (free & -free).bit_length() - 1
    return 64 * len(taken)
