"""Sample points for elementwise rules, by the domain of the function.

In: how many operands, and the domain. Out: scalars of Python and NumPy, vectors, broadcasting
pairs, size-1 axes, 0-d and empty arrays, float32.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .registry import Sample

_VALUES: dict[str, tuple[float, ...]] = {
    "real": (-1.3, 0.7, 0.4, -0.6, 1.9, -2.1),
    "positive": (0.3, 1.7, 0.4, 2.6, 1.9, 0.8),
    "unit": (-0.8, 0.7, 0.4, -0.6, 0.2, -0.1),
    "above one": (1.3, 1.7, 2.4, 2.6, 1.9, 3.1),
    "apart": (-1.3, 0.7, 2.4, -2.6, 5.2, -4.1),
}
_OTHER = (0.55, 1.45, 0.85, 0.95, 0.65, 1.15)


def elementwise_samples(
    name: str, count: int, domain: str, more: tuple[Sample, ...]
) -> Sequence[Sample]:
    """The samples of a function of ``count`` operands, and ``more``."""
    x = np.array(_VALUES[domain])
    y = np.array(_OTHER)
    if name.startswith("math."):
        points: list[tuple[Any, ...]] = [(float(v),) for v in x[:4]]
        if count > 1:
            points = [(float(v), float(w)) for v, w in zip(x[:4], y[:4], strict=True)]
        return [*map(Sample, points), *more]
    points_: list[tuple[Any, ...]]
    if count == 1:
        points_ = [
            (float(x[0]),),
            (np.float64(x[1]),),
            (np.float32(x[1]),),
            (x,),
            (x.reshape(3, 2, 1),),
            (x.astype("float32"),),
            (np.array(x[2]),),
            (np.zeros(0),),
        ]
    else:
        points_ = [
            (float(x[0]), float(y[0])),
            (x[:3], float(y[1])),
            (float(x[1]), y[:3]),
            (x[:3].reshape(3, 1), y[:4]),
            (x[:1], y[:3]),
            (x[:6].reshape(2, 3), y[:2].reshape(2, 1)),
            (x[:3].astype("float32"), y[:3].astype("float32")),
            (x[:3].astype("float32"), float(y[0])),
            (np.array(x[2]), y[:2]),
            (np.zeros(0), float(y[0])),
            (np.zeros((0, 3)), y[:3]),
        ]
    return [*map(Sample, points_), *more]
