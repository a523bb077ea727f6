"""The comparison: every way, agreement, time and what was saved."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import s2sad
from s2sad.comparison import agreement, count_values


def smooth(x, k):
    total = 0.0
    for i in range(len(x)):
        total = total + np.exp(x[i] * k) * x[i]
    return total


def kinked(x):
    a = np.zeros(2)
    a[0] = abs(x)
    a[1] = x if x > 0.5 else -x
    return math.exp(a[0]) * a[1]


X = np.array([0.3, 0.5, -0.2])


def test_every_way_agrees() -> None:
    found = s2sad.compare(smooth, X, 0.7)
    assert [w.name for w in found.ways] == [
        "generated code",
        "tape",
        "finite differences",
        "complex step",
    ]
    assert found["tape"].digits > 13
    assert found["complex step"].digits > 13
    assert found.agree > 7
    assert all(w.seconds > 0.0 for w in found.ways)
    assert found["tape"].saved is not None and found["tape"].saved > 0


def test_the_complex_step_stays_away_where_the_program_is_not_analytic() -> None:
    found = s2sad.compare(kinked, 0.8)
    assert [w.name for w in found.ways] == ["generated code", "tape", "finite differences"]


def test_argnums() -> None:
    found = s2sad.compare(smooth, X, 0.7, argnums=1)
    assert len(found["tape"].gradient) == 1
    assert s2sad.compare(smooth, X, 0.7, argnums="k").agree > 7


def test_a_result_that_is_not_a_number() -> None:
    found = s2sad.compare(lambda x: (x * x, {"s": x.sum()}), X)
    assert np.allclose(found["generated code"].gradient[0], 2.0 * X + 1.0)
    assert found.agree > 7


def test_it_prints_as_a_table() -> None:
    text = str(s2sad.compare(smooth, X, 0.7))
    assert text == text.strip()
    assert "smooth" in text
    for word in ("way", "digits", "time", "values saved", "generated code", "tape"):
        assert word in text


def test_rich_table() -> None:
    rich = pytest.importorskip("rich.console")
    console = rich.Console(record=True, width=100, file=open("/dev/null", "w"))
    console.print(s2sad.compare(smooth, X, 0.7))
    assert "finite differences" in console.export_text()


def test_the_arguments_stay_as_they_are() -> None:
    def f(x: Any) -> Any:
        x[0] = x[1] * x[2]
        return np.sum(x * x)

    x = X.copy()
    s2sad.compare(f, x)
    assert np.array_equal(x, X)


def test_agreement() -> None:
    assert agreement((1.0, {"a": X}), (1.0, {"a": X})) > 15
    assert agreement((2.0,), (2.0002,)) == pytest.approx(4.0)
    assert agreement((np.array([1e9, 1.0]),), (np.array([1e9, 1.001]),)) == pytest.approx(12.0)
    assert agreement((math.nan,), (math.nan,)) > 15
    assert agreement((math.nan,), (1.0,)) == 0.0


def test_memory_that_is_shared_counts_once() -> None:
    assert count_values((X, X[1:], [(1, 2.0)])) == 5
