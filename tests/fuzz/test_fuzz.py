"""Five hundred random programs, each on every engine, and the generator's own promises."""

from __future__ import annotations

import inspect
import math
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from .check import agrees_closer, check
from .differences import NotSmooth, differences
from .engines import Call, Engine
from .generator import feature_names, generate
from .program import NAME, Program, load, plain
from .run import GRADIENT, Summary, run_many
from .shrink import as_test, shrink
from .syntax import CONSTRUCTS, syntax

SEED = 2
COUNT = 500
CHUNK = 50


@pytest.mark.parametrize("first", range(0, COUNT, CHUNK))
def test_random_programs_agree_on_every_engine(first: int) -> None:
    summary = Summary()
    for outcome in run_many(CHUNK, SEED, first=first, engines=None):
        summary.add(outcome)
    assert not summary.failing, summary.text(3)
    assert summary.refusing <= 0.02 * COUNT, summary.text(3)


@pytest.mark.parametrize("level", [1, 2])
def test_simple_random_programs_agree_on_every_engine(level: int) -> None:
    summary = Summary()
    for outcome in run_many(CHUNK, SEED, level):
        summary.add(outcome)
    assert summary.clean == CHUNK, summary.text(level)


def test_every_feature_appears_and_gradients_are_not_zero() -> None:
    asked: Counter[str] = Counter()
    written: Counter[str] = Counter()
    steep = 0
    for index in range(COUNT):
        program = generate(SEED, index)
        asked.update(program.features)
        written.update(syntax(program.source))
        slopes = [np.abs(d.values).max(initial=0.0) for d in program.gradients[0]]
        steep += min(slopes) > GRADIENT
    assert not {name: asked[name] for name in feature_names(3) if asked[name] < 50}
    assert not {name: written[name] for name in CONSTRUCTS if written[name] < 50}
    assert steep >= 0.9 * COUNT


@pytest.mark.parametrize("level", [1, 2, 3])
def test_a_seed_gives_the_same_program_again(level: int) -> None:
    first, second = generate(7, 3, level), generate(7, 3, level)
    assert first.source == second.source
    assert repr(first.args) == repr(second.args)


def test_the_second_argument_set_has_other_values_and_lengths() -> None:
    for index in range(10):
        first, second = generate(SEED, index).args
        for a, b in zip(first, second, strict=True):
            assert type(a) is type(b)
            if isinstance(a, np.ndarray):
                assert a.ndim == b.ndim and not np.array_equal(a, b)


def test_differences_are_accurate_for_smooth_functions() -> None:
    (found,) = differences(lambda x: math.sin(3.0 * x) / x, (0.7,), (0,))
    exact = 3.0 * math.cos(2.1) / 0.7 - math.sin(2.1) / 0.49
    assert abs(found.values[0] - exact) < 1e-9
    assert found.worst(np.array([exact])) < 1.0
    assert found.worst(np.array([exact * (1.0 + 1e-4)])) > 1.0


@pytest.mark.parametrize("x", [0.0, 1e-7, 5e-4, -3e-3])
def test_differences_notice_a_kink(x: float) -> None:
    with pytest.raises(NotSmooth):
        differences(lambda x: abs(x) + x, (x,), (0,))


def test_differences_notice_a_jump() -> None:
    with pytest.raises(NotSmooth):
        differences(lambda x: x if x < 0.5 else x + 1e-3, (0.4995,), (0,))


def test_a_kink_near_by_is_not_held_against_a_right_gradient() -> None:
    def f(x: float) -> float:
        return x + 1e-2 * min(x, 0.53)

    right, x = np.array([1.0]), 0.53 + 1.03e-4
    assert agrees_closer(f, (x,), 0, right)
    assert not agrees_closer(f, (x,), 0, right + 1e-4)


def test_what_overflows_is_not_differenced() -> None:
    def f(x: np.ndarray) -> float:
        y = x * x
        for _ in range(12):
            y *= y
        return float(y[0])

    assert plain(f, (np.array([1.0, 1.0]),)) == 1.0
    with pytest.raises(ArithmeticError):
        plain(f, (np.array([1.0, 3.0]),))


def _wrong_if(text: str) -> Engine:
    """An engine whose gradients are off by a tenth wherever a program contains ``text``."""

    def build(f: Callable[..., Any], argnums: tuple[int, ...]) -> Call:
        def call(args: tuple[Any, ...]) -> tuple[Any, tuple[Any, ...]]:
            found = differences(f, args, argnums)
            factor = 1.1 if text in inspect.getsource(inspect.getmodule(f)) else 1.0  # type: ignore[arg-type]
            gradients = [_like(args[a], iter(factor * d.values)) for a, d in zip(argnums, found)]
            return plain(f, args), tuple(gradients)

        return call

    return Engine("planted", ("math", "sin"), build)


def _like(value: Any, numbers: Any) -> Any:
    if isinstance(value, np.ndarray):
        return np.array([next(numbers) for _ in range(value.size)]).reshape(value.shape)
    if isinstance(value, dict):
        return {k: _like(v, numbers) for k, v in value.items()}
    if isinstance(value, (tuple, list)):
        return type(value)([_like(v, numbers) for v in value])
    return float(next(numbers))


def test_a_planted_failure_is_found_and_shrinks_to_a_few_lines() -> None:
    engine = _wrong_if("np.cumsum")
    program = next(p for i in range(200) if "np.cumsum" in (p := generate(SEED, i)).source)
    (finding,) = check(program, [engine])
    assert finding.sort == "gradient"
    small, latest = shrink(program, finding, [engine], seconds=20.0)
    assert "np.cumsum" in small.source
    assert len(small.source.splitlines()) <= 10, small.source
    test = as_test(small, latest)
    compile(test, "test", "exec")
    assert "agrees(f, " in test


def test_a_right_engine_has_no_findings() -> None:
    engine = _wrong_if("nothing has this text")
    for index in range(5):
        assert check(generate(SEED, index), [engine]) == []


def test_programs_have_a_file_while_they_are_loaded() -> None:
    program: Program = generate(SEED, 0)
    with load(program.source) as module:
        assert f"def {NAME}(" in inspect.getsource(getattr(module, NAME))
