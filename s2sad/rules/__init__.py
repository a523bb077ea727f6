"""The rules: importing this package fills the registry."""

from __future__ import annotations

from . import (
    creation,
    elementwise,
    methods,
    products,
    reductions,
    reverse_only,
    scalars,
    selection,
    shape,
    structural,
)

__all__ = [
    "creation",
    "elementwise",
    "methods",
    "products",
    "reductions",
    "reverse_only",
    "scalars",
    "selection",
    "shape",
    "structural",
]
