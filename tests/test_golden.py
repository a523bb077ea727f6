"""The emitted source of realistic programs, kept as text in tests/golden/NAME.py.

``pytest --update-golden`` rewrites the texts; a text that fails when executed and checked is not
written.  Each text is executed and checked as it stands on disk, too.
"""

from __future__ import annotations

import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest

from tests.arguments import active_argnums
from tests.checker import Judge, check, check_tape, sane
from tests.emitted import entry_of
from tests.programs import Program
from tests.programs.golden import PROGRAMS, SCALARS
from tests.trees import fresh

FOLDER = Path(__file__).parent / "golden"


@pytest.mark.parametrize("program", PROGRAMS, ids=str)
def test_differences_are_trustworthy(program: Program) -> None:
    sane(program.f, *program.args, argnums=program.options.get("argnums"))


@pytest.mark.parametrize("program", PROGRAMS, ids=str)
def test_exact(program: Program) -> None:
    check(program.f, *program.args, tape=False, **program.options)


@pytest.mark.parametrize("program", PROGRAMS, ids=str)
def test_tape(program: Program) -> None:
    if program.no_tape:
        pytest.skip(program.no_tape)
    check_tape(program.f, *program.args, **program.options)


@pytest.mark.parametrize("program", SCALARS, ids=str)
def test_second_derivative(program: Program) -> None:
    """The gradient is a program like any other."""
    import s2sad

    rtol = program.options.get("rtol", 1e-6)
    check(s2sad.grad(program.f), *program.args, argnums=0, rtol=rtol, tape=False)


@pytest.mark.parametrize("program", PROGRAMS, ids=str)
def test_text(program: Program, update_golden: bool) -> None:
    """The text is the one on file, and executing it gives the gradient."""
    path = FOLDER / f"{program.name}.py"
    text = emitted(program)
    if update_golden:
        execute(text, program)
        path.write_text(text)
    assert path.exists(), f"{path.name} is missing: run pytest --update-golden"
    kept = path.read_text()
    execute(kept, program)
    assert text == kept


def test_programs_have_names_of_their_own() -> None:
    names = [program.name for program in PROGRAMS]
    assert len(set(names)) == len(names) >= 44


def test_no_text_without_a_program() -> None:
    assert {path.stem for path in FOLDER.glob("*.py")} <= {p.name for p in PROGRAMS}


def test_lines_are_short() -> None:
    for path in sorted(FOLDER.glob("*.py")):
        long = [line for line in path.read_text().splitlines() if len(line) > 99]
        assert not long, f"{path.name}: {long[0]}"


def test_text_is_the_same_in_another_process() -> None:
    """Deterministic to the byte, whatever the hash seed."""
    script = (
        "from tests.test_golden import PROGRAMS, emitted\n"
        "print(*[emitted(p) for p in PROGRAMS[::6]], sep='\\n')\n"
    )
    texts = {
        subprocess.run(
            [sys.executable, "-c", script],
            env={"PYTHONHASHSEED": seed, "PATH": ""},
            cwd=FOLDER.parent.parent,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(texts) == 1


def emitted(program: Program) -> str:
    """The source of the program's gradient."""
    import s2sad

    text: str = s2sad.grad(program.f, argnums=argnums(program)).source(*fresh(program.args))
    return text if text.endswith("\n") else text + "\n"


def argnums(program: Program) -> int | tuple[int, ...]:
    """One number where one argument is differentiated, as a user would write it."""
    nums = active_argnums(program.args, program.options.get("argnums"))
    return nums[0] if len(nums) == 1 else nums


def execute(text: str, program: Program) -> None:
    """Run a text and check the gradient it returns.

    Raises AssertionError where it is wrong or changes its arguments.
    """
    import s2sad

    call = fresh(program.args)
    derivative = s2sad.grad(program.f, argnums=argnums(program))
    compiled = derivative._find(call, {})
    entry = entry_of(text, f"golden/{program.name}.py", compiled)
    values = derivative._layout.bind(call, {})
    captured = [capture.get(values) for capture in compiled.captures]
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        result = entry(*values, *captured)
    nums = active_argnums(program.args, program.options.get("argnums"))
    truth = sane(program.f, *program.args, argnums=nums, cotangent=1.0)
    rtol = program.options.get("rtol", 1e-6)
    judge = Judge(program.f, nums, truth, rtol, "golden text")
    judge.unchanged(call, fresh(program.args))
    judge.gradient(result if len(nums) > 1 else (result,), call)
