"""What the user's own compiled code and other threads may not notice of derivatives, or do."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("numba")

_CALLER = """
import numpy as np
from numba import njit
import s2sad
from other import f
slope = s2sad.grad(f, backend="numba")

@njit
def within(x):
    return slope(x)

@njit(cache=True)
def caller(x):
    return within(x) + 1.0

print(slope(3.0), caller(3.0))
"""

_THREADS = """
import threading
import numpy as np
from numba import njit
import s2sad

def f(x):
    return np.sum(np.exp(x))

found = []

def work(k):
    if k % 2:
        found.append(s2sad.grad(f, backend="numba")(np.zeros(3)).sum())
    else:
        found.append(njit(lambda x: np.sum(np.ones((3, 1)) @ x + np.sum(x)) - 2.0)(np.ones((1, 1))))

threads = [threading.Thread(target=work, args=(k,)) for k in range(6)]
for t in threads:
    t.start()
for t in threads:
    t.join()
print(sorted(map(float, found)))
"""


def output(folder: Path, text: str) -> str:
    path = folder / "main.py"
    path.write_text(text)
    done = subprocess.run([sys.executable, path], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_code_that_calls_derivatives_is_not_kept_on_disk(tmp_path: Path) -> None:
    """It would outlive the function that is differentiated."""
    for body, expected in (("x * x", "6.0 7.0"), ("x * x", "6.0 7.0"), ("x * x * x", "27.0 28.0")):
        (tmp_path / "other.py").write_text(f"def f(x):\n    return {body}\n")
        assert output(tmp_path, _CALLER) == expected


def test_threads_that_begin_at_once(tmp_path: Path) -> None:
    """One tells Numba about derivatives while others compile."""
    assert output(tmp_path, _THREADS) == str([3.0] * 3 + [4.0] * 3)
