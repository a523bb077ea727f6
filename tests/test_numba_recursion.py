"""Functions that call themselves under Numba, whether or not machine code is kept on disk."""

from __future__ import annotations

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
