"""`python -m s2sad`: the demo, `show`, and how they fail."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from s2sad.__main__ import main
from s2sad.errors import ArgumentError
from s2sad.tools.paint import plain_columns
from s2sad.tools.show import load, parse_argnums, parse_arguments

MODEL = """\
import numpy as np

scale = 2.0

def energy(x, k=1.0):
    total = 0.0
    for i in range(len(x)):
        total += k * x[i] ** 2
    return total

class Spring:
    @staticmethod
    def force(x):
        return scale * x

def generator(x):
    yield x
"""


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    (tmp_path / "shown_model.py").write_text(MODEL)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "shown_model", raising=False)
    return "shown_model"


def test_the_demo(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["demo"]) == 0
    shown = capsys.readouterr().out
    assert "def rod(u0, alpha, heat):" in shown
    assert "def rod_grad(u0, alpha, heat):" in shown
    assert "# reverse sweep" in shown
    for line in ("d rod / d u0 ", "d rod / d alpha", "d rod / d heat"):
        assert line in shown
    for way in ("tape", "differences"):
        assert way in shown


def test_the_demo_runs_as_a_module() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "s2sad", "demo"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "value and gradient" in done.stdout


def test_show(model: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", f"{model}:energy", "--args", "np.ones(3), k=scale"]) == 0
    shown = capsys.readouterr().out
    assert "def energy(x, k=1.0):" in shown
    assert "as SSA" in shown
    assert "def energy_grad(x, k" in shown
    assert "# line 4: total += k * x[i] ** 2" in shown


def test_show_by_path_and_by_argument(model: str, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["show", f"{model}.py:energy", "--args", "np.ones(3), 2.0", "--argnums", "x,k"]
    assert main(command) == 0
    assert "with respect to x, k" in capsys.readouterr().out


def test_show_without_arguments(model: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", f"{model}:Spring.force"]) == 0
    assert "def force_grad(x" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (["show", "nothing"], "names no function"),
        (["show", "no_such_module:f"], "there is no module 'no_such_module'"),
        (["show", "shown_model:nothing"], "shown_model has no 'nothing'"),
        (["show", "shown_model:scale"], "is not a function but float"),
        (["show", "no_such.py:f"], "there is no file no_such.py"),
        (["show", "shown_model:energy", "--args", "1 +"], "--args '1 +': SyntaxError"),
        (["show", "shown_model:energy", "--argnums", "z"], "has no argument 'z'"),
        (["show", "shown_model:generator", "--args", "1.0"], "shown_model.py:17:5 in generator"),
        (["show", "math:sin", "--args", "1.0"], "math.sin is written in C"),
    ],
)
def test_show_says_what_is_wrong(
    model: str, command: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(command) == 1
    shown = capsys.readouterr().err
    assert message in shown
    assert shown.startswith("s2sad.")


def test_a_command_is_needed(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main([])
    assert "demo" in capsys.readouterr().err


def test_what_the_command_line_means() -> None:
    assert load("os.path:join")("a", "b").startswith("a")
    assert parse_arguments("np.ones(2).sum(), k=k", {"k": 3}) == ((2.0,), {"k": 3})
    assert [parse_argnums(text) for text in ("1", "-1", "x", "0,x", "0,")] == [
        1, -1, "x", (0, "x"), (0,),
    ]  # fmt: skip
    with pytest.raises(ArgumentError, match="NameError"):
        parse_arguments("undefined", {})


def test_columns_side_by_side() -> None:
    shown = plain_columns(("one", "a\n\tb\n"), ("two", "c"))
    assert shown.splitlines() == ["one     two", "-----   ---", "a       c", "    b"]
