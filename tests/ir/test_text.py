"""The text form reads back, the verifier rejects, the interpreter keeps every version."""

from __future__ import annotations

import numpy as np
import pytest

import s2sad.rules.structural  # noqa: F401
from s2sad.ir.interp import run
from s2sad.ir.text import objects, parse, text
from s2sad.ir.verify import InvalidIR, verify

PROGRAM = """\
def f(x: float64[x.0], n: int<n~>) -> tuple[$0, $1]:
    u.2: float64[x.0] = for i: int in range(0, n, 1) with u: float64[x.0] = x:
        %1: float64 = item(u, i)
        %2: float64 = mul(%1, -2.5)
        u.3: float64[x.0] = setitem(u, i, %2)
        %3: bool = lt(%2, inf)
        r: float = if %3:
            yield 1.0
        else:
            yield undef
        yield False, u.3
    w.3: float = while with w: float = 0.0:
        %4: bool = lt(w, 10.0)
        yield %4
    do w.2: float:
        %5: float = add(w.2, 1.5)
        yield False, %5
    %6: tuple[slice[1, none, none], str?] = tuple(slice(1, None, None), "a'b, c", @float32, complex(2.0, -3.0))
    yield u.2, w.3
"""


def canonical(source: str) -> str:
    module = parse(source, {"slice": slice, "float32": np.float32(1)})
    return text(module)


def test_text_reads_back() -> None:
    once = canonical(PROGRAM)
    module = parse(once, {"slice": slice, "float32": np.float32(1)})
    assert text(module) == once
    assert text(parse(once, objects(module))) == once
    verify(module)


def test_interpreter_keeps_the_old_version() -> None:
    module = parse(canonical(PROGRAM), {"slice": slice, "float32": np.float32(1)})
    x = np.ones(3)
    u, w = run(module, x, 2)
    assert u.tolist() == [-2.5, -2.5, 1.0] and w == 10.5
    assert x.tolist() == [1.0, 1.0, 1.0]


@pytest.mark.parametrize(
    "source, message",
    [
        ("def f(x: float):\n    yield\n", None),
        ("def f(x: float):\n    y: float = nonsense(x)\n    yield y\n", "no primitive"),
        (
            "def f(x: float):\n    y: float = if x:\n        yield x\n    else:\n"
            "        yield\n    yield y\n",
            "yields: 0 where 1",
        ),
        (
            "def f(x: float):\n    y: float = if x:\n        z: float = neg(x)\n        yield z\n"
            "    else:\n        yield z\n    yield y\n",
            "out of scope",
        ),
    ],
)
def test_verifier(source: str, message: str | None) -> None:
    module = parse(source)
    if message is None:
        verify(module)
        return
    with pytest.raises(InvalidIR, match=message):
        verify(module)
