"""Which bin of a histogram data fall in; emitted derivatives may call these; NumPy only.

In: values per bin, or per datum. Out: values per datum, or per bin.

    from_bins(np.array([7.0, 8.0]), [0.1, 0.9, 5.0], [0.0, 0.5, 1.0])   ->   [7.0, 8.0, 0.0]
"""

from __future__ import annotations

from typing import Any

import numpy as np


def from_bins(v: Any, a: Any, edges: Any) -> Any:
    """For each datum the value of its bin, 0 outside; the last bin holds its right edge.

    >>> from_bins(np.array([7.0, 8.0]), [0.1, 0.9, 5.0], [0.0, 0.5, 1.0])
    array([7., 8., 0.])
    """
    places, inside = _places(a, edges)
    return np.where(inside, np.asarray(v)[places], 0.0)


def to_bins(v: Any, a: Any, edges: Any) -> Any:
    """For each bin the sum of the values of its data.

    >>> to_bins(np.ones(3), [0.1, 0.9, 5.0], [0.0, 0.5, 1.0])
    array([1., 1.])
    """
    places, inside = _places(a, edges)
    return np.bincount(places[inside], np.asarray(v)[inside], minlength=len(edges) - 1)


def _places(a: Any, edges: Any) -> tuple[Any, Any]:
    a, edges = np.asarray(a), np.asarray(edges)
    places = np.searchsorted(edges, a, side="right") - 1
    places = np.where(a == edges[-1], len(edges) - 2, places)
    inside = (places >= 0) & (places < len(edges) - 1)
    return np.clip(places, 0, len(edges) - 2), inside
