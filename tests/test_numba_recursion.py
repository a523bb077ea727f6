"""Functions that call themselves under Numba, whether or not machine code is kept on disk."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

import s2sad

pytest.importorskip("numba")


def nested(x: np.ndarray, k: int) -> float:
    if k == 0:
        return np.sin(x[0])
    return x[k] * nested(x, k - 1) + x[0]


@pytest.mark.parametrize("keeps", [False, True])
def test_recursion(keeps: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("S2SAD_CACHE_DIR", str(tmp_path) if keeps else "")
    x = np.array([0.3, -1.2, 0.7])
    found = s2sad.grad(nested, backend="numba")(x, 2)
    np.testing.assert_allclose(found, s2sad.grad(nested)(x, 2), rtol=1e-14)


def fan(x: np.ndarray, k: int) -> float:
    """Calls itself in a loop: a stack for the calls and one for the loops."""
    if k == 0:
        return x[0] * x[1]
    total = 0.0
    for i in range(k):
        total += np.sin(x[i]) * fan(x, k - 1)
    return total


def test_stacks_grow_and_are_popped() -> None:
    x = np.array([0.3, -1.2, 0.7, 0.2, 1.1, 0.4])
    gradient = s2sad.grad(fan, backend="numba")
    for k in (0, 1, 6, 2):
        np.testing.assert_allclose(gradient(x, k), s2sad.grad(fan)(x, k), rtol=1e-13)


def test_arguments_and_stacks_are_given_back() -> None:
    from numba.core.runtime import _nrt_python as memory

    def alive() -> int:
        return int(memory.memsys_get_stats_alloc() - memory.memsys_get_stats_free())

    x = np.array([0.3, -1.2, 0.7, 0.2, 1.1, 0.4])
    gradient = s2sad.grad(fan, backend="numba")
    gradient(x, 5)
    memory.memsys_enable_stats()
    try:
        before, references = alive(), sys.getrefcount(x)
        for _ in range(20):
            gradient(x.copy(), 5)
            gradient(x, 5)
        assert alive() == before
        assert sys.getrefcount(x) == references
    finally:
        memory.memsys_disable_stats()


def with_itself(x: np.ndarray) -> tuple[float, np.ndarray]:
    return np.sum(x * x), x


def test_an_argument_that_is_returned_is_kept() -> None:
    gradient = s2sad.grad(with_itself, has_aux=True, backend="numba")
    g, out = gradient(np.arange(3.0))
    np.testing.assert_array_equal(g, 2.0 * np.arange(3.0))
    np.testing.assert_array_equal(out, np.arange(3.0))
