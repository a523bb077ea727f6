"""The evals of GradBench: their derivatives at small sizes, and the protocol."""

from __future__ import annotations

import io
import json

import pytest

pytest.importorskip("numba")

from tests.benchmarks.gradbench.check import check
from tests.benchmarks.gradbench.inputs import SMALL, draw
from tests.benchmarks.gradbench.tool import EVALS, serve


@pytest.fixture(autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("S2SAD_CACHE_DIR", str(tmp_path_factory.getbasetemp() / "s2sad"))


def test_every_eval_is_checked() -> None:
    assert {name for name, _ in SMALL.values()} == set(EVALS)


@pytest.mark.parametrize("label", SMALL)
def test_derivatives_agree_with_differences(label: str) -> None:
    name, size = SMALL[label]
    check(name, draw(name, **size))


def test_protocol() -> None:
    messages = [
        {"id": 0, "kind": "start"},
        {"id": 1, "kind": "define", "module": "hello"},
        {"id": 2, "kind": "define", "module": "nothing"},
        {"id": 3, "kind": "evaluate", "module": "hello", "function": "double", "input": 3.0},
        {"id": 4, "kind": "analysis", "of": 3, "valid": True},
    ]
    out = io.StringIO()
    serve(io.StringIO("".join(json.dumps(m) + "\n" for m in messages)), out)
    answers = [json.loads(line) for line in out.getvalue().splitlines()]
    assert [answer["id"] for answer in answers] == [0, 1, 2, 3, 4]
    assert answers[0]["tool"] == "s2sad"
    assert (answers[1]["success"], answers[2]["success"]) == (True, False)
    assert answers[3]["output"] == 6.0
    assert answers[3]["timings"][0]["nanoseconds"] > 0
