"""The rules: importing this package fills the registry."""

from __future__ import annotations

from . import (
    algebra,
    builtin_functions,
    containers,
    conversions,
    creation,
    elementwise,
    joins,
    methods,
    products,
    reductions,
    reverse_only,
    scalars,
    scans,
    selection,
    shape,
    structural,
)

__all__ = [
    "algebra",
    "builtin_functions",
    "containers",
    "conversions",
    "creation",
    "elementwise",
    "joins",
    "methods",
    "products",
    "reductions",
    "reverse_only",
    "scalars",
    "scans",
    "selection",
    "shape",
    "structural",
]
