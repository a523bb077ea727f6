"""Every program and rule of the tests a second time, compiled by Numba.

It agrees with the NumPy backend, or it is in the table of refusals, which docs/numba.md shows.
"""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import s2sad
from tests.arguments import active_argnums
from tests.numba_refusals import PROGRAMS, RULES, tables
from tests.programs.golden import PROGRAMS as GOLDEN
from tests.programs.language import LANGUAGE
from tests.programs.tricky import PROGRAMS as TRICKY
from tests.rules import test_through_grad
from tests.scripts import written_down
from tests.trees import fresh

pytest.importorskip("numba")

CASES = [p for p in [*GOLDEN, *TRICKY, *LANGUAGE] if p.reason is None]


@pytest.fixture(autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("S2SAD_CACHE_DIR", str(tmp_path_factory.getbasetemp() / "s2sad"))


def alike(a: Any, b: Any) -> None:
    """Raises AssertionError where two results differ by more than a few ulps."""
    if isinstance(a, dict):
        assert a.keys() == b.keys()
        for k in a:
            alike(a[k], b[k])
    elif isinstance(a, tuple | list):
        assert len(a) == len(b)
        for p, q in zip(a, b, strict=True):
            alike(p, q)
    elif hasattr(a, "__dataclass_fields__"):
        for name in a.__dataclass_fields__:
            alike(getattr(a, name), getattr(b, name))
    elif a is None:
        assert b is None
    else:
        single = np.asarray(a).dtype in (np.float32, np.complex64)
        tolerance = 1e-5 if single else 1e-12
        scale = float(np.max(np.abs(a), initial=0.0)) if np.all(np.isfinite(a)) else 0.0
        rounding = np.finfo(float).eps  # of a sum whose terms, about 1, cancel in some order
        np.testing.assert_allclose(b, a, rtol=tolerance, atol=max(tolerance * scale, rounding))


@pytest.mark.parametrize("n", range(len(CASES)), ids=[p.name for p in CASES])
def test_program(n: int) -> None:
    p = CASES[n]
    argnums = active_argnums(p.args, p.options.get("argnums"))
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            expected = s2sad.grad(p.f, argnums)(*fresh(p.args))
        except s2sad.OutputError:
            pytest.skip("its result is no number")
        compiled = s2sad.grad(p.f, argnums, backend="numba")
        if p.name in PROGRAMS:
            with pytest.raises(s2sad.UnsupportedError):
                compiled(*fresh(p.args))
            return
        alike(expected, compiled(*fresh(p.args)))


# -- rules ----------------------------------------------------------------------------------------

SAMPLES = {name: calls[0] for name, calls in test_through_grad.PROGRAMS.items()}


def _sum_of(name: str) -> str:
    return f"sum_of_{name.replace('.', '_')}"


@pytest.fixture(scope="module")
def sums(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A module with one function for each rule: the sum of the elements of what it returns."""
    path = tmp_path_factory.mktemp("rules") / "rule_sums.py"
    parts = [test_through_grad._HEAD]
    for name, (body, _) in SAMPLES.items():
        head, _, call = body.partition("return ")
        parts.append(f"\n\ndef {_sum_of(name)}{head}return np.sum({call.strip()})\n")
    return written_down(path, "".join(parts))


@pytest.mark.parametrize("name", SAMPLES)
def test_rule(name: str, sums: Any) -> None:
    values = SAMPLES[name][1]
    f = getattr(sums, _sum_of(name))
    argnums = tuple(range(len(values)))
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            f(*fresh(values))
        except (TypeError, ValueError):
            pytest.skip("its result has no sum")
        try:
            expected = s2sad.grad(f, argnums)(*fresh(values))
        except (s2sad.S2sadError, TypeError):
            pytest.skip("the sum of its result is no real number")
        compiled = s2sad.grad(f, argnums, backend="numba")
        if name in RULES:
            with pytest.raises(s2sad.UnsupportedError):
                compiled(*fresh(values))
            return
        alike(expected, compiled(*fresh(values)))


def test_page_shows_the_tables() -> None:
    page = (Path(__file__).parents[1] / "docs" / "numba.md").read_text()
    assert tables() in page
