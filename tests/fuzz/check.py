"""One program on every engine: ``check(program)`` gives what went wrong, nothing if all agree.

A finding is one of ``value`` (not bit-identical to plain Python; the tape: not close), ``gradient``
(off from central differences), ``structure`` (a gradient not shaped as its argument), ``mutated``
(the caller's arguments changed), ``unstable`` (a second call differs), ``crash`` and ``refused``.
"""

from __future__ import annotations

import re
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .differences import CLOSER_STEPS, Difference, NotSmooth, differences
from .engines import Call, Engine, available, refusals
from .program import (
    NAME,
    Program,
    TooLong,
    bits,
    clone,
    leaves,
    load,
    plain,
    same_structure,
    time_limit,
)

SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class Finding:
    """What one engine did wrong; ``key`` groups findings of the same cause."""

    engine: str
    sort: str
    key: str
    detail: str

    def __str__(self) -> str:
        return f"{self.engine}: {self.sort}: {self.key}"


def check(program: Program, engines: Sequence[Engine] | None = None) -> list[Finding]:
    """All findings for a program whose finite differences are known."""
    engines = available() if engines is None else engines
    with load(program.source) as module:
        f = getattr(module, NAME)
        found = [_run(engine, f, program) for engine in engines]
    return [finding for finding in found if finding]


def agrees(
    f: Callable[..., Any], argnums: tuple[int, ...], args: Sequence[tuple[Any, ...]]
) -> None:
    """Assert that every engine agrees with plain Python and central differences on ``f``.

    A refusal fails too: shrunken programs are meant to be differentiated.
    """
    program = Program("test", "", argnums, tuple(args))
    program.gradients = [differences(f, a, argnums) for a in args]
    found = [finding for engine in available() if (finding := _run(engine, f, program))]
    assert not found, "\n".join(f"{finding}\n{finding.detail}" for finding in found)


def _run(engine: Engine, f: Callable[..., Any], program: Program) -> Finding | None:
    refused = refusals()
    try:
        with time_limit(SECONDS):
            call = engine.build(f, program.argnums)
            for args, expected in zip(program.args, program.gradients, strict=True):
                finding = _compare(engine, call, f, program.argnums, args, expected)
                if finding:
                    return finding
    except refused as error:
        lines = str(error).strip().splitlines() or ["(no message)"]
        return Finding(engine.name, "refused", _shape(lines[0]), str(error))
    except TooLong as error:
        return Finding(engine.name, "crash", "too long", str(error))
    except Exception as error:  # noqa: BLE001 - any exception of an engine is a finding
        place = traceback.extract_tb(error.__traceback__)[-1]
        where = f"{place.filename.rsplit('/', 1)[-1]}:{place.name}"
        if "fuzz" in where or "<" in where or "s2sad" not in place.filename:
            where = "emitted code"
        key = f"{type(error).__name__} in {where}: {_shape(str(error))[:70]}"
        return Finding(engine.name, "crash", key, traceback.format_exc(limit=-6))
    return None


def _compare(
    engine: Engine,
    call: Call,
    f: Callable[..., Any],
    argnums: tuple[int, ...],
    args: tuple[Any, ...],
    expected: list[Difference],
) -> Finding | None:
    want = plain(f, args)
    mine = tuple(clone(a) for a in args)
    with np.errstate(all="ignore"):
        value, gradients = call(mine)
        again, same = call(mine)
    if not isinstance(value, (float, np.floating)):
        detail = f"value {value!r}, plain Python {want!r}, arguments {args!r}"
        return Finding(engine.name, "value", f"is a {type(value).__name__}", detail)
    close = bool(np.isclose(value, want, rtol=1e-12, atol=1e-13))
    if not (bits(value) == bits(want) if engine.exact else close):
        detail = f"value {value!r}, plain Python {want!r}, arguments {args!r}"
        return Finding(engine.name, "value", "not bit-identical" if close else "differs", detail)
    for before, after in zip(args, mine, strict=True):
        if _text(before) != _text(after):
            return Finding(engine.name, "mutated", "argument changed", f"{before!r} -> {after!r}")
    if bits(again) != bits(value):
        return Finding(engine.name, "unstable", "value", f"{value!r}, then {again!r}")
    if gradients is None or same is None:
        return None
    for argnum, gradient, difference in zip(argnums, gradients, expected, strict=True):
        wrong = same_structure(args[argnum], gradient)
        if wrong:
            return Finding(engine.name, "structure", wrong, f"argument {argnum} of {args!r}")
        found = np.array(leaves(gradient))
        if difference.worst(found) > 1.0 and not agrees_closer(f, args, argnum, found):
            detail = (
                f"argument {argnum}: gradient {gradient!r}\ncentral differences {difference.values!r}"
                f" +- {difference.errors.max():.1e}\narguments {args!r}"
            )
            return Finding(engine.name, "gradient", "differs from differences", detail)
    if any(leaves(g) != leaves(s) for g, s in zip(gradients, same, strict=True)):
        return Finding(engine.name, "unstable", "gradient", f"{gradients!r}, then {same!r}")
    return None


def agrees_closer(
    f: Callable[..., Any], args: tuple[Any, ...], argnum: int, gradient: np.ndarray
) -> bool:
    """Whether steps too small to reach a kink nearby agree with the gradient after all."""
    for steps in CLOSER_STEPS:
        try:
            (closer,) = differences(f, args, (argnum,), steps)
        except NotSmooth:
            continue
        if closer.worst(gradient) <= 1.0:
            return True
    return False


def _shape(message: str) -> str:
    """A message without numbers and made-up names, so that those of one cause count together."""
    message = re.sub(
        r"\b(?:[A-Za-z_]\w*)?\d\w*\b|\b(t|a|y|x|p|q|A|tape)\b(?= no longer)", "#", message
    )
    return re.sub(r"(#[, ]*)+", "# ", message).strip()


def _text(value: Any) -> str:
    with np.printoptions(precision=17, threshold=10_000):
        return repr(value)
