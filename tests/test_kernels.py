"""The kernels of the benchmark, small: their gradients by s2sad under NumPy, against differences;
the adjoints by hand, against those."""

from __future__ import annotations

import functools
import importlib.util
from typing import Any

import numpy as np
import pytest

import s2sad
from tests.benchmarks.kernels.columns import compiled
from tests.benchmarks.kernels.driver import differences, distance, flat, kernels, leaves
from tests.benchmarks.kernels.kernel import Kernel

every_kernel = pytest.mark.parametrize(
    "kernel", [pytest.param(k, id=k.name) for _, k in kernels()]
)
compiled_ones = pytest.mark.parametrize(
    "kernel",
    [
        pytest.param(k, id=k.name)
        for k in {k.by_hand: k for _, k in kernels() if k.compiled}.values()  # each adjoint once
    ],
)


def arguments(kernel: Kernel) -> tuple[Any, ...]:
    return kernel.make(np.random.default_rng(0), 0.3)


@functools.cache
def gradient(kernel: Kernel) -> Any:
    return s2sad.grad(kernel.primal, kernel.argnums)(*arguments(kernel))


@every_kernel
def test_gradient_agrees_with_differences(kernel: Kernel) -> None:
    assert differences(kernel, arguments(kernel), flat(gradient(kernel))) < 1e-5


@every_kernel
def test_adjoint_by_hand_returns_the_gradient(kernel: Kernel) -> None:
    assert kernel.by_hand is not None
    out = kernel.by_hand(*arguments(kernel))
    expected = gradient(kernel)
    assert list(map(np.shape, leaves(out))) == list(map(np.shape, leaves(expected)))
    assert distance(flat(out), flat(expected)) < 1e-10


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("numba") is None, reason="needs Numba")
@compiled_ones
def test_compiled_adjoint_by_hand_returns_the_gradient(kernel: Kernel) -> None:
    assert kernel.by_hand is not None
    out = compiled(kernel.by_hand)(*arguments(kernel))
    assert distance(flat(out), flat(gradient(kernel))) < 1e-10


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("numba") is None, reason="needs Numba")
@every_kernel
def test_compiled_gradient_is_that_of_numpy(kernel: Kernel) -> None:
    found = s2sad.grad(kernel.primal, kernel.argnums, backend="numba")(*arguments(kernel))
    assert distance(flat(found), flat(gradient(kernel))) < 1e-10
