"""Every construct of the language: exact, or refused with the reason."""

from __future__ import annotations

import pytest

from tests.checker import check, check_tape, refused, sane
from tests.programs import Program
from tests.programs.language import LANGUAGE, truncates, waits, yields

EXACT = [p for p in LANGUAGE if p.reason is None]
REFUSED = [p for p in LANGUAGE if p.reason is not None]


@pytest.mark.parametrize("program", EXACT, ids=str)
def test_differences_are_trustworthy(program: Program) -> None:
    sane(program.f, *program.args, argnums=program.options.get("argnums"))


@pytest.mark.parametrize("program", EXACT, ids=str)
def test_exact(program: Program) -> None:
    check(program.f, *program.args, tape=False, **program.options)


@pytest.mark.parametrize("program", EXACT, ids=str)
def test_tape(program: Program) -> None:
    if program.no_tape:
        pytest.skip(program.no_tape)
    check_tape(program.f, *program.args, **program.options)


@pytest.mark.parametrize("program", REFUSED, ids=str)
def test_refused(program: Program) -> None:
    refused(program.f, *program.args, match=program.match)


@pytest.mark.parametrize("f, word", [(yields, "yield"), (waits, "async")], ids=["yield", "async"])
def test_refused_whole(f: object, word: str) -> None:
    import s2sad

    with pytest.raises(s2sad.UnsupportedError, match=word):
        s2sad.grad(f)(1.3)


def test_int_of_an_active_value_is_a_step() -> None:
    """Piecewise constant: its derivative is zero, as for floor."""
    check(truncates, 1.3)


def test_everything_wrong_is_reported_at_once() -> None:
    import s2sad

    with pytest.raises(s2sad.UnsupportedError) as caught:
        s2sad.grad(wrong_twice)(1.3)
    text = str(caught.value)
    assert "global" in text
    assert "try" in text
    assert text.count("-->") >= 2


def wrong_twice(x: float) -> float:
    global count
    count = x
    try:
        return x * x
    finally:
        pass
