"""The page of what has derivatives is what the registry says."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "coverage.md"


def printed() -> str:
    """What the command prints, in a process without the rules of other tests."""
    command = [sys.executable, "-m", "s2sad", "coverage"]
    found = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=True)
    return found.stdout


def test_the_page_is_what_the_command_prints(request: pytest.FixtureRequest) -> None:
    pytest.importorskip("scipy")
    if request.config.getoption("--update-golden", default=False):
        PAGE.write_text(printed())
    if np.lib.NumpyVersion(np.__version__) < "2.1.0":
        pytest.skip("the page lists functions that NumPy has from 2.1 on")
    assert printed() == PAGE.read_text(), "python -m s2sad coverage > docs/coverage.md"


@pytest.mark.parametrize(
    "row",
    [
        "| `np.sin` | yes | yes | yes |",
        "| `np.floor` | zero | zero | zero |",
        "| `np.max`, `np.amax` | yes | yes | yes |",
        "| `math.gamma` | yes | yes | yes |",
    ],
)
def test_rows(row: str) -> None:
    assert row in PAGE.read_text().splitlines()


def test_coverage_is_a_function_of_the_package(capsys: pytest.CaptureFixture[str]) -> None:
    import s2sad

    s2sad.coverage()
    assert capsys.readouterr().out.startswith("# What s2sad differentiates\n")
