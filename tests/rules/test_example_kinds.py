"""Kinds by example: the stand-ins stay small, and their sizes are told apart."""

from __future__ import annotations

import numpy as np
import pytest

from s2sad.ir.kinds import Array, kind_of
from s2sad.ir.nodes import Value
from s2sad.rules.examplekinds import by_example


@pytest.mark.parametrize("rank", range(1, 8))
def test_stand_ins_of_many_axes_stay_small(rank):
    tried = []

    def function(x, y):
        tried.append(np.multiply.outer(x[..., :1], y).size)
        return np.swapaxes(x, 0, -1)

    x = Value(kind_of(np.zeros((2,) * rank), "x"))
    y = Value(kind_of(np.zeros(2), "y"))
    kind = by_example(function)((x, y), {})
    assert max(tried) < 10_000_000
    assert isinstance(kind, Array)
    assert isinstance(x.kind, Array)
    dims = x.kind.dims
    assert dims is not None
    assert kind.dims == ((dims[-1], *dims[1:-1], dims[0]) if rank > 1 else dims)


def test_axes_of_one_size_count_each():
    tried = []

    def function(x):
        tried.append(x.size)
        return x

    n = kind_of(np.zeros((2, 3)), "x").dims
    kind = by_example(function)((Value(Array("float64", n * 4)),), {})
    assert isinstance(kind, Array)
    assert kind.dims == n * 4
    assert max(tried) < 10_000_000
    assert by_example(function)((Value(Array("float64", n * 5)),), {}).rank == 10
    assert max(tried) < 10_000_000
