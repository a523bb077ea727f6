"""The kernels of the benchmark, small: their gradients under NumPy, against differences."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import s2sad
from tests.benchmarks.kernels.driver import differences, flat, kernels
from tests.benchmarks.kernels.kernel import Kernel


@pytest.mark.parametrize("kernel", [pytest.param(k, id=k.name) for _, k in kernels()])
def test_gradient_agrees_with_differences(kernel: Kernel) -> None:
    args: tuple[Any, ...] = kernel.make(np.random.default_rng(0), 0.3)
    gradient = s2sad.grad(kernel.primal, kernel.argnums)(*args)
    assert differences(kernel, args, flat(gradient)) < 1e-5
