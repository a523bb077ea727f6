"""The rules: importing this package fills the registry.

In: nothing, or a function of yours and its derivative. Out: a record that every pass reads.

    from s2sad.rules import rule

    rule(softplus, "x", vjp="g / (1 + exp(-x))", jvp="x_dot / (1 + exp(-x))")
"""

from __future__ import annotations

from . import (  # noqa: F401
    algebra,
    builtin_functions,
    chains,
    complex_functions,
    containers,
    controls,
    conversions,
    convolutions,
    covariances,
    creation,
    cross,
    decompositions,
    diagonals,
    draws,
    eigenvalues,
    fourier,
    fourier_axes,
    gathers,
    gradients,
    grids,
    histograms,
    joins,
    layout,
    methods,
    norms,
    orthogonal,
    padding,
    polynomials,
    products,
    reductions,
    reverse_only,
    scalars,
    scans,
    selection,
    sequence_sums,
    shape,
    singular,
    solutions,
    spreads,
    statistics,
    structural,
    ufuncs,
    unique,
)
from .declare import elementwise, rule, sample, zero

__all__ = ["elementwise", "rule", "sample", "zero"]
